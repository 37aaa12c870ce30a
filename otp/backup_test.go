package otp_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/cryptotest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/storetest"
)

func TestBackupConfig(t *testing.T) {
	vault, policy := newVault(t), testkit.Until(3)
	for name, tc := range map[string]struct {
		config otp.BackupPolicy
		ok     bool
	}{
		"a name is enough": {otp.BackupPolicy{Name: "paper"}, true},
		"zero":             {otp.BackupPolicy{}, false},
		"a name of 40":     {otp.BackupPolicy{Name: strings.Repeat("n", 40)}, true},
		"a name of 41":     {otp.BackupPolicy{Name: strings.Repeat("n", 41)}, false},
		"a name's slash":   {otp.BackupPolicy{Name: "a/b"}, false},
		"32 codes":         {otp.BackupPolicy{Name: "paper", Count: 32}, true},
		"33 codes":         {otp.BackupPolicy{Name: "paper", Count: 33}, false},
		"no codes":         {otp.BackupPolicy{Name: "paper", Count: -1}, false},
		"a policy":         {otp.BackupPolicy{Name: "paper", Lockout: policy}, true},
		"a bad policy":     {otp.BackupPolicy{Name: "paper", Lockout: lockout.Policy{Limit: 3}}, false},
		"devices":          {otp.BackupPolicy{Name: "paper", Lockout: lockout.Policy{Limit: 3, Lock: lockout.UntilUnlocked, Devices: 2}}, false},
		"negative permits": {otp.BackupPolicy{Name: "paper", Permits: -1}, false},
		"a negative wait":  {otp.BackupPolicy{Name: "paper", Wait: -1}, false},
	} {
		_, err := otp.NewBackupCodes(vault, tc.config)
		if tc.ok {
			require.NoError(t, err, name)
		} else {
			require.ErrorIs(t, err, otp.ErrInvalidPolicy, name)
		}
	}
	_, err := otp.NewBackupCodes(nil, otp.BackupPolicy{Name: "paper"})
	require.Error(t, err)
}

// The defaults that BackupPolicy states.
func TestBackupDefaults(t *testing.T) {
	k := newBackupKit(t)
	require.Len(t, k.issued(t), 10)
	for i, lock := range []time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute} {
		for range 4 {
			require.ErrorIs(t, k.use(t, noBackup), otp.ErrRefused)
		}
		var locked *lockout.LockedError
		require.ErrorAs(t, k.use(t, noBackup), &locked)
		require.Equal(t, lock, locked.Until.Sub(k.clock.Now()), "lock %d", i+1)
		k.clock.Add(lock)
	}
}

func TestBackupCodesAreGoodOnce(t *testing.T) {
	k := newBackupKit(t)
	require.Zero(t, k.left(t))
	set := k.issued(t)
	for i, code := range set {
		require.Equal(t, 10-i, k.left(t))
		require.NoError(t, k.use(t, code))
		require.ErrorIs(t, k.use(t, code), otp.ErrRefused)
		require.ErrorIs(t, k.Verify(t.Context(), luis, code, home), otp.ErrRefused, "another's")
		require.NoError(t, k.Unlock(t.Context(), luis, desk))
		require.NoError(t, k.Unlock(t.Context(), ana, desk))
	}
	require.Zero(t, k.left(t))
	require.Equal(t, 1, k.failures(t))
	used := reasons(k.events, civicpin.EventCode("otp.backup_used"))
	require.Len(t, used, 10, "each says how many are left")
	require.Equal(t, []int{1, 1}, []int{used["9"], used["0"]})
	require.Equal(t, map[string]int{"wrong": 10, "unknown": 10}, reasons(k.events, civicpin.EventCode("otp.backup_refused")))
}

func TestBackupIssueReplacesTheSet(t *testing.T) {
	k := newBackupKit(t)
	old := k.issued(t)
	require.ErrorIs(t, k.use(t, noBackup), otp.ErrRefused)
	set := k.issued(t)
	require.ErrorIs(t, k.use(t, old[0]), otp.ErrRefused)
	require.Equal(t, 2, k.failures(t), "a new set does not reset the count")
	require.Equal(t, 10, k.left(t))
	require.NoError(t, k.use(t, set[0]))
	require.Equal(t, map[string]int{"": 2}, reasons(k.events, civicpin.EventCode("otp.backup_issued")))
}

func TestBackupRevoke(t *testing.T) {
	k := newBackupKit(t)
	require.NoError(t, k.Revoke(t.Context(), ana, desk), "who has none")
	set := k.issued(t)
	for range 2 {
		require.NoError(t, k.Revoke(t.Context(), ana, desk))
	}
	require.Zero(t, k.left(t))
	require.ErrorIs(t, k.use(t, set[0]), otp.ErrRefused)
	require.Equal(t, map[string]int{"": 1}, reasons(k.events, civicpin.EventCode("otp.backup_revoked")))
	require.NoError(t, k.use(t, k.issued(t)[9]))
}

func TestBackupRefusesInput(t *testing.T) {
	k := newBackupKit(t)
	_, err := k.Issue(t.Context(), "", civicpin.Citizen)
	require.ErrorIs(t, err, civicpin.ErrInvalid)
	_, err = k.Issue(t.Context(), ana, "")
	require.ErrorIs(t, err, civicpin.ErrInvalid)
	_, err = k.Left(t.Context(), "")
	require.ErrorIs(t, err, civicpin.ErrInvalid)
	require.ErrorIs(t, k.Revoke(t.Context(), ana, ""), civicpin.ErrInvalid)
	require.ErrorIs(t, k.Verify(t.Context(), "", noBackup, home), civicpin.ErrInvalid)
	set := k.issued(t)
	for _, typed := range []string{"", " ", "00000", strings.Repeat("0", 300), "\xff", set[0].Reveal()[:5], set[0].Reveal() + "0"} {
		require.NoError(t, k.Unlock(t.Context(), ana, desk))
		require.ErrorIs(t, k.use(t, civicpin.NewSecret(typed)), otp.ErrRefused)
	}
	require.Equal(t, 7, k.failures(t))
}

// Eighty failures in a row of callers who have shown nothing disable, and only a new binding helps.
func TestBackupCeiling(t *testing.T) {
	k := newBackupKit(t)
	set := k.issued(t)
	for i := range 80 {
		require.Equal(t, i, k.failures(t))
		require.Error(t, k.use(t, noBackup))
		k.clock.Add(25 * time.Hour)
	}
	require.ErrorIs(t, k.use(t, set[0]), otp.ErrRefused, "the visitor is told the same as ever")
	st, err := k.Status(t.Context(), ana)
	require.NoError(t, err)
	require.True(t, st.Hidden)
	require.NoError(t, k.Rebind(t.Context(), ana, seenAtDesk))
	require.NoError(t, k.use(t, set[0]))
}

// Refused for want of room, nobody loses a try.
func TestBackupBusyCostsNoTry(t *testing.T) {
	k := newBackupKitOn(t, store.NewMemory(), otp.BackupPolicy{Name: "paper", Permits: 1, Wait: time.Nanosecond}, newClock(), &testkit.Recorder{})
	set := k.issued(t)
	release := otp.OccupyBackup(k.BackupCodes, 1)
	for range 20 {
		require.ErrorIs(t, k.use(t, noBackup), otp.ErrBusy)
		_, err := k.Issue(t.Context(), ana, civicpin.Citizen)
		require.ErrorIs(t, err, otp.ErrBusy)
	}
	release()
	require.Zero(t, k.failures(t))
	require.NoError(t, k.use(t, set[0]))
}

// Two hundred uses of two codes at once, over four processes: one of each is let in.
func TestBackupCodeHasOneWinner(t *testing.T) {
	k := newBackupKitOf(t, otp.BackupPolicy{Name: "paper", Permits: 50, Wait: time.Minute, Lockout: testkit.Until(20)})
	set := k.issued(t)
	others := []*backupKit{k, k.other(t, k.memory), k.other(t, k.memory), k.other(t, k.memory)}
	won := make(chan int, 200)
	crowd(t, 200, func(i int) error {
		err := others[i%4].Verify(t.Context(), ana, set[i/4%2], civicpin.Source{})
		if err == nil {
			won <- i / 4 % 2
		}
		return err
	})
	require.Len(t, won, 2)
	require.NotEqual(t, <-won, <-won)
	require.Equal(t, 8, k.left(t))
}

// A thousand wrong guesses at once, limit 5: five are hashed, one hash each, known subject or not.
func TestOnlyFiveBackupCodesAreCompared(t *testing.T) {
	for name, subject := range map[string]civicpin.Subject{"known": ana, "unknown": "NOBODY"} {
		t.Run(name, func(t *testing.T) {
			k := newBackupKitOf(t, otp.BackupPolicy{Name: "paper", Wait: time.Minute})
			k.issued(t)
			others := []*backupKit{k, k.other(t, k.memory), k.other(t, k.memory), k.other(t, k.memory)}
			before := otp.BackupHashes(k.BackupCodes)
			outcomes := crowd(t, 1000, func(i int) error { return others[i%4].Verify(t.Context(), subject, noBackup, civicpin.Source{}) })
			hashes := -before
			for _, o := range others {
				hashes += otp.BackupHashes(o.BackupCodes)
			}
			require.EqualValues(t, 5, hashes)
			require.Equal(t, map[string]int{fobRefused: 4, fobLocked: 996}, outcomes)
		})
	}
}

// A record that asks for more work than any policy may is not worked on.
func TestBackupCostIsCapped(t *testing.T) {
	m := store.NewMemory()
	k := newBackupKitOn(t, m, otp.BackupPolicy{Name: "paper"}, newClock(), &testkit.Recorder{})
	set := k.issued(t)
	for _, memory := range []uint32{0, 7, 1 << 30} {
		require.NoError(t, otp.SetBackupCost(t.Context(), k.BackupCodes, store.Key{Subject: ana}, memory))
		hashes := otp.BackupHashes(k.BackupCodes)
		err := k.use(t, set[0])
		require.ErrorIs(t, err, store.ErrUnreadable)
		require.NotErrorIs(t, err, otp.ErrRefused)
		require.Equal(t, hashes, otp.BackupHashes(k.BackupCodes))
	}
	require.Zero(t, k.failures(t))
	require.NoError(t, otp.SetBackupCost(t.Context(), k.BackupCodes, store.Key{Subject: ana}, 8))
	require.NoError(t, k.use(t, set[0]))
}

// A release raised the cost of hashes. A guess costs as many of them at a set of before, at a new one and at a stranger.
func TestBackupOfAFormerCost(t *testing.T) {
	m, clock, events := store.NewMemory(), newClock(), &testkit.Recorder{}
	before := newBackupKitOn(t, m, paper, clock, events)
	old := before.issued(t)
	b, err := otp.NewRaisedBackup(before.vault, paper)
	require.NoError(t, err)
	fresh, err := b.Issue(t.Context(), luis, civicpin.Citizen)
	require.NoError(t, err)
	costs := func(subject civicpin.Subject, typed civicpin.Secret) (int64, error) {
		hashes := otp.BackupHashes(b)
		err := b.Verify(t.Context(), subject, typed, home)
		return otp.BackupHashes(b) - hashes, err
	}
	for subject, set := range map[civicpin.Subject][]civicpin.Secret{ana: old, luis: fresh, "STRANGER": nil} {
		n, err := costs(subject, noBackup)
		require.ErrorIs(t, err, otp.ErrRefused)
		require.EqualValues(t, 2, n, subject)
		if set != nil {
			n, err = costs(subject, set[3])
			require.NoError(t, err)
			require.EqualValues(t, 2, n, subject)
		}
	}
}

// Real hashes, once: the codes that were made with them are good, and cost what the policy says.
func TestBackupHashesForReal(t *testing.T) {
	vault, err := store.OpenVault(t.Context(), store.NewMemory(), testkit.Keys(), nil)
	require.NoError(t, err)
	b, err := otp.NewBackupCodes(vault, otp.BackupPolicy{Name: "paper", Count: 2})
	require.NoError(t, err)
	set, err := b.Issue(t.Context(), ana, civicpin.Citizen)
	require.NoError(t, err)
	require.NoError(t, b.Verify(t.Context(), ana, set[1], home))
	require.ErrorIs(t, b.Verify(t.Context(), ana, set[1], home), otp.ErrRefused)
	plain, err := otp.PlainBackup(t.Context(), b)
	require.NoError(t, err)
	require.Contains(t, plain, `{"Memory":19456,"Time":2,"Threads":1}`)
}

// backupCrash is a kit with the codes that Ana had, and those that a flow issued to her.
type backupCrash struct {
	*backupKit
	old, fresh []civicpin.Secret
}

// oldSet has a set of codes issued to Ana.
func oldSet(t *testing.T, k *backupCrash) { k.old = k.issued(t) }

var backupFlows = []testkit.Flow[*backupCrash]{
	{
		Name:    "issue",
		Prepare: oldSet,
		Act: func(t *testing.T, k *backupCrash) (err error) {
			k.fresh, err = k.Issue(t.Context(), ana, civicpin.Citizen)
			return err
		},
		After: func(t *testing.T, k *backupCrash, err error) {
			require.Equal(t, 10, k.left(t), "one set or the other")
			if err == nil {
				require.ErrorIs(t, k.use(t, k.old[0]), otp.ErrRefused)
				require.NoError(t, k.use(t, k.fresh[0]), "what was acknowledged is good")
			}
		},
	},
	{
		Name:    "use",
		Prepare: oldSet,
		Act:     func(t *testing.T, k *backupCrash) error { return k.use(t, k.old[3]) },
		After: func(t *testing.T, k *backupCrash, err error) {
			require.LessOrEqual(t, k.failures(t), 1)
			if again := k.use(t, k.old[3]); err == nil {
				require.ErrorIs(t, again, otp.ErrRefused)
			}
			require.ErrorIs(t, k.use(t, k.old[3]), otp.ErrRefused, "never twice")
			require.Equal(t, 9, k.left(t), "and the others are there")
			require.NoError(t, k.use(t, k.old[4]))
		},
	},
	{
		Name:    "guess",
		Prepare: oldSet,
		Act: func(t *testing.T, k *backupCrash) error {
			err := k.use(t, noBackup)
			require.Error(t, err)
			return err
		},
		After: func(t *testing.T, k *backupCrash, err error) {
			if errors.Is(err, otp.ErrRefused) {
				require.Equal(t, 1, k.failures(t), "a guess that was answered is counted")
			}
			require.LessOrEqual(t, k.failures(t), 1)
			require.Equal(t, 10, k.left(t))
			require.NoError(t, k.use(t, k.old[0]))
		},
	},
	{
		Name:    "revoke",
		Prepare: oldSet,
		Act:     func(t *testing.T, k *backupCrash) error { return k.Revoke(t.Context(), ana, desk) },
		After: func(t *testing.T, k *backupCrash, err error) {
			if err == nil {
				require.Zero(t, k.left(t))
			}
			require.NoError(t, k.Revoke(t.Context(), ana, desk))
			require.ErrorIs(t, k.use(t, k.old[0]), otp.ErrRefused)
		},
	},
}

// TestBackupCrashPoints is [TestCodeCrashPoints] for backup codes.
func TestBackupCrashPoints(t *testing.T) {
	for _, f := range backupFlows {
		f.CrashPoints(t, testkit.Crashes{}, func(t *testing.T, s store.Store) *backupCrash {
			return &backupCrash{backupKit: newBackupKitOn(t, s, paper, newClock(), &testkit.Recorder{})}
		}, func(t *testing.T, k *backupCrash, s store.Store) *backupCrash {
			k.clock.Add(3 * time.Minute)
			k.backupKit = k.other(t, s)
			return k
		})
	}
}

// TestBackupTellsStrangersNothing shows that whoever guesses gets the same answer after the same store calls and the same hash
// work, whoever the subject is, and however many codes they have left.
func TestBackupTellsStrangersNothing(t *testing.T) {
	people := map[string]func(t *testing.T, k *backupKit){
		"unknown": func(*testing.T, *backupKit) {},
		"ten":     func(t *testing.T, k *backupKit) { k.issued(t) },
		"one": func(t *testing.T, k *backupKit) {
			for _, code := range k.issued(t)[1:] {
				require.NoError(t, k.use(t, code))
			}
		},
		"none": func(t *testing.T, k *backupKit) {
			for _, code := range k.issued(t) {
				require.NoError(t, k.use(t, code))
			}
		},
		"revoked": func(t *testing.T, k *backupKit) {
			k.issued(t)
			require.NoError(t, k.Revoke(t.Context(), ana, desk))
		},
	}
	for name, guesses := range map[string][]string{
		"a guess":            {"00000 00000 00000"},
		"what cannot be":     {"\x00~~" + strings.Repeat("é", 5000)},
		"nothing":            {""},
		"too short":          {"00000"},
		"until it is a lock": {"0", "1", "2", "3", "4", "5"},
	} {
		t.Run(name, func(t *testing.T) {
			first := ""
			for who, prepare := range people {
				k := newBackupKit(t)
				prepare(t, k)
				hashes := otp.BackupHashes(k.BackupCodes)
				got := codeTrace(k.faults, func() (err error) {
					for _, typed := range guesses {
						err = k.use(t, civicpin.NewSecret(typed))
					}
					return err
				})
				got = fmt.Sprint(addresses.ReplaceAllString(got, "0x?"), otp.BackupHashes(k.BackupCodes)-hashes)
				if first == "" {
					first = got
					t.Log(got)
				}
				require.Equal(t, first, got, who)
			}
		})
	}
}

// TestBackupModel drives random sequences of calls and lost replies, and holds every answer against a list of codes.
func TestBackupModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		cryptotest.SetGlobalRandom(t, rapid.Uint64().Draw(rt, "seed"))
		k := newBackupKitOf(t, otp.BackupPolicy{Name: "paper", Count: 3})
		ctx := t.Context()
		var good, gone []civicpin.Secret
		tally := testkit.NewTally(lockout.Policy{Limit: 5, Lock: lockout.Timed, For: time.Minute, Max: 24 * time.Hour})
		lose := func(rt *rapid.T) {
			k.faults.Reset()
			if rapid.Bool().Draw(rt, "lose a reply") {
				k.faults.FailAt(rapid.IntRange(1, 3).Draw(rt, "put"), storetest.ReplyLost, storetest.Put)
			}
		}
		rt.Repeat(map[string]func(*rapid.T){
			"issue": func(rt *rapid.T) {
				lose(rt)
				set, err := k.Issue(ctx, ana, civicpin.Citizen)
				require.NoError(atOnce{rt}, err)
				require.Len(atOnce{rt}, set, 3)
				gone, good = append(gone, good...), set
			},
			"use": func(rt *rapid.T) {
				lose(rt)
				if len(good) == 0 {
					rt.Skip("none left")
				}
				i := rapid.IntRange(0, len(good)-1).Draw(rt, "which")
				require.NoError(atOnce{rt}, k.Verify(ctx, ana, good[i], home))
				gone, good = append(gone, good[i]), append(append([]civicpin.Secret(nil), good[:i]...), good[i+1:]...)
				tally.Right()
			},
			"use one that has gone": func(rt *rapid.T) {
				lose(rt)
				code := rapid.SampledFrom(append([]civicpin.Secret{noBackup}, gone...)).Draw(rt, "which")
				err := k.Verify(ctx, ana, code, home)
				want := tally.Guess(k.clock.Now(), false)
				require.Equal(atOnce{rt}, want, cameOf(err))
				if want == "locked" {
					require.NoError(atOnce{rt}, k.Rebind(ctx, ana, seenAtDesk))
					tally.Rebind(k.clock.Now())
				}
			},
			"revoke": func(rt *rapid.T) {
				lose(rt)
				require.NoError(atOnce{rt}, k.Revoke(ctx, ana, desk))
				gone, good = append(gone, good...), nil
			},
			"": func(rt *rapid.T) {
				k.faults.Reset()
				left, err := k.Left(ctx, ana)
				require.NoError(atOnce{rt}, err)
				require.Equal(atOnce{rt}, len(good), left)
				st, err := k.Status(ctx, ana)
				require.NoError(atOnce{rt}, err)
				require.Equal(atOnce{rt}, tally.Kept, st.Failures)
			},
		})
	})
}

// TestBackupAsStored: a set has one salt of 16 bytes, and of each unused code a hash of 32.
func TestBackupAsStored(t *testing.T) {
	k := newBackupKit(t)
	set := k.issued(t)
	require.NoError(t, k.use(t, set[0]))
	text, err := otp.PlainBackup(t.Context(), k.BackupCodes)
	require.NoError(t, err)
	var kept struct {
		Salt   []byte
		Hashes [][]byte
		By     civicpin.Actor
		Issued time.Time
	}
	require.NoError(t, json.Unmarshal([]byte(text), &kept))
	require.Len(t, kept.Salt, 16)
	require.Len(t, kept.Hashes, 9)
	require.Len(t, kept.Hashes[8], 32)
	require.Equal(t, civicpin.Citizen, kept.By)
	require.True(t, kept.Issued.Equal(k.clock.Now()))
}

// TestLeftOfEndedSet: an act leaves no code of a set, nor does an invalid subject have any.
func TestLeftOfEndedSet(t *testing.T) {
	w := after(hasBackup)(t, store.NewMemory())
	w.ledger.text = "two"
	for subject, want := range map[civicpin.Subject]error{ana: nil, luis: nil, "": civicpin.ErrInvalid} {
		left, err := w.paper.Left(t.Context(), subject)
		require.ErrorIs(t, err, want)
		require.Zero(t, left)
	}
}
