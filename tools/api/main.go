// Api keeps the exported surface of the public packages under api/, one file a package and one line a declaration, so that a
// change of the surface shows in the diff of the commit that makes it.
//
//	GOWORK=off go -C tools run ./api      # prints what differs, and exits with 1 if anything does
//	GOWORK=off go -C tools run ./api -w   # writes the files
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"

	"github.com/civicpin/civicpin/tools/internal/checkout"
)

// folder holds the files, and nothing else.
const folder = "api"

func main() { checkout.Command("api", run) }

// run checks or writes the files of the checkout that dir is in.
func run(ctx context.Context, dir string, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("api", flag.ContinueOnError)
	write := flags.Bool("w", false, "write the files")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return errors.New("usage: api [-w]")
	}
	c, err := checkout.Open(ctx, dir)
	if err != nil {
		return err
	}
	want, err := surfaces(ctx, c)
	if err != nil {
		return err
	}
	have, err := stored(c.Dir)
	if err != nil {
		return err
	}
	if *write {
		return writeFiles(c.Dir, want, have)
	}
	if n := diff(out, want, have); n > 0 {
		return fmt.Errorf("%d lines under %s/ differ from the code; if that is meant: GOWORK=off go -C tools run ./api -w", n, folder)
	}
	return nil
}

// surfaces returns the lines of each public package, by the name of its file below the folder.
func surfaces(ctx context.Context, c *checkout.Checkout) (map[string][]string, error) {
	root := c.Modules[0].Path
	want := make(map[string][]string)
	for _, m := range c.Modules {
		if !m.Public {
			continue
		}
		// The types come from what the go command has compiled, which it has in its cache after any build.
		list, err := packages.Load(&packages.Config{
			Context: ctx,
			Mode:    packages.NeedName | packages.NeedModule | packages.LoadTypes,
			Dir:     filepath.Join(c.Dir, filepath.FromSlash(m.Dir)),
			Env:     append(os.Environ(), "GOWORK="+filepath.Join(c.Dir, "go.work")),
		}, "./...")
		if err != nil {
			return nil, err
		}
		for _, p := range list {
			if len(p.Errors) > 0 {
				return nil, fmt.Errorf("%s: %w", p.PkgPath, p.Errors[0])
			}
			if p.Name == "main" || p.Module == nil || slices.Contains(strings.Split(p.PkgPath, "/"), "internal") {
				continue
			}
			name := strings.TrimPrefix(strings.TrimPrefix(p.PkgPath, root), "/")
			if name == "" {
				name = path.Base(root)
			}
			want[name+".txt"] = surface(p.Types)
		}
	}
	if len(want) == 0 {
		return nil, errors.New("no public package")
	}
	return want, nil
}

// stored returns the lines of the files that there are.
func stored(dir string) (map[string][]string, error) {
	have := make(map[string][]string)
	files := os.DirFS(filepath.Join(dir, folder))
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if name == "." && errors.Is(err, fs.ErrNotExist) {
			return fs.SkipDir
		}
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(files, name)
		have[name] = slices.Collect(strings.Lines(string(text)))
		return err
	})
	return have, err
}

// diff prints the lines that differ, and returns their number. A file that is missing or too many counts as one more.
func diff(out io.Writer, want, have map[string][]string) int {
	n := 0
	report := func(format string, args ...any) {
		n++
		fmt.Fprintf(out, format, args...)
	}
	names := maps.Clone(want)
	maps.Copy(names, have)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		wanted, ok := want[name]
		found, ok2 := have[name]
		file := path.Join(folder, name)
		switch {
		case !ok2:
			report("%s: missing\n", file)
		case !ok:
			report("%s: no such package\n", file)
			continue // its lines tell nothing
		}
		before := n
		for _, line := range found {
			if !slices.Contains(wanted, line) {
				report("%s: -%s\n", file, strings.TrimSuffix(line, "\n"))
			}
		}
		for _, line := range wanted {
			if !slices.Contains(found, line) {
				report("%s: +%s\n", file, strings.TrimSuffix(line, "\n"))
			}
		}
		if n == before && ok2 && !slices.Equal(wanted, found) {
			report("%s: listed twice or not sorted\n", file)
		}
	}
	return n
}

// writeFiles writes the wanted files and removes the others.
func writeFiles(dir string, want, have map[string][]string) error {
	for name := range have {
		if _, ok := want[name]; !ok {
			if err := os.Remove(filepath.Join(dir, folder, filepath.FromSlash(name))); err != nil {
				return err
			}
		}
	}
	for name, lines := range want {
		file := filepath.Join(dir, folder, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(file, []byte(strings.Join(lines, "")), 0o644); err != nil {
			return err
		}
	}
	return nil
}
