// Package civicpin is the vocabulary of a library for the secrets that citizens use at public portals: PINs and passwords
// that are issued, delivered in parts, exchanged, checked, locked, unlocked, recovered, upgraded and revoked.
//
// The library is headless: the caller brings a store and a [Notifier], and calls it from whatever serves its pages; the library
// brings the rules. Start with three packages: [github.com/civicpin/civicpin/store], whose Vault everything else is built on,
// [github.com/civicpin/civicpin/store/outbox], which sends through the Notifier, and [github.com/civicpin/civicpin/pin], which
// issues and checks credentials. This package holds only what they all name: [Subject], [Actor], [Source], [Contact],
// [Message], [Level], [Evidence], [Event] and [Secret]. It does no I/O.
//
// # Packages
//
//	civicpin         this vocabulary
//	store            the store contract (three methods), an implementation in memory, and the Vault around any of them
//	store/storetest  the contract's tests, for stores of your own
//	store/outbox     messages that are sent after a crash, too
//	store/audit      events chained by hash, so that tampering shows
//	lockout          attempt limits: take, verify, settle
//	pin              credentials: issue in parts, exchange, verify, change, attest, revoke
//	pin/rule         the rules by which a chosen secret or answer is refused
//	pin/breached     secrets known from breaches, by a local file
//	pin/state        the states of credentials and parts, and why a secret expired
//	otp              HOTP, TOTP, delivered one-time codes, backup codes
//	contact          a subject's addresses: add, prove, change, take over from staff, undo, notify
//	recovery         lost and locked secrets: runs of plans, from the start to a grant or an unlocked credential
//	recovery/plan    the plans that recoveries follow: steps and outcome, as Go values or JSON, and their rules
//	texts            ready texts for messages, in English, Spanish and Italian
//	web              what portals write between net/http and the services
//
// The adapters for databases (store/sqlite, store/sqlstore, store/natsstore, store/redisstore) and otelcivicpin, for
// OpenTelemetry, are modules of their own, so that no program inherits a driver that it does not use. The directory examples
// runs whole systems, each with its policies and plans.
//
// # Words
//
// A subject is the person or account that secrets belong to; as an actor, it is the [Citizen]. An operator is a member of
// staff. A visitor is the sender of a request, before anything is proved. An attacker is a visitor, or a reader of the store,
// who wants what is the subject's. A decoy stands in for an unknown subject, so that both cases look alike and cost the same.
//
// A vault seals the records of a store; a kind is a type of record. A gate counts the guesses at a secret, in lanes: a lock of
// one lane leaves the others open. A secret is issued in parts, over different channels, and is provisional until the subject
// exchanges it. A recovery is started, and leads through the steps of a plan; a completed one gives a grant: the right to set a
// new secret, once. A credential is created by an issue, an import or a plan that creates. A contact is established when it is
// proved and has cooled down.
//
// To redeem a link is to use it up; to inspect it is to look without effect. To repudiate is to say "it was not me". To attest
// is to record evidence of identity. To rebind is to start a new secret with clean counts. An epoch is the time between two
// acts that end what was under way: the sessions of a subject, or the recoveries.
//
// # Printable text
//
// The texts that callers give to be stored, logged or sent are printable: subjects, ids of operators, addresses of sources,
// reasons, lanes, facts, acts, parameters and references. Such a text is valid UTF-8 of characters that a reader sees, and
// ordinary blanks between them. A text with one of these is refused with an error that matches [ErrInvalid]:
//   - a control character, or a line or paragraph separator;
//   - a format character, such as a zero-width or bidirectional mark, or another that displays ignore;
//   - a blank other than the ordinary one, or a blank at either end;
//   - a private or unassigned character.
//
// A postal address may have several such lines.
//
// # Threat model
//
// An attacker may know the identifier of each subject, and may send any number of requests at once, through any number of
// processes. Such an attacker gets a bounded number of guesses for each secret, learns nothing about who is
// registered, and cannot make the service flood a telephone. A thief of the store's table can read no value and no
// identifier without the keys, which are kept elsewhere. A reader of one channel has only one part of what was sent in
// two. An operator never chooses or sees a lasting secret. A crash at any point loses nothing that was acknowledged.
// An attacker with the keys, or with code in the process, is outside the model; so is a writer to the table who puts an old
// row back in its place.
//
// What is in doubt is refused: the errors that a visitor may see are vague, and their causes go to a [Recorder].
//
// # Refusals
//
// A guess that is refused gives an event, such as pin.refused, by a [Visitor]. Its Reason is one of these words. They mean the
// same in all packages, and each package lists those that it uses. They are for the log: most of them tell whether a subject
// is known.
//
// The guess was compared, and counted as a failure:
//   - wrong: it did not match.
//   - unknown: there is no such subject, or the subject has nothing of the kind, or what the guess names is not the subject's.
//   - spent: a one-time code that was used already, or an older one.
//   - cancelled: a delivered code that was withdrawn, or that later ones took the place of.
//   - exhausted: a delivered code that was guessed at too often.
//   - suspended, revoked: the credential is.
//   - vacant: the credential waits for its first secret.
//   - unreadable: the stored hash is damaged, or a later release wrote it.
//   - factor: one of recovery.Config.Factors refused. It counts its failures itself.
//
// Nothing was found to be wrong:
//   - expired: the guess was right, and too late.
//   - unused: the guess was right, and was not used. A lock was set meanwhile, the store failed after the comparison, it took
//     too long, or another request was faster.
//   - locked: nothing was compared.
//   - busy: nothing was compared, since as many other guesses at the subject were in flight as may still fail.
//   - not checked: it is not known whether it was right. The store failed, or the caller hung up.
//
// # Stored-format compatibility
//
// Every stored value names the version of its format. What one release has stored, all later releases read; what a newer
// release has stored, an older one refuses to read and never overwrites. Codes of events, kinds of messages and names of
// policies' fields keep their meaning.
package civicpin
