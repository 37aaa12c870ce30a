package outbox

import (
	"context"
	"time"
)

// notDurableFor is when a store that cannot list may drop an entry that nobody will find any more.
const notDurableFor = 30 * 24 * time.Hour

// entry is what is stored of a message; whose it is stands in its key. It holds nothing of the message itself. The flags
// are numbers that are always written, so that a decoy is as long as a true entry.
type entry struct {
	// Decoy is 1 if the entry stands for a stranger's request.
	Decoy int `json:"d"`
	// Doubt is 1 once a dispatcher found that the owner's record does not confirm the entry.
	Doubt int `json:"q"`
	// Done is what is left to be told to the owner: one of the constants below.
	Done int `json:"o"`
	// Due is when to look at the entry next, in nanoseconds since 1970: the next try, or the end of a claim.
	Due int64 `json:"t" export:"yes"`
	// Tries counts the claims, so that a message that kills its process does not do so for ever.
	Tries int `json:"n" export:"yes"`
	// Waits counts the times that the owner could not answer, for growing delays.
	Waits int   `json:"w"`
	Class Class `json:"c"`
	// Turn is 1 once its address has let the message through, and Slot is when its country does, in nanoseconds since 1970; zero
	// if it was not asked yet.
	Turn int   `json:"u"`
	Slot int64 `json:"s" export:"yes"`
	// Queue is where the message waits for its address, and Replaces names the message whose place it takes there.
	Queue    string `json:"h,omitempty"`
	Replaces string `json:"p,omitempty"`
	// Receipt and Reason are the outcome's, if Done is not zero.
	Receipt string `json:"r,omitempty" export:"yes"`
	Reason  string `json:"e,omitempty" export:"yes"`
}

const (
	notDone = iota
	doneSent
	doneFailed
)

// newEntry is an entry that is due at once.
func (o *Outbox) newEntry(ref Ref, decoy bool) entry {
	e := entry{Class: ref.Class, Due: o.vault.Now().UnixNano()}
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
	if o.Durable() {
		return time.Time{}
	}
	return o.vault.Now().Add(notDurableFor)
}

// save writes a changed entry in the state that the job stands for; false means that somebody else has it, or that the store
// failed. Either way the job is over.
func (o *Outbox) save(ctx context.Context, j *job, change func(*entry)) bool {
	e := j.entry
	change(&e.Value)
	e.Expires = o.expiry()
	if err := o.entries.Put(ctx, &e); err != nil {
		return false
	}
	j.entry = e
	return true
}

// in is the time after d as an entry stores it.
func (o *Outbox) in(d time.Duration) int64 { return o.vault.Now().Add(d).UnixNano() }
