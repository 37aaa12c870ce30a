package otp

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/decoy"
	"github.com/civicpin/civicpin/internal/names"
	"github.com/civicpin/civicpin/internal/shown"
	"github.com/civicpin/civicpin/internal/stored"
	"github.com/civicpin/civicpin/internal/waits"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
)

// RequestOptions say how a code is requested.
type RequestOptions struct {
	// To holds the contacts of the subject, as the caller knows them, never as the visitor types them. The code goes to the
	// contact whose channel comes first in the policy's Channels. If the subject is unknown, or has no contact that the policy can
	// use, nothing is sent, and the answer does not show that.
	To []civicpin.Contact
	// Joined is the part that the subject chose, if CodePolicy.Joined allows one: exactly as many letters and digits, to be typed
	// in front of the code. Empty means that the code is typed alone.
	Joined civicpin.Secret
	// Params are plain values for the words of the message ([civicpin.Message].Params). Package texts uses "act": what the code is
	// for, in the subject's language. At most 8, of at most 32 and 256 printable bytes. No secrets.
	Params map[string]string
	// Source is where the request comes from; the send limits by source apply if its Address is not empty.
	Source civicpin.Source
}

// A Request is a code that was requested.
type Request struct {
	// ID names the request, for [Codes.Verify]. It is not secret, and is too random to guess.
	ID string
	// ExpiresAt is when the code stops being good.
	ExpiresAt time.Time
	// To is where the code goes, masked, "+34******123", to be shown to the visitor. It is empty if the policy has no Decoys.
	To string
}

// Request makes a code for a purpose and sends it through the outbox. It does not reset the failures that are counted against
// the subject. Beyond the policy's MaxPending it cancels the subject's oldest code.
//
// The answer looks the same, after the same store calls, for every subject. The code of a subject without a contact is not sent
// and never verifies. Errors, alike for all subjects but for the store's:
//   - [civicpin.ErrInvalid]: the subject, the purpose or the options are invalid. If it is an [*outbox.UnsendableError], the
//     notifier would refuse a message with these Params over one of the policy's channels: an act that is too long, say.
//   - a *[lockout.LockedError]: the subject's codes are locked for longer than this code would live, or the send limits are
//     reached.
//   - [outbox.ErrBusy]: too many messages wait. It matches [ErrBusy]: answer 503.
//   - the store's: the code may be on its way. Requesting again is safe.
func (c *Codes) Request(ctx context.Context, subject civicpin.Subject, purpose Purpose, o RequestOptions) (Request, error) {
	own, err := c.checkRequest(subject, purpose, o)
	if err != nil {
		return Request{}, err
	}
	if err := c.usable(ctx, subject, o.Source); err != nil {
		return Request{}, err
	}
	to, known, on, err := c.goes(ctx, subject, o.To) // before the code is: an act from here on ends it
	if err != nil {
		return Request{}, err
	}
	id, now := rand.Text(), c.vault.Now()
	sent := c.draw()
	r := codeRecord{
		State: codePending, Decoy: !known, Act: purpose.Act, Digest: purpose.Digest,
		Channel: to.Channel, Address: to.Address, Locale: to.Locale, Params: maps.Clone(o.Params),
		Code: sent, Tag: c.tag(subject, id, purpose, own+sent), Expires: now.Add(c.policy.Valid), Send: 1,
		Epoch: on.credential.of(waits.Code), Book: on.book,
	}
	if r.Decoy {
		_, _ = rand.Read(r.Tag) // never fails; nothing that is typed comes to this
	}

	listed := codeListed{ID: id, Expires: r.Expires, Shown: shown.Open(c.vault, subject, o.Source.Shown).Kind > shown.Facts}
	var over []string
	err = c.out.Announce(ctx, c.message(subject, id, 1, &r, o.Source), func(ctx context.Context) (err error) {
		// The record comes last, since it is what makes the code good; a list may name one that is not there.
		if r.Known, over, err = c.enlist(ctx, subject, listed, known); err != nil {
			return err
		}
		e := store.Entry[codeRecord]{Key: store.Key{Subject: subject, ID: id}, Value: r, ExpiresAt: r.Expires.Add(codeLate)}
		return c.records.Put(ctx, &e)
	})
	if err != nil {
		return Request{}, err
	}
	for _, old := range over {
		c.displace(ctx, subject, old)
	}
	reason := ""
	if r.Decoy {
		reason = "no contact"
	}
	c.record(ctx, eventCodeRequested, subject, id, civicpin.Visitor, o.Source, reason)
	return Request{ID: id, ExpiresAt: r.Expires, To: c.masked(subject, &r)}, nil
}

// usable refuses, with a *[lockout.LockedError], to send a code that would run out before the lock of the caller's guesses.
func (c *Codes) usable(ctx context.Context, subject civicpin.Subject, source civicpin.Source) error {
	st, err := c.gate.Status(ctx, lockout.Target{Subject: subject, Source: source})
	if err != nil || st.Locked == nil {
		return err
	}
	if until := st.Locked.Until; !until.IsZero() && until.Before(c.vault.Now().Add(c.policy.Valid)) {
		return nil
	}
	return st.Locked
}

// draw makes a code at random.
func (c *Codes) draw() string { return c.alphabet.New(c.policy.Length) }

// checkRequest checks all that can be checked without the store, and returns the subject's own part in its normal form.
func (c *Codes) checkRequest(subject civicpin.Subject, purpose Purpose, o RequestOptions) (own string, err error) {
	if err := errors.Join(subject.Validate(), purpose.validate(), o.Source.Validate()); err != nil {
		return "", err
	}
	if len(o.Params) > 8 {
		return "", fmt.Errorf("%w: more than 8 parameters", civicpin.ErrInvalid)
	}
	for k, v := range o.Params {
		if k == "" || !names.Printable(k, 32) || !names.Printable(v, 256) {
			return "", fmt.Errorf("%w: a parameter is empty, too long or not printable", civicpin.ErrInvalid)
		}
	}
	if err := c.sendable(o.Params, c.alphabet.Samples(c.policy.Length)[:1]); err != nil {
		return "", err
	}
	if o.Joined.IsZero() {
		return "", nil
	}
	own, ok := ownAlphabet.Normalise(o.Joined.Reveal())
	if !ok || len(own) != c.policy.Joined {
		return "", fmt.Errorf("%w: the part to be joined is not %d letters and digits", civicpin.ErrInvalid, c.policy.Joined)
	}
	return own, nil
}

// choose returns the contact that the code goes to, and whether there is one. If not, it returns a decoy, as stable as a real
// one, which the send limits are counted against.
func (c *Codes) choose(subject civicpin.Subject, contacts []civicpin.Contact) (civicpin.Contact, bool) {
	for _, channel := range c.policy.Channels {
		for _, to := range contacts {
			if to.Channel == channel && to.Validate() == nil {
				return to, true
			}
		}
	}
	h := c.vault.Hash("otp.code.decoy-address", c.policy.Name, string(subject))
	return civicpin.Contact{Channel: c.policy.Channels[0], Address: fmt.Sprintf("%x", h[:16])}, false
}

// masked returns what is shown of where a code goes. For a decoy it is made of one of the policy's Decoys and a keyed
// hash of the subject: plausible, and the same every time.
func (c *Codes) masked(subject civicpin.Subject, r *codeRecord) string {
	if len(c.policy.Decoys) == 0 {
		return ""
	}
	if !r.Decoy {
		return r.contact().Masked()
	}
	h := c.vault.Hash("otp.code.decoy", c.policy.Name, string(subject))
	on := c.policy.Decoys[binary.BigEndian.Uint64(h[:])%uint64(len(c.policy.Decoys))].Channel
	return decoy.Of(c.vault.Hash, subject, on, c.policy.Decoys)
}

// message returns what the outbox is asked for a code that is sent for the n-th time.
func (c *Codes) message(subject civicpin.Subject, id string, n int, r *codeRecord, source civicpin.Source) outbox.Request {
	ref := c.ref(subject, id, n)
	if n > 1 {
		ref.Replaces = c.ref(subject, id, n-1).ID
	}
	return outbox.Request{
		Refs: []outbox.Ref{ref}, Subject: subject, Decoy: r.Decoy, Limit: c.sends, By: civicpin.Visitor, Source: source,
	}
}

// count returns how many codes of a list are such.
func count(list []codeListed, such func(codeListed) bool) (n int) {
	for _, l := range list {
		if such(l) {
			n++
		}
	}
	return n
}

// enlist adds a code to the subject's list, and returns whether the subject is known and which codes there is no room for.
func (c *Codes) enlist(ctx context.Context, subject civicpin.Subject, l codeListed, known bool) (
	wasKnown bool, over []string, err error,
) {
	e, err := c.lists.Update(ctx, store.Key{Subject: subject}, func(e *store.Entry[codeList]) error {
		now := c.vault.Now()
		over = nil
		room := func(list []codeListed, add bool) []codeListed {
			list = slices.DeleteFunc(list, func(l codeListed) bool { return stored.Over(l.Expires, now) })
			if !add {
				return list
			}
			list = append(list, l)
			// The oldest of its own sort goes: what strangers ask for does not cancel what the subject asked for.
			same := func(other codeListed) bool { return other.Shown == l.Shown }
			for n := count(list, same); n > c.policy.MaxPending; n-- {
				i := slices.IndexFunc(list, same)
				over = append(over, list[i].ID)
				list = slices.Delete(list, i, i+1)
			}
			return list
		}
		e.Value = codeList{
			Known: e.Value.Known || known, Codes: room(e.Value.Codes, known), Decoys: room(e.Value.Decoys, !known),
		}
		e.ExpiresAt = time.Time{}
		if !e.Value.Known {
			e.ExpiresAt = l.Expires.Add(codeLate)
		}
		return nil
	})
	return e.Value.Known, over, err
}
