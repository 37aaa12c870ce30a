package recovery_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery"
)

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
	w.do(func() error { return k.out.Flush(ctx) })
	w.do(func() error {
		k.clock.Add(24 * time.Hour)
		return testkit.Err(k.Send(ctx, w.ticket, home))
	})
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
	w.do(func() error {
		k.clock.Add(time.Hour)
		return nil
	})
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
