package otp

import (
	"context"
	"errors"
	"maps"
	"strconv"
	"strings"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
)

// CodeMessage is the kind of the message that carries a code. Secret is the code, without the part that the subject chose, and
// ExpiresAt is when it ends. Params are those of the request: package texts tells "act", what the code is for in the subject's
// language, as in "filing your tax return".
const CodeMessage civicpin.MessageKind = "otp.code"

// sendable refuses parameters or codes with which the notifier would refuse a message over one of the policy's channels, of
// whatever subject.
func (c *Codes) sendable(params map[string]string, codes []string) error {
	for _, sample := range codes {
		err := c.out.Check(civicpin.Message{
			Kind: CodeMessage, Secret: civicpin.NewSecret(sample), ExpiresAt: c.vault.Now().Add(c.policy.Valid), Params: params,
		}, c.policy.Channels...)
		if err != nil {
			return err
		}
	}
	return nil
}

// codeDelivery is a Codes as the outbox sees it.
type codeDelivery Codes

var _ outbox.Owner = (*codeDelivery)(nil)

// owner is the name under which the messages stand in the outbox.
func (c *Codes) owner() string { return "code." + c.policy.Name }

// ref names the send-th message of a code to the outbox.
func (c *Codes) ref(subject civicpin.Subject, id string, send int) outbox.Ref {
	return outbox.Ref{Class: outbox.Proved, Owner: c.owner(), Subject: subject, ID: id + "." + strconv.Itoa(send)}
}

// parseCodeRef undoes ref.
func parseCodeRef(ref outbox.Ref) (key store.Key, send int, err error) {
	id, number, _ := strings.Cut(ref.ID, ".")
	send, err = strconv.Atoi(number)
	if err != nil {
		return store.Key{}, 0, outbox.ErrWithdrawn
	}
	return store.Key{Subject: ref.Subject, ID: id}, send, nil
}

// Confirm implements [outbox.Owner]: it gives the message only while the code waits for this very one,
// and no act has ended the code.
func (d *codeDelivery) Confirm(ctx context.Context, ref outbox.Ref) (civicpin.Message, error) {
	key, send, err := parseCodeRef(ref)
	if err != nil {
		return civicpin.Message{}, err
	}
	e, err := d.records.Get(ctx, key)
	if errors.Is(err, store.ErrNotFound) {
		return civicpin.Message{}, outbox.ErrWithdrawn
	}
	if err != nil {
		return civicpin.Message{}, err
	}
	r := &e.Value
	ended, err := (*Codes)(d).ended(ctx, key.Subject, r)
	if err != nil {
		return civicpin.Message{}, err
	}
	if ended || r.Decoy || r.Send != send || r.Sent || !r.live(&d.policy, d.vault.Now()) {
		return civicpin.Message{}, outbox.ErrWithdrawn
	}
	return civicpin.Message{
		Kind: CodeMessage, To: r.contact(), Secret: civicpin.NewSecret(r.Code), ExpiresAt: r.Expires, Params: maps.Clone(r.Params),
	}, nil
}

// Settle implements [outbox.Owner]. What failed is confirmed again if an operator retries it, as long as the code is good; the
// outbox has recorded it.
func (d *codeDelivery) Settle(ctx context.Context, ref outbox.Ref, what outbox.Outcome) error {
	key, send, err := parseCodeRef(ref)
	if err != nil || what.Failed {
		return err
	}
	_, err = d.records.Update(ctx, key, func(e *store.Entry[codeRecord]) error {
		if !e.Found() || e.Value.Send != send || e.Value.Sent {
			return store.ErrSkip
		}
		e.Value.Sent = true
		return nil
	})
	return err
}
