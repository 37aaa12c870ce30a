package pin

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/attempt"
	"github.com/civicpin/civicpin/internal/issuing"
	"github.com/civicpin/civicpin/pin/state"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
)

// standing returns what there is for a request to be decided by. For what is not found, c is the zero credential.
func (c *credential) standing(p *Policy, o *IssueOptions, now time.Time) issuing.Standing {
	b, aside := c.batch(c.Issue), c.aside(o.Parts, now)
	return issuing.Standing{
		Replaceable: c.replaceable(p, o, now),
		Good:        b.good(now),
		Same:        b.wentTo(o.Parts),
		Aside:       aside.issue != "",
		Owned:       c.owned(),
		Unused:      c.State == state.Active,
	}
}

// decide returns what comes of a request over a credential.
func (r *request) decide(ctx context.Context, c *credential, now time.Time) issuing.Way {
	b := r.basis
	b.Code = c.Code != nil && now.Before(c.Code.Expires) && attempt.Bytes(ctx, c.Code.Hash, r.code).Right()
	return issuing.Decide(b, c.standing(&r.policy, &r.o, now))
}

// A request is a request for a secret, on its way from what was read to what is written.
type request struct {
	*Service
	subject civicpin.Subject
	o       IssueOptions
	basis   issuing.Basis
	code    []byte // the hash of the request code
	seen    store.Entry[credential]
	fresh   credential // without its hash
	whole   string     // its secret
	way     issuing.Way
	err     error // to an operator
	issue   Issue
	repeats batch        // what was announced to be sent once more
	refs    []outbox.Ref // of the parts, each with what it replaces
	sent    bool         // whether a part is sent again
}

// newRequest reads what a request rests on, and decides. It does the same work for every subject.
func (s *Service) newRequest(ctx context.Context, subject civicpin.Subject, o IssueOptions) (*request, error) {
	r := &request{Service: s, subject: subject, o: o}
	if err := r.base(ctx); err != nil {
		return nil, err
	}
	var err error
	if r.seen, err = s.creds.GetOr(ctx, store.Key{Subject: subject}, s.sealed); err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	class := classOf(o.By)
	if r.basis.Proved {
		class = outbox.Proved
	}
	r.fresh, r.whole = s.fresh(o, class)
	var none credential
	c, now := &none, s.vault.Now()
	if r.seen.Found() {
		c = &r.seen.Value
	}
	r.way = r.decide(ctx, c, now)
	r.repeats = r.repeated(c, now)
	for i := range r.fresh.Parts {
		if r.fresh.Parts[i].Channel.Printed() {
			continue
		}
		ref := s.ref(subject, r.fresh.Issue, i, r.fresh.Parts[i].Message, class)
		if b := &r.repeats; r.sendsAgain(b, i, now) {
			ref = s.refAgain(subject, b, i)
		}
		r.refs = append(r.refs, ref)
	}
	return r, nil
}

// base finds out what the request rests on. It asks for the proved contacts of every subject, known or not.
func (r *request) base(ctx context.Context) (err error) {
	if r.o.seen() {
		r.basis.Staff = true
		return nil
	}
	letter := func(c civicpin.Contact) bool { return c.Channel == civicpin.Letter }
	r.basis = issuing.Basis{
		Letter: r.o.Register && slices.ContainsFunc(r.o.Parts, letter),
		Typed:  r.policy.Requests.Typed,
		Renew:  r.policy.Requests.Renew,
	}
	if text, ok := requestCodes.Normalise(r.o.RequestCode.Reveal()); ok {
		r.basis.Asked, r.code = true, hashCode(text)
	}
	if r.proved != nil {
		r.basis.Proved, err = r.proved.Proved(ctx, r.subject, r.o.Parts)
	}
	return err
}

// announced returns what the outbox is asked for. Only the order of the ways depends on the subject.
func (r *request) announced() outbox.Request {
	return outbox.Request{
		Refs: r.refs, Subject: r.subject, Limit: r.sends, Others: len(r.fresh.Parts) - len(r.refs), By: r.o.By,
		Source: r.o.Source, Decoy: r.way == issuing.Refused,
	}
}

// write writes the credential. What another request did meanwhile counts: this one then comes to what it would have come to
// after that one.
func (r *request) write(ctx context.Context) error {
	if r.way == issuing.Refused {
		return r.rewrite(ctx, r.seen, func(*credential) {})
	}
	_, err := r.creds.UpdateFrom(ctx, r.seen, func(e *store.Entry[credential]) error {
		c, now := &e.Value, r.vault.Now()
		r.err, r.sent = nil, false
		if to := r.decide(ctx, c, now); to != issuing.Anew {
			r.way = to // if it was announced as something else, nothing is sent
		}
		if r.way != issuing.Anew && !e.Found() {
			nobodys(e, now)
			return nil
		}
		switch r.way {
		case issuing.Anew:
			r.fresh.inherit(c, &r.policy, c.issued(r.o.By, now))
			r.fresh.Asked, r.fresh.Proved = r.basis.Letter && !r.basis.Proved, r.basis.Proved
			r.issue = r.fresh.issue()
			*c = r.fresh
		case issuing.Resent:
			r.again(c, now)
		case issuing.Aside:
			r.aside(c, now)
		case issuing.Refused:
			r.err = r.refusal(c)
			return nil // written all the same, unchanged
		}
		e.ExpiresAt = c.keep()
		return nil
	})
	return err
}

// repeated returns the batch that the request sends once more, the zero batch if there is none.
func (r *request) repeated(c *credential, now time.Time) batch {
	switch r.way {
	case issuing.Resent:
		return c.batch(c.Issue)
	case issuing.Aside:
		return c.aside(r.o.Parts, now)
	}
	return batch{}
}

// again sends the parts of the secret once more.
func (r *request) again(c *credential, now time.Time) {
	b := c.batch(c.Issue)
	r.issue = r.fresh.issue() // what the caller would be told of an unknown subject
	r.issue.Slip = civicpin.Secret{}
	if b.wentTo(r.o.Parts) {
		r.issue = b.told()
		r.issue.Slip = b.reprinted(r.basis.Letter, now)
	}
	r.resend(&b, now)
}

// aside keeps parts that open nothing, or sends those once more that went to the same contacts.
func (r *request) aside(c *credential, now time.Time) {
	b := c.aside(r.o.Parts, now)
	if b.issue == "" && r.repeats.issue == "" {
		c.putAside(&r.fresh, now)
		b = c.batch(r.fresh.Issue)
	}
	if b.issue == "" { // what was to be sent once more expired at this moment
		b = r.repeats
	}
	r.issue = b.told()
	b.reprinted(r.basis.Letter, now) // nothing
	r.resend(&b, now)
}

// resend sends the parts of a batch once more that this request has announced.
func (r *request) resend(b *batch, now time.Time) {
	for i := range b.parts {
		p := &b.parts[i]
		replaced := r.ref(r.subject, b.issue, i, p.Message, p.Class).ID
		at := slices.IndexFunc(r.refs, func(ref outbox.Ref) bool { return ref.Replaces == replaced })
		if at >= 0 && r.canResend(b, i, now) {
			p.resent(&r.refs[at], now)
			r.sent = true
		}
	}
}

// done records what was done, and returns it. There is an event in each case, or its recorder would tell.
func (r *request) done(ctx context.Context) (Issue, error) {
	e := civicpin.Event{Subject: r.subject, By: r.o.By, Source: r.o.Source, Ref: r.issue.ID, Level: r.fresh.Level}
	var err error
	switch {
	case r.way == issuing.Refused:
		e.Code, e.Ref, e.Level, e.Reason = eventNothing, "", civicpin.NoLevel, refusedReason
		r.issue, err = Issue{}, r.refusal(&r.seen.Value)
	case r.way == issuing.Anew:
		e.Code = eventIssued
	case r.sent:
		e.Code = eventResent
	case r.way == issuing.Aside && r.issue.ID == r.fresh.Issue:
		e.Code = eventAside
	default:
		e.Code, e.Reason = eventNothing, nothingToSend
	}
	r.vault.Record(ctx, e)
	return r.issue, err
}

// refusal says more to an operator than to a visitor.
func (r *request) refusal(c *credential) error {
	switch {
	case r.err != nil:
		return r.err
	case r.o.By.IsOperator():
		return c.wrongState()
	}
	return ErrWrongState
}
