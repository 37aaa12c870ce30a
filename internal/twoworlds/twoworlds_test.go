package twoworlds_test

import (
	"flag"
	"maps"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/internal/twoworlds"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery/plan"
)

// draws lets rapid choose. Rapid prefers small numbers, and so chooses how far a number is from a random one.
type draws struct {
	t    *rapid.T
	from *rand.Rand
}

func drawing(t *rapid.T) draws {
	return draws{t, rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))}
}

func (d draws) Int(label string, n int) int {
	return (rapid.IntRange(0, n-1).Draw(d.t, label) + d.from.IntN(n)) % n
}

// steps is how long a schedule is.
const steps = 40

// setups are the ready policies, and drawn ones under the empty name.
func setups() map[string]twoworlds.Setup {
	return map[string]twoworlds.Setup{
		"default":  {Pin: pin.Default(), Codes: otp.SMS()},
		"inps":     {Pin: pin.INPS(), Codes: otp.SMS()},
		"clavepin": {Pin: pin.Default(), Codes: otp.ClavePIN()},
		"drawn":    {},
	}
}

// find plays schedules until one tells the worlds apart, so many have been played, or a time is over.
func find(t *testing.T, s twoworlds.Setup, schedules int, end time.Time, reached twoworlds.Coverage) (d *twoworlds.Difference) {
	t.Helper()
	require.NoError(t, flag.Set("rapid.nofailfile", "true"))
	require.NoError(t, flag.Set("rapid.checks", strconv.Itoa(schedules)))
	require.NoError(t, flag.Set("rapid.seed", strconv.FormatUint(testkit.Seed(t), 10)))
	rapid.Check(t, func(rt *rapid.T) {
		if d != nil || !end.IsZero() && time.Now().After(end) {
			return
		}
		draw, setup := drawing(rt), s
		if setup.Pin.Name == "" {
			setup = twoworlds.DrawSetup(t, draw)
		}
		reached["schedules"]++
		d = twoworlds.Play(t, draw, setup, steps, reached)
	})
	return d
}

// TestTwoWorlds plays random schedules: no visitor can tell in which state the subject is. By default it plays 120 of each
// setup, and 30 under the race detector. CIVICPIN_TWOWORLDS is for how long, "1h", or how many of each setup, "10000"; CIVICPIN_SEED says where to begin.
func TestTwoWorlds(t *testing.T) {
	schedules, end := 120, func() (none time.Time) { return none }
	if testkit.Raced {
		schedules = 30
	}
	if text := os.Getenv("CIVICPIN_TWOWORLDS"); text != "" {
		var err error
		if schedules, err = strconv.Atoi(text); err != nil {
			long, err := time.ParseDuration(text)
			require.NoError(t, err, "CIVICPIN_TWOWORLDS is neither a number nor a time")
			schedules, end = 1<<20, func() time.Time { return time.Now().Add(long / time.Duration(len(setups()))) }
		}
	}
	all := twoworlds.Coverage{}
	for _, name := range slices.Sorted(maps.Keys(setups())) {
		t.Run(name, func(t *testing.T) {
			reached := twoworlds.Coverage{}
			d := find(t, setups()[name], schedules, end(), reached)
			t.Logf("%d schedules, %v", reached["schedules"], reached)
			require.True(t, d == nil, "the worlds differ:\n%s", d)
			for what, n := range reached {
				all[what] += n
			}
		})
	}
	if !t.Failed() {
		require.Empty(t, all.Missing(), "no schedule reached these")
	}
}

// byNoActor are the events that no actor in particular causes: the dispatcher's, and those of counts.
var byNoActor = regexp.MustCompile(`^(outbox\..*|pin\.part_.*|lockout\.(locked|disabled|slowed))$`)

// TestEventsHoldNothing: no event holds a secret, and none holds an address, a name or an answer; the subject stands in its
// field alone, the source is one from which a request came, and all but the events of counts and of the dispatcher say by which
// actor.
func TestEventsHoldNothing(t *testing.T) {
	all := twoworlds.Coverage{}
	for _, name := range slices.Sorted(maps.Keys(setups())) {
		for seed := range uint64(20) {
			draw, setup := twoworlds.Random(seed), setups()[name]
			if setup.Pin.Name == "" {
				setup = twoworlds.DrawSetup(t, draw)
			}
			r := twoworlds.Record(t, draw, setup, steps, all)
			texts := make(map[string]string)
			for _, e := range r.Events {
				for field, text := range map[string]string{
					"Reason": e.Reason, "Ref": e.Ref, "By": string(e.By), "Source": e.Source.Address, "Device": e.Source.Device.Reveal(),
				} {
					texts[string(e.Code)+", "+field] += text + "\n"
				}
				require.Contains(t, r.Subjects, e.Subject, e.Code)
				require.Contains(t, r.Sources, e.Source.Address, e.Code)
				require.True(t, e.By != "" || byNoActor.MatchString(string(e.Code)), "%s by no actor", e.Code)
			}
			testkit.LeaksNothing(t, texts, append(r.Secrets, r.Personal...)...)
		}
	}
	for _, what := range all.Missing() {
		require.NotContains(t, what, "event ", "no schedule reached it")
	}
}

// TestReplay plays schedules in which the worlds once differed.
func TestReplay(t *testing.T) {
	linkFirst := twoworlds.Setup{Pin: pin.Default(), Plans: []plan.Plan{{
		Name: "link", Limit: lockout.Policy{Limit: 3, Lock: lockout.Timed, For: time.Hour}, Outcome: plan.Unlocked,
		Steps: []plan.Step{plan.Link{Channel: civicpin.Email, Valid: time.Hour}},
	}}}
	for name, tt := range map[string]struct {
		setup  twoworlds.Setup
		states [2]string
		steps  []string
	}{
		"the owner reads the mail in one world": {
			linkFirst,
			[2]string{"in use", "in use, without contacts"},
			[]string{"the adversary starts a recovery 0", "the owner recovers 0", "time passes 5", "the dispatcher sends 0"},
		},
		"a run that leads nowhere shows another contact": {
			twoworlds.Setup{Pin: pin.Default()},
			[2]string{"revoked", "provisional, with contacts"},
			[]string{"request a code 9", "start a recovery 8"},
		},
		"the guess of a dead process, and other limits": {
			twoworlds.Setup{Pin: pin.Default()},
			[2]string{"in use, with a contact that cools down", "revoked"},
			[]string{
				"verify 3, 5 times, store call 12 ends with 1", "the subject is erased 5", "the owner changes the secret 1",
				"policies and keys change 11", "verify 8",
			},
		},
		"a message that the owner asked for": {
			twoworlds.Setup{Pin: pin.Default()},
			[2]string{"in use, with a contact that cools down", "never issued, with contacts"},
			[]string{
				"the owner recovers 10", "start a recovery 2, 6 times", "start a recovery 2, 5 times, store call 12 ends with 2",
			},
		},
		"parts that open nothing": {
			twoworlds.Setup{Pin: pin.Default()},
			[2]string{"in use", "unknown"},
			[]string{
				"ask with a letter 0", "time passes 5", "ask with a letter 0", "time passes 5", "ask with a letter 1",
				"ask with a letter 0", "the dispatcher sends 0",
			},
		},
		"parts that open nothing, and a repudiation": {
			twoworlds.Setup{Pin: pin.Default()},
			[2]string{"in use, with a contact that cools down", "revoked"},
			[]string{"the owner recovers 2", "ask with a letter 0", "a contact undoes or repudiates 8", "ask with a letter 0"},
		},
		"stricter limits": {
			twoworlds.Setup{Pin: pin.INPS()},
			[2]string{"provisional, with contacts", "in use"},
			[]string{
				"policies and keys change 4", "verify 6, 5 times", "policies and keys change 4", "the owner changes the secret 5",
				"verify 7",
			},
		},
		"guesses at a code that an act ended": {
			twoworlds.Setup{Pin: pin.Default(), Codes: otp.ClavePIN()},
			[2]string{"in use, without contacts", "revoked"},
			[]string{"request a code 8", "an operator revokes 0", "verify a code 0, 3 times", "resend a code 0"},
		},
		"other questions after the secret was changed": {
			twoworlds.Setup{Pin: pin.Default()},
			[2]string{"in use, with all enrolled", "unknown"},
			[]string{"start a recovery 0", "answer 1", "the owner changes the secret 1", "start a recovery 0", "answer 1"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			require.Nil(t, twoworlds.Replay(t, tt.setup, tt.states, tt.steps...))
		})
	}
}
