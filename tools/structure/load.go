package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/tools/go/packages"
)

// modulePath is the root module's.
const modulePath = "github.com/civicpin/civicpin"

// A module is the root module, type-checked, without its tests.
type module struct {
	dir  string // the checkout
	pkgs []*packages.Package
}

// load type-checks the module in a directory as its users get it, without the workspace. The packages stand in the order of
// their paths.
func load(dir string) (*module, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	pkgs, err := packages.Load(&packages.Config{
		Mode: packages.LoadSyntax | packages.NeedModule, Dir: dir, Env: append(os.Environ(), "GOWORK=off"),
	}, "./...")
	if err != nil {
		return nil, err
	}
	if len(pkgs) == 0 {
		return nil, fmt.Errorf("no package in %s", dir)
	}
	for _, p := range pkgs {
		for _, e := range p.Errors {
			err = errors.Join(err, e)
		}
	}
	return &module{dir: dir, pkgs: pkgs}, err
}

// pkg returns the package of a path within the module, "." for the root; nil if there is none.
func (m *module) pkg(path string) *packages.Package {
	for _, p := range m.pkgs {
		if within(p.PkgPath) == path {
			return p
		}
	}
	return nil
}

// within returns a package's path within the module: "." for the root, its import path if it is another module's.
func within(path string) string {
	if path == modulePath {
		return "."
	}
	return strings.TrimPrefix(path, modulePath+"/")
}

// file returns a file's path within the checkout, with slashes.
func (m *module) file(name string) string {
	if rel, err := filepath.Rel(m.dir, name); err == nil {
		name = rel
	}
	return filepath.ToSlash(name)
}
