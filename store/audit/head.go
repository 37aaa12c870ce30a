package audit

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/store"
)

// eventResumed is an event that a chain records of itself.
const eventResumed civicpin.EventCode = "audit.resumed"

// Events returns the events that this package records, as a new slice. They stand in the chain that they are about.
func Events() []civicpin.EventInfo {
	return []civicpin.EventInfo{{
		Code:    eventResumed,
		Meaning: "A process found no head of the chain, and went on behind the last entry. Entries may have been cut off before.",
		Reasons: []string{"the head did not open", "the head was missing"},
	}}
}

// maxHeads is how many places a chain's head has. A head that does not open is left where it is, as evidence, and the next
// place is used.
const maxHeads = 4

// head says which entry of a chain is the last one.
type head struct {
	Seq uint64 `json:"seq"`
	Sum []byte `json:"sum"`
}

// heads are those of a chain, in all places.
type heads struct {
	found  bool
	head   head    // the one that is furthest
	place  int     // the first one that opens or is free; the last one if none is
	spoilt []error // of those that do not open
}

// faults returns what is wrong with the heads of a chain of which entries are known to be there up to, and without, an end.
func (h *heads) faults(end uint64) (list []What) {
	for _, err := range h.spoilt {
		list = append(list, unreadable(err, BadHead))
	}
	// Without a head there may be one entry: the process that wrote it died.
	if !h.found && len(h.spoilt) == 0 && end > 1 {
		list = append(list, BadHead)
	}
	return list
}

// headKey returns where a head of a chain is stored.
func (l *Log) headKey(chain, place int) store.Key {
	id := strconv.Itoa(chain)
	if place > 0 {
		id += "/" + strconv.Itoa(place)
	}
	return store.Key{ID: id}
}

// head reads the heads of a chain.
func (l *Log) head(ctx context.Context, chain int) (h heads, err error) {
	h.place = -1
	for place := range maxHeads {
		e, err := l.heads.Get(ctx, l.headKey(chain, place))
		switch {
		case errors.Is(err, store.ErrUnreadable):
			h.spoilt = append(h.spoilt, err)
			continue
		case err != nil && !errors.Is(err, store.ErrNotFound):
			return h, fmt.Errorf("audit: %w", err)
		case err == nil && (!h.found || e.Value.Seq > h.head.Seq):
			h.found, h.head = true, e.Value
		}
		if h.place < 0 {
			h.place = place
		}
	}
	if h.place < 0 {
		h.place = maxHeads - 1
	}
	return h, nil
}

// advance moves the head of a chain on, never back. The entry is in the chain whether or not this succeeds, and the next one
// moves the head further; but until then it could be cut off unseen, so a failure is told.
func (l *Log) advance(ctx context.Context, chain, place int, h head) error {
	_, err := l.heads.Update(ctx, l.headKey(chain, place), func(e *store.Entry[head]) error {
		if e.Found() && e.Value.Seq >= h.Seq {
			return store.ErrSkip
		}
		e.Value = h
		return nil
	})
	if err != nil {
		return fmt.Errorf("audit: the entry is written, its head is not: %w", err)
	}
	return nil
}

// unreadable returns what a record that does not open is: NoKey, or what it is otherwise.
func unreadable(err error, otherwise What) What {
	if errors.Is(err, store.ErrUnknownKey) {
		return NoKey
	}
	return otherwise
}
