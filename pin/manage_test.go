package pin_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/password"
	"github.com/civicpin/civicpin/internal/proof"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/pin/state"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/storetest"
)

func TestManage(t *testing.T) {
	k := newKit(t, pin.INPS())
	ctx := t.Context()
	long := strings.Repeat("x", 513)
	for name, err := range map[string]error{
		"no subject":     k.Revoke(ctx, "", state.Ended, "", clerk),
		"nobody acts":    k.Revoke(ctx, maria, state.Ended, "", ""),
		"a long reason":  k.Revoke(ctx, maria, state.Ended, long, clerk),
		"a line break":   k.Suspend(ctx, maria, "a\nb", clerk),
		"no method":      k.Attest(ctx, maria, civicpin.Evidence{By: clerk}),
		"self-attesting": k.Attest(ctx, maria, civicpin.Evidence{Method: civicpin.Video, By: civicpin.Citizen}),
	} {
		require.ErrorIs(t, err, civicpin.ErrInvalid, name)
	}
	require.ErrorIs(t, k.Revoke(ctx, maria, state.Ended, "", clerk), pin.ErrNoCredential)
	require.ErrorIs(t, k.Suspend(ctx, maria, "", clerk), pin.ErrNoCredential)
	require.ErrorIs(t, k.EndSessions(ctx, maria, clerk), pin.ErrNoCredential)
	require.ErrorIs(t, k.Attest(ctx, maria, civicpin.Evidence{Method: civicpin.Video, By: clerk}), pin.ErrNoCredential)
	require.ErrorIs(t, k.Attest(ctx, maria, civicpin.Evidence{Method: "hearsay", By: clerk}), pin.ErrWeakEvidence)
	require.Empty(t, k.events.All())

	k.exchanged(t)
	require.NoError(t, k.Suspend(ctx, maria, "lost telephone", clerk))
	require.NoError(t, k.Suspend(ctx, maria, "again", clerk), "twice is no error")
	require.NoError(t, k.EndSessions(ctx, maria, civicpin.Citizen), "there are none")
	_, right := k.works(t, chosen)
	require.False(t, right)
	st, err := k.Status(ctx, maria)
	require.NoError(t, err)
	require.True(t, st.Suspended)
	require.Equal(t, "lost telephone", st.Reason)
	require.Equal(t, clerk, st.By)
	require.NoError(t, k.Resume(ctx, maria, civicpin.Evidence{}, "found", clerk))
	_, right = k.works(t, chosen)
	require.True(t, right)

	require.NoError(t, k.Revoke(ctx, maria, state.Ended, "", civicpin.Citizen), "the citizen may, too")
	require.NoError(t, k.Revoke(ctx, maria, state.Ended, "", clerk))
	require.ErrorIs(t, k.Suspend(ctx, maria, "", clerk), pin.ErrWrongState)
	require.ErrorIs(t, k.Resume(ctx, maria, civicpin.Evidence{}, "", clerk), pin.ErrWrongState)
	require.ErrorIs(t, k.Attest(ctx, maria, civicpin.Evidence{Method: civicpin.Video, By: clerk}), pin.ErrNoCredential)
	st, err = k.Status(ctx, maria)
	require.NoError(t, err)
	require.Equal(t, state.Revoked, st.State)
	require.Equal(t, civicpin.NoLevel, st.Level)
	require.Empty(t, st.Evidence)
}

func TestAttestNeverLowersAndIsBounded(t *testing.T) {
	k := newKit(t, pin.INPS())
	k.exchanged(t)
	for i := range 40 {
		method := civicpin.LetterCode // gives Low
		if i == 3 {
			method = civicpin.InPerson
		}
		require.NoError(t, k.Attest(t.Context(), maria, civicpin.Evidence{Method: method, By: clerk}))
	}
	st, err := k.Status(t.Context(), maria)
	require.NoError(t, err)
	require.Equal(t, civicpin.Substantial, st.Level)
	require.Len(t, st.Evidence, 16)
	require.Equal(t, k.clock.Now(), st.Evidence[0].At.UTC())
}

func TestImport(t *testing.T) {
	const secret = "Zürich im März 1987!" // not in the alphabet of the INPS PIN: compared as received
	weak, err := bcrypt.GenerateFromPassword([]byte(secret), bcrypt.MinCost+6)
	require.NoError(t, err)
	// The PBKDF2 and scrypt strings were made with Python's hashlib.
	for name, hash := range map[string]string{
		"argon2id":    password.New(password.Params{Memory: 16, Time: 1, Threads: 1}, secret).Encode(),
		"bcrypt":      string(weak),
		"PBKDF2":      "$pbkdf2-sha256$i=1000$c2FsdHNhbHRzYWx0c2FsdA$vgfEdfW1NrWoKqmDjzdSWwSgcnbJGrx0M+C0DgdK6Bo",
		"scrypt":      "$scrypt$ln=10,r=8,p=1$c2FsdHNhbHRzYWx0c2FsdA$8rqOcQ9a2LecPXACBNM/NKi72vADxA7zN3NHIBJ7YIc",
		"empty":       "",
		"unparseable": "plain",
	} {
		t.Run(name, func(t *testing.T) {
			p := pin.Default()
			k := newKit(t, p)
			ctx := t.Context()
			o := pin.ImportOptions{By: clerk}
			err := k.Import(ctx, maria, civicpin.NewSecret(hash), o)
			if _, parseErr := password.Parse(hash); parseErr != nil {
				require.ErrorIs(t, err, civicpin.ErrInvalid)
				if hash != "" {
					require.NotContains(t, err.Error(), hash)
				}
				_, err = k.Status(ctx, maria)
				require.ErrorIs(t, err, pin.ErrNoCredential)
				return
			}
			require.NoError(t, err)
			require.ErrorIs(t, k.Import(ctx, maria, civicpin.NewSecret(hash), o), pin.ErrWrongState)
			require.Contains(t, k.plain(t), hash[:8])
			_, right := k.works(t, secret+"?")
			require.False(t, right)
			require.Contains(t, k.plain(t), hash[:8], "a wrong guess renews nothing")
			for range 2 {
				ok, err := k.Verify(ctx, try(secret))
				require.NoError(t, err)
				require.Equal(t, civicpin.Low, ok.Level)
			}
			require.NotContains(t, k.plain(t), strings.TrimPrefix(hash, "$argon2id"), "hashed anew at the first login")
			require.Contains(t, k.plain(t), "$argon2id$v=19$m=8,t=1,p=1$")
			_, right = k.works(t, secret)
			require.True(t, right)
		})
	}
	k := newKit(t, pin.Default())
	good := civicpin.NewSecret(string(weak))
	require.ErrorIs(t, k.Import(t.Context(), "", good, pin.ImportOptions{By: clerk}), civicpin.ErrInvalid)
	require.ErrorIs(t, k.Import(t.Context(), maria, good, pin.ImportOptions{}), civicpin.ErrInvalid)
	require.ErrorIs(t, k.Import(t.Context(), maria, good, pin.ImportOptions{By: clerk, Level: civicpin.High}), pin.ErrWeakEvidence)
}

// A citizen's session may be a thief's: what staff do is done by an operator alone.
func TestOnlyOperators(t *testing.T) {
	k := newKit(t, pin.INPS())
	weak, err := bcrypt.GenerateFromPassword([]byte(chosen), bcrypt.MinCost)
	require.NoError(t, err)
	for name, act := range map[string]func(by civicpin.Actor) error{
		"import": func(by civicpin.Actor) error {
			return k.Import(t.Context(), maria, civicpin.NewSecret(string(weak)), pin.ImportOptions{By: by})
		},
		"unlock":  func(by civicpin.Actor) error { return k.Unlock(t.Context(), maria, by) },
		"resume":  func(by civicpin.Actor) error { return k.Resume(t.Context(), maria, civicpin.Evidence{}, "", by) },
		"reprint": func(by civicpin.Actor) error { return testkit.Err(k.Reprint(t.Context(), maria, by)) },
		"code":    func(by civicpin.Actor) error { return testkit.Err(k.RequestCode(t.Context(), maria, by)) },
	} {
		for _, by := range []civicpin.Actor{"", civicpin.Citizen, civicpin.Visitor} {
			require.ErrorIs(t, act(by), civicpin.ErrInvalid, "%s by %q", name, by)
		}
		require.NotErrorIs(t, act(clerk), civicpin.ErrInvalid, name)
	}
}

// A secret that the policy's form does not have stays as it was received, with a hash of the policy's costs.
func TestImportOfWhatTheFormDoesNotHave(t *testing.T) {
	k := newKit(t, pin.INPS())
	hash := password.New(password.Params{Memory: 16, Time: 1, Threads: 1}, "pin!pass").Encode()
	require.NoError(t, k.Import(t.Context(), maria, civicpin.NewSecret(hash), pin.ImportOptions{By: clerk}))
	for range 2 {
		_, right := k.works(t, "pin!pass")
		require.True(t, right)
		_, right = k.works(t, "PIN!PASS")
		require.False(t, right)
	}
	require.Contains(t, k.plain(t), "m=8,t=1,p=1")
	require.NoError(t, testkit.Err(k.Change(t.Context(), try("pin!pass"), civicpin.NewSecret(chosen))))
	_, right := k.works(t, strings.ToLower(chosen))
	require.True(t, right)
}

// When the costs in the policy change, the hash is renewed at the next login, and only then.
func TestRehash(t *testing.T) {
	k := newKit(t, pin.Default())
	const secret = "correct horse battery"
	hash := password.New(password.Params{Memory: 16, Time: 1, Threads: 1}, secret).Encode()
	require.NoError(t, k.Import(t.Context(), maria, civicpin.NewSecret(hash), pin.ImportOptions{By: clerk}))
	_, right := k.works(t, secret)
	require.True(t, right)
	after := k.plain(t)
	require.Contains(t, after, "m=8,t=1,p=1")
	_, right = k.works(t, secret)
	require.True(t, right)
	require.Equal(t, after, k.plain(t), "no write when nothing is to be renewed")
}

// A login renews the hash of the secret that it proved, and not over one that was chosen meanwhile.
func TestRehashOvertaken(t *testing.T) {
	k := newKit(t, pin.INPS())
	require.NoError(t, k.Import(t.Context(), maria, civicpin.NewSecret(weak), pin.ImportOptions{By: clerk}))
	other, calls := k.other(t, k.memory), 0
	k.faults.Hook(func(method, key string) error {
		if method != storetest.Put || !strings.HasPrefix(key, "pin.inps/") {
			return nil
		}
		if calls++; calls == 1 {
			require.NoError(t, testkit.Err(other.Change(t.Context(), try(chosen), civicpin.NewSecret(changed))))
		}
		return nil
	})
	_, _ = k.works(t, chosen)
	require.Positive(t, calls)
	_, right := other.works(t, changed)
	require.True(t, right)
	_, right = other.works(t, chosen)
	require.False(t, right)
}

// What was imported is compared as received, up to 1024 bytes.
func TestImportedSecretsAreBounded(t *testing.T) {
	for n, want := range map[int]bool{1024: true, 1025: false} {
		k, secret := newKit(t, pin.Default()), strings.Repeat("a1", 600)[:n]
		hash := password.New(password.Params{Memory: 16, Time: 1, Threads: 1}, secret).Encode()
		require.NoError(t, k.Import(t.Context(), maria, civicpin.NewSecret(hash), pin.ImportOptions{By: clerk}))
		_, right := k.works(t, secret)
		require.Equal(t, want, right, n)
	}
}

// A double click sends the same choice twice. Both requests are told of the one success, and nobody is charged a try.
func TestChoosingTwice(t *testing.T) {
	for _, c := range choices {
		t.Run(c.name, func(t *testing.T) {
			k := newKit(t, withDevices())
			old := c.prepare(t, k)
			first, err := c.call(t, k, old, changed)
			require.NoError(t, err)
			stored := k.plain(t)
			k.events.Take()
			k.clock.Add(10*time.Minute - 1)
			again, err := c.call(t, k, strings.ToLower(old), "hj4n-8rtx")
			require.NoError(t, err)
			require.Equal(t, first.Epoch, again.Epoch, "the sessions of both are good")
			require.Equal(t, visible(first), visible(again))
			require.Zero(t, again.LastLoginAt)
			require.Equal(t, stored, k.plain(t), "nothing is written")
			require.Zero(t, k.failures(t))
			_, err = k.RememberDevice(t.Context(), again)
			require.NoError(t, err)

			events := k.events.Of("pin.verified")
			require.Len(t, events, 1)
			require.Equal(t, "again", events[0].Reason)
			for _, code := range []civicpin.EventCode{"pin.exchanged", "pin.changed", "pin.recovered"} {
				require.Empty(t, k.events.Of(code))
			}
		})
	}
}

// A process whose clock is 20 hours slow takes an issued secret, and a grant, for over. What it writes for other
// reasons ends neither for the others. Nor does a sweep, by a clock that may be the wrong one.
func TestSlowClockEndsNothing(t *testing.T) {
	for name, act := range map[string]func(k *kit) error{
		"attest": func(k *kit) error {
			return k.Attest(t.Context(), maria, civicpin.Evidence{Method: civicpin.InPerson, By: clerk})
		},
		"lower": func(k *kit) error {
			return k.LowerLevel(t.Context(), maria, civicpin.Low, k.clock.Now().Add(day), "", clerk)
		},
		"sweep":  func(k *kit) error { return testkit.Err(k.Sweep(t.Context(), 10)) },
		"retry":  func(k *kit) error { return k.out.Flush(t.Context()) },
		"verify": func(k *kit) error { return testkit.Err(k.Verify(t.Context(), try(wrong))) },
	} {
		t.Run(name, func(t *testing.T) {
			s, p, behind := store.NewMemory(), pin.INPS(), 20*time.Hour
			for channel := range p.Valid {
				p.Valid[channel] = 10 * day
			}
			k := newKitOn(t, s, p, newClock(), &testkit.Mailbox{}, &testkit.Recorder{})
			slow := newKitOn(t, s, p, testkit.NewClock(k.clock.Now().Add(-behind)), k.mail, k.events)
			secret := k.issued(t)
			_ = act(slow)
			require.Contains(t, k.plain(t), secret[:8], "to be sent again")
			require.NoError(t, testkit.Err(k.Exchange(t.Context(), try(secret), civicpin.NewSecret(chosen))))
			g := k.granted(t)
			_ = act(slow)
			require.NoError(t, testkit.Err(k.Set(t.Context(), g, civicpin.NewSecret(changed), civicpin.Source{})))
		})
	}
}

// A grant, and an issued secret, that a process wrote whose clock was 30 hours ahead, are over for the others. They stay so on the
// day that clock had, also where the policy lets others be good for longer: a grant for a day, and a letter for three weeks.
func TestRightsOfAClockAhead(t *testing.T) {
	kits := func() (ahead, right *kit) {
		s, c := store.NewMemory(), newClock()
		ahead = newKitOn(t, s, pin.INPS(), testkit.NewClock(c.Now().Add(30*time.Hour)), &testkit.Mailbox{}, &testkit.Recorder{})
		return ahead, newKitOn(t, s, pin.INPS(), c, ahead.mail, ahead.events)
	}
	for _, late := range [][]time.Duration{{0, 10 * time.Hour, 19 * time.Hour, time.Hour, 10 * time.Minute}, {5 * time.Hour, 24 * time.Hour}} {
		ahead, granted := kits()
		ahead.exchanged(t)
		g := ahead.granted(t)
		ahead, issued := kits()
		secret := ahead.issued(t)
		for _, wait := range late {
			granted.clock.Add(wait)
			err := testkit.Err(granted.Set(t.Context(), g, civicpin.NewSecret(changed), civicpin.Source{}))
			require.ErrorIs(t, err, pin.ErrNoGrant, "%v", wait)
			issued.clock.Add(wait)
			require.ErrorIs(t, testkit.Err(issued.Verify(t.Context(), try(secret))), pin.ErrExpired, "%v", wait)
		}
	}
}

// The second request succeeds for the same choice only, and for as long as the first one's secret is the current and a good
// one.
func TestNotTheSameTwice(t *testing.T) {
	for _, c := range choices {
		for name, tt := range map[string]struct {
			between func(t *testing.T, k *kit)
			choice  string
		}{
			"another choice": {func(*testing.T, *kit) {}, "MN6B3VCX"},
			"late":           {func(_ *testing.T, k *kit) { k.clock.Add(10 * time.Minute) }, changed},
			"a clock behind": {func(_ *testing.T, k *kit) { k.clock.Add(-10 * time.Minute) }, changed},
			"changed since": {func(t *testing.T, k *kit) {
				require.NoError(t, testkit.Err(k.Change(t.Context(), try(changed), civicpin.NewSecret("TR5W9PLK"))))
			}, changed},
			"recovered since": {func(t *testing.T, k *kit) {
				require.NoError(t, testkit.Err(k.Set(t.Context(), k.granted(t), civicpin.NewSecret("TR5W9PLK"), civicpin.Source{})))
			}, changed},
			"suspended": {func(t *testing.T, k *kit) { require.NoError(t, k.Suspend(t.Context(), maria, "", clerk)) }, changed},
			"revoked":   {func(t *testing.T, k *kit) { require.NoError(t, k.Revoke(t.Context(), maria, state.Ended, "", clerk)) }, changed},
			"issued anew": {func(t *testing.T, k *kit) {
				require.NoError(t, k.Revoke(t.Context(), maria, state.Ended, "", clerk))
				k.issued(t)
			}, changed},
		} {
			t.Run(c.name+"/"+name, func(t *testing.T) {
				k := newKit(t, pin.INPS())
				old := c.prepare(t, k)
				_, err := c.call(t, k, old, changed)
				require.NoError(t, err)
				tt.between(t, k)
				ok, err := c.call(t, k, old, tt.choice)
				require.Zero(t, ok)
				if c.name == "set" {
					require.ErrorIs(t, err, pin.ErrNoGrant)
					require.Zero(t, k.failures(t))
					return
				}
				require.ErrorIs(t, err, pin.ErrRefused)
				require.Equal(t, 1, k.failures(t), "it is a guess like others")
			})
		}
	}
}

// A thief who knows the replaced secret, or has the used grant, guesses at the current one with that no faster than without.
// One who knows the current secret alone learns nothing about the replaced one.
func TestTwiceIsNoOracle(t *testing.T) {
	for _, c := range choices {
		t.Run(c.name, func(t *testing.T) {
			k := newKit(t, pin.INPS())
			old := c.prepare(t, k)
			_, err := c.call(t, k, old, changed)
			require.NoError(t, err)
			before := pin.Hashes(k.Service)
			compared := 0
			for i := range 50 {
				_, err := c.call(t, k, old, choiceOf(i))
				require.Error(t, err)
				require.NotErrorIs(t, err, pin.ErrUnfitSecret)
				if errors.Is(err, pin.ErrRefused) || errors.Is(err, pin.ErrNoGrant) {
					compared++
				}
			}
			require.Equal(t, 4, compared, "the fifth locks")
			most := int64(10) // two hashes each
			if c.name == "set" {
				most = 5
			}
			require.Equal(t, most, pin.Hashes(k.Service)-before)
			_, err = c.call(t, k, old, changed)
			require.ErrorAs(t, err, new(*lockout.LockedError), "also the right one")
		})
	}
	k := newKit(t, pin.INPS())
	code := k.issued(t)
	require.NoError(t, testkit.Err(k.Exchange(t.Context(), try(code), civicpin.NewSecret(chosen))))
	for _, guess := range []string{wrong + wrong, code[:8], ""} {
		require.ErrorIs(t, testkit.Err(k.Exchange(t.Context(), try(guess), civicpin.NewSecret(chosen))), pin.ErrRefused)
	}
	require.Equal(t, 3, k.failures(t))
}

// An operator suspends between the proof and the write of a change: the credential keeps the secret that it had.
func TestSuspendedWhileChoosing(t *testing.T) {
	for _, c := range choices {
		if c.name == "set" { // a suspension ends the grant
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			k := newKit(t, pin.INPS())
			old, suspended := c.prepare(t, k), false
			other := k.other(t, k.memory)
			k.faults.Hook(func(method, key string) error {
				if method == storetest.Put && strings.HasPrefix(key, "pin.inps/") && !suspended {
					suspended = true
					require.NoError(t, other.Suspend(t.Context(), maria, "stolen", clerk))
				}
				return nil
			})
			require.Error(t, testkit.Err(c.call(t, k, old, changed)))
			require.True(t, suspended)
			require.NoError(t, other.Resume(t.Context(), maria, civicpin.Evidence{Method: civicpin.InPerson, By: clerk}, "found", clerk))
			_, right := k.works(t, changed)
			require.False(t, right)
		})
	}
}

// endings are what ends parts that were not exchanged. A recovery gives the kit its grant.
func endings() map[string]func(*testing.T, *kit) {
	return map[string]func(*testing.T, *kit){
		"their contacts go": func(t *testing.T, k *kit) {
			require.NoError(t, k.ContactsWent(t.Context(), maria, inps().Parts, time.Time{}, civicpin.Citizen))
		},
		"a recovery is completed": func(t *testing.T, k *kit) { k.grant = k.granted(t) },
	}
}

// An exchange whose secret was right comes too late at its write: it takes nothing from a recovery that came first.
func TestLateAtItsWrite(t *testing.T) {
	list := endings()
	list["they expire"] = func(t *testing.T, k *kit) {
		k.clock.Add(7 * day)
		require.NoError(t, k.Attest(t.Context(), maria, civicpin.Evidence{Method: civicpin.Video, By: clerk})) // or there is one write
	}
	for name, end := range list {
		t.Run(name, func(t *testing.T) {
			k := newKit(t, pin.INPS())
			code, other, ended := k.issued(t), k.other(t, k.memory), false
			k.faults.Hook(func(method, key string) error {
				if method == storetest.Put && strings.HasPrefix(key, "pin.inps/") && !ended {
					ended = true
					end(t, other)
				}
				return nil
			})
			var late *pin.ExpiredError
			require.ErrorAs(t, testkit.Err(k.Exchange(t.Context(), try(code), civicpin.NewSecret(chosen))), &late)
			require.Equal(t, state.SinceIssue, late.Since)
			require.True(t, ended)
			require.Len(t, k.events.Of("pin.expired"), 1)
			if !other.grant.IsZero() {
				require.NoError(t, testkit.Err(k.Set(t.Context(), other.grant, civicpin.NewSecret(changed), civicpin.Source{})))
			}
		})
	}
}

// Parts that ended are late in every process, whatever the clock of the one that ended them says.
func TestLateByAnyClock(t *testing.T) {
	for name, end := range endings() {
		for _, ahead := range []time.Duration{-30 * time.Minute, 12 * time.Hour, 8 * day} {
			t.Run(name+" "+ahead.String(), func(t *testing.T) {
				k := newKit(t, pin.INPS())
				code := k.issued(t)
				other := newKitOn(t, k.memory, k.policy, testkit.NewClock(k.clock.Now().Add(ahead)), k.mail, k.events)
				end(t, other)
				for _, to := range []*kit{k, other} {
					var late *pin.ExpiredError
					require.ErrorAs(t, testkit.Err(to.Verify(t.Context(), try(code))), &late)
					require.ErrorAs(t, testkit.Err(to.Exchange(t.Context(), try(code), civicpin.NewSecret(chosen))), &late)
				}
				again := inps()
				again.By = clerk
				require.NoError(t, testkit.Err(k.Issue(t.Context(), maria, again)), "and a new one can be issued")
			})
		}
	}
}

// Any number of equal requests at once, in two processes, succeed, and there is one change.
func TestManyAtOnce(t *testing.T) {
	for _, c := range choices {
		t.Run(c.name, func(t *testing.T) {
			m := store.NewMemory()
			p := pin.INPS()
			p.Hashing.Wait = time.Minute
			k := newKitOn(t, m, p, newClock(), &testkit.Mailbox{}, &testkit.Recorder{})
			old := c.prepare(t, k)
			other := k.other(t, m)
			var got [64]pin.Epoch
			for _, err := range crowd(len(got), func(i int) error {
				ok, err := c.call(t, []*kit{k, other}[i%2], old, changed)
				got[i] = ok.Epoch
				return err
			}) {
				require.NoError(t, err)
			}
			epochs := make(map[pin.Epoch]int)
			for _, e := range got {
				epochs[e]++
			}
			require.Equal(t, map[pin.Epoch]int{k.epoch(t, maria): 64}, epochs)
			require.Zero(t, k.failures(t))
			changes := 0
			for _, code := range []civicpin.EventCode{"pin.exchanged", "pin.changed", "pin.recovered"} {
				changes += len(k.events.Of(code))
			}
			if c.name != "exchange" {
				changes-- // the exchange before
			}
			require.Equal(t, 1, changes)
		})
	}
}

// Of two requests of which one writes between the other's proof and write, the second one succeeds if it makes the same choice.
// If not, it fails, and is counted like any guess at the secret of now.
func TestOvertaken(t *testing.T) {
	for _, c := range choices {
		for _, same := range []bool{true, false} {
			t.Run(c.name, func(t *testing.T) {
				k := newKit(t, pin.INPS())
				m, faults := k.memory, k.faults
				old := c.prepare(t, k)
				other, choice := k.other(t, m), changed
				if !same {
					choice = "MN6B3VCX"
				}
				overtaken := false
				faults.Hook(func(method, key string) error {
					if method == storetest.Put && strings.HasPrefix(key, "pin.inps/") && !overtaken {
						overtaken = true
						require.NoError(t, testkit.Err(c.call(t, other, old, choice)))
					}
					return nil
				})
				ok, err := c.call(t, k, old, changed)
				require.True(t, overtaken)
				_, right := k.works(t, choice)
				require.True(t, right, "one winner")
				switch {
				case same:
					require.NoError(t, err)
					require.Equal(t, k.epoch(t, maria), ok.Epoch)
				case c.name == "set":
					require.ErrorIs(t, err, pin.ErrNoGrant)
				default:
					require.ErrorIs(t, err, pin.ErrChanged)
					require.Len(t, k.events.Of("pin.refused"), 1)
				}
			})
		}
	}
}

// A Set that died after its write, and is sent again, also does what it had left to do.
func TestSetTwiceForgetsWhatTheFirstDidNot(t *testing.T) {
	k := newKit(t, withDevices())
	faults := k.faults
	k.exchanged(t)
	k.remembered(t, "")
	for range 4 {
		require.ErrorIs(t, testkit.Err(k.Verify(t.Context(), try(wrong))), pin.ErrRefused)
	}
	g, written := k.granted(t), false
	faults.Hook(func(method, key string) error {
		written = written || method == storetest.Put && strings.HasPrefix(key, "pin.inps/")
		if written && !strings.HasPrefix(key, "pin.inps/") {
			return storetest.ErrInjected
		}
		return nil
	})
	require.ErrorIs(t, testkit.Err(k.Set(t.Context(), g, civicpin.NewSecret(changed), civicpin.Source{})), storetest.ErrInjected)
	require.True(t, written)
	faults.Hook(nil)
	require.Equal(t, 4, k.failures(t))
	require.NoError(t, testkit.Err(k.Set(t.Context(), g, civicpin.NewSecret(changed), civicpin.Source{})))
	st, err := k.Status(t.Context(), maria)
	require.NoError(t, err)
	require.Zero(t, st.Lockout.Failures)
	require.Zero(t, st.Lockout.Devices)
}

// What is kept for the second request goes with the next write after its time: records stay as short as most are.
func TestWhatIsKeptForTheSecondRequestGoes(t *testing.T) {
	for name, write := range map[string]func(k *kit) error{
		"login": func(k *kit) error { return testkit.Err(k.Verify(t.Context(), try(chosen))) },
		"evidence": func(k *kit) error {
			return k.Attest(t.Context(), maria, civicpin.Evidence{Method: civicpin.Video, By: clerk})
		},
	} {
		k := newKit(t, pin.INPS())
		k.exchanged(t)
		require.Contains(t, k.plain(t), `"again"`, name)
		k.clock.Add(day)
		require.NoError(t, write(k), name)
		require.NotContains(t, k.plain(t), `"again"`, name)
	}
}

// A right secret whose outcome the store could not keep was never wrong: the log must not say so.
func TestRightSecretIsNotLoggedAsWrong(t *testing.T) {
	testkit.CrashPoints(t, testkit.Crashes{}, func(t *testing.T, c *testkit.Crash) {
		k := newKitOn(t, c.Store(), pin.INPS(), newClock(), &testkit.Mailbox{}, &testkit.Recorder{})
		k.exchanged(t)
		k.events.Take()
		_ = c.During(t, func() error { return testkit.Err(k.Verify(t.Context(), try(chosen))) })
		for _, e := range k.events.Of("pin.refused") {
			require.NotEqual(t, "wrong", e.Reason)
		}
	})
}

// A visitor who hangs up while the hashing is full has typed nothing wrong: nothing was compared.
func TestVisitorWhoHangsUpIsNotLoggedAsWrong(t *testing.T) {
	p := pin.INPS()
	p.Hashing.Permits = 1
	k := newKit(t, p)
	k.exchanged(t)
	k.events.Take()
	release := pin.Hold(k.Service, 1)
	defer release()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	hashes := pin.Hashes(k.Service)
	_, err := k.Verify(ctx, try(chosen))
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Equal(t, hashes, pin.Hashes(k.Service), "nothing was compared")
	events := k.events.Of("pin.refused")
	require.Len(t, events, 1)
	require.Equal(t, "not checked", events[0].Reason)
}

// TestRecordersThatMisbehave: a recorder that panics or never returns changes no answer. Each call ends by its deadline, and
// keeps no place in front of the hashing.
func TestRecordersThatMisbehave(t *testing.T) {
	for name, record := range map[string]func(free <-chan struct{}){
		"panics": func(<-chan struct{}) { panic("no disk") },
		"hangs":  func(free <-chan struct{}) { <-free },
		"exits":  func(<-chan struct{}) { runtime.Goexit() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				free := make(chan struct{})
				defer close(free)
				var k *kit
				k = newRecordedKitOn(t, store.NewMemory(), pin.INPS(), testkit.Limits(), newClock(), &testkit.Mailbox{},
					civicpin.RecorderFunc(func(context.Context, civicpin.Event) {
						pin.Occupy(k.Service, 2)() // panics if a place is missing
						record(free)
					}))
				within := func(call func(context.Context) error) error {
					ctx, cancel := context.WithTimeout(t.Context(), time.Second)
					defer cancel()
					began := time.Now()
					defer func() { require.LessOrEqual(t, time.Since(began), 2*time.Second) }()
					return call(ctx)
				}
				require.NoError(t, within(func(ctx context.Context) error { return testkit.Err(k.Issue(ctx, maria, inps())) }))
				require.NoError(t, k.out.Flush(t.Context()))
				issued := k.last(phone) + k.last(email)
				require.NoError(t, within(func(ctx context.Context) error {
					return testkit.Err(k.Exchange(ctx, try(issued), civicpin.NewSecret(chosen)))
				}))
				require.NoError(t, within(func(ctx context.Context) error { return testkit.Err(k.Verify(ctx, try(chosen))) }))
				require.ErrorIs(t, within(func(ctx context.Context) error { return testkit.Err(k.Verify(ctx, try(wrong))) }), lockout.ErrRefused)
			})
		})
	}
}

// Input that is invalid is refused before the store is asked for anything.
func TestInvalidInputCostsNothing(t *testing.T) {
	k := newKit(t, withDevices())
	device(t, k)
	ctx, grant := t.Context(), k.granted(t)
	const nobody, noActor, longSource = civicpin.Subject(""), civicpin.Actor(""), "a\nb"
	bad := civicpin.Source{Address: longSource}
	hash, choice := civicpin.NewSecret(bcrypt4711), civicpin.NewSecret(changed)
	attempts := []pin.Attempt{{Subject: nobody}, {Subject: maria, Source: bad}}
	var calls []func() error
	for _, a := range attempts {
		o := inps()
		o.Source = a.Source
		calls = append(calls,
			func() error { return testkit.Err(k.Issue(ctx, a.Subject, o)) },
			func() error { return testkit.Err(k.Verify(ctx, a)) },
			func() error { return testkit.Err(k.Exchange(ctx, a, choice)) },
			func() error { return testkit.Err(k.Change(ctx, a, choice)) },
			func() error { return k.Resend(ctx, a.Subject, 0, a.Source) },
			func() error { return testkit.Err(k.Shown(ctx, a.Subject, a.Source)) },
		)
	}
	for _, part := range []int{-1, 2} {
		calls = append(calls, func() error { return k.Resend(ctx, maria, part, home) })
	}
	calls = append(calls,
		func() error { return testkit.Err(k.Set(ctx, grant, choice, bad)) },
		func() error { return testkit.Err(k.Reissue(ctx, grant, bad)) },
		func() error { return testkit.Err(k.Epoch(ctx, nobody)) },
		func() error { return testkit.Err(k.Acts(ctx, nobody)) },
		func() error { return testkit.Err(k.Status(ctx, nobody)) },
		func() error { return testkit.Err(k.Mark(ctx, nobody)) },
		func() error { return testkit.Err(k.Complete(ctx, proof.New(proof.Completed{Run: "run", Valid: day}))) },
		func() error { return k.Attest(ctx, maria, civicpin.Evidence{By: clerk}) },
		func() error { return k.LowerLevel(ctx, maria, civicpin.Level(9), k.clock.Now().Add(day), "", clerk) },
		func() error { return k.Revoke(ctx, maria, "whim", "", clerk) },
		func() error { return k.Resume(ctx, maria, civicpin.Evidence{Method: civicpin.Video}, "", clerk) },
		func() error { return k.Resume(ctx, maria, civicpin.Evidence{}, "", civicpin.Citizen) },
		func() error { return k.Unlock(ctx, maria, civicpin.Citizen) },
		func() error { return testkit.Err(k.Reprint(ctx, maria, civicpin.Citizen)) },
		func() error { return testkit.Err(k.RequestCode(ctx, maria, civicpin.Citizen)) },
		func() error { return k.Import(ctx, maria, hash, pin.ImportOptions{By: civicpin.Citizen}) },
		func() error { return k.Import(ctx, maria, choice, pin.ImportOptions{By: clerk}) },
		func() error { return k.Receipt(ctx, "", state.Delivered) },
		func() error { return k.Receipt(ctx, "receipt-1", state.Accepted) },
		func() error { return k.Repudiated(ctx, proof.Completed{}) },
	)
	for _, s := range []civicpin.Subject{nobody, maria} {
		by := map[civicpin.Subject]civicpin.Actor{nobody: clerk, maria: noActor}[s]
		calls = append(calls,
			func() error { return k.Attest(ctx, s, civicpin.Evidence{Method: civicpin.Video, By: by}) },
			func() error { return k.Revoke(ctx, s, state.Ended, "", by) },
			func() error { return k.Suspend(ctx, s, "", by) },
			func() error { return k.Stop(ctx, s, "", by) },
			func() error { return k.Resume(ctx, s, civicpin.Evidence{}, "", by) },
			func() error { return k.Unlock(ctx, s, by) },
			func() error { return k.EndSessions(ctx, s, by) },
			func() error { return k.LowerLevel(ctx, s, civicpin.Low, k.clock.Now().Add(day), "", by) },
			func() error { return testkit.Err(k.RequestCode(ctx, s, by)) },
			func() error { return testkit.Err(k.Reprint(ctx, s, by)) },
			func() error { return k.Import(ctx, s, hash, pin.ImportOptions{By: by}) },
		)
	}
	k.events.Take()
	for i, call := range calls {
		var err error
		require.Empty(t, testkit.Calls(k.faults, func() { err = call() }), "call %d: %v", i, err)
		require.ErrorIs(t, err, civicpin.ErrInvalid, i)
		require.Empty(t, k.events.Take(), i)
	}
}

// A reason has 512 bytes at most, and a receipt 256.
func TestLongTexts(t *testing.T) {
	k := newKit(t, pin.INPS())
	k.exchanged(t)
	require.ErrorIs(t, k.Suspend(t.Context(), maria, strings.Repeat("x", 513), clerk), civicpin.ErrInvalid)
	require.NoError(t, k.Suspend(t.Context(), maria, strings.Repeat("x", 512), clerk))
	require.ErrorIs(t, k.Receipt(t.Context(), strings.Repeat("x", 257), state.Delivered), civicpin.ErrInvalid)
	require.ErrorIs(t, k.Receipt(t.Context(), strings.Repeat("x", 256), state.Delivered), pin.ErrNoCredential)
}

// once has do done before the first write of a record of a kind, by another process.
func (k *kit) once(t *testing.T, kind string, do func(other *kit)) {
	t.Helper()
	other, done := k.other(t, k.memory), false
	k.faults.Hook(func(method, key string) error {
		if method == storetest.Put && strings.HasPrefix(key, kind+"/") && !done {
			done = true
			do(other)
		}
		return nil
	})
	t.Cleanup(func() { require.True(t, done, "nothing was written") })
}

// An act that another one made needless at the moment of its write records nothing.
func TestNeedlessAtItsWrite(t *testing.T) {
	for name, tc := range map[string]struct {
		prepare func(*testing.T, *kit)
		act     func(*kit) error
		code    civicpin.EventCode
	}{
		"suspend": {active, func(k *kit) error { return k.Suspend(t.Context(), maria, "lost", clerk) }, "pin.suspended"},
		"revoke":  {active, func(k *kit) error { return k.Revoke(t.Context(), maria, state.Ended, "lost", clerk) }, "pin.revoked"},
		"receipt": {issuedBefore, func(k *kit) error { return k.Receipt(t.Context(), "receipt-1", state.Delivered) }, "pin.part_delivered"},
		"resend and accepted": {issuedBefore, func(k *kit) error {
			return errors.Join(k.Resend(t.Context(), maria, 0, home), k.out.Flush(t.Context()))
		}, "pin.resent"},
		"resend": {issuedBefore, func(k *kit) error { return k.Resend(t.Context(), maria, 0, home) }, "pin.resent"},
		"ask":    {issuedBefore, func(k *kit) error { return issues(civicpin.Citizen, inps())(t.Context(), k) }, "pin.resent"},
	} {
		k := newKit(t, withDevices())
		tc.prepare(t, k)
		k.once(t, "pin.inps", func(other *kit) { require.NoError(t, tc.act(other)) })
		require.NoError(t, tc.act(k), name)
		require.Len(t, k.events.Of(tc.code), 1, name)
	}
}

// What an import is told of the times and the identity stands, but no time that is to come.
func TestImportedTimes(t *testing.T) {
	now := newClock().Now()
	for given, want := range map[time.Time]struct{ changed, used time.Time }{
		{}:                   {now, time.Time{}},
		now.Add(-50 * day):   {now.Add(-50 * day), now.Add(-50 * day)},
		now.Add(-1):          {now.Add(-1), now.Add(-1)},
		now.Add(time.Second): {now, time.Time{}},
	} {
		k := newKit(t, pin.INPS())
		require.NoError(t, k.Import(t.Context(), maria, civicpin.NewSecret(weak), pin.ImportOptions{
			ChangedAt: given, UsedAt: given, By: clerk, Level: civicpin.Substantial, Evidence: inPerson,
		}))
		st, err := k.Status(t.Context(), maria)
		require.NoError(t, err)
		proved := inPerson
		proved.At = now
		require.Equal(t, pin.Status{
			State: state.Active, Level: civicpin.Substantial, Evidence: []civicpin.Evidence{proved}, IssuedAt: now,
			ChangedAt: want.changed, UsedAt: want.used, ExpiresAt: want.changed.Add(90 * day), Parts: []pin.Part{}, Lockout: st.Lockout,
		}, st)
	}
	k := newKit(t, pin.INPS())
	require.NoError(t, k.Import(t.Context(), maria, civicpin.NewSecret(weak), pin.ImportOptions{By: clerk, Evidence: inPerson}))
	st, err := k.Status(t.Context(), maria)
	require.NoError(t, err)
	require.Equal(t, civicpin.Low, st.Level, "the evidence is recorded, and the level that was asked for stands")
}

// The first piece of evidence stays, and of the others the latest fifteen, each with its time.
func TestEvidenceIsKept(t *testing.T) {
	k := newKit(t, pin.INPS())
	k.exchanged(t)
	at := k.clock.Now().Add(-day)
	for i := range 40 {
		require.NoError(t, k.Attest(t.Context(), maria, civicpin.Evidence{
			Method: civicpin.Video, Document: fmt.Sprint("D", i), By: clerk, At: at.Add(time.Duration(i)),
		}))
	}
	st, err := k.Status(t.Context(), maria)
	require.NoError(t, err)
	var want []civicpin.Evidence
	for i := range 40 {
		if i == 0 || i > 24 {
			want = append(want, civicpin.Evidence{Method: civicpin.Video, Document: fmt.Sprint("D", i), By: clerk, At: at.Add(time.Duration(i))})
		}
	}
	require.Equal(t, want, st.Evidence)
}

// A hash that cannot be read is good for nothing, costs the same work, and is logged. A former one stands in no way.
func TestUnreadableHash(t *testing.T) {
	p := pin.INPS()
	p.History = 3
	k := newKit(t, p)
	changedBefore(t, k)
	require.NoError(t, pin.Spoil(t.Context(), k.Service, maria, false, true))
	require.NoError(t, testkit.Err(k.Change(t.Context(), try(changed), civicpin.NewSecret(anew))))
	require.NoError(t, pin.Spoil(t.Context(), k.Service, maria, true, false))
	k.events.Take()
	before := pin.Hashes(k.Service)
	require.ErrorIs(t, testkit.Err(k.Verify(t.Context(), try(anew))), pin.ErrRefused)
	require.EqualValues(t, 1, pin.Hashes(k.Service)-before)
	require.Equal(t, "unreadable", k.events.Take()[0].Reason)
}

// deaf is a store that works on for callers who have hung up.
type deaf struct{ *store.Memory }

func (d deaf) Get(ctx context.Context, key string) (store.Record, error) {
	return d.Memory.Get(context.WithoutCancel(ctx), key)
}

func (d deaf) Put(ctx context.Context, key string, r store.Record) (store.Version, error) {
	return d.Memory.Put(context.WithoutCancel(ctx), key, r)
}

func (d deaf) Delete(ctx context.Context, key string, v store.Version) error {
	return d.Memory.Delete(context.WithoutCancel(ctx), key, v)
}

// A caller who hangs up before a secret is hashed has written nothing, also where the store would.
func TestHungUpBeforeAHash(t *testing.T) {
	for name, tc := range map[string]struct {
		prepare func(*testing.T, *kit)
		act     func(context.Context, *kit) error
		call    string // at which the caller hangs up, "" for a hash
		n       int
	}{
		"Issue":                {nothing, issues(clerk, inps()), "Put outbox.entry", 2},
		"Reissue":              {granted(inps().Parts...), reissues, "Put outbox.entry", 2},
		"Exchange":             {askedBefore, exchanges, "Get proved", 1},
		"Exchange, the second": {issuedBefore, exchanges, "", 2},
	} {
		faults := storetest.NewFaults(deaf{store.NewMemory()})
		hook := func(string) {}
		k := provingBy(t, faults.Store(), withDevices(), pin.ProvedFunc(
			func(context.Context, civicpin.Subject, []civicpin.Contact) (bool, error) {
				hook("Get proved")
				return true, nil
			},
		))
		tc.prepare(t, k)
		ctx, cancel := context.WithCancel(t.Context())
		left := tc.n
		hook = func(call string) {
			if call == tc.call {
				if left--; left == 0 {
					cancel()
				}
			}
		}
		before := k.plain(t)
		ctx = password.WithEach(ctx, func(context.Context, string) { hook("") })
		faults.Hook(func(method, key string) error {
			kind, _, _ := strings.Cut(key, "/")
			hook(method + " " + kind)
			return nil
		})
		require.ErrorIs(t, tc.act(ctx, k), context.Canceled, name)
		require.LessOrEqual(t, left, 0, name)
		require.Equal(t, before, k.plain(t), name)
	}
}

// askedBefore is a secret that a citizen asked for, to proved contacts.
func askedBefore(t *testing.T, k *kit) {
	require.NoError(t, issues(civicpin.Citizen, inps())(t.Context(), k))
	require.NoError(t, k.out.Flush(t.Context()))
}

func reissues(ctx context.Context, k *kit) error { return testkit.Err(k.Reissue(ctx, k.grant, home)) }

// Revoking again is an act only where it finds a fraud, or ends a grant.
func TestRevokedAgain(t *testing.T) {
	for _, tc := range []struct {
		first, second state.Cause
		granted       bool
		events        int
	}{
		{state.Ended, state.Ended, false, 1},
		{state.Ended, state.Fraud, false, 2},
		{state.Fraud, state.Ended, false, 1},
		{state.Fraud, state.Fraud, false, 1},
		{state.Ended, state.Ended, true, 2},
	} {
		k := newKit(t, pin.INPS())
		k.exchanged(t)
		require.NoError(t, k.Revoke(t.Context(), maria, tc.first, "", clerk))
		if tc.granted {
			k.grant = k.granted(t)
		}
		require.NoError(t, k.Revoke(t.Context(), maria, tc.second, "", clerk))
		require.Len(t, k.events.Of("pin.revoked"), tc.events, "%+v", tc)
		m, err := k.Mark(t.Context(), maria)
		require.NoError(t, err)
		require.Equal(t, tc.first == state.Ended && tc.second == state.Ended, m.Free, "%+v", tc)
		if tc.granted {
			require.ErrorIs(t, sets(changed)(t.Context(), k), pin.ErrNoGrant)
		}
	}
}

// A part of what was exchanged at the moment of the write is not sent again.
func TestResendAfterTheExchange(t *testing.T) {
	k := newKit(t, withDevices())
	issuedBefore(t, k)
	k.once(t, "pin.inps", func(other *kit) { require.NoError(t, exchanges(t.Context(), other)) })
	require.NoError(t, k.Resend(t.Context(), maria, 0, home))
	require.Len(t, k.events.Of("pin.nothing_issued"), 1)
	require.Equal(t, []state.Part{state.Accepted, state.Accepted}, k.states(t))
}

// What the counter does on evidence stands as it was asked for: a low level stays low, and a fraud is over.
func TestEvidenceGivesWhatIsAsked(t *testing.T) {
	k := newKit(t, pin.INPS())
	o := inps()
	o.Evidence = inPerson
	require.NoError(t, issues(clerk, o)(t.Context(), k))
	st, err := k.Status(t.Context(), maria)
	require.NoError(t, err)
	require.Equal(t, []any{civicpin.Low, 1}, []any{st.Level, len(st.Evidence)})

	require.NoError(t, k.Revoke(t.Context(), maria, state.Fraud, "", clerk))
	require.NoError(t, k.Import(t.Context(), maria, civicpin.NewSecret(weak), pin.ImportOptions{By: clerk, Evidence: inPerson}))
	m, err := k.Mark(t.Context(), maria)
	require.NoError(t, err)
	require.True(t, m.Held)
}

// A former secret is compared in the one form in which it was hashed.
func TestAFormerSecretCostsOneHash(t *testing.T) {
	p := pin.INPS()
	p.History = 3
	k := newKit(t, p)
	changedBefore(t, k)
	before := pin.Hashes(k.Service)
	require.NoError(t, testkit.Err(k.Change(t.Context(), try(changed), civicpin.NewSecret("tr5w-9plk"))))
	require.EqualValues(t, 4, pin.Hashes(k.Service)-before, "the current one, the former one, and two of the new one")
}

// A letter is printed again a minute after its issue, and a week after it was printed, and each time counts.
func TestLettersAgain(t *testing.T) {
	p := pin.INPS()
	p.Sends = civicpin.Rate{Limit: 1000, Window: time.Hour}
	k := newKit(t, p)
	ask := func(wait time.Duration) bool {
		k.clock.Add(wait)
		is, err := k.Issue(t.Context(), maria, byLetter())
		require.NoError(t, err)
		return !is.Slip.IsZero()
	}
	require.True(t, ask(0))
	require.True(t, ask(time.Minute-1), "the same request")
	require.False(t, ask(1))
	require.False(t, ask(7*day-time.Minute-1))
	require.True(t, ask(1))
	require.False(t, ask(7*day-1))
	n := 2
	for ; testkit.Err(k.Reprint(t.Context(), maria, clerk)) == nil; n++ {
		continue
	}
	require.Equal(t, 100, n)
}

// A suspension, and its end, are acts once.
func TestSuspendedOnce(t *testing.T) {
	k := newKit(t, pin.INPS())
	k.exchanged(t)
	for range 2 {
		require.NoError(t, k.Suspend(t.Context(), maria, "", clerk))
	}
	for range 2 {
		require.NoError(t, k.Resume(t.Context(), maria, civicpin.Evidence{}, "", clerk))
	}
	require.Len(t, k.events.Of("pin.suspended"), 1)
	require.Len(t, k.events.Of("pin.resumed"), 1)
}

// What is left of a revoked credential.
func TestStatusOfARevokedOne(t *testing.T) {
	k := newKit(t, pin.INPS())
	k.exchanged(t)
	before, err := k.Status(t.Context(), maria)
	require.NoError(t, err)
	k.clock.Add(day)
	require.NoError(t, k.Revoke(t.Context(), maria, state.Ended, "moved", clerk))
	st, err := k.Status(t.Context(), maria)
	require.NoError(t, err)
	require.NotZero(t, before.UsedAt)
	require.Equal(t, pin.Status{
		State: state.Revoked, Parts: before.Parts, IssuedAt: before.IssuedAt, ChangedAt: before.ChangedAt, UsedAt: before.UsedAt,
		Lockout: before.Lockout, By: clerk, Reason: "moved",
	}, st)
}

// A use is noted once in 24 hours, and not of what was erased at that moment.
func TestUsesAreNoted(t *testing.T) {
	for _, after := range []time.Duration{day - 1, day} {
		k := newKit(t, pin.INPS())
		k.exchanged(t)
		want := k.clock.Now()
		k.clock.Add(after)
		if after == day {
			want = k.clock.Now()
		}
		_, right := k.works(t, chosen)
		require.True(t, right)
		st, err := k.Status(t.Context(), maria)
		require.NoError(t, err)
		require.Equal(t, want, st.UsedAt.UTC())
	}
	k := newKit(t, pin.INPS())
	require.NoError(t, k.Import(t.Context(), maria, civicpin.NewSecret(weak), pin.ImportOptions{By: clerk}))
	k.once(t, "pin.inps", func(other *kit) {
		require.NoError(t, testkit.Err(other.vault.Erase(t.Context(), maria, store.Pass{})))
	})
	_, right := k.works(t, chosen)
	require.True(t, right)
	require.ErrorIs(t, testkit.Err(k.Status(t.Context(), maria)), pin.ErrNoCredential)
}

// A grant whose credential could not be read costs its source nothing.
func TestUnreadGrantsCostNothing(t *testing.T) {
	k := newKit(t, pin.INPS())
	k.exchanged(t)
	k.grant = k.granted(t)
	k.faults.Hook(func(_, key string) error {
		if strings.HasPrefix(key, "pin.inps/") {
			return storetest.ErrInjected
		}
		return nil
	})
	for range 61 {
		require.ErrorIs(t, sets(changed)(t.Context(), k), storetest.ErrInjected)
	}
	k.faults.Hook(nil)
	require.NoError(t, sets(changed)(t.Context(), k))
}

// Each act that ends what waits elsewhere shows in what package contact compares.
func TestActsShow(t *testing.T) {
	k := newKit(t, pin.INPS())
	last := ""
	for i, act := range []func() error{
		func() error { k.exchanged(t); return nil },
		func() error { return changes(chosen)(t.Context(), k) },
		func() error { return k.Suspend(t.Context(), maria, "", clerk) },
		func() error { return k.Resume(t.Context(), maria, civicpin.Evidence{}, "", clerk) },
		func() error { k.granted(t); return nil },
		func() error { return k.Repudiated(t.Context(), repudiated(nil)) },
		func() error { return k.Revoke(t.Context(), maria, state.Ended, "", civicpin.Citizen) },
		func() error { return k.atDesk(t) },
		func() error { return k.Revoke(t.Context(), maria, state.Ended, "", clerk) },
		func() error { return issues(clerk, inps())(t.Context(), k) },
	} {
		require.NoError(t, act(), i)
		text, err := k.Acts(t.Context(), maria)
		require.NoError(t, err)
		require.NotEqual(t, last, text, i)
		last = text
	}
}
