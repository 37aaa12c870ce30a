package linear

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/anishathalye/porcupine"

	"github.com/civicpin/civicpin/store"
)

// A verb is what a client asked.
type verb string

const (
	get    verb = "get"
	put    verb = "put" // with version zero a create
	remove verb = "delete"
	// end comes after everything that had an answer. From then on, what had none need not have happened at all.
	end verb = "end"
)

// An answer is what a client was told.
type answer string

const (
	done     answer = "done"
	notFound answer = "not found"
	conflict answer = "conflict"
	unknown  answer = "unknown"
)

// input is a call: the porcupine operation's input.
type input struct {
	verb    verb
	key     string
	value   string        // what put writes, another one each time
	version store.Version // what put and delete expect
}

// output is what it returned.
type output struct {
	answer  answer
	value   string        // what get read
	version store.Version // of what get read, or of what put wrote
	err     string        // for people
}

// never is the return time of what got no answer.
const never = math.MaxInt64

// tidy returns a history that is linearizable if and only if the given one is, and is quicker to judge. The history must
// end with a get of each key that was called after all else had returned. See the package's documentation for why.
func tidy(history []porcupine.Operation) []porcupine.Operation {
	type read struct {
		returned int64
		version  store.Version
	}
	reads := make(map[string]read) // by value: the first to return
	type deletion struct {
		key     string
		version store.Version
	}
	deletions := make(map[deletion]porcupine.Operation)
	var last int64
	keys := make(map[string]bool)
	for _, op := range history {
		in, out := op.Input.(input), op.Output.(output)
		keys[in.key] = true
		if out.answer != unknown {
			last = max(last, op.Return)
		}
		switch {
		case in.verb == get && out.answer == done:
			if r, ok := reads[out.value]; !ok || op.Return < r.returned {
				reads[out.value] = read{op.Return, out.version}
			}
		case in.verb == remove && out.answer == unknown:
			d := deletion{in.key, in.version}
			if first, ok := deletions[d]; !ok || op.Call < first.Call {
				deletions[d] = op
			}
		}
	}
	var all []porcupine.Operation
	for _, op := range history {
		in, out := op.Input.(input), op.Output.(output)
		if out.answer != unknown {
			all = append(all, op)
			continue
		}
		if in.verb != put {
			continue // a get that failed says nothing; deletions follow
		}
		if r, ok := reads[in.value]; ok {
			out.answer, out.version = done, r.version
			// A reader may even have returned before the writer gave up.
			op.Output, op.Return = out, max(op.Call, r.returned)
			all = append(all, op)
		}
	}
	for _, op := range deletions {
		op.Return = never
		all = append(all, op)
	}
	for key := range keys {
		all = append(all, porcupine.Operation{Input: input{verb: end, key: key}, Output: output{}, Call: last + 1, Return: last + 1})
	}
	return all
}

// state is what one key holds. The zero state is no record.
type state struct {
	value   string
	version store.Version
	ended   bool
}

// model is one record of a store that does one thing at a time.
var model = porcupine.Model{
	Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
		byKey := make(map[string][]porcupine.Operation)
		for _, op := range history {
			key := op.Input.(input).key
			byKey[key] = append(byKey[key], op)
		}
		var parts [][]porcupine.Operation
		for _, key := range slices.Sorted(maps.Keys(byKey)) {
			parts = append(parts, byKey[key])
		}
		return parts
	},
	Init: func() any { return state{} },
	Step: func(s, in, out any) (bool, any) { return step(s.(state), in.(input), out.(output)) },
	Hash: func(s any) uint64 { return uint64(s.(state).version) },
	DescribeOperation: func(in, out any) string {
		return fmt.Sprintf("%s → %s", in.(input), out.(output))
	},
	DescribeState: func(s any) string {
		st := s.(state)
		if st.version == 0 {
			return "no record"
		}
		return fmt.Sprintf("%s @%x", st.value, uint64(st.version))
	},
}

// step reports whether a record in some state can answer a call so, and returns the state after it. The version is zero
// exactly if there is no record, so that a create is a swap of version zero.
func step(s state, in input, out output) (bool, state) {
	switch {
	case in.verb == end:
		s.ended = true
		return true, s
	case out.answer == unknown: // a delete, see tidy
		if s.ended {
			return true, s
		}
		return s.version == in.version && s.version != 0, state{}
	case out.answer == conflict:
		// A delete that names version zero matches nothing, even where there is no record.
		return s.version != in.version || in.verb == remove && in.version == 0, s
	case out.answer == notFound:
		return in.verb == get && s.version == 0, s
	}
	switch in.verb {
	case get:
		return s.version != 0 && s.version == out.version && s.value == out.value, s
	case put:
		return s.version == in.version && out.version != 0 && out.version != s.version,
			state{value: in.value, version: out.version}
	case remove:
		return s.version == in.version && s.version != 0, state{}
	}
	return false, s
}

func (i input) String() string {
	switch i.verb {
	case put:
		return fmt.Sprintf("put %s @%x", i.value, uint64(i.version))
	case remove:
		return fmt.Sprintf("delete @%x", uint64(i.version))
	}
	return string(i.verb)
}

func (o output) String() string {
	parts := []string{string(o.answer)}
	if o.value != "" {
		parts = append(parts, o.value)
	}
	if o.version != 0 {
		parts = append(parts, fmt.Sprintf("@%x", uint64(o.version)))
	}
	if o.err != "" {
		parts = append(parts, o.err)
	}
	return strings.Join(parts, " ")
}
