// Package destination gives each message its turn at its address and, if that is a telephone, at its country. The turns are
// records of the store, so they hold over all processes: one record for each class of an address, and one for each country. How
// a queue decides is in package turns.
package destination

import (
	"context"
	"encoding/hex"
	"errors"
	"sync"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/pace"
	"github.com/civicpin/civicpin/internal/turns"
	"github.com/civicpin/civicpin/store"
)

const (
	// maxPlaces is how many messages of one class wait for one address.
	maxPlaces = 64
	// maxHold is the longest that a message waits for its address: longer than any secret of this library is good.
	maxHold = 31 * 24 * time.Hour
)

// A Class is one limit of an address. The classes of an address have queues apart.
type Class struct {
	Name string
	Rate civicpin.Rate
	// PerSubject says that each subject has a queue of its own.
	PerSubject bool
	// Merge says that messages of one group go as one while they wait, and wait for an hour at most.
	Merge bool
}

// A Message is what the limits know of a message.
type Message struct {
	Place    string // from Limits.Place
	Replaces string // the place of the message that this one is sent instead of
	Subject  civicpin.Subject
	Group    []string // which others it may go with as one; nil if none
	To       civicpin.Contact
	Expires  time.Time // zero if it does not
	Born     time.Time // when it was asked for; zero means now
}

// An Answer says what becomes of a message.
type Answer struct {
	turns.Answer
	Record string // a keyed hash of the destination; empty if no record was asked
	Slot   int64  // the turn that a country gave, in nanoseconds since 1970; zero where an address answers
	Limit  string // for the log: the name of the class, or "country"
	Why    string // for the log, of a message that is refused
}

// Limits are the limits of all destinations. They are safe for concurrent use. Make them with [New].
type Limits struct {
	vault     *store.Vault
	countries Countries
	queues    store.Kind[turns.Queue]
	slots     store.Kind[slots]
	held      store.Kind[tally]

	mu      sync.Mutex
	watched map[string]watch // by country
}

// New returns the limits of a vault.
func New(v *store.Vault, c Countries) (*Limits, error) {
	l := &Limits{vault: v, countries: c, watched: make(map[string]watch)}
	var errs [3]error
	l.queues, errs[0] = store.NewKind[turns.Queue](v, "quota.address")
	l.slots, errs[1] = store.NewKind[slots](v, "quota.country")
	l.held, errs[2] = store.NewKind[tally](v, "quota.held")
	return l, errors.Join(errs[:]...)
}

// hash returns a keyed hash of parts, as a text.
func (l *Limits) hash(parts ...string) string {
	h := l.vault.Hash("outbox.destination", parts...)
	return hex.EncodeToString(h[:16])
}

// Place returns the name of a message's place in a queue.
func (l *Limits) Place(owner string, subject civicpin.Subject, id string) string {
	return l.hash("place", owner, string(subject), id)
}

// queue returns the id and the rule of the queue in which a message waits for its address.
func (l *Limits) queue(c Class, m Message) (id string, r turns.Rule) {
	of := []string{c.Name, m.To.Canonical()}
	if c.PerSubject {
		of = append(of, string(m.Subject))
	}
	r = turns.Rule{Rate: c.Rate, Most: maxPlaces, Hold: maxHold, Merge: c.Merge}
	return l.hash(append(of, c.Rate.Window.String())...), r
}

// AtAddress asks the queue of the address, in one conditional write. A message that was let through once is let through again.
// The error is the store's.
func (l *Limits) AtAddress(ctx context.Context, c Class, m Message) (Answer, error) {
	id, rule := l.queue(c, m)
	ask := turns.Question{
		Entry: m.Place, Subject: l.hash("subject", string(m.Subject)), Replaces: m.Replaces,
		Now: l.vault.Now(), Expires: m.Expires, Born: m.Born,
	}
	if m.Group != nil {
		ask.Group = l.hash(append([]string{"group"}, m.Group...)...)
	}
	ctx, cancel := context.WithTimeout(ctx, pace.Store)
	defer cancel()
	a := Answer{Record: id, Limit: c.Name, Why: "too many messages to one address"}
	_, err := l.queues.Update(ctx, store.Key{ID: id}, func(e *store.Entry[turns.Queue]) error {
		a.Answer = e.Value.Ask(rule, ask)
		e.ExpiresAt = e.Value.Until(ask.Now)
		return nil
	})
	return a, err
}

// Leave gives up a place in a queue, for a message that was withdrawn or given up. If the store fails, the place is passed over
// after a while. An empty queue means none.
func (l *Limits) Leave(ctx context.Context, queue, place string) {
	l.change(ctx, queue, func(q *turns.Queue) { q.Leave(place) })
}

// Sent notes that a message was sent, and with it those that go with it. If the store fails, they go by themselves.
func (l *Limits) Sent(ctx context.Context, queue, place string) {
	l.change(ctx, queue, func(q *turns.Queue) { q.Sent(place) })
}

// change changes a queue, if it is there.
func (l *Limits) change(ctx context.Context, queue string, do func(*turns.Queue)) {
	if queue == "" {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, pace.Store)
	defer cancel()
	_, _ = l.queues.Update(ctx, store.Key{ID: queue}, func(e *store.Entry[turns.Queue]) error {
		if !e.Found() {
			return store.ErrSkip
		}
		do(&e.Value)
		return nil
	})
}

// Refund gives back the turn of a message that its country refuses. If the store fails, the address gets one message less.
func (l *Limits) Refund(ctx context.Context, c Class, m Message) {
	id, rule := l.queue(c, m)
	l.change(ctx, id, func(q *turns.Queue) { q.Refund(rule, m.Place) })
}
