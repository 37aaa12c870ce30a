package twoworlds

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
)

// A Draw chooses the steps of a schedule.
type Draw interface {
	// Int returns a number from 0 to n-1.
	Int(label string, n int) int
}

// A Difference is a step at which the two worlds can be told apart.
type Difference struct {
	// Steps are the steps up to the one that tells, as the schedule has them.
	Steps []string
	// Known and Unknown are what a visitor sees of the last step.
	Known, Unknown View
}

// String tells the schedule and the two views.
func (d *Difference) String() string {
	return fmt.Sprintf("%s\n  registered: %s\n  unknown:    %s", strings.Join(d.Steps, "\n"), d.Known, d.Unknown)
}

// Coverage counts what schedules reached, so that a model that does nothing does not pass.
type Coverage map[string]int

// add adds a count.
func (c Coverage) add(what string) { c[what]++ }

// Play draws a schedule of so many steps and plays it in both worlds. It returns nil if no step tells the worlds apart.
func Play(t *testing.T, d Draw, s Setup, steps int, reached Coverage) *Difference {
	t.Helper()
	schedule := make([]step, steps)
	for i := range schedule {
		schedule[i] = drawStep(d)
	}
	var found *Difference
	synctest.Test(t, func(t *testing.T) {
		found = play(t, s, schedule, reached)
	})
	return found
}

func play(t *testing.T, s Setup, schedule []step, reached Coverage) *Difference {
	known, unknown := newWorld(t, s, true), newWorld(t, s, false)
	for i, step := range schedule {
		a, b := known.play(t.Context(), step), unknown.play(t.Context(), step)
		reached.add(step.act.name)
		for _, word := range a.reached() {
			reached.add(word)
		}
		if !step.act.owner && a != b {
			d := &Difference{Known: a, Unknown: b}
			for _, step := range schedule[:i+1] {
				d.Steps = append(d.Steps, step.String())
			}
			return d
		}
	}
	return nil
}
