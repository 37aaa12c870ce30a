package otp_test

import (
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
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/storetest"
)

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
				f := storetest.NewFaults(store.NewMemory())
				k := newBackupKitOn(t, f.Store(), paper, newClock(), &testkit.Recorder{})
				prepare(t, k)
				hashes := otp.BackupHashes(k.BackupCodes)
				got := codeTrace(f, func() (err error) {
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
		faults := storetest.NewFaults(store.NewMemory())
		k := newBackupKitOn(t, faults.Store(), otp.BackupPolicy{Name: "paper", Count: 3}, newClock(), &testkit.Recorder{})
		ctx := t.Context()
		var good, gone []civicpin.Secret
		failed := 0
		lose := func(rt *rapid.T) {
			faults.Reset()
			if rapid.Bool().Draw(rt, "lose a reply") {
				faults.FailAt(rapid.IntRange(1, 3).Draw(rt, "put"), storetest.ReplyLost, storetest.Put)
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
				failed = 0
			},
			"use one that has gone": func(rt *rapid.T) {
				lose(rt)
				code := rapid.SampledFrom(append([]civicpin.Secret{noBackup}, gone...)).Draw(rt, "which")
				err := k.Verify(ctx, ana, code, home)
				if failed++; failed%5 == 0 {
					require.Equal(atOnce{rt}, "locked", cameOf(err))
					require.NoError(atOnce{rt}, k.Rebind(ctx, ana, desk))
					failed = 0
					return
				}
				require.Equal(atOnce{rt}, "refused", cameOf(err))
			},
			"revoke": func(rt *rapid.T) {
				lose(rt)
				require.NoError(atOnce{rt}, k.Revoke(ctx, ana, desk))
				gone, good = append(gone, good...), nil
			},
			"": func(rt *rapid.T) {
				faults.Reset()
				left, err := k.Left(ctx, ana)
				require.NoError(atOnce{rt}, err)
				require.Equal(atOnce{rt}, len(good), left)
				st, err := k.Status(ctx, ana)
				require.NoError(atOnce{rt}, err)
				require.Equal(atOnce{rt}, failed, st.Failures)
			},
		})
	})
}
