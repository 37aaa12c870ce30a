package lockout

import "github.com/civicpin/civicpin/internal/policyjson"

// plainPolicy is a Policy without its methods.
type plainPolicy Policy

// MarshalJSON writes the policy for people to read and edit: durations as "15m" or "90d", zero fields left out. The error is
// always nil.
func (p Policy) MarshalJSON() ([]byte, error) {
	return policyjson.Marshal(plainPolicy(p))
}

// UnmarshalJSON reads what [Policy.MarshalJSON] writes, at most 64 KiB. It is strict: unknown and repeated fields are errors
// that match [ErrInvalidPolicy], and leave the policy unchanged. It does not validate; [Policy.Validate] and [New] do.
func (p *Policy) UnmarshalJSON(data []byte) error {
	return policyjson.Read(data, (*plainPolicy)(p), ErrInvalidPolicy)
}
