package contact_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
	"github.com/civicpin/civicpin/store/storetest"
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

// TestActsEndWhatWaits: what an act upon the credential ended is not shown any more, and cannot be proved.
func TestActsEndWhatWaits(t *testing.T) {
	k := newBookKit(t, bookConfig()).withPins(t, contact.Policy{})
	k.credential(t)
	changing(t, k)
	link := k.post.Last(newMail, proveKind).Link
	_, waiting, err := k.List(t.Context(), rosa)
	require.NoError(t, err)
	require.Len(t, waiting, 1)
	require.NoError(t, k.pins.Suspend(t.Context(), rosa, "seen", bookClerk))
	_, waiting, err = k.List(t.Context(), rosa)
	require.NoError(t, err)
	require.Empty(t, waiting)
	require.ErrorIs(t, k.Prove(t.Context(), link, bookHome), contact.ErrGone)
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
	require.Equal(t, []string{rosaPhone, rosaMail}, k.addresses(t))
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
			require.Equal(t, []string{rosaPhone, rosaMail}, k.addresses(t))
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
			require.Equal(t, []string{rosaPhone, rosaMail}, k.addresses(t))
			require.Equal(t, []string{rosaPhone}, k.usable(t))
		},
	},
	{
		Name:    "end a dispute",
		Prepare: func(t *testing.T, k *bookKit) { k.disputed(t) },
		Act:     func(t *testing.T, k *bookKit) error { return k.claims(t) },
		After: func(t *testing.T, k *bookKit, err error) {
			if err == nil {
				require.Len(t, k.post.To(rosaPhone, proveKind), 1, "what was acknowledged is sent")
			}
			if len(k.post.To(rosaPhone, proveKind)) == 0 {
				require.NoError(t, k.claims(t))
			}
			k.flush(t)
			k.proves(t, rosaPhone)
			k.ends(t)
		},
	},
	{
		Name: "prove the end of a dispute",
		Prepare: func(t *testing.T, k *bookKit) {
			k.disputed(t)
			require.NoError(t, k.claims(t))
			k.flush(t)
		},
		Act: func(t *testing.T, k *bookKit) error {
			return k.ProveCode(t.Context(), rosa, k.post.Last(rosaPhone, proveKind).Secret, bookHome)
		},
		After: func(t *testing.T, k *bookKit, err error) {
			if d := k.dispute(t); d.EndsAt.IsZero() {
				require.Error(t, err)
				k.proves(t, rosaPhone)
			}
			k.ends(t)
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
	other.mine, other.by = k.mine, k.by
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

// What a caller vouches for is proved at once; whose word it is decides whether it cools down.
func TestContactsAreAdopted(t *testing.T) {
	for _, tc := range []struct {
		name   string
		before []civicpin.Contact
		by     civicpin.Actor
		usable []string
	}{
		{"first, by the citizen", nil, civicpin.Citizen, []string{rosaPhone, rosaMail}},
		{"first, by staff", nil, bookClerk, []string{rosaPhone, rosaMail}},
		{"more, by the citizen", []civicpin.Contact{byNewMail}, civicpin.Citizen, []string{newMail}},
		{"more, by staff", []civicpin.Contact{byNewMail}, bookClerk, []string{newMail, rosaPhone, rosaMail}},
		{"some that are there", []civicpin.Contact{bySMS}, civicpin.Citizen, []string{rosaPhone}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			k := newBookKit(t, bookConfig())
			if tc.before != nil {
				require.NoError(t, k.Adopt(t.Context(), rosa, tc.before, bookClerk, bookHome))
			}
			k.asks(t, byMail)
			require.NoError(t, k.Adopt(t.Context(), rosa, []civicpin.Contact{bySMS, byMail}, tc.by, bookHome))
			require.Equal(t, tc.usable, k.usable(t))
			_, pending, err := k.List(t.Context(), rosa)
			require.NoError(t, err)
			require.Empty(t, pending, "what waited needs no proof any more")
			k.flush(t)
			for _, c := range tc.before {
				require.Equal(t, "added", k.post.Last(c.Address, changedKind).Params["change"])
			}
		})
	}
}

// Staff who see the citizen and their telephone end its cooling down.
func TestContactIsSeenByStaff(t *testing.T) {
	k := newBookKit(t, bookConfig())
	k.enrolled(t)
	k.asks(t, byNewMail)
	k.proves(t, newMail)
	require.Equal(t, []string{rosaPhone, rosaMail}, k.usable(t))
	require.NoError(t, k.Adopt(t.Context(), rosa, []civicpin.Contact{byNewMail}, civicpin.Citizen, bookHome))
	require.Equal(t, []string{rosaPhone, rosaMail}, k.usable(t))
	require.NoError(t, k.Adopt(t.Context(), rosa, []civicpin.Contact{byNewMail}, bookClerk, bookHome))
	require.Equal(t, []string{rosaPhone, rosaMail, newMail}, k.usable(t))
	require.Contains(t, reasons(k.events, "contact.changed"), "seen email")
}

// An address that a visitor gave in a recovery takes the place of all of its channel, and cools down for as long as it can be
// undone.
func TestContactOfARecovery(t *testing.T) {
	k := newBookKit(t, bookConfig())
	k.enrolled(t)
	require.NoError(t, k.Adopt(t.Context(), rosa, []civicpin.Contact{byThief}, bookClerk, bookHome))
	k.flush(t)
	until := k.clock.Now().Add(30 * bookDay)
	require.NoError(t, contact.Adopt(t.Context(), k.Service, rosa, bookChange, byNewMail, until))
	k.flush(t)
	require.Equal(t, []string{rosaPhone, newMail}, k.addresses(t))
	require.Equal(t, until, k.contact(t, newMail).CoolsUntil)
	for _, address := range []string{rosaPhone, rosaMail, thiefMail} {
		require.Equal(t, "changed", k.post.Last(address, changedKind).Params["change"])
	}
	k.clock.Add(29 * bookDay)
	require.NoError(t, contact.UndoChange(t.Context(), k.Service, rosa, bookChange))
	require.Equal(t, []string{rosaPhone, rosaMail, thiefMail}, k.addresses(t))

	k.clock.Add(3 * bookDay)
	waiting := k.asks(t, byNewMail)
	require.NoError(t, contact.UndoChange(t.Context(), k.Service, rosa, bookChange), "long gone")
	_, candidates, err := k.List(t.Context(), rosa)
	require.NoError(t, err)
	require.NotContains(t, candidates, waiting, "and what waits ends all the same")
	require.NoError(t, contact.Adopt(t.Context(), k.Service, rosa, "OTHERCHANGE", byMail, until), "is one already")
	require.Equal(t, []string{rosaPhone, rosaMail, thiefMail}, k.addresses(t))
}

// A recovery has room for its change beyond what others may use up, and so have staff.
func TestContactChangesAreBounded(t *testing.T) {
	k := newBookKit(t, bookConfig())
	phone, mail := k.enrolled(t)
	ids := []string{mail.ID, phone.ID}
	var err error
	n := 1 // the enrolment
	for ; err == nil && n < 100; n++ {
		err = k.MakePrimary(t.Context(), rosa, ids[(n-1)%2], civicpin.Citizen, bookHome)
	}
	require.Equal(t, &lockout.LockedError{Scope: lockout.ScopeSubject, Until: k.clock.Now().Add(7 * bookDay)}, err)
	require.Equal(t, contact.MaxChanges, n-1)
	require.NoError(t, contact.Adopt(t.Context(), k.Service, rosa, bookChange, byNewMail, k.clock.Now().Add(7*bookDay)))
	k.flush(t)
	require.NoError(t, k.Remove(t.Context(), rosa, phone.ID, bookClerk, bookHome))
	k.flush(t)
	require.NoError(t, k.undoes(t, rosaMail), "the newest can be undone")
	k.clock.Add(7 * bookDay)
	require.NoError(t, k.MakePrimary(t.Context(), rosa, k.contact(t, newMail).ID, civicpin.Citizen, bookHome))
}

// Addresses at which nothing arrives, changed over and over, do not make the record too large to be written: of what failed
// the newest is kept.
func TestContactMailThatFailsIsBounded(t *testing.T) {
	k := newBookKit(t, bookConfig())
	list := []civicpin.Contact{byMail}
	for i := range 7 {
		list = append(list, civicpin.Contact{Channel: civicpin.Push, Address: fmt.Sprint("app-", i)})
	}
	require.NoError(t, k.Adopt(t.Context(), rosa, list, bookClerk, bookHome))
	k.post.Fail = func(m civicpin.Message) error {
		if m.To.Channel == civicpin.Push {
			return civicpin.ErrUndeliverable
		}
		return nil
	}
	failed := func(want int) {
		t.Helper()
		n := 0
		for range 20 { // on a busy machine the book, which all messages share, may be told of some only later
			k.flush(t)
			text, err := contact.PlainBooks(t.Context(), k.Service)
			require.NoError(t, err)
			if n = strings.Count(text, `"state":"failed"`); n == want {
				return
			}
			k.clock.Add(time.Minute)
		}
		require.Equal(t, want, n)
	}
	primary := func() {
		proved, _, err := k.List(t.Context(), rosa)
		require.NoError(t, err)
		require.NoError(t, k.MakePrimary(t.Context(), rosa, proved[1].ID, civicpin.Citizen, bookHome))
	}
	for range 12 {
		primary()
	}
	failed(12 * 7)
	first := k.post.Last(rosaMail, changedKind)
	primary()
	failed(64 + 7)
	require.NoError(t, k.Undo(t.Context(), first.Link, bookHome))
}

// All contacts are told of what concerns them, once, without anything that opens something.
func TestContactsAreNotified(t *testing.T) {
	memory := store.NewMemory()
	k := newBookKitOn(t, memory, bookConfig(), newBookClock(), &testkit.Mailbox{}, &testkit.Recorder{})
	require.NoError(t, k.tells(t.Context(), rosa, "pin.changed", nil), "nobody to tell")
	for item, err := range memory.List(t.Context(), "contact.book", "") {
		require.Fail(t, "nothing is kept of nobody", "%v %v", item, err)
	}
	_, mail := k.enrolled(t)
	k.asks(t, byNewMail)
	k.proves(t, newMail)
	k.asks(t, byThief) // waits
	require.NoError(t, k.Remove(t.Context(), rosa, mail.ID, civicpin.Citizen, bookHome))
	k.flush(t)
	params := map[string]string{"until": "2026-03-02T10:00:00Z"}
	require.NoError(t, k.tells(t.Context(), rosa, "pin.locked", params))
	params["until"] = "changed by the caller"
	k.flush(t)
	for _, address := range []string{rosaPhone, newMail, rosaMail} {
		require.Len(t, k.post.To(address, "pin.locked"), 1, address)
		m := k.post.Last(address, "pin.locked")
		require.Equal(t, map[string]string{"until": "2026-03-02T10:00:00Z"}, m.Params)
		require.True(t, m.Link.IsZero() && m.Secret.IsZero() && m.ExpiresAt.IsZero())
	}
	require.Empty(t, k.post.To(thiefMail, "pin.locked"), "that is no contact")
}

// What waits is bounded, and what failed makes room.
func TestContactNoticesAreBounded(t *testing.T) {
	k := newBookKit(t, bookConfig())
	k.enrolled(t)
	var err error
	n := 0
	for ; err == nil && n < 100; n++ {
		err = k.tells(t.Context(), rosa, "pin.changed", nil)
	}
	require.ErrorIs(t, err, contact.ErrBusy)
	require.Equal(t, 32, n-1)
	k.post.Fail = func(civicpin.Message) error { return civicpin.ErrUndeliverable }
	k.flush(t)
	require.NoError(t, k.tells(t.Context(), rosa, "pin.revoked", nil))
	k.post.Fail = nil
	k.flush(t)
	require.Len(t, k.post.To(rosaPhone, "pin.revoked"), 1)
	k.clock.Add(8 * bookDay)
	require.NoError(t, k.tells(t.Context(), rosa, "pin.locked", nil))
	plain, err := contact.PlainBooks(t.Context(), k.Service)
	require.NoError(t, err)
	require.NotContains(t, plain, "pin.changed", "what is not worth sending any more goes")
}

// A message that failed is sent when staff have it tried again.
func TestContactMailIsRetried(t *testing.T) {
	k := newBookKit(t, bookConfig())
	k.enrolled(t)
	k.post.Fail = func(civicpin.Message) error { return fmt.Errorf("%w: 550", civicpin.ErrUndeliverable) }
	p, err := k.Add(t.Context(), rosa, byNewMail, civicpin.Citizen, bookHome)
	require.NoError(t, err)
	k.flush(t)
	k.post.Fail = nil
	require.NoError(t, k.out.Retry(t.Context(), outbox.Ref{Owner: "contact", Subject: rosa, ID: p.ID + ".1"}))
	k.flush(t)
	k.proves(t, newMail)
}

// A process may be held up before it writes its record, for so long that the outbox has dropped what it announced.
func TestContactMailOutlivesADelay(t *testing.T) {
	memory := store.NewMemory()
	faults := storetest.NewFaults(memory)
	k := newBookKitOn(t, faults.Store(), bookConfig(), newBookClock(), &testkit.Mailbox{}, &testkit.Recorder{})
	k.enrolled(t)
	other := newBookKitOn(t, memory, bookConfig(), k.clock, k.post, k.events)
	held := false
	faults.Hook(func(method, key string) error {
		if method == storetest.Put && strings.HasPrefix(key, "contact.book/") && !held {
			held = true
			for range 5 {
				k.clock.Add(time.Hour)
				other.flush(t)
			}
		}
		return nil
	})
	_, err := k.Add(t.Context(), rosa, byNewMail, civicpin.Citizen, bookHome)
	require.NoError(t, err)
	require.True(t, held)
	require.Empty(t, k.post.Messages())
	other.flush(t)
	require.Len(t, k.post.To(newMail, proveKind), 1)
}

// What was taken over is in no record any more.
func TestContactSecretsAreErased(t *testing.T) {
	k := newBookKit(t, bookConfig())
	k.enrolled(t)
	k.asks(t, byNewMail)
	m := k.post.Last(newMail, proveKind)
	plain, err := contact.PlainBooks(t.Context(), k.Service)
	require.NoError(t, err)
	require.NotContains(t, plain, m.Secret.Reveal())
	require.NotContains(t, plain, m.Link.Reveal())
	k.proves(t, newMail)
	undo := k.post.Last(rosaMail, changedKind).Link.Reveal()
	plain, err = contact.PlainBooks(t.Context(), k.Service)
	require.NoError(t, err)
	require.NotContains(t, plain, undo)
	require.NotContains(t, plain, strings.Split(undo, ".")[1])
}

// The level counts as lower while a contact cools down, if the policy says so, and not for one that staff have seen.
func TestContactLowersTheLevel(t *testing.T) {
	k := newBookKit(t, bookConfig()).withPins(t, contact.Policy{LowerTo: new(civicpin.Low)})
	k.enrolled(t)
	k.asks(t, byNewMail)
	k.proves(t, newMail) // nobody's credential
	k.credential(t)
	require.NoError(t, k.Adopt(t.Context(), rosa, []civicpin.Contact{byThief}, bookClerk, bookHome))
	require.Equal(t, civicpin.Substantial, k.status(t).Level)
	require.NoError(t, k.Remove(t.Context(), rosa, k.mailID, civicpin.Citizen, bookHome))
	require.Equal(t, civicpin.Substantial, k.status(t).Level)
	k.asks(t, byMail)
	k.proves(t, rosaMail)
	require.Equal(t, civicpin.Low, k.status(t).Level)
	k.clock.Add(7*bookDay - time.Second)
	require.Equal(t, civicpin.Low, k.status(t).Level)
	k.clock.Add(time.Second)
	require.Equal(t, civicpin.Substantial, k.status(t).Level)
}

// An undo suspends the credential if the policy says so, and not otherwise.
func TestContactUndoSuspends(t *testing.T) {
	for _, suspends := range []bool{false, true} {
		k := newBookKit(t, bookConfig()).withPins(t, contact.Policy{SuspendOnUndo: suspends})
		k.credential(t)
		k.enrolled(t)
		k.asks(t, byThief)
		k.proves(t, thiefMail)
		require.NoError(t, k.undoes(t, rosaPhone))
		require.Equal(t, suspends, k.status(t).Suspended)
	}
}

// Policies that cannot be do not construct; the zero one is the defaults.
func TestContactPolicy(t *testing.T) {
	for name, p := range map[string]contact.Policy{
		"at least": {AtLeast: 5}, "negative": {AtLeast: -1}, "undo too short": {Undo: time.Hour}, "undo too long": {Undo: 61 * bookDay},
		"cool-down shorter than undo": {CoolDown: 6 * bookDay}, "cool-down too long": {CoolDown: 91 * bookDay},
		"level": {LowerTo: new(civicpin.Level(17))}, "decoy": {Decoys: []civicpin.Contact{{Channel: civicpin.SMS, Address: "1"}}},
		"printed decoy": {Decoys: []civicpin.Contact{{Channel: civicpin.HandedOver}}},
		"sends":         {Sends: civicpin.Rate{Limit: -1, Window: time.Hour}},
		"many decoys":   {Decoys: slices.Repeat([]civicpin.Contact{byMail}, 17)},
	} {
		t.Run(name, func(t *testing.T) {
			vault, err := store.OpenVault(t.Context(), store.NewMemory(), testkit.Keys(), nil)
			require.NoError(t, err)
			out, err := outbox.New(vault, &testkit.Mailbox{}, nil)
			require.NoError(t, err)
			_, err = contact.New(out, p, elsewhere{})
			require.ErrorIs(t, err, contact.ErrInvalidPolicy)
		})
	}
	vault, err := store.OpenVault(t.Context(), store.NewMemory(), testkit.Keys(), nil)
	require.NoError(t, err)
	out, err := outbox.New(vault, &testkit.Mailbox{}, nil)
	require.NoError(t, err)
	for name, p := range map[string]contact.Policy{"level": {LowerTo: new(civicpin.Low)}, "suspends": {SuspendOnUndo: true}} {
		_, err = contact.New(out, p, nil)
		require.ErrorIs(t, err, contact.ErrInvalidPolicy, name+" without credentials")
	}
	// The default of each field is shown by TestContactsAtLeast, TestContactsThatAreFirst and TestContactChange.
}

// Contacts that a visitor names have to be the subject's, all of them, and usable.
func TestSameContacts(t *testing.T) {
	k := newBookKit(t, bookConfig())
	k.enrolled(t)
	k.asks(t, byNewMail)
	k.proves(t, newMail)
	k.asks(t, byThief)
	upper := civicpin.Contact{Channel: civicpin.Email, Address: strings.ToUpper(rosaMail)}
	for _, tc := range []struct {
		name  string
		given []civicpin.Contact
		want  []string
	}{
		{"none", nil, nil},
		{"one", []civicpin.Contact{byMail}, []string{"email " + rosaMail}},
		{"both", []civicpin.Contact{byMail, bySMS}, []string{"email " + rosaMail, "sms " + rosaPhone}},
		{"in capitals", []civicpin.Contact{upper}, []string{"email " + rosaMail}},
		{"another channel", []civicpin.Contact{{Channel: civicpin.Voice, Address: rosaPhone}}, nil},
		{"one and another", []civicpin.Contact{byMail, {Channel: civicpin.SMS, Address: "+593990000001"}}, nil},
		{"one twice", []civicpin.Contact{byMail, byMail}, nil},
		{"one that cools down", []civicpin.Contact{byNewMail}, nil},
		{"one that waits", []civicpin.Contact{byThief}, nil},
		{"what fills up", []civicpin.Contact{{}}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			named, ok, err := contact.SameContacts(t.Context(), k.Service, rosa, tc.given...)
			require.NoError(t, err)
			require.Equal(t, tc.want != nil, ok)
			require.Equal(t, tc.want, named)
			_, ok, err = contact.SameContacts(t.Context(), k.Service, "NOBODY", tc.given...)
			require.NoError(t, err)
			require.False(t, ok)
		})
	}
}

// What is shown of nobody's contact looks like somebody's, and is the same every time; without examples nothing is shown of
// anybody's.
func TestContactDecoys(t *testing.T) {
	c := bookConfig()
	c.Decoys = []civicpin.Contact{
		{Channel: civicpin.SMS, Address: "+593990000000"}, {Channel: civicpin.Email, Address: "x@example.ec"},
	}
	k := newBookKit(t, c)
	k.enrolled(t)
	shown := func(subject civicpin.Subject, channel civicpin.Channel) string {
		masked, err := contact.MaskedContact(t.Context(), k.Service, subject, channel)
		require.NoError(t, err)
		return masked
	}
	require.Equal(t, "+59*******567", shown(rosa, civicpin.SMS))
	require.Equal(t, "r***@example.ec", shown(rosa, civicpin.Email))
	require.Empty(t, shown(rosa, civicpin.Push))
	require.Empty(t, shown("NOBODY", civicpin.Push))
	different := make(map[string]bool)
	for i := range 50 {
		nobody := civicpin.Subject(fmt.Sprintf("NOBODY%d", i))
		sms, mail := shown(nobody, civicpin.SMS), shown(nobody, civicpin.Email)
		require.Regexp(t, `^\+59\*{7}\d{3}$`, sms)
		require.Regexp(t, `^[a-z]\*{3}@example\.ec$`, mail)
		require.Equal(t, sms, shown(nobody, civicpin.SMS))
		require.Equal(t, mail, shown(nobody, civicpin.Email))
		require.Equal(t, sms, k.MaskedDecoy(nobody, civicpin.SMS), "before and after the message")
		different[sms] = true
	}
	require.Greater(t, len(different), 40)

	k = newBookKit(t, bookConfig())
	k.enrolled(t)
	require.Empty(t, shown(rosa, civicpin.SMS))
	require.Empty(t, shown("NOBODY", civicpin.SMS))
	require.Empty(t, k.MaskedDecoy(rosa, civicpin.SMS))
}

// Credentials over another outbox are refused: what they would promise, nobody would send.
func TestContactsOverAnotherOutbox(t *testing.T) {
	k := newBookKit(t, bookConfig())
	other, err := outbox.New(k.vault, k.post, nil)
	require.NoError(t, err)
	pins, err := pin.New(other, pin.Default())
	require.NoError(t, err)
	_, err = contact.New(k.out, contact.Policy{}, pins)
	require.ErrorIs(t, err, civicpin.ErrInvalid)
	require.ErrorContains(t, err, "the credentials send through another outbox: give New the outbox that pin.New got")
	for _, credentials := range []contact.Credentials{nil, pins} {
		_, err = contact.New(nil, contact.Policy{}, credentials)
		require.ErrorIs(t, err, civicpin.ErrInvalid)
		require.ErrorContains(t, err, "New needs an outbox")
	}
	contacts, err := contact.New(other, contact.Policy{}, pins)
	require.NoError(t, err)
	require.True(t, contacts.Over(other))
	require.False(t, contacts.Over(k.out))
}

// skipping is a caller's Credentials that has nothing to lower.
type skipping struct{}

func (skipping) LowerLevel(context.Context, civicpin.Subject, civicpin.Level, time.Time, string, civicpin.Actor) error {
	return store.ErrSkip
}

func (skipping) ContactsWent(context.Context, civicpin.Subject, []civicpin.Contact, time.Time, civicpin.Actor) error {
	return store.ErrSkip
}

func (skipping) Acts(context.Context, civicpin.Subject) (string, error) { return "", nil }

func (skipping) Stop(context.Context, civicpin.Subject, string, civicpin.Actor) error { return nil }

// What Credentials return is an error of the call. It must not pass for a change that came about.
func TestCredentialsThatSkip(t *testing.T) {
	k := newBookKit(t, bookConfig())
	k.enrolled(t)
	out := testkit.Outbox(t, testkit.Vault(t, store.NewMemory(), k.clock, k.events), k.post, outbox.Limits{})
	policy := bookConfig()
	policy.LowerTo = new(civicpin.Low)
	svc, err := contact.New(out, policy, skipping{})
	require.NoError(t, err)
	require.NoError(t, svc.Adopt(t.Context(), rosa, []civicpin.Contact{bySMS}, bookClerk, bookHome))
	k.events.Take()
	err = svc.Adopt(t.Context(), rosa, []civicpin.Contact{byMail}, civicpin.Citizen, bookHome)
	list, _, err2 := svc.List(t.Context(), rosa)
	require.NoError(t, err2)
	if len(list) == 1 {
		require.Error(t, err, "nothing was written")
		require.Empty(t, k.events.Of("contact.changed"), "nothing was changed")
	}
}

// nil credentials are allowed; a nil *pin.Service is what a portal without pins passes by mistake.
func TestNilPins(t *testing.T) {
	k := newBookKit(t, bookConfig())
	var pins *pin.Service
	require.NotPanics(t, func() { _, _ = contact.New(k.out, bookConfig(), pins) })
}

func TestDecoyOfNoChannel(t *testing.T) {
	k := newBookKit(t, bookConfig())
	require.NotPanics(t, func() { k.Decoy(rosa) })
}

// An undo that loses races leaves no entries of messages that nobody will ever send: at 6c1446d all tries had the same names.
func TestUndoThatLosesRaces(t *testing.T) {
	memory := store.NewMemory()
	k := newBookKitOn(t, memory, bookConfig(), newBookClock(), &testkit.Mailbox{}, &testkit.Recorder{})
	k.enrolled(t)
	k.asks(t, byNewMail)
	k.proves(t, newMail)
	k.flush(t)
	tok := k.post.Last(rosaMail, changedKind).Link

	faults := storetest.NewFaults(memory)
	o := newBookKitOn(t, faults.Store(), bookConfig(), k.clock, k.post, k.events)
	before, lost := entries(t, memory), 0
	faults.Hook(func(method, key string) error {
		if method == "Put" && len(key) > 12 && key[:12] == "contact.book" && lost < 20 {
			lost++
			return store.ErrConflict
		}
		return nil
	})
	require.NoError(t, o.Undo(t.Context(), tok, bookHome))
	require.Equal(t, 20, lost)
	t.Log(entries(t, memory) - before)
	require.LessOrEqual(t, entries(t, memory)-before, 3, "entries in the outbox")
}

func entries(t *testing.T, s store.Lister) int {
	t.Helper()
	n := 0
	for _, err := range s.List(t.Context(), "outbox.entry", "") {
		require.NoError(t, err)
		n++
	}
	return n
}

// What a visitor is shown of a decoy does not change when the agency adds an example to its policy.
func TestDecoyAfterAChangeOfPolicy(t *testing.T) {
	k := newBookKit(t, bookConfig())
	policy := bookConfig()
	policy.Decoys = []civicpin.Contact{{Channel: civicpin.SMS, Address: "+593990000000"}}
	before := k.Decoy(rosa, civicpin.SMS)
	later := newBookKitOn(t, store.NewMemory(), policy, k.clock, k.post, k.events)
	require.True(t, later.IsDecoy(rosa, before), "a run under way would show %s, masked", before.Address)
}

// notedCredentials are credentials whose calls are store calls, and are recorded.
type notedCredentials struct {
	store store.Store
	*testkit.Recorder
}

func (c notedCredentials) called(ctx context.Context, method string, subject civicpin.Subject, by civicpin.Actor,
	args ...any,
) error {
	c.Record(ctx, civicpin.Event{Code: civicpin.EventCode(method), Subject: subject, By: by, Reason: fmt.Sprint(args...)})
	_, err := c.store.Get(ctx, "credential."+method+"/ROSA")
	return err
}

func (c notedCredentials) Acts(ctx context.Context, _ civicpin.Subject) (string, error) {
	if _, err := c.store.Get(ctx, "credential.Acts/ROSA"); !errors.Is(err, store.ErrNotFound) {
		return "", err
	}
	return "", nil
}

func (c notedCredentials) LowerLevel(ctx context.Context, subject civicpin.Subject, to civicpin.Level, until time.Time,
	reason string, by civicpin.Actor,
) error {
	return c.called(ctx, "LowerLevel", subject, by, to, ", ", until.Sub(newBookClock().Now()), ", ", reason)
}

func (c notedCredentials) ContactsWent(ctx context.Context, subject civicpin.Subject, went []civicpin.Contact, undone time.Time,
	by civicpin.Actor,
) error {
	addresses := testkit.Addresses(went, func(c civicpin.Contact) string { return c.Address })
	return c.called(ctx, "ContactsWent", subject, by, addresses, ", undone ", !undone.IsZero())
}

func (c notedCredentials) Stop(ctx context.Context, subject civicpin.Subject, reason string, by civicpin.Actor) error {
	return c.called(ctx, "Stop", subject, by, reason)
}

// An act is one whose fields are written without their names.
type act testkit.Act[*bookKit]

func says(lines ...string) []string { return lines }

// acts are the exported methods that use the store, in the cases that differ.
var acts = []act{
	{"Add", enrolled, adds(byNewMail), says("contact.changed|0912345678|citizen|192.0.2.7|#2|none|asked email"), nil},
	{"Add to none", noContacts, adds(byNewMail), says("contact.changed|0912345678|citizen|192.0.2.7|#1|none|asked email"), nil},
	{
		"Add again", func(t *testing.T, k *bookKit) { k.enrolled(t); k.asks(t, byNewMail) }, adds(byNewMail),
		says("contact.changed|0912345678|citizen|192.0.2.7|#2|none|asked email"), nil,
	},
	{"Change", enrolled, func(ctx context.Context, k *bookKit) error {
		return testkit.Err(k.Change(ctx, rosa, k.mailID, byNewMail, bookClerk, bookHome))
	}, says("contact.changed|0912345678|operator:zambrano|192.0.2.7|#2|none|asked email"), nil},
	{"Prove", changing, provesByLink, []string{
		"LowerLevel|0912345678|citizen|||none|low, 168h0m0s, contacts changed",
		"ContactsWent|0912345678|citizen|||none|[rosa@example.ec], undone false",
		"contact.changed|0912345678|citizen|192.0.2.7|#4|none|changed email",
	}, nil},
	{
		"Prove the first", func(t *testing.T, k *bookKit) { k.asks(t, byNewMail) }, provesByLink,
		says("contact.changed|0912345678|citizen|192.0.2.7|#3|none|added email"), nil,
	},
	{"ProveCode", changing, func(ctx context.Context, k *bookKit) error {
		return k.ProveCode(ctx, rosa, k.post.Last(newMail, proveKind).Secret, bookHome)
	}, []string{
		"LowerLevel|0912345678|citizen|||none|low, 168h0m0s, contacts changed",
		"ContactsWent|0912345678|citizen|||none|[rosa@example.ec], undone false",
		"contact.changed|0912345678|citizen|192.0.2.7|#4|none|changed email",
	}, nil},
	{
		"ProveCode late", func(t *testing.T, k *bookKit) { changing(t, k); k.clock.Add(bookDay) },
		func(ctx context.Context, k *bookKit) error {
			return k.ProveCode(ctx, rosa, k.post.Last(newMail, proveKind).Secret, bookHome)
		},
		says("contact.refused|0912345678|visitor|192.0.2.7||none|expired"),
		nil,
	},
	{"ProveCode of a wrong one", changing, provesWrong, says("contact.refused|0912345678|visitor|192.0.2.7||none|wrong"), nil},
	{
		"ProveCode of a stranger", noContacts, provesWrong,
		says("contact.refused|0912345678|visitor|192.0.2.7||none|unknown"), nil,
	},
	{"Remove", enrolled, func(ctx context.Context, k *bookKit) error {
		return k.Remove(ctx, rosa, k.mailID, civicpin.Citizen, bookHome)
	}, []string{
		"ContactsWent|0912345678|citizen|||none|[rosa@example.ec], undone false",
		"contact.changed|0912345678|citizen|192.0.2.7|#2|none|removed email",
	}, nil},
	{
		"Remove a candidate", func(t *testing.T, k *bookKit) { k.mailID = k.asks(t, byNewMail).ID },
		func(ctx context.Context, k *bookKit) error {
			return k.Remove(ctx, rosa, k.mailID, civicpin.Citizen, bookHome)
		},
		says("contact.changed|0912345678|citizen|192.0.2.7|#3|none|given up email"),
		nil,
	},
	{"MakePrimary", enrolled, func(ctx context.Context, k *bookKit) error {
		return k.MakePrimary(ctx, rosa, k.mailID, bookClerk, bookHome)
	}, says("contact.changed|0912345678|operator:zambrano|192.0.2.7|#2|none|primary"), nil},
	{"Adopt by staff", enrolled, func(ctx context.Context, k *bookKit) error {
		return k.Adopt(ctx, rosa, []civicpin.Contact{byNewMail}, bookClerk, bookHome)
	}, []string{
		"contact.changed|0912345678|operator:zambrano|192.0.2.7|#2|none|adopted email",
		"lockout.rebound|0912345678|operator:zambrano|||none|",
	}, nil},
	{"Adopt by the subject", enrolled, func(ctx context.Context, k *bookKit) error {
		return k.Adopt(ctx, rosa, []civicpin.Contact{byNewMail}, civicpin.Citizen, bookHome)
	}, []string{
		"LowerLevel|0912345678|citizen|||none|low, 168h0m0s, contacts changed",
		"contact.changed|0912345678|citizen|192.0.2.7|#2|none|adopted email",
	}, nil},
	{"Recovered", enrolled, func(ctx context.Context, k *bookKit) error {
		return contact.Adopt(ctx, k.Service, rosa, bookChange, byNewMail, newBookClock().Now().Add(10*bookDay))
	}, []string{
		"LowerLevel|0912345678|citizen|||none|low, 240h0m0s, contacts changed",
		"ContactsWent|0912345678|citizen|||none|[rosa@example.ec], undone false",
		"contact.changed|0912345678|citizen||#2|none|changed email by a recovery",
	}, nil},
	{"Recovered by a thief", func(t *testing.T, k *bookKit) {
		k.enrolled(t)
		require.NoError(t, contact.Adopt(t.Context(), k.Service, rosa, bookChange, byThief, k.clock.Now().Add(10*bookDay)))
	}, func(ctx context.Context, k *bookKit) error {
		return contact.UndoChange(ctx, k.Service, rosa, bookChange)
	}, []string{
		"ContactsWent|0912345678|citizen|||none|[thief@example.net], undone true",
		"contact.changed|0912345678|citizen||#2|none|undone",
	}, nil},
	{"Undo", undoable, func(ctx context.Context, k *bookKit) error {
		return k.Undo(ctx, k.post.Last(rosaMail, changedKind).Link, bookHome)
	}, []string{
		"Stop|0912345678|citizen|||none|undone by a contact",
		"ContactsWent|0912345678|citizen|||none|[rosa.new@example.org], undone true",
		"contact.changed|0912345678|citizen|192.0.2.7|#4|none|undone",
	}, nil},
	{"EndDispute", disputed, func(ctx context.Context, k *bookKit) error {
		return testkit.Err(k.EndDispute(ctx, rosa, k.mine, k.by, bookHome))
	}, says("contact.changed|0912345678|citizen|192.0.2.7|#10|none|asked sms"), nil},
	{"ProveCode that ends a dispute", claimed, func(ctx context.Context, k *bookKit) error {
		return k.ProveCode(ctx, rosa, k.post.Last(rosaPhone, proveKind).Secret, bookHome)
	}, says("contact.changed|0912345678|citizen|192.0.2.7|#12|none|settling"), nil},
	{
		"Undo that objects", func(t *testing.T, k *bookKit) { claimed(t, k); k.proves(t, rosaPhone) },
		func(ctx context.Context, k *bookKit) error {
			return k.Undo(ctx, k.post.Last(rosaMail, changedKind).Link, bookHome)
		},
		says("contact.changed|0912345678|citizen|192.0.2.7|#12|none|objected"),
		nil,
	},
	{"Notify", enrolled, func(ctx context.Context, k *bookKit) error { return k.tells(ctx, rosa, "pin.changed", nil) }, nil, nil},
	{"Inspect a proof", changing, func(ctx context.Context, k *bookKit) error {
		return testkit.Err(k.Inspect(ctx, k.post.Last(newMail, proveKind).Link))
	}, nil, nil},
	{"Inspect an undo", undoable, func(ctx context.Context, k *bookKit) error {
		return testkit.Err(k.Inspect(ctx, k.post.Last(rosaMail, changedKind).Link))
	}, nil, nil},
	{"Confirm", unsent, func(ctx context.Context, k *bookKit) error {
		return testkit.Err(contact.ConfirmMail(ctx, k.Service, rosa, k.mailID+".1"))
	}, nil, nil},
	{"Settle", unsent, func(ctx context.Context, k *bookKit) error {
		return contact.SettleMail(ctx, k.Service, rosa, k.mailID+".1")
	}, nil, nil},
	{"List", enrolled, func(ctx context.Context, k *bookKit) error { _, _, err := k.List(ctx, rosa); return err }, nil, nil},
	{"Dispute", disputed, func(ctx context.Context, k *bookKit) error { return testkit.Err(k.Dispute(ctx, rosa)) }, nil, nil},
	{"Snapshot", enrolled, func(ctx context.Context, k *bookKit) error { return testkit.Err(k.Snapshot(ctx, rosa)) }, nil, nil},
	{"Epoch", enrolled, func(ctx context.Context, k *bookKit) error {
		n, err := k.Epoch(ctx, rosa)
		if err != nil && n != 0 {
			return errors.New("an epoch beside an error")
		}
		return err
	}, nil, nil},
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

// unsent is a proof that waits to be sent.
func unsent(t *testing.T, k *bookKit) {
	p, err := k.Add(t.Context(), rosa, byNewMail, civicpin.Citizen, bookHome)
	require.NoError(t, err)
	k.mailID = p.ID
}

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

func provesByLink(ctx context.Context, k *bookKit) error {
	return k.Prove(ctx, k.post.Last(newMail, proveKind).Link, bookHome)
}

func provesWrong(ctx context.Context, k *bookKit) error {
	return k.ProveCode(ctx, rosa, civicpin.NewSecret("WWWWWWWW"), bookHome)
}

// TestActs: each act records what the table says, and returns each call of the store or the credentials that fails, but where
// it goes on without it.
func TestActs(t *testing.T) {
	p := contact.Policy{LowerTo: new(civicpin.Low), SuspendOnUndo: true}
	for _, a := range acts {
		t.Run(a.Name, func(t *testing.T) {
			testkit.Act[*bookKit](a).Check(t, func(t *testing.T, s store.Store) (*bookKit, *testkit.Recorder) {
				k := newBookKitOn(t, s, bookConfig(), newBookClock(), &testkit.Mailbox{}, &testkit.Recorder{})
				return k.rests(t, p, notedCredentials{s, k.events}), k.events
			})
		})
	}
}

// What callers are told of contacts, candidates, links and disputes, whole.
func TestAnswersAreWhole(t *testing.T) {
	k := newBookKit(t, bookConfig())
	ctx, now := t.Context(), k.clock.Now()
	_, mail := k.enrolled(t)
	k.clock.Add(time.Hour)
	inItalian := byNewMail
	inItalian.Locale = "it"
	asked, err := k.Change(ctx, rosa, mail.ID, inItalian, civicpin.Citizen, bookHome)
	require.NoError(t, err)
	late := k.clock.Now().Add(bookDay)
	require.Equal(t, contact.Candidate{
		ID: asked.ID, Channel: civicpin.Email, Address: newMail, Locale: "it", Replaces: mail.ID, ExpiresAt: late,
	}, asked)
	proved, waiting, err := k.List(ctx, rosa)
	require.NoError(t, err)
	require.Equal(t, []contact.Candidate{asked}, waiting)
	require.Equal(t, []contact.Contact{
		{Contact: bySMS, ID: proved[0].ID, Primary: true, ProvedAt: now}, {Contact: byMail, ID: mail.ID, ProvedAt: now},
	}, proved)
	k.flush(t)

	m := k.post.Last(newMail, proveKind)
	require.Len(t, m.Secret.Reveal(), 8)
	require.Equal(t, civicpin.Message{ID: m.ID, Kind: proveKind, To: inItalian, ExpiresAt: late}, bare(m))
	info, err := k.Inspect(ctx, m.Link)
	require.NoError(t, err)
	require.Equal(t, contact.LinkInfo{Purpose: contact.ToProve, Sent: "r***@example.org", ExpiresAt: late}, info)

	k.proves(t, newMail)
	changedAt := k.clock.Now()
	m = k.post.Last(rosaMail, changedKind)
	require.Equal(t, civicpin.Message{
		ID: m.ID, Kind: changedKind, To: byMail, ExpiresAt: changedAt.Add(7 * bookDay),
		Params: map[string]string{"change": "changed"},
	}, bare(m))
	info, err = k.Inspect(ctx, m.Link)
	require.NoError(t, err)
	until := changedAt.Add(7 * bookDay)
	require.Equal(t, contact.LinkInfo{Purpose: contact.ToUndo, Sent: "r***@example.ec", ExpiresAt: until}, info)
	brought := contact.Contact{
		Contact: inItalian, ID: asked.ID, ProvedAt: changedAt, CoolsUntil: changedAt.Add(7 * bookDay),
	}
	require.Equal(t, brought, k.contact(t, newMail))
	v, err := k.Snapshot(ctx, rosa)
	require.NoError(t, err)
	byMailToo := contact.Recipient{Contact: byMail, ID: mail.ID, ProvedAt: now, Established: true, Seen: true}
	phone := contact.Recipient{Contact: bySMS, ID: proved[0].ID, ProvedAt: now, Since: now, Established: true, Seen: true}
	require.ElementsMatch(t, []contact.Recipient{
		phone, byMailToo, {Contact: inItalian, ID: asked.ID, ProvedAt: changedAt},
	}, v.Recipients())

	k.clock.Add(time.Hour)
	require.NoError(t, k.undoes(t, rosaMail))
	brought.Disputed, brought.CoolsUntil = true, k.dispute(t).Addresses[1].CoolsUntil
	mail.Disputed = true
	require.ElementsMatch(t, []contact.Contact{mail, brought}, k.dispute(t).Addresses)
	require.Equal(t, k.clock.Now(), k.dispute(t).Since)
	v, err = k.Snapshot(ctx, rosa)
	require.NoError(t, err)
	byMailToo.Established, byMailToo.DisputedAt = false, k.clock.Now()
	require.ElementsMatch(t, []contact.Recipient{
		phone, byMailToo, {Contact: inItalian, ID: asked.ID, ProvedAt: changedAt},
	}, v.Recipients())
	k.flush(t)
	m = k.post.Last(newMail, changedKind)
	require.Equal(t, civicpin.Message{ID: m.ID, Kind: changedKind, To: inItalian}, m, "nothing undoes an undo")
}

// bare is a message without its secrets, which are equal to none.
func bare(m civicpin.Message) civicpin.Message {
	m.Secret, m.Link = civicpin.Secret{}, civicpin.Secret{}
	return m
}

// A code to a telephone is good for ten minutes.
func TestContactCodeByTelephone(t *testing.T) {
	for _, at := range []time.Duration{10*time.Minute - 1, 10 * time.Minute} {
		k := newBookKit(t, bookConfig())
		k.asks(t, bySMS)
		m := k.post.Last(rosaPhone, proveKind)
		require.Equal(t, k.clock.Now().Add(10*time.Minute), m.ExpiresAt)
		require.True(t, m.Link.IsZero())
		k.clock.Add(at)
		err := k.ProveCode(t.Context(), rosa, m.Secret, bookHome)
		if at < 10*time.Minute {
			require.NoError(t, err)
		} else {
			require.ErrorIs(t, err, contact.ErrExpired)
		}
	}
}

// Each method refuses each invalid argument, and does nothing.
func TestInvalidArguments(t *testing.T) {
	k := newBookKit(t, bookConfig())
	_, mail := k.enrolled(t)
	k.asks(t, byNewMail)
	link, id := k.post.Last(newMail, proveKind).Link, mail.ID
	ctx, nowhere := t.Context(), civicpin.Source{Address: "a\nb"}
	methods := map[string]func(civicpin.Subject, civicpin.Actor, civicpin.Source) error{
		"Add": func(s civicpin.Subject, by civicpin.Actor, from civicpin.Source) error {
			return testkit.Err(k.Add(ctx, s, byThief, by, from))
		},
		"Change": func(s civicpin.Subject, by civicpin.Actor, from civicpin.Source) error {
			return testkit.Err(k.Change(ctx, s, id, byThief, by, from))
		},
		"Adopt": func(s civicpin.Subject, by civicpin.Actor, from civicpin.Source) error {
			return k.Adopt(ctx, s, []civicpin.Contact{byThief}, by, from)
		},
		"Remove": func(s civicpin.Subject, by civicpin.Actor, from civicpin.Source) error {
			return k.Remove(ctx, s, id, by, from)
		},
		"MakePrimary": func(s civicpin.Subject, by civicpin.Actor, from civicpin.Source) error {
			return k.MakePrimary(ctx, s, id, by, from)
		},
		"ProveCode": func(s civicpin.Subject, _ civicpin.Actor, from civicpin.Source) error {
			return k.ProveCode(ctx, s, civicpin.NewSecret("WWWWWWWW"), from)
		},
		"EndDispute": func(s civicpin.Subject, _ civicpin.Actor, from civicpin.Source) error {
			return testkit.Err(k.EndDispute(ctx, s, nil, id, from))
		},
		"Prove": func(_ civicpin.Subject, _ civicpin.Actor, from civicpin.Source) error {
			return k.Prove(ctx, link, from)
		},
		"Undo": func(_ civicpin.Subject, _ civicpin.Actor, from civicpin.Source) error { return k.Undo(ctx, link, from) },
		"Dispute": func(s civicpin.Subject, _ civicpin.Actor, _ civicpin.Source) error {
			return testkit.Err(k.Dispute(ctx, s))
		},
		"List": func(s civicpin.Subject, _ civicpin.Actor, _ civicpin.Source) error {
			_, _, err := k.List(ctx, s)
			return err
		},
		"Notify": func(s civicpin.Subject, _ civicpin.Actor, _ civicpin.Source) error {
			return k.tells(ctx, s, "pin.changed", nil)
		},
	}
	before, err := contact.PlainBooks(ctx, k.Service)
	require.NoError(t, err)
	events := len(k.events.All())
	for name, do := range methods {
		if name != "Prove" && name != "Undo" {
			require.ErrorIs(t, do("", civicpin.Citizen, bookHome), civicpin.ErrInvalid, "%s of no subject", name)
		}
		if slices.Contains([]string{"Add", "Change", "Adopt", "Remove", "MakePrimary"}, name) {
			require.ErrorIs(t, do(rosa, "", bookHome), civicpin.ErrInvalid, "%s by no actor", name)
		}
		if !slices.Contains([]string{"Dispute", "List", "Notify"}, name) {
			require.ErrorIs(t, do(rosa, civicpin.Citizen, nowhere), civicpin.ErrInvalid, "%s from nowhere", name)
		}
	}
	after, err := contact.PlainBooks(ctx, k.Service)
	require.NoError(t, err)
	require.Equal(t, before, after)
	require.Len(t, k.events.All(), events)
}

// The bounds of a policy, the least and the greatest that is taken, and one beyond.
func TestPolicyBounds(t *testing.T) {
	require.Equal(t, contact.Policy{
		AtLeast: 1, Undo: 7 * bookDay, CoolDown: 7 * bookDay, Sends: civicpin.Rate{Limit: 10, Window: bookDay},
	}, newBookKit(t, contact.Policy{}).Policy())
	for i, tc := range []struct {
		p  contact.Policy
		ok bool
	}{
		{contact.Policy{AtLeast: 4}, true},
		{contact.Policy{AtLeast: 5}, false},
		{contact.Policy{AtLeast: -1}, false},
		{contact.Policy{Undo: bookDay}, true},
		{contact.Policy{Undo: bookDay - 1}, false},
		{contact.Policy{Undo: 60 * bookDay}, true},
		{contact.Policy{Undo: 60*bookDay + 1, CoolDown: 90 * bookDay}, false},
		{contact.Policy{CoolDown: 7*bookDay - 1}, false},
		{contact.Policy{CoolDown: 90 * bookDay}, true},
		{contact.Policy{CoolDown: 90*bookDay + 1}, false},
		{contact.Policy{Decoys: slices.Repeat([]civicpin.Contact{byMail}, 16)}, true},
		{contact.Policy{Decoys: slices.Repeat([]civicpin.Contact{byMail}, 17)}, false},
	} {
		if err := tc.p.Validate(); tc.ok {
			require.NoError(t, err, i)
		} else {
			require.ErrorIs(t, err, contact.ErrInvalidPolicy, i)
		}
	}
	k := newBookKit(t, bookConfig())
	many := func(n int) (list []civicpin.Contact) {
		for i := range n {
			list = append(list, civicpin.Contact{Channel: civicpin.Email, Address: fmt.Sprintf("a%d@example.org", i)})
		}
		return list
	}
	require.ErrorIs(t, k.Adopt(t.Context(), rosa, many(9), bookClerk, bookHome), civicpin.ErrInvalid)
	require.NoError(t, k.Adopt(t.Context(), rosa, many(8), bookClerk, bookHome))
}

// What a policy points to is copied.
func TestPolicyIsCopied(t *testing.T) {
	p := contact.Policy{LowerTo: new(civicpin.Low), Decoys: []civicpin.Contact{byMail}}
	k := newBookKit(t, bookConfig())
	k.rests(t, p, notedCredentials{store.NewMemory(), k.events})
	for range 2 {
		got := k.Policy()
		require.Equal(t, civicpin.Low, *got.LowerTo)
		require.Equal(t, []civicpin.Contact{byMail}, got.Decoys)
		*p.LowerTo, *got.LowerTo, p.Decoys[0], got.Decoys[0] = civicpin.High, civicpin.High, bySMS, bySMS
	}
}

// A decoy is of one of the channels, and the same each time.
func TestDecoyContact(t *testing.T) {
	k := newBookKit(t, bookConfig())
	seen := make(map[civicpin.Channel]bool)
	for i := range 50 {
		subject := civicpin.Subject(fmt.Sprint("NOBODY", i))
		d := k.Decoy(subject, civicpin.SMS, civicpin.Email)
		require.Regexp(t, "^[0-9a-f]{32}$", d.Address)
		require.Equal(t, d, k.Decoy(subject, civicpin.SMS, civicpin.Email))
		require.True(t, k.IsDecoy(subject, d))
		require.NotEqual(t, k.Decoy(subject, civicpin.SMS).Address, k.Decoy(subject, civicpin.Email).Address)
		require.False(t, k.IsDecoy(rosa, d))
		require.False(t, k.IsDecoy(subject, byMail))
		seen[d.Channel] = true
	}
	require.Equal(t, map[civicpin.Channel]bool{civicpin.SMS: true, civicpin.Email: true}, seen)
	require.Zero(t, k.Decoy(rosa))
}

func TestEvents(t *testing.T) { testkit.Infos(t, contact.Events()) }

// What is opened for a subject without contacts is what two contacts that staff brought leave, but for names and addresses.
func TestDecoyIsLikeABook(t *testing.T) {
	k := newBookKit(t, bookConfig())
	require.NoError(t, k.Adopt(t.Context(), rosa, []civicpin.Contact{byMail, bySMS}, bookClerk, bookHome))
	plain, err := contact.PlainBooks(t.Context(), k.Service)
	require.NoError(t, err)
	decoy, err := json.Marshal(contact.PlainDecoy(k.Service))
	require.NoError(t, err)
	plain = regexp.MustCompile("[A-Z0-9]{26}").ReplaceAllString(plain, strings.Repeat("A", 26))
	decoys := strings.NewReplacer("zambrano", "decoy", rosaMail, "decoy@example.org", rosaPhone, "+593990000000",
		"2026-03-09", "2026-03-02")
	require.Equal(t, string(decoy), decoys.Replace(plain))
}
