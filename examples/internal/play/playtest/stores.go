package playtest

import (
	"cmp"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/civicpin/civicpin/examples/internal/play"
	"github.com/civicpin/civicpin/internal/servers"
)

// A Database is where a play that is tested keeps everything.
type Database struct {
	// Files is what the names of its files begin with: keys, clock, log, post.
	Files string
	// URL is the store's, and empty for an SQLite file, which Files is then.
	URL string

	play string
}

// Flags are those with which the play uses the database.
func (d Database) Flags() []string {
	if d.URL == "" {
		return []string{"-db", d.Files}
	}
	return []string{"-db", d.URL, "-files", d.Files}
}

// stores are those that may hold credentials. All but SQLite are servers of the test's own, and end with it.
var stores = map[string]func(t *testing.T) (url string){
	"sqlite":   func(*testing.T) string { return "" },
	"postgres": func(t *testing.T) string { return servers.PostgreSQL(t).DSN() },
	"nats":     NATS,
}

// OnEveryStore runs a test of a play on each store that may hold credentials, side by side, with a database that is empty at
// first. At the end the same must have happened on all of them: the same events, each as often.
func OnEveryStore(t *testing.T, name string, test func(t *testing.T, db Database)) {
	t.Helper()
	var mu sync.Mutex
	happened := make(map[string]map[string]int)
	t.Run("store", func(t *testing.T) {
		for store, start := range stores {
			t.Run(store, func(t *testing.T) {
				t.Parallel()
				db := Database{play: name, Files: filepath.Join(t.TempDir(), "pins.db"), URL: start(t)}
				test(t, db)
				events := db.events(t)
				mu.Lock()
				defer mu.Unlock()
				happened[store] = events
			})
		}
	})
	want := happened["sqlite"]
	for store, got := range happened {
		for _, event := range slices.Sorted(maps.Keys(union(got, want))) {
			if got[event] != want[event] {
				t.Errorf("on %s %d times, and on SQLite %d times: %s", store, got[event], want[event], event)
			}
		}
	}
}

// NATS starts one NATS server in this process, which answers when its disk has what it was sent, and ends with the test. It
// returns the URL for -db.
func NATS(t *testing.T) (url string) {
	t.Helper()
	servers.SkipShort(t)
	s, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true,
		JetStream: true, StoreDir: t.TempDir(), SyncAlways: true, JetStreamMaxMemory: 64 << 20, JetStreamMaxStore: 1 << 30,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Shutdown()
		s.WaitForShutdown()
	})
	s.Start()
	if !s.ReadyForConnections(30 * time.Second) {
		t.Fatal("NATS is not ready after 30 seconds")
	}
	return s.ClientURL() + "?replicas=1"
}

// events counts what the log says. What is random in each run is left out, such as unknown subjects.
func (d Database) events(t *testing.T) map[string]int {
	t.Helper()
	log, err := os.ReadFile(d.Files + ".log")
	if err != nil {
		t.Fatal(err)
	}
	count := make(map[string]int)
	for line := range strings.Lines(string(log)) {
		var event struct{ Msg, By, Assurance string }
		if err := json.Unmarshal([]byte(line), &event); err != nil {
			t.Fatal(err)
		}
		count[strings.TrimSpace(event.Msg+" by "+event.By+" "+event.Assurance)]++
	}
	if len(count) == 0 {
		t.Error("nothing happened")
	}
	return count
}

func union(a, b map[string]int) map[string]int {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

// Kept returns all that the play has kept but its post, by name: the files as they are, and the store's records, which may lie
// in those files, too, or on a server.
func (d Database) Kept(t *testing.T) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob(d.Files + "*")
	if err != nil {
		t.Fatal(err)
	}
	kept := make(map[string][]byte)
	for _, file := range files {
		if filepath.Ext(file) == ".post" {
			continue
		}
		if kept[filepath.Base(file)], err = os.ReadFile(file); err != nil {
			t.Fatal(err)
		}
	}
	if len(kept) < 3 {
		t.Errorf("only %q to look into", slices.Sorted(maps.Keys(kept)))
	}
	records, err := play.OpenRecords(t.Context(), d.play, cmp.Or(d.URL, d.Files))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for r, err := range records.List(t.Context(), "", "") {
		if err != nil {
			t.Fatal(err)
		}
		kept["record "+r.Key] = append([]byte(r.Key+"\n"), r.Value...)
		n++
	}
	if n < 10 {
		t.Errorf("only %d records to look into", n)
	}
	if err := records.Close(); err != nil {
		t.Error(err)
	}
	return kept
}
