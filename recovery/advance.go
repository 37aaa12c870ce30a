package recovery

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/internal/code"
	"github.com/civicpin/civicpin/internal/letter"
	"github.com/civicpin/civicpin/internal/token"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/recovery/plan"
	"github.com/civicpin/civicpin/store"
)

const (
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
		until = slices.MaxFunc([]time.Time{until, now}, time.Time.Compare).Add(rests)
	}
	var told notices
	if !until.IsZero() {
		b, err := s.config.Contacts.Snapshot(ctx, e.Value.Subject)
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

// resting returns for how long the plan wants a run to rest that has come to step i, and the step behind that.
func (w *way) resting(i int) (rests time.Duration, behind int) {
	for i < len(w.Steps) {
		wait, ok := w.Steps[i].(plan.Wait)
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
	if _, ok := plan.SentBy(w.Steps[r.Step]); ok {
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
			return s.view(t.Selector, &e.Value), ErrWaiting
		}
		e, err = s.change(ctx, e, e.Value.Step, func(r *run, _ time.Time) error {
			r.Rests = time.Time{}
			return nil
		})
		if err != nil {
			return Run{}, err
		}
		e, err = s.arrive(ctx, e, w, source)
		return s.view(t.Selector, &e.Value), err
	}
	if e.Value.Step >= len(w.Steps) {
		return s.view(t.Selector, &e.Value), ErrStep
	}
	if _, ok := plan.SentBy(w.Steps[e.Value.Step]); !ok {
		return s.view(t.Selector, &e.Value), ErrStep
	}
	e, err = s.deliver(ctx, e, w, source)
	return s.view(t.Selector, &e.Value), err
}

// deliver makes a token, and a code, for the present step and has them sent.
func (s *Service) deliver(ctx context.Context, e store.Entry[run], w *way, source civicpin.Source) (store.Entry[run], error) {
	r := &e.Value
	d, _ := plan.SentBy(w.Steps[r.Step])
	b, err := s.config.Contacts.Snapshot(ctx, r.Subject)
	if err != nil {
		return e, err
	}
	if r.Sends >= maxSends {
		return e, &lockout.LockedError{Scope: lockout.ScopeSends, Until: r.Expires}
	}
	id, step := e.Key.ID, r.Step
	to, real := s.destination(r, b, d.Channels)
	if err := s.sends.Take(ctx, r.Subject, source, to); err != nil {
		return e, err
	}
	m := letter.Mail{Kind: w.message(d.Link), To: letter.Stored(to), Link: r.Sends + 1, State: letter.Pending, Expires: s.vault.Now().Add(d.Valid)}
	l := token.Link{N: m.Link, To: m.To, Expires: m.Expires}
	t := token.New(token.Redeem, id, l.N)
	if d.Link {
		l.Hash, m.Token = t.Hash(), t.Text().Reveal()
	}
	if d.Code > 0 {
		m.Code = code.Unambiguous.New(d.Code)
		l.Tag = s.tag(r, id, &l, m.Code)
	}
	if !real { // nobody has these, and nothing may come to them
		l.Hash, l.Tag, m.Token, m.Code = token.New(token.Redeem, id, l.N).Hash(), nil, "", ""
		if d.Code > 0 {
			l.Tag = s.tag(r, id, &l, code.Unambiguous.New(32))
		}
		m.State = letter.None
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
		r.Links = token.Push(r.Links, l)
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
	case w.Outcome == plan.Unlocked:
		return unlockMail
	}
	return linkMail
}

// destination returns where the message of a step goes, and whether there is anybody. If not, it returns an address made up, as
// stable as a real one, for the limits to be counted against.
func (s *Service) destination(r *run, b *contact.Snapshot, channels []civicpin.Channel) (civicpin.Contact, bool) {
	for _, channel := range channels {
		if r.Correct != nil && r.Correct.Channel == channel {
			return letter.Contact(*r.Correct).Contact(), r.Known
		}
	}
	if r.Known {
		for _, channel := range channels {
			for _, c := range r.Named {
				if c.Channel == channel {
					return c.Contact(), true
				}
			}
		}
		if c, ok := b.On(channels...); ok {
			return c, true
		}
	}
	return s.config.Contacts.Decoy(r.Subject, channels...), false
}

// tag is a keyed hash of all that has to be right about a typed code: the subject, the run, the message, where it went, and the
// code. It lives for a day at most, under the record's seal; see otp.Codes.
func (s *Service) tag(r *run, id string, l *token.Link, text string) []byte {
	h := s.vault.Hash("recovery.code", r.Plan, string(r.Subject), id, strconv.Itoa(l.N), string(l.To.Channel), l.To.Address, text)
	return h[:]
}

// tell puts notices into a run, with the tokens that they carry.
func (r *run) tell(n notices) {
	r.Mail = slices.Concat(r.Mail, n.mails)
	r.Disown = slices.Concat(r.Disown, n.tokens)
}
