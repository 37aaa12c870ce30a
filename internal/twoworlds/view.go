package twoworlds

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/recovery"
)

// A View is what an anonymous visitor can see of a call, and what an observer of the database can: the answer, what the page
// shows, and the store calls by method and kind. Views are compared with ==.
type View struct {
	Answer string
	Shown  string
	Calls  string
}

// String joins the parts.
func (v View) String() string { return v.Answer + " | " + v.Shown + " | " + v.Calls }

// reached names what coverage counts of a view.
func (v View) reached() []string {
	var words []string
	for _, word := range []string{"locked", "refused", "gone", "expired", "done"} {
		if strings.Contains(v.Answer+v.Shown, word) {
			words = append(words, word)
		}
	}
	return words
}

// answer writes an error with all that a caller can read off it.
func answer(err error) string {
	if err == nil {
		return "yes"
	}
	text := err.Error()
	if locked, ok := errors.AsType[*lockout.LockedError](err); ok {
		text += fmt.Sprintf(" locked{%s %s disabled=%v new=%v}", locked.Scope, moment(locked.Until), locked.Disabled, locked.New)
	}
	if refused, ok := errors.AsType[*lockout.RefusedError](err); ok {
		text += fmt.Sprintf(" refused{left=%d next=%s}", refused.Left, moment(refused.NextAt))
	}
	if errors.Is(err, context.Canceled) {
		text += " cancelled"
	}
	return text
}

// moment writes a time, which is never renamed: both worlds have one clock.
func moment(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// shownRun writes what a page shows of a run. Random values are told by their presence: a ticket, the order of questions.
func shownRun(run recovery.Run) string {
	n := run.Next
	shown := fmt.Sprintf("plan=%s done=%v ticket=%v until=%s captcha=%v facts=%v images=%d questions=%d contacts=%d of=%v factor=%q "+
		"documents=%v approval=%q waits=%s terms=%q", run.Plan, run.Done, !run.Ticket.IsZero(), moment(run.ExpiresAt), n.Captcha, n.Facts,
		len(n.Images), len(n.Questions), n.Contacts, n.Of, n.Factor, n.Documents, n.Approval, moment(n.WaitsUntil), n.Terms)
	for name, c := range map[string]*recovery.ContactAsk{"confirm": n.Confirm, "sent": n.Sent} {
		if c != nil {
			shown += fmt.Sprintf(" %s{%s masked=%v %v %v %v %s}", name, c.Channel, c.Masked != "", c.MayCorrect, c.Link, c.Code,
				moment(c.ExpiresAt))
		}
	}
	return shown
}
