package plan

import (
	"slices"
	"time"

	"github.com/civicpin/civicpin"
)

// Link sends a link to a contact of the subject. Opening it changes nothing, however many mail scanners do; Service.Redeem or
// Service.Finish of package recovery, behind a button, uses it once.
type Link struct {
	// Channel is where it goes, or the first of Or that the subject has. Channel is required; an empty Or means Channel alone.
	// Not a telephone: no text message has a link.
	Channel civicpin.Channel
	Or      []civicpin.Channel
	// Valid is how long it is good for, at most until the run ends: 1 to 10 minutes, to a mailbox up to 24 hours (NIST SP
	// 800-63B-4 4.2.1.2). Required. Mail scanners alone may take ten minutes. A channel of the caller's own is no mailbox
	// unless [Facilities].Mail lists it.
	Valid time.Duration
	// Code is the length of a typed code in the same message, 6 to 12 characters, for a subject who cannot follow the link;
	// zero means none. Link and code are one: the first that is used ends both.
	Code int
}

// check also refuses a link by which its reader takes over what another visitor put in: the reader proves the run, and the
// visitor before would have the account by an address, or by answers, of their own.
func (s Link) check(before *progress) string {
	d := s.delivery()
	switch {
	case before.corrects && !slices.Contains(d.Channels, before.channel):
		return "after a contact that may be corrected, a link goes to that contact alone: its reader would take the correction over"
	case before.enrols:
		return "comes before Enrol: its reader would take the answers over"
	}
	return d.problem(before.around.Mail)
}

func (s Link) delivery() Delivery {
	return Delivery{Channels: channels(s.Channel, s.Or), Valid: s.Valid, Link: true, Code: s.Code}
}

// Code sends a code, over Channel or the first of Or that the subject has, to be typed into the page on which the recovery
// runs.
type Code struct {
	// Channel is where it goes, or the first of Or that the subject has. Channel is required; an empty Or means Channel alone.
	Channel civicpin.Channel
	Or      []civicpin.Channel
	// Valid is how long it is good for: 1 to 10 minutes, to a mailbox up to 24 hours (NIST SP 800-63B-4 4.2.1.2). Required.
	Valid time.Duration
	// Length is 6 to 12 characters that are not taken for each other; zero means 8.
	Length int
}

func (s Code) check(before *progress) string { return s.delivery().problem(before.around.Mail) }

func (s Code) delivery() Delivery {
	n := s.Length
	if n == 0 {
		n = defaultCodeLength
	}
	return Delivery{Channels: channels(s.Channel, s.Or), Valid: s.Valid, Code: n}
}

// defaultCodeLength is 38 bits: with a hundred tries, 1 in 4 billion.
const defaultCodeLength = 8

// A Delivery describes the message of a [Link] or [Code].
type Delivery struct {
	// Channels are where it may go, the preferred one first; at least one.
	Channels []civicpin.Channel
	// Valid is how long the link and the code are good for.
	Valid time.Duration
	// Link reports whether the message has a link.
	Link bool
	// Code is the length of the typed code in it, in characters; zero means none.
	Code int
}

// SentBy returns the message that a step sends, and whether it sends one.
func SentBy(s Step) (Delivery, bool) {
	switch s := s.(type) {
	case Link:
		return s.delivery(), true
	case Code:
		return s.delivery(), true
	}
	return Delivery{}, false
}

func channels(first civicpin.Channel, others []civicpin.Channel) []civicpin.Channel {
	return slices.Concat([]civicpin.Channel{first}, others)
}

// problem returns why there is no such message, "" if there is. own are the channels of the caller's own that are mailboxes.
func (d Delivery) problem(own []civicpin.Channel) string {
	mail := true
	for _, ch := range d.Channels {
		switch {
		case ch == "" || ch.Printed():
			return "needs a channel that is not printed"
		case ch.Phone() && d.Link:
			return "no message to a telephone has a link"
		case !ch.Mail() && !slices.Contains(own, ch):
			mail = false
		}
	}
	most, named := 10*minute, "10 minutes"
	if mail {
		most, named = day, "24 hours"
	}
	if d.Valid < minute || d.Valid > most {
		return "Valid is not 1 minute to " + named
	}
	if d.Code != 0 && (d.Code < 6 || d.Code > 12) {
		return "the code is not of 6 to 12 characters"
	}
	return ""
}
