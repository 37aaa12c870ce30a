package twoworlds_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// module is the folder of the root module.
const module = "../.."

// TestTakenBack takes each mend back in a copy of the module, by a patch in testdata, and has the model find the difference
// that the mend had closed: within 10,000 schedules of each setup. It compiles much, and so runs only with CIVICPIN_TAKEN_BACK.
func TestTakenBack(t *testing.T) {
	if os.Getenv("CIVICPIN_TAKEN_BACK") == "" {
		t.Skip("only with CIVICPIN_TAKEN_BACK")
	}
	patches, err := filepath.Glob("testdata/*.patch")
	require.NoError(t, err)
	require.NotEmpty(t, patches)
	played := regexp.MustCompile(`\d+ schedules`)
	for _, patch := range patches {
		t.Run(strings.TrimSuffix(filepath.Base(patch), ".patch"), func(t *testing.T) {
			absolute, err := filepath.Abs(patch)
			require.NoError(t, err)
			dir := t.TempDir()
			copyModule(t, dir)
			out, err := in(t, dir, "git", "apply", absolute)
			require.NoError(t, err, "the code has changed: make the patch anew\n%s", out)
			out, err = in(t, dir, "go", "test", "-trimpath", "-count=1", "-timeout=1h", "-v", "-failfast", "-run=^TestTwoWorlds$",
				"./internal/twoworlds")
			require.Error(t, err, "the model finds nothing:\n%s", out)
			_, difference, ok := strings.Cut(out, "the worlds differ:\n")
			require.True(t, ok, out)
			difference, _, _ = strings.Cut(difference, "\n--- ")
			t.Logf("after %v:\n%s", played.FindAllString(out, -1), difference)
		})
	}
}

// in runs a command in a folder and returns what it prints.
func in(t *testing.T, dir, name string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	cmd.Env = append(cmd.Environ(), "GOWORK=off", "CIVICPIN_TWOWORLDS=10000", "GIT_CEILING_DIRECTORIES="+filepath.Dir(dir))
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// copyModule copies the root module, without the modules within it.
func copyModule(t *testing.T, to string) {
	t.Helper()
	err := filepath.WalkDir(module, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(module, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			_, inner := os.Stat(filepath.Join(path, "go.mod"))
			if name != "." && (inner == nil || strings.HasPrefix(d.Name(), ".")) {
				return fs.SkipDir
			}
			return os.MkdirAll(filepath.Join(to, name), 0o755)
		}
		if !d.Type().IsRegular() {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, name), text, 0o644)
	})
	require.NoError(t, err)
}
