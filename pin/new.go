package pin

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/attempt"
	"github.com/civicpin/civicpin/internal/code"
	"github.com/civicpin/civicpin/internal/password"
	"github.com/civicpin/civicpin/internal/quota"
	"github.com/civicpin/civicpin/internal/stored"
	"github.com/civicpin/civicpin/internal/waits"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin/state"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
)

// New returns a service in the vault of out, which carries its messages. The service registers with out under "pin." and the
// policy's name. proved, of which there is at most one, says which contacts a subject has proved: see [Requests]. Without it
// none is. New hashes once, so it takes as long as a verification. Errors:
//   - [civicpin.ErrInvalid]: out is nil, there is more than one of proved or a nil one, or half of Policy.Sends, the rate of
//     [Service.Resend], does not fit the outbox's Limits.Proved (see [outbox.Outbox.Limit]).
//   - an [*outbox.UnsendableError]: the notifier of out would refuse a part over one of the channels in Policy.Valid. List
//     there only channels for which the notifier has a route and words, or for which the caller prints.
//   - [ErrInvalidPolicy]: the policy is invalid.
func New(out *outbox.Outbox, p Policy, proved ...ProvedContacts) (*Service, error) {
	if out == nil {
		return nil, fmt.Errorf("pin: %w: New needs an outbox", civicpin.ErrInvalid)
	}
	if len(proved) > 1 || slices.Contains(proved, nil) {
		return nil, fmt.Errorf("pin: %w: New takes one ProvedContacts at most, and no nil one", civicpin.ErrInvalid)
	}
	if err := p.Validate(); err != nil {
		return nil, err
	}
	return build(out, p.withDefaults(), proved...)
}

// build is New for a policy that is valid and complete.
func build(out *outbox.Outbox, p Policy, proved ...ProvedContacts) (*Service, error) {
	v := out.Vault()
	s := &Service{
		vault: v, out: out, policy: p, alphabet: code.Alphabet(p.Alphabet), rules: p.rules(),
		decoys: password.NewDecoys(p.costs()...),
	}
	for _, known := range proved {
		s.proved = known
	}
	err := s.sendable()
	if err != nil {
		return nil, err
	}
	if err := s.limit(); err != nil {
		return nil, err
	}
	if s.creds, err = store.NewKind[credential](v, "pin."+p.Name); err != nil {
		return nil, err
	}
	s.decoy = s.newDecoy()
	s.creds = s.creds.Padded(padding).Corrected(correct(p))
	if s.sealed, err = s.creds.Decoy(context.Background(), s.decoy); err != nil {
		return nil, err
	}
	if s.receipts, err = store.NewKind[receipt](v, "pin-receipt."+p.Name); err != nil {
		return nil, err
	}
	return s, out.Register(s.owner(), (*delivery)(s))
}

// limit makes what limits guesses, messages, grants and hashes. A derived name begins with a word of its own: no policy's gate
// does, see gateName.
func (s *Service) limit() (err error) {
	v, p, name := s.vault, &s.policy, gateName(s.policy.Name)
	if s.gate, err = lockout.New(v, name, p.Lockout); err != nil {
		return err
	}
	if s.sends, err = s.out.Limit(name, outbox.Typed, p.Sends); err != nil {
		return err
	}
	// What anybody may ask for again is counted apart from what was issued: or the number of requests until a refusal would
	// tell whether something was sent before. Some parts go to addresses that were proved, and some to addresses that a visitor
	// typed.
	again := p.Sends
	again.Limit = max(1, again.Limit/2)
	if s.resends, err = s.out.Limit("resend."+name, outbox.Proved, again); err != nil {
		return err
	}
	s.resends = s.resends.Typed()
	reuse := lockout.Policy{Limit: 5, Lock: lockout.Timed, For: time.Hour}
	former, err := lockout.New(v, "reuse."+name, reuse)
	if err != nil {
		return err
	}
	if s.forged, err = quota.New(v, "grant."+name, forged(), quota.Source); err != nil {
		return err
	}
	if s.hashing, err = password.NewGate(p.Hashing.Permits, p.Hashing.Wait, len(p.costs())); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalidPolicy, err)
	}
	s.guard = attempt.New(v, s.gate, s.hashing, eventRefused)
	s.reuse = attempt.New(v, former, s.hashing, "") // no event: the holder of a grant is no visitor
	return nil
}

// padding makes the credentials of most citizens as long as the decoy: their addresses and receipts, and another piece of
// evidence or two, do not show. In bytes.
const padding = 2048

// correct returns what corrects the times of a credential of the policy.
func correct(p Policy) func(*store.Entry[credential], time.Time) bool {
	return stored.Within[store.Entry[credential]](map[string]time.Duration{
		"Expires": slices.Max(slices.Collect(maps.Values(p.Valid))), "grant.Expires": day,
		"requestCode.Expires": requestCodeFor, "Until": stored.Any,
	}, "Expires", "grant.Expires", "requestCode.Expires")
}

// newDecoy returns a credential like most of this policy: it is opened where a subject has none.
func (s *Service) newDecoy() credential {
	now := s.vault.Now()
	c := credential{State: state.Provisional, Issue: strings.Repeat("A", 26), Level: civicpin.Low, Issued: now}
	c.Acts = c.Acts.DidBy(waits.Seen, string(civicpin.Operator("decoy")), now)
	for range s.policy.Parts {
		c.Parts = append(c.Parts, part{
			Channel: civicpin.Email, Address: "decoy@example.org", State: state.Accepted, Receipt: strings.Repeat("A", 26),
			Send: 1, Message: newMessage(), At: now,
		})
	}
	c.attest(&s.policy, civicpin.Evidence{Method: civicpin.InPerson, By: civicpin.Operator("decoy")}, now)
	c.choose(&s.policy, s.decoys[0].Encode(), now, again{Hash: s.decoys[0].Encode()})
	return c
}

// forged bounds the grants that open nothing, by source. A grant cannot be guessed; but each one that is tried lets its visitor
// measure the time that it takes.
func forged() civicpin.Rate { return civicpin.Rate{Limit: 60, Window: time.Hour} }
