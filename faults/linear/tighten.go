package linear

import (
	"math"

	"github.com/anishathalye/porcupine"

	"github.com/civicpin/civicpin/store"
)

// A life is what is known of one version of a record: it is there from the write that made it to the write that named it.
type life struct {
	made, ended         int   // indexes of these writes, -1 if not known
	firstRead, lastRead int64 // the first return of a get that read it, and the last call of one
	twice               bool  // it was made or ended twice, so none of this holds
}

// tighten returns a history that is linearizable if and only if the given one is, with calls and returns moved to where they
// must have taken effect at the earliest and at the latest: a get after the write of what it read was called, and before the
// write that replaced it returned; that write after every such get was called. It does for the search what sorting does: what
// is in order needs no trying. If a call ends up after its return, nothing can explain the history, and tighten returns
// false.
func tighten(history []porcupine.Operation) ([]porcupine.Operation, bool) {
	type name struct {
		key     string
		version store.Version
	}
	lives := make(map[name]*life)
	of := func(key string, v store.Version) *life {
		l, ok := lives[name{key, v}]
		if !ok {
			l = &life{made: -1, ended: -1, firstRead: math.MaxInt64, lastRead: math.MinInt64}
			lives[name{key, v}] = l
		}
		return l
	}
	for i, op := range history {
		in, out := op.Input.(input), op.Output.(output)
		if out.answer != done {
			continue
		}
		switch in.verb {
		case get:
			l := of(in.key, out.version)
			l.firstRead, l.lastRead = min(l.firstRead, op.Return), max(l.lastRead, op.Call)
		case put:
			l := of(in.key, out.version)
			l.twice = l.twice || l.made >= 0
			l.made = i
		}
		if in.verb != get && in.version != 0 {
			l := of(in.key, in.version)
			l.twice = l.twice || l.ended >= 0
			l.ended = i
		}
	}
	tight := make([]porcupine.Operation, len(history))
	copy(tight, history)
	for i, op := range history {
		in, out := op.Input.(input), op.Output.(output)
		if l, ok := lives[name{in.key, out.version}]; ok && in.verb == get && out.answer == done && !l.twice {
			if l.made >= 0 {
				tight[i].Call = max(tight[i].Call, history[l.made].Call)
			}
			if l.ended >= 0 {
				tight[i].Return = min(tight[i].Return, history[l.ended].Return)
			}
		}
	}
	for _, l := range lives {
		if l.twice {
			continue
		}
		if l.made >= 0 {
			w := &tight[l.made]
			w.Return = min(w.Return, l.firstRead)
			if l.ended >= 0 {
				w.Return = min(w.Return, history[l.ended].Return)
			}
		}
		if l.ended >= 0 {
			w := &tight[l.ended]
			w.Call = max(w.Call, l.lastRead)
			if l.made >= 0 {
				w.Call = max(w.Call, history[l.made].Call)
			}
		}
	}
	for _, op := range tight {
		if op.Call > op.Return {
			return nil, false
		}
	}
	return tight, true
}
