package pin_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/password"
	"github.com/civicpin/civicpin/internal/shown"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/pin/state"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
	"github.com/civicpin/civicpin/store/storetest"
)

// choices are the calls by which a subject gets a secret of their own, and with it a login.
var choices = []struct {
	name string
	// prepare returns what the call shows of the subject.
	prepare func(t *testing.T, k *kit) string
	call    func(t *testing.T, k *kit, shown, choice string) (pin.Verified, error)
}{
	{
		"exchange", func(t *testing.T, k *kit) string { return k.issued(t) },
		func(t *testing.T, k *kit, shown, choice string) (pin.Verified, error) {
			return k.Exchange(t.Context(), try(shown), civicpin.NewSecret(choice))
		},
	},
	{
		"change", func(t *testing.T, k *kit) string { k.exchanged(t); return chosen },
		func(t *testing.T, k *kit, shown, choice string) (pin.Verified, error) {
			return k.Change(t.Context(), try(shown), civicpin.NewSecret(choice))
		},
	},
	{
		"set", func(t *testing.T, k *kit) string { k.exchanged(t); k.grant = k.granted(t); return "" },
		func(t *testing.T, k *kit, _, choice string) (pin.Verified, error) {
			return k.Set(t.Context(), k.grant, civicpin.NewSecret(choice), civicpin.Source{})
		},
	},
}

// Exchange, Change and Set return what a login with the new secret returns, so that no login has to follow.
func TestChoosingIsALogin(t *testing.T) {
	for _, c := range choices {
		t.Run(c.name, func(t *testing.T) {
			k := newKit(t, withDevices())
			old := c.prepare(t, k)
			ok, err := c.call(t, k, old, "12345678")
			require.ErrorIs(t, err, pin.ErrUnfitSecret)
			require.Zero(t, ok)

			ok, err = c.call(t, k, old, changed)
			require.NoError(t, err)
			require.Equal(t, shown.Login, shown.Open(k.vault, maria, ok.Shown).Kind)
			login, err := k.Verify(t.Context(), try(changed))
			require.NoError(t, err)
			require.Equal(t, visible(login), visible(ok))
			require.NotEmpty(t, ok.Epoch)
			_, err = k.RememberDevice(t.Context(), ok)
			require.NoError(t, err)
		})
	}
}

// visible is what a portal sees of a login, without what differs between two logins at one moment.
func visible(ok pin.Verified) pin.Verified {
	return pin.Verified{Level: ok.Level, MustExchange: ok.MustExchange, ExpiresAt: ok.ExpiresAt, Epoch: ok.Epoch, KnownDevice: ok.KnownDevice}
}

// An act ends the sessions of before if the owner, or staff, must be able to rely on it. What strangers can cause, and what the
// owner does every day, does not.
func TestEpoch(t *testing.T) {
	for name, tt := range map[string]struct {
		ends bool
		act  func(t *testing.T, k *kit) error
	}{
		"login": {false, func(t *testing.T, k *kit) error { return testkit.Err(k.Verify(t.Context(), try(chosen))) }},
		"login later": {false, func(t *testing.T, k *kit) error {
			k.clock.Add(30 * day)
			_, right := k.works(t, chosen)
			require.True(t, right)
			return nil
		}},
		"wrong guesses until disabled": {false, func(t *testing.T, k *kit) error {
			for range 60 {
				require.Error(t, testkit.Err(k.Verify(t.Context(), try(wrong))))
				k.clock.Add(day)
			}
			return nil
		}},
		"unlock":           {false, func(t *testing.T, k *kit) error { return k.Unlock(t.Context(), maria, clerk) }},
		"unlock by a plan": {false, func(t *testing.T, k *kit) error { return k.unlocked(t, k.completed(t)) }},
		"device":           {false, func(t *testing.T, k *kit) error { k.remembered(t, ""); return nil }},
		"evidence": {false, func(t *testing.T, k *kit) error {
			return k.Attest(t.Context(), maria, civicpin.Evidence{Method: civicpin.InPerson, By: clerk})
		}},
		"lower level": {false, func(t *testing.T, k *kit) error {
			return k.LowerLevel(t.Context(), maria, civicpin.NoLevel, k.clock.Now().Add(day), "", clerk)
		}},
		"issue that is refused": {false, func(t *testing.T, k *kit) error {
			require.ErrorIs(t, testkit.Err(k.Issue(t.Context(), maria, inps())), pin.ErrWrongState)
			return nil
		}},
		"grant": {false, func(t *testing.T, k *kit) error { k.granted(t); return nil }},
		"age":   {false, func(_ *testing.T, k *kit) error { k.clock.Add(200 * day); return nil }},

		"change": {true, func(t *testing.T, k *kit) error {
			return testkit.Err(k.Change(t.Context(), try(chosen), civicpin.NewSecret(changed)))
		}},
		"set": {true, func(t *testing.T, k *kit) error {
			return testkit.Err(k.Set(t.Context(), k.granted(t), civicpin.NewSecret(changed), civicpin.Source{}))
		}},
		"reissue": {true, func(t *testing.T, k *kit) error {
			return testkit.Err(k.Reissue(t.Context(), k.granted(t, inps().Parts...), civicpin.Source{}))
		}},
		"issue over disuse": {true, func(t *testing.T, k *kit) error { k.clock.Add(200 * day); k.issued(t); return nil }},
		"revoke":            {true, func(t *testing.T, k *kit) error { return k.Revoke(t.Context(), maria, state.Ended, "", clerk) }},
		"revoke and exchange anew": {true, func(t *testing.T, k *kit) error {
			require.NoError(t, k.Revoke(t.Context(), maria, state.Ended, "", clerk))
			k.anew(t)
			return nil
		}},
		"revoke and import": {true, func(t *testing.T, k *kit) error {
			require.NoError(t, k.Revoke(t.Context(), maria, state.Ended, "", clerk))
			return k.Import(t.Context(), maria, civicpin.NewSecret(weak), pin.ImportOptions{By: clerk})
		}},
		"log out everywhere": {true, func(t *testing.T, k *kit) error {
			return k.EndSessions(t.Context(), maria, civicpin.Citizen)
		}},
		"suspend": {true, func(t *testing.T, k *kit) error { return k.Suspend(t.Context(), maria, "", clerk) }},
		"suspend and resume": {true, func(t *testing.T, k *kit) error {
			require.NoError(t, k.Suspend(t.Context(), maria, "", clerk))
			return k.Resume(t.Context(), maria, civicpin.Evidence{}, "", clerk)
		}},
		"it was not me": {true, func(t *testing.T, k *kit) error { return k.Stop(t.Context(), maria, "", civicpin.Citizen) }},
		"erase":         {true, func(t *testing.T, k *kit) error { return testkit.Err(k.vault.Erase(t.Context(), maria, store.Pass{})) }},
		"erase and register anew": {true, func(t *testing.T, k *kit) error {
			err := testkit.Err(k.vault.Erase(t.Context(), maria, store.Pass{}))
			k.exchanged(t)
			return err
		}},
	} {
		t.Run(name, func(t *testing.T) {
			k := newKit(t, withDevices())
			k.exchanged(t)
			session, right := k.works(t, chosen)
			require.True(t, right)
			require.Equal(t, session.Epoch, k.epoch(t, maria))
			require.NoError(t, tt.act(t, k))
			require.Equal(t, tt.ends, session.Epoch != k.epoch(t, maria))
		})
	}
}

// epoch returns a subject's epoch.
func (k *kit) epoch(t *testing.T, subject civicpin.Subject) pin.Epoch {
	t.Helper()
	epoch, err := k.Epoch(t.Context(), subject)
	require.NoError(t, err)
	return epoch
}

// A login that renews the hash, or is the first after an import, goes on.
func TestEpochStaysWithARenewedHash(t *testing.T) {
	k := newKit(t, pin.INPS())
	require.NoError(t, k.Import(t.Context(), maria, civicpin.NewSecret(weak), pin.ImportOptions{By: clerk}))
	before := k.plain(t)
	ok, right := k.works(t, chosen)
	require.True(t, right)
	require.NotEqual(t, before, k.plain(t))
	require.Equal(t, ok.Epoch, k.epoch(t, maria))
}

// weak is a hash of chosen with other costs than the policies'.
var weak = password.New(password.Params{Memory: 16, Time: 1, Threads: 1}, chosen).Encode()

// Nobody has a session of a subject without a secret of their own; a portal that forgets to look at an error or at MustExchange
// has none either.
func TestEpochOfNoLogin(t *testing.T) {
	k := newKit(t, pin.INPS())
	refused, err := k.Verify(t.Context(), try(wrong))
	require.ErrorIs(t, err, pin.ErrRefused)
	require.NotEqual(t, refused.Epoch, k.epoch(t, maria), "unknown")
	begun := k.granted(t)
	require.NotEqual(t, refused.Epoch, k.epoch(t, maria), "begun")
	require.NoError(t, testkit.Err(k.Set(t.Context(), begun, civicpin.NewSecret(chosen), civicpin.Source{})))
	require.NoError(t, k.Revoke(t.Context(), maria, state.Ended, "", clerk))
	ok, right := k.works(t, k.issued(t))
	require.True(t, right)
	require.True(t, ok.MustExchange)
	require.NotEqual(t, ok.Epoch, k.epoch(t, maria), "issued")
	_, err = k.Epoch(t.Context(), "")
	require.ErrorIs(t, err, civicpin.ErrInvalid)
}

// A login that was compared before a change, and returns after it, is no session.
func TestEpochOfALateLogin(t *testing.T) {
	k := newKit(t, pin.INPS())
	k.exchanged(t)
	ok, right := k.works(t, chosen)
	require.True(t, right)
	again, err := k.Change(t.Context(), try(chosen), civicpin.NewSecret(changed))
	require.NoError(t, err)
	require.NotEqual(t, ok.Epoch, k.epoch(t, maria))
	require.Equal(t, again.Epoch, k.epoch(t, maria))
	require.LessOrEqual(t, len(again.Epoch), 64)
}

// Epoch makes the same store calls for every subject.
func TestEpochIsTheSameWork(t *testing.T) {
	first := ""
	for _, p := range people {
		k := newKit(t, withDevices())
		f := k.faults
		p.prepare(t, k)
		got := trace(t, k, f, func() error { return testkit.Err(k.Epoch(t.Context(), maria)) })
		if first == "" {
			first = got
		}
		require.Equal(t, first, got, p.name)
	}
	k := newKit(t, pin.INPS())
	f := k.faults
	f.FailAt(1, storetest.NotDone)
	epoch, err := k.Epoch(t.Context(), maria)
	require.ErrorIs(t, err, storetest.ErrInjected)
	require.Empty(t, epoch)
}

// A login says whether it came from a device that the subject made known, and that is known still.
func TestKnownDevice(t *testing.T) {
	for name, tt := range map[string]struct {
		known  bool
		device func(t *testing.T, k *kit) string
	}{
		"none":    {false, func(t *testing.T, k *kit) string { k.remembered(t, ""); return "" }},
		"made up": {false, func(t *testing.T, k *kit) string { k.remembered(t, ""); return strings.Repeat("A", 44) }},
		"of another subject": {false, func(t *testing.T, k *kit) string {
			k.remembered(t, "")
			value, err := pin.Gate(k.Service).RememberDevice(t.Context(), lockout.Target{Subject: "SOMEBODY ELSE"})
			require.NoError(t, err)
			return value.Reveal()
		}},
		"known": {true, func(t *testing.T, k *kit) string { return k.remembered(t, "") }},
		"known while strangers lock": {true, func(t *testing.T, k *kit) string {
			device := k.remembered(t, "")
			k.lockedOut(t)
			return device
		}},
		"known, and its own lane locked": {true, func(t *testing.T, k *kit) string {
			device := k.remembered(t, "")
			for range 5 {
				require.Error(t, testkit.Err(k.Verify(t.Context(), from(device, wrong))))
			}
			return device
		}},
		"replaced": {false, func(t *testing.T, k *kit) string {
			device := k.remembered(t, "")
			k.remembered(t, device)
			return device
		}},
		"forgotten": {false, func(t *testing.T, k *kit) string {
			device := k.remembered(t, "")
			require.NoError(t, pin.Gate(k.Service).ForgetDevices(t.Context(), maria, clerk))
			return device
		}},
		"expired": {false, func(t *testing.T, k *kit) string {
			device := k.remembered(t, "")
			k.clock.Add(pin.Gate(k.Service).Policy().DeviceValid)
			return device
		}},
	} {
		t.Run(name, func(t *testing.T) {
			p := withDevices()
			p.MaxAge, p.MaxUnused = 0, 0
			k := newKit(t, p)
			k.exchanged(t)
			device := tt.device(t, k)
			ok, err := k.Verify(t.Context(), from(device, chosen))
			require.NoError(t, err)
			require.Equal(t, tt.known, ok.KnownDevice)
			ok, err = k.Change(t.Context(), from(device, chosen), civicpin.NewSecret(changed))
			require.NoError(t, err)
			require.Equal(t, tt.known, ok.KnownDevice)
		})
	}
}

// A login tells when the one before it was, to within a day, and to nobody who did not show the secret.
func TestLastLogin(t *testing.T) {
	start := newClock().Now()
	at := func(days int) time.Time { return start.Add(time.Duration(days) * day) }
	verify := func(k *kit) (pin.Verified, error) { return k.Verify(t.Context(), try(chosen)) }
	known := func(k *kit, used time.Time) {
		require.NoError(t, k.Import(t.Context(), maria, civicpin.NewSecret(weak), pin.ImportOptions{By: clerk, UsedAt: used}))
	}
	for name, tt := range map[string]struct {
		before func(k *kit)
		login  func(k *kit) (pin.Verified, error)
		want   time.Time
	}{
		"first": {func(*kit) {}, func(k *kit) (pin.Verified, error) {
			return k.Exchange(t.Context(), try(k.issued(t)), civicpin.NewSecret(chosen))
		}, time.Time{}},
		"after the exchange": {func(k *kit) { k.exchanged(t); k.clock.Add(3 * day) }, verify, at(0)},
		"after another": {func(k *kit) {
			k.exchanged(t)
			k.clock.Add(3 * day)
			k.works(t, chosen)
			k.clock.Add(3 * day)
		}, verify, at(3)},
		"within a day": {func(k *kit) {
			k.exchanged(t)
			k.clock.Add(day - 1)
			k.works(t, chosen)
			k.clock.Add(3 * day)
		}, verify, at(0)},
		"refused ones in between": {func(k *kit) {
			k.exchanged(t)
			k.clock.Add(3 * day)
			k.works(t, wrong)
		}, verify, at(0)},
		"change": {func(k *kit) { k.exchanged(t); k.clock.Add(3 * day) }, func(k *kit) (pin.Verified, error) {
			return k.Change(t.Context(), try(chosen), civicpin.NewSecret(changed))
		}, at(0)},
		"issued anew": {func(k *kit) {
			k.exchanged(t)
			require.NoError(t, k.Revoke(t.Context(), maria, state.Ended, "", clerk))
		}, func(k *kit) (pin.Verified, error) {
			return k.Exchange(t.Context(), try(k.atDeskSent(t)), civicpin.NewSecret(changed))
		}, time.Time{}},
		"recovered in parts": {func(k *kit) {
			k.exchanged(t)
			k.clock.Add(3 * day)
			require.NoError(t, testkit.Err(k.Reissue(t.Context(), k.granted(t, inps().Parts...), civicpin.Source{})))
			require.NoError(t, k.out.Flush(t.Context()))
		}, func(k *kit) (pin.Verified, error) {
			return k.Exchange(t.Context(), try(k.last(phone)+k.last(email)), civicpin.NewSecret(changed))
		}, at(0)},
		"set": {func(k *kit) { k.exchanged(t); k.clock.Add(3 * day) }, func(k *kit) (pin.Verified, error) {
			return k.Set(t.Context(), k.granted(t), civicpin.NewSecret(changed), civicpin.Source{})
		}, time.Time{}},
		"imported": {func(k *kit) { known(k, time.Time{}); k.clock.Add(3 * day) }, verify, time.Time{}},
		"imported and used": {func(k *kit) {
			known(k, time.Time{})
			k.clock.Add(3 * day)
			k.works(t, chosen)
			k.clock.Add(time.Hour)
		}, verify, at(3)},
		"imported with the time":          {func(k *kit) { known(k, at(-50)) }, verify, at(-50)},
		"noted by a clock that was ahead": {func(k *kit) { k.exchanged(t); k.clock.Add(-time.Hour) }, verify, start.Add(-time.Hour)},
	} {
		t.Run(name, func(t *testing.T) {
			k := newKit(t, pin.INPS())
			tt.before(k)
			ok, err := tt.login(k)
			require.NoError(t, err)
			require.True(t, tt.want.Equal(ok.LastLoginAt), "%s", ok.LastLoginAt)

			p := pin.INPS()
			p.MaxUnused = 0
			k = newKit(t, p)
			tt.before(k)
			ok, err = tt.login(k)
			require.NoError(t, err)
			require.Zero(t, ok.LastLoginAt, "nothing is noted")
		})
	}
}

// What was imported without a use is unused since the import.
func TestImportedAndUnused(t *testing.T) {
	k := newKit(t, pin.INPS())
	require.NoError(t, k.Import(t.Context(), maria, civicpin.NewSecret(weak), pin.ImportOptions{By: clerk}))
	st, err := k.Status(t.Context(), maria)
	require.NoError(t, err)
	require.Zero(t, st.UsedAt)
	k.clock.Add(180*day - 1)
	st, err = k.Status(t.Context(), maria)
	require.NoError(t, err)
	require.NotEqual(t, state.SinceUse, st.Expired)
	k.clock.Add(1)
	_, err = k.Verify(t.Context(), try(chosen))
	require.ErrorIs(t, err, pin.ErrExpired)
	require.ErrorContains(t, err, string(state.SinceUse))
}

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
	k := newKit(t, withDevices())
	m := k.memory
	k.exchanged(t)
	device, another := k.remembered(t, ""), k.remembered(t, "")
	others := []*kit{k, k.other(t, m)}
	before := pin.Hashes(others[0].Service) + pin.Hashes(others[1].Service)
	for _, err := range crowd(1000, func(i int) error { return testkit.Err(others[i%2].Verify(t.Context(), from(device, wrong))) }) {
		require.Error(t, err, "a wrong guess was let in")
	}
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
		"revoked":   func(k *kit) error { return k.Revoke(ctx, maria, state.Ended, "", clerk) },
		"issued anew": func(k *kit) error {
			_, err := k.Issue(ctx, maria, inps())
			require.ErrorIs(t, err, pin.ErrWrongState)
			return errors.Join(k.Revoke(ctx, maria, state.Ended, "", clerk), k.atDesk(t))
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

	p := pin.INPS()
	p.Lockout.Devices = 0
	k = newKit(t, p)
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

// Revoking forgets the devices, and so does suspending, whichever store call fails; and a device that is remembered while the
// secret changes is nobody's.
func TestRevokingForgetsDevices(t *testing.T) {
	revoke := func(k *kit) error { return k.Revoke(t.Context(), maria, state.Ended, "stolen", clerk) }
	suspend := func(k *kit) error { return k.Suspend(t.Context(), maria, "stolen", clerk) }
	resume := func(k *kit) { require.NoError(t, k.Resume(t.Context(), maria, civicpin.Evidence{}, "seen", clerk)) }
	for _, o := range []storetest.Outcome{storetest.NotDone, storetest.ReplyLost, storetest.DoneLater} {
		for call := 1; call <= 5; call++ {
			forgotten(t, revoke, func(k *kit) { k.anew(t) }, call, o)
			forgotten(t, suspend, resume, call, o)
		}
	}

	// Revoked and issued anew between the moment in which the device is written and its end.
	for _, before := range []string{"put devices.", "get pin.inps"} {
		k := newKit(t, withDevices())
		f := k.faults
		k.exchanged(t)
		ok, err := k.Verify(t.Context(), try(chosen))
		require.NoError(t, err)
		k.clock.Add(time.Second)
		met := false
		f.Hook(func(method, key string) error {
			if !met && strings.HasPrefix(strings.ToLower(method)+" "+key, before) {
				met = true
				require.NoError(t, k.Revoke(t.Context(), maria, state.Ended, "", clerk))
				k.anew(t)
			}
			return nil
		})
		value, err := k.RememberDevice(t.Context(), ok)
		require.True(t, met, before)
		require.ErrorIs(t, err, pin.ErrWrongState, before)
		require.Empty(t, value.Reveal())
	}
}

// forgotten does what forgets the devices, with a fault at a store call, does it again if it gave an error, and checks that the
// device that was known has no lane afterwards.
func forgotten(t *testing.T, act func(*kit) error, after func(*kit), call int, o storetest.Outcome) {
	t.Helper()
	k := newKit(t, withDevices())
	f := k.faults
	k.exchanged(t)
	device := k.remembered(t, "")
	f.Reset()
	f.FailAt(call, o)
	err := act(k)
	if call > 4 {
		require.NoError(t, err, "four calls")
	}
	f.Deliver(t.Context())
	f.Reset()
	if err != nil {
		require.NoError(t, act(k))
	}
	after(k)
	k.lockedOut(t)
	require.Equal(t, "locked", k.login(device), "call %d", call)
}

// TestDeviceIsNotPrinted: neither the answer of Verify, nor an event, an error or the store shows a device's value.
func TestDeviceIsNotPrinted(t *testing.T) {
	k := newKit(t, withDevices())
	m := k.memory
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

// benchKit is a kit over a store that counts, with the policy's real hashing if wanted.
func benchKit(b *testing.B, real bool) (*kit, *storetest.Faults) {
	b.Helper()
	p := pin.INPS()
	p.Lockout = lockout.Policy{Limit: 100, Lock: lockout.Timed, For: time.Second}
	k := newKit(b, p)
	f := k.faults
	if real {
		var err error
		out, err := outbox.New(k.vault, k.mail, nil)
		require.NoError(b, err)
		k.Service, err = pin.New(out, p)
		require.NoError(b, err)
		k.out = out
	}
	_, err := k.Issue(b.Context(), maria, inps())
	require.NoError(b, err)
	require.NoError(b, k.out.Flush(b.Context()))
	code := k.last(phone) + k.last(email)
	require.NoError(b, testkit.Err(k.Exchange(b.Context(), try(code), civicpin.NewSecret(chosen))))
	return k, f
}

// BenchmarkVerify times a login, with the policy's hashing and with next to none, and says how many store calls it makes.
func BenchmarkVerify(b *testing.B) {
	for _, real := range []bool{true, false} {
		for _, bc := range []struct {
			name    string
			subject civicpin.Subject
			secret  string
			locked  bool
		}{
			{"right", maria, chosen, false},
			{"wrong", maria, wrong, false},
			{"unknown", "NOBODY", wrong, false},
			{"locked", maria, chosen, true},
		} {
			b.Run(fmt.Sprintf("%s/argon2id=%t", bc.name, real), func(b *testing.B) {
				k, f := benchKit(b, real)
				a := try(bc.secret)
				a.Subject = bc.subject
				unlock := func() {
					b.StopTimer()
					require.NoError(b, pin.Gate(k.Service).Rebind(b.Context(), lockout.Target{Subject: a.Subject}, clerk))
					b.StartTimer()
				}
				if bc.locked {
					require.NoError(b, pin.Gate(k.Service).Lock(b.Context(), lockout.Target{Subject: a.Subject}, clerk))
				}
				calls, n := 0, 0
				for b.Loop() {
					if n++; n%50 == 0 && !bc.locked {
						unlock() // before wrong guesses lock
					}
					f.Reset()
					_, _ = k.Verify(b.Context(), a)
					calls += f.Calls()
				}
				b.ReportMetric(float64(calls)/float64(n), "calls/op")
			})
		}
	}
}

// BenchmarkIssue times an issue in two parts.
func BenchmarkIssue(b *testing.B) {
	p := pin.INPS()
	p.Sends = civicpin.Rate{Limit: 100_000, Window: time.Second}
	k := newKit(b, p)
	f := k.faults
	calls, n := 0, 0
	for b.Loop() {
		n++
		f.Reset()
		_, err := k.Issue(b.Context(), maria, inps())
		require.NoError(b, err)
		calls += f.Calls()
		k.clock.Add(time.Second)
	}
	b.ReportMetric(float64(calls)/float64(n), "calls/op")
}

// A tally counts what the calls of a kit cost.
type tally struct {
	*kit
	t      *testing.T
	faults *storetest.Faults
	costs  *testkit.Costs
}

func newTally(t *testing.T, costs *testkit.Costs, p pin.Policy) tally {
	f := storetest.NewFaults(store.NewMemory())
	return tally{newKitOn(t, f.Store(), p, newClock(), &testkit.Mailbox{}, &testkit.Recorder{}), t, f, costs}
}

// count counts a call that succeeds.
func (k tally) count(call, when string, do func() error) {
	k.t.Helper()
	k.costs.Count(k.t, call, when, k.faults, func() int64 { return pin.Hashes(k.Service) }, func() { require.NoError(k.t, do()) })
}

// refused counts a call that is refused.
func (k tally) refused(call, when string, do func() error) {
	k.t.Helper()
	k.count(call, when, func() error { require.Error(k.t, do()); return nil })
}

// verify is Verify of a secret of a subject's.
func (k tally) verify(subject civicpin.Subject, secret string) func() error {
	a := try(secret)
	a.Subject = subject
	return func() error { return testkit.Err(k.Verify(k.t.Context(), a)) }
}

// TestStoreCalls counts what docs/costs.md says.
func TestStoreCalls(t *testing.T) {
	var costs testkit.Costs
	loginCosts(t, &costs)
	deviceCosts(t, &costs)
	issueCosts(t, &costs)
	changeCosts(t, &costs)
	operatorCosts(t, &costs)
	costs.Compare(t, "pin")
}

func loginCosts(t *testing.T, costs *testkit.Costs) {
	k := newTally(t, costs, pin.INPS())
	k.exchanged(t)
	k.count("Verify", "right", k.verify(maria, chosen))
	k.refused("Verify", "wrong", k.verify(maria, wrong))
	k.refused("Verify", "wrong", k.verify("NOBODY", wrong))
	k.count("Verify", "right", k.verify(maria, chosen))
	k.clock.Add(24 * time.Hour)
	k.count("Verify", "right, and noted as a use (MaxUnused, once a day)", k.verify(maria, chosen))
	k.count("Verify", "right", k.verify(maria, chosen))
	for _, subject := range []civicpin.Subject{maria, "NOBODY"} {
		for range 5 {
			_ = k.verify(subject, wrong)()
		}
		k.refused("Verify", "locked", k.verify(subject, chosen))
	}
	k.count("Unlock", "", func() error { return k.Unlock(t.Context(), maria, clerk) })
	for _, subject := range []civicpin.Subject{maria, "NOBODY"} {
		k.count("Epoch", "", func() error { return testkit.Err(k.Epoch(t.Context(), subject)) })
	}
}

func deviceCosts(t *testing.T, costs *testkit.Costs) {
	k := newTally(t, costs, withDevices())
	k.exchanged(t)
	device := k.remembered(t, "")
	login := func(secret string) func() error {
		return func() error { return testkit.Err(k.Verify(t.Context(), from(device, secret))) }
	}
	k.count("Verify", "right, known device", login(chosen))
	k.refused("Verify", "wrong, known device", login(wrong))
	ok, err := k.Verify(t.Context(), from(device, chosen))
	require.NoError(t, err)
	k.count("RememberDevice", "", func() error {
		value, err := k.RememberDevice(t.Context(), ok)
		device = value.Reveal()
		return err
	})
	shown := func(device string) func() error {
		return func() error {
			return testkit.Err(k.Shown(t.Context(), maria, civicpin.Source{Device: civicpin.NewSecret(device)}))
		}
	}
	k.count("Shown", "known device", shown(device))
	k.count("Shown", "no device", shown(""))
	k.lockedOut(t)
	k.count("Verify", "right, known device", login(chosen))
	for range 4 {
		k.refused("Verify", "wrong, known device", login(wrong))
	}
	k.refused("Verify", "wrong, locks the device's lane", login(wrong))
	k.refused("Verify", "locked, and so is the lane of the known device", login(chosen))
}

func issueCosts(t *testing.T, costs *testkit.Costs) {
	k := newTally(t, costs, pin.INPS())
	ctx := t.Context()
	issue := func(subject civicpin.Subject) func() error {
		return func() error { return testkit.Err(k.Issue(ctx, subject, inps())) }
	}
	k.count("Issue", "two parts by message", issue(maria))
	k.count("Issue", "two parts by message", issue("NOBODY"))
	require.NoError(t, k.out.Flush(ctx)) // both to Maria's telephone
	typed := k.issued(t)
	sourced := inps()
	sourced.Source = civicpin.Source{Address: "192.0.2.9"}
	k.count("Issue", "two parts by message, source", func() error { return testkit.Err(k.Issue(ctx, "SOMEBODY", sourced)) })
	for _, subject := range []civicpin.Subject{maria, "STRANGER"} {
		k.count("Resend", "", func() error { return k.Resend(ctx, subject, 0, civicpin.Source{}) })
	}
	k.count("Verify", "right, issued secret", k.verify(maria, typed))
	k.count("Exchange", "", func() error { return testkit.Err(k.Exchange(ctx, try(typed), civicpin.NewSecret(chosen))) })
	k.count("Exchange", "the same once more", func() error {
		return testkit.Err(k.Exchange(ctx, try(typed), civicpin.NewSecret(chosen)))
	})

	desk := newTally(t, costs, pin.Default())
	desk.count("Issue", "one part, printed", func() error {
		return testkit.Err(desk.Issue(ctx, maria, pin.IssueOptions{Parts: []civicpin.Contact{{Channel: civicpin.HandedOver}}, By: clerk}))
	})
	desk.count("Reprint", "", func() error { return testkit.Err(desk.Reprint(ctx, maria, clerk)) })
}

func changeCosts(t *testing.T, costs *testkit.Costs) {
	k := newTally(t, costs, pin.INPS())
	ctx := t.Context()
	k.exchanged(t)
	change := func(attempt string) func() error {
		return func() error { return testkit.Err(k.Change(ctx, try(attempt), civicpin.NewSecret(changed))) }
	}
	k.count("Change", "", change(chosen))
	k.count("Change", "the same once more", change(chosen))
	for _, subject := range []civicpin.Subject{maria, "NOBODY"} {
		k.count("Mark", "", func() error { return testkit.Err(k.Mark(ctx, subject)) })
	}
	var g pin.Grant
	completed := k.completed(t)
	k.count("Complete", "a grant", func() (err error) { g, err = k.Complete(ctx, completed); return err })
	set := func() error { return testkit.Err(k.Set(ctx, g, civicpin.NewSecret("MN6B3VCX"), civicpin.Source{})) }
	k.count("Set", "", set)
	k.count("Set", "the same once more", set)
	g = k.granted(t, inps().Parts...)
	k.count("Reissue", "two parts by message", func() error { return testkit.Err(k.Reissue(ctx, g, civicpin.Source{})) })
}

func operatorCosts(t *testing.T, costs *testkit.Costs) {
	k := newTally(t, costs, pin.INPS())
	ctx := t.Context()
	k.exchanged(t)
	k.count("Status", "", func() error { return testkit.Err(k.Status(ctx, maria)) })
	k.count("Attest", "", func() error {
		return k.Attest(ctx, maria, civicpin.Evidence{Method: civicpin.InPerson, By: clerk})
	})
	k.count("LowerLevel", "", func() error {
		return k.LowerLevel(ctx, maria, civicpin.Low, k.clock.Now().Add(time.Hour), "moved", clerk)
	})
	k.count("EndSessions", "", func() error { return k.EndSessions(ctx, maria, civicpin.Citizen) })
	k.count("Suspend", "", func() error { return k.Suspend(ctx, maria, "lost", clerk) })
	k.count("Suspend", "suspended already", func() error { return k.Suspend(ctx, maria, "lost", clerk) })
	k.count("Resume", "", func() error { return k.Resume(ctx, maria, civicpin.Evidence{}, "found", clerk) })
	k.count("Stop", "", func() error { return k.Stop(ctx, maria, "undone", civicpin.Citizen) })
	k.count("Revoke", "", func() error { return k.Revoke(ctx, maria, state.Ended, "moved", clerk) })
	k.count("Import", "", func() error {
		return k.Import(ctx, "IMPORTED", civicpin.NewSecret("$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy"),
			pin.ImportOptions{By: clerk})
	})
	k.issued(t)
	st, err := k.Status(ctx, maria)
	require.NoError(t, err)
	k.count("Receipt", "", func() error { return k.Receipt(ctx, st.Parts[0].Receipt, state.Delivered) })
	k.refused("Receipt", "unknown", func() error { return k.Receipt(ctx, "unknown", state.Delivered) })
	k.count("Sweep", "nothing has expired", func() error { return testkit.Err(k.Sweep(ctx, 10)) })
	k.clock.Add(7 * 24 * time.Hour)
	k.count("Sweep", "an issued secret has expired", func() error { return testkit.Err(k.Sweep(ctx, 10)) })
}

// A service is over its own outbox, and none is over none.
func TestOver(t *testing.T) {
	k, other := newKit(t, pin.INPS()), newKit(t, pin.INPS())
	require.True(t, k.Over(k.out))
	require.False(t, k.Over(other.out))
	var none *pin.Service
	require.False(t, none.Over(nil))
	require.False(t, none.Over(k.out))
}

// What was done to a credential shows in Acts, and the same text stands for all subjects without one.
func TestActsText(t *testing.T) {
	k := newKit(t, pin.INPS())
	acts := func(subject civicpin.Subject) string {
		text, err := k.Acts(t.Context(), subject)
		require.NoError(t, err)
		return text
	}
	none := acts("NOBODY")
	require.Equal(t, none, acts(maria))
	k.exchanged(t)
	first := acts(maria)
	require.NotEqual(t, none, first)
	require.Equal(t, first, acts(maria))
	require.NoError(t, k.Suspend(t.Context(), maria, "", clerk))
	require.NotEqual(t, first, acts(maria))
	require.Equal(t, none, acts("NOBODY"))
}

// Sessions of a credential without a secret are ended for nobody.
func TestEndSessionsOfNone(t *testing.T) {
	for name, prepare := range map[string]func(*testing.T, *kit){
		"revoked": revoked, "begun": func(t *testing.T, k *kit) { k.granted(t) },
	} {
		k := newKit(t, pin.INPS())
		prepare(t, k)
		require.ErrorIs(t, k.EndSessions(t.Context(), maria, clerk), pin.ErrNoCredential, name)
		require.Empty(t, k.events.Of("pin.sessions_ended"), name)
	}
}

// An undo of a change of contacts ends all authenticators that are named, whichever fails, before it ends an issued secret.
func TestUnbindsAll(t *testing.T) {
	k := newKit(t, pin.INPS())
	issuedBefore(t, k)
	var told []int
	broken := [3]error{nil, errors.New("second"), errors.New("third")}
	for i := range broken {
		k.UnbindWith(func(context.Context, civicpin.Subject, time.Time) error {
			told = append(told, i)
			return broken[i]
		})
	}
	before := k.plain(t)
	err := k.ContactsWent(t.Context(), maria, inps().Parts, k.clock.Now(), clerk)
	require.Equal(t, []int{0, 1, 2}, told)
	require.ErrorIs(t, err, broken[1])
	require.ErrorIs(t, err, broken[2])
	require.Equal(t, before, k.plain(t))
	broken = [3]error{}
	require.NoError(t, k.ContactsWent(t.Context(), maria, inps().Parts, k.clock.Now(), clerk))
	require.NotEqual(t, before, k.plain(t))
	calls := testkit.Calls(k.faults, func() {
		require.NoError(t, k.ContactsWent(t.Context(), maria, inps().Parts, time.Time{}, clerk))
	})
	require.Equal(t, []string{"Get pin.inps"}, calls, "done twice it writes nothing")
}

// Sweep passes over a record that it cannot read, and over a secret that was issued anew at that moment.
func TestSweepGoesOn(t *testing.T) {
	k := newKit(t, pin.INPS())
	k.issued(t)
	for _, key := range []string{"pin.inps/-", "pin.inps/zzzz"} {
		_, err := k.memory.Put(t.Context(), key, store.Record{Value: []byte("garbage")})
		require.NoError(t, err)
	}
	k.clock.Add(7 * day)
	other, again := k.other(t, k.memory), false
	var puts []string
	k.faults.Hook(func(method, key string) error {
		if method == storetest.Get && !again {
			again = true
			require.NoError(t, other.atDesk(t))
		}
		if method == storetest.Put {
			puts = append(puts, key)
		}
		return nil
	})
	require.NoError(t, testkit.Err(k.Sweep(t.Context(), 10)))
	require.True(t, again)
	require.Empty(t, puts, "nothing is to be swept")
	k.clock.Add(9 * day)
	n, err := k.Sweep(t.Context(), 10)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.Len(t, puts, 1)
}

// When a login ends is told by the earlier of the two times, where the policy has both.
func TestEndOfALogin(t *testing.T) {
	for _, tc := range []struct{ age, unused, first, later time.Duration }{
		{0, 0, 0, 0},
		{90 * day, 0, 90 * day, 90 * day},
		{0, 30 * day, 30 * day, 40 * day},
		{90 * day, 30 * day, 30 * day, 40 * day},
		{90 * day, 85 * day, 85 * day, 90 * day},
		{90 * day, 90 * day, 90 * day, 90 * day},
	} {
		p := pin.INPS()
		p.MaxAge, p.MaxUnused = tc.age, tc.unused
		p.Exceptions = testkit.Except(p.Breaks())
		k := newKit(t, p)
		k.exchanged(t)
		start := k.clock.Now()
		end := func(after time.Duration) time.Time {
			if after == 0 {
				return time.Time{}
			}
			return start.Add(after)
		}
		for _, want := range []time.Duration{tc.first, tc.later} {
			ok, err := k.Verify(t.Context(), try(chosen))
			require.NoError(t, err)
			require.Equal(t, end(want), ok.ExpiresAt.UTC(), "%+v", tc)
			st, err := k.Status(t.Context(), maria)
			require.NoError(t, err)
			require.Equal(t, end(want), st.ExpiresAt.UTC(), "%+v", tc)
			k.clock.Add(10 * day)
		}
	}
}

// A grant over a secret in use leaves it as it was; what is noted for the second request stays ten minutes, and no longer than
// to the next write.
func TestWhatAWriteLeaves(t *testing.T) {
	k := newKit(t, pin.INPS())
	k.exchanged(t)
	k.granted(t)
	require.NotContains(t, k.plain(t), "withdrawn")
	require.NotContains(t, strings.ReplaceAll(k.plain(t), `"for":900000000000`, ""), `"for":`, "that is the grant's")
	k.clock.Add(10*time.Minute - 1)
	require.NoError(t, k.Attest(t.Context(), maria, inPerson))
	require.Contains(t, k.plain(t), `"again"`)
	k.clock.Add(1)
	require.NoError(t, k.Attest(t.Context(), maria, inPerson))
	require.NotContains(t, k.plain(t), `"again"`)
	require.Len(t, k.epoch(t, maria), 13)
	k.granted(t)
	k.clock.Add(365 * day)
	require.NoError(t, testkit.Err(k.vault.Purge(t.Context(), store.Pass{})))
	require.NoError(t, testkit.Err(k.Status(t.Context(), maria)), "a grant that was not used takes nothing with it")

	k = newKit(t, pin.INPS()) // a revoked credential stays, also if its secret was never exchanged
	k.issued(t)
	k.revoked(t)
	k.clock.Add(365 * day)
	require.NoError(t, testkit.Err(k.vault.Purge(t.Context(), store.Pass{})))
	require.NoError(t, testkit.Err(k.Status(t.Context(), maria)))
}

// A choice that was overtaken fails with the store, where the store fails then.
func TestOvertakenAndFailed(t *testing.T) {
	k := newKit(t, pin.INPS())
	k.exchanged(t)
	overtaken := false
	other := k.other(t, k.memory)
	k.faults.Hook(func(method, key string) error {
		if overtaken && strings.HasPrefix(key, "lockout.") {
			return storetest.ErrInjected
		}
		if method == storetest.Put && strings.HasPrefix(key, "pin.inps/") && !overtaken {
			overtaken = true
			require.NoError(t, testkit.Err(other.Change(t.Context(), try(chosen), civicpin.NewSecret(anew))))
		}
		return nil
	})
	err := changes(chosen)(t.Context(), k)
	require.ErrorIs(t, err, storetest.ErrInjected)
	require.NotErrorIs(t, err, pin.ErrChanged)
}

// A secret that was issued to proved contacts is good in a process alone that knows of contacts.
func TestProvedNeedsProof(t *testing.T) {
	m := store.NewMemory()
	k := provingBy(t, m, pin.INPS(), known{maria: inps().Parts})
	askedBefore(t, k)
	other := newKitOn(t, m, pin.INPS(), k.clock, k.mail, k.events)
	require.ErrorIs(t, exchanges(t.Context(), &kit{Service: other.Service, mail: k.mail}), pin.ErrExpired)
	refs, err := pin.Refs(t.Context(), k.Service, maria)
	require.NoError(t, err)
	require.NoError(t, k.Receipt(t.Context(), "receipt-1", state.Failed))
	require.NoError(t, k.Receipt(t.Context(), "receipt-2", state.Failed))
	require.NoError(t, pin.SendAgain(t.Context(), k.Service, refs[0]))
	require.ErrorIs(t, pin.SendAgain(t.Context(), other.Service, refs[0]), outbox.ErrWithdrawn)
	require.NoError(t, exchanges(t.Context(), k))
}

// What was imported, and cannot be typed in the policy's form, is known again by the choice that replaced it.
func TestImportedChangedTwice(t *testing.T) {
	for _, n := range []int{8, 1024} {
		k := newKit(t, pin.INPS())
		secret := strings.Repeat("a!", 512)[:n]
		k.imported(t, secret)
		for _, typed := range []string{secret, secret} {
			require.NoError(t, changes(typed)(t.Context(), k), n)
		}
		require.Error(t, changes(secret+"!")(t.Context(), k))
	}
}

// An error says all of the state that stands in an operator's way.
func TestStatesInWords(t *testing.T) {
	for says, tc := range map[string]struct {
		prepare func(*testing.T, *kit)
		act     func(context.Context, *kit) error
	}{
		"none was issued": {nothing, completes(nil)},
		"created by a recovery, and no secret is chosen yet": {func(t *testing.T, k *kit) { k.granted(t) }, completes(nil)},
		"revoked; revoked for fraud: issue on evidence": {func(t *testing.T, k *kit) {
			k.exchanged(t)
			require.NoError(t, k.Revoke(t.Context(), maria, state.Fraud, "", clerk))
		}, issues(clerk, inps())},
		"the citizen's own secret is set; a recovery was repudiated: issue a new one on evidence": {func(t *testing.T, k *kit) {
			k.exchanged(t)
			k.granted(t)
			require.NoError(t, k.Repudiated(t.Context(), repudiated(nil)))
		}, issues(clerk, inps())},
	} {
		k := newKit(t, pin.INPS())
		tc.prepare(t, k)
		require.EqualError(t, tc.act(t.Context(), k), pin.ErrWrongState.Error()+": "+says)
	}
}

// A closed credential is issued anew by an operator on evidence alone, not by a citizen who has some.
func TestClosedForCitizens(t *testing.T) {
	for by, want := range map[civicpin.Actor]error{civicpin.Citizen: pin.ErrWrongState, clerk: nil} {
		k := newKit(t, pin.INPS())
		k.exchanged(t)
		k.granted(t)
		require.NoError(t, k.Repudiated(t.Context(), repudiated(nil)))
		o := inps()
		o.Evidence = inPerson
		require.ErrorIs(t, issues(by, o)(t.Context(), k), want)
	}
}
