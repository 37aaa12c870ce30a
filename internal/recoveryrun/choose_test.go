package recoveryrun_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/internal/knowledge"
	"github.com/civicpin/civicpin/internal/recoveryrun"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery/plan"
)

// A plan helps a subject whose answers are enrolled, all that it asks for, and who is in the state that it is for.
func TestHelped(t *testing.T) {
	enrolled := knowledge.Knowledge{Questions: []knowledge.Answer{{Question: "pet"}, {Question: "school"}}}
	of := func(s plan.Step) plan.Plan { return plan.Plan{Steps: []plan.Step{s}} }
	asks := of(plan.Questions{Ask: 2})
	for name, tt := range map[string]struct {
		plan  plan.Plan
		mark  pin.Mark
		known knowledge.Knowledge
		want  bool
	}{
		"all enrolled":         {asks, pin.Mark{Held: true}, enrolled, true},
		"too few answers":      {of(plan.Questions{Ask: 3}), pin.Mark{Held: true}, enrolled, false},
		"staff ask for more":   {of(plan.Approval{Questions: 3}), pin.Mark{Held: true}, enrolled, false},
		"no image":             {of(plan.Image{}), pin.Mark{Held: true}, knowledge.Knowledge{}, false},
		"an image":             {of(plan.Image{}), pin.Mark{Held: true}, knowledge.Knowledge{Image: "tren"}, true},
		"no credential":        {asks, pin.Mark{Free: true}, enrolled, false},
		"a beginner":           {plan.Plan{Creates: true}, pin.Mark{Free: true}, knowledge.Knowledge{}, true},
		"a beginner with one":  {plan.Plan{Creates: true}, pin.Mark{Held: true}, knowledge.Knowledge{}, false},
		"nothing to begin now": {plan.Plan{Creates: true}, pin.Mark{}, knowledge.Knowledge{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := recoveryrun.Subject{Mark: tt.mark, Contacts: &contact.Snapshot{}, Knowledge: &tt.known}
			require.Equal(t, tt.want, s.Helped(&tt.plan))
		})
	}
}
