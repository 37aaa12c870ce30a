package playtest

import (
	"bytes"
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/examples/internal/play"
)

// A Scene is a stage of a test's own, on which the test plays one act after the other. Time stands still on it but for what
// the story skips.
type Scene struct {
	// Set is the stage.
	Set *play.Stage
	// DB is where everything is kept.
	DB Database

	out *bytes.Buffer
}

// Open sets the stage for a play, with an empty SQLite database and a clock that shows start.
func Open(t *testing.T, p play.Play, start time.Time) Scene {
	t.Helper()
	s := Scene{DB: Database{play: p.Name, Files: filepath.Join(t.TempDir(), "pins.db")}, out: new(bytes.Buffer)}
	p.Now = func() time.Time { return start }
	var err error
	s.Set, err = play.Open(t.Context(), play.Options{Play: p, DB: s.DB.Files, Out: s.out})
	require.NoError(t, err)
	t.Cleanup(func() {
		if err := s.Set.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// Act plays one act and returns what it printed.
func (s Scene) Act(t *testing.T, act func(context.Context) error) string {
	t.Helper()
	s.out.Reset()
	if err := act(t.Context()); err != nil {
		t.Fatalf("%v, after\n%s", err, s.out)
	}
	return s.out.String()
}

// Printed returns what was printed since the last act began.
func (s Scene) Printed() string { return s.out.String() }
