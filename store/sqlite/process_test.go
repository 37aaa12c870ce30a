package sqlite_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/internal/testkit/processes"
	"github.com/civicpin/civicpin/store"
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
