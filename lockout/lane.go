package lockout

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/store"
)

// errNoLane says that a device has no lane: it expired, was replaced or forgotten.
var errNoLane = errors.New("lockout: device is not known any more")

// outcome is how a guess ended.
type outcome int

const (
	counted         outcome = iota // compared and wrong
	countedStranger                // the same, of a subject that does not exist
	refunded                       // not compared
	succeeded                      // compared and right
)

// A lane is where guesses count apart from those in other lanes: the lane of a target, or that of a known device. R is the type
// of the record that has the lane's state.
type lane[R any] struct {
	vault  *store.Vault
	policy Policy // the part of the gate's that holds for this lane
	kind   store.Kind[R]
	key    store.Key
	place  place[R]
	event  civicpin.Event // about the lane, without a code
}

// A place is what differs between the lanes: where the state is in the record, and how long the record is kept.
type place[R any] interface {
	// find returns the lane's state in a record, nil if the record has no such lane any more.
	find(r *R, now time.Time) *state
	// keepTaken sets when the record may go that a guess was taken in.
	keepTaken(e *store.Entry[R], before state, swept bool, now time.Time)
	// keepSettled sets when the record may go that a guess was settled in.
	keepSettled(e *store.Entry[R], before state, o outcome, now time.Time)
	// gone returns what Do returns for a guess whose lane is gone.
	gone(r *R, t *reservation[R], o outcome, now time.Time) error
	// told returns what Do returns for a guess that came to err in this lane.
	told(ctx context.Context, err error, o outcome) error
}

// A guess is one that was taken, wherever it was.
type guess interface {
	// settle stores how the guess ended and returns what Do returns.
	settle(ctx context.Context, o outcome) error
	// blind reports whether the guess is not compared.
	blind() bool
}

// reservation is a guess in a lane, as it was taken, and the record as it was then written.
type reservation[R any] struct {
	try
	lane  *lane[R]
	epoch uint64 // of the lane when the guess was taken
	entry store.Entry[R]
}

func (t *reservation[R]) blind() bool { return t.Blind }

// take reserves a guess. A lane that is locked or gone costs one read and no write.
func (l *lane[R]) take(ctx context.Context) (guess, error) {
	t, id := &reservation[R]{lane: l}, rand.Text()
	var refused error
	var event civicpin.EventCode
	e, err := l.kind.Update(ctx, l.key, func(e *store.Entry[R]) error {
		now := l.vault.Now()
		s := l.place.find(&e.Value, now)
		if s == nil {
			refused, event = errNoLane, ""
			return store.ErrSkip
		}
		before := *s
		swept := s.sweep(l.policy, now)
		t.try, refused = s.take(l.policy, now, id)
		event = news(before, *s)
		s.markNew(refused, event, now)
		if refused != nil && !swept {
			return store.ErrSkip
		}
		t.epoch = s.Epoch
		l.place.keepTaken(e, before, swept, now)
		return nil
	})
	if err != nil {
		return nil, err
	}
	l.record(ctx, event, "")
	if refused != nil {
		return nil, refused
	}
	t.entry = e
	return t, nil
}

// settle goes on when ctx has been cancelled, since a visitor who hangs up must not escape the count. It first tries to write
// over the record as take left it, which no other guess has touched as a rule.
func (t *reservation[R]) settle(ctx context.Context, o outcome) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
	defer cancel()
	l := t.lane
	var result error
	var event civicpin.EventCode
	_, err := l.kind.UpdateFrom(ctx, t.entry, func(e *store.Entry[R]) error {
		now := l.vault.Now()
		var before, after state
		if s := l.place.find(&e.Value, now); s != nil {
			before = *s
			result = s.settle(l.policy, now, t.try, t.epoch, o)
			after = *s
			s.markNew(result, news(before, after), now)
		} else {
			result, event = l.place.gone(&e.Value, t, o, now), ""
			if !e.Found() {
				return store.ErrSkip
			}
			// Written, or what take read might be out of date: all devices may have been forgotten since.
		}
		event = news(before, after)
		l.place.keepSettled(e, before, o, now)
		return nil
	})
	if err != nil {
		return fmt.Errorf("lockout: settle: %w", err)
	}
	l.record(ctx, event, "")
	return l.place.told(ctx, result, o)
}

// record writes an event about the lane, if there is one.
func (l *lane[R]) record(ctx context.Context, code civicpin.EventCode, by civicpin.Actor) {
	if code == "" {
		return
	}
	event := l.event
	event.Code, event.By = code, by
	l.vault.Record(ctx, event)
}

// news is the lock that was set between two states, empty if none was.
func news(before, after state) civicpin.EventCode {
	switch {
	case after.Disabled && !before.Disabled:
		return eventDisabled
	case after.Epoch == before.Epoch:
		return ""
	}
	return eventLocked
}

// later returns the latest of the times.
func later(first time.Time, others ...time.Time) time.Time {
	for _, t := range others {
		if t.After(first) {
			first = t
		}
	}
	return first
}
