package texts

import (
	"context"
	"errors"
	"fmt"

	"github.com/civicpin/civicpin"
)

// Notifier returns a [civicpin.Notifier] that words each message and passes it to send, with the message's id as the
// provider's idempotency key. What cannot be worded can never be delivered: it gives an error that matches
// [civicpin.ErrUndeliverable]. The Notifier is a [civicpin.Checker] too, by [Writer.Check]; it takes every channel to have a
// route, and a [civicpin.ByChannel] around it tells which have one. It is as safe for concurrent use as send is.
func (w *Writer) Notifier(
	send func(ctx context.Context, id string, to civicpin.Contact, t Text) (receipt string, err error),
) civicpin.Notifier {
	return &notifier{Writer: w, send: send}
}

// notifier is what [Writer.Notifier] returns.
type notifier struct {
	*Writer
	send func(ctx context.Context, id string, to civicpin.Contact, t Text) (receipt string, err error)
}

var _ civicpin.Checker = (*Writer)(nil)

// Notify implements [civicpin.Notifier].
func (n *notifier) Notify(ctx context.Context, m civicpin.Message) (string, error) {
	t, err := n.Render(m)
	if err != nil {
		return "", errors.Join(civicpin.ErrUndeliverable, err)
	}
	return n.send(ctx, m.ID, m.To, t)
}

// Check implements [civicpin.Checker]: it returns nil if m can be worded, and otherwise an error that matches
// [civicpin.ErrUndeliverable] and what [Writer.Render] returns. An empty m.To.Address stands for any address, and an empty
// m.To.Locale for all three languages. A notifier of the caller's own that uses Render can pass its Check on to this one.
func (w *Writer) Check(m civicpin.Message) error {
	languages := []*language{w.in(m.To.Locale)}
	if m.To.Locale == "" {
		languages = []*language{&english, &spanish, &italian}
	}
	if m.To.Address != "" || m.To.Channel == "" {
		if err := m.To.Validate(); err != nil {
			return errors.Join(civicpin.ErrUndeliverable, fmt.Errorf("texts: %w", err))
		}
	}
	for _, lang := range languages {
		if _, err := w.render(m, lang); err != nil {
			return errors.Join(civicpin.ErrUndeliverable, err)
		}
	}
	return nil
}
