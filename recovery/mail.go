package recovery

import (
	"context"
	"errors"
	"strings"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/token"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
)

// owner is the name under which the service's messages stand in the outbox.
const owner = "recovery"

// delivery is the service as the outbox sees it.
type delivery Service

var _ outbox.Owner = (*delivery)(nil)

// Confirm implements [outbox.Owner]: it gives the message only while the run still stands behind it.
func (d *delivery) Confirm(ctx context.Context, ref outbox.Ref) (civicpin.Message, error) {
	id, name, _ := strings.Cut(ref.ID, ".")
	if !token.ValidID(id) {
		return civicpin.Message{}, outbox.ErrWithdrawn
	}
	e, err := d.runs.Get(ctx, store.Key{ID: id})
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return civicpin.Message{}, err
	}
	r := &e.Value
	m := r.Mailed(name) // nil if there is no run
	if r.Subject != ref.Subject || m == nil || !r.Wants(m, d.vault.Now()) {
		return civicpin.Message{}, outbox.ErrWithdrawn
	}
	if r.Unsettled {
		if err := (*Service)(d).settle(ctx, e, outbox.ErrNotYet); err != nil {
			return civicpin.Message{}, err
		}
	}
	return notice(m.Message(), m.Ends()), nil
}

// Settle implements [outbox.Owner]. What was taken over is erased here: the provider has it, and nobody else needs it.
func (d *delivery) Settle(ctx context.Context, ref outbox.Ref, what outbox.Outcome) error {
	id, name, _ := strings.Cut(ref.ID, ".")
	if !token.ValidID(id) {
		return outbox.ErrWithdrawn
	}
	_, err := d.runs.Update(ctx, store.Key{ID: id}, func(e *store.Entry[run]) error {
		if !e.Found() || !e.Value.Settle(name, what.Failed, what.At) {
			return store.ErrSkip
		}
		e.Value.Pad()
		return nil
	})
	return err
}
