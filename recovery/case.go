package recovery

import (
	"context"
	"slices"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/recoveryrun"
)

// A Case is a run as staff see it: the Subject, and the run since StartedAt. It holds no secret and no ticket.
type Case struct {
	Run
	Subject   civicpin.Subject
	Role      string            // whose step it is now, empty if it is not staff's
	Questions []string          // what to ask
	Documents map[string]string // references of the uploads, by kind
	Approved  []civicpin.Actor  // who approved the run so far: each approval is by another operator
	StartedAt time.Time
}

// ShowCase shows a run, by its id, to an operator of a role that the plan names. Looking counts as an act and is recorded.
// Errors:
//   - [ErrNotAllowed], [ErrGone], [ErrExpired]. [civicpin.ErrInvalid]: the actor is no operator.
func (s *Service) ShowCase(ctx context.Context, id string, by Operator) (Case, error) {
	v, err := s.load(ctx, id, civicpin.Source{})
	if err != nil {
		return Case{}, err
	}
	r := v.run()
	if err := v.may(ctx, by, recoveryrun.Roles(v.way.Steps)...); err != nil {
		return Case{}, err
	}
	if err := r.Check(s.vault.Now()); err != nil {
		return Case{}, err
	}
	v.record(ctx, recoveryrun.EventShown, "")
	c := Case{Run: v.view(), Subject: r.Subject, StartedAt: r.Started, Documents: make(map[string]string)}
	for _, d := range r.Documents {
		c.Documents[d.Kind] = d.Ref
	}
	for _, a := range r.Approved {
		c.Approved = append(c.Approved, a.By)
	}
	if step, ok := r.Operates(v.way.Steps); ok {
		c.Role, c.Questions = step.Role, slices.Clone(r.AskedFirst(step.Questions))
	}
	return c, nil
}
