// Package outbox is a durable queue of messages. A message survives the process that promised it, and a message that its owner
// no longer wants is not sent. The packages pin, otp, contact and recovery write to the queue. Make an outbox, give it to them,
// and run it:
//
//	out, err := outbox.New(vault, notifier, nil)
//	...
//	pins, err := pin.New(out, pin.INPS())
//	...
//	err = out.Run(ctx) // in a goroutine of your own; or out.Flush(ctx) from a cron job
//
// Most programs need no more than that. The rest of this page is for operators, and for owners of messages of your own.
//
// # How a message gets out
//
// The owner of a message, such as package pin, keeps the message in its own record. The outbox keeps an entry, which names the
// message by a [Ref] and holds no text. [Outbox.Announce] queues messages:
//
//  1. It checks the request and counts it.
//  2. It writes an entry for each message.
//  3. It calls a function of the owner, which writes the owner's record.
//  4. It commits the entries: it puts right what a dispatcher did to them since step 2, and wakes the dispatcher.
//
// Then the owner tells its caller that the message will be sent. The dispatcher is [Outbox.Run]. It asks the owner of each due
// entry whether the record still wants the message ([Owner.Confirm]). If so, it claims the entry by one conditional write, asks
// the limits, calls the notifier, tells the owner ([Owner.Settle]), and deletes the entry. So a process that dies
//
//   - before step 3 leaves an entry that no record confirms: nothing is sent;
//   - after step 3 leaves an entry that the next dispatcher sends, in whichever process;
//   - while it sends leaves a claim. The claim ends after Options.Timeout and a minute, and the message is tried again.
//
// # What is promised
//
// What Announce acknowledged is sent, alone or merged with other notices, or becomes a dead letter, or is withdrawn by its
// owner, or is given up because it expires or a limit would hold it for too long. This does not depend on any clock. A message
// that the record does not confirm just before sending is not sent.
//
// A message is sent once, except where no process can know whether it was. It is sent again if, after the notifier took it and
// before that was written down, the process dies, pauses for longer than the claim, or loses the store for as long; or if
// Options.Timeout cuts off the notifier although the provider took the message. The [civicpin.Message].ID is then the same:
// give it to the provider as idempotency key.
//
// # Failures
//
// After an error of the notifier, the message is tried again: by default after about 10 seconds, 20, 40 and so on up to an
// hour, 12 tries in all, about three and a half hours. Then, or at once if the error matches [civicpin.ErrUndeliverable], the
// message becomes a dead letter: its owner is told that it failed, and an operator finds it in [Outbox.DeadLetters] and may
// [Outbox.Retry] it. So does a message whose owner fails to answer for about a day. [ErrNotYet] is no failure. A message whose
// secret has expired, or nearly, is given up without a dead letter. A notifier that panics has failed for now, and one that
// hangs is cut off after Options.Timeout. If 16 calls on a channel ignore their context, the channel waits until they return.
//
// Each channel has senders of its own, and sends one message at a time to an address. So a gateway that hangs holds up its
// own channel only, and a mailbox that hangs only itself. Within a channel, the higher [Class] goes first, then what has been
// due for longest, of those that a process has found.
//
// # The states of an entry
//
//	state        what it means                             Backlog  what moves it on, and to what
//	due          a dispatcher ought to look at it now      Due      a dispatcher asks the owner: sending; unconfirmed; later;
//	                                                                or gone, if the owner withdraws what it once confirmed
//	unconfirmed  the record did not want it at the first   Later    Announce commits it: due. Else, after Options.Grace, the
//	             look, and may not be written yet                   owner is asked again: sending, or gone
//	sending      a dispatcher has claimed it               Later    the outcome: gone, later, held, untold or a dead letter.
//	                                                                If the dispatcher dies, the end of the claim: due
//	later        a try failed, or the owner could not      Later    the end of its wait: due. After about a day without an
//	             tell, or its channel is stuck                      answer of the owner: a dead letter
//	held         its address or country got as many        Held     the end of its wait: due. Its limit is then asked again
//	             messages as Limits allow
//	untold       it was sent or failed, and its owner      Later    a dispatcher tells the owner: gone. After about a day also
//	             could not be told                                  if the owner fails
//	dead letter  it failed for good; a record says why     no       an operator, by Retry: due. Options.KeepDead: gone
//	gone         no entry: it was sent, merged, expired    no       its owner, by Announce: due
//	             or withdrawn
//
// A claim that ends in state held does not count as a try. A decoy stands for the message of an unknown subject (see Owners):
// it is due, then sending, then gone.
//
// # Limits
//
// All services of one outbox share its [Limits]. A request over the rate of its subject ([Outbox.Limit]), source or operator
// is refused, alike for all subjects, and nothing is written. The event lockout.slowed names the rate as its reason:
// quota.sends.NAME of a limit, quota.sends-source (all or typed ones), quota.sends-wide (of a /48 of IPv6, which counts as
// five sources), quota.sends-staff, or quota.sends-shown-KIND of a reserve. While about 100,000 messages of class Typed wait,
// further ones are refused with [ErrBusy].
//
// A reserve is a number of messages for a caller with a proof ([civicpin.Source].Shown), which visitors cannot use up. When it
// is used up, the open limits, those of subject and source, count as for any visitor:
//
//	proof (KIND)                    messages for the subject
//	a login (login)                 5 in 6 hours
//	a known device (device)         5 in 24 hours for each
//	a step of a recovery (run)      5 in 6 hours
//	facts in a recovery (facts)     3 in 24 hours, once the open limits are used up
//	an operator's id                no reserve: Limits.Operator counts instead of the open limits
//
// A message over the rate of its address or country is held until its turn. Each [Class] has a queue of its own at an address;
// the limit of a country applies to class Typed only. Subjects who share an address take turns, a subject's messages go in
// their order, and a resend keeps the place of the message that it replaces. A message is given up, and its owner told, if its
// turn would come after 31 days (3 for a country) or in the last fifth of its life. At most 64 messages of a class wait for one
// address. The next one displaces the newest message of the subject with the most. Notices are merged instead: see
// [Limits].Notice. [Outbox.Held] tells a subject what waited. outbox.held tells an operator, and outbox.flood that a country
// gets too many messages of the other classes.
//
// # Many processes, many messages
//
// Any number of processes, and of Runs in one process, may work on one store with the same vault keys. Give each the same
// Options. A process leaves an entry to the others if the entry's owner is not registered in it. It finds its own new messages
// at once, and those of others in its next round.
//
// Run looks for due entries in rounds, from the first entry to the last. Between two rounds it rests for Options.Poll, or until
// an entry is due. A round consists of listings, each of at most 10,000 entries and Options.Timeout, at least five seconds.
// After a listing, Run pauses for four times its duration, at most 5 seconds, to spare the store. Memory and time of a listing
// do not grow with the number of messages. A store whose listings hang holds up neither what this process announces nor what is
// being sent. outbox.stalled tells of it, and [Outbox.Count] how much waits, and since when. On a store that is no
// [store.Lister], only the process that added an entry sends it, and what waits when that process ends is lost: see
// [Outbox.Durable], outbox.not_durable.
//
// # Owners
//
// To send messages of your own, implement [Owner], and [Outbox.Register] it when the process starts. Then, for each message,
// ask [Outbox.Check] whether the notifier would refuse it, and only then call [Outbox.Announce]: a call that says yes must not
// end in a dead letter. An ID names one message for good: to send a text again, or another in its place, use a new ID. The
// names contact, recovery, pin.* and code.*, of owners and limits, are this library's own: begin yours with another word.
//
// A request about an unknown subject must cost what one about a known subject costs, or its duration reveals who is registered.
// For an unknown subject the owner sets Request.Decoy. Announce then makes the same store calls, and writes decoys: entries of
// the same length, which the dispatcher takes through the same steps and drops without a notification.
package outbox
