package contact_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/internal/proof"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
	"github.com/civicpin/civicpin/store/storetest"
)

// Locks, which strangers can cause, do not use up what an address gets of other notices, and do not hold them.
func TestNoticesOfLocksAreApart(t *testing.T) {
	vault, err := store.OpenVault(t.Context(), store.NewMemory(), testkit.Keys(), nil)
	require.NoError(t, err)
	mail := &testkit.Mailbox{}
	out, err := outbox.New(vault, mail, nil)
	require.NoError(t, err)
	contacts, err := contact.New(out, contact.Policy{}, nil)
	require.NoError(t, err)
	const shared = "shared@example.org"
	tell := func(subject civicpin.Subject, kind civicpin.MessageKind) {
		_, err := contacts.Notify(t.Context(), subject, kind, nil)
		require.NoError(t, err)
		require.NoError(t, out.Flush(t.Context()))
	}
	for i := range 30 {
		subject := civicpin.Subject(fmt.Sprint("S", i))
		to := []civicpin.Contact{{Channel: civicpin.Email, Address: shared}}
		require.NoError(t, contacts.Adopt(t.Context(), subject, to, civicpin.Operator("7"), civicpin.Source{}))
		tell(subject, pin.NoticeLocked)
	}
	require.Len(t, mail.To(shared, pin.NoticeLocked), 3)
	tell("S0", "pin.changed")
	require.Len(t, mail.To(shared, "pin.changed"), 1)
}

// refusing is a mailbox that refuses a kind over a channel; an empty kind stands for all.
func refusing(kind civicpin.MessageKind, channel civicpin.Channel) *testkit.Mailbox {
	return &testkit.Mailbox{Refuse: func(m civicpin.Message) error {
		if m.To.Channel == channel && (kind == "" || m.Kind == kind) {
			return fmt.Errorf("%w: %s over %s", civicpin.ErrUndeliverable, m.Kind, m.To.Channel)
		}
		return nil
	}}
}

// refusingIf is a mailbox that refuses in advance what f says, and takes all that is sent.
func refusingIf(f func(civicpin.Message) bool) *testkit.Mailbox {
	return &testkit.Mailbox{Refuse: func(m civicpin.Message) error {
		if m.To.Address == "" && f(m) {
			return civicpin.ErrUndeliverable
		}
		return nil
	}}
}

// An address at which no message would arrive is refused before anything is read, counted or written, whoever the subject is.
func TestUnsendableContacts(t *testing.T) {
	byPush := civicpin.Contact{Channel: civicpin.Push, Address: "installation-7", Locale: "it"}
	for name, tc := range map[string]struct {
		post *testkit.Mailbox
		do   func(k *bookKit) error
		kind civicpin.MessageKind // that is refused; empty if none is
	}{
		"no route":                {refusing("", civicpin.Push), func(k *bookKit) error { return k.add(t, byPush) }, proveKind},
		"no words for the proof":  {refusing(proveKind, civicpin.Push), func(k *bookKit) error { return k.add(t, byPush) }, proveKind},
		"no words for the notice": {refusing(changedKind, civicpin.Push), func(k *bookKit) error { return k.add(t, byPush) }, changedKind},
		"no words in the language": {refusingIf(func(m civicpin.Message) bool { return m.To.Locale == "it" }), func(k *bookKit) error {
			return k.add(t, byPush)
		}, proveKind},
		"words in this language": {refusingIf(func(m civicpin.Message) bool { return m.To.Channel == civicpin.Push && m.To.Locale != "it" }), func(k *bookKit) error {
			return k.add(t, byPush)
		}, ""},
		"no link in the proof": {
			refusingIf(func(m civicpin.Message) bool { return m.Kind == proveKind && !m.Link.IsZero() }),
			func(k *bookKit) error { return k.add(t, byPush) }, "",
		},
		"a link in that to a mailbox": {
			refusingIf(func(m civicpin.Message) bool { return m.Kind == proveKind && m.Link.IsZero() }),
			func(k *bookKit) error { return k.add(t, byNewMail) }, "",
		},
		"no words for the notice of an undo": {
			refusingIf(func(m civicpin.Message) bool {
				return m.Kind == changedKind && m.Params == nil && m.To.Channel == civicpin.Push
			}),
			func(k *bookKit) error { return k.add(t, byPush) }, changedKind,
		},
		"no words for a notice without a link": {
			refusingIf(func(m civicpin.Message) bool {
				return m.Params["change"] == "primary" && m.Link.IsZero() && m.To.Channel == civicpin.Push
			}),
			func(k *bookKit) error { return k.add(t, byPush) }, changedKind,
		},
		"another channel": {refusing("", civicpin.Push), func(k *bookKit) error { return k.add(t, byNewMail) }, ""},
		"a change": {refusing("", civicpin.Push), func(k *bookKit) error {
			_, err := k.Change(t.Context(), rosa, "some id", byPush, civicpin.Citizen, bookHome)
			return err
		}, proveKind},
		"adopted": {refusing(changedKind, civicpin.Push), func(k *bookKit) error {
			return k.Adopt(t.Context(), rosa, []civicpin.Contact{byNewMail, byPush}, bookClerk, bookHome)
		}, changedKind},
		"adopted, and never proved": {refusing(proveKind, civicpin.Push), func(k *bookKit) error {
			return k.Adopt(t.Context(), rosa, []civicpin.Contact{byNewMail, byPush}, bookClerk, bookHome)
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			said := ""
			for _, known := range []bool{false, true} {
				f := storetest.NewFaults(store.NewMemory())
				k := newBookKitOn(t, f.Store(), bookConfig(), newBookClock(), tc.post, &testkit.Recorder{})
				if known {
					k.enrolled(t)
				}
				before := len(k.events.All())
				var err error
				calls := testkit.Calls(f, func() { err = tc.do(k) })
				if tc.kind == "" {
					require.NoError(t, err)
					continue
				}
				testkit.Unsendable(t, err, tc.kind, civicpin.Push)
				require.Empty(t, calls)
				require.Len(t, k.events.All(), before)
				if said == "" {
					said = err.Error()
				}
				require.Equal(t, said, err.Error())
			}
		})
	}
}

// add is Add by the citizen.
func (k *bookKit) add(t *testing.T, to civicpin.Contact) error {
	t.Helper()
	_, err := k.Add(t.Context(), rosa, to, civicpin.Citizen, bookHome)
	return err
}

// The channels of the decoys are those that contacts are expected on: New and Notify ask about them.
func TestDecoysChannelsAreAskedAbout(t *testing.T) {
	config := bookConfig()
	config.Decoys = []civicpin.Contact{byMail, bySMS}
	open := func(t *testing.T, n civicpin.Notifier) (*contact.Service, error) {
		vault, err := store.OpenVault(t.Context(), store.NewMemory(), testkit.Keys(), nil)
		require.NoError(t, err)
		out, err := outbox.New(vault, n, nil)
		require.NoError(t, err)
		return contact.New(out, config, nil)
	}
	for name, tc := range map[string]struct {
		notifier civicpin.Notifier
		kind     civicpin.MessageKind // that New refuses
	}{
		"all":            {refusing("", civicpin.Voice), ""},
		"no notifier":    {nil, ""},
		"no Checker":     {civicpin.NotifierFunc(refusing("", civicpin.SMS).Notify), ""},
		"no route":       {civicpin.ByChannel{civicpin.Email: &testkit.Mailbox{}}, proveKind},
		"no words":       {refusing(changedKind, civicpin.SMS), changedKind},
		"another notice": {refusing("pin.locked", civicpin.SMS), ""},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := open(t, tc.notifier)
			if tc.kind != "" {
				testkit.Unsendable(t, err, tc.kind, civicpin.SMS)
				return
			}
			require.NoError(t, err)
			_, err = s.Notify(t.Context(), rosa, "pin.locked", nil)
			if name == "another notice" {
				require.ErrorAs(t, err, new(*outbox.UnsendableError))
				require.ErrorIs(t, err, civicpin.ErrInvalid)
				return
			}
			require.NoError(t, err)
		})
	}
}

// A caller can have the compiler infer the type of a proof and fill it in. Without its seal it changes nothing.
func TestRecoveredWantsASeal(t *testing.T) {
	k := newBookKit(t, bookConfig())
	k.enrolled(t)
	p := proof.Completed{
		Subject: rosa, Run: "run", Change: bookChange, Corrected: byNewMail, Undo: k.clock.Now().Add(bookDay), By: civicpin.Citizen,
	}
	require.ErrorIs(t, k.Recovered(t.Context(), p), civicpin.ErrInvalid)
	require.Equal(t, []string{rosaPhone, rosaMail}, k.addresses(t))
	require.NoError(t, k.Recovered(t.Context(), proof.New(p)))
	require.Equal(t, []string{rosaPhone, newMail}, k.addresses(t))

	undo := proof.Completed{Subject: rosa, Run: "run", Change: bookChange, Repudiated: true}
	require.ErrorIs(t, k.Recovered(t.Context(), undo), civicpin.ErrInvalid)
	require.Equal(t, []string{rosaPhone, newMail}, k.addresses(t))
	require.NoError(t, k.Recovered(t.Context(), proof.New(undo)))
	require.Equal(t, []string{rosaPhone, rosaMail}, k.addresses(t))
}

// The notifier is asked about a notice as it will be sent: with its parameters.
func TestNoticeIsCheckedWhole(t *testing.T) {
	post := refusingIf(func(m civicpin.Message) bool { return m.Kind == pin.NoticeLocked && m.Params["until"] == "" })
	p := bookConfig()
	p.Decoys = []civicpin.Contact{{Channel: civicpin.Push, Address: "installation-7"}}
	k := newBookKitOn(t, store.NewMemory(), p, newBookClock(), post, &testkit.Recorder{})
	k.enrolled(t)
	testkit.Unsendable(t, k.tells(t.Context(), rosa, pin.NoticeLocked, nil), pin.NoticeLocked, civicpin.Push)
	require.NoError(t, k.tells(t.Context(), rosa, pin.NoticeLocked, map[string]string{"until": "2026-03-02T10:00:00Z"}))
}

// What package recovery asks of a snapshot.
func TestSnapshot(t *testing.T) {
	k := newBookKit(t, bookConfig())
	ctx := t.Context()
	look := func(subject civicpin.Subject) *contact.Snapshot {
		v, err := k.Snapshot(ctx, subject)
		require.NoError(t, err)
		return v
	}
	nobody := look("NOBODY")
	run, proved, approved := nobody.Epochs()
	require.Zero(t, run+proved+approved)
	require.Nil(t, nobody.Established())
	require.Nil(t, nobody.Recipients())
	_, on := nobody.On(civicpin.Email)
	require.False(t, on)

	phone, mail := k.enrolled(t)
	v := look(rosa)
	require.Equal(t, []civicpin.Contact{bySMS, byMail}, v.Established())
	to, on := v.On(civicpin.Push, civicpin.SMS)
	require.True(t, on)
	require.Equal(t, bySMS, to)
	_, on = v.On(civicpin.Push)
	require.False(t, on)
	require.False(t, v.Keeps(bookChange, byNewMail))
	require.True(t, v.Keeps(bookChange, byMail))
	lost, err := k.Lost(ctx, rosa, byMail)
	require.NoError(t, err)
	require.False(t, lost)

	// Corrected tells the epoch that the change will leave, and changes nothing.
	epoch, err := v.Corrected(byNewMail)
	require.NoError(t, err)
	require.NotEqual(t, v.Epoch(), *epoch)
	require.Equal(t, []civicpin.Contact{bySMS, byMail}, v.Established())
	require.Equal(t, v.Epoch(), look(rosa).Epoch())
	p := proof.Completed{
		Subject: rosa, Run: "run", Change: bookChange, Corrected: byNewMail, Undo: k.clock.Now().Add(bookDay), By: civicpin.Citizen,
		Source: bookHome, Since: new(v.Epoch()),
	}
	require.NoError(t, k.Recovered(ctx, proof.New(p)))
	after := look(rosa)
	require.Equal(t, *epoch, after.Epoch())
	require.NoError(t, k.Recovered(ctx, proof.New(p)), "again, after its own change")
	again := p
	again.Change = "OTHERCHANGE"
	require.ErrorIs(t, k.Recovered(ctx, proof.New(again)), contact.ErrGone, "another act came before")
	require.True(t, after.Keeps(bookChange, byThief))
	lost, err = k.Lost(ctx, rosa, byMail)
	require.NoError(t, err)
	require.True(t, lost)
	run, proved, approved = v.Epochs()
	require.Equal(t, []uint64{1, 1, 1}, []uint64{run, proved, approved}, "staff brought contacts")
	lines := k.events.Lines()
	require.Equal(t, "contact.changed|0912345678|citizen|192.0.2.7|#2|none|changed email by a recovery", lines[len(lines)-1])

	require.NoError(t, k.Remove(ctx, rosa, phone.ID, bookClerk, bookHome))
	require.True(t, look(rosa).Barred(phone.ID))
	require.False(t, look(rosa).Barred(mail.ID))
	run, proved, approved = look(rosa).Epochs()
	require.Equal(t, []uint64{2, 2, 1}, []uint64{run, proved, approved}, "staff took a contact, on which no approval rests")
	for i := range 8 { // which ends the one that cools down
		to := civicpin.Contact{Channel: civicpin.Email, Address: fmt.Sprintf("a%d@example.org", i)}
		require.NoError(t, k.Adopt(ctx, rosa, []civicpin.Contact{to}, bookClerk, bookHome))
	}
	require.NoError(t, look(rosa).Admits(byThief), "in the place of others")
	require.Len(t, k.addresses(t), 8)
	require.ErrorIs(t, look(rosa).Admits(civicpin.Contact{Channel: civicpin.SMS, Address: "+593990000001"}), contact.ErrUnsuitable)
}

// A proof that lacks something, or is of no subject, is refused.
func TestRecoveredWantsAWholeProof(t *testing.T) {
	k := newBookKit(t, bookConfig())
	k.enrolled(t)
	whole := proof.Completed{Subject: rosa, Run: "run", Change: bookChange, Corrected: byNewMail, By: civicpin.Citizen}
	for name, change := range map[string]func(*proof.Completed){
		"no subject": func(p *proof.Completed) { p.Subject = "" },
		"no run":     func(p *proof.Completed) { p.Run = "" },
		"no change":  func(p *proof.Completed) { p.Change = "" },
		"no address": func(p *proof.Completed) { p.Corrected = civicpin.Contact{} },
		"no run that was repudiated": func(p *proof.Completed) {
			p.Run, p.Repudiated = "", true
		},
	} {
		p := whole
		change(&p)
		require.ErrorIs(t, k.Recovered(t.Context(), proof.New(p)), civicpin.ErrInvalid, name)
	}
	require.Equal(t, []string{rosaPhone, rosaMail}, k.addresses(t))
	other := notedCredentials{store.NewMemory(), k.events}
	require.True(t, k.RestsOn(nil))
	require.False(t, k.RestsOn(other))
	require.True(t, k.rests(t, contact.Policy{}, other).RestsOn(other))
}
