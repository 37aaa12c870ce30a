package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/pin/state"
	"github.com/civicpin/civicpin/texts"
)

// smsPrefix stands before the ids of text messages, so that the key of their reports reaches no other message.
const smsPrefix = "sms/"

// A gateway sends text messages over HTTP. It reports later, with a signature, whether they arrived: to /receipts/ and the
// system's name, where web.Receipts takes the reports.
type gateway struct {
	url, reports string
	token, key   civicpin.Secret // of requests to the gateway, and of its reports
	client       *http.Client
}

// newGateway reads the flag -sms: https://token@gateway.example/messages?key=whsec_…. The errors do not quote it. base is the
// portal's address.
func newGateway(address, base string) (*gateway, error) {
	wrong := errors.New("portal: -sms takes https://token@gateway.example/messages?key=whsec_…")
	u, err := url.Parse(address)
	if err != nil || u.User.Username() == "" {
		return nil, wrong
	}
	host, err := netip.ParseAddr(u.Hostname())
	if u.Scheme != "https" && (u.Scheme != "http" || err != nil || !host.IsLoopback()) {
		return nil, fmt.Errorf("%w; http:// would show codes to all on the way", wrong)
	}
	query := u.Query()
	key := strings.ReplaceAll(query.Get("key"), " ", "+") // base64, in which a query has blanks for +
	query.Del("key")
	token := civicpin.NewSecret(u.User.Username())
	u.User, u.RawQuery = nil, query.Encode()
	client := &http.Client{
		Timeout:       20 * time.Second,                                                              // below that of the outbox
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // codes go nowhere else
	}
	return &gateway{u.String(), base + "/receipts/", token, civicpin.NewSecret(key), client}, nil
}

// send sends one text message, and returns the gateway's id of it. What the gateway refuses for good is not tried again;
// anything else is, by the outbox, and the Idempotency-Key then tells the gateway that it is the same one.
func (g *gateway) send(ctx context.Context, system, id string, to civicpin.Contact, text texts.Text) (string, error) {
	body, err := json.Marshal(map[string]string{"to": to.Address, "text": text.Body.Reveal(), "reports": g.reports + system})
	if err != nil {
		return "", err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, g.url, bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+g.token.Reveal())
	r.Header.Set("Idempotency-Key", id)
	answer, err := g.client.Do(r)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	switch answer.StatusCode {
	case http.StatusOK, http.StatusCreated, http.StatusAccepted:
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		return "", fmt.Errorf("%w: the SMS gateway refuses with %d", civicpin.ErrUndeliverable, answer.StatusCode)
	default:
		return "", fmt.Errorf("portal: the SMS gateway answers %d", answer.StatusCode)
	}
	var taken struct {
		ID string `json:"id"`
	}
	if err := json.NewDecoder(io.LimitReader(answer.Body, 64<<10)).Decode(&taken); err != nil || taken.ID == "" {
		slog.WarnContext(ctx, "the SMS gateway took a message over without an id, and cannot report on it")
		return "", nil
	}
	return smsPrefix + taken.ID, nil
}

// reported returns a report as a gateway signs it (standardwebhooks.com).
func reported(ctx context.Context, key civicpin.Secret, address string, states map[string]state.Part) (*http.Request, error) {
	body, err := json.Marshal(states)
	if err != nil {
		return nil, err
	}
	secret, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(key.Reveal(), "whsec_"))
	if err != nil {
		return nil, err
	}
	id, at := rand.Text(), strconv.FormatInt(time.Now().Unix(), 10)
	mac := hmac.New(sha256.New, secret)
	fmt.Fprintf(mac, "%s.%s.%s", id, at, body)
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	r.Header.Set("Webhook-Id", id)
	r.Header.Set("Webhook-Timestamp", at)
	r.Header.Set("Webhook-Signature", "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	return r, nil
}

// report says of the text messages that the inbox showed that they were delivered, by the same page as a real gateway.
func (p *portal) report(ctx context.Context) {
	for _, m := range p.inbox.unreported() {
		r, err := reported(ctx, p.reportKey, p.base+"/receipts/"+m.System, map[string]state.Part{m.ID: state.Delivered})
		if err != nil {
			slog.ErrorContext(ctx, "report", "error", err)
			return
		}
		answer := httptest.NewRecorder()
		p.whole.ServeHTTP(answer, r)
		if answer.Code != http.StatusNoContent && ctx.Err() == nil {
			slog.ErrorContext(ctx, "report", "system", m.System, "status", answer.Code)
		}
	}
}
