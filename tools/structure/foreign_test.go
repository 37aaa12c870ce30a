package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// foreign writes a module that is not ours and requires ours, as a stranger's does, with the programs in testdata/foreign.
func foreign(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/foreign")); err != nil {
		t.Fatal(err)
	}
	ours, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	sum, err := os.ReadFile(filepath.Join(ours, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"go.mod": "module example.org/foreign\n\ngo 1.26.0\n\nrequire " + modulePath + " v0.0.0\n\nreplace " + modulePath + " => " + ours + "\n",
		"go.sum": string(sum),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// goCommand runs the go command in a directory, without a workspace and without a network, and returns what it printed.
func goCommand(t *testing.T, dir string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod", "GOPROXY=off")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// Only package recovery proves that a recovery was completed. A stranger's program cannot name the proof, and what it makes of
// a type that the compiler infers is refused.
func TestForeign(t *testing.T) {
	dir := foreign(t)
	for _, tc := range []struct {
		program string
		shows   []string // for each of the two methods, if both are called
	}{
		{"imports", []string{"use of internal package " + modulePath + "/internal/proof not allowed"}},
		{"nothing", []string{"cannot use nil as proof.Completed value in argument to pins.Complete", "in argument to contacts.Recovered"}},
		{"shape", []string{"in argument to pins.Complete", "in argument to contacts.Recovered"}},
	} {
		t.Run(tc.program, func(t *testing.T) {
			out, err := goCommand(t, dir, "build", "-o", os.DevNull, "./"+tc.program)
			if err == nil {
				t.Fatal("it compiles")
			}
			for _, text := range tc.shows {
				if !strings.Contains(out, text) {
					t.Errorf("no %q in\n%s", text, out)
				}
			}
		})
	}
	t.Run("uses", func(t *testing.T) {
		out, err := goCommand(t, dir, "run", "./uses")
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		want := `issued
Complete, zero: refused
Complete, fields: refused
Complete, unlock: refused
Complete, reflection: refused
Complete, JSON: refused
Recovered, zero: refused
Recovered, fields: refused
Recovered, repudiated: refused
Recovered, reflection: refused
Recovered, JSON: refused
contacts: 0
`
		if out != want {
			t.Errorf("it prints\n%s\nnot\n%s", out, want)
		}
	})
}
