package play

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"sync"
	"time"
)

// A Clock shows the time, plus all the time that the story has skipped. What was skipped is kept in a file, so that in the
// next run nothing that had expired is good again. It is safe for concurrent use.
type Clock struct {
	now  func() time.Time
	file string

	mu      sync.Mutex
	skipped time.Duration
}

// openClock reads what was skipped so far; a file that is not there means nothing.
func openClock(file string, now func() time.Time) (*Clock, error) {
	if now == nil {
		now = time.Now
	}
	c := &Clock{now: now, file: file}
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err == nil {
		c.skipped, err = time.ParseDuration(strings.TrimSpace(string(text)))
	}
	if err != nil || c.skipped < 0 {
		return nil, fmt.Errorf("play: clock file %s: unreadable: %w", file, errors.Join(err))
	}
	return c, nil
}

// Now returns the time on the stage. It is the clock of the vault.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now().Add(c.skipped)
}

// Skip moves the clock forward. It gives an error, and the clock stays, if d is negative or the file cannot be written.
func (c *Clock) Skip(d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if d < 0 {
		return errors.New("play: time does not run backwards")
	}
	// First the file: a clock that is moved and then forgets it would run backwards.
	temp := c.file + ".new"
	err := os.WriteFile(temp, []byte((c.skipped+d).String()+"\n"), 0o600)
	if err == nil {
		err = os.Rename(temp, c.file)
	}
	if err != nil {
		return fmt.Errorf("play: keep the clock: %w", err)
	}
	c.skipped += d
	return nil
}

// Later lets time pass, and says so.
func (s *Stage) Later(d time.Duration) error {
	if err := s.Clock.Skip(d); err != nil {
		return err
	}
	s.Say("… %s later …", inWords(d))
	return nil
}

// NextDay is an act that begins with a step of the story, a day later.
func (s *Stage) NextDay(step string, act func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		s.Step("%s", step)
		if err := s.Later(24 * time.Hour); err != nil {
			return err
		}
		return act(ctx)
	}
}

// PassUntil lets time pass until then and on to a full minute, and says so.
func (s *Stage) PassUntil(at time.Time) error {
	wait := max(at.Sub(s.Clock.Now()), 0)
	return s.Later((wait + time.Minute - 1).Truncate(time.Minute))
}

// Next returns when it is so many o'clock next, where the agency is.
func (s *Stage) Next(hour int) time.Time {
	now := s.Clock.Now().In(s.Location)
	at := time.Date(now.Year(), now.Month(), now.Day(), hour, 0, 0, 0, s.Location)
	if !at.After(now) {
		at = at.AddDate(0, 0, 1)
	}
	return at
}

// inWords writes a time span in its largest unit that divides it: "3 days", "90 minutes".
func inWords(d time.Duration) string {
	for _, u := range []struct {
		name string
		d    time.Duration
	}{{"day", 24 * time.Hour}, {"hour", time.Hour}, {"minute", time.Minute}, {"second", time.Second}} {
		switch n := d / u.d; {
		case d%u.d != 0 || n == 0:
		case n == 1:
			return "1 " + u.name
		default:
			return fmt.Sprintf("%d %ss", n, u.name)
		}
	}
	return d.String()
}
