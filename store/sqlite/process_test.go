package sqlite_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/sqlite"
)

// processes is how many programs share a file in these tests.
const processes = 4

// jobVariable names what a test binary that was started as a child has to do.
const jobVariable = "CIVICPIN_SQLITE_TEST_JOB"

// A process is a child with its pipes. Each job begins when it reads a line.
type process struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Reader
	errors *bytes.Buffer
}

// child starts this test binary once more, with a job on a file, and lets it begin.
func child(t *testing.T, job, path string, args ...string) *process {
	t.Helper()
	p := waitingChild(t, job, path, args...)
	p.begin(t)
	return p
}

func waitingChild(t *testing.T, job, path string, args ...string) *process {
	t.Helper()
	p := &process{cmd: exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestChildProcess$"), errors: new(bytes.Buffer)}
	p.cmd.Env = append(os.Environ(), jobVariable+"="+job+"\n"+path+"\n"+strings.Join(args, "\n"))
	p.cmd.Stderr = p.errors
	var err error
	p.in, err = p.cmd.StdinPipe()
	require.NoError(t, err)
	out, err := p.cmd.StdoutPipe()
	require.NoError(t, err)
	p.out = bufio.NewReader(out)
	require.NoError(t, p.cmd.Start())
	require.Equal(t, "ready", p.line(t))
	return p
}

// begin lets the child do its job, or the next part of it.
func (p *process) begin(t *testing.T) {
	t.Helper()
	_, err := io.WriteString(p.in, "\n")
	require.NoError(t, err)
}

func (p *process) line(t *testing.T) string {
	t.Helper()
	s, err := p.out.ReadString('\n')
	require.NoError(t, err, "%s", p.errors)
	return strings.TrimSuffix(s, "\n")
}

// finish waits for the child's end and returns what it printed.
func (p *process) finish(t *testing.T) string {
	t.Helper()
	rest, err := io.ReadAll(p.out)
	require.NoError(t, err)
	require.NoError(t, p.cmd.Wait(), "%s%s", rest, p.errors)
	return string(rest)
}

// TestChildProcess is not a test: it is what a child runs.
func TestChildProcess(t *testing.T) {
	fields := strings.Split(os.Getenv(jobVariable), "\n")
	if len(fields) < 2 {
		return
	}
	lines := bufio.NewScanner(os.Stdin)
	fmt.Println("ready")
	if !lines.Scan() {
		os.Exit(3)
	}
	// os.Exit, so that the test package prints nothing after what the job printed.
	if err := jobs[fields[0]](fields[1], fields[2:], lines); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

var jobs = map[string]func(path string, args []string, lines *bufio.Scanner) error{
	"increment": increment,
	"create":    createMany,
	"open":      openOnly,
	"write":     writeForever,
	"follow":    follow,
	"hold":      hold,
}

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		panic(err)
	}
	return n
}

func withStore(path string, do func(ctx context.Context, s *sqlite.Store) error) error {
	ctx := context.Background()
	s, err := sqlite.Open(ctx, path)
	if err != nil {
		return err
	}
	return errors.Join(do(ctx, s), s.Close())
}

// increment adds one to a record n times, by compare-and-swap.
func increment(path string, args []string, _ *bufio.Scanner) error {
	return withStore(path, func(ctx context.Context, s *sqlite.Store) error {
		for range number(args[0]) {
			for {
				r, err := s.Get(ctx, "counter")
				if errors.Is(err, store.ErrNotFound) {
					r = store.Record{Value: make([]byte, 8)}
				} else if err != nil {
					return err
				}
				binary.BigEndian.PutUint64(r.Value, binary.BigEndian.Uint64(r.Value)+1)
				_, err = s.Put(ctx, "counter", r)
				if err == nil {
					break
				}
				if !errors.Is(err, store.ErrConflict) {
					return err
				}
			}
		}
		return nil
	})
}

func TestProcessesIncrement(t *testing.T) {
	path := newPath(t)
	const each = 100
	var all []*process
	for range processes {
		all = append(all, waitingChild(t, "increment", path, strconv.Itoa(each)))
	}
	for _, p := range all {
		p.begin(t)
	}
	for _, p := range all {
		p.finish(t)
	}
	r, err := open(t, path).Get(t.Context(), "counter")
	require.NoError(t, err)
	require.Equal(t, uint64(processes*each), binary.BigEndian.Uint64(r.Value))
}

// createMany tries to create the same keys as everybody else, and prints those that it created.
func createMany(path string, args []string, _ *bufio.Scanner) error {
	return withStore(path, func(ctx context.Context, s *sqlite.Store) error {
		for i := range number(args[0]) {
			_, err := s.Put(ctx, fmt.Sprintf("key/%d", i), store.Record{Value: []byte(args[1])})
			switch {
			case err == nil:
				fmt.Println(i)
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
	var all []*process
	for i := range processes {
		all = append(all, waitingChild(t, "create", path, strconv.Itoa(keys), strconv.Itoa(i)))
	}
	for _, p := range all {
		p.begin(t)
	}
	winners := make(map[string][]string)
	for i, p := range all {
		for key := range strings.FieldsSeq(p.finish(t)) {
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

func openOnly(path string, _ []string, _ *bufio.Scanner) error {
	return withStore(path, func(context.Context, *sqlite.Store) error { return nil })
}

// Several programs that start at once must all get the file, its log and its schema, whoever makes them.
func TestProcessesStartAtOnce(t *testing.T) {
	for range 3 {
		path := newPath(t)
		var all []*process
		for range processes {
			all = append(all, waitingChild(t, "open", path))
		}
		for _, p := range all {
			p.begin(t)
		}
		for _, p := range all {
			p.finish(t)
		}
		put(t, open(t, path), "k", "v", 0)
		var versions int
		require.NoError(t, openRaw(t, path).QueryRow("SELECT count(*) FROM civicpin_records_schema").Scan(&versions))
		require.Equal(t, 1, versions)
	}
}

// writeForever creates records, replaces every second and deletes every third one, and prints what was acknowledged.
func writeForever(path string, args []string, _ *bufio.Scanner) error {
	return withStore(path, func(ctx context.Context, s *sqlite.Store) error {
		value := bytes.Repeat([]byte(args[0]), 3000)
		for i := 0; ; i++ {
			key := fmt.Sprintf("w%s/%d", args[0], i)
			v, err := s.Put(ctx, key, store.Record{Value: value})
			if err != nil {
				return err
			}
			fmt.Println("put", key, v)
			if i%2 == 0 {
				if v, err = s.Put(ctx, key, store.Record{Value: value, Version: v}); err != nil {
					return err
				}
				fmt.Println("put", key, v)
			}
			if i%3 == 0 {
				if err := s.Delete(ctx, key, v); err != nil {
					return err
				}
				fmt.Println("delete", key, 0)
			}
		}
	})
}

// What was acknowledged must be there after kill -9, what was not must be there wholly or not at all, and the file intact.
func TestKill(t *testing.T) {
	path := newPath(t)
	acknowledged := make(map[string]string) // key to version, "0" for deleted
	last := make([]string, 0, 3*processes)  // the last key of each process: its next write may have happened or not
	for round := range 3 {
		var all []*process
		for i := range processes {
			all = append(all, child(t, "write", path, strconv.Itoa(processes*round+i)))
		}
		latest := make([]string, processes)
		for i, p := range all {
			for range 20 {
				latest[i] = note(acknowledged, p.line(t))
			}
		}
		for _, p := range all {
			require.NoError(t, p.cmd.Process.Kill())
		}
		for i, p := range all {
			rest, err := io.ReadAll(p.out)
			require.NoError(t, err)
			for line := range strings.Lines(string(rest)) {
				if strings.HasSuffix(line, "\n") {
					latest[i] = note(acknowledged, strings.TrimSpace(line))
				}
			}
			require.Error(t, p.cmd.Wait(), "it was killed")
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
		require.LessOrEqual(t, unacknowledged, processes*(round+1), "each process had at most one write under way")
	}
}

func note(acknowledged map[string]string, line string) (key string) {
	fields := strings.Fields(line)
	acknowledged[fields[1]] = fields[2]
	return fields[1]
}

// follow prints what it reads whenever it is told to.
func follow(path string, _ []string, lines *bufio.Scanner) error {
	return withStore(path, func(ctx context.Context, s *sqlite.Store) error {
		for {
			r, err := s.Get(ctx, "news")
			if err != nil {
				return err
			}
			fmt.Println(string(r.Value))
			if !lines.Scan() {
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
	var all []*process
	for range processes {
		all = append(all, child(t, "follow", path))
	}
	for i := range 100 {
		for _, p := range all {
			require.Equal(t, strconv.Itoa(i), p.line(t))
		}
		v = put(t, s, "news", strconv.Itoa(i+1), v)
		for _, p := range all {
			p.begin(t)
		}
	}
	for _, p := range all {
		require.Equal(t, "100", p.line(t))
		require.NoError(t, p.in.Close())
		p.finish(t)
	}
}

// hold takes the write lock, says so, and keeps it until it is told to let go.
func hold(path string, _ []string, lines *bufio.Scanner) error {
	return withStore(path, func(ctx context.Context, s *sqlite.Store) error {
		tx, err := sqlite.Writer(s).BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		fmt.Println("held")
		lines.Scan()
		return tx.Commit()
	})
}
