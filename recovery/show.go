package recovery

import (
	"context"
	"slices"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/letter"
	"github.com/civicpin/civicpin/recovery/plan"
)

// A Run is a recovery under way, as its holder is shown it.
type Run struct {
	ID string // names the run to the office and in the log; it is not secret, and opens nothing
	// Ticket is the right to go on, for a cookie. It is given by Start and by Redeem, and is otherwise empty: keep it.
	Ticket    civicpin.Secret
	Plan      string    // its name
	Next      Ask       // what is asked now; for an unknown subject it looks like anybody's
	Done      bool      // nothing more is asked: call [Service.Finish] with the ticket
	ExpiresAt time.Time // when the run ends
}

// An Ask is what a run asks for: the fields that are not zero. Each names the field of [Answers] that answers it. What is asked
// together is given together.
type Ask struct {
	Captcha    bool               // Captcha: the caller checks one
	Facts      []string           // Facts: a value of each
	Images     []string           // Image: one of these
	Questions  []string           // Questions: an answer to each
	Contacts   int                // Contacts: so many
	Of         []civicpin.Channel // Contacts: on these channels; empty for any
	Confirm    *ContactAsk        // Confirm, or Correct if it has MayCorrect
	Sent       *ContactAsk        // Code, if it has Code; or the visitor follows its link: [Service.Redeem] or [Service.Finish]
	Factor     string             // Factor: a proof by this one
	Documents  []string           // Documents: an upload of each kind
	Approval   string             // none: an operator of this role goes on
	WaitsUntil time.Time          // none: the run rests until then, and goes on with [Service.Send]
	Terms      string             // Terms: this version
	Enrol      *plan.Enrol        // EnrolImage, EnrolQuestions, or both, as it says
}

// A ContactAsk shows a contact: one to be confirmed, or where a link or code was sent. It looks the same for a subject without.
type ContactAsk struct {
	Channel civicpin.Channel // the contact's
	// Masked is the contact, or a decoy; empty if contact.Policy.Decoys has none on its channel.
	Masked     string
	MayCorrect bool // another one may be given instead
	Link, Code bool // what was sent: a link, a code to be typed, or both
	// ExpiresAt is when the latest that was sent ends; zero if none is outstanding: ask for one with [Service.Send].
	ExpiresAt time.Time
}

// Show returns what a run asks for now. It changes nothing. Errors:
//   - [ErrGone], [ErrExpired].
func (s *Service) Show(ctx context.Context, ticket civicpin.Secret) (Run, error) {
	v, err := s.enter(ctx, ticket, civicpin.Source{})
	if err != nil {
		return Run{}, err
	}
	return v.view(), nil
}

// view returns the run as it is shown.
func (v *visit) view() Run {
	r, w := v.run(), v.way
	shown := Run{ID: v.id(), Plan: r.Plan, ExpiresAt: r.Expires, Done: r.Step >= len(w.Steps) && r.Rests.IsZero()}
	if !r.Rests.IsZero() {
		shown.Next.WaitsUntil = r.Rests
		return shown
	}
	if shown.Done {
		return shown
	}
	ask := &shown.Next
	for _, step := range w.Steps[r.Step:w.Group(r.Step)] {
		switch step := step.(type) {
		case plan.Captcha:
			ask.Captcha = true
		case plan.Facts:
			ask.Facts = slices.Clone(step)
		case plan.Image:
			ask.Images = slices.Clone(r.Images)
		case plan.Questions:
			ask.Questions = slices.Clone(r.AskedFirst(step.Ask))
		case plan.Contacts:
			ask.Contacts, ask.Of = step.AtLeast, slices.Clone(step.Of)
		case plan.ConfirmContact:
			ask.Confirm = &ContactAsk{Channel: step.Channel, Masked: r.Shown, MayCorrect: step.MayCorrect}
		case plan.Factor:
			ask.Factor = string(step)
		case plan.Documents:
			ask.Documents = slices.Clone(step.Kinds)
		case plan.Approval:
			ask.Approval = step.Role
		case plan.Terms:
			ask.Terms = step.Version
		case plan.Enrol:
			e := step
			ask.Enrol = &e
		case plan.Link, plan.Code:
			ask.Sent = v.sent(step)
		}
	}
	return shown
}

// sent returns what a step has sent so far.
func (v *visit) sent(step plan.Step) *ContactAsk {
	d, _ := plan.SentBy(step)
	ask := &ContactAsk{Channel: d.Channels[0], Link: d.Link, Code: d.Code > 0}
	if links := v.run().Links; len(links) > 0 {
		l := links[len(links)-1]
		ask.Channel, ask.Masked = l.To.Channel, v.masked(l.To)
		if v.vault.Now().Before(l.Expires) {
			ask.ExpiresAt = l.Expires
		}
	}
	return ask
}

// masked returns what is shown of where a message went. An address that the visitor gave is always shown: they know it.
func (v *visit) masked(to letter.Contact) string {
	r := v.run()
	decoy, own := v.config.Contacts.MaskedDecoy(r.Subject, to.Channel), to.Contact().Masked()
	switch {
	case r.Correct.Is(to):
		return own
	case decoy == "" || v.config.Contacts.IsDecoy(r.Subject, to.Contact()):
		return decoy
	}
	return own
}
