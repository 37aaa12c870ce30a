package plan

import (
	"crypto/sha256"
	"slices"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/lockout"
)

// An Outcome is what a completed plan comes to.
type Outcome string

// The outcomes.
const (
	// ChooseSecret gives a grant for Service.Set of package pin.
	ChooseSecret Outcome = "choose-secret"
	// ReissueInParts gives a grant for Service.Reissue of package pin, to contacts that the subject has proved.
	ReissueInParts Outcome = "reissue-in-parts"
	// Unlocked ends the lock that wrong logins brought about, if there is one.
	Unlocked Outcome = "unlocked"
)

// A Plan is one way to a new secret, or out of a lock: steps in their order, and what follows. It is plain data.
type Plan struct {
	// Name names the plan, "iess-clave"; runs and counts go by it, so never change it. 1 to 32 ASCII letters, digits and "-_.".
	// Required.
	Name string
	// Steps are asked for in this order; guesses that follow each other (Facts, Image, Questions, Contacts) together. Required.
	Steps []Step
	// Limit says how many wrong guesses at a subject are borne, over all runs of the plan. Required. As many wrong codes, typed
	// in one run, end that run. Over all runs wrong codes lock only near the ceiling: nine tenths of it, and at least Limit.
	// Its delays hold for answers alone. Devices is refused: a recovery remembers none. Without a Reserve, an attacker's wrong
	// guesses lock an owner out who has logged in or uses a known device. Without the limits of [lockout.Policy.WithRates], an
	// attacker tries one likely birthday on everybody.
	Limit lockout.Policy
	// Outcome is what a completed run comes to. Required.
	Outcome Outcome
	// Keeps is the highest level of assurance that is left after a recovery: the lower of the lost credential's level and
	// Keeps. Zero means [civicpin.Low]. [civicpin.High] takes an [Approval]. Changing it does not end runs.
	//
	// [civicpin.Substantial] is left by a run that operators approved, or that shows two possessions of different kinds: a
	// telephone, a mailbox, letters, a [Factor]. The parts of a new secret show theirs, too, at its exchange. Each was a contact
	// of the subject's before the run, and either an operator saw it or it was proved when the credential had its level already.
	// It is judged for each run: what falls short ends at Low, and the evidence stays as history. A plan of which no run could
	// leave it is refused, unless it ends in an unlock, which leaves the level as it is.
	Keeps civicpin.Level
	// Certified says that certified e-mail counts as a kind of its own beside e-mail. It takes an exception: both
	// are mailboxes, which are often read on one device.
	Certified bool
	// Creates says that the plan is for somebody who has no credential yet, or whose was revoked: it creates one, at level Low.
	// For everybody else such a plan leads nowhere. Only with ChooseSecret.
	//
	// If an address that the visitor gives can be its only proof, and it does not rest, it leads nowhere after a revocation,
	// either: whoever knows the facts would have the account of somebody whom the office has just protected.
	Creates bool
	// Valid is how long a run may take, apart from the time that it rests. Zero means one hour; at most 7 days. Its links and
	// codes end with it.
	Valid time.Duration
	// Grant is how long the grant may wait for its use. Zero means 15 minutes; at most 24 hours.
	Grant time.Duration
	// Repudiate is for how long a contact that is told of a completed recovery can say that it was not the subject's: see
	// Service.Repudiate of package recovery. Zero means 7 days; 1 to 60.
	Repudiate time.Duration
	// OwnChannels are the channels of the caller's own that Steps name; at most 16. Any other channel that is none of package
	// civicpin's is refused as misspelt. Empty means none. [Facilities].Mail says which of them are mailboxes.
	OwnChannels []civicpin.Channel
	// Exceptions accept what [Plan.Breaks] lists: each names one clause, and why. Empty means none.
	Exceptions []civicpin.Exception
}

// Corrects reports whether a visitor may give an address that was not proved.
func (p Plan) Corrects() bool {
	return slices.ContainsFunc(p.Steps, func(s Step) bool {
		confirm, ok := s.(ConfirmContact)
		return ok && confirm.MayCorrect
	})
}

// Hasty reports whether a valid plan creates credentials with no other proof than an address that the visitor gives, and at
// once.
func (p Plan) Hasty() bool {
	var all progress
	for _, s := range p.Steps {
		all.add(s)
	}
	return p.Creates && all.hasty()
}

// NoticeTime is how long a provider has to take the first notice of a rest over. A rest is that much longer than the plan says,
// for every subject and whenever the notice is taken over: an end that moved would tell. A run leads nowhere if no provider
// took a notice over in that time.
const NoticeTime = time.Hour

// Rests returns how long a run of the plan may rest at the most, each time with [NoticeTime].
func (p Plan) Rests() (all time.Duration) {
	for _, s := range p.Steps {
		var rests time.Duration
		switch s := s.(type) {
		case Wait:
			rests = s.For
		case ConfirmContact:
			rests = s.Wait
		}
		if rests > 0 {
			all += rests + NoticeTime
		}
	}
	return all
}

// Digest returns 16 bytes that tell whether a run was started under the plan as it is now: they change with Steps, Outcome and
// Creates, and with nothing else. A step that is not of this package is an error that matches [ErrInvalid].
func (p Plan) Digest() ([]byte, error) {
	text, err := Plan{Steps: p.Steps, Outcome: p.Outcome, Creates: p.Creates}.MarshalJSON()
	h := sha256.Sum256(text)
	return h[:16], err
}
