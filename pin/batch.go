package pin

import (
	"context"
	"crypto/rand"
	"slices"
	"strings"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/stored"
	"github.com/civicpin/civicpin/pin/state"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
)

const (
	// sameFor is how long after an issue the same request returns it: a double click, a page that is sent again.
	sameFor = time.Minute
	// printAgain is how long after a letter was printed a request on line has it printed again. Each costs postage.
	printAgain = 7 * day
	// expiredFor is since when a credential has expired that stands for none: longer than clocks differ.
	expiredFor = 10 * time.Minute
)

// A batch is the parts that one request brought, as they stand in their credential: those of the secret, or some that open
// nothing (see [Requests]). All that becomes of their messages is the same. So a visitor, whose own telephone gets one of the
// parts, does not see which ones they are.
type batch struct {
	issue           string
	parts           []part // the credential's own: what is changed here is changed there
	issued, expires time.Time
	ended           bool // the secret was exchanged, revoked, or withdrawn
	suspended       bool
}

// batch returns the batch of an issue, the zero batch if there is none.
func (c *credential) batch(issue string) batch {
	for _, b := range c.batches() {
		if b.issue == issue {
			return b
		}
	}
	return batch{}
}

// batches returns all batches, that of the secret first.
func (c *credential) batches() []batch {
	list := []batch{{c.Issue, c.Parts, c.Issued, c.Expires, c.State != state.Provisional || c.Withdrawn, c.Suspended}}
	for i := range c.Aside {
		a := &c.Aside[i]
		list = append(list, batch{a.Issue, a.Parts, a.Issued, a.Expires, false, false})
	}
	return list
}

// good reports whether the parts of a batch are still sent.
func (b *batch) good(now time.Time) bool { return !b.ended && !b.suspended && now.Before(b.expires) }

// sameMessage reports whether a message is the current one of part i of the batch.
func (b *batch) sameMessage(i int, message string) bool {
	return i >= 0 && i < len(b.parts) && b.parts[i].Message == message
}

// canSend reports whether part i is still there to be sent.
func (b *batch) canSend(i int, now time.Time) bool {
	return b.good(now) && i < len(b.parts) && b.parts[i].Text != "" && b.parts[i].Send < maxResends
}

// wentTo reports whether the parts went to these contacts.
func (b *batch) wentTo(contacts []civicpin.Contact) bool {
	return slices.EqualFunc(b.parts, contacts, func(p part, to civicpin.Contact) bool {
		return p.Channel == to.Channel && p.contact().SameAddress(to)
	})
}

// told returns what the caller is told of a batch.
func (b *batch) told() Issue { return Issue{ID: b.issue, Parts: told(b.parts), ExpiresAt: b.expires} }

// told returns what the caller is told of parts.
func told(parts []part) []Part {
	list := make([]Part, len(parts))
	for i := range parts {
		p := &parts[i]
		list[i] = Part{Contact: p.contact(), State: p.State, At: p.At, Receipt: p.Receipt}
	}
	return list
}

// decoyParts are a batch that opens nothing.
type decoyParts struct {
	Issue   string    `json:"issue"`
	Parts   []part    `json:"parts" export:"yes"`
	Issued  time.Time `json:"issued"`
	Expires time.Time `json:"expires"`

	For time.Duration `json:"for,omitempty"` // until Expires, from Issued
}

// maxAside is how many batches are kept that open nothing. A visitor who asks with more addresses than that in the time of one
// issue, and then with the first ones again, gets another text there.
const maxAside = 4

// aside returns the batch that opens nothing and went to some contacts, the zero batch if there is none.
func (c *credential) aside(contacts []civicpin.Contact, now time.Time) batch {
	for _, b := range c.batches()[1:] {
		if b.good(now) && b.wentTo(contacts) {
			return b
		}
	}
	return batch{}
}

// putAside keeps the parts of a fresh credential as ones that open nothing: those that the library sends.
func (c *credential) putAside(fresh *credential, now time.Time) {
	d := decoyParts{Issue: fresh.Issue, Parts: slices.Clone(fresh.Parts), Issued: fresh.Issued, Expires: fresh.Expires}
	d.For = fresh.For
	for i := range d.Parts {
		if d.Parts[i].Channel.Printed() {
			d.Parts[i].Text = ""
		}
	}
	c.dropAside(now)
	if c.Aside = append(c.Aside, d); len(c.Aside) > maxAside {
		c.Aside = c.Aside[1:]
	}
}

// dropAside drops the batches that open nothing and have expired.
func (c *credential) dropAside(now time.Time) {
	c.Aside = slices.DeleteFunc(c.Aside, func(d decoyParts) bool { return stored.Over(d.Expires, now) })
}

// waiting returns the batch whose part i any visitor may have sent again, and true; if there is none, a decoy as long.
func (s *Service) waiting(e *store.Entry[credential], i int, now time.Time) (batch, bool) {
	if b := e.Value.batch(e.Value.Issue); e.Found() && !e.Value.Asked && s.canResend(&b, i, now) {
		return b, true
	}
	return batch{issue: rand.Text(), parts: slices.Repeat([]part{{Message: newMessage()}}, i+1)}, false
}

// canResend reports whether a part may be sent again: not one that is printed, and not one that is on its way, since a message
// in its place would begin to wait anew. Where the store cannot list, a part may be on its way for ever.
func (s *Service) canResend(b *batch, i int, now time.Time) bool {
	return b.canSend(i, now) && !b.parts[i].Channel.Printed() && !(b.parts[i].State == state.Pending && s.out.Durable())
}

// refAgain returns the name of a message with which part i of a batch is sent again. It is drawn: two requests at the same
// moment announce two, as two decoys are, and the credential confirms one.
func (s *Service) refAgain(subject civicpin.Subject, b *batch, i int) outbox.Ref {
	p := &b.parts[i]
	class := min(p.Class, outbox.Proved) // not the issue's, whose places any visitor would share then
	ref := s.ref(subject, b.issue, i, newMessage(), class)
	ref.Replaces = s.ref(subject, b.issue, i, p.Message, class).ID
	return ref
}

// newMessage draws the name of a message.
func newMessage() string { return rand.Text()[:13] }

// resent notes that a part is sent again, with a message that was announced.
func (p *part) resent(ref *outbox.Ref, now time.Time) {
	p.Send++
	p.Message = ref.ID[strings.LastIndexByte(ref.ID, '.')+1:]
	p.State, p.Receipt, p.At = state.Pending, "", now
}

// sendsAgain reports whether part i of a batch is sent again.
func (s *Service) sendsAgain(b *batch, i int, now time.Time) bool {
	return i < len(b.parts) && now.Sub(b.issued) >= sameFor && now.Sub(b.parts[i].At) >= sameFor && s.canResend(b, i, now)
}

// reprinted returns the text of the letter to the address in the register, if it is to be printed again: nothing, of parts that
// open nothing.
func (b *batch) reprinted(letter bool, now time.Time) civicpin.Secret {
	for i := range b.parts {
		p := &b.parts[i]
		if p.Channel != civicpin.Letter || !letter || !b.good(now) || p.Send >= maxResends {
			continue
		}
		if now.Sub(b.issued) < sameFor {
			return civicpin.NewSecret(p.Text)
		}
		if now.Sub(p.At) >= printAgain {
			p.Send, p.At = p.Send+1, now
			return civicpin.NewSecret(p.Text)
		}
	}
	return civicpin.Secret{}
}

// rewrite writes the credential that was read, changed or not: of an unknown subject one that no call finds, since it expired
// before it was written. So the next request at the same moment meets it, as it meets that of a known subject.
func (s *Service) rewrite(ctx context.Context, from store.Entry[credential], change func(*credential)) error {
	_, err := s.creds.UpdateFrom(ctx, from, func(e *store.Entry[credential]) error {
		if change(&e.Value); !e.Found() {
			nobodys(e, s.vault.Now())
		}
		return nil
	})
	return err
}

// nobodys makes an entry that no call finds.
func nobodys(e *store.Entry[credential], now time.Time) {
	e.Value, e.ExpiresAt = credential{}, now.Add(-expiredFor)
}
