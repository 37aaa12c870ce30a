package guess

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/faults/internal/kit"
	"github.com/civicpin/civicpin/internal/testkit/processes"
	"github.com/civicpin/civicpin/lockout"
)

const (
	// guessers is how many processes guess at once.
	guessers = 4
	// each is how many guesses each of them has: a thousand in all.
	each = 250
)

// run lets processes do a job each, and counts what they say.
func run(t *testing.T, jobs ...job) map[string]int {
	t.Helper()
	return processes.Run(t, "TestGuesser", jobs...)
}

// crowd starts four processes for a job.
func crowd(t *testing.T, j job) processes.Group {
	t.Helper()
	return processes.Start(t, "TestGuesser", slices.Repeat([]job{j}, guessers)...)
}

// All does everything that this package requires of a store whose server can be restarted, or what needs no restart if that
// is nil. A restart begins within some time after the guesses do. newWhere returns an empty store's place.
func All(t *testing.T, newWhere func(t *testing.T) string, open Open, within time.Duration, restart func()) {
	t.Run("share a limit", func(t *testing.T) { ShareALimit(t, newWhere(t)) })
	t.Run("killed", func(t *testing.T) { killed(t, newWhere, open) })
	if restart == nil {
		return
	}
	t.Run("share a limit while the server restarts", func(t *testing.T) {
		// Refusals are quick: all of a round may be over before the server is down. Then there is another one.
		failed, rounds := 0, kit.Pick(2, 20)
		for round := 0; round < rounds || failed == 0 && round < 10*rounds; round++ {
			failed += ShareALimitThrough(t, newWhere(t), round, func() {
				time.Sleep(rand.N(within))
				restart()
			})
		}
		require.Positive(t, failed, "no guess met a server that was down")
	})
}

// ShareALimit requires that of a thousand wrong guesses by four processes exactly as many as the limit are compared.
func ShareALimit(t *testing.T, where string) {
	all := crowd(t, job{Where: where, Subject: "CITIZEN", Verdict: wrong, Times: each, Patient: true})
	all.Go(t)
	require.Equal(t, map[string]int{
		"compared": Limit, "refused": Limit - 1, "locked": guessers*each - Limit + 1,
	}, all.Finish(t))
	require.Equal(t, map[string]int{"locked": 1}, run(t, job{Where: where, Subject: "CITIZEN", Verdict: right, Times: 1}))
}

// ShareALimitThrough requires that of a thousand wrong guesses by four processes at most as many as the limit are
// compared, though the store breaks down meanwhile: outage makes it do so, and makes it whole again. What was reserved
// when it broke down becomes a failure after its deadline, so that the subject ends up locked with no more compared in
// all. It returns how many guesses the store failed.
func ShareALimitThrough(t *testing.T, where string, round int, outage func()) (failed int) {
	subject := civicpin.Subject(fmt.Sprint("CITIZEN ", round))
	// Not patient: what was reserved when the store broke down keeps everybody waiting until its deadline.
	all := crowd(t, job{Where: where, Subject: subject, Verdict: wrong, Times: each})
	all.Go(t)
	outage()
	lines := all.Finish(t)
	require.Equal(t, guessers*each, lines["refused"]+lines["locked"]+lines["busy"]+lines["failed"], lines)
	require.Zero(t, lines["let in"])
	require.LessOrEqual(t, lines["compared"], Limit)
	later := run(t, job{Where: where, Subject: subject, Verdict: wrong, Times: 8, Offset: time.Minute, Patient: true})
	require.LessOrEqual(t, lines["compared"]+later["compared"], Limit, "%v, and later %v", lines, later)
	require.Positive(t, later["locked"])
	require.Equal(t, map[string]int{"locked": 1},
		run(t, job{Where: where, Subject: subject, Verdict: right, Times: 1, Offset: time.Minute}))
	t.Logf("round %d: %d compared, %d after the deadline; %d locked, %d busy, %d failed", round, lines["compared"],
		later["compared"], lines["locked"], lines["busy"], lines["failed"])
	return lines["failed"]
}

// killed requires that processes that are killed within a verification leave reservations, which take up the limit and become
// failures after their deadline: at most the limit is compared, whatever is killed.
func killed(t *testing.T, newWhere func(t *testing.T) string, open Open) {
	for _, tc := range []struct {
		each  int            // guesses by each of the processes that are killed
		then  map[string]int // what came of these guesses until then
		later map[string]int // what a process makes of eight guesses after the deadline
	}{
		{each: 3, then: map[string]int{"compared": 5, "busy": 7}, later: map[string]int{"locked": 8}},
		{each: 1, then: map[string]int{"compared": 4}, later: map[string]int{"compared": 1, "locked": 8}},
	} {
		t.Run(fmt.Sprint(tc.each, " each"), func(t *testing.T) {
			where := newWhere(t)
			all := crowd(t, job{Where: where, Subject: "CITIZEN", Verdict: hang, Times: tc.each})
			all.Go(t)
			require.Equal(t, tc.then, all.Lines(t, tc.each))
			all.Kill(t)
			once := job{Where: where, Subject: "CITIZEN", Verdict: right, Times: 1}
			if tc.then["compared"] == Limit {
				require.Equal(t, map[string]int{"busy": 1}, run(t, once), "before the deadline")
			}
			later := job{Where: where, Subject: "CITIZEN", Verdict: wrong, Times: 8, Offset: time.Minute, Patient: true}
			require.Equal(t, tc.later, run(t, later))
			once.Offset = time.Minute
			require.Equal(t, map[string]int{"locked": 1}, run(t, once))
			require.Equal(t, Limit, failures(t, where, open, time.Minute))
		})
	}
	t.Run("the citizen", func(t *testing.T) {
		// A process dies while it checks the right guess. The citizen gets in with the next.
		where := newWhere(t)
		all := processes.Start(t, "TestGuesser", job{Where: where, Subject: "CITIZEN", Verdict: hang, Times: 1})
		all.Go(t)
		require.Equal(t, "compared", all[0].Line(t))
		all.Kill(t)
		require.Equal(t, map[string]int{"compared": 1, "let in": 1},
			run(t, job{Where: where, Subject: "CITIZEN", Verdict: right, Times: 1}))
	})
}

// failures returns how many failures are counted.
func failures(t *testing.T, where string, open Open, offset time.Duration) int {
	t.Helper()
	var st lockout.Status
	require.NoError(t, withGate(t.Context(), open, where, offset, func(gate *lockout.Gate) (err error) {
		st, err = gate.Status(t.Context(), lockout.Target{Subject: "CITIZEN"})
		return err
	}))
	return st.Failures
}
