// Package letter holds what records keep of a message to be sent, and of the address that it goes to.
package letter

import (
	"cmp"
	"encoding/json"
	"fmt"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/names"
)

// A Contact is a civicpin.Contact as it is stored.
type Contact struct {
	Channel civicpin.Channel `json:"channel" export:"yes"`
	Address string           `json:"address" export:"yes"`
	Locale  string           `json:"locale,omitempty" export:"yes"`
}

// Stored returns a contact as it is stored.
func Stored(c civicpin.Contact) Contact {
	return Contact{Channel: c.Channel, Address: c.Address, Locale: c.Locale}
}

// Contact returns a stored contact as callers see it.
func (c Contact) Contact() civicpin.Contact {
	return civicpin.Contact{Channel: c.Channel, Address: c.Address, Locale: c.Locale}
}

// Length returns how much of the contact's length in a record is its own, in bytes.
func (c *Contact) Length() int {
	text, _ := json.Marshal(c) // strings alone: no error
	return len(text) - len(`{"channel":"","address":""}`)
}

// An Unproved is an address that was given and not proved. It is a type of its own, so that nothing takes it where
// a contact is wanted.
type Unproved struct {
	Channel civicpin.Channel `json:"channel" export:"yes"`
	Address string           `json:"address" export:"yes"`
	Locale  string           `json:"locale,omitempty" export:"yes"`
}

// Given returns an address as it waits for its proof.
func Given(c civicpin.Contact) Unproved {
	return Unproved{Channel: c.Channel, Address: c.Address, Locale: c.Locale}
}

// Is reports whether the address is where a message was sent.
func (u *Unproved) Is(to Contact) bool {
	return u != nil && u.Channel == to.Channel && u.Address == to.Address
}

// The states of a [Mail].
const (
	Pending = "pending"
	Sent    = "sent"
	Failed  = "failed"
	None    = "none" // there is no address to send it to
)

// A Mail is a message of a record. Its token and code are kept, sealed, until a provider took them over.
type Mail struct {
	Name    string               `json:"name"` // within the record, to the outbox
	Kind    civicpin.MessageKind `json:"kind"`
	To      Contact              `json:"to"`
	Link    int                  `json:"link,omitempty"` // number of its link; zero for a notice
	Token   string               `json:"token"`
	Code    string               `json:"code"`
	Expires time.Time            `json:"expires"`
	Until   time.Time            `json:"until,omitzero"` // what a notice tells of ends then; zero if it ends with the mail
	State   string               `json:"state"`
}

// Notice reports whether the mail only tells of something.
func (m *Mail) Notice() bool { return m.Link == 0 }

// Open reports whether the mail has yet to be taken over by a provider.
func (m *Mail) Open(now time.Time) bool {
	return (m.State == Pending || m.State == Failed) && now.Before(m.Expires)
}

// Ends returns when that ends which a notice tells of.
func (m *Mail) Ends() time.Time { return cmp.Or(m.Until, m.Expires) }

// Erase drops the token and code. A mail that was not sent is sent no more.
func (m *Mail) Erase() {
	m.Token, m.Code = "", ""
	if m.State == Pending {
		m.State = None
	}
}

// Message returns the mail as the notifier gets it.
func (m *Mail) Message() civicpin.Message {
	return civicpin.Message{
		Kind: m.Kind, To: m.To.Contact(), Secret: civicpin.NewSecret(m.Code), Link: civicpin.NewSecret(m.Token),
		ExpiresAt: m.Expires,
	}
}

// ValidNotice checks the kind and the parameters of a notice that a caller gives.
func ValidNotice(kind civicpin.MessageKind, params map[string]string) error {
	if !names.Valid(string(kind), 64) {
		return fmt.Errorf("%w: the kind of a message is not 1 to 64 of ASCII letters, digits, period, - and _", civicpin.ErrInvalid)
	}
	if len(params) > 8 {
		return fmt.Errorf("%w: more than 8 parameters", civicpin.ErrInvalid)
	}
	for k, v := range params {
		if !names.Valid(k, 32) || !names.Printable(v, 256) {
			return fmt.Errorf("%w: a parameter is empty, too long or not printable", civicpin.ErrInvalid)
		}
	}
	return nil
}
