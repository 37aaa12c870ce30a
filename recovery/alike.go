package recovery

import (
	"github.com/civicpin/civicpin/internal/answer"
)

// decoyKnowledge is what most subjects enrolled: it is opened where a subject has enrolled nothing, so that both cases take the same
// time.
func (s *Service) decoyKnowledge() knowledge {
	var k knowledge
	if len(s.config.Images) > 0 {
		k.Image = s.config.Images[0]
	}
	for _, q := range s.config.Questions[:min(4, len(s.config.Questions))] {
		k.Questions = append(k.Questions, answered{Question: q, Form: answer.Version, Hash: s.dummy.Encode()})
	}
	return k
}
