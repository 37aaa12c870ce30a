package holders_test

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/internal/twoworlds"
)

// A step is an act of a person, with a number.
type step struct {
	act *act
	by  person
	n   int
}

func (s step) String() string { return fmt.Sprintf("%v %s %d", s.by, s.act.name, s.n) }

// drawSteps draws a schedule. Each leaves out some acts and does others more often, or all would be alike.
func drawSteps(d twoworlds.Draw, length int) []step {
	list, all := acts(), 0
	for i := range list {
		list[i].weight *= []int{0, 1, 1, 3}[d.Int("weight", 4)]
		all += list[i].weight
	}
	schedule := make([]step, length)
	for i := range schedule {
		at, which := d.Int("act", all), 0
		for at >= list[which].weight {
			at -= list[which].weight
			which++
		}
		who := []person{owner, owner, owner, thief, thief, thief, thief, former, sharer}[d.Int("by", 9)]
		schedule[i] = step{&list[which], who, d.Int("number", 960)}
	}
	return schedule
}

// readSteps reads what [step.String] writes.
func readSteps(t *testing.T, texts []string) (schedule []step) {
	t.Helper()
	written, list := regexp.MustCompile(`^(owner|thief|former owner|sharer) (.+) (\d+)$`), acts()
	for _, text := range texts {
		parts := written.FindStringSubmatch(text)
		require.NotNil(t, parts, text)
		which := slices.IndexFunc(list, func(a act) bool { return a.name == parts[2] })
		require.GreaterOrEqual(t, which, 0, text)
		s := step{act: &list[which]}
		s.n, _ = strconv.Atoi(parts[3])
		for _, p := range append([]person{owner}, others...) {
			if p.String() == parts[1] {
				s.by = p
			}
		}
		schedule = append(schedule, s)
	}
	return schedule
}

// shrink leaves out steps as long as something must not be.
func shrink(schedule []step, again func([]step) (string, int)) (string, []step) {
	found, at := again(schedule)
	schedule = schedule[:at]
	for size := max(len(schedule)/2, 1); size > 0; size /= 2 {
		for i := len(schedule) - size; i >= 0; i -= size {
			less := slices.Concat(schedule[:i], schedule[i+size:])
			if v, at := again(less); v != "" {
				found, schedule = v, less[:at]
				i = min(i, len(schedule))
			}
		}
	}
	return found, schedule
}

// written writes a schedule as [readSteps] reads it.
func written(schedule []step) string {
	var b strings.Builder
	for _, s := range schedule {
		fmt.Fprintf(&b, "\t%q,\n", s)
	}
	return b.String()
}
