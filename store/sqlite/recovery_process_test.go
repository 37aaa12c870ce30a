package sqlite_test

import (
	"context"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/internal/password"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/internal/testkit/processes"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/recovery/plan"
	"github.com/civicpin/civicpin/store/outbox"
)

const (
	rescueLimit = 3
	almostADay  = 23 * time.Hour
	lostMail    = "ana@correo.example"
)

// rescue is what every process of these tests has in common: two plans over one file.
type rescue struct {
	*recovery.Service
	pins     *pin.Service
	contacts *contact.Service
	out      *outbox.Outbox
	mail     []civicpin.Message
	events   testkit.Recorder
	io.Closer
}

// registerFunc is a register of people.
type registerFunc func(facts map[string]string) bool

func (f registerFunc) Check(_ context.Context, _ civicpin.Subject, facts map[string]string) (bool, error) {
	return f(facts), nil
}

func openRescue(ctx context.Context, path string, offset time.Duration, check registerFunc) (*rescue, error) {
	r := &rescue{}
	vault, s, err := openVault(ctx, path, func() time.Time { return time.Now().Add(offset) }, &r.events)
	if err != nil {
		return nil, err
	}
	r.Closer = s
	r.out, err = outbox.New(vault, civicpin.NotifierFunc(func(_ context.Context, m civicpin.Message) (string, error) {
		r.mail = append(r.mail, m)
		return "", nil
	}), &outbox.Options{Workers: 1})
	if err != nil {
		return nil, err
	}
	password.Cheap()
	p := pin.Default()
	p.Hashing = pin.Hashing{Memory: 8, Time: 1, Threads: 1}
	if r.pins, err = pin.New(r.out, p); err != nil {
		return nil, err
	}
	link := plan.Link{Channel: civicpin.Email, Valid: time.Hour}
	limit := lockout.Policy{Limit: rescueLimit, Lock: lockout.UntilUnlocked}
	if r.contacts, err = contact.New(r.out, contact.Policy{}, r.pins); err != nil {
		return nil, err
	}
	r.Service, err = recovery.New(r.out, recovery.Config{
		Pins: r.pins, Contacts: r.contacts, Register: check, Hashing: p.Hashing,
		Roles: map[string]recovery.Role{"agency": {Unlocks: true}},
		Plans: []plan.Plan{
			{Name: "short", Steps: []plan.Step{plan.Facts{"birth-day"}, link}, Limit: limit, Outcome: plan.ChooseSecret},
			{
				Name:  "long",
				Steps: []plan.Step{plan.Facts{"birth-day"}, link, plan.Terms{Version: "1"}},
				Limit: limit, Outcome: plan.ChooseSecret,
			},
		},
	})

	return r, err
}

// birthDay is right if the day is Ana's.
func birthDay(facts map[string]string) bool { return facts["birth-day"] == "14" }

// lose makes a file with a citizen who has lost her secret.
func lose(t *testing.T) (*rescue, string) {
	t.Helper()
	path := newPath(t)
	r, err := openRescue(t.Context(), path, 0, birthDay)
	require.NoError(t, err)
	t.Cleanup(func() { _ = r.Close() })
	hash := password.New(password.Params{Memory: 8, Time: 1, Threads: 1}, "tres gatos en el tejado").Encode()
	clerk := civicpin.Operator("1")
	require.NoError(t, r.pins.Import(t.Context(), "CITIZEN", civicpin.NewSecret(hash), pin.ImportOptions{
		Level: civicpin.Low, By: clerk, Evidence: civicpin.Evidence{Method: civicpin.InPerson, By: clerk},
	}))
	require.NoError(t, r.contacts.Adopt(t.Context(), "CITIZEN", []civicpin.Contact{
		{Channel: civicpin.Email, Address: lostMail},
	}, clerk, civicpin.Source{}))
	return r, path
}

// begin begins a recovery and returns its ticket.
func (r *rescue) begin(t *testing.T, name string) civicpin.Secret {
	t.Helper()
	run, err := r.Start(t.Context(), name, "CITIZEN", civicpin.Source{})
	require.NoError(t, err)
	return run.Ticket
}

// jobs returns the job for each child, with a run of its own.
func (r *rescue) jobs(t *testing.T, j rescueJob) []rescueJob {
	t.Helper()
	return each(func(int) rescueJob {
		j.Token = r.begin(t, "short").Reveal()
		return j
	})
}

// linked begins a recovery and returns the link that comes.
func (r *rescue) linked(t *testing.T, name string) civicpin.Secret {
	t.Helper()
	_, err := r.Answer(t.Context(), r.begin(t, name), recovery.Answers{Facts: map[string]string{"birth-day": "14"}})
	require.NoError(t, err)
	before := len(r.mail)
	require.NoError(t, r.out.Flush(t.Context()))
	for _, m := range r.mail[before:] {
		if m.Kind == "recovery.link" {
			return m.Link
		}
	}
	t.Fatal("no link came")
	return civicpin.Secret{}
}

// A rescueJob is what a child does over and over.
type rescueJob struct {
	Path   string
	Offset time.Duration // how far the vault's clock is ahead
	Do     string        // "guess", "right", "hang", "use" or "finish"
	Token  string        // a ticket or a link
	Times  int
}

func (j rescueJob) try(ctx context.Context, r *rescue) (err error) {
	token := civicpin.NewSecret(j.Token)
	switch j.Do {
	case "guess", "hang":
		_, err = r.Answer(ctx, token, recovery.Answers{Facts: map[string]string{"birth-day": "15"}})
	case "right":
		_, err = r.Answer(ctx, token, recovery.Answers{Facts: map[string]string{"birth-day": "14"}})
	case "use":
		_, err = r.Redeem(ctx, token, civicpin.Source{})
	case "finish":
		_, err = r.Finish(ctx, token, civicpin.Source{})
	}
	return err
}

// TestRescuer is not a test: it is a child that says the outcome of each try, and "compared" from within each comparison.
func TestRescuer(t *testing.T) {
	processes.Serve(t, func(ctx context.Context, c *processes.Child, j rescueJob) error {
		r, err := openRescue(ctx, j.Path, j.Offset, func(facts map[string]string) bool {
			c.Say("compared")
			if j.Do == "hang" {
				select {} // until the process is killed
			}
			return birthDay(facts)
		})
		if err != nil {
			return err
		}
		c.Race(j.Times, func() (string, error) {
			if j.Do == "guess" {
				return patient(func() error { return j.try(ctx, r) })
			}
			return outcome(j.try(ctx, r))
		})
		return r.Close()
	})
}

// killAfter kills the processes when the first of them has said so many lines, and counts the lines of all.
func killAfter(t *testing.T, all processes.Group, n int) map[string]int {
	t.Helper()
	lines := all[:1].Lines(t, n)
	for line, times := range all.Kill(t) {
		lines[line] += times
	}
	return lines
}

// TestRescuersShareALimit: of a thousand wrong answers by four processes, each with a run of its own, exactly three are
// compared.
func TestRescuersShareALimit(t *testing.T) {
	const times = 250
	r, path := lose(t)
	require.Equal(t, map[string]int{
		"compared": rescueLimit, "refused": rescueLimit - 1, "locked": children*times - rescueLimit + 1,
	}, processes.Run(t, "TestRescuer", r.jobs(t, rescueJob{Path: path, Do: "guess", Times: times})...))
	_, err := r.Answer(t.Context(), r.begin(t, "short"), recovery.Answers{Facts: map[string]string{"birth-day": "14"}})
	require.ErrorAs(t, err, new(*lockout.LockedError), "the right answer as well")
}

// TestRescuersKilled: processes that are killed within a comparison leave reservations, which become failures. Whatever is
// killed, three are compared.
func TestRescuersKilled(t *testing.T) {
	r, path := lose(t)
	all := processes.Start(t, "TestRescuer", r.jobs(t, rescueJob{Path: path, Do: "hang", Times: 1})...)
	all.Go(t)
	require.Equal(t, map[string]int{"compared": rescueLimit, "busy": children - rescueLimit}, all.Lines(t, 1))
	require.NotContains(t, all.Kill(t), "let in")
	right := rescueJob{Path: path, Do: "right", Token: r.begin(t, "short").Reveal(), Times: 1}
	require.Equal(t, map[string]int{"busy": 1}, processes.Run(t, "TestRescuer", right), "before the deadline")
	right.Offset = time.Minute
	require.Equal(t, map[string]int{"locked": 1}, processes.Run(t, "TestRescuer", right), "after it")
}

// TestRescuersKilledAnywhere: processes are killed in the middle of guessing, and others go on. Three are compared at most in
// all.
func TestRescuersKilledAnywhere(t *testing.T) {
	for _, after := range []int{1, 5} {
		r, path := lose(t)
		all := processes.Start(t, "TestRescuer", r.jobs(t, rescueJob{Path: path, Do: "guess", Times: 50})...)
		all.Go(t)
		lines := killAfter(t, all, after)
		require.Zero(t, lines["let in"])
		// A process may die between its reservation and the comparison, so that fewer than three are compared; never more.
		compared := lines["compared"]
		later, err := openRescue(t.Context(), path, time.Minute, func(facts map[string]string) bool {
			compared++
			return birthDay(facts)
		})
		require.NoError(t, err)
		defer later.Close()
		ticket := r.begin(t, "short")
		for range 8 {
			_, err = later.Answer(t.Context(), ticket, recovery.Answers{Facts: map[string]string{"birth-day": "15"}})
		}
		require.ErrorAs(t, err, new(*lockout.LockedError))
		require.LessOrEqual(t, compared, rescueLimit)
		t.Logf("%v before the kill, %d compared in all", lines, compared)
	}
}

// TestRescuersOneWinner: of 64 uses of one link by four processes, or of four links to four runs of one citizen, one is let in.
func TestRescuersOneWinner(t *testing.T) {
	const times = 16
	for _, tc := range []struct {
		plan, job string
		links     int
	}{{"short", "finish", 1}, {"long", "use", 1}, {"short", "finish", children}} {
		t.Run(fmt.Sprint(tc.job, " ", tc.links), func(t *testing.T) {
			r, path := lose(t)
			var links []string
			for range tc.links {
				links = append(links, r.linked(t, tc.plan).Reveal())
			}
			require.Equal(t, map[string]int{"let in": 1, "gone": children*times - 1},
				processes.Run(t, "TestRescuer", each(func(i int) rescueJob {
					return rescueJob{Path: path, Do: tc.job, Token: links[i%tc.links], Times: times}
				})...))
			for _, link := range links {
				_, err := r.Inspect(t.Context(), civicpin.NewSecret(link))
				require.ErrorIs(t, err, recovery.ErrGone)
			}
		})
	}
}

// TestRescuersOneWinnerKilled: processes are killed in the middle of a race for one link. One is let in at the most, by then or
// later, and the citizen begins again and gets there.
func TestRescuersOneWinnerKilled(t *testing.T) {
	for _, after := range []int{0, 2} {
		r, path := lose(t)
		link := r.linked(t, "short")
		job := rescueJob{Path: path, Do: "finish", Token: link.Reveal(), Times: 16}
		all := processes.Start(t, "TestRescuer", job, job, job, job)
		all.Go(t)
		lines := killAfter(t, all, after)
		won := lines["let in"]
		_, err := r.Finish(t.Context(), link, civicpin.Source{})
		if err == nil {
			won++
		}
		require.LessOrEqual(t, won, 1)
		t.Logf("%v before the kill, then %v", lines, err)

		grant, err := r.Finish(t.Context(), r.linked(t, "short"), civicpin.Source{})
		require.NoError(t, err)
		_, err = r.pins.Set(t.Context(), grant, civicpin.NewSecret("cinco perros bajo la mesa"), civicpin.Source{})
		require.NoError(t, err)
	}
}
