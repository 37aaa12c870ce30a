package recovery

import (
	"time"

	"github.com/civicpin/civicpin"
)

// A Step is one thing that a plan asks for. The types of this file are all there are.
type Step interface{ step() }

// Captcha asks that the caller has told a person from a machine. It comes first, if at all. It is answered by Answers.Captcha.
type Captcha struct{}

// Facts asks for facts that Config.Register knows of the subject: "birth-day", "document-expiry". At most 8 names. Facts that
// others know, too, slow a guesser down and prove nothing: a plan gets no credit for them.
type Facts []string

// Image asks for the image that the subject chose when they enrolled, among Config.Images.
type Image struct{}

// Questions asks so many of the questions that the subject enrolled answers to. Which ones changes with each recovery that was
// completed, and not with a wrong answer. It is for systems that must have it: OWASP ASVS 6.4.2 allows no such questions at
// all, and people guess one in five at the first try (Bonneau et al., WWW 2015).
type Questions struct {
	Ask int // 1 to 4
}

// Contacts asks to name contacts that the subject has proved: their addresses, typed. Messages of later steps, and the parts
// of a new secret, then go to these.
type Contacts struct {
	// AtLeast is how many are to be named: 1 to 4.
	AtLeast int
	// Of lists the channels of which they may be; the order is that in which parts are assigned. Empty means any.
	Of []civicpin.Channel
}

// ConfirmContact shows the subject's contact on a channel, masked, to be confirmed; or corrected.
type ConfirmContact struct {
	Channel civicpin.Channel
	// MayCorrect lets another address be given instead. The link or code that follows goes there, which proves that
	// address but nothing about who has it. So unless an operator or another proof comes after it, Wait is needed.
	MayCorrect bool
	// Wait is how long a recovery with a corrected contact rests while the old contacts, who are told, can end it: 24 hours
	// or more; zero means that it does not rest.
	Wait time.Duration
}

// Link sends a link to a contact of the subject. Opening it changes nothing, however many mail scanners do; [Service.Use] or
// [Service.Finish], behind a button, uses it once.
type Link struct {
	// Channel is where it goes, or the first of Or that the subject has. Not a telephone: no text message has a link.
	Channel civicpin.Channel
	Or      []civicpin.Channel
	// Valid is how long it is good for: 1 minute to 24 hours (NIST SP 800-63B-4 4.2.1.2). Mail scanners alone may take ten
	// minutes.
	Valid time.Duration
	// Code is the length of a typed code in the same message, 6 to 12, for whoever cannot follow the link; zero means none.
	// Link and code are one: the first that is used ends both.
	Code int
}

// Code sends a code to be typed into the page on which the recovery runs.
type Code struct {
	Channel civicpin.Channel
	Or      []civicpin.Channel
	// Valid is how long it is good for: 1 to 10 minutes, by e-mail up to 24 hours (NIST SP 800-63B-4 4.2.1.2).
	Valid time.Duration
	// Length is 6 to 12 characters that are not taken for each other; zero means 8.
	Length int
}

// Factor asks for a proof by one of Config.Factors: an authenticator app, a backup code.
type Factor string

// Documents asks for pictures of documents that the caller takes in; see [DocumentStore].
type Documents struct {
	// Kinds names what has to be there: "card-front", "card-back", "face". 1 to 8.
	Kinds []string
	// Types are the media types allowed, "image/jpeg"; MaxBytes is the greatest size of each.
	Types    []string
	MaxBytes int64
}

// Operator asks that a member of staff approves; see [Service.Assist].
type Operator struct {
	// Role is one of Config.Roles.
	Role string
	// Questions is how many of the enrolled questions the operator asks, 0 to 4. The library compares what the citizen
	// said; the operator never sees an answer that is on file.
	Questions int
	// Second says that another member of staff of the role has to confirm.
	Second bool
}

// Wait has the recovery rest while the subject's contacts, who are told, can end it. It comes after a proof.
type Wait struct {
	For time.Duration // 1 hour to 30 days
}

// Terms asks that the subject accepts terms. It comes after a proof. It is answered by Answers.Terms, the version.
type Terms struct {
	Version string
}

// Enrol asks for an image, and for answers to questions, that later recoveries ask for. It comes after a proof, and counts once the
// recovery is completed. A link's user takes the run over as it is: what somebody else enrolled before would be the user's.
type Enrol struct {
	Image     bool
	Questions int // 0 to 8
}

func (Captcha) step()        {}
func (Facts) step()          {}
func (Image) step()          {}
func (Questions) step()      {}
func (Contacts) step()       {}
func (ConfirmContact) step() {}
func (Link) step()           {}
func (Code) step()           {}
func (Factor) step()         {}
func (Documents) step()      {}
func (Operator) step()       {}
func (Wait) step()           {}
func (Terms) step()          {}
func (Enrol) step()          {}

// guessed reports whether a step is answered by what somebody knows. Such steps that follow each other are asked together and
// compared together, so that nobody learns which of them was wrong.
func guessed(s Step) bool {
	switch s.(type) {
	case Facts, Image, Questions, Contacts:
		return true
	}
	return false
}

// sent returns what a step has delivered, and whether it is one that does.
func sent(s Step) (channels []civicpin.Channel, valid time.Duration, link bool, code int, ok bool) {
	switch s := s.(type) {
	case Link:
		return append([]civicpin.Channel{s.Channel}, s.Or...), s.Valid, true, s.Code, true
	case Code:
		n := s.Length
		if n == 0 {
			n = defaultCodeLength
		}
		return append([]civicpin.Channel{s.Channel}, s.Or...), s.Valid, false, n, true
	}
	return nil, 0, false, 0, false
}

// defaultCodeLength is 38 bits: with a hundred tries, 1 in 4 billion.
const defaultCodeLength = 8
