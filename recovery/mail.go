package recovery

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/civicpin/civicpin"
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

// The states of a mail.
const (
	mailPending = "pending"
	mailSent    = "sent"
	mailFailed  = "failed"
	mailNone    = "none" // there is nobody to send it to
)

// mail is a message of a run. Its token and code are kept, sealed, until a provider took them over.
type mail struct {
	Name    string               `json:"name"` // within the run, to the outbox
	Kind    civicpin.MessageKind `json:"kind"`
	To      contact              `json:"to"`
	Link    int                  `json:"link,omitempty"` // number of its link; zero for a notice
	Token   string               `json:"token"`
	Code    string               `json:"code"`
	Expires time.Time            `json:"expires"`
	State   string               `json:"state"`
}

// notice reports whether the mail tells of something, and is not a step's.
func (m *mail) notice() bool { return m.Link == 0 }

// erase drops what nobody needs to read any more.
func (m *mail) erase() {
	m.Token, m.Code = "", ""
	if m.State == mailPending {
		m.State = mailNone
	}
}

// notices are mails that tell of something, with the tokens that they carry.
type notices struct {
	mails  []mail
	tokens []disown
}

// notices returns what all contacts of the subject are told about a run, with tokens of their own to say "it was not me", which
// are good until a time (NIST SP 800-63B-4 4.6: to all addresses, with how to repudiate).
//
// Their names, and the numbers of their tokens, depend on the step alone, and a run comes to each step once.
func (s *Service) notices(r *run, b *book, id string, kind civicpin.MessageKind, until time.Time) notices {
	var n notices
	now := s.vault.Now()
	good := until
	if kind == waitingMail { // it can be ended as long as it can be completed
		good = later(until, r.Expires)
	}
	for _, h := range b.told(now) {
		if h.To.Channel.Printed() {
			continue
		}
		m := mail{
			Name: fmt.Sprintf("n%d-%d", r.Step, len(n.mails)), Kind: kind, To: h.To, Expires: until, State: mailPending,
		}
		// One that cools down may be a thief's: it is told, but cannot take the recovery from its owner.
		if h.established(now) {
			t := newToken(disownToken, id, (len(r.Disown)+len(n.tokens)+1)&0xff)
			n.tokens = append(n.tokens, disown{N: t.n, Hash: t.hash(), To: h.ID, Expires: good})
			m.Token = t.text().Reveal()
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
func (s *Service) refs(subject civicpin.Subject, id string, mails []mail) []outbox.Ref {
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
func (r *run) mailed(name string) *mail {
	for i := range r.Mail {
		if r.Mail[i].Name == name {
			return &r.Mail[i]
		}
	}
	return nil
}

// Confirm implements [outbox.Owner]: it gives the message only while the run still stands behind it.
func (d *delivery) Confirm(ctx context.Context, ref outbox.Ref) (civicpin.Message, error) {
	if isBookRef(ref.ID) {
		return d.confirmBook(ctx, ref)
	}
	id, name, _ := strings.Cut(ref.ID, ".")
	if !validID(id) {
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
	msg := civicpin.Message{
		Kind: m.Kind, To: m.To.contact(), Secret: civicpin.NewSecret(m.Code), Link: civicpin.NewSecret(m.Token), Expires: m.Expires,
	}
	if m.Kind == waitingMail {
		msg.Params = map[string]string{"until": m.Expires.UTC().Format(time.RFC3339)}
	}
	return msg, nil
}

// wants reports whether a mail is still to be sent.
func (r *run) wants(m *mail, now time.Time) bool {
	if m.State != mailPending && m.State != mailFailed || !now.Before(m.Expires) {
		return false
	}
	if m.notice() {
		return r.State == runOpen || r.State == runFinished
	}
	if m.Token == "" && m.Code == "" || r.State != runOpen || !now.Before(r.Expires) {
		return false
	}
	for i := range r.Links {
		if r.Links[i].N == m.Link {
			return true
		}
	}
	return false
}

// Settle implements [outbox.Owner]. What was taken over is erased here: the provider has it, and nobody else needs it.
func (d *delivery) Settle(ctx context.Context, ref outbox.Ref, what outbox.Outcome) error {
	if isBookRef(ref.ID) {
		return d.settleBook(ctx, ref, what)
	}
	id, name, _ := strings.Cut(ref.ID, ".")
	if !validID(id) {
		return outbox.ErrWithdrawn
	}
	_, err := d.runs.Update(ctx, store.Key{ID: id}, func(e *store.Entry[run]) error {
		if !e.Found() {
			return store.ErrSkip
		}
		m := e.Value.mailed(name)
		if m == nil || m.State == mailSent || m.State == mailNone || what.Failed && m.State == mailFailed {
			return store.ErrSkip
		}
		m.State = mailFailed
		if !what.Failed {
			m.State, m.Token, m.Code = mailSent, "", ""
		}
		e.Value.fill()
		return nil
	})
	return err
}
