package outbox

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/gcra"
	"github.com/civicpin/civicpin/store"
)

// heldFor is how long it is counted together what was held of a subject's messages.
const heldFor = 24 * time.Hour

// held is what is stored of the messages of a subject that were held.
type held struct {
	Since   int64 `json:"t" export:"yes"` // nanoseconds since 1970
	Waited  int   `json:"w" export:"yes"`
	Expired int   `json:"x" export:"yes"`
}

// Held is what the limits did to the messages of a subject, see [Outbox.Held].
type Held struct {
	// Waited is how many messages waited for their turn, and may wait still. Expired is how many were given up, because too many
	// waited or their secret would have been nearly expired.
	Waited, Expired int
	// Since is when the first of them was held, within the last 24 hours; zero if there are none.
	Since time.Time
}

// Held returns how many messages of a subject the limits of addresses and countries held since a day ago at most. Show it only to a
// caller who has shown something, such as a login: it tells that the subject has an address. Errors:
//   - [civicpin.ErrInvalid]: the subject is invalid.
//   - the store's.
func (o *Outbox) Held(ctx context.Context, subject civicpin.Subject) (Held, error) {
	if err := subject.Validate(); err != nil {
		return Held{}, err
	}
	e, err := o.held.Get(ctx, store.Key{Subject: subject})
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return Held{}, fmt.Errorf("outbox: held: %w", err)
	}
	since := time.Unix(0, e.Value.Since)
	if !e.Found() || !current(since, o.vault.Now()) {
		return Held{}, nil
	}
	return Held{Waited: e.Value.Waited, Expired: e.Value.Expired, Since: since}, nil
}

// current reports whether a count that began at a time goes on.
func current(since, now time.Time) bool { return now.Sub(since) < heldFor && !since.After(now) }

// noteHeld counts messages that waited or were given up. If the store fails, they are not counted.
func (o *Outbox) noteHeld(ctx context.Context, subject civicpin.Subject, waited, expired int) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	_, _ = o.held.Update(ctx, store.Key{Subject: subject}, func(e *store.Entry[held]) error {
		now := o.vault.Now()
		if !e.Found() || !current(time.Unix(0, e.Value.Since), now) {
			e.Value = held{Since: now.UnixNano()}
		}
		e.Value.Waited += waited
		e.Value.Expired += expired
		e.Expires = time.Unix(0, e.Value.Since).Add(heldFor)
		return nil
	})
}

// watched is what this process counts of the messages to a country that no limit holds.
type watched struct {
	state, told time.Time
}

// watch records once an hour that a country gets more messages that are not held than visitors' ones would be let through.
func (o *Outbox) watch(ctx context.Context, to civicpin.Contact) {
	prefix := to.Prefix()
	if prefix == "" {
		return
	}
	now, rate := o.vault.Now(), o.countryRate(prefix)
	o.mu.Lock()
	w := o.watched[prefix]
	next, ok, _ := gcra.Take(rate, w.state, now, 1)
	w.state = next
	tell := !ok && (now.Sub(w.told) >= time.Hour || w.told.After(now))
	if tell {
		w.told = now
	}
	o.watched[prefix] = w
	o.mu.Unlock()
	if tell {
		o.events.Record(ctx, civicpin.Event{Code: EventFlood, Ref: prefix})
	}
}

// withMore returns the parameters of a notice that goes for n others as well.
func withMore(params map[string]string, n int) map[string]string {
	params = maps.Clone(params)
	if params == nil {
		params = make(map[string]string)
	}
	params["more"] = strconv.Itoa(n)
	return params
}
