package pin_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
)

// What anybody asks for again takes no place of what a clerk issues.
func TestResendsTakeNoPlaceOfTheIssues(t *testing.T) {
	limits := testkit.Limits()
	limits.Shown = civicpin.Rate{Limit: 1, Window: 24 * time.Hour}
	k := newLimitedKit(t, limits)
	o := inps()
	o.By = clerk
	_, err := k.Issue(t.Context(), maria, o)
	require.NoError(t, err)
	require.NoError(t, k.out.Flush(t.Context()))
	require.NoError(t, k.Resend(t.Context(), maria, 0, civicpin.Source{Address: "192.0.2.1"}))
	require.NoError(t, k.out.Flush(t.Context()))
	require.Empty(t, k.events.Of("outbox.held"))
	require.Len(t, k.events.Of("outbox.sent"), 3)
}
