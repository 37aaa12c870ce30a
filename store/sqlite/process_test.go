package sqlite_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit/processes"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
	"github.com/civicpin/civicpin/store/sqlite"
)

// children is how many programs share a file in these tests.
const children = 4

// A fileJob is what a child does with a file.
type fileJob struct {
	Path  string
	Times int
	Text  string
}

// serve does a job with a file, which the child opens once it may begin.
func serve(t *testing.T, do func(ctx context.Context, c *processes.Child, s *sqlite.Store, j fileJob) error) {
	t.Helper()
	processes.Serve(t, func(ctx context.Context, c *processes.Child, j fileJob) error {
		c.Ready()
		s, err := sqlite.Open(ctx, j.Path)
		if err != nil {
			return err
		}
		return errors.Join(do(ctx, c, s, j), s.Close())
	})
}

// child starts a child with a job, and lets it begin.
func child(t *testing.T, test string, j fileJob) *processes.Process {
	t.Helper()
	g := processes.Start(t, test, j)
	g.Go(t)
	return g[0]
}

// each returns a job for each child.
func each[J any](job func(i int) J) []J {
	var jobs []J
	for i := range children {
		jobs = append(jobs, job(i))
	}
	return jobs
}

// TestIncrementer is not a test: it is a child that adds one to a record n times, by compare-and-swap.
func TestIncrementer(t *testing.T) {
	serve(t, func(ctx context.Context, _ *processes.Child, s *sqlite.Store, j fileJob) error {
		for range j.Times {
			if err := increment(ctx, s); err != nil {
				return err
			}
		}
		return nil
	})
}

func increment(ctx context.Context, s *sqlite.Store) error {
	for {
		r, err := s.Get(ctx, "counter")
		if errors.Is(err, store.ErrNotFound) {
			r = store.Record{Value: make([]byte, 8)}
		} else if err != nil {
			return err
		}
		binary.BigEndian.PutUint64(r.Value, binary.BigEndian.Uint64(r.Value)+1)
		if _, err = s.Put(ctx, "counter", r); !errors.Is(err, store.ErrConflict) {
			return err
		}
	}
}

func TestProcessesIncrement(t *testing.T) {
	path := newPath(t)
	const times = 100
	processes.Run(t, "TestIncrementer", each(func(int) fileJob { return fileJob{Path: path, Times: times} })...)
	r, err := open(t, path).Get(t.Context(), "counter")
	require.NoError(t, err)
	require.Equal(t, uint64(children*times), binary.BigEndian.Uint64(r.Value))
}

// TestCreator is not a test: it is a child that tries to create the same keys as the others, and says which it created.
func TestCreator(t *testing.T) {
	serve(t, func(ctx context.Context, c *processes.Child, s *sqlite.Store, j fileJob) error {
		for i := range j.Times {
			_, err := s.Put(ctx, fmt.Sprintf("key/%d", i), store.Record{Value: []byte(j.Text)})
			switch {
			case err == nil:
				c.Say(i)
			case !errors.Is(err, store.ErrConflict):
				return err
			}
		}
		return nil
	})
}

func TestProcessesCreateOnce(t *testing.T) {
	path := newPath(t)
	const keys = 100
	all := processes.Start(t, "TestCreator", each(func(i int) fileJob { return fileJob{path, keys, strconv.Itoa(i)} })...)
	all.Go(t)
	winners := make(map[string][]string)
	for i, p := range all {
		for _, key := range p.Finish(t) {
			winners[key] = append(winners[key], strconv.Itoa(i))
		}
	}
	require.Len(t, winners, keys)
	s := open(t, path)
	for key, won := range winners {
		require.Len(t, won, 1, "key %s", key)
		r, err := s.Get(t.Context(), "key/"+key)
		require.NoError(t, err)
		require.Equal(t, won[0], string(r.Value))
	}
}

// TestOpener is not a test: it is a child that opens a file.
func TestOpener(t *testing.T) {
	serve(t, func(context.Context, *processes.Child, *sqlite.Store, fileJob) error { return nil })
}

// Several programs that start at once must all get the file, its log and its schema, whoever makes them.
func TestProcessesStartAtOnce(t *testing.T) {
	for range 3 {
		path := newPath(t)
		processes.Run(t, "TestOpener", each(func(int) fileJob { return fileJob{Path: path} })...)
		put(t, open(t, path), "k", "v", 0)
		var versions int
		require.NoError(t, openRaw(t, path).QueryRow("SELECT count(*) FROM civicpin_records_schema").Scan(&versions))
		require.Equal(t, 1, versions)
	}
}

// TestWriter is not a test: it is a child that creates records for ever, replaces every second and deletes every third one, and
// says what was acknowledged.
func TestWriter(t *testing.T) {
	serve(t, func(ctx context.Context, c *processes.Child, s *sqlite.Store, j fileJob) error {
		value := bytes.Repeat([]byte(j.Text), 3000)
		for i := 0; ; i++ {
			key := fmt.Sprintf("w%s/%d", j.Text, i)
			v, err := s.Put(ctx, key, store.Record{Value: value})
			if err != nil {
				return err
			}
			c.Say(key, " ", v)
			if i%2 == 0 {
				if v, err = s.Put(ctx, key, store.Record{Value: value, Version: v}); err != nil {
					return err
				}
				c.Say(key, " ", v)
			}
			if i%3 == 0 {
				if err := s.Delete(ctx, key, v); err != nil {
					return err
				}
				c.Say(key, " ", 0)
			}
		}
	})
}

// What was acknowledged must be there after kill -9, what was not must be there wholly or not at all, and the file intact.
func TestKill(t *testing.T) {
	path := newPath(t)
	acknowledged := make(map[string]string) // key to version, "0" for deleted
	last := make([]string, 0, 3*children)   // the last key of each process: its next write may have happened or not
	for round := range 3 {
		all := processes.Start(t, "TestWriter", each(func(i int) fileJob {
			return fileJob{Path: path, Text: strconv.Itoa(children*round + i)}
		})...)
		all.Go(t)
		latest := make([]string, children)
		for i, p := range all {
			for range 20 {
				latest[i] = note(acknowledged, p.Line(t))
			}
		}
		for i, p := range all {
			for _, line := range p.Kill(t) {
				latest[i] = note(acknowledged, line)
			}
		}
		last = append(last, latest...)
		var verdict string
		s := open(t, path)
		require.NoError(t, sqlite.Readers(s).QueryRow("PRAGMA integrity_check").Scan(&verdict))
		require.Equal(t, "ok", verdict)
		for key, version := range acknowledged {
			if slices.Contains(last, key) {
				continue
			}
			r, err := s.Get(t.Context(), key)
			if version == "0" {
				require.ErrorIs(t, err, store.ErrNotFound, key)
				continue
			}
			require.NoError(t, err, key)
			require.Equal(t, version, fmt.Sprint(uint64(r.Version)), key)
		}
		unacknowledged := 0
		for item, err := range s.List(t.Context(), "", "") {
			require.NoError(t, err)
			writer, _, _ := strings.Cut(strings.TrimPrefix(item.Key, "w"), "/")
			require.Equal(t, strings.Repeat(writer, 3000), string(item.Value), "a write is there wholly")
			if acknowledged[item.Key] != fmt.Sprint(uint64(item.Version)) {
				unacknowledged++
			}
		}
		require.LessOrEqual(t, unacknowledged, children*(round+1), "each process had at most one write under way")
	}
}

func note(acknowledged map[string]string, line string) (key string) {
	key, version, _ := strings.Cut(line, " ")
	acknowledged[key] = version
	return key
}

// TestFollower is not a test: it is a child that says what it reads whenever it is told to, until it is told to stop.
func TestFollower(t *testing.T) {
	serve(t, func(ctx context.Context, c *processes.Child, s *sqlite.Store, _ fileJob) error {
		for {
			r, err := s.Get(ctx, "news")
			if err != nil {
				return err
			}
			c.Say(string(r.Value))
			if c.Hear() == "stop" {
				return nil
			}
		}
	})
}

// A Get sees what any process wrote before: no connection may go on reading from an older snapshot.
func TestProcessesSeeEveryWrite(t *testing.T) {
	path := newPath(t)
	s := open(t, path)
	v := put(t, s, "news", "0", 0)
	all := processes.Start(t, "TestFollower", each(func(int) fileJob { return fileJob{Path: path} })...)
	all.Go(t)
	for i := range 100 {
		require.Equal(t, map[string]int{strconv.Itoa(i): children}, all.Lines(t, 1))
		v = put(t, s, "news", strconv.Itoa(i+1), v)
		all.Go(t)
	}
	require.Equal(t, map[string]int{"100": children}, all.Lines(t, 1))
	for _, p := range all {
		require.NoError(t, p.Tell("stop"))
	}
	require.Empty(t, all.Finish(t))
}

// TestHolder is not a test: it is a child that takes the write lock, says so, and keeps it until it is told to let go.
func TestHolder(t *testing.T) {
	serve(t, func(ctx context.Context, c *processes.Child, s *sqlite.Store, _ fileJob) error {
		tx, err := sqlite.Writer(s).BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		c.Say("held")
		c.Hear()
		return tx.Commit()
	})
}

// These tests kill real processes that queue and send, and look what the next one makes of what they left in the file.

// notice is a record that owns one message.
type notice struct {
	Text     string
	To       civicpin.Contact
	Accepted bool
	Replaced bool
}

// notices is their owner.
type notices struct{ kind store.Kind[notice] }

func (n notices) Confirm(ctx context.Context, r outbox.Ref) (civicpin.Message, error) {
	e, err := n.kind.Get(ctx, store.Key{Subject: r.Subject, ID: r.ID})
	if errors.Is(err, store.ErrNotFound) || err == nil && (e.Value.Accepted || e.Value.Replaced) {
		return civicpin.Message{}, outbox.ErrWithdrawn
	}
	if err != nil {
		return civicpin.Message{}, err
	}
	return civicpin.Message{Kind: "notice", To: e.Value.To, Secret: civicpin.NewSecret(e.Value.Text)}, nil
}

func (n notices) Settle(ctx context.Context, r outbox.Ref, what outbox.Outcome) error {
	_, err := n.kind.Update(ctx, store.Key{Subject: r.Subject, ID: r.ID}, func(e *store.Entry[notice]) error {
		if !e.Found() || e.Value.Replaced {
			return outbox.ErrWithdrawn
		}
		e.Value.Accepted = !what.Failed
		return nil
	})
	return err
}

// office is one process's view of a directory with a file of records and one of keys.
type office struct {
	store   *sqlite.Store
	notices notices
	out     *outbox.Outbox
}

// openOffice opens a directory. Its clock is ahead by that much.
func openOffice(ctx context.Context, dir string, ahead time.Duration, n civicpin.Notifier) (*office, error) {
	s, err := sqlite.Open(ctx, filepath.Join(dir, "records.db"))
	if err != nil {
		return nil, err
	}
	keys, err := store.ReadKeyFile(filepath.Join(dir, "keys"))
	if err != nil {
		return nil, err
	}
	v, err := store.OpenVault(ctx, s, keys, &store.Options{Now: func() time.Time { return time.Now().Add(ahead) }})
	if err != nil {
		return nil, err
	}
	kind, err := store.NewKind[notice](v, "notice")
	if err != nil {
		return nil, err
	}
	out, err := outbox.New(v, n, &outbox.Options{Poll: 20 * time.Millisecond})
	if err != nil {
		return nil, err
	}
	o := &office{store: s, notices: notices{kind}, out: out}
	return o, out.Register("notices", o.notices)
}

func noticeRef(text string) outbox.Ref {
	return outbox.Ref{Owner: "notices", Subject: "RSSMRA80A01H501U", ID: text}
}

// post queues a message. After each step it tells which.
func (o *office) post(ctx context.Context, text string, step func(string)) error {
	ref := noticeRef(text)
	r := outbox.Request{Subject: ref.Subject, Refs: []outbox.Ref{ref}}
	err := o.out.Announce(ctx, r, func(ctx context.Context) error {
		step("added " + text)
		e := store.Entry[notice]{Key: store.Key{Subject: ref.Subject, ID: ref.ID}}
		e.Value = notice{Text: text, To: civicpin.Contact{Channel: civicpin.Email, Address: text + "@example.org"}}
		if err := o.notices.kind.Put(ctx, &e); err != nil {
			return err
		}
		step("written " + text)
		return nil
	})
	if err != nil {
		return err
	}
	step("committed " + text)
	return nil
}

// An outboxJob is what a child does in a directory until it is killed.
type outboxJob struct {
	Dir   string
	Queue bool // queues for ever
	Send  bool // sends
	Hang  bool // never comes back from the notifier
}

// TestOutboxChild is not a test: it is a child that queues and sends. It says each step.
func TestOutboxChild(t *testing.T) {
	processes.Serve(t, func(ctx context.Context, c *processes.Child, j outboxJob) error {
		o, err := openOffice(ctx, j.Dir, 0, civicpin.NotifierFunc(func(_ context.Context, m civicpin.Message) (string, error) {
			c.Say("sent ", m.Secret.Reveal(), " ", m.ID)
			if j.Hang {
				select {}
			}
			return "", nil
		}))
		if err != nil {
			return err
		}
		c.Ready()
		if !j.Queue {
			return o.out.Run(ctx)
		}
		if j.Send {
			go func() { _ = o.out.Run(ctx) }()
		}
		for i := 0; ; i++ {
			if err := o.post(ctx, fmt.Sprint("n", i), func(step string) { c.Say(step) }); err != nil {
				return err
			}
		}
	})
}

// newOffice makes a directory for an office.
func newOffice(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	_, err := store.CreateKeyFile(filepath.Join(dir, "keys"))
	require.NoError(t, err)
	return dir
}

// runAndKill starts a child, kills it with SIGKILL when enough says so of a line, and returns all that it said.
func runAndKill(t *testing.T, j outboxJob, enough func(line string) bool) (said []string) {
	t.Helper()
	all := processes.Start(t, "TestOutboxChild", j)
	all.Go(t)
	for {
		line := all[0].Line(t)
		said = append(said, line)
		if enough(line) {
			return append(said, all[0].Kill(t)...)
		}
	}
}

// arrivals are the messages that a notifier was given: how often each text came, and under which ids.
type arrivals struct {
	mu    sync.Mutex
	count map[string]int
	ids   map[string]map[string]bool
}

func newArrivals() *arrivals {
	return &arrivals{count: make(map[string]int), ids: make(map[string]map[string]bool)}
}

func (a *arrivals) note(text, id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.count[text]++
	if a.ids[text] == nil {
		a.ids[text] = make(map[string]bool)
	}
	a.ids[text][id] = true
}

func (a *arrivals) Notify(_ context.Context, m civicpin.Message) (string, error) {
	a.note(m.Secret.Reveal(), m.ID)
	return "", nil
}

// flushLater is the next process, after every claim and grace has run out.
func flushLater(t *testing.T, dir string, a *arrivals) *office {
	t.Helper()
	var o *office
	for _, ahead := range []time.Duration{10 * time.Minute, 20 * time.Minute} { // the second finds what the first doubted
		if o != nil {
			require.NoError(t, o.store.Close())
		}
		var err error
		o, err = openOffice(t.Context(), dir, ahead, a)
		require.NoError(t, err)
		require.NoError(t, o.out.Flush(t.Context()))
	}
	t.Cleanup(func() { require.NoError(t, o.store.Close()) })
	for item, err := range o.store.List(t.Context(), "outbox.entry/", "") {
		require.NoError(t, err)
		t.Errorf("%s is left", item.Key)
	}
	return o
}

// reached returns how far each text came: "added", "written", "committed".
func reached(said []string) map[string]string {
	out := make(map[string]string)
	for _, line := range said {
		if step, text, ok := strings.Cut(line, " "); ok && step != "sent" {
			out[text] = step
		}
	}
	return out
}

// Killed while it queues, at each step: what has its record is sent once, and what has none is not sent; and what was
// replaced before it could be sent is not sent.
func TestKillBetweenCommitAndSend(t *testing.T) {
	for _, step := range []string{"added", "written", "committed"} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			dir := newOffice(t)
			said := runAndKill(t, outboxJob{Dir: dir, Queue: true}, func(line string) bool { return line == step+" n5" })
			a := newArrivals()

			o, err := openOffice(t.Context(), dir, 0, a)
			require.NoError(t, err)
			_, err = o.notices.kind.Update(t.Context(), store.Key{Subject: noticeRef("n2").Subject, ID: "n2"}, func(e *store.Entry[notice]) error {
				e.Value.Replaced = true
				return nil
			})
			require.NoError(t, err)
			require.NoError(t, o.store.Close())

			o = flushLater(t, dir, a)
			require.Zero(t, a.count["n2"])
			delete(a.count, "n2")
			for text, step := range reached(said) {
				if step != "added" && text != "n2" { // the entry was there before the record, and no dispatcher since
					require.Equal(t, 1, a.count[text], text)
				}
			}
			for text, n := range a.count {
				require.Equal(t, 1, n, text)
				e, err := o.notices.kind.Get(t.Context(), store.Key{Subject: noticeRef(text).Subject, ID: text})
				require.NoError(t, err)
				require.True(t, e.Value.Accepted, text)
			}
		})
	}
}

// Killed between send and mark: what was in the notifier's hands is sent once more, under the same id; the rest once.
func TestKillBetweenSendAndMark(t *testing.T) {
	t.Parallel()
	dir := newOffice(t)
	a := newArrivals()
	o, err := openOffice(t.Context(), dir, 0, a)
	require.NoError(t, err)
	const all = 10
	for i := range all {
		require.NoError(t, o.post(t.Context(), fmt.Sprint("n", i), func(string) {}))
	}
	require.NoError(t, o.store.Close())

	n := 0
	said := runAndKill(t, outboxJob{Dir: dir, Send: true, Hang: true}, func(string) bool { n++; return n == 3 })
	hung := make(map[string]bool)
	for _, line := range said {
		f := strings.Fields(line)
		require.Len(t, f, 3)
		hung[f[1]] = true
		a.note(f[1], f[2])
	}
	require.GreaterOrEqual(t, len(hung), 3)

	// Right after, the claims of the dead process still hold; what it had not begun is sent.
	o, err = openOffice(t.Context(), dir, 0, a)
	require.NoError(t, err)
	require.NoError(t, o.out.Flush(t.Context()))
	require.NoError(t, o.store.Close())
	for i := range all {
		text := fmt.Sprint("n", i)
		// A claim that was made just before the kill is not sent yet.
		require.LessOrEqual(t, a.count[text], 1, text)
	}

	flushLater(t, dir, a)
	for i := range all {
		text := fmt.Sprint("n", i)
		want := 1
		if hung[text] {
			want = 2
		}
		require.Equal(t, want, a.count[text], text)
		require.Len(t, a.ids[text], 1, text)
	}
}

// Killed somewhere, several times, while it queues and sends: nothing acknowledged is lost, and nothing is sent oftener than
// once and once more for each kill that it was in flight at.
func TestKillAnywhere(t *testing.T) {
	t.Parallel()
	for _, when := range []string{"added", "written", "committed", "sent"} {
		dir := newOffice(t)
		sent := false
		said := runAndKill(t, outboxJob{Dir: dir, Queue: true, Send: true}, func(line string) bool {
			f := strings.Fields(line)
			n, err := strconv.Atoi(strings.TrimPrefix(f[1], "n"))
			require.NoError(t, err)
			sent = sent || f[0] == "sent" // on a loaded machine this may take a while
			return sent && f[0] == when && n >= 9
		})
		a := newArrivals()
		for _, line := range said {
			if f := strings.Fields(line); f[0] == "sent" {
				a.note(f[1], f[2])
			}
		}
		before := len(a.count)
		require.NotZero(t, before)
		flushLater(t, dir, a)
		twice := 0
		for text, step := range reached(said) {
			if step == "committed" {
				require.GreaterOrEqual(t, a.count[text], 1, "%s, killed at %s", text, when)
			}
		}
		for text, n := range a.count {
			require.LessOrEqual(t, n, 2, "%s, killed at %s", text, when)
			require.Len(t, a.ids[text], 1)
			if n == 2 {
				twice++
			}
		}
		require.LessOrEqual(t, twice, 4, "as many as a Run sends at once")
	}
}
