package sqlite_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/oath"
	"github.com/civicpin/civicpin/internal/testkit/processes"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/store/outbox"
)

const (
	coderTimes = 25 // how often each process does its job
	codeLimit  = 7  // how many wrong guesses lock
)

// codePurpose is what all codes of these tests are for.
var codePurpose = otp.Purpose{Act: "file-return", Digest: []byte("the return")}

// coding is what every process of these tests has in common.
type coding struct {
	codes *otp.Codes
	paper *otp.BackupCodes
	io.Closer
}

func openCoding(ctx context.Context, path string) (*coding, error) {
	vault, s, err := openVault(ctx, path, nil, nil)
	if err != nil {
		return nil, err
	}
	out, err := outbox.New(vault, civicpin.NotifierFunc(func(context.Context, civicpin.Message) (string, error) {
		return "", nil
	}), nil)
	if err != nil {
		return nil, err
	}
	policy := otp.SMS()
	policy.Tries = 100
	policy.Lockout = lockout.Policy{Limit: codeLimit, Lock: lockout.UntilUnlocked}
	codes, err := otp.NewCodes(out, policy)
	if err != nil {
		return nil, err
	}
	paper, err := otp.NewBackupCodes(vault, otp.BackupPolicy{Name: "paper", Wait: time.Minute, Lockout: policy.Lockout})
	return &coding{codes: codes, paper: paper, Closer: s}, err
}

// A codeJob is what a child does over and over: with a code, a guess at a request's; with a backup code, a guess at those;
// with neither, it asks for a code.
type codeJob struct{ Path, ID, Code, Backup string }

func (j codeJob) try(ctx context.Context, c *coding) (err error) {
	switch {
	case j.Code != "":
		err = c.codes.Verify(ctx, "CITIZEN", codePurpose, j.ID, civicpin.NewSecret(j.Code), civicpin.Source{})
	case j.Backup != "":
		err = c.paper.Verify(ctx, "CITIZEN", civicpin.NewSecret(j.Backup), civicpin.Source{})
	default:
		_, err = c.codes.Request(ctx, "CITIZEN", codePurpose, otp.RequestOptions{})
	}
	return err
}

// TestCoder is not a test: it is a child that says the outcome of each try.
func TestCoder(t *testing.T) {
	processes.Serve(t, func(ctx context.Context, c *processes.Child, j codeJob) error {
		coding, err := openCoding(ctx, j.Path)
		if err != nil {
			return err
		}
		c.Race(coderTimes, func() (string, error) { return patient(func() error { return j.try(ctx, coding) }) })
		return coding.Close()
	})
}

// startCoding opens a new file.
func startCoding(t *testing.T) (c *coding, path string) {
	t.Helper()
	path = newPath(t)
	c, err := openCoding(t.Context(), path)
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	return c, path
}

// request asks for a code, and returns the request's id and the code.
func (c *coding) request(t *testing.T) (id, sent string) {
	t.Helper()
	req, err := c.codes.Request(t.Context(), "CITIZEN", codePurpose, otp.RequestOptions{
		To: []civicpin.Contact{{Channel: civicpin.SMS, Address: "+34600111222"}},
	})
	require.NoError(t, err)
	pending, err := c.codes.Pending(t.Context(), "CITIZEN")
	require.NoError(t, err)
	return req.ID, pending[len(pending)-1].Code.Reveal()
}

// TestCodersShareALimit: of a hundred wrong codes by four processes, exactly as many as the limit are compared, though one of
// them names another request, and only six hear how many are left.
func TestCodersShareALimit(t *testing.T) {
	c, path := startCoding(t)
	first, _ := c.request(t)
	second, sent := c.request(t)
	one, two := codeJob{Path: path, ID: first, Code: "wrong"}, codeJob{Path: path, ID: second, Code: "wrong"}
	lines := processes.Run(t, "TestCoder", one, two, one, two)
	require.Equal(t, map[string]int{"refused": codeLimit - 1, "locked": children*coderTimes - codeLimit + 1}, lines)
	st, err := c.codes.Status(t.Context(), "CITIZEN")
	require.NoError(t, err)
	require.Equal(t, codeLimit, st.Failures)
	err = c.codes.Verify(t.Context(), "CITIZEN", codePurpose, second, civicpin.NewSecret(sent), civicpin.Source{})
	require.ErrorAs(t, err, new(*lockout.LockedError))
}

// TestCodersUseOneCode: of a hundred uses of one code by four processes, one is let in.
func TestCodersUseOneCode(t *testing.T) {
	c, path := startCoding(t)
	id, sent := c.request(t)
	j := codeJob{Path: path, ID: id, Code: sent}
	lines := processes.Run(t, "TestCoder", j, j, j, j)
	require.Equal(t, 1, lines["let in"])
	require.Equal(t, children*coderTimes-1, lines["refused"]+lines["locked"])
}

// TestCodersUseOneBackupCode: the same of a backup code.
func TestCodersUseOneBackupCode(t *testing.T) {
	c, path := startCoding(t)
	set, err := c.paper.Issue(t.Context(), "CITIZEN", civicpin.Citizen)
	require.NoError(t, err)
	j := codeJob{Path: path, Backup: strings.ReplaceAll(set[4].Reveal(), " ", "")}
	lines := processes.Run(t, "TestCoder", j, j, j, j)
	require.Equal(t, 1, lines["let in"])
	left, err := c.paper.Left(t.Context(), "CITIZEN")
	require.NoError(t, err)
	require.Equal(t, 9, left)
}

// TestCodersShareSendLimits: of a hundred requests by four processes, as many as the limit are let through.
func TestCodersShareSendLimits(t *testing.T) {
	j := codeJob{Path: newPath(t)}
	require.Equal(t, map[string]int{"let in": 10, "locked": children*coderTimes - 10},
		processes.Run(t, "TestCoder", j, j, j, j))
}

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
