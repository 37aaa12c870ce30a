package twoworlds

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Replay plays a schedule in both worlds: that of a [Difference], or one that is written by hand. States and steps are named
// as a difference names them. Steps at once, and with faults, it does not read.
func Replay(t *testing.T, s Setup, states [2]string, steps ...string) *Difference {
	t.Helper()
	var both [2]*person
	all := people()
	for i, name := range states {
		at := slices.IndexFunc(all, func(p person) bool { return p.name == name })
		if at < 0 {
			t.Fatalf("twoworlds: no state %q", name)
		}
		both[i] = &all[at]
	}
	schedule := make([]step, len(steps))
	for i, text := range steps {
		var err error
		if schedule[i], err = readStep(text); err != nil {
			t.Fatal(err)
		}
	}
	return playTwice(t, s.withDefaults(), both[0], both[1], false, schedule, Coverage{})
}

// readStep reads what [step.String] writes.
func readStep(text string) (step, error) {
	one, times, repeated := strings.Cut(strings.TrimSuffix(text, " times"), ", ")
	if !repeated {
		times = "1"
	}
	list, at := acts(), strings.LastIndexByte(one, ' ')
	n, err1 := strconv.Atoi(one[at+1:])
	repeats, err2 := strconv.Atoi(times)
	which := slices.IndexFunc(list, func(a act) bool { return a.name == one[:max(at, 0)] })
	if err1 != nil || err2 != nil || which < 0 {
		return step{}, fmt.Errorf("twoworlds: no step %q", text)
	}
	return step{act: &list[which], n: n, times: repeats}, nil
}
