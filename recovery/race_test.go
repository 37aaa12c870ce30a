package recovery_test

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery"
)

// together calls f n times at once, and returns how many got nil, and the errors of the others.
func together(n int, f func(i int) error) (won int, errs []error) {
	for _, err := range testkit.Crowd(n, f) {
		if err == nil {
			won++
		} else {
			errs = append(errs, err)
		}
	}
	return won, errs
}

// linked takes Ana to the link of a plan that begins with a captcha and sends one.
func (k *kit) linked(t *testing.T, name string, kind civicpin.MessageKind) civicpin.Message {
	t.Helper()
	run, err := k.Start(t.Context(), name, ana, home)
	require.NoError(t, err)
	_, err = k.Answer(t.Context(), run.Ticket, recovery.Answers{Captcha: true})
	require.NoError(t, err)
	m, err := k.mailed(t.Context(), 0, anaMail, kind)
	require.NoError(t, err)
	return m
}

func TestOneLinkOneWinner(t *testing.T) {
	for _, name := range []string{"unlock", "two"} {
		t.Run(name, func(t *testing.T) {
			k := newKit(t)
			kind := civicpin.MessageKind("recovery.unlock")
			if name == "two" {
				kind = "recovery.link"
			}
			m := k.linked(t, name, kind)
			won, errs := together(64, func(int) error {
				if name == "two" {
					_, err := k.Redeem(t.Context(), m.Link, home)
					return err
				}
				_, err := k.Finish(t.Context(), m.Link, home)
				return err
			})
			require.Equal(t, 1, won)
			for _, err := range errs {
				require.ErrorIs(t, err, recovery.ErrGone)
			}
		})
	}
}

// Of many recoveries of one subject that complete at once, one does, and ends all others.
func TestOneRunOneWinner(t *testing.T) {
	k := newKit(t)
	var links []civicpin.Message
	for range 4 {
		links = append(links, k.linked(t, "unlock", "recovery.unlock"))
	}
	won, _ := together(64, func(i int) error {
		_, err := k.Finish(t.Context(), links[i%len(links)].Link, home)
		return err
	})
	require.Equal(t, 1, won)
	for _, m := range links {
		_, err := k.Inspect(t.Context(), m.Link)
		require.ErrorIs(t, err, recovery.ErrGone)
	}
}

// TestGrantsRace: of many who finish one plan, one gets a grant, and it is good.
func TestGrantsRace(t *testing.T) {
	k := newKit(t)
	_, m := k.toLink(t)
	grants := make(chan pin.Grant, 64)
	won, _ := together(64, func(int) error {
		g, err := k.Finish(t.Context(), m.Link, home)
		if err == nil {
			grants <- g
		}
		return err
	})
	require.Equal(t, 1, won)
	require.NoError(t, k.set(t.Context(), <-grants, newSecret))
}

// counting is a register that counts how often it is asked.
type counting struct {
	register
	n atomic.Int64
}

func (c *counting) Check(ctx context.Context, subject civicpin.Subject, facts map[string]string) (bool, error) {
	c.n.Add(1)
	return c.register.Check(ctx, subject, facts)
}

// Exactly three of a thousand wrong answers are compared, over many runs at once.
func TestThreeOfAThousand(t *testing.T) {
	k := newKit(t)
	asked := &counting{register: k.facts}
	k.config.Register = asked
	rec, err := recovery.New(k.out, k.config)
	require.NoError(t, err)
	var runs []recovery.Run
	for range 8 {
		run, err := rec.Start(t.Context(), "clave", ana, civicpin.Source{})
		require.NoError(t, err)
		shown, err := rec.Answer(t.Context(), run.Ticket, recovery.Answers{Captcha: true})
		require.NoError(t, err)
		shown.Ticket = run.Ticket
		runs = append(runs, shown)
	}
	won, errs := together(1000, func(i int) error {
		run := runs[i%len(runs)]
		return testkit.Persist(recovery.ErrBusy, func() error {
			_, err := rec.Answer(t.Context(), run.Ticket, recovery.Answers{
				Facts: map[string]string{"birth-day": "9", "birth-month": "9"}, Image: run.Next.Images[0],
				Questions: answered(run.Next.Questions, false),
			})
			return err
		})
	})
	locked := slices.DeleteFunc(slices.Clone(errs), func(err error) bool { return lockOf(err) == nil })
	require.Zero(t, won)
	require.Len(t, errs, 1000)
	require.EqualValues(t, 3, asked.n.Load(), "compared")
	require.Len(t, locked, 998, "the third is told that it locked, and two are refused")
}

// Typed codes are counted apart, and exactly three of a thousand are compared.
func TestThreeCodesOfAThousand(t *testing.T) {
	k := newKit(t)
	m := k.linked(t, "two", "recovery.link")
	run, err := k.Redeem(t.Context(), m.Link, home)
	require.NoError(t, err)
	sent, err := k.mailed(t.Context(), 0, anaPhone, "recovery.code")
	require.NoError(t, err)
	_, errs := together(1000, func(int) error {
		return testkit.Persist(recovery.ErrBusy, func() error {
			_, err := k.Answer(t.Context(), run.Ticket, recovery.Answers{Code: civicpin.NewSecret("ACDEFGHJ")})
			return err
		})
	})
	refused := 0
	for _, err := range errs {
		if errors.Is(err, recovery.ErrRefused) {
			refused++
		}
	}
	require.Equal(t, 2, refused, "and the third is told that it locked")
	_, err = k.Answer(t.Context(), run.Ticket, recovery.Answers{Code: sent.Secret})
	require.NotNil(t, lockOf(err), "the right one as well")
}
