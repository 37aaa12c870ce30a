package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/play/playtest"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/pin/state"
	"github.com/civicpin/civicpin/texts"
)

func TestExplain(t *testing.T) {
	t.Parallel()
	playtest.Explains(t, newStage(t).Page, map[error]string{
		&lockout.RefusedError{Left: 3}:                                             "Wrong. Tries left: 3",
		&lockout.LockedError{Until: time.Date(2026, 7, 1, 22, 30, 0, 0, time.UTC)}: "on 2 July 2026 at 00:30",
		&lockout.LockedError{Disabled: true}:                                       "registered anew",
		otp.ErrExpired:                                                             "ten minutes",
		&pin.ExpiredError{Since: state.SinceIssue}:                                 "new activation code",
		fmt.Errorf("page: %w", taken):                                              "somebody else",

		errUsedUp: "", pin.ErrWrongState: "",
	})
}

// TestWords: the program's own words fit a telephone, and their code is found.
func TestWords(t *testing.T) {
	t.Parallel()
	bodies := playtest.Words(t, newPlay(), "ABCD 2345 EFGH 6789",
		civicpin.Contact{Channel: civicpin.SMS, Address: "+34612345678"},
		civicpin.Contact{Channel: civicpin.Letter, Address: "Luis\nCalle Mayor 7\n28013 Madrid"},
		civicpin.Contact{Channel: civicpin.HandedOver},
	)
	for name, body := range bodies {
		if strings.HasSuffix(name, "sms") && len(body) > 160 {
			t.Errorf("%s: %d bytes: %q", name, len(body), body)
		}
	}
}

// TestDeeds: the words fit the messages of package texts, in each language.
func TestDeeds(t *testing.T) {
	c := &citizen{person: person{NIF: "12345678Z"}}
	seen := make(map[string]bool)
	for _, d := range []deed{workingLife(c), taxReturn(c, "0"), bankAccount(c, "ES00"), changePhone(c, "+34600000000")} {
		digest := string(d.purpose().Digest)
		if seen[d.act] || seen[digest] || len(digest) != 32 || d.needs == 0 || !strings.Contains(d.paper, "12345678Z") {
			t.Errorf("%+v", d)
		}
		seen[d.act], seen[digest] = true, true
		for _, lang := range []string{"es", "en", "it"} {
			w, err := texts.New(texts.Service{Name: "Cl@ve", Locale: lang})
			if err != nil {
				t.Fatal(err)
			}
			text, err := w.Render(civicpin.Message{
				Kind: otp.CodeMessage, To: civicpin.Contact{Channel: civicpin.SMS, Address: "+34612345678", Locale: lang},
				Secret: civicpin.NewSecret("K7P"), Params: map[string]string{"act": d.words[lang]},
			})
			if err != nil || d.words[lang] == "" {
				t.Errorf("%s in %s: %q, %v", d.act, lang, text.Body.Reveal(), err)
			}
		}
	}
}
