package outbox

import (
	"context"
	"fmt"
	"time"

	"github.com/civicpin/civicpin"
)

// Held is what the limits did to the messages of a subject, see [Outbox.Held].
type Held struct {
	// Waited is how many messages were held: some were sent since, some still wait. Expired is how many a limit gave up,
	// because too many waited or their turn would have come too late. Those given up at once are not among Waited; a message
	// that was held first and given up later counts in both.
	Waited, Expired int
	// FirstAt is when the first of them was held, within the last 24 hours; zero if there are none.
	FirstAt time.Time
}

// Held returns how many messages of a subject the limits of addresses and countries held since a day ago at most. Show it only
// to a caller with a proof, such as a login: it reveals that the subject has an address. Errors:
//   - [civicpin.ErrInvalid]: the subject is invalid.
//   - the store's.
func (o *Outbox) Held(ctx context.Context, subject civicpin.Subject) (h Held, err error) {
	if err := subject.Validate(); err != nil {
		return Held{}, err
	}
	if h.Waited, h.Expired, h.FirstAt, err = o.limits.Held(ctx, subject); err != nil {
		return Held{}, fmt.Errorf("outbox: held: %w", err)
	}
	return h, nil
}
