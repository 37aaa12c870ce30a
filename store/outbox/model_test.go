package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
)

// model is what an observer knows of a system of two processes that queue, replace, and dispatch in any order, with clocks
// that differ, a notifier that fails as it likes, and processes that die in the notifier.
type model struct {
	t      *testing.T
	memory *store.Memory
	clocks [2]*testkit.Clock
	rigs   [2]*rig
	lines  [2]*mortal
	opts   *outbox.Options
	bound  int // of a listing
	next   int
	state  map[string]string // of each message: added, wanted, committed, replaced, decoy

	sends   map[string]int // accepted by the notifier
	tries   map[string]int
	crashes map[string]int // of those, how often the process died before it could be written down
}

func newModel(tt *testing.T, t *rapid.T) *model {
	m := &model{
		t:       tt,
		memory:  newMemory(),
		opts:    &outbox.Options{Workers: 1, MaxTries: 4, Limits: outbox.Limits{Typed: civicpin.Rate{Limit: 3, Window: time.Minute}}},
		bound:   rapid.SampledFrom([]int{1, 2, 3, 10_000}).Draw(t, "bound"),
		state:   make(map[string]string),
		sends:   make(map[string]int),
		tries:   make(map[string]int),
		crashes: make(map[string]int),
	}
	for i := range m.rigs {
		m.clocks[i] = newClock()
		m.clocks[i].Add(time.Duration(i) * rapid.SampledFrom([]time.Duration{0, time.Second, time.Minute}).Draw(t, "skew"))
		m.start(t, i)
	}
	return m
}

// start starts a process, anew if it was there.
func (m *model) start(t require.TestingT, i int) {
	m.lines[i] = newMortal(m.memory)
	m.rigs[i] = newRig(t, m.lines[i], m.clocks[i], m.opts)
	m.rigs[i].out.Shrink(1<<13, m.bound)
}

// ref names message i by its text.
func (m *model) ref(text string) outbox.Ref { return m.rigs[0].clerk.ref("A", text) }

func (m *model) letter(text string) letter {
	return letter{State: "wanted", Text: text, To: mail("to-" + text[len(text)-1:] + "@example.org")}
}

// some draws a message in one of the given states.
func (m *model) some(t *rapid.T, states ...string) string {
	var in []string
	for i := range m.next {
		text := fmt.Sprintf("text-%03d", i)
		for _, s := range states {
			if m.state[text] == s {
				in = append(in, text)
			}
		}
	}
	if len(in) == 0 {
		t.Skip("no such message")
	}
	return rapid.SampledFrom(in).Draw(t, "message")
}

func (m *model) process(t *rapid.T) *rig {
	return m.rigs[rapid.IntRange(0, 1).Draw(t, "process")]
}

func (m *model) add(t *rapid.T) {
	text := fmt.Sprintf("text-%03d", m.next)
	m.next++
	r := m.process(t)
	if rapid.IntRange(0, 3).Draw(t, "decoy") == 0 {
		require.NoError(t, r.out.AddDecoy(t.Context(), m.ref(text)))
		m.state[text] = "decoy"
		return
	}
	require.NoError(t, r.out.Add(t.Context(), m.ref(text)))
	m.state[text] = "added"
}

func (m *model) write(t *rapid.T) {
	text := m.some(t, "added")
	require.NoError(t, m.process(t).clerk.write(t.Context(), m.ref(text), m.letter(text)))
	m.state[text] = "wanted"
}

func (m *model) commit(t *rapid.T) {
	text := m.some(t, "wanted", "committed", "decoy", "replaced")
	if m.rigs[0].clerk.state(t, m.ref(text)) == "failed" {
		return // a Commit so late would be a Retry
	}
	require.NoError(t, m.process(t).out.Commit(t.Context(), m.ref(text)))
	if m.state[text] == "wanted" {
		m.state[text] = "committed"
	}
}

func (m *model) replace(t *rapid.T) {
	text := m.some(t, "wanted", "committed")
	if m.rigs[0].clerk.state(t, m.ref(text)) == "accepted" {
		return
	}
	require.NoError(t, m.process(t).clerk.write(t.Context(), m.ref(text), letter{State: "replaced"}))
	m.state[text] = "replaced"
}

func (m *model) pass(t *rapid.T) {
	d := rapid.SampledFrom([]time.Duration{time.Second, 20 * time.Second, 3 * time.Minute, time.Hour}).Draw(t, "d")
	for _, c := range m.clocks {
		c.Add(d)
	}
}

func (m *model) retry(t *rapid.T) {
	dead := letters(t, m.rigs[0].out)
	if len(dead) == 0 {
		t.Skip("no dead letter")
	}
	l := rapid.SampledFrom(dead).Draw(t, "letter")
	require.NoError(t, m.process(t).out.Retry(t.Context(), l.Ref))
	m.tries[l.Ref.ID] = 0
}

// flush dispatches in one process, with a notifier of changing mood. It judges each message that arrives.
func (m *model) flush(t *rapid.T) {
	i := rapid.IntRange(0, 1).Draw(t, "process")
	moods := rapid.SliceOfN(rapid.SampledFrom([]string{"ok", "ok", "fail", "undeliverable", "panic", "die"}), 8, 8).Draw(t, "moods")
	r, line := m.rigs[i], m.lines[i]
	var wrong []string
	n := 0
	r.sink.then(func(_ context.Context, msg civicpin.Message) error {
		mood := moods[n%len(moods)]
		n++
		text := msg.Secret.Reveal()
		if s := m.state[text]; s != "wanted" && s != "committed" {
			wrong = append(wrong, text+" is "+s)
		}
		if m.sends[text] > m.crashes[text] {
			wrong = append(wrong, text+" was sent before")
		}
		if m.tries[text]++; m.tries[text] > m.opts.MaxTries {
			wrong = append(wrong, text+" was tried too often")
		}
		switch mood {
		case "ok":
			m.sends[text]++
		case "fail":
			return errors.New("not now")
		case "undeliverable":
			return civicpin.ErrUndeliverable
		case "panic":
			panic("oh")
		case "die":
			line.die() // the provider has it; nobody will know
			m.sends[text]++
			m.crashes[text]++
		}
		return nil
	})
	var err error
	synctest.Test(m.t, func(*testing.T) { err = r.out.Flush(context.Background()) }) // so that waiting takes no time
	require.Empty(t, wrong)
	if line.dead.Load() {
		m.start(t, i)
	} else {
		require.NoError(t, err)
	}
}

// settle lets everything come to its end, with a notifier that works.
func (m *model) settle(t *rapid.T) {
	for i := range m.rigs {
		m.rigs[i].sink.then(func(_ context.Context, msg civicpin.Message) error {
			m.sends[msg.Secret.Reveal()]++
			return nil
		})
	}
	// Long enough for any wait, and often enough for the limit of one address.
	for range 60 {
		for _, r := range m.rigs {
			require.NoError(t, r.out.Flush(t.Context()))
		}
		for _, c := range m.clocks {
			c.Add(2 * time.Hour)
		}
	}
}

func TestModel(t *testing.T) {
	outer := t
	rapid.Check(t, func(t *rapid.T) {
		m := newModel(outer, t)
		t.Repeat(map[string]func(*rapid.T){
			"add":     m.add,
			"write":   m.write,
			"commit":  m.commit,
			"replace": m.replace,
			"pass":    m.pass,
			"retry":   m.retry,
			"flush":   m.flush,
			"":        func(*rapid.T) {},
		})
		m.settle(t)
		dead := make(map[string]bool)
		for _, l := range letters(t, m.rigs[0].out) {
			dead[l.Ref.ID] = true
		}
		require.Zero(t, m.rigs[0].count(t, "outbox.entry"))
		for text, state := range m.state {
			at := text + " " + state
			require.LessOrEqual(t, m.sends[text], m.crashes[text]+1, at)
			switch state {
			case "committed":
				if m.sends[text] == 0 {
					require.True(t, dead[text], at)
					require.Equal(t, "failed", m.rigs[0].clerk.state(t, m.ref(text)), at)
				} else if !dead[text] {
					require.Equal(t, "accepted", m.rigs[0].clerk.state(t, m.ref(text)), at)
				}
			case "added", "decoy":
				require.Zero(t, m.sends[text], at)
			}
		}
	})
}
