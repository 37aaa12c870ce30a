package natsstore

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/civicpin/civicpin/store"
)

// duplicateInFlight is the engine's error for a message whose id another one has that is not yet written.
const duplicateInFlight jetstream.ErrorCode = 10158

// errDoubt says that a write may have been done, or may be yet.
var errDoubt = errors.New("not known whether it was written")

// fence makes sure that a write that was refused, perhaps by one server of two, is not done: it returns its version if it
// was done all the same, and zero if it was not and never will be. It publishes an empty message with the same id. The
// engine keeps only the first message with an id, so either this one is agreed to, and shuts the other out for as long as
// the engine remembers ids; or the engine says which it kept.
func (s *Store) fence(ctx context.Context, p place, id string) (store.Version, error) {
	if s.opts.Replicas == 1 {
		return 0, nil // there is only one server, so what it said is true
	}
	for {
		m := &nats.Msg{Subject: p.confirm, Header: nats.Header{jetstream.MsgIDHeader: {id}}}
		ack, _, err := s.send(ctx, p, m)
		if err == nil {
			if !ack.Duplicate {
				return 0, nil
			}
			return s.kept(ctx, p, id, ack.Sequence)
		}
		if refused, ok := errors.AsType[*jetstream.APIError](err); !ok || refused.ErrorCode != duplicateInFlight {
			return 0, fmt.Errorf("%w: %w", errDoubt, err)
		}
		if err := pause(ctx); err != nil {
			return 0, fmt.Errorf("%w: %w", errDoubt, err)
		}
	}
}

// kept looks at which message with an id the engine kept, under a sequence number that it told: the write, whose version it
// returns, or the fence, sent again when its answer was lost, for which it returns zero. Neither may be there any more.
func (s *Store) kept(ctx context.Context, p place, id string, sequence uint64) (store.Version, error) {
	m, err := s.message(ctx, p, get{Sequence: sequence})
	switch {
	case err != nil:
		return 0, fmt.Errorf("%w: %w", errDoubt, err)
	case m.id == id && m.Subject == p.subject:
		return store.Version(sequence), nil
	case m.id == id && m.Subject == p.confirm:
		return 0, nil
	}
	return 0, fmt.Errorf("%w: others wrote since", errDoubt)
}
