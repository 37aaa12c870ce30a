package agency

import (
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery/plan"
)

const day = 24 * time.Hour

// IESS is the policy of the clave: five wrong logins lock it until it is unlocked, but for three devices that its owner has had
// the page remember. The page says how many tries are left. A code on a slip, for who gets it at a counter, is exchanged for it
// within a week.
//
// The IESS has people choose 6 to 15 letters and digits. Here it is 15 characters or more, blanks and accents included: what
// NIST SP 800-63B-4 3.1.1.2 asks of a password that is all there is, and a sentence is easier to keep in mind.
func IESS() pin.Policy {
	p := pin.Default()
	p.Name = "iess"
	p.Valid = map[civicpin.Channel]time.Duration{civicpin.HandedOver: 7 * day}
	p.Chosen = pin.Chosen{Form: pin.Password, Min: 15, Max: 64, Words: []string{"seguridad social", "clave del iess"}}
	p.Lockout = lockout.Policy{Limit: 5, Lock: lockout.UntilUnlocked, Devices: 3, ShowLeft: true}.WithRates()
	return p
}

// The plans of the IESS by their names.
const (
	IESSFirst     = "iess-first-key"
	IESSForgotten = "iess-clave"
	IESSByLink    = "iess-unlock-link"
	IESSByVideo   = "iess-unlock-video"
	IESSInPerson  = "iess-unlock-agency"
	IESSByDesk    = "iess-unlock-desk"
)

// threeTries: after the third miss only an agency unlocks. The page says how many are left. Strangers' misses do not keep out a
// citizen on a known device, or with a login.
var threeTries = lockout.Policy{Limit: 3, Lock: lockout.UntilUnlocked, Reserve: 9, ShowLeft: true}.WithRates()

var birthday = plan.Facts{"birth-day", "birth-month"}

// IESSPlans are the ways to a key, and out of a lock.
func IESSPlans() []plan.Plan {
	return []plan.Plan{{
		Name: IESSFirst,
		Steps: []plan.Step{
			plan.Captcha{},
			birthday,
			plan.ConfirmContact{Channel: civicpin.Email, MayCorrect: true},
			plan.Link{Channel: civicpin.Email, Valid: 15 * time.Minute},
			plan.Enrol{Image: true, Questions: 4}, // by who has the link: before it, anybody may have begun
			plan.Terms{Version: "2026-01"},
		},
		Limit:   threeTries,
		Outcome: plan.ChooseSecret,
		Creates: true,
		Exceptions: []civicpin.Exception{{
			Clause: "guess budget",
			Reason: "a first key proves no more than a birthday and a mailbox; its level is low until an agency has seen who has it",
		}},
	}, {
		Name: IESSForgotten,
		Steps: []plan.Step{
			plan.Captcha{},
			birthday,
			plan.Image{},
			plan.Questions{Ask: 1},
			plan.ConfirmContact{Channel: civicpin.Email, MayCorrect: true, Wait: 3 * day},
			plan.Link{Channel: civicpin.Email, Valid: 3 * time.Minute},
		},
		Limit:   threeTries,
		Outcome: plan.ChooseSecret,
		Exceptions: []civicpin.Exception{{
			Clause: "guess budget",
			Reason: "an address may be corrected by who knows the answers: the old one is told, and has three days to stop it",
		}},
	}, {
		Name:    IESSByLink,
		Steps:   []plan.Step{plan.Captcha{}, plan.Link{Channel: civicpin.Email, Valid: 3 * time.Minute}},
		Limit:   threeTries,
		Outcome: plan.Unlocked,
	}, {
		Name:    IESSByVideo,
		Steps:   []plan.Step{plan.Approval{Role: "video", Questions: 4}},
		Limit:   threeTries,
		Outcome: plan.Unlocked,
	}, {
		Name:    IESSInPerson,
		Steps:   []plan.Step{plan.Approval{Role: "agency"}},
		Limit:   threeTries,
		Outcome: plan.Unlocked,
	}, {
		Name: IESSByDesk,
		Steps: []plan.Step{
			plan.Captcha{},
			birthday,
			plan.Documents{
				Kinds: []string{"card-front", "card-back", "face"}, Types: []string{"image/jpeg", "application/pdf"}, MaxBytes: 1 << 20,
			},
			plan.Approval{Role: "desk", Second: true},
		},
		Limit:   threeTries,
		Outcome: plan.Unlocked,
		Valid:   3 * day, // for the desk to look at it
	}}
}

// The questions and images that people choose from, by the ids under which the library knows them, with what the page says.
var (
	IESSQuestions = map[string]string{
		"school":  "The name of your first school?",
		"street":  "The street where you grew up?",
		"friend":  "Your best friend when you were a child?",
		"teacher": "A teacher whom you remember?",
		"book":    "The first book that you loved?",
		"journey": "Where did your first journey go?",
		"job":     "Your first employer?",
		"toy":     "Your favourite toy?",
	}
	IESSImages = []string{"condor", "hummingbird", "iguana", "llama", "orchid", "sombrero", "tortoise", "tree", "volcano"}
)
