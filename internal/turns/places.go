package turns

import (
	"cmp"
	"slices"
)

// find returns the place of a message, a new one if it has none, and -1 if there is no room for it.
func (q *Queue) find(r Rule, a Question, now int64) int {
	of := func(entry string) func(Place) bool {
		return func(p Place) bool { return entry != "" && p.Entry == entry }
	}
	if i := slices.IndexFunc(q.Places, of(a.Entry)); i >= 0 {
		return i
	}
	if i := slices.IndexFunc(q.Places, of(a.Replaces)); i >= 0 && q.Places[i].Went == 0 && q.Places[i].Subject == a.Subject {
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
	return slices.IndexFunc(q.Places, of(a.Entry))
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
// cost it turns.
func (q *Queue) remove(i int) {
	gone := q.Places[i]
	q.Places = slices.Delete(q.Places, i, i+1)
	for k := range q.Places {
		if p := &q.Places[k]; gone.Went == 0 && p.Went == 0 && p.Subject == gone.Subject && p.Round > gone.Round {
			p.Round--
		}
	}
}

// merge has a message that has no place yet go as one with another of its group that waits. It reports whether there is one.
func (q *Queue) merge(a Question) bool {
	leader := -1
	for i := range q.Places {
		switch p := &q.Places[i]; {
		case p.Entry == a.Entry, a.Replaces != "" && p.Entry == a.Replaces && p.Subject == a.Subject && p.Went == 0:
			return false
		case a.Group != "" && p.Group == a.Group && p.Went == 0 && leader < 0:
			leader = i
		}
	}
	if leader >= 0 {
		q.Places[leader].More++
	}
	return leader >= 0
}

// before reports whether one place comes before another: places are kept in the order in which they were taken.
func (q *Queue) before(a, b int) bool {
	return cmp.Or(cmp.Compare(q.Places[a].Round, q.Places[b].Round), cmp.Compare(a, b)) < 0
}
