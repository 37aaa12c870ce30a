package outbox

import "github.com/civicpin/civicpin"

const (
	eventSent         civicpin.EventCode = "outbox.sent"
	eventRetried      civicpin.EventCode = "outbox.retried"
	eventDead         civicpin.EventCode = "outbox.dead"
	eventExpired      civicpin.EventCode = "outbox.expired"
	eventWithdrawn    civicpin.EventCode = "outbox.withdrawn"
	eventHeld         civicpin.EventCode = "outbox.held"
	eventFlood        civicpin.EventCode = "outbox.flood"
	eventMerged       civicpin.EventCode = "outbox.merged"
	eventBounced      civicpin.EventCode = "outbox.bounced"
	eventUnconfirmed  civicpin.EventCode = "outbox.unconfirmed"
	eventUnsettled    civicpin.EventCode = "outbox.unsettled"
	eventRequeued     civicpin.EventCode = "outbox.requeued"
	eventStuck        civicpin.EventCode = "outbox.stuck"
	eventUnknownOwner civicpin.EventCode = "outbox.unknown_owner"
	eventUnreadable   civicpin.EventCode = "outbox.unreadable"
	eventStalled      civicpin.EventCode = "outbox.stalled"
	eventNotDurable   civicpin.EventCode = "outbox.not_durable"
)

// Events returns the events that this package records, as a new slice. An event about a message has its subject, and the ID of
// its [Ref] as Ref. In outbox.held Ref is a keyed hash of the address or country: nothing leads back to the address; ask
// [Outbox.Held] for a subject who complains. It is recorded at most once an hour for each. In outbox.flood Ref is the country's
// calling code; each process counts its own messages, and records it once an hour. outbox.unknown_owner is recorded once for
// each name, and outbox.stalled once until the store can be read again.
func Events() []civicpin.EventInfo {
	return []civicpin.EventInfo{
		{Code: eventSent, Meaning: "The provider took a message over.", Reasons: []string{"the provider's receipt"}},
		{
			Code: eventRetried, Meaning: "A try failed; another will follow.",
			Reasons: []string{"the notifier's error, without the secret"},
		},
		{Code: eventDead, Meaning: "A message became a dead letter.", Reasons: []string{
			"the error of the notifier or the owner, without the secret",
			"no try came to an end", "the queue of the address cannot be opened",
		}},
		{
			Code: eventExpired, Meaning: "A message was given up: its secret expired, or its turn would come too late.",
			Reasons: []string{"nearly expired", "too many messages to one address", "too many messages to one country"},
		},
		{Code: eventWithdrawn, Meaning: "An entry was dropped, since its owner's record does not want the message."},
		{
			Code: eventHeld, Meaning: "Messages of a class wait, since their address or country got as many as Limits allow.",
			Reasons: []string{"the name of the class", "country"},
		},
		{Code: eventFlood, Meaning: "A country's telephones get more messages that are not held than Limits allow of class Typed."},
		{Code: eventMerged, Meaning: "A notice went as one with another to the same address."},
		{Code: eventBounced, Meaning: "A notice bounced: a provider had taken it over.", Reasons: []string{"the provider's receipt"}},
		{
			Code: eventUnconfirmed, Meaning: "An owner could not tell whether it wants a message sent, and is asked again.",
			Reasons: []string{"the owner's error"},
		},
		{
			Code: eventUnsettled, Meaning: "An owner could not write down what became of a message, and is told again.",
			Reasons: []string{"the owner's error"},
		},
		{Code: eventRequeued, Meaning: "A dead letter was put back by Retry."},
		{
			Code: eventStuck, Meaning: "The notifier neither returns nor minds its context; the channel waits for it.",
			Reasons: []string{"the channel"},
		},
		{
			Code: eventUnknownOwner, Meaning: "This process leaves entries alone, since their owner is not registered in it.",
			Reasons: []string{"the name of the owner"},
		},
		{
			Code: eventUnreadable, Meaning: "Entries, or the queue of an address, cannot be opened, and are left alone.",
			Reasons: []string{"entries that cannot be opened are left alone", "the queue of the address"},
		},
		{Code: eventStalled, Meaning: "The store cannot be read; Run goes on trying.", Reasons: []string{"the store's error"}},
		{Code: eventNotDurable, Meaning: "Run started on a store that cannot list.", Reasons: []string{
			"messages that wait when this process ends are lost",
		}},
	}
}
