package recovery

import (
	"slices"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/letter"
	"github.com/civicpin/civicpin/recovery/plan"
)

// A Run is a recovery under way, as it is shown to whoever goes through it.
type Run struct {
	// ID names the run: to the office, in the log. It is not secret, and opens nothing.
	ID string
	// Ticket is the right to go on, for a cookie. It is given by Start and by Use, and is otherwise empty: keep it.
	Ticket civicpin.Secret
	// Plan names the plan.
	Plan string
	// Next is what is asked now. For an unknown subject it looks like anybody's.
	Next Ask
	// Done says that nothing more is asked: call [Service.Finish] with the ticket.
	Done bool
	// Expires is when the run ends.
	Expires time.Time
}

// An Ask is what a run asks for. Fields that are zero are not asked for; those that are set are answered together, by the
// fields of [Answers] with the same names.
type Ask struct {
	Captcha   bool
	Facts     []string
	Images    []string           // one of these
	Questions []string           // an answer to each
	Contacts  int                // how many are to be named
	Of        []civicpin.Channel // of these channels; empty for any
	Confirm   *ContactAsk        // a contact
	Sent      *ContactAsk        // follow the link, or type the code, that was sent
	Factor    string             // a proof by this factor
	Documents []string           // an upload of each kind
	Operator  string             // nothing to be typed: somebody of this role goes on
	Waits     time.Time          // nothing to be typed: the run rests until then, and goes on with [Service.Send]
	Terms     string             // this version is to be accepted
	Enrol     *plan.Enrol        // an image and answers to questions of the visitor's choice
}

// A ContactAsk shows a contact: one to be confirmed, or where a link or code was sent. It looks the same for a subject who has
// none.
type ContactAsk struct {
	Channel civicpin.Channel
	// Masked is the contact, or one made up; empty if ContactPolicy.Decoys has none in its likeness.
	Masked string
	// MayCorrect says that another one may be given instead.
	MayCorrect bool
	// Link and Code say what was sent: a link, a code to be typed, or both.
	Link, Code bool
	// Expires is when the latest that was sent ends; zero if none is outstanding: ask for one with [Service.Send].
	Expires time.Time
}

// view is a run as it is shown.
func (s *Service) view(id string, r *run) Run {
	w := s.plans[r.Plan]
	v := Run{ID: id, Plan: r.Plan, Expires: r.Expires, Done: r.Step >= len(w.Steps) && r.Rests.IsZero()}
	now := s.vault.Now()
	if !r.Rests.IsZero() {
		v.Next.Waits = r.Rests
		return v
	}
	if v.Done {
		return v
	}
	for _, step := range w.Steps[r.Step:w.group(r.Step)] {
		switch step := step.(type) {
		case plan.Captcha:
			v.Next.Captcha = true
		case plan.Facts:
			v.Next.Facts = slices.Clone(step)
		case plan.Image:
			v.Next.Images = slices.Clone(r.Images)
		case plan.Questions:
			v.Next.Questions = slices.Clone(r.asked(step.Ask))
		case plan.Contacts:
			v.Next.Contacts, v.Next.Of = step.AtLeast, slices.Clone(step.Of)
		case plan.ConfirmContact:
			v.Next.Confirm = &ContactAsk{Channel: step.Channel, Masked: r.Shown, MayCorrect: step.MayCorrect}
		case plan.Factor:
			v.Next.Factor = string(step)
		case plan.Documents:
			v.Next.Documents = slices.Clone(step.Kinds)
		case plan.Operator:
			v.Next.Operator = step.Role
		case plan.Terms:
			v.Next.Terms = step.Version
		case plan.Enrol:
			e := step
			v.Next.Enrol = &e
		case plan.Link, plan.Code:
			d, _ := plan.SentBy(step)
			ask := &ContactAsk{Channel: d.Channels[0], Link: d.Link, Code: d.Code > 0}
			if len(r.Links) > 0 {
				l := r.Links[len(r.Links)-1]
				ask.Channel = l.To.Channel
				ask.Masked = s.maskedFor(r, l.To)
				if now.Before(l.Expires) {
					ask.Expires = l.Expires
				}
			}
			v.Next.Sent = ask
		}
	}
	return v
}

// maskedFor returns what is shown of where a message of a run went. An address that the visitor gave is shown whatever the
// policy: they know it.
func (s *Service) maskedFor(r *run, to letter.Contact) string {
	shown := s.config.Contacts.MaskedDecoy(r.Subject, to.Channel)
	switch {
	case r.Correct.Is(to):
		return to.Contact().Masked()
	case shown == "" || s.config.Contacts.IsDecoy(r.Subject, to.Contact()):
		return shown
	}
	return to.Contact().Masked()
}
