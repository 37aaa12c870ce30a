package recoveryrun

import (
	"time"

	"github.com/civicpin/civicpin/internal/stored"
	"github.com/civicpin/civicpin/recovery/plan"
)

// CorrectWatch returns what corrects the times of a stored watch of runs of the plans, whose entry has the type E.
func CorrectWatch[E any](plans []plan.Plan) func(*E, time.Time) bool {
	return stored.Within[E](map[string]time.Duration{"Until": longest(plans)})
}

// longest returns how long a run of the plans lasts at the most.
func longest(plans []plan.Plan) (run time.Duration) {
	for _, p := range plans {
		p = p.WithDefaults()
		run = max(run, p.Valid+p.Rests())
	}
	return run
}

// Correct returns what corrects the times of a stored run of one of the plans, whose entry has the type E.
func Correct[E any](plans []plan.Plan) func(*E, time.Time) bool {
	run := longest(plans)
	var rests, repudiate time.Duration
	for _, p := range plans {
		p = p.WithDefaults()
		rests = max(rests, p.Rests())
		repudiate = max(repudiate, p.Repudiate)
	}
	return stored.Within[E](map[string]time.Duration{
		"Expires": run, "Rests": rests, "Repudiation.Expires": max(run, repudiate), "Mail.Expires": max(run, repudiate),
		"Until": max(run, repudiate), "Rest.By": plan.NoticeTime,
	}, "Expires")
}
