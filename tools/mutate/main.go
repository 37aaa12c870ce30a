// Mutate changes the code of a package in one small way at a time, and looks whether a test of that package notices:
//
//	mutate -state FILE [-n N] [-seed N] [-for DURATION] [-again] PACKAGE...
//	mutate -state FILE -report PAGE
//
// The first form tries mutants in an order that the seed gives, at most -n of each package and for at most the time of -for,
// and writes a line of JSON for each to the state file. Mutants that the file knows are not tried again, so a run may be
// stopped at any time; -again tries those that were not killed. Nothing is written to the checkout: a mutant is compiled by
// means of an overlay. The second form writes what the file holds into a page, between two marks.
//
// A mutant is killed if a test fails. One that runs five times as long as the unchanged package has timed out, and is not
// killed. One in a line that no test runs survives without being tried. One that does not compile does not count. Tests that
// take a second or longer run after the others, and only if none of those failed.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"
)

type options struct {
	root   string // of the module
	state  string // file
	n      int    // mutants of each package, 0 for all
	seed   int
	budget time.Duration // for each package, 0 for any time
	again  bool
}

func main() {
	var o options
	var page string
	flag.StringVar(&o.root, "root", "..", "the `folder` of the module")
	flag.StringVar(&o.state, "state", "", "the `file` of results")
	flag.IntVar(&o.n, "n", 0, "try at most so many mutants of each package; 0 tries all")
	flag.IntVar(&o.seed, "seed", 1, "the order of the mutants")
	flag.DurationVar(&o.budget, "for", 0, "begin no mutant of a package after this time; 0 sets no limit")
	flag.BoolVar(&o.again, "again", false, "try those anew that survived or timed out")
	flag.StringVar(&page, "report", "", "write the score into this `page`, and try nothing")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o, page, flag.Args(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(1)
	}
}
