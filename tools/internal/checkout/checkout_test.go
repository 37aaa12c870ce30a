package checkout_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/civicpin/civicpin/tools/internal/checkout"
	"github.com/civicpin/civicpin/tools/internal/worktree"
)

// This repository itself: its modules require each other at one version, the one that is released next.
func TestRepository(t *testing.T) {
	c, err := checkout.Open(t.Context(), ".")
	if err != nil {
		t.Fatal(err)
	}
	next, err := c.Next()
	if err != nil {
		t.Fatal(err)
	}
	t.Log("released next:", next)
	for _, name := range c.Files { // what is tracked is source: no built program
		info, err := os.Lstat(filepath.Join(c.Dir, filepath.FromSlash(name)))
		switch {
		case err != nil:
			t.Error(err)
		case info.Size() > 1<<20:
			t.Errorf("%s has %d bytes", name, info.Size())
		case info.Mode()&0o111 != 0 && name != ".ci/run":
			t.Errorf("%s is executable", name)
		}
	}
	var public []string
	for _, m := range c.Modules {
		if m.Public {
			public = append(public, m.Dir)
		}
	}
	for _, dir := range []string{".", "otelcivicpin", "store/natsstore", "store/redisstore", "store/sqlite", "store/sqlstore"} {
		if !slices.Contains(public, dir) {
			t.Errorf("module %s is not public", dir)
		}
	}
	if changed, err := c.Require(next, false); err != nil || len(changed) > 0 {
		t.Errorf("Require would change %q, error %v", changed, err)
	}
}

// repository makes a checkout of three modules without git.
func repository(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	all := map[string]string{
		"go.work":           "go 1.26.0\n\nuse (\n\t.\n\t./bench\n\t./store/x\n)\n",
		"go.mod":            "module example.org/lib\n\ngo 1.26.0\n",
		"store/x/go.mod":    goMod("store/x", "v0.1.0"),
		"bench/go.mod":      goMod("bench", "v0.1.0"),
		"testdata/m/go.mod": "module example.org/other\n",
		"CHANGELOG.md":      "# Changelog\n\n## [Unreleased]\n",
	}
	maps.Copy(all, files)
	worktree.Write(t, dir, all)
	return dir
}

// goMod returns the go.mod of a module that requires the root.
func goMod(dir, version string) string {
	up := strings.Repeat("../", strings.Count(dir, "/")+1)
	return "module example.org/lib/" + dir + "\n\ngo 1.26.0\n\nrequire example.org/lib " + version +
		" // why\n\nreplace example.org/lib => " + up + "\n"
}

func TestNext(t *testing.T) {
	for _, tc := range []struct {
		name  string
		files map[string]string
		next  string
		err   string
	}{
		{"one version", nil, "v0.1.0", ""},
		{"released", map[string]string{"CHANGELOG.md": "## [Unreleased]\n## [0.1.0] - 2026-12-01\n- All.\n"}, "v0.1.0", ""},
		{
			"another in a public module",
			map[string]string{"store/x/go.mod": goMod("store/x", "v0.0.9")},
			"", "store/x/go.mod requires example.org/lib v0.0.9",
		},
		{
			"another in a private module",
			map[string]string{"bench/go.mod": goMod("bench", "v0.2.0")},
			"", "bench/go.mod requires example.org/lib v0.2.0",
		},
		{
			"none that can be had",
			map[string]string{"store/x/go.mod": goMod("store/x", "v0.0.0"), "bench/go.mod": goMod("bench", "v0.0.0")},
			"", "v0.0.0 is no release",
		},
		{
			"older than the last",
			map[string]string{"CHANGELOG.md": "## [Unreleased]\n## [0.2.0] - 2026-12-01\n"},
			"", "CHANGELOG.md lists v0.2.0",
		},
		{
			"a path that is not the folder's",
			map[string]string{"store/x/go.mod": goMod("x", "v0.1.0")},
			"", "should be example.org/lib/store/x",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, err := checkout.Open(t.Context(), filepath.Join(repository(t, tc.files), "store"))
			next := ""
			if err == nil {
				next, err = c.Next()
			}
			if next != tc.next || (err == nil) != (tc.err == "") || (err != nil && !strings.Contains(err.Error(), tc.err)) {
				t.Errorf("Next is %q, %v", next, err)
			}
		})
	}
}

func TestRequire(t *testing.T) {
	dir := repository(t, map[string]string{"bench/go.mod": goMod("bench", "v0.2.0")})
	c, err := checkout.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	changed, err := c.Require("v0.2.0", true)
	if err != nil || !slices.Equal(changed, []string{"store/x/go.mod"}) {
		t.Errorf("changed %q, error %v", changed, err)
	}
	text, err := c.Read("store/x/go.mod")
	if err != nil {
		t.Fatal(err)
	}
	if string(text) != goMod("store/x", "v0.2.0") {
		t.Errorf("go.mod is\n%s", text)
	}
}

func TestCheckVersion(t *testing.T) {
	for v, ok := range map[string]bool{
		"v0.1.0": true, "v1.2.3": true, "v0.2.0-rc.1": true,
		"": false, "0.1.0": false, "v0.1": false, "v01.0.0": false, "v0.1.0+meta": false, "v0.0.0": false,
		"v0.0.0-20260101000000-abcdefabcdef": false, "v2.0.0": false,
	} {
		if err := checkout.CheckVersion(v); (err == nil) != ok {
			t.Errorf("%q: error %v", v, err)
		}
	}
}

// A tracked file counts while it exists; a file that git does not know does not count.
func TestTracked(t *testing.T) {
	worktree.NeedGit(t)
	dir := repository(t, map[string]string{"gone.go": "package lib\n", "a b.go": "package lib\n"})
	worktree.Git(t, dir, "init", "--quiet")
	worktree.Git(t, dir, "add", ".")
	if err := os.Remove(filepath.Join(dir, "gone.go")); err != nil {
		t.Fatal(err)
	}
	worktree.Write(t, dir, map[string]string{"new.go": "package lib\n"})
	opened, err := checkout.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"CHANGELOG.md", "a b.go", "bench/go.mod", "go.mod", "go.work", "store/x/go.mod", "testdata/m/go.mod"}
	if !slices.Equal(opened.Files, want) {
		t.Errorf("tracked are %q", opened.Files)
	}
}

func TestOpenOutside(t *testing.T) {
	if c, err := checkout.Open(t.Context(), t.TempDir()); err == nil {
		t.Errorf("found %s", c.Dir)
	}
}

func TestParseChangelog(t *testing.T) {
	for _, tc := range []struct {
		name, text string
		want       checkout.Changelog
		err        string
	}{
		{"nothing yet", "# Changelog\n\nIntroduction.\n\n## [Unreleased]\n\n### Added\n", checkout.Changelog{}, ""},
		{"unreleased", "## [Unreleased]\n### Added\n- A.\n", checkout.Changelog{Unreleased: true}, ""},
		{
			"released", "## [Unreleased]\n\n## [0.2.0] - 2026-12-24\n\n### Added\n\n- A.\n\n## [0.2.0-rc.1] - 2026-12-01\n",
			checkout.Changelog{Releases: []checkout.Release{{Version: "v0.2.0"}, {Version: "v0.2.0-rc.1", Empty: true}}},
			"",
		},
		{"no heading", "# Changelog\n", checkout.Changelog{}, "no heading [Unreleased]"},
		{"not first", "## [0.1.0] - 2026-12-01\n## [Unreleased]\n", checkout.Changelog{}, "not the first"},
		{"order", "## [Unreleased]\n## [0.1.0] - 2026-12-01\n## [0.2.0] - 2026-12-24\n", checkout.Changelog{}, "listed below"},
		{"twice", "## [Unreleased]\n## [0.1.0] - 2026-12-01\n## [0.1.0] - 2026-12-01\n", checkout.Changelog{}, "listed below"},
		{"no date", "## [Unreleased]\n## [0.1.0]\n", checkout.Changelog{}, "is not like"},
		{"no such day", "## [Unreleased]\n## [0.1.0] - 2026-02-30\n", checkout.Changelog{}, "day out of range"},
		{"no version", "## [Unreleased]\n## [0.1.x] - 2026-02-03\n", checkout.Changelog{}, "is not like"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := checkout.ParseChangelog(tc.text)
			if (err == nil) != (tc.err == "") || (err != nil && !strings.Contains(err.Error(), tc.err)) {
				t.Fatalf("error is %v", err)
			}
			if got.Unreleased != tc.want.Unreleased || !slices.Equal(got.Releases, tc.want.Releases) {
				t.Errorf("got %+v", got)
			}
		})
	}
}
