package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
)

const (
	beginMark = "<!-- mutate: begin -->\n"
	endMark   = "<!-- mutate: end -->"
)

// argued finds the keys of the mutants that the page calls equivalent, in rows of a table.
var argued = regexp.MustCompile("(?m)^\\| `([0-9a-f]{10})` \\|")

// A score is what is known of one package.
type score struct {
	all, killed, equivalent, uncompiled int
	open                                []result
}

// percent is the share of killed mutants among those that are none that behave alike.
func (s score) percent() string {
	if n := s.killed + len(s.open); n > 0 {
		return fmt.Sprintf("%.0f %%", 100*float64(s.killed)/float64(n))
	}
	return ""
}

// scoreOf counts the results of the mutants that the package has today.
func scoreOf(all []mutant, results map[string]result, equivalent map[string]bool) score {
	s := score{all: len(all)}
	for _, m := range all {
		r, ok := results[m.Key]
		r.mutant = m // the line may be another one by now
		switch {
		case !ok:
		case r.Result == uncompiled:
			s.uncompiled++
		case !r.open():
			s.killed++
		case equivalent[m.Key]:
			s.equivalent++
		default:
			s.open = append(s.open, r)
		}
	}
	return s
}

// report writes the scores of all packages in the state file into the page.
func report(ctx context.Context, root string, results map[string]result, page string) error {
	text, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	before, rest, ok1 := strings.Cut(string(text), beginMark)
	_, after, ok2 := strings.Cut(rest, endMark)
	if !ok1 || !ok2 {
		return errors.New("the page has no marks to write between")
	}
	equivalent := make(map[string]bool)
	for _, m := range argued.FindAllStringSubmatch(before+after, -1) {
		equivalent[m[1]] = true
	}
	packages := make(map[string]score)
	for _, r := range results {
		if _, ok := packages[r.Package]; ok {
			continue
		}
		p, err := loadPackage(ctx, root, r.Package)
		if err != nil {
			return err
		}
		packages[r.Package] = scoreOf(p.mutants, results, equivalent)
	}
	return os.WriteFile(page, []byte(before+beginMark+table(packages)+endMark+after), 0o644)
}

// table is the generated part of the page.
func table(packages map[string]score) string {
	var b strings.Builder
	b.WriteString("\n| package | mutants | tried | no compile | killed | equivalent | survive | timed out | score |\n")
	b.WriteString("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n")
	var open []result
	for _, name := range slices.Sorted(maps.Keys(packages)) {
		s, late := packages[name], 0
		for _, r := range s.open {
			if r.Result == timedOut {
				late++
			}
		}
		tried := s.killed + s.equivalent + s.uncompiled + len(s.open)
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %d | %d | %d | %d | %s |\n", strings.TrimPrefix(name, module), s.all, tried,
			s.uncompiled, s.killed, s.equivalent, len(s.open)-late, late, s.percent())
		open = append(open, s.open...)
	}
	b.WriteString("\nNot killed, and not argued:\n\n")
	for _, r := range open {
		fmt.Fprintf(&b, "- %s: `%s`\n", r.Result, strings.ReplaceAll(r.change(), "`", "'"))
	}
	if len(open) == 0 {
		b.WriteString("- none\n")
	}
	b.WriteString("\n")
	return b.String()
}

const module = "github.com/civicpin/civicpin/"
