package lockout_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/storetest"
)

// TestRememberAfterLock: an operator who locks between a right guess and RememberDevice leaves no lane open past the lock,
// until the lock ends.
func TestRememberAfterLock(t *testing.T) {
	lock := func(g *lockout.Gate) error { return g.Lock(t.Context(), key("CITIZEN"), operator) }
	unlock := func(g *lockout.Gate) error { return g.Unlock(t.Context(), key("CITIZEN"), operator) }
	rebind := func(g *lockout.Gate) error { return g.Rebind(t.Context(), key("CITIZEN"), operator) }
	forget := func(g *lockout.Gate) error { return g.ForgetDevices(t.Context(), "CITIZEN", operator) }
	other := func(g *lockout.Gate) error {
		return g.Lock(t.Context(), lockout.Target{Subject: "CITIZEN", Lane: "x"}, operator)
	}
	strangers := func(g *lockout.Gate) error { lockOpen(t, g, "CITIZEN"); return nil }
	disable := func(g *lockout.Gate) error {
		for !isDisabled(g.Do(t.Context(), key("CITIZEN"), wrong)) {
			if err := g.Unlock(t.Context(), key("CITIZEN"), operator); err != nil {
				return err
			}
		}
		return nil
	}
	refused := func(act func(*lockout.Gate) error) func(*lockout.Gate) error {
		return func(g *lockout.Gate) error {
			require.ErrorIs(t, act(g), lockout.ErrLocked)
			return nil
		}
	}
	type acts []func(*lockout.Gate) error
	for name, tc := range map[string]struct {
		acts acts
		ok   bool
	}{
		"nothing":                     {acts{}, true},
		"locked":                      {acts{lock}, false},
		"locked twice":                {acts{lock, lock}, false},
		"locked and forgotten":        {acts{lock, forget}, false},
		"locked after strangers did":  {acts{strangers, lock}, false},
		"locked and unlocked":         {acts{lock, unlock}, true},
		"locked, unlocked, locked":    {acts{lock, unlock, lock}, false},
		"locked and rebound":          {acts{lock, rebind}, true},
		"strangers locked":            {acts{strangers}, true},
		"strangers locked, unlocked":  {acts{strangers, unlock}, true},
		"another lane is locked":      {acts{other}, true},
		"forgotten":                   {acts{forget}, true},
		"disabled":                    {acts{disable}, true},
		"disabled, locked":            {acts{disable, lock}, false},
		"disabled, locked, no unlock": {acts{disable, lock, refused(unlock)}, false},
		"disabled, locked, rebound":   {acts{disable, lock, rebind}, true},
	} {
		for _, known := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, known device %t", name, known), func(t *testing.T) {
				clock := newClock()
				vault := memoryVault(t, clock.Now, nil)
				gate := newGate(t, vault, threeDevices)
				shown := ""
				if known {
					shown = remember(t, gate, "CITIZEN", "")
				}
				require.NoError(t, gate.Do(t.Context(), showing("CITIZEN", shown), right))
				for _, act := range tc.acts {
					require.NoError(t, act(gate))
				}
				clock.Add(day) // a lock does not end by itself, nor what it says of devices
				_, err := vault.Purge(t.Context(), store.Pass{})
				require.NoError(t, err)
				value, err := gate.RememberDevice(t.Context(), showing("CITIZEN", shown))
				if !tc.ok {
					require.True(t, asLocked(t, err).Until.IsZero())
					require.True(t, value.IsZero())
					st, err := gate.Status(t.Context(), key("CITIZEN"))
					require.NoError(t, err)
					require.Zero(t, st.Devices)
					return
				}
				require.NoError(t, err)
				require.NoError(t, gate.Do(t.Context(), showing("CITIZEN", value.Reveal()), right))
			})
		}
	}
}

func isDisabled(err error) bool {
	return err != nil && err.Error() == (&lockout.LockedError{Disabled: true}).Error()
}

// TestRememberMeetsLock: whichever comes first, no device that is remembered at the same time gets in past an operator's lock.
func TestRememberMeetsLock(t *testing.T) {
	vault := memoryVault(t, nil, nil)
	gate := newGate(t, vault, threeDevices)
	for i := range 200 {
		subject := civicpin.Subject(fmt.Sprint("CITIZEN ", i))
		var value civicpin.Secret
		results := testkit.Crowd(2, func(n int) error {
			if n == 0 {
				return gate.Lock(t.Context(), key(subject), operator)
			}
			var err error
			value, err = gate.RememberDevice(t.Context(), key(subject))
			return err
		})
		require.NoError(t, results[0])
		if results[1] != nil {
			asLocked(t, results[1])
		}
		asLocked(t, gate.Do(t.Context(), showing(subject, value.Reveal()), never(t)))
		_, err := gate.RememberDevice(t.Context(), key(subject))
		asLocked(t, err)
	}
}

// TestLockFaults: a lock that the store fails opens nothing, and one that is done again shuts out as one that went well. The
// same of what ends it: it can be done again.
func TestLockFaults(t *testing.T) {
	acts := map[string]func(*lockout.Gate) error{
		"unlock": func(g *lockout.Gate) error { return g.Unlock(t.Context(), key("CITIZEN"), operator) },
		"rebind": func(g *lockout.Gate) error { return g.Rebind(t.Context(), key("CITIZEN"), operator) },
	}
	for name, end := range acts {
		for _, o := range []storetest.Outcome{storetest.NotDone, storetest.ReplyLost} {
			for k := 1; k <= 8; k++ {
				faults := storetest.NewFaults(store.NewMemory())
				gate := newGate(t, newVault(t, faults.Store(), newClock().Now, nil), threeDevices)
				value := remember(t, gate, "CITIZEN", "")
				again := func(act func(*lockout.Gate) error) {
					faults.Reset()
					faults.FailAt(k, o)
					if err := act(gate); err != nil {
						require.ErrorIs(t, err, storetest.ErrInjected)
						require.NoError(t, act(gate), "%s %d", name, k)
					}
					faults.Reset()
				}
				again(func(g *lockout.Gate) error { return g.Lock(t.Context(), key("CITIZEN"), operator) })
				asLocked(t, gate.Do(t.Context(), showing("CITIZEN", value), never(t)))
				_, err := gate.RememberDevice(t.Context(), showing("CITIZEN", value))
				asLocked(t, err)
				again(end)
				require.NoError(t, gate.Do(t.Context(), key("CITIZEN"), right))
				remember(t, gate, "CITIZEN", "")
			}
		}
	}
}

// TestLockMeetsUnlock has one operator lock at each store call of another one's unlock or rebinding, and the other way round.
// Whichever wins, no device becomes known while the lock is in force, and a last unlock sets everything right.
func TestLockMeetsUnlock(t *testing.T) {
	lock := func(g *lockout.Gate) error { return g.Lock(t.Context(), key("CITIZEN"), operator) }
	unlock := func(g *lockout.Gate) error { return g.Unlock(t.Context(), key("CITIZEN"), operator) }
	rebind := func(g *lockout.Gate) error { return g.Rebind(t.Context(), key("CITIZEN"), operator) }
	for name, tc := range map[string]struct{ slow, quick func(*lockout.Gate) error }{
		"lock at unlock": {unlock, lock},
		"lock at rebind": {rebind, lock},
		"unlock at lock": {lock, unlock},
		"rebind at lock": {lock, rebind},
	} {
		t.Run(name, func(t *testing.T) {
			locked := 0
			for _, before := range []bool{false, true} {
				reached := true
				for k := 1; reached; k++ {
					memory, clock := store.NewMemory(), newClock()
					quick := newGate(t, newVault(t, memory, clock.Now, nil), threeDevices)
					faults := storetest.NewFaults(memory)
					slow := newGate(t, newVault(t, faults.Store(), clock.Now, nil), threeDevices)
					remember(t, quick, "CITIZEN", "")
					if before {
						require.NoError(t, lock(quick))
					}
					n := 0
					faults.Hook(func(string, string) error {
						if n++; n == k {
							require.NoError(t, tc.quick(quick))
						}
						return nil
					})
					require.NoError(t, tc.slow(slow))
					reached = n >= k
					st, err := quick.Status(t.Context(), key("CITIZEN"))
					require.NoError(t, err)
					if st.Locked != nil {
						locked++
						_, err := quick.RememberDevice(t.Context(), key("CITIZEN"))
						require.ErrorIs(t, err, lockout.ErrLocked, "call %d", k)
						require.Zero(t, st.Devices)
					}
					require.NoError(t, unlock(quick))
					remember(t, quick, "CITIZEN", "")
				}
			}
			require.Positive(t, locked)
		})
	}
}
