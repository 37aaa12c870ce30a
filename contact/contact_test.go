package contact_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
)

// A contact is one only when its proof came back, and the first ones are so at once.
func TestContactIsProved(t *testing.T) {
	for _, tc := range []struct {
		name  string
		to    civicpin.Contact
		link  bool
		valid time.Duration
	}{
		{"text message", bySMS, false, 10 * time.Minute},
		{"voice", civicpin.Contact{Channel: civicpin.Voice, Address: rosaPhone}, false, 10 * time.Minute},
		{"app", civicpin.Contact{Channel: civicpin.Push, Address: "app-1"}, false, 10 * time.Minute},
		{"e-mail", byMail, true, 24 * time.Hour},
		{"certified e-mail", civicpin.Contact{Channel: civicpin.CertifiedEmail, Address: "rosa@pec.example", Locale: "it"}, true, 24 * time.Hour},
	} {
		t.Run(tc.name, func(t *testing.T) {
			k := newBookKit(t, bookConfig())
			p := k.asks(t, tc.to)
			require.Empty(t, k.addresses(t))
			proved, pending, err := k.List(t.Context(), rosa)
			require.NoError(t, err)
			require.Empty(t, proved)
			require.Equal(t, []contact.Candidate{p}, pending)
			require.Equal(t, k.clock.Now().Add(24*time.Hour), p.ExpiresAt)

			m := k.post.Last(tc.to.Address, proveKind)
			require.Equal(t, tc.to, m.To)
			require.Equal(t, tc.link, !m.Link.IsZero())
			require.Len(t, m.Secret.Reveal(), 8)
			require.Equal(t, k.clock.Now().Add(tc.valid), m.ExpiresAt)

			if tc.link {
				look, err := k.Inspect(t.Context(), m.Link)
				require.NoError(t, err)
				require.Equal(t, contact.LinkInfo{Purpose: contact.ToProve, Sent: tc.to.Masked(), ExpiresAt: m.ExpiresAt}, look)
				require.NoError(t, k.Prove(t.Context(), m.Link, bookHome))
				require.ErrorIs(t, k.Prove(t.Context(), m.Link, bookHome), contact.ErrGone)
				_, err = k.Inspect(t.Context(), m.Link)
				require.ErrorIs(t, err, contact.ErrGone)
				require.ErrorIs(t, k.ProveCode(t.Context(), rosa, m.Secret, bookHome), contact.ErrRefused, "code and link are one")
			} else {
				require.NoError(t, k.ProveCode(t.Context(), rosa, civicpin.NewSecret(strings.ToLower(m.Secret.Reveal())), bookHome))
				require.ErrorIs(t, k.ProveCode(t.Context(), rosa, m.Secret, bookHome), contact.ErrRefused)
			}
			proved, pending, err = k.List(t.Context(), rosa)
			require.NoError(t, err)
			require.Empty(t, pending)
			require.Equal(t, []contact.Contact{{Contact: tc.to, ID: p.ID, Primary: true, ProvedAt: k.clock.Now()}}, proved)
			require.Equal(t, []string{tc.to.Address}, k.usable(t), "the first one does not cool down")
			require.Equal(t, []string{"asked " + string(tc.to.Channel), "added " + string(tc.to.Channel)}, reasons(k.events, "contact.changed"))
		})
	}
}

// Several that were asked for before there was any are all first ones; what is asked for later cools down.
func TestContactsThatAreFirst(t *testing.T) {
	k := newBookKit(t, bookConfig())
	k.asks(t, bySMS)
	k.asks(t, byMail)
	k.proves(t, rosaPhone)
	k.proves(t, rosaMail)
	require.Equal(t, []string{rosaPhone, rosaMail}, k.usable(t))
	require.Len(t, k.post.To(rosaPhone, changedKind), 1, "but it is told")

	k.asks(t, byNewMail)
	k.proves(t, newMail)
	require.Equal(t, []string{rosaPhone, rosaMail, newMail}, k.addresses(t))
	require.Equal(t, []string{rosaPhone, rosaMail}, k.usable(t))
	require.Equal(t, k.clock.Now().Add(7*bookDay), k.contact(t, newMail).CoolsUntil)
	k.clock.Add(7*bookDay - time.Second)
	require.Equal(t, []string{rosaPhone, rosaMail}, k.usable(t))
	k.clock.Add(time.Second)
	require.Equal(t, []string{rosaPhone, rosaMail, newMail}, k.usable(t))
}

// A proof that is late says so to its holder, also as a code, and leads to nothing.
func TestContactProofsExpire(t *testing.T) {
	k := newBookKit(t, bookConfig())
	k.asks(t, bySMS)
	k.asks(t, byMail)
	sms, mail := k.post.Last(rosaPhone, proveKind), k.post.Last(rosaMail, proveKind)
	k.clock.Add(10 * time.Minute)
	require.ErrorIs(t, k.ProveCode(t.Context(), rosa, sms.Secret, bookHome), contact.ErrExpired)
	_, pending, err := k.List(t.Context(), rosa)
	require.NoError(t, err)
	require.Len(t, pending, 2, "both may still be sent again")
	k.clock.Add(24*time.Hour - 10*time.Minute)
	require.ErrorIs(t, k.Prove(t.Context(), mail.Link, bookHome), contact.ErrExpired)
	require.ErrorIs(t, k.ProveCode(t.Context(), rosa, mail.Secret, bookHome), contact.ErrExpired)
	_, err = k.Inspect(t.Context(), mail.Link)
	require.ErrorIs(t, err, contact.ErrExpired)
	_, pending, err = k.List(t.Context(), rosa)
	require.NoError(t, err)
	require.Empty(t, pending)
	require.Empty(t, k.addresses(t))
	k.clock.Add(25 * time.Hour)
	require.ErrorIs(t, k.Prove(t.Context(), mail.Link, bookHome), contact.ErrGone)
}

// Slow mail does not kill the older link: three are good, of one address.
func TestContactIsAskedAgain(t *testing.T) {
	k := newBookKit(t, bookConfig())
	first := k.asks(t, byMail)
	var links []civicpin.Secret
	for range 4 {
		links = append(links, k.post.Last(rosaMail, proveKind).Link)
		require.Equal(t, first, k.asks(t, byMail), "the same one, which does not live longer for it")
		k.clock.Add(time.Minute)
	}
	require.ErrorIs(t, k.Prove(t.Context(), links[0], bookHome), contact.ErrGone)
	require.ErrorIs(t, k.Prove(t.Context(), links[1], bookHome), contact.ErrGone)
	require.NoError(t, k.Prove(t.Context(), links[2], bookHome))
	require.ErrorIs(t, k.Prove(t.Context(), links[3], bookHome), contact.ErrGone)
	require.Equal(t, []string{rosaMail}, k.addresses(t))
}

// One contact, or one that waits, is asked for ten times at the most, whatever the limits of messages.
func TestContactSendsAreBounded(t *testing.T) {
	k := newBookKit(t, bookConfig())
	var asked contact.Candidate
	for range 10 {
		asked = k.asks(t, byMail)
	}
	_, err := k.Add(t.Context(), rosa, byMail, civicpin.Citizen, bookHome)
	require.Equal(t, &lockout.LockedError{Scope: lockout.ScopeSends, Until: asked.ExpiresAt}, err)

	c := bookConfig()
	c.Sends = civicpin.Rate{Limit: 2, Window: time.Hour}
	k = newBookKit(t, c)
	k.asks(t, byMail)
	k.asks(t, bySMS)
	_, err = k.Add(t.Context(), rosa, byNewMail, civicpin.Citizen, bookHome)
	_, locked := errors.AsType[*lockout.LockedError](err)
	require.True(t, locked, err)
	_, pending, err := k.List(t.Context(), rosa)
	require.NoError(t, err)
	require.Len(t, pending, 2)
	_, err = k.Add(t.Context(), rosa, byNewMail, bookClerk, bookHome)
	require.NoError(t, err, "an operator's are counted for the operator")
}

// Wrong codes are counted over all that waits; staff who bring a contact end the lock.
func TestContactCodesAreLimited(t *testing.T) {
	k := newBookKit(t, bookConfig())
	k.asks(t, byMail)
	right := k.post.Last(rosaMail, proveKind).Secret
	for i := range 5 {
		err := k.ProveCode(t.Context(), rosa, civicpin.NewSecret("WWWWWWWW"), bookHome)
		if i < 4 {
			require.ErrorIs(t, err, contact.ErrRefused)
			require.Equal(t, 4-i, testkit.As[*lockout.RefusedError](t, err).Left)
		}
		k.asks(t, byMail) // gives no new tries
	}
	locked := testkit.LockedBy(t, k.ProveCode(t.Context(), rosa, right, bookHome))
	require.Equal(t, k.clock.Now().Add(15*time.Minute), locked.Until)
	require.NoError(t, k.Adopt(t.Context(), rosa, []civicpin.Contact{bySMS}, bookClerk, bookHome))
	k.asks(t, byMail) // the one that waited ended
	k.proves(t, rosaMail)
	require.Contains(t, reasons(k.events, "contact.refused"), "wrong")
	require.Contains(t, reasons(k.events, "contact.refused"), "locked")

	var locks []time.Duration
	for range 9 {
		for err := error(contact.ErrRefused); errors.Is(err, contact.ErrRefused) && !errors.Is(err, lockout.ErrLocked); {
			err = k.ProveCode(t.Context(), rosa, civicpin.NewSecret("WWWWWWWW"), bookHome)
		}
		locked = testkit.LockedBy(t, k.ProveCode(t.Context(), rosa, right, bookHome))
		locks = append(locks, locked.Until.Sub(k.clock.Now()))
		k.clock.Set(locked.Until)
	}
	require.Equal(t, []time.Duration{
		15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 4 * time.Hour, 8 * time.Hour, 16 * time.Hour, bookDay, bookDay,
	}, locks)
}

// TestContactCodesCountNoSource: an office types the codes of 200 subjects from one address, and each typing error counts for its
// subject alone.
func TestContactCodesCountNoSource(t *testing.T) {
	k := newBookKit(t, bookConfig())
	k.asks(t, byMail)
	right := k.post.Last(rosaMail, proveKind).Secret
	for i := range 200 {
		subject := civicpin.Subject(fmt.Sprint("SUBJECT ", i))
		require.ErrorIs(t, k.ProveCode(t.Context(), subject, civicpin.NewSecret("WWWWWWWW"), bookHome), contact.ErrRefused)
	}
	require.NoError(t, k.ProveCode(t.Context(), rosa, right, bookHome))
}

// What cannot be gets a clear error and changes nothing.
func TestContactInput(t *testing.T) {
	k := newBookKit(t, bookConfig())
	phone, _ := k.enrolled(t)
	for name, tc := range map[string]struct {
		err error
		act func() error
	}{
		"subject": {civicpin.ErrInvalid, func() error {
			_, err := k.Add(t.Context(), "", byNewMail, civicpin.Citizen, bookHome)
			return err
		}},
		"actor": {civicpin.ErrInvalid, func() error {
			_, err := k.Add(t.Context(), rosa, byNewMail, "", bookHome)
			return err
		}},
		"address": {civicpin.ErrInvalid, func() error {
			_, err := k.Add(t.Context(), rosa, civicpin.Contact{Channel: civicpin.Email, Address: "rosa"}, civicpin.Citizen, bookHome)
			return err
		}},
		"printed": {civicpin.ErrInvalid, func() error {
			_, err := k.Add(t.Context(), rosa, civicpin.Contact{Channel: civicpin.Letter, Address: "Calle 1"}, civicpin.Citizen, bookHome)
			return err
		}},
		"is one": {contact.ErrUnsuitable, func() error {
			_, err := k.Add(t.Context(), rosa, bySMS, civicpin.Citizen, bookHome)
			return err
		}},
		"is one on another channel": {contact.ErrUnsuitable, func() error {
			_, err := k.Add(t.Context(), rosa, civicpin.Contact{Channel: civicpin.Voice, Address: rosaPhone}, civicpin.Citizen, bookHome)
			return err
		}},
		"is one in capitals": {contact.ErrUnsuitable, func() error {
			_, err := k.Add(t.Context(), rosa, civicpin.Contact{Channel: civicpin.Email, Address: strings.ToUpper(rosaMail)}, civicpin.Citizen, bookHome)
			return err
		}},
		"change of nothing": {civicpin.ErrInvalid, func() error {
			_, err := k.Change(t.Context(), rosa, "", byNewMail, civicpin.Citizen, bookHome)
			return err
		}},
		"change of none": {contact.ErrUnsuitable, func() error {
			_, err := k.Change(t.Context(), rosa, "NONE", byNewMail, civicpin.Citizen, bookHome)
			return err
		}},
		"change to itself": {contact.ErrUnsuitable, func() error {
			_, err := k.Change(t.Context(), rosa, phone.ID, bySMS, civicpin.Citizen, bookHome)
			return err
		}},
		"remove none":  {contact.ErrUnsuitable, func() error { return k.Remove(t.Context(), rosa, "NONE", civicpin.Citizen, bookHome) }},
		"primary none": {contact.ErrUnsuitable, func() error { return k.MakePrimary(t.Context(), rosa, "NONE", civicpin.Citizen, bookHome) }},
		"adopt nothing": {civicpin.ErrInvalid, func() error {
			return k.Adopt(t.Context(), rosa, nil, bookClerk, bookHome)
		}},
		"adopt one twice": {civicpin.ErrInvalid, func() error {
			return k.Adopt(t.Context(), rosa, []civicpin.Contact{byNewMail, byNewMail}, bookClerk, bookHome)
		}},
		"notice without kind": {civicpin.ErrInvalid, func() error { return k.tells(t.Context(), rosa, "", nil) }},
		"notice with a line end": {civicpin.ErrInvalid, func() error {
			return k.tells(t.Context(), rosa, "pin.locked", map[string]string{"until": "a\nb"})
		}},
		"a token of another kind": {contact.ErrGone, func() error {
			return k.Prove(t.Context(), civicpin.NewSecret("u"+strings.Repeat("A", 26)+"AA."+strings.Repeat("A", 43)), bookHome)
		}},
		"a token of nothing": {contact.ErrGone, func() error {
			return k.Prove(t.Context(), civicpin.NewSecret("c"+strings.Repeat("A", 26)+"AA."+strings.Repeat("A", 43)), bookHome)
		}},
		"no token": {contact.ErrGone, func() error { return k.Prove(t.Context(), civicpin.Secret{}, bookHome) }},
		"an undo of nothing": {contact.ErrGone, func() error {
			return k.Undo(t.Context(), civicpin.NewSecret("u"+strings.Repeat("A", 26)+"AA."+strings.Repeat("A", 43)), bookHome)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			before, err := contact.PlainBooks(t.Context(), k.Service)
			require.NoError(t, err)
			require.ErrorIs(t, tc.act(), tc.err)
			after, err := contact.PlainBooks(t.Context(), k.Service)
			require.NoError(t, err)
			require.Equal(t, before, after)
		})
	}
}

// There are eight at the most, with those that wait.
func TestContactsAreBounded(t *testing.T) {
	k := newBookKit(t, bookConfig())
	k.enrolled(t)
	for i := range contact.MaxContacts - 2 {
		k.asks(t, civicpin.Contact{Channel: civicpin.Email, Address: fmt.Sprintf("rosa%d@example.ec", i)})
	}
	_, err := k.Add(t.Context(), rosa, byNewMail, civicpin.Citizen, bookHome)
	require.ErrorIs(t, err, contact.ErrUnsuitable)
	for i := range contact.MaxContacts - 2 {
		k.proves(t, fmt.Sprintf("rosa%d@example.ec", i))
	}
	require.Len(t, k.addresses(t), contact.MaxContacts)
	require.ErrorIs(t, k.Adopt(t.Context(), rosa, []civicpin.Contact{byNewMail}, civicpin.Citizen, bookHome), contact.ErrUnsuitable)
	_, err = k.Change(t.Context(), rosa, k.contact(t, rosaMail).ID, byNewMail, civicpin.Citizen, bookHome)
	require.NoError(t, err, "one for another")
}

// The new address is proved before the old one goes, which is told and can take it back.
func TestContactChange(t *testing.T) {
	k := newBookKit(t, bookConfig())
	_, mail := k.enrolled(t)
	p, err := k.Change(t.Context(), rosa, mail.ID, byNewMail, civicpin.Citizen, bookHome)
	require.NoError(t, err)
	require.Equal(t, mail.ID, p.Replaces)
	k.flush(t)
	require.Equal(t, []string{rosaPhone, rosaMail}, k.addresses(t))
	require.Equal(t, []string{rosaPhone, rosaMail}, k.usable(t))

	k.proves(t, newMail)
	require.Equal(t, []string{rosaPhone, newMail}, k.addresses(t))
	require.Equal(t, []string{rosaPhone}, k.usable(t), "the new one cools down")
	told, err := contact.Told(t.Context(), k.Service, rosa)
	require.NoError(t, err)
	require.Equal(t, []string{rosaPhone, newMail, rosaMail}, told, "the old one is told of what follows")
	for _, address := range []string{rosaPhone, rosaMail} {
		m := k.post.Last(address, changedKind)
		require.Equal(t, "changed", m.Params["change"])
		require.False(t, m.Link.IsZero())
		require.Equal(t, k.clock.Now().Add(7*bookDay), m.ExpiresAt)
	}
	require.Empty(t, k.post.To(newMail, changedKind))

	undo := k.post.Last(rosaMail, changedKind).Link
	look, err := k.Inspect(t.Context(), undo)
	require.NoError(t, err)
	require.Equal(t, contact.LinkInfo{Purpose: contact.ToUndo, Sent: byMail.Masked(), ExpiresAt: k.clock.Now().Add(7 * bookDay)}, look)
	require.NoError(t, k.Undo(t.Context(), undo, bookHome))
	require.Equal(t, []string{rosaPhone, rosaMail}, k.addresses(t), "as it was")
	require.Equal(t, []string{rosaPhone}, k.usable(t), "the mailbox is disputed")
	require.ErrorIs(t, k.Undo(t.Context(), undo, bookHome), contact.ErrGone)
	require.ErrorIs(t, k.undoes(t, rosaPhone), contact.ErrGone, "the other one's, too")
	told, err = contact.Told(t.Context(), k.Service, rosa)
	require.NoError(t, err)
	require.Equal(t, []string{rosaPhone, rosaMail, newMail}, told, "both sides")

	k.flush(t)
	for _, address := range []string{rosaPhone, rosaMail, newMail} {
		m := k.post.Last(address, changedKind)
		require.Empty(t, m.Params, address)
		require.True(t, m.Link.IsZero(), "nobody undoes an undo")
	}
}

// An undo is good for the policy's time, and not longer.
func TestContactUndoExpires(t *testing.T) {
	c := bookConfig()
	c.Undo, c.CoolDown = 3*bookDay, 5*bookDay
	k := newBookKit(t, c)
	_, mail := k.enrolled(t)
	require.NoError(t, k.Remove(t.Context(), rosa, mail.ID, civicpin.Citizen, bookHome))
	k.flush(t)
	undo := k.post.Last(rosaMail, changedKind).Link
	k.clock.Add(3*bookDay - time.Second)
	_, err := k.Inspect(t.Context(), undo)
	require.NoError(t, err)
	k.clock.Add(time.Second)
	require.ErrorIs(t, k.Undo(t.Context(), undo, bookHome), contact.ErrExpired)
	_, err = k.Inspect(t.Context(), undo)
	require.ErrorIs(t, err, contact.ErrExpired)
	require.Equal(t, []string{rosaPhone}, k.addresses(t))
	told, err := contact.Told(t.Context(), k.Service, rosa)
	require.NoError(t, err)
	require.Equal(t, []string{rosaPhone}, told)
	k.clock.Add(bookDay)
	k.asks(t, byNewMail) // tidies up
	require.ErrorIs(t, k.Undo(t.Context(), undo, bookHome), contact.ErrGone)
	k.proves(t, newMail)
	require.Equal(t, k.clock.Now().Add(5*bookDay), k.contact(t, newMail).CoolsUntil)
}

// Whoever took an account over brings an address of theirs, removes the owner's and makes theirs the primary one. One link, at
// any of the old addresses, puts all of it back, and nothing that the thief holds changes that.
func TestContactTheft(t *testing.T) {
	for _, finder := range []string{rosaPhone, rosaMail} {
		t.Run(finder, func(t *testing.T) {
			k := newBookKit(t, bookConfig())
			phone, mail := k.enrolled(t)
			k.asks(t, byThief)
			k.proves(t, thiefMail)
			first := k.post.Last(finder, changedKind).Link
			require.ErrorIs(t, k.MakePrimary(t.Context(), rosa, k.contact(t, thiefMail).ID, civicpin.Citizen, bookHome), contact.ErrUnsuitable)
			require.NoError(t, k.Remove(t.Context(), rosa, phone.ID, civicpin.Citizen, bookHome))
			require.NoError(t, k.Remove(t.Context(), rosa, mail.ID, civicpin.Citizen, bookHome))
			k.asks(t, byNewMail)
			k.flush(t)
			require.Equal(t, []string{thiefMail}, k.addresses(t))
			require.Empty(t, k.usable(t), "it can prove nothing")
			require.Len(t, k.post.To(thiefMail, changedKind), 2, "it is told, and given nothing")
			require.True(t, k.post.Last(thiefMail, changedKind).Link.IsZero())
			waits := k.post.Last(newMail, proveKind)

			require.NoError(t, k.Undo(t.Context(), first, bookHome))
			require.Equal(t, []string{rosaPhone, rosaMail}, k.addresses(t))
			require.Empty(t, k.usable(t), "until staff have seen them")
			require.ErrorIs(t, k.Prove(t.Context(), waits.Link, bookHome), contact.ErrGone, "what waited is gone")
			for _, m := range k.post.Messages() {
				if m.Kind == changedKind && !m.Link.IsZero() {
					require.ErrorIs(t, k.Undo(t.Context(), m.Link, bookHome), contact.ErrGone)
				}
			}
			require.Equal(t, []string{rosaPhone, rosaMail}, k.addresses(t))
			require.NoError(t, k.Adopt(t.Context(), rosa, []civicpin.Contact{bySMS, byMail}, bookClerk, bookHome))
			require.Equal(t, []string{rosaPhone, rosaMail}, k.usable(t))
		})
	}
}

// A thief undoes the replacement of a stolen mailbox. The owner needs no desk: logged in, with the code of a contact that is not
// disputed, and if no address objects.
func TestDisputeEndsWithoutStaff(t *testing.T) {
	for objector, object := range map[string]bool{"nobody": false, rosaMail: true, newMail: true, rosaPhone: true} {
		t.Run(objector, func(t *testing.T) {
			k := newBookKit(t, bookConfig())
			k.disputed(t)
			require.Len(t, k.dispute(t).Addresses, 2)
			require.NoError(t, k.claims(t))
			k.flush(t)
			_, waiting, err := k.List(t.Context(), rosa)
			require.NoError(t, err)
			require.True(t, waiting[0].EndsDispute)
			require.True(t, k.post.Last(rosaPhone, proveKind).Link.IsZero(), "the code belongs into the session")
			require.Zero(t, k.dispute(t).EndsAt, "nothing was proved")
			k.proves(t, rosaPhone)
			if !object {
				k.ends(t)
				return
			}
			k.clock.Add(6 * bookDay)
			require.NoError(t, k.undoes(t, objector))
			k.flush(t)
			require.True(t, k.dispute(t).Objected)
			require.ErrorIs(t, k.undoes(t, rosaMail), contact.ErrGone)
			k.clock.Add(60 * bookDay)
			require.Equal(t, []string{rosaPhone}, k.usable(t))
			require.ErrorIs(t, k.claims(t), contact.ErrUnsuitable)
			require.NoError(t, k.Adopt(t.Context(), rosa, []civicpin.Contact{byNewMail}, bookClerk, bookHome))
			require.Equal(t, []string{rosaPhone, newMail}, k.usable(t))
			require.Equal(t, []string{"settling", "objected"}, reasons(k.events, "contact.changed")[5:7])
		})
	}
}

// One who has the secret alone ends no dispute, and learns by no answer who has one.
func TestDisputeOfStrangers(t *testing.T) {
	k := newBookKit(t, bookConfig())
	k.disputed(t)
	d, err := k.Dispute(t.Context(), "0999999999")
	require.NoError(t, err)
	require.Nil(t, d)
	for _, subject := range []civicpin.Subject{rosa, "0999999999"} {
		for _, by := range []string{"", "NONE", k.mailID} {
			require.ErrorIs(t, testkit.Err(k.EndDispute(t.Context(), subject, nil, by, bookHome)), contact.ErrUnsuitable)
		}
	}
	require.ErrorIs(t, testkit.Err(k.EndDispute(t.Context(), "", nil, "", bookHome)), civicpin.ErrInvalid)
	require.ErrorIs(t, testkit.Err(k.Dispute(t.Context(), "")), civicpin.ErrInvalid)
	require.NoError(t, k.claims(t))
	k.post.Refuse = refusingIf(func(m civicpin.Message) bool { return m.Link.IsZero() }).Refuse
	require.ErrorIs(t, k.claims(t), civicpin.ErrInvalid, "a code that the notifier would refuse")
}

// The owner who removes the thief's address while it cools down need not fear that the thief takes that back.
func TestContactThatCoolsDownUndoesNothing(t *testing.T) {
	k := newBookKit(t, bookConfig())
	k.enrolled(t)
	k.asks(t, byThief)
	k.proves(t, thiefMail)
	require.NoError(t, k.Remove(t.Context(), rosa, k.contact(t, thiefMail).ID, civicpin.Citizen, bookHome))
	k.flush(t)
	m := k.post.Last(thiefMail, changedKind)
	require.Equal(t, "removed", m.Params["change"])
	require.True(t, m.Link.IsZero())
	require.True(t, m.ExpiresAt.IsZero())
}

// Nor when the time is over for which it would have cooled down: what went before that is told for some days more, and never
// was the owner's.
func TestContactThatWentWhileItCooledDownUndoesNothing(t *testing.T) {
	k := newBookKit(t, bookConfig())
	k.enrolled(t)
	k.asks(t, byThief)
	k.proves(t, thiefMail)
	k.clock.Add(6 * bookDay)
	require.NoError(t, k.Remove(t.Context(), rosa, k.contact(t, thiefMail).ID, civicpin.Citizen, bookHome))
	k.flush(t)
	k.clock.Add(2 * bookDay)
	k.asks(t, byNewMail)
	k.proves(t, newMail)
	m := k.post.Last(thiefMail, changedKind)
	require.Equal(t, "added", m.Params["change"], "it is told still")
	require.True(t, m.Link.IsZero())
	require.False(t, k.post.Last(rosaMail, changedKind).Link.IsZero())
}

// A stolen telephone that staff took away stays away: by its own links, and by those of others about earlier changes.
func TestContactThatStaffRemoved(t *testing.T) {
	k := newBookKit(t, bookConfig())
	phone, _ := k.enrolled(t)
	k.asks(t, byNewMail)
	k.proves(t, newMail)
	earlier, others := k.post.Last(rosaPhone, changedKind).Link, k.post.Last(rosaMail, changedKind).Link
	require.NoError(t, k.Remove(t.Context(), rosa, phone.ID, bookClerk, bookHome))
	k.flush(t)
	require.True(t, k.post.Last(rosaPhone, changedKind).Link.IsZero(), "it is told, and can do nothing")
	require.ErrorIs(t, k.Undo(t.Context(), earlier, bookHome), contact.ErrGone)
	told, err := contact.Told(t.Context(), k.Service, rosa)
	require.NoError(t, err)
	require.Equal(t, []string{rosaMail, newMail}, told)

	second := k.post.Last(rosaMail, changedKind).Link
	require.NoError(t, k.Undo(t.Context(), others, bookHome), "undoes that the new one was added")
	require.Equal(t, []string{rosaMail}, k.addresses(t))
	require.ErrorIs(t, k.Undo(t.Context(), second, bookHome), contact.ErrGone)
}

// Others can undo what staff did, too: staff can be deceived.
func TestContactRemovalByStaffIsUndone(t *testing.T) {
	k := newBookKit(t, bookConfig())
	phone, _ := k.enrolled(t)
	require.NoError(t, k.Remove(t.Context(), rosa, phone.ID, bookClerk, bookHome))
	k.flush(t)
	require.NoError(t, k.undoes(t, rosaMail))
	require.Equal(t, []string{rosaPhone, rosaMail}, k.addresses(t))
}

// What staff brought after a change outlives its undo.
func TestContactThatStaffBroughtSince(t *testing.T) {
	k := newBookKit(t, bookConfig())
	_, mail := k.enrolled(t)
	k.asks(t, byThief)
	k.proves(t, thiefMail)
	undo := k.post.Last(rosaPhone, changedKind).Link
	require.NoError(t, k.Remove(t.Context(), rosa, mail.ID, civicpin.Citizen, bookHome))
	require.NoError(t, k.Adopt(t.Context(), rosa, []civicpin.Contact{byNewMail, byMail}, bookClerk, bookHome))
	require.Equal(t, []string{rosaPhone, newMail, rosaMail}, k.usable(t))
	require.NoError(t, k.Undo(t.Context(), undo, bookHome))
	require.Equal(t, []string{rosaPhone, newMail, rosaMail}, k.addresses(t), "each once")
}

// At least so many are kept, as the policy says.
func TestContactsAtLeast(t *testing.T) {
	for least := range 3 {
		c := bookConfig()
		c.AtLeast = least
		k := newBookKit(t, c)
		phone, mail := k.enrolled(t)
		err := k.Remove(t.Context(), rosa, phone.ID, civicpin.Citizen, bookHome)
		if least == 2 {
			require.ErrorIs(t, err, contact.ErrUnsuitable)
			require.Len(t, k.addresses(t), 2)
			continue
		}
		require.NoError(t, err)
		require.NoError(t, k.Remove(t.Context(), rosa, phone.ID, civicpin.Citizen, bookHome), "twice is no error")
		require.ErrorIs(t, k.Remove(t.Context(), rosa, mail.ID, civicpin.Citizen, bookHome), contact.ErrUnsuitable, "zero means one")
		require.Equal(t, []string{rosaMail}, k.addresses(t))
		require.True(t, k.contact(t, rosaMail).Primary)
	}
}

// The primary one is preferred within its channel; channels come first.
func TestContactPrimary(t *testing.T) {
	k := newBookKit(t, bookConfig())
	k.enrolled(t)
	require.NoError(t, k.Adopt(t.Context(), rosa, []civicpin.Contact{byNewMail}, bookClerk, bookHome))
	k.flush(t)
	on := func(channels ...civicpin.Channel) string {
		address, err := contact.On(t.Context(), k.Service, rosa, channels...)
		require.NoError(t, err)
		return address
	}
	require.Equal(t, rosaMail, on(civicpin.Email, civicpin.SMS))
	require.NoError(t, k.MakePrimary(t.Context(), rosa, k.contact(t, newMail).ID, civicpin.Citizen, bookHome))
	require.NoError(t, k.MakePrimary(t.Context(), rosa, k.contact(t, newMail).ID, civicpin.Citizen, bookHome))
	require.Equal(t, newMail, on(civicpin.Email, civicpin.SMS))
	require.Equal(t, rosaPhone, on(civicpin.SMS, civicpin.Email))
	require.Equal(t, rosaPhone, on(civicpin.Push, civicpin.SMS))
	require.Empty(t, on(civicpin.Push))
	k.flush(t)
	require.Equal(t, "primary", k.post.Last(rosaMail, changedKind).Params["change"])
	require.NoError(t, k.undoes(t, newMail))
	require.Equal(t, rosaMail, on(civicpin.Email))
}

// Something that waits can be given up.
func TestContactIsGivenUp(t *testing.T) {
	k := newBookKit(t, bookConfig())
	p := k.asks(t, byMail)
	m := k.post.Last(rosaMail, proveKind)
	require.NoError(t, k.Remove(t.Context(), rosa, p.ID, civicpin.Citizen, bookHome))
	require.ErrorIs(t, k.Prove(t.Context(), m.Link, bookHome), contact.ErrGone)
	require.ErrorIs(t, k.ProveCode(t.Context(), rosa, m.Secret, bookHome), contact.ErrRefused)
}

// A message that a record does not stand behind any more is not sent.
func TestContactMailIsWithdrawn(t *testing.T) {
	k := newBookKit(t, bookConfig())
	p, err := k.Add(t.Context(), rosa, byMail, civicpin.Citizen, bookHome)
	require.NoError(t, err)
	require.NoError(t, k.Remove(t.Context(), rosa, p.ID, civicpin.Citizen, bookHome))
	k.flush(t)
	require.Empty(t, k.post.Messages())

	k.enrolled(t)
	_, err = k.Add(t.Context(), rosa, byNewMail, civicpin.Citizen, bookHome)
	require.NoError(t, err)
	k.clock.Add(24 * time.Hour)
	k.flush(t)
	require.Empty(t, k.post.To(newMail, proveKind), "too late to be of use")
}

// A contact over a channel of the caller's own gets a code for ten minutes, and no link: package contact does not know whether it
// is a mailbox.
func TestAddOverTheCallersOwnChannel(t *testing.T) {
	k := newBookKit(t, bookConfig())
	own := civicpin.Contact{Channel: "citizen-mail", Address: "rosa@cittadino.example"}
	for _, late := range []time.Duration{10 * time.Minute, 10*time.Minute - 1} {
		require.NoError(t, testkit.Err(k.Add(t.Context(), rosa, own, civicpin.Citizen, bookHome)))
		k.flush(t)
		m := k.post.Last(own.Address, proveKind)
		require.Equal(t, k.clock.Now().Add(10*time.Minute), m.ExpiresAt)
		require.True(t, m.Link.IsZero())
		k.clock.Add(late)
		err := k.ProveCode(t.Context(), rosa, m.Secret, bookHome)
		require.Equal(t, late < 10*time.Minute, err == nil, "%v: %v", late, err)
	}
	require.Equal(t, own.Channel, k.contact(t, own.Address).Channel)
}
