package turns_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/gcra"
	"github.com/civicpin/civicpin/internal/turns"
)

const (
	stale = 30 * time.Minute // how long a message that does not ask is waited for
	year  = 365 * 24 * time.Hour
)

var start = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// after returns the time so long after the start.
func after(text string) time.Time {
	d, err := time.ParseDuration(text)
	if err != nil {
		panic(err)
	}
	return start.Add(d)
}

// question returns the question of a message, whose first letter is its subject: "a1", "a2<a1" for one that replaces another,
// "a1/g" for one of a group, "a1~5m" for one that expires five minutes after the start.
func question(text string, now time.Time) turns.Question {
	text, life, mortal := strings.Cut(text, "~")
	text, group, _ := strings.Cut(text, "/")
	entry, replaces, _ := strings.Cut(text, "<")
	a := turns.Question{Entry: entry, Subject: entry[:1], Group: group, Replaces: replaces, Now: now}
	if mortal {
		a.Expires = after(life)
	}
	return a
}

// words returns an answer as a text: "go", "go +2" with two others, "wait 10m" from the start, "refuse", "merged", with "!" if
// that is worth an event.
func words(a turns.Answer) string {
	s := map[turns.Verdict]string{turns.Go: "go", turns.Wait: "wait", turns.Refuse: "refuse", turns.Merged: "merged"}[a.Verdict]
	if a.Verdict == turns.Wait {
		s += " " + strings.Replace(strings.Replace(a.At.Sub(start).String(), "m0s", "m", 1), "h0m", "h", 1)
	}
	if a.More > 0 {
		s += fmt.Sprintf(" +%d", a.More)
	}
	if a.Tell {
		s += "!"
	}
	return s
}

func rule(limit int, window time.Duration) turns.Rule {
	return turns.Rule{Rate: civicpin.Rate{Limit: limit, Window: window}, Most: 64, Hold: year}
}

func TestSteps(t *testing.T) {
	const m, h = time.Minute, time.Hour
	merge, few, hold := rule(1, 3*h), rule(1, 10*m), rule(1, 10*m)
	merge.Merge, few.Most, hold.Hold = true, 3, 15*m
	two, four := few, rule(2, 20*m)
	two.Most, four.Most = 2, 4
	for _, c := range []struct {
		name  string
		rule  turns.Rule
		steps string // when, which message, and what it is told
	}{
		{
			"the rate", rule(2, 20*m),
			"0m a1 go; 0m a2 go; 0m a3 wait 10m!; 5m a3 wait 10m; 10m a3 go; 10m a3 go; 10m a4 wait 20m; 70m a3 go; 71m b1 go; " +
				"71m b2 go; 71m b3 wait 1h21m!",
		},
		{"it is remembered for an hour", rule(1, 2*h), "0m a1 go; 1h a1 go; 61m a1 wait 2h!"},
		{
			"subjects take turns", rule(1, 10*m),
			"0m a1 go; 0m a2 wait 10m!; 0m a3 wait 20m; 0m a4 wait 30m; 0m b1 wait 10m; 0m b2 wait 30m; 0m c1 wait 20m; " +
				"10m a2 wait 30m; 10m b1 go; 20m a3 wait 50m; 20m c1 go; 30m a2 go; 30m b2 wait 40m; 40m b2 go; 50m a3 go",
		},
		{
			"one that leaves", rule(1, 10*m),
			"0m a1 go; 0m a2 wait 10m!; 0m b1 wait 10m; 0m a1 leaves; 0m b1 leaves; 10m a2 go; 10m a1 wait 20m",
		},
		{
			"one that is given back", rule(1, 10*m),
			"0m a1 go; 0m a1 refunded; 0m a1 refunded; 0m a2 go; 0m a3 wait 10m!; 0m a3 refunded; 0m a3 wait 10m",
		},
		{
			"one takes the place of another", rule(1, 10*m),
			"0m a1 go; 0m a2 wait 10m!; 0m a3 wait 20m; 1m a4<a2 wait 10m; 1m a2 leaves; 1m b1<a3 wait 10m; 1m a5<a1 wait 40m; " +
				"10m b1 go; 20m a4 go",
		},
		{
			"too many", few,
			"0m a1 go; 0m a2 wait 10m!; 0m a3 wait 20m; 0m a4 wait 30m; 0m a5 refuse; 0m b1 wait 10m; 0m a4 refuse; " +
				"0m b2 refuse; 0m c1 wait 20m; 0m a3 refuse; 1h a2 wait 1h20m!; 80m a2 go",
		},
		{
			"of the subject that has most", four,
			"0m b1 go; 0m b2 go; 0m a1 wait 10m!; 0m a2 wait 20m; 0m b3 wait 30m; 0m c1 wait 20m; 0m d1 wait 30m; 0m a2 refuse; " +
				"0m b3 wait 40m",
		},
		{
			"the last that went are remembered", two,
			"0m a0 go; 0m a1 wait 10m!; 0m b1 wait 10m; 10m a1 wait 20m; 10m b1 go; 10m c1 wait 20m; 20m a1 wait 30m; 20m c1 go; " +
				"30m a1 go; 30m a1 go",
		},
		// A subject that asks once in a while does not get each turn before those that wait.
		{
			"a subject that is forgotten", rule(1, 2*h),
			"0m a1 go; 0m a2 wait 1h!; 10m b1 wait 1h10m; 60m a2 wait 2h!; 70m b1 wait 2h; 120m a2 wait 3h!; 120m b1 go; " +
				"180m a2 wait 4h!; 210m b2 wait 4h30m; 240m a2 go; 270m b2 wait 5h30m!; 330m b2 wait 6h!; 360m b2 go",
		},
		{"a wait that would be too long", hold, "0m a1 go; 0m a2 wait 10m!; 0m a3 refuse; 1h a3 go; 1h b1 wait 1h10m!"},
		{
			"it asks again before its turn", rule(1, 48*h),
			"0m a1 go; 0m a2 wait 6h!; 6h a2 wait 12h!; 28h a2 wait 33h!; 44h a2 wait 45h!; 47h30m a2 wait 48h!; 48h a2 go",
		},
		{
			"a fifth of a life", rule(1, 8*m),
			"0m a1~5m go; 0m a2~9m59.999999995s refuse!; 0m a2~10m wait 8m; 0m b1~10m wait 8m; 8m b1~10m go; 8m a2~10m refuse; " +
				"8m a3~18m wait 16m",
		},
		// Life is counted from the first question, or a message that is put off again and again goes when it has nearly
		// expired.
		{
			"a fifth of the whole life", rule(1, 10*m),
			"0m a1 go; 0m a2~23m wait 10m!; 0m b1 wait 10m; 10m b1 go; 10m a2~23m refuse; 10m a3 wait 20m; " +
				"15m a4<a3~22m wait 20m",
		},
		{
			"one that does not ask", rule(1, 10*m),
			"0m a1 go; 0m a2 wait 10m!; 0m a3 wait 20m; 20m a3 wait 30m; 30m a3 wait 40m; 40m a3 wait 50m; 50m a3 go; " +
				"1h a2 go",
		},
		{
			"notices", merge,
			"0m a1/g go; 1m a2/g wait 1h1m!; 2m a3/g wait 1h2m; 3m a4 wait 1h3m; 4m a5 wait 1h4m; 5m a6/g wait 1h5m; " +
				"6m a2/g wait 1h1m; 61m a2/g go +2; 61m a2/g go +2; 62m a3/g wait 1h12m; 62m a7/g wait 2h2m!; 63m a4 go; " +
				"64m a5 go; 70m a2/g sent; 72m a3/g merged; 73m a6/g merged; 122m a7/g go",
		},
		{
			"a notice that is not sent", merge,
			"0m a1/g go; 1m a2/g wait 1h1m!; 2m a3/g wait 1h2m; 61m a2/g go +1; 62m a3/g wait 1h12m; 65m a2/g leaves; 72m a3/g go",
		},
		{"groups of a rule that does not merge", rule(1, 10*m), "0m a1/g go; 0m a2/g wait 10m!; 0m a3/g wait 20m"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var q turns.Queue
			for i, s := range strings.Split(c.steps, "; ") {
				at, rest, _ := strings.Cut(s, " ")
				do, want, _ := strings.Cut(rest, " ")
				switch want {
				case "leaves":
					before, _, _ := strings.Cut(do, "/")
					q.Leave(before)
				case "sent":
					before, _, _ := strings.Cut(do, "/")
					q.Sent(before)
				case "refunded":
					q.Refund(c.rule, do)
				default:
					require.Equal(t, want, words(q.Ask(c.rule, question(do, after(at)))), "step %d: %s", i, s)
				}
			}
		})
	}
}

// A clock that was ahead wrote all times of a queue, whose messages never ask again. It holds nothing up for long.
func TestAClockThatWasAhead(t *testing.T) {
	for _, ahead := range []time.Duration{time.Hour, 6 * time.Hour, 7 * time.Hour, year} {
		for _, window := range []time.Duration{10 * time.Minute, 5 * time.Hour, 24 * time.Hour} {
			for _, limit := range []int{1, 3} {
				t.Run(fmt.Sprint(ahead, window, limit), func(t *testing.T) {
					r, q, then := rule(limit, window), turns.Queue{}, start.Add(ahead)
					for i := range limit + 5 {
						q.Ask(r, question(fmt.Sprint("a", i), then))
					}
					now, a := start, turns.Answer{}
					for a = q.Ask(r, question("b1", now)); a.Verdict == turns.Wait; a = q.Ask(r, question("b1", now)) {
						require.True(t, a.At.After(now))
						now = a.At
					}
					require.Equal(t, turns.Go, a.Verdict)
					// A wait of up to six hours is one that this clock could have told too.
					allowed := window + turns.Again
					if ahead <= turns.Again {
						allowed += stale
					}
					require.LessOrEqual(t, now.Sub(start), allowed)
					require.False(t, q.Until(now).After(now.Add(max(window, 24*time.Hour+turns.Again))))
				})
			}
		}
	}
}

// Each time of a queue is one that the queue could have written, whatever a clock made of it.
func TestTimesOfAClockThatWasAhead(t *testing.T) {
	r, then := rule(2, time.Hour), start.Add(year).UnixNano()
	for name, spoil := range map[string]func(*turns.Queue){
		"state": func(q *turns.Queue) { q.State = then },
		"told":  func(q *turns.Queue) { q.Told = then },
		"due":   func(q *turns.Queue) { each(q, func(p *turns.Place) { p.Due = then }) },
		"since": func(q *turns.Queue) { each(q, func(p *turns.Place) { p.Since = then }) },
		"asked": func(q *turns.Queue) { each(q, func(p *turns.Place) { p.Asked = then }) },
	} {
		t.Run(name, func(t *testing.T) {
			var q turns.Queue
			for _, entry := range []string{"a1", "a2", "a3", "b1"} {
				q.Ask(r, question(entry, start))
			}
			spoil(&q)
			now := start.Add(time.Minute)
			require.Equal(t, turns.Go, q.Ask(r, question("a1", now)).Verdict)
			a := q.Ask(r, question("c1", now))
			require.Equal(t, turns.Wait, a.Verdict)
			most := now.UnixNano() + int64(turns.Again)
			require.LessOrEqual(t, q.State, now.Add(r.Rate.Window).UnixNano())
			require.LessOrEqual(t, q.Told, now.UnixNano())
			each(&q, func(p *turns.Place) {
				require.LessOrEqual(t, p.Due, most)
				require.LessOrEqual(t, max(p.Since, p.Asked), now.UnixNano())
			})
			now = now.Add(61 * time.Minute)
			require.NotEqual(t, turns.Go, q.Ask(rule(1, year), question("a1", now)).Verdict, "remembered for an hour")
		})
	}
}

func each(q *turns.Queue, do func(*turns.Place)) {
	for i := range q.Places {
		do(&q.Places[i])
	}
}

func TestTooLate(t *testing.T) {
	expires := start.Add(10 * time.Minute)
	require.False(t, turns.TooLate(start.Add(8*time.Minute), start, expires))
	require.True(t, turns.TooLate(start.Add(8*time.Minute+1), start, expires))
	require.False(t, turns.TooLate(start, start, start.Add(-time.Minute)), "what is not held is not refused")
	require.False(t, turns.TooLate(start.Add(year), start, time.Time{}))
}

// passed is what the model knows of a message that was let through.
type passed struct {
	at   time.Time
	more int
	nth  int  // of all that were let through
	took bool // a turn; a notice that has waited for an hour needs none
}

// A model asks at random, and compares each answer with what may be.
type model struct {
	q    turns.Queue
	r    turns.Rule
	now  time.Time
	n    int                // numbers messages
	seq  map[string]int     // of the messages that wait: in which order they came
	sent map[string]bool    // of those that went
	went map[string]*passed // what was let through, and not given back
	nth  int
	late []time.Time // when turns were given back that were taken earlier: each lets one more go
}

func TestModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		window := rapid.SampledFrom([]time.Duration{10 * time.Minute, 2 * time.Hour, 24 * time.Hour}).Draw(t, "window")
		m := &model{
			r: rule(rapid.IntRange(1, 4).Draw(t, "limit"), window), now: start,
			seq: make(map[string]int), sent: make(map[string]bool), went: make(map[string]*passed),
		}
		m.r.Most, m.r.Merge = rapid.IntRange(1, 9).Draw(t, "most"), rapid.Bool().Draw(t, "merge")
		come := func(t *rapid.T, replaces string) {
			m.n++
			m.ask(t, fmt.Sprintf("%s%03d", rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "subject"), m.n), replaces)
		}
		recent := func(p *passed) bool { return m.now.Sub(p.at) <= time.Hour && m.nth-p.nth < m.r.Most }
		t.Repeat(map[string]func(*rapid.T){
			"come":    func(t *rapid.T) { come(t, "") },
			"replace": func(t *rapid.T) { come(t, pick(t, m.seq, func(int) bool { return true })) },
			"ask":     func(t *rapid.T) { m.ask(t, pick(t, m.seq, func(int) bool { return true }), "") },
			"leave": func(t *rapid.T) {
				m.q.Leave(pick(t, m.seq, func(int) bool { return true }))
				m.sync()
			},
			"sent": func(t *rapid.T) {
				name := pick(t, m.went, recent)
				m.q.Sent(name)
				m.sent[name] = true
			},
			"ask again": func(t *rapid.T) { m.again(t, pick(t, m.went, recent)) },
			"refund":    func(t *rapid.T) { m.refund(pick(t, m.went, func(p *passed) bool { return p.took && recent(p) })) },
			"later": func(t *rapid.T) {
				m.now = m.now.Add(time.Duration(rapid.Int64Range(0, int64(window/2)).Draw(t, "step")))
			},
			"": m.rates,
		})
	})
}

// pick draws one of the messages that ok accepts.
func pick[V any](t *rapid.T, from map[string]V, ok func(V) bool) string {
	names := slices.DeleteFunc(slices.Sorted(maps.Keys(from)), func(name string) bool { return !ok(from[name]) })
	if len(names) == 0 {
		t.Skip("none")
	}
	return rapid.SampledFrom(names).Draw(t, "message")
}

// again asks for a message that was let through within the last hour.
func (m *model) again(t *rapid.T, name string) {
	state, p := max(m.q.State, m.now.UnixNano()), m.went[name]
	got := m.q.Ask(m.r, question(name+"/"+name[:1], m.now))
	if got.Verdict != turns.Go || got.More != p.more || m.q.State != state {
		t.Fatalf("%s went before, with %d, and is told %s", name, p.more, words(got))
	}
	m.sync()
}

func (m *model) refund(name string) {
	if m.went[name].at.Before(m.now) {
		m.late = append(m.late, m.now)
	}
	delete(m.went, name)
	m.q.Refund(m.r, name)
}

// ask asks for a message that waits, or for a new one.
func (m *model) ask(t *rapid.T, name, replaces string) {
	before := m.waiting()
	old, has := before[name]
	if p, ok := before[replaces]; ok && p.Subject == name[:1] {
		old, has = p, true
		delete(before, replaces)
		before[name] = p
		m.seq[name] = m.seq[replaces]
	}
	text := name + "<" + replaces + "/" + name[:1]
	got := m.q.Ask(m.r, question(text, m.now))
	after := m.waiting()
	more := 0
	for other, p := range before {
		if other != name && p.Group == name[:1] && p.With == "" && m.r.Merge {
			more++
		}
	}
	if !has {
		m.seq[name] = m.n
		m.room(t, name, before, after, got.Verdict)
	} else if got.Verdict == turns.Refuse {
		t.Fatalf("%s had a place, and is refused", name)
	}
	if p, ok := after[name]; ok != (got.Verdict == turns.Wait) || ok && has && (p.Round != old.Round || p.Since != old.Since) {
		t.Fatalf("%s has the place %v, had %v, and is told %s", text, p, old, words(got))
	}
	switch got.Verdict {
	case turns.Go:
		hour := m.r.Merge && (has && m.now.UnixNano()-old.Since >= int64(time.Hour) || !has && len(before) >= m.r.Most)
		if hour && !has {
			more = 0 // it went for want of room
		}
		if got.More != more {
			t.Fatalf("%s goes with %d, not %d", name, got.More, more)
		}
		m.goes(t, name, got.More, hour)
	case turns.Merged:
		if !m.sent[old.With] {
			t.Fatalf("%s is merged with %q, which was not sent", name, old.With)
		}
	case turns.Wait:
		if most := m.now.Add(turns.Again); !got.At.After(m.now) || got.At.After(most) {
			t.Fatalf("%s is told %s", name, words(got))
		}
	}
	m.sync()
}

// room checks what was dropped for a message that came.
func (m *model) room(t *rapid.T, name string, before, after map[string]turns.Place, v turns.Verdict) {
	of := map[string]int{name[:1]: 1}
	for _, p := range before {
		of[p.Subject]++
	}
	most := slices.Max(slices.Collect(maps.Values(of)))
	var dropped []string
	for other := range before {
		if _, ok := after[other]; !ok {
			dropped = append(dropped, other)
		}
	}
	switch {
	case len(before) < m.r.Most:
		if len(dropped) > 0 || v == turns.Refuse {
			t.Fatalf("there was room for %s, and %v was dropped", name, dropped)
		}
	case m.r.Merge:
		if len(dropped) > 0 || v != turns.Go {
			t.Fatalf("no notice is lost for want of room, but %s was told %d, and %v was dropped", name, v, dropped)
		}
	case of[name[:1]] == most:
		if len(dropped) > 0 || v != turns.Refuse {
			t.Fatalf("the subject of %s has most, and %v was dropped", name, dropped)
		}
	case len(dropped) != 1 || of[dropped[0][:1]] != most || v == turns.Refuse:
		t.Fatalf("%v was dropped for %s", dropped, name)
	default:
		for other, p := range after {
			if p.Subject == dropped[0][:1] && m.seq[other] > m.seq[dropped[0]] {
				t.Fatalf("%s was dropped, and not %s, which came later", dropped[0], other)
			}
		}
	}
}

// goes checks that a message that goes takes no turn of one of its subject that came earlier.
func (m *model) goes(t *rapid.T, name string, more int, hour bool) {
	m.nth++
	m.went[name] = &passed{m.now, more, m.nth, !hour}
	if hour {
		return // it needed no turn
	}
	for other, p := range m.waiting() {
		if p.Subject != name[:1] || m.seq[other] > m.seq[name] || p.With != "" || m.now.UnixNano()-p.Due > int64(stale) {
			continue
		}
		q := m.q
		q.Places = slices.Clone(q.Places)
		if a := q.Ask(m.r, question(other+"/"+name[:1], m.now)); a.Verdict != turns.Go {
			t.Fatalf("%s goes before %s, which is told %s", name, other, words(a))
		}
	}
}

// waiting returns the places of the messages that wait.
func (m *model) waiting() map[string]turns.Place {
	all := make(map[string]turns.Place)
	each(&m.q, func(p *turns.Place) {
		if p.Went == 0 && m.now.UnixNano()-p.Due <= int64(24*time.Hour) {
			all[p.Entry] = *p
		}
	})
	return all
}

// sync forgets what lost its place.
func (m *model) sync() {
	waiting := m.waiting()
	maps.DeleteFunc(m.seq, func(name string, _ int) bool { _, ok := waiting[name]; return !ok })
}

// rates checks that no window lets more than twice the limit go, and no instant more than the limit, and how many wait.
func (m *model) rates(t *rapid.T) {
	m.sync()
	if n := len(m.waiting()); n > m.r.Most {
		t.Fatalf("%d wait", n)
	}
	for _, from := range m.went {
		window, instant := 2*m.r.Rate.Limit, m.r.Rate.Limit
		within := func(at time.Time) bool { return !at.Before(from.at) && at.Sub(from.at) < m.r.Rate.Window }
		for _, at := range m.late {
			if within(at) {
				window++
			}
			if at.Equal(from.at) {
				instant++
			}
		}
		for _, p := range m.went {
			if p.took && within(p.at) {
				window--
			}
			if p.took && p.at.Equal(from.at) {
				instant--
			}
		}
		if from.took && min(window, instant) < 0 {
			t.Fatalf("too many went from %v on", from.at)
		}
	}
}

// An arrival is a message of a simulation in which each asks whenever it was told to.
type arrival struct {
	entry     string
	came, due time.Time
	expires   time.Time
	waited    int            // how many of its subject waited once it had come
	passed    map[string]int // how many of each subject went since
}

// A simulation plays arrivals until none is left.
type simulation struct {
	q       turns.Queue
	r       turns.Rule
	now     time.Time
	todo    []*arrival
	refused int
}

// TestAllGo: if each message asks when it was told to, then all that are not refused go, no turn is lost, a subject's go in the
// order in which they came, and a message waits for no more than a turn or two of each other subject. None goes when less
// than a fifth of its life is left.
func TestAllGo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		window := time.Duration(rapid.IntRange(1, 48).Draw(t, "hours")) * time.Hour
		s := simulation{r: rule(rapid.IntRange(1, 5).Draw(t, "limit"), window)}
		s.r.Hold = rapid.SampledFrom([]time.Duration{year, year, 3 * window}).Draw(t, "hold")
		mortal, came := rapid.Bool().Draw(t, "mortal"), start
		for i := range rapid.IntRange(1, 60).Draw(t, "messages") {
			subject := rapid.SampledFrom([]string{"a", "a", "a", "b", "c", "d"}).Draw(t, "subject")
			if rapid.Bool().Draw(t, "apart") {
				came = came.Add(time.Duration(rapid.Int64Range(0, int64(window)).Draw(t, "step")))
			}
			x := &arrival{entry: fmt.Sprintf("%s%03d", subject, i), came: came, due: came, passed: make(map[string]int)}
			if mortal && rapid.Bool().Draw(t, "expires") {
				x.expires = came.Add(time.Duration(rapid.Int64Range(1, int64(4*window)).Draw(t, "life")))
			}
			s.todo = append(s.todo, x)
		}
		for range 100_000 {
			if len(s.todo) == 0 {
				return
			}
			s.step(t)
		}
		t.Fatal("they ask for ever")
	})
}

// step lets the next message ask.
func (s *simulation) step(t *rapid.T) {
	x := slices.MinFunc(s.todo, func(a, b *arrival) int { return a.due.Compare(b.due) })
	if x.due.After(s.now) {
		s.idle(t, x.due)
		s.now = x.due
	}
	if x.waited == 0 {
		for _, y := range s.todo {
			if y.entry[:1] == x.entry[:1] && (y == x || y.waited > 0) {
				x.waited++
			}
		}
	}
	a := question(x.entry, s.now)
	a.Expires = x.expires
	got := s.q.Ask(s.r, a)
	if got.Verdict == turns.Wait {
		x.due = got.At
		return
	}
	s.todo = slices.DeleteFunc(s.todo, func(y *arrival) bool { return x == y })
	if got.Verdict != turns.Go {
		s.refused++
		if got.Verdict != turns.Refuse || x.expires.IsZero() && s.r.Hold == year {
			t.Fatalf("%s is told %s", x.entry, words(got))
		}
		return
	}
	if life := x.expires.Sub(x.came); life > 0 && s.now.After(x.came.Add(life-life/5)) {
		t.Fatalf("%s goes when less than a fifth of its life is left", x.entry)
	}
	s.order(t, x)
}

// order checks what a message that goes leaves behind.
func (s *simulation) order(t *rapid.T, x *arrival) {
	for subject, n := range x.passed {
		if n > x.waited+1 && subject != x.entry[:1] {
			t.Fatalf("%s was number %d of its subject, and %d of %s went before it", x.entry, x.waited, n, subject)
		}
	}
	for _, y := range s.todo {
		if y.waited > 0 {
			y.passed[x.entry[:1]]++
		}
		if y.waited > 0 && y.entry[:1] == x.entry[:1] && y.came.Before(x.came) && y.due.After(s.now) {
			t.Fatalf("%s goes before %s", x.entry, y.entry)
		}
	}
}

// idle checks that until the next question there is no turn that one of those who wait could have had.
func (s *simulation) idle(t *rapid.T, until time.Time) {
	if waits := func(x *arrival) bool { return x.waited > 0 }; s.refused > 0 || !slices.ContainsFunc(s.todo, waits) {
		return
	}
	_, free, again := gcra.Take(s.r.Rate, time.Unix(0, s.q.State), s.now, 1)
	if free || again.Before(until) {
		t.Fatalf("a turn was free at %v, and nothing asks before %v", again, until)
	}
}
