package contact_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/store"
)

// bookRace runs act 64 times at once, over four processes, and returns how often it returned nil.
func bookRace(t *testing.T, m store.Store, k *bookKit, act func(k *bookKit, i int) error) (won int64) {
	t.Helper()
	kits := []*bookKit{k}
	for range 3 {
		kits = append(kits, newBookKitOn(t, m, k.config, k.clock, k.post, k.events))
	}
	var n atomic.Int64
	var wg sync.WaitGroup
	for i := range 64 {
		wg.Go(func() {
			err := act(kits[i%4], i)
			_, locked := errors.AsType[*lockout.LockedError](err)
			switch {
			case err == nil:
				n.Add(1)
			case locked, errors.Is(err, contact.ErrGone), errors.Is(err, contact.ErrRefused), errors.Is(err, contact.ErrBusy),
				errors.Is(err, contact.ErrUnsuitable):
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	return n.Load()
}

// One proof is used once, whoever comes with it and however: the contact is there once, and each of the others is told once.
func TestContactProofHasOneWinner(t *testing.T) {
	m := store.NewMemory()
	k := newBookKitOn(t, m, bookConfig(), newBookClock(), &testkit.Mailbox{}, &testkit.Recorder{})
	k.enrolled(t)
	k.asks(t, byNewMail)
	proof := k.post.Last(newMail, proveKind)
	won := bookRace(t, m, k, func(k *bookKit, i int) error {
		if i%8 == 7 {
			return k.ProveCode(t.Context(), rosa, proof.Secret, bookHome)
		}
		return k.Prove(t.Context(), proof.Link, bookHome)
	})
	require.EqualValues(t, 1, won)
	k.flush(t)
	require.Equal(t, []string{rosaPhone, rosaMail, newMail}, k.addresses(t))
	require.Len(t, k.post.To(rosaPhone, changedKind), 1)
	require.Len(t, k.post.To(rosaMail, changedKind), 1)
	require.Contains(t, reasons(k.events, "contact.changed"), "added email")
}

// One undo, too.
func TestContactUndoHasOneWinner(t *testing.T) {
	m := store.NewMemory()
	k := newBookKitOn(t, m, bookConfig(), newBookClock(), &testkit.Mailbox{}, &testkit.Recorder{})
	k.enrolled(t)
	k.asks(t, byThief)
	k.proves(t, thiefMail)
	links := []civicpin.Secret{k.post.Last(rosaPhone, changedKind).Link, k.post.Last(rosaMail, changedKind).Link}
	require.EqualValues(t, 1, bookRace(t, m, k, func(k *bookKit, i int) error { return k.Undo(t.Context(), links[i%2], bookHome) }))
	require.Equal(t, []string{rosaPhone, rosaMail}, k.addresses(t))
}

// However many are removed or brought at once, so many are left, and there are no more than eight.
func TestContactLimitsHoldAtOnce(t *testing.T) {
	m := store.NewMemory()
	k := newBookKitOn(t, m, bookConfig(), newBookClock(), &testkit.Mailbox{}, &testkit.Recorder{})
	won := bookRace(t, m, k, func(k *bookKit, i int) error {
		to := civicpin.Contact{Channel: civicpin.Email, Address: fmt.Sprintf("rosa%d@example.ec", i)}
		return k.Adopt(t.Context(), rosa, []civicpin.Contact{to}, bookClerk, bookHome)
	})
	require.EqualValues(t, contact.MaxContacts, won)
	proved, _, err := k.List(t.Context(), rosa)
	require.NoError(t, err)
	require.Len(t, proved, contact.MaxContacts)
	won = bookRace(t, m, k, func(k *bookKit, i int) error {
		if i >= len(proved) {
			return contact.ErrUnsuitable
		}
		return k.Remove(t.Context(), rosa, proved[i].ID, civicpin.Citizen, bookHome)
	})
	require.EqualValues(t, contact.MaxContacts-1, won)
	require.Len(t, k.addresses(t), 1)
}
