// Package guess lets several processes guess at one secret through package lockout at the same time, over one store, and
// counts how many of their guesses are compared: never more than the limit, whatever is killed meanwhile.
//
// A test package calls [Child] from a test of its own named TestGuesser, which is what the processes run.
package guess

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/store"
)

const (
	// Limit is how many wrong guesses lock.
	Limit = 5
	// atOnce is how many of a process's guesses are under way together. With all of them, the first write alone would
	// queue for seconds on a loaded machine.
	atOnce = 16
	// variable tells a process what to do; see job.
	variable = "CIVICPIN_TEST_GUESSER"
)

// A verdict is what a guesser's verification does.
type verdict string

const (
	wrong verdict = "wrong"
	right verdict = "right"
	hang  verdict = "hang" // until the process is killed
)

// A job is what a process does: so many guesses of a kind at a subject's secret.
type job struct {
	where   string // what the test package's open understands
	subject civicpin.Subject
	verdict verdict
	n       int
	offset  time.Duration // how far the vault's clock is ahead
	patient bool          // whether it guesses again when it is told to try later
}

func (j job) String() string {
	return strings.Join([]string{
		j.where, string(j.subject), string(j.verdict), strconv.Itoa(j.n), j.offset.String(), strconv.FormatBool(j.patient),
	}, "\n")
}

func parseJob(text string) (j job, err error) {
	f := strings.Split(text, "\n")
	if len(f) != 6 {
		return job{}, errors.New("guess: not a job")
	}
	j = job{where: f[0], subject: civicpin.Subject(f[1]), verdict: verdict(f[2])}
	if j.n, err = strconv.Atoi(f[3]); err != nil {
		return job{}, err
	}
	if j.offset, err = time.ParseDuration(f[4]); err != nil {
		return job{}, err
	}
	j.patient, err = strconv.ParseBool(f[5])
	return j, err
}

// Open returns a store, from what a test says of where it is. One that is an io.Closer is closed in the end.
type Open func(ctx context.Context, where string) (store.Store, error)

// openGate returns a gate that every process of these tests has in common.
func openGate(s store.Store, offset time.Duration) (*lockout.Gate, error) {
	sealer, err := store.XChaCha20Poly1305(civicpin.NewSecret(strings.Repeat("s", 32)))
	if err != nil {
		return nil, err
	}
	vault, err := store.OpenVault(context.Background(), s, store.Keys{
		Index:   civicpin.NewSecret(strings.Repeat("i", 32)),
		Sealing: []store.SealingKey{{ID: "k1", Sealer: sealer}},
	}, &store.Options{Now: func() time.Time { return time.Now().Add(offset) }, Adopt: true}) // some of the stores cannot list
	if err != nil {
		return nil, err
	}
	return lockout.New(vault, "login", lockout.Policy{Limit: Limit, Lock: lockout.UntilUnlocked})
}

// Child does a job if this is a process that was started for one, and otherwise skips the test. It prints a line
// "compared" from within each verification, and a line for the outcome of each guess.
func Child(t *testing.T, open Open) {
	text := os.Getenv(variable)
	if text == "" {
		t.Skip("runs in processes of its own only")
	}
	j, err := parseJob(text)
	if err != nil {
		t.Fatal(err)
	}
	s, err := open(t.Context(), j.where)
	if err != nil {
		t.Fatal(err)
	}
	if c, ok := s.(io.Closer); ok {
		defer func() { _ = c.Close() }()
	}
	gate, err := openGate(s, j.offset)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	say := func(line string) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Println(line)
	}
	say("ready")
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
	todo := make(chan struct{}, j.n)
	for range j.n {
		todo <- struct{}{}
	}
	close(todo)
	var wg sync.WaitGroup
	for range min(j.n, atOnce) {
		wg.Go(func() {
			for range todo {
				say(j.guess(t.Context(), gate, say))
			}
		})
	}
	wg.Wait()
	say("done")
}

// guess guesses once and returns the outcome.
func (j job) guess(ctx context.Context, gate *lockout.Gate, say func(string)) string {
	for {
		err := gate.Do(ctx, lockout.Target{Subject: j.subject}, func(context.Context) (bool, error) {
			say("compared")
			switch j.verdict {
			case hang:
				select {}
			case right:
				return true, nil
			}
			time.Sleep(5 * time.Millisecond)
			return false, nil
		})
		_, locked := errors.AsType[*lockout.LockedError](err)
		switch {
		case err == nil:
			return "let in"
		case locked:
			return "locked"
		case errors.Is(err, lockout.ErrRefused):
			return "refused"
		case errors.Is(err, lockout.ErrBusy) && j.patient:
			time.Sleep(time.Millisecond)
		case errors.Is(err, lockout.ErrBusy):
			return "busy"
		default:
			time.Sleep(20 * time.Millisecond) // or all guesses would be over before the store is back
			return "failed: " + strings.ReplaceAll(err.Error(), "\n", " ")
		}
	}
}
