package lockout_test

import (
	"context"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/shown"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/store"
)

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
		c.who.Source.Shown = proving(c.vault, "CITIZEN", "CITIZEN", shown.Login).Source.Shown
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
