package lockout_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/store"
)

// showing is a key of a subject's that shows a device's value.
func showing(subject civicpin.Subject, value string) lockout.Target {
	return lockout.Target{Subject: subject, Source: civicpin.Source{Device: civicpin.NewSecret(value)}}
}

// remember makes a device known in place of the one shown, "" for none, and returns its value.
func remember(tb testing.TB, g *lockout.Gate, subject civicpin.Subject, shown string) string {
	tb.Helper()
	value, err := g.RememberDevice(tb.Context(), showing(subject, shown))
	require.NoError(tb, err)
	return value.Reveal()
}

// threeDevices has a limit of 5; of the ceiling of 100, 12 are a device's and 52 the open lane's.
var threeDevices = lockout.Policy{Limit: 5, Lock: lockout.UntilUnlocked, Devices: 3}

// lockOpen has strangers lock a subject's open lane.
func lockOpen(tb testing.TB, g *lockout.Gate, subject civicpin.Subject) {
	tb.Helper()
	for range g.Policy().Limit {
		require.Error(tb, g.Do(tb.Context(), key(subject), wrong))
	}
	asLocked(tb, g.Do(tb.Context(), key(subject), never(tb)))
}

// TestWhatOpensNoLane: while the open lane is locked, nothing but a value that is genuine, of the subject and gate, and known,
// gets anybody in.
func TestWhatOpensNoLane(t *testing.T) {
	clock := newClock()
	vault := memoryVault(t, clock.Now, nil)
	gate := newGate(t, vault, threeDevices)
	other := newNamed(t, vault, "login2", threeDevices)
	none := newGate(t, vault, lockout.Policy{Limit: 5, Lock: lockout.UntilUnlocked})

	good := remember(t, gate, "CITIZEN", "")
	lockOpen(t, gate, "CITIZEN")
	lockOpen(t, other, "CITIZEN")
	require.NoError(t, gate.Do(t.Context(), showing("CITIZEN", good), right))

	raw, err := base64.RawURLEncoding.DecodeString(good)
	require.NoError(t, err)
	forged := map[string]string{
		"nothing": "", "a blank": " ", "cut off": good[:43], "something behind": good + "A", "padded": good + "==",
		"a line end": good[:43] + "\n", "a line end more": good[:20] + "\n" + good[20:], "of another case": strings.ToLower(good),
		"the id alone": base64.RawURLEncoding.EncodeToString(raw[1:17]), "long": strings.Repeat(good, 1000),
		"of another alphabet": base64.RawStdEncoding.EncodeToString(append([]byte{1, 0xfb, 0xff}, raw[3:]...)),
		"another's":           remember(t, gate, "ANOTHER", ""), "of another gate": remember(t, other, "CITIZEN", ""),
		"zero": base64.RawURLEncoding.EncodeToString(make([]byte, 33)), "not UTF-8": good[:43] + "\xff",
	}
	for i := range raw {
		bent := append([]byte(nil), raw...)
		bent[i] ^= 1 << (i % 8)
		forged["changed at "+string(rune('A'+i))] = base64.RawURLEncoding.EncodeToString(bent)
	}
	for name, value := range forged {
		require.False(t, lockout.Shown(gate, showing("CITIZEN", value)), name)
		asLocked(t, gate.Do(t.Context(), showing("CITIZEN", value), never(t)))
	}
	require.False(t, lockout.Shown(gate, showing("ANOTHER", good)), "moved to another subject")
	require.False(t, lockout.Shown(none, showing("CITIZEN", good)), "in a gate without devices")
	asLocked(t, none.Do(t.Context(), showing("CITIZEN", good), never(t)))
	require.False(t, lockout.Shown(gate, lockout.Target{Subject: "CITIZEN", Lane: "x", Source: civicpin.Source{Device: civicpin.NewSecret(good)}}), "in a lane")
	require.NoError(t, gate.Do(t.Context(), showing("CITIZEN", good), right), "none of that ended the good one")

	opensNothing := func(value string) {
		t.Helper()
		require.True(t, lockout.Shown(gate, showing("CITIZEN", value)), "genuine, but")
		asLocked(t, gate.Do(t.Context(), showing("CITIZEN", value), never(t)))
	}
	next := remember(t, gate, "CITIZEN", good)
	opensNothing(good) // replaced
	more := []string{next}
	for range 3 {
		require.NoError(t, gate.Do(t.Context(), showing("CITIZEN", next), right))
		more = append(more, remember(t, gate, "CITIZEN", ""))
	}
	opensNothing(more[0]) // the oldest of four
	for _, value := range more[1:] {
		require.NoError(t, gate.Do(t.Context(), showing("CITIZEN", value), right))
	}
	clock.Add(180*day - 1)
	require.NoError(t, gate.Do(t.Context(), showing("CITIZEN", more[1]), right))
	clock.Add(1)
	opensNothing(more[1]) // expired
	fresh := remember(t, gate, "CITIZEN", more[1])
	require.NoError(t, gate.Do(t.Context(), showing("CITIZEN", fresh), right))
	require.NoError(t, gate.ForgetDevices(t.Context(), "CITIZEN", operator))
	opensNothing(fresh) // forgotten
	require.NotEqual(t, fresh, remember(t, gate, "CITIZEN", fresh))
	opensNothing(fresh)
}

// TestRememberIsRefused: what RememberDevice and ForgetDevices refuse changes nothing.
func TestRememberIsRefused(t *testing.T) {
	memory := store.NewMemory()
	vault := newVault(t, memory, nil, nil)
	gate := newGate(t, vault, threeDevices)
	none := newGate(t, vault, lockout.Policy{Limit: 5, Lock: lockout.UntilUnlocked})
	for name, f := range map[string]func() (civicpin.Secret, error){
		"no subject": func() (civicpin.Secret, error) { return gate.RememberDevice(t.Context(), lockout.Target{}) },
		"a lane": func() (civicpin.Secret, error) {
			return gate.RememberDevice(t.Context(), lockout.Target{Subject: "CITIZEN", Lane: "x"})
		},
		"a policy without": func() (civicpin.Secret, error) { return none.RememberDevice(t.Context(), key("CITIZEN")) },
		"no subject to forget": func() (civicpin.Secret, error) {
			return civicpin.Secret{}, gate.ForgetDevices(t.Context(), "", operator)
		},
		"nobody forgets": func() (civicpin.Secret, error) {
			return civicpin.Secret{}, gate.ForgetDevices(t.Context(), "CITIZEN", "")
		},
	} {
		value, err := f()
		require.ErrorIs(t, err, civicpin.ErrInvalid, name)
		require.Empty(t, value.Reveal(), name)
	}
	require.NoError(t, gate.ForgetDevices(t.Context(), "CITIZEN", operator), "there are none")
	require.NoError(t, none.ForgetDevices(t.Context(), "CITIZEN", operator))
	require.Len(t, values(t, memory, ""), 1, "the canary")
}

// FuzzDevice: what parses is written again as it was, and no value but the genuine one opens a lane.
func FuzzDevice(f *testing.F) {
	gate := newGate(f, memoryVault(f, nil, nil), threeDevices)
	// The id is given: each process that fuzzes has to find the same one genuine.
	id := [16]byte([]byte("an id of a phone"))
	good := lockout.DeviceValue(gate, "CITIZEN", id)
	f.Add(good)
	f.Add(good[:43] + "\n")
	f.Add(lockout.DeviceValue(gate, "ANOTHER", id))
	f.Add("")
	f.Fuzz(func(t *testing.T, value string) {
		again, ok := lockout.ParseDevice(value)
		if ok && again != value {
			t.Errorf("%q is written again as %q", value, again)
		}
		if opens := lockout.Shown(gate, showing("CITIZEN", value)); opens != (value == good) {
			t.Errorf("opens: %t", opens)
		}
	})
}
