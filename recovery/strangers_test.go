package recovery_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/pin/rule"
	"github.com/civicpin/civicpin/pin/state"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/recovery/plan"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
	"github.com/civicpin/civicpin/store/storetest"
)

// people are the states in which whoever is asked for can be. All of them have Ana's number.
var people = []struct {
	name    string
	prepare func(t *testing.T, k *kit)
}{
	{"unknown", func(*testing.T, *kit) {}},
	{"whole", func(t *testing.T, k *kit) { k.enrolAna(t) }},
	{"locked", func(t *testing.T, k *kit) { k.enrolAna(t); k.lock(t) }},
	{"suspended", func(t *testing.T, k *kit) {
		k.enrolAna(t)
		require.NoError(t, k.pins.Suspend(t.Context(), ana, "", agency.ID))
	}},
	{"revoked", func(t *testing.T, k *kit) {
		k.enrolAna(t)
		require.NoError(t, k.pins.Revoke(t.Context(), ana, state.Ended, "", agency.ID))
	}},
	{"without contacts", func(t *testing.T, k *kit) { k.importAna(t); k.teachAna(t) }},
	{"without answers", func(t *testing.T, k *kit) { k.importAna(t); k.adoptAna(t) }},
	{"recovered before", func(t *testing.T, k *kit) {
		k.enrolAna(t)
		require.NoError(t, walkOffice(t.Context(), k, newSecret))
	}},
	{"begun by somebody", func(t *testing.T, k *kit) {
		_, err := k.Start(t.Context(), "clave", stranger, home)
		require.NoError(t, err)
	}},
}

// trace does something and returns what it came to: the error, what is asked, and every store call with its kind of record.
func trace(t *testing.T, k *kit, f *storetest.Faults, do func() (recovery.Run, error)) string {
	t.Helper()
	hashes, sent := recovery.Hashes(k.Service), len(k.mail.Messages())
	var run recovery.Run
	var err error
	calls := testkit.Calls(f, func() { run, err = do() })
	require.Len(t, k.mail.Messages(), sent, "the notifier is never called inline")
	next := run.Next
	shown := fmt.Sprintf("%v %v %v %d %v %v %q %v %s", next.Captcha, next.Facts, len(next.Images), len(next.Questions), next.Contacts,
		next.Of, next.Factor, next.Documents, next.Approval)
	if c := next.Confirm; c != nil {
		shown += fmt.Sprintf(" confirm %v %v %v", c.Channel, c.MayCorrect, c.Masked != "")
	}
	if s := next.Sent; s != nil {
		shown += fmt.Sprintf(" sent %v %v %v %v %v", s.Channel, s.Link, s.Code, s.Masked != "", s.ExpiresAt)
	}
	return fmt.Sprintf("%v; %s; done %v; ticket %v; expires %v; %s; %d hashes", err, shown, run.Done, !run.Ticket.IsZero(), run.ExpiresAt,
		strings.Join(calls, ", "), recovery.Hashes(k.Service)-hashes)
}

// forged is a token of a kind that nobody made, for a run that there is.
func forged(kind string, run recovery.Run) civicpin.Secret {
	return civicpin.NewSecret(kind + run.ID + "AQ." + strings.Repeat("A", 43))
}

// TestStrangersLearnNothing shows, for each call that an anonymous visitor can make, that the answer is the same after the same
// store calls and the same hash work, whoever the subject is.
func TestStrangersLearnNothing(t *testing.T) {
	to := func(name string, answers ...func(recovery.Run) recovery.Answers) func(t *testing.T, k *kit) recovery.Run {
		return func(t *testing.T, k *kit) recovery.Run {
			run, err := k.Start(t.Context(), name, ana, civicpin.Source{})
			require.NoError(t, err)
			ticket := run.Ticket
			for _, a := range answers {
				run, err = k.Answer(t.Context(), ticket, a(run))
				require.NoError(t, err)
			}
			run.Ticket = ticket
			return run
		}
	}
	captcha := func(recovery.Run) recovery.Answers { return recovery.Answers{Captcha: true} }
	wrong := func(run recovery.Run) recovery.Answers {
		return recovery.Answers{
			Facts: map[string]string{"birth-day": "9", "birth-month": "9"}, Image: run.Next.Images[0],
			Questions: answered(run.Next.Questions, false),
		}
	}
	others := recovery.Answers{Contacts: []civicpin.Contact{
		{Channel: civicpin.SMS, Address: "+593999999999"}, {Channel: civicpin.Email, Address: "otra@correo.example"},
	}}
	typed := recovery.Answers{Code: civicpin.NewSecret("ACDE FGHJ")}
	none := func(*testing.T, *kit) recovery.Run { return recovery.Run{} }
	forgedGrant, err := pin.ParseGrant(civicpin.NewSecret("g1.MTcxMDAzNDA2NQ." + strings.Repeat("A", 43)))
	require.NoError(t, err)
	require.Equal(t, ana, forgedGrant.Subject())

	anonymous := []struct {
		name   string
		before func(t *testing.T, k *kit) recovery.Run
		do     func(k *kit, run recovery.Run) (recovery.Run, error)
	}{
		{"set under a forged grant", none, func(k *kit, _ recovery.Run) (recovery.Run, error) {
			return recovery.Run{}, k.set(t.Context(), forgedGrant, newSecret)
		}},
		{"guess", to("clave", captcha), func(k *kit, run recovery.Run) (recovery.Run, error) {
			return k.Answer(t.Context(), run.Ticket, wrong(run))
		}},
		{"guess until locked", to("clave", captcha), func(k *kit, run recovery.Run) (recovery.Run, error) {
			var err error
			for range 4 {
				_, err = k.Answer(t.Context(), run.Ticket, wrong(run))
			}
			require.NotNil(t, lockOf(err))
			return recovery.Run{}, err
		}},
		{"name contacts", to("parts"), func(k *kit, run recovery.Run) (recovery.Run, error) {
			return k.Answer(t.Context(), run.Ticket, others)
		}},
		{"answer what is not asked", to("clave", captcha), func(k *kit, run recovery.Run) (recovery.Run, error) {
			return k.Answer(t.Context(), run.Ticket, recovery.Answers{Confirm: true})
		}},
		{"show", to("unlock", captcha), func(k *kit, run recovery.Run) (recovery.Run, error) {
			return k.Show(t.Context(), run.Ticket)
		}},
		{"have a link sent", to("unlock"), func(k *kit, run recovery.Run) (recovery.Run, error) {
			return k.Answer(t.Context(), run.Ticket, captcha(run))
		}},
		{"have it sent again", to("unlock", captcha), func(k *kit, run recovery.Run) (recovery.Run, error) {
			return k.Send(t.Context(), run.Ticket, home)
		}},
		{"have it sent until limited", to("unlock", captcha), func(k *kit, run recovery.Run) (recovery.Run, error) {
			var err error
			var shown recovery.Run
			for range 11 {
				if shown, err = k.Send(t.Context(), run.Ticket, home); err != nil {
					break
				}
			}
			require.NotNil(t, lockOf(err))
			return shown, err
		}},
		{"type a factor", to("factor"), func(k *kit, run recovery.Run) (recovery.Run, error) {
			return k.Answer(t.Context(), run.Ticket, recovery.Answers{Factor: civicpin.NewSecret("000000")})
		}},
		{"type a code where a link is", to("two", captcha), func(k *kit, run recovery.Run) (recovery.Run, error) {
			return k.Answer(t.Context(), run.Ticket, typed)
		}},
		{"type a code", to("texted", captcha), func(k *kit, run recovery.Run) (recovery.Run, error) {
			return k.Answer(t.Context(), run.Ticket, typed)
		}},
		{"type codes until the run ends", to("texted", captcha), func(k *kit, run recovery.Run) (recovery.Run, error) {
			var err error
			for range 4 {
				_, err = k.Answer(t.Context(), run.Ticket, typed)
			}
			require.ErrorIs(t, err, recovery.ErrGone)
			return recovery.Run{}, err
		}},
		{"documents", to("desk", captcha), func(k *kit, run recovery.Run) (recovery.Run, error) {
			return k.Answer(t.Context(), run.Ticket, recovery.Answers{Documents: map[string]string{"front": "a", "back": "b", "face": "c"}})
		}},
		{"finish with the ticket", to("unlock", captcha), func(k *kit, run recovery.Run) (recovery.Run, error) {
			_, err := k.Finish(t.Context(), run.Ticket, home)
			return recovery.Run{}, err
		}},
		{"forge a link", to("unlock", captcha), func(k *kit, run recovery.Run) (recovery.Run, error) {
			_, err := k.Finish(t.Context(), forged("l", run), home)
			_, err2 := k.Redeem(t.Context(), forged("l", run), home)
			_, err3 := k.Inspect(t.Context(), forged("l", run))
			return recovery.Run{}, errors.Join(err, err2, err3)
		}},
		{"forge a repudiating", to("unlock", captcha), func(k *kit, run recovery.Run) (recovery.Run, error) {
			return recovery.Run{}, errors.Join(k.Repudiate(t.Context(), forged("d", run), home), k.Repudiate(t.Context(), forged("u", run), home))
		}},
		{"cancel", to("unlock", captcha), func(k *kit, run recovery.Run) (recovery.Run, error) {
			return recovery.Run{}, k.Cancel(t.Context(), run.Ticket)
		}},
		{"begin until limited", none, func(k *kit, _ recovery.Run) (recovery.Run, error) {
			var err error
			for range 100 {
				if _, err = k.Start(t.Context(), "clave", ana, civicpin.Source{}); err != nil {
					break
				}
			}
			require.NotNil(t, lockOf(err))
			return recovery.Run{}, err
		}},
	}
	for _, p := range plans() {
		if _, ok := p.Steps[0].(plan.Approval); ok {
			continue
		}
		anonymous = append(anonymous, struct {
			name   string
			before func(t *testing.T, k *kit) recovery.Run
			do     func(k *kit, run recovery.Run) (recovery.Run, error)
		}{"begin " + p.Name, none, func(k *kit, _ recovery.Run) (recovery.Run, error) {
			return k.Start(t.Context(), p.Name, ana, civicpin.Source{})
		}})
	}
	for _, a := range anonymous {
		t.Run(a.name, func(t *testing.T) {
			first := ""
			for _, p := range people {
				k := newBareKit(t)
				f := k.faults
				p.prepare(t, k)
				require.NoError(t, k.out.Flush(t.Context()))
				k.clock.Set(newClock().Now().Add(40 * 24 * time.Hour))
				run := a.before(t, k)
				got := trace(t, k, f, func() (recovery.Run, error) { return a.do(k, run) })
				if first == "" {
					first = got
					t.Log(got)
				}
				require.Equal(t, first, got, p.name)
			}
		})
	}
}

// What is shown of a stranger is plausible and the same every time, and nothing is ever sent to nobody.
func TestStrangersAreShownTheSame(t *testing.T) {
	k := newKit(t)
	var seen []recovery.Ask
	for range 3 {
		run, err := k.Start(t.Context(), "clave", stranger, home)
		require.NoError(t, err)
		ticket := run.Ticket
		run, err = k.Answer(t.Context(), ticket, recovery.Answers{Captcha: true})
		require.NoError(t, err)
		seen = append(seen, run.Next)
		for range 2 { // a wrong answer does not swap them
			_, err = k.Answer(t.Context(), ticket, recovery.Answers{
				Facts: map[string]string{"birth-day": "9", "birth-month": "9"}, Image: run.Next.Images[0],
				Questions: answered(run.Next.Questions, false),
			})
			require.Error(t, err)
			again, err := k.Show(t.Context(), ticket)
			require.NoError(t, err)
			require.Equal(t, run.Next, again.Next)
		}
		require.NoError(t, k.Service.Unlock(t.Context(), "clave", stranger, civicpin.Evidence{}, agency))
	}
	require.Equal(t, seen[0], seen[1])
	require.Equal(t, seen[0], seen[2])
	require.NotEmpty(t, seen[0].Images)
	require.Subset(t, questions, seen[0].Questions)

	run, err := k.Start(t.Context(), "unlock", stranger, home)
	require.NoError(t, err)
	run, err = k.Answer(t.Context(), run.Ticket, recovery.Answers{Captcha: true})
	require.NoError(t, err)
	require.Regexp(t, `^.\*\*\*@correo\.example$`, run.Next.Sent.Masked)
	require.NoError(t, k.out.Flush(t.Context()))
	for _, m := range k.mail.Messages() {
		require.Contains(t, []string{anaMail, anaPEC, anaPhone}, m.To.Address)
	}
}

// Where a message may go over one channel or another, none of them tells that there is somebody.
func TestStrangersAreSentOverEachChannel(t *testing.T) {
	k := newKit(t)
	k.config.Plans = append(plans(), plan.Plan{
		Name: "either", Limit: threeTries(), Outcome: plan.Unlocked, Steps: []plan.Step{
			plan.Link{Channel: civicpin.Email, Or: []civicpin.Channel{civicpin.CertifiedEmail}, Valid: time.Hour},
		},
	})
	var err error
	k.Service, err = recovery.New(k.out, k.config)
	require.NoError(t, err)
	channels := make(map[civicpin.Channel]int)
	for i := range 100 {
		subject := civicpin.Subject(fmt.Sprintf("%010d", i))
		run, err := k.Start(t.Context(), "either", subject, civicpin.Source{})
		require.NoError(t, err)
		again, err := k.Start(t.Context(), "either", subject, civicpin.Source{})
		require.NoError(t, err)
		require.Equal(t, run.Next.Sent.Channel, again.Next.Sent.Channel)
		channels[run.Next.Sent.Channel]++
	}
	require.Len(t, channels, 2)
	for channel, n := range channels { // 50 each, with a standard deviation of 5
		require.InDelta(t, 50, n, 25, channel)
	}
}

// Strangers with one source address cause no more messages to typed telephones a day than docs/threats.md says, also by asking
// for them again.
func TestResendsCountAsTyped(t *testing.T) {
	p := newPortal(t)
	end, n := p.clock.Now().Add(day), 0
	for p.clock.Now().Before(end) {
		subject := civicpin.Subject(fmt.Sprint("MADE UP ", n))
		if p.asks(t, subject, fmt.Sprintf("+5939%08d", n), 0) {
			n++
			require.NoError(t, p.out.Flush(t.Context()))
			for range 2 {
				if p.pins.Resend(t.Context(), subject, 0, stranger6(0)) == nil {
					require.NoError(t, p.out.Flush(t.Context()))
				}
			}
		}
		p.clock.Add(3 * time.Minute)
	}
	want := costOf(1, defaults(), bySubject()...).MadeUp
	require.LessOrEqual(t, len(p.mail.Messages()), want)
}

// However often strangers lock a PIN, there is room for the notice of a theft.
func TestLocksLeaveRoomForNotices(t *testing.T) {
	p := newPortal(t)
	to := []civicpin.Contact{
		{Channel: civicpin.SMS, Address: anaPhone},
		{Channel: civicpin.Email, Address: "ana@correo.example"},
		{Channel: civicpin.Email, Address: "ana.work@correo.example"},
		{Channel: civicpin.CertifiedEmail, Address: "ana@pec.example"},
		{Channel: civicpin.SMS, Address: "+593991112223"},
		{Channel: civicpin.Email, Address: "ana.old@correo.example"},
	}
	require.NoError(t, p.contacts.Adopt(t.Context(), ana, to, agency.ID, home))
	_, err := p.pins.Issue(t.Context(), ana, pin.IssueOptions{Parts: to[:1], By: agency.ID})
	require.NoError(t, err)
	require.NoError(t, p.out.Flush(t.Context()))
	p.clock.Add(day)
	// A stranger guesses at her PIN and at her codes, once in a while; the portal tells her of each lock, once.
	n, told, last := 0, 0, map[string]time.Time{}
	note := func(gate string, err error) {
		locked := lockOf(err)
		if locked == nil || locked.Until.Equal(last[gate]) {
			return
		}
		last[gate] = locked.Until
		_, err = p.contacts.Notify(t.Context(), ana, "pin.locked", nil)
		if err == nil {
			told++
		} else {
			t.Log(gate, p.clock.Now(), err)
		}
	}
	for h := range 48 * 60 {
		_, err := p.pins.Verify(t.Context(), pin.Attempt{Subject: ana, Secret: civicpin.NewSecret("wrong"), Source: stranger6(h)})
		note("pin", err)
		note("code", p.codes.Verify(t.Context(), ana, otp.Purpose{Act: "login"}, "ABCDEFGHIJKLMNOPQRSTUVWXYZ", civicpin.NewSecret("000000"), stranger6(h)))
		if h%(6*60) == 0 { // and has a PIN sent to each of her addresses for somebody made up
			for _, c := range to {
				_, _ = p.pins.Issue(t.Context(), civicpin.Subject(fmt.Sprint("MADE UP ", n)), pin.IssueOptions{
					Parts: []civicpin.Contact{c}, By: civicpin.Citizen, Source: stranger6(n),
				})
				n++
			}
		}
		if h%15 == 0 {
			require.NoError(t, p.out.Flush(t.Context()))
		}
		p.clock.Add(time.Minute)
	}
	t.Log("locks told: ", told)
	_, err = p.contacts.Notify(t.Context(), ana, "pin.changed", nil)
	require.NoError(t, err)
}

// One customer's /48 of IPv6 is let through no more than five sources are.
func TestOneCustomer(t *testing.T) {
	clock := newClock()
	policy := pin.Default()
	policy.Valid[civicpin.Email] = 7 * day // as INPS
	p := newPortalAt(t, clock.Now, policy)
	p.clock = clock
	accepted := 0
	for net := range 250 { // of 65,536 networks of a /48
		for i := range 20 {
			_, err := p.pins.Issue(t.Context(), civicpin.Subject(fmt.Sprint("MADE UP ", net, ".", i)), pin.IssueOptions{
				Parts:  []civicpin.Contact{{Channel: civicpin.Email, Address: fmt.Sprint("x", net, "@void.example")}},
				By:     civicpin.Citizen,
				Source: civicpin.Source{Address: fmt.Sprintf("2001:db8:1:%x::1", net)},
			})
			if err == nil {
				accepted++
			}
		}
	}
	require.NoError(t, p.out.Flush(t.Context()))
	waits := func() int { return p.backlog(t).ByClass[outbox.Typed].Held }
	t.Log("accepted at once ", accepted, ", sent ", len(p.mail.Messages()), ", wait ", waits())
	for range 7 {
		p.clock.Add(day)
		require.NoError(t, p.out.Flush(t.Context()))
		t.Log("wait ", waits())
	}
	require.Less(t, accepted, 200, "from one customer in a moment")
}

// A plan that New takes can be gone through: at 6c1446d two steps of one type that are asked together took the same answer.
func TestTwoStepsOfOneType(t *testing.T) {
	for name, steps := range map[string][]plan.Step{
		"images":    {plan.Image{}, plan.Image{}},
		"questions": {plan.Questions{Ask: 2}, plan.Questions{Ask: 2}},
		"contacts":  {plan.Contacts{AtLeast: 1}, plan.Contacts{AtLeast: 2}},
	} {
		t.Run(name, func(t *testing.T) {
			k := newKit(t)
			k.config.Plans = []plan.Plan{{
				Name: "twice", Limit: threeTries(), Outcome: plan.Unlocked,
				Steps: append(steps, plan.Link{Channel: civicpin.Email, Valid: time.Hour}),
			}}
			rec, err := recovery.New(k.out, k.config)
			require.NoError(t, err)
			run, err := rec.Start(t.Context(), "twice", ana, home)
			require.NoError(t, err)
			a := recovery.Answers{Source: home}
			if len(run.Next.Images) > 0 {
				a.Image = anaImage
			}
			if len(run.Next.Questions) > 0 {
				a.Questions = answered(run.Next.Questions, true)
			}
			if run.Next.Contacts > 0 {
				a.Contacts = anaContacts()[:2]
			}
			_, err = rec.Answer(t.Context(), run.Ticket, a)
			require.NoError(t, err)
		})
	}
}

// A link that is sent late in a run is good until the run ends, and the message and the page say so.
func TestLinksEndWithTheirRun(t *testing.T) {
	k := newKit(t)
	run, err := k.Start(t.Context(), "two", ana, home)
	require.NoError(t, err)
	k.clock.Add(rested + 20*time.Minute) // of an hour more than it rests
	shown, err := k.Answer(t.Context(), run.Ticket, recovery.Answers{Captcha: true})
	require.NoError(t, err)
	m, err := k.mailed(t.Context(), 0, anaMail, "recovery.link")
	require.NoError(t, err)
	require.Equal(t, run.ExpiresAt, m.ExpiresAt)
	require.Equal(t, run.ExpiresAt, shown.Next.Sent.ExpiresAt)
	k.clock.Add(40*time.Minute - time.Second)
	_, err = k.Redeem(t.Context(), m.Link, home)
	require.NoError(t, err)
}

// A message that an operator's approval brought about is by the citizen in the log, from where the citizen was: it goes to them.
func TestEventsUnderAssist(t *testing.T) {
	k := newKit(t)
	run, err := k.Start(t.Context(), "desk", ana, home)
	require.NoError(t, err)
	_, err = k.Answer(t.Context(), run.Ticket, recovery.Answers{Captcha: true, Source: home})
	require.NoError(t, err)
	files := map[string]string{"front": "a", "back": "b", "face": "c"}
	_, err = k.Answer(t.Context(), run.Ticket, recovery.Answers{Documents: files})
	require.NoError(t, err)
	k.events.Take()
	_, err = k.Decide(t.Context(), run.ID, agency, recovery.Verdict{Approve: true})
	require.NoError(t, err)
	_, err = k.Decide(t.Context(), run.ID, other, recovery.Verdict{Approve: true})
	require.NoError(t, err)
	for _, e := range k.events.Of("recovery.sent") {
		require.Equal(t, civicpin.Citizen, e.By)
		require.Equal(t, home.Address, e.Source.Address)
	}
}

// Until something is proved, what the holder of a ticket does is by the visitor.
func TestEventsBeforeProof(t *testing.T) {
	k := newKit(t)
	ran := func(ticket civicpin.Secret, as ...recovery.Answers) {
		for _, a := range as {
			a.Source = home
			_, err := k.Answer(t.Context(), ticket, a)
			require.NoError(t, err)
		}
	}
	actors := func(code civicpin.EventCode) (list []civicpin.Actor) {
		for _, e := range k.events.Of(code) {
			list = append(list, e.By)
		}
		return list
	}
	run, err := k.Start(t.Context(), "two", ana, home)
	require.NoError(t, err)
	ran(run.Ticket, recovery.Answers{Captcha: true})
	require.Equal(t, []civicpin.Actor{civicpin.Visitor}, actors("recovery.sent"), "the link")
	m, err := k.mailed(t.Context(), 0, anaMail, "recovery.link")
	require.NoError(t, err)
	_, err = k.Redeem(t.Context(), m.Link, home)
	require.NoError(t, err)
	require.Equal(t, []civicpin.Actor{civicpin.Visitor, civicpin.Citizen}, actors("recovery.sent"), "and the code")
	require.Equal(t, []civicpin.Actor{civicpin.Visitor, civicpin.Citizen}, actors("recovery.step"))

	k.events.Take()
	run, err = k.Start(t.Context(), "clave", ana, home)
	require.NoError(t, err)
	ran(run.Ticket, recovery.Answers{Captcha: true})
	require.NoError(t, k.Cancel(t.Context(), run.Ticket))
	require.Equal(t, []civicpin.Actor{civicpin.Visitor}, actors("recovery.cancelled"))
}

func TestRefusedUnderAssist(t *testing.T) {
	k := newKit(t)
	run, err := k.StartBy(t.Context(), "video", ana, video)
	require.NoError(t, err)
	c, err := k.ShowCase(t.Context(), run.ID, video)
	require.NoError(t, err)
	k.events.Take()
	_, err = k.Decide(t.Context(), run.ID, video, recovery.Verdict{Approve: true, Questions: answered(c.Questions, false)})
	require.ErrorIs(t, err, recovery.ErrRefused)
	refused := k.events.Of("recovery.refused")
	require.Len(t, refused, 1)
	for _, e := range refused {
		require.Equal(t, video.ID, e.By)
	}
}

// Staff are told whether there is anybody; a caller who answers for a stranger is wrong like anybody.
func TestStaffAndStrangers(t *testing.T) {
	k := newKit(t)
	run, err := k.StartBy(t.Context(), "office", stranger, agency)
	require.NoError(t, err)
	_, err = k.Decide(t.Context(), run.ID, agency, recovery.Verdict{Approve: true})
	require.ErrorIs(t, err, pin.ErrNoCredential)

	run, err = k.StartBy(t.Context(), "video", stranger, video)
	require.NoError(t, err)
	c, err := k.ShowCase(t.Context(), run.ID, video)
	require.NoError(t, err)
	require.Len(t, c.Questions, 4)
	_, err = k.Decide(t.Context(), run.ID, video, recovery.Verdict{Approve: true, Questions: answered(c.Questions, false)})
	require.ErrorIs(t, err, recovery.ErrRefused)
}

// with returns Elsa's answers with one of them changed.
func with(question, text string) map[string]string {
	m := maps.Clone(elsas)
	m[question] = text
	return m
}

// Bad choices are refused with a reason, before anything is hashed or changed.
func TestRefusedChoices(t *testing.T) {
	k := newAnswerKit(t)
	k.enrolled(t)
	kept, err := recovery.PlainAnswers(t.Context(), k.Service, elsa)
	require.NoError(t, err)
	hashed := recovery.Hashes(k.Service)
	for name, tt := range map[string]struct {
		subject civicpin.Subject
		image   string
		answers map[string]string
		rule    rule.Rule // of an AnswerError; empty for another error
	}{
		"nothing":                {elsa, "", nil, ""},
		"no answers":             {elsa, "", map[string]string{}, ""},
		"no subject":             {"", "image-01", elsas, ""},
		"another image":          {elsa, "image-99", elsas, ""},
		"another question":       {elsa, "", with("shoe", "red shoe"), ""},
		"too few":                {elsa, "", map[string]string{"pet": "Fido"}, ""},
		"no answer to one":       {elsa, "", with("pet", ""), rule.Length},
		"one character":          {elsa, "", with("pet", "x"), rule.Length},
		"too long":               {elsa, "", with("pet", strings.Repeat("ab", 65)), rule.Length},
		"control character":      {elsa, "", with("pet", "Fi\x00do"), rule.Characters},
		"not UTF-8":              {elsa, "", with("pet", "Fi\xffdo"), rule.Characters},
		"signs":                  {elsa, "", with("pet", "?!"), rule.Characters},
		"one over and over":      {elsa, "", with("pet", "aaaa"), rule.Repeated},
		"none":                   {elsa, "", with("pet", "N/A"), rule.Common},
		"123":                    {elsa, "", with("pet", "123"), rule.Common},
		"the question":           {elsa, "", with("first-school", "First school"), rule.Question},
		"the subject":            {elsa, "", with("pet", "171003 4065"), rule.Personal},
		"alike":                  {elsa, "", with("pet", "L\u00cd"), rule.Same},
		"with a right image":     {elsa, "image-01", with("pet", "x"), rule.Length},
		"more than there may be": {elsa, "", tooMany(), ""},
	} {
		t.Run(name, func(t *testing.T) {
			var answers map[string]civicpin.Secret
			if tt.answers != nil {
				answers = secrets(tt.answers)
			}
			err := k.EnrolAnswers(t.Context(), tt.subject, tt.image, answers, civicpin.Source{})
			require.ErrorIs(t, err, civicpin.ErrInvalid)
			broken, ok := errors.AsType[*recovery.AnswerError](err)
			require.Equal(t, tt.rule != "", ok)
			if ok {
				require.Equal(t, tt.rule, broken.Rule)
				require.Contains(t, []string{"pet", "first-school", "teacher"}, broken.Question)
				require.Contains(t, err.Error(), string(broken.Rule))
			}
		})
	}
	now, err := recovery.PlainAnswers(t.Context(), k.Service, elsa)
	require.NoError(t, err)
	require.Equal(t, kept, now)
	require.Equal(t, hashed, recovery.Hashes(k.Service))
	require.Len(t, k.notes.Of("recovery.enrolled"), 1)
}

// tooMany is an answer to each of nine questions.
func tooMany() map[string]string {
	m := make(map[string]string)
	for i, question := range answerConfig().Questions[:9] {
		m[question] = fmt.Sprintf("answer of mine %d", i)
	}
	return m
}

// An image and answers are replaced apart, answers as a set.
func TestEnrolledApart(t *testing.T) {
	k := newAnswerKit(t)
	k.enrolled(t)
	require.NoError(t, k.EnrolAnswers(t.Context(), elsa, "image-09", nil, civicpin.Source{}))
	require.NoError(t, k.guess(t.Context(), k.asked(t, elsa), "image-09", elsas))
	require.NoError(t, k.EnrolAnswers(t.Context(), elsa, "", secrets(map[string]string{"hero": "Zorro", "pet": "Fido"}), civicpin.Source{}))
	_, questions, err := k.Enrolled(t.Context(), elsa)
	require.NoError(t, err)
	require.Equal(t, []string{"pet", "hero"}, questions, "in the order of the configuration")
	run := k.asked(t, elsa)
	require.ErrorIs(t, k.guess(t.Context(), run, "image-09", with("hero", "Zorro")), recovery.ErrRefused)
	require.NoError(t, k.guess(t.Context(), run, "image-09", map[string]string{"hero": "zorro", "pet": "fido"}))

	var what []string
	for _, e := range k.notes.Of("recovery.enrolled") {
		require.Equal(t, civicpin.Citizen, e.By)
		require.Equal(t, elsa, e.Subject)
		what = append(what, e.Reason)
	}
	require.Equal(t, []string{"an image, 4 answers", "an image, 0 answers", "no image, 2 answers"}, what)
	require.Equal(t, "192.0.2.1", k.notes.Of("recovery.enrolled")[0].Source.Address)
}

// What is new has no failures against it; what is old keeps them, whatever else is new.
func TestNewAnswersAreANewBinding(t *testing.T) {
	k := newAnswerKit(t)
	for name, tt := range map[string]struct {
		image        string
		answers      map[string]string
		all, onImage int // failures that are left
	}{
		"both":         {"image-09", elsas, 0, 0},
		"image alone":  {"image-09", nil, 3, 0},
		"answers only": {"", elsas, 3, 3},
	} {
		t.Run(name, func(t *testing.T) {
			subject := civicpin.Subject(name)
			require.NoError(t, k.EnrolAnswers(t.Context(), subject, "image-07", secrets(elsas), civicpin.Source{}))
			run := k.asked(t, subject)
			imageRun, err := k.Start(t.Context(), "image", subject, civicpin.Source{})
			require.NoError(t, err)
			facts, err := k.Start(t.Context(), "facts", subject, civicpin.Source{})
			require.NoError(t, err)
			for range 3 {
				require.Error(t, k.guess(t.Context(), run, otherImage(run), elsas))
				_, err := k.Answer(t.Context(), imageRun.Ticket, recovery.Answers{Facts: map[string]string{"birth-day": "1"}, Image: "image-07"})
				require.Error(t, err)
				_, err = k.Answer(t.Context(), facts.Ticket, recovery.Answers{Facts: map[string]string{"birth-day": "1"}})
				require.Error(t, err)
			}
			require.Equal(t, 3, k.failures(t, "all", subject))
			require.NoError(t, k.EnrolAnswers(t.Context(), subject, tt.image, secrets(tt.answers), civicpin.Source{}))
			require.Equal(t, tt.all, k.failures(t, "all", subject))
			require.Equal(t, tt.onImage, k.failures(t, "image", subject))
			require.Equal(t, 3, k.failures(t, "facts", subject), "asks for nothing that was enrolled")
			if tt.all == 0 {
				require.NoError(t, k.guess(t.Context(), k.asked(t, subject), tt.image, elsas), "no lock is left")
			}
		})
	}
}

// Whatever store call fails or loses its answer: afterwards it is all old, with the failures as they were, or all new; and
// doing it again does it.
func TestCrashesWhileEnrolling(t *testing.T) {
	renewed := map[string]string{"pet": "Fido", "teacher": "Bo", "street": "Via Roma", "colour": "rosso"}
	var old, fresh atomic.Int64
	calls := testkit.CrashPoints(t, testkit.Crashes{}, func(t *testing.T, c *testkit.Crash) {
		k := newAnswerKitOn(t, c.Store(), answerConfig())
		enrol := func() error {
			return k.EnrolAnswers(t.Context(), elsa, "image-09", secrets(renewed), civicpin.Source{})
		}
		require.NoError(t, k.EnrolAnswers(t.Context(), elsa, "image-07", secrets(elsas), civicpin.Source{}))
		run := k.asked(t, elsa)
		require.Error(t, k.guess(t.Context(), run, otherImage(run), elsas))
		err := c.During(t, enrol)
		failures := k.failures(t, "all", elsa)
		run = k.asked(t, elsa)
		if slices.Contains(run.Next.Images, "image-07") && k.guess(t.Context(), run, "image-07", elsas) == nil {
			require.Error(t, err)
			require.Equal(t, 1, failures, "no new tries at old answers")
			old.Add(1)
		} else {
			require.NoError(t, k.guess(t.Context(), run, "image-09", renewed))
			fresh.Add(1)
		}
		require.NoError(t, enrol())
		require.Zero(t, k.failures(t, "all", elsa))
		require.NoError(t, k.guess(t.Context(), k.asked(t, elsa), "image-09", renewed))
	})
	require.Equal(t, 5, calls, "the record and one count are read and written; of the other plan there is no failure")
	require.Positive(t, old.Load())
	require.Positive(t, fresh.Load())
}

// At a step of a plan, what is chosen counts once the plan is completed, and not before.
func TestEnrolledByAPlan(t *testing.T) {
	k := newAnswerKit(t)
	run, err := k.Start(t.Context(), "facts", elsa, civicpin.Source{})
	require.NoError(t, err)
	ticket := run.Ticket
	_, err = k.Answer(t.Context(), ticket, recovery.Answers{Facts: map[string]string{"birth-day": "14"}})
	require.NoError(t, err)
	run = k.approved(t, run.ID)
	require.Equal(t, &plan.Enrol{Image: true, Questions: 3}, run.Next.Enrol)

	three := map[string]string{"pet": "Fido", "teacher": "Bo", "hero": "Zorro"}
	for name, bad := range map[string]recovery.Answers{
		"no image":        {EnrolQuestions: secrets(three)},
		"another image":   {EnrolImage: "mine", EnrolQuestions: secrets(three)},
		"no answers":      {EnrolImage: "image-09"},
		"four answers":    {EnrolImage: "image-09", EnrolQuestions: secrets(elsas)},
		"a common answer": {EnrolImage: "image-09", EnrolQuestions: secrets(map[string]string{"pet": "none", "teacher": "Bo", "hero": "Zorro"})},
	} {
		_, err := k.Answer(t.Context(), ticket, bad)
		require.ErrorIs(t, err, civicpin.ErrInvalid, name)
	}
	run, err = k.Answer(t.Context(), ticket, recovery.Answers{EnrolImage: "image-09", EnrolQuestions: secrets(three)})
	require.NoError(t, err)
	require.True(t, run.Done)
	image, questions, err := k.Enrolled(t.Context(), elsa)
	require.NoError(t, err)
	require.False(t, image || len(questions) > 0, "the plan is not completed")

	_, err = k.Finish(t.Context(), ticket, civicpin.Source{Address: "192.0.2.7"})
	require.NoError(t, err)
	image, questions, err = k.Enrolled(t.Context(), elsa)
	require.NoError(t, err)
	require.True(t, image)
	require.Equal(t, []string{"pet", "teacher", "hero"}, questions)
	require.NoError(t, k.guess(t.Context(), k.asked(t, elsa), "image-09", three))
	noted := k.notes.Of("recovery.enrolled")
	require.Len(t, noted, 1)
	require.Equal(t, "192.0.2.7", noted[0].Source.Address)
}

// An Enrol that asks for no image takes none, and one that asks for no answers takes none.
func TestEnrolOfHalf(t *testing.T) {
	c := answerConfig()
	limit := threeTries()
	for name, step := range map[string]plan.Enrol{"an image": {Image: true}, "answers": {Questions: 1}} {
		c.Plans = []plan.Plan{{
			Name: "half", Creates: true, Outcome: plan.ChooseSecret, Limit: limit,
			Steps: []plan.Step{plan.Approval{Role: "desk", Second: true}, step},
		}}
		k := newAnswerKitOf(t, c)
		run, err := k.Start(t.Context(), "half", elsa, civicpin.Source{})
		require.NoError(t, err)
		k.approved(t, run.ID)
		image, answers := "image-09", secrets(map[string]string{"pet": "Fido"})
		_, err = k.Answer(t.Context(), run.Ticket, recovery.Answers{EnrolImage: image, EnrolQuestions: answers})
		require.ErrorIs(t, err, civicpin.ErrInvalid, name)
		if step.Image {
			answers = nil
		} else {
			image = ""
		}
		_, err = k.Answer(t.Context(), run.Ticket, recovery.Answers{EnrolImage: image, EnrolQuestions: answers})
		require.NoError(t, err, name)
	}
}

// Enrolling is hashing like any other, and waits behind the same gate.
func TestEnrollingIsBounded(t *testing.T) {
	c := answerConfig()
	c.Hashing.Permits, c.Hashing.Wait = 1, time.Nanosecond
	k := newAnswerKitOf(t, c)
	release := recovery.OccupyAnswers(k.Service, 1)
	require.ErrorIs(t, k.EnrolAnswers(t.Context(), elsa, "image-07", secrets(elsas), civicpin.Source{}), recovery.ErrBusy)
	require.NoError(t, k.EnrolAnswers(t.Context(), elsa, "image-07", nil, civicpin.Source{}), "an image takes no hash")
	release()
	k.enrolled(t)
	release = recovery.OccupyAnswers(k.Service, 1)
	require.ErrorIs(t, k.guess(t.Context(), k.asked(t, elsa), "image-07", elsas), recovery.ErrBusy)
	release()
	require.Zero(t, k.failures(t, "all", elsa))
}

// TestNobodyElseLearnsAnswers enrols and guesses, well and badly, with a faulty store, and looks for answers in every error,
// event and stored byte.
func TestNobodyElseLearnsAnswers(t *testing.T) {
	memory := store.NewMemory()
	faults := storetest.NewFaults(memory)
	k := newAnswerKitOn(t, faults.Store(), answerConfig())
	var log bytes.Buffer
	note := func(err error) {
		if err != nil {
			fmt.Fprintf(&log, "%v %+v %#v\n", err, err, err)
		}
	}
	texts := map[string]string{"pet": "Qwxzzy Barkley", "teacher": "Profesora Zuñigazz", "street": "Calle Xyqwert 12", "colour": "verdeazulado"}
	guessed := map[string]string{"pet": "Wrongguess One", "teacher": "Wrongguess Two", "street": "Wrongguess Three", "colour": "Wrongguess Four"}
	for call := 1; call < 14; call++ {
		for _, outcome := range []storetest.Outcome{storetest.NotDone, storetest.ReplyLost} {
			faults.FailAt(call, outcome)
			note(k.EnrolAnswers(t.Context(), elsa, "image-07", secrets(texts), civicpin.Source{}))
			for _, rule := range []string{texts["pet"] + "\x00", texts["teacher"], strings.Repeat(texts["street"], 20)} {
				bad := maps.Clone(texts)
				bad["pet"] = rule
				note(k.EnrolAnswers(t.Context(), elsa, "image-07", secrets(bad), civicpin.Source{}))
			}
			faults.Reset()
			run := k.asked(t, elsa)
			for _, typed := range []map[string]string{guessed, texts} {
				faults.FailAt(call, outcome)
				note(k.guess(t.Context(), run, "image-07", typed))
			}
			faults.Reset()
			k.clock.Add(time.Minute)
		}
	}
	k.enrolled(t)
	require.NoError(t, k.EnrolAnswers(t.Context(), elsa, "image-07", secrets(texts), civicpin.Source{}))
	require.NotEmpty(t, k.notes.Of("recovery.refused"))
	recorder := civicpin.SlogRecorder(slog.New(slog.NewTextHandler(&log, nil)))
	for _, e := range k.notes.All() {
		recorder.Record(t.Context(), e)
		fmt.Fprintf(&log, "%+v\n", e)
	}
	fmt.Fprintf(&log, "%+v\n", recovery.Answers{Questions: secrets(texts), EnrolQuestions: secrets(guessed)})

	stored := testkit.Stored(t, memory)
	plain, err := recovery.PlainAnswers(t.Context(), k.Service, elsa)
	require.NoError(t, err)
	require.Contains(t, plain, "$argon2id$")
	require.Contains(t, log.String(), "recovery: answer to")
	lower := strings.ToLower(log.String() + stored + plain)
	for _, m := range []map[string]string{texts, guessed} {
		for _, text := range m {
			require.False(t, strings.Contains(lower, strings.ToLower(text)), "an answer somewhere")
		}
	}
	require.False(t, strings.Contains(log.String()+stored, "image-07"), "the image is known to nobody, either")
	require.Contains(t, plain, "image-07", "it is kept as it is, under the seal")
}
