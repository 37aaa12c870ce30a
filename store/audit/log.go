package audit

import (
	"context"
	"encoding/binary"
	"errors"
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
	// defaultKeepEvery is what an attacker can cut off unseen at most, beside the last entries before a pause.
	defaultKeepEvery = time.Minute
)

// A Config is what a [Log] is made of. Failed is required; the zero value of each other field means the default.
type Config struct {
	// Failed is told of every event that may not be in the log, with the store's error: the event may have been recorded
	// all the same. A Recorder has no error to return, and the act that the event is about has happened; so make it loud, and
	// write the event elsewhere. It is called inline and must be safe for concurrent use.
	Failed func(ctx context.Context, e civicpin.Event, err error)
	// Name names the log: logs of one name over one store are the same. 1 to 40 ASCII letters, digits and "-_."; default
	// "log".
	Name string
	// Chains is how many chains there are, 1 to 256; default 4. Every process has the same number, and a log keeps it: [Log.Read]
	// looks for a subject in one chain. It reads the less, the more chains there are.
	Chains int
	// Timeout is how long the events that come together may take to write; default 5 seconds. It is their own: the visitor's
	// going away does not cut it short. A vault waits for the log until its caller's deadline, and the write goes on by itself.
	Timeout time.Duration
	// Keep, if not nil, is handed the head of a chain behind an entry of this process, to be kept where a writer to the store does
	// not reach: in another system's log, in a database of another owner, on paper. [Check.Since] takes all that were kept. It is
	// called inline, for one chain at a time, within Timeout: the events of the chain wait for it. After an error, Failed is told
	// of the events of the entry, which is in the log; the next head is handed over when it is due.
	Keep func(ctx context.Context, h Head) error
	// KeepEvery is the least time between two heads of a chain that a process hands to Keep; default 1 minute.
	KeepEvery time.Duration
}

// A Log is a civicpin.Recorder that chains events into a store. Its methods are safe for concurrent use, in any number of
// processes. Make one with [New].
type Log struct {
	vault   *store.Vault
	entries store.Kind[entry]
	heads   store.Kind[head]
	config  Config
	chains  []*chain
}

var _ civicpin.Recorder = (*Log)(nil)

// New returns a log. It makes no call to the store. It returns an error if v or Config.Failed is nil, or an option is out of
// range.
func New(v *store.Vault, c Config) (*Log, error) {
	if v == nil || c.Failed == nil {
		return nil, errors.New("audit: New: no vault, or nobody to tell of failures")
	}
	if c.Name == "" {
		c.Name = defaultName
	}
	if c.Chains == 0 {
		c.Chains = defaultChains
	}
	if c.Timeout == 0 {
		c.Timeout = defaultTimeout
	}
	if c.KeepEvery == 0 {
		c.KeepEvery = defaultKeepEvery
	}
	switch {
	case !names.Valid(c.Name, 40):
		return nil, errors.New("audit: New: Name is not 1 to 40 ASCII letters, digits, - _ and period")
	case c.Chains < 1 || c.Chains > maxChains:
		return nil, errors.New("audit: New: Chains is not 1 to 256")
	case c.Timeout < 0, c.KeepEvery < 0:
		return nil, errors.New("audit: New: negative Timeout or KeepEvery")
	}
	l := &Log{vault: v, config: c}
	var errs [2]error
	l.entries, errs[0] = store.NewKind[entry](v, "audit."+c.Name)
	l.heads, errs[1] = store.NewKind[head](v, "audit-head."+c.Name)
	for i := range c.Chains {
		l.chains = append(l.chains, &chain{log: l, number: i, open: new(batch), writing: make(chan struct{}, 1)})
	}
	return l, errors.Join(errs[:]...)
}

// Record implements civicpin.Recorder: it returns when the event is in the store, or Config.Failed was told. An event without
// a time gets the vault's. It costs a create and the update of the head, shared by all events of a chain that come meanwhile.
func (l *Log) Record(ctx context.Context, e civicpin.Event) {
	if e.At.IsZero() {
		e.At = l.vault.Now()
	}
	l.chains[l.chainOf(e.Subject)].record(ctx, e)
}

// chainOf returns the number of the chain that has all events of a subject.
func (l *Log) chainOf(s civicpin.Subject) int {
	h := l.vault.Hash("audit.chain", string(s))
	return int(binary.BigEndian.Uint32(h[:4]) % uint32(len(l.chains)))
}
