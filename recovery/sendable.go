package recovery

import (
	"fmt"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/token"
	"github.com/civicpin/civicpin/recovery/plan"
)

// sendable refuses a plan if the notifier would refuse one of its messages: that of a step over one of the step's channels, or
// a notice over any channel of the plan's steps or on which contacts are expected (contact.Policy.Decoys).
func (s *Service) sendable(w *way) error {
	now := s.vault.Now()
	var told []civicpin.Channel
	check := func(m civicpin.Message, channels []civicpin.Channel) error {
		if err := s.out.Check(m, channels...); err != nil {
			return fmt.Errorf("recovery: plan %s: %w", w.Name, err)
		}
		return nil
	}
	for _, step := range w.Steps {
		if d, ok := plan.SentBy(step); ok {
			told = append(told, d.Channels...)
			if err := check(token.Sample(w.message(d.Link), d.Code, d.Link, now.Add(d.Valid)), d.Channels); err != nil {
				return err
			}
		}
	}
	for _, d := range s.config.Contacts.Policy().Decoys {
		told = append(told, d.Channel)
	}
	kinds := []civicpin.MessageKind{w.end()}
	if w.Rests() > 0 {
		kinds = append(kinds, NoticeWaiting)
	}
	for _, kind := range kinds {
		for _, link := range []bool{true, false} { // contacts that cool down get none
			m := token.Sample(kind, 0, link, now.Add(w.Repudiate))
			if err := check(notice(m, m.ExpiresAt), told); err != nil {
				return err
			}
		}
	}
	return nil
}

// notice returns a notice with what it tells: of waiting, the end of that.
func notice(m civicpin.Message, until time.Time) civicpin.Message {
	if m.Kind == NoticeWaiting {
		m.Params = map[string]string{"until": until.UTC().Format(time.RFC3339)}
	}
	return m
}
