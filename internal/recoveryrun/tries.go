package recoveryrun

import (
	"github.com/civicpin/civicpin/internal/token"
	"github.com/civicpin/civicpin/lockout"
)

// Try counts a code that is about to be compared, and returns how many more may be, out of a limit. Another message does not
// start the count again.
func (r *Record) Try(limit int) (left int, err error) {
	if r.Tries >= limit {
		return 0, token.ErrGone
	}
	r.Tries++
	return limit - r.Tries, nil
}

// Typed returns the limit of wrong codes over all runs of a subject, for a plan's limit. They end their run, and lock the
// subject only near the ceiling: a code of 38 bits bears a hundred guesses, and strangers could lock the owner out.
func Typed(p lockout.Policy) lockout.Policy {
	if p.Ceiling == 0 {
		p.Ceiling = lockout.MaxCeiling
	}
	open := p.Ceiling - 2*p.Reserve // what is left to a lane beside that of a login and that of a known device
	p.Limit = max(p.Limit, open-open/10)
	p.DelayAfter, p.Delay, p.DelayMax, p.Devices, p.DeviceValid = 0, 0, 0, 0, 0
	return p
}
