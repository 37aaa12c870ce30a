package play_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/play"
	"github.com/civicpin/civicpin/examples/internal/play/playtest"
	"github.com/civicpin/civicpin/store"
)

type note struct{ Text string }

var (
	marias  = store.Key{Subject: "maria"}
	nothing = func(context.Context, *play.Stage) error { return nil }
)

// write keeps a note about Maria for an hour.
func write(ctx context.Context, s *play.Stage) error {
	notes, err := store.NewKind[note](s.Vault, "note")
	if err != nil {
		return err
	}
	s.Vault.Record(ctx, civicpin.Event{Code: "sample.written", Subject: marias.Subject})
	_, err = notes.Update(ctx, marias, func(e *store.Entry[note]) error {
		e.Value, e.ExpiresAt = note{"hello"}, s.Clock.Now().Add(time.Hour)
		return nil
	})
	return err
}

// TestDatabaseIsKept writes a record in one run and reads it in the next, by which it has expired.
func TestDatabaseIsKept(t *testing.T) {
	playtest.OnEveryStore(t, "sample", func(t *testing.T, db playtest.Database) {
		_, err := run(t, func(ctx context.Context, s *play.Stage) error {
			if !s.Vault.Now().Equal(start) {
				return fmt.Errorf("the vault's clock shows %v", s.Vault.Now())
			}
			if err := write(ctx, s); err != nil || s.Events() != 1 {
				return fmt.Errorf("%d events were counted, %w", s.Events(), err)
			}
			return nil
		}, "", db.Flags()...)
		if err != nil {
			t.Fatal(err)
		}
		read := func(wait time.Duration) (text string, err error) {
			_, err = run(t, func(ctx context.Context, s *play.Stage) error {
				notes, err := store.NewKind[note](s.Vault, "note")
				if err != nil {
					return err
				}
				e, err := notes.Get(ctx, marias)
				text = e.Value.Text
				return errors.Join(err, s.Later(wait))
			}, "", db.Flags()...)
			return text, err
		}
		if text, err := read(59 * time.Minute); text != "hello" || err != nil {
			t.Fatalf("second run reads %q, %v", text, err)
		}
		if text, err := read(time.Minute); text != "hello" || err != nil {
			t.Fatalf("third run, 59 minutes later, reads %q, %v", text, err)
		}
		if _, err := read(0); !errors.Is(err, store.ErrNotFound) {
			t.Fatalf("fourth run, after the hour: %v", err)
		}
		checkFiles(t, db)
	})
}

func checkFiles(t *testing.T, db playtest.Database) {
	t.Helper()
	files := []string{".keys", ".clock", ".log"}
	if db.URL == "" {
		files = append(files, "")
	}
	for _, file := range files {
		info, err := os.Stat(db.Files + file)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s is readable by others: %v", info.Name(), info.Mode())
		}
	}
	log, err := os.ReadFile(db.Files + ".log")
	if err != nil {
		t.Fatal(err)
	}
	var line struct{ Msg, Subject, At string }
	if err := json.Unmarshal(log, &line); err != nil {
		t.Fatalf("logged %s, %v", log, err)
	}
	if line.Msg != "sample.written" || line.Subject != "maria" || line.At != start.Format(time.RFC3339) {
		t.Errorf("logged %+v", line)
	}
}

// TestKeysAreNotReplaced loses the keys of a database that holds something; beside it, another play finds a place of its own.
func TestKeysAreNotReplaced(t *testing.T) {
	playtest.OnEveryStore(t, "sample", func(t *testing.T, db playtest.Database) {
		if _, err := run(t, write, "", db.Flags()...); err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(db.Files + ".keys"); err != nil {
			t.Fatal(err)
		}
		if _, err := run(t, nothing, "", db.Flags()...); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("a database without its keys opens: %v", err)
		}
		if _, err := os.Stat(db.Files + ".keys"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("new keys for an old database: %v", err)
		}
		if db.URL == "" {
			return
		}
		other := example(func(ctx context.Context, s *play.Stage) error {
			notes, err := store.NewKind[note](s.Vault, "note")
			if err != nil {
				return err
			}
			if e, err := notes.Get(ctx, marias); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("another play reads %q, %v", e.Value.Text, err)
			}
			return write(ctx, s)
		})
		other.Name = "other"
		if _, err := playtest.Run(t, other, "", "-db", db.URL, "-files", db.Files+"-other"); err != nil {
			t.Errorf("another play in the same database: %v", err)
		}
	})
}

// TestServer: beside a URL, the files are named after the play, in the current folder.
func TestServer(t *testing.T) {
	t.Chdir(t.TempDir())
	url := playtest.NATS(t)
	alone, _, _ := strings.Cut(url, "?")
	if out, err := run(t, nothing, "", "-db", alone); err == nil || !strings.Contains(err.Error(), "?replicas=1") {
		t.Errorf("three copies on one server: %v\n%s", err, out)
	}
	for _, db := range []string{url, alone + "?replicas=1", strings.Replace(url, "nats://", "nats://citizen:"+hidden+"@", 1)} {
		got, err := run(t, write, "", "-db", db)
		if err != nil {
			t.Fatal(err)
		}
		want := "\nRecords are left in buckets civicpin-sample-0 to -7 of NATS at " + strings.TrimPrefix(alone, "nats://") +
			",\nand keys, clock, log and post in sample*\n"
		if !strings.HasSuffix(got, want) {
			t.Errorf("printed %q, want %q at the end", got, want)
		}
	}
	files, err := filepath.Glob("*")
	if want := "[sample.keys sample.log sample.post]"; err != nil || fmt.Sprint(files) != want {
		t.Errorf("left %v, %v, want %s", files, err, want)
	}
}

// hidden is a password that nobody should see on a screen.
const hidden = "K7PM2QRD"

// TestURLs: what is no URL of a store is told, quotes no password, and leaves nothing behind.
func TestURLs(t *testing.T) {
	t.Chdir(t.TempDir())
	played := func(context.Context, *play.Stage) error { return errors.New("the story was played") }
	const unused = "127.0.0.1:1" // nobody listens there
	for db, wrong := range map[string]bool{
		"mysql://bank:" + hidden + "@127.0.0.1/pins":                      true,
		"redis://:" + hidden + "@127.0.0.1":                               true,
		"file://pins.db":                                                  true,
		"POSTGRES://bank:" + hidden + "@" + unused:                        true,
		"postgres:bank":                                                   true, // a slip, and no file
		"postgres://bank:slash/" + hidden + "@" + unused:                  true,
		"postgres://bank:per%zz" + hidden + "@" + unused:                  true,
		"postgres://bank:" + hidden + "@" + unused + "/pins?sslmode=no":   true,
		"postgres://bank:" + hidden + "@" + unused + "/pins":              false,
		"postgres://bank:" + hidden + "@" + unused + ",127.0.0.1:2/pins":  false, // whichever answers
		"postgresql://" + unused + "/pins?user=b&password=" + hidden:      false,
		"nats://bank:slash/" + hidden + "@" + unused:                      true,
		"nats://bank:per%zz" + hidden + "@" + unused:                      true,
		"nats://bank:" + hidden + "@" + unused + "?replicas=all":          true,
		"nats://bank:" + hidden + "@" + unused + "?replicas=0":            true,
		"nats://bank:" + hidden + "@" + unused + "?replicas=1&replicas=3": true,
		"nats://bank:" + hidden + "@" + unused + "?name=1":                true,
		"nats://bank:" + hidden + "@" + unused + "?%":                     true,
		"nats://bank:" + hidden + "@" + unused:                            false,
		"tls://bank:" + hidden + "@" + unused + "," + unused:              false,
	} {
		out, err := run(t, played, "", "-db", db)
		if err == nil || strings.Contains(err.Error(), "was played") || errors.Is(err, play.ErrURL) != wrong {
			t.Errorf("%q: %v", db, err)
			continue
		}
		if strings.Contains(out+err.Error(), hidden) {
			t.Errorf("%q: the password is in %q%v", db, out, err)
		}
	}
	if _, err := run(t, played, "", "-db", "nats://"+unused, "-files", filepath.Join("no", "folder")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("files in a folder that is not there: %v", err)
	}
	if left, err := os.ReadDir("."); err != nil || len(left) > 0 {
		t.Errorf("left %v, %v", left, err)
	}
}
