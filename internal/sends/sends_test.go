package sends_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/sends"
	"github.com/civicpin/civicpin/internal/shown"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/store"
)

func hourly(n int) civicpin.Rate { return civicpin.Rate{Limit: n, Window: time.Hour} }

func newCounters(t *testing.T) (*store.Vault, *sends.Counters) {
	t.Helper()
	v, err := store.OpenVault(t.Context(), store.NewMemory(), testkit.Keys(), nil)
	require.NoError(t, err)
	c, err := sends.New(v, sends.Rates{Source: hourly(6), SourceTyped: hourly(4), Operator: hourly(2)})
	require.NoError(t, err)
	return v, c
}

// What refuses: the limit of a source or an operator, or of a subject.
const (
	source  = true
	subject = false
)

// refused requires that a limit refuses, and returns which.
func refused(t *testing.T, err error) (bySource bool) {
	t.Helper()
	var full *sends.FullError
	require.ErrorAs(t, err, &full)
	require.True(t, full.Until.After(time.Now()))
	return full.Source
}

// take returns the error of Take.
func take(t *testing.T, l *sends.Limit, r sends.Request, n int) error {
	t.Helper()
	_, err := l.Take(t.Context(), r, n)
	return err
}

// A request counts against its source and its subject. What one of them refuses is not counted against the other.
func TestOpen(t *testing.T) {
	_, c := newCounters(t)
	l, err := c.Limit("codes", hourly(3), false)
	require.NoError(t, err)
	from := func(of civicpin.Subject, address string) sends.Request {
		return sends.Request{Subject: of, Source: civicpin.Source{Address: address}}
	}
	require.NoError(t, take(t, l, from("A", "192.0.2.1"), 3))
	require.Equal(t, subject, refused(t, take(t, l, from("A", "192.0.2.1"), 1)))
	require.NoError(t, take(t, l, from("B", "192.0.2.1"), 3), "the refusal took nothing from the source")
	require.Equal(t, source, refused(t, take(t, l, from("C", "192.0.2.1"), 1)))
	require.NoError(t, take(t, l, from("C", "192.0.2.2"), 3), "nor from the subject")
	require.NoError(t, take(t, l, from("D", ""), 3))
}

// Messages to addresses that visitors type have a rate of their own at the source.
func TestTyped(t *testing.T) {
	_, c := newCounters(t)
	typed, err := c.Limit("proofs", hourly(100), true)
	require.NoError(t, err)
	other, err := c.Limit("codes", hourly(100), false)
	require.NoError(t, err)
	r := sends.Request{Subject: "A", Source: civicpin.Source{Address: "192.0.2.1"}}
	require.NoError(t, take(t, typed, r, 4))
	require.Equal(t, source, refused(t, take(t, typed, r, 1)))
	require.NoError(t, take(t, other, r, 2))
	require.Equal(t, source, refused(t, take(t, other, r, 1)))
}

// An operator has a rate of their own, over all limits, and uses up no subject's.
func TestStaff(t *testing.T) {
	_, c := newCounters(t)
	l, err := c.Limit("codes", hourly(1), true)
	require.NoError(t, err)
	r := sends.Request{Subject: "A", By: "operator:7"}
	require.True(t, r.By.IsOperator())
	require.NoError(t, take(t, l, r, 2))
	require.Equal(t, source, refused(t, take(t, l, r, 1)))
	require.NoError(t, take(t, l, sends.Request{Subject: "A"}, 1))
}

// A caller who has shown something has a reserve, whatever visitors have used up. Each kind of proof and each device has its
// own.
func TestReserves(t *testing.T) {
	v, c := newCounters(t)
	l, err := c.Limit("codes", hourly(1), false)
	require.NoError(t, err)
	require.NoError(t, take(t, l, sends.Request{Subject: "A"}, 1))
	require.Equal(t, subject, refused(t, take(t, l, sends.Request{Subject: "A"}, 1)))
	for _, tc := range []struct {
		what shown.Value
		n    int
	}{
		{shown.Value{Kind: shown.Facts}, 3},
		{shown.Value{Kind: shown.Device, ID: "one"}, 5},
		{shown.Value{Kind: shown.Device, ID: "two"}, 5},
		{shown.Value{Kind: shown.Run}, 5},
		{shown.Value{Kind: shown.Login}, 5},
	} {
		r := sends.Request{Subject: "A", Source: civicpin.Source{Shown: shown.New(v, "A", tc.what)}}
		for range tc.n {
			require.NoError(t, take(t, l, r, 1), tc.what)
		}
		require.Equal(t, subject, refused(t, take(t, l, r, 1)), tc.what)
	}
}

// A proof never gives less than none: when its reserve is used up, the caller is counted as any visitor, and is told of the
// limit that has room first.
func TestAProofNeverGivesLessThanNone(t *testing.T) {
	v, c := newCounters(t)
	l, err := c.Limit("codes", civicpin.Rate{Limit: 2, Window: 24 * time.Hour}, false)
	require.NoError(t, err)
	r := sends.Request{Subject: "A", Source: civicpin.Source{Shown: shown.New(v, "A", shown.Value{Kind: shown.Login})}}
	for i := range 5 + 2 {
		known, err := l.Take(t.Context(), r, 1)
		require.NoError(t, err)
		require.Equal(t, i < 5, known)
	}
	_, err = l.Take(t.Context(), r, 1)
	var full *sends.FullError
	require.ErrorAs(t, err, &full)
	require.WithinDuration(t, v.Now().Add(6*time.Hour/5), full.Until, time.Minute, "the reserve's, not the subject's")
}

// What only facts show is counted against the open limit first.
func TestFactsUseTheOpenLimitFirst(t *testing.T) {
	v, c := newCounters(t)
	l, err := c.Limit("codes", hourly(2), false)
	require.NoError(t, err)
	r := sends.Request{Subject: "A", Source: civicpin.Source{Shown: shown.New(v, "A", shown.Value{Kind: shown.Facts})}}
	for range 2 + 3 {
		require.NoError(t, take(t, l, r, 1))
	}
	refused(t, take(t, l, r, 1))
}

func TestInvalidRates(t *testing.T) {
	v, c := newCounters(t)
	_, err := c.Limit("codes", civicpin.Rate{}, false)
	require.ErrorIs(t, err, civicpin.ErrInvalid)
	_, err = sends.New(v, sends.Rates{})
	require.ErrorIs(t, err, civicpin.ErrInvalid)
}
