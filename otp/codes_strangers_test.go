package otp_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/storetest"
)

// addresses are what %#v shows of pointers.
var addresses = regexp.MustCompile(`0x[0-9a-f]+`)

// codeTrace does something and returns what it came to: the error, and every store call with its kind of record.
func codeTrace(f *storetest.Faults, do func() error) string {
	var err error
	calls := testkit.Calls(f, func() { err = do() })
	return fmt.Sprintf("%#v; %v; %s", err, err, strings.Join(calls, ", "))
}

// TestCodesTellStrangersNothing shows that whoever asks for codes, and guesses at them, gets the same answers after the same
// store calls, whoever the subject is, and whether or not there is somewhere to send them to.
func TestCodesTellStrangersNothing(t *testing.T) {
	used := func(t *testing.T, k *codeKit) {
		req, sent := k.asked(t)
		require.NoError(t, k.verify(t, req.ID, sent))
	}
	people := []struct {
		name    string
		to      []civicpin.Contact
		prepare func(t *testing.T, k *codeKit)
	}{
		{"stranger", nil, func(*testing.T, *codeKit) {}},
		{"citizen", []civicpin.Contact{bySMS}, func(*testing.T, *codeKit) {}},
		{"citizen with the app", []civicpin.Contact{bySMS, byApp}, func(*testing.T, *codeKit) {}},
		{"citizen with e-mail only", []civicpin.Contact{{Channel: civicpin.Email, Address: "a@example.org"}}, func(*testing.T, *codeKit) {}},
		{"citizen who used one before", []civicpin.Contact{bySMS}, used},
		{"citizen who lost the telephone", nil, used},
		{"stranger who asked before", nil, func(t *testing.T, k *codeKit) {
			req, err := k.Request(t.Context(), ana, filing, otp.RequestOptions{})
			require.NoError(t, err)
			require.Error(t, k.verify(t, req.ID, "000000"))
			require.NoError(t, k.Unlock(t.Context(), ana, desk))
		}},
	}
	type visitor struct {
		*codeKit
		o  otp.RequestOptions
		id string
	}
	// A guess of this test is wrong whatever the code is: it has as many digits too many.
	const guess = "1234567"
	anonymous := []struct {
		name string
		do   func(t *testing.T, v visitor) error
	}{
		{"request", func(t *testing.T, v visitor) error {
			_, err := v.Request(t.Context(), ana, paying, v.o)
			return err
		}},
		{"request one too many", func(t *testing.T, v visitor) (err error) {
			for range 4 {
				_, err = v.Request(t.Context(), ana, paying, v.o)
			}
			return err
		}},
		{"request until limited", func(t *testing.T, v visitor) (err error) {
			for err == nil {
				_, err = v.Request(t.Context(), ana, paying, v.o)
			}
			require.ErrorAs(t, err, new(*lockout.LockedError))
			return err
		}},
		{"verify", func(t *testing.T, v visitor) error { return v.verify(t, v.id, guess) }},
		{"verify what cannot be a code", func(t *testing.T, v visitor) error {
			return v.verify(t, v.id, "\x00 ~~ "+strings.Repeat("é", 5000))
		}},
		{"verify nothing", func(t *testing.T, v visitor) error { return v.verify(t, v.id, "") }},
		{"verify for another purpose", func(t *testing.T, v visitor) error {
			return v.Verify(t.Context(), ana, paying, v.id, civicpin.NewSecret(guess), home)
		}},
		{"verify what was not asked for", func(t *testing.T, v visitor) error { return v.verify(t, badID, guess) }},
		{"verify late", func(t *testing.T, v visitor) error {
			v.clock.Add(11 * time.Minute)
			return v.verify(t, v.id, guess)
		}},
		{"verify much too late", func(t *testing.T, v visitor) error {
			v.clock.Add(3 * time.Hour)
			return v.verify(t, v.id, guess)
		}},
		{"verify until the tries are used up", func(t *testing.T, v visitor) (err error) {
			for range 4 {
				err = v.verify(t, v.id, guess)
			}
			require.ErrorIs(t, err, otp.ErrRefused)
			return err
		}},
		{"verify until locked", func(t *testing.T, v visitor) (err error) {
			for range 6 {
				err = v.verify(t, v.id, guess)
			}
			require.ErrorAs(t, err, new(*lockout.LockedError))
			return err
		}},
		{"request while locked", func(t *testing.T, v visitor) error {
			for range 5 {
				_ = v.verify(t, v.id, guess)
			}
			_, err := v.Request(t.Context(), ana, paying, v.o)
			require.ErrorAs(t, err, new(*lockout.LockedError))
			return err
		}},
		{"resend", func(t *testing.T, v visitor) error { return v.Resend(t.Context(), ana, v.id, home) }},
		{"resend too often", func(t *testing.T, v visitor) (err error) {
			for range 5 {
				err = v.Resend(t.Context(), ana, v.id, home)
			}
			require.ErrorIs(t, err, otp.ErrWrongState)
			return err
		}},
		{"resend what was not asked for", func(t *testing.T, v visitor) error { return v.Resend(t.Context(), ana, badID, home) }},
		{"resend late", func(t *testing.T, v visitor) error {
			v.clock.Add(10 * time.Minute)
			return v.Resend(t.Context(), ana, v.id, home)
		}},
		{"cancel", func(t *testing.T, v visitor) error { return v.Cancel(t.Context(), ana, v.id, civicpin.Citizen) }},
		{"cancel and verify", func(t *testing.T, v visitor) error {
			_ = v.Cancel(t.Context(), ana, v.id, civicpin.Citizen)
			return v.verify(t, v.id, guess)
		}},
	}
	for _, a := range anonymous {
		t.Run(a.name, func(t *testing.T) {
			first := ""
			for _, p := range people {
				f := storetest.NewFaults(store.NewMemory())
				policy := otp.SMS()
				policy.Tries = 3
				policy.Decoys = []civicpin.Contact{bySMS}
				k := newCodeKitOn(t, f.Store(), policy, newClock(), &testkit.Mailbox{}, &testkit.Recorder{})
				p.prepare(t, k)
				k.clock.Set(newClock().Now().Add(200 * 24 * time.Hour))
				o := otp.RequestOptions{To: p.to, Source: home}
				req, err := k.Request(t.Context(), ana, filing, o)
				require.NoError(t, err)
				require.NotEmpty(t, req.To)
				require.True(t, req.ExpiresAt.Equal(k.clock.Now().Add(10*time.Minute)))
				got := codeTrace(f, func() error { return a.do(t, visitor{k, o, req.ID}) })
				got = addresses.ReplaceAllString(got, "0x?")
				if first == "" {
					first = got
					t.Log(got)
				}
				require.Equal(t, first, got, p.name)
			}
		})
	}
}

// What is kept of a stranger's code is as long as what is kept of a citizen's, and so is what waits in the outbox.
func TestDecoysLookAlike(t *testing.T) {
	sizes := make(map[bool]map[string]int)
	for _, known := range []bool{true, false} {
		m := store.NewMemory()
		k := newCodeKitOn(t, m, otp.SMS(), newClock(), &testkit.Mailbox{}, &testkit.Recorder{})
		o := otp.RequestOptions{}
		if known {
			o = toAna()
		}
		_, err := k.Request(t.Context(), ana, filing, o)
		require.NoError(t, err)
		sizes[known] = make(map[string]int)
		for item, err := range m.List(t.Context(), "", "") {
			require.NoError(t, err)
			kind, _, _ := strings.Cut(item.Key, "/")
			sizes[known][kind] += len(item.Value)
		}
	}
	require.Equal(t, sizes[true]["outbox.entry"], sizes[false]["outbox.entry"])
	require.InDelta(t, sizes[true]["code.sms"], sizes[false]["code.sms"], 64, "an address more or less")
}
