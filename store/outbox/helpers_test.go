package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
	"github.com/civicpin/civicpin/store/storetest"
)

func newClock() *testkit.Clock { return testkit.NewClock(time.Date(2030, 5, 6, 7, 8, 9, 0, time.UTC)) }

// sink is a notifier that keeps what it was given, and does with each message what the test says.
type sink struct {
	mu   sync.Mutex
	got  []civicpin.Message
	do   func(ctx context.Context, m civicpin.Message) error
	when []time.Time
}

func (s *sink) Notify(ctx context.Context, m civicpin.Message) (string, error) {
	s.mu.Lock()
	s.got = append(s.got, m)
	s.when = append(s.when, time.Now())
	do := s.do
	s.mu.Unlock()
	if do != nil {
		if err := do(ctx, m); err != nil {
			return "", err
		}
	}
	return "receipt-" + m.ID, nil
}

func (s *sink) then(do func(ctx context.Context, m civicpin.Message) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.do = do
}

func (s *sink) messages() []civicpin.Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.got)
}

func (s *sink) times() []time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.when)
}

// texts are the secrets of what came, in order.
func (s *sink) texts() []string {
	var out []string
	for _, m := range s.messages() {
		out = append(out, m.Secret.Reveal())
	}
	return out
}

// letter is the record of a clerk: one message.
type letter struct {
	Text    string
	To      civicpin.Contact
	State   string // "wanted", "accepted", "failed", "replaced"
	Receipt string
	Reason  string
	Expires time.Time
}

// clerk is an owner of messages as a package of the library is one: its records are in the vault.
type clerk struct {
	name    string
	letters store.Kind[letter]
}

func newClerk(t require.TestingT, v *store.Vault, name string) *clerk {
	letters, err := store.NewKind[letter](v, "test."+name)
	require.NoError(t, err)
	return &clerk{name: name, letters: letters}
}

func (c *clerk) key(r outbox.Ref) store.Key { return store.Key{Subject: r.Subject, ID: r.ID} }

func (c *clerk) ref(subject, id string) outbox.Ref {
	return outbox.Ref{Owner: c.name, Subject: civicpin.Subject(subject), ID: id}
}

func (c *clerk) Confirm(ctx context.Context, r outbox.Ref) (civicpin.Message, error) {
	e, err := c.letters.Get(ctx, c.key(r))
	if errors.Is(err, store.ErrNotFound) || err == nil && e.Value.State != "wanted" && e.Value.State != "failed" {
		return civicpin.Message{}, fmt.Errorf("%w: %s", outbox.ErrWithdrawn, e.Value.State)
	}
	if err != nil {
		return civicpin.Message{}, err
	}
	return civicpin.Message{Kind: "test", To: e.Value.To, Secret: civicpin.NewSecret(e.Value.Text), ExpiresAt: e.Value.Expires}, nil
}

func (c *clerk) Settle(ctx context.Context, r outbox.Ref, what outbox.Outcome) error {
	_, err := c.letters.Update(ctx, c.key(r), func(e *store.Entry[letter]) error {
		if !e.Found() || e.Value.State == "replaced" || e.Value.State == "accepted" {
			return outbox.ErrWithdrawn
		}
		e.Value.State, e.Value.Receipt, e.Value.Reason = "accepted", what.Receipt, what.Reason
		if what.Failed {
			e.Value.State = "failed"
		}
		return nil
	})
	return err
}

// write writes a record without regard to what was there.
func (c *clerk) write(ctx context.Context, r outbox.Ref, l letter) error {
	_, err := c.letters.Update(ctx, c.key(r), func(e *store.Entry[letter]) error {
		e.Value = l
		return nil
	})
	return err
}

func (c *clerk) state(t require.TestingT, r outbox.Ref) string {
	e, err := c.letters.Get(context.Background(), c.key(r))
	if errors.Is(err, store.ErrNotFound) {
		return ""
	}
	require.NoError(t, err)
	return e.Value.State
}

// post queues a message as an owner does.
func (c *clerk) post(ctx context.Context, o *outbox.Outbox, r outbox.Ref, l letter) error {
	if err := o.Add(ctx, r); err != nil {
		return err
	}
	if l.State == "" {
		l.State = "wanted"
	}
	if err := c.write(ctx, r, l); err != nil {
		return err
	}
	return o.Commit(ctx, r)
}

func sms(number string) civicpin.Contact {
	return civicpin.Contact{Channel: civicpin.SMS, Address: number}
}

func mail(address string) civicpin.Contact {
	return civicpin.Contact{Channel: civicpin.Email, Address: address}
}

// keys are the same in every vault of a test, as they are in every process of a system.
func keys(t require.TestingT) store.Keys {
	sealer, err := store.XChaCha20Poly1305(civicpin.NewSecret("0123456789abcdef0123456789abcdef"))
	require.NoError(t, err)
	return store.Keys{
		Index:   civicpin.NewSecret("fedcba9876543210fedcba9876543210"),
		Sealing: []store.SealingKey{{ID: "k", Sealer: sealer}},
	}
}

// rig is one process: a vault on a store, an outbox, a notifier, an owner.
type rig struct {
	store store.Store
	vault *store.Vault
	clock *testkit.Clock // nil means the time of the bubble
	log   *testkit.Recorder
	sink  *sink
	clerk *clerk
	out   *outbox.Outbox
}

func newRig(t require.TestingT, s store.Store, clock *testkit.Clock, opts *outbox.Options) *rig {
	r := &rig{store: s, clock: clock, log: new(testkit.Recorder), sink: new(sink)}
	o := &store.Options{Recorder: r.log, Adopt: true} // some of the stores cannot list
	if clock != nil {
		o.Now = clock.Now
	}
	var err error
	r.vault, err = store.OpenVault(context.Background(), s, keys(t), o)
	require.NoError(t, err)
	r.clerk = newClerk(t, r.vault, "clerk")
	var complete outbox.Options
	if opts != nil {
		complete = *opts
	}
	if complete.Limits.Source == (civicpin.Rate{}) && complete.Limits.Typed == (civicpin.Rate{}) {
		complete.Limits = testkit.Limits()
	}
	r.out, err = outbox.New(r.vault, r.sink, &complete)
	require.NoError(t, err)
	require.NoError(t, r.out.Register("clerk", r.clerk))
	return r
}

// newMemory and newFaults are the stores of most tests.
func newMemory() *store.Memory { return store.NewMemory() }

func newFaults(s store.Store) *storetest.Faults { return storetest.NewFaults(s) }

func onMemory(t require.TestingT) *rig { return onMemoryWith(t, nil) }

func onMemoryWith(t require.TestingT, opts *outbox.Options) *rig {
	return newRig(t, newMemory(), newClock(), opts)
}

// inBubble is a rig by the time of the bubble.
func inBubble(t require.TestingT, opts *outbox.Options) *rig {
	return newRig(t, newMemory(), nil, opts)
}

// recount counts what waits, as far as that goes.
func (r *rig) recount(t *testing.T, b *outbox.Backlog) {
	t.Helper()
	_, _ = r.out.Count(t.Context(), b, store.Pass{})
}

// count returns how many records of a kind the store holds.
func (r *rig) count(t require.TestingT, kind string) int {
	n := 0
	for _, err := range r.store.(store.Lister).List(context.Background(), kind+"/", "") {
		require.NoError(t, err)
		n++
	}
	return n
}

// run starts Run until the test, or stop, ends it.
func (r *rig) run(t *testing.T) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.out.Run(ctx) }()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			require.ErrorIs(t, <-done, context.Canceled)
		})
	}
	t.Cleanup(stop)
	return stop
}

// only exposes the three methods of a store.
type only struct{ store.Store }

// spoil makes one entry unreadable.
func spoil(t *testing.T, m *store.Memory) {
	t.Helper()
	for item, err := range m.List(t.Context(), "outbox.entry/", "") {
		require.NoError(t, err)
		item.Value[len(item.Value)-1] ^= 1
		_, err := m.Put(t.Context(), item.Key, item.Record)
		require.NoError(t, err)
		break
	}
}

var errDead = errors.New("this process is dead")

// mortal is a process's connection to a store, which ends when the process dies.
type mortal struct {
	*store.Memory
	dead atomic.Bool
}

func newMortal(s *store.Memory) *mortal { return &mortal{Memory: s} }

func (m *mortal) die() { m.dead.Store(true) }

func (m *mortal) Get(ctx context.Context, key string) (store.Record, error) {
	if m.dead.Load() {
		return store.Record{}, errDead
	}
	return m.Memory.Get(ctx, key)
}

func (m *mortal) Put(ctx context.Context, key string, r store.Record) (store.Version, error) {
	if m.dead.Load() {
		return 0, errDead
	}
	return m.Memory.Put(ctx, key, r)
}

func (m *mortal) Delete(ctx context.Context, key string, v store.Version) error {
	if m.dead.Load() {
		return errDead
	}
	return m.Memory.Delete(ctx, key, v)
}

func (m *mortal) List(ctx context.Context, prefix, after string) iter.Seq2[store.Item, error] {
	if m.dead.Load() {
		return func(yield func(store.Item, error) bool) { yield(store.Item{}, errDead) }
	}
	return m.Memory.List(ctx, prefix, after)
}
