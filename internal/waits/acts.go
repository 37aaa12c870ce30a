package waits

import (
	"encoding/json"
	"hash/fnv"
	"maps"
	"slices"
	"strings"
	"time"
)

// keptTimes is how many times of one act a tally keeps.
const keptTimes = 4

// A Tally counts an act, and keeps when the last few were, the latest last, if that matters: see [Acts.Cooled].
type Tally struct {
	N    uint64      `json:"n"`
	Last []time.Time `json:"last,omitempty"`
	By   string      `json:"by,omitempty"` // the operator of the last one, if it was staff's
	// Denied is how many recoveries had been repudiated when the last one was, if it was staff's issue on evidence.
	Denied uint64 `json:"denied,omitempty"`
}

// Acts counts the acts upon one record since it was made. What comes to wait names what was counted then, as a [Stamp].
type Acts map[Act]Tally

// A Stamp says what was counted of each act when something came to wait.
type Stamp map[Act]uint64

// Did returns the acts with one more. It leaves those given as they are, since a write that is tried again begins with them.
func (a Acts) Did(act Act, now time.Time) Acts {
	next := maps.Clone(a)
	if next == nil {
		next = make(Acts)
	}
	t := Tally{N: next[act].N + 1}
	if act == Seen {
		t.Denied = next[Repudiate].N
	}
	if matters(act) {
		t.Last = append(slices.Clone(next[act].Last), now)
		t.Last = t.Last[max(0, len(t.Last)-keptTimes):]
	}
	next[act] = t
	return next
}

// DidBy is [Acts.Did] for an act of an operator.
func (a Acts) DidBy(act Act, by string, now time.Time) Acts {
	next := a.Did(act, now)
	t := next[act]
	t.By = by
	next[act] = t
	return next
}

// matters reports whether an act does something to a contact that cools down.
func matters(act Act) bool {
	cell := Of(Cooling, act)
	return cell.Ends() || cell == Anew || act == Repudiate
}

// Stamp returns what is counted now.
func (a Acts) Stamp() Stamp {
	var s Stamp
	if len(a) > 0 {
		s = make(Stamp, len(a))
	}
	for act, t := range a {
		s[act] = t.N
	}
	return s
}

// Did returns what is counted after one more act.
func (s Stamp) Did(act Act) Stamp {
	next := maps.Clone(s)
	if next == nil {
		next = make(Stamp)
	}
	next[act]++
	return next
}

// Epoch counts the acts that end a thing. While it stays the same, none did.
func (s Stamp) Epoch(thing Thing) (n uint64) {
	for act, times := range s {
		if Of(thing, act).Ends() {
			n += times
		}
	}
	return n
}

// Epochs are those of the things that a run can be. It begins as one and becomes another, by what is shown in it. Denial is
// that of the links that repudiate it: they do not undo what staff did since.
type Epochs struct {
	Run      uint64 `json:"run"`
	Proved   uint64 `json:"proved"`
	Approved uint64 `json:"approved"`
	Denial   uint64 `json:"denial"`
}

// Of returns the epoch of one of the things that a run can be. What is none of them ends with any act that ends a run.
func (e Epochs) Of(thing Thing) uint64 {
	switch thing {
	case Proved:
		return e.Proved
	case Approved:
		return e.Approved
	case Denial:
		return e.Denial
	}
	return e.Run
}

// Text returns the acts as a text, for [Parse].
func (a Acts) Text() string {
	if len(a) == 0 {
		return ""
	}
	text, _ := json.Marshal(a) // counts and times
	return textOf + string(text)
}

// textOf begins each text of acts, so that a caller's own text, which may be JSON too, is not taken for one.
const textOf = "civicpin:"

// Parse reads what [Acts.Text] wrote. Any other text counts as an act of its own, which ends all things but those that cool
// down: it is of a caller's own credentials. The work is the same for no text as for one.
func Parse(text string) Acts {
	var acts Acts
	if text == "" {
		_ = json.Unmarshal([]byte(`{"S":{"n":1,"last":["2026-03-02T09:00:00Z"]},"X":{"n":1}}`), &acts)
		return nil
	}
	if counted, ours := strings.CutPrefix(text, textOf); !ours || json.Unmarshal([]byte(counted), &acts) != nil {
		h := fnv.New64a()
		_, _ = h.Write([]byte(text)) // never fails
		acts = Acts{"other": {N: h.Sum64()}}
	}
	return acts
}

// Ended reports whether an act since has ended a thing of an actor. So does a count that began again: the record is another
// one. One act of the operator who asked for the thing spares it: a clerk asks for an address, and then issues.
func (a Acts) Ended(thing Thing, by string, then Stamp) bool {
	ended := func(act Act) bool {
		cell := Of(thing, act)
		own := cell == Others && by != "" && a[act].By == by && a[act].N == then[act]+1
		return a[act].N != then[act] && cell.Ends() && !own
	}
	for act := range then {
		if ended(act) {
			return true
		}
	}
	for act := range a {
		if ended(act) {
			return true
		}
	}
	return false
}

// since returns when each act of one sort was since, the earliest first, and how many were before these, whose time is not kept
// any more. It is false if the count began again.
func (a Acts) since(act Act, then Stamp) (times []time.Time, lost uint64, ok bool) {
	t := a[act]
	n := t.N - min(t.N, then[act])
	kept := min(n, uint64(len(t.Last)))
	return t.Last[len(t.Last)-int(kept):], n - kept, t.N >= then[act]
}

// longest bounds how often a contact can have cooled down anew in acts whose time is lost.
const longest = 100

// Cooled returns until when a contact cools down that was to do so until a time, and whether it is still the subject's: acts
// that came while it cooled down may have ended it, or have it cool down anew, for so long. Those that came later do not
// matter. A zero until stands for a contact that does not cool down, and is not known to be settled: it never was done.
func (a Acts) Cooled(until time.Time, then Stamp, anew time.Duration) (time.Time, bool) {
	settled := until.IsZero() // no time is late enough
	list, until, ok := a.pasts(until, then, anew)
	if !ok {
		return until, false
	}
	slices.SortFunc(list, func(x, y past) int { return x.at.Compare(y.at) })
	for _, p := range list {
		switch {
		case !settled && !p.at.Before(until):
			return until, true
		case p.act == Repudiate: // ends what came since the recovery that is repudiated, the last one
			if a.takesBack(then) {
				return until, false
			}
		case Of(Cooling, p.act).Ends():
			return until, false
		case !settled && p.at.Add(anew).After(until):
			until = p.at.Add(anew)
		}
	}
	return until, true
}

// takesBack reports whether a repudiation takes back a recovery that was before, since it is that of the last one.
func (a Acts) takesBack(then Stamp) bool { return a[Recovery].N > 0 && a[Recovery].N == then[Recovery] }

// EndedBefore reports whether an act since has ended a thing, before the thing came to its end by itself. The count says which
// acts were since, and not their times: a process whose clock is behind writes one from before the thing. An act at that end or
// later comes too late, and undoes nothing. One whose time is lost counts, as does a count that began again.
func (a Acts) EndedBefore(end time.Time, thing Thing, then Stamp) bool {
	for _, act := range Columns() {
		times, lost, ok := a.since(act, then)
		ends := Of(thing, act).Ends() || act == Repudiate && a.takesBack(then)
		if !ok || ends && (lost > 0 || slices.ContainsFunc(times, end.After)) {
			return true
		}
	}
	return false
}

// A past is when an act was.
type past struct {
	act Act
	at  time.Time
}

// pasts returns the acts since that matter to a contact that cools down until a time, and until when it does at the least. It
// is false if one whose time is lost may have ended it.
func (a Acts) pasts(until time.Time, then Stamp, anew time.Duration) (list []past, cools time.Time, ok bool) {
	settled := until.IsZero()
	for _, act := range Columns() {
		if !matters(act) {
			continue
		}
		times, lost, ok := a.since(act, then)
		if !ok || lost > 0 && (len(times) == 0 || Of(Cooling, act) != Anew) {
			return nil, until, false
		}
		// Lost ones had it cool down until the first that is known, or it was established before that.
		if lost > 0 && !settled && !until.Add(time.Duration(min(lost, longest))*anew).Before(times[0]) {
			until = slices.MaxFunc([]time.Time{until, times[0].Add(1)}, time.Time.Compare)
		}
		for _, at := range times {
			list = append(list, past{act, at})
		}
	}
	return list, until, true
}
