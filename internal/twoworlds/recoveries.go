package twoworlds

import (
	"context"
	"slices"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/recovery"
)

// recoveries are the calls of a visitor about recoveries and contacts.
func recoveries() []act { return slices.Concat(runs(), links()) }

// runs are a visitor's calls about runs of plans.
func runs() []act {
	return []act{
		{name: "start a recovery", do: func(ctx context.Context, w *world, n int) (string, error) {
			run, err := w.recovery.Start(ctx, w.setup.Plans[n%len(w.setup.Plans)].Name, subject, home)
			if err == nil && !run.Ticket.IsZero() {
				w.tickets = append(w.tickets, run.Ticket)
			}
			return w.showRun(run), err
		}},
		{name: "answer", factor: "recovery", do: func(ctx context.Context, w *world, n int) (string, error) {
			ticket := w.ticket(n)
			run, err := w.recovery.Show(ctx, ticket)
			if err != nil {
				return w.showRun(run), err
			}
			run, err = w.recovery.Answer(ctx, ticket, w.answers(run.Next, n))
			return w.showRun(run), err
		}},
		{name: "send again", do: func(ctx context.Context, w *world, n int) (string, error) {
			run, err := w.recovery.Send(ctx, w.ticket(n), home)
			return w.showRun(run), err
		}},
		{name: "show a run", do: func(ctx context.Context, w *world, n int) (string, error) {
			run, err := w.recovery.Show(ctx, w.ticket(n))
			return w.showRun(run), err
		}},
		{name: "finish a run", do: func(ctx context.Context, w *world, n int) (string, error) {
			_, err := w.recovery.Finish(ctx, w.ticket(n), home)
			return "", err
		}},
		{name: "cancel a run", do: func(ctx context.Context, w *world, n int) (string, error) {
			return "", w.recovery.Cancel(ctx, w.ticket(n))
		}},
	}
}

// links are a visitor's calls with links that were never sent.
func links() []act {
	return []act{
		{name: "look at a forged link", do: func(ctx context.Context, w *world, n int) (string, error) {
			_, err := w.recovery.Inspect(ctx, w.forgedLink(n))
			if n%2 == 0 {
				_, err = w.contacts.Inspect(ctx, w.forgedLink(n))
			}
			return "", err
		}},
		{name: "follow a forged link", do: func(ctx context.Context, w *world, n int) (string, error) {
			var err error
			switch tok := w.forgedLink(n / 3); n % 3 {
			case 0:
				_, err = w.recovery.Finish(ctx, tok, home)
			case 1:
				_, err = w.recovery.Redeem(ctx, tok, home)
			default:
				err = w.recovery.Repudiate(ctx, tok, home)
			}
			return "", err
		}},
		{name: "prove with a forged link", do: func(ctx context.Context, w *world, n int) (string, error) {
			if n%2 == 0 {
				return "", w.contacts.Undo(ctx, w.forgedLink(n/2), home)
			}
			return "", w.contacts.Prove(ctx, w.forgedLink(n/2), home)
		}},
	}
}

// ticket returns an earlier ticket, most often the last one.
func (w *world) ticket(n int) civicpin.Secret {
	if n%3 > 0 && len(w.tickets) > 0 {
		return w.tickets[len(w.tickets)-1]
	}
	return pick(w.tickets, n)
}

// forgedLink is a token of some kind.
func (w *world) forgedLink(n int) civicpin.Secret { return forged([]string{"l", "d", "c", "u"}[n%4]) }

// answers are what a visitor gives, who knows all but one of the register's facts, and nothing else.
func (w *world) answers(next recovery.Ask, n int) recovery.Answers {
	a := recovery.Answers{
		Captcha: next.Captcha, Source: home, Terms: next.Terms,
		Facts: each(next.Facts, func(i int, name string) string {
			if n%3 == 0 || i == len(next.Facts)-1 {
				return "99"
			}
			return fact(name)
		}),
		Questions: each(next.Questions, func(int, string) civicpin.Secret { return civicpin.NewSecret("equivocada") }),
		Documents: each(next.Documents, func(_ int, kind string) string { return "upload-" + kind }),
	}
	if next.Factor != "" {
		a.Factor = civicpin.NewSecret("000000")
	}
	wrong := slices.DeleteFunc(slices.Sorted(slices.Values(next.Images)), func(image string) bool {
		return slices.Contains(w.setup.Images[:2], image) // which a visitor may hit by chance
	})
	a.Image = pick(wrong, n)
	for i := range next.Contacts {
		a.Contacts = append(a.Contacts, pick(typed(n), i))
	}
	if next.Sent != nil && next.Sent.Code {
		a.Code = civicpin.NewSecret("ACDE FGHJ")
	}
	if next.Enrol != nil && next.Enrol.Image {
		a.EnrolImage = w.setup.Images[1]
	}
	if next.Confirm == nil {
		return a
	}
	if a.Confirm = n%2 == 0 || !next.Confirm.MayCorrect; !a.Confirm {
		to := slices.DeleteFunc(typed(n), func(c civicpin.Contact) bool { return c.Channel != next.Confirm.Channel })
		a.Correct = pick(to, 0)
	}
	return a
}

// each returns what is answered to each of several questions, nil if there is none.
func each[T any](asked []string, answer func(i int, name string) T) map[string]T {
	var all map[string]T
	for i, name := range asked {
		if all == nil {
			all = make(map[string]T)
		}
		all[name] = answer(i, name)
	}
	return all
}
