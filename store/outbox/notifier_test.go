package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
	"github.com/civicpin/civicpin/store/storetest"
)

// What a notifier may do wrong, other than to say so: the message is tried again, and neither its secret nor its address
// is in an event.
func TestNotifiersThatMisbehave(t *testing.T) {
	release := make(chan struct{})
	for name, c := range map[string]struct {
		do     func(context.Context, civicpin.Message) error
		reason string
	}{
		"fails and quotes the secret": {
			func(_ context.Context, m civicpin.Message) error {
				return fmt.Errorf("rejected body: your PIN is %s", m.Secret.Reveal())
			},
			"rejected body: your PIN is [redacted]",
		},
		"fails and quotes the address": {
			func(_ context.Context, m civicpin.Message) error {
				return fmt.Errorf("no such mailbox: <%s>", m.To.Address)
			},
			"no such mailbox: <[redacted]>",
		},
		"panics with the secret": {
			func(_ context.Context, m civicpin.Message) error { panic("bad template for " + m.Secret.Reveal()) },
			"outbox: the notifier panicked: bad template for [redacted]",
		},
		"panics with an error that says undeliverable": {
			func(context.Context, civicpin.Message) error { panic(civicpin.ErrUndeliverable) },
			"outbox: the notifier panicked: civicpin: undeliverable",
		},
		"ends its goroutine": {
			func(context.Context, civicpin.Message) error { runtime.Goexit(); return nil },
			"outbox: the notifier ended its goroutine",
		},
		"hangs and minds its context": {
			func(ctx context.Context, _ civicpin.Message) error { <-ctx.Done(); return ctx.Err() },
			"context deadline exceeded",
		},
		"hangs for ever": {
			func(context.Context, civicpin.Message) error { <-release; return nil },
			"outbox: the notifier did not return in time",
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				release = make(chan struct{})
				defer close(release)
				r := inBubble(t, nil)
				r.sink.then(c.do)
				ref := r.clerk.ref("A", "1")
				require.NoError(t, r.clerk.post(t.Context(), r.out, ref, letter{Text: "WXYZ6789", To: mail("a@example.org")}))
				began := time.Now()
				require.NoError(t, r.out.Flush(t.Context()))
				require.LessOrEqual(t, time.Since(began), 31*time.Second)
				retried := r.log.Of("outbox.retried")
				require.Len(t, retried, 1)
				require.Equal(t, c.reason, retried[0].Reason)

				time.Sleep(time.Minute)
				r.sink.then(nil)
				require.NoError(t, r.out.Flush(t.Context()))
				require.Len(t, r.sink.messages(), 2)
				require.Equal(t, "accepted", r.clerk.state(t, ref))
			})
		})
	}
}

// A notifier that took the message just as its time ran out is believed.
func TestTheLastMomentCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := inBubble(t, nil)
		r.sink.then(func(ctx context.Context, _ civicpin.Message) error {
			<-ctx.Done()
			time.Sleep(500 * time.Millisecond)
			return nil
		})
		ref := r.clerk.ref("A", "1")
		require.NoError(t, r.clerk.post(t.Context(), r.out, ref, letter{Text: "x", To: mail("a@example.org")}))
		require.NoError(t, r.out.Flush(t.Context()))
		require.Equal(t, "accepted", r.clerk.state(t, ref))
	})
}

// A notifier that never returns costs a bounded number of goroutines, does not hold up other channels, and its channel goes
// on when it returns after all.
func TestANotifierThatNeverReturns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := inBubble(t, nil)
		release := make(chan struct{})
		var hanging, most atomic.Int32
		r.sink.then(func(_ context.Context, m civicpin.Message) error {
			if m.To.Channel != civicpin.SMS {
				return nil
			}
			if n := hanging.Add(1); n > most.Load() {
				most.Store(n)
			}
			defer hanging.Add(-1)
			<-release
			return nil
		})
		const n = 24
		for i := range n {
			ref := r.clerk.ref("A", fmt.Sprint("sms-", i))
			require.NoError(t, r.clerk.post(t.Context(), r.out, ref, letter{Text: "x", To: sms(fmt.Sprint("+39333000", 1000+i))}))
		}
		stop := r.run(t)
		time.Sleep(5 * time.Minute)
		require.LessOrEqual(t, int(most.Load()), outbox.MaxStuck+4)
		require.GreaterOrEqual(t, int(most.Load()), outbox.MaxStuck)
		require.Len(t, r.log.Of("outbox.stuck"), 1)
		require.Equal(t, "sms", r.log.Of("outbox.stuck")[0].Reason)

		ref := r.clerk.ref("A", "mail")
		require.NoError(t, r.clerk.post(t.Context(), r.out, ref, letter{Text: "x", To: mail("a@example.org")}))
		time.Sleep(time.Second)
		require.Equal(t, "accepted", r.clerk.state(t, ref))

		close(release)
		time.Sleep(5 * time.Minute)
		for i := range n {
			require.Equal(t, "accepted", r.clerk.state(t, r.clerk.ref("A", fmt.Sprint("sms-", i))))
		}
		stop()
	})
}

// A gateway that hangs holds up its own channel, and a mailbox that hangs itself.
func TestAHangingDestinationStarvesNobody(t *testing.T) {
	for name, c := range map[string]struct {
		dead  func(i int) civicpin.Contact
		alive func(i int) civicpin.Contact
	}{
		"channel": {
			func(i int) civicpin.Contact { return sms(fmt.Sprint("+39333000", 1000+i)) },
			func(i int) civicpin.Contact { return mail(fmt.Sprintf("a%d@example.org", i)) },
		},
		"address": {
			func(int) civicpin.Contact { return mail("hangs@example.org") },
			func(i int) civicpin.Contact { return mail(fmt.Sprintf("a%d@example.org", i)) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := inBubble(t, nil)
				r.sink.then(func(ctx context.Context, m civicpin.Message) error {
					if m.To == c.dead(0) || m.To.Channel == civicpin.SMS {
						<-ctx.Done()
						return ctx.Err()
					}
					return nil
				})
				for i := range 200 {
					ref := r.clerk.ref("A", fmt.Sprint("dead-", i))
					require.NoError(t, r.clerk.post(t.Context(), r.out, ref, letter{Text: "dead", To: c.dead(i)}))
				}
				r.run(t)
				time.Sleep(5 * time.Second)
				for i := range 50 {
					ref := r.clerk.ref("A", fmt.Sprint("alive-", i))
					require.NoError(t, r.clerk.post(t.Context(), r.out, ref, letter{Text: "alive", To: c.alive(i)}))
				}
				time.Sleep(6 * time.Second)
				for i := range 50 {
					require.Equal(t, "accepted", r.clerk.state(t, r.clerk.ref("A", fmt.Sprint("alive-", i))))
				}
			})
		})
	}
}

// More than a lane holds in memory is left in the store and still sent, and does not hide what is due behind it.
func TestABacklogBeyondMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := inBubble(t, &outbox.Options{Poll: time.Hour})
		r.out.Shrink(50, 30)
		const n = 400
		o := &crowd{left: make(map[string]bool)}
		require.NoError(t, r.out.Register("crowd", o))
		for i := range n {
			ref := outbox.Ref{Owner: "crowd", Subject: "A", ID: fmt.Sprint("+39333", 10000000+i)}
			o.left[ref.ID] = true
			require.NoError(t, r.out.Add(t.Context(), ref))
		}
		time.Sleep(time.Second)
		last := r.clerk.ref("A", "mail")
		require.NoError(t, r.clerk.post(t.Context(), r.out, last, letter{Text: "x", To: mail("a@example.org")}))
		for len(r.out.Fresh()) > 0 {
			<-r.out.Fresh() // so that it has to be found behind the others
		}
		// While the gateway hangs at its first messages, the mail behind all of the others goes out.
		var open atomic.Bool
		r.sink.then(func(_ context.Context, m civicpin.Message) error {
			if m.To.Channel == civicpin.SMS && !open.Load() {
				time.Sleep(20 * time.Second)
			}
			return nil
		})
		stop := r.run(t)
		time.Sleep(time.Second)
		require.Equal(t, "accepted", r.clerk.state(t, last))
		require.Equal(t, n, o.waiting())
		open.Store(true)
		time.Sleep(25 * time.Second) // to the end of what hangs; the rest needs no poll, but the room that it leaves
		stop()
		require.Zero(t, o.waiting())
		require.Len(t, r.sink.messages(), n+1)
	})
}

// A Flush sends more than one listing holds, and each once.
func TestFlushSendsMoreThanOneListingHolds(t *testing.T) {
	r := onMemory(t)
	r.out.Shrink(50, 30)
	o := &crowd{left: make(map[string]bool)}
	require.NoError(t, r.out.Register("crowd", o))
	const n = 200
	for i := range n {
		ref := outbox.Ref{Owner: "crowd", Subject: "A", ID: fmt.Sprint("+39333", 10000000+i)}
		o.left[ref.ID] = true
		require.NoError(t, r.out.Add(t.Context(), ref))
	}
	require.NoError(t, r.out.Flush(t.Context()))
	require.Zero(t, o.waiting())
	require.Len(t, r.sink.messages(), n)
}

// crowd is an owner of one text message to each number.
type crowd struct {
	mu   sync.Mutex
	left map[string]bool
}

func (c *crowd) Confirm(_ context.Context, r outbox.Ref) (civicpin.Message, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.left[r.ID] {
		return civicpin.Message{}, outbox.ErrWithdrawn
	}
	return civicpin.Message{To: sms(r.ID)}, nil
}

func (c *crowd) Settle(_ context.Context, r outbox.Ref, _ outbox.Outcome) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.left, r.ID)
	return nil
}

func (c *crowd) waiting() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.left)
}

// checking is a notifier that is asked in advance.
type checking struct {
	sink
	check func(civicpin.Message) error
}

func (c *checking) Check(m civicpin.Message) error { return c.check(m) }

func TestCheck(t *testing.T) {
	sample := civicpin.Message{
		Kind: "test", Secret: civicpin.NewSecret("SAMPLE12"), Params: map[string]string{"act": "a"},
		To: civicpin.Contact{Channel: "of somebody", Address: "somebody's", Locale: "es"},
	}
	tooLong := fmt.Errorf("%w: too long", civicpin.ErrUndeliverable)
	var asked []civicpin.Channel
	only := func(refused civicpin.Channel, err error) *checking {
		return &checking{check: func(m civicpin.Message) error {
			asked = append(asked, m.To.Channel)
			require.Equal(t, civicpin.Contact{Channel: m.To.Channel, Locale: "es"}, m.To, "no address is asked about")
			require.Equal(t, sample.Kind, m.Kind)
			require.Equal(t, "SAMPLE12", m.Secret.Reveal())
			require.Equal(t, sample.Params, m.Params)
			if m.To.Channel == refused {
				return err
			}
			return nil
		}}
	}
	panics := &checking{check: func(civicpin.Message) error { panic("at the gateway") }}
	all := []civicpin.Channel{civicpin.Push, civicpin.Letter, civicpin.SMS, civicpin.HandedOver, civicpin.Email}
	for name, tc := range map[string]struct {
		notifier civicpin.Notifier
		channels []civicpin.Channel
		refused  civicpin.Channel
		says     string
		asked    []civicpin.Channel
	}{
		"all are accepted":       {only("", nil), all, "", "", []civicpin.Channel{civicpin.Push, civicpin.SMS, civicpin.Email}},
		"one is refused":         {only(civicpin.SMS, tooLong), all, civicpin.SMS, "too long", []civicpin.Channel{civicpin.Push, civicpin.SMS}},
		"the last is refused":    {only(civicpin.Email, tooLong), all, civicpin.Email, "too long", []civicpin.Channel{civicpin.Push, civicpin.SMS, civicpin.Email}},
		"what the caller prints": {only(civicpin.Letter, tooLong), all, "", "", []civicpin.Channel{civicpin.Push, civicpin.SMS, civicpin.Email}},
		"no channel":             {only("", tooLong), nil, "", "", nil},
		"no Checker":             {&sink{}, all, "", "", nil},
		"no notifier":            {nil, all, "", "", nil},
		"another error":          {only(civicpin.Push, context.Canceled), all, civicpin.Push, "canceled", []civicpin.Channel{civicpin.Push}},
		"two errors as one": {
			only(civicpin.Push, errors.Join(civicpin.ErrUndeliverable, tooLong)), all, civicpin.Push,
			"civicpin: undeliverable: civicpin: undeliverable: too long",
			[]civicpin.Channel{civicpin.Push},
		},
		"a panic": {panics, all, civicpin.Push, "at the gateway", nil},
		"no route": {
			civicpin.ByChannel{civicpin.Push: &sink{}, civicpin.Email: &sink{}}, all, civicpin.SMS, "no notifier for channel sms", nil,
		},
		"a route that refuses": {
			civicpin.ByChannel{civicpin.Push: only(civicpin.Push, tooLong)}, all, civicpin.Push, "too long", []civicpin.Channel{civicpin.Push},
		},
	} {
		t.Run(name, func(t *testing.T) {
			asked = nil
			f := newFaults(newMemory())
			vault, err := store.OpenVault(t.Context(), f.Store(), keys(t), nil)
			require.NoError(t, err)
			out, err := outbox.New(vault, tc.notifier, nil)
			require.NoError(t, err)
			calls := testkit.Calls(f, func() { err = out.Check(sample, tc.channels...) })
			require.Empty(t, calls)
			require.Equal(t, tc.asked, asked)
			require.Equal(t, civicpin.Channel("of somebody"), sample.To.Channel, "the sample stays as it is")
			testkit.Unsendable(t, err, sample.Kind, tc.refused)
			if err == nil {
				return
			}
			require.ErrorContains(t, err, tc.says)
			require.ErrorContains(t, err, string(tc.refused))
			require.NotContains(t, err.Error(), "SAMPLE12")
			require.NotContains(t, err.Error(), "\n", "one line")
		})
	}
}

// recordedBy returns a process whose events a function is told.
func recordedBy(
	t *testing.T, s store.Store, clock func() time.Time, record civicpin.RecorderFunc, o *outbox.Options,
) *rig {
	r := newRig(t, s, nil, nil)
	vault, err := store.OpenVault(t.Context(), s, keys(t), &store.Options{Now: clock, Recorder: record})
	require.NoError(t, err)
	r.clerk = newClerk(t, vault, "clerk")
	r.out, err = outbox.New(vault, r.sink, o)
	require.NoError(t, err)
	require.NoError(t, r.out.Register("clerk", recordingClerk{r.clerk, vault}))
	return r
}

// recordingClerk is an owner that records what became of its messages.
type recordingClerk struct {
	*clerk
	vault *store.Vault
}

func (c recordingClerk) Settle(ctx context.Context, ref outbox.Ref, out outbox.Outcome) error {
	c.vault.Record(ctx, civicpin.Event{Code: clerkSettled, Subject: ref.Subject})
	return c.clerk.Settle(ctx, ref, out)
}

const clerkSettled civicpin.EventCode = "clerk.settled"

// A recorder that panics ends neither the process nor the sending, and each message is closed.
func TestARecorderThatPanics(t *testing.T) {
	told := 0
	r := recordedBy(t, newMemory(), nil, func(context.Context, civicpin.Event) { told++; panic("no room on the disk") }, nil)
	ref := r.clerk.ref("A", "1")
	require.NoError(t, r.clerk.post(t.Context(), r.out, ref, letter{Text: "x", To: mail("a@example.org")}))
	require.NoError(t, r.out.Flush(t.Context()))
	require.Positive(t, told)
	require.Equal(t, "accepted", r.clerk.state(t, ref))
	require.Len(t, r.sink.messages(), 1)
	require.Zero(t, r.count(t, "outbox.entry"))
}

// A recorder that hangs past the claim does not have a message sent twice, since the message is closed before, whichever event
// it hangs at: of the outbox or of the owner, before the send or after it.
func TestARecorderThatHangs(t *testing.T) {
	for _, code := range []civicpin.EventCode{"outbox.sent", "outbox.flood", "clerk.settled"} {
		f, clock, hung := newFaults(newMemory()), newClock(), 0
		other := newRig(t, f.Store(), clock, nil)
		r := recordedBy(t, f.Store(), clock.Now, func(ctx context.Context, e civicpin.Event) {
			if e.Code == code {
				hung++
				clock.Add(24 * time.Hour)
				require.NoError(t, other.out.Flush(context.Background()))
			}
		}, limited(func(l *outbox.Limits) { l.Home = civicpin.Rate{Limit: 1, Window: time.Hour} }))
		for _, id := range []string{"1", "2"} {
			ref := r.clerk.ref("A", id)
			ref.Class = outbox.Shown
			require.NoError(t, r.clerk.post(t.Context(), r.out, ref, letter{Text: id, To: sms("+393331234567")}))
			require.NoError(t, r.out.Flush(t.Context()))
		}
		require.Positive(t, hung, code)
		require.Equal(t, []string{"1", "2"}, r.sink.texts(), code)
		require.Empty(t, other.sink.messages(), code)
	}
}

// A dispatcher that was held up after its claim does not send: the claim may end before the send does.
func TestHeldUpAfterTheClaim(t *testing.T) {
	for late, want := range map[time.Duration]int{outbox.LeaseMargin / 3: 1, outbox.LeaseMargin/3 + 1: 0} {
		f, clock := newFaults(newMemory()), newClock()
		r := newRig(t, f.Store(), clock, nil)
		ref := r.clerk.ref("A", "1")
		ref.Class = outbox.Shown
		require.NoError(t, r.clerk.post(t.Context(), r.out, ref, toA))
		claimed, held := false, false
		f.Hook(func(method, key string) error {
			if ours := strings.HasPrefix(key, "outbox.entry/"); claimed && !ours && !held {
				held = true
				clock.Add(late)
			} else if method == storetest.Put && ours {
				claimed = true
			}
			return nil
		})
		require.NoError(t, r.out.Flush(t.Context()))
		require.True(t, held)
		require.Len(t, r.sink.messages(), want, late)
		clock.Add(time.Hour)
		require.NoError(t, r.out.Flush(t.Context()))
		require.Len(t, r.sink.messages(), 1, "once")
	}
}

// A message whose address changes while it waits for a sender goes through the lane of the new one: two never go to one
// address at once.
func TestAnotherAddressWhileItWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := inBubble(t, &outbox.Options{Workers: 1})
		post := func(id string, to civicpin.Contact) outbox.Ref {
			ref := r.clerk.ref(id, id)
			require.NoError(t, r.clerk.post(t.Context(), r.out, ref, letter{Text: id, To: to}))
			time.Sleep(time.Second)
			return ref
		}
		post("1", sms("+393331234561"))
		moved := post("2", sms("+393331234562"))
		post("3", mail("c@example.org"))
		var under atomic.Int32
		r.sink.then(func(ctx context.Context, m civicpin.Message) error {
			if m.To.Channel == civicpin.Email {
				require.EqualValues(t, 1, under.Add(1), "one at a time")
				defer under.Add(-1)
			}
			if m.Secret.Reveal() == "1" {
				require.NoError(t, r.clerk.write(ctx, moved, letter{Text: "2", To: mail("c@example.org"), State: "wanted"}))
				time.Sleep(5 * time.Second)
				return nil
			}
			time.Sleep(20 * time.Second)
			return nil
		})
		r.run(t)
		time.Sleep(time.Hour)
		require.ElementsMatch(t, []string{"1", "2", "3"}, r.sink.texts())
	})
}

func TestDefaults(t *testing.T) {
	want := outbox.Options{
		Timeout:  30 * time.Second,
		Grace:    2 * time.Minute,
		MinDelay: 10 * time.Second,
		MaxDelay: time.Hour,
		MaxTries: 12,
		Poll:     5 * time.Second,
		Workers:  4,
		Limits: outbox.Limits{
			Source:      civicpin.Rate{Limit: 60, Window: time.Hour},
			SourceTyped: civicpin.Rate{Limit: 20, Window: time.Hour},
			Operator:    civicpin.Rate{Limit: 600, Window: time.Hour},
			Typed:       civicpin.Rate{Limit: 3, Window: 24 * time.Hour},
			Proved:      civicpin.Rate{Limit: 40, Window: 24 * time.Hour},
			Shown:       civicpin.Rate{Limit: 60, Window: 24 * time.Hour},
			Notice:      civicpin.Rate{Limit: 20, Window: 24 * time.Hour},
			Home:        civicpin.Rate{Limit: 2000, Window: time.Hour},
			Abroad:      civicpin.Rate{Limit: 100, Window: time.Hour},
		},
		KeepDead: 30 * 24 * time.Hour,
	}
	for _, o := range []*outbox.Options{nil, {}} {
		got, err := outbox.WithDefaults(o)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	// A longer first wait than the default's longest makes that the longest.
	got, err := outbox.WithDefaults(&outbox.Options{MinDelay: 2 * time.Hour})
	require.NoError(t, err)
	require.Equal(t, 2*time.Hour, got.MaxDelay)
}

func TestOptionsOutOfRange(t *testing.T) {
	v := onMemory(t).vault
	for name, o := range map[string]outbox.Options{
		"negative timeout":     {Timeout: -1},
		"long timeout":         {Timeout: 11 * time.Minute},
		"negative grace":       {Grace: -1},
		"long grace":           {Grace: 25 * time.Hour},
		"negative delay":       {MinDelay: -1},
		"long delay":           {MinDelay: 25 * time.Hour},
		"negative max delay":   {MaxDelay: -1},
		"max delay below min":  {MinDelay: time.Minute, MaxDelay: time.Second},
		"long max delay":       {MaxDelay: 8 * 24 * time.Hour},
		"negative tries":       {MaxTries: -1},
		"many tries":           {MaxTries: 1001},
		"negative poll":        {Poll: -1},
		"busy poll":            {Poll: time.Microsecond},
		"long poll":            {Poll: 2 * time.Hour},
		"negative workers":     {Workers: -1},
		"many workers":         {Workers: 1025},
		"limit without window": {Limits: outbox.Limits{Typed: civicpin.Rate{Limit: 1}}},
		"window without limit": {Limits: outbox.Limits{Typed: civicpin.Rate{Window: time.Minute}}},
		"negative limit":       {Limits: outbox.Limits{Typed: civicpin.Rate{Limit: -1, Window: time.Minute}}},
		"short window":         {Limits: outbox.Limits{Typed: civicpin.Rate{Limit: 1, Window: time.Millisecond}}},
		"negative keep":        {KeepDead: -1},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := outbox.New(v, new(sink), &o)
			require.ErrorIs(t, err, civicpin.ErrInvalid)
			require.Nil(t, out)
		})
	}
}

func TestNewNeedsItsParts(t *testing.T) {
	v := onMemory(t).vault
	_, err := outbox.New(nil, new(sink), nil)
	require.ErrorIs(t, err, civicpin.ErrInvalid)
	out, err := outbox.New(v, new(sink), nil)
	require.NoError(t, err)
	require.ErrorIs(t, out.Register("", new(fixed)), civicpin.ErrInvalid)
	require.ErrorIs(t, out.Register("a/b", new(fixed)), civicpin.ErrInvalid)
	require.ErrorIs(t, out.Register("a", nil), civicpin.ErrInvalid)
}

// Options are copied: changing them later changes nothing.
func TestOptionsAreCopied(t *testing.T) {
	s := newMemory()
	opts := &outbox.Options{Grace: time.Minute}
	r := newRig(t, s, newClock(), opts)
	opts.Grace = time.Hour
	require.NoError(t, r.out.Add(context.Background(), r.clerk.ref("A", "1")))
	require.NoError(t, r.out.Flush(t.Context()))
	r.clock.Add(time.Minute)
	require.NoError(t, r.out.Flush(t.Context()))
	require.Zero(t, r.count(t, "outbox.entry"))
}

// Without a notifier nothing is promised: what would send is refused before anything is written.
func TestNoNotifier(t *testing.T) {
	v := onMemory(t).vault
	out, err := outbox.New(v, nil, nil)
	require.NoError(t, err)
	require.Same(t, v, out.Vault())
	ref := outbox.Ref{Owner: "clerk", Subject: "1", ID: "a"}
	require.ErrorIs(t, out.Add(t.Context(), ref), outbox.ErrNoNotifier)
	require.ErrorIs(t, out.AddDecoy(t.Context(), ref), outbox.ErrNoNotifier)
	require.ErrorIs(t, out.Commit(t.Context(), ref), outbox.ErrNoNotifier)
	require.NoError(t, out.Add(t.Context()), "an act without a message needs none")
	require.ErrorIs(t, out.Run(t.Context()), outbox.ErrNoNotifier)
	require.ErrorIs(t, out.Flush(t.Context()), outbox.ErrNoNotifier)
}

func TestUnprintableTexts(t *testing.T) {
	faults := storetest.NewFaults(store.NewMemory())
	a := newAsking(t, faults.Store())
	l := a.limit("codes", outbox.Shown, civicpin.Rate{Limit: 1000, Window: daily.Window})
	announce := func(r outbox.Request) error {
		return a.out.Announce(t.Context(), r, func(context.Context) error { return nil })
	}
	ref := func(change func(*outbox.Ref)) outbox.Ref {
		r := a.clerk.ref("ana", "m")
		change(&r)
		return r
	}
	refs := func(change func(*outbox.Ref)) error {
		r := ref(change)
		return announce(outbox.Request{Subject: r.Subject, Refs: []outbox.Ref{r}})
	}
	person := func(s string) civicpin.Subject { return civicpin.Subject(s) }
	testkit.Refuses(t, faults, map[string]func(string) error{
		"Announce, subject": func(s string) error { return announce(outbox.Request{Subject: person(s), Limit: l, Others: 1}) },
		"Announce, source": func(s string) error {
			return announce(outbox.Request{Subject: "ana", Source: civicpin.Source{Address: s}})
		},
		"Take, source": func(s string) error {
			return l.Take(t.Context(), outbox.Request{Subject: "ana", Source: civicpin.Source{Address: s}, Others: 1})
		},
		"Announce, operator":     func(s string) error { return announce(outbox.Request{Subject: "ana", By: civicpin.Operator(s)}) },
		"Announce, ref, subject": func(s string) error { return refs(func(r *outbox.Ref) { r.Subject = person(s) }) },
		"Announce, ref, id":      func(s string) error { return refs(func(r *outbox.Ref) { r.ID = s }) },
		"Announce, ref, owner":   func(s string) error { return refs(func(r *outbox.Ref) { r.Owner = s }) },
		"Announce, ref, former":  func(s string) error { return refs(func(r *outbox.Ref) { r.Replaces = s }) },
		"Take, subject":          func(s string) error { return l.Take(t.Context(), outbox.Request{Subject: person(s), Others: 1}) },
		"Take, operator": func(s string) error {
			return l.Take(t.Context(), outbox.Request{Subject: "ana", By: civicpin.Operator(s), Others: 1})
		},
		"Retry, id":     func(s string) error { return a.out.Retry(t.Context(), ref(func(r *outbox.Ref) { r.ID = s })) },
		"Held, subject": func(s string) error { return testkit.Err(a.out.Held(t.Context(), person(s))) },
		"Export, subject": func(s string) error {
			return testkit.Err(a.vault.Export(t.Context(), nowhere{}, person(s), store.Pass{}))
		},
		"Erase, subject": func(s string) error { return testkit.Err(a.vault.Erase(t.Context(), person(s+s), store.Pass{})) },
	})
}

// nowhere is a writer that keeps nothing.
type nowhere struct{}

func (nowhere) Write(b []byte) (int, error) { return len(b), nil }

// A provider's id of a message that is not printable is none.
func TestUnprintableReceipt(t *testing.T) {
	for receipt, want := range map[string]string{"SM-7 ñ": "SM-7 ñ", "SM\u202e7": "", "SM7\n": "", "SM\xff": ""} {
		a := newAsking(t, store.NewMemory())
		to := civicpin.NotifierFunc(func(context.Context, civicpin.Message) (string, error) { return receipt, nil })
		out, err := outbox.New(a.vault, to, &outbox.Options{Limits: testkit.Limits()})
		require.NoError(t, err)
		require.NoError(t, out.Register("clerk", a.clerk))
		r := a.clerk.ref("ana", "m")
		require.NoError(t, a.clerk.post(t.Context(), out, r, letter{To: mail("a@example.org")}))
		require.NoError(t, out.Flush(t.Context()))
		e, err := a.clerk.letters.Get(t.Context(), a.clerk.key(r))
		require.NoError(t, err)
		require.Equal(t, "accepted", e.Value.State)
		require.Equal(t, want, e.Value.Receipt)
	}
}

// An operator's limit counts one operator, however the id is spelt. The event names the operator as the caller does.
func TestOneOperatorInThreeSpellings(t *testing.T) {
	log := new(testkit.Recorder)
	vault, err := store.OpenVault(t.Context(), store.NewMemory(), keys(t), &store.Options{Recorder: log, Now: newClock().Now})
	require.NoError(t, err)
	limits := testkit.Limits()
	limits.Operator = civicpin.Rate{Limit: 3, Window: daily.Window}
	out, err := outbox.New(vault, new(sink), &outbox.Options{Limits: limits})
	require.NoError(t, err)
	l, err := out.Limit("codes", outbox.Shown, daily)
	require.NoError(t, err)
	take := func(id string) error {
		return l.Take(t.Context(), outbox.Request{Subject: "ana", By: civicpin.Operator(id), Others: 1})
	}
	for _, id := range []string{"José.1", "JOSÉ.1", "jose\u0301.1"} {
		require.NoError(t, take(id))
	}
	require.ErrorAs(t, take("José.1"), new(*lockout.LockedError))
	require.NoError(t, take("jose.1"), "another operator")
	require.Equal(t, civicpin.Operator("José.1"), log.Of("lockout.slowed")[0].By)
}
