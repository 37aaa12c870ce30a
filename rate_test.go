package civicpin_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
)

func TestRateBounds(t *testing.T) {
	for _, tc := range []struct {
		rate civicpin.Rate
		ok   bool
	}{
		{civicpin.Rate{}, true},
		{civicpin.Rate{Limit: 1, Window: time.Second}, true},
		{civicpin.Rate{Limit: 0, Window: time.Second}, false},
		{civicpin.Rate{Limit: -1, Window: time.Second}, false},
		{civicpin.Rate{Limit: 1_000_000, Window: time.Second}, true},
		{civicpin.Rate{Limit: 1_000_001, Window: time.Second}, false},
		{civicpin.Rate{Limit: 1, Window: time.Second - 1}, false},
		{civicpin.Rate{Limit: 1, Window: -time.Second}, false},
		{civicpin.Rate{Limit: 1}, false},
		{civicpin.Rate{Limit: 1, Window: 366 * 24 * time.Hour}, true},
		{civicpin.Rate{Limit: 1, Window: 366*24*time.Hour + 1}, false},
	} {
		if err := tc.rate.Validate(); tc.ok {
			require.NoError(t, err, "%+v", tc.rate)
		} else {
			require.ErrorIs(t, err, civicpin.ErrInvalid, "%+v", tc.rate)
		}
	}
}
