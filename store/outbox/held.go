package outbox

import (
	"context"
	"fmt"
	"time"

	"github.com/civicpin/civicpin"
)

// Held is what the limits did to the messages of a subject, see [Outbox.Held].
type Held struct {
	// Waited is how many messages waited for their turn, and may wait still. Expired is how many were given up, because too many
	// waited or their secret would have been nearly expired.
	Waited, Expired int
	// Since is when the first of them was held, within the last 24 hours; zero if there are none.
	Since time.Time
}

// Held returns how many messages of a subject the limits of addresses and countries held since a day ago at most. Show it only
// to a caller who has shown something, such as a login: it tells that the subject has an address. Errors:
//   - [civicpin.ErrInvalid]: the subject is invalid.
//   - the store's.
func (o *Outbox) Held(ctx context.Context, subject civicpin.Subject) (h Held, err error) {
	if err := subject.Validate(); err != nil {
		return Held{}, err
	}
	if h.Waited, h.Expired, h.Since, err = o.limits.Held(ctx, subject); err != nil {
		return Held{}, fmt.Errorf("outbox: held: %w", err)
	}
	return h, nil
}
