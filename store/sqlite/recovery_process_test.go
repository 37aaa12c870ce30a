package sqlite_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/internal/password"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/recovery/plan"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
	"github.com/civicpin/civicpin/store/sqlite"
)

const (
	rescuerFile   = "CIVICPIN_TEST_RESCUER_FILE"   // the database
	rescuerOffset = "CIVICPIN_TEST_RESCUER_OFFSET" // how far the vault's clock is ahead
	rescuerJob    = "CIVICPIN_TEST_RESCUER_JOB"    // "guess", "hang", "right", "finish" or "use", a ticket or link, and how often
	rescueLimit   = 3
	lostMail      = "ana@correo.example"
)

// rescue is what every process of these tests has in common: two plans over one file.
type rescue struct {
	*recovery.Service
	pins     *pin.Service
	contacts *contact.Service
	out      *outbox.Outbox
	mail     []civicpin.Message
	io.Closer
}

// registerFunc is a register of people.
type registerFunc func(facts map[string]string) bool

func (f registerFunc) Check(_ context.Context, _ civicpin.Subject, facts map[string]string) (bool, error) {
	return f(facts), nil
}

func openRescue(ctx context.Context, path string, offset time.Duration, check registerFunc) (*rescue, error) {
	s, err := sqlite.Open(ctx, path)
	if err != nil {
		return nil, err
	}
	r := &rescue{Closer: s}
	sealer, err := store.XChaCha20Poly1305(civicpin.NewSecret(strings.Repeat("s", 32)))
	if err != nil {
		return nil, err
	}
	vault, err := store.OpenVault(ctx, s, store.Keys{
		Index:   civicpin.NewSecret(strings.Repeat("i", 32)),
		Sealing: []store.SealingKey{{ID: "k1", Sealer: sealer}},
	}, &store.Options{Now: func() time.Time { return time.Now().Add(offset) }})
	if err != nil {
		return nil, err
	}
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
	path := filepath.Join(t.TempDir(), "pins.db")
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

// TestRescuer is not a test: it is what a process of the tests below does. It prints a line "compared" from within each
// comparison, and a line for the outcome of each try.
func TestRescuer(t *testing.T) {
	path := os.Getenv(rescuerFile)
	if path == "" {
		t.Skip("runs in processes of its own only")
	}
	var mu sync.Mutex
	say := func(line string) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Println(line)
	}
	offset, err := time.ParseDuration(os.Getenv(rescuerOffset))
	require.NoError(t, err)
	job := strings.Fields(os.Getenv(rescuerJob))
	require.Len(t, job, 3)
	token := civicpin.NewSecret(job[1])
	n, err := strconv.Atoi(job[2])
	require.NoError(t, err)
	r, err := openRescue(t.Context(), path, offset, func(facts map[string]string) bool {
		say("compared")
		if job[0] == "hang" { // until the process is killed
			select {}
		}
		return birthDay(facts)
	})
	require.NoError(t, err)
	defer r.Close()
	try := map[string]func() error{
		"guess": func() error {
			_, err := r.Answer(t.Context(), token, recovery.Answers{Facts: map[string]string{"birth-day": "15"}})
			return err
		},
		"right": func() error {
			_, err := r.Answer(t.Context(), token, recovery.Answers{Facts: map[string]string{"birth-day": "14"}})
			return err
		},
		"use": func() error {
			_, err := r.Redeem(t.Context(), token, civicpin.Source{})
			return err
		},
		"finish": func() error {
			_, err := r.Finish(t.Context(), token, civicpin.Source{})
			return err
		},
	}
	try["hang"] = try["guess"]
	say("ready")
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n')

	todo := make(chan struct{}, n)
	for range n {
		todo <- struct{}{}
	}
	close(todo)
	var wg sync.WaitGroup
	for range min(n, typedAtOnce) {
		wg.Go(func() {
			for range todo {
				err := try[job[0]]()
				for errors.Is(err, recovery.ErrBusy) && job[0] == "guess" {
					time.Sleep(time.Millisecond)
					err = try[job[0]]()
				}
				switch {
				case err == nil:
					say("let in")
				case errors.As(err, new(*lockout.LockedError)):
					say("locked")
				case errors.Is(err, recovery.ErrRefused):
					say("refused")
				case errors.Is(err, recovery.ErrBusy):
					say("busy")
				case errors.Is(err, recovery.ErrGone):
					say("gone")
				default:
					say("error: " + err.Error())
				}
			}
		})
	}
	wg.Wait()
	say("done")
}

// rescuers starts a process for each job, which waits for the word.
func rescuers(t *testing.T, path string, offset time.Duration, jobs ...string) []*typer {
	t.Helper()
	var all []*typer
	for _, job := range jobs {
		g := &typer{cmd: exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestRescuer$")}
		g.cmd.Env = append(os.Environ(), rescuerFile+"="+path, rescuerJob+"="+job, rescuerOffset+"="+offset.String())
		g.cmd.Stderr = os.Stderr
		var err error
		g.in, err = g.cmd.StdinPipe()
		require.NoError(t, err)
		out, err := g.cmd.StdoutPipe()
		require.NoError(t, err)
		g.out = bufio.NewScanner(out)
		require.NoError(t, g.cmd.Start())
		t.Cleanup(func() {
			_ = g.cmd.Process.Kill()
			_ = g.cmd.Wait()
		})
		require.Equal(t, "ready", g.line())
		all = append(all, g)
	}
	return all
}

// outcomes lets the processes do their jobs of n tries each, and counts their lines.
func outcomes(t *testing.T, all []*typer, n int) map[string]int {
	t.Helper()
	for _, g := range all {
		g.begin(t)
	}
	lines := make(map[string]int)
	for _, g := range all {
		for line, times := range g.count(t, n, "let in", "locked", "refused", "busy", "gone") {
			lines[line] += times
		}
	}
	return lines
}

// kill kills the processes when the first of them has got out so many lines, and counts the lines of all.
func kill(t *testing.T, all []*typer, after int) map[string]int {
	t.Helper()
	lines := make(map[string]int)
	for range after {
		lines[all[0].line()]++
	}
	for _, g := range all {
		require.NoError(t, g.cmd.Process.Kill())
	}
	for _, g := range all {
		for line := g.line(); line != "end of output"; line = g.line() {
			require.False(t, strings.HasPrefix(line, "error"), line)
			lines[line]++
		}
		_ = g.cmd.Wait()
	}
	return lines
}

// TestRescuersShareALimit: of a thousand wrong answers by four processes, each with a run of its own, exactly three are
// compared.
func TestRescuersShareALimit(t *testing.T) {
	const each = 250
	r, path := lose(t)
	var jobs []string
	for range processes {
		jobs = append(jobs, fmt.Sprint("guess ", r.begin(t, "short").Reveal(), " ", each))
	}
	lines := outcomes(t, rescuers(t, path, 0, jobs...), each)
	require.Equal(t, map[string]int{
		"compared": rescueLimit, "refused": rescueLimit - 1, "locked": processes*each - rescueLimit + 1,
	}, lines)
	_, err := r.Answer(t.Context(), r.begin(t, "short"), recovery.Answers{Facts: map[string]string{"birth-day": "14"}})
	require.ErrorAs(t, err, new(*lockout.LockedError), "the right answer as well")
}

// TestRescuersKilled: processes that are killed within a comparison leave reservations, which become failures. Whatever is
// killed, three are compared.
func TestRescuersKilled(t *testing.T) {
	r, path := lose(t)
	var jobs []string
	for range processes {
		jobs = append(jobs, "hang "+r.begin(t, "short").Reveal()+" 1")
	}
	all := rescuers(t, path, 0, jobs...)
	for _, g := range all {
		g.begin(t)
	}
	lines := make(map[string]int)
	for _, g := range all {
		lines[g.line()]++
	}
	require.Equal(t, map[string]int{"compared": rescueLimit, "busy": processes - rescueLimit}, lines)
	require.NotContains(t, kill(t, all, 0), "let in")
	right := "right " + r.begin(t, "short").Reveal() + " 1"
	require.Equal(t, map[string]int{"busy": 1}, outcomes(t, rescuers(t, path, 0, right), 1), "before the deadline")
	require.Equal(t, map[string]int{"locked": 1}, outcomes(t, rescuers(t, path, time.Minute, right), 1), "after it")
}

// TestRescuersKilledAnywhere: processes are killed in the middle of guessing, and others go on. Three are compared at most in
// all.
func TestRescuersKilledAnywhere(t *testing.T) {
	for _, after := range []int{1, 5} {
		r, path := lose(t)
		var jobs []string
		for range processes {
			jobs = append(jobs, "guess "+r.begin(t, "short").Reveal()+" 50")
		}
		all := rescuers(t, path, 0, jobs...)
		for _, g := range all {
			g.begin(t)
		}
		lines := kill(t, all, after)
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
	const each = 16
	for _, tc := range []struct {
		plan, job string
		links     int
	}{{"short", "finish", 1}, {"long", "use", 1}, {"short", "finish", processes}} {
		t.Run(fmt.Sprint(tc.job, " ", tc.links), func(t *testing.T) {
			r, path := lose(t)
			var links, jobs []string
			for range tc.links {
				links = append(links, r.linked(t, tc.plan).Reveal())
			}
			for i := range processes {
				jobs = append(jobs, fmt.Sprint(tc.job, " ", links[i%tc.links], " ", each))
			}
			require.Equal(t, map[string]int{"let in": 1, "gone": processes*each - 1}, outcomes(t, rescuers(t, path, 0, jobs...), each))
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
		job := "finish " + link.Reveal() + " 16"
		all := rescuers(t, path, 0, job, job, job, job)
		for _, g := range all {
			g.begin(t)
		}
		lines := kill(t, all, after)
		won := lines["let in"]
		_, err := r.Finish(t.Context(), link, civicpin.Source{})
		if err == nil {
			won++
		}
		require.LessOrEqual(t, won, 1)
		t.Logf("%v before the kill, then %v", lines, err)

		grant, err := r.Finish(t.Context(), r.linked(t, "short"), civicpin.Source{})
		require.NoError(t, err)
		_, err = r.pins.Set(t.Context(), grant, civicpin.NewSecret("cinco perros bajo la mesa"))
		require.NoError(t, err)
	}
}
