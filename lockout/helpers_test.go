package lockout_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/storetest"
)

const operator = civicpin.Actor("operator:7")

// start is where the clocks of these tests begin.
var start = time.Date(2026, time.March, 1, 9, 0, 0, 0, time.UTC)

func newClock() *testkit.Clock { return testkit.NewClock(start) }

// codes returns the codes of the events since the last call.
func codes(r *testkit.Recorder) (codes []civicpin.EventCode) {
	for _, e := range r.Take() {
		codes = append(codes, e.Code)
	}
	return codes
}

// newVault returns a vault over s by the clock now; nil means the real one.
func newVault(tb testing.TB, s store.Store, now func() time.Time, r civicpin.Recorder) *store.Vault {
	tb.Helper()
	v, err := store.OpenVault(tb.Context(), s, testkit.Keys(), &store.Options{Now: now, Recorder: r})
	require.NoError(tb, err)
	return v
}

// memoryVault returns a vault over a store of its own.
func memoryVault(tb testing.TB, now func() time.Time, r civicpin.Recorder) *store.Vault {
	tb.Helper()
	return newVault(tb, store.NewMemory(), now, r)
}

// failing are limits by source of so many failures an hour.
func failing(n int) lockout.SourceLimits {
	l := lockout.SourceLimit{Failures: n}
	return lockout.SourceLimits{Host: l, Net64: l, Net48: l}
}

func newGate(tb testing.TB, v *store.Vault, p lockout.Policy) *lockout.Gate {
	tb.Helper()
	return newNamed(tb, v, "login", p)
}

// newNamed returns a gate that shows visitors what is left.
func newNamed(tb testing.TB, v *store.Vault, name string, p lockout.Policy) *lockout.Gate {
	tb.Helper()
	p.ShowLeft = true
	g, err := lockout.New(v, name, p)
	require.NoError(tb, err)
	return g
}

func newMemory() *store.Memory { return store.NewMemory() }

// citizen returns one of any number of subjects.
func citizen(n int) civicpin.Subject { return civicpin.Subject(fmt.Sprint("CITIZEN ", n)) }

// key returns the key of a subject's open lane.
func key(subject civicpin.Subject) lockout.Target { return lockout.Target{Subject: subject} }

// from returns the same with a source address.
func from(subject civicpin.Subject, address string) lockout.Target {
	return lockout.Target{Subject: subject, Source: civicpin.Source{Address: address}}
}

func right(context.Context) (bool, error)    { return true, nil }
func wrong(context.Context) (bool, error)    { return false, nil }
func stranger(context.Context) (bool, error) { return false, lockout.ErrNoSubject }

var errBroken = errors.New("the hash service is down")

func broken(context.Context) (bool, error) { return false, errBroken }

// never is a verify function for guesses that must not be compared.
func never(tb testing.TB) func(context.Context) (bool, error) {
	return func(context.Context) (bool, error) {
		tb.Error("compared, and should not have been")
		return true, nil
	}
}

// asLocked returns the error as a lock.
func asLocked(tb testing.TB, err error) *lockout.LockedError {
	tb.Helper()
	return testkit.LockedBy(tb, err)
}

// asRefused returns the error as a refusal.
func asRefused(tb testing.TB, err error) *lockout.RefusedError {
	tb.Helper()
	return testkit.As[*lockout.RefusedError](tb, err)
}

// A held is a guess whose verification waits for the test.
type held struct {
	entered chan struct{}
	verdict chan verdict
	done    chan error
}

type verdict struct {
	ok  bool
	err error
}

// hold begins a guess and returns when it is being verified. If nothing is compared, it returns what Do did, and no guess.
func hold(ctx context.Context, g *lockout.Gate, k lockout.Target) (*held, error) {
	h := &held{entered: make(chan struct{}), verdict: make(chan verdict), done: make(chan error, 1)}
	go func() {
		h.done <- g.Do(ctx, k, func(context.Context) (bool, error) {
			close(h.entered)
			v := <-h.verdict
			return v.ok, v.err
		})
	}()
	select {
	case <-h.entered:
		return h, nil
	case err := <-h.done:
		return nil, err
	}
}

// mustHold is hold for a guess that must be let in.
func mustHold(tb testing.TB, g *lockout.Gate, k lockout.Target) *held {
	tb.Helper()
	h, err := hold(context.Background(), g, k)
	require.NoError(tb, err)
	return h
}

// holdAll begins guesses at a subject until as many are in flight as may be.
func holdAll(tb testing.TB, g *lockout.Gate, k lockout.Target) (all []*held) {
	tb.Helper()
	for range lockout.MaxCeiling + 1 {
		h, err := hold(tb.Context(), g, k)
		if err != nil {
			require.ErrorIs(tb, err, lockout.ErrBusy)
			return all
		}
		all = append(all, h)
	}
	require.Fail(tb, "more guesses are in flight than any ceiling allows")
	return nil
}

// end lets the verification return and returns what Do did.
func (h *held) end(ok bool, err error) error {
	h.verdict <- verdict{ok, err}
	return <-h.done
}

// benchGate returns a gate over Memory, and the store that counts its calls.
func benchGate(b *testing.B, p lockout.Policy) (*lockout.Gate, *storetest.Faults) {
	faults := storetest.NewFaults(store.NewMemory())
	return newGate(b, newVault(b, faults.Store(), nil, nil), p), faults
}

// reportCalls reports the store's calls for each guess.
func reportCalls(b *testing.B, faults *storetest.Faults, before int) {
	b.ReportMetric(float64(faults.Calls()-before)/float64(b.N), "calls/op")
}

func BenchmarkRight(b *testing.B) {
	gate, faults := benchGate(b, lockout.Policy{Limit: 5, Lock: lockout.UntilUnlocked})
	b.ReportAllocs()
	for b.Loop() {
		require.NoError(b, gate.Do(b.Context(), key("CITIZEN"), right))
	}
	reportCalls(b, faults, 0)
}

// BenchmarkDevice: a right guess in a known device's lane, and one whose value is made up.
func BenchmarkDevice(b *testing.B) {
	for _, name := range []string{"known", "made up"} {
		b.Run(name, func(b *testing.B) {
			gate, faults := benchGate(b, threeDevices)
			k := showing("CITIZEN", remember(b, gate, "CITIZEN", ""))
			if name != "known" {
				k.Subject = "SOMEBODY ELSE"
			}
			before := faults.Calls()
			b.ReportAllocs()
			for b.Loop() {
				require.NoError(b, gate.Do(b.Context(), k, right))
			}
			reportCalls(b, faults, before)
		})
	}
}

// BenchmarkRightParallel: many citizens at once, each on a record of their own.
func BenchmarkRightParallel(b *testing.B) {
	gate, faults := benchGate(b, lockout.Policy{Limit: 5, Lock: lockout.UntilUnlocked})
	var workers atomic.Int32
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		worker := workers.Add(1)
		for i := 0; pb.Next(); i++ {
			k := key(civicpin.Subject(fmt.Sprint("CITIZEN ", worker, " ", i%10_000)))
			if err := gate.Do(context.Background(), k, right); err != nil {
				b.Error(err)
			}
		}
	})
	reportCalls(b, faults, 0)
}

// BenchmarkOneSubjectParallel: guesses at one subject at once, most of which are told that others are in flight.
func BenchmarkOneSubjectParallel(b *testing.B) {
	gate, faults := benchGate(b, lockout.Policy{Limit: 5, Lock: lockout.UntilUnlocked})
	b.SetParallelism(16)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := gate.Do(context.Background(), key("CITIZEN"), right); err != nil && !errors.Is(err, lockout.ErrBusy) {
				b.Error(err)
			}
		}
	})
	reportCalls(b, faults, 0)
}

// BenchmarkWrong: wrong guesses, each at another subject.
func BenchmarkWrong(b *testing.B) {
	for name, p := range map[string]lockout.Policy{
		"plain": {Limit: 5, Lock: lockout.UntilUnlocked},
		"with source and global limits": {
			Limit: 5, Lock: lockout.UntilUnlocked,
			Source: failing(1000), Global: civicpin.Rate{Limit: 1_000_000, Window: second},
		},
	} {
		b.Run(name, func(b *testing.B) {
			gate, faults := benchGate(b, p)
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				i++
				k := from(citizen(i), fmt.Sprint("192.0.2.", i%250))
				require.ErrorIs(b, gate.Do(b.Context(), k, stranger), lockout.ErrRefused)
			}
			reportCalls(b, faults, 0)
		})
	}
}

// BenchmarkLocked: what a guess at a locked subject costs.
func BenchmarkLocked(b *testing.B) {
	gate, faults := benchGate(b, lockout.Policy{Limit: 1, Lock: lockout.UntilUnlocked})
	_ = gate.Do(b.Context(), key("CITIZEN"), wrong)
	before := faults.Calls()
	b.ReportAllocs()
	for b.Loop() {
		asLocked(b, gate.Do(b.Context(), key("CITIZEN"), right))
	}
	reportCalls(b, faults, before)
}

type verifier = func(context.Context) (bool, error)

// TestStoreCalls counts what docs/costs.md says: the same for known and unknown subjects, and none for a device's value that a
// stranger can show.
func TestStoreCalls(t *testing.T) {
	var costs testkit.Costs
	guessCosts(t, &costs)
	deviceCosts(t, &costs)
	operatorCosts(t, &costs)
	costs.Compare(t, "lockout")
}

func guessCosts(t *testing.T, costs *testkit.Costs) {
	plain := lockout.Policy{Limit: 2, Lock: lockout.UntilUnlocked}
	source, global, both := plain, plain, plain
	source.Source = failing(90)
	global.Global = civicpin.Rate{Limit: 90, Window: hour}
	both.Source, both.Global = source.Source, global.Global
	for _, tc := range []struct {
		name   string
		policy lockout.Policy
	}{{"", plain}, {", Source", source}, {", Global", global}, {", Source and Global", both}} {
		for name, failed := range map[civicpin.Subject]verifier{"CITIZEN": wrong, "STRANGER": stranger} {
			faults := storetest.NewFaults(store.NewMemory())
			gate := newGate(t, newVault(t, faults.Store(), newClock().Now, nil), tc.policy)
			count := func(when string, verify verifier) {
				costs.Count(t, "Do", when+tc.name, faults, nil, func() { _ = gate.Do(t.Context(), from(name, "192.0.2.1"), verify) })
			}
			for range 2 { // the first time and later
				count("right", right)
				count("given back", broken)
			}
			count("wrong", failed)
			count("wrong, locks", failed)
			count("locked", never(t))
		}
		faults := storetest.NewFaults(store.NewMemory())
		gate := newGate(t, newVault(t, faults.Store(), newClock().Now, nil), tc.policy)
		faults.Reset()
		costs.Count(t, "Do", "wrong"+tc.name, faults, nil, func() { // the first guess ever
			asRefused(t, gate.Do(t.Context(), from("SOMEBODY", "192.0.2.1"), stranger))
		})
		require.Zero(t, faults.Calls(storetest.Delete, storetest.List))
	}
}

func deviceCosts(t *testing.T, costs *testkit.Costs) {
	faults := storetest.NewFaults(store.NewMemory())
	gate := newGate(t, newVault(t, faults.Store(), newClock().Now, nil), threeDevices)
	count := func(call, when string, do func()) { costs.Count(t, call, when, faults, nil, do) }
	var value string
	count("RememberDevice", "", func() { value = remember(t, gate, "CITIZEN", "") })
	count("RememberDevice", "", func() { value = remember(t, gate, "CITIZEN", value) })
	guess := func(when, value string, verify verifier) {
		count("Do", when, func() { _ = gate.Do(t.Context(), showing("CITIZEN", value), verify) })
	}
	another := remember(t, gate, "ANOTHER", "")
	for _, v := range []string{"", "garbage", another} {
		guess("right", v, right)
		guess("given back", v, broken)
	}
	for range 2 {
		guess("right, known device", value, right)
		guess("given back, known device", value, broken)
	}
	for range 4 {
		guess("wrong, known device", value, wrong)
	}
	guess("wrong, locks the device's lane", value, wrong)
	guess("wrong, known device whose lane is locked", value, wrong)
	guess("right, known device whose lane is locked", value, right)
	lockOpen(t, gate, "CITIZEN")
	guess("locked, known device whose lane is locked", value, never(t))
	for _, v := range []string{"", "garbage", another} {
		guess("locked", v, never(t))
	}
	device := func(when, value string) {
		count("Device", when, func() { require.NoError(t, testkit.Err(gate.Device(t.Context(), showing("CITIZEN", value)))) })
	}
	device("known device", value)
	for _, v := range []string{"", "garbage", another} {
		device("no value, or one of another subject", v)
	}
	count("ForgetDevices", "", func() { require.NoError(t, gate.ForgetDevices(t.Context(), "CITIZEN", operator)) })
	count("ForgetDevices", "there never were any", func() {
		require.NoError(t, gate.ForgetDevices(t.Context(), "NOBODY", operator))
	})
}

func operatorCosts(t *testing.T, costs *testkit.Costs) {
	for _, tc := range []struct {
		name   string
		policy lockout.Policy
	}{{"", lockout.Policy{Limit: 5, Lock: lockout.UntilUnlocked}}, {"Devices", threeDevices}} {
		faults := storetest.NewFaults(store.NewMemory())
		gate := newGate(t, newVault(t, faults.Store(), newClock().Now, nil), tc.policy)
		count := func(call, when string, do func() error) {
			if tc.name != "" && when != "" {
				when += ", "
			}
			costs.Count(t, call, when+tc.name, faults, nil, func() { require.NoError(t, do()) })
		}
		if tc.policy.Devices > 0 {
			remember(t, gate, "CITIZEN", "")
		}
		ctx, citizen := t.Context(), key("CITIZEN")
		require.NoError(t, gate.Lock(ctx, citizen, operator))
		require.NoError(t, gate.Unlock(ctx, citizen, operator))
		count("Status", "", func() error { return testkit.Err(gate.Status(ctx, citizen)) })
		count("Lock", "", func() error { return gate.Lock(ctx, citizen, operator) })
		count("Lock", "locked already", func() error { return gate.Lock(ctx, citizen, operator) })
		count("Unlock", "", func() error { return gate.Unlock(ctx, citizen, operator) })
		count("Unlock", "not locked", func() error { return gate.Unlock(ctx, citizen, operator) })
		require.NoError(t, gate.Lock(ctx, citizen, operator))
		count("Rebind", "", func() error { return gate.Rebind(ctx, citizen, operator) })
	}
}

// purgeAll removes what has run out and returns how many records are left.
func purgeAll(t *testing.T, v *store.Vault, m *store.Memory) (left int) {
	t.Helper()
	_, err := v.Purge(t.Context(), store.Pass{})
	require.NoError(t, err)
	for item, err := range m.List(t.Context(), "", "") {
		require.NoError(t, err)
		if item.Key != "vault/canary" {
			left++
		}
	}
	return left
}

// TestStrangersFillNoStore: somebody invents 20,000 subjects. What they leave is bounded by Policy.Forget times the global
// rate, and goes.
func TestStrangersFillNoStore(t *testing.T) {
	const (
		invented = 20_000
		rate     = 60 // failures an hour
		forget   = 10 * hour
		interval = 12 * second // five times the rate
	)
	clock := newClock()
	memory := store.NewMemory()
	vault := newVault(t, memory, clock.Now, nil)
	gate := newGate(t, vault, lockout.Policy{
		Limit: 5, Lock: lockout.UntilUnlocked, Global: civicpin.Rate{Limit: rate, Window: hour}, Forget: forget,
	})
	compared, most := 0, 0
	for i := range invented {
		err := gate.Do(t.Context(), key(civicpin.Subject(fmt.Sprint("INVENTED ", i))), stranger)
		if _, ok := err.(*lockout.RefusedError); ok {
			compared++
		}
		clock.Add(interval)
		if i%500 == 0 {
			most = max(most, purgeAll(t, vault, memory))
		}
	}
	elapsed := interval * invented
	assert.LessOrEqual(t, compared, rate+int(rate*elapsed/hour)+1)
	assert.Greater(t, compared, rate, "the rate let nothing through: the test shows nothing")
	// Forget, an hour's grace, the burst, and the record of the rate itself.
	assert.LessOrEqual(t, most, int((forget+hour)/hour)*rate+rate+1)
	assert.Greater(t, most, rate)

	clock.Add(forget + hour)
	assert.Zero(t, purgeAll(t, vault, memory))
}

// TestGivenBackFillNoStore: guesses at invented subjects that are given back leave their records an hour and the grace.
func TestGivenBackFillNoStore(t *testing.T) {
	clock := newClock()
	memory := store.NewMemory()
	vault := newVault(t, memory, clock.Now, nil)
	gate := newGate(t, vault, lockout.Policy{
		Limit: 5, Lock: lockout.UntilUnlocked,
		Source: failing(10), Global: civicpin.Rate{Limit: 9, Window: hour},
	})
	for i := range 2000 {
		k := from(civicpin.Subject(fmt.Sprint("INVENTED ", i)), fmt.Sprint("192.0.2.", i%200))
		require.ErrorIs(t, gate.Do(t.Context(), k, broken), errBroken)
	}
	clock.Add(2 * hour)
	require.Zero(t, purgeAll(t, vault, memory))
}

// TestSizeOfState: the largest record that guesses can bring about, with as many in flight as the ceiling allows.
func TestSizeOfState(t *testing.T) {
	memory := store.NewMemory()
	gate := newGate(t, newVault(t, memory, newClock().Now, nil), lockout.Policy{
		Limit: lockout.MaxCeiling, Lock: lockout.Timed, For: 366 * day, DelayAfter: 100, Delay: day,
	})
	all := holdAll(t, gate, key("CITIZEN"))
	require.Len(t, all, lockout.MaxCeiling)
	size := func() (n int) {
		for item, err := range memory.List(t.Context(), "", "") {
			require.NoError(t, err)
			if item.Key != "vault/canary" {
				n += len(item.Value)
			}
		}
		return n
	}
	require.Less(t, size(), 12<<10)
	for _, h := range all {
		require.Error(t, h.end(false, nil))
	}
	require.Less(t, size(), 400)
	require.True(t, asLocked(t, gate.Do(t.Context(), key("CITIZEN"), never(t))).Disabled)
}

// TestPurgeDuringVerification: purging takes no record away that holds a guess in flight.
func TestPurgeDuringVerification(t *testing.T) {
	clock := newClock()
	memory := store.NewMemory()
	vault := newVault(t, memory, clock.Now, nil)
	gate := newGate(t, vault, lockout.Policy{Limit: 1, Lock: lockout.UntilUnlocked, Timeout: lockout.MaxTimeout})
	require.NoError(t, gate.Do(t.Context(), key("CITIZEN"), right))
	clock.Add(lockout.KeepEmpty - time.Second)
	h := mustHold(t, gate, key("CITIZEN"))
	clock.Add(lockout.MaxTimeout)
	require.Equal(t, 1, purgeAll(t, vault, memory))
	asLocked(t, h.end(false, nil))
}

// A scene is a gate, and a target from an address that has a device's value or a proof of a login if there is a lane for it.
type scene struct {
	*lockout.Gate
	vault  *store.Vault
	clock  *testkit.Clock
	events *testkit.Recorder
	who    lockout.Target
	open   lockout.Target // the same without what opens a lane
}

// newScene makes the scene of a policy with rates that nothing reaches.
func newScene(t *testing.T, s store.Store, p lockout.Policy) *scene {
	t.Helper()
	c := &scene{clock: newClock(), events: &testkit.Recorder{}, open: from("CITIZEN", "192.0.2.1")}
	c.vault = newVault(t, s, c.clock.Now, c.events)
	p.Source, p.Global = failing(90), civicpin.Rate{Limit: 90, Window: hour}
	c.Gate = newGate(t, c.vault, p)
	c.who = c.open
	if p.Devices > 0 {
		c.who.Source.Device = civicpin.NewSecret(remember(t, c.Gate, "CITIZEN", ""))
	}
	if p.Reserve > 0 {
		c.who.Source.Shown = proving(c.vault, "CITIZEN", "CITIZEN", proofs[1]).Source.Shown
	}
	return c
}

// A gateCall is a call of a method of a gate.
type gateCall testkit.Method[*scene]

// Around is what [testkit.World] asks for.
func (c *scene) Around() (*testkit.Clock, *testkit.Recorder) { return c.clock, c.events }

// after is the Open of a scene of a policy, after what comes before.
func after(p lockout.Policy, prepare func(*testing.T, *scene)) func(*testing.T, store.Store) *scene {
	return func(t *testing.T, s store.Store) *scene {
		t.Helper()
		c := newScene(t, s, p)
		prepare(t, c)
		return c
	}
}

func fresh(*testing.T, *scene) {}

// failed has so many guesses of the caller fail.
func failed(n int) func(*testing.T, *scene) {
	return func(t *testing.T, c *scene) {
		for range n {
			require.Error(t, c.Do(t.Context(), c.who, wrong))
		}
	}
}

// closed has an operator lock.
func closed(t *testing.T, c *scene) { require.NoError(t, c.Lock(t.Context(), c.open, operator)) }

// guesses is the act of a guess.
func guesses(verify verifier) func(context.Context, *scene) (any, error) {
	return func(ctx context.Context, c *scene) (any, error) { return nil, c.Do(ctx, c.who, verify) }
}

// operates is the act of an operator.
func operates(
	act func(*lockout.Gate, context.Context, lockout.Target, civicpin.Actor) error,
) func(context.Context, *scene) (any, error) {
	return func(ctx context.Context, c *scene) (any, error) { return nil, act(c.Gate, ctx, c.who, operator) }
}

func gateCalls() []gateCall {
	plain := lockout.Policy{Limit: 5, Lock: lockout.UntilUnlocked}
	given, counted := []string{"Put quota.sources.login"}, []string{"Put quota.global.login"}
	lock, unlock, rebind := operates((*lockout.Gate).Lock), operates((*lockout.Gate).Unlock), operates((*lockout.Gate).Rebind)
	status := func(ctx context.Context, c *scene) (any, error) { return c.Status(ctx, c.who) }
	device := func(ctx context.Context, c *scene) (any, error) { return c.Device(ctx, c.who) }
	remembers := func(ctx context.Context, c *scene) (any, error) { return c.RememberDevice(ctx, c.who) }
	forgets := func(ctx context.Context, c *scene) (any, error) {
		return nil, c.ForgetDevices(ctx, "CITIZEN", operator)
	}
	const (
		locked   = "lockout.locked - 192.0.2.1 - -"
		byHand   = "lockout.locked operator:7 192.0.2.1 - -"
		unlocked = "lockout.unlocked operator:7 192.0.2.1 - -"
		rebound  = "lockout.rebound operator:7 192.0.2.1 - -"
		forgot   = "lockout.devices_forgotten operator:7 - - -"
	)
	return []gateCall{
		{"Do, right", after(plain, fresh), guesses(right), given, nil},
		{"Do, wrong", after(plain, fresh), guesses(wrong), counted, nil},
		{"Do, of a stranger", after(plain, fresh), guesses(stranger), counted, nil},
		{"Do, locks", after(plain, failed(4)), guesses(wrong), counted, []string{locked}},
		{"Do, locked", after(plain, failed(5)), guesses(right), nil, nil},
		{"Lock", after(plain, fresh), lock, nil, []string{byHand}},
		{"Unlock", after(plain, failed(5)), unlock, nil, []string{unlocked}},
		{"Rebind", after(plain, failed(5)), rebind, nil, []string{rebound}},
		{"Status", after(plain, failed(5)), status, nil, nil},

		{"device: Do, right", after(threeDevices, fresh), guesses(right), nil, nil},
		{"device: Do, wrong", after(threeDevices, fresh), guesses(wrong), nil, nil},
		{"device: Do, locks", after(threeDevices, failed(4)), guesses(wrong), nil, []string{"lockout.locked - 192.0.2.1 ID device"}},
		{"device: Do, locked", after(threeDevices, failed(5)), guesses(right), given, nil},
		{"device: RememberDevice", after(threeDevices, fresh), remembers, nil, []string{"lockout.device_remembered citizen 192.0.2.1 ID device"}},
		{"device: Device", after(threeDevices, fresh), device, nil, nil},
		{"device: ForgetDevices", after(threeDevices, fresh), forgets, nil, []string{forgot}},
		{"device: Lock", after(threeDevices, fresh), lock, nil, []string{forgot, byHand}},
		{"device: Unlock", after(threeDevices, closed), unlock, nil, []string{unlocked}},
		{"device: Rebind", after(threeDevices, closed), rebind, nil, []string{rebound}},
		{"device: Status", after(threeDevices, fresh), status, nil, nil},

		{"login: Do, right", after(reserved, fresh), guesses(right), nil, nil},
		{"login: Do, wrong", after(reserved, fresh), guesses(wrong), nil, nil},
		{"login: Do, locks", after(reserved, failed(4)), guesses(wrong), nil, []string{"lockout.locked - 192.0.2.1 - login"}},
		{
			"login: Do, locked", after(reserved, failed(5)), guesses(right),
			slices.Concat(given, []string{"Get devices.login", "Put devices.login"}), nil, // the lane stays locked then
		},
		{"login: Lock", after(reserved, fresh), lock, nil, []string{byHand}},
		{"login: Unlock", after(reserved, closed), unlock, nil, []string{unlocked}},
		{"login: Rebind", after(reserved, failed(5)), rebind, nil, []string{rebound}},
		{"login: Status", after(reserved, failed(5)), status, nil, nil},
	}
}

// TestGateCalls makes each call of the store fail in turn that a method makes, and compares the events of the method.
func TestGateCalls(t *testing.T) {
	for _, m := range gateCalls() {
		testkit.Method[*scene](m).Check(t)
	}
}
