package recovery

import (
	"context"
	"strconv"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/internal/code"
	"github.com/civicpin/civicpin/internal/letter"
	"github.com/civicpin/civicpin/internal/recoveryrun"
	"github.com/civicpin/civicpin/internal/shown"
	"github.com/civicpin/civicpin/internal/token"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/recovery/plan"
	"github.com/civicpin/civicpin/store/outbox"
)

const maxSends = 10 // messages of one run, beyond the send limits

// Send sends the link or code of the present step, again or for the first time: for the page "I did not receive it", and after
// a run has rested. Earlier ones stay good, at most three. A run that leads nowhere sends nothing, after the same work. Errors:
//   - [ErrWrongStep]: the step sends nothing.
//   - [ErrWaiting]: the run rests.
//   - a *[lockout.LockedError]: the limits of messages are reached, alike for every subject.
//   - [ErrBusy]: answer 503. [outbox.ErrBusy] if too many messages wait.
//   - [ErrExpired], [ErrGone].
func (s *Service) Send(ctx context.Context, ticket civicpin.Secret, source civicpin.Source) (Run, error) {
	v, err := s.enter(ctx, ticket, source)
	if err != nil {
		return Run{}, err
	}
	if err = v.rouse(ctx); err == nil {
		err = v.arrive(ctx)
	}
	return v.view(), err
}

// rouse has a run be at the step that it rests before, if its window is over. A run that does not rest sends something.
func (v *visit) rouse(ctx context.Context) error {
	_, sends := v.delivery()
	rests := v.run().Rests
	switch {
	case rests.IsZero() && !sends:
		return ErrWrongStep
	case rests.IsZero():
		return nil
	case v.vault.Now().Before(rests):
		return ErrWaiting
	}
	return v.change(ctx, func(r *run, _ time.Time) error {
		r.Rests = time.Time{}
		return nil
	})
}

// delivery returns what the present step sends, and whether it sends anything.
func (v *visit) delivery() (plan.Delivery, bool) {
	if v.run().Step >= len(v.way.Steps) {
		return plan.Delivery{}, false
	}
	return plan.SentBy(v.way.Steps[v.run().Step])
}

// arrive does what the step at which a run has arrived does by itself.
func (v *visit) arrive(ctx context.Context) error {
	r := v.run()
	d, ok := v.delivery()
	if r.State != recoveryrun.Open || !r.Rests.IsZero() || !ok {
		return nil
	}
	return v.deliver(ctx, d)
}

// deliver makes a token, and a code, for the present step and has them sent.
func (v *visit) deliver(ctx context.Context, d plan.Delivery) error {
	r := v.run()
	contacts, err := v.config.Contacts.Snapshot(ctx, r.Subject)
	if err != nil {
		return err
	}
	if r.Sends >= maxSends {
		return &lockout.LockedError{Scope: lockout.ScopeSends, Until: r.Expires}
	}
	to, real := v.destination(contacts, d.Channels)
	m, l := v.message(d, to, real)
	ref := v.ref(m.Name, outbox.Proved)
	if r.Correct.Is(m.To) {
		ref.Class = outbox.Typed
	}
	err = v.out.Announce(ctx, outbox.Request{
		Refs: []outbox.Ref{ref}, Subject: r.Subject, Decoy: !real, Limit: v.sends, By: v.by, Source: v.shows(),
	}, func(ctx context.Context) error {
		return v.change(ctx, func(r *run, _ time.Time) error {
			if m.Link != r.Sends+1 || !r.Rests.IsZero() {
				return ErrBusy // another request asks for one at this moment
			}
			r.Mail = append(r.Mail, m)
			r.Sends++
			r.Links = token.Push(r.Links, l)
			return nil
		})
	})
	if err != nil {
		return err
	}
	reason := string(to.Channel)
	if !real {
		reason = "decoy"
	}
	v.recordBy(ctx, v.holder(), recoveryrun.EventSent, reason)
	return nil
}

// shows returns the source of the visit with what the run has shown so far, unless the visitor has shown something else.
func (v *visit) shows() civicpin.Source {
	source, has := v.source, v.run().Has(&v.way.Plan)
	if source.Shown.IsZero() && has != shown.Nothing {
		source.Shown = shown.New(v.vault, v.run().Subject, shown.Value{Kind: has})
	}
	return source
}

// message makes the next message of the run, and the link that it carries. A decoy is made the same way, so that it is as
// long; its token and code are drawn, and fit nothing that was ever sent.
func (v *visit) message(d plan.Delivery, to civicpin.Contact, real bool) (letter.Mail, token.Link) {
	r := v.run()
	m := letter.Mail{
		Kind: v.way.message(d.Link), To: letter.Stored(to), Link: r.Sends + 1, State: letter.Pending,
		Expires: r.Until(v.vault.Now().Add(d.Valid)),
	}
	m.Name = "s" + strconv.Itoa(m.Link)
	l := token.Link{N: m.Link, To: m.To, Expires: m.Expires}
	if d.Link {
		t := token.New(token.Redeem, v.id(), l.N)
		l.Hash, m.Token = t.Hash(), t.Text().Reveal()
	}
	if d.Code > 0 {
		m.Code = code.Unambiguous.New(d.Code)
		l.Tag = v.tag(&l, m.Code)
	}
	recoveryrun.Draw(&m, &l, real)
	return m, l
}

// destination returns where the message of a step goes, and whether there is such a contact; if not, a decoy, as stable as one.
func (v *visit) destination(contacts *contact.Snapshot, channels []civicpin.Channel) (civicpin.Contact, bool) {
	decoy := v.config.Contacts.Decoy(v.run().Subject, channels...) // what is not needed takes time, too
	own, usable := contacts.On(channels...)
	return v.run().Destination(channels, own, usable, decoy)
}

// tag returns the [token.Link.Sum] of a typed code.
func (v *visit) tag(l *token.Link, text string) []byte {
	return l.Sum(v.vault.Hash, "recovery.code", text, v.run().Plan, string(v.run().Subject), v.id())
}
