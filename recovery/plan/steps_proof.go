package plan

import (
	"fmt"
	"slices"
)

// Factor asks for a proof by one of Config.Factors: an authenticator app, a backup code.
type Factor string

func (s Factor) check(before *progress) string {
	if !slices.Contains(before.around.Factors, string(s)) {
		return "not one of Config.Factors"
	}
	return ""
}

// Documents asks for pictures of documents that the caller takes in; see DocumentStore of package recovery.
type Documents struct {
	// Kinds names the pictures that have to be there, "card-front", "card-back", "face": 1 to 8 names of the caller's own.
	// Required. Each upload is for one of them, and no two uploads of a run may be the same picture.
	Kinds []string
	// Types are the media types allowed, "image/jpeg", as the caller's DocumentStore spells them. MaxBytes is the greatest size
	// of one upload in bytes, at least 1. An upload that is of another type, empty or larger, or that the scanner did not find
	// clean, is refused. Both are required.
	Types    []string
	MaxBytes int64
}

// Problem says what is wrong with an upload of a media type and size that a scanner has found clean or not, "" if nothing is.
func (s Documents) Problem(mediaType string, size int64, clean bool) string {
	switch {
	case !slices.Contains(s.Types, mediaType):
		return "is not of an allowed type"
	case size < 1 || size > s.MaxBytes:
		return fmt.Sprintf("is empty or over %d bytes", s.MaxBytes)
	case !clean:
		return "did not pass the scanner"
	}
	return ""
}

func (s Documents) check(before *progress) string {
	switch {
	case !before.around.Documents:
		return "needs Config.Documents"
	case len(s.Kinds) == 0 || len(s.Kinds) > 8 || slices.Contains(s.Kinds, ""):
		return "Kinds are not 1 to 8 names"
	case len(s.Types) == 0 || slices.Contains(s.Types, ""):
		return "lists no Types"
	case s.MaxBytes < 1:
		return "MaxBytes is below 1"
	}
	return ""
}

// Approval asks that a member of staff approves; see Service.Decide of package recovery.
type Approval struct {
	// Role is one of Config.Roles. Required.
	Role string
	// Questions is how many of the enrolled questions the operator asks, 0 to 4. Zero means none. The library compares what the
	// subject said; the operator never sees an answer that is on file.
	Questions int
	// Second says that another operator of the role has to approve, too.
	Second bool
}

func (s Approval) check(before *progress) string {
	if !slices.Contains(before.around.Roles, s.Role) {
		return "Role is not one of Config.Roles"
	}
	if s.Questions < 0 || s.Questions > 4 || s.Questions > before.around.Questions {
		return "Questions is not 0 to 4 of Config.Questions"
	}
	return ""
}
