// Package plan describes ways to recover a lost secret or to lift a lock: the steps that a visitor takes, in their order, and
// what a completed plan comes to. A [Plan] is plain data. It is written as a Go value or as JSON, validated against the
// configuration around it, and run by package recovery. This package does no I/O.
//
//	plan.Plan{
//		Name:    "forgotten",
//		Steps:   []plan.Step{plan.Captcha{}, plan.Facts{"birth-day"}, plan.Link{Channel: civicpin.Email, Valid: time.Hour}},
//		Limit:   lockout.Policy{Limit: 3, Lock: lockout.UntilUnlocked},
//		Outcome: plan.ChooseSecret,
//	}
//
// # Steps
//
// The visitor answers [Captcha], and then what a person knows: [Facts], [Image], [Questions] and [Contacts]. [ConfirmContact]
// shows a masked contact, which the visitor confirms or corrects. [Link], [Code] and [Factor] prove possession. [Documents] are
// uploads, and [Approval] is an approval by staff. [Wait], [Terms] and [Enrol] come after a proof. Steps of other packages are
// invalid.
//
// # What is valid
//
// [Plan.Validate] refuses plans that rest on knowledge alone, plans whose only proof is an address that the visitor gave a
// moment ago, plans by which one operator alone could choose a subject's secret, and plans that an attacker completes by
// guessing with a probability above [lockout.Budget]. Plan.Exceptions accept the last two and say why, see [Plan.Breaks].
// [Plan.GuessProbability] returns the figure.
//
// # JSON
//
// [Plan.MarshalJSON] writes each step as an object with one key, the step's name in lower camel case. [Plan.UnmarshalJSON]
// reads the same, and is strict. Names of fields and steps keep their meaning in later releases.
//
// Values of this package may be read by any number of goroutines.
package plan
