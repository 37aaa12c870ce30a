package twoworlds

import (
	"errors"
	"slices"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/pin"
)

// A visible is a difference between two states that is there by design.
type visible struct {
	what string
	rule string // what allows it
	err  error  // the caller tells the visitor of no such error
	kind civicpin.MessageKind
}

// visibles lists what of a state is visible by design. The model does not compare it.
//
// Not on the list, since the model does not look at it: messages at the subject's own addresses, and at the telephone that the
// adversary shares; what the owner and the operators are told.
func visibles() []visible {
	return []visible{
		{
			what: "an issue is refused, since a secret is in use",
			rule: "pin.Service.Issue: visitors are not told of ErrWrongState, since for an unknown subject there is no such error",
			err:  pin.ErrWrongState,
		},
		{
			what: "the parts of an issue arrive at the contacts that a visitor typed, if no secret is in use",
			rule: "pin.Service.Issue: a citizen without a credential is issued one, to the contacts that the caller has",
			kind: pin.PartMessage,
		},
		{
			what: "a lock ends when the owner recovers, or an operator issues on evidence",
			rule: "a lock may be told, and so its end; failures that have not locked stay (lockout.Gate.Rebind)",
		},
		{
			what: "an operator issues, suspends, resumes or revokes what a visitor had asked for, or an undo or a repudiation" +
				" stops it: its parts end, wait, or go on",
			rule: "pin.Requests: the subject must be issued a secret then, where the parts that open nothing went, too",
		},
		{
			what: "a message that the owner had a run send without a proof, in the day after it: it counts as any visitor's",
			rule: "outbox.Limits: only what a proof opens has a place of its own; facts open theirs when the visitors' is used up",
		},
		{
			what: "which call sets a lock that was due before: by the guess of a process that died, or by limits that became stricter",
			rule: "a lock may be told; that it was set says that there was a call between, not whose",
		},
		{
			what: "a step of facts is passed by a visitor who knows them, if the subject is registered",
			rule: "plan.Facts: a guess, which is limited; its holder is no anonymous visitor",
		},
		{
			what: "the masked contact that is shown changes when the contact does",
			rule: "contact.Policy.Decoys: a visitor is shown the contact, masked, or a decoy",
		},
		{
			what: "for as long as a code lives, when the subject got or lost a contact: which codes make room for others",
			rule: "otp.Codes.Request: requests that lead nowhere must not have the real ones make room for them",
		},
	}
}

// visibleByDesign hides what of a view is visible by design.
func visibleByDesign(v View, err error) View {
	for _, d := range visibles() {
		if d.err != nil && errors.Is(err, d.err) && !ofTheStore(err) {
			v.Answer = answer(nil)
		}
	}
	return v
}

// arrivesByDesign reports whether a message is one whose arrival is visible by design.
func arrivesByDesign(m civicpin.Message) bool {
	return slices.ContainsFunc(visibles(), func(d visible) bool { return d.kind != "" && d.kind == m.Kind })
}

// seen returns what the store calls of an act tell. Events that follow each other count as one: a lock that the guess of a dead
// process set is recorded by whichever call comes first, the owner's, too.
func seen(calls []call) []call {
	return slices.CompactFunc(calls, func(a, b call) bool { return a.what == "event" && b.what == "event" })
}
