package plan_test

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/recovery/plan"
)

// A plan is a Go value, and the same plan as JSON.
func Example() {
	p := plan.Plan{
		Name: "forgotten",
		Steps: []plan.Step{
			plan.Captcha{},
			plan.Facts{"birth-day"},
			plan.Link{Channel: civicpin.Email, Valid: 30 * time.Minute},
		},
		Limit:   lockout.Policy{Limit: 3, Lock: lockout.UntilUnlocked},
		Outcome: plan.ChooseSecret,
		Keeps:   civicpin.Low,
	}
	text, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(string(text))
	fmt.Println(p.WithDefaults().Validate(plan.Facilities{})) // recovery.New does this, with what its Config offers
	// Output:
	// {
	//   "name": "forgotten",
	//   "steps": [
	//     {
	//       "captcha": {}
	//     },
	//     {
	//       "facts": [
	//         "birth-day"
	//       ]
	//     },
	//     {
	//       "link": {
	//         "channel": "email",
	//         "valid": "30m"
	//       }
	//     }
	//   ],
	//   "limit": {
	//     "limit": 3,
	//     "lock": "until-unlocked"
	//   },
	//   "outcome": "choose-secret",
	//   "keeps": "low"
	// }
	// recovery: invalid plan: forgotten: step 2, plan.Facts: needs Config.Register
}
