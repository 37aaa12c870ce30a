package plan

import "reflect"

// A Step is one thing that a plan asks for. The interface is closed: the step types of this package are all there are.
type Step interface {
	// check returns what is wrong with the step where it stands, "" if nothing is.
	check(before *progress) string
}

// Guessed reports whether a step is answered by what a person knows. Such steps that follow each other are asked together and
// compared together, so that the answer does not tell which of them was wrong.
func Guessed(s Step) bool {
	switch s.(type) {
	case Facts, Image, Questions, Contacts:
		return true
	}
	return false
}

// closed reports whether a step is one of this package's: not nil, no pointer, and no foreign type that embeds a step.
func closed(s Step) bool { return new(stepText).field(reflect.TypeOf(s)).IsValid() }
