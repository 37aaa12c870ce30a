package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/shown"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
)

var (
	daily = civicpin.Rate{Limit: 10, Window: 24 * time.Hour}
	here  = civicpin.Source{Address: "192.0.2.1"}
)

// asking is a rig whose requests are limited by the defaults.
type asking struct {
	*rig
	t *testing.T
	n int
}

func newAsking(t *testing.T, s store.Store) *asking {
	return &asking{rig: newRig(t, s, newClock(), &outbox.Options{Limits: outbox.Limits{
		Source: civicpin.Rate{Limit: 60, Window: time.Hour}, // as by default
	}}), t: t}
}

func (a *asking) limit(name string, class outbox.Class, rate civicpin.Rate) *outbox.Limit {
	a.t.Helper()
	l, err := a.out.Limit(name, class, rate)
	require.NoError(a.t, err)
	return l
}

// ask asks for n messages.
func (a *asking) ask(r outbox.Request, class outbox.Class, n int) error {
	for range n {
		a.n++
		ref := a.clerk.ref(string(r.Subject), fmt.Sprint("m", a.n))
		ref.Class = class
		r.Refs = append(r.Refs, ref)
	}
	return a.out.Announce(a.t.Context(), r, func(ctx context.Context) error {
		for _, ref := range r.Refs {
			if err := a.clerk.write(ctx, ref, letter{Text: ref.ID, To: mail("a@example.org"), State: "wanted"}); err != nil {
				return err
			}
		}
		return nil
	})
}

func scope(t *testing.T, err error) lockout.Scope {
	t.Helper()
	locked, ok := errors.AsType[*lockout.LockedError](err)
	require.True(t, ok, "%v", err)
	return locked.Scope
}

// Each limit refuses the message that is one too many, says until when, and writes nothing.
func TestRequestLimits(t *testing.T) {
	for _, tc := range []struct {
		name  string
		class outbox.Class
		limit int
		scope lockout.Scope
		every time.Duration
		of    func(i int) outbox.Request
	}{
		{"subject", outbox.Proved, 10, lockout.ScopeSends, 144 * time.Minute, func(int) outbox.Request {
			return outbox.Request{Subject: "A"}
		}},
		{"source", outbox.Proved, 60, lockout.ScopeSource, time.Minute, func(i int) outbox.Request {
			return outbox.Request{Subject: civicpin.Subject(fmt.Sprint("S", i)), Source: here}
		}},
		{"source, typed addresses", outbox.Typed, 20, lockout.ScopeSource, 3 * time.Minute, func(i int) outbox.Request {
			return outbox.Request{Subject: civicpin.Subject(fmt.Sprint("S", i)), Source: here}
		}},
		{"staff", outbox.Typed, 600, lockout.ScopeSource, 6 * time.Second, func(int) outbox.Request {
			return outbox.Request{Subject: "A", Source: here, By: civicpin.Operator("7")}
		}},
		{"a login", outbox.Proved, 5 + 10, lockout.ScopeSends, 72 * time.Minute, nil},
		{"a device", outbox.Proved, 5 + 10, lockout.ScopeSends, 144 * time.Minute, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := newAsking(t, newMemory())
			l, of := a.limit("pin", tc.class, daily), tc.of
			if of == nil {
				kind := map[string]shown.Kind{"a login": shown.Login, "a device": shown.Device}[tc.name]
				source := civicpin.Source{Address: here.Address, Shown: shown.New(a.vault, "A", shown.Value{Kind: kind})}
				of = func(int) outbox.Request { return outbox.Request{Subject: "A", Source: source} }
			}
			for i := range tc.limit {
				r := of(i)
				r.Limit = l
				require.NoError(t, a.ask(r, tc.class, 1), "%d", i)
			}
			before := a.count(t, "outbox.entry")
			r := of(tc.limit)
			r.Limit = l
			err := a.ask(r, tc.class, 1)
			require.Equal(t, tc.scope, scope(t, err))
			locked, _ := errors.AsType[*lockout.LockedError](err)
			require.Equal(t, a.clock.Now().Add(tc.every), locked.Until.UTC())
			require.Equal(t, before, a.count(t, "outbox.entry"))
		})
	}
}

// A visitor and a citizen count together and get no class that they have not shown; an operator counts apart. No other actor
// may ask.
func TestActorsOfRequests(t *testing.T) {
	a := newAsking(t, newMemory())
	l := a.limit("pin", outbox.Typed, civicpin.Rate{Limit: 3, Window: daily.Window})
	by := func(actor civicpin.Actor) outbox.Request {
		return outbox.Request{Subject: "A", By: actor, Limit: l}
	}
	for _, visitor := range []civicpin.Actor{"", civicpin.Visitor, civicpin.Citizen} {
		require.NoError(t, a.ask(by(visitor), outbox.Typed, 1), visitor)
	}
	var b outbox.Backlog
	_, err := a.out.Count(t.Context(), &b, store.Pass{})
	require.NoError(t, err)
	require.Equal(t, outbox.Tally{}, b.ByClass[outbox.Shown])
	require.NotEqual(t, outbox.Tally{}, b.ByClass[outbox.Typed])
	for _, visitor := range []civicpin.Actor{"", civicpin.Visitor, civicpin.Citizen} {
		require.Equal(t, lockout.ScopeSends, scope(t, a.ask(by(visitor), outbox.Typed, 1)), visitor)
	}
	require.NoError(t, a.ask(by(civicpin.Operator("7")), outbox.Typed, 1))
	for _, nobody := range []civicpin.Actor{civicpin.Operator(""), "visitor:7", "clerk"} {
		require.ErrorIs(t, a.ask(by(nobody), outbox.Typed, 1), civicpin.ErrInvalid, nobody)
		require.ErrorIs(t, l.Take(t.Context(), by(nobody)), civicpin.ErrInvalid, nobody)
	}
}

// All limits share the count by source; each has a count by subject of its own.
func TestLimitsShareTheSource(t *testing.T) {
	a := newAsking(t, newMemory())
	pins, codes := a.limit("pin", outbox.Proved, daily), a.limit("otp", outbox.Proved, daily)
	for i := range 30 {
		for _, l := range []*outbox.Limit{pins, codes} {
			subject := civicpin.Subject(fmt.Sprintf("S%d%p", i, l))
			require.NoError(t, a.ask(outbox.Request{Subject: subject, Source: here, Limit: l}, outbox.Proved, 1))
		}
	}
	for _, l := range []*outbox.Limit{pins, codes} {
		require.Equal(t, lockout.ScopeSource, scope(t, l.Take(t.Context(), outbox.Request{Subject: "X", Source: here, Others: 1})))
		for range 10 {
			require.NoError(t, l.Take(t.Context(), outbox.Request{Subject: "Y", Others: 1}), "apart")
		}
	}
}

// Several messages are counted all or none, and a refusal by subject costs the source nothing.
func TestAllOrNone(t *testing.T) {
	a := newAsking(t, newMemory())
	l := a.limit("pin", outbox.Typed, civicpin.Rate{Limit: 3, Window: time.Hour})
	require.NoError(t, a.ask(outbox.Request{Subject: "A", Source: here, Limit: l}, outbox.Typed, 2))
	for range 100 {
		require.Equal(t, lockout.ScopeSends, scope(t, a.ask(outbox.Request{Subject: "A", Source: here, Limit: l}, outbox.Typed, 2)))
	}
	require.NoError(t, a.ask(outbox.Request{Subject: "A", Source: here, Limit: l}, outbox.Typed, 1))
	require.NoError(t, a.ask(outbox.Request{Subject: "B", Source: here, Limit: l, Others: 2}, outbox.Typed, 1), "parts that are printed")
	for i := range 14 {
		r := outbox.Request{Subject: civicpin.Subject(fmt.Sprint("C", i)), Source: here, Limit: l}
		require.NoError(t, a.ask(r, outbox.Typed, 1))
	}
	require.Equal(t, lockout.ScopeSource, scope(t, a.ask(outbox.Request{Subject: "D", Source: here, Limit: l}, outbox.Typed, 1)))
}

// Strangers who use up the limit of a subject do not keep out a caller who has shown something, and one proof does not use up
// what another opens.
func TestReserves(t *testing.T) {
	a := newAsking(t, newMemory())
	l := a.limit("otp", outbox.Proved, daily)
	with := func(kind shown.Kind, id string) civicpin.Source {
		return civicpin.Source{Address: here.Address, Shown: shown.New(a.vault, "A", shown.Value{Kind: kind, ID: id})}
	}
	ask := func(s civicpin.Source) error {
		return a.ask(outbox.Request{Subject: "A", Source: s, Limit: l}, outbox.Proved, 1)
	}
	for ask(here) == nil {
		continue
	}
	require.Equal(t, lockout.ScopeSends, scope(t, ask(here)))
	for _, tc := range []struct {
		name   string
		source civicpin.Source
		more   int
	}{
		{"facts", with(shown.Facts, ""), 3},
		{"one device", with(shown.Device, "one"), 5},
		{"another device", with(shown.Device, "two"), 5},
		{"a run", with(shown.Run, ""), 5},
		{"a login", with(shown.Login, ""), 5},
		{"a login of another subject", civicpin.Source{Shown: shown.New(a.vault, "B", shown.Value{Kind: shown.Login})}, 0},
		{"anything", civicpin.Source{Shown: civicpin.NewSecret("login.1893913689..x")}, 0},
	} {
		for range tc.more {
			require.NoError(t, ask(tc.source), tc.name)
		}
		require.Equal(t, lockout.ScopeSends, scope(t, ask(tc.source)), tc.name)
	}
	require.NoError(t, a.ask(outbox.Request{Subject: "A", By: civicpin.Operator("7"), Limit: l}, outbox.Proved, 1))
	old := with(shown.Login, "")
	a.clock.Add(2 * time.Hour)
	require.NoError(t, ask(with(shown.Login, "")))
	require.Equal(t, lockout.ScopeSends, scope(t, ask(old)), "two hours old")
}

// A value that opens nothing costs the calls that none costs, and gives the same answer.
func TestAWrongValueIsLikeNone(t *testing.T) {
	var calls [2][]string
	for i, source := range []civicpin.Source{here, {Address: here.Address, Shown: civicpin.NewSecret("device.1.x.y")}} {
		f := newFaults(newMemory())
		a := newAsking(t, f.Store())
		l := a.limit("otp", outbox.Proved, daily)
		for range 12 {
			calls[i] = append(calls[i], testkit.Calls(f, func() {
				_ = a.ask(outbox.Request{Subject: "A", Source: source, Limit: l}, outbox.Proved, 1)
			})...)
		}
	}
	require.Equal(t, calls[0], calls[1])
}

// What a caller asks for who has shown something counts at the address apart from what strangers ask for.
func TestTheClassRises(t *testing.T) {
	a := newAsking(t, newMemory())
	l := a.limit("otp", outbox.Proved, daily)
	for i := range 60 {
		r := outbox.Request{Subject: civicpin.Subject(fmt.Sprint("F", i)), Limit: l}
		require.NoError(t, a.ask(r, outbox.Proved, 1))
	}
	require.NoError(t, a.out.Flush(t.Context()))
	require.Len(t, a.sink.messages(), 40)
	login := shown.New(a.vault, "A", shown.Value{Kind: shown.Login})
	require.NoError(t, a.ask(outbox.Request{Subject: "A", Limit: l, Source: civicpin.Source{Shown: login}}, outbox.Proved, 1))
	require.NoError(t, a.out.Flush(t.Context()))
	require.Len(t, a.sink.messages(), 41)
}

// New refuses rates by subject that add up to more than an address gets: one subject alone would be held.
func TestRatesMustFit(t *testing.T) {
	for _, tc := range []struct {
		name  string
		rates []civicpin.Rate
		ok    bool
	}{
		{"as many", []civicpin.Rate{{Limit: 20, Window: 12 * time.Hour}}, true},
		{"one more at once", []civicpin.Rate{{Limit: 41, Window: 72 * time.Hour}}, false},
		{"more in a day", []civicpin.Rate{{Limit: 21, Window: 12 * time.Hour}}, false},
		{"together as many", []civicpin.Rate{{Limit: 10, Window: 12 * time.Hour}, daily, daily}, true},
		{"together one more", []civicpin.Rate{{Limit: 31, Window: 24 * time.Hour}, daily}, false},
	} {
		a, err := newAsking(t, newMemory()), error(nil)
		for i, r := range tc.rates {
			_, err = a.out.Limit(fmt.Sprint("n", i), outbox.Proved, r)
			_, again := a.out.Limit(fmt.Sprint("n", i), outbox.Proved, r)
			require.Equal(t, err == nil, again == nil, "a name counts once")
		}
		if tc.ok {
			require.NoError(t, err, tc.name)
		} else {
			require.ErrorIs(t, err, civicpin.ErrInvalid, tc.name)
			require.ErrorContains(t, err, "Limits.Proved", tc.name)
		}
	}
	a := newAsking(t, newMemory())
	_, err := a.out.Limit("typed", outbox.Typed, testkit.Wide)
	require.NoError(t, err, "held whatever it is")
	for _, bad := range []civicpin.Rate{{}, {Limit: 1}, {Limit: -1, Window: time.Hour}} {
		_, err := a.out.Limit("n", outbox.Typed, bad)
		require.ErrorIs(t, err, civicpin.ErrInvalid)
	}
	for _, name := range []string{"", "a/b", "a b", strings.Repeat("n", 53)} {
		_, err := a.out.Limit(name, outbox.Typed, daily)
		require.ErrorIs(t, err, civicpin.ErrInvalid, "%q", name)
	}
	_, err = a.out.Limit(strings.Repeat("n", 52), outbox.Typed, daily)
	require.NoError(t, err)
}

// newCrowded returns a rig in which as many messages wait as visitors may cause, which are 50.
func newCrowded(t *testing.T) *asking {
	a := newAsking(t, newMemory())
	a.out.SetMaxTyped(50)
	for i := range 50 {
		require.NoError(t, a.ask(outbox.Request{Subject: civicpin.Subject(fmt.Sprint("W", i))}, outbox.Typed, 1))
	}
	a.sink.then(func(context.Context, civicpin.Message) error { return errors.New("not now") })
	ctx, cancel := context.WithCancel(t.Context())
	over := make(chan error, 1)
	go func() { over <- a.out.Run(ctx) }()
	require.Eventually(t, func() bool { return a.count(t, "quota.load") == 1 }, 5*time.Second, time.Millisecond)
	cancel()
	<-over
	return a
}

// When too many messages wait that visitors cause, further ones are refused, for known and unknown subjects alike, and no other
// message is.
func TestCrowded(t *testing.T) {
	a := newCrowded(t)
	ask := func(class outbox.Class, decoy bool) error {
		a.n++
		return a.ask(outbox.Request{Subject: civicpin.Subject(fmt.Sprint("S", a.n)), Decoy: decoy}, class, 1)
	}
	require.ErrorIs(t, ask(outbox.Typed, false), outbox.ErrBusy)
	require.ErrorIs(t, ask(outbox.Typed, false), lockout.ErrBusy)
	require.ErrorIs(t, ask(outbox.Typed, true), outbox.ErrBusy)
	for _, class := range []outbox.Class{outbox.Proved, outbox.Shown, outbox.Notice} {
		require.NoError(t, ask(class, false))
	}
	// Another process learns of it from the dispatcher.
	b := newRig(t, a.store, a.clock, nil)
	b.out.SetMaxTyped(50)
	refused := 0
	for i := range 200 {
		ref := b.clerk.ref(fmt.Sprint("T", i), "x")
		if err := b.clerk.post(t.Context(), b.out, ref, letter{Text: "x", To: mail("b@example.org")}); errors.Is(err, outbox.ErrBusy) {
			refused++
		}
	}
	require.GreaterOrEqual(t, refused, 149)
}

// Whether a request is refused while too many messages wait depends on its limit, and not on the class of a message, which may
// differ between a known subject's message and a decoy.
func TestCrowdedTellsNothing(t *testing.T) {
	a := newCrowded(t)
	open, typed := a.limit("resend", outbox.Proved, daily), a.limit("pin", outbox.Typed, daily)
	for _, class := range []outbox.Class{outbox.Typed, outbox.Proved} {
		for _, decoy := range []bool{true, false} {
			for i := range 5 {
				subject := civicpin.Subject(fmt.Sprint("R", class, decoy, i))
				require.NoError(t, a.ask(outbox.Request{Subject: subject, Decoy: decoy, Limit: open}, class, 1), "%v %v", class, decoy)
			}
		}
	}
	for _, class := range []outbox.Class{outbox.Typed, outbox.Proved} {
		for _, decoy := range []bool{true, false} {
			require.ErrorIs(t, a.ask(outbox.Request{Subject: "A", Decoy: decoy, Limit: typed}, class, 1), outbox.ErrBusy)
		}
	}
	require.NoError(t, a.ask(outbox.Request{Subject: "A", Limit: typed, By: civicpin.Operator("7")}, outbox.Typed, 1))
}

// Of a thousand requests at once from one source no more than its rate are taken.
func TestRequestsAtOnce(t *testing.T) {
	a := newAsking(t, newMemory())
	l := a.limit("pin", outbox.Typed, daily)
	var let atomic.Int32
	done := make(chan struct{})
	for i := range 1000 {
		go func() {
			r := outbox.Request{Subject: civicpin.Subject(fmt.Sprint("S", i)), Source: here, Others: 1}
			if l.Take(t.Context(), r) == nil {
				let.Add(1)
			}
			done <- struct{}{}
		}()
	}
	for range 1000 {
		<-done
	}
	require.EqualValues(t, 20, let.Load())
}

// A request with a bad ref, or one of another subject, changes nothing.
func TestBadRequests(t *testing.T) {
	a := newAsking(t, newMemory())
	l := a.limit("pin", outbox.Typed, civicpin.Rate{Limit: 1, Window: time.Hour})
	good := a.clerk.ref("A", "1")
	long := good
	long.Replaces = strings.Repeat("x", 257)
	for _, refs := range [][]outbox.Ref{{good, {}}, {a.clerk.ref("B", "1")}, {long}} {
		err := a.out.Announce(t.Context(), outbox.Request{Subject: "A", Refs: refs, Limit: l}, func(context.Context) error {
			t.Error("written")
			return nil
		})
		require.ErrorIs(t, err, civicpin.ErrInvalid)
	}
	require.Zero(t, a.count(t, "outbox.entry"))
	require.NoError(t, a.ask(outbox.Request{Subject: "A", Limit: l}, outbox.Typed, 1), "nothing was counted")
	require.ErrorIs(t, a.out.Announce(t.Context(), outbox.Request{Subject: "C", Limit: l}, nil), civicpin.ErrInvalid)
	foreign := newAsking(t, newMemory()).limit("pin", outbox.Typed, daily)
	for _, l := range []*outbox.Limit{foreign, {}} {
		require.ErrorIs(t, a.ask(outbox.Request{Subject: "C", Limit: l}, outbox.Typed, 1), civicpin.ErrInvalid)
	}
	for _, class := range []outbox.Class{-1, outbox.Notice + 1} {
		require.ErrorIs(t, a.ask(outbox.Request{Subject: "C"}, class, 1), civicpin.ErrInvalid)
		_, err := a.out.Limit("x", class, daily)
		require.ErrorIs(t, err, civicpin.ErrInvalid)
	}
	failed := errors.New("disk full")
	err := a.out.Announce(t.Context(), outbox.Request{Subject: "B", Refs: []outbox.Ref{a.clerk.ref("B", "2")}},
		func(context.Context) error { return failed })
	require.ErrorIs(t, err, failed)
	a.clock.Add(time.Hour)
	require.NoError(t, a.out.Flush(t.Context()))
	require.Len(t, a.sink.messages(), 1)
}

// fourNotices posts four notices to an address that gets one a day: the first is sent, and the others wait together.
func fourNotices(t *testing.T) (*rig, []outbox.Ref) {
	t.Helper()
	r := onMemoryWith(t, limited(func(l *outbox.Limits) {
		l.Notice = civicpin.Rate{Limit: 1, Window: 24 * time.Hour}
	}))
	to := mail("ana@example.org")
	var refs []outbox.Ref
	for i := range 4 {
		refs = append(refs, r.posted(t, outbox.Notice, "ANA", fmt.Sprint(i), to, time.Time{}))
		require.NoError(t, r.out.Flush(t.Context()))
		r.clock.Add(time.Second)
	}
	return r, refs
}

// Notices that go with one that becomes a dead letter are not lost with it.
func TestRetryForgetsMerged(t *testing.T) {
	r, refs := fourNotices(t)
	r.sink.then(func(context.Context, civicpin.Message) error { return fmt.Errorf("no: %w", civicpin.ErrUndeliverable) })
	r.clock.Add(2 * time.Hour)
	require.NoError(t, r.out.Flush(t.Context()))
	dead := 0
	for _, err := range r.out.DeadLetters(t.Context()) {
		require.NoError(t, err)
		dead++
	}
	for _, ref := range refs {
		t.Log(ref.ID, r.clerk.state(t, ref))
	}
	require.Equal(t, 3, dead, "three notices did not arrive")
}

// Within a subject first come, first served, also where a cron job calls Flush every two hours.
func TestOrderUnderACronJob(t *testing.T) {
	r := hourly(t, newMemory())
	to := mail("shared@example.org")
	for i := range 8 {
		r.posted(t, outbox.Typed, "A", fmt.Sprint(i), to, time.Time{})
		require.NoError(t, r.out.Flush(t.Context()))
		r.clock.Add(time.Second)
	}
	for range 30 {
		r.clock.Add(2 * time.Hour)
		require.NoError(t, r.out.Flush(t.Context()))
	}
	require.Equal(t, []string{"0", "1", "2", "3", "4", "5", "6", "7"}, r.sink.texts())
}

// A queue record that was spoilt does not keep notices to the address from being sent.
func TestSpoiltQueueSilencesAnAddress(t *testing.T) {
	s := newMemory()
	r := newRig(t, s, newClock(), nil)
	to := mail("ana@example.org")
	r.posted(t, outbox.Notice, "ANA", "first", to, time.Time{})
	require.NoError(t, r.out.Flush(t.Context()))
	for item, err := range s.List(t.Context(), "quota.address/", "") {
		require.NoError(t, err)
		rec := item.Record
		rec.Value[len(rec.Value)-1] ^= 1
		_, err = s.Put(t.Context(), item.Key, rec)
		require.NoError(t, err)
		require.True(t, strings.HasPrefix(item.Key, "quota.address/"))
	}
	stolen := r.posted(t, outbox.Notice, "ANA", "stolen", to, time.Time{})
	before := len(r.log.All())
	for range 7 * 24 * 4 {
		require.NoError(t, r.out.Flush(t.Context()))
		r.clock.Add(15 * time.Minute)
	}
	dead := 0
	for range r.out.DeadLetters(t.Context()) {
		dead++
	}
	t.Log("after a week: ", r.clerk.state(t, stolen), ", dead letters ", dead, ", events ", len(r.log.All())-before)
	require.True(t, r.clerk.state(t, stolen) == "accepted" || dead > 0 || len(r.log.All()) > before)
}

// Notices are told of though the dispatchers were down for a day while they waited.
func TestMergedNoticesLostByAnOutage(t *testing.T) {
	r := onMemoryWith(t, limited(func(l *outbox.Limits) {
		l.Notice.Limit, l.Notice.Window = 1, 24*time.Hour
	}))
	to := mail("ana@example.org")
	for i := range 4 {
		r.posted(t, outbox.Notice, "ANA", string(rune('0'+i)), to, time.Time{})
		require.NoError(t, r.out.Flush(t.Context()))
		r.clock.Add(time.Second)
	}
	r.clock.Add(26 * time.Hour)
	require.NoError(t, r.out.Flush(t.Context()))
	r.hours(t, 3)
	told := len(r.sink.messages())
	for _, m := range r.sink.messages() {
		n, _ := strconv.Atoi(m.Params["more"])
		told += n
	}
	require.Equal(t, 4, told)
}

// Three thousand typed messages to as many mailboxes wait for a slow gateway, more than a Run keeps in memory: a notice goes
// before them.
func TestNoticeBehindTypedFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := inBubble(t, nil)
		r.out.Shrink(100, 1000)
		r.sink.then(func(context.Context, civicpin.Message) error { time.Sleep(200 * time.Millisecond); return nil })
		r.run(t)
		for i := range 3000 {
			r.posted(t, outbox.Typed, fmt.Sprint("MADE UP ", i), "x", mail(fmt.Sprintf("a%d@example.org", i)), time.Time{})
		}
		time.Sleep(time.Second)
		began := time.Now()
		n := r.posted(t, outbox.Notice, "ANA", "stolen", mail("ana@example.org"), time.Time{})
		for r.clerk.state(t, n) != "accepted" && time.Since(began) < time.Hour {
			time.Sleep(time.Second)
		}
		require.LessOrEqual(t, time.Since(began), time.Minute)
	})
}

// A notice that goes for others says so, also if the gateway refuses the first try.
func TestMergedNoticesLostByARetry(t *testing.T) {
	r := onMemoryWith(t, limited(func(l *outbox.Limits) {
		l.Notice = civicpin.Rate{Limit: 1, Window: 24 * time.Hour}
	}))
	to := mail("ana@example.org")
	for i := range 4 {
		r.posted(t, outbox.Notice, "ANA", fmt.Sprint(i), to, time.Time{})
		require.NoError(t, r.out.Flush(t.Context()))
		r.clock.Add(time.Second)
	}
	once := true
	r.sink.then(func(_ context.Context, m civicpin.Message) error {
		if once {
			once = false
			return errors.New("gateway is down for a moment")
		}
		return nil
	})
	for range 12 {
		r.clock.Add(10 * time.Minute)
		require.NoError(t, r.out.Flush(t.Context()))
	}
	got := r.sink.messages()
	for _, m := range got {
		t.Log(m.Secret.Reveal(), m.Params)
	}
	require.Equal(t, "2", got[len(got)-1].Params["more"], "the two merged ones were settled as accepted")
}

// The notices that merged into one that cannot be sent were told accepted, and only one dead letter is left.
func TestMergedNoticesDieWithTheirLeader(t *testing.T) {
	r, refs := fourNotices(t)
	// The owner withdraws the one that the others wait with.
	require.NoError(t, r.clerk.write(t.Context(), refs[1], letter{State: "replaced"}))
	for range 12 {
		r.clock.Add(10 * time.Minute)
		require.NoError(t, r.out.Flush(t.Context()))
	}
	require.Len(t, r.sink.messages(), 2, "2 and 3 are %s and %s, and nobody was told", r.clerk.state(t, refs[2]), r.clerk.state(t, refs[3]))
}

// A program that sends by Flush from a cron job has the cap, too.
func TestNoCapWithFlush(t *testing.T) {
	r := onMemoryWith(t, limited(func(l *outbox.Limits) {
		l.Typed = civicpin.Rate{Limit: 1, Window: 24 * time.Hour}
	}))
	r.out.SetMaxTyped(50)
	var err error
	for i := 0; i < 200 && err == nil; i++ {
		ref := r.clerk.ref(fmt.Sprint("S", i), "x")
		err = r.clerk.post(t.Context(), r.out, ref, letter{Text: "x", To: mail(fmt.Sprintf("a%d@example.org", i/20))})
		if err == nil {
			require.NoError(t, r.out.Flush(t.Context()))
		}
	}
	var b outbox.Backlog
	r.recount(t, &b)
	require.ErrorIs(t, err, outbox.ErrBusy, "wait: %d", b.ByClass[outbox.Typed].Held)
}

// smallRig has room for 50 typed messages.
func smallRig(t *testing.T, s store.Store, clock *testkit.Clock) *rig {
	r := newRig(t, s, clock, nil)
	r.out.SetMaxTyped(50)
	return r
}

// fill posts as many typed messages as there is room for.
func (r *rig) fill(t *testing.T) {
	t.Helper()
	for i := range 50 {
		r.posted(t, outbox.Typed, fmt.Sprint("S", i), "x", mail(fmt.Sprintf("a%d@example.org", i)), time.Time{})
	}
}

// noteLoad runs, while nothing can be sent, until it has written down how many messages wait.
func (r *rig) noteLoad(t *testing.T) {
	t.Helper()
	r.sink.then(func(context.Context, civicpin.Message) error { return errors.New("not now") })
	stop := r.run(t)
	require.Eventually(t, func() bool { return r.count(t, "quota.load") == 1 }, 5*time.Second, time.Millisecond)
	stop()
}

// refused returns how many of 200 messages there is no room for.
func (r *rig) refused(t *testing.T) (n int) {
	t.Helper()
	for i := range 200 {
		err := r.clerk.post(t.Context(), r.out, r.clerk.ref(fmt.Sprint("T", i), "x"),
			letter{Text: "x", To: mail(fmt.Sprintf("b%d@example.org", i))})
		if errors.Is(err, outbox.ErrBusy) {
			n++
		}
	}
	return n
}

// That too many messages waited is forgotten once they do not, whichever dispatcher wrote it.
func TestLoadGoesStale(t *testing.T) {
	s, clock := newMemory(), newClock()
	r := smallRig(t, s, clock)
	r.fill(t)
	r.noteLoad(t)
	// The gateway is up again; the dispatcher of the next deployment finds it all sent by a cron job, or by Flush at start.
	next := smallRig(t, s, clock)
	clock.Add(time.Minute)
	require.NoError(t, next.out.Flush(t.Context()))
	var b outbox.Backlog
	next.recount(t, &b)
	require.Zero(t, b.Due+b.Held+b.Later)
	next.run(t)
	time.Sleep(300 * time.Millisecond) // several rounds of the new dispatcher
	clock.Add(100 * time.Minute)
	require.Zero(t, smallRig(t, s, clock).refused(t), "nothing waits")
}

// The number of a dispatcher whose clock was ahead is not believed until that day.
func TestLoadOfAWrongClock(t *testing.T) {
	s, clock := newMemory(), newClock()
	ahead := testkit.NewClock(clock.Now().Add(5 * 365 * 24 * time.Hour))
	r := smallRig(t, s, clock)
	r.fill(t)
	smallRig(t, s, ahead).noteLoad(t)
	clock.Add(24 * time.Hour)
	require.NoError(t, r.out.Flush(t.Context()))
	clock.Add(30 * 24 * time.Hour)
	require.Zero(t, smallRig(t, s, clock).refused(t), "a month later nothing waits")
}

// The fifth is of the life of the message, not of what was left when it asked its country.
func TestLifeBeginsAnewAtTheCountry(t *testing.T) {
	r := onMemoryWith(t, limited(func(l *outbox.Limits) {
		l.Home = civicpin.Rate{Limit: 1, Window: 30 * time.Minute}
	}))
	r.posted(t, outbox.Typed, "A", "first", sms("+593990000001"), time.Time{})
	require.NoError(t, r.out.Flush(t.Context()))
	ends := r.clock.Now().Add(33 * time.Minute) // its turn comes after 30, 9 percent before its end
	r.posted(t, outbox.Typed, "B", "late", sms("+593990000002"), ends)
	r.clock.Add(20 * time.Minute)
	for range 30 {
		require.NoError(t, r.out.Flush(t.Context()))
		r.clock.Add(30 * time.Second)
	}
	require.Equal(t, []string{"first"}, r.sink.texts())
}

// trace notes each call to a store, with the length of what is written.
type trace struct {
	*store.Memory
	mu    sync.Mutex
	calls []string
}

func (s *trace) note(method, key string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	kind, _, _ := strings.Cut(key, "/")
	if kind == "test.clerk" {
		return // the owner's own
	}
	s.calls = append(s.calls, method+" "+kind+" "+strings.Repeat("#", n))
}

func (s *trace) take() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.calls
	s.calls = nil
	return out
}

func (s *trace) Get(ctx context.Context, key string) (store.Record, error) {
	s.note("get", key, 0)
	return s.Memory.Get(ctx, key)
}

func (s *trace) Put(ctx context.Context, key string, r store.Record) (store.Version, error) {
	s.note("put", key, len(r.Value))
	return s.Memory.Put(ctx, key, r)
}

func (s *trace) Delete(ctx context.Context, key string, v store.Version) error {
	s.note("delete", key, 0)
	return s.Memory.Delete(ctx, key, v)
}

func (s *trace) List(ctx context.Context, prefix, after string) iter.Seq2[store.Item, error] {
	s.note("list", prefix, 0)
	return s.Memory.List(ctx, prefix, after)
}

// A stranger's request makes the same calls, and entries of the same length, as a citizen's, when it is made and when it is
// dispatched; nothing is sent, and no event names the stranger.
func TestADecoyIsTheSameWork(t *testing.T) {
	s := &trace{Memory: newMemory()}
	r := newRig(t, s, newClock(), nil)
	citizen, stranger := r.clerk.ref("AAAA", "1234"), r.clerk.ref("BBBB", "1234")
	require.NoError(t, r.out.Flush(t.Context())) // the first looks how much waits
	s.take()                                     // that, and the vault's own

	require.NoError(t, r.out.Add(t.Context(), citizen))
	add := s.take()
	require.NoError(t, r.clerk.write(t.Context(), citizen, letter{State: "wanted", Text: "x", To: mail("a@example.org")}))
	require.NoError(t, r.out.Commit(t.Context(), citizen))
	commit := s.take()
	require.NoError(t, r.out.Flush(t.Context()))
	flush := s.take()
	require.Len(t, r.sink.messages(), 1)
	require.Len(t, slices.DeleteFunc(slices.Clone(flush), func(c string) bool { return !strings.HasPrefix(c, "put") }), 2)

	require.NoError(t, r.out.AddDecoy(t.Context(), stranger))
	require.Equal(t, add, s.take())
	require.NoError(t, r.out.Commit(t.Context(), stranger))
	require.Equal(t, commit, s.take())
	before := len(r.log.All())
	require.NoError(t, r.out.Flush(t.Context()))
	require.Equal(t, flush, s.take())
	require.Len(t, r.log.All(), before)

	r.clock.Add(time.Hour)
	require.NoError(t, r.out.Flush(t.Context()))
	require.Len(t, r.sink.messages(), 1)
	require.Zero(t, r.count(t, "outbox.entry"))
}

func TestADecoyNeverTakesThePlaceOfATrueEntry(t *testing.T) {
	r := onMemory(t)
	ref := r.clerk.ref("A", "1")
	l := letter{State: "wanted", Text: "x", To: mail("a@example.org")}
	require.NoError(t, r.clerk.post(t.Context(), r.out, ref, l))
	require.NoError(t, r.out.AddDecoy(t.Context(), ref))
	require.NoError(t, r.out.Flush(t.Context()))
	require.Len(t, r.sink.messages(), 1)

	// And a true entry takes the place of a decoy.
	ref = r.clerk.ref("A", "2")
	require.NoError(t, r.out.AddDecoy(t.Context(), ref))
	require.NoError(t, r.clerk.post(t.Context(), r.out, ref, l))
	require.NoError(t, r.out.Flush(t.Context()))
	require.Len(t, r.sink.messages(), 2)
}

// Even if the record wants something sent under that name, a decoy sends nothing.
func TestADecoyIsNotSentEvenIfConfirmed(t *testing.T) {
	r := onMemory(t)
	ref := r.clerk.ref("A", "1")
	require.NoError(t, r.clerk.write(t.Context(), ref, letter{State: "wanted", Text: "x", To: mail("a@example.org")}))
	require.NoError(t, r.out.AddDecoy(t.Context(), ref))
	require.NoError(t, r.out.Flush(t.Context()))
	require.Empty(t, r.sink.messages())
	require.Zero(t, r.count(t, "outbox.entry"))
	require.Equal(t, "wanted", r.clerk.state(t, ref))
}
