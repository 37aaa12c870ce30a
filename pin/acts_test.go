package pin_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/proof"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/pin/state"
	"github.com/civicpin/civicpin/store"
)

// home is where Maria sits, without a device.
var home = civicpin.Source{Address: "192.0.2.7"}

// An act is one whose fields are written without their names.
type act testkit.Act[*kit]

// acts are the exported methods that use the store, in the cases that differ.
var acts = []act{
	{"Issue by staff", nothing, issues(clerk, inps()), []string{
		"pin.issued|RSSMRA85T10A562S|operator:bianchi|192.0.2.7|#1|low|",
	}, nil},
	{"Issue on line", nothing, issues(civicpin.Citizen, inps()), []string{
		"pin.issued|RSSMRA85T10A562S|citizen|192.0.2.7|#1|low|",
	}, nil},
	{"Issue on evidence", nothing, func(ctx context.Context, k *kit) error {
		o := inps()
		o.By, o.Level, o.Evidence = clerk, civicpin.Substantial, inPerson
		return testkit.Err(k.Issue(ctx, maria, o))
	}, []string{
		"lockout.rebound|RSSMRA85T10A562S|operator:bianchi|||none|",
		"pin.issued|RSSMRA85T10A562S|operator:bianchi||#1|substantial|",
	}, nil},
	{"Issue again", issuedBefore, issues(civicpin.Citizen, inps()), []string{
		"pin.resent|RSSMRA85T10A562S|citizen|192.0.2.7|#1|low|",
	}, nil},
	{"Issue at once", func(t *testing.T, k *kit) { k.issued(t) }, issues(civicpin.Citizen, inps()), []string{
		"pin.nothing_issued|RSSMRA85T10A562S|citizen|192.0.2.7|#1|low|nothing to send, or sent just now",
	}, nil},
	{"Issue aside", issuedBefore, issues(civicpin.Citizen, byLetter()), []string{
		"pin.issued_aside|RSSMRA85T10A562S|citizen|192.0.2.7|#4|low|",
	}, nil},
	{"Issue to an owner", active, issues(civicpin.Citizen, inps()), []string{
		"pin.nothing_issued|RSSMRA85T10A562S|citizen|192.0.2.7||none|refused",
	}, nil},
	{"Resend", issuedBefore, func(ctx context.Context, k *kit) error { return k.Resend(ctx, maria, 1, home) }, []string{
		"pin.resent|RSSMRA85T10A562S|visitor|192.0.2.7|#1|none|",
	}, nil},
	{"Resend nothing", nothing, func(ctx context.Context, k *kit) error { return k.Resend(ctx, maria, 1, home) }, []string{
		"pin.nothing_issued|RSSMRA85T10A562S|visitor|192.0.2.7||none|nothing to send, or sent just now",
	}, nil},
	{"Reprint", printed, func(ctx context.Context, k *kit) error { return testkit.Err(k.Reprint(ctx, maria, clerk)) }, []string{
		"pin.resent|RSSMRA85T10A562S|operator:bianchi||#1|none|",
	}, nil},
	{"RequestCode", revoked, func(ctx context.Context, k *kit) error { return testkit.Err(k.RequestCode(ctx, maria, clerk)) }, []string{
		"pin.request_code|RSSMRA85T10A562S|operator:bianchi||#1|none|",
	}, nil},
	{"Receipt", issuedBefore, func(ctx context.Context, k *kit) error { return k.Receipt(ctx, "receipt-2", state.Delivered) }, []string{
		"pin.part_delivered|RSSMRA85T10A562S|||#1|none|reported by the provider",
	}, nil},
	{"Receipt of a failure", issuedBefore, func(ctx context.Context, k *kit) error { return k.Receipt(ctx, "receipt-2", state.Failed) }, []string{
		"pin.part_failed|RSSMRA85T10A562S|||#1|none|reported by the provider",
	}, nil},

	{"Verify", active, verifies(chosen), []string{
		"pin.verified|RSSMRA85T10A562S|citizen|192.0.2.1|#1|low|",
	}, []string{"Put quota.sources.pin.inps"}},
	{"Verify after a day", aDayLater, verifies(chosen), []string{
		"pin.verified|RSSMRA85T10A562S|citizen|192.0.2.1|#1|low|",
	}, []string{"Put quota.sources.pin.inps", "Put pin.inps"}},
	{"Verify what was imported", imported, verifies("4711"), []string{
		"pin.verified|RSSMRA85T10A562S|citizen|192.0.2.1||low|",
	}, []string{"Put quota.sources.pin.inps", "Put pin.inps"}},
	{"Verify what was issued", issuedBefore, func(ctx context.Context, k *kit) error { return verifies(k.code())(ctx, k) }, []string{
		"pin.verified|RSSMRA85T10A562S|citizen|192.0.2.1|#1|low|",
	}, []string{"Put quota.sources.pin.inps"}},
	{"Verify too late", func(t *testing.T, k *kit) { k.exchanged(t); k.clock.Add(90 * day) }, verifies(chosen), []string{
		"pin.expired|RSSMRA85T10A562S|citizen|192.0.2.1|#1|low|change",
	}, []string{"Put quota.sources.pin.inps"}},
	{"Verify a wrong one", active, verifies(wrong), []string{
		"pin.refused|RSSMRA85T10A562S|visitor|192.0.2.1|#1|low|wrong",
	}, []string{"Put quota.global.pin.inps"}},
	{"Verify of a stranger", nothing, verifies(wrong), []string{
		"pin.refused|RSSMRA85T10A562S|visitor|192.0.2.1||none|unknown",
	}, []string{"Put quota.global.pin.inps"}},
	{"Exchange", issuedBefore, exchanges, []string{
		"pin.exchanged|RSSMRA85T10A562S|citizen|192.0.2.1|#1|low|",
	}, []string{"Put quota.sources.pin.inps"}},
	{"Exchange again", active, exchanges, []string{
		"pin.verified|RSSMRA85T10A562S|citizen|192.0.2.1|#1|low|again",
	}, []string{"Put quota.sources.pin.inps"}},
	{"Change", active, changes(chosen), []string{
		"pin.changed|RSSMRA85T10A562S|citizen|192.0.2.1|#1|low|",
	}, []string{"Put quota.sources.pin.inps"}},
	{"Change again", changedBefore, changes(chosen), []string{
		"pin.verified|RSSMRA85T10A562S|citizen|192.0.2.1|#1|low|again",
	}, []string{"Put quota.sources.pin.inps"}},
	{"Change of a wrong one", active, changes(wrong), []string{
		"pin.refused|RSSMRA85T10A562S|visitor|192.0.2.1|#1|low|wrong",
	}, []string{"Put quota.global.pin.inps"}},
	{"RememberDevice", active, func(ctx context.Context, k *kit) error {
		return testkit.Err(k.RememberDevice(ctx, k.ok))
	}, []string{
		"lockout.device_remembered|RSSMRA85T10A562S|citizen|192.0.2.1|#4|none|device",
	}, nil},
	{"Shown", device, func(ctx context.Context, k *kit) error { return testkit.Err(k.Shown(ctx, maria, k.source)) }, nil, nil},
	{"Epoch", active, func(ctx context.Context, k *kit) error { return testkit.Err(k.Epoch(ctx, maria)) }, nil, nil},
	{"Acts", active, func(ctx context.Context, k *kit) error { return testkit.Err(k.Acts(ctx, maria)) }, nil, nil},
	{"Status", active, func(ctx context.Context, k *kit) error { return testkit.Err(k.Status(ctx, maria)) }, nil, nil},

	{"Mark", active, func(ctx context.Context, k *kit) error { return testkit.Err(k.Mark(ctx, maria)) }, nil, nil},
	{"Complete", active, completes(nil), []string{
		"pin.granted|RSSMRA85T10A562S|citizen|192.0.2.7|#1|low|plan run",
	}, nil},
	{"Complete a beginning", nothing, completes(func(p *proof.Completed) { p.Creates = true }), []string{
		"pin.granted|RSSMRA85T10A562S|citizen|192.0.2.7||none|plan run",
	}, nil},
	{"Complete an unlock", active, completes(func(p *proof.Completed) { p.Unlock = true }), []string{
		"lockout.unlocked|RSSMRA85T10A562S|citizen|||none|",
	}, nil},
	{"Set", granted(), sets(changed), []string{
		"pin.recovered|RSSMRA85T10A562S|citizen|192.0.2.7|#1|low|",
		"lockout.devices_forgotten|RSSMRA85T10A562S|citizen|||none|",
		"lockout.rebound|RSSMRA85T10A562S|citizen|||none|",
	}, []string{"Put quota.grant.pin.inps"}},
	{"Set again", func(t *testing.T, k *kit) {
		granted()(t, k)
		require.NoError(t, sets(changed)(t.Context(), k))
	}, sets(changed), []string{
		"pin.verified|RSSMRA85T10A562S|citizen||#1|low|again",
		"lockout.rebound|RSSMRA85T10A562S|citizen|||none|",
	}, []string{"Put quota.grant.pin.inps"}},
	{"Set a former one", granted(), sets(chosen), nil, []string{"Put quota.grant.pin.inps"}},
	{"Set under a made-up one", func(t *testing.T, k *kit) { granted()(t, k); k.grant = forgedGrant(t) }, sets(changed), []string{
		"pin.grant_refused|RSSMRA85T10A562S|visitor|192.0.2.7||none|",
	}, nil},
	{"Reissue", granted(inps().Parts...), func(ctx context.Context, k *kit) error {
		return testkit.Err(k.Reissue(ctx, k.grant, home))
	}, []string{
		"pin.recovered|RSSMRA85T10A562S|citizen|192.0.2.7|#5|low|",
		"lockout.devices_forgotten|RSSMRA85T10A562S|citizen|||none|",
		"lockout.rebound|RSSMRA85T10A562S|citizen|||none|",
	}, []string{"Put quota.grant.pin.inps"}},
	{"Repudiated", func(t *testing.T, k *kit) {
		granted()(t, k)
		require.NoError(t, sets(changed)(t.Context(), k))
	}, func(ctx context.Context, k *kit) error { return k.Repudiated(ctx, repudiated(nil)) }, []string{
		"pin.repudiated|RSSMRA85T10A562S|citizen||#1|none|repudiated by a contact",
	}, nil},

	{"Attest", active, func(ctx context.Context, k *kit) error { return k.Attest(ctx, maria, inPerson) }, []string{
		"pin.attested|RSSMRA85T10A562S|operator:bianchi||#1|substantial|in-person",
	}, nil},
	{"LowerLevel", active, func(ctx context.Context, k *kit) error {
		return k.LowerLevel(ctx, maria, civicpin.Low, k.clock.Now().Add(time.Hour), "moved", clerk)
	}, []string{
		"pin.lowered|RSSMRA85T10A562S|operator:bianchi||#1|low|moved",
	}, nil},
	{"EndSessions", active, func(ctx context.Context, k *kit) error { return k.EndSessions(ctx, maria, civicpin.Citizen) }, []string{
		"pin.sessions_ended|RSSMRA85T10A562S|citizen||#1|low|",
	}, nil},
	{"Suspend", device, func(ctx context.Context, k *kit) error { return k.Suspend(ctx, maria, "lost", clerk) }, []string{
		"pin.suspended|RSSMRA85T10A562S|operator:bianchi||#1|low|lost",
		"lockout.devices_forgotten|RSSMRA85T10A562S|operator:bianchi|||none|",
	}, nil},
	{"Resume", func(t *testing.T, k *kit) {
		k.exchanged(t)
		require.NoError(t, k.Suspend(t.Context(), maria, "lost", civicpin.Citizen))
	}, func(ctx context.Context, k *kit) error { return k.Resume(ctx, maria, inPerson, "found", clerk) }, []string{
		"pin.resumed|RSSMRA85T10A562S|operator:bianchi||#1|substantial|found",
	}, nil},
	{"Stop", device, func(ctx context.Context, k *kit) error { return k.Stop(ctx, maria, "undone", civicpin.Citizen) }, []string{
		"pin.suspended|RSSMRA85T10A562S|citizen||#1|low|undone",
		"lockout.devices_forgotten|RSSMRA85T10A562S|citizen|||none|",
	}, nil},
	{"Revoke", device, func(ctx context.Context, k *kit) error { return k.Revoke(ctx, maria, state.Fraud, "sold", clerk) }, []string{
		"pin.revoked|RSSMRA85T10A562S|operator:bianchi||#1|none|sold",
		"lockout.devices_forgotten|RSSMRA85T10A562S|operator:bianchi|||none|",
	}, nil},
	{"Unlock", active, func(ctx context.Context, k *kit) error { return k.Unlock(ctx, maria, clerk) }, []string{
		"lockout.unlocked|RSSMRA85T10A562S|operator:bianchi|||none|",
	}, nil},
	{"Import", revoked, func(ctx context.Context, k *kit) error {
		return k.Import(ctx, maria, civicpin.NewSecret(bcrypt4711), pin.ImportOptions{By: clerk})
	}, []string{
		"lockout.rebound|RSSMRA85T10A562S|operator:bianchi|||none|",
		"pin.imported|RSSMRA85T10A562S|operator:bianchi|||low|bcrypt(2a,4)",
	}, nil},
	{"ContactsWent", issuedBefore, func(ctx context.Context, k *kit) error {
		return k.ContactsWent(ctx, maria, inps().Parts[:1], k.clock.Now().Add(-day), civicpin.Citizen)
	}, nil, nil},
	{
		"Sweep", func(t *testing.T, k *kit) { k.issued(t); k.clock.Add(7 * day) },
		func(ctx context.Context, k *kit) error { return testkit.Err(k.Sweep(ctx, 10)) }, nil, nil,
	},
}

// bcrypt4711 is a hash of "4711".
const bcrypt4711 = "$2a$04$rVFSXhNrqQ6KM4quy.HsK.tj70bYavwHXc6549VTryDfYpgIm8b.a"

var inPerson = civicpin.Evidence{Method: civicpin.InPerson, Document: "CA12345AA", By: clerk}

func nothing(*testing.T, *kit) {}

func revoked(t *testing.T, k *kit) { k.exchanged(t); k.revoked(t) }

func imported(t *testing.T, k *kit) { k.imported(t, "4711") }

// active is a credential in use, of a login.
func active(t *testing.T, k *kit) {
	k.exchanged(t)
	var err error
	k.ok, err = k.Verify(t.Context(), try(chosen))
	require.NoError(t, err)
}

func aDayLater(t *testing.T, k *kit) { k.exchanged(t); k.clock.Add(day) }

func issuedBefore(t *testing.T, k *kit) { k.issued(t); k.clock.Add(time.Hour) }

func changedBefore(t *testing.T, k *kit) {
	k.exchanged(t)
	require.NoError(t, changes(chosen)(t.Context(), k))
}

// printed is an issue of which one part is printed.
func printed(t *testing.T, k *kit) {
	o := inps()
	o.Parts[1] = civicpin.Contact{Channel: civicpin.HandedOver}
	require.NoError(t, issues(clerk, o)(t.Context(), k))
}

// device is a credential in use, of a subject with a known device.
func device(t *testing.T, k *kit) {
	k.exchanged(t)
	k.source = civicpin.Source{Address: home.Address, Device: civicpin.NewSecret(k.remembered(t, ""))}
}

func granted(parts ...civicpin.Contact) func(*testing.T, *kit) {
	return func(t *testing.T, k *kit) { device(t, k); k.grant = k.granted(t, parts...) }
}

// forgedGrant is a grant of Maria's that no service gave.
func forgedGrant(t *testing.T) pin.Grant {
	return parsed(t, "g1.UlNTTVJBODVUMTBBNTYyUw."+strings.Repeat("A", 43))
}

func issues(by civicpin.Actor, o pin.IssueOptions) func(context.Context, *kit) error {
	o.By, o.Source = by, home
	return func(ctx context.Context, k *kit) error { return testkit.Err(k.Issue(ctx, maria, o)) }
}

func verifies(secret string) func(context.Context, *kit) error {
	return func(ctx context.Context, k *kit) error { return testkit.Err(k.Verify(ctx, try(secret))) }
}

func exchanges(ctx context.Context, k *kit) error {
	return testkit.Err(k.Exchange(ctx, try(k.code()), civicpin.NewSecret(chosen)))
}

func changes(from string) func(context.Context, *kit) error {
	return func(ctx context.Context, k *kit) error {
		return testkit.Err(k.Change(ctx, try(from), civicpin.NewSecret(changed)))
	}
}

func sets(choice string) func(context.Context, *kit) error {
	return func(ctx context.Context, k *kit) error {
		return testkit.Err(k.Set(ctx, k.grant, civicpin.NewSecret(choice), home))
	}
}

func completes(change func(*proof.Completed)) func(context.Context, *kit) error {
	return func(ctx context.Context, k *kit) error {
		m, err := k.Mark(ctx, maria)
		if err != nil {
			return err
		}
		p := proof.Completed{Subject: maria, Plan: "plan", Run: "run", Source: home, Epoch: m.Epoch, Valid: time.Hour}
		if change != nil {
			change(&p)
		}
		return testkit.Err(k.Complete(ctx, proof.New(p)))
	}
}

// code is the issued secret that came last.
func (k *kit) code() string { return k.last(phone) + k.last(email) }

// withHistory makes a service that keeps former secrets, and knows devices.
func withHistory(t *testing.T, s store.Store) *kit {
	t.Helper()
	p := withDevices()
	p.History = 3
	return newKitOn(t, s, p, newClock(), &testkit.Mailbox{}, &testkit.Recorder{})
}

// TestStoreFails: what the store does not do, the caller is told, but where the call goes on without it.
func TestStoreFails(t *testing.T) {
	for _, a := range acts {
		t.Run(a.Name, func(t *testing.T) { testkit.Act[*kit](a).Fails(t, withHistory) })
	}
}

// TestWhatIsRecorded holds all events of each act against what the table says.
func TestWhatIsRecorded(t *testing.T) {
	for _, a := range acts {
		t.Run(a.Name, func(t *testing.T) {
			k := withHistory(t, store.NewMemory())
			a.Prepare(t, k)
			before := len(k.events.All())
			_ = a.Do(t.Context(), k)
			require.Equal(t, strings.Join(a.Lines, "\n"), strings.Join(k.events.Lines()[before:], "\n"))
		})
	}
}
