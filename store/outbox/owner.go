package outbox

import (
	"context"
	"errors"
	"time"

	"github.com/civicpin/civicpin"
)

// ErrWithdrawn says that an owner's record does not want a message sent: the message is unknown, or was replaced, used, erased,
// or accepted already, or has expired.
var ErrWithdrawn = errors.New("outbox: withdrawn")

// ErrNotYet says that an owner's record wants a message sent later. The owner is asked again, without end.
var ErrNotYet = errors.New("outbox: not yet")

// An Owner holds messages in records of its own. Its methods must be safe for concurrent use and mind their context. Both get
// a ref that has Owner, Subject and ID only. A panic in one counts as an error. Errors must not hold secrets.
type Owner interface {
	// Confirm returns the message if the owner's record, as it is now, wants it sent. It must read the record, not a copy. It
	// is called several times for one message. The outbox sets the message's ID. Errors:
	//   - [ErrWithdrawn]: the record does not want the message sent. The entry is dropped.
	//   - [ErrNotYet]: the record wants the message sent later. The owner is asked again, without end.
	//   - any other: the owner cannot tell. It is asked again for about a day, and then the message becomes a dead letter.
	//
	// A message that was settled as failed is still confirmed, as long as it would do good, so that [Outbox.Retry] can
	// send it; one that was settled as accepted is withdrawn.
	Confirm(ctx context.Context, ref Ref) (civicpin.Message, error)
	// Settle writes what became of a message into the owner's record. The outbox may call it more than once for one outcome,
	// and for a message that was replaced meanwhile: then it changes nothing and returns nil or an error that matches
	// [ErrWithdrawn]. A notice that was settled as accepted may be settled as failed later: it bounced. If it is then settled as
	// accepted once more, that changes nothing. After any other error Settle is called again for about a day; the message is not
	// sent again for that.
	Settle(ctx context.Context, ref Ref, what Outcome) error
}

// An Outcome is what became of a message.
type Outcome struct {
	// Failed is false if the provider took the message over, and true if it will not be tried again.
	Failed bool
	// Receipt is the provider's id of an accepted message; empty if the provider gave none, or one that is not at most 256
	// printable bytes.
	Receipt string
	// Reason says why a message failed, for operators, without its secret.
	Reason string
	// At is when the provider took the message over or reported on it, or when it was given up, by the vault's clock.
	At time.Time
}
