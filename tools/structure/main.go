// Structure reports on the structure of the root module, and its tests hold it: which files an operation enters, how large
// files and functions are, what the public signatures name, and which names hide an import.
//
// It prints the report for the checkout around the working directory, or for the one named:
//
//	structure [DIRECTORY]
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
	return nil
}
