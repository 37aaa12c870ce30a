package outbox

import "github.com/civicpin/civicpin"

// The events of this package. Each that is about a message has its subject, and its [Ref].ID as the event's Ref.
const (
	// EventSent: the provider took a message over; the reason is its receipt.
	EventSent civicpin.EventCode = "outbox.sent"
	// EventRetried: a try failed, another will follow; the reason is the notifier's error without the secret.
	EventRetried civicpin.EventCode = "outbox.retried"
	// EventDead: a message became a dead letter; the reason says why.
	EventDead civicpin.EventCode = "outbox.dead"
	// EventExpired: a message was given up: its secret expired or nearly, or its turn would come too late; the reason says so.
	EventExpired civicpin.EventCode = "outbox.expired"
	// EventWithdrawn: an entry was dropped because its owner's record does not want the message.
	EventWithdrawn civicpin.EventCode = "outbox.withdrawn"
	// EventHeld: messages of a class have to wait, because their address or country got as many as Limits allow. The reason is
	// the name of the class, or "country". Ref is a keyed hash of the address or country; recorded at most once an hour for
	// each. Nothing leads back to the address; ask [Outbox.Held] for a subject who complains.
	EventHeld civicpin.EventCode = "outbox.held"
	// EventFlood: the telephones of a country (Ref) get more messages that are not held than Limits let through of class Typed.
	// Each process counts its own, and records it once an hour.
	EventFlood civicpin.EventCode = "outbox.flood"
	// EventMerged: a notice went as one with another to the same address.
	EventMerged civicpin.EventCode = "outbox.merged"
	// EventUnconfirmed: an owner could not tell whether it wants a message sent, and is asked again; the reason is its error.
	EventUnconfirmed civicpin.EventCode = "outbox.unconfirmed"
	// EventUnsettled: an owner could not write down what became of a message, and is told again; the reason is its error.
	EventUnsettled civicpin.EventCode = "outbox.unsettled"
	// EventRequeued: a dead letter was put back by Retry.
	EventRequeued civicpin.EventCode = "outbox.requeued"
	// EventStuck: the notifier neither returns nor minds its context; the channel, which the reason names, waits for it.
	EventStuck civicpin.EventCode = "outbox.stuck"
	// EventUnknownOwner: this process leaves entries alone because their owner is not registered in it; the reason is the
	// owner's name. Recorded once for each name.
	EventUnknownOwner civicpin.EventCode = "outbox.unknown_owner"
	// EventUnreadable: entries cannot be opened, and are left alone.
	EventUnreadable civicpin.EventCode = "outbox.unreadable"
	// EventStalled: the store cannot be read; Run goes on trying. Once until it can be read again.
	EventStalled civicpin.EventCode = "outbox.stalled"
	// EventNotDurable: Run started on a store that cannot list.
	EventNotDurable civicpin.EventCode = "outbox.not_durable"
)
