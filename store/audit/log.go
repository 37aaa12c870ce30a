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
	// Chains is how many chains there are, 1 to 256; default 4. Every process has the same number, and it never becomes
	// smaller.
	Chains int
	// Timeout is how long the events that come together may take to write; default 5 seconds. It is their own: the visitor's
	// going away does not cut it short. A vault waits for the log until its caller's deadline, and the write goes on by itself.
	Timeout time.Duration
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
	switch {
	case !names.Valid(c.Name, 40):
		return nil, errors.New("audit: New: Name is not 1 to 40 ASCII letters, digits, - _ and period")
	case c.Chains < 1 || c.Chains > maxChains:
		return nil, errors.New("audit: New: Chains is not 1 to 256")
	case c.Timeout < 0:
		return nil, errors.New("audit: New: negative Timeout")
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
	h := l.vault.Hash("audit.chain", string(e.Subject))
	l.chains[binary.BigEndian.Uint32(h[:4])%uint32(len(l.chains))].record(ctx, e)
}
