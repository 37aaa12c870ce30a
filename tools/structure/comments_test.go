package main

import (
	"slices"
	"testing"
)

// Each exported identifier has a doc comment, and that of a function says which errors it returns, as a list if they are many.
func TestComments(t *testing.T) {
	for _, folder := range theModule(t).documented() {
		found, err := comments("../..", folder)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range found {
			t.Error(line)
		}
	}
}

// No package that others use is forgotten.
func TestDocumented(t *testing.T) {
	folders := theModule(t).documented()
	for _, folder := range []string{".", "pin", "pin/rule", "recovery/plan", "store/storetest", "store/sqlite", "otelcivicpin"} {
		if !slices.Contains(folders, folder) {
			t.Errorf("nothing checks the comments of %s", folder)
		}
	}
}

// The check itself.
func TestCommentsSees(t *testing.T) {
	dir := write(t, map[string]string{
		"p/x_test.go": "package p\n\nfunc Test() {}\n",
		"p/x.go": `package p

func Bare() {}

// Good returns.
func Good() {}

func own() error { return nil }

// Silent returns.
func Silent() (int, error) { return 0, nil }

// Named returns [ErrX] if it is not there.
func Named() error { return nil }

// Listed acts. Errors:
//   - [ErrX]: gone.
//   - [ErrY]: wrong; or late.
func Listed() error { return nil }

// Apart acts.
//
// Errors:
//
//   - [ErrX]: gone.
func Apart() error { return nil }

// More acts. Errors, and those of [Listed]:
//   - [ErrX]: gone.
func More() error { return nil }

// Running acts. Errors: [ErrX] if it is gone; [ErrY] if it is wrong.
func Running() error { return nil }

// Others acts. Errors, all before anything changes: [ErrX] if it is gone; the store's.
func Others() error { return nil }

// T is a type.
type T struct {
	A, B int // both, and G
	C    int
	G    int
	d    int
	// F is called.
	F func() error
	E
}

type U int

// Silent acts.
func (t *T) Silent() error { return nil }

func (u U) String() string { return "" }

type e struct{}

func (e) M() error { return nil }

// E is an interface.
type E interface {
	// Do acts.
	Do() error
	// Say returns an error.
	Say() error
	Bare()
}

// A group has one comment.
const (
	A = 1
	B = 2
)

const (
	C = 1
	D = 2 // said
)

var V = 1
`,
	})
	found, err := comments(dir, "p")
	if err != nil {
		t.Fatal(err)
	}
	same(t, found, []string{
		"p/x.go: Bare has no doc comment",
		"p/x.go: Silent does not say which errors it returns",
		"p/x.go: Running says its errors in running text, not as a list",
		"p/x.go: Others says its errors in running text, not as a list",
		"p/x.go: T.C has no doc comment",
		"p/x.go: U has no doc comment",
		"p/x.go: T.Silent does not say which errors it returns",
		"p/x.go: U.String has no doc comment",
		"p/x.go: E.Do does not say which errors it returns",
		"p/x.go: E.Bare has no doc comment",
		"p/x.go: C has no doc comment",
		"p/x.go: V has no doc comment",
	})
	if _, err := comments(dir, "none"); err == nil {
		t.Error("no error for a folder without files")
	}
}
