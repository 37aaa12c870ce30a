package soak

import (
	"context"
	"sync"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/pin"
)

// patience is how long a citizen waits for a message.
const patience = 20 * time.Second

// mail hands what is sent to whoever waits for it, and drops the rest: codes, which are shown, and notices.
type mail struct {
	mu      sync.Mutex
	waiting map[letter]chan civicpin.Secret
}

// letter is what somebody waits for: one sort of message, at one address.
type letter struct {
	address string
	kind    civicpin.MessageKind
}

// awaited is a letter that somebody waits for.
type awaited struct {
	letter
	mail *mail
	text chan civicpin.Secret
}

// Notify implements civicpin.Notifier.
func (m *mail) Notify(_ context.Context, msg civicpin.Message) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	l := letter{msg.To.Address, msg.Kind}
	if c, ok := m.waiting[l]; ok {
		delete(m.waiting, l)
		text := msg.Link
		if msg.Kind == pin.PartMessage {
			text = msg.Secret
		}
		c <- text // has room for one
	}
	return msg.ID, nil
}

// wait begins to wait for the next message of a kind to an address.
func (m *mail) wait(address string, kind civicpin.MessageKind) *awaited {
	m.mu.Lock()
	defer m.mu.Unlock()
	a := &awaited{letter{address, kind}, m, make(chan civicpin.Secret, 1)}
	m.waiting[a.letter] = a.text
	return a
}

// forget stops waiting.
func (a *awaited) forget() {
	a.mail.mu.Lock()
	defer a.mail.mu.Unlock()
	delete(a.mail.waiting, a.letter)
}

// read waits until a letter comes, and reports whether it did.
func (w *crowd) read(ctx context.Context, a *awaited) (civicpin.Secret, bool) {
	select {
	case text := <-a.text:
		return text, true
	case <-ctx.Done():
	case <-time.After(patience):
		w.Break("%s did not come in %v", a.kind, patience)
	}
	return civicpin.Secret{}, false
}
