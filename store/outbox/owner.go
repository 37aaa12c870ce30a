package outbox

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/names"
	"github.com/civicpin/civicpin/store"
)

// maxOwner is how long the name of an owner may be.
const maxOwner = 64

// ErrWithdrawn says that an owner's record does not want a message sent: it does not know it, or it was replaced, used,
// erased, expired, or accepted already.
var ErrWithdrawn = errors.New("outbox: withdrawn")

// ErrNotYet says that an owner's record wants a message sent, and not now. The owner is asked again, without end.
var ErrNotYet = errors.New("outbox: not yet")

// A Ref names a message.
type Ref struct {
	// Owner is the name under which the owner of the message is registered.
	Owner string
	// Subject is whom the message is about.
	Subject civicpin.Subject
	// ID is the owner's own name of the message, 1 to 256 bytes of printable UTF-8, and unique with the subject. It is
	// not secret: events show it. One ID names one message for good.
	ID string
	// Class says which limit of its address the message counts against. It is no part of the name.
	Class Class
	// Replaces is the ID of a message of the same owner and subject that this one is sent in place of, if any: it takes over the
	// place of that one where it waits. It is no part of the name.
	Replaces string
}

// Validate returns nil, or an error that matches [civicpin.ErrInvalid].
func (r Ref) Validate() error {
	if err := r.Subject.Validate(); err != nil {
		return err
	}
	if !names.Valid(r.Owner, maxOwner) {
		return fmt.Errorf(
			"outbox: %w: the owner's name is not 1 to 64 letters, digits, dots, hyphens and underscores", civicpin.ErrInvalid,
		)
	}
	if len(r.Replaces) > 256 || r.ID == "" || len(r.ID) > 256 || !utf8.ValidString(r.ID) || strings.ContainsFunc(r.ID, unicode.IsControl) {
		return fmt.Errorf("outbox: %w: a message id is 1 to 256 bytes of printable UTF-8", civicpin.ErrInvalid)
	}
	return nil
}

// key is where the entry of a message is stored. A name holds no slash, so that two refs never share a key.
func (r Ref) key() store.Key { return store.Key{Subject: r.Subject, ID: r.Owner + "/" + r.ID} }

// refOf undoes key.
func refOf(k store.Key) Ref {
	owner, id, _ := strings.Cut(k.ID, "/")
	return Ref{Owner: owner, Subject: k.Subject, ID: id}
}

// messageID is the same for every try, over restarts and processes, and tells nothing about the subject.
func (o *Outbox) messageID(r Ref) string {
	h := o.vault.Hash("outbox.message", r.Owner, string(r.Subject), r.ID)
	return hex.EncodeToString(h[:16])
}

// An Owner holds messages in records of its own. Its methods must be safe for concurrent use and mind their context. A
// panic in one counts as an error. Errors must not hold secrets.
type Owner interface {
	// Confirm returns the message if the owner's record, as it is now, wants it sent, and otherwise an error that
	// matches [ErrWithdrawn], or [ErrNotYet] if it is to be asked again later. Any other error means that it cannot tell: it is
	// asked again as well, about a day long, and then the message becomes a dead letter. It must read the record, not a copy. It is called several times for one message. The outbox sets the message's ID.
	//
	// A message that was settled as failed is still confirmed, as long as it would do good, so that [Outbox.Retry] can
	// send it; one that was settled as accepted is withdrawn.
	Confirm(ctx context.Context, ref Ref) (civicpin.Message, error)
	// Settle writes what became of a message into the owner's record. It may come more than once for one outcome, and
	// for a message that was replaced meanwhile: then it changes nothing and returns nil or an error that matches
	// [ErrWithdrawn]. After any other error it is called again later, about a day long; the message is not sent again for that.
	Settle(ctx context.Context, ref Ref, what Outcome) error
}

// An Outcome is what became of a message.
type Outcome struct {
	// Failed is false if the provider took the message over, and true if it will not be tried again.
	Failed bool
	// Receipt is the provider's id of an accepted message; empty if the provider gave none, or one over 256 bytes.
	Receipt string
	// Reason says why a message failed, for operators, without its secret.
	Reason string
	// At is when, by the vault's clock.
	At time.Time
}
