package recoveryrun

import (
	"errors"
	"fmt"
	"slices"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/names"
	"github.com/civicpin/civicpin/recovery/plan"
)

// A Document is an upload, as its store described it.
type Document struct {
	Kind string `json:"kind" export:"yes"`
	Ref  string `json:"ref" export:"yes"`
	Type string `json:"type" export:"yes"`
	Size int64  `json:"size" export:"yes"`
	// Digest names the bytes, as the caller's store computes it.
	Digest string `json:"digest" export:"yes"`
}

// An Upload is what the caller's store says of an upload.
type Upload struct {
	Type   string
	Size   int64
	Clean  bool
	Digest string
}

// A Describe asks the caller's store about an upload. An error that matches civicpin.ErrInvalid means that there is none.
type Describe func(ref string) (Upload, error)

var errDigest = errors.New("recovery: the document store gives no digest of 1 to 128 printable bytes")

// Uploads returns what the visitor uploaded for a step, by kind, beside what was uploaded before. One upload serves one
// purpose: a picture of a card's front is neither its back nor a face.
func Uploads(step plan.Documents, before []Document, refs map[string]string, describe Describe) ([]Document, error) {
	all := slices.Clone(before)
	for _, kind := range step.Kinds {
		ref := refs[kind]
		if ref == "" || !names.Printable(ref, 256) {
			return nil, fmt.Errorf("%w: no upload of %s", civicpin.ErrInvalid, kind)
		}
		u, err := describe(ref)
		if err != nil {
			return nil, err
		}
		if problem := step.Problem(u.Type, u.Size, u.Clean); problem != "" {
			return nil, fmt.Errorf("%w: %s %s", civicpin.ErrInvalid, kind, problem)
		}
		if u.Digest == "" || !names.Printable(u.Digest, 128) {
			return nil, errDigest
		}
		for _, d := range all {
			if d.Digest == u.Digest || d.Ref == ref {
				return nil, fmt.Errorf("%w: %s and %s are one upload", civicpin.ErrInvalid, d.Kind, kind)
			}
		}
		all = append(all, Document{Kind: kind, Ref: ref, Type: u.Type, Size: u.Size, Digest: u.Digest})
	}
	if len(refs) != len(step.Kinds) {
		return nil, ErrWrongStep
	}
	return all, nil
}

// Unchanged reports whether all that was uploaded is there as it was, and clean still: a scanner may learn, and a visitor who
// writes to the store could swap a picture behind the check.
func (r *Record) Unchanged(describe Describe) (bool, error) {
	for _, d := range r.Documents {
		u, err := describe(d.Ref)
		if err != nil && !errors.Is(err, civicpin.ErrInvalid) {
			return false, err
		}
		if err != nil || u != (Upload{Type: d.Type, Size: d.Size, Clean: true, Digest: d.Digest}) {
			return false, nil
		}
	}
	return true, nil
}
