package twoworlds

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/store"
)

// An act is one kind of call. Its number says which of several variants: which secret, which earlier run.
type act struct {
	name     string
	owner    bool // of the owner or an operator: not compared
	quiet    bool // not a visitor's call, but time or upkeep: only that it fails is compared
	parallel bool // several visitors' calls at once
	do       func(ctx context.Context, w *World, n int) (shown string, err error)
}

// A step is an act with its number; or several at once, and in which turns.
type step struct {
	act   *act
	n     int
	steps []step
	picks []int
}

// String names the step.
func (s step) String() string {
	if !s.act.parallel {
		return fmt.Sprintf("%s %d", s.act.name, s.n)
	}
	return fmt.Sprintf("%s %v, turns %v", s.act.name, s.steps, s.picks)
}

// variants is how many numbers a step has.
const variants = 12

// drawStep draws a step.
func drawStep(d Draw) step {
	list := acts()
	s := step{act: &list[d.Int("act", len(list))], n: d.Int("variant", variants)}
	if s.act.parallel {
		anonymous := slices.Concat(visits(), recoveries())
		one := d.Int("act", len(anonymous))
		for i := range 2 + s.n%2 {
			if s.n >= variants/2 && i > 0 { // different calls; otherwise one call several times, as of a double click
				one = d.Int("act", len(anonymous))
			}
			s.steps = append(s.steps, step{act: &anonymous[one], n: d.Int("variant", variants)})
		}
		for range maxTurns {
			s.picks = append(s.picks, d.Int("turn", len(s.steps)))
		}
	}
	return s
}

// maxTurns is how many turns are drawn for calls at once; they are used again from the first.
const maxTurns = 8

// play does a step and returns what is seen of it.
func (w *World) play(ctx context.Context, s step) View {
	w.store.taken()
	if s.act.parallel {
		return w.together(ctx, s.steps, s.picks)
	}
	shown, err := s.act.do(ctx, w, s.n)
	v := View{Answer: answer(err), Shown: shown, Calls: w.store.taken()}
	if s.act.quiet {
		v.Calls = ""
	}
	return v
}

// wrong is a secret that is nobody's.
func wrong(n int) civicpin.Secret { return civicpin.NewSecret(fmt.Sprintf("K7WPMX4R%d", n)) }

// attempt is a visitor's.
func attempt(n int) pin.Attempt {
	return pin.Attempt{Subject: subject, Secret: wrong(n), Source: home, Personal: []string{"1980-03-14", "Ana Andrade"}}
}

// purpose is what codes are asked for.
func purpose(n int) otp.Purpose { return otp.Purpose{Act: fmt.Sprintf("act-%d", n%2)} }

// forged is a token that was never made.
func forged(kind string) civicpin.Secret {
	return civicpin.NewSecret(kind + strings.Repeat("A", 26) + "AQ." + strings.Repeat("A", 43))
}

// pick returns an earlier value by number, the zero value if there is none.
func pick[T any](list []T, n int) (v T) {
	if len(list) > 0 {
		v = list[n%len(list)]
	}
	return v
}

// acts lists what can happen.
func acts() []act {
	return slices.Concat(visits(), recoveries(), owned(), upkeep(), []act{{name: "at once", parallel: true}})
}

// visits are the calls that any visitor can make, without a recovery.
func visits() []act {
	return []act{
		{name: "verify", do: func(ctx context.Context, w *World, n int) (string, error) {
			_, err := w.Pins.Verify(ctx, attempt(n))
			return "", err
		}},
		{name: "exchange", do: func(ctx context.Context, w *World, n int) (string, error) {
			_, err := w.Pins.Exchange(ctx, attempt(n), chosen(n))
			return "", err
		}},
		{name: "change", do: func(ctx context.Context, w *World, n int) (string, error) {
			_, err := w.Pins.Change(ctx, attempt(n), chosen(n))
			return "", err
		}},
		{name: "set under a forged grant", do: func(ctx context.Context, w *World, n int) (string, error) {
			g, err := pin.ParseGrant(civicpin.NewSecret("g1.MTcxMDAzNDA2NQ." + strings.Repeat("A", 43)))
			if err == nil {
				_, err = w.Pins.Set(ctx, g, chosen(n), "1980-03-14")
			}
			return "", err
		}},
		{name: "resend a part", do: func(ctx context.Context, w *World, n int) (string, error) {
			return "", w.Pins.Resend(ctx, subject, n%w.setup.Pin.Parts, home)
		}},
		{name: "request a code", do: func(ctx context.Context, w *World, n int) (string, error) {
			r, err := w.Codes.Request(ctx, subject, purpose(n), otp.RequestOptions{To: w.to(), Source: home})
			if err == nil {
				w.requests = append(w.requests, r.ID)
			}
			return fmt.Sprintf("id=%v until=%s to=%v", r.ID != "", moment(r.ExpiresAt), r.To != ""), err
		}},
		{name: "verify a code", do: func(ctx context.Context, w *World, n int) (string, error) {
			return "", w.Codes.Verify(ctx, subject, purpose(n), pick(w.requests, n), wrong(n), home)
		}},
		{name: "resend a code", do: func(ctx context.Context, w *World, n int) (string, error) {
			return "", w.Codes.Resend(ctx, subject, pick(w.requests, n), home)
		}},
		{name: "verify an app's code", do: func(ctx context.Context, w *World, n int) (string, error) {
			return "", w.TOTP.Verify(ctx, subject, civicpin.NewSecret(fmt.Sprintf("00000%d", n%10)), home)
		}},
		{name: "verify a backup code", do: func(ctx context.Context, w *World, n int) (string, error) {
			return "", w.Backup.Verify(ctx, subject, wrong(n), home)
		}},
	}
}

// chosen is a secret that a visitor asks for: some of them would break a rule, if the rules were looked at.
func chosen(n int) civicpin.Secret {
	return civicpin.NewSecret([]string{"14031980", "19800314", "andrade1", "cinco perros bajo la mesa", "1710034065"}[n%5])
}

// recoveries are the calls of a visitor about recoveries.
func recoveries() []act {
	remember := func(w *World, run recovery.Run, err error) (string, error) {
		if err == nil && !run.Ticket.IsZero() {
			w.tickets = append(w.tickets, run.Ticket)
			w.asked = append(w.asked, run.Next)
		}
		return shownRun(run), err
	}
	return []act{
		{name: "start a recovery", do: func(ctx context.Context, w *World, n int) (string, error) {
			run, err := w.Recovery.Start(ctx, w.setup.Plans[n%len(w.setup.Plans)].Name, subject, home)
			return remember(w, run, err)
		}},
		{name: "answer wrongly", do: func(ctx context.Context, w *World, n int) (string, error) {
			run, err := w.Recovery.Show(ctx, pick(w.tickets, n))
			if err != nil {
				return shownRun(run), err
			}
			run, err = w.Recovery.Answer(ctx, pick(w.tickets, n), w.answers(run.Next, n))
			return shownRun(run), err
		}},
		{name: "send again", do: func(ctx context.Context, w *World, n int) (string, error) {
			run, err := w.Recovery.Send(ctx, pick(w.tickets, n), home)
			return shownRun(run), err
		}},
		{name: "show a run", do: func(ctx context.Context, w *World, n int) (string, error) {
			run, err := w.Recovery.Show(ctx, pick(w.tickets, n))
			return shownRun(run), err
		}},
		{name: "follow a forged link", do: func(ctx context.Context, w *World, n int) (string, error) {
			tok := forged([]string{"r", "d", "c", "u"}[n%4])
			_, inspected := w.Recovery.Inspect(ctx, tok)
			var err error
			switch n % 3 {
			case 0:
				_, err = w.Recovery.Finish(ctx, tok, home)
			case 1:
				_, err = w.Recovery.Redeem(ctx, tok, home)
			default:
				err = w.Recovery.Repudiate(ctx, tok, home)
			}
			return answer(inspected), err
		}},
	}
}

// answers are what a visitor gives who knows the register's facts or not, and nothing else.
func (w *World) answers(next recovery.Ask, n int) recovery.Answers {
	a := recovery.Answers{Captcha: next.Captcha, Source: home}
	if len(next.Facts) > 0 {
		a.Facts = make(map[string]string)
		for _, name := range next.Facts {
			a.Facts[name] = w.setup.Facts[name]
			if n%3 == 0 {
				a.Facts[name] = "99"
			}
		}
	}
	if len(next.Images) > 0 {
		a.Image = slices.Sorted(slices.Values(next.Images))[len(next.Images)-1]
	}
	if len(next.Questions) > 0 {
		a.Questions = make(map[string]civicpin.Secret)
		for _, question := range next.Questions {
			a.Questions[question] = civicpin.NewSecret("equivocada")
		}
	}
	for range next.Contacts {
		a.Contacts = append(a.Contacts, civicpin.Contact{Channel: civicpin.Email, Address: fmt.Sprintf("otra%d@correo.example", len(a.Contacts))})
	}
	if next.Confirm != nil {
		a.Confirm = n%2 == 0 || !next.Confirm.MayCorrect
		if !a.Confirm {
			a.Correct = civicpin.Contact{Channel: next.Confirm.Channel, Address: "thief@correo.example"}
		}
	}
	if next.Sent != nil && next.Sent.Code {
		a.Code = civicpin.NewSecret("ACDE FGHJ")
	}
	a.Terms = next.Terms
	return a
}

// owned are acts of the owner and of operators.
func owned() []act {
	return []act{
		{name: "the owner logs in", owner: true, do: func(ctx context.Context, w *World, _ int) (string, error) {
			if !forgetsAlike {
				return "", nil
			}
			_, err := w.Pins.Verify(ctx, pin.Attempt{Subject: subject, Secret: civicpin.NewSecret(right), Source: civicpin.Source{Address: "198.51.100.7"}})
			return "", err
		}},
		{name: "an operator unlocks", owner: true, do: func(ctx context.Context, w *World, _ int) (string, error) {
			return "", w.Pins.Unlock(ctx, subject, office)
		}},
	}
}

// forgetsAlike says that counts and locks that are shown are forgotten alike for every subject: after the same time, and whatever the
// owner does. Until lockout does so, no step spans 31 days, and the owner does not log in.
const forgetsAlike = false

// upkeep is time, the dispatcher and the purge.
func upkeep() []act {
	spans := []time.Duration{
		time.Second, time.Second, time.Minute, 16 * time.Minute, time.Hour, 6 * time.Hour, 24 * time.Hour, 24 * time.Hour,
		31 * 24 * time.Hour, time.Second, time.Minute, 3 * time.Minute,
	}
	if !forgetsAlike {
		spans[8] = 20 * time.Hour
	}
	return []act{
		{name: "time passes", quiet: true, do: func(_ context.Context, w *World, n int) (string, error) {
			w.Clock.Add(spans[n%len(spans)])
			return "", nil
		}},
		{name: "the dispatcher sends", quiet: true, do: func(ctx context.Context, w *World, _ int) (string, error) {
			return "", w.Out.Flush(ctx)
		}},
		{name: "purge", quiet: true, do: func(ctx context.Context, w *World, _ int) (string, error) {
			_, err := w.vault.Purge(ctx, store.Pass{})
			return "", err
		}},
	}
}
