package outbox

import (
	"context"
	"encoding/hex"
	"math/rand/v2"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/store"
)

// rate is the state of one address's limit: see package gcra. It is found under a keyed hash of the address.
type rate struct {
	State int64 `json:"t"` // nanoseconds since 1970
}

// allow asks for one message to an address. If there is none to be had, or the store fails, it gives the claim and the
// try back, and returns false. A message that is sent and fails is not given back: a flood of failing messages is one too.
func (o *Outbox) allow(ctx context.Context, j *job, to civicpin.Contact) bool {
	if to.Address == "" {
		return true // handed over by hand
	}
	within, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	limit := o.opts.PerDestination.gcra()
	h := o.vault.Hash("outbox.destination", routeOf(to).address)
	var ok bool
	var again time.Time
	_, err := o.rates.Update(within, store.Key{ID: hex.EncodeToString(h[:16])}, func(e *store.Entry[rate]) error {
		var state time.Time
		if e.Found() {
			state = time.Unix(0, e.Value.State)
		}
		old := state
		if state, ok, again = limit.Take(state, o.vault.Now(), 1); !ok && state.Equal(old) {
			return store.ErrSkip
		}
		// A refusal, too, is written if Take corrected what a clock that was ahead has left: if it were not, each later one
		// would count from its own now, and be refused until that clock's time has come.
		e.Value.State, e.Expires = state.UnixNano(), state
		return nil
	})
	if err == nil && ok {
		return true
	}
	due := o.in(o.opts.delay(1))
	if err == nil {
		// Those that wait for one address do not come back all at once.
		due = again.Add(rand.N(limit.Window/time.Duration(limit.Limit)/4 + 1)).UnixNano()
		o.record(ctx, EventLimited, j.ref, "")
	}
	o.giveBack(ctx, j, func(e *entry) {
		e.Due = due
		e.Tries--
	})
	return false
}
