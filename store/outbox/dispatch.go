package outbox

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/destination"
	"github.com/civicpin/civicpin/store"
)

const (
	// maxParked is how many messages of one channel wait in a Run's memory for a sender. What is beyond stays in the store.
	maxParked = 1 << 13
	// maxKnown bounds the memory of what was left in the store for that reason.
	maxKnown = 1 << 16
)

// dispatch is one run of the dispatcher. Each channel has a lane, with senders of its own, so that a gateway that hangs
// holds up nothing but its lane. Which lane an entry belongs to is known when its owner has been asked.
type dispatch struct {
	o       *Outbox
	most    int           // how many may wait in a lane
	asking  chan struct{} // as many as owners may be asked at once
	running sync.WaitGroup

	mu    sync.Mutex
	held  map[store.Key]bool  // what is in hand, so that the next listing does not take it again
	known map[store.Key]*lane // what was left in the store because its lane was full
	lanes map[civicpin.Channel]*lane
	busy  map[string]bool // addresses to which something is being sent
}

// lane is one channel's senders and what waits for them.
type lane struct {
	senders int
	parked  []*job // in the order in which they go
	left    bool   // something was left in the store since the lane was full
}

// route is where a message goes: its channel, and its address as it is told from others.
type route struct {
	channel civicpin.Channel
	address string
}

func routeOf(c civicpin.Contact) route { return route{c.Channel, c.Canonical()} }

func newDispatch(o *Outbox, most int) *dispatch {
	return &dispatch{
		o:      o,
		most:   most,
		asking: make(chan struct{}, o.opts.Workers),
		held:   make(map[store.Key]bool),
		known:  make(map[store.Key]*lane),
		lanes:  make(map[civicpin.Channel]*lane),
		busy:   make(map[string]bool),
	}
}

// taken reports whether a listing need not look at an entry: it is in hand, or its lane is full of what goes before it.
func (d *dispatch) taken(key store.Key, e *entry) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.held[key] {
		return true
	}
	l, ok := d.known[key]
	if ok && len(l.parked) >= d.most && order(&l.parked[len(l.parked)-1].entry.Value, e) <= 0 {
		return true
	}
	delete(d.known, key)
	return false
}

// hand takes jobs in hand, in their order, and returns when the owner of the last one is being asked.
func (d *dispatch) hand(ctx context.Context, jobs []*job) {
	for _, j := range jobs {
		select {
		case <-ctx.Done():
			return
		case d.asking <- struct{}{}:
		}
		if !d.hold(j) {
			<-d.asking
			continue
		}
		d.running.Go(func() {
			defer func() { <-d.asking }()
			d.admit(ctx, j)
		})
	}
}

func (d *dispatch) hold(j *job) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.held[j.entry.Key] {
		return false
	}
	d.held[j.entry.Key] = true
	return true
}

func (d *dispatch) release(j *job) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.held, j.entry.Key)
}

// admit asks the owner, and puts the message into its lane.
func (d *dispatch) admit(ctx context.Context, j *job) {
	m := d.o.confirm(ctx, j)
	if m == nil {
		d.release(j)
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	j.route = routeOf(m.To)
	l := d.lanes[j.route.channel]
	if l == nil {
		l = &lane{}
		d.lanes[j.route.channel] = l
	}
	// Listings show entries in an order that means nothing. So what goes first takes the place of what goes later, or under
	// load one message might find its lane full each time.
	if n := len(l.parked); n >= d.most {
		youngest := l.parked[n-1]
		if byOrder(youngest, j) <= 0 {
			d.leave(l, j)
			return
		}
		l.parked = slices.Delete(l.parked, n-1, n)
		d.leave(l, youngest)
	}
	j.message = m
	at, _ := slices.BinarySearchFunc(l.parked, j, func(parked, j *job) int {
		return cmp.Or(byOrder(parked, j), -1) // behind its equals
	})
	l.parked = slices.Insert(l.parked, at, j)
	d.start(ctx, l)
	if !j.started {
		// By the time that there is a sender the record may have changed; and a secret is not kept while it waits.
		j.message = nil
	}
}

// leave leaves an entry in the store until its lane has room. The lock is held.
func (d *dispatch) leave(l *lane, j *job) {
	delete(d.held, j.entry.Key)
	if len(d.known) >= maxKnown {
		clear(d.known)
	}
	d.known[j.entry.Key] = l
	l.left = true
}

// start gives a lane's senders what waits for them, except for an address to which something is under way: one mailbox that
// hangs would otherwise take every sender. The lock is held.
func (d *dispatch) start(ctx context.Context, l *lane) {
	if ctx.Err() != nil {
		l.parked = nil
		return
	}
	for i := 0; i < len(l.parked) && l.senders < d.o.opts.Workers; {
		j := l.parked[i]
		if d.busy[j.route.address] {
			i++
			continue
		}
		l.parked = slices.Delete(l.parked, i, i+1)
		l.senders++
		d.busy[j.route.address] = true
		j.started = true
		d.running.Go(func() {
			d.o.deliver(ctx, j)
			d.finish(ctx, l, j)
		})
	}
}

func (d *dispatch) finish(ctx context.Context, l *lane, j *job) {
	d.mu.Lock()
	defer d.mu.Unlock()
	l.senders--
	delete(d.busy, j.route.address)
	delete(d.held, j.entry.Key)
	for _, other := range d.lanes { // an address may be waited for on several channels
		d.start(ctx, other)
	}
	if l.left && len(l.parked) <= d.most/2 {
		l.left = false
		d.o.rescan()
	}
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
