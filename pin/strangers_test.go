package pin_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/storetest"
)

// people are the states that a subject can be in when somebody guesses wrong at them.
var people = []struct {
	name    string
	prepare func(t *testing.T, k *kit)
}{
	{"unknown", func(*testing.T, *kit) {}},
	{"provisional", func(t *testing.T, k *kit) { k.issued(t) }},
	{"exchanged just now", func(t *testing.T, k *kit) { k.exchanged(t) }},
	{"set just now", func(t *testing.T, k *kit) {
		k.exchanged(t)
		require.NoError(t, testkit.Err(k.Set(t.Context(), k.granted(t), civicpin.NewSecret("MN6B3VCX"))))
	}},
	{"active", func(t *testing.T, k *kit) { k.exchanged(t) }},
	{"expired", func(t *testing.T, k *kit) { k.exchanged(t); k.clock.Add(100 * 24 * 3600e9) }},
	{"suspended", func(t *testing.T, k *kit) {
		k.exchanged(t)
		require.NoError(t, k.Suspend(t.Context(), maria, "", clerk))
	}},
	{"revoked", func(t *testing.T, k *kit) {
		k.exchanged(t)
		require.NoError(t, k.Revoke(t.Context(), maria, "", clerk))
	}},
	{"active with devices", func(t *testing.T, k *kit) { k.exchanged(t); k.remembered(t, "") }},
	{"unknown before", func(t *testing.T, k *kit) {
		_, err := k.Verify(t.Context(), try(wrong))
		require.ErrorIs(t, err, pin.ErrRefused)
		require.NoError(t, k.Unlock(t.Context(), maria, clerk))
	}},
}

// trace does something and returns what it came to: the error, and every store call with its kind of record.
func trace(t *testing.T, k *kit, f *storetest.Faults, do func() error) string {
	t.Helper()
	hashes := pin.Hashes(k.Service)
	var err error
	calls := testkit.Calls(f, func() { err = do() })
	hashes = pin.Hashes(k.Service) - hashes
	for i, call := range calls {
		calls[i] = strings.Replace(call, "pin-receipt.inps", "pin.inps", 1) // a stranger has no credential to write to
	}
	return fmt.Sprintf("%v; %s; %d hashes", err, strings.Join(calls, ", "), hashes)
}

// TestStrangersLearnNothing shows that whoever does not know the secret gets the same answer after the same store calls and
// the same hash work, whatever the subject is.
func TestStrangersLearnNothing(t *testing.T) {
	anonymous := []struct {
		name string
		do   func(k *kit) error
	}{
		{"verify", func(k *kit) error {
			_, err := k.Verify(t.Context(), try(wrong))
			return err
		}},
		{"verify what cannot be a secret", func(k *kit) error {
			_, err := k.Verify(t.Context(), try("\x00 ~~ "+strings.Repeat("é", 5000)))
			return err
		}},
		{"verify nothing", func(k *kit) error {
			_, err := k.Verify(t.Context(), try(""))
			return err
		}},
		{"verify with a device's value of another subject", func(k *kit) error {
			value, err := pin.Gate(k.Service).RememberDevice(t.Context(), lockout.Target{Subject: "SOMEBODY ELSE"})
			require.NoError(t, err)
			_, err = k.Verify(t.Context(), from(value.Reveal(), wrong))
			return err
		}},
		{"verify with a device's value that is made up", func(k *kit) error {
			_, err := k.Verify(t.Context(), from(strings.Repeat("A", 44), wrong))
			return err
		}},
		{"exchange", func(k *kit) error {
			return testkit.Err(k.Exchange(t.Context(), try(wrong), civicpin.NewSecret(changed)))
		}},
		{"exchange what cannot be a secret", func(k *kit) error {
			return testkit.Err(k.Exchange(t.Context(), try("\x00 ~~ "+strings.Repeat("é", 5000)), civicpin.NewSecret(changed)))
		}},
		{"exchange until locked", func(k *kit) error {
			var err error
			for range 6 {
				err = testkit.Err(k.Exchange(t.Context(), try(wrong), civicpin.NewSecret(chosen)))
			}
			require.ErrorAs(t, err, new(*lockout.LockedError))
			return err
		}},
		{"change", func(k *kit) error { return testkit.Err(k.Change(t.Context(), try(wrong), civicpin.NewSecret(changed))) }},
		{"change to a common value", func(k *kit) error {
			return testkit.Err(k.Change(t.Context(), try(wrong), civicpin.NewSecret("12345678")))
		}},
		{"resend", func(k *kit) error { return k.Resend(t.Context(), maria, 0, civicpin.Source{Address: "192.0.2.7"}) }},
		{"resend the e-mail", func(k *kit) error { return k.Resend(t.Context(), maria, 1, civicpin.Source{}) }},
		{"verify until locked", func(k *kit) error {
			var err error
			for range 6 {
				_, err = k.Verify(t.Context(), try(wrong))
			}
			return err
		}},
		{"resend until limited", func(k *kit) error {
			var err error
			for range 11 {
				err = k.Resend(t.Context(), maria, 0, civicpin.Source{})
			}
			require.ErrorAs(t, err, new(*lockout.LockedError))
			return err
		}},
	}
	for _, a := range anonymous {
		t.Run(a.name, func(t *testing.T) {
			first := ""
			for _, p := range people {
				f := storetest.NewFaults(store.NewMemory())
				k := newKitOn(t, f.Store(), withDevices(), newClock(), &testkit.Mailbox{}, &testkit.Recorder{})
				p.prepare(t, k)
				k.clock.Set(newClock().Now().Add(200 * 24 * 3600e9))
				if p.name == "provisional" || strings.Contains(p.name, "just now") { // must still be so
					k.clock.Set(newClock().Now())
				}
				got := trace(t, k, f, func() error { return a.do(k) })
				got = strings.ReplaceAll(got, k.clock.Now().Format("2006-01-02"), "DAY")
				if first == "" {
					first = got
					t.Log(got)
				}
				require.Equal(t, first, got, p.name)
			}
		})
	}
}
