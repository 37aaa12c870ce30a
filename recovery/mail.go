package recovery

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/letter"
	"github.com/civicpin/civicpin/internal/token"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
)

// owner is the name under which the service's messages stand in the outbox.
const owner = "recovery"

// The kinds of the messages of this package, listed in its documentation.
const (
	linkMail     civicpin.MessageKind = "recovery.link"
	activateMail civicpin.MessageKind = "recovery.activate"
	unlockMail   civicpin.MessageKind = "recovery.unlock"
	codeMail     civicpin.MessageKind = "recovery.code"
	waitingMail  civicpin.MessageKind = "recovery.waiting"
	doneMail     civicpin.MessageKind = "recovery.done"
	unlockedMail civicpin.MessageKind = "recovery.unlocked"
)

// delivery is the service as the outbox sees it.
type delivery Service

var _ outbox.Owner = (*delivery)(nil)

// mailed returns the mail of that name, nil if there is none.
func (r *run) mailed(name string) *letter.Mail {
	for i := range r.Mail {
		if r.Mail[i].Name == name {
			return &r.Mail[i]
		}
	}
	return nil
}

// Confirm implements [outbox.Owner]: it gives the message only while the run still stands behind it.
func (d *delivery) Confirm(ctx context.Context, ref outbox.Ref) (civicpin.Message, error) {
	id, name, _ := strings.Cut(ref.ID, ".")
	if !token.ValidID(id) {
		return civicpin.Message{}, outbox.ErrWithdrawn
	}
	e, err := d.runs.Get(ctx, store.Key{ID: id})
	if errors.Is(err, store.ErrNotFound) {
		return civicpin.Message{}, outbox.ErrWithdrawn
	}
	if err != nil {
		return civicpin.Message{}, err
	}
	r := &e.Value
	now := d.vault.Now()
	m := r.mailed(name)
	if r.Subject != ref.Subject || m == nil || !r.wants(m, now) {
		return civicpin.Message{}, outbox.ErrWithdrawn
	}
	msg := m.Message()
	if m.Kind == waitingMail {
		msg.Params = map[string]string{"until": m.Expires.UTC().Format(time.RFC3339)}
	}
	return msg, nil
}

// wants reports whether a mail is still to be sent.
func (r *run) wants(m *letter.Mail, now time.Time) bool {
	if !m.Open(now) {
		return false
	}
	if m.Notice() {
		return r.State == runOpen || r.State == runFinished
	}
	if m.Token == "" && m.Code == "" || r.State != runOpen || !now.Before(r.Expires) {
		return false
	}
	return token.Outstanding(r.Links, m.Link)
}

// Settle implements [outbox.Owner]. What was taken over is erased here: the provider has it, and nobody else needs it.
func (d *delivery) Settle(ctx context.Context, ref outbox.Ref, what outbox.Outcome) error {
	id, name, _ := strings.Cut(ref.ID, ".")
	if !token.ValidID(id) {
		return outbox.ErrWithdrawn
	}
	_, err := d.runs.Update(ctx, store.Key{ID: id}, func(e *store.Entry[run]) error {
		if !e.Found() {
			return store.ErrSkip
		}
		m := e.Value.mailed(name)
		if m == nil || m.State == letter.Sent || m.State == letter.None || what.Failed && m.State == letter.Failed {
			return store.ErrSkip
		}
		m.State = letter.Failed
		if !what.Failed {
			m.State, m.Token, m.Code = letter.Sent, "", ""
		}
		return nil
	})
	return err
}
