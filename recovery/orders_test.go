package recovery_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/internal/shown"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/pin/state"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
)

// world is a portal that plays orders of anonymous calls. In one world the subjects are registered.
type world struct {
	*portal
	registered bool
	others     *atomic.Int64 // how many others have asked
}

func newWorld(t *testing.T, registered bool) world {
	return world{newPortal(t), registered, new(atomic.Int64)}
}

// player is what an order is about: a subject and a telephone, and what the calls before left with the visitor.
type player struct {
	subject civicpin.Subject
	phone   civicpin.Contact
	code    string
	ticket  civicpin.Secret
}

// register issues a PIN to the player at the desk, and proves the telephone there.
func (w world) register(t *testing.T, p *player) {
	if !w.registered {
		return
	}
	_, err := w.pins.Issue(t.Context(), p.subject, pin.IssueOptions{Parts: []civicpin.Contact{p.phone}, By: agency.ID})
	require.NoError(t, err)
	require.NoError(t, w.contacts.Adopt(t.Context(), p.subject, []civicpin.Contact{p.phone}, agency.ID, home))
}

// limits says what an answer tells of a limit on messages; other answers are for other tests.
func limits(err error) string {
	if errors.Is(err, outbox.ErrBusy) {
		return "busy"
	}
	locked := lockOf(err)
	if locked == nil {
		return "-"
	}
	return fmt.Sprint(locked.Scope, locked.Until.UnixNano())
}

// call makes one anonymous call.
func (w world) call(t *testing.T, p *player, kind int, source civicpin.Source) string {
	ctx := t.Context()
	switch kind {
	case 0:
		return "resend " + limits(w.pins.Resend(ctx, p.subject, 0, source))
	case 1:
		o := otp.RequestOptions{Source: source}
		if w.registered {
			o.To = []civicpin.Contact{p.phone}
		}
		req, err := w.codes.Request(ctx, p.subject, otp.Purpose{Act: "login"}, o)
		if err == nil {
			p.code = req.ID
		}
		return "code " + limits(err)
	case 2:
		if p.code == "" {
			return ""
		}
		return "code again " + limits(w.codes.Resend(ctx, p.subject, p.code, source))
	case 3:
		run, err := w.rec.Start(ctx, "sms", p.subject, source)
		if err == nil {
			p.ticket = run.Ticket
			_, err = w.rec.Answer(ctx, run.Ticket, recovery.Answers{Captcha: true})
		}
		return "recovery " + limits(err)
	case 4:
		if p.ticket.IsZero() {
			return ""
		}
		_, err := w.rec.Send(ctx, p.ticket, source)
		return "recovery again " + limits(err)
	default: // somebody else who has typed, or has, the same telephone
		other := civicpin.Subject(fmt.Sprint(p.subject, " ", w.others.Add(1)))
		if kind%2 == 0 {
			_, err := w.codes.Request(ctx, other, otp.Purpose{Act: "login"}, otp.RequestOptions{To: []civicpin.Contact{p.phone}, Source: source})
			return "other's code " + limits(err)
		}
		_, err := w.pins.Issue(ctx, other, pin.IssueOptions{Parts: []civicpin.Contact{p.phone}, By: civicpin.Citizen, Source: source})
		return "other's PIN " + limits(err)
	}
}

// refused is an answer about a limit. Which limit refuses a call that is made at once with others is left to chance: a call
// that the count by subject refuses counts for its source until then.
var refused = regexp.MustCompile("(sends|source)[0-9]+")

// play plays the order of a seed, and returns all answers. Calls that are made at once give their answers in any order.
func (w world) play(t *testing.T, seed uint64) (answers []string) {
	draw := rand.New(rand.NewPCG(seed, 1))
	p := &player{subject: civicpin.Subject(fmt.Sprint("S", seed)), phone: civicpin.Contact{
		Channel: civicpin.SMS, Address: fmt.Sprintf("+5939%08d", seed),
	}}
	w.register(t, p)
	source := civicpin.Source{Address: fmt.Sprint("2001:db8:0:", fmt.Sprintf("%x", seed), "::1")}
	for range 4 + draw.IntN(10) {
		kind, times, at := draw.IntN(9), 1+draw.IntN(7), source
		if draw.IntN(4) == 0 {
			at = civicpin.Source{}
		}
		if draw.IntN(5) == 0 {
			times *= 4
		}
		wait, flush, parallel := time.Duration(draw.Int64N(int64(2*time.Hour))), draw.IntN(2) == 0, draw.IntN(3) == 0
		group := make([]string, times)
		var all sync.WaitGroup
		for i := range times {
			if !parallel || kind == 2 || kind == 4 { // who loses a race there is left to chance, in both worlds
				group[i] = w.call(t, p, kind, at)
				continue
			}
			one := *p
			all.Go(func() { group[i] = refused.ReplaceAllString(w.call(t, &one, kind, at), "refused") })
		}
		all.Wait()
		if parallel && kind == 1 {
			p.code = "" // it may be among those that were cancelled, or not
		}
		slices.Sort(group)
		answers = append(answers, strings.Join(group, ", "))
		if flush {
			require.NoError(t, w.out.Flush(t.Context()))
		}
		if draw.IntN(3) == 0 {
			w.clock.Add(wait)
		}
	}
	require.NoError(t, w.out.Flush(t.Context()))
	w.clock.Add(48 * time.Hour) // the country's telephones are for all orders
	return answers
}

// In random orders of anonymous calls over all services, parallel ones among them, no limit on messages gives a registered
// subject another answer than an unknown one. Both worlds refuse, or the test shows nothing. CIVICPIN_FULL=1 plays ten
// thousand.
func TestOrdersTellNothing(t *testing.T) {
	orders := uint64(500)
	switch {
	case os.Getenv("CIVICPIN_FULL") != "":
		orders = 10_000 // about five minutes
	case testing.Short():
		orders = 60
	}
	known, unknown := newWorld(t, true), newWorld(t, false)
	scopes := make(map[lockout.Scope]int)
	for seed := range orders {
		answers := known.play(t, seed)
		require.Equal(t, unknown.play(t, seed), answers, "order %d", seed)
		for _, scope := range []lockout.Scope{lockout.ScopeSends, lockout.ScopeSource} {
			scopes[scope] += strings.Count(strings.Join(answers, " "), string(scope))
		}
		if seed%100 == 99 {
			known.purge(t)
			unknown.purge(t)
		}
	}
	require.Greater(t, scopes[lockout.ScopeSends], int(orders))
	require.Greater(t, scopes[lockout.ScopeSource], int(orders)/20)
}

// backlog returns what waits in the outbox.
func (p *portal) backlog(t *testing.T) (b outbox.Backlog) {
	t.Helper()
	_, err := p.out.Count(t.Context(), &b, store.Pass{})
	require.NoError(t, err)
	return b
}

func (p *portal) purge(t *testing.T) {
	t.Helper()
	_, err := p.out.Vault().Purge(t.Context(), store.Pass{})
	require.NoError(t, err)
}

// Forty subjects with one telephone get no more than its rates through all services together, day after day.
func TestFortySubjectsOneTelephone(t *testing.T) {
	phone := civicpin.Contact{Channel: civicpin.SMS, Address: anaPhone}
	w := newWorld(t, true)
	var family []*player
	for i := range 40 {
		family = append(family, &player{subject: civicpin.Subject(fmt.Sprint("F", i)), phone: phone})
		w.register(t, family[i])
	}
	w.clock.Add(48 * time.Hour)
	require.NoError(t, w.out.Flush(t.Context()))
	before, start := len(w.mail.Messages()), w.clock.Now()
	const days = 3
	for w.clock.Now().Sub(start) < days*24*time.Hour {
		for _, p := range family {
			for kind := range 6 {
				w.call(t, p, kind, civicpin.Source{})
			}
		}
		require.NoError(t, w.out.Flush(t.Context()))
		w.clock.Add(time.Hour)
	}
	most := (3 + 40) * (days + 1) // a rate's window is full at first
	got := len(w.mail.Messages()) - before
	require.LessOrEqual(t, got, most)
	require.Greater(t, got, most*3/4, "what is allowed is sent")
}

// While ten thousand messages wait that visitors asked for, the notice of a change arrives within a minute.
func TestANoticeArrivesWithinAMinute(t *testing.T) {
	if testing.Short() {
		t.Skip("some seconds")
	}
	synctest.Test(t, func(t *testing.T) {
		policy := pin.Default()
		policy.Valid[civicpin.SMS] = 24 * time.Hour // so that they wait, and are not given up
		p := newPortalAt(t, nil, policy)
		phone := civicpin.Contact{Channel: civicpin.SMS, Address: anaPhone}
		require.NoError(t, p.contacts.Adopt(t.Context(), ana, []civicpin.Contact{phone}, agency.ID, home))
		for i := range 10_000 {
			to := phone
			if i%10 > 0 {
				to.Address = fmt.Sprintf("+5939%08d", i)
			}
			require.NoError(t, p.issue(t, civicpin.Subject(fmt.Sprint("MADE UP ", i)), to))
		}
		done := make(chan error, 1)
		go func() { done <- p.out.Run(t.Context()) }()
		time.Sleep(time.Minute)
		b := p.backlog(t)
		require.Greater(t, b.Due+b.Held+b.Later, 6000)
		_, err := p.contacts.Notify(t.Context(), ana, "pin.changed", nil)
		require.NoError(t, err)
		time.Sleep(time.Minute)
		require.Len(t, p.mail.To(anaPhone, "pin.changed"), 1)
	})
}

// Strangers who ask without end do not keep the owner from a code, if the owner has logged in, uses a known device or has
// staff ask; and the owner's code is not cancelled by theirs.
func TestTheOwnerHasReserves(t *testing.T) {
	p := newPortal(t)
	phone := civicpin.Contact{Channel: civicpin.SMS, Address: anaPhone}
	_, err := p.pins.Issue(t.Context(), ana, pin.IssueOptions{Parts: []civicpin.Contact{phone}, By: agency.ID})
	require.NoError(t, err)
	require.NoError(t, p.out.Flush(t.Context()))
	part := p.mail.Last(anaPhone, pin.PartMessage).Secret
	require.NoError(t, testkit.Err(p.pins.Exchange(t.Context(), pin.Attempt{Subject: ana, Secret: part}, civicpin.NewSecret("mare-calmo-47-blu"))))
	ok, err := p.pins.Verify(t.Context(), pin.Attempt{Subject: ana, Secret: civicpin.NewSecret("mare-calmo-47-blu")})
	require.NoError(t, err)
	device, err := p.pins.RememberDevice(t.Context(), ok)
	require.NoError(t, err)

	ask := func(shown civicpin.Secret) (string, error) {
		req, err := p.codes.Request(t.Context(), ana, otp.Purpose{Act: "login"}, otp.RequestOptions{
			To: []civicpin.Contact{phone}, Source: civicpin.Source{Shown: shown},
		})
		return req.ID, err
	}
	mine, err := ask(ok.Shown)
	require.NoError(t, err)
	for err == nil {
		_, err = ask(civicpin.Secret{})
	}
	require.Contains(t, limits(err), "sends")
	pending, err := p.codes.Pending(t.Context(), ana)
	require.NoError(t, err)
	require.True(t, slices.ContainsFunc(pending, func(c otp.PendingCode) bool { return c.ID == mine }), "three strangers' requests later")

	known, err := p.pins.Shown(t.Context(), ana, civicpin.Source{Device: device})
	require.NoError(t, err)
	for name, shown := range map[string]civicpin.Secret{"login": ok.Shown, "device": known} {
		_, err := ask(shown)
		require.NoError(t, err, name)
	}
	none, err := p.pins.Shown(t.Context(), stranger, civicpin.Source{Device: device})
	require.NoError(t, err)
	require.True(t, none.IsZero(), "another subject's device")
	require.NoError(t, p.pins.Revoke(t.Context(), ana, state.Ended, "telephone stolen", agency.ID))
	none, err = p.pins.Shown(t.Context(), ana, civicpin.Source{Device: device})
	require.NoError(t, err)
	require.True(t, none.IsZero(), "a forgotten device")

	// Beginnings of recoveries, too.
	err = nil
	for err == nil {
		_, err = p.rec.Start(t.Context(), "sms", ana, civicpin.Source{})
	}
	require.Contains(t, limits(err), "sends")
	_, err = p.rec.Start(t.Context(), "sms", ana, civicpin.Source{Shown: ok.Shown})
	require.NoError(t, err)
}

// Strangers' misses lock the answers for all callers but those who have shown a login or a device. Their guesses look the same
// for a subject of whom nothing is known.
func TestAnswersOfCallersWhoHaveShownSomething(t *testing.T) {
	k := newKit(t)
	for i := range k.config.Plans {
		k.config.Plans[i].Limit.Reserve = 9
	}
	rec, err := recovery.New(k.out, k.config)
	require.NoError(t, err)
	guess := func(subject civicpin.Subject, right bool, shows civicpin.Secret) (calls int, err error) {
		run, err := rec.Start(t.Context(), "clave", subject, home)
		require.NoError(t, err)
		ticket := run.Ticket
		run, err = rec.Answer(t.Context(), ticket, recovery.Answers{Captcha: true})
		require.NoError(t, err)
		a := k.known(run, right)
		a.Source.Shown = shows
		k.faults.Reset()
		_, err = rec.Answer(t.Context(), ticket, a)
		return k.faults.Calls(), err
	}
	seen := make(map[civicpin.Subject][]int)
	for _, subject := range []civicpin.Subject{ana, stranger} {
		for range 3 {
			require.Error(t, testkit.Err(guess(subject, false, civicpin.Secret{})))
		}
		for name, shows := range map[string]civicpin.Secret{
			"nothing": {}, "made up": civicpin.NewSecret("login.1.x.y"),
			"another's": shown.New(k.vault, luis, shown.Value{Kind: shown.Login}),
		} {
			require.NotNil(t, lockOf(testkit.Err(guess(subject, true, shows))), name)
		}
		for _, proof := range []shown.Kind{shown.Device, shown.Login} {
			calls, err := guess(subject, false, shown.New(k.vault, subject, shown.Value{Kind: proof}))
			require.ErrorIs(t, err, recovery.ErrRefused)
			seen[subject] = append(seen[subject], calls)
			err = testkit.Err(guess(subject, true, shown.New(k.vault, subject, shown.Value{Kind: proof})))
			require.Equal(t, subject == ana, err == nil, "%s: %v", proof, err)
		}
	}
	require.Equal(t, seen[ana], seen[stranger])
}

// The address that a logged-in citizen adds is charged to the login's reserve.
func TestAddingIsLimitedByLogin(t *testing.T) {
	p := newPortal(t)
	add := func(i int, source civicpin.Source) error {
		to := civicpin.Contact{Channel: civicpin.Email, Address: fmt.Sprintf("a%d@correo.example", i%2)}
		_, err := p.contacts.Add(t.Context(), ana, to, civicpin.Citizen, source)
		return err
	}
	for i := range 10 {
		require.NoError(t, add(i, civicpin.Source{}))
	}
	require.Contains(t, limits(add(10, civicpin.Source{})), "sends")
	require.NotErrorIs(t, add(11, civicpin.Source{}), contact.ErrUnsuitable)
}

// A walk is a whole plan, as somebody goes through it to the end. It stops at the first error.
type walk struct {
	name    string
	subject civicpin.Subject
	// through ends with secret as the subject's own; of an unlock with the one that they had.
	through func(ctx context.Context, k *kit, secret string) error
	// before brings about what the plan is for.
	before func(t testing.TB, k *kit)
}

// facts are Ana's answers to all that is asked at once.
func (k *kit) known(run recovery.Run, right bool) recovery.Answers {
	a := recovery.Answers{Source: home}
	if len(run.Next.Facts) > 0 {
		a.Facts = map[string]string{"birth-day": "14", "birth-month": "3"}
		if !right {
			a.Facts["birth-day"] = "15"
		}
	}
	if len(run.Next.Images) > 0 {
		a.Image = anaImage
	}
	if len(run.Next.Questions) > 0 {
		a.Questions = answered(run.Next.Questions, right)
	}
	return a
}

// errNoMail says that a message that was promised did not come.
var errNoMail = errors.New("no mail")

// mailed has the outbox sent and returns the last message of a kind to an address that came after the first so many of all. The
// outbox sends only so many messages to one address at a time, and so may have to wait a little.
func (k *kit) mailed(ctx context.Context, after int, address string, kind civicpin.MessageKind) (civicpin.Message, error) {
	for range 40 {
		if err := k.out.Flush(ctx); err != nil {
			return civicpin.Message{}, err
		}
		for _, m := range slices.Backward(k.mail.Messages()[after:]) {
			if m.To.Address == address && m.Kind == kind {
				return m, nil
			}
		}
		k.clock.Add(15 * time.Second)
	}
	return civicpin.Message{}, fmt.Errorf("%w: %s to %s", errNoMail, kind, address)
}

// types types the codes of a kind of message as they come, each once: one of an earlier run may come late, and is refused.
func (k *kit) types(ctx context.Context, after int, ticket civicpin.Secret, address string, kind civicpin.MessageKind) error {
	for i := after; ; i++ {
		if _, err := k.mailed(ctx, i, address, kind); err != nil {
			return err
		}
		for m := k.mail.Messages()[i]; m.To.Address != address || m.Kind != kind; m = k.mail.Messages()[i] {
			i++
		}
		_, err := k.Answer(ctx, ticket, recovery.Answers{Code: k.mail.Messages()[i].Secret})
		if !errors.Is(err, recovery.ErrRefused) {
			return err
		}
	}
}

// sofar is how many messages there are.
func (k *kit) sofar() int { return len(k.mail.Messages()) }

// exchange reads both halves and exchanges them.
func (k *kit) exchange(ctx context.Context, after int, one, two, secret string) error {
	first, err := k.mailed(ctx, after, one, pin.PartMessage)
	if err != nil {
		return err
	}
	second, err := k.mailed(ctx, after, two, pin.PartMessage)
	if err != nil {
		return err
	}
	typed := civicpin.NewSecret(first.Secret.Reveal() + second.Secret.Reveal())
	return testkit.Err(k.pins.Exchange(ctx, pin.Attempt{Subject: ana, Secret: typed, Source: home}, civicpin.NewSecret(secret)))
}

// A stroll is a walk under way. After its first error, its steps do nothing.
type stroll struct {
	*kit
	ctx    context.Context
	before int             // messages, when it began
	run    recovery.Run    // the latest
	ticket civicpin.Secret // with which it goes on
	err    error
}

// start begins a plan from home.
func (k *kit) start(ctx context.Context, plan string, subject civicpin.Subject) *stroll {
	w := &stroll{kit: k, ctx: ctx, before: k.sofar()}
	w.run, w.err = k.Start(ctx, plan, subject, home)
	w.ticket = w.run.Ticket
	return w
}

// startBy begins a plan at an operator's.
func (k *kit) startBy(ctx context.Context, plan string, by recovery.Operator) *stroll {
	w := &stroll{kit: k, ctx: ctx, before: k.sofar()}
	w.run, w.err = k.StartBy(ctx, plan, ana, by)
	return w
}

// do takes a step.
func (w *stroll) do(step func() error) {
	if w.err == nil {
		w.err = step()
	}
}

// answer gives answers, one after the other.
func (w *stroll) answer(all ...recovery.Answers) {
	for _, a := range all {
		w.do(func() (err error) {
			w.run, err = w.Answer(w.ctx, w.ticket, a)
			return err
		})
	}
}

// read waits for a message, and returns its link.
func (w *stroll) read(address string, kind civicpin.MessageKind) (link civicpin.Secret) {
	w.do(func() error {
		m, err := w.mailed(w.ctx, w.before, address, kind)
		link = m.Link
		return err
	})
	return link
}

// redeem goes on with the ticket of a link.
func (w *stroll) redeem(link civicpin.Secret) {
	w.do(func() error {
		used, err := w.Redeem(w.ctx, link, home)
		w.ticket = used.Ticket
		return err
	})
}

// typeCode types the code of a message.
func (w *stroll) typeCode(address string, kind civicpin.MessageKind) {
	w.do(func() error { return w.types(w.ctx, w.before, w.ticket, address, kind) })
}

// decide has an operator approve.
func (w *stroll) decide(by recovery.Operator, v recovery.Verdict) {
	v.Approve = true
	w.do(func() error { return testkit.Err(w.Decide(w.ctx, w.run.ID, by, v)) })
}

// finish ends the plan with a ticket or link.
func (w *stroll) finish(with civicpin.Secret) (grant pin.Grant) {
	w.do(func() (err error) {
		grant, err = w.Finish(w.ctx, with, home)
		return err
	})
	return grant
}

// choose ends the plan with a ticket or link, and sets the secret.
func (w *stroll) choose(with civicpin.Secret, secret string) error {
	grant := w.finish(with)
	w.do(func() error { return w.set(w.ctx, grant, secret) })
	return w.err
}

// rest has the notices of a rest sent, and lets it pass.
func (k *kit) rest(ctx context.Context) error {
	for range 4 { // the outbox may have to wait a little
		if err := k.out.Flush(ctx); err != nil {
			return err
		}
		k.clock.Add(15 * time.Second)
	}
	k.clock.Add(rested)
	return nil
}

func walkClave(ctx context.Context, k *kit, secret string) error {
	w := k.start(ctx, "clave", ana)
	w.answer(recovery.Answers{Captcha: true, Source: home})
	w.answer(k.known(w.run, true), recovery.Answers{Confirm: true})
	link := w.read(anaMail, "recovery.link")
	w.do(func() error { return testkit.Err(k.Inspect(ctx, link)) })
	return w.choose(link, secret)
}

// walkCorrected is walkClave with the mailbox gone.
func walkCorrected(ctx context.Context, k *kit, secret string) error {
	w := k.start(ctx, "clave", ana)
	w.answer(recovery.Answers{Captcha: true, Source: home})
	to := civicpin.Contact{Channel: civicpin.Email, Address: anaNewMail}
	w.answer(k.known(w.run, true), recovery.Answers{Correct: to})
	w.do(func() error { return k.rest(ctx) })
	w.do(func() error { return testkit.Err(k.Send(ctx, w.ticket, home)) })
	return w.choose(w.read(anaNewMail, "recovery.link"), secret)
}

const luisMail = "luis@correo.example"

func walkFirst(ctx context.Context, k *kit, secret string) error {
	w := k.start(ctx, "first", luis)
	w.answer(
		recovery.Answers{Captcha: true},
		recovery.Answers{Facts: map[string]string{"birth-day": "1", "birth-month": "12"}},
		recovery.Answers{Correct: civicpin.Contact{Channel: civicpin.Email, Address: luisMail}},
	)
	w.redeem(w.read(luisMail, "recovery.activate"))
	w.answer(
		recovery.Answers{EnrolImage: "gato", EnrolQuestions: secrets(map[string]string{
			"mascota": "Rocinante", "plato": "encebollado", "calle": "Diez de Agosto", "ciudad": "Loja",
		})},
		recovery.Answers{Terms: "2026"},
	)
	return w.choose(w.ticket, secret)
}

func walkUnlock(ctx context.Context, k *kit, _ string) error {
	w := k.start(ctx, "unlock", ana)
	w.answer(recovery.Answers{Captcha: true})
	w.finish(w.read(anaMail, "recovery.unlock"))
	return w.err
}

func walkVideo(ctx context.Context, k *kit, _ string) error {
	w := k.startBy(ctx, "video", video)
	var v recovery.Verdict
	w.do(func() error {
		c, err := k.ShowCase(ctx, w.run.ID, video)
		v.Questions = answered(c.Questions, true)
		return err
	})
	w.decide(video, v)
	return w.err
}

func walkDesk(ctx context.Context, k *kit, secret string) error {
	w := k.start(ctx, "desk", ana)
	id := w.run.ID
	w.answer(recovery.Answers{Captcha: true}, recovery.Answers{Documents: map[string]string{"front": "a", "back": "b", "face": "c"}})
	w.run.ID = id
	for _, by := range []recovery.Operator{agency, other} {
		w.decide(by, recovery.Verdict{Reason: "the face is that on the card"})
	}
	return w.choose(w.read(anaMail, "recovery.link"), secret)
}

func walkParts(ctx context.Context, k *kit, secret string) error {
	w := k.start(ctx, "parts", ana)
	named := []civicpin.Contact{{Channel: civicpin.CertifiedEmail, Address: anaPEC}, {Channel: civicpin.SMS, Address: anaPhone}}
	w.answer(recovery.Answers{Contacts: named, Source: home})
	w.typeCode(anaPEC, "recovery.link") // instead of the link
	grant := w.finish(w.ticket)
	w.do(func() error { return testkit.Err(k.pins.Reissue(ctx, grant, home)) })
	w.do(func() error { return k.exchange(ctx, w.before, anaPhone, anaPEC, secret) })
	return w.err
}

func walkTwo(ctx context.Context, k *kit, secret string) error {
	w := k.start(ctx, "two", ana)
	w.answer(recovery.Answers{Captcha: true})
	w.redeem(w.read(anaMail, "recovery.link"))
	w.typeCode(anaPhone, "recovery.code")
	w.do(func() error { return k.rest(ctx) })
	return w.choose(w.ticket, secret)
}

func walkOffice(ctx context.Context, k *kit, secret string) error {
	w := k.startBy(ctx, "office", agency)
	w.decide(agency, recovery.Verdict{Reason: "cédula"})
	w.do(func() error { return k.exchange(ctx, w.before, anaMail, anaPhone, secret) })
	return w.err
}

func walkFactor(ctx context.Context, k *kit, _ string) error {
	w := k.start(ctx, "factor", ana)
	w.answer(recovery.Answers{Factor: civicpin.NewSecret("123456"), Source: home})
	w.typeCode(anaPhone, "recovery.code")
	w.finish(w.ticket)
	return w.err
}

func nothing(testing.TB, *kit) {}

func locked(t testing.TB, k *kit) { k.lock(t) }

// walks are all plans, with who goes through them. Those with locked end in an unlock.
var walks = []walk{
	{"clave", ana, walkClave, nothing},
	{"clave, locked", ana, walkClave, locked},
	{"clave, contact corrected", ana, walkCorrected, nothing},
	{"first", luis, walkFirst, nothing},
	{"unlock", ana, walkUnlock, locked},
	{"video", ana, walkVideo, locked},
	{"desk", ana, walkDesk, nothing},
	{"parts", ana, walkParts, nothing},
	{"two", ana, walkTwo, nothing},
	{"office", ana, walkOffice, nothing},
	{"factor", ana, walkFactor, locked},
}

// unlocks reports whether a walk ends with the secret that there was.
func (w walk) unlocks() bool { return w.name == "unlock" || w.name == "video" || w.name == "factor" }
