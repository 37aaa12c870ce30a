package pin

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/attempt"
	"github.com/civicpin/civicpin/internal/choice"
	"github.com/civicpin/civicpin/internal/password"
	"github.com/civicpin/civicpin/pin/state"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
)

// Issue makes a new secret at random, stores its hash, and sends its parts through the outbox, which tries each until it is
// accepted, undeliverable or withdrawn. The secret is provisional: it is good for one [Service.Exchange].
//
// Issue replaces an issued secret that was not exchanged yet, a revoked one, and one that expired for disuse. It does not
// replace a secret in use: revoke that first, or let its owner recover it. Nor does it replace a suspended one, or, on a
// citizen's request, one that waits for its exchange and was issued on evidence or by a recovery of the owner's own secret
// ([Service.Reissue]). Failures counted against the subject stay counted. Evidence makes it a new binding (NIST SP 800-63B-4
// 4.1), which resets them and lifts a disablement.
//
// The work does not depend on whether the subject has a credential. Of two issues at the same moment the later one counts.
// Errors, all before anything changes except the last:
//   - [civicpin.ErrInvalid]: the subject, the actor, a contact or the evidence is invalid.
//   - [ErrWrongParts]: the contacts do not fit the parts.
//   - [ErrWeakEvidence]: the evidence does not give the level.
//   - [ErrBusy]: too many hashes wait. [outbox.ErrBusy], which matches it: too many messages wait. Answer 503.
//   - [ErrWrongState]: the credential may not be replaced. To an operator the text says its state. Do not tell visitors: for an
//     unknown subject there is no such error.
//   - a [*lockout.LockedError]: the send limits are reached, or the subject is disabled and there is no Evidence. The visitor
//     may be told: unknown subjects are limited and disabled alike.
//   - the store's: the issue may have happened. Issue again.
func (s *Service) Issue(ctx context.Context, subject civicpin.Subject, o IssueOptions) (Issue, error) {
	if err := s.checkIssue(subject, &o); err != nil {
		return Issue{}, err
	}
	leave, err := attempt.Enter(ctx, s.hashing)
	if err != nil {
		return Issue{}, err
	}
	defer leave()
	if err := s.usable(ctx, subject, o); err != nil {
		return Issue{}, err
	}
	if o.Source, err = s.asks(ctx, subject, o.Source); err != nil {
		return Issue{}, err
	}
	fresh, whole := s.fresh(o, classOf(o.By))
	var refused error
	err = s.out.Announce(ctx, s.request(subject, &fresh, o), func(ctx context.Context) error {
		if fresh.Hash, err = s.hash(ctx, whole); err != nil {
			return err
		}
		_, err := s.creds.Update(ctx, store.Key{Subject: subject}, func(e *store.Entry[credential]) error {
			refused = nil
			if e.Found() && !e.Value.replaceable(&s.policy, &o, s.vault.Now()) {
				// The record is written all the same, unchanged: the same work for a stranger to time.
				if refused = ErrWrongState; o.By.IsOperator() {
					refused = e.Value.wrongState()
				}
				return nil
			}
			fresh.History, fresh.Epoch = e.Value.former(&s.policy), e.Value.Epoch+1 // outlive a re-issue
			e.Value, e.ExpiresAt = fresh, fresh.keep()
			return nil
		})
		return err
	})
	if err := errors.Join(err, refused); err != nil {
		return Issue{}, err
	}
	if o.Evidence.Method != "" {
		if err := s.gate.Rebind(ctx, Attempt{Subject: subject}.key(), o.By); err != nil {
			return Issue{}, err
		}
	}
	s.vault.Record(ctx, civicpin.Event{
		Code: eventIssued, Subject: subject, By: o.By, Source: o.Source, Ref: fresh.Issue, Level: fresh.Level,
	})
	return fresh.issue(), nil
}

// usable refuses an issue that nobody could use: of a subject who is disabled, without the evidence that lifts that.
func (s *Service) usable(ctx context.Context, subject civicpin.Subject, o IssueOptions) error {
	st, err := s.gate.Status(ctx, Attempt{Subject: subject}.key())
	if err != nil {
		return err
	}
	if st.Locked != nil && st.Locked.Disabled && o.Evidence.Method == "" {
		return st.Locked
	}
	return nil
}

// checkIssue checks all that can be checked without the store, and fills in the default level.
func (s *Service) checkIssue(subject civicpin.Subject, o *IssueOptions) error {
	if err := errors.Join(subject.Validate(), o.By.Validate(), o.Source.Validate()); err != nil {
		return err
	}
	if len(o.Parts) != s.policy.Parts {
		return fmt.Errorf("%w: %d contacts, and the policy has parts: %d", ErrWrongParts, len(o.Parts), s.policy.Parts)
	}
	printed := 0
	for i, c := range o.Parts {
		if err := c.Validate(); err != nil {
			return err
		}
		if s.policy.Valid[c.Channel] == 0 {
			return fmt.Errorf("%w: the policy does not list the channel %q", ErrWrongParts, c.Channel)
		}
		if c.Channel.Printed() {
			printed++
		}
		for _, other := range o.Parts[:i] {
			if c.Channel == other.Channel || c.SameAddress(other) {
				return fmt.Errorf("%w: two parts to one channel or address", ErrWrongParts)
			}
		}
	}
	if printed > 1 {
		return fmt.Errorf("%w: two printed parts", ErrWrongParts)
	}
	return s.checkLevel(o)
}

// checkLevel checks that the evidence gives the level, and fills in the default level.
func (s *Service) checkLevel(o *IssueOptions) error {
	if o.Level == civicpin.NoLevel {
		o.Level = civicpin.Low
	}
	if o.Evidence.Method == "" {
		if o.Level > civicpin.Low {
			return fmt.Errorf("%w: level %s needs some", ErrWeakEvidence, o.Level)
		}
		return nil
	}
	if err := o.Evidence.Validate(); err != nil {
		return err
	}
	if o.Level > s.policy.Levels[o.Evidence.Method] {
		return fmt.Errorf("%w: %s", ErrWeakEvidence, o.Evidence.Method)
	}
	return nil
}

// fresh makes the credential of a new issue, without the hash of its secret, and the secret.
func (s *Service) fresh(o IssueOptions, class outbox.Class) (credential, string) {
	now := s.vault.Now()
	c := credential{State: state.Provisional, Issue: rand.Text(), Level: o.Level, Issued: now}
	c.endSessions()
	c.Norm = s.issued()
	var whole strings.Builder
	for _, to := range o.Parts {
		text := s.alphabet.New(s.policy.Length)
		whole.WriteString(text)
		c.Parts = append(c.Parts, part{
			Channel: to.Channel, Address: to.Address, Locale: to.Locale, Text: text, State: state.Pending, Send: 1, At: now,
			Class: class,
		})
		if until := now.Add(s.policy.Valid[to.Channel]); until.After(c.Expires) {
			c.Expires = until
		}
	}
	for i := range c.Parts {
		if c.Parts[i].Channel.Printed() {
			c.Parts[i].State = state.Accepted
		}
	}
	if o.Evidence.Method != "" {
		c.attest(&s.policy, o.Evidence, now)
		c.Level = o.Level
	}
	return c, whole.String()
}

// issued is what brings an issued secret to the form that is hashed.
func (s *Service) issued() normaliser {
	return normaliser{Version: choice.NormaliserVersion, Alphabet: s.policy.Alphabet}
}

// request returns what the outbox is asked for an issue.
func (s *Service) request(subject civicpin.Subject, c *credential, o IssueOptions) outbox.Request {
	refs := s.refs(subject, c)
	return outbox.Request{
		Refs: refs, Subject: subject, Limit: s.sends, Others: len(c.Parts) - len(refs), By: o.By, Source: o.Source,
	}
}

// classOf returns the class of the messages of an issue: the addresses of one that a citizen asks for were typed by a visitor.
func classOf(by civicpin.Actor) outbox.Class {
	if by.IsOperator() {
		return outbox.Shown
	}
	return outbox.Typed
}

// hash returns the hash of a secret in its normal form, as it is stored. The caller has been admitted.
func (s *Service) hash(ctx context.Context, text string) (hash string, err error) {
	err = s.hashing.Run(ctx, func() { hash = password.New(s.policy.hashParams(), text).Encode() })
	return hash, err
}

// keep returns how long the store keeps the credential: for ever, unless there never was a secret in use.
func (c *credential) keep() time.Time {
	switch {
	case c.State == state.Provisional && len(c.History) == 0 && c.Changed.IsZero():
		return c.Expires.Add(lateFor)
	case c.State == state.Vacant && c.Grant != nil:
		return c.Grant.Expires.Add(lateFor)
	}
	return time.Time{}
}

// issue returns what the caller is told of a provisional credential.
func (c *credential) issue() Issue {
	is := Issue{ID: c.Issue, Parts: c.parts(), ExpiresAt: c.Expires}
	for i := range c.Parts {
		if c.Parts[i].Channel.Printed() {
			is.Slip = civicpin.NewSecret(c.Parts[i].Text)
		}
	}
	return is
}

func (c *credential) parts() []Part {
	parts := make([]Part, len(c.Parts))
	for i := range c.Parts {
		p := &c.Parts[i]
		parts[i] = Part{Contact: p.contact(), State: p.State, At: p.At, Receipt: p.Receipt}
	}
	return parts
}

// refs returns the outbox's names of the parts that are to be sent.
func (s *Service) refs(subject civicpin.Subject, c *credential) []outbox.Ref {
	var refs []outbox.Ref
	for i := range c.Parts {
		if !c.Parts[i].Channel.Printed() {
			refs = append(refs, s.ref(subject, c.Issue, i, c.Parts[i].Send, c.Parts[i].Class))
		}
	}
	return refs
}
