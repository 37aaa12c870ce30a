package audit

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/store"
)

// entry is what is stored of some events of a chain. It holds where it stands as well, although its key says so too: the sum
// covers it.
type entry struct {
	Chain  int             `json:"chain"`
	Seq    uint64          `json:"seq"`
	Prev   []byte          `json:"prev"` // the sum of the entry before; 32 zeros at the beginning; nil behind an unreadable one
	Events json.RawMessage `json:"events"`
	Sum    []byte          `json:"sum"`
}

// event is an event as it is stored. The device value is left out, since it opens a lane of its own.
type event struct {
	At      time.Time          `json:"at"`
	Code    civicpin.EventCode `json:"code"`
	Subject civicpin.Subject   `json:"subject,omitempty"`
	By      civicpin.Actor     `json:"by,omitempty"`
	Address string             `json:"address,omitempty"`
	Device  bool               `json:"device,omitempty"`
	Ref     string             `json:"ref,omitempty"`
	Level   civicpin.Level     `json:"level,omitempty"`
	Reason  string             `json:"reason,omitempty"`
}

func stored(e civicpin.Event) event {
	return event{
		At: e.At.UTC(), Code: e.Code, Subject: e.Subject, By: e.By, Address: e.Source.Address, Device: !e.Source.Device.IsZero(),
		Ref: e.Ref, Level: e.Level, Reason: e.Reason,
	}
}

func (e event) event() civicpin.Event {
	return civicpin.Event{
		At: e.At, Code: e.Code, Subject: e.Subject, By: e.By, Source: civicpin.Source{Address: e.Address}, Ref: e.Ref, Level: e.Level,
		Reason: e.Reason,
	}
}

func (l *Log) key(chain int, seq uint64) store.Key {
	return store.Key{ID: strconv.Itoa(chain) + "/" + strconv.FormatUint(seq, 10)}
}

// sum is the keyed hash of all that an entry holds. The key is the vault's index key, which never changes.
func (l *Log) sum(e *entry) []byte {
	h := l.vault.Hash(
		"audit.entry", l.config.Name, strconv.Itoa(e.Chain), strconv.FormatUint(e.Seq, 10), string(e.Prev), string(e.Events),
	)
	return h[:]
}

// open returns the events of the entry that was read from a place of a chain, and reports whether it is the one written there.
func (l *Log) open(chain int, seq uint64, e *entry) (events []event, ok bool) {
	if e.Chain != chain || e.Seq != seq || !bytes.Equal(e.Sum, l.sum(e)) {
		return nil, false
	}
	return events, json.Unmarshal(e.Events, &events) == nil
}

// resumes reports whether events say that their writer found no head.
func resumes(events []event) bool {
	return slices.ContainsFunc(events, func(e event) bool { return e.Code == eventResumed })
}

// read returns the events at a place of a chain, or what is wrong there. An error is the store's.
func (l *Log) read(ctx context.Context, chain int, seq uint64) ([]event, What, error) {
	e, err := l.entries.Get(ctx, l.key(chain, seq))
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil, Removed, nil
	case errors.Is(err, store.ErrUnreadable):
		return nil, unreadable(err, Changed), nil
	case err != nil:
		return nil, "", fmt.Errorf("audit: %w", err)
	}
	if events, ok := l.open(chain, seq, &e.Value); ok {
		return events, "", nil
	}
	return nil, Changed, nil
}
