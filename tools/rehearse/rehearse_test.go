package main

import (
	"archive/zip"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/civicpin/civicpin/tools/internal/checkout"
	"github.com/civicpin/civicpin/tools/internal/worktree"
)

// These programs fail unless the modules give what they should.
var testPrograms = fstest.MapFS{
	mainFile: {Data: []byte("package main\n\nfunc main() { run() }\n")},
	"testdata/root/run.go": {Data: []byte(`package main

import "example.org/lib"

func run() {
	if lib.Value != 1 {
		panic(lib.Value)
	}
}
`)},
	"testdata/store/x/run.go": {Data: []byte(`package main

import "example.org/lib/store/x"

func run() {
	if x.Twice() != 2 {
		panic(x.Twice())
	}
}
`)},
}

// repository makes a git repository of two public modules and a private one. The stranger finds nothing outside of it.
func repository(t *testing.T, files map[string]string) string {
	t.Helper()
	worktree.NeedGit(t)
	t.Setenv("GOPROXY", "file://"+filepath.ToSlash(t.TempDir()))
	t.Setenv("GOMODCACHE", t.TempDir())
	dir := t.TempDir()
	all := map[string]string{
		"go.work":         "go 1.26.0\n\nuse (\n\t.\n\t./store/x\n)\n",
		"go.mod":          "module example.org/lib\n\ngo 1.26.0\n",
		"lib.go":          "package lib\n\nconst Value = 1\n",
		"LICENSE":         "Yours.\n",
		"CHANGELOG.md":    "# Changelog\n\n## [Unreleased]\n",
		"store/x/go.mod":  siblingMod("v0.1.0"),
		"store/x/x.go":    "package x\n\nimport \"example.org/lib\"\n\nfunc Twice() int { return 2 * lib.Value }\n",
		"bench/go.mod":    "module example.org/lib/bench\n\ngo 1.26.0\n",
		"bench/b.go":      "package bench\n",
		"docs/page.md":    "Text.\n",
		".ci/run":         "exit 1\n",
		"store/x/UP/a.md": "Text.\n",
	}
	maps.Copy(all, files)
	worktree.Write(t, dir, all)
	worktree.Git(t, dir, "init", "--quiet")
	worktree.Git(t, dir, "add", ".")
	return dir
}

func siblingMod(version string) string {
	return "module example.org/lib/store/x\n\ngo 1.26.0\n\nrequire example.org/lib " + version +
		"\n\nreplace example.org/lib => ../..\n"
}

func TestRehearse(t *testing.T) {
	for _, tc := range []struct {
		name      string
		tracked   map[string]string
		untracked map[string]string
		version   string   // if it is not the next
		want      []string // begins of the lines of output
		err       string   // in the error or the output
	}{
		{name: "good", want: []string{"ok    example.org/lib@v0.1.0", "ok    example.org/lib/store/x@v0.1.0"}},
		{
			name: "no released version is required", tracked: map[string]string{"store/x/go.mod": siblingMod("v0.0.0")},
			version: "v0.1.0", want: []string{"ok    example.org/lib@v0.1.0", "FAIL  example.org/lib/store/x@v0.1.0"},
			err: "example.org/lib/@v/v0.0.0.zip",
		},
		{name: "nor as the next", tracked: map[string]string{"store/x/go.mod": siblingMod("v0.0.0")}, err: "v0.0.0 is no release"},
		{
			name: "a former version is required", tracked: map[string]string{"store/x/go.mod": siblingMod("v0.0.9")},
			version: "v0.1.0", want: []string{"ok    example.org/lib@v0.1.0", "FAIL  example.org/lib/store/x@v0.1.0"},
			err: "example.org/lib/@v/v0.0.9.zip",
		},
		{
			name: "a file is not tracked", tracked: map[string]string{"lib.go": "package lib\n\nconst Value = value\n"},
			untracked: map[string]string{"value.go": "package lib\n\nconst value = 1\n"},
			want:      []string{"FAIL  example.org/lib@v0.1.0", "FAIL  example.org/lib/store/x@v0.1.0"}, err: "undefined: value",
		},
		{
			name: "a program fails", tracked: map[string]string{"lib.go": "package lib\n\nconst Value = 3\n"},
			want: []string{"FAIL  example.org/lib@v0.1.0", "FAIL  example.org/lib/store/x@v0.1.0"}, err: "panic: 6",
		},
		{
			name:    "a module without a program",
			tracked: map[string]string{"store/y/go.mod": "module example.org/lib/store/y\n\ngo 1.26.0\n", "store/y/y.go": "package y\n"},
			want: []string{
				"ok    example.org/lib@v0.1.0", "ok    example.org/lib/store/x@v0.1.0",
				"FAIL  example.org/lib/store/y@v0.1.0: every public module needs a program",
			},
			err: "example.org/lib/store/y failed",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := repository(t, tc.tracked)
			worktree.Write(t, dir, tc.untracked)
			var args []string
			if tc.version != "" {
				args = append(args, tc.version)
			}
			var out strings.Builder
			err := run(t.Context(), filepath.Join(dir, "store"), testPrograms, args, &out)
			if (err == nil) != (tc.err == "") || (err != nil && !strings.Contains(out.String()+err.Error(), tc.err)) {
				t.Errorf("error is %v, output\n%s", err, &out)
			}
			var lines []string
			for line := range strings.Lines(out.String()) {
				if strings.HasPrefix(line, "ok ") || strings.HasPrefix(line, "FAIL ") {
					lines = append(lines, line)
				}
			}
			same := func(line, want string) bool { return strings.HasPrefix(line, want) }
			if !slices.EqualFunc(lines, tc.want, same) {
				t.Errorf("printed\n%s", &out)
			}
		})
	}
}

// A module of an earlier release, found elsewhere, does not count as this one.
func TestFormerRelease(t *testing.T) {
	former := repository(t, nil)
	proxy := t.TempDir()
	if err := run(t.Context(), former, testPrograms, []string{"-proxy", proxy, "v0.1.0"}, t.Output()); err != nil {
		t.Fatal(err)
	}
	dir := repository(t, nil) // which still requires v0.1.0
	t.Setenv("GOPROXY", "file://"+filepath.ToSlash(proxy))
	var out strings.Builder
	err := run(t.Context(), dir, testPrograms, []string{"v0.2.0"}, &out)
	if err == nil || !strings.Contains(out.String(), "it takes example.org/lib v0.1.0") {
		t.Errorf("error is %v, output\n%s", err, &out)
	}
}

func TestProxy(t *testing.T) {
	dir := repository(t, nil)
	worktree.Write(t, dir, map[string]string{"untracked.go": "package lib\n"})
	proxy := t.TempDir()
	if err := run(t.Context(), dir, testPrograms, []string{"-proxy", proxy, "v0.2.0-rc.1"}, t.Output()); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string][]string{
		"example.org/lib/@v/v0.2.0-rc.1.zip": {
			"example.org/lib@v0.2.0-rc.1/.ci/run", "example.org/lib@v0.2.0-rc.1/CHANGELOG.md", "example.org/lib@v0.2.0-rc.1/LICENSE",
			"example.org/lib@v0.2.0-rc.1/docs/page.md", "example.org/lib@v0.2.0-rc.1/go.mod", "example.org/lib@v0.2.0-rc.1/go.work",
			"example.org/lib@v0.2.0-rc.1/lib.go",
		},
		"example.org/lib/store/x/@v/v0.2.0-rc.1.zip": {
			"example.org/lib/store/x@v0.2.0-rc.1/LICENSE", "example.org/lib/store/x@v0.2.0-rc.1/UP/a.md",
			"example.org/lib/store/x@v0.2.0-rc.1/go.mod", "example.org/lib/store/x@v0.2.0-rc.1/x.go",
		},
	} {
		r, err := zip.OpenReader(filepath.Join(proxy, file))
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, f := range r.File {
			names = append(names, f.Name)
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		slices.Sort(names)
		if !slices.Equal(names, want) {
			t.Errorf("%s holds %q", file, names)
		}
	}
	if _, err := os.Stat(filepath.Join(proxy, "example.org/lib/bench")); err == nil {
		t.Error("a private module is in the proxy")
	}
	list, err := os.ReadFile(filepath.Join(proxy, "example.org/lib/@v/list"))
	if err != nil || string(list) != "v0.2.0-rc.1\n" {
		t.Errorf("the list is %q, %v", list, err)
	}
}

// Every public module of this repository has its program, and each program a module.
func TestPrograms(t *testing.T) {
	c, err := checkout.Open(t.Context(), ".")
	if err != nil {
		t.Fatal(err)
	}
	want, have := []string{"tools/rehearse/" + mainFile}, []string(nil)
	for _, m := range c.Modules {
		if m.Public {
			want = append(want, "tools/rehearse/"+programOf(m))
		}
	}
	for _, name := range c.Files {
		if strings.HasPrefix(name, "tools/rehearse/testdata/") {
			have = append(have, name)
		}
	}
	slices.Sort(want)
	if !slices.Equal(have, want) {
		t.Errorf("the programs are %q, want %q", have, want)
	}
}
