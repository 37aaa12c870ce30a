package contact_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/store"
)

// notedCredentials are credentials whose calls are store calls, and are noted.
type notedCredentials struct {
	store store.Store
	calls []string
}

func (c *notedCredentials) called(ctx context.Context, method string, args ...any) error {
	c.calls = append(c.calls, method+" "+strings.TrimSpace(fmt.Sprintln(args...)))
	_, err := c.store.Get(ctx, "credential."+method+"/ROSA")
	return err
}

func (c *notedCredentials) Acts(ctx context.Context, _ civicpin.Subject) (string, error) {
	if _, err := c.store.Get(ctx, "credential.Acts/ROSA"); !errors.Is(err, store.ErrNotFound) {
		return "", err
	}
	return "", nil
}

func (c *notedCredentials) LowerLevel(ctx context.Context, subject civicpin.Subject, to civicpin.Level, until time.Time,
	reason string, by civicpin.Actor,
) error {
	return c.called(ctx, "LowerLevel", subject, to, until.Sub(newBookClock().Now()), reason, by)
}

func (c *notedCredentials) ContactsWent(ctx context.Context, subject civicpin.Subject, went []civicpin.Contact, undone time.Time,
	by civicpin.Actor,
) error {
	since := "none"
	if !undone.IsZero() {
		since = undone.Sub(newBookClock().Now()).String()
	}
	addresses := testkit.Addresses(went, func(c civicpin.Contact) string { return c.Address })
	return c.called(ctx, "ContactsWent", subject, addresses, since, by)
}

func (c *notedCredentials) Stop(ctx context.Context, subject civicpin.Subject, reason string, by civicpin.Actor) error {
	return c.called(ctx, "Stop", subject, reason, by)
}

// An act is one whose fields are written without their names.
type act testkit.Act[*bookKit]

// acts are the exported methods that use the store, in the cases that differ.
var acts = []act{
	{"Add", enrolled, adds(byNewMail), []string{
		"contact.changed|0912345678|citizen|192.0.2.7|#2|none|asked email",
	}, nil},
	{"Add to none", noContacts, adds(byNewMail), []string{
		"contact.changed|0912345678|citizen|192.0.2.7|#1|none|asked email",
	}, nil},
	{"Add again", func(t *testing.T, k *bookKit) { k.enrolled(t); k.asks(t, byNewMail) }, adds(byNewMail), []string{
		"contact.changed|0912345678|citizen|192.0.2.7|#2|none|asked email",
	}, nil},
	{"Change", enrolled, func(ctx context.Context, k *bookKit) error {
		return testkit.Err(k.Change(ctx, rosa, k.mailID, byNewMail, bookClerk, bookHome))
	}, []string{
		"contact.changed|0912345678|operator:zambrano|192.0.2.7|#2|none|asked email",
	}, nil},
	{"Prove", changing, func(ctx context.Context, k *bookKit) error {
		return k.Prove(ctx, k.post.Last(newMail, proveKind).Link, bookHome)
	}, []string{
		"contact.changed|0912345678|citizen|192.0.2.7|#4|none|changed email",
		"LowerLevel 0912345678 low 168h0m0s contacts changed citizen",
		"ContactsWent 0912345678 [rosa@example.ec] none citizen",
	}, nil},
	{"Prove the first", func(t *testing.T, k *bookKit) { k.asks(t, byNewMail) }, func(ctx context.Context, k *bookKit) error {
		return k.Prove(ctx, k.post.Last(newMail, proveKind).Link, bookHome)
	}, []string{
		"contact.changed|0912345678|citizen|192.0.2.7|#3|none|added email",
	}, nil},
	{"ProveCode", changing, func(ctx context.Context, k *bookKit) error {
		return k.ProveCode(ctx, rosa, k.post.Last(newMail, proveKind).Secret, bookHome)
	}, []string{
		"contact.changed|0912345678|citizen|192.0.2.7|#4|none|changed email",
		"LowerLevel 0912345678 low 168h0m0s contacts changed citizen",
		"ContactsWent 0912345678 [rosa@example.ec] none citizen",
	}, nil},
	{
		"ProveCode late", func(t *testing.T, k *bookKit) { changing(t, k); k.clock.Add(bookDay) },
		func(ctx context.Context, k *bookKit) error {
			return k.ProveCode(ctx, rosa, k.post.Last(newMail, proveKind).Secret, bookHome)
		}, nil, nil,
	},
	{"ProveCode of a wrong one", changing, provesWrong, []string{
		"contact.refused|0912345678|visitor|192.0.2.7||none|wrong",
	}, nil},
	{"ProveCode of a stranger", noContacts, provesWrong, []string{
		"contact.refused|0912345678|visitor|192.0.2.7||none|unknown",
	}, nil},
	{"Remove", enrolled, func(ctx context.Context, k *bookKit) error {
		return k.Remove(ctx, rosa, k.mailID, civicpin.Citizen, bookHome)
	}, []string{
		"contact.changed|0912345678|citizen|192.0.2.7|#2|none|removed email",
		"ContactsWent 0912345678 [rosa@example.ec] none citizen",
	}, nil},
	{
		"Remove a candidate", func(t *testing.T, k *bookKit) { k.mailID = k.asks(t, byNewMail).ID },
		func(ctx context.Context, k *bookKit) error {
			return k.Remove(ctx, rosa, k.mailID, civicpin.Citizen, bookHome)
		}, nil, nil,
	},
	{"MakePrimary", enrolled, func(ctx context.Context, k *bookKit) error {
		return k.MakePrimary(ctx, rosa, k.mailID, bookClerk, bookHome)
	}, []string{
		"contact.changed|0912345678|operator:zambrano|192.0.2.7|#2|none|primary",
	}, nil},
	{"Adopt by staff", enrolled, func(ctx context.Context, k *bookKit) error {
		return k.Adopt(ctx, rosa, []civicpin.Contact{byNewMail}, bookClerk, bookHome)
	}, []string{
		"contact.changed|0912345678|operator:zambrano|192.0.2.7|#2|none|adopted email",
		"lockout.rebound|0912345678|operator:zambrano|||none|",
	}, nil},
	{"Adopt by the subject", enrolled, func(ctx context.Context, k *bookKit) error {
		return k.Adopt(ctx, rosa, []civicpin.Contact{byNewMail}, civicpin.Citizen, bookHome)
	}, []string{
		"contact.changed|0912345678|citizen|192.0.2.7|#2|none|adopted email",
		"LowerLevel 0912345678 low 168h0m0s contacts changed citizen",
	}, nil},
	{"Recovered", enrolled, func(ctx context.Context, k *bookKit) error {
		return contact.Adopt(ctx, k.Service, rosa, bookChange, byNewMail, newBookClock().Now().Add(10*bookDay))
	}, []string{
		"contact.changed|0912345678|citizen||#2|none|changed email by a recovery",
		"LowerLevel 0912345678 low 240h0m0s contacts changed citizen",
		"ContactsWent 0912345678 [rosa@example.ec] none citizen",
	}, nil},
	{"Recovered by a thief", func(t *testing.T, k *bookKit) {
		k.enrolled(t)
		require.NoError(t, contact.Adopt(t.Context(), k.Service, rosa, bookChange, byThief, k.clock.Now().Add(10*bookDay)))
	}, func(ctx context.Context, k *bookKit) error {
		return contact.UndoChange(ctx, k.Service, rosa, bookChange)
	}, []string{
		"contact.changed|0912345678|citizen||#2|none|undone",
		"ContactsWent 0912345678 [thief@example.net] 0s citizen",
	}, nil},
	{"Undo", undoable, func(ctx context.Context, k *bookKit) error {
		return k.Undo(ctx, k.post.Last(rosaMail, changedKind).Link, bookHome)
	}, []string{
		"contact.changed|0912345678|citizen|192.0.2.7|#4|none|undone",
		"Stop 0912345678 undone by a contact citizen",
		"ContactsWent 0912345678 [rosa.new@example.org] 0s citizen",
	}, nil},
	{"EndDispute", disputed, func(ctx context.Context, k *bookKit) error {
		return testkit.Err(k.EndDispute(ctx, rosa, k.mine, k.by, bookHome))
	}, []string{
		"contact.changed|0912345678|citizen|192.0.2.7|#10|none|asked sms",
	}, nil},
	{"ProveCode that ends a dispute", claimed, func(ctx context.Context, k *bookKit) error {
		return k.ProveCode(ctx, rosa, k.post.Last(rosaPhone, proveKind).Secret, bookHome)
	}, []string{
		"contact.changed|0912345678|citizen|192.0.2.7|#12|none|settling",
	}, nil},
	{
		"Undo that objects", func(t *testing.T, k *bookKit) { claimed(t, k); k.proves(t, rosaPhone) },
		func(ctx context.Context, k *bookKit) error {
			return k.Undo(ctx, k.post.Last(rosaMail, changedKind).Link, bookHome)
		}, nil, nil,
	},
	{"Notify", enrolled, func(ctx context.Context, k *bookKit) error { return k.tells(ctx, rosa, "pin.changed", nil) }, nil, nil},
	{"Inspect a proof", changing, func(ctx context.Context, k *bookKit) error {
		return testkit.Err(k.Inspect(ctx, k.post.Last(newMail, proveKind).Link))
	}, nil, nil},
	{"Inspect an undo", undoable, func(ctx context.Context, k *bookKit) error {
		return testkit.Err(k.Inspect(ctx, k.post.Last(rosaMail, changedKind).Link))
	}, nil, nil},
	{"List", enrolled, func(ctx context.Context, k *bookKit) error { _, _, err := k.List(ctx, rosa); return err }, nil, nil},
	{"Dispute", disputed, func(ctx context.Context, k *bookKit) error { return testkit.Err(k.Dispute(ctx, rosa)) }, nil, nil},
	{"Snapshot", enrolled, func(ctx context.Context, k *bookKit) error { return testkit.Err(k.Snapshot(ctx, rosa)) }, nil, nil},
	{"Epoch", enrolled, func(ctx context.Context, k *bookKit) error { return testkit.Err(k.Epoch(ctx, rosa)) }, nil, nil},
	{"Proved", enrolled, func(ctx context.Context, k *bookKit) error {
		return testkit.Err(k.Proved(ctx, rosa, []civicpin.Contact{byMail}))
	}, nil, nil},
	{"Lost", enrolled, func(ctx context.Context, k *bookKit) error { return testkit.Err(k.Lost(ctx, rosa, byMail)) }, nil, nil},
}

func noContacts(*testing.T, *bookKit) {}

func enrolled(t *testing.T, k *bookKit) { k.enrolled(t) }

func disputed(t *testing.T, k *bookKit) { k.disputed(t) }

// undoable is a mailbox that was replaced.
func undoable(t *testing.T, k *bookKit) { changing(t, k); k.proves(t, newMail) }

// claimed is a dispute that waits for its proof.
func claimed(t *testing.T, k *bookKit) {
	k.disputed(t)
	require.NoError(t, k.claims(t))
	k.flush(t)
}

func adds(to civicpin.Contact) func(context.Context, *bookKit) error {
	return func(ctx context.Context, k *bookKit) error {
		return testkit.Err(k.Add(ctx, rosa, to, civicpin.Citizen, bookHome))
	}
}

func provesWrong(ctx context.Context, k *bookKit) error {
	return k.ProveCode(ctx, rosa, civicpin.NewSecret("WWWWWWWW"), bookHome)
}

// withNoted makes a service that acts upon noted credentials.
func withNoted(t *testing.T, s store.Store) *bookKit {
	t.Helper()
	k := newBookKitOn(t, s, bookConfig(), newBookClock(), &testkit.Mailbox{}, &testkit.Recorder{})
	k.noted = &notedCredentials{store: s}
	return k.rests(t, contact.Policy{LowerTo: new(civicpin.Low), SuspendOnUndo: true}, k.noted)
}

// TestStoreFails: what the store or the credentials do not do, the caller is told, but where the call goes on without it.
func TestStoreFails(t *testing.T) {
	for _, a := range acts {
		t.Run(a.Name, func(t *testing.T) { testkit.Act[*bookKit](a).Fails(t, withNoted) })
	}
}

// TestWhatIsRecorded holds all events of each act, and all that it does to the credentials, against what the table says.
func TestWhatIsRecorded(t *testing.T) {
	for _, a := range acts {
		t.Run(a.Name, func(t *testing.T) {
			k := withNoted(t, store.NewMemory())
			a.Prepare(t, k)
			before := len(k.events.All())
			k.noted.calls = nil
			_ = a.Do(t.Context(), k)
			lines := append(k.events.Lines()[before:], k.noted.calls...)
			require.Equal(t, strings.Join(a.Lines, "\n"), strings.Join(lines, "\n"))
		})
	}
}
