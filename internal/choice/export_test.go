package choice

// Seams for the tests of this package.
var (
	Listed = listed
	Fold   = fold
	Common = common
)

const (
	MaxInput = maxInput
	Longest  = longest
)
