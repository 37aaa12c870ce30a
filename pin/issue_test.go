package pin_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
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

func TestIssueRefusesBadInputAndChangesNothing(t *testing.T) {
	sms := civicpin.Contact{Channel: civicpin.SMS, Address: phone}
	mail := civicpin.Contact{Channel: civicpin.Email, Address: email}
	letter := civicpin.Contact{Channel: civicpin.Letter, Address: "Via Roma 1\n00100 Roma"}
	slip := civicpin.Contact{Channel: civicpin.HandedOver}
	seen := civicpin.Evidence{Method: civicpin.InPerson, By: clerk}
	for name, tc := range map[string]struct {
		subject civicpin.Subject
		o       pin.IssueOptions
		want    error
	}{
		"no subject":             {"", inps(), civicpin.ErrInvalid},
		"a subject in two lines": {"A\nB", inps(), civicpin.ErrInvalid},
		"nobody asks":            {maria, pin.IssueOptions{Parts: []civicpin.Contact{sms, mail}}, civicpin.ErrInvalid},
		"no contacts":            {maria, pin.IssueOptions{By: clerk}, pin.ErrWrongParts},
		"one contact":            {maria, pin.IssueOptions{By: clerk, Parts: []civicpin.Contact{sms}}, pin.ErrWrongParts},
		"three contacts":         {maria, pin.IssueOptions{By: clerk, Parts: []civicpin.Contact{sms, mail, letter}}, pin.ErrWrongParts},
		"one telephone twice": {maria, pin.IssueOptions{By: clerk, Parts: []civicpin.Contact{
			sms, {Channel: civicpin.Voice, Address: phone},
		}}, pin.ErrWrongParts},
		"one mailbox twice": {maria, pin.IssueOptions{By: clerk, Parts: []civicpin.Contact{
			mail, {Channel: civicpin.CertifiedEmail, Address: strings.ToUpper(email)},
		}}, pin.ErrWrongParts},
		"one channel twice": {maria, pin.IssueOptions{By: clerk, Parts: []civicpin.Contact{
			sms, {Channel: civicpin.SMS, Address: "+393337654321"},
		}}, pin.ErrWrongParts},
		"two printed parts":   {maria, pin.IssueOptions{By: clerk, Parts: []civicpin.Contact{letter, slip}}, pin.ErrWrongParts},
		"a channel of nobody": {maria, pin.IssueOptions{By: clerk, Parts: []civicpin.Contact{sms, {Channel: "pigeon", Address: "x"}}}, pin.ErrWrongParts},
		"a bad number": {maria, pin.IssueOptions{By: clerk, Parts: []civicpin.Contact{
			{Channel: civicpin.SMS, Address: "333 123"}, mail,
		}}, civicpin.ErrInvalid},
		"a level for nothing": {maria, pin.IssueOptions{By: clerk, Parts: []civicpin.Contact{sms, mail}, Level: civicpin.Substantial}, pin.ErrWeakEvidence},
		"a level too high": {maria, pin.IssueOptions{
			By: clerk, Parts: []civicpin.Contact{sms, mail}, Level: civicpin.High, Evidence: seen,
		}, pin.ErrWeakEvidence},
		"evidence by the citizen": {maria, pin.IssueOptions{
			By: clerk, Parts: []civicpin.Contact{sms, mail}, Level: civicpin.Substantial,
			Evidence: civicpin.Evidence{Method: civicpin.InPerson, By: civicpin.Citizen},
		}, civicpin.ErrInvalid},
		"evidence that gives nothing": {maria, pin.IssueOptions{
			By: clerk, Parts: []civicpin.Contact{sms, mail},
			Evidence: civicpin.Evidence{Method: "hearsay", By: clerk},
		}, pin.ErrWeakEvidence},
	} {
		t.Run(name, func(t *testing.T) {
			k := newKit(t, pin.INPS())
			_, err := k.Issue(t.Context(), tc.subject, tc.o)
			require.ErrorIs(t, err, tc.want)
			require.Empty(t, k.events.All())
			_, err = k.Status(t.Context(), maria)
			require.ErrorIs(t, err, pin.ErrNoCredential)
		})
	}
}

func TestPartsAreUnlikeAndOfTheAlphabet(t *testing.T) {
	k := newKit(t, pin.INPS())
	seen := map[string]bool{}
	for range 5 {
		code := k.issued(t)
		require.Len(t, code, 16)
		require.Empty(t, strings.Trim(code, pin.Unambiguous))
		for _, half := range []string{code[:8], code[8:]} {
			require.False(t, seen[half])
			seen[half] = true
		}
	}
}

// No half opens anything, in either order, and nothing tells which half was wrong.
func TestHalvesCountOnlyTogether(t *testing.T) {
	k := newKit(t, pin.INPS())
	code := k.issued(t)
	var answers []string
	for _, guess := range []string{code[:8], code[8:], code[8:] + code[:8], code[:8] + wrong, wrong + code[8:]} {
		_, err := k.Verify(t.Context(), try(guess))
		require.Error(t, err)
		answers = append(answers, err.Error())
		require.NoError(t, k.Unlock(t.Context(), maria, clerk))
	}
	for _, a := range answers[:4] {
		require.Equal(t, answers[0], a)
	}
	_, err := k.Verify(t.Context(), try(" "+strings.ToLower(code[:4])+"-"+code[4:8]+"  "+code[8:]+"\n"))
	require.NoError(t, err, "blanks, hyphens and case are forgiven")
}

func TestIssueAgain(t *testing.T) {
	k := newKit(t, pin.INPS())
	ctx := t.Context()
	k.mail.Fail = func(m civicpin.Message) error {
		if m.To.Channel == civicpin.SMS {
			return errors.New("gateway down")
		}
		return nil
	}
	_, err := k.Issue(ctx, maria, inps())
	require.NoError(t, err)
	require.NoError(t, k.out.Flush(ctx)) // the SMS waits
	old := k.last(email)
	k.mail.Fail = nil
	code := k.issued(t)
	k.clock.Add(time.Hour)
	require.NoError(t, k.out.Flush(ctx))
	require.Len(t, k.mail.Messages(), 3, "the part that waited belongs to an issue that was replaced, and is not sent")
	_, err = k.Verify(ctx, try(k.last(phone)+old))
	require.ErrorIs(t, err, pin.ErrRefused)
	_, err = k.Verify(ctx, try(code))
	require.NoError(t, err)
}

func TestIssueOverOneInUse(t *testing.T) {
	k := newKit(t, pin.INPS())
	ctx := t.Context()
	k.exchanged(t)
	for _, by := range []civicpin.Actor{civicpin.Citizen, clerk} {
		o := inps()
		o.By = by
		_, err := k.Issue(ctx, maria, o)
		require.ErrorIs(t, err, pin.ErrWrongState)
	}
	k.clock.Add(time.Hour)
	require.NoError(t, k.out.Flush(ctx))
	require.Len(t, k.mail.Messages(), 2, "nothing is sent")
	_, err := k.Verify(ctx, try(chosen))
	require.NoError(t, err)

	k.clock.Add(180 * day)
	k.issued(t) // after half a year without use it may be issued anew
	_, err = k.Verify(ctx, try(chosen))
	require.ErrorIs(t, err, pin.ErrRefused)
}

// Whoever suspended a credential does not want it replaced by a request on line.
func TestIssueOverASuspendedOne(t *testing.T) {
	k := newKit(t, pin.INPS())
	k.issued(t)
	require.NoError(t, k.Suspend(t.Context(), maria, "", clerk))
	_, err := k.Issue(t.Context(), maria, inps())
	require.ErrorIs(t, err, pin.ErrWrongState)
}

// A request on line does not undo what staff issued to somebody whom they saw, as long as it is good.
func TestIssueOverOneFromTheDesk(t *testing.T) {
	k := newKit(t, pin.INPS())
	code := k.atDeskSent(t)
	k.clock.Add(time.Hour)
	require.NoError(t, testkit.Err(k.Issue(t.Context(), maria, inps())))
	_, right := k.works(t, code)
	require.True(t, right)
	require.NotEqual(t, code, k.atDeskSent(t), "staff may")
	k.clock.Add(7 * day)
	_, err := k.Issue(t.Context(), maria, inps())
	require.NoError(t, err)
}

// A policy may change under the secrets that were set under it.
func TestPolicyChanges(t *testing.T) {
	k := newKit(t, pin.INPS())
	m := k.memory
	code := k.issued(t)
	p := pin.INPS()
	p.Alphabet = "0123456789"
	p.Length = 12
	p.Parts = 1
	p.Chosen = pin.Chosen{Form: pin.Password, Min: 15, Max: 64}
	changed := newKitOn(t, m, p, k.clock, k.mail, k.events)
	_, err := changed.Verify(t.Context(), try(strings.ToLower(code)))
	require.NoError(t, err, "a letter on its way stays good")
	require.NoError(t, testkit.Err(k.Exchange(t.Context(), try(code), civicpin.NewSecret(chosen))))
	_, err = changed.Verify(t.Context(), try("qz7w k4pm"))
	require.NoError(t, err, "a chosen PIN, too, in any case")
	_, err = changed.Verify(t.Context(), try("QZ7W-K4PM"))
	require.NoError(t, err, "and still so after it was used")
	require.NoError(t, testkit.Err(changed.Change(t.Context(), try("qz7w k4pm"), civicpin.NewSecret("Lluvia en la Ventana"))))
	_, err = k.Verify(t.Context(), try("lluvia en la ventana"))
	require.ErrorIs(t, err, pin.ErrRefused)
	_, err = k.Verify(t.Context(), try("Lluvia en la Ventana"))
	require.NoError(t, err)
}

// Failures outlive the codes (rule 3): a code issued anew brings no new guesses.
func TestReissueKeepsTheCount(t *testing.T) {
	p := pin.INPS()
	p.Lockout = testkit.Until(5)
	p.Lockout.Ceiling = 12
	k := newKit(t, p)
	ctx := t.Context()
	k.issued(t)
	for range 4 {
		_, err := k.Verify(ctx, try(wrong))
		require.ErrorIs(t, err, pin.ErrRefused)
	}
	code := k.issued(t)
	_, err := k.Verify(ctx, try(wrong))
	testkit.LockedBy(t, err) // the fifth, over two issues
	_, err = k.Verify(ctx, try(code))
	testkit.LockedBy(t, err)
	require.NoError(t, k.Unlock(ctx, maria, clerk))
	for range 5 {
		_, err = k.Verify(ctx, try(wrong))
	}
	testkit.LockedBy(t, err)
	require.NoError(t, k.Unlock(ctx, maria, clerk))
	for range 2 {
		_, err = k.Verify(ctx, try(wrong))
	}
	require.True(t, testkit.LockedBy(t, err).Disabled, "twelve in all")
	require.Error(t, k.Unlock(ctx, maria, clerk))
	_, err = k.Issue(ctx, maria, inps())
	require.True(t, testkit.LockedBy(t, err).Disabled, "a new code alone does not lift it, and is not sent")
	require.NoError(t, k.atDesk(t))
	require.NoError(t, k.out.Flush(ctx))
	_, err = k.Verify(ctx, try(k.last(phone)+k.last(email)))
	require.NoError(t, err, "identity proved again does")
}

// A ceiling that does not show refuses an operator's issue as one that shows does: the parts would open nothing, and their owner
// would be told that they are wrong. A request on line is not told.
func TestIssueUnderAHiddenCeiling(t *testing.T) {
	p := pin.INPS()
	p.Lockout = testkit.Until(5)
	p.Lockout.Ceiling = 12
	k := newKit(t, p)
	k.issued(t)
	for range 12 {
		require.ErrorIs(t, testkit.Err(k.Verify(t.Context(), try(wrong))), pin.ErrRefused)
		k.clock.Add(31 * day)
	}
	o := inps()
	o.By = clerk
	require.Equal(t, &lockout.LockedError{Scope: lockout.ScopeSubject, Disabled: true},
		testkit.LockedBy(t, testkit.Err(k.Issue(t.Context(), maria, o))))
	_, err := k.Issue(t.Context(), maria, inps())
	_, isLocked := errors.AsType[*lockout.LockedError](err)
	require.False(t, isLocked, err)
	require.NoError(t, k.atDesk(t))
	require.NoError(t, k.out.Flush(t.Context()))
	_, err = k.Verify(t.Context(), try(k.last(phone)+k.last(email)))
	require.NoError(t, err)
}

// However generous the limits are, one issue is sent or printed a hundred times at most.
func TestResendsOfOneIssueAreBounded(t *testing.T) {
	p := pin.Default()
	p.Sends = civicpin.Rate{Limit: 1000, Window: time.Hour}
	k := newKit(t, p)
	o := pin.IssueOptions{Parts: []civicpin.Contact{{Channel: civicpin.HandedOver}}, By: clerk}
	require.NoError(t, testkit.Err(k.Issue(t.Context(), maria, o)))
	for n := range 200 {
		if err := testkit.Err(k.Reprint(t.Context(), maria, clerk)); err != nil {
			require.ErrorIs(t, err, pin.ErrWrongState)
			require.Equal(t, 99, n) // the issue itself is the first
			return
		}
	}
	t.Error("no bound")
}

// TestAnOfficeRegisters: from the one address of an office a clerk registers 200 people in an hour, and each activates their PIN
// there and then, one of ten after a typing error.
func TestAnOfficeRegisters(t *testing.T) {
	k := newLimitedKit(t, outbox.Limits{})
	for i := range 200 {
		subject := civicpin.Subject(fmt.Sprint("SUBJECT-", i))
		o := inps()
		o.Parts[0].Address, o.Parts[1].Address = fmt.Sprint("+39333", 1_000_000+i), fmt.Sprint("s", i, "@example.it")
		o.By, o.Source = clerk, civicpin.Source{Address: "192.0.2.1"}
		require.NoError(t, testkit.Err(k.Issue(t.Context(), subject, o)))
		require.NoError(t, k.out.Flush(t.Context()))
		a := try(k.last(o.Parts[0].Address) + k.last(o.Parts[1].Address))
		if a.Subject = subject; i%10 == 0 {
			typo := a
			typo.Secret = civicpin.NewSecret(wrong)
			require.ErrorIs(t, testkit.Err(k.Exchange(t.Context(), typo, civicpin.NewSecret(chosen))), pin.ErrRefused)
		}
		require.NoError(t, testkit.Err(k.Exchange(t.Context(), a, civicpin.NewSecret(chosen))))
		k.clock.Add(15 * time.Second)
	}
}

func TestHandedOver(t *testing.T) {
	p := pin.Default()
	k := newKit(t, p)
	ctx := t.Context()
	issue, err := k.Issue(ctx, maria, pin.IssueOptions{
		Parts: []civicpin.Contact{{Channel: civicpin.HandedOver}}, Level: civicpin.Substantial,
		Evidence: civicpin.Evidence{Method: civicpin.InPerson, Document: "AX123", By: clerk}, By: clerk,
	})
	require.NoError(t, err)
	require.Equal(t, k.clock.Now().Add(7*day), issue.ExpiresAt)
	require.Len(t, issue.Slip.Reveal(), 12)
	require.Equal(t, state.Accepted, issue.Parts[0].State)
	require.NoError(t, k.out.Flush(ctx))
	require.Empty(t, k.mail.Messages())

	_, err = k.Reprint(ctx, maria, civicpin.Citizen)
	require.ErrorIs(t, err, civicpin.ErrInvalid)
	_, err = k.Reprint(ctx, "NOBODY", clerk)
	require.ErrorIs(t, err, pin.ErrNoCredential)
	again, err := k.Reprint(ctx, maria, clerk)
	require.NoError(t, err)
	require.True(t, again.Equal(issue.Slip))

	require.NoError(t, testkit.Err(k.Exchange(ctx, try(issue.Slip.Reveal()), civicpin.NewSecret("correct horse battery"))))
	ok, err := k.Verify(ctx, try("correct horse battery"))
	require.NoError(t, err)
	require.Equal(t, civicpin.Substantial, ok.Level)
	require.Zero(t, ok.ExpiresAt)
	_, err = k.Reprint(ctx, maria, clerk)
	require.ErrorIs(t, err, pin.ErrWrongState)
}

func TestValidityFollowsTheSlowestChannel(t *testing.T) {
	k := newKit(t, pin.INPS())
	o := inps()
	o.Parts[1] = civicpin.Contact{Channel: civicpin.Letter, Address: "Via Roma 1\n00100 Roma"}
	issue, err := k.Issue(t.Context(), maria, o)
	require.NoError(t, err)
	require.Equal(t, k.clock.Now().Add(21*day), issue.ExpiresAt)
	require.NoError(t, k.out.Flush(t.Context()))
	code := k.last(phone) + issue.Slip.Reveal()
	k.clock.Add(21*day - 1)
	_, err = k.Verify(t.Context(), try(code))
	require.NoError(t, err)
	k.clock.Add(1)
	_, err = k.Verify(t.Context(), try(code))
	var late *pin.ExpiredError
	require.ErrorAs(t, err, &late, "who has the code is told that it is late")
	require.Equal(t, state.SinceIssue, late.Since)
	require.ErrorAs(t, testkit.Err(k.Exchange(t.Context(), try(code), civicpin.NewSecret(chosen))), &late)
	_, err = k.Verify(t.Context(), try(wrong+wrong))
	require.ErrorIs(t, err, pin.ErrRefused, "who has not, is not")
}

// An issue to proved contacts is good while they are: one may have gone before the issue was written, and nothing ended it then.
func TestProvedContactsGo(t *testing.T) {
	for _, sent := range []bool{false, true} {
		gone := false
		k := provingBy(t, store.NewMemory(), pin.INPS(), pin.ProvedFunc(
			func(context.Context, civicpin.Subject, []civicpin.Contact) (bool, error) { return !gone, nil },
		))
		require.NoError(t, testkit.Err(k.Issue(t.Context(), maria, inps())))
		gone = !sent
		require.NoError(t, k.out.Flush(t.Context()))
		require.Equal(t, sent, len(k.mail.Messages()) > 0)
		gone = true
		if sent {
			var late *pin.ExpiredError
			code := k.last(phone) + k.last(email)
			require.ErrorAs(t, testkit.Err(k.Exchange(t.Context(), try(code), civicpin.NewSecret(chosen))), &late)
			gone = false
			require.NoError(t, testkit.Err(k.Exchange(t.Context(), try(code), civicpin.NewSecret(chosen))))
		}
	}
}

func TestSendLimits(t *testing.T) {
	p := pin.INPS()
	p.Sends = civicpin.Rate{Limit: 4, Window: time.Hour}
	k := newKit(t, p)
	ctx := t.Context()
	for range 2 {
		require.NoError(t, testkit.Err(k.Issue(ctx, maria, inps())))
	}
	_, err := k.Issue(ctx, maria, inps())
	locked := testkit.LockedBy(t, err)
	require.EqualValues(t, "sends", locked.Scope)
	require.Equal(t, k.clock.Now().Add(30*time.Minute), locked.Until, "when both parts may be sent")
	for range 3 { // who waits as long as told is let in, however often they asked in between
		_, err = k.Issue(ctx, maria, inps())
		testkit.LockedBy(t, err)
	}
	k.clock.Add(30 * time.Minute)
	require.NoError(t, testkit.Err(k.Issue(ctx, maria, inps())))
}

// states returns how far Maria's parts have come.
func (k *kit) states(t *testing.T) []state.Part {
	t.Helper()
	st, err := k.Status(t.Context(), maria)
	require.NoError(t, err)
	var states []state.Part
	for _, p := range st.Parts {
		states = append(states, p.State)
	}
	return states
}

func TestReceipts(t *testing.T) {
	k := newKit(t, pin.INPS())
	ctx := t.Context()
	k.issued(t)
	st, err := k.Status(ctx, maria)
	require.NoError(t, err)
	first, second := st.Parts[0].Receipt, st.Parts[1].Receipt
	require.NotEqual(t, first, second)

	require.NoError(t, k.Receipt(ctx, first, state.Delivered))
	require.Equal(t, []state.Part{state.Delivered, state.Accepted}, k.states(t))
	require.NoError(t, k.Receipt(ctx, second, state.Failed))
	require.Equal(t, []state.Part{state.Delivered, state.Failed}, k.states(t))
	require.NoError(t, k.Receipt(ctx, first, state.Failed), "a late report of what came before")
	require.Equal(t, []state.Part{state.Delivered, state.Failed}, k.states(t))
	require.NoError(t, k.Receipt(ctx, second, state.Delivered), "a late report that counts")
	require.Equal(t, []state.Part{state.Delivered, state.Delivered}, k.states(t))

	for receipt, want := range map[string]error{
		"":                        civicpin.ErrInvalid,
		"nobody's":                pin.ErrNoCredential,
		"../../etc":               pin.ErrNoCredential,
		string(make([]byte, 257)): civicpin.ErrInvalid,
	} {
		require.ErrorIs(t, k.Receipt(ctx, receipt, state.Delivered), want)
	}
	for _, state := range []state.Part{"", state.Pending, state.Accepted, "lost"} {
		require.ErrorIs(t, k.Receipt(ctx, first, state), civicpin.ErrInvalid)
	}

	require.NoError(t, k.Resend(ctx, maria, 0, civicpin.Source{}))
	require.Equal(t, []state.Part{state.Pending, state.Delivered}, k.states(t))
	require.NoError(t, k.Receipt(ctx, first, state.Delivered), "about a message that was replaced")
	require.Equal(t, []state.Part{state.Pending, state.Delivered}, k.states(t))
	require.NoError(t, k.out.Flush(ctx))
	require.Equal(t, []state.Part{state.Accepted, state.Delivered}, k.states(t))

	k.clock.Add(61 * day)
	require.ErrorIs(t, k.Receipt(ctx, first, state.Delivered), pin.ErrNoCredential)
}

func TestUndeliverable(t *testing.T) {
	k := newKit(t, pin.INPS())
	ctx := t.Context()
	k.mail.Fail = func(m civicpin.Message) error {
		if m.To.Channel == civicpin.SMS {
			return fmt.Errorf("%w: no such number", civicpin.ErrUndeliverable)
		}
		return nil
	}
	_, err := k.Issue(ctx, maria, inps())
	require.NoError(t, err)
	require.NoError(t, k.out.Flush(ctx))
	require.Equal(t, []state.Part{state.Failed, state.Accepted}, k.states(t))
	k.mail.Fail = nil
	require.NoError(t, k.Resend(ctx, maria, 0, civicpin.Source{}))
	require.NoError(t, k.out.Flush(ctx))
	require.Equal(t, []state.Part{state.Accepted, state.Accepted}, k.states(t))
	_, err = k.Verify(ctx, try(k.last(phone)+k.last(email)))
	require.NoError(t, err, "the same part, sent again")
}

func TestDownForADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKit(t, pin.INPS())
		ctx := t.Context()
		down := true
		k.mail.Fail = func(civicpin.Message) error {
			if down {
				return errors.New("connection refused")
			}
			return nil
		}
		_, err := k.Issue(ctx, maria, inps())
		require.NoError(t, err)
		for range 5 {
			require.NoError(t, k.out.Flush(ctx))
			k.clock.Add(20 * time.Second)
		}
		require.Equal(t, []state.Part{state.Pending, state.Pending}, k.states(t))
		down = false
		k.clock.Add(2 * time.Hour)
		require.NoError(t, k.out.Flush(ctx))
		require.Equal(t, []state.Part{state.Accepted, state.Accepted}, k.states(t))
	})
}

func TestSuspendedPartsWait(t *testing.T) {
	k := newKit(t, pin.INPS())
	ctx := t.Context()
	_, err := k.Issue(ctx, maria, inps())
	require.NoError(t, err)
	require.NoError(t, k.Suspend(ctx, maria, "", clerk))
	require.NoError(t, k.out.Flush(ctx))
	require.Empty(t, k.mail.Messages())
	require.NoError(t, k.Resume(ctx, maria, civicpin.Evidence{}, "", clerk))
	k.clock.Add(3 * time.Hour)
	require.NoError(t, k.out.Flush(ctx))
	require.Len(t, k.mail.Messages(), 2)
}

func TestRevokedPartsAreNotSent(t *testing.T) {
	k := newKit(t, pin.INPS())
	ctx := t.Context()
	_, err := k.Issue(ctx, maria, inps())
	require.NoError(t, err)
	require.NoError(t, k.Revoke(ctx, maria, state.Ended, "", clerk))
	for range 3 {
		require.NoError(t, k.out.Flush(ctx))
		k.clock.Add(time.Hour)
	}
	require.Empty(t, k.mail.Messages())
}

// The texts of the parts are gone once they are of no use any more.
func TestTextsAreErased(t *testing.T) {
	for name, end := range map[string]func(*testing.T, *kit, string) error{
		"exchange": func(t *testing.T, k *kit, code string) error {
			return testkit.Err(k.Exchange(t.Context(), try(code), civicpin.NewSecret(chosen)))
		},
		"revoke": func(t *testing.T, k *kit, _ string) error {
			return k.Revoke(t.Context(), maria, state.Ended, "", clerk)
		},
		"issue again": func(t *testing.T, k *kit, _ string) error { return k.atDesk(t) },
		"expiry": func(t *testing.T, k *kit, _ string) error {
			n, err := k.Sweep(t.Context(), 10)
			require.Zero(t, n, "not yet")
			require.NoError(t, err)
			k.clock.Add(7 * day)
			n, err = k.Sweep(t.Context(), 10)
			require.Equal(t, 1, n)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			k := newKit(t, pin.INPS())
			code := k.issued(t)
			require.Contains(t, k.plain(t), code[:8])
			require.Contains(t, k.plain(t), code[8:])
			require.NoError(t, end(t, k, code))
			require.NotContains(t, k.plain(t), code[:8])
			require.NotContains(t, k.plain(t), code[8:])
		})
	}
}

func TestSweepIsBoundedAndPurgeDropsWhatWasNeverExchanged(t *testing.T) {
	k := newKit(t, pin.INPS())
	ctx := t.Context()
	for i := range 5 {
		_, err := k.Issue(ctx, civicpin.Subject(fmt.Sprint("S", i)), pin.IssueOptions{By: civicpin.Citizen, Parts: []civicpin.Contact{
			{Channel: civicpin.SMS, Address: fmt.Sprintf("+39333123456%d", i)},
			{Channel: civicpin.Email, Address: fmt.Sprintf("s%d@example.it", i)},
		}})
		require.NoError(t, err)
	}
	k.clock.Add(7 * day)
	for _, want := range []int{2, 2, 1, 0} {
		n, err := k.Sweep(ctx, 2)
		require.NoError(t, err)
		require.Equal(t, want, n)
	}
	k.clock.Add(31 * day)
	_, err := k.Status(ctx, "S0")
	require.ErrorIs(t, err, pin.ErrNoCredential)
	for range 3 { // what they were to be sent is dropped as well
		require.NoError(t, k.out.Flush(ctx))
		k.clock.Add(time.Hour)
	}
	require.Empty(t, k.mail.Messages())
	_, err = k.vault.Purge(ctx, store.Pass{})
	require.NoError(t, err)
	for item, err := range k.memory.List(ctx, "", "") {
		require.NoError(t, err)
		require.Equal(t, "vault/canary", item.Key, "left behind")
	}
}

func TestSweepNeedsAListing(t *testing.T) {
	k := newKitOn(t, struct{ store.Store }{store.NewMemory()}, pin.INPS(), newClock(), &testkit.Mailbox{}, &testkit.Recorder{})
	_, err := k.Sweep(t.Context(), 1)
	require.ErrorIs(t, err, store.ErrNoListing)
}

func TestResendIsForWhatIsThere(t *testing.T) {
	k := newKit(t, pin.INPS())
	ctx := t.Context()
	require.ErrorIs(t, k.Resend(ctx, "", 0, civicpin.Source{}), civicpin.ErrInvalid)
	require.ErrorIs(t, k.Resend(ctx, maria, -1, civicpin.Source{}), civicpin.ErrInvalid)
	require.ErrorIs(t, k.Resend(ctx, maria, 2, civicpin.Source{}), civicpin.ErrInvalid)
	for range 3 {
		require.NoError(t, k.Resend(ctx, "NOBODY", 0, civicpin.Source{}))
	}
	k.exchanged(t)
	sent := len(k.mail.Messages())
	require.NoError(t, k.Resend(ctx, maria, 0, civicpin.Source{}), "exchanged: there is nothing to send")
	for range 3 {
		k.clock.Add(time.Hour)
		require.NoError(t, k.out.Flush(ctx))
	}
	require.Len(t, k.mail.Messages(), sent)
}

// What was issued while the clock was ahead is over when the clock is right again.
func TestIssueOfAClockAhead(t *testing.T) {
	k := newKit(t, pin.INPS())
	now := k.clock.Now()
	k.clock.Set(now.AddDate(10, 0, 0))
	require.NoError(t, testkit.Err(k.Issue(t.Context(), maria, inps())))
	require.NoError(t, k.out.Flush(t.Context()))
	issued := k.last(phone) + k.last(email)
	k.clock.Set(now)
	k.clock.Add(24 * time.Hour)
	_, err := k.Exchange(t.Context(), try(issued), civicpin.NewSecret(chosen))
	require.Error(t, err)
	_, err = k.Issue(t.Context(), maria, inps())
	require.ErrorIs(t, err, lockout.ErrLocked, "what was counted then ends with its window")
	for range 2 { // so do the queues of the addresses, from their next messages on
		k.clock.Add(48 * time.Hour)
		_ = k.issued(t)
	}
	k.clock.Add(48 * time.Hour)
	k.exchanged(t)
	require.NoError(t, testkit.Err(k.Verify(t.Context(), try(chosen))))
}

// What callers are told of an issue and of a credential, whole.
func TestAnswersAreWhole(t *testing.T) {
	k := newKit(t, withDevices())
	ctx, now := t.Context(), k.clock.Now()
	o := inps()
	o.By, o.Level, o.Evidence = clerk, civicpin.Substantial, inPerson
	issue, err := k.Issue(ctx, maria, o)
	require.NoError(t, err)
	parts := []pin.Part{
		{Contact: o.Parts[0], State: state.Pending, At: now}, {Contact: o.Parts[1], State: state.Pending, At: now},
	}
	require.NotEmpty(t, issue.ID)
	require.Equal(t, pin.Issue{ID: issue.ID, Parts: parts, ExpiresAt: now.Add(7 * day)}, issue)

	k.clock.Add(time.Hour)
	require.NoError(t, k.out.Flush(ctx))
	for i, m := range k.mail.Messages() {
		parts[m.Part-1] = pin.Part{Contact: m.To, State: state.Accepted, At: k.clock.Now(), Receipt: fmt.Sprint("receipt-", i+1)}
	}
	proved := inPerson
	proved.At = now
	want := pin.Status{
		State: state.Provisional, Level: civicpin.Substantial, Evidence: []civicpin.Evidence{proved}, Parts: parts, IssuedAt: now,
		ExpiresAt: now.Add(7 * day),
	}
	status := func() pin.Status {
		st, err := k.Status(ctx, maria)
		require.NoError(t, err)
		st.Lockout = want.Lockout // the gate's
		return st
	}
	require.Equal(t, want, status())
	ok, err := k.Verify(ctx, try(k.code()))
	require.NoError(t, err)
	require.Equal(t, pin.Verified{MustExchange: true, ExpiresAt: now.Add(7 * day)}, ok)

	chosenAt := k.clock.Now()
	require.NoError(t, exchanges(ctx, k))
	want.State, want.ChangedAt, want.UsedAt, want.ExpiresAt = state.Active, chosenAt, chosenAt, chosenAt.Add(90*day)
	require.Equal(t, want, status())
	m, err := k.Mark(ctx, maria)
	require.NoError(t, err)
	require.Equal(t, pin.Mark{
		Epoch: m.Epoch, Proved: m.Proved, Approved: m.Approved, Denial: m.Denial, Held: true, Level: civicpin.Substantial,
	}, m)
	k.clock.Add(90 * day)
	want.Expired = state.SinceChange
	require.Equal(t, want, status())
	require.NoError(t, k.Suspend(ctx, maria, "lost", clerk))
	want.Suspended, want.By, want.Reason = true, clerk, "lost"
	require.Equal(t, want, status())
}

// Each time of the package to the moment: good returns true until then, and false from then on.
func TestTimes(t *testing.T) {
	ask := func(o pin.IssueOptions, good func(*kit, pin.Issue, error) bool) func(context.Context, *kit) bool {
		return func(ctx context.Context, k *kit) bool {
			is, err := k.Issue(ctx, maria, o)
			return good(k, is, err)
		}
	}
	sentNothing := func(k *kit, _ pin.Issue, err error) bool {
		all := k.events.All()
		return err == nil && all[len(all)-1].Code == "pin.nothing_issued"
	}
	noSlip := func(_ *kit, is pin.Issue, err error) bool { return err == nil && is.Slip.IsZero() }
	for name, tc := range map[string]struct {
		prepare func(*testing.T, *kit)
		lasts   time.Duration
		good    func(context.Context, *kit) bool
	}{
		"a receipt": {func(t *testing.T, k *kit) { k.issued(t) }, 60 * day, func(ctx context.Context, k *kit) bool {
			return k.Receipt(ctx, "receipt-1", state.Delivered) == nil
		}},
		"telling that it is late": {func(t *testing.T, k *kit) { k.issued(t) }, 37 * day, func(ctx context.Context, k *kit) bool {
			return errors.Is(verifies(k.code())(ctx, k), pin.ErrExpired)
		}},
		"an issue as a double click": {func(t *testing.T, k *kit) { k.issued(t) }, time.Minute, ask(inps(), sentNothing)},
		"a letter, not printed again": {func(t *testing.T, k *kit) {
			require.NoError(t, testkit.Err(k.Issue(t.Context(), maria, byLetter())))
			k.clock.Add(time.Minute)
			k.lasted = time.Minute
		}, 7 * day, ask(byLetter(), noSlip)},
		"an exchange as a double click": {
			func(t *testing.T, k *kit) { k.exchanged(t) }, 10 * time.Minute,
			func(ctx context.Context, k *kit) bool { return exchanges(ctx, k) == nil },
		},
		"a grant": {
			func(t *testing.T, k *kit) { granted()(t, k) }, 15 * time.Minute,
			func(ctx context.Context, k *kit) bool { return sets(changed)(ctx, k) == nil },
		},
		"a request code": {func(t *testing.T, k *kit) {
			revoked(t, k)
			code, err := k.RequestCode(t.Context(), maria, clerk)
			require.NoError(t, err)
			require.Len(t, code.Reveal(), 20)
			k.typed = code
		}, 30 * day, func(ctx context.Context, k *kit) bool {
			o := inps()
			o.RequestCode = k.typed
			return testkit.Err(k.Issue(ctx, maria, o)) == nil
		}},
	} {
		for _, at := range []time.Duration{tc.lasts - 1, tc.lasts} {
			k := newKit(t, withDevices())
			tc.prepare(t, k)
			k.clock.Add(at - k.lasted)
			require.Equal(t, at < tc.lasts, tc.good(t.Context(), k), "%s after %s", name, at)
		}
	}
}

// Four batches of parts that open nothing are kept: the first of five gets another text when it is asked for again.
func TestAsideIsBounded(t *testing.T) {
	p := pin.INPS()
	p.Sends = civicpin.Rate{Limit: 100, Window: time.Hour}
	for n, same := range map[int]bool{4: true, 5: false} {
		k := newKit(t, p)
		issuedBefore(t, k)
		ask := func(i int) string {
			o := byLetter()
			o.Parts[0].Address = fmt.Sprint("+39339000000", i)
			is, err := k.Issue(t.Context(), maria, o)
			require.NoError(t, err)
			return is.ID
		}
		ids := []string{ask(0)}
		for i := 1; i < n; i++ {
			ids = append(ids, ask(i))
		}
		first := ids[0]
		require.NotContains(t, ids[1:], first)
		require.Equal(t, ids[1], ask(1))
		require.Equal(t, same, first == ask(0), n)
	}
}

// What an outcome of a message says counts once, and a part that went is not sent again under that name.
func TestOutcomesOfAMessage(t *testing.T) {
	took, failed := outbox.Outcome{Receipt: "r1"}, outbox.Outcome{Failed: true, Reason: "no such number"}
	for name, tc := range map[string]struct {
		outcomes []outbox.Outcome
		want     state.Part
		sends    bool
	}{
		"none":              {nil, state.Pending, true},
		"accepted":          {[]outbox.Outcome{took}, state.Accepted, false},
		"accepted, failed":  {[]outbox.Outcome{took, failed}, state.Accepted, false},
		"failed":            {[]outbox.Outcome{failed}, state.Failed, true},
		"failed, accepted":  {[]outbox.Outcome{failed, took}, state.Accepted, false},
		"failed twice":      {[]outbox.Outcome{failed, failed}, state.Failed, true},
		"accepted two ways": {[]outbox.Outcome{took, {Receipt: "r2"}}, state.Accepted, false},
	} {
		k := newKit(t, pin.INPS())
		require.NoError(t, issues(clerk, inps())(t.Context(), k))
		refs, err := pin.Refs(t.Context(), k.Service, maria)
		require.NoError(t, err)
		at, events := k.clock.Now(), []string{"pin.issued|" + string(maria) + "|operator:bianchi|192.0.2.7|#1|low|"}
		last := state.Pending
		for _, o := range tc.outcomes {
			k.clock.Add(time.Minute)
			require.NoError(t, pin.Settle(t.Context(), k.Service, refs[1], o))
			if st := k.states(t)[1]; st != last {
				last, at = st, k.clock.Now()
				events = append(events, "pin.part_"+string(st)+"|"+string(maria)+"|||#1|none|"+o.Reason)
			}
		}
		st, err := k.Status(t.Context(), maria)
		require.NoError(t, err)
		receipt := ""
		if tc.want == state.Accepted {
			receipt = "r1"
		}
		require.Equal(t, pin.Part{Contact: inps().Parts[1], State: tc.want, At: at, Receipt: receipt}, st.Parts[1], name)
		require.Equal(t, state.Pending, st.Parts[0].State)
		require.Equal(t, events, k.events.Lines(), name)
		err = pin.SendAgain(t.Context(), k.Service, refs[1])
		require.Equal(t, tc.sends, err == nil, name)
		require.Equal(t, !tc.sends, errors.Is(err, outbox.ErrWithdrawn), name)
	}
}

// Messages count as what they rest on: addresses that a visitor typed, that the subject proved, or that staff answer for.
func TestMessagesCountByWhatTheyRestOn(t *testing.T) {
	for name, tc := range map[string]struct {
		by     civicpin.Actor
		proved bool
		limit  func(*outbox.Limits, civicpin.Rate)
		scarce int // messages that go, of four
	}{
		"typed":  {civicpin.Citizen, false, func(l *outbox.Limits, r civicpin.Rate) { l.Typed = r }, 2},
		"proved": {civicpin.Citizen, true, func(l *outbox.Limits, r civicpin.Rate) { l.Proved = r }, 2},
		"staff":  {clerk, true, func(l *outbox.Limits, r civicpin.Rate) { l.Shown = r }, 4}, // counted for each subject apart
	} {
		for _, scarce := range []bool{false, true} {
			limits := testkit.Limits()
			few := civicpin.Rate{Limit: 1, Window: time.Hour}
			limits.Typed, limits.Proved, limits.Shown = few, few, few
			tc.limit(&limits, testkit.Wide)
			if scarce {
				limits = testkit.Limits()
				tc.limit(&limits, few)
			}
			p := pin.INPS()
			p.Sends = civicpin.Rate{Limit: 2, Window: time.Hour}
			k := newLimitedKitOn(t, store.NewMemory(), p, limits, newClock(), &testkit.Mailbox{}, &testkit.Recorder{})
			var err error
			k.Service, err = pin.NewCheap(k.vault, k.out, k.policy, pin.ProvedFunc(
				func(context.Context, civicpin.Subject, []civicpin.Contact) (bool, error) { return tc.proved, nil }))
			require.NoError(t, err)
			for _, subject := range []civicpin.Subject{maria, "MARIAS-SON"} {
				o := inps()
				o.By = tc.by
				require.NoError(t, testkit.Err(k.Issue(t.Context(), subject, o)))
			}
			require.NoError(t, k.out.Flush(t.Context()))
			require.Len(t, k.mail.Messages(), map[bool]int{false: 4, true: tc.scarce}[scarce], "%s, scarce %t", name, scarce)
		}
	}
}

// What any visitor may ask for again counts by source as messages to typed addresses do.
func TestResendsCountAsTyped(t *testing.T) {
	limits := testkit.Limits()
	limits.SourceTyped = civicpin.Rate{Limit: 2, Window: time.Hour}
	k := newLimitedKit(t, limits)
	issuedBefore(t, k)
	for i := range 3 {
		err := k.Resend(t.Context(), maria, 0, home)
		if i < 2 {
			require.NoError(t, err)
		} else {
			require.EqualValues(t, "source", testkit.LockedBy(t, err).Scope)
		}
	}
}

// What rests on contacts fails with them, and what an undo unbinds is told since when.
func TestContactsFail(t *testing.T) {
	broken := errors.New("the contacts are not reached")
	var fails error
	proved := pin.ProvedFunc(func(context.Context, civicpin.Subject, []civicpin.Contact) (bool, error) { return true, fails })
	k := provingBy(t, store.NewMemory(), pin.INPS(), proved)
	ctx := t.Context()
	issue := issues(civicpin.Citizen, inps())
	fails = broken
	require.ErrorIs(t, issue(ctx, k), broken)
	fails = nil
	require.NoError(t, issue(ctx, k))
	refs, err := pin.Refs(ctx, k.Service, maria)
	require.NoError(t, err)
	fails = broken
	require.ErrorIs(t, pin.SendAgain(ctx, k.Service, refs[0]), broken)
	fails = nil
	require.NoError(t, k.out.Flush(ctx))
	fails = broken
	require.ErrorIs(t, exchanges(ctx, k), broken)

	since := k.clock.Now().Add(-day)
	k.UnbindWith(func(_ context.Context, subject civicpin.Subject, at time.Time) error {
		require.Equal(t, maria, subject)
		require.Equal(t, since, at)
		return broken
	})
	require.ErrorIs(t, k.ContactsWent(ctx, maria, nil, since, clerk), broken)
	require.NoError(t, k.ContactsWent(ctx, maria, nil, time.Time{}, clerk))
}

// A message that names no part which waits is withdrawn, whatever the name looks like, and what became of it changes nothing.
func TestMessagesOfNoPart(t *testing.T) {
	k := newKit(t, pin.INPS())
	require.NoError(t, issues(clerk, inps())(t.Context(), k))
	refs, err := pin.Refs(t.Context(), k.Service, maria)
	require.NoError(t, err)
	before, ref := k.plain(t), refs[1]
	fields := strings.Split(ref.ID, ".")
	for _, id := range []string{
		"", "x", ref.ID + ".x", fields[0] + ".1", fields[0] + ".x." + fields[2], fields[0] + ".-1." + fields[2],
		fields[0] + ".2." + fields[2], fields[0] + ".0." + fields[2], fields[0] + ".1.x", "x.1." + fields[2],
	} {
		other := ref
		other.ID = id
		require.Equal(t, outbox.ErrWithdrawn, pin.SendAgain(t.Context(), k.Service, other), id)
		err := pin.Settle(t.Context(), k.Service, other, outbox.Outcome{Receipt: "r1"})
		if strings.Count(id, ".") != 2 || strings.Contains(id, ".x.") {
			require.Equal(t, outbox.ErrWithdrawn, err, id)
		}
		require.Equal(t, before, k.plain(t), id)
	}
	stranger := ref
	stranger.Subject = "NOBODY"
	require.Equal(t, outbox.ErrWithdrawn, pin.SendAgain(t.Context(), k.Service, stranger))
	require.Len(t, fields[2], 13)
	k.faults.FailAt(1, storetest.NotDone)
	require.ErrorIs(t, pin.SendAgain(t.Context(), k.Service, ref), storetest.ErrInjected, "it is asked again")
}

// A part is sent as long as its secret is good, and waits while it is suspended.
func TestWhenPartsAreSent(t *testing.T) {
	for name, tc := range map[string]struct {
		do   func(t *testing.T, k *kit)
		want error
	}{
		"at the last moment": {func(_ *testing.T, k *kit) { k.clock.Add(7*day - 1) }, nil},
		"expired":            {func(_ *testing.T, k *kit) { k.clock.Add(7 * day) }, outbox.ErrWithdrawn},
		"suspended": {func(t *testing.T, k *kit) {
			require.NoError(t, k.Suspend(t.Context(), maria, "", clerk))
		}, outbox.ErrNotYet},
		"revoked": {func(t *testing.T, k *kit) { k.revoked(t) }, outbox.ErrWithdrawn},
		"withdrawn by a clock ahead": {func(t *testing.T, k *kit) {
			other := k.other(t, k.memory)
			other = newKitOn(t, k.memory, k.policy, testkit.NewClock(k.clock.Now().Add(time.Hour)), other.mail, k.events)
			require.NoError(t, other.ContactsWent(t.Context(), maria, inps().Parts, time.Time{}, clerk))
		}, outbox.ErrWithdrawn},
		"delivered": {func(t *testing.T, k *kit) {
			require.NoError(t, k.out.Flush(t.Context()))
			require.NoError(t, k.Receipt(t.Context(), "receipt-2", state.Delivered))
			require.NoError(t, k.Receipt(t.Context(), "receipt-1", state.Delivered))
		}, outbox.ErrWithdrawn},
		"bounced": {func(t *testing.T, k *kit) {
			require.NoError(t, k.out.Flush(t.Context()))
			require.NoError(t, k.Receipt(t.Context(), "receipt-2", state.Failed))
			require.NoError(t, k.Receipt(t.Context(), "receipt-1", state.Failed))
		}, nil},
	} {
		k := newKit(t, pin.INPS())
		require.NoError(t, issues(clerk, inps())(t.Context(), k))
		refs, err := pin.Refs(t.Context(), k.Service, maria)
		require.NoError(t, err)
		tc.do(t, k)
		require.ErrorIs(t, pin.SendAgain(t.Context(), k.Service, refs[1]), tc.want, name)
		if name == "bounced" { // what the provider reports holds
			require.NoError(t, pin.Settle(t.Context(), k.Service, refs[1], outbox.Outcome{Receipt: "r9"}))
			require.Equal(t, []state.Part{state.Failed, state.Failed}, k.states(t))
		}
	}
}

// Messages have all that their words need.
func TestPartMessagesWhole(t *testing.T) {
	k := newKit(t, pin.INPS())
	o := inps()
	o.Parts[0].Locale, o.Parts[1].Locale = "it", "es"
	require.NoError(t, issues(clerk, o)(t.Context(), k))
	until := k.clock.Now().Add(7 * day)
	require.NoError(t, k.out.Flush(t.Context()))
	for i, to := range o.Parts {
		m := k.mail.Last(to.Address, "")
		require.Len(t, m.Secret.Reveal(), 8)
		require.Equal(t, []any{pin.PartMessage, to, i + 1, 2, until}, []any{m.Kind, m.To, m.Part, m.Parts, m.ExpiresAt.UTC()})
	}
}

// Each store call of a request from a known device is needed.
func TestRequestsFromADevice(t *testing.T) {
	for name, tc := range map[string]struct {
		prepare func(*testing.T, *kit)
		act     func(k *kit, from civicpin.Source) error
	}{
		"Issue": {revoked, func(k *kit, from civicpin.Source) error {
			o := inps()
			o.By, o.Source = clerk, from
			return testkit.Err(k.Issue(t.Context(), maria, o))
		}},
		"Resend": {issuedBefore, func(k *kit, from civicpin.Source) error { return k.Resend(t.Context(), maria, 0, from) }},
	} {
		n := 1
		for failed := true; failed; n++ {
			k := newKit(t, withDevices())
			device, err := pin.Gate(k.Service).RememberDevice(t.Context(), lockout.Target{Subject: maria})
			require.NoError(t, err)
			tc.prepare(t, k)
			k.faults.Reset()
			k.faults.FailAt(n, storetest.NotDone)
			err = tc.act(k, civicpin.Source{Address: home.Address, Device: device})
			if failed = k.faults.Calls() >= n && n < 100; failed && err == nil {
				failed = false
			} else if failed {
				require.ErrorIs(t, err, storetest.ErrInjected, "%s, call %d", name, n)
			}
		}
		require.Greater(t, n, 4, name)
	}
}

// A known device, or a login, has messages kept for it when other visitors have used up the subject's.
func TestShownHasAReserve(t *testing.T) {
	p := withDevices()
	p.Sends = civicpin.Rate{Limit: 2, Window: time.Hour}
	for name, source := range map[string]func(*kit) civicpin.Source{
		"nothing": func(*kit) civicpin.Source { return home },
		"device":  func(k *kit) civicpin.Source { return k.source },
		"login":   func(k *kit) civicpin.Source { return civicpin.Source{Address: home.Address, Shown: k.ok.Shown} },
		"a login from the device": func(k *kit) civicpin.Source {
			return civicpin.Source{Address: home.Address, Device: k.source.Device, Shown: k.ok.Shown}
		},
	} {
		k := newKit(t, p)
		device(t, k)
		var err error
		k.ok, err = k.Verify(t.Context(), try(chosen))
		require.NoError(t, err)
		for k.Resend(t.Context(), maria, 0, home) == nil {
			continue
		}
		for errors.Is(issues(civicpin.Citizen, inps())(t.Context(), k), pin.ErrWrongState) {
			continue
		}
		from := source(k)
		err = k.Resend(t.Context(), maria, 0, from)
		o := inps()
		o.Source = from
		asked := testkit.Err(k.Issue(t.Context(), maria, o))
		if name == "nothing" {
			testkit.LockedBy(t, err)
			testkit.LockedBy(t, asked)
			continue
		}
		require.NoError(t, err, name)
		require.ErrorIs(t, asked, pin.ErrWrongState, name)
		calls := testkit.Calls(k.faults, func() { require.NoError(t, k.Resend(t.Context(), maria, 0, from)) })
		if name == "device" {
			require.Contains(t, calls, "Get devices.pin.inps")
		} else {
			require.NotContains(t, calls, "Get devices.pin.inps", name)
		}
	}
}
