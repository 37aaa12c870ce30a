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

func walkClave(ctx context.Context, k *kit, secret string) error {
	after := k.sofar()
	run, err := k.Start(ctx, "clave", ana, home)
	if err != nil {
		return err
	}
	ticket := run.Ticket
	if run, err = k.Answer(ctx, ticket, recovery.Answers{Captcha: true, Source: home}); err != nil {
		return err
	}
	if run, err = k.Answer(ctx, ticket, k.known(run, true)); err != nil {
		return err
	}
	if _, err = k.Answer(ctx, ticket, recovery.Answers{Confirm: true}); err != nil {
		return err
	}
	m, err := k.mailed(ctx, after, anaMail, "recovery.link")
	if err != nil {
		return err
	}
	if _, err := k.Inspect(ctx, m.Link); err != nil {
		return err
	}
	grant, err := k.Finish(ctx, m.Link, home)
	if err != nil {
		return err
	}
	return testkit.Err(k.pins.Set(ctx, grant, civicpin.NewSecret(secret)))
}

// walkCorrected is walkClave of somebody whose mailbox is gone.
func walkCorrected(ctx context.Context, k *kit, secret string) error {
	after := k.sofar()
	run, err := k.Start(ctx, "clave", ana, home)
	if err != nil {
		return err
	}
	ticket := run.Ticket
	if run, err = k.Answer(ctx, ticket, recovery.Answers{Captcha: true, Source: home}); err != nil {
		return err
	}
	if run, err = k.Answer(ctx, ticket, k.known(run, true)); err != nil {
		return err
	}
	to := civicpin.Contact{Channel: civicpin.Email, Address: anaNewMail}
	if run, err = k.Answer(ctx, ticket, recovery.Answers{Correct: to}); err != nil {
		return err
	}
	if err := k.out.Flush(ctx); err != nil {
		return err
	}
	k.clock.Add(24 * time.Hour)
	if _, err := k.Send(ctx, ticket, home); err != nil {
		return err
	}
	m, err := k.mailed(ctx, after, anaNewMail, "recovery.link")
	if err != nil {
		return err
	}
	grant, err := k.Finish(ctx, m.Link, home)
	if err != nil {
		return err
	}
	return testkit.Err(k.pins.Set(ctx, grant, civicpin.NewSecret(secret)))
}

const luisMail = "luis@correo.example"

func walkFirst(ctx context.Context, k *kit, secret string) error {
	after := k.sofar()
	run, err := k.Start(ctx, "first", luis, home)
	if err != nil {
		return err
	}
	for _, a := range []recovery.Answers{
		{Captcha: true},
		{Facts: map[string]string{"birth-day": "1", "birth-month": "12"}},
		{Correct: civicpin.Contact{Channel: civicpin.Email, Address: luisMail}},
	} {
		if _, err := k.Answer(ctx, run.Ticket, a); err != nil {
			return err
		}
	}
	m, err := k.mailed(ctx, after, luisMail, "recovery.activate")
	if err != nil {
		return err
	}
	used, err := k.Redeem(ctx, m.Link, home)
	if err != nil {
		return err
	}
	for _, a := range []recovery.Answers{
		{EnrolImage: "gato", EnrolQuestions: secrets(map[string]string{
			"mascota": "Rocinante", "plato": "encebollado", "calle": "Diez de Agosto", "ciudad": "Loja",
		})},
		{Terms: "2026"},
	} {
		if _, err := k.Answer(ctx, used.Ticket, a); err != nil {
			return err
		}
	}
	grant, err := k.Finish(ctx, used.Ticket, home)
	if err != nil {
		return err
	}
	return testkit.Err(k.pins.Set(ctx, grant, civicpin.NewSecret(secret)))
}

func walkUnlock(ctx context.Context, k *kit, _ string) error {
	after := k.sofar()
	run, err := k.Start(ctx, "unlock", ana, home)
	if err != nil {
		return err
	}
	if _, err := k.Answer(ctx, run.Ticket, recovery.Answers{Captcha: true}); err != nil {
		return err
	}
	m, err := k.mailed(ctx, after, anaMail, "recovery.unlock")
	if err != nil {
		return err
	}
	_, err = k.Finish(ctx, m.Link, home)
	return err
}

func walkVideo(ctx context.Context, k *kit, _ string) error {
	run, err := k.StartBy(ctx, "video", ana, video)
	if err != nil {
		return err
	}
	c, err := k.ShowCase(ctx, run.ID, video)
	if err != nil {
		return err
	}
	_, err = k.Decide(ctx, run.ID, video, recovery.Verdict{Approve: true, Questions: answered(c.Questions, true)})
	return err
}

func walkDesk(ctx context.Context, k *kit, secret string) error {
	after := k.sofar()
	run, err := k.Start(ctx, "desk", ana, home)
	if err != nil {
		return err
	}
	for _, a := range []recovery.Answers{
		{Captcha: true},
		{Documents: map[string]string{"front": "a", "back": "b", "face": "c"}},
	} {
		if _, err := k.Answer(ctx, run.Ticket, a); err != nil {
			return err
		}
	}
	for _, by := range []recovery.Operator{agency, other} {
		if _, err := k.Decide(ctx, run.ID, by, recovery.Verdict{Approve: true, Reason: "the face is that on the card"}); err != nil {
			return err
		}
	}
	m, err := k.mailed(ctx, after, anaMail, "recovery.link")
	if err != nil {
		return err
	}
	grant, err := k.Finish(ctx, m.Link, home)
	if err != nil {
		return err
	}
	return testkit.Err(k.pins.Set(ctx, grant, civicpin.NewSecret(secret)))
}

func walkParts(ctx context.Context, k *kit, secret string) error {
	after := k.sofar()
	run, err := k.Start(ctx, "parts", ana, home)
	if err != nil {
		return err
	}
	named := []civicpin.Contact{{Channel: civicpin.CertifiedEmail, Address: anaPEC}, {Channel: civicpin.SMS, Address: anaPhone}}
	if _, err := k.Answer(ctx, run.Ticket, recovery.Answers{Contacts: named, Source: home}); err != nil {
		return err
	}
	// The code of the message instead of its link, with the ticket of the page on which it is typed.
	if err := k.types(ctx, after, run.Ticket, anaPEC, "recovery.link"); err != nil {
		return err
	}
	grant, err := k.Finish(ctx, run.Ticket, home)
	if err != nil {
		return err
	}
	if _, err := k.pins.Reissue(ctx, grant, home); err != nil {
		return err
	}
	return k.exchange(ctx, after, anaPhone, anaPEC, secret)
}

func walkTwo(ctx context.Context, k *kit, secret string) error {
	after := k.sofar()
	run, err := k.Start(ctx, "two", ana, home)
	if err != nil {
		return err
	}
	if _, err := k.Answer(ctx, run.Ticket, recovery.Answers{Captcha: true}); err != nil {
		return err
	}
	m, err := k.mailed(ctx, after, anaMail, "recovery.link")
	if err != nil {
		return err
	}
	used, err := k.Redeem(ctx, m.Link, home)
	if err != nil {
		return err
	}
	if err := k.types(ctx, after, used.Ticket, anaPhone, "recovery.code"); err != nil {
		return err
	}
	k.clock.Add(time.Hour)
	grant, err := k.Finish(ctx, used.Ticket, home)
	if err != nil {
		return err
	}
	return testkit.Err(k.pins.Set(ctx, grant, civicpin.NewSecret(secret)))
}

func walkOffice(ctx context.Context, k *kit, secret string) error {
	after := k.sofar()
	run, err := k.StartBy(ctx, "office", ana, agency)
	if err != nil {
		return err
	}
	if _, err := k.Decide(ctx, run.ID, agency, recovery.Verdict{Approve: true, Reason: "cédula"}); err != nil {
		return err
	}
	return k.exchange(ctx, after, anaMail, anaPhone, secret)
}

func walkFactor(ctx context.Context, k *kit, _ string) error {
	after := k.sofar()
	run, err := k.Start(ctx, "factor", ana, home)
	if err != nil {
		return err
	}
	if _, err := k.Answer(ctx, run.Ticket, recovery.Answers{Factor: civicpin.NewSecret("123456"), Source: home}); err != nil {
		return err
	}
	if err := k.types(ctx, after, run.Ticket, anaPhone, "recovery.code"); err != nil {
		return err
	}
	_, err = k.Finish(ctx, run.Ticket, home)
	return err
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
