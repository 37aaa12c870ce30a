// Release tags a release of all public modules, at one version:
//
//	go -C tools run ./release v0.1.0        # tags HEAD
//	go -C tools run ./release -n v0.1.0     # prints what it would do
//	go -C tools run ./release -next v0.2.0  # after the release: requires the version that comes next, and tags nothing
//
// It pushes nothing. The procedure is in docs/releasing.md.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"golang.org/x/mod/semver"

	"github.com/civicpin/civicpin/tools/internal/checkout"
)

func main() { checkout.Command("release", run) }

// run does what the arguments say in the checkout that dir is in.
func run(ctx context.Context, dir string, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("release", flag.ContinueOnError)
	dry := flags.Bool("n", false, "print what would be done, and change nothing")
	next := flags.Bool("next", false, "only set the version that is released next")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() != 1 {
		return errors.New("usage: release [-n] [-next] VERSION")
	}
	c, err := checkout.Open(ctx, dir)
	if err != nil {
		return err
	}
	r := &releaser{Checkout: c, version: flags.Arg(0), dry: *dry, out: out}
	if err := r.check(ctx); err != nil {
		return err
	}
	if *next {
		return r.require(ctx)
	}
	if err := r.checkChangelog(); err != nil {
		return err
	}
	if err := r.require(ctx); err != nil {
		return err
	}
	return r.tag(ctx)
}

// A releaser makes one release.
type releaser struct {
	*checkout.Checkout
	version string
	dry     bool
	out     io.Writer
}

// check looks at the version and at the working tree.
func (r *releaser) check(ctx context.Context) error {
	if err := checkout.CheckVersion(r.version); err != nil {
		return err
	}
	tags, err := r.Git(ctx, "tag", "--list")
	if err != nil {
		return err
	}
	for tag := range strings.FieldsSeq(tags) {
		// Tags of modules that are gone count, too: a version is never given twice.
		if v := path.Base(tag); semver.IsValid(v) && semver.Compare(v, r.version) >= 0 {
			return fmt.Errorf("%s is not greater than the tag %s", r.version, tag)
		}
	}
	changes, err := r.Git(ctx, "status", "--porcelain")
	if err != nil {
		return err
	}
	if changes != "" {
		return fmt.Errorf("the working tree has changes that are not committed:\n%s", strings.TrimRight(changes, "\n"))
	}
	return nil
}

// checkChangelog returns an error unless the changelog lists the version first, and nothing as unreleased. People write
// that heading: it is the last look at what users will read.
func (r *releaser) checkChangelog() error {
	text, err := r.Read("CHANGELOG.md")
	if err != nil {
		return err
	}
	log, err := checkout.ParseChangelog(string(text))
	switch {
	case err != nil:
		return err
	case len(log.Releases) == 0 || log.Releases[0].Version != r.version:
		return fmt.Errorf("CHANGELOG.md: the first heading below [Unreleased] is not [%s]", strings.TrimPrefix(r.version, "v"))
	case log.Releases[0].Empty:
		return fmt.Errorf("CHANGELOG.md lists nothing for %s", r.version)
	case log.Unreleased:
		return fmt.Errorf("CHANGELOG.md still lists something under [Unreleased]; move it to %s", r.version)
	}
	return nil
}

// require writes the version into the requirements among the modules, and commits what changed.
func (r *releaser) require(ctx context.Context) error {
	changed, err := r.Require(r.version, !r.dry)
	if err != nil || len(changed) == 0 {
		return err
	}
	for _, name := range changed {
		fmt.Fprintf(r.out, "set %s in %s\n", r.version, name)
	}
	message := "all modules: require " + r.version + " of each other"
	fmt.Fprintf(r.out, "commit %q\n", message)
	if r.dry {
		return nil
	}
	_, err = r.Git(ctx, slices.Concat([]string{"commit", "--quiet", "--message", message, "--"}, changed)...)
	return err
}

// tag tags HEAD once for every public module. If one tag fails, it takes back the others.
func (r *releaser) tag(ctx context.Context) error {
	var made []string
	for _, m := range r.Modules {
		if !m.Public {
			continue
		}
		tag := m.Tag(r.version)
		fmt.Fprintf(r.out, "tag %s\n", tag)
		if r.dry {
			continue
		}
		if _, err := r.Git(ctx, "tag", "--annotate", "--message", m.Path+" "+r.version, tag); err != nil {
			if len(made) > 0 {
				_, undoErr := r.Git(context.WithoutCancel(ctx), append([]string{"tag", "--delete"}, made...)...)
				err = errors.Join(err, undoErr)
			}
			return err
		}
		made = append(made, tag)
	}
	if !r.dry {
		fmt.Fprintf(r.out, "nothing is pushed yet: git push --atomic origin HEAD %s\n", strings.Join(made, " "))
	}
	return nil
}
