package choice

// Seams for the tests of this package.
var (
	Listed = listed
	Fold   = fold
)

const (
	MaxInput = maxInput
	Longest  = longest
)
