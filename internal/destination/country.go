package destination

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/gcra"
	"github.com/civicpin/civicpin/internal/pace"
	"github.com/civicpin/civicpin/internal/turns"
	"github.com/civicpin/civicpin/store"
)

const (
	// maxCountryHold is the longest that a message waits for its country.
	maxCountryHold = 3 * 24 * time.Hour
	// maxAhead is how many messages wait for one country.
	maxAhead = 100_000
	// maxShards is over how many records the rate of a country is spread, so that its messages do not all wait for one record.
	maxShards = 16
)

// Countries say how many messages the telephones of a country get: Home those of the countries in HomePrefixes, or of all
// countries if there are none, and Abroad those of any other country.
type Countries struct {
	Home, Abroad civicpin.Rate
	HomePrefixes []string
}

func (c *Countries) rate(prefix string) civicpin.Rate {
	if len(c.HomePrefixes) == 0 || slices.Contains(c.HomePrefixes, prefix) {
		return c.Home
	}
	return c.Abroad
}

// slots is what is stored of the limit of a country: see package gcra. Times are nanoseconds since 1970.
type slots struct {
	State int64 `json:"t"`
	Told  int64 `json:"e"`
}

// AtCountry gives a message its turn among those for the telephones of its country. It gets a turn once, so messages go in the
// order in which their addresses let them through. Slot is the turn that it got before, in nanoseconds since 1970; zero if it
// has none. The error is the store's.
func (l *Limits) AtCountry(ctx context.Context, m Message, slot int64) (Answer, error) {
	now := l.vault.Now()
	a, at := Answer{Slot: slot}, time.Unix(0, slot)
	if slot == 0 || at.After(now.Add(maxCountryHold)) { // by a clock that was ahead
		var err error
		if a, err = l.reserve(ctx, m, now); err != nil || a.Verdict == turns.Refuse {
			return a, err
		}
		at = time.Unix(0, a.Slot)
	}
	if at.After(now) {
		a.Verdict, a.At = turns.Wait, earlier(at, now.Add(turns.Again))
	}
	return a, nil
}

// reserve takes the next turn of a country, in one conditional write. The verdict of the answer is Go or Refuse.
func (l *Limits) reserve(ctx context.Context, m Message, now time.Time) (Answer, error) {
	prefix := m.To.Prefix()
	rate, shard := l.shard(prefix, m.To.Canonical())
	ahead := min(int(maxCountryHold/(rate.Window/time.Duration(rate.Limit))), maxAhead)
	ctx, cancel := context.WithTimeout(ctx, pace.Store)
	defer cancel()
	a := Answer{
		Record: l.hash("country", prefix, rate.Window.String(), shard), Limit: "country", Why: "too many messages to one country",
	}
	_, err := l.slots.Update(ctx, store.Key{ID: a.Record}, func(e *store.Entry[slots]) error {
		state, told := time.Unix(0, e.Value.State), time.Unix(0, e.Value.Told)
		next, at, ok := gcra.Reserve(rate, state, now, ahead)
		a.Answer, a.Slot = turns.Answer{Verdict: turns.Refuse}, 0
		if ok && !turns.TooLate(at, m.born(now), m.Expires) {
			state, a.Verdict, a.Slot = next, turns.Go, at.UnixNano()
		}
		a.Tell = (a.Verdict == turns.Refuse || at.After(now)) && due(told, now)
		switch {
		case a.Tell:
			e.Value.Told = now.UnixNano()
		case a.Verdict == turns.Refuse:
			return store.ErrSkip
		}
		e.Value.State, e.ExpiresAt = state.UnixNano(), later(state, now.Add(time.Hour))
		return nil
	})
	return a, err
}

// shard returns the part of a country's rate that an address has a share in, and its name. A rate below 200 is not divided: its
// parts would be too coarse.
func (l *Limits) shard(prefix, address string) (civicpin.Rate, string) {
	rate := l.countries.rate(prefix)
	n := max(1, min(maxShards, rate.Limit/100))
	h := l.vault.Hash("outbox.shard", address)
	return civicpin.Rate{Limit: rate.Limit / n, Window: rate.Window}, strconv.Itoa(int(h[0]) % n)
}

// born returns when a message was asked for, now if that is not known or a clock was ahead.
func (m *Message) born(now time.Time) time.Time {
	if m.Born.IsZero() {
		return now
	}
	return earlier(m.Born, now)
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// due reports whether an event that was recorded at a time is recorded again: once an hour.
func due(told, now time.Time) bool { return now.Sub(told) >= time.Hour || told.After(now) }

// watch is what this process counts of the messages to a country that no limit holds.
type watch struct {
	state, told time.Time
}

// Watch counts a message to a country that no limit holds. It reports once an hour that there are more of them than the limit
// would let through. An empty prefix is no country.
func (l *Limits) Watch(prefix string) (flood bool) {
	if prefix == "" {
		return false
	}
	now := l.vault.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	w := l.watched[prefix]
	next, ok, _ := gcra.Take(l.countries.rate(prefix), w.state, now, 1)
	w.state = next
	if flood = !ok && due(w.told, now); flood {
		w.told = now
	}
	l.watched[prefix] = w
	return flood
}
