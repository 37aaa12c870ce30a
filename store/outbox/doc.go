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
// and states. The outbox keeps only an entry that names it, a [Ref], and no text. Three steps queue a message:
//
//  1. [Outbox.Add] writes the entry.
//  2. The owner writes its record.
//  3. [Outbox.Commit] puts right what a dispatcher did to the entry between 1 and 2, and wakes the dispatcher.
//
// Only then does the owner tell its caller that the message will be sent. The dispatcher, which [Outbox.Run] is, asks the
// owner for each entry that is due whether its record still wants the message ([Owner.Confirm]). If it does, the
// dispatcher claims the entry by one conditional write, calls the notifier, tells the owner ([Owner.Settle]), and deletes
// the entry. If it does not, the entry is dropped. So a process that dies
//
//   - before step 2 leaves an entry that no record confirms: nothing is sent;
//   - after step 2 leaves an entry that is sent by the next dispatcher that sees it, in whichever process;
//   - while it sends leaves a claim that runs out after Options.Timeout and a minute; then it is tried again.
//
// # What is promised
//
// What Commit acknowledged is sent, or ends as a dead letter, or is withdrawn by its owner; nothing else happens to it. No
// clock is trusted for that. What the record does not confirm at the moment before sending is not sent.
//
// A message is sent once, except where nobody can know: if the process dies, or is paused for longer than its claim
// lasts, or loses the store for as long, after the notifier took the message and before that was written down, or if the
// notifier is cut off by Options.Timeout although the provider took the message. Then it is sent again, with the same
// [civicpin.Message].ID; give that to the provider as idempotency key.
//
// # Failures
//
// An error of the notifier is tried again after a growing delay with some jitter: by default after about 10 seconds, 20,
// 40 and so on up to one hour, 12 tries in all, which takes some three hours and a half. Then, or at once if the error
// matches [civicpin.ErrUndeliverable], the message becomes a dead letter: the owner is told that it failed, and an operator
// finds it in [Outbox.DeadLetters] and may [Outbox.Retry] it. A message whose secret has expired is given up without a
// dead letter. A notifier that hangs is cut off after Options.Timeout, one that panics has failed for now; one that neither
// returns nor minds its context is called at most 16 times per channel before its channel waits for it.
//
// Each channel has senders of its own, and one address has one message under way at a time: a gateway that hangs
// holds up its own channel only, and a mailbox that hangs only itself. Within a channel the longest due goes first, of those
// that a process has found.
//
// # Limits
//
// The limits of messages are the outbox's, so all services of a program share them: see [Limits]. An owner says with the
// [Class] who caused a message. A message over the rate of its address, or of the country of a telephone, is held. It gets a
// place in the order in which the messages came, waits for its turn and loses no try. It is given up, and its owner told, if
// 64 of its class wait for the address already, or 100,000 for the country, if its turn would come after 31 days, or if less
// than a fifth of its life would be left. A message of class [Notice] is never held, so a flood of requests delays no
// warning. [EventHeld] says at most once an hour for each address that messages are held.
//
// # Several processes
//
// Any number of processes, and of Runs in one process, may work on one store with the same vault keys; each should have the
// same Options. An entry whose owner is not registered in a process is left to the others. A process finds its own new
// messages at once, and those of others in its next round.
//
// # Many messages
//
// Run looks for what is due in rounds, from the first entry to the last, and rests for Options.Poll between two rounds, or
// until something is due. One listing looks at no more than 10,000 entries, and takes no longer than Options.Timeout, or five
// seconds if that is less; the next goes on where it ended, after a pause of four times as long as it took, at most five
// seconds, which leaves the store to its users. So neither the memory nor the time of a listing grows with what waits, but a
// round has more of them: a million messages are a hundred listings. What is due is found within one round, wherever it lies.
// The place is kept in memory only, since a fresh start is right as well.
//
// A store that hangs holds up neither what is committed in this process, as long as single records can be read, nor what is
// being sent. Once it answers again, the next listing comes after Options.Timeout and five seconds at the latest.
// [EventStalled] tells of it, and [Outbox.Count] how much waits, and since when.
//
// # Stores that cannot list
//
// Entries are found by listing. On a store that is no [store.Lister] an entry is sent by the process that added it, or
// not at all: what waits when that process ends is lost. [Outbox.Durable] tells, and Run records [EventNotDurable].
//
// # Strangers
//
// A request for somebody who is not registered must cost what one for a citizen costs, or its duration tells who is
// registered. There the owner calls [Outbox.AddDecoy] in place of Add: it makes the same store calls and an entry of the
// same length, which the dispatcher drops after the same steps, without a notification.
//
// # Owners
//
// Implement [Owner], [Outbox.Register] it under a name of its own, and follow the three steps above. An ID names one message
// for good: to send a text again, or another in its place, use a new ID. Before the first step, ask [Outbox.Check] whether the
// notifier would refuse such a message: a call that says yes must not end in a dead letter.
package outbox
