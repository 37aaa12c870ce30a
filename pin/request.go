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

const (
	// sameFor is how long after an issue the same request returns it: a double click, a page that is sent again.
	sameFor = time.Minute
	// printAgain is how long after a letter was printed a request on line has it printed again. Each costs postage.
	printAgain = 7 * day
)

// standing returns what there is for a request to be decided by. For what is not found, c is the zero credential.
func (c *credential) standing(p *Policy, o *IssueOptions, now time.Time) issuing.Standing {
	return issuing.Standing{
		Replaceable: c.replaceable(p, o, now),
		Good:        c.State == state.Provisional && !c.Suspended && now.Before(c.Expires),
		Same:        c.wentTo(o.Parts),
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

// wentTo reports whether the parts went to these contacts.
func (c *credential) wentTo(contacts []civicpin.Contact) bool {
	return slices.EqualFunc(c.Parts, contacts, func(p part, to civicpin.Contact) bool {
		return p.Channel == to.Channel && p.contact().SameAddress(to)
	})
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
	for i := range r.fresh.Parts {
		if r.fresh.Parts[i].Channel.Printed() {
			continue
		}
		ref := s.ref(subject, r.fresh.Issue, i, 1, class)
		if r.way == issuing.Resent && r.sendsAgain(c, i, now) {
			p := &c.Parts[i]
			to := min(p.Class, outbox.Proved) // as with Resend
			ref = s.ref(subject, c.Issue, i, p.Send+1, to)
			ref.Replaces = s.ref(subject, c.Issue, i, p.Send, to).ID
		}
		r.refs = append(r.refs, ref)
	}
	return r, nil
}

// base finds out what the request rests on. It asks for proved contacts whoever the subject is.
func (r *request) base(ctx context.Context) (err error) {
	if r.o.seen() {
		r.basis.Staff = true
		return nil
	}
	letter := func(c civicpin.Contact) bool { return c.Channel == civicpin.Letter }
	r.basis = issuing.Basis{
		Letter: r.o.Register && slices.ContainsFunc(r.o.Parts, letter),
		Typed:  r.policy.Requests.Exception != "",
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

// sendsAgain reports whether part i of a good issue is sent again.
func (r *request) sendsAgain(c *credential, i int, now time.Time) bool {
	return i < len(c.Parts) && now.Sub(c.Issued) >= sameFor && now.Sub(c.Parts[i].At) >= sameFor && r.canResend(c, i, now)
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
		return r.putDecoy(ctx)
	}
	_, err := r.creds.UpdateFrom(ctx, r.seen, func(e *store.Entry[credential]) error {
		c, now := &e.Value, r.vault.Now()
		r.err, r.sent = nil, false
		if to := r.decide(ctx, c, now); to != issuing.Anew {
			r.way = to // if it was announced as something else, nothing is sent
		}
		if r.way != issuing.Anew && !e.Found() {
			return store.ErrSkip
		}
		switch r.way {
		case issuing.Anew:
			r.fresh.inherit(c, &r.policy, c.issued(r.o.By, now))
			r.issue = r.fresh.issue()
			*c = r.fresh
		case issuing.Resent:
			r.again(c, now)
		case issuing.Aside:
			r.issue = r.fresh.issue()
			r.issue.Slip = civicpin.Secret{}
			c.Aside = r.fresh.aside()
		case issuing.Refused:
			r.err = r.refusal(c)
			return nil // written all the same, unchanged
		}
		e.ExpiresAt = c.keep()
		return nil
	})
	return err
}

// again sends the parts of an issue once more: those that this request has announced.
func (r *request) again(c *credential, now time.Time) {
	same := c.wentTo(r.o.Parts)
	r.issue = r.fresh.issue() // what the caller would be told of an unknown subject
	r.issue.Slip = civicpin.Secret{}
	if same {
		r.issue = c.issue()
		r.issue.Slip = r.reprinted(c, now)
	}
	for i := range c.Parts {
		p := &c.Parts[i]
		mine := r.ref(r.subject, c.Issue, i, p.Send+1, p.Class).ID
		if slices.ContainsFunc(r.refs, func(ref outbox.Ref) bool { return ref.ID == mine }) && r.canResend(c, i, now) {
			p.Send++
			p.State, p.Receipt, p.At = state.Pending, "", now
			r.sent = true
		}
	}
}

// reprinted returns the text of the letter to the address in the register, if it is to be printed again.
func (r *request) reprinted(c *credential, now time.Time) civicpin.Secret {
	for i := range c.Parts {
		p := &c.Parts[i]
		if p.Channel != civicpin.Letter || !r.basis.Letter || !c.canSend(i, now) {
			continue
		}
		if now.Sub(c.Issued) < sameFor {
			return civicpin.NewSecret(p.Text)
		}
		if now.Sub(p.At) >= printAgain {
			p.Send, p.At = p.Send+1, now
			return civicpin.NewSecret(p.Text)
		}
	}
	return civicpin.Secret{}
}

// done records what was done, and returns it.
func (r *request) done(ctx context.Context) (Issue, error) {
	e := civicpin.Event{Subject: r.subject, By: r.o.By, Source: r.o.Source, Ref: r.issue.ID, Level: r.fresh.Level}
	switch r.way {
	case issuing.Anew:
		e.Code = eventIssued
	case issuing.Resent:
		if e.Code = eventResent; !r.sent {
			return r.issue, nil
		}
	case issuing.Aside:
		e.Code = eventAside
	case issuing.Refused:
		return Issue{}, r.refusal(&r.seen.Value)
	}
	r.vault.Record(ctx, e)
	return r.issue, nil
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

// aside returns what is kept of parts that open nothing: those that the library sends.
func (c *credential) aside() *decoyParts {
	d := decoyParts{Issue: c.Issue, Expires: c.Expires, Parts: slices.Clone(c.Parts)}
	for i := range d.Parts {
		if d.Parts[i].Channel.Printed() {
			d.Parts[i].Text = ""
		}
	}
	return &d
}
