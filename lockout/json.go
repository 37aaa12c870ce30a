package lockout

import (
	"fmt"

	"github.com/civicpin/civicpin/internal/policyjson"
)

// MarshalJSON writes the policy for people to read and edit: durations as "15m" or "90d", zero fields left out. The error is
// always nil.
func (p Policy) MarshalJSON() ([]byte, error) {
	type plain Policy // without this method
	return policyjson.Marshal(plain(p))
}

// UnmarshalJSON reads what [Policy.MarshalJSON] writes, at most 64 KiB. It is strict: unknown and repeated fields are errors
// that match [ErrInvalidPolicy], and leave the policy unchanged. It does not validate; [Policy.Validate] and [New] do.
func (p *Policy) UnmarshalJSON(data []byte) error {
	type plain Policy
	if err := policyjson.Unmarshal(data, (*plain)(p)); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalidPolicy, err)
	}
	return nil
}
