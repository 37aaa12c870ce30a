package otp_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
	"github.com/civicpin/civicpin/store/storetest"
	"github.com/civicpin/civicpin/texts"
)

// addresses are what %#v shows of pointers.
var addresses = regexp.MustCompile(`0x[0-9a-f]+`)

// codeTrace does something and returns what it came to: the error, and every store call with its kind of record.
func codeTrace(f *storetest.Faults, do func() error) string {
	var err error
	calls := testkit.Calls(f, func() { err = do() })
	return fmt.Sprintf("%#v; %v; %s", err, err, strings.Join(calls, ", "))
}

// TestCodesTellStrangersNothing shows that whoever asks for codes, and guesses at them, gets the same answers after the same
// store calls, whoever the subject is, and whether or not there is somewhere to send them to.
func TestCodesTellStrangersNothing(t *testing.T) {
	used := func(t *testing.T, k *codeKit) {
		req, sent := k.asked(t)
		require.NoError(t, k.verify(t, req.ID, sent))
	}
	people := []struct {
		name    string
		to      []civicpin.Contact
		prepare func(t *testing.T, k *codeKit)
	}{
		{"stranger", nil, func(*testing.T, *codeKit) {}},
		{"citizen", []civicpin.Contact{bySMS}, func(*testing.T, *codeKit) {}},
		{"citizen with the app", []civicpin.Contact{bySMS, byApp}, func(*testing.T, *codeKit) {}},
		{"citizen with e-mail only", []civicpin.Contact{{Channel: civicpin.Email, Address: "a@example.org"}}, func(*testing.T, *codeKit) {}},
		{"citizen who used one before", []civicpin.Contact{bySMS}, used},
		{"citizen who lost the telephone", nil, used},
		{"stranger who asked before", nil, func(t *testing.T, k *codeKit) {
			req, err := k.Request(t.Context(), ana, filing, otp.RequestOptions{})
			require.NoError(t, err)
			require.Error(t, k.verify(t, req.ID, "000000"))
			require.NoError(t, k.Unlock(t.Context(), ana, desk))
		}},
	}
	type visitor struct {
		*codeKit
		o  otp.RequestOptions
		id string
	}
	// A guess of this test is wrong whatever the code is: it has as many digits too many.
	const guess = "1234567"
	anonymous := []struct {
		name string
		do   func(t *testing.T, v visitor) error
	}{
		{"request", func(t *testing.T, v visitor) error {
			_, err := v.Request(t.Context(), ana, paying, v.o)
			return err
		}},
		{"request one too many", func(t *testing.T, v visitor) (err error) {
			for range 4 {
				_, err = v.Request(t.Context(), ana, paying, v.o)
			}
			return err
		}},
		{"request until limited", func(t *testing.T, v visitor) (err error) {
			for n := 0; n < 100 && err == nil; n++ {
				_, err = v.Request(t.Context(), ana, paying, v.o)
			}
			testkit.LockedBy(t, err)
			return err
		}},
		{"verify", func(t *testing.T, v visitor) error { return v.verify(t, v.id, guess) }},
		{"verify what cannot be a code", func(t *testing.T, v visitor) error {
			return v.verify(t, v.id, "\x00 ~~ "+strings.Repeat("é", 5000))
		}},
		{"verify nothing", func(t *testing.T, v visitor) error { return v.verify(t, v.id, "") }},
		{"verify for another purpose", func(t *testing.T, v visitor) error {
			return v.Verify(t.Context(), ana, paying, v.id, civicpin.NewSecret(guess), home)
		}},
		{"verify what was not asked for", func(t *testing.T, v visitor) error { return v.verify(t, badID, guess) }},
		{"verify late", func(t *testing.T, v visitor) error {
			v.clock.Add(11 * time.Minute)
			return v.verify(t, v.id, guess)
		}},
		{"verify much too late", func(t *testing.T, v visitor) error {
			v.clock.Add(3 * time.Hour)
			return v.verify(t, v.id, guess)
		}},
		{"verify until the tries are used up", func(t *testing.T, v visitor) (err error) {
			for range 4 {
				err = v.verify(t, v.id, guess)
			}
			require.ErrorIs(t, err, otp.ErrRefused)
			return err
		}},
		{"verify until locked", func(t *testing.T, v visitor) (err error) {
			for range 6 {
				err = v.verify(t, v.id, guess)
			}
			testkit.LockedBy(t, err)
			return err
		}},
		{"request while locked", func(t *testing.T, v visitor) error {
			for range 5 {
				_ = v.verify(t, v.id, guess)
			}
			_, err := v.Request(t.Context(), ana, paying, v.o)
			testkit.LockedBy(t, err)
			return err
		}},
		{"resend", func(t *testing.T, v visitor) error { return v.Resend(t.Context(), ana, v.id, home) }},
		{"resend too often", func(t *testing.T, v visitor) (err error) {
			for range 5 {
				err = v.Resend(t.Context(), ana, v.id, home)
			}
			require.ErrorIs(t, err, otp.ErrWrongState)
			return err
		}},
		{"resend what was not asked for", func(t *testing.T, v visitor) error { return v.Resend(t.Context(), ana, badID, home) }},
		{"resend late", func(t *testing.T, v visitor) error {
			v.clock.Add(10 * time.Minute)
			return v.Resend(t.Context(), ana, v.id, home)
		}},
		{"cancel", func(t *testing.T, v visitor) error { return v.Cancel(t.Context(), ana, v.id, civicpin.Citizen) }},
		{"cancel and verify", func(t *testing.T, v visitor) error {
			_ = v.Cancel(t.Context(), ana, v.id, civicpin.Citizen)
			return v.verify(t, v.id, guess)
		}},
	}
	for _, a := range anonymous {
		t.Run(a.name, func(t *testing.T) {
			first := ""
			for _, p := range people {
				policy := otp.SMS()
				policy.Tries = 3
				policy.Decoys = []civicpin.Contact{bySMS}
				k := newCodeKit(t, policy)
				p.prepare(t, k)
				k.clock.Set(newClock().Now().Add(200 * 24 * time.Hour))
				o := otp.RequestOptions{To: p.to, Source: home}
				req, err := k.Request(t.Context(), ana, filing, o)
				require.NoError(t, err)
				require.NotEmpty(t, req.To)
				require.True(t, req.ExpiresAt.Equal(k.clock.Now().Add(10*time.Minute)))
				got := codeTrace(k.faults, func() error { return a.do(t, visitor{k, o, req.ID}) })
				got = addresses.ReplaceAllString(got, "0x?")
				if first == "" {
					first = got
					t.Log(got)
				}
				require.Equal(t, first, got, p.name)
			}
		})
	}
}

// What is kept of a stranger's code is as long as what is kept of a citizen's, and so is what waits in the outbox.
func TestDecoysLookAlike(t *testing.T) {
	sizes := make(map[bool]map[string]int)
	for _, known := range []bool{true, false} {
		k := newCodeKit(t, otp.SMS())
		o := otp.RequestOptions{}
		if known {
			o = toAna()
		}
		_, err := k.Request(t.Context(), ana, filing, o)
		require.NoError(t, err)
		sizes[known] = make(map[string]int)
		for item, err := range k.memory.List(t.Context(), "", "") {
			require.NoError(t, err)
			kind, _, _ := strings.Cut(item.Key, "/")
			sizes[known][kind] += len(item.Value)
		}
	}
	require.Equal(t, sizes[true]["outbox.entry"], sizes[false]["outbox.entry"])
	require.InDelta(t, sizes[true]["code.sms"], sizes[false]["code.sms"], 64, "an address more or less")
}

// Whoever knows somebody's number and nothing else gets requests that lead nowhere, and must not have the real ones make
// room for them.
func TestDecoysTakeNoRoom(t *testing.T) {
	k := newCodeKit(t, sms())
	req, sent := k.asked(t)
	for range 3 * k.Policy().MaxPending {
		_, err := k.Request(t.Context(), ana, filing, otp.RequestOptions{})
		require.NoError(t, err)
	}
	pending, err := k.Pending(t.Context(), ana)
	require.NoError(t, err)
	require.Len(t, pending, 1)
	require.NoError(t, k.verify(t, req.ID, sent))
}

// A request that makes another one go does the same work, whether the subject used that one or there never was one to use.
func TestMakingRoomTellsNothing(t *testing.T) {
	trace := func(to []civicpin.Contact) string {
		k := newCodeKit(t, otp.SMS())
		o := otp.RequestOptions{To: to}
		req, err := k.Request(t.Context(), ana, filing, o)
		require.NoError(t, err)
		if len(to) > 0 {
			pending, err := k.Pending(t.Context(), ana)
			require.NoError(t, err)
			require.NoError(t, k.verify(t, req.ID, pending[0].Code.Reveal()))
		}
		for range k.Policy().MaxPending - 1 {
			_, err = k.Request(t.Context(), ana, filing, o)
			require.NoError(t, err)
		}
		k.events.Take()
		calls := codeTrace(k.faults, func() error { return testkit.Err(k.Request(t.Context(), ana, filing, o)) })
		return fmt.Sprint(calls, len(k.events.All()))
	}
	require.Equal(t, trace(nil), trace([]civicpin.Contact{bySMS}))
}

// What leads nowhere is bounded as well.
func TestDecoysAreBounded(t *testing.T) {
	k := newCodeKit(t, sms())
	first, err := k.Request(t.Context(), ana, filing, otp.RequestOptions{})
	require.NoError(t, err)
	for range k.Policy().MaxPending {
		_, err := k.Request(t.Context(), ana, filing, otp.RequestOptions{})
		require.NoError(t, err)
	}
	require.ErrorIs(t, k.Resend(t.Context(), ana, first.ID, home), otp.ErrWrongState, "the oldest made room")
}

// TestNobodyElseLearnsCodes walks through good and bad ways with a faulty store and a gateway that quotes what it was given,
// and looks for secrets in every error, event, log line and stored byte. The policy's codes are long, so that none turns up
// by chance.
func TestNobodyElseLearnsCodes(t *testing.T) {
	const own, guess, digest = "MYPART77", "ZZZZZZZZZZZZZZZZYYYY", "a digest that stands for a payment"
	w := testkit.NewWitness()
	w.Quotes(func(int) bool { return true })
	w.Secret(own, guess)
	w.Personal(string(ana), mobile, digest, "personal words")
	p := unlimited(otp.ClavePIN())
	p.Length, p.Joined, p.Tries, p.Lockout.Limit, p.Exceptions = 12, 8, 20, 20, nil
	p.Lockout.Reserve = 0
	k := newCodeKitOn(t, w.Store(), p, newClock(), w.Mail, w.Events)
	backup := newBackupKitOn(t, w.Store(), paper, k.clock, w.Events)
	ctx := t.Context()

	purpose := otp.Purpose{Act: "pay", Digest: []byte(digest)}
	o := toAna()
	o.Joined, o.Params = civicpin.NewSecret(own), map[string]string{"act": "personal words"}
	var set []civicpin.Secret
	pulled := 0
	for call := 1; call < 14; call++ {
		for _, outcome := range []storetest.Outcome{storetest.NotDone, storetest.ReplyLost} {
			w.Faults.FailAt(call, outcome)
			req, err := k.Request(ctx, ana, purpose, o)
			w.Say(req, err, k.out.Flush(ctx))
			if req.ID == "" {
				w.Faults.Reset()
				req, err = k.Request(ctx, ana, purpose, o)
				require.NoError(t, err)
			}
			pending, err := k.Pending(ctx, ana)
			w.Say(err)
			for _, p := range pending {
				pulled++
				w.Secret(p.Code.Reveal())
				w.Say(p)
			}
			for _, typed := range []string{guess, own, own + guess[:12]} {
				w.Faults.FailAt(call, outcome)
				w.Say(k.Verify(ctx, ana, purpose, req.ID, civicpin.NewSecret(typed), home))
			}
			w.Faults.FailAt(call, outcome)
			w.Say(k.Resend(ctx, ana, req.ID, home), k.Cancel(ctx, luis, req.ID, desk))
			issued, err := backup.Issue(ctx, ana, civicpin.Citizen)
			if err == nil {
				set = issued
			}
			w.Say(err, issued)
			w.Faults.FailAt(call, outcome)
			w.Say(backup.use(t, civicpin.NewSecret(guess)))
			if set != nil {
				w.Secret(set[0].Reveal())
				w.Say(backup.use(t, set[0]))
			}
			w.Faults.Reset()
			w.Say(k.Rebind(ctx, ana, seenAtDesk), backup.Rebind(ctx, ana, seenAtDesk))
			k.clock.Add(time.Minute)
		}
	}
	w.Say(o, k.Codes, backup.BackupCodes)
	require.Greater(t, pulled, 25)
	w.LeaksNothing(t, "otp.code_refused", "otp.backup_used", "gateway refuses")

	// Of backup codes there are only hashes, even under the seal.
	plain, err := otp.PlainBackup(ctx, backup.BackupCodes)
	require.NoError(t, err)
	for _, code := range set {
		testkit.LeaksNothing(t, map[string]string{"the plain records": plain}, code.Reveal())
	}
}

// Messages are limited by subject and source, and requests and resends count together.
func TestCodeSendLimits(t *testing.T) {
	person := func(i int) civicpin.Subject { return civicpin.Subject(fmt.Sprint("CITIZEN ", i)) }
	number := func(i int) civicpin.Contact {
		return civicpin.Contact{Channel: civicpin.SMS, Address: fmt.Sprintf("+346001110%02d", i)}
	}
	for name, tc := range map[string]struct {
		limit int
		ask   func(i int) (civicpin.Subject, otp.RequestOptions)
		scope lockout.Scope
		free  otp.RequestOptions // what is still let through then
	}{
		"subject": {
			6,
			func(i int) (civicpin.Subject, otp.RequestOptions) {
				return ana, otp.RequestOptions{To: []civicpin.Contact{number(i)}}
			},
			lockout.ScopeSends,
			otp.RequestOptions{To: []civicpin.Contact{number(0)}},
		},
		"a stranger": {
			6,
			func(int) (civicpin.Subject, otp.RequestOptions) { return ana, otp.RequestOptions{} },
			lockout.ScopeSends,
			otp.RequestOptions{},
		},
		"source": {
			60,
			func(i int) (civicpin.Subject, otp.RequestOptions) {
				return person(i), otp.RequestOptions{To: []civicpin.Contact{number(i)}, Source: home}
			},
			lockout.ScopeSource,
			otp.RequestOptions{To: []civicpin.Contact{number(0)}, Source: civicpin.Source{Address: "198.51.100.7"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := otp.SMS()
			p.Sends = civicpin.Rate{Limit: 6, Window: time.Hour}
			k := newCodeKit(t, p)
			for i := range tc.limit {
				subject, o := tc.ask(i)
				_, err := k.Request(t.Context(), subject, filing, o)
				require.NoError(t, err, "request %d", i+1)
			}
			subject, o := tc.ask(tc.limit)
			_, err := k.Request(t.Context(), subject, filing, o)
			locked := testkit.LockedBy(t, err)
			require.Equal(t, tc.scope, locked.Scope)
			require.True(t, locked.Until.After(k.clock.Now()))
			_, err = k.Request(t.Context(), luis, filing, tc.free)
			require.NoError(t, err)
			k.clock.Set(locked.Until)
			_, err = k.Request(t.Context(), subject, filing, o)
			require.NoError(t, err)
		})
	}
}

// The same code sent again counts as well.
func TestResendsAreLimited(t *testing.T) {
	for name, to := range map[string][]civicpin.Contact{"citizen": {bySMS}, "stranger": nil} {
		t.Run(name, func(t *testing.T) {
			p := otp.SMS()
			p.Sends = civicpin.Rate{Limit: 3, Window: time.Hour}
			k := newCodeKit(t, p)
			req, err := k.Request(t.Context(), ana, filing, otp.RequestOptions{To: to})
			require.NoError(t, err)
			for range 2 {
				require.NoError(t, k.Resend(t.Context(), ana, req.ID, home))
			}
			testkit.LockedBy(t, k.Resend(t.Context(), ana, req.ID, home))
			_, err = k.Request(t.Context(), ana, filing, otp.RequestOptions{To: to})
			testkit.LockedBy(t, err)
		})
	}
}

// An address, or a country, that got many messages does not give its owner away: what is asked for waits, and nobody is
// refused.
func TestSendLimitsTellNothing(t *testing.T) {
	k := newCodeKit(t, otp.SMS())
	for i := range 60 { // more than the address gets in a day
		_, err := k.Request(t.Context(), civicpin.Subject(fmt.Sprint("FAMILY ", i)), filing, otp.RequestOptions{
			To: []civicpin.Contact{bySMS},
		})
		require.NoError(t, err)
	}
	require.NoError(t, k.out.Flush(t.Context()))
	require.Len(t, k.mail.To(bySMS.Address, ""), 40)
	until := func(subject civicpin.Subject, to ...civicpin.Contact) (n int, scope lockout.Scope) {
		for {
			_, err := k.Request(t.Context(), subject, filing, otp.RequestOptions{To: to})
			if err != nil {
				return n, testkit.LockedBy(t, err).Scope
			}
			n++
		}
	}
	n, scope := until("NOBODY")
	m, same := until(ana, bySMS)
	require.Equal(t, n, m)
	require.Equal(t, scope, same)
}

// wording is a mailbox that refuses what package texts cannot word.
func wording(t *testing.T) *testkit.Mailbox {
	t.Helper()
	w, err := texts.New(texts.Service{Name: "INPS"})
	require.NoError(t, err)
	return &testkit.Mailbox{Refuse: w.Check}
}

// An act that can be worded is sent, and one that cannot is refused before anything is counted or written, alike for everybody.
func TestUnsendableActs(t *testing.T) {
	people := map[string][]civicpin.Contact{
		"stranger":                      nil,
		"citizen":                       {bySMS},
		"citizen with the app":          {bySMS, byApp},
		"citizen with e-mail only":      {{Channel: civicpin.Email, Address: "a@example.org"}},
		"citizen who reads Italian":     {{Channel: civicpin.SMS, Address: mobile, Locale: "it"}},
		"citizen who reads no language": {{Channel: civicpin.SMS, Address: mobile, Locale: "xx"}},
	}
	for act, refused := range map[string]error{
		"":                              nil,
		"pagar 1.250,00 euros":          nil,
		"ver su cita del 12.03.2026":    nil,
		"firmar su declaracio\u0301n":   nil,
		strings.Repeat("o\u0301", 32):   nil,
		strings.Repeat("o", 33):         civicpin.ErrInvalid,
		"firmar en sede.example.es":     texts.ErrContainsLink,
		"inps-rimborsi…it/x":            texts.ErrContainsLink,
		"подать декларацию":             civicpin.ErrInvalid,
		"firmar el registro 10.20.30.4": texts.ErrContainsLink,
	} {
		t.Run(act, func(t *testing.T) {
			said := ""
			for name, to := range people {
				k := newCodeKitWith(t, otp.SMS(), wording(t))
				o := otp.RequestOptions{To: to, Source: home, Params: map[string]string{"act": act}}
				var err error
				calls := testkit.Calls(k.faults, func() { _, err = k.Request(t.Context(), ana, filing, o) })
				if refused == nil {
					require.NoError(t, err, name)
					require.NoError(t, k.out.Flush(t.Context()))
					if len(to) > 0 && to[0].Channel == civicpin.SMS {
						require.Equal(t, act, k.mail.Messages()[0].Params["act"], name)
					}
					for dead := range k.out.DeadLetters(t.Context()) {
						t.Errorf("%s: %+v", name, dead)
					}
					continue
				}
				require.ErrorIs(t, err, refused, name)
				require.ErrorIs(t, err, civicpin.ErrInvalid, name)
				require.ErrorAs(t, err, new(*outbox.UnsendableError), name)
				require.Empty(t, calls, name)
				require.Empty(t, k.events.All(), name)
				if said == "" {
					said = err.Error()
				}
				require.Equal(t, said, err.Error(), name)
			}
		})
	}
}

// The refusal of an act uses up none of the messages that may be asked for.
func TestUnsendableActsAreNotCounted(t *testing.T) {
	policy := otp.SMS()
	policy.Sends.Limit = 1
	k := newCodeKitWith(t, policy, wording(t))
	o := toAna()
	o.Params = map[string]string{"act": "inps.it"}
	for range 5 {
		_, err := k.Request(t.Context(), ana, filing, o)
		require.ErrorIs(t, err, texts.ErrContainsLink)
	}
	o.Params["act"] = "firmar"
	_, err := k.Request(t.Context(), ana, filing, o)
	require.NoError(t, err)
}

// NewCodes refuses a policy that its notifier cannot keep.
func TestNewCodesAsksTheNotifier(t *testing.T) {
	send := civicpin.NotifierFunc(func(context.Context, civicpin.Message) (string, error) { return "", nil })
	refuse := errors.New("no words for this")
	marked := otp.SMS()
	marked.Alphabet, marked.Length = "ABCDEFGHIJKLMNOPQRSTUVWXYZ&", 6
	bySMSOnly := otp.SMS()
	bySMSOnly.Channels = []civicpin.Channel{civicpin.SMS}
	for name, tc := range map[string]struct {
		policy   otp.CodePolicy
		notifier civicpin.Notifier
		refused  civicpin.Channel
	}{
		"no Checker":              {otp.SMS(), send, ""},
		"no notifier":             {otp.SMS(), nil, ""},
		"words for all":           {otp.SMS(), wording(t), ""},
		"words for Cl@ve":         {otp.ClavePIN(), wording(t), ""},
		"a route for all":         {bySMSOnly, civicpin.ByChannel{civicpin.SMS: send}, ""},
		"a channel has no route":  {otp.SMS(), civicpin.ByChannel{civicpin.SMS: send, civicpin.Push: send}, civicpin.Voice},
		"no words":                {otp.SMS(), &testkit.Mailbox{Refuse: func(civicpin.Message) error { return refuse }}, civicpin.Push},
		"one symbol in no text":   {marked, wording(t), civicpin.Push},
		"the symbol is no matter": {marked, send, ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := otp.NewCodes(testkit.Outbox(t, newVault(t), tc.notifier, outbox.Limits{}), tc.policy)
			testkit.Unsendable(t, err, otp.CodeMessage, tc.refused)
		})
	}
}

// TestStrangersCountsAreForgotten: the failures of a subject who has a key or a set stay, and those of another go after a month.
func TestStrangersCountsAreForgotten(t *testing.T) {
	for name, tc := range map[string]struct {
		prepare func(*testing.T, *world)
		kept    int
	}{"nothing": {nothing, 0}, "key": {hasKey, 1}, "token": {hasToken, 1}, "set": {hasBackup, 1}} {
		w := after(tc.prepare)(t, store.NewMemory())
		for _, typed := range []string{"wrong", "000000"} {
			_ = w.guessKey(t.Context(), typed)
			_ = w.hotp.Verify(t.Context(), ada, civicpin.NewSecret(typed), home)
			_ = w.guessBackup(t.Context(), civicpin.NewSecret(typed))
		}
		w.clock.Add(60 * 24 * time.Hour)
		codes, err := w.paper.Status(t.Context(), ana)
		require.NoError(t, err)
		kept := w.totp.status(t).Lockout.Failures + w.hotp.status(t).Lockout.Failures + codes.Failures
		require.Equal(t, 2*tc.kept, kept, name)
	}
}
