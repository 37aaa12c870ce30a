package recovery_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/internal/recoveryrun"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/internal/waits"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/pin/state"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/recovery/plan"
	"github.com/civicpin/civicpin/store"
)

// toContact takes Ana's recovery to the choice of her contact, and returns the ticket.
func (k *kit) toContact(t *testing.T) civicpin.Secret {
	t.Helper()
	ticket, err := k.knows(t)
	require.NoError(t, err)
	return ticket
}

// toLink takes Ana's recovery to its link, and returns the ticket and the message.
func (k *kit) toLink(t *testing.T) (civicpin.Secret, civicpin.Message) {
	t.Helper()
	ticket := k.toContact(t)
	run, err := k.Answer(t.Context(), ticket, recovery.Answers{Confirm: true})
	require.NoError(t, err)
	require.Equal(t, "a***@correo.example", run.Next.Sent.Masked)
	m, err := k.mailed(t.Context(), 0, anaMail, "recovery.link")
	require.NoError(t, err)
	return ticket, m
}

func TestScannersOpenLinks(t *testing.T) {
	k := newKit(t)
	_, m := k.toLink(t)
	for range 50 {
		look, err := k.Inspect(t.Context(), m.Link)
		require.NoError(t, err)
		require.Equal(t, recovery.ToRecover, look.Purpose)
		require.True(t, look.Last)
		require.Equal(t, "clave", look.Plan)
	}
	_, err := k.Finish(t.Context(), m.Link, home)
	require.NoError(t, err)
	_, err = k.Inspect(t.Context(), m.Link)
	require.ErrorIs(t, err, recovery.ErrGone)
}

func TestLateByASecond(t *testing.T) {
	k := newKit(t)
	ticket, m := k.toLink(t)
	k.clock.Set(m.ExpiresAt.Add(-time.Nanosecond))
	_, err := k.Inspect(t.Context(), m.Link)
	require.NoError(t, err)
	k.clock.Set(m.ExpiresAt)
	_, err = k.Inspect(t.Context(), m.Link)
	require.ErrorIs(t, err, recovery.ErrExpired)
	_, err = k.Finish(t.Context(), m.Link, home)
	require.ErrorIs(t, err, recovery.ErrExpired, "its holder is told")
	forged := civicpin.NewSecret(m.Link.Reveal()[:len(m.Link.Reveal())-4] + "AAAA")
	_, err = k.Finish(t.Context(), forged, home)
	require.ErrorIs(t, err, recovery.ErrGone, "nobody else is")
	run, err := k.Show(t.Context(), ticket)
	require.NoError(t, err)
	require.Zero(t, run.Next.Sent.ExpiresAt)
	_, err = k.Send(t.Context(), ticket, home)
	require.NoError(t, err, "another one, from the page that is still open")
	k.clock.Add(rested + 2*time.Hour)
	_, err = k.Show(t.Context(), ticket)
	require.ErrorIs(t, err, recovery.ErrExpired)
	k.clock.Add(48 * time.Hour)
	_, err = k.Show(t.Context(), ticket)
	require.ErrorIs(t, err, recovery.ErrGone)
}

// Whoever uses the link takes the run over: who began it, perhaps a stranger, has nothing from it.
func TestALinkTakesTheRunOver(t *testing.T) {
	k := newKit(t)
	stranger, err := k.Start(t.Context(), "two", ana, civicpin.Source{Address: "203.0.113.9"})
	require.NoError(t, err)
	_, err = k.Answer(t.Context(), stranger.Ticket, recovery.Answers{Captcha: true})
	require.NoError(t, err)
	m, err := k.mailed(t.Context(), 0, anaMail, "recovery.link")
	require.NoError(t, err)
	_, err = k.Finish(t.Context(), m.Link, home)
	require.ErrorIs(t, err, recovery.ErrWrongStep, "there is more to come")
	owner, err := k.Redeem(t.Context(), m.Link, home)
	require.NoError(t, err)
	require.NotEqual(t, stranger.Ticket.Reveal(), owner.Ticket.Reveal())
	for range 2 {
		_, err = k.Show(t.Context(), stranger.Ticket)
		require.ErrorIs(t, err, recovery.ErrGone)
		_, err = k.Answer(t.Context(), stranger.Ticket, recovery.Answers{Code: civicpin.NewSecret("ACDEFGHJ")})
		require.ErrorIs(t, err, recovery.ErrGone)
		_, err = k.Finish(t.Context(), stranger.Ticket, home)
		require.ErrorIs(t, err, recovery.ErrGone)
		require.ErrorIs(t, k.Cancel(t.Context(), stranger.Ticket), recovery.ErrGone)
	}
	_, err = k.Show(t.Context(), owner.Ticket)
	require.NoError(t, err)
	_, err = k.Redeem(t.Context(), m.Link, home)
	require.ErrorIs(t, err, recovery.ErrGone, "once")
}

// A link and the code beside it are one: they die together.
func TestLinkAndCodeAreOne(t *testing.T) {
	named := recovery.Answers{Contacts: []civicpin.Contact{
		{Channel: civicpin.Email, Address: anaMail}, {Channel: civicpin.SMS, Address: anaPhone},
	}}
	begin := func(t *testing.T) (*kit, civicpin.Secret, civicpin.Message) {
		k := newKit(t)
		run, err := k.Start(t.Context(), "parts", ana, home)
		require.NoError(t, err)
		_, err = k.Answer(t.Context(), run.Ticket, named)
		require.NoError(t, err)
		m, err := k.mailed(t.Context(), 0, anaMail, "recovery.link")
		require.NoError(t, err)
		return k, run.Ticket, m
	}
	t.Run("link first", func(t *testing.T) {
		k, ticket, m := begin(t)
		_, err := k.Finish(t.Context(), m.Link, home)
		require.NoError(t, err)
		_, err = k.Answer(t.Context(), ticket, recovery.Answers{Code: m.Secret})
		require.ErrorIs(t, err, recovery.ErrGone)
	})
	t.Run("code first", func(t *testing.T) {
		k, ticket, m := begin(t)
		run, err := k.Answer(t.Context(), ticket, recovery.Answers{Code: m.Secret})
		require.NoError(t, err)
		require.True(t, run.Done)
		_, err = k.Inspect(t.Context(), m.Link)
		require.ErrorIs(t, err, recovery.ErrGone)
		_, err = k.Finish(t.Context(), m.Link, home)
		require.ErrorIs(t, err, recovery.ErrGone)
		_, err = k.Finish(t.Context(), ticket, home)
		require.NoError(t, err)
	})
	t.Run("of another run", func(t *testing.T) {
		k, _, m := begin(t)
		run, err := k.Start(t.Context(), "parts", ana, home)
		require.NoError(t, err)
		_, err = k.Answer(t.Context(), run.Ticket, named)
		require.NoError(t, err)
		_, err = k.Answer(t.Context(), run.Ticket, recovery.Answers{Code: m.Secret})
		require.ErrorIs(t, err, recovery.ErrRefused, "a code opens the run that it was sent for")
	})
}

// A run sends ten messages, whatever the limits of messages would let through.
func TestTenMessagesOfARun(t *testing.T) {
	k := newKit(t)
	k.unlimited(t)
	ticket := k.upTo(t, "unlock", recovery.Answers{Captcha: true})
	n := 1
	for ; n < 20; n++ {
		require.NoError(t, k.out.Flush(t.Context()))
		run, err := k.Send(t.Context(), ticket, home)
		if lock := lockOf(err); lock != nil {
			require.Equal(t, lockout.ScopeSends, lock.Scope)
			require.Equal(t, run.ExpiresAt, lock.Until)
			break
		}
		require.NoError(t, err)
	}
	require.Equal(t, 10, n)
	require.Len(t, k.mail.Messages(), 10)
}

// Three are outstanding, so that slow mail kills no link; the first that is used ends all.
func TestThreeOutstanding(t *testing.T) {
	k := newKit(t)
	k.unlimited(t)
	run, err := k.Start(t.Context(), "two", ana, home)
	require.NoError(t, err)
	_, err = k.Answer(t.Context(), run.Ticket, recovery.Answers{Captcha: true})
	require.NoError(t, err)
	var links []civicpin.Secret
	for range 4 {
		m, err := k.mailed(t.Context(), len(links), anaMail, "recovery.link")
		require.NoError(t, err)
		links = append(links, m.Link)
		k.clock.Add(time.Minute)
		_, err = k.Send(t.Context(), run.Ticket, home)
		if len(links) < 4 {
			require.NoError(t, err)
		}
	}
	_, err = k.Inspect(t.Context(), links[0])
	require.ErrorIs(t, err, recovery.ErrGone)
	for _, l := range links[2:] {
		_, err = k.Inspect(t.Context(), l)
		require.NoError(t, err)
	}
	_, err = k.Redeem(t.Context(), links[2], home)
	require.NoError(t, err)
	_, err = k.Inspect(t.Context(), links[3])
	require.ErrorIs(t, err, recovery.ErrGone)
}

func TestStepsAreNotSkippedOrReplayed(t *testing.T) {
	k := newKit(t)
	run, err := k.Start(t.Context(), "clave", ana, home)
	require.NoError(t, err)
	ticket := run.Ticket
	for _, a := range []recovery.Answers{
		{},
		{Confirm: true},
		{Facts: map[string]string{"birth-day": "14", "birth-month": "3"}},
		{Code: civicpin.NewSecret("ACDEFGHJ")},
		{Terms: "2026"},
		{Captcha: true, Confirm: true},
		{Captcha: true, Factor: civicpin.NewSecret("1")},
	} {
		_, err = k.Answer(t.Context(), ticket, a)
		require.ErrorIs(t, err, recovery.ErrWrongStep)
	}
	_, err = k.Finish(t.Context(), ticket, home)
	require.ErrorIs(t, err, recovery.ErrWrongStep)
	_, err = k.Send(t.Context(), ticket, home)
	require.ErrorIs(t, err, recovery.ErrWrongStep)
	run, err = k.Answer(t.Context(), ticket, recovery.Answers{Captcha: true})
	require.NoError(t, err)
	_, err = k.Answer(t.Context(), ticket, recovery.Answers{Captcha: true})
	require.ErrorIs(t, err, recovery.ErrWrongStep, "none twice")
	whole := k.known(run, true)
	for name, change := range map[string]func(a *recovery.Answers){
		"a fact less":      func(a *recovery.Answers) { a.Facts = map[string]string{"birth-day": "14"} },
		"another fact":     func(a *recovery.Answers) { a.Facts = map[string]string{"birth-day": "14", "shoe-size": "3"} },
		"no image":         func(a *recovery.Answers) { a.Image = "" },
		"an image unshown": func(a *recovery.Answers) { a.Image = "nothing" },
		"no questions":     func(a *recovery.Answers) { a.Questions = nil },
		"all questions":    func(a *recovery.Answers) { a.Questions = secrets(anaAnswers) },
	} {
		a := whole
		change(&a)
		_, err = k.Answer(t.Context(), ticket, a)
		require.ErrorIs(t, err, recovery.ErrWrongStep, name)
	}
	_, err = k.Answer(t.Context(), ticket, whole)
	require.NoError(t, err, "none of these cost a try")
}

// Any act upon the credential but an unlock ends the recoveries under way in which no contact was proved.
func TestActsEndRecoveries(t *testing.T) {
	for name, act := range map[string]func(t *testing.T, k *kit){
		"the owner changes it": func(t *testing.T, k *kit) {
			require.NoError(t, testkit.Err(k.pins.Change(t.Context(), pin.Attempt{Subject: ana, Secret: civicpin.NewSecret(anaSecret)}, civicpin.NewSecret(newSecret))))
		},
		"it is revoked": func(t *testing.T, k *kit) {
			require.NoError(t, k.pins.Revoke(t.Context(), ana, state.Ended, "", agency.ID))
		},
		"it is suspended":         func(t *testing.T, k *kit) { require.NoError(t, k.pins.Suspend(t.Context(), ana, "", agency.ID)) },
		"another recovery":        func(t *testing.T, k *kit) { require.NoError(t, walkOffice(t.Context(), k, newSecret)) },
		"the visitor cancels":     nil,
		"an operator turns it up": nil,
	} {
		if act == nil {
			continue
		}
		t.Run(name, func(t *testing.T) {
			k := newKit(t)
			_, m := k.toLink(t)
			act(t, k)
			_, err := k.Inspect(t.Context(), m.Link)
			require.ErrorIs(t, err, recovery.ErrGone)
			_, err = k.Finish(t.Context(), m.Link, home)
			require.ErrorIs(t, err, recovery.ErrGone)
		})
	}
}

func TestCancel(t *testing.T) {
	k := newKit(t)
	ticket, m := k.toLink(t)
	require.NoError(t, k.Cancel(t.Context(), ticket))
	_, err := k.Finish(t.Context(), m.Link, home)
	require.ErrorIs(t, err, recovery.ErrGone)
	_, err = k.Show(t.Context(), ticket)
	require.ErrorIs(t, err, recovery.ErrGone)
	require.ErrorIs(t, k.Cancel(t.Context(), ticket), recovery.ErrGone)
}

// A corrected contact: the old ones are told and can end it, it rests, and then the new one is proved.
func TestCorrectedContactRests(t *testing.T) {
	begin := func(t *testing.T) (*kit, civicpin.Secret) {
		k := newKit(t)
		ticket := k.toContact(t)
		_, err := k.Answer(t.Context(), ticket, recovery.Answers{Correct: civicpin.Contact{Channel: civicpin.SMS, Address: anaPhone}})
		require.ErrorIs(t, err, recovery.ErrWrongStep, "another channel")
		_, err = k.Answer(t.Context(), ticket, recovery.Answers{Correct: civicpin.Contact{Channel: civicpin.Email, Address: "nothing"}})
		require.ErrorIs(t, err, civicpin.ErrInvalid)
		run, err := k.Answer(t.Context(), ticket, recovery.Answers{Correct: civicpin.Contact{Channel: civicpin.Email, Address: anaNewMail}})
		require.NoError(t, err)
		require.Equal(t, k.clock.Now().Add(rested), run.Next.WaitsUntil)
		require.NoError(t, k.out.Flush(t.Context()))
		for _, address := range []string{anaMail, anaPEC, anaPhone} {
			require.Len(t, k.mail.To(address, "recovery.waiting"), 1, address)
		}
		require.Empty(t, k.mail.To(anaNewMail, ""))
		return k, ticket
	}
	t.Run("goes on", func(t *testing.T) {
		k, ticket := begin(t)
		k.clock.Add(rested - 1)
		_, err := k.Send(t.Context(), ticket, home)
		require.ErrorIs(t, err, recovery.ErrWaiting)
		_, err = k.Answer(t.Context(), ticket, recovery.Answers{Code: civicpin.NewSecret("ACDEFGHJ")})
		require.ErrorIs(t, err, recovery.ErrWaiting)
		_, err = k.Finish(t.Context(), ticket, home)
		require.ErrorIs(t, err, recovery.ErrWaiting)
		k.clock.Add(1)
		run, err := k.Send(t.Context(), ticket, home)
		require.NoError(t, err)
		require.Equal(t, "a***@correo.example", run.Next.Sent.Masked)
		m, err := k.mailed(t.Context(), 0, anaNewMail, "recovery.link")
		require.NoError(t, err)
		grant, err := k.Finish(t.Context(), m.Link, home)
		require.NoError(t, err)
		session, err := k.pins.Set(t.Context(), grant, civicpin.NewSecret(newSecret), civicpin.Source{})
		require.NoError(t, err)
		proved, _, err := k.contacts.List(t.Context(), ana)
		require.NoError(t, err)
		var addresses []string
		for _, c := range proved {
			addresses = append(addresses, c.Address)
		}
		require.Contains(t, addresses, anaNewMail)
		require.NotContains(t, addresses, anaMail, "it took its place")
		// The old address is told, and can say that it was not her: the change is undone and the key ended.
		require.NoError(t, k.out.Flush(t.Context()))
		done := k.mail.To(anaMail, "recovery.done")
		require.Len(t, done, 1)
		require.NoError(t, k.Repudiate(t.Context(), done[0].Link, home))
		epoch, err := k.pins.Epoch(t.Context(), ana)
		require.NoError(t, err)
		require.NotEqual(t, session.Epoch, epoch, "and the session ended")
		_, err = k.login(t, newSecret)
		require.ErrorIs(t, err, pin.ErrRefused)
		proved, _, err = k.contacts.List(t.Context(), ana)
		require.NoError(t, err)
		addresses = nil
		for _, c := range proved {
			addresses = append(addresses, c.Address)
		}
		require.Contains(t, addresses, anaMail)
		require.NotContains(t, addresses, anaNewMail)
		require.ErrorIs(t, k.Repudiate(t.Context(), done[0].Link, home), recovery.ErrGone, "once")
		err = k.pins.Resume(t.Context(), ana, civicpin.Evidence{}, "seen at the desk", agency.ID)
		require.ErrorIs(t, err, pin.ErrWrongState, "it never comes back")
	})
	t.Run("is ended", func(t *testing.T) {
		k, ticket := begin(t)
		waiting := k.mail.To(anaMail, "recovery.waiting")[0]
		look, err := k.Inspect(t.Context(), waiting.Link)
		require.NoError(t, err)
		require.Equal(t, recovery.ToRepudiate, look.Purpose)
		_, err = k.Finish(t.Context(), waiting.Link, home)
		require.ErrorIs(t, err, recovery.ErrGone, "that token opens nothing else")
		k.clock.Add(rested + time.Minute) // the rest is over, the recovery is not
		require.NoError(t, k.Repudiate(t.Context(), waiting.Link, home))
		_, err = k.Send(t.Context(), ticket, home)
		require.ErrorIs(t, err, recovery.ErrGone)
		_, err = k.login(t, anaSecret)
		require.NoError(t, err, "nothing happened to the key")
	})
}

// After a revocation nobody begins a key on the word of whoever knows the birthday and has some mailbox. On a proof of its
// own, they do.
func TestBeginAfterARevocation(t *testing.T) {
	k := newKit(t)
	k.config.Plans = append(plans(), plan.Plan{
		Name: "anew", Limit: threeTries(), Outcome: plan.ChooseSecret, Creates: true,
		Steps: []plan.Step{
			plan.Facts{"birth-day", "birth-month"}, plan.Link{Channel: civicpin.Email, Valid: time.Hour},
		},
	})
	var err error
	k.Service, err = recovery.New(k.out, k.config)
	require.NoError(t, err)
	require.NoError(t, k.pins.Revoke(t.Context(), ana, state.Ended, "fraud", agency.ID))
	run, err := k.Start(t.Context(), "first", ana, home)
	require.NoError(t, err)
	_, err = k.Answer(t.Context(), run.Ticket, recovery.Answers{Captcha: true})
	require.NoError(t, err)
	born := recovery.Answers{Facts: map[string]string{"birth-day": "14", "birth-month": "3"}}
	_, err = k.Answer(t.Context(), run.Ticket, born)
	require.ErrorIs(t, err, recovery.ErrRefused)

	run, err = k.Start(t.Context(), "anew", ana, home)
	require.NoError(t, err)
	_, err = k.Answer(t.Context(), run.Ticket, born)
	require.NoError(t, err)
	m, err := k.mailed(t.Context(), 0, anaMail, "recovery.activate")
	require.NoError(t, err)
	grant, err := k.Finish(t.Context(), m.Link, home)
	require.NoError(t, err)
	require.NoError(t, k.set(t.Context(), grant, newSecret))
}

// A plan for beginners leads nowhere for who has a key.
func TestBeginIsForBeginners(t *testing.T) {
	k := newKit(t)
	run, err := k.Start(t.Context(), "first", ana, home)
	require.NoError(t, err)
	_, err = k.Answer(t.Context(), run.Ticket, recovery.Answers{Captcha: true})
	require.NoError(t, err)
	_, err = k.Answer(t.Context(), run.Ticket, recovery.Answers{Facts: map[string]string{"birth-day": "14", "birth-month": "3"}})
	require.ErrorIs(t, err, recovery.ErrRefused, "the facts are right, and it is refused all the same")
	require.NoError(t, walkFirst(t.Context(), k, newSecret))
	require.Error(t, walkFirst(t.Context(), k, newSecret), "has a key now")
}

// The misses of a beginner are forgotten as a stranger's are: which of the two a subject is, only the right facts tell.
func TestMissesOfBeginnersAreForgotten(t *testing.T) {
	k := newKit(t)
	for range 3 {
		run, err := k.Start(t.Context(), "first", luis, home)
		require.NoError(t, err)
		_, err = k.Answer(t.Context(), run.Ticket, recovery.Answers{Captcha: true})
		require.NoError(t, err)
		_, err = k.Answer(t.Context(), run.Ticket, recovery.Answers{Facts: map[string]string{"birth-day": "2", "birth-month": "2"}})
		require.Error(t, err)
	}
	require.Error(t, walkFirst(t.Context(), k, newSecret))
	k.clock.Add(401 * day)
	require.NoError(t, walkFirst(t.Context(), k, newSecret))
}

// The third miss blocks, whatever was right among the answers, until an agency unlocks.
func TestThirdMissBlocks(t *testing.T) {
	k := newKit(t)
	run, err := k.Start(t.Context(), "clave", ana, home)
	require.NoError(t, err)
	ticket := run.Ticket
	run, err = k.Answer(t.Context(), ticket, recovery.Answers{Captcha: true})
	require.NoError(t, err)
	misses := []recovery.Answers{k.known(run, false), k.known(run, true), k.known(run, true)}
	misses[1].Image = "gato"
	misses[2].Questions = answered(run.Next.Questions, false)
	for i, a := range misses {
		_, err = k.Answer(t.Context(), ticket, a)
		if i < 2 {
			require.Equal(t, recovery.ErrRefused.Error(), err.Error(), "no answer says which was wrong")
			continue
		}
		require.NotNil(t, lockOf(err))
	}
	_, err = k.Answer(t.Context(), ticket, k.known(run, true))
	require.NotNil(t, lockOf(err))
	require.Error(t, walkClave(t.Context(), k, newSecret), "nor in another run")
	_, err = k.login(t, anaSecret)
	require.NoError(t, err, "who has the key is not concerned")
	require.NoError(t, k.Unlock(t.Context(), "clave", ana, civicpin.Evidence{}, agency))
	require.NoError(t, walkClave(t.Context(), k, newSecret))
}

// While strangers have locked the open lane, the owner gets in by the unlock link, and whoever asks is not told whether it was
// locked.
func TestUnlockLink(t *testing.T) {
	k := newKit(t)
	for range 10_000 {
		_, err := k.pins.Verify(t.Context(), pin.Attempt{Subject: ana, Secret: civicpin.NewSecret("not what it is")})
		require.Error(t, err)
	}
	_, err := k.login(t, anaSecret)
	require.NotNil(t, lockOf(err))
	require.NoError(t, walkUnlock(t.Context(), k, ""))
	ok, err := k.login(t, anaSecret)
	require.NoError(t, err)
	require.Equal(t, civicpin.Substantial, ok.Level)
	require.NoError(t, walkUnlock(t.Context(), k, ""), "the same when there is no lock")
}

// Whoever has a stolen telephone has links that say "it was not me". Once staff have taken it away they suspend nobody.
func TestContactThatStaffRemovedRepudiatesNothing(t *testing.T) {
	k := newKit(t)
	require.NoError(t, walkClave(t.Context(), k, newSecret))
	stolen, err := k.mailed(t.Context(), 0, anaPhone, "recovery.done")
	require.NoError(t, err)
	own, err := k.mailed(t.Context(), 0, anaMail, "recovery.done")
	require.NoError(t, err)
	_, err = k.Inspect(t.Context(), stolen.Link)
	require.NoError(t, err)
	proved, _, err := k.contacts.List(t.Context(), ana)
	require.NoError(t, err)
	for _, c := range proved {
		if c.Address == anaPhone {
			require.NoError(t, k.contacts.Remove(t.Context(), ana, c.ID, agency.ID, home))
		}
	}
	_, err = k.Inspect(t.Context(), stolen.Link)
	require.ErrorIs(t, err, recovery.ErrGone)
	require.ErrorIs(t, k.Repudiate(t.Context(), stolen.Link, home), recovery.ErrGone)
	_, err = k.login(t, newSecret)
	require.NoError(t, err)
	require.NoError(t, k.Repudiate(t.Context(), own.Link, home))
	_, err = k.login(t, newSecret)
	require.ErrorIs(t, err, pin.ErrRefused)
}

// A link that repudiates a recovery ends what that brought, and closes recovery on line; staff issue anew on evidence. Of what
// staff approved they decide, and after an unlock everything stays.
func TestRepudiate(t *testing.T) {
	for _, tt := range []struct {
		walk               string
		as                 func(context.Context, *kit, string) error
		new, old, recovers bool // does the secret that the run set work, does the former one, and does a recovery
		resumes, unbinds   bool
		remedy             string
		revokes, attests   bool // does the thief, in a session, revoke what the run set; do staff see the owner's document
	}{
		{"clave", walkClave, false, false, false, false, true, "secret", false, false},
		{"clave", walkClave, false, false, false, false, true, "secret", true, false},
		{"clave", walkClave, false, false, false, false, true, "secret", false, true},
		{"parts", walkParts, false, false, false, false, true, "secret", false, false},
		{"desk", walkDesk, false, false, false, true, false, "staff", false, false},
		{"unlock", walkUnlock, false, true, true, true, false, "new devices", false, false},
		{"video", walkVideo, false, true, true, true, false, "new devices", false, false},
	} {
		t.Run(tt.walk, func(t *testing.T) {
			k := newBareKit(t)
			var unbound []time.Time
			k.config.Unbind = func(_ context.Context, subject civicpin.Subject, since time.Time) error {
				require.Equal(t, ana, subject)
				unbound = append(unbound, since)
				return nil
			}
			rec, err := recovery.New(k.out, k.config)
			require.NoError(t, err)
			k.Service = rec
			k.enrolAna(t)
			began := k.clock.Now()
			require.NoError(t, tt.as(t.Context(), k, newSecret))
			ended := k.clock.Now()
			kind := civicpin.MessageKind("recovery.done")
			if tt.recovers {
				kind = "recovery.unlocked"
			}
			m, err := k.mailed(t.Context(), 0, anaPEC, kind)
			require.NoError(t, err)
			if tt.revokes {
				require.NoError(t, k.pins.Revoke(t.Context(), ana, state.Ended, "", civicpin.Citizen))
			}
			if tt.attests {
				require.NoError(t, k.pins.Attest(t.Context(), ana, civicpin.Evidence{Method: civicpin.InPerson, By: agency.ID}))
			}
			k.events.Take()
			require.NoError(t, k.Repudiate(t.Context(), m.Link, home))
			last := k.events.Take()
			require.Equal(t, civicpin.EventCode("recovery.repudiated"), last[len(last)-1].Code)
			require.Equal(t, tt.remedy, last[len(last)-1].Reason)
			require.Equal(t, tt.unbinds, len(unbound) == 1)
			for _, since := range unbound {
				require.False(t, since.Before(began) || since.After(ended), since)
			}
			require.ErrorIs(t, k.Repudiate(t.Context(), m.Link, home), recovery.ErrGone, "once")

			_, err = k.login(t, anaSecret)
			require.Equal(t, tt.old, err == nil, err)
			_, err = k.login(t, newSecret)
			require.Equal(t, tt.new, err == nil, err)
			err = walkClave(t.Context(), k, "siete peces en el rio")
			require.Equal(t, tt.recovers, err == nil, err)
			if tt.recovers {
				return
			}
			err = k.pins.Resume(t.Context(), ana, civicpin.Evidence{Method: civicpin.InPerson, By: agency.ID}, "seen", agency.ID)
			require.Equal(t, tt.resumes, err == nil, err)
			_, err = k.login(t, newSecret)
			require.Equal(t, tt.resumes, err == nil, err)
			if !tt.resumes {
				_, err = k.pins.Issue(t.Context(), ana, pin.IssueOptions{
					Parts: anaContacts()[:2], By: agency.ID,
					Evidence: civicpin.Evidence{Method: civicpin.InPerson, By: agency.ID},
				})
				require.NoError(t, err)
				// The thief may have repudiated: staff ask of every contact, too.
				require.NoError(t, k.contacts.Adopt(t.Context(), ana, anaContacts(), agency.ID, home))
			}
			require.NoError(t, walkClave(t.Context(), k, "ocho lobos en la nieve"), "staff have acted")
		})
	}
}

// An address that operators approved with the run is not undone by a link of the former one: they decide about that, too.
func TestRepudiateWhatStaffApproved(t *testing.T) {
	for _, approves := range []bool{false, true} {
		k := newKit(t)
		steps := []plan.Step{
			plan.Facts{"birth-day"},
			plan.ConfirmContact{Channel: civicpin.Email, MayCorrect: true},
			plan.Code{Channel: civicpin.SMS, Valid: 10 * time.Minute},
			plan.Link{Channel: civicpin.Email, Valid: time.Hour},
		}
		if approves {
			steps = slices.Insert(steps, 2, plan.Step(plan.Approval{Role: "agency"}))
		}
		rec := k.with(t, plan.Plan{Name: "moved", Outcome: plan.ChooseSecret, Steps: steps})
		run, err := rec.Start(t.Context(), "moved", ana, home)
		require.NoError(t, err)
		ticket := run.Ticket
		_, err = rec.Answer(t.Context(), ticket, recovery.Answers{Facts: map[string]string{"birth-day": "14"}})
		require.NoError(t, err)
		to := civicpin.Contact{Channel: civicpin.Email, Address: anaNewMail}
		_, err = rec.Answer(t.Context(), ticket, recovery.Answers{Correct: to})
		require.NoError(t, err)
		if approves {
			_, err = rec.Decide(t.Context(), run.ID, agency, approved)
			require.NoError(t, err)
		}
		typed, err := k.mailed(t.Context(), 0, anaPhone, "recovery.code")
		require.NoError(t, err)
		_, err = rec.Answer(t.Context(), ticket, recovery.Answers{Code: typed.Secret})
		require.NoError(t, err)
		link, err := k.mailed(t.Context(), 0, anaNewMail, "recovery.link")
		require.NoError(t, err)
		grant, err := rec.Finish(t.Context(), link.Link, home)
		require.NoError(t, err)
		require.NoError(t, k.set(t.Context(), grant, newSecret))
		done, err := k.mailed(t.Context(), 0, anaMail, "recovery.done")
		require.NoError(t, err)
		require.NoError(t, rec.Repudiate(t.Context(), done.Link, home))
		proved, _, err := k.contacts.List(t.Context(), ana)
		require.NoError(t, err)
		require.Equal(t, approves, slices.ContainsFunc(proved, func(c contact.Contact) bool { return c.Address == anaNewMail }))
		_, err = k.login(t, newSecret)
		require.ErrorIs(t, err, pin.ErrRefused)
	}
}

// A new address that cools down is told of recoveries, and cannot take one from its owner.
func TestContactThatCoolsDownRepudiatesNothing(t *testing.T) {
	k := newKit(t)
	_, err := k.contacts.Add(t.Context(), ana, civicpin.Contact{Channel: civicpin.Email, Address: anaNewMail}, civicpin.Citizen, home)
	require.NoError(t, err)
	m, err := k.mailed(t.Context(), 0, anaNewMail, "contact.prove")
	require.NoError(t, err)
	require.NoError(t, k.contacts.Prove(t.Context(), m.Link, home))
	require.NoError(t, walkClave(t.Context(), k, newSecret))
	for address, link := range map[string]bool{anaMail: true, anaPEC: true, anaPhone: true, anaNewMail: false} {
		m, err := k.mailed(t.Context(), 0, address, "recovery.done")
		require.NoError(t, err)
		require.Equal(t, link, !m.Link.IsZero(), address)
	}

	// Nor once it has gone, when the time is over for which it would have cooled down.
	proved, _, err := k.contacts.List(t.Context(), ana)
	require.NoError(t, err)
	k.clock.Add(6 * 24 * time.Hour)
	for _, c := range proved {
		if c.Address == anaNewMail {
			require.NoError(t, k.contacts.Remove(t.Context(), ana, c.ID, civicpin.Citizen, home))
		}
	}
	k.clock.Add(2 * 24 * time.Hour)
	after := k.sofar()
	require.NoError(t, walkClave(t.Context(), k, "siete peces en el rio"))
	m, err = k.mailed(t.Context(), after, anaNewMail, "recovery.done")
	require.NoError(t, err)
	require.True(t, m.Link.IsZero())
}

// One landing page takes all links, and tells by LinkInfo.What which call takes the token.
func TestPurposes(t *testing.T) {
	k := newRunKit(t)
	pec := civicpin.Contact{Channel: civicpin.CertifiedEmail, Address: "rosa@pec.example"}
	require.NoError(t, k.contacts.Adopt(t.Context(), rosa, []civicpin.Contact{pec}, runClerk, runHome))
	link := k.linked(t)
	_, err := k.contacts.Add(t.Context(), rosa, civicpin.Contact{Channel: civicpin.Email, Address: thiefMail}, civicpin.Citizen, runHome)
	require.NoError(t, err)
	k.flush(t)
	for what, tc := range map[recovery.Purpose]struct {
		text string // that pages of callers may rest on
		tok  civicpin.Secret
	}{
		recovery.ToRecover:   {"recover", link},
		recovery.ToRepudiate: {"repudiate", k.post.Last(rosaMail, "recovery.waiting").Link},
		recovery.ToProve:     {"prove", k.post.Last(thiefMail, "contact.prove").Link},
		recovery.ToUndo:      {"undo", k.post.Last(rosaMail, changedKind).Link},
	} {
		require.Equal(t, tc.text, string(what))
		look, err := k.Inspect(t.Context(), tc.tok)
		require.NoError(t, err, what)
		require.Equal(t, what, look.Purpose)
		require.Equal(t, what == recovery.ToRecover, look.Last)
		require.Equal(t, what == recovery.ToRecover || what == recovery.ToRepudiate, look.Plan != "")
		require.True(t, look.ExpiresAt.After(k.clock.Now()))
	}
}

// Contacts of before the level was reached prove no more than the lower level, until an operator has seen them.
func TestContactsOfALowerLevel(t *testing.T) {
	for name, walk := range map[string]func(context.Context, *kit, string) error{"two": walkTwo, "parts": walkParts} {
		for _, seen := range []bool{false, true} {
			k := newBareKit(t)
			require.NoError(t, k.contacts.Adopt(t.Context(), ana, anaContacts(), civicpin.Citizen, home))
			k.clock.Add(time.Hour)
			k.importAna(t)
			k.clock.Add(time.Hour)
			want := civicpin.Low
			if seen {
				k.adoptAna(t)
				want = civicpin.Substantial
			}
			require.NoError(t, walk(t.Context(), k, "dos olas en la orilla"), name)
			ok, err := k.login(t, "dos olas en la orilla")
			require.NoError(t, err)
			require.Equal(t, want, ok.Level, "%s, seen: %t", name, seen)
		}
	}
}

// storedID is the id of the run that is fed to the service.
const storedID = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

// fields are those of a stored run on which it depends whether it may end in a grant.
type fields struct {
	Subject civicpin.Subject
	Plan    string
	Digest  []byte
	State   string
	Known   bool
	Epoch   waits.Epochs
	Ticket  []byte
	Step    int
	Rests   time.Time
	Expires time.Time
	Links   []struct {
		N       int
		Hash    []byte
		Expires time.Time
	}
}

// begun has a run begun under each plan, and returns what is stored of each.
func (k *kit) begun(t testing.TB) map[string]map[string]any {
	t.Helper()
	raw, err := store.NewKind[map[string]any](k.vault, "recovery.run")
	require.NoError(t, err)
	all := make(map[string]map[string]any)
	for _, p := range plans() {
		var run recovery.Run
		if _, staffs := p.Steps[0].(plan.Approval); staffs {
			run, err = k.StartBy(t.Context(), p.Name, ana, recovery.Operator{ID: agency.ID, Role: p.Steps[0].(plan.Approval).Role})
		} else {
			run, err = k.Start(t.Context(), p.Name, ana, civicpin.Source{})
		}
		require.NoError(t, err)
		e, err := raw.Get(t.Context(), store.Key{ID: run.ID})
		require.NoError(t, err)
		all[p.Name] = e.Value
	}
	return all
}

// storedRuns are runs as they are stored, at each step of each plan and beside, with tokens that this test has.
func storedRuns(t testing.TB, k *kit) (runs [][]byte, digests map[string][]byte) {
	t.Helper()
	_, ticket := recovery.Forge('t', storedID, 0)
	_, linked := recovery.Forge('l', storedID, 1)
	_, repudiate := recovery.Forge('d', storedID, 1)
	digests = make(map[string][]byte)
	begun := k.begun(t)
	for _, p := range plans() {
		for step := -1; step <= len(p.Steps)+1; step++ {
			r := maps.Clone(begun[p.Name])
			to := map[string]any{"channel": "email", "address": anaMail}
			until := k.clock.Now().Add(time.Minute)
			r["step"], r["ticket"], r["known"] = step, ticket, true
			r["links"] = []any{map[string]any{"n": 1, "hash": linked, "tag": linked, "to": to, "expires": until}}
			r["repudiate"] = []any{map[string]any{"n": 1, "hash": repudiate, "expires": until}}
			r["mail"] = []any{map[string]any{
				"name": "s1", "kind": "recovery.link", "to": to, "link": 1, "token": "x", "expires": until, "state": "pending",
			}}
			r["sends"] = 1
			text, err := json.Marshal(r)
			require.NoError(t, err)
			runs = append(runs, text)
			var f fields
			require.NoError(t, json.Unmarshal(text, &f))
			digests[p.Name] = f.Digest
		}
	}
	return runs, digests
}

// FuzzStoredRun feeds bytes to the service as a stored run, with tokens that fit. Whatever they are, no call panics, what
// cannot be read is refused as that, and a recovery is completed only if the record says that all steps were proved, in the
// state that the credential is in.
func FuzzStoredRun(f *testing.F) {
	seeds, digests := storedRuns(f, newKit(f))
	for _, text := range seeds {
		f.Add(text)
	}
	for _, change := range [][2]string{
		{`"known":true`, `"known":false`},
		{`"state":"open"`, `"state":"finished"`},
		{`"tickets":0`, `"tickets":-256`},
		{`"sends":1`, `"sends":-9223372036854775808`},
		{`"n":1`, `"n":257`},
		{`"asked":[`, `"asked":[],"documents":[`},
		{`"repudiate":[`, `"rests":"9999-12-31T23:59:59Z","correct":{},"adopt":true,"repudiate":[`},
		{`"repudiate":[`, `"enrolled":{"questions":[{}]},"named":[{}],"approved":[{}],"repudiate":[`},
	} {
		for _, text := range seeds {
			if bytes.Contains(text, []byte(`"plan":"clave"`)) && bytes.Contains(text, []byte(change[0])) {
				f.Add(bytes.ReplaceAll(text, []byte(change[0]), []byte(change[1])))
			}
		}
	}
	f.Add([]byte(`{}`))
	f.Add([]byte(`null`))
	ticket, ticketHash := recovery.Forge('t', storedID, 0)
	linked, linkHash := recovery.Forge('l', storedID, 1)
	repudiate, _ := recovery.Forge('d', storedID, 1)
	f.Fuzz(func(t *testing.T, text []byte) {
		if !json.Valid(text) {
			return
		}
		k := newKit(t)
		raw, err := store.NewKind[json.RawMessage](k.vault, "recovery.run")
		require.NoError(t, err)
		put := func() {
			_, err := raw.Update(t.Context(), store.Key{ID: storedID}, func(e *store.Entry[json.RawMessage]) error {
				e.Value = text
				return nil
			})
			require.NoError(t, err)
		}
		var r fields
		readable := json.Unmarshal(text, &r) == nil
		// proved reports whether the record says that a token completes the plan.
		proved := func(link bool) bool {
			i := slices.IndexFunc(plans(), func(p plan.Plan) bool { return p.Name == r.Plan })
			if i < 0 || !readable || !bytes.Equal(r.Digest, digests[r.Plan]) || r.State != "open" || !r.Known || !k.clock.Now().Before(r.Expires) {
				return false
			}
			mark, err := k.pins.Mark(t.Context(), r.Subject)
			var as recoveryrun.Record
			contacts, err2 := k.contacts.Snapshot(t.Context(), r.Subject)
			if json.Unmarshal(text, &as) != nil || errors.Join(err, err2) != nil || !as.Lives(&mark, contacts) {
				return false
			}
			steps := plans()[i].Steps
			if !link {
				return r.Step == len(steps) && !k.clock.Now().Before(r.Rests) && bytes.Equal(r.Ticket, ticketHash)
			}
			for _, l := range r.Links {
				if l.N == 1 && bytes.Equal(l.Hash, linkHash) && k.clock.Now().Before(l.Expires) {
					return r.Step == len(steps)-1
				}
			}
			return false
		}

		var errs []error
		note := func(_ any, err error) { errs = append(errs, err) }
		put()
		note(k.Show(t.Context(), ticket))
		note(k.Inspect(t.Context(), linked))
		note(k.Inspect(t.Context(), repudiate))
		note(k.ShowCase(t.Context(), storedID, agency))
		for _, a := range []recovery.Answers{
			{},
			{Captcha: true},
			{Confirm: true},
			{Code: civicpin.NewSecret("ACDEFGHJ")},
			{Terms: "2026"},
			{Documents: map[string]string{"front": "a", "back": "b", "face": "c"}},
			{Facts: map[string]string{"birth-day": "14", "birth-month": "3"}, Image: anaImage, Questions: secrets(map[string]string{"mascota": "?"})},
			{EnrolImage: "gato", EnrolQuestions: secrets(anaAnswers)},
		} {
			note(k.Answer(t.Context(), ticket, a))
			put()
		}
		note(k.Send(t.Context(), ticket, home))
		put()
		note(k.Decide(t.Context(), storedID, agency, recovery.Verdict{}))
		put()
		note(k.Redeem(t.Context(), linked, home))
		put()
		note(nil, k.Cancel(t.Context(), ticket))
		put()
		require.NoError(t, k.out.Flush(t.Context()))

		put()
		may := proved(true)
		g, err := k.Finish(t.Context(), linked, home)
		require.True(t, may || err != nil, "completed by a link, though not all is proved")
		require.True(t, err == nil || g.IsZero(), "a grant with an error")
		note(nil, err)
		put()
		may = proved(false)
		g, err = k.Finish(t.Context(), ticket, home)
		require.True(t, may || err != nil, "completed by a ticket, though not all is proved")
		require.True(t, err == nil || g.IsZero(), "a grant with an error")
		note(nil, err)
		put()
		note(k.Decide(t.Context(), storedID, agency, recovery.Verdict{Approve: true}))
		put()
		note(nil, k.Repudiate(t.Context(), repudiate, home))
		if !readable {
			for _, err := range errs {
				require.ErrorIs(t, err, store.ErrUnreadable)
			}
		}
	})
}
