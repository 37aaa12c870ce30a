package civicpin

import (
	"fmt"
	"time"
)

// A Rate is at most Limit events at once, and Limit per Window in the long run. What the zero Rate means stands where a Rate is
// asked for: no limit, or a default.
type Rate struct {
	// Limit is a number of events, 1 to 1,000,000. Required if Window is set.
	Limit int
	// Window is the time in which as many events are let through in the long run, 1 second to 366 days. Required if Limit is
	// set.
	Window time.Duration
}

// Validate returns nil for the zero Rate, and for 1 to 1,000,000 events in 1 second to 366 days. Any other Rate gives an
// error that matches [ErrInvalid].
func (r Rate) Validate() error {
	if r == (Rate{}) || r.Limit >= 1 && r.Limit <= 1_000_000 && r.Window >= time.Second && r.Window <= 366*24*time.Hour {
		return nil
	}
	return fmt.Errorf("%w: a rate is not 1 to 1000000 events in 1 second to 366 days", ErrInvalid)
}
