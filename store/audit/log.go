package audit

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/names"
	"github.com/civicpin/civicpin/store"
)

const (
	defaultName    = "log"
	defaultChains  = 4
	maxChains      = 256
	defaultTimeout = 5 * time.Second
	// maxEntry bounds the events of one entry, in bytes of JSON, well below what a vault seals.
	maxEntry = 64 << 10
	// maxTries bounds how often an entry is tried under the next number. Each time another process has got ahead.
	maxTries = 100
)

// Options configure a [Log]. Failed is required; the zero value of each other field means the default.
type Options struct {
	// Failed is told of every event that may not be in the log, with the store's error: the event may have been recorded
	// all the same. A Recorder has no error to return, and the act that the event is about has happened; so make it loud, and
	// write the event elsewhere. It is called inline and must be safe for concurrent use.
	Failed func(ctx context.Context, e civicpin.Event, err error)
	// Name names the log: logs of one name over one store are the same. 1 to 40 ASCII letters, digits and "-_."; default
	// "log".
	Name string
	// Chains is how many chains there are, 1 to 256; default 4. Every process has the same number, and it never becomes
	// smaller.
	Chains int
	// Timeout is how long an entry may take to write; default 5 seconds. It is the event's own: the visitor's going away
	// does not cut it short.
	Timeout time.Duration
}

// A Log is a civicpin.Recorder that chains events into a store. Its methods are safe for concurrent use, in any number of
// processes. Make one with [New].
type Log struct {
	vault   *store.Vault
	entries store.Kind[entry]
	heads   store.Kind[head]
	opts    Options
	chains  []*chain
}

var _ civicpin.Recorder = (*Log)(nil)

// New returns a log. It gives an error if v or Options.Failed is nil, or an option out of range. It makes no call to the store.
func New(v *store.Vault, opts Options) (*Log, error) {
	if v == nil || opts.Failed == nil {
		return nil, errors.New("audit: New: no vault, or nobody to tell of failures")
	}
	if opts.Name == "" {
		opts.Name = defaultName
	}
	if opts.Chains == 0 {
		opts.Chains = defaultChains
	}
	if opts.Timeout == 0 {
		opts.Timeout = defaultTimeout
	}
	switch {
	case !names.Valid(opts.Name, 40):
		return nil, errors.New("audit: New: Name is not 1 to 40 ASCII letters, digits, - _ and period")
	case opts.Chains < 1 || opts.Chains > maxChains:
		return nil, errors.New("audit: New: Chains is not 1 to 256")
	case opts.Timeout < 0:
		return nil, errors.New("audit: New: negative Timeout")
	}
	l := &Log{vault: v, opts: opts}
	var errs [2]error
	l.entries, errs[0] = store.NewKind[entry](v, "audit."+opts.Name)
	l.heads, errs[1] = store.NewKind[head](v, "audit-head."+opts.Name)
	for i := range opts.Chains {
		l.chains = append(l.chains, &chain{log: l, number: i, open: new(batch)})
	}
	return l, errors.Join(errs[:]...)
}

// entry is what is stored of some events of a chain. It holds where it stands as well, although its key says so too: the sum
// covers it.
type entry struct {
	Chain  int             `json:"chain"`
	Seq    uint64          `json:"seq"`
	Prev   []byte          `json:"prev"` // the sum of the entry before; 32 zeros at the beginning
	Events json.RawMessage `json:"events"`
	Sum    []byte          `json:"sum"`
}

// head says which entry of a chain is the last one.
type head struct {
	Seq uint64 `json:"seq"`
	Sum []byte `json:"sum"`
}

// event is an event as it is stored. The device value is left out, since it opens a lane of its own.
type event struct {
	At      time.Time          `json:"at"`
	Code    civicpin.EventCode `json:"code"`
	Subject civicpin.Subject   `json:"subject,omitempty"`
	By      civicpin.Actor     `json:"by,omitempty"`
	Address string             `json:"address,omitempty"`
	Device  bool               `json:"device,omitempty"`
	Ref     string             `json:"ref,omitempty"`
	Level   civicpin.Level     `json:"level,omitempty"`
	Reason  string             `json:"reason,omitempty"`
}

func stored(e civicpin.Event) event {
	return event{
		At: e.At.UTC(), Code: e.Code, Subject: e.Subject, By: e.By, Address: e.Source.Address, Device: e.Source.Device != "",
		Ref: e.Ref, Level: e.Level, Reason: e.Reason,
	}
}

func (e event) event() civicpin.Event {
	return civicpin.Event{
		At: e.At, Code: e.Code, Subject: e.Subject, By: e.By, Source: civicpin.Source{Address: e.Address}, Ref: e.Ref, Level: e.Level,
		Reason: e.Reason,
	}
}

func (l *Log) key(chain int, seq uint64) store.Key {
	return store.Key{ID: strconv.Itoa(chain) + "/" + strconv.FormatUint(seq, 10)}
}

func (l *Log) headKey(chain int) store.Key { return store.Key{ID: strconv.Itoa(chain)} }

// sum is the keyed hash of all that an entry holds. The key is the vault's index key, which never changes.
func (l *Log) sum(e *entry) []byte {
	h := l.vault.Hash("audit.entry", l.opts.Name, strconv.Itoa(e.Chain), strconv.FormatUint(e.Seq, 10), string(e.Prev), string(e.Events))
	return h[:]
}

// Record implements civicpin.Recorder: it returns when the event is in the store, or Options.Failed was told. An event without a
// time gets the vault's. It costs a create and the update of the head, shared by all events of a chain that come meanwhile.
func (l *Log) Record(ctx context.Context, e civicpin.Event) {
	if e.At.IsZero() {
		e.At = l.vault.Now()
	}
	h := l.vault.Hash("audit.chain", string(e.Subject))
	l.chains[binary.BigEndian.Uint32(h[:4])%uint32(len(l.chains))].record(ctx, e)
}

// chain is what a process knows of a chain.
type chain struct {
	log    *Log
	number int

	mu   sync.Mutex
	open *batch // takes the events that come

	writing sync.Mutex // held by who writes; guards the rest
	known   bool       // whether next and prev are
	next    uint64     // the number to try
	prev    []byte     // the sum of the entry before
}

// batch is events that are written together. done is guarded by chain.writing.
type batch struct {
	events []civicpin.Event
	done   bool
}

// record puts an event into the open batch, waits until nobody writes, and writes the batch, unless it was written meanwhile.
func (c *chain) record(ctx context.Context, e civicpin.Event) {
	c.mu.Lock()
	b := c.open
	b.events = append(b.events, e)
	c.mu.Unlock()
	c.writing.Lock()
	defer c.writing.Unlock()
	if b.done {
		return
	}
	c.mu.Lock()
	c.open = new(batch)
	c.mu.Unlock()
	b.done = true
	// The act has happened, so the event is written although the visitor may have gone.
	ctx = context.WithoutCancel(ctx)
	for len(b.events) > 0 {
		n, err := c.write(ctx, b.events)
		if err != nil {
			for _, e := range b.events[:n] {
				c.log.opts.Failed(ctx, e, err)
			}
		}
		b.events = b.events[n:]
	}
}

// write writes an entry with as many of the events as it takes, and returns how many that is.
func (c *chain) write(ctx context.Context, events []civicpin.Event) (n int, err error) {
	ctx, cancel := context.WithTimeout(ctx, c.log.opts.Timeout)
	defer cancel()
	text := []byte{'['}
	for _, e := range events {
		one, err := json.Marshal(stored(e))
		if err != nil {
			return max(n, 1), fmt.Errorf("audit: %w", err)
		}
		if n > 0 && len(text)+len(one) > maxEntry {
			break
		}
		if n > 0 {
			text = append(text, ',')
		}
		text = append(text, one...)
		n++
	}
	return n, c.append(ctx, append(text, ']'))
}

// append creates the next entry. Only the create decides: what this process believes about the chain may be old.
func (c *chain) append(ctx context.Context, events json.RawMessage) error {
	if !c.known {
		if err := c.find(ctx); err != nil {
			return err
		}
	}
	for range maxTries {
		e := store.Entry[entry]{
			Key:   c.log.key(c.number, c.next),
			Value: entry{Chain: c.number, Seq: c.next, Prev: c.prev, Events: events},
		}
		e.Value.Sum = c.log.sum(&e.Value)
		err := c.log.entries.Put(ctx, &e)
		if err == nil {
			c.next, c.prev = c.next+1, e.Value.Sum
			return c.log.advance(ctx, c.number, head{Seq: e.Value.Seq, Sum: e.Value.Sum})
		}
		if !errors.Is(err, store.ErrConflict) {
			return fmt.Errorf("audit: %w", err) // it may be there, or come to be: the next one will see
		}
		// Somebody else has the number: go on behind them. Reading on to the end is quicker than they can write.
		if err := c.toEnd(ctx); err != nil {
			return err
		}
	}
	return fmt.Errorf("audit: %w", store.ErrContended)
}

// find looks for the end of the chain, from the head on.
func (c *chain) find(ctx context.Context) error {
	h, err := c.log.heads.Get(ctx, c.log.headKey(c.number))
	switch {
	case errors.Is(err, store.ErrNotFound):
		c.next, c.prev = 0, make([]byte, 32)
	case err != nil:
		return fmt.Errorf("audit: %w", err)
	default:
		c.next, c.prev = h.Value.Seq+1, h.Value.Sum
	}
	from := c.next
	if err := c.toEnd(ctx); err != nil {
		return err
	}
	c.known = true
	if c.next == from {
		return nil
	}
	// Whoever wrote the last one did not come to move the head.
	return c.log.advance(ctx, c.number, head{Seq: c.next - 1, Sum: c.prev})
}

// toEnd goes past all entries that are there. One that does not open is passed, too, for Verify to find: it must not keep others
// from being recorded.
func (c *chain) toEnd(ctx context.Context) error {
	for {
		e, err := c.log.entries.Get(ctx, c.log.key(c.number, c.next))
		switch {
		case errors.Is(err, store.ErrNotFound):
			return nil
		case errors.Is(err, store.ErrUnreadable):
			c.next, c.prev = c.next+1, make([]byte, 32)
		case err != nil:
			return fmt.Errorf("audit: %w", err)
		default:
			c.next, c.prev = c.next+1, e.Value.Sum
		}
	}
}

// advance moves the head of a chain on, never back. The entry is in the chain whether or not this succeeds, and the next one
// moves the head further; but until then it could be cut off unseen, so a failure is told.
func (l *Log) advance(ctx context.Context, chain int, h head) error {
	_, err := l.heads.Update(ctx, l.headKey(chain), func(e *store.Entry[head]) error {
		if e.Found() && e.Value.Seq >= h.Seq {
			return store.ErrSkip
		}
		e.Value = h
		return nil
	})
	if err != nil {
		return fmt.Errorf("audit: the entry is written, its head is not: %w", err)
	}
	return nil
}
