package play_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/civicpin/civicpin/examples/internal/play"
	"github.com/civicpin/civicpin/texts"
)

var start = time.Date(2026, 3, 9, 12, 0, 0, 0, time.UTC)

func example(story func(ctx context.Context, s *play.Stage) error) play.Play {
	return play.Play{
		Name:    "sample",
		About:   "A sample of a play.",
		Service: texts.Service{Name: "Agency", LongName: "Agency of Samples"},
		Email:   "pin@agency.example",
		Story:   story,
		Now:     func() time.Time { return start },
	}
}

// run plays a story with the given flags and input, and returns what was printed.
func run(t *testing.T, story func(ctx context.Context, s *play.Stage) error, in string, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	err := play.Run(t.Context(), example(story), args, strings.NewReader(in), &out)
	return out.String(), err
}

func database(t *testing.T) string { return filepath.Join(t.TempDir(), "pins.db") }

func TestRunPrintsTheStory(t *testing.T) {
	db := database(t)
	got, err := run(t, func(_ context.Context, s *play.Stage) error {
		s.Step("Maria asks for a %s", "PIN")
		s.Say("She is at home.\nIt rains.")
		s.Show("The page says:", "Welcome.\n\nYour name?\n")
		name, err := s.Ask("Name", "Maria")
		if err != nil {
			return err
		}
		if err := s.Later(90 * time.Minute); err != nil {
			return err
		}
		s.Step("%s waits", name)
		return nil
	}, "", "-db", db)
	if err != nil {
		t.Fatal(err)
	}
	want := `A sample of a play.

1. Maria asks for a PIN
   She is at home.
   It rains.
   The page says:
   | Welcome.
   |
   | Your name?
   Name: Maria
   … 90 minutes later …

2. Maria waits

Database, keys, clock, log and post are left in ` + db + "*\n"
	if got != want {
		t.Errorf("printed\n%s\nwant\n%s", got, want)
	}
}

func TestAskInteractively(t *testing.T) {
	var answers []string
	story := func(_ context.Context, s *play.Stage) error {
		for _, q := range []string{"First", "Second", "Third", "Fourth"} {
			a, err := s.Ask(q, "suggested")
			if err != nil {
				return err
			}
			answers = append(answers, a)
		}
		return nil
	}
	got, err := run(t, story, "typed\n\n typed \r\nlast", "-i", "-db", database(t))
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"typed", "suggested", " typed ", "last"}; fmt.Sprintf("%q", answers) != fmt.Sprintf("%q", want) {
		t.Errorf("answers %q, want %q", answers, want)
	}
	if !strings.Contains(got, "   First [suggested]: ") {
		t.Errorf("no prompt in %q", got)
	}
	if _, err := run(t, story, "one\ntwo\n", "-i", "-db", database(t)); !errors.Is(err, play.ErrNoAnswer) {
		t.Errorf("input that ends early: %v, want ErrNoAnswer", err)
	}
	answers = nil
	if _, err := run(t, story, "typed\n", "-db", database(t)); err != nil || answers[0] != "suggested" {
		t.Errorf("without -i: %q, %v", answers, err)
	}
}

func TestTemporaryFolder(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	folders := make(map[string]bool)
	for range 2 {
		got, err := run(t, func(context.Context, *play.Stage) error { return nil }, "")
		if err != nil {
			t.Fatal(err)
		}
		_, file, ok := strings.Cut(strings.TrimSpace(got), " are left in ")
		file = strings.TrimSuffix(file, "*")
		if _, err := os.Stat(file); !ok || err != nil {
			t.Fatalf("%q does not name the database: %v", got, err)
		}
		folders[filepath.Dir(file)] = true
	}
	if len(folders) != 2 {
		t.Errorf("two runs share %v", folders)
	}
}

func TestStoryFails(t *testing.T) {
	failure := errors.New("it rained")
	got, err := run(t, func(_ context.Context, s *play.Stage) error {
		s.Step("Rain")
		return failure
	}, "", "-db", database(t))
	if !errors.Is(err, failure) || !strings.HasPrefix(err.Error(), "sample: ") {
		t.Errorf("error %v", err)
	}
	if !strings.Contains(got, "are left in") {
		t.Errorf("does not say where to look: %q", got)
	}
}

func TestFlags(t *testing.T) {
	story := func(context.Context, *play.Stage) error { return errors.New("the story was played") }
	got, err := run(t, story, "", "-h")
	if err != nil || !strings.Contains(got, "A sample of a play.") || !strings.Contains(got, "-db file") || !strings.Contains(got, `(default "sample")`) {
		t.Errorf("help: %v\n%s", err, got)
	}
	nowhere := filepath.Join(t.TempDir(), "no", "folder")
	for _, args := range [][]string{
		{"-wrong"}, {"extra"}, {"-lang", "xx"}, {"-db", nowhere}, {"-files", "pins"}, {"-db", database(t), "-files", "pins"},
	} {
		_, err := run(t, story, "", args...)
		if err == nil || strings.Contains(err.Error(), "was played") || errors.Is(err, flag.ErrHelp) {
			t.Errorf("%q: %v", args, err)
		}
	}
	for lang, args := range map[string][]string{"en": nil, "it": {"-lang", "it"}, "es": {"-lang", "es"}} {
		_, err := run(t, func(_ context.Context, s *play.Stage) error {
			if s.Lang != lang {
				t.Errorf("language %q, want %q", s.Lang, lang)
			}
			return nil
		}, "", append(args, "-db", database(t))...)
		if err != nil {
			t.Error(err)
		}
	}
}

// full is a disk on which so many bytes find room.
type full struct {
	room    int
	written strings.Builder
}

func (f *full) Write(b []byte) (int, error) {
	if f.written.Len()+len(b) > f.room {
		return 0, io.ErrShortWrite
	}
	return f.written.Write(b)
}

// TestOutputFails: after a line that found no room, none is printed that would; a story with a hole reads wrongly.
func TestOutputFails(t *testing.T) {
	out := &full{room: 30}
	err := play.Run(t.Context(), example(func(_ context.Context, s *play.Stage) error {
		s.Step("A step that finds no room")
		s.Say("Hole")
		return nil
	}), []string{"-db", database(t)}, strings.NewReader(""), out)
	if !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("error %v, want that of the output", err)
	}
	if got := out.written.String(); got != "A sample of a play.\n" {
		t.Errorf("printed %q", got)
	}
}

func TestClock(t *testing.T) {
	db := database(t)
	_, err := run(t, func(_ context.Context, s *play.Stage) error {
		if err := s.Later(-time.Second); err == nil || !s.Clock.Now().Equal(start) {
			t.Errorf("time runs backwards to %v: %v", s.Clock.Now(), err)
		}
		if err := s.Later(time.Hour); err != nil || !s.Vault.Now().Equal(start.Add(time.Hour)) {
			t.Errorf("an hour later it is %v: %v", s.Vault.Now(), err)
		}
		// A clock that cannot be kept does not move: the next run would see time run backwards.
		if err := os.Mkdir(db+".clock.new", 0o700); err != nil {
			t.Fatal(err)
		}
		if err := s.Later(time.Hour); err == nil || !s.Clock.Now().Equal(start.Add(time.Hour)) {
			t.Errorf("moved to %v without a file: %v", s.Clock.Now(), err)
		}
		return nil
	}, "", "-db", db)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"", "noon", "-1h"} {
		if err := os.WriteFile(db+".clock", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := run(t, func(context.Context, *play.Stage) error { return nil }, "", "-db", db); err == nil {
			t.Errorf("reads a clock file that holds %q", text)
		}
	}
}

func TestLaterInWords(t *testing.T) {
	words := map[time.Duration]string{
		24 * time.Hour:   "1 day",
		72 * time.Hour:   "3 days",
		time.Hour:        "1 hour",
		36 * time.Hour:   "36 hours",
		11 * time.Minute: "11 minutes",
		time.Second:      "1 second",
		61 * time.Second: "61 seconds",
		time.Millisecond: "1ms",
	}
	got, err := run(t, func(_ context.Context, s *play.Stage) error {
		for d, want := range words {
			s.Step("%s", want)
			if err := s.Later(d); err != nil {
				return err
			}
		}
		return nil
	}, "", "-db", database(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range words {
		if !strings.Contains(got, ". "+want+"\n   … "+want+" later …\n") {
			t.Errorf("no %q in %s", want, got)
		}
	}
}
