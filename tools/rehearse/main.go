// Rehearse plays a release before it is tagged: from the tracked files it makes a module proxy that holds all public modules
// at one version, and then does with each what a stranger does. In an empty module, with an empty module cache and without
// the workspace, it gets that module alone, tidies, builds a small program that uses it, and runs the program.
//
//	GOWORK=off go -C tools run ./rehearse                      # at the version that is released next
//	GOWORK=off go -C tools run ./rehearse -proxy DIR v0.1.0    # only makes the proxy, and keeps it
//
// The programs are in the folder testdata: a run for each public module, and one main for all. What a module requires of others
// comes from this machine's module cache or from where "go env GOPROXY" says.
package main

import (
	"context"
	"embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"github.com/civicpin/civicpin/tools/internal/checkout"
)

// The programs are text here: this module does not require the modules that they use.
//
//go:embed testdata
var programs embed.FS

func main() {
	checkout.Command("rehearse", func(ctx context.Context, dir string, args []string, out io.Writer) error {
		return run(ctx, dir, programs, args, out)
	})
}

// run rehearses the release of the checkout that dir is in. It goes on after a module that fails, and names them all.
func run(ctx context.Context, dir string, programs fs.FS, args []string, out io.Writer) (err error) {
	flags := flag.NewFlagSet("rehearse", flag.ContinueOnError)
	keep := flags.String("proxy", "", "only make the proxy, in this `folder`")
	if err := flags.Parse(args); err != nil {
		return err
	}
	c, err := checkout.Open(ctx, dir)
	if err != nil {
		return err
	}
	version := flags.Arg(0)
	switch {
	case flags.NArg() > 1:
		return errors.New("usage: rehearse [-proxy DIR] [VERSION]")
	case version == "":
		version, err = c.Next()
	default:
		err = checkout.CheckVersion(version)
	}
	if err != nil {
		return err
	}
	if *keep != "" {
		proxy, err := filepath.Abs(*keep)
		if err != nil {
			return err
		}
		return writeProxy(c, version, proxy)
	}

	work, err := os.MkdirTemp("", "rehearse")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	if err := writeProxy(c, version, filepath.Join(work, "proxy")); err != nil {
		return err
	}
	s := stranger{proxy: filepath.Join(work, "proxy"), root: c.Modules[0].Path, version: version}
	if s.env, err = s.environment(ctx); err != nil {
		return err
	}
	var errs []error
	for i, m := range c.Modules {
		if !m.Public {
			continue
		}
		took, err := s.try(ctx, m, programs, filepath.Join(work, fmt.Sprint(i)))
		if err != nil {
			err = fmt.Errorf("%s@%s: %w", m.Path, version, err)
			fmt.Fprintf(out, "FAIL  %v\n", err)
			errs = append(errs, fmt.Errorf("%s failed", m.Path))
			continue
		}
		fmt.Fprintf(out, "ok    %s@%s (%.1f s)\n", m.Path, version, took.Seconds())
	}
	return errors.Join(errs...)
}

// mainFile is what all programs have.
const mainFile = "testdata/main.go"

// programOf returns the name of the program that uses a module.
func programOf(m checkout.Module) string {
	if m.Dir == "." {
		return "testdata/root/run.go"
	}
	return path.Join("testdata", m.Dir, "run.go")
}
