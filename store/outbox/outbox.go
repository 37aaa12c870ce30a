package outbox

import (
	"errors"
	"fmt"
	"sync"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/destination"
	"github.com/civicpin/civicpin/internal/guard"
	"github.com/civicpin/civicpin/internal/load"
	"github.com/civicpin/civicpin/internal/own"
	"github.com/civicpin/civicpin/internal/pace"
	"github.com/civicpin/civicpin/internal/sends"
	"github.com/civicpin/civicpin/store"
)

const (
	// maxFresh is how many committed entries wait to be picked up without a listing. Beyond, the listing finds them.
	maxFresh = 1024
	// maxRemembered bounds what is kept in memory of messages that were sent and could not be marked so.
	maxRemembered = 4096
	// maxOwn bounds what is kept in memory of entries on a store that cannot list.
	maxOwn = 1 << 16
	// maxTyped is how many messages of class Typed wait in all: more than a day of a country's.
	maxTyped = 100_000
)

// An Outbox is a durable queue of messages and what dispatches it. Its methods are safe for concurrent use. Make one with
// [New].
type Outbox struct {
	vault    *store.Vault
	notifier civicpin.Notifier
	sender   *guard.Notifier // calls the notifier
	opts     Options
	pace     pace.Pace
	entries  store.Kind[entry]
	dead     store.Kind[dead]
	receipts store.Kind[receipt]

	sends   *sends.Counters
	limits  *destination.Limits
	classes map[Class]destination.Class
	decoys  destination.Class
	load    *load.Cap

	own    *own.List      // nil on a store that can list
	parked int            // how many messages of one channel a Run keeps in memory
	listed int            // how many entries one listing looks at
	fresh  chan store.Key // just committed
	wake   chan struct{}  // more was committed than fresh holds

	mu      sync.Mutex
	owners  map[string]Owner
	unknown map[string]bool     // owners' names for which eventUnknownOwner was recorded
	sent    map[store.Key]entry // what was sent but could not be marked so

	proved map[string]civicpin.Rate // the limits of class Proved
}

// ErrNoNotifier says that the outbox has no notifier, so that nothing can be sent.
var ErrNoNotifier = errors.New("outbox: no notifier")

// New returns an outbox in the vault v that sends through n. Nil opts mean the defaults. A nil n is for programs that send
// nothing: what would send a message is refused with [ErrNoNotifier] then. It makes no call to the store and starts nothing:
// call [Outbox.Run]. Errors:
//   - [civicpin.ErrInvalid]: v is nil, or an option is out of range.
func New(v *store.Vault, n civicpin.Notifier, opts *Options) (*Outbox, error) {
	if v == nil {
		return nil, fmt.Errorf("outbox: %w: New needs a vault", civicpin.ErrInvalid)
	}
	complete, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	o := &Outbox{
		vault:    v,
		notifier: n,
		sender:   guard.NewNotifier(n, complete.Timeout),
		opts:     complete,
		pace:     complete.pace(),
		parked:   maxParked,
		listed:   maxScan,
		fresh:    make(chan store.Key, maxFresh),
		wake:     make(chan struct{}, 1),
		owners:   make(map[string]Owner),
		unknown:  make(map[string]bool),
		own:      own.NewList(v),
		sent:     make(map[store.Key]entry),
		proved:   make(map[string]civicpin.Rate),
	}
	var errs [6]error
	o.entries, errs[0] = store.NewKind[entry](v, "outbox.entry")
	o.dead, errs[1] = store.NewKind[dead](v, "outbox.dead")
	o.load, errs[2] = load.NewCap(v, maxTyped)
	l := &o.opts.Limits
	o.sends, errs[3] = sends.New(v, sends.Rates{Source: l.Source, SourceTyped: l.SourceTyped, Operator: l.Operator})
	o.limits, errs[4] = destination.New(v, destination.Countries{Home: l.Home, Abroad: l.Abroad, HomePrefixes: l.HomePrefixes})
	o.receipts, errs[5] = store.NewKind[receipt](v, "outbox.receipt")
	o.classes, o.decoys = l.classes()
	if err := errors.Join(errs[:]...); err != nil {
		return nil, err
	}
	return o, nil
}

// Vault returns the vault that the outbox is in. Services that send through the outbox keep their records there.
func (o *Outbox) Vault() *store.Vault { return o.vault }

// Durable reports whether entries outlive the process that added them, which they do on a store that can list.
func (o *Outbox) Durable() bool { return o.vault.CanList() }
