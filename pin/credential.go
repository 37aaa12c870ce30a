package pin

import (
	"crypto/rand"
	"fmt"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/attempt"
	"github.com/civicpin/civicpin/internal/choice"
	"github.com/civicpin/civicpin/internal/code"
	"github.com/civicpin/civicpin/internal/waits"
	"github.com/civicpin/civicpin/pin/state"
	"github.com/civicpin/civicpin/store/outbox"
)

// credential is what is kept of one subject: one sealed record.
type credential struct {
	State     state.Credential `json:"state" export:"yes"`
	Suspended bool             `json:"suspended,omitempty" export:"yes"`
	Issue     string           `json:"issue,omitempty" export:"yes"` // id of the last issue
	Hash      string           `json:"hash,omitempty"`               // PHC string; empty once revoked
	Norm      normaliser       `json:"norm"`                         // what was applied before hashing
	Level     civicpin.Level   `json:"level" export:"yes"`
	Graded    time.Time        `json:"graded,omitzero" export:"yes"` // since when it has Level
	Kept      civicpin.Level   `json:"kept,omitempty" export:"yes"`  // of Level, at the exchange; zero means all of it
	Evidence  []evidence       `json:"evidence,omitempty" export:"yes"`
	Parts     []part           `json:"parts,omitempty" export:"yes"`
	Issued    time.Time        `json:"issued,omitzero" export:"yes"`
	Expires   time.Time        `json:"expires,omitzero" export:"yes"` // of the issued secret, while provisional
	For       time.Duration    `json:"for,omitempty"`                 // until Expires, from Issued
	Withdrawn bool             `json:"withdrawn,omitempty"`           // the issued secret: it is late by every clock
	Changed   time.Time        `json:"changed,omitzero" export:"yes"` // when the current secret was chosen
	Used      time.Time        `json:"used,omitzero" export:"yes"`    // not before the last use minus usedEvery; zero if unknown
	History   []former         `json:"history,omitempty"`
	Lost      []former         `json:"lost,omitempty"`               // or revoked: not chosen again, whatever Policy.History says
	Fraud     bool             `json:"fraud,omitempty" export:"yes"` // revoked for it, and no secret was chosen since
	Code      *requestCode     `json:"code,omitempty"`               // while revoked
	Aside     []decoyParts     `json:"aside,omitempty"`
	Asked     bool             `json:"asked,omitempty"`               // the issue, by a visitor with a letter: see Resend
	Proved    bool             `json:"proved,omitempty"`              // the issue rests on proved contacts: see provedStill
	Owned     bool             `json:"owned,omitempty"`               // an earlier secret was a subject's: see owned
	By        civicpin.Actor   `json:"by,omitempty" export:"yes"`     // of the last revocation, suspension or resumption
	Reason    string           `json:"reason,omitempty" export:"yes"` // of the same
	Sessions  Epoch            `json:"sessions,omitempty"`            // of the logins that count: see endSessions
	Grant     *grant           `json:"grant,omitempty"`
	Run       string           `json:"run,omitempty"`                 // of the recovery that the secret comes from, also revoked
	Closed    bool             `json:"closed,omitempty" export:"yes"` // no recovery before staff have acted: see repudiate
	Acts      waits.Acts       `json:"acts,omitempty"`                // upon it, which end what waits: see Mark
	Again     *again           `json:"again,omitempty"`               // of the current secret, while it is the citizen's own
	Lowered   *levelCap        `json:"lowered,omitempty" export:"yes"`
}

// normaliser says how a secret was brought to one form before it was hashed. It stays with the hash, so that a policy can
// change without refusing the secrets that were set under it (NIST SP 800-63B-4 3.1.1.2 changed its mind, too).
type normaliser struct {
	Version  int    `json:"version,omitempty"`  // of the rules below; 0 for none: compared as received
	Alphabet string `json:"alphabet,omitempty"` // of an issued secret
	Form     Form   `json:"form,omitempty"`     // of a chosen one
}

// normalise returns the form of what was typed that was hashed, and false if it cannot be one.
func (n normaliser) normalise(typed string) (string, bool) {
	switch {
	case n.Version == 0:
		return typed, len(typed) <= maxRaw
	case n.Alphabet != "":
		return code.Alphabet(n.Alphabet).Normalise(typed)
	}
	text, err := choice.Rules{Form: n.Form.rules()}.Normalise(typed)
	return text, err == nil
}

// maxRaw bounds a secret that is compared as received, in bytes.
const maxRaw = 1024

type evidence struct {
	Method   civicpin.Method `json:"method" export:"yes"`
	Document string          `json:"document,omitempty" export:"yes"`
	By       civicpin.Actor  `json:"by" export:"yes"`
	At       time.Time       `json:"at" export:"yes"`
}

// part is one part of the issued secret. Text is erased at exchange, re-issue, revocation, and by Sweep after expiry.
type part struct {
	Channel civicpin.Channel `json:"channel" export:"yes"`
	Address string           `json:"address,omitempty" export:"yes"`
	Locale  string           `json:"locale,omitempty" export:"yes"`
	Text    string           `json:"text,omitempty"`
	State   state.Part       `json:"state" export:"yes"`
	Receipt string           `json:"receipt,omitempty" export:"yes"`
	Send    int              `json:"send" export:"yes"` // how many times it was asked to be sent
	Message string           `json:"message,omitempty"` // the name of the current message
	Class   outbox.Class     `json:"class"`             // of its messages
	At      time.Time        `json:"at" export:"yes"`   // when State was reached
}

func (p *part) contact() civicpin.Contact {
	return civicpin.Contact{Channel: p.Channel, Address: p.Address, Locale: p.Locale}
}

const (
	// maxEvidence bounds what is kept of one credential; the oldest but one go first, so that the first proof stays.
	maxEvidence = 16
	// maxResends bounds the messages of one issue beyond the send limits.
	maxResends = 100
	// usedEvery is how often the time of the last use is written: not at every login, since it costs a write.
	usedEvery = 24 * time.Hour
	// lateFor is how long after its expiry an issued secret that was never exchanged is still recognised, so that its
	// holder can be told that it is late rather than wrong.
	lateFor = 30 * day
)

// erase drops the texts of the parts.
func (c *credential) erase() {
	for i := range c.Parts {
		c.Parts[i].Text = ""
	}
}

// expired returns since when a secret of this credential no longer counts, empty if it counts.
func (c *credential) expired(p *Policy, now time.Time) state.Expiry {
	switch {
	case c.empty():
	case c.State == state.Provisional:
		if c.Withdrawn || !now.Before(c.Expires) {
			return state.SinceIssue
		}
	case p.MaxUnused > 0 && !now.Before(c.unusedSince().Add(p.MaxUnused)):
		return state.SinceUse
	case p.MaxAge > 0 && !now.Before(c.Changed.Add(p.MaxAge)):
		return state.SinceChange
	}
	return ""
}

// late returns an [*ExpiredError] if a secret of this credential is no longer good for choosing another.
func (c *credential) late(p *Policy, now time.Time) error {
	if since := c.expired(p, now); since == state.SinceIssue || since == state.SinceUse {
		return &ExpiredError{Since: since}
	}
	return nil
}

// replaceable reports whether a new secret may be issued over this credential: there is none in use.
func (c *credential) replaceable(p *Policy, o *IssueOptions, now time.Time) bool {
	switch {
	case c.Closed:
		return o.By.IsOperator() && o.Evidence.Method != ""
	case c.Fraud:
		return o.Evidence.Method != ""
	case c.Suspended:
		return false // the actor who suspended it does not want it replaced
	case c.State == state.Active:
		return c.expired(p, now) == state.SinceUse
	}
	return true
}

// attest adds evidence and raises the level to what it gives.
func (c *credential) attest(p *Policy, e civicpin.Evidence, now time.Time) {
	if e.At.IsZero() {
		e.At = now
	}
	c.Evidence = append(c.Evidence, evidence{Method: e.Method, Document: e.Document, By: e.By, At: e.At})
	if len(c.Evidence) > maxEvidence {
		c.Evidence = append(c.Evidence[:1], c.Evidence[2:]...)
	}
	c.grade(max(c.Level, p.Levels[e.Method]), now)
	if c.Kept != civicpin.NoLevel {
		c.Kept = max(c.Kept, p.Levels[e.Method])
	}
	if e.By.IsOperator() {
		c.Lowered, c.Closed = nil, false // an operator has seen them since
	}
}

// grade gives the credential a level. One above low comes by evidence, and so by here.
func (c *credential) grade(level civicpin.Level, now time.Time) {
	if c.Level != level || c.Graded.IsZero() {
		c.Level, c.Graded = level, now
	}
}

// wrongState returns an [ErrWrongState] that says in which state the credential is.
func (c *credential) wrongState() error {
	text := map[state.Credential]string{
		"":                "none was issued",
		state.Provisional: "issued, and not exchanged yet",
		state.Active:      "the citizen's own secret is set",
		state.Revoked:     "revoked",
		state.Vacant:      "created by a recovery, and no secret is chosen yet",
	}[c.State]
	if c.Suspended {
		text += ", and suspended"
	}
	if c.Fraud {
		text += "; revoked for fraud: issue on evidence"
	}
	if c.Closed {
		text += "; a recovery was repudiated: issue a new one on evidence"
	}
	return fmt.Errorf("%w: %s", ErrWrongState, text)
}

// issued returns the acts upon the credential once an issue or an import by an actor is the next one.
func (c *credential) issued(by civicpin.Actor, now time.Time) waits.Acts {
	if by.IsOperator() {
		return c.Acts.DidBy(waits.Seen, string(by.Canonical()), now)
	}
	return c.Acts.Did(waits.Issue, now)
}

// endSessions ends all sessions that began with a login until now. 65 random bits are another epoch than those before; nobody
// gains by guessing them.
func (c *credential) endSessions() { c.Sessions = Epoch(rand.Text()[:13]) }

// dropAgain drops what is good for nothing any more.
func (c *credential) dropAgain(now time.Time) {
	if now.Sub(c.Changed) >= againFor {
		c.Again = nil
	}
}

// empty reports whether the credential accepts no secret, and none is on its way.
func (c *credential) empty() bool { return c.State == state.Vacant || c.State == state.Revoked }

// refusal is why an empty credential accepts nothing.
func (c *credential) refusal() attempt.Refusal {
	if c.State == state.Vacant {
		return attempt.Vacant
	}
	return attempt.Revoked
}

// recoverable reports whether a recovery may end in a new secret for this credential.
func (c *credential) recoverable() bool {
	return (c.State == state.Provisional || c.State == state.Active) && !c.Suspended && !c.Fraud && !c.Closed
}

// beginnable reports whether a recovery may begin this credential.
func (c *credential) beginnable() bool { return c.empty() && !c.Suspended && !c.Fraud && !c.Closed }

// unusedSince returns the start of Policy.MaxUnused.
func (c *credential) unusedSince() time.Time {
	if c.Used.IsZero() {
		return c.Issued // imported, and not used since
	}
	return c.Used
}
