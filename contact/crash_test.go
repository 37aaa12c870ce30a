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
	"github.com/civicpin/civicpin/store"
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

// hashing are the flows that are about a credential, too, by name: with the policy of the contacts. Each of them hashes.
var hashing = map[string]*contact.Policy{
	"prove, with a lower level": {LowerTo: new(civicpin.Low)},
	"undo":                      {SuspendOnUndo: true},
}

var bookFlows = []testkit.Flow[*bookKit]{
	{
		Name:    "add",
		Prepare: func(t *testing.T, k *bookKit) { k.enrolled(t) },
		Act: func(t *testing.T, k *bookKit) error {
			_, err := k.Add(t.Context(), rosa, byNewMail, civicpin.Citizen, bookHome)
			return err
		},
		After: func(t *testing.T, k *bookKit, err error) {
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
		Name: "add again",
		Prepare: func(t *testing.T, k *bookKit) {
			k.enrolled(t)
			k.asks(t, byNewMail)
		},
		Act: func(t *testing.T, k *bookKit) error {
			_, err := k.Add(t.Context(), rosa, byNewMail, civicpin.Citizen, bookHome)
			return err
		},
		After: func(t *testing.T, k *bookKit, err error) {
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
		Name: "prove by link", Prepare: changing,
		Act: func(t *testing.T, k *bookKit) error {
			return k.Prove(t.Context(), k.post.Last(newMail, proveKind).Link, bookHome)
		},
		After: changed,
	},
	{
		Name: "prove by code", Prepare: changing,
		Act: func(t *testing.T, k *bookKit) error {
			return k.ProveCode(t.Context(), rosa, k.post.Last(newMail, proveKind).Secret, bookHome)
		},
		After: changed,
	},
	{
		Name: "prove, with a lower level",
		Prepare: func(t *testing.T, k *bookKit) {
			k.credential(t)
			changing(t, k)
		},
		Act: func(t *testing.T, k *bookKit) error {
			return k.Prove(t.Context(), k.post.Last(newMail, proveKind).Link, bookHome)
		},
		After: func(t *testing.T, k *bookKit, err error) {
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
		Name:    "remove",
		Prepare: func(t *testing.T, k *bookKit) { k.enrolled(t) },
		Act: func(t *testing.T, k *bookKit) error {
			return k.Remove(t.Context(), rosa, k.mailID, civicpin.Citizen, bookHome)
		},
		After: func(t *testing.T, k *bookKit, err error) {
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
		Name:    "make primary",
		Prepare: func(t *testing.T, k *bookKit) { k.enrolled(t) },
		Act: func(t *testing.T, k *bookKit) error {
			return k.MakePrimary(t.Context(), rosa, k.mailID, civicpin.Citizen, bookHome)
		},
		After: func(t *testing.T, k *bookKit, err error) {
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
		Name: "adopt",
		Prepare: func(t *testing.T, k *bookKit) {
			k.enrolled(t)
			for range 5 {
				require.Error(t, k.ProveCode(t.Context(), rosa, civicpin.NewSecret("WWWWWWWW"), bookHome))
			}
		},
		Act: func(t *testing.T, k *bookKit) error {
			return k.Adopt(t.Context(), rosa, []civicpin.Contact{byThief}, bookClerk, bookHome)
		},
		After: func(t *testing.T, k *bookKit, err error) {
			if err != nil {
				require.NoError(t, k.Adopt(t.Context(), rosa, []civicpin.Contact{byThief}, bookClerk, bookHome))
				k.flush(t)
			}
			require.Equal(t, []string{rosaPhone, rosaMail, thiefMail}, k.usable(t))
			require.Len(t, k.post.To(rosaPhone, changedKind), 1)
			k.asks(t, byNewMail)
			k.proves(t, newMail) // the lock is gone
		},
	},
	{
		Name:    "adopt after a recovery",
		Prepare: func(t *testing.T, k *bookKit) { k.enrolled(t) },
		Act: func(t *testing.T, k *bookKit) error {
			return contact.Adopt(t.Context(), k.Service, rosa, bookChange, byNewMail, k.clock.Now().Add(10*bookDay))
		},
		After: func(t *testing.T, k *bookKit, err error) {
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
		Name: "undo",
		Prepare: func(t *testing.T, k *bookKit) {
			k.credential(t)
			changing(t, k)
			k.proves(t, newMail)
		},
		Act: func(t *testing.T, k *bookKit) error { return k.undoes(t, rosaMail) },
		After: func(t *testing.T, k *bookKit, err error) {
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
		Name:    "notify",
		Prepare: func(t *testing.T, k *bookKit) { k.enrolled(t) },
		Act:     func(t *testing.T, k *bookKit) error { return k.tells(t.Context(), rosa, "pin.changed", nil) },
		After: func(t *testing.T, k *bookKit, err error) {
			n := len(k.post.To(rosaPhone, "pin.changed"))
			require.Equal(t, n, len(k.post.To(rosaMail, "pin.changed")), "all or none")
			require.LessOrEqual(t, n, 1)
			if err == nil {
				require.Equal(t, 1, n)
			}
		},
	},
	{
		Name: "deliver",
		Prepare: func(t *testing.T, k *bookKit) {
			changing(t, k)
			require.NoError(t, k.Prove(t.Context(), k.post.Last(newMail, proveKind).Link, bookHome))
		},
		Act: func(t *testing.T, k *bookKit) error { return k.out.Flush(t.Context()) },
		After: func(t *testing.T, k *bookKit, _ error) {
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
	hashed := 0
	defer func() { require.Len(t, hashing, hashed) }()
	for _, f := range bookFlows {
		p := hashing[f.Name]
		how := testkit.Crashes{Stops: p != nil}
		if how.Stops {
			hashed++
		}
		if testing.Short() {
			how.Every = 3
		}
		f.CrashPoints(t, how, func(t *testing.T, s store.Store) *bookKit {
			k := newBookKitOn(t, s, bookConfig(), newBookClock(), &testkit.Mailbox{}, &testkit.Recorder{})
			if p != nil {
				k.withPins(t, *p)
			}
			return k
		}, func(t *testing.T, k *bookKit, s store.Store) *bookKit { return k.afterCrash(t, s, p) })
	}
}

// afterCrash returns another process when reservations and claims of the dead one have run out.
func (k *bookKit) afterCrash(t *testing.T, s store.Store, p *contact.Policy) *bookKit {
	t.Helper()
	k.clock.Add(5 * time.Minute)
	other := newBookKitOn(t, s, bookConfig(), k.clock, k.post, k.events)
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
