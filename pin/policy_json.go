package pin

import (
	"github.com/civicpin/civicpin/internal/policyjson"
	"github.com/civicpin/civicpin/lockout"
)

// plainPolicy is a Policy without its methods.
type plainPolicy Policy

// MarshalJSON writes the policy for people to read and edit: durations as "15m" or "90d", levels by name. Errors match
// [civicpin.ErrInvalid] for an invalid level.
func (p Policy) MarshalJSON() ([]byte, error) {
	return policyjson.Marshal(plainPolicy(p))
}

// UnmarshalJSON reads what [Policy.MarshalJSON] writes. It is strict: unknown and repeated fields, unknown words and unknown
// channels are errors that match [ErrInvalidPolicy], and leave the policy unchanged. They name the line, the column, the field
// and what it takes. It does not validate; [ParsePolicy] and [New] do.
func (p *Policy) UnmarshalJSON(data []byte) error {
	return policyjson.Read(data, (*plainPolicy)(p), ErrInvalidPolicy,
		policyjson.Of(Digits, Alphanumeric, Password), policyjson.Of(lockout.Timed, lockout.UntilUnlocked))
}

// ParsePolicy reads and validates a policy in JSON, of at most 64 KiB. All errors match [ErrInvalidPolicy]. The page
// docs/policies.md lists the fields, and docs/policies holds the ready policies.
func ParsePolicy(data []byte) (Policy, error) {
	return policyjson.Parse[Policy](data)
}
