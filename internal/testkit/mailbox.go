package testkit

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/civicpin/civicpin"
)

// A Mailbox is a notifier that keeps what it is given, and gives the receipts "receipt-1", "receipt-2" and so on. Its
// methods are safe for concurrent use.
type Mailbox struct {
	// Fail, if set, decides about each message first: with an error, the message does not arrive. Calls of it do not overlap.
	// It is not to be set while messages are sent.
	Fail func(civicpin.Message) error
	// Refuse, if set, says which messages are refused, by Check and by Notify alike. It must be pure, and is not to be set
	// while messages are sent.
	Refuse func(civicpin.Message) error

	mu  sync.Mutex
	got []civicpin.Message
}

var _ civicpin.Checker = (*Mailbox)(nil)

// Check implements [civicpin.Checker].
func (m *Mailbox) Check(msg civicpin.Message) error {
	if m.Refuse == nil {
		return nil
	}
	return m.Refuse(msg)
}

// Notify implements [civicpin.Notifier].
func (m *Mailbox) Notify(_ context.Context, msg civicpin.Message) (string, error) {
	if err := m.Check(msg); err != nil {
		return "", err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.Fail != nil {
		if err := m.Fail(msg); err != nil {
			return "", err
		}
	}
	m.got = append(m.got, msg)
	return fmt.Sprintf("receipt-%d", len(m.got)), nil
}

// Messages returns what arrived, oldest first.
func (m *Mailbox) Messages() []civicpin.Message {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.got)
}

// To returns what came to an address of a kind, oldest first; of every kind if it is empty.
func (m *Mailbox) To(address string, kind civicpin.MessageKind) []civicpin.Message {
	return slices.DeleteFunc(m.Messages(), func(msg civicpin.Message) bool {
		return msg.To.Address != address || kind != "" && msg.Kind != kind
	})
}

// Last returns the last of what [Mailbox.To] returns, the zero message if there is none.
func (m *Mailbox) Last(address string, kind civicpin.MessageKind) civicpin.Message {
	if got := m.To(address, kind); len(got) > 0 {
		return got[len(got)-1]
	}
	return civicpin.Message{}
}
