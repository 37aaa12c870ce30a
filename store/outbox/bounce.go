package outbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/names"
	"github.com/civicpin/civicpin/store"
)

// ErrNoReceipt says that no notice has that receipt: it is of another message, is forgotten, or is not stored yet.
var ErrNoReceipt = errors.New("outbox: no notice has that receipt")

// receiptsFor is how long a provider may take to report on a notice: longer than a recovery rests.
const receiptsFor = 60 * 24 * time.Hour

// receipt names the notice that a provider took over under an id, which is the key.
type receipt struct {
	Owner   string           `json:"o" export:"yes"`
	Subject civicpin.Subject `json:"s" export:"subject"`
	ID      string           `json:"i" export:"yes"`
}

// Bounced tells the owner of a notice that a provider had taken the notice over, and reports now that it did not arrive. A
// recovery that rests does not count on such a notice any more. The receipt is the id that the notifier returned; if the ids
// of several providers could be equal, let the notifier put the provider's name in front. Call it for every message that
// bounces, unless pin.Service.Receipt knows the receipt. A second call changes nothing. Errors:
//   - [civicpin.ErrInvalid]: the receipt is not 1 to 256 printable bytes.
//   - [ErrNoReceipt]: let the provider report again, for some minutes.
//   - the owner's, and the store's: call it again.
func (o *Outbox) Bounced(ctx context.Context, id string) error {
	if id == "" || !names.Printable(id, 256) {
		return fmt.Errorf("outbox: %w: a receipt is 1 to 256 printable bytes", civicpin.ErrInvalid)
	}
	e, err := o.receipts.Get(ctx, store.Key{ID: id})
	if errors.Is(err, store.ErrNotFound) {
		return ErrNoReceipt
	}
	if err != nil {
		return fmt.Errorf("outbox: bounced: %w", err)
	}
	ref := Ref{Owner: e.Value.Owner, Subject: e.Value.Subject, ID: e.Value.ID}
	owner, _ := o.owner(ref.Owner)
	if owner == nil {
		return fmt.Errorf("outbox: bounced: %q is not registered", ref.Owner)
	}
	// The dispatcher may have died before it told the owner that the notice was taken over. Told afterwards, that would hide the
	// bounce; told twice, it changes nothing.
	err = o.tell(ctx, owner, ref, Outcome{Receipt: id, At: o.vault.Now()})
	if err == nil {
		err = o.tell(ctx, owner, ref, Outcome{Failed: true, Receipt: id, Reason: bouncedReason, At: o.vault.Now()})
	}
	if err != nil {
		return fmt.Errorf("outbox: bounced: %w", err)
	}
	o.record(ctx, eventBounced, ref, id)
	return nil
}

const bouncedReason = "reported by the provider"
