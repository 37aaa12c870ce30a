// Package contact keeps the addresses of subjects: telephones, mailboxes, apps. An address becomes a contact when its proof
// comes back, other contacts are told of each change, and each change can be undone by those that it concerns.
//
//	contacts, err := contact.New(out, contact.Policy{Undo: 7 * 24 * time.Hour}, pins)
//	candidate, err := contacts.Add(ctx, subject, address, civicpin.Citizen, source)
//	err = contacts.ProveCode(ctx, subject, typed, source) // or Prove, with the token of the link
//	told, err := contacts.Notify(ctx, subject, pin.NoticeChanged, nil)
//
// [Service.List] returns the contacts of a subject, [Service.Change], [Service.Remove] and [Service.MakePrimary] change them,
// and [Service.Adopt] takes contacts that the caller vouches for. [Service.Inspect] says what a link is for, and [Service.Undo]
// undoes a change. The package needs no credential and no recovery plan; package recovery rests on it.
//
// # What decides
//
// The contacts of a subject are one sealed record, and each act is one conditional write of it; the transitions are pure,
// in internal/contactbook. A code is compared inside package lockout, after the guess was counted. A token has 256 bits.
//
// # Threat model
//
// A thief who is logged in and changes the contacts: all others are told, also those that went, and can undo it for
// Policy.Undo. The thief of an old mailbox, who undoes its replacement: what was replaced stays disputed until staff have seen
// it ([Policy]). A contact that was added to others proves nothing until it has cooled down. The thief of a telephone: an
// operator removes it, and from then on links sent to it undo nothing. Mail scanners: inspecting changes nothing. Strangers:
// what is shown of the contact of an unknown subject is a decoy, the same each time. Not covered: an attacker who reads all
// channels of a subject; an operator who vouches for the wrong address.
//
// # Errors, events and messages
//
// Besides the errors that its documentation lists, each call returns the store's. Call again then. [Events] lists what is
// recorded, and [ProofMessage] and [NoticeChanged] are the kinds of messages.
//
// # Stored-format compatibility
//
// The kinds "contact.book" and "contact.token", and the gate "contact.proof". Later releases read what earlier ones wrote.
package contact
