package otp

import (
	"fmt"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/names"
)

// A Purpose is what a code confirms. A code that was requested for one Purpose is refused for any other.
type Purpose struct {
	// Act is the caller's name of the act, "file-return": 1 to 64 printable bytes.
	Act string
	// Digest stands for the content of the act, so that a code that was sent for one payment confirms no other: the SHA-256 sum of
	// the document or the order, for example. At most 64 bytes; empty if the act has no content, such as a login.
	Digest []byte
}

func (p Purpose) validate() error {
	if p.Act == "" || !names.Printable(p.Act, 64) {
		return fmt.Errorf("%w: a purpose needs an act of 1 to 64 printable bytes", civicpin.ErrInvalid)
	}
	if len(p.Digest) > 64 {
		return fmt.Errorf("%w: a purpose's digest is longer than 64 bytes", civicpin.ErrInvalid)
	}
	return nil
}
