// Package recovery runs plans: ways by which a citizen without a valid secret gets a new one, or lifts a lock. The plans are
// values of package recovery/plan, and the contacts of subjects belong to package contact.
//
//	run, err := rec.Start(ctx, "iess-clave", subject, source) // run.Ticket goes into a cookie; run.Next says what to ask
//	run, err = rec.Answer(ctx, run.Ticket, recovery.Answers{Facts: map[string]string{"birth-day": "14"}})
//	info, err := rec.Inspect(ctx, token)         // shows the landing page, which reads the token from the fragment
//	grant, err := rec.Finish(ctx, token, source) // POST behind a button, once; then pins.Set(ctx, grant, chosen, source)
//
// [Service.Send] sends a link or code again, [Service.Redeem] proves a link in the middle of a plan, and [Service.Repudiate] is
// for the link "it was not me". Operators call [Service.StartBy], [Service.ShowCase], [Service.Decide] and [Service.Unlock].
//
// # What decides
//
// A run is one sealed record, and each step one conditional write of it. A conditional write of the credential completes the
// run and names the credential's epoch at the start. So one run completes, and completing it, like any other act upon the
// credential, ends all others. Guesses are compared inside package lockout, after they were counted.
//
// # Threat model
//
//   - Strangers: each call does the same work and gives the same answers for known and unknown subjects.
//   - Guessers: a plan whose secrets can be guessed, or that rests on knowledge alone, is invalid.
//   - An attacker who starts a run and has the subject click: a redeemed link moves the run to the holder of the link.
//   - A thief of one contact: all other contacts are told, and can repudiate the recovery.
//   - Operators: they approve within hours and limits, and get no ticket, token, grant or answer.
//
// Not covered: an attacker who reads all channels of a subject, and an operator whom a forgery deceives.
//
// # Errors
//
// Besides the errors that its documentation lists, each call returns the store's, for the log.
//
// # Events
//
// [Events] lists what is recorded of runs.
//
// # Stored-format compatibility
//
// The kinds "recovery.run" and "recovery.knowledge" are this package's, and the gates "recovery.PLAN". Later releases will read
// what earlier ones wrote. A change of a plan's steps or outcome ends its runs under way.
package recovery
