package recovery

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strconv"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/code"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/store"
)

const (
	// maxLinks is how many tokens of one run may be outstanding, so that slow mail does not kill the older link.
	maxLinks = 3
	// maxSends bounds the messages of one run beyond the send limits.
	maxSends = 10
)

// advance brings a run behind the steps that were answered, with what act changes, in one conditional write. Where the run
// then rests, the same write says until when, and whom that is told to.
func (s *Service) advance(ctx context.Context, e store.Entry[run], w *way, id string, to int, act func(*run, time.Time) error) (store.Entry[run], error) {
	// What the write will say is worked out on a copy first, since messages are announced before it.
	now := s.vault.Now()
	ahead := e.Value
	if err := act(&ahead, now); err != nil {
		return e, err
	}
	rests, behind := w.resting(to)
	until := ahead.Rests
	if rests > 0 {
		until = later(until, now).Add(rests)
	}
	var told notices
	if !until.IsZero() {
		b, err := s.book(ctx, e.Value.Subject)
		if err != nil {
			return e, err
		}
		told = s.notices(&e.Value, b, id, waitingMail, until)
	}
	refs := s.refs(e.Value.Subject, id, told.mails)
	if err := s.out.Add(ctx, refs...); err != nil {
		return e, err
	}
	e, err := s.change(ctx, e, e.Value.Step, func(r *run, now time.Time) error {
		if err := act(r, now); err != nil {
			return err
		}
		r.Step, r.Links, r.Approved, r.Rests = behind, nil, nil, until
		r.tell(told)
		return nil
	})
	if err != nil {
		return e, err
	}
	return e, s.out.Commit(ctx, refs...)
}

// later returns the later of two times.
func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// resting returns for how long the plan wants a run to rest that has come to step i, and the step behind that.
func (w *way) resting(i int) (rests time.Duration, behind int) {
	for i < len(w.Steps) {
		wait, ok := w.Steps[i].(Wait)
		if !ok {
			break
		}
		rests += wait.For
		i++
	}
	return rests, i
}

// arrive does what the step at which a run has arrived does by itself.
func (s *Service) arrive(ctx context.Context, e store.Entry[run], w *way, source civicpin.Source) (store.Entry[run], error) {
	r := &e.Value
	if r.State != runOpen || !r.Rests.IsZero() || r.Step >= len(w.Steps) {
		return e, nil
	}
	if _, _, _, _, ok := sent(w.Steps[r.Step]); ok {
		return s.deliver(ctx, e, w, source)
	}
	return e, nil
}

// Send sends the link or code of the present step, again or for the first time: for the page "I did not receive it", and after a
// run has rested. The earlier ones stay good, at most three. Of a run that leads nowhere the answer is the same after the same
// work, and nothing is sent. Eleven store calls, thirteen with a source's address.
//
// Errors: [ErrStep] if nothing is to be sent; [ErrWaiting]; a *[lockout.LockedError] if the limits of messages are reached, which go
// alike for everybody; [ErrExpired]; [ErrGone]; the store's.
func (s *Service) Send(ctx context.Context, ticket civicpin.Secret, source civicpin.Source) (Run, error) {
	e, w, t, err := s.enter(ctx, ticket)
	if err != nil {
		return Run{}, err
	}
	if rests := e.Value.Rests; !rests.IsZero() {
		if s.vault.Now().Before(rests) {
			return s.view(t.selector, &e.Value), ErrWaiting
		}
		e, err = s.change(ctx, e, e.Value.Step, func(r *run, _ time.Time) error {
			r.Rests = time.Time{}
			return nil
		})
		if err != nil {
			return Run{}, err
		}
		e, err = s.arrive(ctx, e, w, source)
		return s.view(t.selector, &e.Value), err
	}
	if e.Value.Step >= len(w.Steps) {
		return s.view(t.selector, &e.Value), ErrStep
	}
	if _, _, _, _, ok := sent(w.Steps[e.Value.Step]); !ok {
		return s.view(t.selector, &e.Value), ErrStep
	}
	e, err = s.deliver(ctx, e, w, source)
	return s.view(t.selector, &e.Value), err
}

// deliver makes a token, and a code, for the present step and has them sent.
func (s *Service) deliver(ctx context.Context, e store.Entry[run], w *way, source civicpin.Source) (store.Entry[run], error) {
	r := &e.Value
	channels, valid, isLink, n, _ := sent(w.Steps[r.Step])
	b, err := s.book(ctx, r.Subject)
	if err != nil {
		return e, err
	}
	if r.Sends >= maxSends {
		return e, &lockout.LockedError{Scope: lockout.ScopeSends, Until: r.Expires}
	}
	id, step := e.Key.ID, r.Step
	to, real := s.destination(r, b, channels)
	if err := s.sends.Take(ctx, r.Subject, source, to); err != nil {
		return e, err
	}
	m := mail{Kind: w.message(isLink), To: stored(to), Link: r.Sends + 1, State: mailPending, Expires: s.vault.Now().Add(valid)}
	l := link{N: m.Link, To: m.To, Expires: m.Expires}
	if isLink {
		t := newToken(linkToken, id, l.N)
		l.Hash, m.Token = t.hash(), t.text().Reveal()
	}
	if n > 0 {
		m.Code = code.Unambiguous.New(n)
		l.Tag = s.tag(r, id, &l, m.Code)
	}
	var random [2][sha256.Size]byte // drawn for everybody
	_, _ = rand.Read(random[0][:])  // never fails
	_, _ = rand.Read(random[1][:])
	if !real { // nobody is sent this, and nothing may come to it; it is as long as what somebody is sent
		copy(l.Hash, random[0][:])
		copy(l.Tag, random[1][:])
		m.State = mailNone
	}
	m.Name = "s" + strconv.Itoa(m.Link)
	ref := s.ref(r.Subject, id, m.Name)
	add := s.out.Add
	if !real {
		add = s.out.AddDecoy
	}
	if err := add(ctx, ref); err != nil {
		return e, err
	}
	e, err = s.change(ctx, e, step, func(r *run, _ time.Time) error {
		if m.Link != r.Sends+1 || !r.Rests.IsZero() {
			return ErrBusy // somebody asks for another one at this moment
		}
		r.Mail = append(r.Mail, m)
		r.Sends++
		r.Links = append(r.Links, l)
		r.Links = r.Links[max(0, len(r.Links)-maxLinks):]
		return nil
	})
	if err != nil {
		return e, err
	}
	if err := s.out.Commit(ctx, ref); err != nil {
		return e, err
	}
	reason := string(to.Channel)
	if !real {
		reason = "nobody"
	}
	s.record(ctx, eventSent, id, &e.Value, civicpin.Citizen, source, reason)
	return e, nil
}

// message is the kind of a plan's message with a token or code.
func (w *way) message(isLink bool) civicpin.MessageKind {
	switch {
	case !isLink:
		return codeMail
	case w.Begin:
		return activateMail
	case w.Outcome == Unlocked:
		return unlockMail
	}
	return linkMail
}

// destination returns where the message of a step goes, and whether there is anybody. If not, it returns an address made up, as
// stable as a real one, for the limits to be counted against.
func (s *Service) destination(r *run, b *book, channels []civicpin.Channel) (civicpin.Contact, bool) {
	// What is not needed takes time, too.
	decoy := s.nobody(r.Subject, s.anyOf(r.Subject, channels))
	if len(b.Contacts) == 0 {
		b = &s.alike.contacts
	}
	own, usable := b.on(channels, s.vault.Now())
	for _, channel := range channels {
		if r.Correct != nil && r.Correct.Channel == channel {
			return civicpin.Contact{Channel: channel, Address: r.Correct.Address, Locale: r.Correct.Locale}, r.Known
		}
	}
	if r.Known {
		for _, channel := range channels {
			for _, c := range r.Named {
				if c.Channel == channel {
					return c.contact(), true
				}
			}
		}
		if usable && b != &s.alike.contacts {
			return own.Contact, true
		}
	}
	return decoy, false
}

// anyOf returns the channel on which a message to nobody is said to have been sent: made up, and the same each time. Were it always
// the first, a message on another one would tell that there is somebody.
func (s *Service) anyOf(subject civicpin.Subject, channels []civicpin.Channel) civicpin.Channel {
	h := s.vault.Hash("recovery.contact.channel", string(subject))
	return channels[binary.BigEndian.Uint64(h[:])%uint64(len(channels))]
}

// tag is a keyed hash of all that has to be right about a typed code: the subject, the run, the message, where it went, and the
// code. It lives for a day at most, under the record's seal; see otp.Codes.
func (s *Service) tag(r *run, id string, l *link, text string) []byte {
	h := s.vault.Hash("recovery.code", r.Plan, string(r.Subject), id, strconv.Itoa(l.N), string(l.To.Channel), l.To.Address, text)
	return h[:]
}

// tell puts notices into a run, with the tokens that they carry.
func (r *run) tell(n notices) {
	r.Mail = slices.Concat(r.Mail, n.mails)
	r.Disown = slices.Concat(r.Disown, n.tokens)
}
