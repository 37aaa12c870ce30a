package turns

import (
	"cmp"
	"slices"
	"time"
)

// find returns the place of a message, a new one if it has none, and -1 if there is no room for it.
func (q *Queue) find(r Rule, a Question, now int64) int {
	if i := q.place(a.Entry); i >= 0 {
		return i
	}
	if i := q.place(a.Replaces); i >= 0 && q.Places[i].Went == 0 && q.Places[i].Subject == a.Subject {
		q.Places[i].Entry, q.Places[i].Asked = a.Entry, now
		return i
	}
	p := Place{Entry: a.Entry, Subject: a.Subject, Group: a.Group, Round: q.Round, Since: now, Asked: now, Due: now}
	for i := range q.Places {
		if q.Places[i].Subject == a.Subject {
			p.Round = max(p.Round, q.Places[i].Round+1)
		}
	}
	q.Places = append(q.Places, p)
	q.room(r)
	return q.place(a.Entry)
}

// room drops the last message of the subject that has most, if too many wait. That may be the newest place.
func (q *Queue) room(r Rule) {
	waiting, most := 0, 0
	of := make(map[string]int)
	for i := range q.Places {
		if q.Places[i].Went == 0 {
			waiting++
			of[q.Places[i].Subject]++
			most = max(most, of[q.Places[i].Subject])
		}
	}
	if waiting <= r.Most {
		return
	}
	newest, drop := len(q.Places)-1, len(q.Places)-1
	if r.Merge {
		q.Places[newest].Went = 1 // a notice is not lost for want of room: it goes
		return
	}
	if of[q.Places[newest].Subject] < most {
		for i := range q.Places[:newest] {
			if p := &q.Places[i]; p.Went == 0 && of[p.Subject] == most && (drop == newest || q.before(drop, i)) {
				drop = i
			}
		}
	}
	q.remove(drop)
}

// remove takes a place away. If it waited, the later ones of its subject move up a turn: what a subject withdraws does not
// cost it turns. If it was let through, its round ends, or its subject would get the same turn again, before those that wait.
func (q *Queue) remove(i int) {
	gone := q.Places[i]
	q.Places = slices.Delete(q.Places, i, i+1)
	if gone.Went > 0 {
		q.Round = max(q.Round, gone.Round+1)
		return
	}
	for k := range q.Places {
		if p := &q.Places[k]; p.Went == 0 && p.Subject == gone.Subject && p.Round > gone.Round {
			p.Round--
		}
	}
}

// place returns which place is a message's, -1 if none.
func (q *Queue) place(entry string) int {
	return slices.IndexFunc(q.Places, func(p Place) bool { return entry != "" && p.Entry == entry })
}

// gather has the messages of a place's group that wait go with it.
func (q *Queue) gather(i int) {
	leader := &q.Places[i]
	for k := range q.Places {
		p := &q.Places[k]
		if k != i && leader.Group != "" && p.Group == leader.Group && p.Went == 0 && p.With == "" {
			p.With = leader.Entry
			leader.More++
		}
	}
}

// follow answers a message that is to go with another: that it did once the other was sent. ok is false if the other is gone
// without that: the message then goes by itself.
func (q *Queue) follow(i int, now int64) (a Answer, ok bool) {
	p := &q.Places[i]
	leader := q.place(p.With)
	switch {
	case leader < 0:
		p.With = ""
		return a, false
	case q.Places[leader].Went == 2:
		q.remove(i)
		return Answer{Verdict: Merged}, true
	}
	p.Due = now + int64(sending)
	return Answer{Verdict: Wait, At: time.Unix(0, p.Due)}, true
}

// before reports whether one place comes before another: places are kept in the order in which they were taken.
func (q *Queue) before(a, b int) bool {
	return cmp.Or(cmp.Compare(q.Places[a].Round, q.Places[b].Round), cmp.Compare(a, b)) < 0
}
