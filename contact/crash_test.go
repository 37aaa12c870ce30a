package contact_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/pin"
)

// cheapHash is of Rosa's password, as another system kept it.
var cheapHash = sync.OnceValue(func() string {
	hash, err := bcrypt.GenerateFromPassword([]byte("the long password of Rosa"), 10)
	if err != nil {
		panic(err)
	}
	return string(hash)
})

// withPins gives the kit, whose contacts have a policy then, credentials, and Rosa one of level Substantial.
func (k *bookKit) withPins(t testing.TB, p contact.Policy) *bookKit {
	t.Helper()
	pins, err := pin.New(k.out, pin.Default())
	require.NoError(t, err)
	k.pins = pins
	return k.rests(t, p, pins)
}

// elsewhere are credentials that do not say which outbox they are over.
type elsewhere struct{ contact.Credentials }

// rests has the kit's contacts have a policy, and credentials.
func (k *bookKit) rests(t testing.TB, p contact.Policy, c contact.Credentials) *bookKit {
	t.Helper()
	p.Sends = k.config.Sends
	k.config = p
	var err error
	k.Service, err = contact.New(k.out, p, c)
	require.NoError(t, err)
	return k
}

// credential imports a credential for Rosa.
func (k *bookKit) credential(t testing.TB) {
	t.Helper()
	require.NoError(t, k.pins.Import(t.Context(), rosa, civicpin.NewSecret(cheapHash()), pin.ImportOptions{
		Level: civicpin.Substantial, Evidence: civicpin.Evidence{Method: civicpin.InPerson, By: bookClerk}, By: bookClerk,
	}))
}

// status is what is known of Rosa's credential.
func (k *bookKit) status(t testing.TB) pin.Status {
	t.Helper()
	st, err := k.pins.Status(t.Context(), rosa)
	require.NoError(t, err)
	return st
}

// A bookFlow is a call whose every store call may be the last one.
type bookFlow struct {
	name    string
	policy  *contact.Policy                // with credentials, if not nil
	prepare func(t *testing.T, k *bookKit) // on a store without faults
	act     func(t *testing.T, k *bookKit) error
	// after looks at what another process finds, which has all the time that it needs. err is what act returned.
	after func(t *testing.T, k *bookKit, err error)
}

// changing has Rosa's new address waiting to take the place of her mailbox.
func changing(t *testing.T, k *bookKit) {
	_, mail := k.enrolled(t)
	_, err := k.Change(t.Context(), rosa, mail.ID, byNewMail, civicpin.Citizen, bookHome)
	require.NoError(t, err)
	k.flush(t)
}

// changed looks at what became of the change: it was made, told, and can be undone, or it can still be made.
func changed(t *testing.T, k *bookKit, err error) {
	if len(k.addresses(t)) == 2 && k.addresses(t)[1] == rosaMail {
		require.Error(t, err, "a proof that was acknowledged holds")
		require.Empty(t, k.post.To(rosaMail, changedKind), "nobody is told of what did not happen")
		require.NoError(t, k.Prove(t.Context(), k.post.Last(newMail, proveKind).Link, bookHome))
		k.flush(t)
	}
	require.Equal(t, []string{rosaPhone, newMail}, k.addresses(t))
	require.Equal(t, []string{rosaPhone}, k.usable(t))
	require.ErrorIs(t, k.Prove(t.Context(), k.post.Last(newMail, proveKind).Link, bookHome), contact.ErrGone)
	require.Len(t, k.post.To(rosaPhone, changedKind), 1)
	require.Len(t, k.post.To(rosaMail, changedKind), 1)
	require.NoError(t, k.undoes(t, rosaMail))
	require.Equal(t, []string{rosaPhone, rosaMail}, k.usable(t))
}

var bookFlows = []bookFlow{
	{
		name:    "add",
		prepare: func(t *testing.T, k *bookKit) { k.enrolled(t) },
		act: func(t *testing.T, k *bookKit) error {
			_, err := k.Add(t.Context(), rosa, byNewMail, civicpin.Citizen, bookHome)
			return err
		},
		after: func(t *testing.T, k *bookKit, err error) {
			require.Equal(t, []string{rosaPhone, rosaMail}, k.addresses(t))
			require.LessOrEqual(t, len(k.post.To(newMail, proveKind)), 1)
			if err == nil {
				require.Len(t, k.post.To(newMail, proveKind), 1, "what was acknowledged is sent")
			}
			if len(k.post.To(newMail, proveKind)) == 0 {
				k.asks(t, byNewMail)
			}
			k.proves(t, newMail)
			require.Equal(t, []string{rosaPhone, rosaMail, newMail}, k.addresses(t))
		},
	},
	{
		name: "add again",
		prepare: func(t *testing.T, k *bookKit) {
			k.enrolled(t)
			k.asks(t, byNewMail)
		},
		act: func(t *testing.T, k *bookKit) error {
			_, err := k.Add(t.Context(), rosa, byNewMail, civicpin.Citizen, bookHome)
			return err
		},
		after: func(t *testing.T, k *bookKit, err error) {
			if err == nil {
				require.Len(t, k.post.To(newMail, proveKind), 2)
			}
			for _, m := range k.post.Messages() {
				if m.Kind == proveKind {
					_, lookErr := k.Inspect(t.Context(), m.Link)
					require.NoError(t, lookErr, "every one that was sent is good")
				}
			}
			k.proves(t, newMail)
			require.Equal(t, []string{rosaPhone, rosaMail, newMail}, k.addresses(t))
		},
	},
	{
		name: "prove by link", prepare: changing,
		act: func(t *testing.T, k *bookKit) error {
			return k.Prove(t.Context(), k.post.Last(newMail, proveKind).Link, bookHome)
		},
		after: changed,
	},
	{
		name: "prove by code", prepare: changing,
		act: func(t *testing.T, k *bookKit) error {
			return k.ProveCode(t.Context(), rosa, k.post.Last(newMail, proveKind).Secret, bookHome)
		},
		after: changed,
	},
	{
		name: "prove, with a lower level", policy: &contact.Policy{LowerTo: new(civicpin.Low)},
		prepare: func(t *testing.T, k *bookKit) {
			k.credential(t)
			changing(t, k)
		},
		act: func(t *testing.T, k *bookKit) error {
			return k.Prove(t.Context(), k.post.Last(newMail, proveKind).Link, bookHome)
		},
		after: func(t *testing.T, k *bookKit, err error) {
			if k.addresses(t)[1] == newMail {
				require.Equal(t, civicpin.Low, k.status(t).Level, "no new contact without the lower level")
			}
			changed(t, k, err)
			require.Equal(t, civicpin.Low, k.status(t).Level)
			k.clock.Add(8 * bookDay)
			require.Equal(t, civicpin.Substantial, k.status(t).Level)
		},
	},
	{
		name:    "remove",
		prepare: func(t *testing.T, k *bookKit) { k.enrolled(t) },
		act: func(t *testing.T, k *bookKit) error {
			return k.Remove(t.Context(), rosa, k.mailID, civicpin.Citizen, bookHome)
		},
		after: func(t *testing.T, k *bookKit, err error) {
			if len(k.addresses(t)) == 2 {
				require.Error(t, err)
				require.Empty(t, k.post.To(rosaMail, changedKind))
				require.NoError(t, k.Remove(t.Context(), rosa, k.contact(t, rosaMail).ID, civicpin.Citizen, bookHome))
				k.flush(t)
			}
			require.Equal(t, []string{rosaPhone}, k.addresses(t))
			require.Len(t, k.post.To(rosaMail, changedKind), 1)
			require.NoError(t, k.undoes(t, rosaMail))
			require.Equal(t, []string{rosaPhone, rosaMail}, k.addresses(t))
		},
	},
	{
		name:    "make primary",
		prepare: func(t *testing.T, k *bookKit) { k.enrolled(t) },
		act: func(t *testing.T, k *bookKit) error {
			return k.MakePrimary(t.Context(), rosa, k.mailID, civicpin.Citizen, bookHome)
		},
		after: func(t *testing.T, k *bookKit, err error) {
			if !k.contact(t, rosaMail).Primary {
				require.Error(t, err)
				require.NoError(t, k.MakePrimary(t.Context(), rosa, k.contact(t, rosaMail).ID, civicpin.Citizen, bookHome))
				k.flush(t)
			}
			require.Equal(t, []string{rosaMail, rosaPhone}, k.addresses(t))
			require.Len(t, k.post.To(rosaPhone, changedKind), 1)
			require.NoError(t, k.undoes(t, rosaPhone))
			require.Equal(t, []string{rosaPhone, rosaMail}, k.addresses(t))
		},
	},
	{
		name: "adopt",
		prepare: func(t *testing.T, k *bookKit) {
			k.enrolled(t)
			k.asks(t, byNewMail)
			for range 5 {
				require.Error(t, k.ProveCode(t.Context(), rosa, civicpin.NewSecret("WWWWWWWW"), bookHome))
			}
		},
		act: func(t *testing.T, k *bookKit) error {
			return k.Adopt(t.Context(), rosa, []civicpin.Contact{byThief}, bookClerk, bookHome)
		},
		after: func(t *testing.T, k *bookKit, err error) {
			if err != nil {
				require.NoError(t, k.Adopt(t.Context(), rosa, []civicpin.Contact{byThief}, bookClerk, bookHome))
				k.flush(t)
			}
			require.Equal(t, []string{rosaPhone, rosaMail, thiefMail}, k.usable(t))
			require.Len(t, k.post.To(rosaPhone, changedKind), 1)
			k.proves(t, newMail) // the lock is gone
		},
	},
	{
		name:    "adopt after a recovery",
		prepare: func(t *testing.T, k *bookKit) { k.enrolled(t) },
		act: func(t *testing.T, k *bookKit) error {
			return contact.Adopt(t.Context(), k.Service, rosa, bookChange, byNewMail, k.clock.Now().Add(10*bookDay))
		},
		after: func(t *testing.T, k *bookKit, err error) {
			until := k.clock.Now().Add(10 * bookDay)
			if err == nil {
				require.Equal(t, []string{rosaPhone, newMail}, k.addresses(t))
			}
			for range 2 {
				require.NoError(t, contact.Adopt(t.Context(), k.Service, rosa, bookChange, byNewMail, until))
			}
			k.flush(t)
			require.Equal(t, []string{rosaPhone, newMail}, k.addresses(t))
			require.Equal(t, []string{rosaPhone}, k.usable(t))
			require.Len(t, k.post.To(rosaMail, changedKind), 1)
			for range 2 {
				require.NoError(t, contact.UndoChange(t.Context(), k.Service, rosa, bookChange))
			}
			require.Equal(t, []string{rosaPhone, rosaMail}, k.usable(t))
		},
	},
	{
		name: "undo", policy: &contact.Policy{SuspendOnUndo: true},
		prepare: func(t *testing.T, k *bookKit) {
			k.credential(t)
			changing(t, k)
			k.proves(t, newMail)
		},
		act: func(t *testing.T, k *bookKit) error { return k.undoes(t, rosaMail) },
		after: func(t *testing.T, k *bookKit, err error) {
			if k.addresses(t)[1] == newMail {
				require.Error(t, err)
				require.NoError(t, k.undoes(t, rosaMail), "the link works once more")
				k.flush(t)
			}
			require.True(t, k.status(t).Suspended, "no undo without it")
			require.ErrorIs(t, k.undoes(t, rosaPhone), contact.ErrGone)
			require.Equal(t, []string{rosaPhone, rosaMail}, k.usable(t))
		},
	},
	{
		name:    "notify",
		prepare: func(t *testing.T, k *bookKit) { k.enrolled(t) },
		act:     func(t *testing.T, k *bookKit) error { return k.tells(t.Context(), rosa, "pin.changed", nil) },
		after: func(t *testing.T, k *bookKit, err error) {
			n := len(k.post.To(rosaPhone, "pin.changed"))
			require.Equal(t, n, len(k.post.To(rosaMail, "pin.changed")), "all or none")
			require.LessOrEqual(t, n, 1)
			if err == nil {
				require.Equal(t, 1, n)
			}
		},
	},
	{
		name: "deliver",
		prepare: func(t *testing.T, k *bookKit) {
			changing(t, k)
			require.NoError(t, k.Prove(t.Context(), k.post.Last(newMail, proveKind).Link, bookHome))
		},
		act: func(t *testing.T, k *bookKit) error { return k.out.Flush(t.Context()) },
		after: func(t *testing.T, k *bookKit, _ error) {
			for _, address := range []string{rosaPhone, rosaMail} {
				require.NotEmpty(t, k.post.To(address, changedKind))
			}
			require.NoError(t, k.undoes(t, rosaMail))
		},
	},
}

// bookChange names a change that a recovery brings about.
const bookChange = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

// TestContactCrashPoints lets each store call of each flow go wrong in turn. Another process then finds a state from which the
// citizen can go on. With -short it looks at every third call only.
func TestContactCrashPoints(t *testing.T) {
	for _, f := range bookFlows {
		how := testkit.Crashes{Stops: f.policy != nil} // each of these hashes
		if testing.Short() {
			how.Every = 3
		}
		t.Run(f.name, func(t *testing.T) {
			testkit.CrashPoints(t, how, func(t *testing.T, c *testkit.Crash) {
				k := newBookKitOn(t, c.Store(), bookConfig(), newBookClock(), &testkit.Mailbox{}, &testkit.Recorder{})
				if f.policy != nil {
					k.withPins(t, *f.policy)
				}
				f.prepare(t, k)
				err := c.During(t, func() error { return f.act(t, k) })
				f.after(t, k.afterCrash(t, c, f.policy), err)
			})
		})
	}
}

// afterCrash returns another process when reservations and claims of the dead one have run out.
func (k *bookKit) afterCrash(t *testing.T, c *testkit.Crash, p *contact.Policy) *bookKit {
	t.Helper()
	k.clock.Add(5 * time.Minute)
	other := newBookKitOn(t, c.Memory, bookConfig(), k.clock, k.post, k.events)
	if p != nil {
		// Credentials have crash points of their own, and to make them hashes: those of the process that died, over its outbox.
		other.pins = k.pins
		other.rests(t, *p, elsewhere{k.pins})
	}
	for range 3 {
		other.flush(t)
		k.clock.Add(time.Minute)
	}
	return other
}
