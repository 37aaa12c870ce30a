// Package turns decides which of the messages that wait for one address goes next: at most so many in a window, subject by
// subject, and for one subject in the order in which they came. It is a value and its transitions, without I/O.
package turns

import (
	"slices"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/gcra"
)

const (
	// Again is the longest time between two questions of one message: what it was told may have changed since.
	Again = 6 * time.Hour
	// soon is how long a message waits at least until it asks again, if its turn is later.
	soon = time.Hour
	// stale is how much earlier than another a message may have been to ask, and still be waited for. Beyond, its owner may
	// have withdrawn it.
	stale = 30 * time.Minute
	// gone is how long its place is kept nevertheless.
	gone = 24 * time.Hour
	// kept is how long it is remembered that a message was let through: a process that dies asks again.
	kept = time.Hour
	// sending is how long a notice that goes with another waits until it asks again whether that one was sent.
	sending = 10 * time.Minute
)

// A Rule says how many messages go, and how many wait.
type Rule struct {
	Rate civicpin.Rate
	Most int           // how many wait at most
	Hold time.Duration // how long one waits at most
	// Merge lets messages of one group that wait go as one, and lets none wait for longer than an hour.
	Merge bool
}

// A Queue is the state of one address. The zero Queue has let nothing through.
type Queue struct {
	State  int64   `json:"t"`           // of package gcra, in nanoseconds since 1970
	Round  int64   `json:"r"`           // the turn that was let through last
	Told   int64   `json:"e"`           // when it was last recorded that messages wait
	Places []Place `json:"p,omitempty"` // those that wait, and those that were let through in the last hour
}

// A Place is one message. Times are nanoseconds since 1970.
type Place struct {
	Entry   string `json:"k"`           // which message
	Subject string `json:"s"`           // whose
	Group   string `json:"g,omitempty"` // with which others it may go as one
	Round   int64  `json:"r"`
	Since   int64  `json:"b"`           // when the place was taken
	Asked   int64  `json:"a"`           // when the message asked first, which is later if it took the place of another
	Due     int64  `json:"d"`           // when it asks again; after it went, when it went
	More    int    `json:"m,omitempty"` // how many others go with it
	Went    int    `json:"w,omitempty"` // 1 once it was let through, 2 once it was sent
	With    string `json:"x,omitempty"` // the message that this one goes with
}

// A Question is asked by a message that would go now.
type Question struct {
	Entry, Subject, Group string
	Replaces              string // the message whose place it takes
	Now                   time.Time
	Expires               time.Time // of the message; zero if it does not
	Born                  time.Time // when the message was asked for; zero means when it first asked
}

// A Verdict says what becomes of a message.
type Verdict int

// The verdicts.
const (
	Go     Verdict = iota
	Wait           // ask again at Answer.At
	Refuse         // its turn would come too late, or too many wait
	Merged         // it went as one with another
)

// An Answer is what a message is told.
type Answer struct {
	Verdict Verdict
	At      time.Time // of Wait
	More    int       // of Go: how many others go with it
	Tell    bool      // that messages wait is worth an event: there was none in the last hour
}

// Ask answers a message. A message that asks twice has one place.
func (q *Queue) Ask(r Rule, a Question) Answer {
	now := a.Now.UnixNano()
	q.tidy(r, now)
	i := q.find(r, a, now)
	switch {
	case i < 0:
		return q.told(now, Answer{Verdict: Refuse})
	case q.Places[i].Went > 0:
		return Answer{Verdict: Go, More: q.Places[i].More}
	case q.Places[i].With != "":
		if answer, ok := q.follow(i, now); ok {
			return answer
		}
	}
	p, at := &q.Places[i], q.turn(r, i, now)
	born := time.Unix(0, p.Asked)
	if !a.Born.IsZero() && a.Born.Before(born) {
		born = a.Born
	}
	late := at > now+int64(r.Hold) || TooLate(time.Unix(0, at), born, a.Expires)
	if r.Merge {
		at, late = min(at, p.Since+int64(time.Hour)), false
		if TooLate(time.Unix(0, at), born, a.Expires) {
			at = now
		}
	}
	if at <= now {
		state, _, _ := gcra.Take(r.Rate, time.Unix(0, q.State), a.Now, 1) // as it was, for a notice that waited for an hour
		q.State = state.UnixNano()
		q.Round = max(q.Round, p.Round)
		p.Went, p.Due = 1, now
		if r.Merge {
			q.gather(i)
		}
		q.Places = slices.Concat(q.Places[:i], q.Places[i+1:], []Place{*p}) // those that went last are last: see tidy
		return Answer{Verdict: Go, More: p.More}
	}
	if late {
		q.remove(i)
		return q.told(now, Answer{Verdict: Refuse})
	}
	// What is before it may be withdrawn, so it asks again before its turn: after a quarter of the time.
	p.Due = min(at, now+min(max(int64(soon), (at-now)/4), int64(Again)))
	return q.told(now, Answer{Verdict: Wait, At: time.Unix(0, p.Due)})
}

// TooLate reports whether less than a fifth of the life of a message, which began at born, is left at a later time.
func TooLate(at, born, expires time.Time) bool {
	return !expires.IsZero() && at.After(born) && at.After(expires.Add(-expires.Sub(born)/5))
}

// Leave gives up the place of a message that was withdrawn or given up. What was to go with it goes by itself.
func (q *Queue) Leave(entry string) {
	if i := q.place(entry); i >= 0 {
		q.remove(i)
	}
}

// Sent notes that a message was sent, and with it those that go with it.
func (q *Queue) Sent(entry string) {
	if i := q.place(entry); i >= 0 && q.Places[i].Went > 0 {
		q.Places[i].Went = 2
	}
}

// Refund gives back what a message took that was let through and will not go.
func (q *Queue) Refund(r Rule, entry string) {
	n := len(q.Places)
	q.Places = slices.DeleteFunc(q.Places, func(p Place) bool { return p.Entry == entry && p.Went > 0 })
	if len(q.Places) < n {
		q.State = gcra.Refund(r.Rate, time.Unix(0, q.State), 1).UnixNano()
	}
}

// Until returns how long the queue says something.
func (q *Queue) Until(now time.Time) time.Time {
	until := max(q.State, now.Add(time.Hour).UnixNano())
	for i := range q.Places {
		until = max(until, q.Places[i].Due+int64(gone))
	}
	return time.Unix(0, until)
}

// told notes that a message waits or was refused, and whether that is worth an event.
func (q *Queue) told(now int64, a Answer) Answer {
	if a.Tell = now-q.Told >= int64(time.Hour) || q.Told > now; a.Tell {
		q.Told = now
	}
	return a
}

// tidy drops what says nothing any more, and corrects the times that a clock wrote that was ahead.
func (q *Queue) tidy(r Rule, now int64) {
	q.State = min(max(q.State, now), now+int64(r.Rate.Window))
	went := 0
	for i := len(q.Places) - 1; i >= 0; i-- {
		p := &q.Places[i]
		p.Since, p.Asked = min(p.Since, now), min(p.Asked, now)
		if p.Went > 0 || p.Due > now+int64(Again) {
			p.Due = min(p.Due, now)
		}
		went += min(p.Went, 1)
		forget := now-p.Due > int64(gone)
		if p.Went > 0 {
			forget = now-p.Due > int64(kept) || went > r.Most
		}
		if forget {
			q.remove(i)
		}
	}
}

// turn returns when the place's turn comes, if nothing changes until then.
func (q *Queue) turn(r Rule, i int, now int64) int64 {
	ahead, since := 0, min(q.Places[i].Due, now)-int64(stale)
	for k := range q.Places {
		p := &q.Places[k]
		if k != i && p.Went == 0 && p.With == "" && p.Due >= since && q.before(k, i) {
			ahead++
		}
	}
	one := int64(r.Rate.Window) / int64(r.Rate.Limit)
	return q.State + int64(ahead+1)*one - int64(r.Rate.Window)
}
