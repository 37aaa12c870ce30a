package texts

import (
	"context"
	"errors"

	"github.com/civicpin/civicpin"
)

// Notifier returns a [civicpin.Notifier] that words each message and passes it to send, with the message's id as the
// provider's idempotency key. What cannot be worded can never be delivered: it gives an error that matches
// [civicpin.ErrUndeliverable]. The Notifier is as safe for concurrent use as send is.
func (w *Writer) Notifier(
	send func(ctx context.Context, id string, to civicpin.Contact, t Text) (receipt string, err error),
) civicpin.Notifier {
	return civicpin.NotifierFunc(func(ctx context.Context, m civicpin.Message) (string, error) {
		t, err := w.Render(m)
		if err != nil {
			return "", errors.Join(civicpin.ErrUndeliverable, err)
		}
		return send(ctx, m.ID, m.To, t)
	})
}
