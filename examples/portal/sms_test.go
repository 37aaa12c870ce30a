package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/pin/state"
	"github.com/civicpin/civicpin/texts"
)

// gatewayKey signs what the gateway of the tests reports. Its base64 has a plus.
const gatewayKey = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw+AAA"

// An sms is a text message as the gateway got it.
type sms struct {
	To, Text, Reports string
	id, once          string
}

// A phoneNetwork is an SMS gateway: an HTTP server that takes messages, and reports on them when the test says so.
type phoneNetwork struct {
	*httptest.Server
	taken   chan sms
	answers chan func(w http.ResponseWriter) // each instead of taking a message
}

func newPhoneNetwork(t *testing.T) *phoneNetwork {
	t.Helper()
	n := &phoneNetwork{taken: make(chan sms, 100), answers: make(chan func(http.ResponseWriter), 1)}
	n.Server = httptest.NewServer(n)
	t.Cleanup(n.Close)
	return n
}

// flag is the value of -sms.
func (n *phoneNetwork) flag() string {
	return "http://t0ken@" + n.Listener.Addr().String() + "/messages?from=INPS&key=" + gatewayKey
}

func (n *phoneNetwork) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m := sms{once: r.Header.Get("Idempotency-Key")}
	m.id = "SM-" + m.once
	switch {
	case r.Header.Get("Authorization") != "Bearer t0ken":
		w.WriteHeader(http.StatusUnauthorized)
		return
	case r.Method != http.MethodPost || r.URL.String() != "/messages?from=INPS" || json.NewDecoder(r.Body).Decode(&m) != nil:
		w.WriteHeader(http.StatusNotFound)
		return
	}
	select {
	case answer := <-n.answers:
		answer(w)
	default:
		n.taken <- m
		w.WriteHeader(http.StatusAccepted)
		fmt.Fprintf(w, `{"id": %q}`, m.id)
	}
}

// next waits for the next message to a telephone.
func (n *phoneNetwork) next(t *testing.T, to string) sms {
	t.Helper()
	for {
		select {
		case m := <-n.taken:
			if m.To == to {
				return m
			}
		case <-time.After(30 * time.Second):
			require.Fail(t, "no text message came", to)
		}
	}
}

// reports sends a report of one message, which edit may spoil, and returns the status that answers it.
func (n *phoneNetwork) reports(t *testing.T, m sms, to state.Part, edit func(r *http.Request)) int {
	t.Helper()
	signed, err := reported(t.Context(), civicpin.NewSecret(gatewayKey), m.Reports, map[string]state.Part{m.id: to})
	require.NoError(t, err)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, m.Reports, signed.Body)
	require.NoError(t, err)
	r.Header = signed.Header
	if edit != nil {
		edit(r)
	}
	answer, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	return answer.StatusCode
}

// half waits until Maria's first half is in a state.
func half(t *testing.T, p *portal, want state.Part) {
	t.Helper()
	var is state.Part
	require.Eventually(t, func() bool {
		is = halfNow(t.Context(), p)
		return is == want
	}, 30*time.Second, 10*time.Millisecond, "want %s", want)
}

func halfNow(ctx context.Context, p *portal) state.Part {
	st, err := p.system("inps").pins.Status(ctx, mariaCF)
	if err != nil || len(st.Parts) == 0 {
		return ""
	}
	return st.Parts[0].State
}

// A half of a PIN goes out through the gateway. What the gateway reports with its key counts, and nothing else does.
func TestSMS(t *testing.T) {
	network := newPhoneNetwork(t)
	p := newPortal(t, "-sms", network.flag())
	b := newBrowser(t, p)
	b.send("/inps/request", "id="+mariaCF, "mobile=333 123 4567", "email="+mailbox).at("/inps/first")
	m := network.next(t, marias)
	first, second := code(mail{Channel: civicpin.SMS, Text: m.Text}), came(t, p, civicpin.Email, mailbox, code)
	require.NotEmpty(t, first)
	require.NotEmpty(t, m.once)
	require.Equal(t, p.base+"/receipts/inps", m.Reports)
	require.Equal(t, 1, p.inbox.count("inps"), "the e-mail alone")
	half(t, p, state.Accepted)
	st, err := p.system("inps").pins.Status(t.Context(), mariaCF)
	require.NoError(t, err)
	require.Equal(t, "sms/"+m.id, st.Parts[0].Receipt)

	sent := map[string]int{}
	for name, forge := range map[string]func(r *http.Request){
		"unsigned": func(r *http.Request) { r.Header.Del("Webhook-Signature") },
		"forged":   func(r *http.Request) { r.Header.Set("Webhook-Signature", "v1,"+strings.Repeat("A", 43)+"=") },
		"of old":   func(r *http.Request) { r.Header.Set("Webhook-Timestamp", "1700000000") },
		"other":    func(r *http.Request) { r.Body, r.ContentLength = body(`{"` + m.id + `": "failed"} `) },
		"oversize": func(r *http.Request) { r.Body, r.ContentLength = body(strings.Repeat(" ", 64<<10+1)) },
		"huge":     func(r *http.Request) { r.Body, r.ContentLength = body(strings.Repeat(" ", 3<<20)) },
		"token":    func(r *http.Request) { clear(r.Header); r.Header.Set("Authorization", "Bearer "+gatewayKey) },
		"browser":  func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") },
	} {
		sent[name] = network.reports(t, m, state.Failed, forge)
	}
	require.Equal(t, map[string]int{
		"unsigned": 401, "forged": 401, "of old": 401, "other": 401, "token": 401, "oversize": 413, "huge": 413, "browser": 403,
	}, sent)
	unknown, elsewhere := m, m
	unknown.id = "SM99"
	elsewhere.Reports = p.base + "/receipts/iess"
	require.Equal(t, http.StatusNotFound, network.reports(t, unknown, state.Failed, nil), "not yet: once more, please")
	require.Equal(t, http.StatusNoContent, network.reports(t, unknown, state.Delivered, nil))
	require.Equal(t, http.StatusNotFound, network.reports(t, elsewhere, state.Failed, nil))
	require.Equal(t, state.Accepted, halfNow(t.Context(), p))

	clerk := newBrowser(t, p)
	require.Equal(t, http.StatusNoContent, network.reports(t, m, state.Failed, nil))
	require.Equal(t, state.Failed, halfNow(t.Context(), p))
	clerk.send("/desk", "operator=clerk.4", "system=inps", "id="+mariaCF).at("/desk/inps")
	require.Contains(t, clerk.body, "Text message: failed")
	require.Equal(t, http.StatusNoContent, network.reports(t, m, state.Delivered, nil), "it came after all")
	for _, to := range []state.Part{state.Failed, state.Delivered, state.Failed} { // replays and late ones
		require.Equal(t, http.StatusNoContent, network.reports(t, m, to, nil))
		require.Equal(t, state.Delivered, halfNow(t.Context(), p))
	}
	clerk.open("/desk/inps").at("/desk/inps")
	require.Contains(t, clerk.body, "Text message: delivered")
	require.Contains(t, b.open("/events").at("/events").body, "pin.part_delivered reported")

	b.send("/inps/first", "id="+mariaCF, "half1="+first, "half2="+second, "new="+herPIN, "again="+herPIN).at("/inps/mine")

	clerk.send("/desk/inps", "act=revoke", "reason=stolen").at("/desk/inps")
	notice := network.next(t, marias)
	require.Eventually(t, func() bool { // 404 until the outbox has noted what it sent
		return network.reports(t, notice, state.Failed, nil) == http.StatusNoContent
	}, 30*time.Second, 50*time.Millisecond)
	require.Equal(t, http.StatusNotFound, network.reports(t, unknown, state.Failed, nil))
	require.Contains(t, b.open("/events").at("/events").body, "outbox.bounced")
}

func body(text string) (io.ReadCloser, int64) {
	return io.NopCloser(strings.NewReader(text)), int64(len(text))
}

// Without a gateway the inbox stands in for one: what it showed is reported as delivered, by the same page.
func TestInboxReports(t *testing.T) {
	p := newPortal(t, "-base", "BASE/portal")
	b := newBrowser(t, p)
	b.send("/inps/request", "id="+mariaCF, "mobile=333 123 4567", "email="+mailbox).at("/portal/inps/first")
	half(t, p, state.Accepted)
	for start := time.Now(); halfNow(t.Context(), p) != state.Delivered; time.Sleep(50 * time.Millisecond) {
		require.Less(t, time.Since(start), 30*time.Second, "no report")
		b.open("/inbox").at("/portal/inbox")
	}
}

// What the gateway refuses for good is said to be, and what passes is not. Codes follow no redirection, and go nowhere in
// plain text.
func TestGateway(t *testing.T) {
	network := newPhoneNetwork(t)
	g, err := newGateway(network.flag(), "https://portal.example")
	require.NoError(t, err)
	require.Equal(t, gatewayKey, g.key.Reveal())
	send := func(answer func(w http.ResponseWriter)) (string, error) {
		if answer != nil {
			network.answers <- answer
		}
		to := civicpin.Contact{Channel: civicpin.SMS, Address: marias}
		return g.send(t.Context(), "inps", "one", to, texts.Text{Body: civicpin.NewSecret("mezzo PIN: K7PM")})
	}
	receipt, err := send(nil)
	require.NoError(t, err)
	require.Equal(t, "sms/SM-one", receipt)
	want := sms{marias, "mezzo PIN: K7PM", "https://portal.example/receipts/inps", "SM-one", "one"}
	require.Equal(t, want, network.next(t, marias))
	for status, forGood := range map[int]bool{400: true, 422: true, 401: false, 404: false, 429: false, 500: false, 307: false} {
		_, err := send(func(w http.ResponseWriter) {
			w.Header().Set("Location", "/messages?from=INPS")
			w.WriteHeader(status)
		})
		require.Error(t, err, status)
		require.Equal(t, forGood, errors.Is(err, civicpin.ErrUndeliverable), status)
	}
	for _, text := range []string{"", "{}", "no", `{"id": 7}`} { // taken over all the same
		receipt, err := send(func(w http.ResponseWriter) { _, _ = io.WriteString(w, text) })
		require.NoError(t, err)
		require.Empty(t, receipt)
	}
	require.Empty(t, network.taken)
	g.token = civicpin.NewSecret("other")
	_, err = send(nil)
	require.ErrorContains(t, err, "401")

	for _, wrong := range []string{
		"", "t0ken", "https://gateway.example/m?key=" + gatewayKey, "http://t0ken@gateway.example/", "http://t0ken@192.0.2.1/",
		"ftp://t0ken@127.0.0.1/", "https://t0ken@gateway.example:x/",
	} {
		_, err := newGateway(wrong, "")
		require.ErrorContains(t, err, "-sms")
		require.NotContains(t, strings.ReplaceAll(err.Error(), "https://token@", ""), "t0ken")
	}
	file := t.TempDir() + "/p.db"
	_, err = open(t.Context(), config{db: file, keys: file + ".keys", sms: "https://t0ken@gateway.example/?key=whsec_short"})
	require.ErrorIs(t, err, civicpin.ErrInvalid)
	require.NotContains(t, err.Error(), "short")
}
