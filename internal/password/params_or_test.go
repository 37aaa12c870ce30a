package password_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/internal/password"
)

// Each parameter that is zero is the other's, and none that is given.
func TestParamsOr(t *testing.T) {
	d := password.Params{Memory: 19456, Time: 2, Threads: 1}
	for _, tc := range []struct{ p, want password.Params }{
		{password.Params{}, d},
		{password.Params{Memory: 65536}, password.Params{Memory: 65536, Time: 2, Threads: 1}},
		{password.Params{Time: 3}, password.Params{Memory: 19456, Time: 3, Threads: 1}},
		{password.Params{Threads: 4}, password.Params{Memory: 19456, Time: 2, Threads: 4}},
		{password.Params{Memory: 65536, Time: 3, Threads: 4}, password.Params{Memory: 65536, Time: 3, Threads: 4}},
	} {
		require.Equal(t, tc.want, tc.p.Or(d), "%+v", tc.p)
		require.Equal(t, tc.p, tc.p.Or(password.Params{}))
	}
}
