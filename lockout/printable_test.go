package lockout_test

import (
	"testing"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/storetest"
)

func TestUnprintableTexts(t *testing.T) {
	faults := storetest.NewFaults(store.NewMemory())
	p := lockout.Policy{Limit: 3, Lock: lockout.UntilUnlocked, Devices: 2}
	g := newGate(t, newVault(t, faults.Store(), newClock().Now, nil), p)
	ctx := t.Context()
	acts := map[string]func(lockout.Target, civicpin.Actor) error{
		"Unlock": func(at lockout.Target, by civicpin.Actor) error { return g.Unlock(ctx, at, by) },
		"Lock":   func(at lockout.Target, by civicpin.Actor) error { return g.Lock(ctx, at, by) },
		"Rebind": func(at lockout.Target, by civicpin.Actor) error { return g.Rebind(ctx, at, by) },
		"Status": func(at lockout.Target, _ civicpin.Actor) error { return testkit.Err(g.Status(ctx, at)) },
		"Do":     func(at lockout.Target, _ civicpin.Actor) error { return g.Do(ctx, at, wrong) },
		"Device": func(at lockout.Target, _ civicpin.Actor) error { return testkit.Err(g.Device(ctx, at)) },
		"ForgetDevices": func(at lockout.Target, by civicpin.Actor) error {
			return g.ForgetDevices(ctx, at.Subject, by)
		},
	}
	calls := make(map[string]func(string) error)
	for name, act := range acts {
		calls[name+", subject"] = func(s string) error { return act(key(civicpin.Subject(s)), operator) }
		if name != "ForgetDevices" {
			calls[name+", lane"] = func(s string) error { return act(lockout.Target{Subject: "ana", Lane: s}, operator) }
		}
		if name != "Status" && name != "Do" && name != "Device" {
			calls[name+", operator"] = func(s string) error { return act(key("ana"), civicpin.Operator(s)) }
		}
	}
	testkit.Refuses(t, faults, calls)
}
