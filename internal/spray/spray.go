// Package spray decides how much one source may guess wrong: at how many different subjects, and how often. An attacker who
// tries one likely secret on everybody makes one failure a subject, so counts of subjects do not show it. It does no I/O.
package spray

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"slices"
	"time"

	"github.com/civicpin/civicpin/internal/stored"
)

// The windows that limits count in, in seconds.
const (
	hour = 60 * 60
	day  = 24 * hour
)

// A Limit is how much may be guessed wrong; zero means no limit.
type Limit struct {
	Subjects    int // different ones in an hour
	SubjectsDay int // different ones in a day
	Failures    int // in an hour
}

// Times returns the limit so many times.
func (l Limit) Times(n int) Limit { return Limit{n * l.Subjects, n * l.SubjectsDay, n * l.Failures} }

// A Guess is in flight or wrong: whether it is settled does not matter, since a right one is given back.
type Guess struct {
	Subject [4]byte // a keyed hash: two subjects share one once in 4 billion, and count as one then
	Network [2]byte // a keyed hash of the part of the source that has a limit of its own
	At      uint32  // Unix time in seconds
}

// size is that of a guess in bytes.
const size = 10

// Longest is how many guesses a list has at most: 107 KB as text. It must fit a record, or each write would fail, and so each
// visitor from the source. Limits whose Failures and SubjectsDay come to no more than that lose no guess to it.
const Longest = 8000

// NewGuess returns a guess at a time.
func NewGuess(subject [4]byte, network [2]byte, at time.Time) Guess {
	return Guess{subject, network, uint32(max(0, at.Unix()))}
}

// A List is the guesses of a source in the last day, the oldest first. It has each guess of the last hour, which Failures of
// the whole bounds. If a limit counts subjects of a day, it also has the last guess at each subject before, whatever network
// that came from, which SubjectsDay of the whole bounds: an attacker with many networks who comes back to a subject adds none.
type List []Guess

// Take reserves a guess if two limits let it in: that of the guess's own network and that of the whole list. Otherwise it
// returns when to ask again. changed reports whether the list must be stored, whether or not the guess was let in.
func (l *List) Take(g Guess, own, whole Limit) (again time.Time, changed bool) {
	changed = l.believe(g.At)
	window := uint32(hour)
	if own.SubjectsDay > 0 || whole.SubjectsDay > 0 {
		window = day
	}
	list := l.tidied(g.At, window)
	at := max(whole.again(list, g), own.again(list.of(g.Network), g))
	if at > 0 {
		return time.Unix(int64(at), 0), changed
	}
	*l = append(list, g)
	return time.Time{}, true
}

// Refund takes a guess out that Take reserved, and no other one.
func (l *List) Refund(g Guess) bool {
	i := slices.Index(*l, g)
	if i >= 0 {
		*l = slices.Delete(*l, i, i+1)
	}
	return i >= 0
}

// Until is when the last guess counts no more.
func (l List) Until() time.Time {
	var last uint32
	for _, g := range l {
		last = max(last, g.At)
	}
	return time.Unix(int64(last)+day, 0)
}

// believe cuts the times that a clock wrote which was far ahead, and reports whether it cut one: a source would stay over its
// limit until that day.
func (l List) believe(now uint32) (cut bool) {
	for i := range l {
		if uint64(l[i].At) > uint64(now)+uint64(stored.Skew/time.Second) {
			l[i].At, cut = now, true
		}
	}
	return cut
}

// tidied returns the guesses that count in a window, and leaves room for one more. Of those older than an hour, which are no
// longer in flight, only the last at a subject tells something.
func (l List) tidied(now, window uint32) List {
	list := slices.Clone(l)
	slices.SortStableFunc(list, func(a, b Guess) int { return int(int64(a.At) - int64(b.At)) })
	seen := make(map[[4]byte]bool)
	kept := list[:0:0]
	for _, g := range slices.Backward(list) {
		old := !g.within(hour, now)
		if !g.within(window, now) || old && seen[g.Subject] {
			continue
		}
		if old {
			seen[g.Subject] = true
		}
		kept = append(kept, g)
	}
	kept = kept[:min(len(kept), Longest-1)]
	slices.Reverse(kept)
	return kept
}

// within reports whether a guess is in a window that ends now.
func (g Guess) within(window, now uint32) bool { return uint64(g.At)+uint64(window) > uint64(now) }

// of returns the guesses from a network.
func (l List) of(network [2]byte) List {
	return slices.DeleteFunc(slices.Clone(l), func(g Guess) bool { return g.Network != network })
}

// again returns when a limit lets a guess in, zero for now. The list is in order.
func (l Limit) again(list List, g Guess) uint32 {
	failures := make([]uint32, 0, len(list))
	for _, f := range list {
		if f.within(hour, g.At) {
			failures = append(failures, f.At)
		}
	}
	return max(
		full(failures, l.Failures, hour),
		full(list.others(g, hour), l.Subjects, hour),
		full(list.others(g, day), l.SubjectsDay, day),
	)
}

// others returns when each other subject was guessed at last in a window, in order; nothing if the guess's own subject is among
// those, since one more guess at it makes no more subjects.
func (l List) others(g Guess, window uint32) []uint32 {
	var last []uint32
	seen := make(map[[4]byte]bool)
	for _, f := range slices.Backward(l) {
		switch {
		case !f.within(window, g.At) || seen[f.Subject]:
		case f.Subject == g.Subject:
			return nil
		default:
			seen[f.Subject] = true
			last = append(last, f.At)
		}
	}
	slices.Reverse(last)
	return last
}

// full returns when the events of a window are fewer than most again, zero if they are. The times are in order.
func full(times []uint32, most int, window uint32) uint32 {
	if most == 0 || len(times) < most {
		return 0
	}
	return times[len(times)-most] + window
}

// MarshalText writes the list in base64, ten bytes a guess.
func (l List) MarshalText() ([]byte, error) {
	raw := make([]byte, 0, size*len(l))
	for _, g := range l {
		raw = append(append(raw, g.Subject[:]...), g.Network[:]...)
		raw = binary.BigEndian.AppendUint32(raw, g.At)
	}
	return base64.RawStdEncoding.AppendEncode(nil, raw), nil
}

// UnmarshalText reads what MarshalText writes.
func (l *List) UnmarshalText(text []byte) error {
	raw, err := base64.RawStdEncoding.Strict().AppendDecode(nil, text)
	if err != nil || len(raw)%size != 0 {
		return errors.New("spray: not a list of guesses")
	}
	*l = make(List, 0, len(raw)/size)
	for b := range slices.Chunk(raw, size) {
		*l = append(*l, Guess{[4]byte(b), [2]byte(b[4:]), binary.BigEndian.Uint32(b[6:])})
	}
	return nil
}
