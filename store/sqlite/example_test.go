package sqlite_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/sqlite"
)

// A file for the records, a file for the keys, and a vault around both, to be handed to everything else.
func ExampleOpen() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()

	records, err := sqlite.Open(ctx, filepath.Join(dir, "pins.db"))
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = records.Close() }()
	keys, err := store.CreateKeyFile(filepath.Join(dir, "pins.keys"))
	if err != nil {
		log.Fatal(err)
	}
	vault, err := store.OpenVault(ctx, records, keys, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("can purge and re-seal:", vault.CanList())
	// Output: can purge and re-seal: true
}
