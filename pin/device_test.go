package pin_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/storetest"
)

// withDevices is the policy of INPS with three known devices: 6 of the 50 guesses each, 26 for the open lane.
func withDevices() pin.Policy {
	p := pin.INPS()
	p.Lockout.Devices = 3
	return p
}

// from is an attempt of Maria's that shows a device's value.
func from(device, secret string) pin.Attempt {
	a := try(secret)
	a.Source.Device = civicpin.NewSecret(device)
	return a
}

// remembered logs Maria in and makes her device known.
func (k *kit) remembered(t testing.TB, shown string) string {
	t.Helper()
	ok, err := k.Verify(t.Context(), from(shown, chosen))
	require.NoError(t, err)
	value, err := k.RememberDevice(t.Context(), ok)
	require.NoError(t, err)
	return value.Reveal()
}

// lockedOut has strangers lock Maria's open lane.
func (k *kit) lockedOut(t testing.TB) {
	t.Helper()
	for range 5 {
		_, err := k.Verify(t.Context(), try(wrong))
		require.Error(t, err)
	}
	require.Equal(t, "locked", k.login(""))
}

// login says what comes of the right PIN with a device.
func (k *kit) login(device string) string {
	_, err := k.Verify(context.Background(), from(device, chosen))
	return came(err)
}

// While 10,000 wrong guesses from strangers, from many addresses and over weeks, lock and then disable the open lane, the owner
// with a known device logs in. What the strangers show for a device opens nothing.
func TestOwnerGetsInWhileStrangersLock(t *testing.T) {
	k := newKit(t, withDevices())
	k.exchanged(t)
	device := k.remembered(t, "")
	before, owners := pin.Hashes(k.Service), int64(0)
	for i := range 10_000 {
		a := from([]string{"", "forged", strings.Repeat("A", 44)}[i%3], wrong)
		a.Source.Address = fmt.Sprintf("2001:db8:%x::1", i)
		_, err := k.Verify(t.Context(), a)
		require.Error(t, err)
		if i%100 == 99 {
			require.Equal(t, "right", k.login(device))
			owners++
			k.clock.Add(6 * time.Hour)
		}
	}
	require.EqualValues(t, 26, pin.Hashes(k.Service)-before-owners, "all that the open lane bears")
	require.Equal(t, "locked", k.login(""))
	st, err := k.Status(t.Context(), maria)
	require.NoError(t, err)
	require.True(t, st.Lockout.Locked.Disabled)
	require.Equal(t, 1, st.Lockout.Devices)
	require.NoError(t, testkit.Err(k.Change(t.Context(), from(device, chosen), civicpin.NewSecret(changed))), "and change it")
	_, err = k.Verify(t.Context(), from(device, changed))
	require.NoError(t, err, "from the device that is still known")
}

// Of a thousand wrong guesses with a stolen device at once, five are compared in its lane and five in the open one.
func TestStolenDeviceIsLimited(t *testing.T) {
	m := store.NewMemory()
	k := newKitOn(t, m, withDevices(), newClock(), &testkit.Mailbox{}, &testkit.Recorder{})
	k.exchanged(t)
	device, another := k.remembered(t, ""), k.remembered(t, "")
	others := []*kit{k, k.other(t, m)}
	before := pin.Hashes(others[0].Service) + pin.Hashes(others[1].Service)
	var wg sync.WaitGroup
	for i := range 1000 {
		wg.Go(func() {
			for {
				_, err := others[i%2].Verify(t.Context(), from(device, wrong))
				if err == nil {
					t.Error("a wrong guess was let in")
				}
				if !errors.Is(err, pin.ErrBusy) {
					return
				}
				time.Sleep(rand.N(20 * time.Millisecond))
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, 10, pin.Hashes(others[0].Service)+pin.Hashes(others[1].Service)-before)
	require.Equal(t, "locked", k.login(device))
	require.Equal(t, "right", k.login(another))
}

// Only a login with the citizen's own secret makes a device known, and only as long as that secret is the one.
func TestRememberNeedsALogin(t *testing.T) {
	ctx := t.Context()
	refused := func(k *kit, ok pin.Verified) {
		t.Helper()
		value, err := k.RememberDevice(ctx, ok)
		require.ErrorIs(t, err, pin.ErrWrongState)
		require.Empty(t, value.Reveal())
	}
	k := newKit(t, withDevices())
	refused(k, pin.Verified{})
	refused(k, pin.Verified{Level: civicpin.High})
	code := k.issued(t)
	ok, err := k.Verify(ctx, try(code))
	require.NoError(t, err)
	refused(k, ok)
	ok.MustExchange = false
	refused(k, ok)
	ok, err = k.Verify(ctx, try(wrong))
	require.ErrorIs(t, err, pin.ErrRefused)
	refused(k, ok)
	st, err := k.Status(ctx, maria)
	require.NoError(t, err)
	require.Zero(t, st.Lockout.Devices)

	for name, end := range map[string]func(*kit) error{
		"changed":   func(k *kit) error { return testkit.Err(k.Change(ctx, try(chosen), civicpin.NewSecret(changed))) },
		"suspended": func(k *kit) error { return k.Suspend(ctx, maria, "", clerk) },
		"revoked":   func(k *kit) error { return k.Revoke(ctx, maria, "", clerk) },
		"issued anew": func(k *kit) error {
			_, err := k.Issue(ctx, maria, inps())
			require.ErrorIs(t, err, pin.ErrWrongState)
			return errors.Join(k.Revoke(ctx, maria, "", clerk), k.atDesk(t))
		},
	} {
		k := newKit(t, withDevices())
		k.exchanged(t)
		ok, err := k.Verify(ctx, try(chosen))
		require.NoError(t, err)
		k.clock.Add(time.Second)
		require.NoError(t, end(k), name)
		refused(k, ok)
	}

	k = newKit(t, pin.INPS())
	k.exchanged(t)
	ok, err = k.Verify(ctx, try(chosen))
	require.NoError(t, err)
	_, err = k.RememberDevice(ctx, ok)
	require.ErrorIs(t, err, civicpin.ErrInvalid, "a policy without known devices")
}

// A known device logs in again and again and takes one place; a fourth one displaces the first.
func TestDevicesOfOneCitizen(t *testing.T) {
	k := newKit(t, withDevices())
	k.exchanged(t)
	phone, tablet := k.remembered(t, ""), k.remembered(t, "")
	for range 5 {
		phone = k.remembered(t, phone)
		k.clock.Add(day)
	}
	st, err := k.Status(t.Context(), maria)
	require.NoError(t, err)
	require.Equal(t, 2, st.Lockout.Devices)
	laptop := k.remembered(t, "")
	fourth := k.remembered(t, "garbage")
	k.lockedOut(t)
	require.Equal(t, "locked", k.login(tablet))
	for _, device := range []string{phone, laptop, fourth} {
		require.Equal(t, "right", k.login(device))
	}
}

// Revoking forgets the devices, whichever store call fails; and a device that is remembered while the secret changes is
// nobody's.
func TestRevokingForgetsDevices(t *testing.T) {
	for _, o := range []storetest.Outcome{storetest.NotDone, storetest.ReplyLost, storetest.DoneLater} {
		for call := 1; call <= 5; call++ {
			f := storetest.NewFaults(store.NewMemory())
			k := newKitOn(t, f.Store(), withDevices(), newClock(), &testkit.Mailbox{}, &testkit.Recorder{})
			k.exchanged(t)
			device := k.remembered(t, "")
			f.Reset()
			f.FailAt(call, o)
			err := k.Revoke(t.Context(), maria, "stolen", clerk)
			if call > 4 {
				require.NoError(t, err, "four calls")
			}
			f.Deliver(t.Context())
			f.Reset()
			if err != nil {
				require.NoError(t, k.Revoke(t.Context(), maria, "stolen", clerk))
			}
			k.exchanged(t)
			k.lockedOut(t)
			require.Equal(t, "locked", k.login(device), "call %d", call)
		}
	}

	// Revoked and issued anew between the moment in which the device is written and its end.
	for _, before := range []string{"put devices.", "get pin.inps"} {
		f := storetest.NewFaults(store.NewMemory())
		k := newKitOn(t, f.Store(), withDevices(), newClock(), &testkit.Mailbox{}, &testkit.Recorder{})
		k.exchanged(t)
		ok, err := k.Verify(t.Context(), try(chosen))
		require.NoError(t, err)
		k.clock.Add(time.Second)
		met := false
		f.Hook(func(method, key string) error {
			if !met && strings.HasPrefix(strings.ToLower(method)+" "+key, before) {
				met = true
				require.NoError(t, k.Revoke(t.Context(), maria, "", clerk))
				k.exchanged(t)
			}
			return nil
		})
		value, err := k.RememberDevice(t.Context(), ok)
		require.True(t, met, before)
		require.ErrorIs(t, err, pin.ErrWrongState, before)
		require.Empty(t, value.Reveal())
	}
}

// TestDeviceIsNotPrinted: neither the answer of Verify, nor an event, an error or the store shows a device's value.
func TestDeviceIsNotPrinted(t *testing.T) {
	m := store.NewMemory()
	k := newKitOn(t, m, withDevices(), newClock(), &testkit.Mailbox{}, &testkit.Recorder{})
	k.exchanged(t)
	device := k.remembered(t, "")
	ok, err := k.Verify(t.Context(), from(device, chosen))
	require.NoError(t, err)
	value, err := k.RememberDevice(t.Context(), ok)
	require.NoError(t, err)
	text, err := json.Marshal([]any{ok, value})
	require.NoError(t, err)
	_, err = k.Verify(t.Context(), from(value.Reveal(), wrong))
	var all strings.Builder
	all.WriteString(string(text) + fmt.Sprintf("%v %+v %#v %v %+v %+v", ok, ok, ok, err, value, k.events.All()))
	for item, err := range m.List(t.Context(), "", "") {
		require.NoError(t, err)
		all.WriteString(item.Key + string(item.Value))
	}
	require.Contains(t, all.String(), "lockout.device_remembered")
	require.Contains(t, all.String(), "Device:[redacted]")
	for _, secret := range []string{device, value.Reveal()} {
		require.False(t, strings.Contains(all.String(), secret))
	}
}
