package outbox

import (
	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/lockout"
)

// ErrBusy says that too many messages wait. It does not depend on the subject. It matches [lockout.ErrBusy].
var ErrBusy error = busyError{}

type busyError struct{}

func (busyError) Error() string        { return "outbox: too many messages wait" }
func (busyError) Is(target error) bool { return target == lockout.ErrBusy }

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
	// Replaces is the ID of a message of the same owner and subject that this one is sent in place of, if any: it takes over
	// the place of that one where it waits. It is no part of the name.
	Replaces string
}

// A Request names the messages of one act about a Subject, and the caller that asked for them.
type Request struct {
	// Refs name the messages. They have the Subject of the request.
	Refs    []Ref
	Subject civicpin.Subject
	// Decoy says that the subject has no such messages. Announce does the same work, and nothing is sent.
	Decoy bool
	// Limit counts the messages, and Others that are no entries, such as parts that the caller prints. A nil Limit counts
	// nothing: use it for notices of acts that were counted otherwise.
	Limit  *Limit
	Others int
	// By is the caller: an operator, civicpin.Citizen, or civicpin.Visitor, which the empty By means, too. A citizen counts as
	// any visitor: what opens a reserve is Source.Shown. See [Outbox.Limit].
	By civicpin.Actor
	// Source is where the request comes from. Without an Address there is no limit by source. Announce raises the class of each
	// message to at least Shown for an operator, and for a valid Source.Shown whose reserve is not used up.
	Source civicpin.Source
}
