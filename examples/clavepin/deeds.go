package main

import (
	"context"
	"errors"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/play"
	"github.com/civicpin/civicpin/store"
)

// workingLife lets a citizen look at where they worked.
func workingLife(c *citizen) deed {
	return deed{
		act: "working-life", needs: civicpin.Low, paper: "working life of " + string(c.NIF),
		words: map[string]string{"es": "ver su vida laboral", "en": "seeing your working life", "it": "vedere i suoi contributi"},
	}
}

// taxReturn files a citizen's tax return.
func taxReturn(c *citizen, result string) deed {
	return deed{
		act: "tax-return", needs: civicpin.Substantial, paper: "tax return of " + string(c.NIF) + ": " + result,
		words: map[string]string{"es": "presentar su renta", "en": "filing your tax return", "it": "la dichiarazione"},
	}
}

// bankAccount has a citizen's pension paid to another account.
func bankAccount(c *citizen, iban string) deed {
	return deed{
		act: "bank-account", needs: civicpin.Substantial, paper: "pension of " + string(c.NIF) + " to " + iban,
		words: map[string]string{"es": "cambiar de cuenta", "en": "changing your account", "it": "cambiare conto"},
	}
}

// changePhone gives a citizen another telephone.
func changePhone(c *citizen, number string) deed {
	return deed{
		act: "change-phone", needs: civicpin.Low, paper: "telephone of " + string(c.NIF) + ": " + number,
		words: map[string]string{"es": "cambiar de teléfono", "en": "changing your telephone", "it": "cambiare telefono"},
	}
}

// A filing is what a citizen did. The filings are the agency's own records; they lie in the same vault, sealed like the
// library's.
type filing struct {
	Act   string    `json:"act"`
	Paper string    `json:"paper"`
	At    time.Time `json:"at"`
}

const tooLow = refusal("Right. But this takes the advanced level, and yours is basic.")

// do is what a page does once the PIN was right: it looks at the level at which the citizen is registered, for each
// deed anew. The refusal may be told, since they have proved who they are.
func (t *tale) do(ctx context.Context, c *citizen, d deed) error {
	st, err := t.pins.Status(ctx, c.subject())
	if err != nil {
		return err
	}
	if st.Level < d.needs {
		return tooLow
	}
	_, err = t.filed.Update(ctx, store.Key{Subject: c.subject()}, func(e *store.Entry[[]filing]) error {
		e.Value = append(e.Value, filing{Act: d.act, Paper: d.paper, At: t.Clock.Now()})
		return nil
	})
	if err == nil {
		t.Says("Done: %s.", d.words["en"])
	}
	return err
}

// deeds has Ana do two things, each with a PIN of its own, and Luis one that is not for his level.
func (t *tale) deeds(ctx context.Context) error {
	t.Step("A fresh PIN for each deed, and a deed that takes the advanced level")
	var before string
	for _, d := range []deed{taxReturn(t.ana, "refund 312.40"), bankAccount(t.ana, "ES91 2100 0418 4502 0005 1332")} {
		u, err := t.confirm(ctx, t.ana, t.ana.form(d), t.at(t.ana.app), nil)
		if err != nil {
			return err
		}
		if u.req.ID == before {
			return errors.New("one PIN for two deeds")
		}
		before = u.req.ID
		if err := t.do(ctx, t.ana, d); err != nil {
			return err
		}
	}
	t.Say("Luis, who registered by letter, asks with the number of his NIE and the support number on its card:")
	u, err := t.confirm(ctx, t.luis, t.luis.form(bankAccount(t.luis, "PT50 0002 0123 1234 5678 9015 4")),
		t.at(t.luis.app), nil)
	if err != nil {
		return err
	}
	err = t.do(ctx, t.luis, u.deed)
	t.Refuses(err)
	if err := play.Wanted(err, tooLow, "a basic registration"); err != nil {
		return err
	}
	return nil
}
