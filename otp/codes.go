package otp

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/attempt"
	"github.com/civicpin/civicpin/internal/code"
	"github.com/civicpin/civicpin/internal/stored"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
)

const (
	// codeLate is how long after its expiry a code is still recognised, so that the subject can be told that it is late
	// rather than wrong.
	codeLate = time.Hour
	// maxCodeSends bounds the messages of one code beyond the send limits.
	maxCodeSends = 5
)

// Codes makes, delivers and checks the one-time codes of one [CodePolicy]. Make one with [NewCodes]. It is safe for concurrent
// use, and any number of them of one policy name, in any number of processes, over one store work on the same codes.
//
// A code is good for one [Purpose] of one subject. It is compared together with both and the request's id:
//
//	req, err := codes.Request(ctx, subject, purpose, otp.RequestOptions{To: contacts, Source: source})
//	... // the page keeps req.ID, and sends it back with the typed code
//	err = codes.Verify(ctx, subject, purpose, req.ID, typed, source)
type Codes struct {
	vault    *store.Vault
	out      *outbox.Outbox
	policy   CodePolicy
	alphabet code.Alphabet
	gate     *lockout.Gate
	guard    *attempt.Guard
	sends    *outbox.Limit
	rests    Rests
	records  store.Kind[codeRecord]
	lists    store.Kind[codeList]
}

// NewCodes returns a Codes in the vault of out, which carries its messages. The Codes registers with out under "code." and the
// policy's name. rests, of which there is at most one, says what ends codes early. Errors:
//   - [civicpin.ErrInvalid]: out is nil, there is more than one of rests, or Sends does not fit the outbox's Limits.Proved (see
//     [outbox.Outbox.Limit]).
//   - an [*outbox.UnsendableError]: the notifier of out would refuse a code over one of the policy's Channels. List only
//     channels for which the notifier has a route and words.
//   - [ErrInvalidPolicy]: the policy is invalid.
func NewCodes(out *outbox.Outbox, p CodePolicy, rests ...Rests) (*Codes, error) {
	if out == nil {
		return nil, fmt.Errorf("otp: %w: NewCodes needs an outbox", civicpin.ErrInvalid)
	}
	on, err := atMostOne(rests)
	if err != nil {
		return nil, err
	}
	if err := p.Validate(); err != nil {
		return nil, err
	}
	p = p.withDefaults()
	v := out.Vault()
	c := &Codes{vault: v, out: out, policy: p, alphabet: code.Alphabet(p.Alphabet), rests: on}
	if err := c.sendable(nil, c.alphabet.Samples(p.Length)); err != nil {
		return nil, err
	}
	if c.gate, err = lockout.New(v, codeGate(p.Name), p.Lockout); err != nil {
		return nil, err
	}
	c.guard = attempt.New(v, c.gate, nil, eventCodeRefused)
	if c.sends, err = out.Limit(codeGate(p.Name), outbox.Proved, p.Sends); err != nil {
		return nil, err
	}
	if c.records, err = store.NewKind[codeRecord](v, "code."+p.Name); err != nil {
		return nil, err
	}
	if c.lists, err = store.NewKind[codeList](v, "code-pending."+p.Name); err != nil {
		return nil, err
	}
	valid := map[string]time.Duration{"Expires": p.Valid, "ExpiresAt": p.Valid + codeLate}
	c.records = c.records.Corrected(stored.Within[store.Entry[codeRecord]](valid, "Expires"))
	c.lists = c.lists.Corrected(stored.Within[store.Entry[codeList]](valid, "Expires"))
	return c, out.Register(c.owner(), (*codeDelivery)(c))
}

// Policy returns the policy with its defaults filled in.
func (c *Codes) Policy() CodePolicy { return c.policy.withDefaults() }

// Unlock ends a lock that wrong guesses set; see [lockout.Gate.Unlock], whose errors it returns. by is an operator, or the
// subject, who has proved who they are to the caller by other means. The ceiling stays counted, so no actor buys guesses.
func (c *Codes) Unlock(ctx context.Context, subject civicpin.Subject, by civicpin.Actor) error {
	return c.gate.Unlock(ctx, lockout.Target{Subject: subject}, by)
}

// Rebind resets the failures that are counted against a subject, and lifts a disablement. Call it when the telephone or app was
// bound anew after the subject's identity was proved again, and at no other time; see [lockout.Gate.Rebind]. The event has the
// method of the proof; its document is not kept. Errors match [civicpin.ErrInvalid] for an invalid subject or proof, or are the
// store's: call it again.
func (c *Codes) Rebind(ctx context.Context, subject civicpin.Subject, proof civicpin.Evidence) error {
	return rebind(ctx, c.vault, c.gate, codeGate(c.policy.Name), subject, proof)
}

// rebind resets the failures that a gate counts against a subject, whose identity was proved.
func rebind(ctx context.Context, v *store.Vault, g *lockout.Gate, name string, subject civicpin.Subject,
	proof civicpin.Evidence,
) error {
	if err := proof.Validate(); err != nil {
		return err
	}
	if err := g.Rebind(ctx, lockout.Target{Subject: subject}, proof.By); err != nil {
		return err
	}
	v.Record(ctx, civicpin.Event{Code: eventRebound, Subject: subject, By: proof.By, Ref: name, Reason: string(proof.Method)})
	return nil
}

// Status returns the state of the guesses at a subject's codes, for operators; see [lockout.Gate.Status], whose errors it
// returns.
func (c *Codes) Status(ctx context.Context, subject civicpin.Subject) (lockout.Status, error) {
	return c.gate.Status(ctx, lockout.Target{Subject: subject})
}

// validCodeID reports whether id can be one of a request: 26 characters of base32, as crypto/rand.Text makes them.
func validCodeID(id string) error {
	if len(id) == 26 && strings.Trim(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") == "" {
		return nil
	}
	return fmt.Errorf("%w: not the id of a request", civicpin.ErrInvalid)
}

// The states of a code.
const (
	codePending   = "pending"
	codeUsed      = "used"
	codeCancelled = "cancelled"
)

// codeRecord is what is kept of one request: one sealed record under the subject and the request's id, so that the id of one
// subject's request finds nothing under another's name.
type codeRecord struct {
	State string `json:"state" export:"yes"`
	// Decoy says that the code is never sent, and Known that the subject was sent codes at some time.
	Decoy bool `json:"decoy,omitempty"`
	Known bool `json:"known,omitempty"`

	Act     string            `json:"act" export:"yes"`
	Digest  []byte            `json:"digest,omitempty"`
	Channel civicpin.Channel  `json:"channel" export:"yes"`
	Address string            `json:"address" export:"yes"`
	Locale  string            `json:"locale,omitempty" export:"yes"`
	Params  map[string]string `json:"params,omitempty" export:"yes"`

	// Code is what is sent; erased once it is used or cancelled, or its tries are used up.
	Code string `json:"code,omitempty"`
	// Tag is what a guess has to come to: see Codes.tag.
	Tag     []byte    `json:"tag"`
	Expires time.Time `json:"expires" export:"yes"`
	Wrong   int       `json:"wrong,omitempty" export:"yes"` // guesses
	// Epoch and Book are those of the subject's credential and contacts at the request; nil if there was none to ask.
	Epoch *uint64 `json:"epoch,omitempty"`
	Book  *uint64 `json:"book,omitempty"`
	Send  int     `json:"send" export:"yes"`           // how many times it was asked to be sent: names the current message
	Sent  bool    `json:"sent,omitempty" export:"yes"` // that message was taken over by its provider
}

func (r *codeRecord) contact() civicpin.Contact {
	return civicpin.Contact{Channel: r.Channel, Address: r.Address, Locale: r.Locale}
}

func (r *codeRecord) purpose() Purpose { return Purpose{Act: r.Act, Digest: r.Digest} }

// live reports whether the code can still be used.
func (r *codeRecord) live(p *CodePolicy, now time.Time) bool {
	return r.State == codePending && r.Wrong < p.Tries && now.Before(r.Expires)
}

// end takes a code out of use.
func (r *codeRecord) end(state string) { r.State, r.Code, r.Params = state, "", nil }

// codeList is what is kept of one subject: the codes that may be pending, oldest first. It stays once it is Known, so that a
// guess with an id that names nothing is told apart from one at a stranger: the count of a stranger may be forgotten.
type codeList struct {
	Known bool         `json:"known,omitempty"`
	Codes []codeListed `json:"codes,omitempty" export:"yes"`
	// Decoys are apart, or an attacker who knows only the subject's number could ask until there is no room for the codes that
	// were sent.
	Decoys []codeListed `json:"decoys,omitempty"`
}

type codeListed struct {
	ID      string    `json:"id"`
	Expires time.Time `json:"expires" export:"yes"`
	// Shown says that the caller who asked for it had shown something.
	Shown bool `json:"shown,omitempty"`
}

// tag is a keyed hash of all that has to be right about a guess, so that it is compared as one: the subject, the request, the
// purpose, and what was typed, which is the code behind the part that the subject chose. Their part is thus kept nowhere in
// the clear. The key is the vault's, in no record, and the hash lives for an hour under the record's seal: that, and not
// its cost, protects it. A password hash would make each guess dear for the service, and with a code of 15 bits for nobody
// else.
func (c *Codes) tag(subject civicpin.Subject, id string, p Purpose, typed string) []byte {
	h := c.vault.Hash("otp.code", c.policy.Name, string(subject), id, p.Act, string(p.Digest), typed)
	return h[:]
}

// normalise returns what was meant by what was typed, "" if it cannot be a code: the subject's own part, if there is one, and
// the code. Which of the two forms it is shows in its length; only the one that was asked for has the record's tag.
func (c *Codes) normalise(typed string) string {
	if n := c.policy.Joined; n > 0 {
		if all, ok := ownAlphabet.Normalise(typed); ok && len(all) == n+c.policy.Length {
			sent, ok := c.alphabet.Normalise(all[n:])
			if !ok {
				return ""
			}
			return all[:n] + sent
		}
	}
	sent, ok := c.alphabet.Normalise(typed)
	if !ok || len(sent) != c.policy.Length {
		return ""
	}
	return sent
}

// record writes an event about a code.
func (c *Codes) record(ctx context.Context, event civicpin.EventCode, subject civicpin.Subject, id string, by civicpin.Actor,
	source civicpin.Source, reason string,
) {
	c.vault.Record(ctx, civicpin.Event{Code: event, Subject: subject, By: by, Source: source, Ref: id, Reason: reason})
}
