package testkit

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// module is the folder of the root module, seen from a package below internal.
const module = "../.."

// TakenBack takes each mend back in a copy of the module, by a patch in testdata, and has a test of a model find what the mend
// had closed. The environment variable env tells the test how long to look. cut returns of its output what was found, if there
// was anything. It compiles much, and so runs only with CIVICPIN_TAKEN_BACK.
func TakenBack(t *testing.T, run, env string, cut func(out string) (string, bool)) {
	t.Helper()
	if os.Getenv("CIVICPIN_TAKEN_BACK") == "" {
		t.Skip("only with CIVICPIN_TAKEN_BACK")
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	patches, err := filepath.Glob(filepath.Join(here, "testdata", "*.patch"))
	if err != nil || len(patches) == 0 {
		t.Fatal("no patches", err)
	}
	for _, patch := range patches {
		t.Run(strings.TrimSuffix(filepath.Base(patch), ".patch"), func(t *testing.T) {
			dir := t.TempDir()
			if err := os.CopyFS(dir, rootOnly{os.DirFS(module)}); err != nil {
				t.Fatal(err)
			}
			if out, err := in(t, dir, env, "git", "apply", patch); err != nil {
				t.Fatalf("the code has changed: make the patch anew: %v\n%s", err, out)
			}
			out, err := in(t, dir, env, "go", "test", "-trimpath", "-count=1", "-timeout=1h", "-v", "-failfast", "-run="+run,
				"./internal/"+filepath.Base(here))
			found, ok := cut(out)
			if err == nil || !ok {
				t.Fatalf("the model finds nothing: %v\n%s", err, out)
			}
			t.Log(found)
		})
	}
}

// in runs a command in a folder and returns what it prints.
func in(t *testing.T, dir, env, name string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	cmd.Env = append(cmd.Environ(), "GOWORK=off", "GIT_CEILING_DIRECTORIES="+filepath.Dir(dir), env)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// rootOnly is the files of the root module, without the modules within it and hidden folders.
type rootOnly struct{ fs.FS }

// ReadDir implements [fs.ReadDirFS].
func (r rootOnly) ReadDir(name string) (list []fs.DirEntry, err error) {
	all, err := fs.ReadDir(r.FS, name)
	for _, d := range all {
		_, inner := fs.Stat(r.FS, filepath.ToSlash(filepath.Join(name, d.Name(), "go.mod")))
		if d.Type().IsRegular() || d.IsDir() && inner != nil && !strings.HasPrefix(d.Name(), ".") {
			list = append(list, d)
		}
	}
	return list, err
}
