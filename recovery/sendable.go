package recovery

import (
	"fmt"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/token"
	"github.com/civicpin/civicpin/recovery/plan"
)

// sendable refuses a plan of which the notifier would refuse a message: that of a step over one of the step's channels, or a
// notice over one that a step of the plan names. To which other contacts the notices go is not known before.
func (s *Service) sendable(w *way) error {
	now := s.vault.Now()
	var channels []civicpin.Channel
	kinds := []civicpin.MessageKind{w.end()}
	for _, step := range w.Steps {
		if d, ok := plan.SentBy(step); ok {
			channels = append(channels, d.Channels...)
			if err := s.out.Check(token.Sample(w.message(d.Link), d.Code, d.Link, now.Add(d.Valid)), d.Channels...); err != nil {
				return fmt.Errorf("recovery: plan %s: %w", w.Name, err)
			}
		}
		if w.rests(step) {
			kinds = append(kinds, waitingMail)
		}
	}
	for _, kind := range kinds {
		m := notice(token.Sample(kind, 0, true, now.Add(w.Repudiate)))
		if err := s.out.Check(m, channels...); err != nil {
			return fmt.Errorf("recovery: plan %s: %w", w.Name, err)
		}
	}
	return nil
}
