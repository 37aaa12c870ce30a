package web

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/civicpin/civicpin"
)

const (
	keyPrefix     = "whsec_"
	skew          = 5 * time.Minute // of a provider's clock, and for how long a report can be replayed
	maxSignatures = 8               // of one report: a provider that changes its key sends one for each
)

// A signer is a key of Standard Webhooks.
type signer struct {
	text civicpin.Secret
	key  civicpin.Secret
}

// parseSigner returns the signer of a key's text, and whether it is one.
func parseSigner(text civicpin.Secret) (signer, bool) {
	encoded, ok := strings.CutPrefix(text.Reveal(), keyPrefix)
	key, err := base64.StdEncoding.Strict().DecodeString(encoded)
	return signer{text, civicpin.NewSecret(string(key))}, ok && err == nil && len(key) >= 24 && len(key) <= 64
}

// signed reports whether a body was signed with the key, within skew of now.
func (s signer) signed(h http.Header, body []byte, now time.Time) bool {
	id, at := h.Get("Webhook-Id"), h.Get("Webhook-Timestamp")
	seconds, err := strconv.ParseInt(at, 10, 64)
	if err != nil || id == "" || now.Sub(time.Unix(seconds, 0)).Abs() > skew {
		return false
	}
	mac := hmac.New(sha256.New, []byte(s.key.Reveal()))
	mac.Write([]byte(id + "." + at + "."))
	mac.Write(body)
	want := []byte("v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	for i, signature := range strings.Fields(h.Get("Webhook-Signature")) {
		if i < maxSignatures && hmac.Equal([]byte(signature), want) {
			return true
		}
	}
	return false
}

// bears reports whether a header brings the key itself.
func (s signer) bears(h http.Header) bool {
	token, ok := strings.CutPrefix(h.Get("Authorization"), "Bearer ")
	return ok && s.text.Equal(civicpin.NewSecret(token))
}
