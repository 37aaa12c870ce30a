package outbox

import (
	"fmt"
	"strings"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/guard"
)

// An UnsendableError says that the notifier would refuse a message of this Kind over this Channel. It matches
// [civicpin.ErrInvalid] and what the notifier's Check returned.
type UnsendableError struct {
	Kind    civicpin.MessageKind
	Channel civicpin.Channel
	Err     error // from the notifier's Check
}

// Error returns one line, also if the notifier's error joins several.
func (e *UnsendableError) Error() string {
	why := strings.ReplaceAll(fmt.Sprint(e.Err), "\n", ": ")
	return fmt.Sprintf("outbox: the notifier refuses message %q over channel %q: %s", string(e.Kind), string(e.Channel), why)
}

// Unwrap returns [civicpin.ErrInvalid] and the notifier's error.
func (e *UnsendableError) Unwrap() []error { return []error{civicpin.ErrInvalid, e.Err} }

// Check asks the notifier whether it would send a message like m over each of the channels. Owners call it before they count
// or write anything, with a sample: m.To has no channel and no address, and m.Secret and m.Link open nothing. A notifier that
// is no [civicpin.Checker] is not asked, and no notifier is asked about channels that the caller prints for. Check makes no
// call to the store.
//
// The channels are those of a policy, or one that the request itself names, and never those of a subject's contacts: an
// answer that depended on the subject would reveal who is registered. For the same reason an empty m.To.Locale asks for every
// language. The error is nil, or an [*UnsendableError] about the first channel over which the message is refused.
func (o *Outbox) Check(m civicpin.Message, channels ...civicpin.Channel) error {
	checker, ok := o.notifier.(civicpin.Checker)
	if !ok {
		return nil
	}
	for _, c := range channels {
		if c.Printed() {
			continue
		}
		m.To = civicpin.Contact{Channel: c, Locale: m.To.Locale}
		if err := guard.Call(func() error { return checker.Check(m) }); err != nil {
			return &UnsendableError{Kind: m.Kind, Channel: c, Err: err}
		}
	}
	return nil
}
