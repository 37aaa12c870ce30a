package pin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/names"
	"github.com/civicpin/civicpin/pin/state"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
)

// delivery is the service as the outbox sees it.
type delivery Service

var _ outbox.Owner = (*delivery)(nil)

// sendable refuses a policy of which the notifier would refuse a part over one of the channels that parts may go to.
func (s *Service) sendable() error {
	for _, channel := range slices.Sorted(maps.Keys(s.policy.Valid)) {
		for _, sample := range s.alphabet.Samples(s.policy.Length) {
			err := s.out.Check(civicpin.Message{
				Kind: PartMessage, Secret: civicpin.NewSecret(sample), Part: s.policy.Parts, Parts: s.policy.Parts,
				ExpiresAt: s.vault.Now().Add(s.policy.Valid[channel]),
			}, channel)
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// receipt says which part a provider's receipt is about.
type receipt struct {
	Subject civicpin.Subject `json:"subject,omitempty" export:"subject"`
	Issue   string           `json:"issue,omitempty" export:"yes"`
	Part    int              `json:"part,omitempty" export:"yes"`
	Message string           `json:"message,omitempty" export:"yes"`
}

// receiptsFor is how long a provider may take to report on a message.
const receiptsFor = 60 * day

// parseRef undoes ref.
func parseRef(id string) (issue string, part int, message string, err error) {
	fields := strings.Split(id, ".")
	if len(fields) != 3 {
		return "", 0, "", outbox.ErrWithdrawn
	}
	if part, err = strconv.Atoi(fields[1]); err != nil {
		return "", 0, "", outbox.ErrWithdrawn
	}
	return fields[0], part, fields[2], nil
}

// Confirm implements [outbox.Owner]: it gives the message only while the credential is still waiting for this very one.
func (d *delivery) Confirm(ctx context.Context, ref outbox.Ref) (civicpin.Message, error) {
	issue, i, message, err := parseRef(ref.ID)
	if err != nil {
		return civicpin.Message{}, err
	}
	e, err := d.creds.Get(ctx, store.Key{Subject: ref.Subject})
	if errors.Is(err, store.ErrNotFound) {
		return civicpin.Message{}, outbox.ErrWithdrawn
	}
	if err != nil {
		return civicpin.Message{}, err
	}
	b := e.Value.batch(issue)
	if !b.sameMessage(i, message) || b.ended || !d.vault.Now().Before(b.expires) {
		return civicpin.Message{}, outbox.ErrWithdrawn
	}
	if b.suspended {
		return civicpin.Message{}, fmt.Errorf("pin: suspended: %w", outbox.ErrNotYet) // it may be resumed
	}
	p := &b.parts[i]
	if p.Text == "" || p.State == state.Accepted || p.State == state.Delivered {
		return civicpin.Message{}, outbox.ErrWithdrawn
	}
	if still, err := (*Service)(d).provedStill(ctx, ref.Subject, &e.Value); err != nil || !still {
		return civicpin.Message{}, cmp.Or(err, outbox.ErrWithdrawn)
	}
	return p.message(i, len(b.parts), b.expires), nil
}

// message is part i of n.
func (p *part) message(i, n int, expires time.Time) civicpin.Message {
	return civicpin.Message{
		Kind: PartMessage, To: p.contact(), Secret: civicpin.NewSecret(p.Text), Part: i + 1, Parts: n, ExpiresAt: expires,
	}
}

// Settle implements [outbox.Owner]. The receipt is written before the part, so that a provider's report that comes at once
// finds where it belongs.
func (d *delivery) Settle(ctx context.Context, ref outbox.Ref, what outbox.Outcome) error {
	issue, i, message, err := parseRef(ref.ID)
	if err != nil {
		return err
	}
	if what.Receipt != "" {
		_, err := d.receipts.Update(ctx, store.Key{ID: what.Receipt}, func(e *store.Entry[receipt]) error {
			e.Value = receipt{Subject: ref.Subject, Issue: issue, Part: i, Message: message}
			e.ExpiresAt = d.vault.Now().Add(receiptsFor)
			return nil
		})
		if err != nil {
			return err
		}
	}
	to, code := state.Accepted, eventPartAccepted
	if what.Failed {
		to, code = state.Failed, eventPartFailed
	}
	return d.setPart(ctx, ref.Subject, issue, i, message, to, code, func(p *part) bool {
		// What was taken over once stays so, should it have been sent twice and refused the second time.
		// A dead letter may be tried again, but what the provider reports of a message holds.
		if p.State == state.Delivered || p.State == state.Accepted || p.State == state.Failed && (what.Failed || p.Receipt != "") {
			return false
		}
		p.Receipt = what.Receipt
		return true
	}, what.Reason)
}

// reportedReason stands in the events of what a provider reports later.
const reportedReason = "reported by the provider"

// Receipt records what a provider reports about a message that it had accepted: [state.Delivered] or [state.Failed]. The
// receipt is the id that the notifier returned; if the ids of several providers could be equal, let the notifier put the
// provider's name in front. A report about a message that was replaced meanwhile changes nothing, nor
// does a failure that is reported after the delivery. Errors:
//   - [civicpin.ErrInvalid]: the state is another one, or the receipt is not 1 to 256 printable bytes.
//   - [ErrNoCredential]: the receipt is unknown, forgotten, or not stored yet: let the provider report again.
//   - the store's.
func (s *Service) Receipt(ctx context.Context, id string, to state.Part) error {
	if id == "" || !names.Printable(id, 256) || to != state.Delivered && to != state.Failed {
		return fmt.Errorf("%w: a receipt is 1 to 256 printable bytes, and its state delivered or failed", civicpin.ErrInvalid)
	}
	e, err := s.receipts.Get(ctx, store.Key{ID: id})
	if errors.Is(err, store.ErrNotFound) || err == nil && e.Value.Subject == "" {
		return fmt.Errorf("%w: unknown receipt", ErrNoCredential)
	}
	if err != nil {
		return err
	}
	code := eventPartDelivered
	if to == state.Failed {
		code = eventPartFailed
	}
	r := e.Value
	return (*delivery)(s).setPart(ctx, r.Subject, r.Issue, r.Part, r.Message, to, code, func(p *part) bool {
		p.Receipt = id
		// Reports overtake each other: what reached the subject did, whatever a late one says.
		return p.State != to && p.State != state.Delivered
	}, reportedReason)
}

// setPart brings a part to a state, if its message is still the current one and change says that something changes.
func (d *delivery) setPart(ctx context.Context, subject civicpin.Subject, issue string, i int, message string,
	to state.Part, code civicpin.EventCode, change func(*part) bool, reason string,
) error {
	changed := false
	_, err := d.creds.Update(ctx, store.Key{Subject: subject}, func(e *store.Entry[credential]) error {
		changed = false
		b := e.Value.batch(issue)
		if !e.Found() || !b.sameMessage(i, message) || !change(&b.parts[i]) {
			return store.ErrSkip
		}
		b.parts[i].State, b.parts[i].At = to, d.vault.Now()
		changed = true
		return nil
	})
	if err == nil && changed {
		d.vault.Record(ctx, civicpin.Event{Code: code, Subject: subject, Ref: issue, Reason: reason})
	}
	return err
}
