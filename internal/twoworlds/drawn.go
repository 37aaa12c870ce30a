package twoworlds

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/password"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery/plan"
)

// DrawSetup draws policies and plans that are valid. Most draws are not, and are drawn again for some times; then it
// returns the default.
func DrawSetup(t testing.TB, d Draw) Setup {
	t.Helper()
	password.CheapDefault()
	for range 20 {
		s := Setup{Pin: drawPin(d), Codes: drawCodes(d), Plans: drawPlans(d)}
		s.Limits.Source, s.Limits.SourceTyped = drawRate(d, 40), drawRate(d, 20)
		s.Limits.Typed = drawRate(d, 5)
		w := &world{setup: s.withDefaults(), clock: testkit.NewClock(dawn)}
		w.store = newWatched(w.clock)
		if w.open(t.Context()) != nil {
			continue
		}
		if w.age++; w.open(t.Context()) == nil { // the other policies of an odd age are valid, too
			return s
		}
	}
	return Setup{Pin: pin.Default()}
}

// oneOf draws one of several values.
func oneOf[T any](d Draw, label string, values ...T) T { return values[d.Int(label, len(values))] }

// drawLockout draws limits of guesses.
func drawLockout(d Draw) lockout.Policy {
	p := lockout.Policy{
		Limit: 2 + d.Int("limit", 6), Lock: oneOf(d, "lock", lockout.Timed, lockout.UntilUnlocked),
		Ceiling: oneOf(d, "ceiling", 10, 20, 50, 100), Devices: oneOf(d, "devices", 0, 0, 1, 3),
	}
	if p.Lock == lockout.Timed {
		p.For = oneOf(d, "for", time.Minute, 15*time.Minute, time.Hour)
		p.Max = oneOf(d, "max", p.For, 24*time.Hour)
	}
	if p.Devices == 0 && d.Int("reserve", 2) == 1 {
		p.Reserve = 1 + d.Int("share", (p.Ceiling-p.Limit)/2)
	}
	if d.Int("delays", 3) == 2 {
		p.DelayAfter, p.Delay = 1+d.Int("delay after", 3), oneOf(d, "delay", time.Second, time.Minute)
	}
	if d.Int("source", 3) == 2 {
		l := lockout.SourceLimit{Subjects: 1 + d.Int("subjects", 5), Failures: 6 + d.Int("failures", 10)}
		p.Source = lockout.SourceLimits{Host: l, Net64: l, Net48: l}
	}
	return p
}

// drawRate draws a rate of up to most in an hour or a day.
func drawRate(d Draw, most int) civicpin.Rate {
	return civicpin.Rate{Limit: 1 + d.Int("rate", most), Window: oneOf(d, "window", time.Hour, 24*time.Hour)}
}

func drawPin(d Draw) pin.Policy {
	p := oneOf(d, "pin", pin.Default(), pin.INPS())
	p.Name = "drawn"
	p.Lockout, p.History = drawLockout(d), d.Int("history", 3)
	p.Parts = 1 + d.Int("parts", 2)
	p.MaxAge = oneOf(d, "max age", 0, 30*24*time.Hour)
	p.MaxUnused = oneOf(d, "max unused", 0, 60*24*time.Hour)
	p.Sends = drawRate(d, 10)
	p.Chosen = oneOf(d, "chosen",
		pin.Chosen{Form: pin.Password, Min: 15, Max: 64}, pin.Chosen{Form: pin.Alphanumeric, Min: 8, Max: 10},
		pin.Chosen{Form: pin.Digits, Min: 8, Max: 10})
	p.Exceptions = testkit.Except(p.Breaks())
	return p
}

func drawCodes(d Draw) otp.CodePolicy {
	p := oneOf(d, "codes", otp.SMS(), otp.ClavePIN())
	p.Name = "drawn"
	p.Lockout, p.Tries, p.MaxPending = drawLockout(d), 1+d.Int("tries", 4), 1+d.Int("pending", 4)
	p.Exceptions = testkit.Except(p.Breaks())
	p.Sends = drawRate(d, 10)
	return p
}

// drawPlans draws some plans that are valid.
func drawPlans(d Draw) []plan.Plan {
	var plans []plan.Plan
	for i := range 8 {
		p := plan.Plan{
			Name: fmt.Sprintf("drawn-%d", i), Limit: drawLockout(d), Creates: d.Int("creates", 4) == 3,
			Outcome: oneOf(d, "outcome", plan.ChooseSecret, plan.ReissueInParts, plan.Unlocked),
		}
		for range 1 + d.Int("steps", 5) {
			p.Steps = append(p.Steps, drawPlanStep(d))
		}
		around := plan.Facilities{Register: true, Images: 9, Questions: 6, Factors: []string{"app"}, Documents: true}
		p.Exceptions = testkit.Except(p.Breaks(around))
		if p = p.WithDefaults(); p.Validate(around) == nil {
			plans = append(plans, p)
		}
	}
	return slices.Clip(plans)
}

func drawPlanStep(d Draw) plan.Step {
	channel := oneOf(d, "channel", civicpin.SMS, civicpin.Email)
	return oneOf[plan.Step](d, "step",
		plan.Captcha{}, plan.Facts{"birth-day"}, plan.Image{}, plan.Questions{Ask: 1 + d.Int("ask", 2)},
		plan.ConfirmContact{Channel: channel, MayCorrect: d.Int("may correct", 2) == 1, Wait: oneOf(d, "wait", 0, 72*time.Hour)},
		plan.Link{Channel: civicpin.Email, Valid: time.Hour}, plan.Link{Channel: civicpin.Email, Valid: time.Hour, Code: length},
		plan.Code{Channel: channel, Valid: 10 * time.Minute},
		plan.Contacts{AtLeast: 1 + d.Int("at least", 2), Of: []civicpin.Channel{civicpin.SMS, civicpin.Email}},
		plan.Factor("app"), plan.Documents{Kinds: []string{"card"}}, plan.Wait{For: 72 * time.Hour}, plan.Terms{Version: "1"})
}
