package servers

import (
	"fmt"
	"sync"
)

// control is what servers of all kinds do with their process.
type control struct {
	mu      sync.Mutex
	process *process
}

// Kill ends all of the server's processes at once, as a power cut of its machine would, but for what the kernel holds:
// that a write reached the disk can not be shown so.
func (c *control) Kill() error { return c.with((*process).kill) }

// Stop freezes all of the server's processes: connections stay open, and nothing answers.
func (c *control) Stop() error { return c.with((*process).stop) }

// Cont lets a server go on that Stop froze.
func (c *control) Cont() error { return c.with((*process).cont) }

func (c *control) with(f func(*process) error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.process == nil {
		return errNotRunning
	}
	return f(c.process)
}

// again ends the process, if there is one, without waiting for its clients, begins another, and waits until it answers.
func (c *control) again(begin func() (*process, error), answers func() bool, log string) (err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.process != nil {
		if err := c.process.interrupt(); err != nil {
			return err
		}
		if err := c.process.wait(); err != nil {
			return err
		}
	}
	if c.process, err = begin(); err != nil {
		return err
	}
	if err := c.process.until(answers); err != nil {
		return fmt.Errorf("%w\n%s", err, tail(log))
	}
	return nil
}
