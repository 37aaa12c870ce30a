package outbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/own"
	"github.com/civicpin/civicpin/internal/turns"
	"github.com/civicpin/civicpin/store"
)

// notDurableFor is when a store that cannot list may drop an entry that no process will find any more.
const notDurableFor = 30 * 24 * time.Hour

// entry is what is stored of a message; its subject, owner and ID are in its key. It holds nothing of the message itself. The
// flags are numbers that are always written, so that a decoy is as long as a true entry.
//
// The states of the package doc are these fields. "Added" and "waits for country" are due and held there; "sent, not told" and
// "failed, not told" are untold.
//
//	state              its fields                 who moves it on, and to what
//	added              Tries 0, Due now           a dispatcher asks the owner: claimed, in doubt, or due later
//	in doubt           Doubt 1, Due after Grace   Announce commits it: added. Else a dispatcher asks again
//	                                              at Due: claimed, or dropped
//	due                Due is past                a dispatcher asks the owner: claimed; in doubt, or, with
//	                                              Tries over 0, dropped; due later if the owner cannot tell,
//	                                              and after about a day of that a dead letter
//	due later          Due is to come             time: due
//	claimed            Tries one more, Due after  its dispatcher sends it, and it is sent, failed, due later,
//	                   Timeout and a minute       held, waiting for its country, or a dead letter. If its
//	                                              dispatcher died, time: due
//	held               Queue, Due is to come      time: due. Once claimed, it asks its queue again
//	waits for country  Turn 1, Slot               time, at Slot: due. It may look earlier, and waits on
//	sent, not told     Done 1, Receipt            a dispatcher tells the owner at each Due: dropped, and
//	                                              after about a day also if the owner fails
//	failed, not told   Done 2, Reason             the same
//	dead letter        no entry, but a record     an operator, with Retry: added. Options.KeepDead ends it
//	dropped            no entry                   its owner, with Announce: added
type entry struct {
	// Decoy is 1 if the entry stands for the message of an unknown subject.
	Decoy int `json:"d"`
	// Doubt is 1 once a dispatcher found that the owner's record does not confirm the entry.
	Doubt int `json:"q"`
	// Done is what is left to be told to the owner: one of the constants below.
	Done int `json:"o"`
	// Due is when to look at the entry next, in nanoseconds since 1970: the next try, or the end of a claim.
	Due int64 `json:"t" export:"yes"`
	// Born is when the message was announced, in nanoseconds since 1970.
	Born int64 `json:"b" export:"yes"`
	// Tries counts the claims, so that a message that kills its process does not do so for ever.
	Tries int `json:"n" export:"yes"`
	// Waits counts the times that the owner could not answer, for growing delays.
	Waits int   `json:"w"`
	Class Class `json:"c"`
	// Turn is 1 once its address has let the message through, and Slot is when its country does, in nanoseconds since 1970;
	// zero if it was not asked yet.
	Turn int   `json:"u"`
	Slot int64 `json:"s" export:"yes"`
	// Queue is where the message waits for its address, and Replaces names the message whose place it takes there.
	Queue    string `json:"h,omitempty"`
	Replaces string `json:"p,omitempty"`
	// At is when the outcome came, in nanoseconds since 1970, and Receipt and Reason are the outcome's, if Done is not zero.
	At      int64  `json:"a,omitempty" export:"yes"`
	Receipt string `json:"r,omitempty" export:"yes"`
	Reason  string `json:"e,omitempty" export:"yes"`
}

const (
	notDone = iota
	doneSent
	doneFailed
)

// key is where the entry of a message is stored. A name holds no slash, so that two refs never share a key.
func (r Ref) key() store.Key { return store.Key{Subject: r.Subject, ID: r.Owner + "/" + r.ID} }

// refOf undoes key.
func refOf(k store.Key) Ref {
	owner, id, _ := strings.Cut(k.ID, "/")
	return Ref{Owner: owner, Subject: k.Subject, ID: id}
}

// newEntry is an entry that is due at once.
func (o *Outbox) newEntry(ref Ref, decoy bool) entry {
	now := o.vault.Now().UnixNano()
	e := entry{Class: ref.Class, Due: now, Born: now}
	if decoy {
		e.Decoy = 1
	}
	if ref.Replaces != "" {
		e.Replaces = o.place(Ref{Owner: ref.Owner, Subject: ref.Subject, ID: ref.Replaces})
	}
	return e
}

// place returns the name of a message's place in the queue of its address.
func (o *Outbox) place(r Ref) string { return o.limits.Place(r.Owner, r.Subject, r.ID) }

// expiry of an entry: never, where it can be found.
func (o *Outbox) expiry() time.Time {
	if o.vault.CanList() {
		return time.Time{}
	}
	return o.vault.Now().Add(notDurableFor)
}

// save writes a changed entry in the state that the job stands for; false means that another process has it, or that the store
// failed. Either way the job is over.
func (o *Outbox) save(ctx context.Context, j *job, change func(*entry)) bool {
	e := j.entry
	change(&e.Value)
	e.ExpiresAt = o.expiry()
	if err := o.entries.Put(ctx, &e); err != nil {
		return false
	}
	j.entry = e
	return true
}

// in is the time after d as an entry stores it.
func (o *Outbox) in(d time.Duration) int64 { return o.vault.Now().Add(d).UnixNano() }

// maxScan is how many entries one listing looks at; the next one goes on behind them. It bounds what a listing takes of memory
// and time, however many messages wait: some megabytes if all of them are due.
const maxScan = 10_000

// job is one entry on its way through a dispatch.
type job struct {
	entry store.Entry[entry]
	ref   Ref
	owner Owner

	// The rest belongs to dispatch and its lock.
	message *civicpin.Message // nil where the owner has to be asked anew
	route   route
	started bool

	with bool // others go with the message
}

// part is what one listing found, which is a part of a round.
type part struct {
	jobs  []*job         // what is due, in the order in which it goes
	next  time.Time      // when the next of the others will be due; zero if there is none
	typed int            // how many are of class Typed
	at    store.Progress // how far it came
	err   error          // what ended it early
}

// scan looks at the entries behind a place, at most maxScan of them, and returns those that are due and not skipped.
func (o *Outbox) scan(ctx context.Context, after string, skip func(store.Key, *entry) bool) (s part) {
	within, cancel := context.WithTimeout(ctx, o.pace.Listing())
	defer cancel()
	now := o.vault.Now()
	s.at, s.err = o.walk(within, store.Pass{After: after, Max: o.listed}, func(e store.Entry[entry]) error {
		if e.Value.Class == Typed {
			s.typed++
		}
		if skip(e.Key, &e.Value) {
			return nil
		}
		if due := time.Unix(0, e.Value.Due); !o.isDue(&e.Value, now) {
			s.next = earlier(s.next, due)
			return nil
		}
		if j := o.job(ctx, e); j != nil {
			s.jobs = append(s.jobs, j)
		}
		return nil
	})
	switch {
	case s.at.Unreadable > 0 && errors.Is(s.err, store.ErrUnreadable):
		s.err = nil // they are counted
	case s.at.Seen > 0 && within.Err() != nil && ctx.Err() == nil:
		s.err = nil // the store is slow, not away: what was read counts, and the next listing goes on
	case s.err != nil:
		s.err = fmt.Errorf("outbox: list: %w", s.err)
	}
	slices.SortStableFunc(s.jobs, byOrder)
	return s
}

func byOrder(a, b *job) int { return order(&a.entry.Value, &b.entry.Value) }

// order compares which of two entries goes first: the higher class, so that no flood of requests delays a notice, and then
// what is due for longer.
func order(a, b *entry) int { return cmp.Or(cmp.Compare(b.Class, a.Class), cmp.Compare(a.Due, b.Due)) }

// earlier returns the earlier of two times, of which zero is none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// isDue reports whether an entry is to be looked at. One that is due later than any wait was written by a clock that was ahead.
func (o *Outbox) isDue(e *entry, now time.Time) bool {
	farthest := o.pace.Farthest()
	if e.Queue != "" || e.Slot != 0 {
		farthest = max(farthest, turns.Again+time.Minute)
	}
	due := time.Unix(0, e.Due)
	return !due.After(now) || due.After(now.Add(farthest))
}

// job makes a job of an entry, or returns nil if its owner is not of this process.
func (o *Outbox) job(ctx context.Context, e store.Entry[entry]) *job {
	ref := refOf(e.Key)
	owner, first := o.owner(ref.Owner)
	if owner == nil {
		if first {
			o.notice(ctx, eventUnknownOwner, ref.Owner)
		}
		return nil
	}
	return &job{entry: e, ref: ref, owner: owner}
}

// find reads one entry that was just committed, and returns nil if it is not to be sent now.
func (o *Outbox) find(ctx context.Context, key store.Key) *job {
	within, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	e, err := o.entries.Get(within, key)
	if err != nil || !o.isDue(&e.Value, o.vault.Now()) {
		return nil // the next round sees it, if there is something to see
	}
	return o.job(ctx, e)
}

// walk shows the entries to visit; on a store that cannot list, those that this process added.
func (o *Outbox) walk(ctx context.Context, p store.Pass, visit func(store.Entry[entry]) error) (store.Progress, error) {
	if o.vault.CanList() {
		return o.entries.Walk(ctx, p, visit)
	}
	return own.Walk(ctx, o.own, o.entries, p, visit)
}
