package plan

import (
	"time"

	"github.com/civicpin/civicpin"
)

// ConfirmContact shows the subject's contact on a channel, masked, to be confirmed; or corrected.
type ConfirmContact struct {
	// Channel is that of the contact that is shown, and of the other address if there is one. Not a printed channel. Required.
	Channel civicpin.Channel
	// MayCorrect lets another address be given instead. Otherwise the subject can confirm and no more. The link or code that
	// follows goes there, which proves that address but nothing about who has it. So unless an operator or another proof comes
	// after it, Wait is needed.
	MayCorrect bool
	// Wait is how long a recovery with a corrected contact rests while the old contacts, who are told, can end it: 72 hours
	// to 30 days; zero means that it does not rest. See [NoticeTime].
	Wait time.Duration
}

func (s ConfirmContact) check(before *progress) string {
	switch {
	case before.confirmed:
		return "comes once"
	case s.Channel == "" || s.Channel.Printed():
		return "needs a channel that is not printed"
	case s.MayCorrect && before.guesses+before.possession == 0:
		return "MayCorrect comes after a guess or a proof"
	case s.Wait != 0 && (!s.MayCorrect || s.Wait < LeastRest || s.Wait > mostRest):
		return "Wait needs MayCorrect, and is 72 hours to 30 days"
	case s.MayCorrect && before.outcome == Unlocked:
		return "an unlock corrects no contact"
	}
	return ""
}
