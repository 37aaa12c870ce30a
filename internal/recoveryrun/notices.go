package recoveryrun

import (
	"fmt"
	"slices"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/internal/letter"
	"github.com/civicpin/civicpin/internal/token"
	"github.com/civicpin/civicpin/pin"
)

// A Repudiation is a token that repudiates the run.
type Repudiation struct {
	N       int       `json:"n"`
	Hash    []byte    `json:"hash"`
	To      string    `json:"to"` // id of the contact that it was sent to
	Expires time.Time `json:"expires"`
}

// Repudiates returns which of the run's tokens that repudiate it a token is, and [token.ErrGone] or [token.ErrExpired] if it
// repudiates nothing.
func (r *Record) Repudiates(t token.Token, now time.Time) (Repudiation, error) {
	i := slices.IndexFunc(r.Repudiations, func(d Repudiation) bool { return d.N == t.N && t.Fits(d.Hash) })
	if i < 0 {
		return Repudiation{}, token.ErrGone
	}
	d := r.Repudiations[i]
	switch {
	case !now.Before(d.Expires):
		return d, token.ErrExpired
	case r.State != Open && r.State != Finished:
		return d, token.ErrGone
	}
	return d, nil
}

// Deniable reports whether a token still repudiates the run: its contact was not removed by an operator since, and staff have
// not decided since what the holder of an old link would undo.
func (r *Record) Deniable(d Repudiation, now *pin.Mark, contacts *contact.Snapshot) bool {
	return !contacts.Barred(d.To) && now.Denial == r.Epoch.Denial
}

// Repudiate has the run be repudiated, with all that could still be sent.
func (r *Record) Repudiate() {
	r.State = Repudiated
	for i := range r.Mail {
		r.Mail[i].Erase()
	}
}

// Notices are mails that tell of something, with the tokens that they carry.
type Notices struct {
	Mails  []letter.Mail
	Tokens []Repudiation
	Counts []string // names of the mails on which a rest can rely
}

// Notices returns what all contacts of the subject are told about what a run does until a time, with tokens of their own that
// repudiate it (NIST SP 800-63B-4 4.6: to all addresses, with how to repudiate). Both the tokens and the notices are good until
// another time: no notice expires before the right that it announces. reach reports whether a notice over a channel lets its
// reader object.
//
// Their names, and the numbers of their tokens, depend on the step alone, and a run comes to each step once.
func (r *Record) Notices(to []contact.Recipient, id string, kind civicpin.MessageKind, until, good time.Time,
	reach func(civicpin.Channel) bool,
) Notices {
	var n Notices
	for _, c := range to {
		if c.Channel.Printed() {
			continue
		}
		m := letter.Mail{
			Name: fmt.Sprintf("n%d-%d", r.Step, len(n.Mails)), Kind: kind, To: letter.Stored(c.Contact), Expires: good,
			State: letter.Pending,
		}
		if until.Before(good) {
			m.Until = until
		}
		// One that cools down may be a thief's: it is told, but cannot take the recovery from its owner. So may one that is
		// disputed; but it keeps its say about what began before.
		if c.Established || r.Started.Before(c.DisputedAt) {
			t := token.New(token.Repudiate, id, len(r.Repudiations)+len(n.Tokens)+1)
			n.Tokens = append(n.Tokens, Repudiation{N: t.N, Hash: t.Hash(), To: c.ID, Expires: good})
			m.Token = t.Text().Reveal()
		}
		if r.objects(&c, reach) {
			n.Counts = append(n.Counts, m.Name)
		}
		n.Mails = append(n.Mails, m)
	}
	return n
}

// Tell puts notices into a run, with the tokens that they carry.
func (r *Record) Tell(n Notices) {
	r.Mail = slices.Concat(r.Mail, n.Mails)
	r.Repudiations = slices.Concat(r.Repudiations, n.Tokens)
}
