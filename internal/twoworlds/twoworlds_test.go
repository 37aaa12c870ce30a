package twoworlds_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/twoworlds"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery/plan"
)

// draws lets rapid choose.
type draws struct{ t *rapid.T }

func (d draws) Int(label string, n int) int { return rapid.IntRange(0, n-1).Draw(d.t, label) }

// setups are the ready policies, with plans like those of the examples.
func setups() map[string]twoworlds.Setup {
	base := twoworlds.Setup{
		Codes: otp.SMS(), Facts: map[string]string{"birth-day": "14", "birth-month": "3"},
		Images:    []string{"barco", "gato", "casa", "rosa", "tren", "luna", "pera", "vela", "oso"},
		Questions: []string{"mascota", "escuela", "ciudad", "madrina", "plato", "calle"},
		Plans: []plan.Plan{
			{
				Name: "clave", Limit: lockout.Policy{Limit: 3, Lock: lockout.UntilUnlocked}, Outcome: plan.ChooseSecret,
				Steps: []plan.Step{
					plan.Captcha{}, plan.Facts{"birth-day", "birth-month"}, plan.Image{}, plan.Questions{Ask: 1},
					plan.ConfirmContact{Channel: civicpin.Email, MayCorrect: true, Wait: 24 * time.Hour},
					plan.Link{Channel: civicpin.Email, Valid: 3 * time.Minute},
				},
				Exception: "with a contact corrected it rests on what is known, and a day in which the old one can object",
			},
			{
				Name: "unlock", Limit: lockout.Policy{Limit: 3, Lock: lockout.Timed, For: time.Hour}, Outcome: plan.Unlocked,
				Steps: []plan.Step{plan.Captcha{}, plan.Link{Channel: civicpin.Email, Valid: 3 * time.Minute}},
			},
			{
				Name: "code", Limit: lockout.Policy{Limit: 5, Lock: lockout.Timed, For: time.Hour}, Outcome: plan.ChooseSecret,
				Steps: []plan.Step{
					plan.Code{Channel: civicpin.SMS, Valid: 10 * time.Minute}, plan.Link{Channel: civicpin.Email, Valid: time.Hour},
				},
			},
		},
	}
	inps, clave := base, base
	base.Pin = pin.Default()
	inps.Pin = pin.INPS()
	clave.Pin, clave.Codes = pin.Default(), otp.ClavePIN()
	return map[string]twoworlds.Setup{"default": base, "inps": inps, "clavepin": clave}
}

// TestTwoWorlds plays random schedules: no visitor can tell whether the subject is registered.
func TestTwoWorlds(t *testing.T) {
	for name, setup := range setups() {
		t.Run(name, func(t *testing.T) {
			reached := twoworlds.Coverage{}
			rapid.Check(t, func(rt *rapid.T) {
				if d := twoworlds.Play(t, draws{rt}, setup, 40, reached); d != nil {
					rt.Fatalf("the worlds differ:\n%s", d)
				}
			})
			for _, word := range []string{"locked", "refused", "verify", "request a code", "start a recovery"} {
				require.NotZero(t, reached[word], "no schedule reached %q", word)
			}
		})
	}
}
