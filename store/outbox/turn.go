package outbox

import (
	"context"
	"errors"
	"maps"
	"strconv"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/destination"
	"github.com/civicpin/civicpin/store"
)

// atAddress asks the queue of the address whether a message may go.
func (o *Outbox) atAddress(
	ctx context.Context, j *job, m *civicpin.Message, c destination.Class, to destination.Message,
) bool {
	v := &j.entry.Value
	if v.Class == Notice && !m.Link.IsZero() {
		return true // it carries a right, and is neither held nor merged
	}
	a, err := o.limits.AtAddress(ctx, c, to)
	if errors.Is(err, store.ErrUnreadable) {
		return o.unreadable(ctx, j)
	}
	if !o.heed(ctx, j, a, err) {
		return false
	}
	if a.More > 0 {
		m.Params, j.with = withMore(m.Params, a.More), true
	}
	if v.Class != Notice { // each try of a notice asks anew how many others it stands for
		v.Turn = 1 // written with the outcome
	}
	return true
}

// destinationOf returns the class of a message, and what the limits know of the message.
func (o *Outbox) destinationOf(j *job, m *civicpin.Message) (destination.Class, destination.Message) {
	to := destination.Message{
		Place: o.place(j.ref), Replaces: j.entry.Value.Replaces, Subject: j.ref.Subject, To: m.To, Expires: m.ExpiresAt,
		Born: time.Unix(0, j.entry.Value.Born),
	}
	if j.entry.Value.Class == Notice {
		to.Group = []string{j.ref.Owner, string(j.ref.Subject), string(m.Kind)}
	}
	class, ok := o.classes[j.entry.Value.Class]
	switch {
	case j.entry.Value.Decoy == 1:
		class = o.decoys
	case !ok:
		class = o.classes[Typed]
	}
	return class, to
}

// withMore returns the parameters of a notice that goes for n others as well.
func withMore(params map[string]string, n int) map[string]string {
	params = maps.Clone(params)
	if params == nil {
		params = make(map[string]string)
	}
	params["more"] = strconv.Itoa(n)
	return params
}
