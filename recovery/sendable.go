package recovery

import (
	"fmt"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/code"
	"github.com/civicpin/civicpin/internal/token"
	"github.com/civicpin/civicpin/recovery/plan"
)

// sendable refuses a plan of which the notifier would refuse a message: that of a step over one of the step's channels, or a
// notice over one that a step of the plan names. Which other contacts will be told is not known before.
func (s *Service) sendable(w *way) error {
	var channels []civicpin.Channel
	for _, step := range w.Steps {
		d, ok := plan.SentBy(step)
		if !ok {
			continue
		}
		channels = append(channels, d.Channels...)
		m := civicpin.Message{Kind: w.message(d.Link), Expires: s.vault.Now().Add(d.Valid)}
		if d.Code > 0 {
			m.Secret = civicpin.NewSecret(code.Unambiguous.Samples(d.Code)[0])
		}
		if d.Link {
			m.Link = token.New(token.Redeem, token.NewID(), 1).Text()
		}
		if err := s.out.Check(m, d.Channels...); err != nil {
			return fmt.Errorf("recovery: plan %s: %w", w.Name, err)
		}
	}
	for _, kind := range w.notices() {
		until := s.vault.Now().Add(w.Repudiate)
		err := s.out.Check(notice(civicpin.Message{
			Kind: kind, Link: token.New(token.Disown, token.NewID(), 1).Text(), Expires: until,
		}), channels...)
		if err != nil {
			return fmt.Errorf("recovery: plan %s: %w", w.Name, err)
		}
	}
	return nil
}

// notices are the kinds of the messages by which contacts are told of a run.
func (w *way) notices() []civicpin.MessageKind {
	end := doneMail
	if w.Outcome == plan.Unlocked {
		end = unlockedMail
	}
	for _, step := range w.Steps {
		switch step := step.(type) {
		case plan.Wait:
			return []civicpin.MessageKind{waitingMail, end}
		case plan.ConfirmContact:
			if step.Wait > 0 {
				return []civicpin.MessageKind{waitingMail, end}
			}
		}
	}
	return []civicpin.MessageKind{end}
}

// notice fills in what a notice says besides its link.
func notice(m civicpin.Message) civicpin.Message {
	if m.Kind == waitingMail {
		m.Params = map[string]string{"until": m.Expires.UTC().Format(time.RFC3339)}
	}
	return m
}
