package civicpin_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
)

type contextKey struct{}

func TestNotifierFunc(t *testing.T) {
	ctx := context.WithValue(t.Context(), contextKey{}, "request")
	want := civicpin.Message{ID: "m1", Kind: "test", Part: 1, Parts: 2}
	failure := errors.New("gateway is down")
	n := civicpin.NotifierFunc(func(ctx context.Context, m civicpin.Message) (string, error) {
		assert.Equal(t, "request", ctx.Value(contextKey{}))
		assert.Equal(t, want, m)
		return "receipt-1", failure
	})
	receipt, err := n.Notify(ctx, want)
	assert.Equal(t, "receipt-1", receipt)
	assert.Same(t, failure, err)
}

// A message that gets into a log shows neither what is typed nor the link's token.
func TestMessageShowsNoSecret(t *testing.T) {
	m := civicpin.Message{ID: "m1", Kind: "test", Secret: civicpin.NewSecret("K7PX2MQA"), Link: civicpin.NewSecret("token-1")}
	marshalled, err := json.Marshal(m)
	assert.NoError(t, err)
	for _, shown := range []string{fmt.Sprint(m), fmt.Sprintf("%+v %#v", m, m), string(marshalled)} {
		assert.Contains(t, shown, "m1")
		assert.NotContains(t, shown, "K7PX2MQA")
		assert.NotContains(t, shown, "token-1")
	}
}

func TestByChannel(t *testing.T) {
	named := func(name string, err error) civicpin.Notifier {
		return civicpin.NotifierFunc(func(_ context.Context, m civicpin.Message) (string, error) { return name + " " + m.ID, err })
	}
	noMailbox := fmt.Errorf("%w: 550", civicpin.ErrUndeliverable)
	down := errors.New("gateway is down")
	b := civicpin.ByChannel{
		civicpin.SMS:   named("sms", nil),
		civicpin.Email: named("email", noMailbox),
		civicpin.Push:  named("push", down),
		civicpin.Voice: nil,
	}
	for _, tc := range []struct {
		channel civicpin.Channel
		receipt string
		err     error
		final   bool
	}{
		{civicpin.SMS, "sms 1", nil, false},
		{civicpin.Email, "email 1", noMailbox, true},
		{civicpin.Push, "push 1", down, false},
		{civicpin.Voice, "", civicpin.ErrUndeliverable, true},  // a nil notifier
		{civicpin.Letter, "", civicpin.ErrUndeliverable, true}, // none
		{"", "", civicpin.ErrUndeliverable, true},
	} {
		receipt, err := b.Notify(t.Context(), civicpin.Message{ID: "1", To: civicpin.Contact{Channel: tc.channel, Address: "secret address"}})
		assert.Equal(t, tc.receipt, receipt, tc.channel)
		assert.ErrorIs(t, err, tc.err, tc.channel)
		assert.Equal(t, tc.final, errors.Is(err, civicpin.ErrUndeliverable), tc.channel)
		if err != nil {
			assert.NotContains(t, err.Error(), "address")
		}
	}
	_, err := civicpin.ByChannel(nil).Notify(t.Context(), civicpin.Message{})
	assert.ErrorIs(t, err, civicpin.ErrUndeliverable)
	_, err = b.Notify(t.Context(), civicpin.Message{To: civicpin.Contact{Channel: civicpin.Letter}})
	assert.ErrorContains(t, err, "letter", "the log must tell which channel lacks its notifier")
}

// picky is a notifier that refuses some kinds in advance.
type picky struct {
	civicpin.NotifierFunc
	refuses civicpin.MessageKind
}

func (p picky) Check(m civicpin.Message) error {
	if m.Kind == p.refuses {
		return fmt.Errorf("%w: no words", civicpin.ErrUndeliverable)
	}
	return nil
}

func TestByChannelChecks(t *testing.T) {
	send := civicpin.NotifierFunc(func(context.Context, civicpin.Message) (string, error) {
		t.Error("a check sends nothing")
		return "", nil
	})
	b := civicpin.ByChannel{
		civicpin.SMS:   picky{NotifierFunc: send, refuses: "pin.part"},
		civicpin.Email: send, // no Checker
		civicpin.Push:  civicpin.ByChannel{civicpin.Push: picky{NotifierFunc: send, refuses: "otp.code"}},
		civicpin.Voice: nil,
	}
	for _, tc := range []struct {
		channel civicpin.Channel
		kind    civicpin.MessageKind
		refused string // what the error says
	}{
		{civicpin.SMS, "pin.part", "no words"},
		{civicpin.SMS, "otp.code", ""},
		{civicpin.Email, "pin.part", ""},
		{civicpin.Push, "otp.code", "no words"},
		{civicpin.Push, "pin.part", ""},
		{civicpin.Voice, "pin.part", "no notifier for channel voice"},
		{civicpin.Letter, "pin.part", "no notifier for channel letter"},
	} {
		err := b.Check(civicpin.Message{Kind: tc.kind, To: civicpin.Contact{Channel: tc.channel}})
		if tc.refused == "" {
			assert.NoError(t, err, "%+v", tc)
			continue
		}
		assert.ErrorIs(t, err, civicpin.ErrUndeliverable, "%+v", tc)
		assert.ErrorContains(t, err, tc.refused)
	}
}

func TestRateBounds(t *testing.T) {
	for _, tc := range []struct {
		rate civicpin.Rate
		ok   bool
	}{
		{civicpin.Rate{}, true},
		{civicpin.Rate{Limit: 1, Window: time.Second}, true},
		{civicpin.Rate{Limit: 0, Window: time.Second}, false},
		{civicpin.Rate{Limit: -1, Window: time.Second}, false},
		{civicpin.Rate{Limit: 1_000_000, Window: time.Second}, true},
		{civicpin.Rate{Limit: 1_000_001, Window: time.Second}, false},
		{civicpin.Rate{Limit: 1, Window: time.Second - 1}, false},
		{civicpin.Rate{Limit: 1, Window: -time.Second}, false},
		{civicpin.Rate{Limit: 1}, false},
		{civicpin.Rate{Limit: 1, Window: 366 * 24 * time.Hour}, true},
		{civicpin.Rate{Limit: 1, Window: 366*24*time.Hour + 1}, false},
	} {
		if err := tc.rate.Validate(); tc.ok {
			require.NoError(t, err, "%+v", tc.rate)
		} else {
			require.ErrorIs(t, err, civicpin.ErrInvalid, "%+v", tc.rate)
		}
	}
}
