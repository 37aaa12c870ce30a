package store_test

import (
	"testing"

	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/storetest"
)

func TestMemory(t *testing.T) {
	t.Parallel()
	t.Run("a new one each time", func(t *testing.T) {
		t.Parallel()
		storetest.Run(t, func(*testing.T) store.Store { return store.NewMemory() })
	})
	t.Run("one for all", func(t *testing.T) {
		t.Parallel()
		shared := store.NewMemory()
		storetest.Run(t, func(*testing.T) store.Store { return shared })
	})
	t.Run("one for all handles", func(t *testing.T) {
		t.Parallel()
		shared := store.NewMemory()
		storetest.RunDurable(t, func(*testing.T, string) store.Store { return shared })
	})
}
