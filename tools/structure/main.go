// Structure reports on the structure of the root module: which files an operation enters, what the public signatures name,
// which names hide an import, and which files and functions are larger than they may be. Its tests hold all of that. Run it in
// the directory tools:
//
//	GOWORK=off go run ./structure [DIRECTORY]
//
// The directory is the checkout to report on; without it, the one that tools is in. Run the tests with -count=1: the go command
// does not notice that files of another module have changed, and would repeat an old result.
package main

import (
	"fmt"
	"io"
	"os"
)

func main() {
	dir := ".."
	if len(os.Args) > 1 {
		dir = os.Args[1]
	}
	if err := report(os.Stdout, dir); err != nil {
		fmt.Fprintln(os.Stderr, "structure:", err)
		os.Exit(1)
	}
}

// report prints what there is to know of the checkout in a directory.
func report(out io.Writer, dir string) error {
	m, err := load(dir)
	if err != nil {
		return err
	}
	for _, w := range ways {
		visits, err := m.walk(w)
		if err != nil {
			return err
		}
		files := entered(visits)
		fmt.Fprintf(out, "%s: %s %v: %d files, limit %d\n", w.title, w.pkg, w.entry, len(files), w.limit)
		for _, file := range files {
			fmt.Fprintf(out, "  %s\n", file)
			for _, line := range via(visits, file) {
				fmt.Fprintf(out, "      %s\n", line)
			}
		}
	}
	fmt.Fprintln(out, "\nsignatures that name an internal type")
	for _, p := range m.pkgs {
		if !isInternal(p.PkgPath) {
			show(out, internalTypes(p))
		}
	}
	fmt.Fprintln(out, "\nnames that hide an import")
	for _, p := range m.pkgs {
		show(out, shadows(m, p))
	}
	list, err := m.sources()
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "\nsizes above the limits")
	for _, s := range oversized(list) {
		fmt.Fprintf(out, "  %s: %d, limit %d\n", s.what, s.size, s.limit)
	}
	fmt.Fprintln(out, "\npackages")
	for _, b := range budgets {
		size, err := b.size(m, list)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "  %s: %d, limit %d\n", b.what, size, b.limit)
	}
	return nil
}

func show(out io.Writer, lines []string) {
	for _, line := range lines {
		fmt.Fprintf(out, "  %s\n", line)
	}
}
