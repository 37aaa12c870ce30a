package checkout

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/semver"
)

// private are the directories of the modules that only this repository uses. They are never tagged.
var private = []string{"bench", "examples", "faults", "tools"}

// A Module is a module of the checkout.
type Module struct {
	Dir    string // relative to the checkout, with slashes; "." is the root
	Path   string
	Public bool // tagged at a release
	File   *modfile.File
}

// Tag returns the name of the module's tag for a version.
func (m Module) Tag(version string) string { return path.Join(m.Dir, version) }

// GoMod returns the name of the module's go.mod within the checkout.
func (m Module) GoMod() string { return path.Join(m.Dir, "go.mod") }

// modules reads the modules of the checkout.
func (c *Checkout) modules() ([]Module, error) {
	var modules []Module
	for _, name := range c.Files {
		dir, base := path.Split(name)
		if base != "go.mod" || slices.ContainsFunc(strings.Split(dir, "/"), ignored) {
			continue
		}
		text, err := c.Read(name)
		if err != nil {
			return nil, err
		}
		f, err := modfile.Parse(name, text, nil)
		if err != nil {
			return nil, err
		}
		if f.Module == nil {
			return nil, fmt.Errorf("%s: no module line", name)
		}
		m := Module{Dir: path.Clean(dir), Path: f.Module.Mod.Path, File: f}
		top, _, _ := strings.Cut(m.Dir, "/")
		m.Public = !slices.Contains(private, top)
		modules = append(modules, m)
	}
	slices.SortFunc(modules, func(a, b Module) int { return strings.Compare(a.Dir, b.Dir) })
	if len(modules) == 0 || modules[0].Dir != "." {
		return nil, errors.New("no module in the root")
	}
	for _, m := range modules {
		if want := path.Join(modules[0].Path, m.Dir); m.Path != want {
			return nil, fmt.Errorf("%s: module %s should be %s", m.GoMod(), m.Path, want)
		}
	}
	return modules, nil
}

func ignored(element string) bool { return element == "testdata" || element == "vendor" }

// Siblings returns the requirements of m that are modules of the list.
func (m Module) Siblings(modules []Module) []*modfile.Require {
	var siblings []*modfile.Require
	for _, r := range m.File.Require {
		if slices.ContainsFunc(modules, func(o Module) bool { return o.Path == r.Mod.Path }) {
			siblings = append(siblings, r)
		}
	}
	return siblings
}

// Next returns the version that is released next: the one at which all modules require each other.
//
// Errors:
//   - two modules require different versions;
//   - the version is not a release that [CheckVersion] accepts, as v0.0.0, which cannot be downloaded;
//   - the version is older than the newest entry of the changelog.
func (c *Checkout) Next() (string, error) {
	at := make(map[string][]string)
	for _, m := range c.Modules {
		for _, r := range m.Siblings(c.Modules) {
			v := r.Mod.Version
			at[v] = append(at[v], fmt.Sprintf("%s requires %s %s", m.GoMod(), r.Mod.Path, v))
		}
	}
	var all []string
	next := ""
	for v, lines := range at {
		next = v
		all = append(all, lines...)
	}
	slices.Sort(all)
	switch {
	case len(at) == 0:
		return "", errors.New("no module requires another")
	case len(at) > 1:
		return "", fmt.Errorf("modules require different versions of each other:\n%s", strings.Join(all, "\n"))
	}
	if err := CheckVersion(next); err != nil {
		return "", fmt.Errorf("%s: %w", all[0], err)
	}
	text, err := c.Read("CHANGELOG.md")
	if err != nil {
		return "", err
	}
	log, err := ParseChangelog(string(text))
	if err != nil {
		return "", err
	}
	if len(log.Releases) > 0 && semver.Compare(next, log.Releases[0].Version) < 0 {
		return "", fmt.Errorf("%s, but CHANGELOG.md lists %s", all[0], log.Releases[0].Version)
	}
	return next, nil
}

// CheckVersion returns an error unless v is a version that the modules can be released at.
func CheckVersion(v string) error {
	switch {
	case !semver.IsValid(v) || semver.Canonical(v) != v:
		return fmt.Errorf("%q is not a version like v0.1.0", v)
	case v == "v0.0.0" || strings.HasPrefix(v, "v0.0.0-"):
		return fmt.Errorf("%s is no release", v)
	case semver.Major(v) != "v0" && semver.Major(v) != "v1":
		return fmt.Errorf("%s: from v2 on, the module paths must end in /v2", v)
	}
	return nil
}

// Require sets the version of all requirements among the modules, and returns the go.mod files that it changes. If write is
// false, it only returns their names.
func (c *Checkout) Require(version string, write bool) (changed []string, err error) {
	for _, m := range c.Modules {
		differs := false
		for _, r := range m.Siblings(c.Modules) {
			differs = differs || r.Mod.Version != version
		}
		if !differs {
			continue
		}
		changed = append(changed, m.GoMod())
		if !write {
			continue
		}
		for _, r := range m.Siblings(c.Modules) {
			if err := m.File.AddRequire(r.Mod.Path, version); err != nil {
				return nil, err
			}
		}
		text, err := m.File.Format()
		if err != nil {
			return nil, err
		}
		if err := os.WriteFile(filepath.Join(c.Dir, filepath.FromSlash(m.GoMod())), text, 0o644); err != nil {
			return nil, err
		}
	}
	return changed, nil
}
