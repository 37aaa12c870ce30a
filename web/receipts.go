package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/pin/state"
	"github.com/civicpin/civicpin/store/outbox"
)

const (
	maxReport   = 64 << 10 // bytes of a request
	maxReceipts = 100      // in a request
)

// ReceiptOptions say what reports [Receipts] takes. The zero ReceiptOptions takes signed ones in JSON, about notices.
type ReceiptOptions struct {
	// Pins are the services whose parts go through the outbox.
	Pins []*pin.Service
	// Prefix is put before each id that is reported, and binds the key to the messages of its provider. Give each provider
	// one, such as "sms/", of which none begins with another's, and let the notifier put it before the ids that it returns. If
	// it is empty, the key reports on the messages of all providers.
	Prefix string
	// Token takes reports that are not signed, but bring the key itself: "Authorization: Bearer whsec_…". It is for a
	// provider that cannot sign. A request that was read on its way can then be forged, not only replayed.
	Token bool
	// Read returns what a body reports: [state.Delivered] or [state.Failed], by the ids, without the prefix. It
	// leaves out what a provider says of other states. Errors are answered 400. Nil takes JSON: {"sms-4711":"delivered"}.
	Read func(body []byte) (map[string]state.Part, error)
}

// Receipts returns the page to which providers report whether messages arrived: parts of package pin, and the notices of all
// packages. Give each provider a page, a key and a prefix of its own. The key is that of Standard Webhooks: "whsec_" and the
// base64 of 24 to 64 random bytes. Errors:
//   - [civicpin.ErrInvalid]: no outbox, a key that is none, or a service that sends through another outbox.
//
// A report is a POST of at most 64 KiB and 100 receipts, signed as Standard Webhooks has it (standardwebhooks.com): the
// header webhook-signature holds "v1," and the base64 of the HMAC-SHA256 of "webhook-id.webhook-timestamp.body". The answers:
//   - 204: all is recorded.
//   - 401: the report is not signed with the key, or its time differs by more than 5 minutes from the vault's.
//   - 404: a failure of a message that is not known, or not yet. Let the provider report it again for some minutes. It stays so
//     for codes and links, whose failures leave nothing to do.
//   - 400, 405, 413: the report is malformed or too large.
//   - 5xx: the store failed. Let the provider report again.
//
// Attacks: only the provider can mark a part as failed, or have a recovery not count on a notice, and with a prefix only
// those that it sent. The signature is compared in constant time, over what was sent, before anything of it is looked at. A
// replay within the 5 minutes changes nothing: what reached the subject did, whatever comes later.
func Receipts(out *outbox.Outbox, key civicpin.Secret, o ReceiptOptions) (http.Handler, error) {
	signer, ok := parseSigner(key)
	if out == nil || !ok {
		return nil, fmt.Errorf("web: Receipts needs an outbox, and a key of 24 to 64 bytes as whsec_…: %w", civicpin.ErrInvalid)
	}
	o.Pins = slices.Clone(o.Pins)
	for _, pins := range o.Pins {
		if pins == nil || !pins.Over(out) {
			return nil, fmt.Errorf("web: Receipts has a service that sends through another outbox: %w", civicpin.ErrInvalid)
		}
	}
	if o.Read == nil {
		o.Read = readReport
	}
	return receipts{out, signer, o}, nil
}

type receipts struct {
	out     *outbox.Outbox
	signer  signer
	options ReceiptOptions
}

func (h receipts) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", "POST")
		http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxReport))
	switch {
	case err != nil:
		err = malformed(err)
	case !h.signer.signed(r.Header, body, h.out.Vault().Now()) && !(h.options.Token && h.signer.bears(r.Header)):
		http.Error(w, http.StatusText(http.StatusUnauthorized), http.StatusUnauthorized)
		return
	default:
		err = h.record(r, body)
	}
	if err == nil {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	refusal := Status(err)
	refusal.Header(w.Header())
	http.Error(w, refusal.Code, refusal.Status)
}

// record records all that a body reports, as far as it can, and returns the first error.
func (h receipts) record(r *http.Request, body []byte) (first error) {
	reported, err := h.options.Read(body)
	if err != nil || len(reported) > maxReceipts {
		return fmt.Errorf("web: a report that cannot be read, or of more than %d receipts: %w", maxReceipts, civicpin.ErrInvalid)
	}
	for _, id := range slices.Sorted(maps.Keys(reported)) {
		if err := h.one(r, id, reported[id]); err != nil && first == nil {
			first = err
		}
	}
	return first
}

// one records what became of one message. Which package sent it only the stored receipts say.
func (h receipts) one(r *http.Request, id string, to state.Part) error {
	if to != state.Delivered && to != state.Failed {
		return fmt.Errorf("web: a report of another state than delivered or failed: %w", civicpin.ErrInvalid)
	}
	id = h.options.Prefix + id // so nothing reaches what another provider sent
	for _, pins := range h.options.Pins {
		if err := pins.Receipt(r.Context(), id, to); !errors.Is(err, pin.ErrNoCredential) {
			return err
		}
	}
	if to == state.Delivered {
		return nil // a notice, which counts as arrived until it bounces; a code or a link; or forgotten
	}
	return h.out.Bounced(r.Context(), id)
}

// readReport reads a JSON object of states by receipt.
func readReport(body []byte) (reported map[string]state.Part, err error) {
	err = json.Unmarshal(body, &reported)
	return reported, err
}
