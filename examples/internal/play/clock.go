package play

import (
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
