package outbox_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/store/outbox"
)

func TestDefaults(t *testing.T) {
	want := outbox.Options{
		Timeout:  30 * time.Second,
		Grace:    2 * time.Minute,
		MinDelay: 10 * time.Second,
		MaxDelay: time.Hour,
		MaxTries: 12,
		Poll:     5 * time.Second,
		Workers:  4,
		Limits: outbox.Limits{
			Source:      civicpin.Rate{Limit: 60, Window: time.Hour},
			SourceTyped: civicpin.Rate{Limit: 20, Window: time.Hour},
			Operator:    civicpin.Rate{Limit: 600, Window: time.Hour},
			Typed:       civicpin.Rate{Limit: 3, Window: 24 * time.Hour},
			Proved:      civicpin.Rate{Limit: 40, Window: 24 * time.Hour},
			Shown:       civicpin.Rate{Limit: 60, Window: 24 * time.Hour},
			Notice:      civicpin.Rate{Limit: 20, Window: 24 * time.Hour},
			Home:        civicpin.Rate{Limit: 2000, Window: time.Hour},
			Abroad:      civicpin.Rate{Limit: 100, Window: time.Hour},
		},
		KeepDead: 30 * 24 * time.Hour,
	}
	for _, o := range []*outbox.Options{nil, {}} {
		got, err := outbox.WithDefaults(o)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	// A longer first wait than the default's longest makes that the longest.
	got, err := outbox.WithDefaults(&outbox.Options{MinDelay: 2 * time.Hour})
	require.NoError(t, err)
	require.Equal(t, 2*time.Hour, got.MaxDelay)
}

func TestOptionsOutOfRange(t *testing.T) {
	v := onMemory(t).vault
	for name, o := range map[string]outbox.Options{
		"negative timeout":     {Timeout: -1},
		"long timeout":         {Timeout: 11 * time.Minute},
		"negative grace":       {Grace: -1},
		"long grace":           {Grace: 25 * time.Hour},
		"negative delay":       {MinDelay: -1},
		"long delay":           {MinDelay: 25 * time.Hour},
		"negative max delay":   {MaxDelay: -1},
		"max delay below min":  {MinDelay: time.Minute, MaxDelay: time.Second},
		"long max delay":       {MaxDelay: 8 * 24 * time.Hour},
		"negative tries":       {MaxTries: -1},
		"many tries":           {MaxTries: 1001},
		"negative poll":        {Poll: -1},
		"busy poll":            {Poll: time.Microsecond},
		"long poll":            {Poll: 2 * time.Hour},
		"negative workers":     {Workers: -1},
		"many workers":         {Workers: 1025},
		"limit without window": {Limits: outbox.Limits{Typed: civicpin.Rate{Limit: 1}}},
		"window without limit": {Limits: outbox.Limits{Typed: civicpin.Rate{Window: time.Minute}}},
		"negative limit":       {Limits: outbox.Limits{Typed: civicpin.Rate{Limit: -1, Window: time.Minute}}},
		"short window":         {Limits: outbox.Limits{Typed: civicpin.Rate{Limit: 1, Window: time.Millisecond}}},
		"negative keep":        {KeepDead: -1},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := outbox.New(v, new(sink), &o)
			require.ErrorIs(t, err, civicpin.ErrInvalid)
			require.Nil(t, out)
		})
	}
}

func TestNewNeedsItsParts(t *testing.T) {
	v := onMemory(t).vault
	_, err := outbox.New(nil, new(sink), nil)
	require.ErrorIs(t, err, civicpin.ErrInvalid)
	out, err := outbox.New(v, new(sink), nil)
	require.NoError(t, err)
	require.ErrorIs(t, out.Register("", new(fixed)), civicpin.ErrInvalid)
	require.ErrorIs(t, out.Register("a/b", new(fixed)), civicpin.ErrInvalid)
	require.ErrorIs(t, out.Register("a", nil), civicpin.ErrInvalid)
}

// Options are copied: changing them later changes nothing.
func TestOptionsAreCopied(t *testing.T) {
	s := newMemory()
	opts := &outbox.Options{Grace: time.Minute}
	r := newRig(t, s, newClock(), opts)
	opts.Grace = time.Hour
	require.NoError(t, r.out.Add(context.Background(), r.clerk.ref("A", "1")))
	require.NoError(t, r.out.Flush(t.Context()))
	r.clock.Add(time.Minute)
	require.NoError(t, r.out.Flush(t.Context()))
	require.Zero(t, r.count(t, "outbox.entry"))
}

// Without a notifier nothing is promised: what would send is refused before anything is written.
func TestNoNotifier(t *testing.T) {
	v := onMemory(t).vault
	out, err := outbox.New(v, nil, nil)
	require.NoError(t, err)
	require.Same(t, v, out.Vault())
	ref := outbox.Ref{Owner: "clerk", Subject: "1", ID: "a"}
	require.ErrorIs(t, out.Add(t.Context(), ref), outbox.ErrNoNotifier)
	require.ErrorIs(t, out.AddDecoy(t.Context(), ref), outbox.ErrNoNotifier)
	require.ErrorIs(t, out.Commit(t.Context(), ref), outbox.ErrNoNotifier)
	require.NoError(t, out.Add(t.Context()), "an act without a message needs none")
	require.ErrorIs(t, out.Run(t.Context()), outbox.ErrNoNotifier)
	require.ErrorIs(t, out.Flush(t.Context()), outbox.ErrNoNotifier)
}
