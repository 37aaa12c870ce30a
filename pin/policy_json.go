package pin

import "github.com/civicpin/civicpin/internal/policyjson"

// plainPolicy is a Policy without its methods.
type plainPolicy Policy

// MarshalJSON writes the policy for people to read and edit: durations as "15m" or "90d", levels by name. Errors match
// [civicpin.ErrInvalid] for an invalid level.
func (p Policy) MarshalJSON() ([]byte, error) {
	return policyjson.Marshal(plainPolicy(p))
}

// UnmarshalJSON reads what [Policy.MarshalJSON] writes. It is strict: unknown and repeated fields are errors that match
// [ErrInvalidPolicy], and leave the policy unchanged. It does not validate; [ParsePolicy] and [New] do.
func (p *Policy) UnmarshalJSON(data []byte) error {
	return policyjson.Read(data, (*plainPolicy)(p), ErrInvalidPolicy)
}

// ParsePolicy reads and validates a policy in JSON, of at most 64 KiB. All errors match [ErrInvalidPolicy].
func ParsePolicy(data []byte) (Policy, error) {
	return policyjson.Parse[Policy](data)
}
