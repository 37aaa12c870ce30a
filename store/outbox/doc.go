// Package outbox is a durable queue of messages: what has to be sent survives the process that promised it, and what no
// longer holds is not sent. The packages pin, otp, contact and recovery write to it. You make one, give it to them, and
// run it:
//
//	out, err := outbox.New(vault, notifier, nil)
//	...
//	pins, err := pin.New(out, pin.INPS())
//	...
//	err = out.Run(ctx) // in a goroutine of your own; or out.Flush(ctx) from a cron job
//
// That is all that most programs need. The rest of this page is for operating it, and for owners of messages of your own.
//
// # How a message gets out
//
// The owner of a message, say package pin, keeps the message in its own record: the parts of a PIN with their contacts
// and states. The outbox keeps only an entry that names it, a [Ref], and no text. [Outbox.Announce] queues messages:
//
//  1. It checks the request and counts it.
//  2. It writes an entry for each message.
//  3. It calls a function of the owner, which writes the owner's record.
//  4. It commits the entries: it puts right what a dispatcher did to them since step 2, and wakes the dispatcher.
//
// Only then does the owner tell its caller that the message will be sent. The dispatcher, which [Outbox.Run] is, asks the
// owner for each entry that is due whether its record still wants the message ([Owner.Confirm]). If it does, the
// dispatcher claims the entry by one conditional write, waits for the message's turn, calls the notifier, tells the owner
// ([Owner.Settle]), and deletes the entry. So a process that dies
//
//   - before step 3 leaves an entry that no record confirms: nothing is sent;
//   - after step 3 leaves an entry that is sent by the next dispatcher that sees it, in whichever process;
//   - while it sends leaves a claim that runs out after Options.Timeout and a minute; then it is tried again.
//
// # The states of an entry
//
// Due is when a dispatcher looks at an entry next. Tries counts its claims, except those that ended with held.
//
//	state              its fields                 who moves it on, and to what
//	added              Tries 0, Due now           a dispatcher asks the owner: claimed, in doubt, or due later
//	in doubt           Doubt 1, Due after Grace   Announce commits it: added. Else a dispatcher asks again
//	                                              at Due: claimed, or dropped
//	due                Due is past                a dispatcher asks the owner: claimed; in doubt, or, with
//	                                              Tries over 0, dropped; due later if the owner cannot tell,
//	                                              and after about a day of that a dead letter
//	due later          Due is to come             time: due
//	claimed            Tries one more, Due after  its dispatcher sends it, and it is sent, failed, due later,
//	                   Timeout and a minute       held, waiting for its country, or a dead letter. If its
//	                                              dispatcher died, time: due
//	held               Queue, Due is to come      time: due. Once claimed, it asks its queue again
//	waits for country  Turn 1, Slot               time, at Slot: due. It may look earlier, and waits on
//	sent, not told     Done 1, Receipt            a dispatcher tells the owner at each Due: dropped, and
//	                                              after about a day also if the owner fails
//	failed, not told   Done 2, Reason             the same
//	dead letter        no entry, but a record     an operator, with Retry: added. Options.KeepDead ends it
//	dropped            no entry                   its owner, with Announce: added
//
// An entry is sent or failed for as long as the owner was not told, and then dropped. The owner of a dead letter is told that
// it failed. A decoy (Decoy 1) is added, claimed, and dropped.
//
// # What is promised
//
// What Announce acknowledged is sent, alone or as one with other notices, or becomes a dead letter, or is withdrawn by its
// owner, or is given up because it expires or a limit would hold it for too long. No clock is trusted for that. What the record
// does not confirm at the moment before sending is not sent.
//
// A message is sent once, except where no process can know: if the process dies, or is paused for longer than its claim
// lasts, or loses the store for as long, after the notifier took the message and before that was written down, or if the
// notifier is cut off by Options.Timeout although the provider took the message. Then it is sent again, with the same
// [civicpin.Message].ID; give that to the provider as idempotency key.
//
// # Failures
//
// An error of the notifier is tried again after a growing delay with some jitter: by default after about 10 seconds, 20,
// 40 and so on up to one hour, 12 tries in all, which takes some three hours and a half. Then, or at once if the error
// matches [civicpin.ErrUndeliverable], the message becomes a dead letter: the owner is told that it failed, and an operator
// finds it in [Outbox.DeadLetters] and may [Outbox.Retry] it. So does a message whose owner fails to answer for about a day.
// [ErrNotYet] is no failure: it has the owner asked again without end. A message whose secret has expired is given up without
// a dead letter. A notifier that hangs is cut off after Options.Timeout, one that panics has failed for now; one that neither
// returns nor minds its context is called at most 16 times per channel before its channel waits for it.
//
// Each channel has senders of its own, and one address has one message under way at a time: a gateway that hangs
// holds up its own channel only, and a mailbox that hangs only itself. Within a channel the longest due goes first, of those
// that a process has found.
//
// # Limits
//
// The limits of messages are the outbox's, so all services of a program share them: see [Limits]. A request is refused, before
// anything is written and alike for all subjects, by its subject ([Outbox.Limit]) and its source. A caller who has shown
// something has a reserve that visitors cannot use up. Beyond 100,000 waiting messages that visitors caused, it is [ErrBusy].
//
// A message is not refused, but held. Its [Class] says which queue of its address it waits in; a message of class Typed to a
// telephone also waits for its country. Subjects who share an address take turns, a subject's messages go in their order, and
// a resend keeps the place of what it replaces. A held message loses no try. It is given up, and its owner told, if its turn
// would come after 31 days (3 for a country) or in the last fifth of its life; or if over 64 of its class wait for its address:
// then the subject with most of them loses its last. From the 20th notice in a day on, notices of one kind to a subject wait
// for an hour at most and go as one. [Outbox.Held] tells a citizen what waited, [EventHeld] an operator, and [EventFlood] of a
// country that gets too many messages of the classes that are not held for it.
//
// # Many processes, many messages
//
// Any number of processes, and of Runs in one process, may work on one store with the same vault keys; each should have the
// same Options. An entry whose owner is not registered in a process is left to the others. A process finds its own new
// messages at once, and those of others in its next round.
//
// Run looks for what is due in rounds, from the first entry to the last, and rests for Options.Poll between two rounds, or
// until something is due. A round is made of listings. One looks at no more than 10,000 entries, and takes no longer than
// Options.Timeout, or five seconds if that is more; the next follows after four times as long as it took, at most five seconds,
// which leaves the store to its users. Memory and time of a listing do not grow with what waits, and what is due is found
// within one round. A store that hangs holds up neither what this process announces, as long as single records can be read, nor
// what is being sent. [EventStalled] tells of it, and [Outbox.Count] how much waits, and since when.
//
// Entries are found by listing. On a store that is no [store.Lister] an entry is sent by the process that added it, or
// not at all: what waits when that process ends is lost. [Outbox.Durable] tells, and Run records [EventNotDurable].
//
// # Owners
//
// Implement [Owner], [Outbox.Register] it under a name of its own, and call [Outbox.Announce]. An ID names one message for
// good: to send a text again, or another in its place, use a new ID. Before that, ask [Outbox.Check] whether the notifier would
// refuse such a message: a call that says yes must not end in a dead letter.
//
// A request about an unknown subject must cost what one about a citizen costs, or its duration tells who is registered. There
// the owner sets Request.Decoy. Announce makes the same store calls and entries of the same length, which the dispatcher drops
// after the same steps, without a notification.
package outbox
