package web_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/pin/state"
	"github.com/civicpin/civicpin/web"
)

// providerKey is that of the test vector of Standard Webhooks, of 24 bytes.
const providerKey = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// provider signs reports to a page.
type provider struct {
	page http.Handler
	at   time.Time
}

func (k *linkKit) provider(t *testing.T, o web.ReceiptOptions) *provider {
	t.Helper()
	o.Pins = append(o.Pins, k.pins)
	page, err := web.Receipts(k.out, civicpin.NewSecret(providerKey), o)
	require.NoError(t, err)
	return &provider{page, k.clock.Now()}
}

// signed returns a report that is signed, at a time.
func signed(body string, at time.Time) *http.Request {
	key, _ := base64.StdEncoding.DecodeString(providerKey[6:])
	seconds := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "msg_1.%s.%s", seconds, body)
	r := httptest.NewRequest("POST", portal+"/receipts", bytes.NewReader([]byte(body)))
	r.Header.Set("Webhook-Id", "msg_1")
	r.Header.Set("Webhook-Timestamp", seconds)
	r.Header.Set("Webhook-Signature", "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	return r
}

// send returns the status that answers a request.
func (p *provider) send(r *http.Request) int {
	w := httptest.NewRecorder()
	p.page.ServeHTTP(w, r)
	return w.Code
}

// reports returns the status that answers a signed report of one message.
func (p *provider) reports(receipt string, to state.Part) int {
	return p.send(signed(fmt.Sprintf(`{%q: %q}`, receipt, to), p.at))
}

// part has a part sent to Ana, and returns its receipt and what asks for its state.
func (k *linkKit) part(t *testing.T) (receipt string, at func() state.Part) {
	t.Helper()
	o := pin.IssueOptions{Parts: []civicpin.Contact{{Channel: civicpin.Email, Address: anaMail}}, By: civicpin.Operator("clerk.7")}
	_, err := k.pins.Issue(t.Context(), ana, o)
	require.NoError(t, err)
	require.NoError(t, k.out.Flush(t.Context()))
	return fmt.Sprintf("receipt-%d", len(k.mail.Messages())), func() state.Part {
		st, err := k.pins.Status(t.Context(), ana)
		require.NoError(t, err)
		return st.Parts[0].State
	}
}

func TestReceiptsOfParts(t *testing.T) {
	k := newLinkKit(t)
	p := k.provider(t, web.ReceiptOptions{})
	receipt, at := k.part(t)
	require.Equal(t, state.Accepted, at())
	require.Equal(t, http.StatusNoContent, p.reports(receipt, state.Failed))
	require.Equal(t, state.Failed, at())
	require.Equal(t, http.StatusNoContent, p.reports(receipt, state.Delivered))
	k.events.Take()
	for _, to := range []state.Part{state.Delivered, state.Failed, state.Delivered} { // replays
		require.Equal(t, http.StatusNoContent, p.reports(receipt, to))
		require.Equal(t, state.Delivered, at())
	}
	require.Empty(t, k.events.Take())
}

// The notices of all packages bounce by the same page, which does not know the sender of a message.
func TestReceiptsOfNotices(t *testing.T) {
	k := newLinkKit(t)
	p := k.provider(t, web.ReceiptOptions{})
	for _, address := range []string{anaMail, newMail} {
		k.press(t, k.add(t, address))
	}
	k.link(t, anaMail, contact.NoticeChanged)
	bounced := func() (n int) { return len(k.events.Of("outbox.bounced")) }
	for i, m := range k.mail.Messages() {
		receipt, before := fmt.Sprintf("receipt-%d", i+1), bounced()
		require.Equal(t, http.StatusNoContent, p.reports(receipt, state.Delivered), m.Kind)
		require.Equal(t, before, bounced())
		want := http.StatusNotFound // of a code or link nothing is kept
		if m.Kind == contact.NoticeChanged {
			want = http.StatusNoContent
		}
		require.Equal(t, want, p.reports(receipt, state.Failed), m.Kind)
		require.Equal(t, want == http.StatusNoContent, before < bounced())
	}
	require.NotZero(t, bounced())
	require.Equal(t, http.StatusNotFound, p.reports("receipt-99", state.Failed), "not yet known: once more, please")
}

// A provider's key reaches no message of another provider, whatever receipt it reports.
func TestReceiptsOfAnotherProvider(t *testing.T) {
	k := newLinkKit(t)
	other := k.provider(t, web.ReceiptOptions{Prefix: "other/"})
	receipt, at := k.part(t)
	k.press(t, k.add(t, newMail))
	for i := range k.mail.Messages() {
		require.Equal(t, http.StatusNotFound, other.reports(fmt.Sprintf("receipt-%d", i+1), state.Failed))
	}
	require.Equal(t, http.StatusNoContent, other.reports(receipt, state.Delivered), "as all that is unknown")
	require.Equal(t, state.Accepted, at())
	require.Empty(t, k.events.Of("outbox.bounced"))

	own := k.provider(t, web.ReceiptOptions{Prefix: "receipt-"})
	require.Equal(t, http.StatusNoContent, own.reports(receipt[len("receipt-"):], state.Failed))
	require.Equal(t, state.Failed, at())
}

// A report that the provider did not sign, or long ago, changes nothing.
func TestReceiptsForged(t *testing.T) {
	k := newLinkKit(t)
	p := k.provider(t, web.ReceiptOptions{})
	receipt, at := k.part(t)
	body := fmt.Sprintf(`{%q: "failed"}`, receipt)
	for name, forge := range map[string]func(h http.Header){
		"no signature":      func(h http.Header) { h.Del("Webhook-Signature") },
		"nothing":           func(h http.Header) { clear(h) },
		"another signature": func(h http.Header) { h.Set("Webhook-Signature", "v1,"+fmt.Sprintf("%043d=", 0)) },
		"another version":   func(h http.Header) { h.Set("Webhook-Signature", "v2"+h.Get("Webhook-Signature")[2:]) },
		"another id":        func(h http.Header) { h.Set("Webhook-Id", "msg_2") },
		"no id":             func(h http.Header) { h.Del("Webhook-Id") },
		"another time":      func(h http.Header) { h.Set("Webhook-Timestamp", strconv.FormatInt(p.at.Unix()+1, 10)) },
		"no time":           func(h http.Header) { h.Set("Webhook-Timestamp", "soon") },
		"beyond all times":  func(h http.Header) { h.Set("Webhook-Timestamp", "-9223372036854775808") },
		"too many": func(h http.Header) {
			h.Set("Webhook-Signature", "v1,a v1,b v1,c v1,d v1,e v1,f v1,g v1,h "+h.Get("Webhook-Signature"))
		},
		"the key itself": func(h http.Header) { clear(h); h.Set("Authorization", "Bearer "+providerKey) },
	} {
		r := signed(body, p.at)
		forge(r.Header)
		require.Equal(t, http.StatusUnauthorized, p.send(r), name)
	}
	r := signed(body, p.at)
	r.Body = signed(body+" ", p.at).Body
	require.Equal(t, http.StatusUnauthorized, p.send(r), "another body")
	for _, off := range []time.Duration{5*time.Minute + time.Second, -5*time.Minute - time.Second, 24 * time.Hour} {
		require.Equal(t, http.StatusUnauthorized, p.send(signed(body, p.at.Add(-off))), off)
	}
	require.Equal(t, state.Accepted, at())
	r = signed(body, p.at.Add(-5*time.Minute))
	r.Header.Set("Webhook-Signature", "v1,old v1a,x "+r.Header.Get("Webhook-Signature"))
	require.Equal(t, http.StatusNoContent, p.send(r), "signed with two keys")
	require.Equal(t, state.Failed, at())
}

func TestReceiptsToken(t *testing.T) {
	k := newLinkKit(t)
	p := k.provider(t, web.ReceiptOptions{Token: true, Read: func(body []byte) (map[string]state.Part, error) {
		return map[string]state.Part{string(body): state.Delivered}, nil
	}})
	receipt, at := k.part(t)
	for _, token := range []string{"", "Bearer ", "Bearer x", providerKey, "Bearer " + providerKey + "A"} {
		r := httptest.NewRequest("POST", portal, bytes.NewReader([]byte(receipt)))
		r.Header.Set("Authorization", token)
		require.Equal(t, http.StatusUnauthorized, p.send(r), token)
	}
	require.Equal(t, state.Accepted, at())
	r := httptest.NewRequest("POST", portal, bytes.NewReader([]byte(receipt)))
	r.Header.Set("Authorization", "Bearer "+providerKey)
	require.Equal(t, http.StatusNoContent, p.send(r))
	require.Equal(t, state.Delivered, at())
}

func TestReceiptsRefused(t *testing.T) {
	k := newLinkKit(t)
	p := k.provider(t, web.ReceiptOptions{})
	receipt, at := k.part(t)
	many := []byte("{")
	for i := range 100 {
		many = fmt.Appendf(many, `"r%d": "failed", `, i)
	}
	for body, want := range map[string]int{
		"": 400, "x": 400, `{"r": 1}`: 400, `{"r": "read"}`: 400, `{"": "failed"}`: 400, string(many) + `"r": "failed"}`: 400,
		fmt.Sprintf("%*s", 64<<10+1, "{}"): 413, "{}": 204,
		fmt.Sprintf(`{"a": "failed", %q: "delivered"}`, receipt): 404, // the other one is recorded
	} {
		require.Equal(t, want, p.send(signed(body, p.at)), "%.40s", body)
	}
	require.Equal(t, state.Delivered, at())
	r := signed("{}", p.at)
	r.Method = "GET"
	require.Equal(t, http.StatusMethodNotAllowed, p.send(r))
	// The test vector of Standard Webhooks is signed, and no report.
	k.clock.Set(time.Unix(1614265330, 0))
	r = signed(`{"test": 2432232314}`, time.Unix(1614265330, 0))
	r.Header.Set("Webhook-Id", "msg_p5jXN8AQM9LWM0D4loKWxJek")
	r.Header.Set("Webhook-Signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
	require.Equal(t, http.StatusBadRequest, p.send(r))

	other := newLinkKit(t)
	for _, key := range []string{
		"", "whsec_", providerKey[6:], "whsec_AAAA", "whsec_" + fmt.Sprintf("%088d", 0), "whsec_#" + providerKey[7:],
	} {
		_, err := web.Receipts(k.out, civicpin.NewSecret(key), web.ReceiptOptions{})
		require.ErrorIs(t, err, civicpin.ErrInvalid, key)
	}
	_, err := web.Receipts(k.out, civicpin.NewSecret(providerKey), web.ReceiptOptions{Pins: []*pin.Service{other.pins}})
	require.ErrorIs(t, err, civicpin.ErrInvalid)
	_, err = web.Receipts(nil, civicpin.NewSecret(providerKey), web.ReceiptOptions{})
	require.ErrorIs(t, err, civicpin.ErrInvalid)
}
