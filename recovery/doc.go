// Package recovery gives a secret back to who has lost it, or opens what wrong guesses have locked, in the way that the agency
// chooses: facts, images, questions, named contacts, links, typed codes, second factors, uploaded documents, staff, waiting.
//
// A [plan.Plan] is one such way, as a value of package plan: its steps, its limit, and its outcome. [New] makes a [Service]
// of any number of them. A visitor goes through a plan with [Service.Start], [Service.Answer] as often as [Run].Next asks,
// and [Service.Finish], which gives the grant that [pin.Service.Set] or [pin.Service.Reissue] wants:
//
//	run, err := rec.Start(ctx, "iess-clave", subject, source) // run.Ticket goes into a cookie; run.Next says what to ask
//	run, err = rec.Answer(ctx, run.Ticket, recovery.Answers{Facts: map[string]string{"birth-day": "14"}})
//	...
//	look, err := rec.Look(ctx, token)           // GET of the link: any mail scanner may
//	grant, err := rec.Finish(ctx, token, source) // POST behind a button: once
//	err = pins.Set(ctx, grant, chosen)
//
// [Service.Send] sends a link or code once more; [Service.Redeem] proves a link in the middle of a plan; [Service.Repudiate]
// is the link "it was not me". Staff begin with [Service.StartBy], look with [Service.Case], act with [Service.Assist], and
// lift a plan's lock with [Service.Unlock]. Contacts are kept by [Service.AddContact] and its kin, images and answers by
// [Service.EnrolAnswers].
//
// # What decides
//
// A run is one sealed record, and each of its steps one conditional write of it; steps come in the plan's order, none twice,
// none skipped. What a completed run comes to is one conditional write of the credential's own record, which names the state
// that the credential was in when the run began. So one completes, over any number of runs, links and processes, and with it,
// or with any other act upon the credential, all others end. Guesses are compared inside package lockout, after they were
// counted.
//
// A link and the code beside it are one token; up to three of a run are outstanding at a time, the first that is used ends all.
// A token opens what it was made for, was sent where the record says, and nothing else.
//
// # Threat model
//
// Strangers who know everybody's identifier: every call that they can make does the same store calls and the same hash work
// and gives the same answers whoever the subject is; what a plan shows before anything is proved is made up, and the same
// each time, for who is unknown; messages go through the outbox, with decoys. Guessers: a plan whose secrets could be
// guessed, or that rests on knowledge alone, does not construct. Who begins a recovery in somebody's name and has them click:
// a link hands the run to whoever used it, and its old ticket is worth nothing. Mail scanners: looking changes nothing. A
// thief of one contact: others are told and can say "it was not me"; a new contact cools down before it can recover anything;
// a corrected one rests first. Staff: they begin and approve, within hours and limits, and get no ticket, no token, no grant
// and no answer. Crashes: whatever was not acknowledged gave nothing to anybody, and the citizen can begin again.
//
// Not covered: who reads all channels of a citizen, and an operator whom a good forgery deceives. A recovery never raises the
// level of assurance; whether it should keep it is for the plan's author to decide.
//
// # Messages
//
// recovery.link, recovery.activate and recovery.unlock carry a link's token, a code, or both; recovery.code a code;
// recovery.waiting (parameter "until"), recovery.done and recovery.unlocked tell of a run and carry a token that disowns it;
// contact.prove carries a token, a code, or both, to a new address; contact.changed (parameter "change": added, changed,
// removed or primary) tells the others, with a token that undoes it. Package texts has words for all.
//
// # Events
//
// recovery.started, recovery.step (reason: which step was taken), recovery.sent (reason: the channel, or nobody),
// recovery.refused (reason: wrong, unknown, locked, busy, expired, factor, not checked), recovery.assisted (by staff),
// recovery.finished (reason: the outcome), recovery.cancelled, recovery.disowned, recovery.enrolled, and recovery.contact
// (reason: what became of one). Ref is the plan and the run's id. Locks are recorded by package lockout, grants and their use
// by package pin.
//
// # Stored-format compatibility
//
// The kinds "recovery.run", "recovery.contacts", "recovery.token" and "recovery.knowledge" are this package's, and the gates
// "recovery.PLAN". Later releases will read what earlier ones wrote. A plan may be changed at any time: runs under way whose
// steps or outcome it changes end.
package recovery
