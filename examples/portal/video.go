package main

import (
	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/agency"
	"github.com/civicpin/civicpin/recovery"
)

// called are the questions that a video operator asks the citizen on the screen, once the call has begun. The operator types what
// they hear, and learns neither what would be right nor which answer was wrong.
func (v *visit) called(subject civicpin.Subject) []field {
	id := v.p.session.GetString(v.ctx(), "desk.call."+string(subject))
	if id == "" {
		return nil
	}
	c, err := v.sys.rec.ShowCase(v.ctx(), id, v.onDuty())
	if err != nil {
		return nil // over, or another role's
	}
	var all []field
	for _, question := range c.Questions {
		all = append(all, field{Name: "question." + question, Label: v.T("question." + question), Auto: "off"})
	}
	return all
}

// video begins a call, and then unlocks by the answers that were heard. It is for a role with hours.
func (s *system) video(v *visit, subject civicpin.Subject, by recovery.Operator) error {
	key := "desk.call." + string(subject)
	asked := v.called(subject)
	if len(asked) == 0 {
		run, err := s.rec.StartBy(v.ctx(), agency.IESSByVideo, subject, by)
		if err == nil {
			v.p.session.Put(v.ctx(), key, run.ID)
		}
		return err
	}
	heard := make(map[string]civicpin.Secret)
	for _, f := range asked {
		heard[f.Name[len("question."):]] = v.secret(f.Name)
	}
	verdict := recovery.Verdict{Approve: true, Questions: heard, Source: v.source()}
	_, err := s.rec.Decide(v.ctx(), v.p.session.GetString(v.ctx(), key), by, verdict)
	if err == nil {
		v.p.session.Remove(v.ctx(), key)
	}
	return err
}
