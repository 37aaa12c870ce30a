package recovery

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/recoveryrun"
	"github.com/civicpin/civicpin/internal/token"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
)

// run is a recovery under way.
type run = recoveryrun.Record

// visit is one request at a run: the run as it was read, its plan, and where the request comes from.
type visit struct {
	*Service
	entry  store.Entry[run]
	way    *way
	by     civicpin.Actor // the visitor at the start, an operator, or the citizen who objects; else empty
	source civicpin.Source
}

func (v *visit) run() *run  { return &v.entry.Value }
func (v *visit) id() string { return v.entry.Key.ID }

// load reads a run by its id. A run that never was, was purged, or was started under a plan that has changed since is ErrGone.
func (s *Service) load(ctx context.Context, id string, source civicpin.Source) (*visit, error) {
	if err := source.Validate(); err != nil || !token.ValidID(id) {
		return nil, cmp.Or(err, ErrGone)
	}
	e, err := s.runs.Get(ctx, store.Key{ID: id})
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	w := s.plans[e.Value.Plan] // nil if there is no run
	if w == nil || !slices.Equal(w.digest, e.Value.Digest) {
		return nil, ErrGone
	}
	if e.Value.Step < 0 || e.Value.Step > len(w.Steps) { // such a record says nothing about what was proved
		return nil, fmt.Errorf("recovery: %w: a run at step %d of %d", store.ErrUnreadable, e.Value.Step, len(w.Steps))
	}
	return &visit{Service: s, entry: e, way: w, source: source}, nil
}

// enter reads the run that a ticket opens. With ErrExpired the visit is given, too.
func (s *Service) enter(ctx context.Context, ticket civicpin.Secret, source civicpin.Source) (*visit, error) {
	t, err := token.Parse(ticket, token.Ticket)
	if err != nil {
		return nil, err
	}
	v, err := s.load(ctx, t.Selector, source)
	if err != nil {
		return nil, err
	}
	if !v.run().Holds(t) {
		return nil, ErrGone
	}
	return v, v.run().Check(s.vault.Now())
}

// follow reads the run that a link leads to, and the link. Only the holder of the whole link is told that it is late.
func (s *Service) follow(ctx context.Context, t token.Token, source civicpin.Source) (*visit, token.Link, error) {
	v, err := s.load(ctx, t.Selector, source)
	if err != nil {
		return nil, token.Link{}, err
	}
	i := v.run().Link(t)
	if i < 0 || !v.run().Leads() || !v.way.Links(v.run().Step) {
		return nil, token.Link{}, ErrGone
	}
	now := s.vault.Now()
	if err := v.run().Check(now); err != nil {
		return nil, token.Link{}, err
	}
	l := v.run().Links[i]
	if !now.Before(l.Expires) {
		return nil, token.Link{}, ErrExpired
	}
	return v, l, nil
}

// change lets act change the run, if it is open and still at its step, and has it kept for as long as it says something.
func (v *visit) change(ctx context.Context, act func(*run, time.Time) error) error {
	step := v.run().Step
	e, err := v.update(ctx, func(e *store.Entry[run]) error {
		now := v.vault.Now()
		if !e.Found() {
			return ErrGone
		}
		err := e.Value.Act(step, now, act)
		e.ExpiresAt = e.Value.Keep()
		return err
	})
	if err == nil {
		v.entry = e
	}
	return err
}

// update writes the run, padded.
func (v *visit) update(ctx context.Context, act func(*store.Entry[run]) error) (store.Entry[run], error) {
	return v.runs.UpdateFrom(ctx, v.entry, func(e *store.Entry[run]) error {
		err := act(e)
		e.Value.Pad()
		return err
	})
}

// advance brings a run behind the steps that were answered, with what act changes, in one conditional write. Where the run
// then rests, the same write says until when, and whom that is told to.
func (v *visit) advance(ctx context.Context, to int, act func(*run, time.Time) error) error {
	// What the write will say is worked out on a copy first, since messages are announced before it.
	now := v.vault.Now()
	ahead := *v.run()
	if err := act(&ahead, now); err != nil {
		return err
	}
	if ahead.Thing() != v.run().Thing() {
		if err := v.alive(ctx, v.run().Lives); err != nil {
			return err
		}
	}
	rests, behind := v.way.Resting(to)
	until := ahead.RestUntil(rests, now)
	var told recoveryrun.Notices
	if !until.IsZero() {
		contacts, err := v.config.Contacts.Snapshot(ctx, v.run().Subject)
		if err != nil {
			return err
		}
		// It can be ended as long as it can be completed.
		good := slices.MaxFunc([]time.Time{until, v.run().Expires}, time.Time.Compare)
		told = ahead.Notices(contacts.Recipients(), v.id(), NoticeWaiting, until, good, v.reach)
		if err := v.watch(ctx, until); err != nil {
			return err
		}
	}
	return v.out.Announce(ctx, v.notices(told), func(ctx context.Context) error {
		return v.change(ctx, func(r *run, now time.Time) error {
			if err := act(r, now); err != nil {
				return err
			}
			r.Step, r.Links, r.Tries = behind, nil, 0
			if !until.IsZero() {
				r.Begin(told, until, now)
			}
			return nil
		})
	})
}

// pass is advance with nothing else changed.
func (v *visit) pass(ctx context.Context) error {
	return v.advance(ctx, v.way.Group(v.run().Step), func(*run, time.Time) error { return nil })
}

// notices returns what the outbox is asked for notices.
func (v *visit) notices(n recoveryrun.Notices) outbox.Request {
	r := outbox.Request{Subject: v.run().Subject}
	for i := range n.Mails {
		r.Refs = append(r.Refs, v.ref(n.Mails[i].Name, outbox.Notice))
	}
	return r
}

// ref names a message of the run to the outbox.
func (v *visit) ref(name string, class outbox.Class) outbox.Ref {
	return outbox.Ref{Class: class, Owner: owner, Subject: v.run().Subject, ID: v.id() + "." + name}
}

// Events returns the events that this package records, as a new slice. Ref is the plan and the id of the run, if there is one.
func Events() []civicpin.EventInfo { return recoveryrun.Events() }

// record writes an event about the run.
func (v *visit) record(ctx context.Context, code civicpin.EventCode, reason string) {
	v.recordBy(ctx, cmp.Or(v.by, v.holder()), code, reason)
}

// holder returns what the holder of the ticket or link is: the citizen once something is proved.
func (v *visit) holder() civicpin.Actor {
	if v.by == civicpin.Citizen || v.way.Proves(v.run().Step) {
		return civicpin.Citizen
	}
	return civicpin.Visitor
}

// recordBy is record for an actor.
func (v *visit) recordBy(ctx context.Context, by civicpin.Actor, code civicpin.EventCode, reason string) {
	source := v.source
	if source.Address == "" && !by.IsOperator() {
		source.Address = v.run().Source
	}
	v.vault.Record(ctx, civicpin.Event{
		Code: code, Subject: v.run().Subject, By: by, Source: source, Ref: strings.TrimSuffix(v.run().Plan+"/"+v.id(), "/"),
		Reason: strings.TrimSuffix(reason, ": "), // of a verdict without a reason
	})
}

// end takes the run out of use, unless it is already: the visit has the run as it is then.
func (v *visit) end(ctx context.Context, why string) error {
	done := false
	e, err := v.update(ctx, func(e *store.Entry[run]) error {
		done = e.Found() && e.Value.State == recoveryrun.Open
		if !done {
			return store.ErrSkip
		}
		e.Value.Close(recoveryrun.Cancelled)
		return nil
	})
	if err == nil {
		v.entry = e
	}
	if err == nil && done {
		v.record(ctx, recoveryrun.EventCancelled, why)
	}
	return err
}
