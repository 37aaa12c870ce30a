package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/civicpin/civicpin/tools/internal/checkout"
	"github.com/civicpin/civicpin/tools/internal/worktree"
)

const released = "# Changelog\n\n## [Unreleased]\n\n## [0.2.0] - 2026-12-01\n\n- All.\n"

// repository makes a git repository of three modules that require v0.1.0 of each other and are to be released at v0.2.0.
// Settings of the user who runs the test do not count.
func repository(t *testing.T) *checkout.Checkout {
	t.Helper()
	worktree.NeedGit(t)
	for name, value := range map[string]string{
		"GIT_CONFIG_GLOBAL": os.DevNull, "GIT_CONFIG_NOSYSTEM": "1",
		"GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@example.org",
		"GIT_COMMITTER_NAME": "A", "GIT_COMMITTER_EMAIL": "a@example.org",
	} {
		t.Setenv(name, value)
	}
	c := &checkout.Checkout{Dir: t.TempDir()}
	worktree.Write(t, c.Dir, map[string]string{
		"go.work":        "go 1.26.0\n",
		"go.mod":         "module example.org/lib\n\ngo 1.26.0\n",
		"store/x/go.mod": "module example.org/lib/store/x\n\ngo 1.26.0\n\nrequire example.org/lib v0.1.0\n",
		"bench/go.mod": "module example.org/lib/bench\n\ngo 1.26.0\n\n" +
			"require (\n\texample.org/lib v0.1.0\n\texample.org/other v0.1.0\n)\n",
		"CHANGELOG.md": released,
	})
	git(t, c, "init", "--quiet")
	commit(t, c)
	return c
}

func write(t *testing.T, c *checkout.Checkout, name, text string) {
	t.Helper()
	worktree.Write(t, c.Dir, map[string]string{name: text})
}

func git(t *testing.T, c *checkout.Checkout, args ...string) string {
	t.Helper()
	return worktree.Git(t, c.Dir, args...)
}

func commit(t *testing.T, c *checkout.Checkout) {
	t.Helper()
	git(t, c, "add", ".")
	git(t, c, "commit", "--quiet", "--message", "change")
}

func TestRelease(t *testing.T) {
	c := repository(t)
	var dry strings.Builder
	before := git(t, c, "rev-parse", "HEAD")
	if err := run(t.Context(), c.Dir, []string{"-n", "v0.2.0"}, &dry); err != nil {
		t.Fatal(err)
	}
	if git(t, c, "rev-parse", "HEAD") != before || git(t, c, "status", "--porcelain") != "" || git(t, c, "tag") != "" {
		t.Error("-n changed something")
	}

	var out strings.Builder
	if err := run(t.Context(), filepath.Join(c.Dir, "store"), []string{"v0.2.0"}, &out); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(out.String(), dry.String()) {
		t.Errorf("-n printed\n%s\nand the release\n%s", &dry, &out)
	}
	if got := git(t, c, "tag", "--list"); got != "store/x/v0.2.0\nv0.2.0" {
		t.Errorf("tags are %q", got)
	}
	for _, tag := range []string{"v0.2.0", "store/x/v0.2.0"} {
		if kind := git(t, c, "cat-file", "-t", tag); kind != "tag" {
			t.Errorf("%s is a %s, not annotated", tag, kind)
		}
		if git(t, c, "rev-parse", tag+"^{commit}") != git(t, c, "rev-parse", "HEAD") {
			t.Errorf("%s is not at HEAD", tag)
		}
	}
	if got := git(t, c, "diff", "--name-only", before, "HEAD"); got != "bench/go.mod\nstore/x/go.mod" {
		t.Errorf("committed %q", got)
	}
	want := "\texample.org/lib v0.2.0\n\texample.org/other v0.1.0\n"
	if got := git(t, c, "show", "HEAD:bench/go.mod"); !strings.Contains(got, want) {
		t.Errorf("go.mod is\n%s", got)
	}
	if got := git(t, c, "status", "--porcelain"); got != "" {
		t.Errorf("left %q", got)
	}

	// The version after it.
	if err := run(t.Context(), c.Dir, []string{"-next", "v0.3.0"}, t.Output()); err != nil {
		t.Fatal(err)
	}
	if got := git(t, c, "show", "HEAD:store/x/go.mod"); !strings.HasSuffix(got, "example.org/lib v0.3.0") {
		t.Errorf("go.mod is\n%s", got)
	}
	if got := git(t, c, "tag", "--list"); got != "store/x/v0.2.0\nv0.2.0" {
		t.Errorf("tags are %q", got)
	}
	opened, err := checkout.Open(t.Context(), c.Dir)
	if err != nil {
		t.Fatal(err)
	}
	if next, err := opened.Next(); next != "v0.3.0" || err != nil {
		t.Errorf("Next is %q, %v", next, err)
	}
}

// What is set already needs no commit.
func TestReleaseUnchanged(t *testing.T) {
	c := repository(t)
	if err := run(t.Context(), c.Dir, []string{"-next", "v0.2.0"}, t.Output()); err != nil {
		t.Fatal(err)
	}
	before := git(t, c, "rev-parse", "HEAD")
	if err := run(t.Context(), c.Dir, []string{"v0.2.0"}, t.Output()); err != nil {
		t.Fatal(err)
	}
	if git(t, c, "rev-parse", "v0.2.0^{commit}") != before {
		t.Error("the tag is not where HEAD was")
	}
}

func TestReleaseRefuses(t *testing.T) {
	for _, tc := range []struct {
		name, version, err string
		prepare            func(*testing.T, *checkout.Checkout)
	}{
		{"no version", "0.2.0", "not a version", nil},
		{
			"tagged", "v0.2.0", "not greater than the tag v0.2.0",
			func(t *testing.T, c *checkout.Checkout) { git(t, c, "tag", "v0.2.0") },
		},
		{
			"a module is tagged", "v0.2.0", "not greater than the tag store/x/v0.2.1",
			func(t *testing.T, c *checkout.Checkout) { git(t, c, "tag", "store/x/v0.2.1") },
		},
		{"changed file", "v0.2.0", "M go.mod", func(t *testing.T, c *checkout.Checkout) {
			write(t, c, "go.mod", "module example.org/lib\n\ngo 1.26.1\n")
		}},
		{"new file", "v0.2.0", "?? new.go", func(t *testing.T, c *checkout.Checkout) { write(t, c, "new.go", "package lib\n") }},
		{"not in the changelog", "v0.3.0", "is not [0.3.0]", nil},
		{"nothing in the changelog", "v0.2.0", "lists nothing for v0.2.0", func(t *testing.T, c *checkout.Checkout) {
			write(t, c, "CHANGELOG.md", "## [Unreleased]\n\n## [0.2.0] - 2026-12-01\n")
			commit(t, c)
		}},
		{"unreleased", "v0.2.0", "under [Unreleased]", func(t *testing.T, c *checkout.Checkout) {
			write(t, c, "CHANGELOG.md", strings.Replace(released, "[Unreleased]", "[Unreleased]\n\n- More.", 1))
			commit(t, c)
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := repository(t)
			if tc.prepare != nil {
				tc.prepare(t, c)
			}
			head, tags := git(t, c, "rev-parse", "HEAD"), git(t, c, "tag")
			err := run(t.Context(), c.Dir, []string{tc.version}, t.Output())
			if err == nil || !strings.Contains(err.Error(), tc.err) {
				t.Errorf("error is %v", err)
			}
			if git(t, c, "rev-parse", "HEAD") != head || git(t, c, "tag") != tags {
				t.Error("something was changed")
			}
		})
	}
}

// A tag that cannot be made takes the others with it.
func TestReleaseAllOrNothing(t *testing.T) {
	c := repository(t)
	git(t, c, "tag", "store/x/v0.2.0/in-the-way") // git stores tags by path
	if err := run(t.Context(), c.Dir, []string{"v0.2.0"}, t.Output()); err == nil {
		t.Error("no error")
	}
	if got := git(t, c, "tag"); got != "store/x/v0.2.0/in-the-way" {
		t.Errorf("tags are %q", got)
	}
}
