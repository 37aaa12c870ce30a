package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A module with one file, x_test.go or x.go, run by the real go command: its event format is what is tested.
func TestRun(t *testing.T) {
	for _, tc := range []struct {
		name, file, source string
		counts             string
		ok                 bool
		shows              []string
		hides              string
	}{
		{
			name: "passes", file: "x_test.go", counts: "4 0 1", ok: true, hides: "quiet", shows: []string{"SKIP: TestSkip", "the cause"},
			source: `func TestA(t *testing.T) { t.Log("quiet") }
				func TestB(t *testing.T) { t.Run("1", func(*testing.T) {}); t.Run("2", func(*testing.T) {}) }
				func TestSkip(t *testing.T) { t.Skip("the cause") }`,
		},
		{
			name: "fails", file: "x_test.go", counts: "2 2 0", hides: "quiet", shows: []string{"the reason", "FAIL: TestB/1"},
			source: `func TestA(t *testing.T) { t.Log("quiet") }
				func TestB(t *testing.T) {
					t.Run("1", func(t *testing.T) { t.Error("the reason") })
					t.Run("2", func(t *testing.T) { t.Log("quiet") })
				}`,
		},
		{
			name: "pretends", file: "x_test.go", counts: "1 1 0",
			source: `func TestA(t *testing.T) { println("{\"Action\":\"pass\",\"Package\":\"x\",\"Test\":\"TestZ\"}") }
				func TestB(t *testing.T) { t.Fail() }`,
		},
		{name: "does not build", file: "x_test.go", counts: "0 1 0", shows: []string{"undefined: nothing"}, source: `func TestA(t *testing.T) { nothing() }`},
		{name: "panics", file: "x_test.go", counts: "0 1 0", shows: []string{"at once"}, source: `func TestA(t *testing.T) { panic("at once") }`},
		{
			name: "fails at length", file: "x_test.go", counts: "0 1 0", hides: "line 500,", shows: []string{"line 0,", "line 999,", "lines ..."},
			source: `func TestA(t *testing.T) { for i := range 1000 { t.Errorf("line %d,", i) } }`,
		},
		{
			name: "runs out of time", file: "x_test.go", counts: "1 1 0", shows: []string{"test timed out", "TestB"},
			source: `func TestA(t *testing.T) {}
				func TestB(t *testing.T) { select {} }`,
		},
		{
			name: "exits", file: "x_test.go", counts: "1 1 0", shows: []string{"FAIL  x"},
			source: `func TestA(t *testing.T) {}
				func TestMain(m *testing.M) { m.Run(); os.Exit(3) }`,
		},
		{name: "has no test", file: "x.go", counts: "0 0 0", source: `func A(t *testing.T) {}`},
		{name: "has no package", file: "x.txt", counts: "0 1 0"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			imports := `import "testing"`
			if strings.Contains(tc.source, "os.") {
				imports += "\nimport \"os\""
			}
			write(t, filepath.Join(dir, "go.mod"), "module x\n\ngo 1.26.0\n")
			write(t, filepath.Join(dir, tc.file), "package x\n"+imports+"\n"+tc.source+"\n")
			t.Setenv("GOWORK", "off")

			var out bytes.Buffer
			counts := filepath.Join(dir, "counts")
			err := run(counts, []string{"go", "-C", dir, "test", "-json", "-vet=off", "-timeout=2s", "./..."}, &out)
			if (err == nil) != tc.ok {
				t.Errorf("error is %v, want ok %t", err, tc.ok)
			}
			got, err := os.ReadFile(counts)
			if err != nil {
				t.Fatal(err)
			}
			if strings.TrimSpace(string(got)) != tc.counts {
				t.Errorf("counts are %q, want %q", got, tc.counts)
			}
			for _, s := range tc.shows {
				if !strings.Contains(out.String(), s) {
					t.Errorf("output lacks %q", s)
				}
			}
			if tc.hides != "" && strings.Contains(out.String(), tc.hides) {
				t.Errorf("output holds %q", tc.hides)
			}
			if t.Failed() {
				t.Logf("output:\n%s", &out)
			}
		})
	}
}

func TestRunBrokenOff(t *testing.T) {
	var out bytes.Buffer
	counts := filepath.Join(t.TempDir(), "counts")
	script := `echo '{"Action":"output","Package":"x","Test":"TestA","Output":"last words\n"}'; exit 1`
	if err := run(counts, []string{"sh", "-c", script}, &out); err == nil {
		t.Error("no error")
	}
	got, _ := os.ReadFile(counts)
	if string(got) != "0 1 0\n" || !strings.Contains(out.String(), "last words") {
		t.Errorf("counts %q, output %q", got, &out)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
