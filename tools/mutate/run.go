package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

func run(ctx context.Context, o options, page string, packages []string, out io.Writer) error {
	if o.state == "" || (page == "") == (len(packages) == 0) {
		return errors.New("a state file, and either packages or a page: see -h")
	}
	results, err := readState(o.state)
	if err != nil {
		return err
	}
	if page != "" {
		return report(ctx, o.root, results, page)
	}
	for _, path := range packages {
		if err := tryPackage(ctx, o, path, results, out); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return nil
}

// tryPackage tries mutants of a package, until n of them have a result.
func tryPackage(ctx context.Context, o options, path string, results map[string]result, out io.Writer) error {
	p, err := loadPackage(ctx, o.root, path)
	if err != nil {
		return err
	}
	list := sample(p.mutants, o.seed, o.n)
	if !o.again && known(list, results) {
		fmt.Fprintf(out, "%s: %d of %d mutants, all known\n", p.name, len(list), len(p.mutants))
		return nil
	}
	t, err := newTrial(ctx, o.root, p)
	if err != nil {
		return err
	}
	defer t.close()
	fmt.Fprintf(out, "%s: %d of %d mutants, time limit %s\n", p.name, len(list), len(p.mutants), t.limit.Round(time.Second))
	start := time.Now()
	for _, m := range list {
		old, tried := results[m.Key]
		if tried && !(o.again && old.open()) {
			continue
		}
		if o.budget > 0 && time.Since(start) > o.budget {
			break
		}
		r, err := t.try(ctx, m)
		if err != nil {
			return err
		}
		if err := appendState(o.state, r); err != nil {
			return err
		}
		results[m.Key] = r
		fmt.Fprintln(out, r)
	}
	return nil
}

func known(list []mutant, results map[string]result) bool {
	for _, m := range list {
		if _, ok := results[m.Key]; !ok {
			return false
		}
	}
	return true
}
