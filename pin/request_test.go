package pin_test

import (
	"context"
	"errors"
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
	return p
}

// proving makes a service of a policy, to which Maria has proved her contacts.
func proving(t *testing.T, s store.Store, p pin.Policy) *kit {
	t.Helper()
	c, m, r := newClock(), &testkit.Mailbox{}, &testkit.Recorder{}
	vault := testkit.Vault(t, s, c, r)
	out := testkit.Outbox(t, vault, m, testkit.Limits())
	pins, err := pin.NewCheap(vault, out, p, known{maria: inps().Parts})
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
	exception.Requests.Exception = "a test"
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
