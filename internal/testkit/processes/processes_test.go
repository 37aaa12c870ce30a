package processes_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/internal/testkit/processes"
)

// A job is what a child of these tests does.
type job struct {
	Do    string
	Times int
	Text  string
}

// TestChild is not a test: it is what a child runs.
func TestChild(t *testing.T) {
	processes.Serve(t, func(ctx context.Context, c *processes.Child, j job) error {
		switch j.Do {
		case "race":
			c.Race(j.Times, func() (string, error) { return j.Text, nil })
		case "race and fail":
			c.Race(j.Times, func() (string, error) { return "", errors.New(j.Text) })
		case "say and hang":
			c.Ready()
			for i := range j.Times {
				c.Say(j.Text, " ", i)
			}
			_, err := os.Stdout.WriteString("> half a li")
			if err != nil {
				return err
			}
			<-make(chan struct{})
		case "echo":
			for {
				c.Say(c.Hear())
			}
		case "fail":
			c.Ready()
			return errors.New(j.Text)
		case "return":
			c.Say("not", "ready")
		case "panic":
			c.Ready()
			panic(j.Text)
		case "be an orphan":
			return hold(c)
		case "have a child":
			p, err := processes.Launch(t, "TestChild", job{Do: "be an orphan"})
			if err != nil {
				return err
			}
			c.Say(p.Line(t))
			<-make(chan struct{})
		}
		return nil
	})
}

// hold says where a connection can be had that lives as long as this process.
func hold(c *processes.Child) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	c.Say(l.Addr())
	conn, err := l.Accept()
	if err != nil {
		return err
	}
	_, err = conn.Write([]byte("x"))
	<-make(chan struct{})
	return err
}

func TestRun(t *testing.T) {
	text := "a text\nwith \"all\" sorts of $things"
	require.Equal(t, map[string]int{strings.ReplaceAll(text, "\n", " "): 40, "b": 1},
		processes.Run(t, "TestChild", job{"race", 40, text}, job{"race", 1, "b"}))
}

// Nothing begins before all may.
func TestGo(t *testing.T) {
	g := processes.Start(t, "TestChild", job{"race", 2, "a"}, job{"race", 3, "b"})
	g[1].Go(t)
	require.Equal(t, []string{"b", "b", "b"}, g[1].Finish(t))
	g[0].Go(t)
	require.Equal(t, []string{"a", "a"}, g[0].Finish(t))
}

// What a child said is there after its death, but for what it had not said wholly.
func TestKill(t *testing.T) {
	g := processes.Start(t, "TestChild", job{"say and hang", 3, "a"}, job{"say and hang", 3, "b"})
	g.Go(t)
	require.Equal(t, map[string]int{"a 0": 1, "b 0": 1}, g.Lines(t, 1))
	require.Equal(t, []string{"a 1", "a 2"}, []string{g[0].Line(t), g[0].Line(t)})
	require.Equal(t, []string{"b 1", "b 2"}, []string{g[1].Line(t), g[1].Line(t)})
	require.Empty(t, g.Kill(t))
	g = processes.Start(t, "TestChild", job{"say and hang", 1000, "a"})
	g.Go(t)
	first := g[0].Line(t)
	require.Equal(t, "a 0", first)
	for i, line := range g[0].Kill(t) {
		require.Equal(t, "a "+strconv.Itoa(i+1), line)
	}
}

func TestTell(t *testing.T) {
	p, err := processes.Launch(t, "TestChild", job{Do: "echo"})
	require.NoError(t, err)
	for _, line := range []string{"one", "", "two and three"} {
		require.NoError(t, p.Tell(line))
		require.Equal(t, line, p.Line(t))
	}
	require.NoError(t, p.Signal(os.Kill))
	_, err = p.Next()
	require.ErrorIs(t, err, io.EOF)
}

// A failing is a test that may fail.
type failing struct {
	testing.TB
	why string
}

func (f *failing) Fatal(a ...any) { f.Fatalf("%s", fmt.Sprint(a...)) }

func (f *failing) Fatalf(format string, a ...any) {
	f.why = fmt.Sprintf(format, a...)
	runtime.Goexit()
}

// A child that fails, or never came to its job, is not taken for one that is silent.
func TestFailures(t *testing.T) {
	run := func(f *failing, test string, j job) { processes.Run(f, test, j) }
	for _, tc := range []struct {
		test, do string
		act      func(*failing, string, job)
		why      string
	}{
		{"TestChild", "fail", run, "the child failed: the reason"},
		{"TestChild", "race and fail", run, "the child failed: the reason"},
		{"TestChild", "panic", run, "the child failed: exit status 2"},
		{"TestChild", "return", run, "the child is not ready, but said"},
		{"TestNowhere", "race", run, "no line of the child: EOF"},
		{"TestChild", "race", func(f *failing, test string, j job) {
			g := processes.Start(f, test, j)
			g.Go(f)
			g.Finish(f)
			g[0].Kill(f)
		}, "process already finished"},
		{"TestChild", "race", func(f *failing, test string, j job) {
			g := processes.Start(f, test, j)
			g.Go(f)
			for range j.Times {
				g[0].Line(f)
			}
			_, _ = g[0].Next() // its end, which is not waited for
			time.Sleep(100 * time.Millisecond)
			g[0].Kill(f)
		}, "ended before it could be killed"},
	} {
		t.Run(tc.test+" "+tc.do, func(t *testing.T) {
			f := &failing{TB: t}
			done := make(chan struct{})
			go func() {
				defer close(done)
				tc.act(f, tc.test, job{tc.do, 3, "the reason"})
			}()
			<-done
			require.Contains(t, f.why, tc.why)
		})
	}
}

// A child ends when the process that started it does, which had no time to end it.
func TestEndsWithItsParent(t *testing.T) {
	parent, err := processes.Launch(t, "TestChild", job{Do: "have a child"})
	require.NoError(t, err)
	conn, err := net.Dial("tcp", parent.Line(t))
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.SetDeadline(time.Now().Add(20*time.Second)))
	_, err = conn.Read(make([]byte, 1))
	require.NoError(t, err, "it lives")
	require.Empty(t, parent.Kill(t))
	_, err = conn.Read(make([]byte, 1))
	require.Error(t, err)
	require.NotErrorIs(t, err, os.ErrDeadlineExceeded)
}
