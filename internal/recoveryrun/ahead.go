package recoveryrun

import (
	"time"

	"github.com/civicpin/civicpin/internal/stored"
	"github.com/civicpin/civicpin/recovery/plan"
)

// Correct returns what corrects the times of a stored run of one of the plans, whose entry has the type E.
func Correct[E any](plans []plan.Plan) func(*E, time.Time) bool {
	var run, rests, repudiate time.Duration
	for _, p := range plans {
		p = p.WithDefaults()
		run, rests = max(run, p.Valid+p.Rests()), max(rests, p.Rests())
		repudiate = max(repudiate, p.Repudiate)
	}
	return stored.Within[E](map[string]time.Duration{
		"Expires": run, "Rests": rests, "Repudiation.Expires": max(run, repudiate), "Mail.Expires": max(run, repudiate),
		"Until": max(run, repudiate), "Rest.By": plan.NoticeTime,
	}, "Expires")
}
