package sqlite_test

import (
	"context"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/oath"
	"github.com/civicpin/civicpin/internal/testkit/processes"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/otp"
)

const tokenSeed = "12345678901234567890"

// tokenStart is the time in all processes. It stands still, or the code that they race for would run out on a slow machine.
var tokenStart = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// tokenCode is what the token shows at a time.
func tokenCode(at time.Time) string {
	key := oath.NewKey(oath.SHA1, []byte(tokenSeed), 6)
	return fmt.Sprintf("%06d", key.Code(uint64(at.Unix()/30)))
}

// A typeJob is a code that a child types over and over.
type typeJob struct {
	Path  string
	Limit int
	Code  string
	Times int
}

// open returns a TOTP over the file that every process of these tests has in common.
func (j typeJob) open(ctx context.Context, now time.Time, r civicpin.Recorder) (*otp.TOTP, io.Closer, error) {
	vault, s, err := openVault(ctx, j.Path, func() time.Time { return now }, r)
	if err != nil {
		return nil, nil, err
	}
	totp, err := otp.NewTOTP(vault, otp.TOTPPolicy{
		Issuer: "Agency", Lockout: lockout.Policy{Limit: j.Limit, Lock: lockout.UntilUnlocked},
	})
	return totp, s, err
}

// TestTyper is not a test: it is a child that types a code over and over. It says the outcomes, and each time that a code was
// compared and wrong.
func TestTyper(t *testing.T) {
	processes.Serve(t, func(ctx context.Context, c *processes.Child, j typeJob) error {
		totp, closer, err := j.open(ctx, tokenStart, civicpin.RecorderFunc(func(_ context.Context, e civicpin.Event) {
			if e.Code == civicpin.EventCode("otp.refused") && (e.Reason == "wrong" || e.Reason == "replayed") {
				c.Say("compared")
			}
		}))
		if err != nil {
			return err
		}
		c.Race(j.Times, func() (string, error) { return typeCode(ctx, totp, j.Code) })
		return closer.Close()
	})
}

// typeCode types a code until it is compared, or locked, and says what came of it.
func typeCode(ctx context.Context, totp *otp.TOTP, code string) (string, error) {
	return patient(func() error { return totp.Verify(ctx, "CITIZEN", civicpin.NewSecret(code), civicpin.Source{}) })
}

// bindToken makes a file with the token bound to the citizen.
func bindToken(t *testing.T, limit, times int, code string) typeJob {
	t.Helper()
	j := typeJob{newPath(t), limit, code, times}
	totp, closer, err := j.open(t.Context(), tokenStart, nil)
	require.NoError(t, err)
	defer closer.Close()
	require.NoError(t, totp.Import(t.Context(), "CITIZEN", otp.Key{
		Account: "token", Seed: civicpin.NewSecret(tokenSeed), Algorithm: otp.SHA1, Digits: 6, Period: 30 * time.Second,
	}, civicpin.Operator("1")))
	return j
}

// typeLater types the code that the token shows some time after the start, in this process.
func (j typeJob) typeLater(t *testing.T, after time.Duration) (string, otp.KeyStatus) {
	t.Helper()
	totp, closer, err := j.open(t.Context(), tokenStart.Add(after), nil)
	require.NoError(t, err)
	defer closer.Close()
	came, err := typeCode(t.Context(), totp, tokenCode(tokenStart.Add(after)))
	require.NoError(t, err)
	st, err := totp.Enrolled(t.Context(), "CITIZEN")
	require.NoError(t, err)
	return came, st
}

// TestTypersOneWinner: of 200 uses of one right code by four processes, one is accepted.
func TestTypersOneWinner(t *testing.T) {
	j := bindToken(t, 100, 50, tokenCode(tokenStart))
	lines := processes.Run(t, "TestTyper", j, j, j, j)
	require.Equal(t, 1, lines["let in"], lines)
	require.Equal(t, children*j.Times-1, lines["refused"]+lines["locked"], lines)
}

// TestTypersShareALimit: of 400 wrong codes by four processes, exactly as many as the limit are compared.
func TestTypersShareALimit(t *testing.T) {
	const limit, times, wrong = 5, 100, "000000"
	require.NotEqual(t, wrong, tokenCode(tokenStart))
	j := bindToken(t, limit, times, wrong)
	require.Equal(t, map[string]int{"compared": limit, "refused": limit - 1, "locked": children*times - limit + 1},
		processes.Run(t, "TestTyper", j, j, j, j))
	came, st := j.typeLater(t, time.Minute)
	require.Equal(t, "locked", came)
	require.Equal(t, limit, st.Lockout.Failures)
}

// TestTypersKilled: processes are killed in the middle of a race for a code. It was accepted once at most, is accepted no more
// if it was, and the next one is.
func TestTypersKilled(t *testing.T) {
	for round := range 3 {
		j := bindToken(t, 100, 25, tokenCode(tokenStart))
		all := processes.Start(t, "TestTyper", j, j, j, j)
		all.Go(t)
		time.Sleep(time.Duration(round) * 30 * time.Millisecond)
		lines := all.Kill(t)
		accepted := lines["let in"]
		require.LessOrEqual(t, accepted, 1)
		t.Logf("round %d: %v before the kill", round, lines)
		came, _ := j.typeLater(t, 0)
		if came == "let in" {
			accepted++
		}
		require.LessOrEqual(t, accepted, 1, "accepted before a kill and after it")
		came, st := j.typeLater(t, 2*time.Minute) // reservations of the dead processes have run out
		require.Equal(t, "let in", came)
		require.Zero(t, st.Lockout.Failures)
	}
}
