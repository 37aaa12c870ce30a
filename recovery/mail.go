package recovery

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/internal/letter"
	"github.com/civicpin/civicpin/internal/token"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
)

// owner is the name under which the service's messages stand in the outbox.
const owner = "recovery"

// The kinds of the messages of this package, listed in its documentation.
const (
	linkMail     civicpin.MessageKind = "recovery.link"
	activateMail civicpin.MessageKind = "recovery.activate"
	unlockMail   civicpin.MessageKind = "recovery.unlock"
	codeMail     civicpin.MessageKind = "recovery.code"
	waitingMail  civicpin.MessageKind = "recovery.waiting"
	doneMail     civicpin.MessageKind = "recovery.done"
	unlockedMail civicpin.MessageKind = "recovery.unlocked"
)

// notices are mails that tell of something, with the tokens that they carry.
type notices struct {
	mails  []letter.Mail
	tokens []disown
}

// notices returns what all contacts of the subject are told about a run, with tokens of their own to say "it was not me", which
// are good until a time (NIST SP 800-63B-4 4.6: to all addresses, with how to repudiate).
//
// Their names, and the numbers of their tokens, depend on the step alone, and a run comes to each step once.
func (s *Service) notices(r *run, b *contact.Snapshot, id string, kind civicpin.MessageKind, until time.Time) notices {
	var n notices
	good := until
	if kind == waitingMail { // it can be ended as long as it can be completed
		good = slices.MaxFunc([]time.Time{until, r.Expires}, time.Time.Compare)
	}
	for _, h := range b.Recipients() {
		if h.Channel.Printed() {
			continue
		}
		m := letter.Mail{
			Name: fmt.Sprintf("n%d-%d", r.Step, len(n.mails)), Kind: kind, To: letter.Stored(h.Contact), Expires: until, State: letter.Pending,
		}
		// One that cools down may be a thief's: it is told, but cannot take the recovery from its owner.
		if h.Established {
			t := token.New(token.Disown, id, len(r.Disown)+len(n.tokens)+1)
			n.tokens = append(n.tokens, disown{N: t.N, Hash: t.Hash(), To: h.ID, Expires: good})
			m.Token = t.Text().Reveal()
		}
		n.mails = append(n.mails, m)
	}
	return n
}

// ref names a mail of a run to the outbox.
func (s *Service) ref(subject civicpin.Subject, id, name string) outbox.Ref {
	return outbox.Ref{Owner: owner, Subject: subject, ID: id + "." + name}
}

// refs names mails to the outbox.
func (s *Service) refs(subject civicpin.Subject, id string, mails []letter.Mail) []outbox.Ref {
	var refs []outbox.Ref
	for i := range mails {
		refs = append(refs, s.ref(subject, id, mails[i].Name))
	}
	return refs
}

// delivery is the service as the outbox sees it.
type delivery Service

var _ outbox.Owner = (*delivery)(nil)

// mailed returns the mail of that name, nil if there is none.
func (r *run) mailed(name string) *letter.Mail {
	for i := range r.Mail {
		if r.Mail[i].Name == name {
			return &r.Mail[i]
		}
	}
	return nil
}

// Confirm implements [outbox.Owner]: it gives the message only while the run still stands behind it.
func (d *delivery) Confirm(ctx context.Context, ref outbox.Ref) (civicpin.Message, error) {
	id, name, _ := strings.Cut(ref.ID, ".")
	if !token.ValidID(id) {
		return civicpin.Message{}, outbox.ErrWithdrawn
	}
	e, err := d.runs.Get(ctx, store.Key{ID: id})
	if errors.Is(err, store.ErrNotFound) {
		return civicpin.Message{}, outbox.ErrWithdrawn
	}
	if err != nil {
		return civicpin.Message{}, err
	}
	r := &e.Value
	now := d.vault.Now()
	m := r.mailed(name)
	if r.Subject != ref.Subject || m == nil || !r.wants(m, now) {
		return civicpin.Message{}, outbox.ErrWithdrawn
	}
	msg := m.Message()
	if m.Kind == waitingMail {
		msg.Params = map[string]string{"until": m.Expires.UTC().Format(time.RFC3339)}
	}
	return msg, nil
}

// wants reports whether a mail is still to be sent.
func (r *run) wants(m *letter.Mail, now time.Time) bool {
	if !m.Open(now) {
		return false
	}
	if m.Notice() {
		return r.State == runOpen || r.State == runFinished
	}
	if m.Token == "" && m.Code == "" || r.State != runOpen || !now.Before(r.Expires) {
		return false
	}
	return token.Outstanding(r.Links, m.Link)
}

// Settle implements [outbox.Owner]. What was taken over is erased here: the provider has it, and nobody else needs it.
func (d *delivery) Settle(ctx context.Context, ref outbox.Ref, what outbox.Outcome) error {
	id, name, _ := strings.Cut(ref.ID, ".")
	if !token.ValidID(id) {
		return outbox.ErrWithdrawn
	}
	_, err := d.runs.Update(ctx, store.Key{ID: id}, func(e *store.Entry[run]) error {
		if !e.Found() {
			return store.ErrSkip
		}
		m := e.Value.mailed(name)
		if m == nil || m.State == letter.Sent || m.State == letter.None || what.Failed && m.State == letter.Failed {
			return store.ErrSkip
		}
		m.State = letter.Failed
		if !what.Failed {
			m.State, m.Token, m.Code = letter.Sent, "", ""
		}
		return nil
	})
	return err
}
