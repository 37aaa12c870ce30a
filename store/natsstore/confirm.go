package natsstore

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/civicpin/civicpin/store"
)

// confirmation is where confirmations are written in each bucket, each over the one before. No key is encoded so: it has a
// period where encodeKey puts none.
const confirmation = "read.confirmed"

// A reading is one look at a key, which several callers may be waiting for.
type reading struct {
	began   uint64 // by Store.ticks
	done    chan struct{}
	message message
	err     error
}

// read returns the last message of a key, and it is the last one. Callers that ask for one key at the same
// time share a look at it, if it began after they asked; so somebody who hammers at a locked account costs the servers no
// more than a few writes at a time.
func (s *Store) read(ctx context.Context, p place) (message, error) {
	if s.opts.Replicas == 1 {
		return s.last(ctx, p) // there is only one server
	}
	s.mu.Lock()
	s.ticks++
	asked := s.ticks
	for {
		r := s.readings[p.subject]
		if r == nil {
			r = &reading{began: s.ticks, done: make(chan struct{})}
			s.readings[p.subject] = r
			s.mu.Unlock()
			r.message, r.err = s.confirmed(ctx, p)
			s.mu.Lock()
			delete(s.readings, p.subject)
			s.mu.Unlock()
			close(r.done)
			return r.message, r.err
		}
		s.mu.Unlock()
		select {
		case <-r.done:
		case <-ctx.Done():
			return message{}, ctx.Err()
		}
		if asked <= r.began && r.err == nil { // an error may be its caller's context
			return r.message, nil
		}
		s.mu.Lock()
	}
}

// confirmed reads from whoever says to be the leader, and then has the bucket's servers agree that this is the last message,
// by a write that is conditional on it. A server that was frozen or cut off goes on taking itself for the leader for some
// seconds, and answers reads from what it knew; but it cannot get a write agreed to.
func (s *Store) confirmed(ctx context.Context, p place) (message, error) {
	for {
		m, err := s.last(ctx, p)
		if err != nil {
			return message{}, err
		}
		_, err = s.publish(ctx, p, &nats.Msg{Subject: p.confirm}, m.Sequence)
		switch {
		case err == nil:
			return m, nil
		case !isRefusal(err):
			return message{}, err
		}
		if err := pause(ctx); err != nil {
			return message{}, fmt.Errorf("the key is being written: %w", err)
		}
	}
}

// errBusy is a server's answer that another conditional write about the same key is under way; errOther that the key's last
// message is another one. The server that says so did nothing; see write for others.
var (
	errBusy  = errors.New("another write is under way")
	errOther = errors.New("another version")
)

// A refusal is an errBusy or errOther.
type refusal struct {
	error
	last  store.Version // the version that the server has, zero if it does not say
	again bool          // the message had been sent before, and may have arrived
}

func (r refusal) Unwrap() error { return r.error }

func isRefusal(err error) bool {
	_, ok := errors.AsType[refusal](err)
	return ok
}

// publish writes a message on the condition that the last message of the place is the given one, zero meaning none. One that
// changes something has an id: it may be sent twice.
func (s *Store) publish(ctx context.Context, p place, m *nats.Msg, last uint64) (store.Version, error) {
	if m.Header == nil {
		m.Header = nats.Header{}
	}
	m.Header.Set(jetstream.ExpectedLastSubjSeqSubjHeader, p.subject)
	m.Header.Set(jetstream.ExpectedLastSubjSeqHeader, strconv.FormatUint(last, 10))
	ack, again, err := s.send(ctx, p, m)
	if err == nil {
		return store.Version(ack.Sequence), nil
	}
	refused, ok := errors.AsType[*jetstream.APIError](err)
	switch {
	case ok && refused.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence:
		_, number, _ := strings.Cut(refused.Description, ": ")
		n, _ := strconv.ParseUint(number, 10, 64)
		return 0, refusal{errOther, store.Version(n), again}
	case ok && refused.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequenceConstant:
		return 0, refusal{errBusy, 0, again}
	}
	return 0, err
}
