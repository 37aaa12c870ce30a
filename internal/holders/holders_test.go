package holders_test

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"testing"
	"testing/cryptotest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/internal/twoworlds"
)

// receipt is what the mailbox gives for the message of an index.
func receipt(i int) string { return fmt.Sprintf("receipt-%d", i+1) }

// play plays a schedule in a new world, and then has all attackers do what they can. It returns what must not have been, and
// how many steps led there.
func play(t *testing.T, name string, seed uint64, contacts int, schedule []step, reached map[string]int) (
	violation string, steps int,
) {
	t.Helper()
	cryptotest.SetGlobalRandom(t, seed) // ids decide what is sent first
	w := newWorld(t, name, contacts)
	defer func() {
		for what, n := range w.reached {
			reached[what] += n
		}
		for _, e := range w.events.All() {
			reached["event "+string(e.Code)]++
		}
	}()
	for i, s := range schedule {
		w.step = i + 1
		reached[s.act.name]++
		s.act.do(w, s.by, s.n)
		w.learn()
		if w.violation != "" {
			return w.violation, i + 1
		}
	}
	w.step = len(schedule) + 1
	w.end()
	return w.violation, len(schedule)
}

// wanted lists what so many schedules reach, at the least.
func wanted(schedules int) []string {
	list := []string{
		"adopted", "an attacker changes", "decided", "desk",
		"finished after a rest", "issued on evidence", "logged in", "objected", "on line", "promise kept", "proved", "reissued",
		"removed", "repudiated", "rests", "undone", "event lockout.locked", "event lockout.unlocked", "event outbox.sent",
		"event outbox.retried", "event pin.recovered", "event recovery.cancelled", "event recovery.finished",
	}
	if schedules >= 500 { // these are rare
		list = append(list, "an attacker recovers", "an attacker's run rests", "bounced")
	}
	for _, s := range systems() {
		for _, p := range s.plans {
			list = append(list, "finished "+p.Name)
		}
	}
	for _, a := range acts() {
		list = append(list, a.name)
	}
	return list
}

// TestHolders plays random schedules of 60 acts, each by a seed of its own. By default it plays 60 of each system.
// CIVICPIN_HOLDERS is for how long, "1h", or how many of each system, "10000", and then the seeds differ each time, unless
// CIVICPIN_SEED is the first one.
func TestHolders(t *testing.T) {
	schedules, seed, long := 60, uint64(1), time.Duration(0)
	if text := os.Getenv("CIVICPIN_HOLDERS"); text != "" {
		var err error
		if long, err = time.ParseDuration(text); err == nil {
			schedules = 1 << 30
		} else {
			_, err = fmt.Sscan(text, &schedules)
		}
		require.NoError(t, err, "CIVICPIN_HOLDERS is neither a number nor a time")
		seed = testkit.Seed(t)
	}
	all := map[string]int{}
	for _, name := range slices.Sorted(maps.Keys(systems())) {
		t.Run(name, func(t *testing.T) {
			end := time.Now().Add(long / time.Duration(len(systems())))
			for i := range schedules {
				if long > 0 && time.Now().After(end) {
					break
				}
				all["schedules"]++
				seed++
				contacts := []int{0, 1, 2, 3, 3}[i%5]
				schedule := drawSteps(twoworlds.Random(seed), 60)
				violation, _ := play(t, name, seed, contacts, schedule, all)
				if violation == "" {
					continue
				}
				found, less := shrink(schedule, func(s []step) (string, int) {
					return play(t, name, seed, contacts, s, map[string]int{})
				})
				t.Fatalf("it must not be: %s\nseed %d, %d contacts:\n%s", found, seed, contacts, written(less))
			}
		})
	}
	t.Logf("%v", all)
	if !t.Failed() {
		require.Empty(t, slices.DeleteFunc(wanted(all["schedules"]), func(what string) bool { return all[what] > 0 }), "no schedule reached these")
	}
}

// TestReplay plays schedules that once led to what must not be, or do so where a mend is taken back.
func TestReplay(t *testing.T) {
	for name, tt := range map[string]struct {
		system   string
		contacts int
		steps    []string
	}{
		"two runs of one person rest": {"iess", 1, []string{
			"thief learns the answers 923", "thief starts a recovery and goes on 483", "thief starts a recovery and goes on 681",
		}},
		"a rest after an objection": {"iess", 2, []string{
			"thief learns the answers 813", "thief starts a recovery 129", "owner starts a recovery and goes on 530",
			"owner clicks every link 332",
		}},
		"an address of before a revocation": {"inps", 0, []string{
			"owner staff add a contact 748", "owner staff revoke 397", "owner clicks every link 384",
		}},
		"a link that another reader of the mailbox clicks first": {"iess", 1, []string{
			"thief gets hold of an address 0", "owner starts a recovery 0", "owner goes on 1", "owner sends what waits 0",
			"thief clicks a link 0", "thief uses a grant 0",
		}},
		"a repudiation of what staff approved, and nobody used": {"iess", 0, []string{
			"former owner staff adopt 453", "owner starts a recovery and goes on 284", "owner changes the secret 134",
			"owner adds a contact 222", "owner clicks every link 737",
		}},
		"a corrected address that cools down": {"iess", 3, []string{
			"thief learns the answers 753", "thief starts a recovery and goes on 726", "thief starts a recovery and goes on 873",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			violation, _ := play(t, tt.system, 0, tt.contacts, readSteps(t, tt.steps), map[string]int{})
			require.Empty(t, violation)
		})
	}
}
