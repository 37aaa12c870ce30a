package play

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/mail"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/post"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
	"github.com/civicpin/civicpin/texts"
)

// Options configure a [Stage]. [Run] fills them from a [Play] and its flags.
type Options struct {
	// Play is what is played. Its name names the temporary folder.
	Play
	// DB is the database's file, or the URL of a store as [OpenRecords] takes it; empty means a file in a new temporary folder,
	// which is left there to be looked at.
	DB string
	// Files is what the names of the files beside a database begin with that DB names by URL; empty means Name, in the current
	// folder. Beside a database's file it must be empty: they are named after that.
	Files string
	// Interactive makes Ask wait for lines from In.
	Interactive bool
	In          io.Reader
	// Out is where the story is printed; required.
	Out io.Writer
}

// A Stage is all that a story needs. Beside the database's file, pins.db, lie
//
//	pins.db.keys    the vault's keys; in production they are kept elsewhere, see package store
//	pins.db.clock   how much time the story has skipped
//	pins.db.log     every event, a line of JSON each
//	pins.db.post/   every message that was sent
//
// Beside a database that is named by URL they begin with [Options.Files] instead.
type Stage struct {
	*Printer

	Vault  *store.Vault
	Outbox *outbox.Outbox
	Clock  *Clock
	// Box delivers; tell it to fail for an address.
	Box *post.Box
	// Inbox is where citizens find what was delivered.
	Inbox post.Inbox
	// Lang is for the Locale of the citizens' contacts.
	Lang string
	// Location is where the agency is: its time zone.
	Location *time.Location

	records *Records
	files   string
	events  atomic.Int64
	closer  closers
}

// Open sets the stage. Close it at the end.
func Open(ctx context.Context, o Options) (_ *Stage, err error) {
	o.Service.Locale = o.lang()
	if o.Service.Location, err = time.LoadLocation(o.Zone); err != nil {
		return nil, fmt.Errorf("play: %w", err)
	}
	writer, err := texts.New(o.Service)
	if err != nil {
		return nil, fmt.Errorf("play: texts in language %q: %w", o.lang(), err)
	}
	files, err := o.files()
	if err != nil {
		return nil, err
	}
	s := &Stage{
		Printer: newPrinter(o.In, o.Out, o.Interactive), Lang: o.lang(), Location: o.Service.Location, files: files,
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	if s.Clock, err = openClock(files+".clock", o.Now); err != nil {
		return nil, err
	}
	keys, err := s.openRecords(ctx, o.Name, cmp.Or(o.DB, files))
	if err != nil {
		return nil, err
	}
	recorder, err := s.openLog(files + ".log")
	if err != nil {
		return nil, err
	}
	if s.Vault, err = store.OpenVault(ctx, s.records.Lister, keys, &store.Options{Now: s.Clock.Now, Recorder: recorder}); err != nil {
		return nil, err
	}
	s.Inbox = post.Inbox(files + ".post")
	from := mail.Address{Name: cmp.Or(o.Service.LongName, o.Service.Name), Address: o.Email}
	if s.Box, err = post.Open(string(s.Inbox), post.Options{From: from, Words: o.words(writer), Now: s.Clock.Now}); err != nil {
		return nil, err
	}
	if s.Outbox, err = outbox.New(s.Vault, s.Box, nil); err != nil {
		return nil, err
	}
	return s, nil
}

// words returns a play's own words for the messages that it has some for, and the writer's for all others.
func (o *Options) words(w *texts.Writer) func(civicpin.Message) (texts.Text, error) {
	return func(m civicpin.Message) (texts.Text, error) {
		if o.Words != nil {
			if text, ok := o.Words(m, o.Service.Location); ok {
				return text, nil
			}
		}
		return w.Render(m)
	}
}

// Close closes the files and the database. They stay where they are.
func (s *Stage) Close() error { return s.closer.close() }

// files returns what the names of all files begin with: the database's, where it is one.
func (o *Options) files() (string, error) {
	switch {
	case scheme(o.DB) != "":
		files := cmp.Or(o.Files, o.Name)
		if _, err := os.Stat(filepath.Dir(files)); err != nil { // before anything is made in the database
			return "", fmt.Errorf("play: files: %w", err)
		}
		return files, nil
	case o.Files != "":
		return "", errors.New("play: files are named only beside the URL of a database; beside its file they are named after that")
	case o.DB != "":
		return o.DB, nil
	}
	folder, err := os.MkdirTemp("", "civicpin-"+o.Name+"-")
	if err != nil {
		return "", fmt.Errorf("play: %w", err)
	}
	return filepath.Join(folder, "pins.db"), nil
}

// openRecords opens the database and reads its keys, which it makes together with it. A database whose keys are gone gets no
// new ones: nothing in it could be read, and everybody would be unknown.
func (s *Stage) openRecords(ctx context.Context, play, db string) (store.Keys, error) {
	file := s.files + ".keys"
	keys, err := store.ReadKeyFile(file)
	missing := errors.Is(err, fs.ErrNotExist)
	if missing && scheme(db) == "" {
		if _, statErr := os.Stat(db); !errors.Is(statErr, fs.ErrNotExist) {
			return store.Keys{}, errors.Join(err, statErr)
		}
		keys, err = store.CreateKeyFile(file)
		missing = false
	}
	if err != nil && !missing {
		return store.Keys{}, err
	}
	if s.records, err = OpenRecords(ctx, play, db); err != nil {
		return store.Keys{}, err
	}
	s.closer = append(s.closer, s.records.Close)
	if !missing {
		return keys, nil
	}
	for _, err := range s.records.List(ctx, "", "") {
		if err == nil {
			err = fmt.Errorf("play: %s has records of an earlier run, whose keys are not in %s; -files names another: %w", s.records.Where, file, fs.ErrNotExist)
		}
		return store.Keys{}, err
	}
	return store.CreateKeyFile(file)
}

func (s *Stage) openLog(file string) (civicpin.Recorder, error) {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("play: open log: %w", err)
	}
	s.closer = append(s.closer, f.Close)
	count := civicpin.RecorderFunc(func(context.Context, civicpin.Event) { s.events.Add(1) })
	return civicpin.Recorders(civicpin.SlogRecorder(slog.New(slog.NewJSONHandler(f, nil))), count), nil
}

// Events returns how many events were recorded since the stage was opened.
func (s *Stage) Events() int { return int(s.events.Load()) }

// left says where everything is.
func (s *Stage) left() string {
	if s.records.Where == s.files {
		return fmt.Sprintf("Database, keys, clock, log and post are left in %s*", s.files)
	}
	return fmt.Sprintf("Records are left in %s,\nand keys, clock, log and post in %s*", s.records.Where, s.files)
}

// Deliver sends what waits in the outbox and is due by the stage's clock. A program that runs on has Outbox.Run do it.
func (s *Stage) Deliver(ctx context.Context) error { return s.Outbox.Flush(ctx) }

// Delivered is Deliver, and returns the newest message that came to an address.
func (s *Stage) Delivered(ctx context.Context, address string) (post.Mail, error) {
	if err := s.Deliver(ctx); err != nil {
		return post.Mail{}, err
	}
	return s.Inbox.Last(address)
}

// Read shows and returns the newest message that came to an address.
func (s *Stage) Read(who, address string) (post.Mail, error) {
	m, err := s.Inbox.Last(address)
	if err != nil {
		return post.Mail{}, err
	}
	text := m.Text
	if m.Subject != "" {
		text = m.Subject + "\n\n" + text
	}
	s.Show(fmt.Sprintf("%s reads (%s):", who, m.File), text)
	return m, nil
}
