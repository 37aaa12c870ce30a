package sqlite_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/sqlite"
	"github.com/civicpin/civicpin/store/storetest"
)

func TestStore(t *testing.T) {
	storetest.RunDurable(t, func(t *testing.T, dir string) store.Store {
		s, err := sqlite.Open(t.Context(), filepath.Join(dir, "pins.db"))
		require.NoError(t, err)
		return s
	})
}
