package twoworlds

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"testing"

	"github.com/civicpin/civicpin/store/storetest"
)

// Replay plays a schedule in both worlds: that of a [Difference], or one that is written by hand. States and steps are named
// as a difference names them. Steps at once it does not read.
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

// written is how a step is written, but for steps at once.
var written = regexp.MustCompile(`^([^,0-9]+) (\d+)(?:, (\d+) times)?(?:, store call (\d+) ends with (\d+))?$`)

// readStep reads what [step.String] writes.
func readStep(text string) (step, error) {
	list, parts := acts(), written.FindStringSubmatch(text)
	if parts == nil {
		return step{}, fmt.Errorf("twoworlds: no step %q", text)
	}
	which := slices.IndexFunc(list, func(a act) bool { return a.name == parts[1] })
	if which < 0 {
		return step{}, fmt.Errorf("twoworlds: no act %q", parts[1])
	}
	var n [4]int // what is not there is 0
	for i := range n {
		n[i], _ = strconv.Atoi(parts[2+i])
	}
	s := step{act: &list[which], n: n[0], times: max(n[1], 1)}
	if n[2] > 0 {
		s.fault = &fault{at: n[2], outcome: storetest.Outcome(n[3])}
	}
	return s, nil
}
