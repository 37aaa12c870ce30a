package main

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"

	"github.com/civicpin/civicpin/tools/internal/checkout"
)

// writeProxy writes a folder that the go command takes as a proxy (file://...), with each public module at the version: what
// "go help goproxy" describes, and what a proxy would make of the tags.
func writeProxy(c *checkout.Checkout, version, proxy string) error {
	for _, m := range c.Modules {
		if !m.Public {
			continue
		}
		if err := writeModule(c, m, version, proxy); err != nil {
			return err
		}
	}
	return nil
}

func writeModule(c *checkout.Checkout, m checkout.Module, version, proxy string) (err error) {
	escaped, err := module.EscapePath(m.Path)
	if err != nil {
		return err
	}
	dir := filepath.Join(proxy, filepath.FromSlash(escaped), "@v")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	info, err := json.Marshal(struct {
		Version string
		Time    time.Time
	}{version, time.Now().UTC().Truncate(time.Second)})
	if err != nil {
		return err
	}
	mod, err := c.Read(m.GoMod())
	if err != nil {
		return err
	}
	for name, text := range map[string][]byte{"list": []byte(version + "\n"), version + ".info": info, version + ".mod": mod} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			return err
		}
	}
	f, err := os.Create(filepath.Join(dir, version+".zip"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return zip.Create(f, module.Version{Path: m.Path, Version: version}, moduleFiles(c, m))
}

// moduleFiles returns the files of a module. Like the go command, it adds the repository's licence where the module has none
// of its own; the files of the modules within are left out by package zip.
func moduleFiles(c *checkout.Checkout, m checkout.Module) []zip.File {
	prefix := ""
	if m.Dir != "." {
		prefix = m.Dir + "/"
	}
	var files []zip.File
	for _, name := range c.Files {
		if inside, ok := strings.CutPrefix(name, prefix); ok {
			files = append(files, file{name: inside, path: filepath.Join(c.Dir, filepath.FromSlash(name))})
		}
	}
	licensed := slices.ContainsFunc(files, func(f zip.File) bool { return f.Path() == "LICENSE" })
	if !licensed && slices.Contains(c.Files, "LICENSE") {
		files = append(files, file{name: "LICENSE", path: filepath.Join(c.Dir, "LICENSE")})
	}
	return files
}

// A file of the working tree, under its name in the module.
type file struct{ name, path string }

func (f file) Path() string                 { return path.Clean(f.name) }
func (f file) Lstat() (os.FileInfo, error)  { return os.Lstat(f.path) }
func (f file) Open() (io.ReadCloser, error) { return os.Open(f.path) }
