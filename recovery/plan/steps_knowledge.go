package plan

import (
	"slices"

	"github.com/civicpin/civicpin"
)

// Captcha asks that the caller has told a person from a machine. It comes first, if at all. It is answered by Answers.Captcha.
type Captcha struct{}

func (Captcha) check(before *progress) string {
	if before.steps > 0 {
		return "comes first"
	}
	return ""
}

// Facts asks for facts that Config.Register knows of the subject: "birth-day", "document-expiry". 1 to 8 names. Facts that
// others know, too, slow a guesser down and prove nothing: a plan gets no credit for them.
type Facts []string

func (s Facts) check(before *progress) string {
	if !before.around.Register {
		return "needs Config.Register"
	}
	if before.facts || len(s) == 0 || len(s) > 8 || slices.Contains(s, "") {
		return "not 1 to 8 names, or a second such step"
	}
	return ""
}

// Image asks for the image that the subject chose when they enrolled, among Config.Images.
type Image struct{}

func (Image) check(before *progress) string {
	if before.around.Images < 2 {
		return "needs Config.Images"
	}
	return ""
}

// Questions asks so many of the questions that the subject enrolled answers to: always the same ones until the subject enrols
// others. It is for systems that must have it: OWASP ASVS 6.4.2 allows no such questions at
// all, and people guess one in five at the first try (Bonneau et al., WWW 2015).
type Questions struct {
	// Ask is how many questions are asked, 1 to 4. Required.
	Ask int
}

func (s Questions) check(before *progress) string {
	if s.Ask < 1 || s.Ask > 4 || s.Ask > before.around.Questions {
		return "Ask is not 1 to 4 of Config.Questions"
	}
	return ""
}

// Contacts asks to name contacts that the subject has proved: their addresses, typed. Messages of later steps, and the parts
// of a new secret, then go to these.
type Contacts struct {
	// AtLeast is how many are to be named: 1 to 4. Required.
	AtLeast int
	// Of lists the channels of which they may be; the order is that in which parts are assigned. Empty means any.
	Of []civicpin.Channel
}

func (s Contacts) check(*progress) string {
	if s.AtLeast < 1 || s.AtLeast > 4 {
		return "AtLeast is not 1 to 4"
	}
	return ""
}
