package otp_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/storetest"
)

// keyPeople are the states that a subject can be in when somebody guesses wrong at them.
var keyPeople = []struct {
	name    string
	prepare func(t *testing.T, f *fob)
}{
	{"unknown", func(*testing.T, *fob) {}},
	{"pending", func(t *testing.T, f *fob) { f.enrol(t) }},
	{"lapsed", func(t *testing.T, f *fob) { f.enrol(t); f.clock.Add(2 * time.Hour) }},
	{"active", func(t *testing.T, f *fob) { f.enrolled(t) }},
	{"active and pending", func(t *testing.T, f *fob) { f.enrolled(t); f.enrol(t) }},
	{"active and lapsed", func(t *testing.T, f *fob) { f.enrolled(t); f.enrol(t); f.clock.Add(2 * time.Hour) }},
	{"removed", func(t *testing.T, f *fob) { f.enrolled(t); require.NoError(t, f.Remove(t.Context(), ada, fobClerk)) }},
	{"removed long ago", func(t *testing.T, f *fob) {
		f.enrolled(t)
		require.NoError(t, f.Remove(t.Context(), ada, fobClerk))
		f.clock.Add(48 * time.Hour)
	}},
	{"drifting", func(t *testing.T, f *fob) {
		key := f.enrolled(t)
		if f.TOTP != nil {
			require.Equal(t, fobAccepted, f.verify(t, f.shown(key, step)))
		}
	}},
	{"guessed at before", func(t *testing.T, f *fob) {
		require.Equal(t, fobRefused, f.verify(t, "000000"))
		require.NoError(t, otp.GateOf(f).Rebind(t.Context(), gateKey, fobClerk))
	}},
}

// TestKeyStrangersLearnNothing shows that whoever does not know a code gets the same answers after the same store calls, and
// the same number of codes computed, whatever the subject is.
func TestKeyStrangersLearnNothing(t *testing.T) {
	guesses := map[string]func(t *testing.T, f *fob) error{
		"verify":  func(t *testing.T, f *fob) error { return f.verifyErr(t, "000000") },
		"nothing": func(t *testing.T, f *fob) error { return f.verifyErr(t, "") },
		"no code": func(t *testing.T, f *fob) error { return f.verifyErr(t, "\x00~"+strings.Repeat("é", 5000)) },
		"until locked": func(t *testing.T, f *fob) error {
			var err error
			for range 7 {
				err = f.verifyErr(t, "000000")
			}
			return err
		},
		"resync": func(t *testing.T, f *fob) error {
			if f.HOTP == nil {
				return nil
			}
			return f.HOTP.Resync(t.Context(), ada, civicpin.NewSecret("000000"), civicpin.NewSecret("111111"), fobSource)
		},
	}
	sorts := map[string]func(t *testing.T, s store.Store) *fob{
		"TOTP": func(t *testing.T, s store.Store) *fob {
			return totpOn(t, s, otp.TOTPPolicy{Digits: 8}, newClock(), &testkit.Recorder{})
		},
		"HOTP": func(t *testing.T, s store.Store) *fob {
			return hotpOn(t, s, otp.HOTPPolicy{Digits: 8}, newClock(), &testkit.Recorder{})
		},
	}
	for sort, make := range sorts {
		for guess, do := range guesses {
			t.Run(sort+"/"+guess, func(t *testing.T) {
				first := ""
				for _, p := range keyPeople {
					faults := storetest.NewFaults(store.NewMemory())
					f := make(t, faults.Store())
					p.prepare(t, f)
					f.clock.Set(start.Add(96 * time.Hour))
					if strings.Contains(p.name, "pending") { // must still be one
						f.clock.Set(start.Add(2 * time.Minute))
					}
					var err error
					calls := testkit.Calls(faults, func() { err = do(t, f) })
					got := fmt.Sprintf("%v; %s", err, strings.Join(calls, ", "))
					got = strings.ReplaceAll(got, f.clock.Now().Format("2006-01-02T15:04"), "NOW")
					got = strings.ReplaceAll(got, f.clock.Now().Add(time.Minute).Format("2006-01-02T15:04"), "NOW")
					if first == "" {
						first = got
						t.Log(got)
					}
					assert.Equal(t, first, got, p.name)
				}
			})
		}
		for _, p := range keyPeople {
			f := make(t, store.NewMemory())
			p.prepare(t, f)
			n, err := otp.Comparisons(t.Context(), f, ada)
			require.ErrorIs(t, err, otp.ErrRefused)
			assert.Equal(t, 2, n, "%s, %s", sort, p.name)
		}
	}
}
