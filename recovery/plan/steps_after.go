package plan

import "time"

// Wait has the recovery rest while the subject's contacts, who are told, can end it. It comes after a proof. See [NoticeTime].
type Wait struct {
	// For is how long the recovery rests: 72 hours to 30 days. Required.
	For time.Duration
}

func (s Wait) check(before *progress) string {
	if before.guesses+before.possession == 0 {
		return "comes after a guess or a proof, or strangers could have people told" // rule 7
	}
	if s.For < LeastRest || s.For > mostRest {
		return "For is not 72 hours to 30 days"
	}
	return ""
}

// Terms asks that the subject accepts terms. It comes after a proof. It is answered by Answers.Terms, the version.
type Terms struct {
	// Version is the caller's name of the terms, 1 to 64 bytes, "2026-01": it is what the subject accepts. Required.
	Version string
}

func (s Terms) check(before *progress) string {
	if before.possession == 0 {
		return "comes after a proof: before it, the visitor may be a stranger"
	}
	if s.Version == "" || len(s.Version) > 64 {
		return "Version is not 1 to 64 bytes"
	}
	return ""
}

// Enrol asks for an image, and for answers to questions, that later recoveries ask for. It comes after a proof, and counts once
// the recovery is completed. A link's user takes the run over as it is: what somebody else enrolled before would be the user's.
type Enrol struct {
	// Image has the subject choose an image. False means that none is asked for; then Questions is required.
	Image bool
	// Questions is how many questions the subject answers, 0 to 8, and at most as many as Config.Questions has. Zero means none;
	// then Image is required.
	Questions int
}

func (s Enrol) check(before *progress) string {
	if before.possession == 0 {
		return "comes after a proof, or whoever knows the facts could choose answers for the subject who then uses the link"
	}
	before.enrols = true
	if !s.Image && s.Questions == 0 || s.Questions < 0 || s.Questions > 8 || s.Questions > before.around.Questions ||
		s.Image && before.around.Images < 2 {
		return "asks for nothing, or for more than Config.Questions or Config.Images have"
	}
	return ""
}
