package twoworlds

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/store/storetest"
)

// A View is what an anonymous visitor can see of a call, and what an observer of the database, of the recorder or with a
// stopwatch can.
type View struct {
	Answer string // the error, with all that a caller can read off it
	Shown  string // what the page shows, and the messages that came
	calls  []call
}

// String joins the parts.
func (v View) String() string { return fmt.Sprintf("%s | %s | %v", v.Answer, v.Shown, v.calls) }

// same reports whether two views cannot be told apart.
func (v View) same(other View) bool {
	return v.Answer == other.Answer && v.Shown == other.Shown && slices.EqualFunc(v.calls, other.calls, call.near)
}

// names renames random values by their first occurrence: what is equal stays equal.
type names map[string]string

// of returns the name of a value of a kind, "-" for an empty one.
func (n names) of(kind, value string) string {
	if value == "" {
		return "-"
	}
	key := kind + " " + value
	if n[key] == "" {
		count := 0
		for _, name := range n {
			if strings.HasPrefix(name, kind+"#") {
				count++
			}
		}
		n[key] = fmt.Sprintf("%s#%d", kind, count+1)
	}
	return n[key]
}

// set is like of, for values whose order says nothing.
func (n names) set(kind string, values []string) string {
	return n.of(kind, strings.Join(slices.Sorted(slices.Values(values)), " "))
}

// forget forgets the names of a kind: what has them was changed by its owner.
func (n names) forget(kinds ...string) {
	for key := range n {
		if kind, _, _ := strings.Cut(key, " "); slices.Contains(kinds, kind) {
			delete(n, key)
		}
	}
}

// view returns what is seen of an answer, but for the store calls.
func (w *world) view(shown string, err error) View {
	return visibleByDesign(View{Answer: answer(err), Shown: shown}, err)
}

// answer writes an error with all that a caller can read off it.
func answer(err error) string {
	if err == nil {
		return "yes"
	}
	if ofTheStore(err) {
		return "injected or cancelled" // a visitor is told no more
	}
	text := err.Error()
	if locked, ok := errors.AsType[*lockout.LockedError](err); ok {
		text += fmt.Sprintf(" locked{%s %s disabled=%v new=%v}", locked.Scope, moment(locked.Until), locked.Disabled, locked.New)
	}
	if refused, ok := errors.AsType[*lockout.RefusedError](err); ok {
		text += fmt.Sprintf(" refused{left=%d next=%s}", refused.Left, moment(refused.NextAt))
	}
	return text
}

// ofTheStore reports whether an error is the store's, or of a visitor who hung up.
func ofTheStore(err error) bool {
	return errors.Is(err, storetest.ErrInjected) || errors.Is(err, context.Canceled)
}

// moment writes a time, which is never renamed: both worlds have one clock.
func moment(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// showRun writes what a page shows of a run.
func (w *world) showRun(run recovery.Run) string {
	n := run.Next
	var shown strings.Builder
	fmt.Fprintf(&shown, "%s plan=%s done=%v ticket=%s until=%s captcha=%v facts=%v", w.names.of("run", run.ID), run.Plan, run.Done,
		w.names.of("ticket", run.Ticket.Reveal()), moment(run.ExpiresAt), n.Captcha, n.Facts)
	fmt.Fprintf(&shown, " images=%d/%s questions=%d/%s contacts=%d of=%v", len(n.Images), w.names.set("images", n.Images),
		len(n.Questions), w.names.set("questions", n.Questions), n.Contacts, n.Of)
	fmt.Fprintf(&shown, " factor=%q documents=%v approval=%q waits=%s terms=%q enrol=%v", n.Factor, n.Documents, n.Approval,
		moment(n.WaitsUntil), n.Terms, n.Enrol != nil)
	for _, c := range []*recovery.ContactAsk{n.Confirm, n.Sent} {
		if c != nil {
			fmt.Fprintf(&shown, " to{%s %s %v %v %v %s}", c.Channel, w.names.of("masked", c.Masked), c.MayCorrect, c.Link, c.Code,
				moment(c.ExpiresAt))
		}
	}
	return shown.String()
}

// arrived writes the messages since the last time that visitors and the adversary can read.
func (w *world) arrived() string {
	var seen []string
	all := w.mail.Messages()
	came := slices.Clone(all[w.read:])
	slices.SortStableFunc(came, func(a, b civicpin.Message) int { // the dispatcher's order is drawn, and halves are named by it
		return cmp.Or(
			strings.Compare(a.To.Address, b.To.Address), strings.Compare(string(a.Kind), string(b.Kind)),
			a.ExpiresAt.Compare(b.ExpiresAt),
		)
	})
	for _, m := range came {
		if w.beside(m.To.Address) {
			seen = append(seen, fmt.Sprintf("%s to %s until %s: %s", m.Kind, m.To.Address, moment(m.ExpiresAt),
				w.names.of("half", m.Secret.Reveal())))
		}
		if theirs(m) {
			seen = append(seen, fmt.Sprintf("%s to %s until %s params %v secret=%v link=%v", m.Kind, m.To.Address, moment(m.ExpiresAt),
				m.Params, !m.Secret.IsZero(), !m.Link.IsZero()))
		}
	}
	w.read = len(all)
	slices.Sort(seen)
	return strings.Join(seen, "; ")
}

// theirs reports whether a message came to an address that a visitor typed or that is the adversary's alone, and is none of
// those that are visible by design.
func theirs(m civicpin.Message) bool {
	return (strings.HasPrefix(m.To.Address, typedMail) || strings.HasPrefix(m.To.Address, typedPhone) ||
		m.To.Address == adversaryMail) && !arrivesByDesign(m)
}
