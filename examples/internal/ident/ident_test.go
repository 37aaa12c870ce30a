package ident_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/ident"
)

// row is a typed text with the normal form that it has, or the problem.
type row struct {
	typed, normal string
	problem       ident.Problem
}

func check[T ~string](t *testing.T, parse func(string) (T, error), rows []row) {
	t.Helper()
	for _, r := range rows {
		t.Run(r.typed, func(t *testing.T) {
			got, err := parse(r.typed)
			if string(got) != r.normal {
				t.Errorf("normal form %q, want %q", got, r.normal)
			}
			if r.problem == "" {
				if err != nil {
					t.Fatalf("refused: %v", err)
				}
				return
			}
			e, ok := errors.AsType[*ident.Error](err)
			if !ok || e.Problem != r.problem {
				t.Fatalf("error %v, want problem %q", err, r.problem)
			}
			if !errors.Is(err, civicpin.ErrInvalid) {
				t.Error("does not match civicpin.ErrInvalid")
			}
			if len(r.typed) > 3 && strings.Contains(err.Error(), strings.TrimSpace(r.typed)) {
				t.Errorf("the error quotes what was typed: %v", err)
			}
		})
	}
}

// fixedPoint fuzzes one parser: what it accepts is a normal form that it accepts unchanged and that can be a subject, and
// what it refuses has no form.
func fixedPoint[T ~string](f *testing.F, parse func(string) (T, error), seeds ...string) {
	for _, s := range append(seeds, "", " ", "-", "\xff", "١٢٣٤٥٦٧٨Z", strings.Repeat("0", 70)) {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		got, err := parse(typed)
		if err != nil {
			if _, ok := errors.AsType[*ident.Error](err); !ok || got != "" {
				t.Fatalf("refused %q with %v and form %q", typed, err, got)
			}
			return
		}
		if again, err := parse(string(got)); again != got || err != nil {
			t.Fatalf("%q became %q, which became %q, %v", typed, got, again, err)
		}
		if err := civicpin.Subject(got).Validate(); err != nil {
			t.Fatalf("%q is no subject: %v", got, err)
		}
		// Case, blanks and separators around and within are forgiven, so each of these is the same subject.
		s := string(got)
		for _, other := range []string{strings.ToLower(s), " " + s[:2] + "-" + s[2:] + "\u00a0", s[:5] + ". /" + s[5:]} {
			if same, err := parse(other); same != got || err != nil {
				t.Fatalf("%q became %q, %v; want %q", other, same, err, got)
			}
		}
	})
}
