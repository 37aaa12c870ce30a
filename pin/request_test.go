package pin_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/pin/state"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
	"github.com/civicpin/civicpin/store/storetest"
	"github.com/civicpin/civicpin/texts"
)

// known says of each subject which contacts it has proved.
type known map[civicpin.Subject][]civicpin.Contact

func (k known) Proved(_ context.Context, subject civicpin.Subject, contacts []civicpin.Contact) (bool, error) {
	for _, c := range contacts {
		found := false
		for _, other := range k[subject] {
			found = found || c.SameAddress(other)
		}
		if !found {
			return false, nil
		}
	}
	return true, nil
}

// strict is INPS's policy without its exceptions.
func strict() pin.Policy {
	p := pin.INPS()
	p.Requests = pin.Requests{}
	p.Exceptions = testkit.Except(p.Breaks())
	return p
}

// proving makes a service of a policy, to which Maria has proved her contacts.
func proving(t *testing.T, s store.Store, p pin.Policy) *kit {
	t.Helper()
	return provingBy(t, s, p, known{maria: inps().Parts})
}

// provingBy makes a service of a policy, which asks about contacts that a subject has proved.
func provingBy(t *testing.T, s store.Store, p pin.Policy, proved pin.ProvedContacts) *kit {
	t.Helper()
	c, m, r := newClock(), &testkit.Mailbox{}, &testkit.Recorder{}
	vault := testkit.Vault(t, s, c, r)
	out := testkit.Outbox(t, vault, m, testkit.Limits())
	pins, err := pin.NewCheap(vault, out, p, proved)
	require.NoError(t, err)
	return &kit{Service: pins, clock: c, mail: m, events: r, vault: vault, out: out, policy: p}
}

// byLetter is a request with half of the secret by letter to the address in the register, and half to a typed telephone.
func byLetter() pin.IssueOptions {
	return pin.IssueOptions{By: civicpin.Citizen, Register: true, Parts: []civicpin.Contact{
		{Channel: civicpin.SMS, Address: visitors}, {Channel: civicpin.Letter, Address: "Via Roma 1\n00100 Roma"},
	}}
}

const visitors = "+393399999999"

// typed is a request to addresses that a visitor typed.
func typed() pin.IssueOptions {
	return pin.IssueOptions{By: civicpin.Citizen, Parts: []civicpin.Contact{
		{Channel: civicpin.SMS, Address: visitors}, {Channel: civicpin.Email, Address: "visitor@example.net"},
	}}
}

// What a request on line comes to, by what it shows and by what the subject has: "new" secret, "same" parts once more, parts
// that open "nothing", or "refused".
func TestRequests(t *testing.T) {
	revoked := func(cause state.Cause) func(t *testing.T, k *kit) {
		return func(t *testing.T, k *kit) {
			k.exchanged(t)
			require.NoError(t, k.Revoke(t.Context(), maria, cause, "", clerk))
		}
	}
	renew := strict()
	renew.Requests.Renew = true
	exception := strict()
	exception.Requests.Typed = true
	exception.Exceptions = testkit.Except(exception.Breaks())
	policies := []pin.Policy{strict(), renew, exception, pin.INPS()}
	for name, tt := range map[string]struct {
		prepare func(t *testing.T, k *kit)
		proved  string
		letter  []string // by policy
		typed   []string
	}{
		"nothing": {
			func(*testing.T, *kit) {}, "new",
			[]string{"new", "new", "new", "new"},
			[]string{"refused", "refused", "new", "new"},
		},
		"issued": {
			func(t *testing.T, k *kit) { k.issued(t); k.clock.Add(time.Hour) }, "same",
			[]string{"nothing", "nothing", "nothing", "nothing"},
			[]string{"refused", "refused", "same", "same"},
		},
		"issued and expired": {
			func(t *testing.T, k *kit) { k.issued(t); k.clock.Add(8 * day) }, "new",
			[]string{"new", "new", "new", "new"},
			[]string{"refused", "refused", "new", "new"},
		},
		"in use": {
			func(t *testing.T, k *kit) { k.exchanged(t) }, "refused",
			[]string{"nothing", "nothing", "nothing", "nothing"},
			[]string{"refused", "refused", "refused", "refused"},
		},
		"unused for long": {
			func(t *testing.T, k *kit) { k.exchanged(t); k.clock.Add(181 * day) }, "new",
			[]string{"nothing", "nothing", "nothing", "nothing"},
			[]string{"refused", "refused", "refused", "refused"},
		},
		"suspended": {
			func(t *testing.T, k *kit) { k.issued(t); require.NoError(t, k.Suspend(t.Context(), maria, "", clerk)) }, "refused",
			[]string{"nothing", "nothing", "nothing", "nothing"},
			[]string{"refused", "refused", "refused", "refused"},
		},
		"revoked": {
			revoked(state.Ended), "new",
			[]string{"nothing", "new", "nothing", "new"},
			[]string{"refused", "refused", "refused", "refused"},
		},
		"revoked for fraud": {
			revoked(state.Fraud), "refused",
			[]string{"nothing", "nothing", "nothing", "nothing"},
			[]string{"refused", "refused", "refused", "refused"},
		},
		"revoked for fraud, and issued on evidence that nobody used": {
			func(t *testing.T, k *kit) {
				revoked(state.Fraud)(t, k)
				require.NoError(t, k.atDesk(t))
				k.clock.Add(50 * day)
				_, err := k.vault.Purge(t.Context(), store.Pass{})
				require.NoError(t, err)
			}, "refused",
			[]string{"nothing", "nothing", "nothing", "nothing"},
			[]string{"refused", "refused", "refused", "refused"},
		},
		"revoked, and issued to no use": {
			func(t *testing.T, k *kit) {
				revoked(state.Ended)(t, k)
				k.issued(t)
				k.clock.Add(50 * day)
				_, err := k.vault.Purge(t.Context(), store.Pass{})
				require.NoError(t, err)
			}, "new",
			[]string{"nothing", "new", "nothing", "new"},
			[]string{"refused", "refused", "refused", "refused"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			for i, p := range policies {
				k := proving(t, store.NewMemory(), p)
				tt.prepare(t, k)
				require.Equal(t, tt.proved, k.cameOf(t, inps()), "proved, policy %d", i)
				k = proving(t, store.NewMemory(), p)
				tt.prepare(t, k)
				require.Equal(t, tt.letter[i], k.cameOf(t, byLetter()), "letter, policy %d", i)
				k = proving(t, store.NewMemory(), p)
				tt.prepare(t, k)
				require.Equal(t, tt.typed[i], k.cameOf(t, typed()), "typed, policy %d", i)
				o := byLetter()
				o.Register = false
				k = proving(t, store.NewMemory(), strict())
				tt.prepare(t, k)
				require.Equal(t, "refused", k.cameOf(t, o), "a letter to an address that the visitor typed")
			}
		})
	}
}

// cameOf asks for a secret and tells what came of it.
func (k *kit) cameOf(t *testing.T, o pin.IssueOptions) string {
	t.Helper()
	before := k.plain(t)
	is, err := k.Issue(t.Context(), maria, o)
	if err != nil {
		require.ErrorIs(t, err, pin.ErrWrongState)
		require.Equal(t, pin.ErrWrongState.Error(), err.Error(), "it says no more to a visitor")
		require.Equal(t, before, k.plain(t))
		return "refused"
	}
	require.NoError(t, k.out.Flush(t.Context()))
	k.clock.Add(time.Hour)
	require.NoError(t, k.out.Flush(t.Context()))
	var code strings.Builder
	for _, to := range o.Parts {
		text := k.last(to.Address)
		if to.Channel == civicpin.Letter {
			text = is.Slip.Reveal()
		}
		code.WriteString(text)
	}
	st, err := k.Status(t.Context(), maria)
	require.NoError(t, err)
	_, right := k.works(t, code.String())
	switch {
	case right && st.IssuedAt.Equal(k.clock.Now().Add(-time.Hour)):
		return "new"
	case right, st.State == state.Provisional && !o.Register && k.last(visitors) == "":
		return "same"
	}
	require.True(t, is.Slip.IsZero(), "no letter is printed")
	require.Len(t, k.last(visitors), 8, "the visitor sees no difference")
	require.Equal(t, k.mail.Last(visitors, "").Parts, len(o.Parts))
	return "nothing"
}

// A request that shows too little is refused alike, with the same work, whatever the subject is; so is one that prints half.
func TestRequestsAlike(t *testing.T) {
	for name, o := range map[string]pin.IssueOptions{"typed": typed(), "letter": byLetter()} {
		t.Run(name, func(t *testing.T) {
			first := ""
			for _, p := range people {
				f := storetest.NewFaults(store.NewMemory())
				k := proving(t, f.Store(), withDevices())
				k.policy.Requests = pin.Requests{}
				k.policy.Exceptions = testkit.Except(k.policy.Breaks())
				k = k.other(t, f.Store())
				p.prepare(t, k)
				got := trace(t, k, f, func() error { return testkit.Err(k.Issue(t.Context(), maria, o)) })
				if first == "" {
					first = got
					t.Log(got)
				}
				require.Equal(t, first, got, p.name)
			}
		})
	}
}

// A stranger who asks in the subject's name does not end the parts that were just sent.
func TestStrangersRequestEndsNothing(t *testing.T) {
	k := newKit(t, pin.INPS())
	require.NoError(t, testkit.Err(k.Issue(t.Context(), maria, inps())))
	require.NoError(t, k.out.Flush(t.Context()))
	code := k.last(phone) + k.last(email)
	for range 3 {
		k.clock.Add(time.Hour)
		_, err := k.Issue(t.Context(), maria, typed())
		require.NoError(t, err)
		require.NoError(t, k.out.Flush(t.Context()))
	}
	require.Empty(t, k.last(visitors))
	require.Equal(t, code, k.last(phone)+k.last(email), "the same halves once more")
	for range 4 {
		require.ErrorIs(t, testkit.Err(k.Verify(t.Context(), try(wrong))), pin.ErrRefused)
	}
	require.NoError(t, testkit.Err(k.Issue(t.Context(), maria, inps())))
	require.Equal(t, 4, k.failures(t), "the same counts")
	_, right := k.works(t, code)
	require.True(t, right)
}

// A double click is one issue, one after the other or at once.
func TestAskedTwice(t *testing.T) {
	k := newKit(t, pin.INPS())
	var ids sync.Map
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			is, err := k.Issue(t.Context(), maria, inps())
			if err == nil {
				ids.Store(is.ID, true)
			}
		})
	}
	wg.Wait()
	is, err := k.Issue(t.Context(), maria, inps())
	require.NoError(t, err)
	ids.Store(is.ID, true)
	n := 0
	ids.Range(func(any, any) bool { n++; return true })
	require.Equal(t, 1, n)
	require.NoError(t, k.out.Flush(t.Context()))
	k.clock.Add(time.Hour)
	require.NoError(t, k.out.Flush(t.Context()))
	require.Len(t, k.mail.Messages(), 2)
	_, right := k.works(t, k.last(phone)+k.last(email))
	require.True(t, right)

	k = newKit(t, strict()) // with a letter, which is printed again if its process died
	first, err := k.Issue(t.Context(), maria, byLetter())
	require.NoError(t, err)
	again, err := k.Issue(t.Context(), maria, byLetter())
	require.NoError(t, err)
	require.Equal(t, first.Slip.Reveal(), again.Slip.Reveal())
	k.clock.Add(time.Hour)
	again, err = k.Issue(t.Context(), maria, byLetter())
	require.NoError(t, err)
	require.True(t, again.Slip.IsZero(), "not a letter an hour")
	k.clock.Add(7 * day)
	again, err = k.Issue(t.Context(), maria, byLetter())
	require.NoError(t, err)
	require.Equal(t, first.Slip.Reveal(), again.Slip.Reveal())
}

// A slip that a clerk printed is no visitor's.
func TestRequestPrintsNoSlip(t *testing.T) {
	k := proving(t, store.NewMemory(), pin.INPS())
	o := inps()
	o.By = clerk
	o.Parts[1] = civicpin.Contact{Channel: civicpin.HandedOver}
	require.NoError(t, testkit.Err(k.Issue(t.Context(), maria, o)))
	o.By = civicpin.Citizen
	is, err := k.Issue(t.Context(), maria, o)
	require.NoError(t, err)
	require.True(t, is.Slip.IsZero())
}

func TestRequestCode(t *testing.T) {
	ctx := t.Context()
	k := newKit(t, pin.INPS())
	_, err := k.RequestCode(ctx, maria, clerk)
	require.ErrorIs(t, err, pin.ErrNoCredential)
	k.exchanged(t)
	_, err = k.RequestCode(ctx, maria, clerk)
	require.ErrorIs(t, err, pin.ErrWrongState)
	k.revoked(t)
	_, err = k.RequestCode(ctx, maria, civicpin.Citizen)
	require.ErrorIs(t, err, civicpin.ErrInvalid)
	former, err := k.RequestCode(ctx, maria, clerk)
	require.NoError(t, err)
	code, err := k.RequestCode(ctx, maria, clerk)
	require.NoError(t, err)
	ask := func(code string) error {
		o := inps()
		o.RequestCode = civicpin.NewSecret(code)
		return testkit.Err(k.Issue(ctx, maria, o))
	}
	for _, bad := range []string{"", wrong, code.Reveal()[1:], former.Reveal()} {
		require.ErrorIs(t, ask(bad), pin.ErrWrongState)
	}
	require.NotContains(t, k.plain(t), code.Reveal())
	typed := strings.ToLower(code.Reveal()[:10]) + "-" + code.Reveal()[10:]
	require.NoError(t, ask(typed))
	st, err := k.Status(ctx, maria)
	require.NoError(t, err)
	require.Equal(t, civicpin.Low, st.Level)
	k.clock.Add(8 * day)
	require.ErrorIs(t, ask(typed), pin.ErrWrongState, "once")

	k.revoked(t)
	code, err = k.RequestCode(ctx, maria, clerk)
	require.NoError(t, err)
	k.clock.Add(30 * day)
	require.ErrorIs(t, ask(code.Reveal()), pin.ErrWrongState, "30 days")
	require.NoError(t, k.Revoke(ctx, maria, state.Fraud, "", clerk))
	_, err = k.RequestCode(ctx, maria, clerk)
	require.ErrorIs(t, err, pin.ErrWrongState)
}

// After a revocation for fraud nothing but evidence begins a credential anew, until the subject has chosen a secret.
func TestFraud(t *testing.T) {
	ctx := t.Context()
	k := proving(t, store.NewMemory(), pin.INPS())
	k.exchanged(t)
	require.ErrorIs(t, k.Revoke(ctx, maria, "whim", "", clerk), civicpin.ErrInvalid)
	require.NoError(t, k.Revoke(ctx, maria, state.Ended, "", clerk))
	require.NoError(t, k.Revoke(ctx, maria, state.Fraud, "found later", clerk))
	require.NoError(t, k.Revoke(ctx, maria, state.Ended, "", clerk), "and is not forgotten")
	o := inps()
	o.By = clerk
	require.ErrorIs(t, testkit.Err(k.Issue(ctx, maria, o)), pin.ErrWrongState)
	require.ErrorContains(t, testkit.Err(k.Issue(ctx, maria, o)), "evidence")
	imported := "$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy"
	require.ErrorIs(t, k.Import(ctx, maria, civicpin.NewSecret(imported), pin.ImportOptions{By: clerk}), pin.ErrWrongState)
	m, err := k.Mark(ctx, maria)
	require.NoError(t, err)
	require.False(t, m.Free, "nor does a recovery")
	require.NoError(t, testkit.Err(k.Exchange(ctx, try(k.atDeskSent(t)), civicpin.NewSecret(changed))))
	require.NoError(t, k.Revoke(ctx, maria, state.Ended, "", clerk))
	require.NoError(t, testkit.Err(k.Issue(ctx, maria, inps())), "that is over")
}

// What was a subject's before is not forgotten with a later issue that is never exchanged.
func TestOwnedOutlivesAnUnusedIssue(t *testing.T) {
	k := newKit(t, pin.INPS())
	k.exchanged(t)
	k.revoked(t)
	k.issued(t)
	k.clock.Add(365 * day)
	require.NoError(t, testkit.Err(k.vault.Purge(t.Context(), store.Pass{})))
	m, err := k.Mark(t.Context(), maria)
	require.NoError(t, err)
	require.False(t, m.Free && !m.Revoked, "facts alone begin nothing")
	require.NoError(t, k.Revoke(t.Context(), maria, state.Ended, "", clerk))
	m, err = k.Mark(t.Context(), maria)
	require.NoError(t, err)
	require.True(t, m.Free && m.Revoked)
}

func TestNewTakesOneProvedContacts(t *testing.T) {
	out := testkit.Outbox(t, testkit.Vault(t, store.NewMemory(), newClock(), nil), &testkit.Mailbox{}, outbox.Limits{})
	for _, bad := range [][]pin.ProvedContacts{{nil}, {known{}, known{}}} {
		_, err := pin.New(out, pin.INPS(), bad...)
		require.ErrorIs(t, err, civicpin.ErrInvalid)
	}
	_, err := pin.New(out, pin.INPS(), pin.ProvedFunc(known{}.Proved))
	require.NoError(t, err)
}

// Strangers' guesses of before do not leave the owner of an imported credential disabled.
func TestImportRebinds(t *testing.T) {
	k := newKit(t, pin.INPS())
	var locked *lockout.LockedError
	for locked == nil || !locked.Disabled {
		if err := testkit.Err(k.Verify(t.Context(), try(wrong))); errors.As(err, &locked) && !locked.Disabled {
			k.clock.Set(locked.Until)
		}
	}
	k.imported(t, chosen)
	_, right := k.works(t, chosen)
	require.True(t, right)
}

// Only an operator resumes, and on evidence where the policy says so.
func TestResume(t *testing.T) {
	ctx := t.Context()
	p := pin.INPS()
	p.ResumeOnEvidence = true
	k := newKit(t, p)
	k.exchanged(t)
	require.NoError(t, k.Suspend(ctx, maria, "lost", civicpin.Citizen))
	seen := civicpin.Evidence{Method: civicpin.InPerson, Document: "AX1", By: clerk}
	require.ErrorIs(t, k.Resume(ctx, maria, seen, "", civicpin.Citizen), civicpin.ErrInvalid)
	require.ErrorIs(t, k.Resume(ctx, maria, civicpin.Evidence{}, "", clerk), pin.ErrWeakEvidence)
	require.ErrorIs(t, k.Resume(ctx, maria, civicpin.Evidence{Method: "hearsay", By: clerk}, "", clerk), pin.ErrWeakEvidence)
	require.ErrorIs(t, k.Resume(ctx, maria, civicpin.Evidence{Document: "AX1"}, "", clerk), pin.ErrWeakEvidence)
	_, right := k.works(t, chosen)
	require.False(t, right)
	require.NoError(t, k.Resume(ctx, maria, seen, "", clerk))
	st, err := k.Status(ctx, maria)
	require.NoError(t, err)
	require.Len(t, st.Evidence, 1)
	_, right = k.works(t, chosen)
	require.True(t, right)
}

// people are the states that a subject can be in when somebody guesses wrong at them.
var people = []struct {
	name    string
	prepare func(t *testing.T, k *kit)
}{
	{"unknown", func(*testing.T, *kit) {}},
	{"provisional", func(t *testing.T, k *kit) { k.issued(t) }},
	{"exchanged just now", func(t *testing.T, k *kit) { k.exchanged(t) }},
	{"set just now", func(t *testing.T, k *kit) {
		k.exchanged(t)
		require.NoError(t, testkit.Err(k.Set(t.Context(), k.granted(t), civicpin.NewSecret("MN6B3VCX"), civicpin.Source{})))
	}},
	{"active", func(t *testing.T, k *kit) { k.exchanged(t) }},
	{"expired", func(t *testing.T, k *kit) { k.exchanged(t); k.clock.Add(100 * 24 * 3600e9) }},
	{"suspended", func(t *testing.T, k *kit) {
		k.exchanged(t)
		require.NoError(t, k.Suspend(t.Context(), maria, "", clerk))
	}},
	{"revoked", func(t *testing.T, k *kit) {
		k.exchanged(t)
		require.NoError(t, k.Revoke(t.Context(), maria, state.Ended, "", clerk))
	}},
	{"active with devices", func(t *testing.T, k *kit) { k.exchanged(t); k.remembered(t, "") }},
	{"unknown before", func(t *testing.T, k *kit) {
		_, err := k.Verify(t.Context(), try(wrong))
		require.ErrorIs(t, err, pin.ErrRefused)
		require.NoError(t, k.Unlock(t.Context(), maria, clerk))
	}},
}

// trace does something and returns what it came to: the error, and every store call with its kind of record.
func trace(t *testing.T, k *kit, f *storetest.Faults, do func() error) string {
	t.Helper()
	hashes := pin.Hashes(k.Service)
	var err error
	calls := testkit.Calls(f, func() { err = do() })
	hashes = pin.Hashes(k.Service) - hashes
	return fmt.Sprintf("%v; %s; %d hashes", err, strings.Join(calls, ", "), hashes)
}

// TestStrangersLearnNothing shows that whoever does not know the secret gets the same answer after the same store calls and
// the same hash work, whatever the subject is.
func TestStrangersLearnNothing(t *testing.T) {
	anonymous := []struct {
		name string
		do   func(k *kit) error
	}{
		{"verify", func(k *kit) error {
			_, err := k.Verify(t.Context(), try(wrong))
			return err
		}},
		{"verify what cannot be a secret", func(k *kit) error {
			_, err := k.Verify(t.Context(), try("\x00 ~~ "+strings.Repeat("é", 5000)))
			return err
		}},
		{"verify nothing", func(k *kit) error {
			_, err := k.Verify(t.Context(), try(""))
			return err
		}},
		{"verify with a device's value of another subject", func(k *kit) error {
			value, err := pin.Gate(k.Service).RememberDevice(t.Context(), lockout.Target{Subject: "SOMEBODY ELSE"})
			require.NoError(t, err)
			_, err = k.Verify(t.Context(), from(value.Reveal(), wrong))
			return err
		}},
		{"verify with a device's value that is made up", func(k *kit) error {
			_, err := k.Verify(t.Context(), from(strings.Repeat("A", 44), wrong))
			return err
		}},
		{"exchange", func(k *kit) error {
			return testkit.Err(k.Exchange(t.Context(), try(wrong), civicpin.NewSecret(changed)))
		}},
		{"exchange what cannot be a secret", func(k *kit) error {
			return testkit.Err(k.Exchange(t.Context(), try("\x00 ~~ "+strings.Repeat("é", 5000)), civicpin.NewSecret(changed)))
		}},
		{"exchange until locked", func(k *kit) error {
			var err error
			for range 6 {
				err = testkit.Err(k.Exchange(t.Context(), try(wrong), civicpin.NewSecret(chosen)))
			}
			require.ErrorAs(t, err, new(*lockout.LockedError))
			return err
		}},
		{"change", func(k *kit) error { return testkit.Err(k.Change(t.Context(), try(wrong), civicpin.NewSecret(changed))) }},
		{"change to a common value", func(k *kit) error {
			return testkit.Err(k.Change(t.Context(), try(wrong), civicpin.NewSecret("12345678")))
		}},
		{"resend", func(k *kit) error { return k.Resend(t.Context(), maria, 0, civicpin.Source{Address: "192.0.2.7"}) }},
		{"resend the e-mail", func(k *kit) error { return k.Resend(t.Context(), maria, 1, civicpin.Source{}) }},
		{"verify until locked", func(k *kit) error {
			var err error
			for range 6 {
				_, err = k.Verify(t.Context(), try(wrong))
			}
			return err
		}},
		{"resend until limited", func(k *kit) error {
			var err error
			for range 11 {
				err = k.Resend(t.Context(), maria, 0, civicpin.Source{})
			}
			require.ErrorAs(t, err, new(*lockout.LockedError))
			return err
		}},
	}
	for _, a := range anonymous {
		t.Run(a.name, func(t *testing.T) {
			first := ""
			for _, p := range people {
				k := newKit(t, withDevices())
				f := k.faults
				p.prepare(t, k)
				k.clock.Set(newClock().Now().Add(200 * 24 * 3600e9))
				if p.name == "provisional" || strings.Contains(p.name, "just now") { // must still be so
					k.clock.Set(newClock().Now())
				}
				got := trace(t, k, f, func() error { return a.do(k) })
				got = strings.ReplaceAll(got, k.clock.Now().Format("2006-01-02"), "DAY")
				if first == "" {
					first = got
					t.Log(got)
				}
				require.Equal(t, first, got, p.name)
			}
		})
	}
}

// Resends that strangers ask for do not cost a part that waits for its country its turn.
func TestResendLosesTheCountrySlot(t *testing.T) {
	for _, attacked := range []bool{false, true} {
		t.Run(fmt.Sprint("resends ", attacked), func(t *testing.T) {
			k := newLimitedKit(t, outbox.Limits{Home: civicpin.Rate{Limit: 3, Window: time.Hour}})
			pins, out, box, clock := k.Service, k.out, k.mail, k.clock
			n := 0
			flood := func(k int) { // as many as the country lets through, so that what waits stays 8 hours' worth
				for range k {
					o := pin.IssueOptions{By: civicpin.Citizen, Parts: []civicpin.Contact{
						{Channel: civicpin.SMS, Address: fmt.Sprintf("+3933%08d", n)},
						{Channel: civicpin.Email, Address: fmt.Sprintf("x%d@void.example", n)},
					}, Source: civicpin.Source{Address: fmt.Sprintf("2001:db8:%x::1", n%0xffff)}}
					_, err := pins.Issue(t.Context(), civicpin.Subject(fmt.Sprint("MADE UP ", n)), o)
					require.NoError(t, err)
					n++
				}
			}
			flood(27)
			require.NoError(t, out.Flush(t.Context()))
			_, err := pins.Issue(t.Context(), maria, inps())
			require.NoError(t, err)
			for h := range 7 * 24 {
				require.NoError(t, out.Flush(t.Context()))
				clock.Add(time.Hour)
				flood(3)
				if attacked && h%5 == 4 {
					_ = pins.Resend(t.Context(), maria, 0, civicpin.Source{Address: "192.0.2.1"})
				}
			}
			got := len(box.To(phone, pin.PartMessage))
			t.Log("to the owner in a week: ", got)
			require.NotZero(t, got)
		})
	}
}

// Of three Resends at once none fails, for a known subject or an unknown one: only a known subject's could lose the race.
func TestResendsAtOnce(t *testing.T) {
	lost := map[civicpin.Subject]int{}
	for range 60 {
		k := newKit(t, pin.INPS())
		_, err := k.Issue(t.Context(), maria, inps())
		require.NoError(t, err)
		for _, subject := range []civicpin.Subject{maria, "NOBODY"} {
			var wg sync.WaitGroup
			var mu sync.Mutex
			for range 3 {
				wg.Go(func() {
					if k.Resend(t.Context(), subject, 0, civicpin.Source{}) != nil {
						mu.Lock()
						lost[subject]++
						mu.Unlock()
					}
				})
			}
			wg.Wait()
		}
	}
	require.Equal(t, lost["NOBODY"], lost[maria])
}

// No policy has a name that New derives for the resends of another.
func TestDerivedName(t *testing.T) {
	vault := testkit.Vault(t, store.NewMemory(), newClock(), nil)
	out := testkit.Outbox(t, vault, &testkit.Mailbox{}, outbox.Limits{})
	a, b := pin.INPS(), pin.INPS()
	a.Name, b.Name = "x", "x.resend"
	a.Sends, b.Sends = civicpin.Rate{Limit: 10, Window: 24 * time.Hour}, civicpin.Rate{Limit: 5, Window: 24 * time.Hour}
	as, err := pin.NewCheap(vault, out, a)
	require.NoError(t, err)
	bs, err := pin.NewCheap(vault, out, b)
	require.NoError(t, err)
	for range 5 {
		require.NoError(t, as.Resend(t.Context(), maria, 0, civicpin.Source{}))
	}
	_, err = bs.Issue(t.Context(), maria, inps())
	require.NoError(t, err, "strangers' resends at one portal, and none at this one")
}

// No policy has a name that New derives for the gate of former secrets of another: a citizen's login at one portal shares no
// count with choices at the other.
func TestDerivedGate(t *testing.T) {
	k := newKit(t, pin.INPS())
	k.exchanged(t)
	p := pin.INPS()
	p.Name += ".reuse"
	other := newKitOn(t, k.memory, p, k.clock, k.mail, k.events)
	for range 5 {
		require.Error(t, testkit.Err(other.Verify(t.Context(), try(wrong))))
	}
	require.NoError(t, testkit.Err(k.Set(t.Context(), k.granted(t), civicpin.NewSecret(changed), civicpin.Source{})))
}

type load struct {
	Typed int   `json:"n" export:"yes"`
	At    int64 `json:"t" export:"yes"`
}

// While too many typed messages wait, Resend answers alike for a stranger and a citizen whose PIN a clerk issued.
func TestResendTellsWhileCrowded(t *testing.T) {
	k := newKit(t, pin.INPS())
	o := inps()
	o.By = clerk
	_, err := k.Issue(t.Context(), maria, o)
	require.NoError(t, err)
	// What a dispatcher of another process writes down.
	kind, err := store.NewKind[load](testkit.Vault(t, k.memory, k.clock, nil), "quota.load")
	require.NoError(t, err)
	require.NoError(t, kind.Put(t.Context(), &store.Entry[load]{
		Key: store.Key{ID: "typed"}, Value: load{100_000, k.clock.Now().UnixNano()}, ExpiresAt: k.clock.Now().Add(2 * time.Hour),
	}))
	// This process has taken over a thousand since it looked last.
	refs := make([]outbox.Ref, 1001)
	for i := range refs {
		refs[i] = outbox.Ref{Owner: "pin.inps", Subject: "CROWD", ID: string(rune('a'+i%26)) + string(rune('0'+i/26))}
	}
	err = k.out.Announce(t.Context(), outbox.Request{Subject: "CROWD", Decoy: true, Refs: refs},
		func(context.Context) error { return nil })
	require.ErrorIs(t, err, outbox.ErrBusy)
	stranger := k.Resend(t.Context(), "NOBODY", 0, civicpin.Source{Address: "192.0.2.1"})
	citizen := k.Resend(t.Context(), maria, 0, civicpin.Source{Address: "192.0.2.1"})
	require.Equal(t, stranger, citizen)
}

// TestNobodyElseLearnsIt walks through good and bad ways with a faulty store and a gateway that quotes what it was given, and
// looks for secrets in every error, event, log line and stored byte.
func TestNobodyElseLearnsIt(t *testing.T) {
	w := testkit.NewWitness()
	w.Quotes(func(n int) bool { return n == 2 })
	p := pin.INPS()
	p.History = 3
	k := newKitOn(t, w.Store(), p, newClock(), w.Mail, w.Events)
	ctx := t.Context()

	w.Say(testkit.Err(k.Issue(ctx, maria, inps())))
	for range 3 {
		w.Say(k.out.Flush(ctx))
		k.clock.Add(time.Hour)
	}
	code := k.last(phone) + k.last(email)
	require.Len(t, code, 16)
	w.Secret(chosen, changed, wrong, code, "MN6B3VCX")
	w.Personal(string(maria), phone, email)
	for call := 1; call < 8; call++ {
		for _, o := range []storetest.Outcome{storetest.NotDone, storetest.ReplyLost} {
			w.Faults.FailAt(call, o)
			w.Say(testkit.Err(k.Verify(ctx, try(wrong))))
			w.Faults.FailAt(call, o)
			w.Say(testkit.Err(k.Exchange(ctx, try(code), civicpin.NewSecret(code[:8]))))
			k.clock.Add(time.Hour)
		}
	}
	w.Faults.Reset()
	w.Say(k.Unlock(ctx, maria, clerk))
	k.clock.Add(time.Hour)
	require.NoError(t, testkit.Err(k.Exchange(ctx, try(code), civicpin.NewSecret(chosen))))
	w.Say(testkit.Err(k.Exchange(ctx, try(code), civicpin.NewSecret(chosen))))
	w.Say(testkit.Err(k.Change(ctx, try(chosen), civicpin.NewSecret(chosen))))
	require.NoError(t, testkit.Err(k.Change(ctx, try(chosen), civicpin.NewSecret(changed))))
	w.Say(testkit.Err(k.Change(ctx, try(changed), civicpin.NewSecret(chosen))))
	w.Say(k.Import(ctx, maria, civicpin.NewSecret("MN6B3VCX"), pin.ImportOptions{By: clerk}))
	k.clock.Add(100 * day)
	w.Say(testkit.Err(k.Verify(ctx, try(changed))))
	st, err := k.Status(ctx, maria)
	w.Say(err, st, try(changed), k.Service)
	w.Say(k.Revoke(ctx, maria, state.Ended, "end", clerk))
	w.LeaksNothing(t, "pin.refused", "gateway refuses")
}

// New refuses a policy that its notifier cannot keep: a part that Issue promises must arrive.
func TestNewAsksTheNotifier(t *testing.T) {
	send := civicpin.NotifierFunc(func(context.Context, civicpin.Message) (string, error) { return "", nil })
	words, err := texts.New(texts.Service{Name: "INPS"})
	require.NoError(t, err)
	worded := &testkit.Mailbox{Refuse: words.Check}
	routes := civicpin.ByChannel{}
	for channel := range pin.INPS().Valid {
		if !channel.Printed() {
			routes[channel] = send
		}
	}
	bySMSOnly := pin.INPS()
	delete(routes, civicpin.Voice)
	delete(bySMSOnly.Valid, civicpin.Voice)
	long := pin.INPS()
	long.Length = 25
	signs := pin.INPS()
	signs.Alphabet += "&"
	for name, tc := range map[string]struct {
		policy   pin.Policy
		notifier civicpin.Notifier
		refused  civicpin.Channel
	}{
		"no Checker":             {pin.INPS(), send, ""},
		"no notifier":            {pin.INPS(), nil, ""},
		"words for all of INPS":  {pin.INPS(), worded, ""},
		"words for the default":  {pin.Default(), worded, ""},
		"a route for all":        {bySMSOnly, routes, ""},
		"a channel has no route": {pin.INPS(), routes, civicpin.Voice},
		"too long for the texts": {long, worded, "certified-email"},
		"a symbol in no text":    {signs, worded, "certified-email"},
		"too long for no texts":  {long, send, ""},
	} {
		t.Run(name, func(t *testing.T) {
			vault := newKit(t, pin.INPS()).vault
			_, err := pin.NewCheap(vault, testkit.Outbox(t, vault, tc.notifier, outbox.Limits{}), tc.policy)
			testkit.Unsendable(t, err, pin.PartMessage, tc.refused)
		})
	}
}

// What anybody asks for again takes no place of what a clerk issues.
func TestResendsTakeNoPlaceOfTheIssues(t *testing.T) {
	limits := testkit.Limits()
	limits.Shown = civicpin.Rate{Limit: 1, Window: 24 * time.Hour}
	k := newLimitedKit(t, limits)
	o := inps()
	o.By = clerk
	_, err := k.Issue(t.Context(), maria, o)
	require.NoError(t, err)
	require.NoError(t, k.out.Flush(t.Context()))
	require.NoError(t, k.Resend(t.Context(), maria, 0, civicpin.Source{Address: "192.0.2.1"}))
	require.NoError(t, k.out.Flush(t.Context()))
	require.Empty(t, k.events.Of("outbox.held"))
	require.Len(t, k.events.Of("outbox.sent"), 3)
}

func TestUnprintableTexts(t *testing.T) {
	k := newKit(t, pin.INPS())
	faults := k.faults
	k.exchanged(t)
	ctx := t.Context()
	seen := func(e civicpin.Evidence) civicpin.Evidence {
		if e.By == "" {
			e.By = clerk
		}
		if e.Method == "" {
			e.Method = civicpin.InPerson
		}
		return e
	}
	issue := func(change func(*pin.IssueOptions)) error {
		o := inps()
		change(&o)
		return testkit.Err(k.Issue(ctx, maria, o))
	}
	imports := func(subject civicpin.Subject, o pin.ImportOptions) error {
		return k.Import(ctx, subject, civicpin.NewSecret("$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy"), o)
	}
	person := func(text string) civicpin.Subject { return civicpin.Subject(text) }
	at := func(address string) pin.Attempt {
		return pin.Attempt{Subject: maria, Source: civicpin.Source{Address: address}}
	}
	testkit.Refuses(t, faults, map[string]func(string) error{
		"Issue, subject":  func(s string) error { return testkit.Err(k.Issue(ctx, person(s), inps())) },
		"Issue, operator": func(s string) error { return issue(func(o *pin.IssueOptions) { o.By = civicpin.Operator(s) }) },
		"Issue, source":   func(s string) error { return issue(func(o *pin.IssueOptions) { o.Source.Address = s }) },
		"Issue, locale":   func(s string) error { return issue(func(o *pin.IssueOptions) { o.Parts[0].Locale = s }) },
		"Issue, document": func(s string) error {
			return issue(func(o *pin.IssueOptions) { o.Evidence = seen(civicpin.Evidence{Document: s}) })
		},
		"Issue, method": func(s string) error {
			return issue(func(o *pin.IssueOptions) { o.Evidence = seen(civicpin.Evidence{Method: civicpin.Method(s)}) })
		},
		"Import, subject":  func(s string) error { return imports(person(s), pin.ImportOptions{By: clerk}) },
		"Import, operator": func(s string) error { return imports("imported", pin.ImportOptions{By: civicpin.Operator(s)}) },
		"Verify, source":   func(s string) error { return testkit.Err(k.Verify(ctx, at(s))) },
		"Exchange, source": func(s string) error { return testkit.Err(k.Exchange(ctx, at(s), civicpin.NewSecret(changed))) },
		"Change, source":   func(s string) error { return testkit.Err(k.Change(ctx, at(s), civicpin.NewSecret(changed))) },
		"Reissue, source":  func(s string) error { return testkit.Err(k.Reissue(ctx, pin.Grant{}, at(s).Source)) },
		"Resend, source":   func(s string) error { return k.Resend(ctx, maria, 0, at(s).Source) },
		"Shown, source":    func(s string) error { return testkit.Err(k.Shown(ctx, maria, at(s).Source)) },
		"Verify, subject":  func(s string) error { return testkit.Err(k.Verify(ctx, pin.Attempt{Subject: person(s)})) },
		"Exchange, subject": func(s string) error {
			return testkit.Err(k.Exchange(ctx, pin.Attempt{Subject: person(s)}, civicpin.NewSecret(changed)))
		},
		"Change, subject": func(s string) error {
			return testkit.Err(k.Change(ctx, pin.Attempt{Subject: person(s)}, civicpin.NewSecret(changed)))
		},
		"Attest, subject":  func(s string) error { return k.Attest(ctx, person(s), seen(civicpin.Evidence{})) },
		"Attest, document": func(s string) error { return k.Attest(ctx, maria, seen(civicpin.Evidence{Document: s})) },
		"Attest, operator": func(s string) error { return k.Attest(ctx, maria, seen(civicpin.Evidence{By: civicpin.Operator(s)})) },
		"Suspend, reason":  func(s string) error { return k.Suspend(ctx, maria, s, clerk) },
		"Resume, reason":   func(s string) error { return k.Resume(ctx, maria, civicpin.Evidence{}, s, clerk) },
		"LowerLevel, reason": func(s string) error {
			return k.LowerLevel(ctx, maria, civicpin.Low, k.clock.Now().Add(day), s, clerk)
		},
		"Stop, reason":      func(s string) error { return k.Stop(ctx, maria, s, clerk) },
		"Revoke, reason":    func(s string) error { return k.Revoke(ctx, "revoked", state.Ended, s, clerk) },
		"Revoke, operator":  func(s string) error { return k.Revoke(ctx, "revoked", state.Ended, "", civicpin.Operator(s)) },
		"Revoke, subject":   func(s string) error { return k.Revoke(ctx, person(s), state.Ended, "", clerk) },
		"Unlock, subject":   func(s string) error { return k.Unlock(ctx, person(s), clerk) },
		"Unlock, operator":  func(s string) error { return k.Unlock(ctx, maria, civicpin.Operator(s)) },
		"Resend, subject":   func(s string) error { return k.Resend(ctx, person(s), 0, civicpin.Source{}) },
		"Reprint, subject":  func(s string) error { return testkit.Err(k.Reprint(ctx, person(s), clerk)) },
		"Reprint, operator": func(s string) error { return testkit.Err(k.Reprint(ctx, maria, civicpin.Operator(s))) },
		"Receipt":           func(s string) error { return k.Receipt(ctx, s, state.Delivered) },
		"Status, subject":   func(s string) error { return testkit.Err(k.Status(ctx, person(s))) },
		"Epoch, subject":    func(s string) error { return testkit.Err(k.Epoch(ctx, person(s))) },
		"Shown, subject":    func(s string) error { return testkit.Err(k.Shown(ctx, person(s), civicpin.Source{})) },
		"Mark, subject":     func(s string) error { return testkit.Err(k.Mark(ctx, person(s))) },
	})
}

// Strangers close the lane of an owner without a known device after so long, though the owner logs in meanwhile; on a device
// that the owner remembered at one of these logins, the owner still gets in. Strangers who guess once a day lock nothing, and
// reach the ceiling that does not show of an owner who does not log in. docs/threats.md has the numbers.
func TestStrangersCloseTheOpenLane(t *testing.T) {
	for name, tc := range map[string]struct {
		lockout lockout.Policy
		closed  time.Duration // after that it shows
		days    int           // until it is reached without a lock
	}{
		"Default": {pin.Default().Lockout, 17*time.Hour + 3*time.Minute, 51},
		"INPS":    {pin.INPS().Lockout, 7*time.Hour + 45*time.Minute, 25},
	} {
		t.Run(name, func(t *testing.T) {
			p := pin.INPS()
			p.Lockout = tc.lockout
			k := newKit(t, p)
			k.exchanged(t)
			began, device := k.clock.Now(), civicpin.Secret{}
			var locked *lockout.LockedError
			for locked == nil || !locked.Disabled {
				ok, err := k.Verify(t.Context(), try(chosen))
				if err == nil && p.Lockout.Devices > 0 && device.IsZero() {
					device, err = k.RememberDevice(t.Context(), ok)
					require.NoError(t, err)
				}
				err = testkit.Err(k.Verify(t.Context(), try(wrong)))
				if errors.As(err, &locked) && !locked.Disabled {
					k.clock.Set(locked.Until)
				}
			}
			require.Equal(t, tc.closed, k.clock.Now().Sub(began))
			_, err := k.Verify(t.Context(), try(chosen))
			require.True(t, testkit.LockedBy(t, err).Disabled)
			if p.Lockout.Devices > 0 {
				a := try(chosen)
				a.Source.Device = device
				require.NoError(t, testkit.Err(k.Verify(t.Context(), a)))
			}

			k = newKit(t, p)
			k.exchanged(t)
			k.events.Take()
			days := 0
			for ; !k.hidden(t); days++ {
				k.clock.Add(day)
				require.ErrorIs(t, testkit.Err(k.Verify(t.Context(), try(wrong))), pin.ErrRefused)
			}
			require.Equal(t, tc.days, days-1)
			require.Empty(t, k.events.Of("lockout.locked"))
		})
	}
}

// hidden reports whether a ceiling was reached that does not show.
func (k *kit) hidden(t *testing.T) bool {
	t.Helper()
	st, err := k.Status(t.Context(), maria)
	require.NoError(t, err)
	return st.Lockout.Hidden
}

// A visitor whose telephone gets one half beside a letter sees no difference by what the subject has: each request of the
// telephone gets the same half once more, until it expires, and Resend sends none.
func TestAsideAsAnIssue(t *testing.T) {
	const second = "+393388888888"
	asks := func(to string) pin.IssueOptions {
		o := byLetter()
		o.Parts[0].Address = to
		return o
	}
	seen := func(t *testing.T, prepare func(*testing.T, *kit)) []string {
		k := proving(t, store.NewMemory(), strict())
		prepare(t, k)
		names, list := map[string]int{}, []string{}
		named := func(text string) int {
			if names[text] == 0 {
				names[text] = len(names) + 1
			}
			return names[text]
		}
		for _, step := range []struct {
			to   string // Resend if it is empty
			wait time.Duration
		}{
			{visitors, 0},
			{visitors, time.Hour},
			{"", time.Hour},
			{second, time.Hour},
			{visitors, time.Hour},
			{second, 8 * day},
			{visitors, 14 * day},
			{visitors, time.Hour},
		} {
			before := len(k.mail.Messages())
			if step.to == "" {
				require.NoError(t, k.Resend(t.Context(), maria, 0, civicpin.Source{}))
			} else {
				is, err := k.Issue(t.Context(), maria, asks(step.to))
				require.NoError(t, err)
				for _, p := range is.Parts {
					list = append(list, fmt.Sprint(named(is.ID), is.ExpiresAt, p.Contact, p.State, p.At))
				}
			}
			require.NoError(t, k.out.Flush(t.Context()))
			for _, m := range k.mail.Messages()[before:] {
				list = append(list, fmt.Sprint(m.To, named(m.Secret.Reveal()), m.ExpiresAt))
			}
			k.clock.Add(step.wait)
		}
		return list
	}
	want := seen(t, func(*testing.T, *kit) {})
	for name, prepare := range map[string]func(*testing.T, *kit){
		"in use": func(t *testing.T, k *kit) { k.exchanged(t) },
		"lost": func(t *testing.T, k *kit) {
			k.exchanged(t)
			require.NoError(t, k.Suspend(t.Context(), maria, "", clerk))
		},
		"revoked": func(t *testing.T, k *kit) {
			k.exchanged(t)
			require.NoError(t, k.Revoke(t.Context(), maria, state.Ended, "", clerk))
		},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, want, seen(t, func(t *testing.T, k *kit) {
				prepare(t, k)
				k.clock.Set(newClock().Now())
			}))
		})
	}
	require.Len(t, want, 14+6, "seven requests, and six messages")
}

// What was to be sent once more, and is gone or expired at the moment of the write, comes to nothing.
func TestGoneAtItsWrite(t *testing.T) {
	erase := func(k *kit) { require.NoError(t, testkit.Err(k.vault.Erase(t.Context(), maria, store.Pass{}))) }
	for name, tc := range map[string]struct {
		o    pin.IssueOptions
		gone func(*kit)
	}{
		"the secret is erased":           {inps(), erase},
		"parts aside expire just then":   {byLetter(), func(k *kit) { k.clock.Add(21 * day); k.beat(t) }},
		"parts aside are erased":         {byLetter(), erase},
		"the secret is exchanged before": {inps(), func(k *kit) { require.NoError(t, exchanges(t.Context(), k)) }},
	} {
		k := newKit(t, pin.INPS())
		issuedBefore(t, k)
		if tc.o.Register {
			require.NoError(t, testkit.Err(k.Issue(t.Context(), maria, tc.o)))
		}
		k.clock.Add(time.Hour)
		require.NoError(t, k.out.Flush(t.Context()))
		k.clock.Add(time.Hour)
		before := len(k.mail.Messages())
		k.once(t, "pin.inps", tc.gone)
		_, _ = k.Issue(t.Context(), maria, tc.o)
		last := k.events.All()
		require.Equal(t, civicpin.EventCode("pin.nothing_issued"), last[len(last)-1].Code, name)
		k.faults.Hook(nil)
		k.clock.Add(time.Hour)
		require.NoError(t, k.out.Flush(t.Context()))
		require.Len(t, k.mail.Messages(), before, name)
		if strings.Contains(name, "erased") {
			require.ErrorIs(t, testkit.Err(k.Status(t.Context(), maria)), pin.ErrNoCredential, name)
		}
	}
}

// beat writes Maria's credential.
func (k *kit) beat(t *testing.T) {
	t.Helper()
	require.NoError(t, k.Attest(t.Context(), maria, inPerson))
}

// A request for parts that are on their way is told of those if it names their contacts, and else what an unknown subject
// would be told. Each part is sent again a minute after it went.
func TestAskedAgain(t *testing.T) {
	p := pin.INPS()
	p.Sends = civicpin.Rate{Limit: 100, Window: time.Hour}
	k := newKit(t, p)
	ctx := t.Context()
	first, err := k.Issue(ctx, maria, inps())
	require.NoError(t, err)
	k.clock.Add(time.Hour)
	require.NoError(t, k.out.Flush(ctx))
	went := k.clock.Now()
	ask := func(o pin.IssueOptions, sent int) pin.Issue {
		t.Helper()
		k.events.Take()
		is, err := k.Issue(ctx, maria, o)
		require.NoError(t, err)
		require.Len(t, k.events.Of("pin.resent"), min(sent, 1))
		before := len(k.mail.Messages())
		require.NoError(t, k.out.Flush(ctx))
		require.Len(t, k.mail.Messages()[before:], sent)
		return is
	}
	k.clock.Add(time.Minute - 1)
	is := ask(inps(), 0)
	require.Equal(t, []any{first.ID, first.ExpiresAt.UTC()}, []any{is.ID, is.ExpiresAt.UTC()})
	for i, p := range is.Parts {
		require.Equal(t, []any{inps().Parts[i], state.Accepted, went}, []any{p.Contact, p.State, p.At.UTC()})
		require.NotEmpty(t, p.Receipt)
	}
	mixed := inps()
	mixed.Parts[1].Address = "other@example.net"
	for _, o := range []pin.IssueOptions{typed(), mixed} {
		is = ask(o, 0)
		require.NotEqual(t, first.ID, is.ID)
		for i, p := range is.Parts {
			require.Equal(t, pin.Part{Contact: o.Parts[i], State: state.Pending, At: k.clock.Now()}, p)
		}
	}
	k.clock.Add(1)
	ask(typed(), 2)
	require.Empty(t, k.last(visitors))
	ask(inps(), 0)
}

// Parts that open nothing are kept as an issue's are, but for the text of the letter, and dropped once they have expired.
func TestPartsAside(t *testing.T) {
	k := newKit(t, pin.INPS())
	active(t, k)
	ask := func(i int) {
		o := byLetter()
		o.Parts[0].Address = fmt.Sprint("+39339000000", i)
		require.NoError(t, testkit.Err(k.Issue(t.Context(), maria, o)))
	}
	type parts []struct{ Text, State, Message string }
	type record struct {
		Aside []struct {
			Issue           string
			Parts           parts
			Issued, Expires time.Time
			For             time.Duration
		}
	}
	stored := func() (r record) {
		require.NoError(t, json.Unmarshal([]byte(k.plain(t)), &r))
		return r
	}
	now := k.clock.Now()
	ask(0)
	one := stored().Aside[0]
	require.Len(t, one.Parts[0].Text, 8)
	require.Empty(t, one.Parts[1].Text)
	require.Len(t, one.Issue, 26)
	require.Equal(t, []any{now, now.Add(21 * day), 21 * day}, []any{one.Issued, one.Expires, one.For})
	ask(1)
	k.clock.Add(23 * day)
	ask(2)
	require.Len(t, stored().Aside, 1)
	k.clock.Add(23 * day)
	n, err := k.Sweep(t.Context(), 10)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.Empty(t, stored().Aside)
	ask(3)
	require.Len(t, stored().Aside, 1)
	k.revoked(t)
	require.Empty(t, stored().Aside)
}

// One part is sent a hundred times at most, and no letter that was printed as often is printed again.
func TestSendsOfOnePartAreBounded(t *testing.T) {
	p := pin.INPS()
	p.Sends = civicpin.Rate{Limit: 1000, Window: time.Hour}
	k := newKit(t, p)
	issuedBefore(t, k)
	for range 110 {
		require.NoError(t, k.Resend(t.Context(), maria, 1, home))
		require.NoError(t, k.out.Flush(t.Context()))
		k.clock.Add(10 * time.Minute)
	}
	require.NoError(t, k.out.Flush(t.Context()))
	require.Len(t, k.mail.To(email, ""), 100)
	require.Len(t, k.mail.To(phone, ""), 1)

	for reprints, printed := range map[int]bool{98: true, 99: false} {
		k = newKit(t, p)
		require.NoError(t, testkit.Err(k.Issue(t.Context(), maria, byLetter())))
		for range reprints {
			require.NoError(t, testkit.Err(k.Reprint(t.Context(), maria, clerk)))
		}
		k.clock.Add(8 * day)
		is, err := k.Issue(t.Context(), maria, byLetter())
		require.NoError(t, err)
		require.Equal(t, printed, !is.Slip.IsZero(), reprints)
	}
}

// A printed part counts like one that is sent.
func TestPrintedPartsCount(t *testing.T) {
	p := pin.INPS()
	p.Sends = civicpin.Rate{Limit: 3, Window: time.Hour}
	k := newKit(t, p)
	issue := issues(civicpin.Citizen, byLetter())
	require.NoError(t, issue(t.Context(), k))
	require.Equal(t, k.clock.Now().Add(20*time.Minute), testkit.LockedBy(t, issue(t.Context(), k)).Until)

	k = newKit(t, p)
	k.imported(t, "4711")
	n := 0
	for err := error(nil); err == nil; n++ {
		k.grant = k.granted(t, byLetter().Parts...)
		err = reissues(t.Context(), k)
	}
	require.Equal(t, 4, n, "a run has five messages of its own, and then the subject's three")
}

// A request for a subject who is unknown leaves a record that no call finds: it expired ten minutes before. A store may
// drop a record an hour after it has expired.
func TestNobodysRecord(t *testing.T) {
	k := newKit(t, pin.INPS())
	require.NoError(t, k.Resend(t.Context(), "NOBODY", 0, home))
	n := 0
	for item, err := range k.memory.List(t.Context(), "pin.inps/", "") {
		require.NoError(t, err)
		require.True(t, k.clock.Now().Add(-10*time.Minute+time.Hour).Equal(item.ExpiresAt), "%v", item.ExpiresAt)
		n++
	}
	require.Equal(t, 1, n)
}

// A visitor may ask for a part that the policy has by now, and the issued secret does not; and while the credential is
// suspended. Nothing comes of it.
func TestResendOfNothing(t *testing.T) {
	more := pin.INPS()
	more.Parts = 3
	for name, prepare := range map[string]func(*kit){
		"a part too many": func(*kit) {},
		"suspended":       func(k *kit) { require.NoError(t, k.Suspend(t.Context(), maria, "", clerk)) },
		"withdrawn":       func(k *kit) { require.NoError(t, k.ContactsWent(t.Context(), maria, inps().Parts, time.Time{}, clerk)) },
		"asked for with a letter": func(k *kit) {
			k.revoked(t)
			require.NoError(t, testkit.Err(k.Issue(t.Context(), maria, byLetter())))
			require.NoError(t, k.out.Flush(t.Context()))
		},
	} {
		k := newKit(t, pin.INPS())
		issuedBefore(t, k)
		prepare(k)
		other, part := newKitOn(t, k.memory, more, k.clock, k.mail, k.events), 0
		if name == "a part too many" {
			part = 2
		}
		k.events.Take()
		sent := len(k.mail.Messages())
		require.NoError(t, other.Resend(t.Context(), maria, part, home))
		require.NoError(t, k.out.Flush(t.Context()))
		require.Len(t, k.events.Of("pin.nothing_issued"), 1, name)
		require.Len(t, k.mail.Messages(), sent, name)
	}
}

// A letter that was issued anew at the moment of its reprint is not printed.
func TestReprintOvertaken(t *testing.T) {
	k := newKit(t, pin.INPS())
	printed(t, k)
	k.events.Take()
	k.once(t, "pin.inps", func(other *kit) { require.NoError(t, other.atDesk(t)) })
	text, err := k.Reprint(t.Context(), maria, clerk)
	require.ErrorIs(t, err, pin.ErrChanged)
	require.True(t, text.IsZero())
	require.Empty(t, k.events.Of("pin.resent"))

	k = newKit(t, pin.INPS())
	printed(t, k)
	k.clock.Add(time.Hour)
	require.NoError(t, testkit.Err(k.Reprint(t.Context(), maria, clerk)))
	st, err := k.Status(t.Context(), maria)
	require.NoError(t, err)
	require.Equal(t, k.clock.Now(), st.Parts[1].At.UTC())
	k.once(t, "pin.inps", func(other *kit) { other.revoked(t) })
	require.ErrorIs(t, testkit.Err(k.Reprint(t.Context(), maria, clerk)), pin.ErrChanged)
}

// A letter to an address that a visitor typed is not printed, for a secret that is on its way to others.
func TestNoSlipOfAnothers(t *testing.T) {
	k := newKit(t, pin.INPS())
	issuedBefore(t, k)
	o := byLetter()
	o.Register = false
	is, err := k.Issue(t.Context(), maria, o)
	require.NoError(t, err)
	require.True(t, is.Slip.IsZero())
}

// The store holds as much after a Resend for a subject with a part as for one without.
func TestResendsHaveOneSize(t *testing.T) {
	var sizes [2][]int
	for i, subject := range []civicpin.Subject{maria, "RSSMRA85T10A562X"} {
		k := newKit(t, pin.INPS())
		issuedBefore(t, k)
		seen := map[string]bool{}
		for item := range k.memory.List(t.Context(), "outbox.", "") {
			seen[item.Key] = true
		}
		require.NoError(t, k.Resend(t.Context(), subject, 0, home))
		for item, err := range k.memory.List(t.Context(), "outbox.", "") {
			require.NoError(t, err)
			if !seen[item.Key] {
				sizes[i] = append(sizes[i], len(item.Value))
			}
		}
		slices.Sort(sizes[i])
	}
	require.NotEmpty(t, sizes[0])
	require.Equal(t, sizes[0], sizes[1])
}
