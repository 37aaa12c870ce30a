package plan

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
