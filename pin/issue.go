package pin

import (
	"context"
	"crypto/rand"
	"strings"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/attempt"
	"github.com/civicpin/civicpin/internal/choice"
	"github.com/civicpin/civicpin/internal/issuing"
	"github.com/civicpin/civicpin/internal/password"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin/state"
	"github.com/civicpin/civicpin/store/outbox"
)

// Issue makes a new secret at random, stores its hash, and sends its parts through the outbox, which tries each until it is
// accepted, undeliverable or withdrawn. The secret is provisional: it is good for one [Service.Exchange].
//
// Issue replaces an issued secret that was not exchanged yet, a revoked one, and one that expired for disuse. It does not
// replace a secret in use, nor a suspended one: revoke that first, or let its owner recover it. After a revocation for
// [state.Fraud] it takes Evidence. Failures counted against the subject stay counted. Evidence makes it a new binding (NIST SP
// 800-63B-4 4.1), which resets them and lifts a disablement.
//
// What a subject asks for on line (By [civicpin.Citizen], without Evidence) rests on what the request shows: see [Requests].
// While an earlier issue is still good, such a request sends its parts again, to where they went, and makes no new secret: or a
// stranger could end the parts that were just sent. The same request within a minute returns the same issue and sends nothing.
//
// The work does not depend on whether the subject has a credential. Of two issues by operators at the same moment the later one
// counts. Errors, all before anything changes except the last:
//   - [civicpin.ErrInvalid]: the subject, the actor, a contact or the evidence is invalid.
//   - [ErrWrongParts]: the contacts do not fit the parts.
//   - [ErrWeakEvidence]: the evidence does not give the level.
//   - [ErrBusy]: too many hashes wait. [outbox.ErrBusy], which matches it: too many messages wait. Answer 503.
//   - [ErrWrongState]: the credential may not be replaced, or the request on line shows too little; unknown subjects get it for
//     that, too. To an operator the text says the state. Tell visitors no more than that a message comes if all is right.
//   - a [*lockout.LockedError]: the send limits are reached, or the subject is disabled and there is no Evidence. The visitor
//     may be told: unknown subjects are limited and disabled alike. An operator gets it also where a ceiling does not show.
//   - the store's: the issue may have happened. Issue again.
func (s *Service) Issue(ctx context.Context, subject civicpin.Subject, o IssueOptions) (Issue, error) {
	if err := s.checkIssue(subject, &o); err != nil {
		return Issue{}, err
	}
	ctx, leave, err := attempt.Enter(ctx, s.hashing)
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
	r, err := s.newRequest(ctx, subject, o)
	if err != nil {
		return Issue{}, err
	}
	err = s.out.Announce(ctx, r.announced(), func(ctx context.Context) error {
		// Hashed in every case: the same work for a stranger to time.
		if r.fresh.Hash, err = s.hash(ctx, r.whole); err != nil {
			return err
		}
		return r.write(ctx)
	})
	if err != nil {
		return Issue{}, err
	}
	if o.Evidence.Method != "" && r.way == issuing.Anew {
		if err := s.gate.Rebind(ctx, Attempt{Subject: subject}.key(), o.By); err != nil {
			return Issue{}, err
		}
	}
	return r.done(ctx)
}

// usable refuses an issue that its subject could not use: of one who is disabled, without the evidence that lifts that. What
// does not show of it only an operator is told.
func (s *Service) usable(ctx context.Context, subject civicpin.Subject, o IssueOptions) error {
	st, err := s.gate.Status(ctx, Attempt{Subject: subject}.key())
	if err != nil {
		return err
	}
	switch {
	case o.Evidence.Method != "":
	case st.Locked != nil && st.Locked.Disabled:
		return st.Locked
	case st.Hidden && o.By.IsOperator():
		return &lockout.LockedError{Scope: lockout.ScopeSubject, Disabled: true}
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
			Message: newMessage(), Class: class,
		})
		if until := now.Add(s.policy.Valid[to.Channel]); until.After(c.Expires) {
			c.Expires, c.For = until, until.Sub(now)
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
	case c.State == state.Provisional && !c.owned():
		return c.Expires.Add(lateFor)
	case c.State == state.Vacant && c.Grant != nil:
		return c.Grant.Expires.Add(lateFor)
	}
	return time.Time{}
}

// issue returns what the caller is told of a provisional credential.
func (c *credential) issue() Issue {
	b := c.batch(c.Issue)
	is := b.told()
	for i := range c.Parts {
		if c.Parts[i].Channel.Printed() {
			is.Slip = civicpin.NewSecret(c.Parts[i].Text)
		}
	}
	return is
}

// refs returns the outbox's names of the parts that are to be sent.
func (s *Service) refs(subject civicpin.Subject, c *credential) []outbox.Ref {
	var refs []outbox.Ref
	for i := range c.Parts {
		if !c.Parts[i].Channel.Printed() {
			refs = append(refs, s.ref(subject, c.Issue, i, c.Parts[i].Message, c.Parts[i].Class))
		}
	}
	return refs
}
