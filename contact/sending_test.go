package contact_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/internal/proof"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/internal/waits"
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
		"a secret in a notice": {
			refusingIf(func(m civicpin.Message) bool { return m.Kind == changedKind && !m.Secret.IsZero() }),
			func(k *bookKit) error { return k.add(t, byNewMail) }, "",
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
	another := civicpin.Contact{Channel: civicpin.SMS, Address: "+593990000001"}
	require.ErrorIs(t, look(rosa).Admits(another), contact.ErrUnsuitable)
	_, err = look(rosa).Corrected(another)
	require.ErrorIs(t, err, contact.ErrUnsuitable)
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

// Where there is nothing to do, nothing is written and nothing recorded.
func TestNothingToDoWritesNothing(t *testing.T) {
	f := storetest.NewFaults(store.NewMemory())
	k := newBookKitOn(t, f.Store(), bookConfig(), newBookClock(), &testkit.Mailbox{}, &testkit.Recorder{})
	phone, _ := k.enrolled(t)
	ctx, until := t.Context(), k.clock.Now().Add(bookDay)
	require.NoError(t, contact.Adopt(ctx, k.Service, rosa, bookChange, byNewMail, until))
	events := len(k.events.All())
	for name, do := range map[string]func() error{
		"a notice to none":     func() error { return k.tells(ctx, "NOBODY", "pin.changed", nil) },
		"the primary one":      func() error { return k.MakePrimary(ctx, rosa, phone.ID, civicpin.Citizen, bookHome) },
		"recovered twice":      func() error { return contact.Adopt(ctx, k.Service, rosa, bookChange, byNewMail, until) },
		"a message of no book": func() error { return contact.SettleMail(ctx, k.Service, "NOBODY", "none.1") },
		"a message that went":  func() error { return contact.SettleMail(ctx, k.Service, rosa, "none.1") },
	} {
		f.Reset()
		require.NoError(t, do(), name)
		require.Zero(t, f.Calls(storetest.Put, storetest.Delete), name)
		require.Len(t, k.events.All(), events, name)
	}
}

// A candidate may go, or its message, between the look at a code and the write.
func TestCodeOfWhatWent(t *testing.T) {
	for name, do := range map[string]func(k *bookKit, id string) error{
		"given up": func(k *bookKit, id string) error { return k.Remove(t.Context(), rosa, id, civicpin.Citizen, bookHome) },
		"asked three times more": func(k *bookKit, id string) error {
			for range 3 {
				k.asks(t, byMail)
			}
			return nil
		},
	} {
		memory := store.NewMemory()
		faults := storetest.NewFaults(memory)
		k := newBookKitOn(t, faults.Store(), bookConfig(), newBookClock(), &testkit.Mailbox{}, &testkit.Recorder{})
		other := newBookKitOn(t, memory, bookConfig(), k.clock, k.post, k.events)
		id, code, reads := k.asks(t, byMail).ID, k.post.Last(rosaMail, proveKind).Secret, 0
		faults.Hook(func(method, key string) error {
			if method == storetest.Get && strings.HasPrefix(key, "contact.book/") {
				if reads++; reads == 2 {
					return do(other, id)
				}
			}
			return nil
		})
		require.ErrorIs(t, k.ProveCode(t.Context(), rosa, code, bookHome), contact.ErrGone, name)
		require.Empty(t, k.addresses(t), name)
	}
}

// Changes that overtake one are waited for a hundred times, and a message is counted once.
func TestOvertaken(t *testing.T) {
	faults := storetest.NewFaults(store.NewMemory())
	c := bookConfig()
	c.Sends = civicpin.Rate{Limit: 1, Window: time.Hour}
	k := newBookKitOn(t, faults.Store(), c, newBookClock(), &testkit.Mailbox{}, &testkit.Recorder{})
	k.enrolled(t)
	tries, most := 0, 3
	faults.Hook(func(method, key string) error {
		if method == storetest.Put && strings.HasPrefix(key, "contact.book/") && tries < most {
			tries++
			return store.ErrConflict
		}
		return nil
	})
	require.NoError(t, k.add(t, byNewMail))
	require.Equal(t, 3, tries)
	tries, most = 0, 1000
	require.ErrorIs(t, k.Remove(t.Context(), rosa, k.mailID, civicpin.Citizen, bookHome), store.ErrContended)
	require.Equal(t, 100, tries)
}

// Records of contacts are padded, so that most are of one length, and kept for ever. One without a contact goes a day after
// the last that it waits for.
func TestContactRecords(t *testing.T) {
	memory := store.NewMemory()
	k := newBookKitOn(t, memory, bookConfig(), newBookClock(), &testkit.Mailbox{}, &testkit.Recorder{})
	ctx := t.Context()
	record := func() (of store.Record) {
		for i, err := range memory.List(ctx, "contact.book", "") {
			require.NoError(t, err)
			of = i.Record
		}
		return of
	}
	require.NoError(t, k.add(t, byMail))
	r := record()
	require.Equal(t, k.clock.Now().Add(2*bookDay+time.Hour), r.ExpiresAt, "by a clock that may be an hour off")
	small := len(r.Value)
	k.flush(t)
	k.proves(t, rosaMail)
	r = record()
	require.Zero(t, r.ExpiresAt)
	require.Len(t, r.Value, small)
	plain, err := contact.PlainBooks(ctx, k.Service)
	require.NoError(t, err)
	require.Contains(t, plain, `"settled":true`, "at once, and not with the next change")
	var many []civicpin.Contact
	for i := range 7 {
		address := strings.Repeat("a", 60) + fmt.Sprint(i) + "@" + strings.Repeat("b.", 60) + "example.org"
		many = append(many, civicpin.Contact{Channel: civicpin.Email, Address: address})
	}
	require.NoError(t, k.Adopt(ctx, rosa, many, bookClerk, bookHome))
	more := len(record().Value) - small
	require.Positive(t, more)
	require.Zero(t, more%1024)
}

// A contact that a clock far ahead had cool down does so for no longer than any may.
func TestContactsOfAClockAhead(t *testing.T) {
	memory := store.NewMemory()
	k := newBookKitOn(t, memory, bookConfig(), newBookClock(), &testkit.Mailbox{}, &testkit.Recorder{})
	ahead := newBookKitOn(t, memory, bookConfig(), newBookClock(), &testkit.Mailbox{}, &testkit.Recorder{})
	k.enrolled(t)
	ahead.clock.Add(1000 * bookDay)
	require.NoError(t, ahead.Adopt(t.Context(), rosa, []civicpin.Contact{byNewMail}, civicpin.Citizen, bookHome))
	require.LessOrEqual(t, k.contact(t, newMail).CoolsUntil.Sub(k.clock.Now()), 90*bookDay)
}

// A dispute is not to be ended by a contact at which the code, or the notice of its end, would not arrive in its language.
func TestUnsendableEndOfADispute(t *testing.T) {
	for _, kind := range []civicpin.MessageKind{proveKind, changedKind} {
		refuses := false
		post := refusingIf(func(m civicpin.Message) bool { return refuses && m.Kind == kind && m.To.Locale == "it" })
		k := newBookKitOn(t, store.NewMemory(), bookConfig(), newBookClock(), post, &testkit.Recorder{})
		inItalian := bySMS
		inItalian.Locale = "it"
		require.NoError(t, k.Adopt(t.Context(), rosa, []civicpin.Contact{inItalian, byMail}, bookClerk, bookHome))
		k.asks(t, byNewMail)
		k.proves(t, newMail)
		require.NoError(t, k.undoes(t, rosaMail))
		k.flush(t)
		k.by, refuses = k.contact(t, rosaPhone).ID, true
		testkit.Unsendable(t, k.claims(t), kind, civicpin.SMS)
		refuses = false
		require.NoError(t, k.claims(t))
	}
}

// spoken are credentials that say what was done to them, and whose grants rest on contacts.
type spoken struct {
	skipping
	acts waits.Acts
	on   any
}

func (s *spoken) Acts(context.Context, civicpin.Subject) (string, error) { return s.acts.Text(), nil }

func (s *spoken) RestOn(c interface {
	Epoch(context.Context, civicpin.Subject) (uint64, error)
},
) {
	s.on = c
}

// Contacts that no operator has seen since staff issued, after a recovery was repudiated, are shown so.
func TestContactsUnconfirmed(t *testing.T) {
	c := &spoken{}
	k := newBookKit(t, bookConfig()).rests(t, contact.Policy{}, c)
	require.Same(t, k.Service, c.on)
	phone, _ := k.enrolled(t)
	require.False(t, phone.Unconfirmed)
	c.acts = c.acts.Did(waits.Repudiate, k.clock.Now()).Did(waits.Seen, k.clock.Now())
	require.True(t, k.contact(t, rosaPhone).Unconfirmed)
	v, err := k.Snapshot(t.Context(), rosa)
	require.NoError(t, err)
	require.True(t, v.Barred(phone.ID))
	require.Len(t, v.Recipients(), 2)
	for _, r := range v.Recipients() {
		require.False(t, r.Established)
		require.Zero(t, r.Since)
	}
}

// A repudiated recovery that ended in an unlock leaves the contacts that came since; another takes them away.
func TestRepudiatedUnlock(t *testing.T) {
	for _, unlock := range []bool{true, false} {
		k := newBookKit(t, bookConfig())
		k.enrolled(t)
		finished := k.clock.Now().Add(time.Minute)
		k.clock.Add(time.Hour)
		k.asks(t, byNewMail)
		k.proves(t, newMail)
		require.NoError(t, k.Recovered(t.Context(), proof.New(proof.Completed{
			Subject: rosa, Run: "run", Change: bookChange, Repudiated: true, Unlock: unlock, Finished: finished,
		})))
		want := []string{rosaPhone, rosaMail}
		if unlock {
			want = append(want, newMail)
		}
		require.Equal(t, want, k.addresses(t))
	}
}

// What a recovery asks of a snapshot, of the oldest change that is kept, and with a candidate that the change ends.
func TestCorrectedChangesNoSnapshot(t *testing.T) {
	k := newBookKit(t, bookConfig())
	_, mail := k.enrolled(t)
	ctx := t.Context()
	k.clock.Add(9 * bookDay) // nothing is left of the enrolment
	require.NoError(t, testkit.Err(k.Change(ctx, rosa, mail.ID, byThief, civicpin.Citizen, bookHome)))
	require.NoError(t, k.add(t, civicpin.Contact{Channel: civicpin.Push, Address: "app-1"}))
	v, err := k.Snapshot(ctx, rosa)
	require.NoError(t, err)
	plain := func() string {
		text, err := json.Marshal(contact.PlainSnapshot(v))
		require.NoError(t, err)
		return string(text)
	}
	before := plain()
	require.NoError(t, testkit.Err(v.Corrected(byNewMail)))
	require.Equal(t, before, plain())
	p := proof.New(proof.Completed{
		Subject: rosa, Run: "run", Change: bookChange, Corrected: byNewMail, Undo: k.clock.Now().Add(bookDay), By: civicpin.Citizen,
		Since: new(v.Epoch()),
	})
	for range 2 {
		require.NoError(t, k.Recovered(ctx, p))
	}
	v, err = k.Snapshot(ctx, rosa)
	require.NoError(t, err)
	require.True(t, v.Keeps(bookChange, byThief))
}

// The name of a change leads to one subject.
func TestChangeOfAnother(t *testing.T) {
	const ines = civicpin.Subject("1710034065")
	k := newBookKit(t, bookConfig())
	k.enrolled(t)
	until := k.clock.Now().Add(bookDay)
	require.NoError(t, k.Adopt(t.Context(), ines, []civicpin.Contact{byThief}, bookClerk, bookHome))
	require.NoError(t, contact.Adopt(t.Context(), k.Service, rosa, bookChange, byNewMail, until))
	k.flush(t)
	require.ErrorIs(t, contact.Adopt(t.Context(), k.Service, ines, bookChange, bySMS, until), contact.ErrGone)
	require.NoError(t, k.undoes(t, rosaMail))
}

// The classes of messages: a proof is asked for by one who has shown something, and of locks strangers decide.
func TestClassesOfMessages(t *testing.T) {
	k := newBookKit(t, bookConfig())
	k.enrolled(t)
	k.flush(t)
	for class, do := range map[outbox.Class]func() error{
		outbox.Shown:  func() error { return k.add(t, byNewMail) },
		outbox.Notice: func() error { return k.tells(t.Context(), rosa, "pin.changed", nil) },
		outbox.Typed:  func() error { return k.tells(t.Context(), rosa, pin.NoticeLocked, nil) },
	} {
		require.NoError(t, do())
		var b outbox.Backlog
		require.NoError(t, testkit.Err(k.out.Count(t.Context(), &b, store.Pass{})))
		for i, tally := range b.ByClass {
			require.Equal(t, outbox.Class(i) == class, tally != outbox.Tally{}, "%s for one of %s", outbox.Class(i), class)
		}
		k.flush(t)
	}
}

// Questions about a subject without contacts take as much work as about one with two that staff brought: as many allocations.
func TestQuestionsAreAlike(t *testing.T) {
	c := bookConfig()
	c.Decoys = []civicpin.Contact{byMail, bySMS}
	k := newBookKit(t, c)
	k.enrolled(t)
	k.flush(t)
	ctx := t.Context()
	look := func(subject civicpin.Subject) *contact.Snapshot {
		v, err := k.Snapshot(ctx, subject)
		require.NoError(t, err)
		return v
	}
	of := map[civicpin.Subject]*contact.Snapshot{rosa: look(rosa), "NOBODY5678": look("NOBODY5678")}
	for name, do := range map[string]func(civicpin.Subject){
		"Snapshot":    func(s civicpin.Subject) { look(s) },
		"Established": func(s civicpin.Subject) { of[s].Established() },
		"On":          func(s civicpin.Subject) { of[s].On(civicpin.Email) },
		"Recipients":  func(s civicpin.Subject) { of[s].Recipients() },
		"Masked":      func(s civicpin.Subject) { of[s].Masked(civicpin.Email) },
		"Match":       func(s civicpin.Subject) { of[s].Match(ctx, []civicpin.Contact{byThief}) },
	} {
		allocations := func(s civicpin.Subject) float64 { return testing.AllocsPerRun(100, func() { do(s) }) }
		require.InDelta(t, allocations(rosa), allocations("NOBODY5678"), 0.5, name)
	}
}
