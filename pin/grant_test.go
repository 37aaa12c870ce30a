package pin_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/password"
	"github.com/civicpin/civicpin/internal/proof"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/internal/waits"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/pin/rule"
	"github.com/civicpin/civicpin/pin/state"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/storetest"
)

// completed is a plan that was completed just now.
func (k *kit) completed(t testing.TB, parts ...civicpin.Contact) proof.Completed {
	t.Helper()
	m, err := k.Mark(t.Context(), maria)
	require.NoError(t, err)
	return proof.New(proof.Completed{
		Subject: maria, Plan: "plan", Run: "run", Epoch: m.Epoch, Creates: m.Free, Parts: parts, Valid: 15 * time.Minute,
		Kept: proof.Kept{Level: civicpin.Substantial},
	})
}

// granted gives Maria a grant.
func (k *kit) granted(t testing.TB, parts ...civicpin.Contact) pin.Grant {
	t.Helper()
	g, err := k.Complete(t.Context(), k.completed(t, parts...))
	require.NoError(t, err)
	return g
}

func TestSet(t *testing.T) {
	k := newKit(t, pin.INPS())
	k.exchanged(t)
	require.NoError(t, k.Attest(t.Context(), maria, civicpin.Evidence{Method: civicpin.InPerson, By: clerk}))
	for range 4 {
		_, err := k.Verify(t.Context(), try(wrong))
		require.ErrorIs(t, err, pin.ErrRefused)
	}
	g := k.granted(t)
	_, right := k.works(t, chosen)
	require.True(t, right, "a grant alone takes nothing away")

	k.clock.Add(time.Minute)
	require.NoError(t, k.Unlock(t.Context(), maria, clerk))
	require.NoError(t, testkit.Err(k.Set(t.Context(), g, civicpin.NewSecret(changed), civicpin.Source{})))
	_, right = k.works(t, chosen)
	require.False(t, right)
	ok, right := k.works(t, changed)
	require.True(t, right)
	require.Equal(t, civicpin.Substantial, ok.Level, "the level is kept")
	require.False(t, ok.MustExchange)
	require.ErrorIs(t, testkit.Err(k.Set(t.Context(), g, civicpin.NewSecret("MN6B3VCX"), civicpin.Source{})), pin.ErrNoGrant, "once")
}

func TestSetChecksTheChoice(t *testing.T) {
	p := pin.INPS()
	p.History = 3
	k := newKit(t, p)
	k.exchanged(t)
	require.NoError(t, testkit.Err(k.Change(t.Context(), try(chosen), civicpin.NewSecret(changed))))
	g := k.granted(t)
	for _, tt := range []struct {
		secret string
		rule   rule.Rule
	}{
		{"12345678", rule.Sequence},
		{"RSSMRA85", rule.Personal},
		{"ROSSI4QX", rule.Personal},
		{"SHORT", rule.Length},
		{chosen, rule.History},
		{changed, rule.History},
	} {
		_, err := k.Set(t.Context(), g, civicpin.NewSecret(tt.secret), civicpin.Source{}, "Maria Rossi")
		require.ErrorIs(t, err, pin.ErrUnfitSecret, tt.secret)
		choice, _ := errors.AsType[*pin.ChoiceError](err)
		require.Equal(t, tt.rule, choice.Rule, tt.secret)
	}
	require.NoError(t, testkit.Err(k.Set(t.Context(), g, civicpin.NewSecret("MN6B3VCX"), civicpin.Source{})), "the grant is still good")

	k = newKit(t, p) // of a credential that was not exchanged yet
	part := k.issued(t)[:8]
	choice, _ := errors.AsType[*pin.ChoiceError](testkit.Err(k.Set(t.Context(), k.granted(t), civicpin.NewSecret(part), civicpin.Source{})))
	require.Equal(t, rule.History, choice.Rule, "and not issued: its holder did not show it")
}

// Whoever holds a grant must not find out the former secrets by trying them.
func TestSetIsNoOracle(t *testing.T) {
	p := pin.INPS()
	p.History = 10
	k := newKit(t, p)
	k.exchanged(t)
	g := k.granted(t)
	tries := 0
	for i := range 50 {
		if i%3 == 2 { // a choice that is refused for another reason buys no tries
			require.Error(t, testkit.Err(k.Set(t.Context(), g, civicpin.NewSecret("ROSSI4QX"), civicpin.Source{})))
		}
		_, err := k.Set(t.Context(), g, civicpin.NewSecret(chosen), civicpin.Source{})
		if _, locked := errors.AsType[*lockout.LockedError](err); !locked {
			require.ErrorIs(t, err, pin.ErrUnfitSecret)
			tries++
		}
	}
	require.LessOrEqual(t, tries, 5)
}

// A holder of a grant who hangs up once a choice was found to be no former secret has used the grant, or could go on trying.
func TestSetGoesOnWithoutItsCaller(t *testing.T) {
	k := newKit(t, pin.INPS())
	faults := k.faults
	k.exchanged(t)
	g := k.granted(t)
	ctx, cancel := context.WithCancel(t.Context())
	puts := 0
	faults.Hook(func(method, key string) error {
		if method == storetest.Put && strings.HasPrefix(key, "lockout.") {
			if puts++; puts == 2 { // the comparison is settled
				cancel()
			}
		}
		return nil
	})
	require.NoError(t, testkit.Err(k.Set(ctx, g, civicpin.NewSecret(changed), civicpin.Source{})))
	require.ErrorIs(t, ctx.Err(), context.Canceled)
	_, right := k.works(t, changed)
	require.True(t, right)
}

// hung is a store whose writes wait for as long as their context lets them, from the n-th on, when the caller hangs up.
type hung struct {
	*store.Memory
	left   *int // writes before that
	hangUp context.CancelFunc
}

func (h *hung) Put(ctx context.Context, key string, r store.Record) (store.Version, error) {
	if h.left != nil {
		if *h.left--; *h.left < 0 {
			h.hangUp()
			<-ctx.Done()
			return 0, ctx.Err()
		}
	}
	return h.Memory.Put(ctx, key, r)
}

// What is done for a caller who hung up takes half a minute at most, whatever the store does: the attempt is settled, and the
// grant used, for 15 seconds each.
func TestNothingHangsWithoutItsCaller(t *testing.T) {
	for n := range 4 {
		synctest.Test(t, func(t *testing.T) {
			s := &hung{Memory: store.NewMemory()}
			k := newKitOn(t, s, pin.INPS(), testkit.NewClock(time.Now()), &testkit.Mailbox{}, &testkit.Recorder{})
			k.exchanged(t)
			g := k.granted(t)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			s.left, s.hangUp = new(n), cancel
			began := time.Now()
			err := testkit.Err(k.Set(ctx, g, civicpin.NewSecret(changed), civicpin.Source{}))
			require.Error(t, err, "%d writes were done", n)
			require.LessOrEqual(t, time.Since(began), 30*time.Second, "%d writes were done", n)
			*s.left = n % 2 // the attempt is taken, or not
			_ = testkit.Err(k.Verify(ctx, try(wrong)))
			require.LessOrEqual(t, time.Since(began), time.Minute, "%d writes were done", n)
		})
	}
}

func TestSetBegins(t *testing.T) {
	for _, before := range []string{"nothing", "revoked"} {
		t.Run(before, func(t *testing.T) {
			k := newKit(t, pin.INPS())
			if before == "revoked" {
				k.exchanged(t)
				require.NoError(t, k.Attest(t.Context(), maria, civicpin.Evidence{Method: civicpin.InPerson, By: clerk}))
				require.NoError(t, k.Revoke(t.Context(), maria, state.Ended, "lost", clerk))
			}
			g := k.granted(t)
			_, right := k.works(t, "")
			require.False(t, right, "nobody gets in before a secret is chosen")
			require.NoError(t, testkit.Err(k.Set(t.Context(), g, civicpin.NewSecret(changed), civicpin.Source{})))
			ok, right := k.works(t, changed)
			require.True(t, right)
			require.Equal(t, civicpin.Low, ok.Level, "it begins at low, whatever was before")
		})
	}
}

func TestReissue(t *testing.T) {
	k := newKit(t, pin.INPS())
	k.exchanged(t)
	require.NoError(t, k.Attest(t.Context(), maria, civicpin.Evidence{Method: civicpin.InPerson, By: clerk}))
	g := k.granted(t, inps().Parts...)
	require.ErrorIs(t, testkit.Err(k.Set(t.Context(), g, civicpin.NewSecret(changed), civicpin.Source{})), pin.ErrNoGrant, "this grant is for parts")
	is, err := k.Reissue(t.Context(), g, civicpin.Source{})
	require.NoError(t, err)
	require.Len(t, is.Parts, 2)
	require.True(t, is.Slip.IsZero())
	_, right := k.works(t, chosen)
	require.False(t, right, "the lost secret is good for nothing")
	require.NoError(t, k.out.Flush(t.Context()))
	both := k.last(phone) + k.last(email)
	ok, right := k.works(t, both)
	require.True(t, right)
	require.True(t, ok.MustExchange)
	_, err = k.Exchange(t.Context(), try(both), civicpin.NewSecret(chosen))
	require.ErrorIs(t, err, pin.ErrUnfitSecret, "a lost secret is not chosen again")
	require.NoError(t, testkit.Err(k.Exchange(t.Context(), try(both), civicpin.NewSecret(changed))))
	ok, _ = k.works(t, changed)
	require.Equal(t, civicpin.Substantial, ok.Level, "level kept over the re-issue and the exchange")
	_, err = k.Reissue(t.Context(), g, civicpin.Source{})
	require.ErrorIs(t, err, pin.ErrNoGrant)
}

// The level is the lower of the lost one and what the run showed enough for, and it is settled when the secret is the citizen's
// own: the same Set or Exchange again gives the same, and a re-issue that is not exchanged takes nothing.
func TestALevelIsLeft(t *testing.T) {
	k := newKit(t, pin.INPS())
	k.exchanged(t)
	before := k.clock.Now()
	k.clock.Add(time.Hour)
	seen := civicpin.Evidence{Method: civicpin.InPerson, By: clerk}
	level := func(want civicpin.Level, verified pin.Verified, err error) {
		t.Helper()
		require.NoError(t, err)
		require.Equal(t, want, verified.Level)
		st, err := k.Status(t.Context(), maria)
		require.NoError(t, err)
		require.Equal(t, want, st.Level)
		require.NotEmpty(t, st.Evidence, "as history")
	}
	for i, tc := range []struct {
		kept proof.Kept
		want civicpin.Level
	}{
		{proof.Kept{Level: civicpin.Substantial}, civicpin.Substantial},
		{proof.Kept{Level: civicpin.High}, civicpin.Substantial},
		{proof.Kept{Level: civicpin.Substantial, Known: before.Add(24 * time.Hour)}, civicpin.Substantial},
		{proof.Kept{Level: civicpin.Substantial, Known: before}, civicpin.Low},
		{proof.Kept{Level: civicpin.Low}, civicpin.Low},
		{proof.Kept{}, civicpin.Low},
	} {
		require.NoError(t, k.Attest(t.Context(), maria, seen))
		p := k.completed(t)
		p.Kept = tc.kept
		g, err := k.Complete(t.Context(), p)
		require.NoError(t, err)
		for range 2 {
			ok, err := k.Set(t.Context(), g, civicpin.NewSecret(fmt.Sprintf("QZ7WK4P%d", i)), civicpin.Source{})
			level(tc.want, ok, err)
		}

		require.NoError(t, k.Attest(t.Context(), maria, seen))
		k.clock.Add(time.Second) // a level may have begun
		var halves string
		for _, kept := range []proof.Kept{{Level: civicpin.Low}, tc.kept} { // the first re-issue is never exchanged
			p = k.completed(t, inps().Parts...)
			p.Kept = kept
			g, err = k.Complete(t.Context(), p)
			require.NoError(t, err)
			require.NoError(t, testkit.Err(k.Reissue(t.Context(), g, civicpin.Source{})))
			require.NoError(t, k.out.Flush(t.Context()))
			halves = k.last(phone) + k.last(email)
		}
		for range 2 {
			ok, err := k.Exchange(t.Context(), try(halves), civicpin.NewSecret(fmt.Sprintf("HJ4N8RT%d", i)))
			level(tc.want, ok, err)
		}
		k.clock.Add(24 * time.Hour)
	}

	// A new issue begins a level anew, also before it is exchanged: contacts of the one before say nothing about it.
	before = k.clock.Now()
	k.clock.Add(time.Hour)
	require.NoError(t, k.Revoke(t.Context(), maria, state.Ended, "lost", clerk))
	o := inps()
	o.Level, o.Evidence, o.By = civicpin.Substantial, seen, clerk
	require.NoError(t, testkit.Err(k.Issue(t.Context(), maria, o)))
	p := k.completed(t)
	p.Kept.Known = before
	g, err := k.Complete(t.Context(), p)
	require.NoError(t, err)
	ok, err := k.Set(t.Context(), g, civicpin.NewSecret("MN6B3VCX"), civicpin.Source{})
	level(civicpin.Low, ok, err)
}

// While the parts of a recovery are on the way, or were not read in time, the account is still its owner's: nobody has it
// issued to their own contacts, and the store does not forget it.
func TestReissuedStaysItsOwners(t *testing.T) {
	k := newKit(t, pin.INPS())
	k.exchanged(t)
	thiefs := inps()
	thiefs.Parts = []civicpin.Contact{
		{Channel: civicpin.SMS, Address: "+393339999999"}, {Channel: civicpin.Email, Address: "thief@example.net"},
	}
	_, err := k.Issue(t.Context(), maria, thiefs)
	require.ErrorIs(t, err, pin.ErrWrongState, "in use")
	before, err := k.Status(t.Context(), maria)
	require.NoError(t, err)
	is, err := k.Reissue(t.Context(), k.granted(t, inps().Parts...), civicpin.Source{})
	require.NoError(t, err)
	require.NoError(t, k.out.Flush(t.Context()))
	code := k.last(phone) + k.last(email)
	require.NoError(t, testkit.Err(k.Issue(t.Context(), maria, thiefs)))
	require.NoError(t, k.out.Flush(t.Context()))
	require.Empty(t, k.last("thief@example.net"), "as much as before")
	_, right := k.works(t, code)
	require.True(t, right)
	k.clock.Add(is.ExpiresAt.Sub(k.clock.Now()) + 365*24*time.Hour)
	st, err := k.Status(t.Context(), maria)
	require.NoError(t, err)
	require.Equal(t, state.Provisional, st.State)
	require.Equal(t, before.ChangedAt, st.ChangedAt)
	m, err := k.Mark(t.Context(), maria)
	require.NoError(t, err)
	require.True(t, m.Held, "and can be recovered once more")
}

// Every act upon the credential ends the grant, and the recoveries that began before it.
func TestGrantEnds(t *testing.T) {
	for name, act := range map[string]func(t *testing.T, k *kit){
		"time": func(_ *testing.T, k *kit) { k.clock.Add(15 * time.Minute) },
		"change": func(t *testing.T, k *kit) {
			require.NoError(t, testkit.Err(k.Change(t.Context(), try(chosen), civicpin.NewSecret(changed))))
		},
		"revoke":    func(t *testing.T, k *kit) { require.NoError(t, k.Revoke(t.Context(), maria, state.Ended, "", clerk)) },
		"suspend":   func(t *testing.T, k *kit) { require.NoError(t, k.Suspend(t.Context(), maria, "", clerk)) },
		"a new one": func(t *testing.T, k *kit) { k.granted(t) },
		"suspend and resume": func(t *testing.T, k *kit) {
			require.NoError(t, k.Suspend(t.Context(), maria, "", clerk))
			require.NoError(t, k.Resume(t.Context(), maria, civicpin.Evidence{}, "", clerk))
		},
		"revoke and issue": func(t *testing.T, k *kit) {
			require.NoError(t, k.Revoke(t.Context(), maria, state.Ended, "", clerk))
			k.issued(t)
		},
	} {
		t.Run(name, func(t *testing.T) {
			k := newKit(t, pin.INPS())
			k.exchanged(t)
			old := k.completed(t)
			g := k.granted(t)
			act(t, k)
			require.ErrorIs(t, testkit.Err(k.Set(t.Context(), g, civicpin.NewSecret("MN6B3VCX"), civicpin.Source{})), pin.ErrNoGrant)
			if name != "time" {
				_, err := k.Complete(t.Context(), old)
				require.ErrorIs(t, err, pin.ErrChanged)
				require.ErrorIs(t, k.unlocked(t, old), pin.ErrChanged)
			}
		})
	}
}

func TestGrantIsNotForOthers(t *testing.T) {
	k := newKit(t, pin.INPS())
	for _, p := range []proof.Completed{
		{},
		{Subject: maria},
		{Subject: maria, Run: "r"},
		{Subject: maria, Run: "r", Valid: time.Minute}, // nobody there, and Creates not set
		{Subject: maria, Run: "r", Valid: time.Minute, Creates: true, Epoch: 1},
	} {
		_, err := k.Complete(t.Context(), proof.New(p))
		require.Error(t, err)
		require.Error(t, k.unlocked(t, proof.New(p)))
	}
	k.exchanged(t)
	p := k.completed(t)
	bare := proof.Completed{Subject: p.Subject, Run: p.Run, Epoch: p.Epoch, Valid: p.Valid} // as a caller could make one
	_, err := k.Complete(t.Context(), bare)
	require.ErrorIs(t, err, pin.ErrNoGrant)
	require.ErrorIs(t, k.unlocked(t, bare), pin.ErrNoGrant)
	require.Equal(t, p.Epoch, k.completed(t).Epoch, "refused without effect")
	p.Creates = true
	_, err = k.Complete(t.Context(), p)
	require.ErrorIs(t, err, pin.ErrWrongState, "a plan that begins does not replace what is in use")
	require.ErrorIs(t, testkit.Err(k.Set(t.Context(), pin.Grant{}, civicpin.NewSecret(changed), civicpin.Source{})), pin.ErrNoGrant)
	_, err = k.Reissue(t.Context(), pin.Grant{}, civicpin.Source{})
	require.ErrorIs(t, err, pin.ErrNoGrant)
}

// A grant lifts a disablement: the secret that was guessed at is gone.
func TestSetRebinds(t *testing.T) {
	p := pin.INPS()
	p.Lockout = lockout.Policy{Limit: 2, Ceiling: 4, Lock: lockout.UntilUnlocked}
	k := newKit(t, p)
	k.exchanged(t)
	for range 2 {
		for range 2 {
			_, _ = k.Verify(t.Context(), try(wrong))
		}
		_ = k.Unlock(t.Context(), maria, clerk)
	}
	st, err := k.Status(t.Context(), maria)
	require.NoError(t, err)
	require.True(t, st.Lockout.Locked.Disabled)
	require.Error(t, k.unlocked(t, k.completed(t)), "an unlock does not lift a disablement")
	require.NoError(t, testkit.Err(k.Set(t.Context(), k.granted(t), civicpin.NewSecret(changed), civicpin.Source{})))
	_, right := k.works(t, changed)
	require.True(t, right)
}

func TestGrantText(t *testing.T) {
	k := newKit(t, pin.INPS())
	k.exchanged(t)
	g := k.granted(t)
	back, err := pin.ParseGrant(g.Text())
	require.NoError(t, err)
	require.Equal(t, maria, back.Subject())
	require.Equal(t, g.Text().Reveal(), back.Text().Reveal())
	text := g.Text().Reveal()
	for _, bad := range []string{
		"", "g1", "g1..", text + "x", text[:len(text)-1], "g2" + text[2:], text + "\n", strings.Replace(text, ".", ".\n", 1),
		strings.ToUpper(text), text[:len(text)-1] + string(text[len(text)-1]+1), // bits behind the last byte
		"g1." + strings.Repeat("A", 401) + "." + strings.Repeat("A", 43),
	} {
		_, err := pin.ParseGrant(civicpin.NewSecret(bad))
		require.ErrorIs(t, err, pin.ErrNoGrant, bad)
	}
	long := strings.Repeat(".", 10<<20)
	require.Less(t, testkit.Allocated(func() { _, _ = pin.ParseGrant(civicpin.NewSecret(long)) }), uint64(64<<10))
	require.True(t, pin.Grant{}.IsZero())
	require.True(t, pin.Grant{}.Text().IsZero())
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "g", g)
	secret := text[strings.LastIndex(text, ".")+1:]
	for _, shown := range []string{fmt.Sprint(g), fmt.Sprintf("%+v %#v %s %x", g, g, g, g), log.String()} {
		require.NotContains(t, shown, secret)
	}
	require.NoError(t, testkit.Err(k.Set(t.Context(), back, civicpin.NewSecret(changed), civicpin.Source{})))
}

func FuzzParseGrant(f *testing.F) {
	f.Add("g1.TUFSSUE.MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE")
	f.Add("g1..")
	f.Fuzz(func(t *testing.T, text string) {
		g, err := pin.ParseGrant(civicpin.NewSecret(text))
		if err != nil {
			require.ErrorIs(t, err, pin.ErrNoGrant)
			require.True(t, g.IsZero())
			return
		}
		require.Equal(t, text, g.Text().Reveal())
		require.NoError(t, g.Subject().Validate())
	})
}

// Of 64 uses of one grant, and of 64 plans that complete at once, one wins.
func TestGrantRace(t *testing.T) {
	k := newKit(t, pin.INPS())
	k.exchanged(t)
	p := k.completed(t)
	completed := make(chan pin.Grant, 64)
	for _, err := range crowd(64, func(int) error {
		g, err := k.Complete(t.Context(), p)
		if err == nil {
			completed <- g
		}
		return err
	}) {
		if err != nil {
			require.ErrorIs(t, err, pin.ErrChanged)
		}
	}
	require.Len(t, completed, 1)
	grant, won := <-completed, 0
	for _, err := range crowd(64, func(i int) error {
		return testkit.Err(k.Set(t.Context(), grant, civicpin.NewSecret(choiceOf(i)), civicpin.Source{}))
	}) {
		if err == nil {
			won++
		}
	}
	require.Equal(t, 1, won)
}

// A stranger with a made-up grant sees no difference, whoever the subject is.
func TestForgedGrantsAlike(t *testing.T) {
	forged, err := pin.ParseGrant(civicpin.NewSecret("g1.UlNTTVJBODVUMTBBNTYyUw.MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE"))
	require.NoError(t, err)
	require.Equal(t, maria, forged.Subject())
	for _, do := range []func(k *kit) error{
		func(k *kit) error {
			return testkit.Err(k.Set(t.Context(), forged, civicpin.NewSecret(changed), civicpin.Source{}))
		},
		func(k *kit) error {
			_, err := k.Reissue(t.Context(), forged, civicpin.Source{})
			return err
		},
		func(k *kit) error {
			return testkit.Err(k.Set(t.Context(), forged, civicpin.NewSecret("ROSSI4QX"), civicpin.Source{Address: "192.0.2.66"}, "Rossi"))
		},
	} {
		first := ""
		for _, p := range people {
			k := newKit(t, withDevices())
			f := k.faults
			p.prepare(t, k)
			got := trace(t, k, f, func() error { return do(k) })
			if first == "" {
				first = got
			}
			require.Equal(t, first, got, p.name)
		}
	}
}

// A made-up grant tells nothing of what the register knows, and costs its source one of few.
func TestForgedGrantIsNoOracle(t *testing.T) {
	for _, subject := range []civicpin.Subject{maria, "NOBODY"} {
		k := newKit(t, pin.INPS())
		k.exchanged(t)
		forged := parsed(t, "g1."+base64.RawURLEncoding.EncodeToString([]byte(subject))+"."+strings.Repeat("A", 43))
		source := civicpin.Source{Address: "192.0.2.66"}
		for range 30 {
			err := testkit.Err(k.Set(t.Context(), forged, civicpin.NewSecret("ROSSI4QX"), source, "Maria Rossi"))
			require.ErrorIs(t, err, pin.ErrNoGrant, "and not a piece of the name")
			require.ErrorIs(t, testkit.Err(k.Reissue(t.Context(), forged, source)), pin.ErrNoGrant)
		}
		var locked *lockout.LockedError
		err := testkit.Err(k.Set(t.Context(), forged, civicpin.NewSecret("ROSSI4QX"), source, "Maria Rossi"))
		require.ErrorAs(t, err, &locked)
		require.Equal(t, lockout.ScopeSource, locked.Scope)
		require.True(t, locked.Until.After(k.clock.Now()) && !locked.Until.After(k.clock.Now().Add(time.Hour)), "%v", locked.Until)
		require.Len(t, k.events.Of("pin.grant_refused"), 60)
		require.NoError(t, testkit.Err(k.Set(t.Context(), k.granted(t), civicpin.NewSecret(changed), civicpin.Source{Address: "192.0.2.1"})))
		require.Len(t, k.events.Of("pin.grant_refused"), 60, "a good grant leaves none")
	}
}

// A good grant costs its source nothing, also when it is used once more with the same choice.
func TestGoodGrantsCostTheSourceNothing(t *testing.T) {
	k := newKit(t, pin.INPS())
	k.exchanged(t)
	source := civicpin.Source{Address: "192.0.2.1"}
	for i := range 70 {
		g := k.granted(t)
		choice := civicpin.NewSecret(fmt.Sprintf("HJ4N%02dTX", i))
		require.NoError(t, testkit.Err(k.Set(t.Context(), g, choice, source)))
		require.NoError(t, testkit.Err(k.Set(t.Context(), g, choice, source)))
	}
}

func parsed(t *testing.T, text string) pin.Grant {
	t.Helper()
	g, err := pin.ParseGrant(civicpin.NewSecret(text))
	require.NoError(t, err)
	return g
}

// unlocked completes a plan that ends in an unlock.
func (k *kit) unlocked(t testing.TB, p proof.Completed) error {
	t.Helper()
	p.Unlock = true
	g, err := k.Complete(t.Context(), p)
	require.True(t, g.IsZero())
	return err
}

// Only a completed plan makes a proof: nothing outside of package recovery does, and nobody outside of this module can.
func TestOnlyRecoveryMakesProofs(t *testing.T) {
	found := 0
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if from, ok := sel.X.(*ast.Ident); ok && from.Name == "proof" && sel.Sel.Name == "New" {
				require.Equal(t, filepath.Join("..", "recovery", "finish.go"), path)
				found++
			}
			return true
		})
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, 1, found)
}

func TestLowerLevel(t *testing.T) {
	k := newKit(t, pin.INPS())
	k.exchanged(t)
	require.NoError(t, k.Attest(t.Context(), maria, civicpin.Evidence{Method: civicpin.InPerson, By: clerk}))
	level := func() civicpin.Level {
		ok, right := k.works(t, chosen)
		require.True(t, right)
		return ok.Level
	}
	until := k.clock.Now().Add(48 * time.Hour)
	require.NoError(t, k.LowerLevel(t.Context(), maria, civicpin.Low, until, "contact changed", civicpin.Citizen))
	require.Equal(t, civicpin.Low, level())
	require.NoError(t, k.LowerLevel(t.Context(), maria, civicpin.High, until.Add(-time.Hour), "", civicpin.Citizen))
	require.Equal(t, civicpin.Low, level(), "a lower level and a later end stand")
	st, err := k.Status(t.Context(), maria)
	require.NoError(t, err)
	require.Equal(t, "contact changed", st.Reason, "nothing was written")
	require.Len(t, k.events.Of("pin.lowered"), 1)
	k.clock.Add(48*time.Hour - 1)
	require.Equal(t, civicpin.Low, level())
	k.clock.Add(1)
	require.Equal(t, civicpin.Substantial, level(), "for a time")

	require.NoError(t, k.LowerLevel(t.Context(), maria, civicpin.NoLevel, k.clock.Now().Add(time.Hour), "", civicpin.Citizen))
	require.Equal(t, civicpin.NoLevel, level())
	require.NoError(t, k.Attest(t.Context(), maria, civicpin.Evidence{Method: civicpin.InPerson, By: clerk}))
	require.Equal(t, civicpin.Substantial, level(), "seen in person since")

	// A re-issue under a grant lowers no less: the contacts may be as new as before it.
	require.NoError(t, k.LowerLevel(t.Context(), maria, civicpin.Low, k.clock.Now().Add(time.Hour), "", civicpin.Citizen))
	require.NoError(t, testkit.Err(k.Reissue(t.Context(), k.granted(t, inps().Parts...), civicpin.Source{})))
	require.NoError(t, k.out.Flush(t.Context()))
	ok, err := k.Exchange(t.Context(), try(k.code()), civicpin.NewSecret(changed))
	require.NoError(t, err)
	require.Equal(t, civicpin.Low, ok.Level)
	require.ErrorIs(t, k.LowerLevel(t.Context(), maria, civicpin.Level(9), until, "", clerk), civicpin.ErrInvalid)
	require.ErrorIs(t, k.LowerLevel(t.Context(), "NOBODY", civicpin.Low, until, "", clerk), pin.ErrNoCredential)
}

// repudiated says that the run of completed, which began after one issue by staff, was repudiated.
func repudiated(change func(*proof.Completed)) proof.Completed {
	p := proof.Completed{Subject: maria, Plan: "plan", Run: "run", Repudiated: true, Thing: waits.Denial, Epoch: 1}
	if change != nil {
		change(&p)
	}
	return proof.New(p)
}

// What a repudiated recovery brought ends, and no more: not what another act set since, and for good only what no operator saw.
func TestRepudiated(t *testing.T) {
	const third = "MN6B3VCX"
	set := func(t *testing.T, k *kit) {
		require.NoError(t, testkit.Err(k.Set(t.Context(), k.granted(t), civicpin.NewSecret(changed), civicpin.Source{})))
	}
	change := func(t *testing.T, k *kit) {
		set(t, k)
		require.NoError(t, testkit.Err(k.Change(t.Context(), try(changed), civicpin.NewSecret(third))))
	}
	reissue := func(t *testing.T, k *kit) {
		g := k.granted(t, inps().Parts...)
		require.NoError(t, testkit.Err(k.Reissue(t.Context(), g, civicpin.Source{})))
	}
	gaveUp := func(t *testing.T, k *kit) {
		set(t, k)
		require.NoError(t, k.Revoke(t.Context(), maria, state.Ended, "", civicpin.Citizen))
	}
	seen := func(p *proof.Completed) { p.Seen = true }
	for _, tt := range []struct {
		name              string
		before            func(*testing.T, *kit)
		proof             func(*proof.Completed)
		state             state.Credential
		suspended, closed bool
		works             string // a secret that is right still
	}{
		{"a secret that it set", set, nil, state.Revoked, false, true, ""},
		{"a secret chosen with that one", change, nil, state.Revoked, false, true, ""},
		{"parts that were sent", reissue, nil, state.Revoked, false, true, ""},
		{"a secret that operators approved", set, seen, state.Active, true, true, ""},
		{"a grant that was not used", func(t *testing.T, k *kit) { k.granted(t) }, nil, state.Active, false, true, chosen},
		{"another run", set, func(p *proof.Completed) { p.Run = "another" }, state.Active, false, false, changed},
		{"an unlock", set, func(p *proof.Completed) { p.Unlock = true }, state.Active, false, false, changed},
		{"staff revoked since", func(t *testing.T, k *kit) {
			set(t, k)
			require.NoError(t, k.Revoke(t.Context(), maria, state.Ended, "", clerk))
		}, nil, state.Revoked, false, false, ""},
		{"the citizen revoked since", gaveUp, nil, state.Revoked, false, true, ""},
		{"the citizen revoked what operators approved", gaveUp, seen, state.Revoked, false, true, ""},
		{"the citizen revoked, and asked anew", func(t *testing.T, k *kit) {
			gaveUp(t, k)
			slip, err := k.Issue(t.Context(), maria, byLetter())
			require.NoError(t, err)
			require.NoError(t, k.out.Flush(t.Context()))
			whole := try(k.last(visitors) + slip.Slip.Reveal())
			require.NoError(t, testkit.Err(k.Exchange(t.Context(), whole, civicpin.NewSecret(third))))
		}, nil, state.Revoked, false, true, ""},
		{"the citizen revoked, and asked anew at the counter", func(t *testing.T, k *kit) {
			gaveUp(t, k)
			code, err := k.RequestCode(t.Context(), maria, clerk)
			require.NoError(t, err)
			o := inps()
			o.RequestCode = code
			require.NoError(t, testkit.Err(k.Issue(t.Context(), maria, o)))
			require.NoError(t, k.out.Flush(t.Context()))
			require.NoError(t, testkit.Err(k.Exchange(t.Context(), try(k.last(phone)+k.last(email)), civicpin.NewSecret(third))))
		}, nil, state.Active, false, false, third},
		{"staff resumed since", func(t *testing.T, k *kit) {
			set(t, k)
			require.NoError(t, k.Suspend(t.Context(), maria, "", clerk))
			require.NoError(t, k.Resume(t.Context(), maria, civicpin.Evidence{}, "", clerk))
		}, nil, state.Active, false, false, changed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k := newKit(t, pin.INPS())
			k.exchanged(t)
			tt.before(t, k)
			var want error
			if tt.name == "staff revoked since" {
				want = pin.ErrChanged
			}
			for range 2 { // done twice it changes nothing
				require.ErrorIs(t, k.Repudiated(t.Context(), repudiated(tt.proof)), want)
				st, err := k.Status(t.Context(), maria)
				require.NoError(t, err)
				require.Equal(t, tt.state, st.State)
				require.Equal(t, tt.suspended, st.Suspended)
				require.Equal(t, tt.closed, st.Closed)
			}
			for _, secret := range []string{chosen, changed, third} {
				_, right := k.works(t, secret)
				require.Equal(t, secret == tt.works, right, secret)
			}
			m, err := k.Mark(t.Context(), maria)
			require.NoError(t, err)
			require.Equal(t, tt.closed, !m.Held && !m.Free, "recovery")
		})
	}
}

// Of two recoveries the later one, whose grant was not used, is repudiated first: the earlier one still ends its secret.
func TestRepudiatedTwice(t *testing.T) {
	k := newKit(t, pin.INPS())
	k.exchanged(t)
	require.NoError(t, testkit.Err(k.Set(t.Context(), k.granted(t), civicpin.NewSecret(changed), civicpin.Source{})))
	later := k.completed(t)
	later.Run = "later"
	require.NoError(t, testkit.Err(k.Complete(t.Context(), later)))
	require.NoError(t, k.Repudiated(t.Context(), repudiated(func(p *proof.Completed) { p.Run = "later" })))
	_, right := k.works(t, changed)
	require.True(t, right, "what the earlier one set is its own to repudiate")
	require.NoError(t, k.Repudiated(t.Context(), repudiated(nil)))
	_, right = k.works(t, changed)
	require.False(t, right)
	hash := civicpin.NewSecret(password.New(password.Params{Memory: 16, Time: 1, Threads: 1}, changed).Encode())
	require.ErrorIs(t, k.Import(t.Context(), maria, hash, pin.ImportOptions{By: clerk}), pin.ErrWrongState, "without evidence")
}

// A suspension leaves it at that: the secret stays, and nothing goes on until staff have seen the subject.
func TestRepudiatedAndSuspended(t *testing.T) {
	k := newKit(t, pin.INPS())
	k.exchanged(t)
	require.NoError(t, testkit.Err(k.Complete(t.Context(), k.completed(t))))
	require.NoError(t, k.Repudiated(t.Context(), repudiated(nil)))
	closed := func() bool {
		st, err := k.Status(t.Context(), maria)
		require.NoError(t, err)
		return st.Closed
	}
	require.True(t, closed())
	require.NoError(t, k.Suspend(t.Context(), maria, "", clerk))
	require.True(t, closed())
	require.ErrorIs(t, k.Resume(t.Context(), maria, civicpin.Evidence{}, "", clerk), pin.ErrWeakEvidence)
	require.NoError(t, k.Resume(t.Context(), maria, civicpin.Evidence{Method: civicpin.InPerson, By: clerk}, "", clerk))
	require.False(t, closed())
}

// A credential that the recovery began ends, too, and none is begun again on line.
func TestRepudiatedBeginning(t *testing.T) {
	for _, used := range []bool{false, true} {
		k := newKit(t, pin.INPS())
		g := k.granted(t)
		if used {
			require.NoError(t, testkit.Err(k.Set(t.Context(), g, civicpin.NewSecret(changed), civicpin.Source{})))
		}
		require.NoError(t, k.Repudiated(t.Context(), repudiated(func(p *proof.Completed) { p.Epoch = 0 }))) // nobody issued anything
		_, right := k.works(t, changed)
		require.False(t, right)
		m, err := k.Mark(t.Context(), maria)
		require.NoError(t, err)
		require.False(t, m.Free || m.Held)
		st, err := k.Status(t.Context(), maria)
		require.NoError(t, err)
		require.Equal(t, state.Revoked, st.State)
		require.ErrorIs(t, testkit.Err(k.Issue(t.Context(), maria, inps())), pin.ErrWrongState)
	}
}

// What was repudiated lives again through staff alone: the secret that the recovery set never does.
func TestRepudiatedLivesByStaff(t *testing.T) {
	o := inps()
	for name, tt := range map[string]struct {
		seen bool
		act  func(*testing.T, *kit) error
		want error
	}{
		"resumed": {false, func(t *testing.T, k *kit) error { return k.Resume(t.Context(), maria, civicpin.Evidence{}, "", clerk) }, pin.ErrWrongState},
		"issued on request": {false, func(t *testing.T, k *kit) error {
			return testkit.Err(k.Issue(t.Context(), maria, o))
		}, pin.ErrWrongState},
		"asked for with a code from the counter": {false, func(t *testing.T, k *kit) error {
			return testkit.Err(k.RequestCode(t.Context(), maria, clerk))
		}, pin.ErrWrongState},
		"issued by staff without evidence": {false, func(t *testing.T, k *kit) error {
			o := o
			o.By = clerk
			return testkit.Err(k.Issue(t.Context(), maria, o))
		}, pin.ErrWrongState},
		"issued on evidence": {false, func(t *testing.T, k *kit) error {
			o := o
			o.By, o.Evidence = clerk, civicpin.Evidence{Method: civicpin.InPerson, By: clerk}
			return testkit.Err(k.Issue(t.Context(), maria, o))
		}, nil},
		"issued on evidence over what operators approved": {true, func(t *testing.T, k *kit) error {
			o := o
			o.By, o.Evidence = clerk, civicpin.Evidence{Method: civicpin.InPerson, By: clerk}
			return testkit.Err(k.Issue(t.Context(), maria, o))
		}, nil},
		"resumed, approved by operators": {true, func(t *testing.T, k *kit) error {
			return k.Resume(t.Context(), maria, civicpin.Evidence{Method: civicpin.InPerson, By: clerk}, "", clerk)
		}, nil},
		"resumed by telephone, approved by operators": {true, func(t *testing.T, k *kit) error {
			return k.Resume(t.Context(), maria, civicpin.Evidence{}, "", clerk)
		}, pin.ErrWeakEvidence},
	} {
		t.Run(name, func(t *testing.T) {
			k := newKit(t, pin.INPS())
			k.exchanged(t)
			require.NoError(t, testkit.Err(k.Set(t.Context(), k.granted(t), civicpin.NewSecret(changed), civicpin.Source{})))
			require.NoError(t, k.Repudiated(t.Context(), repudiated(func(p *proof.Completed) { p.Seen = tt.seen })))
			err := tt.act(t, k)
			require.ErrorIs(t, err, tt.want)
			st, serr := k.Status(t.Context(), maria)
			require.NoError(t, serr)
			require.Equal(t, tt.want != nil, st.Closed)
			if name == "resumed" {
				require.ErrorContains(t, err, "a recovery was repudiated", "it says why")
			}
			m, err := k.Mark(t.Context(), maria)
			require.NoError(t, err)
			require.Equal(t, tt.want == nil, m.Held)
		})
	}
}

func TestRepudiatedTakesProofs(t *testing.T) {
	k := newKit(t, pin.INPS())
	for name, p := range map[string]proof.Completed{
		"zero":           {},
		"not sealed":     {Subject: maria, Run: "run", Repudiated: true},
		"not repudiated": repudiated(func(p *proof.Completed) { p.Repudiated = false }),
		"no run":         repudiated(func(p *proof.Completed) { p.Run = "" }),
	} {
		require.ErrorIs(t, k.Repudiated(t.Context(), p), civicpin.ErrInvalid, name)
	}
	require.NoError(t, k.Repudiated(t.Context(), repudiated(nil)), "no credential")
}

// epochs are the epochs of a subject's contacts.
type epochs struct {
	now  uint64
	fail error
}

func (e *epochs) Epoch(_ context.Context, subject civicpin.Subject) (uint64, error) {
	if subject != maria {
		return 0, nil
	}
	return e.now, e.fail
}

// A grant that rests on contacts is good while they are those that it was given for, and one that rests on none always.
func TestGrantRestsOnContacts(t *testing.T) {
	down := errors.New("down")
	for name, tc := range map[string]struct {
		book *uint64
		on   *epochs
		want error
	}{
		"on none":              {nil, &epochs{now: 4}, nil},
		"on none, none known":  {nil, nil, nil},
		"on none, none asked":  {nil, &epochs{fail: down}, nil},
		"the same":             {new(uint64(3)), &epochs{now: 3}, nil},
		"others":               {new(uint64(3)), &epochs{now: 4}, pin.ErrNoGrant},
		"none known":           {new(uint64(3)), nil, pin.ErrNoGrant},
		"they are not reached": {new(uint64(3)), &epochs{now: 3, fail: down}, down},
	} {
		for _, parts := range [][]civicpin.Contact{nil, inps().Parts} {
			k := newKit(t, pin.INPS())
			k.exchanged(t)
			p := k.completed(t, parts...)
			p.Book = tc.book
			var err error
			k.grant, err = k.Complete(t.Context(), p)
			require.NoError(t, err)
			if tc.on != nil {
				k.RestOn(tc.on)
			}
			use := sets(changed)
			if parts != nil {
				use = reissues
			}
			for range 61 { // a good grant costs its source nothing
				if err = use(t.Context(), k); tc.want == nil {
					break
				}
				require.Equal(t, tc.want, err, name)
			}
			require.ErrorIs(t, err, tc.want, name)
			require.Empty(t, k.events.Of("pin.grant_refused"), name)
		}
	}
}

// Evidence after a re-issue raises what is left of the level at the exchange, and never lowers it.
func TestEvidenceAfterAReissue(t *testing.T) {
	for _, tc := range []struct {
		kept, want civicpin.Level
		method     civicpin.Method
	}{
		{civicpin.Low, civicpin.Substantial, civicpin.InPerson},
		{civicpin.Low, civicpin.Low, civicpin.LetterCode},
		{civicpin.Substantial, civicpin.Substantial, civicpin.LetterCode},
	} {
		k := newKit(t, pin.INPS())
		k.exchanged(t)
		require.NoError(t, k.Attest(t.Context(), maria, inPerson))
		p := k.completed(t, inps().Parts...)
		p.Kept.Level = tc.kept
		g, err := k.Complete(t.Context(), p)
		require.NoError(t, err)
		require.NoError(t, testkit.Err(k.Reissue(t.Context(), g, home)))
		require.NoError(t, k.out.Flush(t.Context()))
		require.NoError(t, k.Attest(t.Context(), maria, civicpin.Evidence{Method: tc.method, By: clerk}))
		ok, err := k.Exchange(t.Context(), try(k.code()), civicpin.NewSecret(changed))
		require.NoError(t, err)
		require.Equal(t, tc.want, ok.Level)
	}
}

// Complete refuses a proof by the error that says why.
func TestCompleteSaysWhy(t *testing.T) {
	k := newKit(t, pin.INPS())
	good := k.completed(t)
	for name, tc := range map[string]struct {
		change func(*proof.Completed)
		want   error
	}{
		"no subject":      {func(p *proof.Completed) { p.Subject = "" }, civicpin.ErrInvalid},
		"no run":          {func(p *proof.Completed) { p.Run = "" }, pin.ErrNoGrant},
		"no time":         {func(p *proof.Completed) { p.Valid = 0 }, pin.ErrNoGrant},
		"one part of two": {func(p *proof.Completed) { p.Parts = inps().Parts[:1] }, pin.ErrWrongParts},
		"another epoch":   {func(p *proof.Completed) { p.Epoch++ }, pin.ErrChanged},
		"nobody there":    {func(p *proof.Completed) { p.Creates = false }, pin.ErrWrongState},
		"good":            {func(*proof.Completed) {}, nil},
		"a moment":        {func(p *proof.Completed) { p.Valid = 1 }, nil},
	} {
		p := good
		tc.change(&p)
		if _, err := k.Complete(t.Context(), p); tc.want == nil {
			require.NoError(t, err)
			require.NoError(t, testkit.Err(k.vault.Erase(t.Context(), maria, store.Pass{})))
		} else {
			require.ErrorIs(t, err, tc.want, name)
		}
		require.ErrorIs(t, testkit.Err(k.Status(t.Context(), maria)), pin.ErrNoCredential, name)
	}
	k.exchanged(t)
	p := k.completed(t)
	p.Valid = 0
	require.NoError(t, k.unlocked(t, p), "an unlock gives no grant that could be too old")
}

// What Mark says of each state that a credential can be in.
func TestMarks(t *testing.T) {
	for name, tc := range map[string]struct {
		prepare             func(*testing.T, *kit)
		held, free, revoked bool
		level               civicpin.Level
	}{
		"nothing":            {nothing, false, true, false, civicpin.NoLevel},
		"issued":             {issuedBefore, true, false, false, civicpin.Low},
		"in use":             {active, true, false, false, civicpin.Low},
		"revoked":            {revoked, false, true, true, civicpin.NoLevel},
		"begun":              {func(t *testing.T, k *kit) { k.granted(t) }, false, true, false, civicpin.NoLevel},
		"begun, and revoked": {func(t *testing.T, k *kit) { k.granted(t); k.revoked(t) }, false, true, false, civicpin.NoLevel},
		"suspended": {func(t *testing.T, k *kit) {
			k.exchanged(t)
			require.NoError(t, k.Suspend(t.Context(), maria, "", clerk))
		}, false, false, false, civicpin.Low},
		"begun, and stopped": {func(t *testing.T, k *kit) {
			k.granted(t)
			require.NoError(t, k.Stop(t.Context(), maria, "", clerk))
		}, false, false, false, civicpin.NoLevel},
		"issued, and revoked": {func(t *testing.T, k *kit) { k.issued(t); k.revoked(t) }, false, true, true, civicpin.NoLevel},
	} {
		k := newKit(t, pin.INPS())
		tc.prepare(t, k)
		m, err := k.Mark(t.Context(), maria)
		require.NoError(t, err)
		require.Equal(t, []any{tc.held, tc.free, tc.revoked, tc.level}, []any{m.Held, m.Free, m.Revoked, m.Level}, name)
	}
}

// A credential that a recovery began, and nobody used, goes 30 days after its grant; what was begun with Set is whole.
func TestBegun(t *testing.T) {
	k := newKit(t, pin.INPS())
	k.granted(t)
	k.clock.Add(30*day + 15*time.Minute - 1)
	st, err := k.Status(t.Context(), maria)
	require.NoError(t, err)
	require.Equal(t, pin.Status{State: state.Vacant, Parts: []pin.Part{}, Lockout: st.Lockout}, st)
	k.clock.Add(1)
	require.ErrorIs(t, testkit.Err(k.Status(t.Context(), maria)), pin.ErrNoCredential)

	now := k.clock.Now()
	require.NoError(t, testkit.Err(k.Set(t.Context(), k.granted(t), civicpin.NewSecret(changed), home)))
	st, err = k.Status(t.Context(), maria)
	require.NoError(t, err)
	require.Equal(t, pin.Status{
		State: state.Active, Level: civicpin.Low, Parts: []pin.Part{}, IssuedAt: now, ChangedAt: now, UsedAt: now,
		ExpiresAt: now.Add(90 * day), Lockout: st.Lockout,
	}, st)
	k.clock.Add(365 * day)
	require.NoError(t, testkit.Err(k.vault.Purge(t.Context(), store.Pass{})))
	require.NoError(t, testkit.Err(k.Status(t.Context(), maria)), "it stays")
}

// A text of which a part alone can be read is no grant.
func TestHalfAGrant(t *testing.T) {
	secret := strings.Repeat("A", 43)
	require.Equal(t, civicpin.Subject("RSS"), parsed(t, "g1.UlNT."+secret).Subject())
	for _, bad := range []string{"g1.UlNT!." + secret, "g1.UlNT." + secret + "!", "g1.UlNT." + secret[1:], "g1.UlNT." + secret + "."} {
		require.ErrorIs(t, testkit.Err(pin.ParseGrant(civicpin.NewSecret(bad))), pin.ErrNoGrant, bad)
	}
}

// A secret in one part is issued anew in one, also where there was none.
func TestReissueInOnePart(t *testing.T) {
	for _, prepare := range []func(*testing.T, *kit){nothing, func(t *testing.T, k *kit) { imported(t, k); k.beat(t) }} {
		k := newKit(t, pin.Default())
		prepare(t, k)
		to := civicpin.Contact{Channel: civicpin.Email, Address: email, Locale: "es"}
		k.grant = k.granted(t, to)
		require.ErrorIs(t, sets("cinque cani sotto il ponte")(t.Context(), k), pin.ErrNoGrant)
		is, err := k.Reissue(t.Context(), k.grant, home)
		require.NoError(t, err)
		require.Len(t, is.Parts, 1)
		require.NoError(t, k.out.Flush(t.Context()))
		require.Len(t, k.last(email), 12)
		require.Equal(t, to, k.mail.Last(email, "").To)
		before, err := k.Status(t.Context(), maria)
		require.NoError(t, err)
		require.GreaterOrEqual(t, before.Level, civicpin.Low)
		ok, err := k.Exchange(t.Context(), try(k.last(email)), civicpin.NewSecret("cinque cani sotto il ponte"))
		require.NoError(t, err)
		require.Equal(t, before.Level, ok.Level)
	}
}

// Of former secrets five are compared under grants, and then none for an hour.
func TestFormerSecretsLock(t *testing.T) {
	k := newKit(t, pin.INPS())
	k.exchanged(t)
	g := k.granted(t)
	set := func() error { return testkit.Err(k.Set(t.Context(), g, civicpin.NewSecret(chosen), home)) }
	for range 4 {
		require.ErrorIs(t, set(), pin.ErrUnfitSecret)
	}
	_ = set()
	require.Equal(t, k.clock.Now().Add(time.Hour), testkit.LockedBy(t, set()).Until)
}

// Under a grant a piece of the subject's data is refused, for nothing.
func TestPersonalUnderAGrant(t *testing.T) {
	k := newKit(t, pin.INPS())
	k.exchanged(t)
	g := k.granted(t)
	for range 10 {
		err := testkit.Err(k.Set(t.Context(), g, civicpin.NewSecret("K331234W"), home))
		require.Equal(t, rule.Personal, testkit.As[*pin.ChoiceError](t, err).Rule, "a piece of the telephone's number")
	}
	require.NoError(t, testkit.Err(k.Set(t.Context(), g, civicpin.NewSecret(changed), home)))
}

// A grant that another use took at the moment of the write issues nothing, and without a place nothing is begun.
func TestReissueOvertaken(t *testing.T) {
	p := pin.INPS()
	p.Hashing.Permits, p.Hashing.Wait = 1, time.Nanosecond
	k := newKit(t, p)
	k.exchanged(t)
	k.grant = k.granted(t, inps().Parts...)
	release := pin.Occupy(k.Service, 1)
	require.ErrorIs(t, reissues(t.Context(), k), pin.ErrBusy)
	release()
	sent := len(k.mail.Messages())
	k.once(t, "pin.inps", func(other *kit) { require.NoError(t, reissues(t.Context(), other)) })
	require.ErrorIs(t, reissues(t.Context(), k), pin.ErrNoGrant)
	require.NoError(t, k.out.Flush(t.Context()))
	require.Len(t, k.mail.Messages(), sent+2, "the other one's")
	_, right := k.works(t, k.code())
	require.True(t, right)
	require.Len(t, k.events.Of("pin.recovered"), 1)
}

// A grant is used for 15 seconds at most, for a caller who waits for a hash, too, and then nothing is written.
func TestSetWaitsForAHash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := pin.INPS()
		p.Hashing.Permits = 1
		faults := storetest.NewFaults(deaf{store.NewMemory()})
		k := newKitOn(t, faults.Store(), p, testkit.NewClock(time.Now()), &testkit.Mailbox{}, &testkit.Recorder{})
		k.exchanged(t)
		g := k.granted(t)
		before := k.plain(t)
		puts, release := 0, func() {}
		faults.Hook(func(method, key string) error {
			if method == storetest.Put && strings.HasPrefix(key, "lockout.") {
				if puts++; puts == 2 { // the comparison is settled
					release = pin.Hold(k.Service, 1)
				}
			}
			return nil
		})
		began := time.Now()
		err := testkit.Err(k.Set(t.Context(), g, civicpin.NewSecret(changed), civicpin.Source{}))
		release()
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, 15*time.Second, time.Since(began))
		require.Equal(t, before, k.plain(t))
	})
}
