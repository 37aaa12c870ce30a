// Package checkout reads and changes what a checkout of the repository says about its modules and versions.
package checkout

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// A Checkout is a working tree of the repository, whose root holds go.work.
type Checkout struct {
	Dir     string   // the root, an absolute path
	Files   []string // the tracked files that exist, sorted; relative to Dir, with slashes
	Modules []Module // the root first; files under testdata and vendor directories do not count
}

// Open finds the checkout that dir is in. Without git, or outside of a git repository, all files count as tracked.
func Open(ctx context.Context, dir string) (*Checkout, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return nil, err
	}
	c := &Checkout{Dir: dir}
	for !c.exists("go.work") {
		parent := filepath.Dir(c.Dir)
		if parent == c.Dir {
			return nil, fmt.Errorf("no go.work in %s or above", dir)
		}
		c.Dir = parent
	}
	if c.Files, err = c.tracked(ctx); err != nil {
		return nil, err
	}
	if c.Modules, err = c.modules(); err != nil {
		return nil, err
	}
	return c, nil
}

// Git runs git in the checkout, which may belong to another user, and returns what it printed.
func (c *Checkout) Git(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", append([]string{"-C", c.Dir, "-c", "safe.directory=" + c.Dir}, args...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("git %s: %w: %s", args[0], err, bytes.TrimSpace(stderr.Bytes()))
	}
	return string(out), nil
}

// Read returns the content of a file of the working tree.
func (c *Checkout) Read(name string) ([]byte, error) {
	return os.ReadFile(filepath.Join(c.Dir, filepath.FromSlash(name)))
}

func (c *Checkout) exists(name string) bool {
	info, err := os.Lstat(filepath.Join(c.Dir, filepath.FromSlash(name)))
	return err == nil && !info.IsDir()
}

func (c *Checkout) tracked(ctx context.Context) ([]string, error) {
	_, err := exec.LookPath("git")
	if _, statErr := os.Lstat(filepath.Join(c.Dir, ".git")); err != nil || statErr != nil {
		return c.walk()
	}
	out, err := c.Git(ctx, "ls-files", "-z")
	if err != nil {
		return nil, err
	}
	var files []string
	for name := range strings.SplitSeq(out, "\x00") {
		if name != "" && c.exists(name) {
			files = append(files, name)
		}
	}
	slices.Sort(files)
	files = slices.Compact(files) // a file in conflict is listed more than once
	if len(files) == 0 {
		return nil, errors.New("git tracks no file here")
	}
	return files, nil
}

func (c *Checkout) walk() ([]string, error) {
	var files []string
	err := fs.WalkDir(os.DirFS(c.Dir), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case name == ".git" && d.IsDir():
			return fs.SkipDir
		case d.Type().IsRegular() && name != ".git":
			files = append(files, name)
		}
		return nil
	})
	slices.Sort(files)
	return files, err
}
