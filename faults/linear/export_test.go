package linear

import (
	"fmt"
	"math/rand/v2"

	"github.com/anishathalye/porcupine"

	"github.com/civicpin/civicpin/store"
)

// RandomVerdicts makes up the history of one key, which is linearizable unless something in it was spoilt, and returns its
// verdict as it is and tightened.
func RandomVerdicts(r *rand.Rand) (plain, tightened porcupine.CheckResult) {
	const ops = 14
	var s state
	var versions []store.Version // that ever were
	var values []string
	var history []porcupine.Operation
	for i := range ops {
		in, out := input{key: "k"}, output{answer: done}
		in.version = s.version
		if len(versions) > 0 && r.IntN(4) == 0 {
			in.version = versions[r.IntN(len(versions))]
		}
		switch r.IntN(5) {
		case 0, 1:
			in.verb, in.version = get, 0
			out.value, out.version = s.value, s.version
			if s.version == 0 {
				out = output{answer: notFound}
			}
		case 2, 3:
			in.verb, in.value = put, fmt.Sprint(i)
			if in.version != s.version {
				out = output{answer: conflict}
				break
			}
			s = state{value: in.value, version: store.Version(i + 1)}
			out.version = s.version
			versions, values = append(versions, s.version), append(values, s.value)
		case 4:
			in.verb = remove
			if in.version != s.version || s.version == 0 {
				out = output{answer: conflict}
				break
			}
			s = state{}
		}
		at := int64(100 * i)
		history = append(history, porcupine.Operation{
			Input: in, Output: out, Call: at - r.Int64N(300), Return: at + r.Int64N(300),
		})
	}
	if op := &history[r.IntN(ops)]; len(versions) > 0 && r.IntN(2) == 0 {
		in, out := op.Input.(input), op.Output.(output)
		switch n := r.IntN(len(versions)); {
		case in.verb == get:
			op.Output = output{answer: done, value: values[n], version: versions[n]}
		case out.answer == done:
			op.Output = output{answer: conflict}
		default:
			op.Output = output{answer: done, version: 99}
		}
	}
	history = tidy(history)
	plain = porcupine.CheckOperationsTimeout(model, history, 0)
	tight, possible := tighten(history)
	if !possible {
		return plain, porcupine.Illegal
	}
	return plain, porcupine.CheckOperationsTimeout(model, tight, 0)
}
