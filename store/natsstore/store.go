package natsstore

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math"
	mrand "math/rand/v2"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/civicpin/civicpin/store"
)

const (
	// timeout bounds a call whose context has no deadline: an election takes four to nine seconds.
	timeout = 10 * time.Second
	// maxPause bounds the random wait before a write that met another one is tried again.
	maxPause = 8 * time.Millisecond
)

// A Store is a [store.Store] and [store.Lister] in key-value buckets. It holds no record in memory, so any number of them, in
// any number of processes, may share the buckets. Make one with [New]; the zero Store is not usable. There is nothing to
// close: the connection is the caller's.
type Store struct {
	js   jetstream.JetStream
	api  string // what subjects of the engine's requests begin with
	opts Options

	mu       sync.Mutex
	ticks    uint64              // counts those who asked to read
	readings map[string]*reading // under way, by subject
}

var _ store.Lister = (*Store)(nil)

// New returns a store in the buckets that the options name, and makes them if they are not there, which takes a few seconds
// and the right to do so. It gives an error if js is nil, an option is out of range, the servers cannot be reached or are
// older than 2.11, and a [*SettingError] if an existing bucket is set in a way that is not safe. What it cannot see is whether
// the servers write to their disks before they acknowledge: see [CheckServers].
func New(ctx context.Context, js jetstream.JetStream, opts *Options) (*Store, error) {
	o, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	if js == nil {
		return nil, errors.New("natsstore: New: no JetStream")
	}
	ctx, cancel := bounded(ctx, openTimeout)
	defer cancel()
	if err := checkLevel(ctx, js); err != nil {
		return nil, err
	}
	// Only after an answer does the client know the server's limit.
	if have := js.Conn().MaxPayload(); have < maxMessage {
		return nil, &SettingError{Setting: "max_payload", Value: fmt.Sprint(have), Want: fmt.Sprintf("%d or more", maxMessage)}
	}
	if err := o.open(ctx, js); err != nil {
		return nil, err
	}
	return &Store{js: js, api: apiPrefix(js.Options()), opts: o, readings: make(map[string]*reading)}, nil
}

// checkLevel finds servers that do not know times to live of single messages, which they would ignore.
func checkLevel(ctx context.Context, js jetstream.JetStream) error {
	info, err := js.AccountInfo(ctx)
	if err != nil {
		return fmt.Errorf("natsstore: account: %w", err)
	}
	if info.API.Level < 1 {
		return &SettingError{Setting: "version", Value: js.Conn().ConnectedServerVersion(), Want: "2.11 or later"}
	}
	return nil
}

// Get implements [store.Store], and returns its errors. See [Options.Reads] for who answers.
func (s *Store) Get(ctx context.Context, key string) (store.Record, error) {
	ctx, cancel, err := begin(ctx, key)
	if err != nil {
		return store.Record{}, err
	}
	defer cancel()
	read := s.read
	if s.opts.Reads == LeaderReads {
		read = s.last
	}
	m, err := read(ctx, s.place(key))
	if err != nil {
		return store.Record{}, fmt.Errorf("natsstore: get: %w", err)
	}
	if !m.live() {
		return store.Record{}, store.ErrNotFound
	}
	return m.record()
}

// Put implements [store.Store], and returns its errors.
func (s *Store) Put(ctx context.Context, key string, r store.Record) (store.Version, error) {
	ctx, cancel, err := begin(ctx, key)
	if err != nil {
		return 0, err
	}
	defer cancel()
	data, err := encodeValue(r.Value, r.ExpiresAt)
	if err != nil {
		return 0, err
	}
	if r.Version > math.MaxInt64 {
		return 0, store.ErrConflict // the engine counts no further
	}
	p := s.place(key)
	m := &nats.Msg{Subject: p.subject, Data: data, Header: nats.Header{}}
	if ttl := timeToLive(r.ExpiresAt, time.Now()); ttl != "" {
		m.Header.Set(jetstream.MsgTTLHeader, ttl)
	}
	if r.Version != 0 {
		version, err := s.write(ctx, p, m, r.Version)
		return version, wrap("put", err)
	}
	version, err := s.create(ctx, p, m)
	return version, wrap("put", err)
}

// Delete implements [store.Store], and returns its errors. It leaves a mark, which the engine removes after a while.
func (s *Store) Delete(ctx context.Context, key string, v store.Version) error {
	ctx, cancel, err := begin(ctx, key)
	if err != nil {
		return err
	}
	defer cancel()
	if v == 0 || v > math.MaxInt64 {
		return store.ErrConflict
	}
	p := s.place(key)
	m := &nats.Msg{Subject: p.subject, Header: nats.Header{
		operation:              {operationDelete},
		jetstream.MsgTTLHeader: {seconds(markFor)},
	}}
	_, err = s.write(ctx, p, m, v)
	return wrap("delete", err)
}

// create writes where there is no record: where the key never had one, or the last message of it is a mark. The write is
// conditional on what was found, so whoever else creates meanwhile wins or loses.
func (s *Store) create(ctx context.Context, p place, m *nats.Msg) (store.Version, error) {
	var last store.Version
	for {
		version, err := s.write(ctx, p, m, last)
		if !errors.Is(err, store.ErrConflict) {
			return version, err
		}
		found, err := s.read(ctx, p)
		if err != nil {
			return 0, err // nothing was written, but whether there is a record is not known
		}
		if found.live() {
			return 0, store.ErrConflict
		}
		last = store.Version(found.Sequence)
	}
}

// write publishes a message that replaces what the key has at the given version, zero meaning nothing. It gives ErrConflict
// only if the write was not done, never will be, and the version is another one. That the engine refused the write is not
// enough to know that:
//
//   - It refuses at once what meets another write of the same key. Whether the version will be another one depends on how
//     that one ends; and until it has, a Get returns the version that would just have been called out of date.
//   - A server that takes itself for the leader, and is it no more, judges by what it knew. As versions only grow, one that
//     it knows to be greater is an answer; with a smaller one, it may be the server that is out of date.
//   - Such a server and the real leader both get the message, and both answer. The first answer may be the one's refusal,
//     and the second the other's acknowledgement, for which nobody waits any more.
func (s *Store) write(ctx context.Context, p place, m *nats.Msg, v store.Version) (store.Version, error) {
	for {
		id := rand.Text()
		m.Header.Set(jetstream.MsgIDHeader, id)
		version, err := s.publish(ctx, p, m, uint64(v))
		refused, ok := errors.AsType[refusal](err)
		if !ok {
			return version, err
		}
		if version, err = s.fence(ctx, p, id); version != 0 || err != nil {
			return version, err
		}
		if refused.again {
			// A server that was started anew knows the ids of the messages that it still has, and no others.
			return 0, fmt.Errorf("%w: there was no answer, and it was refused when it was sent again", errDoubt)
		}
		if refused.last > v {
			return 0, store.ErrConflict
		}
		if errors.Is(refused, errOther) {
			now, err := s.read(ctx, p)
			if err != nil {
				return 0, err
			}
			if now.Sequence != uint64(v) {
				return 0, store.ErrConflict
			}
		}
		if err := pause(ctx); err != nil {
			return 0, fmt.Errorf("the key is being written: %w", err)
		}
	}
}

// pause waits a short random time.
func pause(ctx context.Context) error { return wait(ctx, time.Millisecond+mrand.N(maxPause)) }

func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// begin does what every method does first. What it returns is bounded in time.
func begin(ctx context.Context, key string) (context.Context, context.CancelFunc, error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, fmt.Errorf("natsstore: %w", err)
	}
	if err := store.CheckKey(key); err != nil {
		return nil, nil, err
	}
	ctx, cancel := bounded(ctx, timeout)
	return ctx, cancel, nil
}

// bounded gives a context without a deadline one.
func bounded(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, timeout)
}

// wrap says where an error came from, except of a conflict, which is an answer.
func wrap(what string, err error) error {
	if err == nil || errors.Is(err, store.ErrConflict) {
		return err
	}
	return fmt.Errorf("natsstore: %s: %w", what, err)
}
