package main

import (
	"fmt"
	"strings"
)

// coverage holds the blocks of a profile by the name of their file.
type coverage map[string][]block

type block struct {
	line, column, endLine, endColumn int
	runs                             bool
}

func parseCoverage(profile string) (coverage, error) {
	c := make(coverage)
	for line := range strings.Lines(profile) {
		if strings.HasPrefix(line, "mode:") {
			continue
		}
		i := strings.LastIndex(line, ":")
		var b block
		var statements, count int
		_, err := fmt.Sscanf(line[i+1:], "%d.%d,%d.%d %d %d", &b.line, &b.column, &b.endLine, &b.endColumn, &statements, &count)
		if i < 0 || err != nil {
			return nil, fmt.Errorf("a line of the coverage profile: %q", line)
		}
		b.runs = count > 0
		c[line[:i]] = append(c[line[:i]], b)
	}
	return c, nil
}

// runs reports whether a test runs a place. What is in no block, as the conditions of a switch, counts as run.
func (c coverage) runs(file string, line, column int) bool {
	within := false
	for _, b := range c[file] {
		after := line > b.line || line == b.line && column >= b.column
		before := line < b.endLine || line == b.endLine && column < b.endColumn
		if after && before {
			if b.runs {
				return true
			}
			within = true
		}
	}
	return !within
}
