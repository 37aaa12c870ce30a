package lockout_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/storetest"
)

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
	source.Source = civicpin.Rate{Limit: 90, Window: hour}
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
