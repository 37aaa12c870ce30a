package pin_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/password"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/pin/state"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
	"github.com/civicpin/civicpin/store/storetest"
)

func newClock() *testkit.Clock { return testkit.NewClock(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)) }

// kit is a service with everything around it.
type kit struct {
	*pin.Service
	clock  *testkit.Clock
	mail   *testkit.Mailbox
	events *testkit.Recorder
	vault  *store.Vault
	out    *outbox.Outbox
	policy pin.Policy
	memory *store.Memory     // nil if made on another store
	faults *storetest.Faults // of this process, over memory
	grant  pin.Grant         // for flows that use one
	ok     pin.Verified      // the last login, for acts that need one
	source civicpin.Source   // with a known device, if one is remembered
	typed  civicpin.Secret   // a request code
	lasted time.Duration     // the time that went by since what is timed
}

// newKit makes a service of a policy over a store of its own, whose calls may fail.
func newKit(t testing.TB, p pin.Policy) *kit {
	t.Helper()
	memory := store.NewMemory()
	faults := storetest.NewFaults(memory)
	k := newKitOn(t, faults.Store(), p, newClock(), &testkit.Mailbox{}, &testkit.Recorder{})
	k.memory, k.faults = memory, faults
	return k
}

// crowd calls do n times at once, until it is not told that the service is busy, and returns what each call came to.
func crowd(n int, do func(i int) error) []error {
	return testkit.Crowd(n, func(i int) error {
		return testkit.Persist(pin.ErrBusy, func() error { return do(i) })
	})
}

// newKitOn makes a service over a store that may have served another before.
func newKitOn(t testing.TB, s store.Store, p pin.Policy, c *testkit.Clock, m *testkit.Mailbox, r *testkit.Recorder) *kit {
	t.Helper()
	return newLimitedKitOn(t, s, p, testkit.Limits(), c, m, r)
}

// newLimitedKit makes a service of INPS's policy over a store of its own, with limits of messages.
func newLimitedKit(t testing.TB, l outbox.Limits) *kit {
	t.Helper()
	return newLimitedKitOn(t, store.NewMemory(), pin.INPS(), l, newClock(), &testkit.Mailbox{}, &testkit.Recorder{})
}

func newLimitedKitOn(t testing.TB, s store.Store, p pin.Policy, l outbox.Limits, c *testkit.Clock, m *testkit.Mailbox,
	r *testkit.Recorder,
) *kit {
	t.Helper()
	k := newRecordedKitOn(t, s, p, l, c, m, r)
	k.events = r
	return k
}

// newRecordedKitOn makes a service whose events any recorder is told.
func newRecordedKitOn(t testing.TB, s store.Store, p pin.Policy, l outbox.Limits, c *testkit.Clock, m *testkit.Mailbox,
	r civicpin.Recorder,
) *kit {
	t.Helper()
	p.Exceptions = testkit.Except(p.Breaks())
	vault := testkit.Vault(t, s, c, r)
	out := testkit.Outbox(t, vault, m, l)
	pins, err := pin.NewCheap(vault, out, p)
	require.NoError(t, err)
	return &kit{Service: pins, clock: c, mail: m, vault: vault, out: out, policy: p}
}

// other is a service of the same policy in another process, which reaches the same records through s.
func (k *kit) other(t testing.TB, s store.Store) *kit {
	t.Helper()
	o := newKitOn(t, s, k.policy, k.clock, k.mail, k.events)
	o.grant = k.grant
	return o
}

// last returns the text that came last to an address, "" if none did.
func (k *kit) last(address string) string { return k.mail.Last(address, "").Secret.Reveal() }

const (
	maria  = civicpin.Subject("RSSMRA85T10A562S")
	phone  = "+393331234567"
	email  = "maria.rossi@example.it"
	chosen = "QZ7WK4PM"
	wrong  = "ZZ9Y8X7W"
)

var clerk = civicpin.Operator("bianchi")

// inps are the options of an issue as a citizen asks for it.
func inps() pin.IssueOptions {
	return pin.IssueOptions{
		Parts: []civicpin.Contact{{Channel: civicpin.SMS, Address: phone}, {Channel: civicpin.Email, Address: email}},
		By:    civicpin.Citizen,
	}
}

// try is an attempt of Maria's.
func try(secret string) pin.Attempt {
	return pin.Attempt{Subject: maria, Secret: civicpin.NewSecret(secret), Source: civicpin.Source{Address: "192.0.2.1"}}
}

// issued has a clerk issue to Maria, sends the parts, and returns the 16 characters as she would type them.
func (k *kit) issued(t testing.TB) string {
	t.Helper()
	o := inps()
	o.By = clerk
	require.NoError(t, testkit.Err(k.Issue(t.Context(), maria, o)))
	require.NoError(t, k.out.Flush(t.Context()))
	first, second := k.last(phone), k.last(email)
	require.Len(t, first, 8)
	require.Len(t, second, 8)
	return first + second
}

// exchanged issues to Maria and exchanges for the chosen PIN.
func (k *kit) exchanged(t testing.TB) {
	t.Helper()
	require.NoError(t, testkit.Err(k.Exchange(t.Context(), try(k.issued(t)), civicpin.NewSecret(chosen))))
}

// atDeskSent issues to Maria on evidence, sends the parts, and returns the 16 characters as she would type them.
func (k *kit) atDeskSent(t *testing.T) string {
	t.Helper()
	require.NoError(t, k.atDesk(t))
	require.NoError(t, k.out.Flush(t.Context()))
	return k.last(phone) + k.last(email)
}

// anew is what Maria chooses after an earlier secret was revoked.
const anew = "TR5W9PLK"

// anew has a clerk issue to Maria, and exchanges.
func (k *kit) anew(t testing.TB) {
	t.Helper()
	require.NoError(t, testkit.Err(k.Exchange(t.Context(), try(k.issued(t)), civicpin.NewSecret(anew))))
}

// revoked revokes Maria's credential.
func (k *kit) revoked(t testing.TB) {
	t.Helper()
	require.NoError(t, k.Revoke(t.Context(), maria, state.Ended, "stolen", clerk))
}

// imported takes over a secret of Maria's from another system.
func (k *kit) imported(t testing.TB, secret string) {
	t.Helper()
	hash := password.New(password.Params{Memory: 16, Time: 1, Threads: 1}, secret).Encode()
	require.NoError(t, k.Import(t.Context(), maria, civicpin.NewSecret(hash), pin.ImportOptions{By: clerk}))
}
