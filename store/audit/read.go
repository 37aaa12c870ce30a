package audit

import (
	"cmp"
	"context"
	"fmt"

	"github.com/civicpin/civicpin"
)

const (
	defaultEvents  = 100
	maxEvents      = 10_000
	defaultEntries = 10_000
	maxEntries     = 1_000_000
)

// A Query asks for the events of one subject. The zero value of each field but Subject means the default.
type Query struct {
	Subject civicpin.Subject
	// OldestFirst turns the order round; default newest first.
	OldestFirst bool
	// From is where the page begins: Next of the page before. Nil means the first page.
	From *uint64
	// Events is how many events end the page, 1 to 10,000; default 100. All events of an entry are on one page, so there may be
	// more.
	Events int
	// Entries is how many entries are read for the page at most, 1 to 1,000,000; default 10,000.
	Entries int
}

// A Page is some of the events of one subject.
type Page struct {
	// Events are in the order of the query. A page without events need not be the last one.
	Events []civicpin.Event
	// Faults are the entries that could not be read, of whichever subject, and, with Seq 0, a head that is missing or does not
	// open: nothing says then how far the chain went, and the newest events may be gone. Before an entry that is [Resumed] some
	// may be gone, too. [Log.Verify] finds more: entries that were moved, and, with heads kept elsewhere, what was cut off.
	Faults []Fault
	// Next is what [Query.From] of the next page is; nil on the last page.
	Next *uint64
}

// Read returns the events of one subject, page by page. The device value is not among what was recorded. It costs a Get for
// each entry of the subject's chain, the entries of other subjects included, up to Query.Entries for a page; and some to find
// the end of the chain. A chain has about one in Config.Chains of all entries of the log. Read needs no listing.
//
// Events that are recorded between two pages are not on later pages if the newest come first, and are if the oldest do.
// Nothing comes twice. Errors:
//   - [civicpin.ErrInvalid]: the subject is invalid, or Events or Entries is out of range.
//   - the store's.
func (l *Log) Read(ctx context.Context, q Query) (Page, error) {
	q, err := q.checked()
	if err != nil {
		return Page{}, err
	}
	c := chain{log: l, number: l.chainOf(q.Subject)} // a reader's own: it moves no head
	h, _, err := c.locate(ctx)
	if err != nil {
		return Page{}, err
	}
	var p Page
	for _, what := range h.faults(c.next) {
		p.Faults = append(p.Faults, Fault{Chain: c.number, What: what})
	}
	seq, left := q.begin(c.next)
	for ; left > 0 && q.Entries > 0 && len(p.Events) < q.Events; left-- {
		events, what, err := l.read(ctx, c.number, seq)
		if err != nil {
			return Page{}, err
		}
		if what == "" && resumes(events) {
			what = Resumed
		}
		if what != "" {
			p.Faults = append(p.Faults, Fault{Chain: c.number, Seq: seq, What: what})
		}
		p.add(q, events)
		q.Entries--
		if q.OldestFirst {
			seq++
		} else {
			seq-- // below zero with the last one, when there is no next page
		}
	}
	if left > 0 {
		p.Next = &seq
	}
	return p, nil
}

// checked returns the query with its defaults.
func (q Query) checked() (Query, error) {
	q.Events, q.Entries = cmp.Or(q.Events, defaultEvents), cmp.Or(q.Entries, defaultEntries)
	if q.Events < 0 || q.Events > maxEvents || q.Entries < 0 || q.Entries > maxEntries {
		return q, fmt.Errorf("audit: %w: Events or Entries of a query", civicpin.ErrInvalid)
	}
	return q, q.Subject.Validate()
}

// begin returns the first number that a page of a chain of so many entries looks at, and how many are left from there.
func (q Query) begin(end uint64) (seq, left uint64) {
	switch {
	case q.OldestFirst && q.From == nil:
		return 0, end
	case q.OldestFirst:
		return *q.From, end - min(*q.From, end)
	case end == 0:
		return 0, 0
	case q.From == nil:
		return end - 1, end
	}
	seq = min(*q.From, end-1)
	return seq, seq + 1
}

// add adds what an entry has of the subject of a query to a page.
func (p *Page) add(q Query, events []event) {
	for i := range events {
		if !q.OldestFirst {
			i = len(events) - 1 - i
		}
		if events[i].Subject == q.Subject {
			p.Events = append(p.Events, events[i].event())
		}
	}
}
