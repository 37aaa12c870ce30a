// Package tiny is what the tests of the tool mutate.
package tiny

import "errors"

// Half returns half of an even number.
func Half(n int) (int, error) {
	if n%2 != 0 {
		return 0, errors.New("odd")
	}
	return n / 2, nil
}

// Small reports whether n is below ten. Its test does not look at ten itself.
func Small(n int) bool { return n < 10 }

// Count counts down; without the step it never ends.
func Count(n int) (steps int) {
	for n > 0 {
		n--
		steps++
	}
	return steps
}

// Never is not tested.
func Never(n int) bool { return n == 3 }
