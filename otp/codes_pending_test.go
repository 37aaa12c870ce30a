package otp_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/otp"
)

// The push is lost; the app asks.
func TestPull(t *testing.T) {
	k := newCodeKit(t, unlimited(otp.ClavePIN()))
	none, err := k.Pending(t.Context(), ana)
	require.NoError(t, err)
	require.Empty(t, none)
	k.mail.Fail = func(civicpin.Message) error { return errors.New("lost") }
	o := otp.RequestOptions{
		To: []civicpin.Contact{byApp}, Joined: civicpin.NewSecret("ab12"), Params: map[string]string{"act": "filing"},
	}
	req, err := k.Request(t.Context(), ana, filing, o)
	require.NoError(t, err)
	second, err := k.Request(t.Context(), ana, paying, o)
	require.NoError(t, err)
	require.NoError(t, k.out.Flush(t.Context()))
	pending, err := k.Pending(t.Context(), ana)
	require.NoError(t, err)
	require.Len(t, pending, 2)
	require.Equal(t, []string{req.ID, second.ID}, []string{pending[0].ID, pending[1].ID})
	require.Equal(t, []otp.Purpose{filing, paying}, []otp.Purpose{pending[0].Purpose, pending[1].Purpose})
	require.True(t, pending[0].ExpiresAt.Equal(req.ExpiresAt))
	require.Equal(t, o.Params, pending[0].Params)
	require.Equal(t, map[string]int{"": 2}, reasons(k.events, civicpin.EventCode("otp.code_pulled")))
	require.NoError(t, k.verify(t, req.ID, "ab12"+pending[0].Code.Reveal()))

	pending, err = k.Pending(t.Context(), ana)
	require.NoError(t, err)
	require.Len(t, pending, 1, "what was used is not pending")
	require.NoError(t, k.Cancel(t.Context(), ana, second.ID, civicpin.Citizen))
	for range 2 {
		pending, err = k.Pending(t.Context(), ana)
		require.NoError(t, err)
		require.Empty(t, pending, "nor what was cancelled")
		_, err = k.Request(t.Context(), ana, filing, o)
		require.NoError(t, err)
		k.clock.Add(10 * time.Minute) // nor what has expired
	}
	foreign, err := k.Pending(t.Context(), luis)
	require.NoError(t, err)
	require.Empty(t, foreign)
}

func TestPullGivesNoDecoys(t *testing.T) {
	k := newCodeKit(t, sms())
	_, err := k.Request(t.Context(), "NOBODY", filing, otp.RequestOptions{})
	require.NoError(t, err)
	pending, err := k.Pending(t.Context(), "NOBODY")
	require.NoError(t, err)
	require.Empty(t, pending)
}

func TestCancel(t *testing.T) {
	k := newCodeKit(t, sms())
	req, err := k.Request(t.Context(), ana, filing, toAna())
	require.NoError(t, err)
	pending, err := k.Pending(t.Context(), ana)
	require.NoError(t, err)
	for range 2 {
		require.NoError(t, k.Cancel(t.Context(), ana, req.ID, civicpin.Citizen))
	}
	require.NoError(t, k.Cancel(t.Context(), ana, badID, civicpin.Citizen))
	require.NoError(t, k.Cancel(t.Context(), luis, req.ID, civicpin.Citizen))
	require.Equal(t, map[string]int{"": 1}, reasons(k.events, civicpin.EventCode("otp.code_cancelled")))
	require.NoError(t, k.out.Flush(t.Context()))
	require.Empty(t, k.mail.Messages(), "what was not sent yet is not")
	require.ErrorIs(t, k.verify(t, req.ID, pending[0].Code.Reveal()), otp.ErrRefused)
	require.ErrorIs(t, k.Resend(t.Context(), ana, req.ID, home), otp.ErrWrongState)

	req, sent := k.asked(t)
	require.NoError(t, k.verify(t, req.ID, sent))
	require.NoError(t, k.Cancel(t.Context(), ana, req.ID, civicpin.Citizen), "what was used stays used")
	require.ErrorIs(t, k.verify(t, req.ID, sent), otp.ErrRefused)
	require.Equal(t, map[string]int{"cancelled": 1, "spent": 1}, reasons(k.events, civicpin.EventCode("otp.code_refused")))
}

// One more than MaxPending takes the place of the oldest.
func TestMaxPending(t *testing.T) {
	k := newCodeKit(t, sms())
	var ids, codes []string
	for range 4 {
		req, sent := k.asked(t)
		ids, codes = append(ids, req.ID), append(codes, sent)
	}
	pending, err := k.Pending(t.Context(), ana)
	require.NoError(t, err)
	require.Len(t, pending, 3)
	require.Equal(t, map[string]int{"too many pending": 1}, reasons(k.events, civicpin.EventCode("otp.code_cancelled")))
	require.ErrorIs(t, k.verify(t, ids[0], codes[0]), otp.ErrRefused)
	for i := range 3 {
		require.NoError(t, k.verify(t, ids[i+1], codes[i+1]), "an older message may come late")
	}
}

func TestResendCode(t *testing.T) {
	k := newCodeKit(t, sms())
	req, sent := k.asked(t)
	for i := range 4 {
		k.clock.Add(time.Minute)
		require.NoError(t, k.Resend(t.Context(), ana, req.ID, home))
		require.NoError(t, k.out.Flush(t.Context()))
		require.Len(t, k.mail.Messages(), i+2)
		m := k.mail.Messages()[i+1]
		require.Equal(t, sent, m.Secret.Reveal(), "the same code")
		require.Equal(t, bySMS, m.To, "to the same address")
		require.True(t, req.ExpiresAt.Equal(m.ExpiresAt), "good for no longer")
		require.NotEqual(t, k.mail.Messages()[0].ID, m.ID)
	}
	require.ErrorIs(t, k.Resend(t.Context(), ana, req.ID, home), otp.ErrWrongState, "often enough")
	require.ErrorIs(t, k.Resend(t.Context(), ana, badID, home), otp.ErrWrongState)
	require.ErrorIs(t, k.Resend(t.Context(), luis, req.ID, home), otp.ErrWrongState)
	require.NoError(t, k.verify(t, req.ID, sent))
	req, _ = k.asked(t)
	k.clock.Add(10 * time.Minute)
	require.ErrorIs(t, k.Resend(t.Context(), ana, req.ID, home), otp.ErrWrongState, "too late")
}

// A dispatcher that comes late sends neither what was used nor what has expired, and what was replaced once only.
func TestWhatIsNotSentAnyMore(t *testing.T) {
	for name, change := range map[string]func(t *testing.T, k *codeKit, req otp.Request){
		"used": func(t *testing.T, k *codeKit, req otp.Request) {
			pending, err := k.Pending(t.Context(), ana)
			require.NoError(t, err)
			require.NoError(t, k.verify(t, req.ID, pending[0].Code.Reveal()))
		},
		"expired": func(_ *testing.T, k *codeKit, _ otp.Request) { k.clock.Add(10 * time.Minute) },
		"worn": func(t *testing.T, k *codeKit, req otp.Request) {
			pending, err := k.Pending(t.Context(), ana)
			require.NoError(t, err)
			for range 5 {
				require.Error(t, k.verify(t, req.ID, otherThan(pending[0].Code.Reveal())))
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			k := newCodeKit(t, sms())
			req, err := k.Request(t.Context(), ana, filing, toAna())
			require.NoError(t, err)
			change(t, k, req)
			require.NoError(t, k.out.Flush(t.Context()))
			require.Empty(t, k.mail.Messages())
		})
	}
	k := newCodeKit(t, sms())
	req, err := k.Request(t.Context(), ana, filing, toAna())
	require.NoError(t, err)
	require.NoError(t, k.Resend(t.Context(), ana, req.ID, home))
	require.NoError(t, k.out.Flush(t.Context()))
	require.Len(t, k.mail.Messages(), 1, "the first message was never sent, and is not wanted any more")
}

// What cannot be delivered can be tried again by an operator while the code is good.
func TestUndeliverableCode(t *testing.T) {
	k := newCodeKit(t, sms())
	k.mail.Fail = func(civicpin.Message) error { return civicpin.ErrUndeliverable }
	req, err := k.Request(t.Context(), ana, filing, toAna())
	require.NoError(t, err)
	require.NoError(t, k.out.Flush(t.Context()))
	k.mail.Fail = nil
	n := 0
	for letter, err := range k.out.DeadLetters(t.Context()) {
		require.NoError(t, err)
		require.NoError(t, k.out.Retry(t.Context(), letter.Ref))
		n++
	}
	require.Equal(t, 1, n)
	require.NoError(t, k.out.Flush(t.Context()))
	require.NoError(t, k.verify(t, req.ID, k.last()))
}
