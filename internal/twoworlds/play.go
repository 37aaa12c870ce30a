package twoworlds

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
)

// A Difference is a step at which the two worlds can be told apart.
type Difference struct {
	// States are those of the subject, and Steps the steps up to the one that tells, as the schedule has them.
	States [2]string
	Steps  []string
	// Views are what a visitor sees of the last step in each world.
	Views [2]View
}

// String tells the schedule and the two views.
func (d *Difference) String() string {
	return strings.Join(d.Steps, "\n") +
		fmt.Sprintf("\n  %s:\n    %s\n  %s:\n    %s", d.States[0], d.Views[0], d.States[1], d.Views[1])
}

// Play draws two states of the subject and a schedule of so many steps, and plays it in both worlds. It returns nil if no
// step tells the worlds apart.
func Play(t *testing.T, d Draw, s Setup, steps int, reached Coverage) *Difference {
	t.Helper()
	states := people()
	a, b := &states[1+d.Int("state", len(states)-1)], &states[d.Int("other state", len(states))]
	other := d.Int("other data", 2) == 1
	schedule := drawSchedule(d, steps)
	if d.Int("recovers first", 4) == 3 { // later a visitor has guessed, most often
		schedule[0] = drawRecovery(d)
	}
	s = s.withDefaults()
	found := playTwice(t, s, a, b, other, schedule, reached)
	if found != nil {
		found = shrink(schedule[:len(found.Steps)], found, func(schedule []step) *Difference {
			return playTwice(t, s, a, b, other, schedule, Coverage{})
		})
	}
	return found
}

// drawSchedule draws so many steps.
func drawSchedule(d Draw, steps int) []step {
	schedule := make([]step, steps)
	for i := range schedule {
		schedule[i] = drawStep(d)
	}
	return schedule
}

// drawRecovery draws the step in which the owner recovers.
func drawRecovery(d Draw) step {
	list := owned()
	at := slices.IndexFunc(list, func(a act) bool { return a.name == recovers })
	return step{act: &list[at], n: d.Int("variant", variants), times: 1}
}

// playTwice plays a schedule in two new worlds.
func playTwice(t *testing.T, s Setup, a, b *person, other bool, schedule []step, reached Coverage) (found *Difference) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		first, second := newWorld(t, s, a), newWorld(t, s, b)
		second.other = other
		found = play(t, first, second, schedule, reached)
		if found != nil {
			found.States = [2]string{a.name, b.name}
		}
	})
	return found
}

// shrink leaves out steps of a schedule as long as there is a difference, and returns the last one.
func shrink(schedule []step, found *Difference, again func([]step) *Difference) *Difference {
	for size := max(len(schedule)/2, 1); ; size = max(size/2, 1) {
		smaller := false
		for at := 0; at < len(schedule); {
			less := slices.Concat(schedule[:at], schedule[min(at+size, len(schedule)):])
			if d := again(less); d != nil {
				schedule, found, smaller = less[:len(d.Steps)], d, true
			} else {
				at += size
			}
		}
		if size == 1 && !smaller {
			return found
		}
	}
}

func play(t *testing.T, a, b *world, schedule []step, reached Coverage) *Difference {
	a.store.happened()
	for i, step := range schedule {
		as, bs := a.play(t.Context(), step), b.play(t.Context(), step)
		reached.reach(step, as, a.store.happened())
		for n := range as {
			if as[n].same(bs[n]) {
				continue
			}
			d := &Difference{Views: [2]View{as[n], bs[n]}}
			for _, step := range schedule[:i+1] {
				d.Steps = append(d.Steps, step.String())
			}
			return d
		}
	}
	return nil
}
