package soak

import (
	"context"
	crand "crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/store"
)

// person is what the crowd knows of a citizen: little, so that its own memory does not grow.
type person struct {
	mu     sync.Mutex
	active bool  // has a PIN of their own
	draw   uint8 // which of the PINs that they might choose
}

var purpose = otp.Purpose{Act: "file-return"}

func subject(i int) civicpin.Subject { return civicpin.Subject(fmt.Sprintf("SUBJECT-%07d", i)) }

func mobile(i int) civicpin.Contact {
	return civicpin.Contact{Channel: civicpin.SMS, Address: fmt.Sprintf("+39333%07d", i)}
}

func email(i int) civicpin.Contact {
	return civicpin.Contact{Channel: civicpin.Email, Address: fmt.Sprintf("c%d@example.it", i)}
}

// chosen is the PIN that a citizen chooses: eight characters, the same whenever asked.
func chosen(i int, draw uint8) civicpin.Secret {
	h := sha256.Sum256(fmt.Appendf(nil, "pin %d %d", i, draw))
	return civicpin.NewSecret("7k" + strings.ToLower(base32.StdEncoding.EncodeToString(h[:]))[:6])
}

func source(i int) civicpin.Source {
	return civicpin.Source{Address: fmt.Sprintf("10.%d.%d.%d", i>>16&255, i>>8&255, i&255)}
}

// pick chooses who comes next. Half of the visits are those of a few who come often, or most would come for the first time and
// never again. Not so with codes: those few would soon have had as many as they get in a day.
func (w *crowd) pick(codes bool) int {
	if n := min(300, w.config.Subjects); !codes && rand.IntN(2) == 0 {
		return rand.IntN(n)
	}
	return rand.IntN(w.config.Subjects)
}

// act is one visit of a citizen, or of somebody who pretends to be one. Nobody is in two places at once, so what has to come of
// it is known. Who uses codes does nothing else, or would wait with all others for the hashes of passwords.
func (w *crowd) act(ctx context.Context, i int, codes bool) {
	p := &w.people[i]
	if !p.mu.TryLock() {
		return
	}
	defer p.mu.Unlock()
	switch n := rand.IntN(100); {
	case codes:
		w.code(ctx, i, n < 30)
	case n < 15:
		w.login(ctx, w.config.Subjects+i, chosen(i, 0), false, "stranger")
	case !p.active:
		w.enrol(ctx, i, p)
	case n < 35:
		w.login(ctx, i, chosen(i, p.draw+1), false, "wrong login")
	case n < 45:
		w.recover(ctx, i, p)
	default:
		w.login(ctx, i, chosen(i, p.draw), true, "login")
	}
}

// answer counts what a guess was told. It is wrong to let a wrong one in, and to refuse a right one for any other reason than a
// lock or a queue.
func (w *crowd) answer(ctx context.Context, what string, right bool, err error) {
	switch {
	case ctx.Err() != nil: // broken off at the end
	case err == nil && right:
		w.Count(what + ": in")
	case err == nil:
		w.Break("%s: a wrong secret was let in", what)
	case errors.As(err, new(*lockout.LockedError)):
		w.Count(what + ": locked")
	case errors.Is(err, lockout.ErrBusy):
		w.Count(what + ": busy")
	case errors.Is(err, lockout.ErrRefused) && !right:
		w.Count(what + ": refused")
	default:
		w.Break("%s (right: %t): %v", what, right, err)
	}
}

func (w *crowd) login(ctx context.Context, i int, secret civicpin.Secret, right bool, what string) {
	_, err := w.pins.Verify(ctx, pin.Attempt{Subject: subject(i), Secret: secret, Source: source(i)})
	w.answer(ctx, what, right, err)
}

// code asks for a code and types it, or something else.
func (w *crowd) code(ctx context.Context, i int, wrong bool) {
	req, err := w.codes.Request(ctx, subject(i), purpose, otp.RequestOptions{To: []civicpin.Contact{mobile(i)}, Source: source(i)})
	if err != nil {
		w.answer(ctx, "code asked for", true, err)
		return
	}
	pending, err := w.codes.Pending(ctx, subject(i))
	if err != nil {
		w.told("code shown", err, ctx)
		return
	}
	for _, p := range pending {
		if p.ID != req.ID {
			continue
		}
		typed, what := p.Code, "code"
		if wrong {
			typed, what = civicpin.NewSecret("x"+typed.Reveal()), "wrong code"
		}
		w.answer(ctx, what, !wrong, w.codes.Verify(ctx, subject(i), purpose, req.ID, typed, source(i)))
		return
	}
	if ctx.Err() == nil {
		w.Break("a code that was just asked for is not pending")
	}
}

// enrol has a PIN issued in two halves, waits for both, and exchanges them. Where the halves went is then where a lost PIN is
// recovered.
func (w *crowd) enrol(ctx context.Context, i int, p *person) {
	to := []civicpin.Contact{mobile(i), email(i)}
	var halves []*awaited
	for _, c := range to {
		half := w.mail.wait(c.Address, pin.PartMessage)
		defer half.forget()
		halves = append(halves, half)
	}
	_, err := w.pins.Issue(ctx, subject(i), pin.IssueOptions{Parts: to, By: civicpin.Citizen, Source: source(i)})
	if err != nil {
		w.answer(ctx, "issue", true, err)
		return
	}
	w.Count("issue: issued")
	var typed strings.Builder
	for _, half := range halves {
		text, ok := w.read(ctx, half)
		if !ok {
			return
		}
		typed.WriteString(text.Reveal())
	}
	err = p.choose(i, func(chosen civicpin.Secret) error {
		_, err := w.pins.Exchange(ctx, pin.Attempt{Subject: subject(i), Secret: civicpin.NewSecret(typed.String()), Source: source(i)}, chosen)
		return err
	})
	w.answer(ctx, "exchange", true, err)
	if err != nil {
		return
	}
	p.active = true
	w.told("contacts taken", w.contacts.Adopt(ctx, subject(i), to, civicpin.Citizen, source(i)), ctx)
}

// choose offers the citizen's choices until one is not refused as a bad one.
func (p *person) choose(i int, offer func(civicpin.Secret) error) error {
	for {
		err := offer(chosen(i, p.draw))
		if !errors.Is(err, pin.ErrUnfitSecret) {
			return err
		}
		p.draw += 2 // the next one is the wrong one of before
	}
}

// newKeys returns keys for this run only.
func newKeys() (store.Keys, error) {
	sealer, err := store.XChaCha20Poly1305(civicpin.NewSecret(random()))
	return store.Keys{Index: civicpin.NewSecret(random()), Sealing: []store.SealingKey{{ID: "soak", Sealer: sealer}}}, err
}

func random() string {
	b := make([]byte, 32)
	_, _ = crand.Read(b) // never fails
	return string(b)
}
