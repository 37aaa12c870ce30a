package contactbook_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/civicpin/civicpin/internal/contactbook"
	"github.com/civicpin/civicpin/internal/letter"
	"github.com/civicpin/civicpin/internal/token"
	"github.com/civicpin/civicpin/internal/waits"
)

// crowd are the names of the addresses that random acts are about; three of them are one telephone or mailbox.
var crowd = []string{"phone", "call", "phone2", "mail", "MAIL", "new", "thief"}

// Whatever is done in whatever order, these hold of a book.
func TestInvariants(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := contactbook.Policy{
			AtLeast: rapid.IntRange(1, 3).Draw(rt, "at least"), Undo: 7 * day,
			CoolDown: rapid.SampledFrom([]time.Duration{7 * day, 10 * day}).Draw(rt, "cool down"),
		}
		w := newWorld(fatal{rt}, p)
		for range rapid.IntRange(1, 60).Draw(rt, "acts") {
			w.now = w.now.Add(rapid.SampledFrom([]time.Duration{0, 0, 0, minute, 5 * hour, day, 4 * day}).Draw(rt, "later"))
			act := w.drawn(rt)
			before := copied(w.t, &w.book)
			judged := w.judged(copied(w.t, before))
			w.holdsOfSettlements(before, judged)
			got := w.does(act)
			before = judged
			rt.Logf("%s: %s: %s", since(w.now), act, got)
			w.holds(before, act)
		}
	})
}

// waits reports whether the last candidate of a name still waits.
func (w *world) waits(name string) bool {
	i := w.pending(name)
	return i >= 0 && w.book.Waits(w.book.Pending[i].ID, w.now) == i
}

// drawn draws an act that can be asked for.
func (w *world) drawn(rt *rapid.T) string {
	name := rapid.SampledFrom(crowd).Draw(rt, "name")
	who := rapid.SampledFrom([]string{"", "", "clerk "}).Draw(rt, "who")
	verb := rapid.SampledFrom([]string{
		"ask", "ask for", "send", "accept", "accept", "giveup", "adopt", "remove", "prefer", "correct", "undo", "repudiate",
		"notify", "fail", "tidy", "claim", "claim",
	}).Draw(rt, "verb")
	d, usable := w.book.Dispute, w.book.Established(w.now)
	switch {
	case d != nil && d.Settlement != nil && verb == "claim": // the time to object goes by
		w.now = d.Settlement.Until
		return "tidy"
	case d == nil && verb == "claim", len(usable) == 0 && verb == "claim":
		verb = "undo"
	case verb == "claim":
		name = nameOf(usable[0].To.Contact())
		if i := w.pending(name); i >= 0 && w.book.Pending[i].Claim != nil && w.waits(name) {
			return "accept " + name
		}
	}
	if slices.Contains([]string{"send", "accept"}, verb) && !w.waits(name) {
		verb = "ask"
	}
	switch verb {
	case "claim":
		for _, a := range w.book.Disputed() {
			if rapid.Bool().Draw(rt, "is the subject's") {
				name += " " + nameOf(a.To.Contact())
			}
		}
		return "claim " + name
	case "ask":
		return who + "ask " + name
	case "ask for":
		return who + "ask " + name + " for " + rapid.SampledFrom(crowd).Draw(rt, "in the place of")
	case "adopt", "remove", "prefer":
		return who + verb + " " + name
	case "undo", "repudiate":
		var can []string
		for i, id := range w.made {
			if verb == "undo" {
				can = append(can, fmt.Sprintf("undo c%d", i+1))
			}
			for _, to := range crowd {
				if _, ok := w.undo[id][to]; ok && verb == "repudiate" {
					can = append(can, fmt.Sprintf("repudiate c%d %s", i+1, to))
				}
			}
		}
		if len(can) == 0 {
			return "tidy"
		}
		return rapid.SampledFrom(can).Draw(rt, "which")
	case "notify", "tidy":
		return verb
	}
	return verb + " " + name
}

// holds checks what always holds, after an act on a book that was as it was before.
func (w *world) holds(before *contactbook.Book, act string) {
	b := &w.book
	live, leads := b.Live(), 0
	for i, h := range live {
		if h.ID == b.Primary {
			leads++
		}
		for _, other := range live[:i] {
			require.False(w.t, h.To.Contact().SameAddress(other.To.Contact()), "%s: one address is two contacts", act)
		}
		require.Empty(w.t, h.Barred, "%s: a contact is barred", act)
		require.Zero(w.t, h.Told)
	}
	require.Equal(w.t, min(1, len(live)), leads, "%s: one primary contact, or none among none", act)
	w.holdsOfArrivals(before, act)
	w.holdsOfDisputes(before, act)

	require.GreaterOrEqual(w.t, b.Acts.Epoch(waits.Grant), before.Acts.Epoch(waits.Grant))
	for _, h := range before.Live() {
		if b.Contact(h.ID) == nil {
			require.Greater(w.t, b.Acts.Epoch(waits.Grant), before.Acts.Epoch(waits.Grant), "%s: a contact went, and recoveries go on", act)
		}
	}
	told := b.Told(w.now)
	for _, h := range live {
		isTold := slices.ContainsFunc(told, func(a contactbook.Address) bool { return a.ID == h.ID })
		require.True(w.t, isTold, "%s: %v is not told", act, h.To)
	}
	for _, c := range b.Changes {
		for _, tok := range c.Tokens {
			require.False(w.t, b.IsBarred(tok.To), "%s: one that staff took away can undo something", act)
			require.False(w.t, c.Undone)
		}
	}
	for _, n := range b.Mail {
		require.False(w.t, n.Token != "" && b.IsBarred(n.For), "%s: a token is on its way to one that staff took away", act)
	}
	require.Equal(w.t, len(live) > 0, b.Keep(w.now).IsZero())
	require.False(w.t, len(live) == 0 && b.Keep(w.now).Before(w.now.Add(contactbook.Late)))
	require.LessOrEqual(w.t, len(b.Changes), 3*contactbook.MaxChanges) // those that are late are here, too
	require.Equal(w.t, emptied(*w.judged(b)), emptied(*w.judged(copied(w.t, b))), "%s: what is read is not what was written", act)
}

// holdsOfDisputes checks that only an operator ends a dispute, or has a disputed address prove something again; and that a
// disputed one, or one that has undone something, undoes nothing.
func (w *world) holdsOfDisputes(before *contactbook.Book, act string) {
	b := &w.book
	staff := strings.HasPrefix(act, "clerk ") || slices.ContainsFunc(before.Pending, func(c contactbook.Candidate) bool {
		return c.By.IsOperator() && strings.HasPrefix(act, "accept ")
	})
	if s := b.Dispute; s != nil && s.Settlement != nil && (before.Dispute == nil || before.Dispute.Settlement == nil) {
		require.True(w.t, strings.HasPrefix(act, "accept "), "%s: has the dispute end", act)
		require.False(w.t, s.Objected)
		was := slices.IndexFunc(before.Pending, func(c contactbook.Candidate) bool {
			return c.Claim != nil && slices.ContainsFunc(before.Established(w.now), func(a *contactbook.Address) bool { return a.ID == c.Claim.By })
		})
		require.GreaterOrEqual(w.t, was, 0, "%s: proved by none that proves something", act)
	}
	if before.Dispute != nil && before.Dispute.Objected && len(before.Live()) > 0 && !staff {
		require.True(w.t, b.Dispute.Objected, "%s: forgot an objection", act)
	}
	if before.Dispute != nil && len(before.Live()) > 0 && !staff {
		require.NotNil(w.t, b.Dispute, "%s: ended a dispute", act)
		for _, a := range before.Live() {
			undone := strings.HasPrefix(act, "undo ") || strings.HasPrefix(act, "repudiate ")
			require.True(w.t, undone || b.Contact(a.ID) != nil, "%s: took %v away", act, a.To)
		}
	}
	for _, a := range b.Established(w.now) {
		require.False(w.t, a.Disputed)
		was := slices.IndexFunc(before.Contacts, func(old contactbook.Address) bool {
			return old.Disputed && old.To.Contact().SameAddress(a.To.Contact())
		})
		require.True(w.t, was < 0 || staff, "%s: %v proves something again", act, a.To)
	}
	var verb, change, name string
	if n, _ := fmt.Sscanf(act, "%s %s %s", &verb, &change, &name); n != 3 || verb != "repudiate" {
		return
	}
	for _, a := range before.Contacts {
		if nameOf(a.To.Contact()) == name && (a.Disputed || a.Undid) && before.Find(w.changeID(change)) >= 0 {
			require.Len(w.t, b.Live(), len(before.Live()), "%s: undid something", act)
		}
	}
}

// holdsOfSettlements checks what time alone does: a dispute ends when all had time to object to what the subject said, and as the
// subject said.
func (w *world) holdsOfSettlements(before, b *contactbook.Book) {
	if before.Dispute == nil || b.Dispute != nil {
		require.Equal(w.t, before.Dispute == nil, b.Dispute == nil)
		require.Len(w.t, b.Live(), len(before.Live()))
		return
	}
	s := before.Dispute.Settlement
	require.NotNil(w.t, s, "no one said how the dispute ends")
	require.False(w.t, w.now.Before(s.Until))
	mine := func(a *contactbook.Address) bool {
		return slices.ContainsFunc(s.Mine, func(m letter.Contact) bool { return m.Contact().SameAddress(a.To.Contact()) })
	}
	for _, a := range before.Contacts {
		now := b.Same(a.To.Contact())
		if a.Barred == "" && (a.Live() || a.Disputed) && !slices.ContainsFunc(before.Live(), func(h *contactbook.Address) bool {
			return h.ID != a.ID && h.To.Contact().SameAddress(a.To.Contact())
		}) {
			require.Equal(w.t, !a.Disputed || mine(&a), now != nil, "%v", a)
		}
	}
	for _, a := range b.Live() {
		require.False(w.t, a.Disputed)
	}
}

// holdsOfArrivals checks that an address gets into a book by its proof, by somebody who vouches for it or by a recovery, and by
// nothing else; and that one which comes back was there.
func (w *world) holdsOfArrivals(before *contactbook.Book, act string) {
	var verb, name string
	for _, form := range []string{"clerk adopt %s", "adopt %s", "accept %s", "correct %s"} {
		if n, _ := fmt.Sscanf(act, form, &name); n == 1 {
			verb = form
			break
		}
	}
	for _, h := range w.book.Contacts {
		if slices.ContainsFunc(before.Contacts, func(a contactbook.Address) bool { return a.ID == h.ID }) {
			continue
		}
		require.NotEmpty(w.t, verb, "%s: made a contact of %v", act, h.To)
		require.Equal(w.t, address(name), h.To.Contact(), act)
		if verb != "accept %s" {
			continue
		}
		was := slices.IndexFunc(before.Pending, func(c contactbook.Candidate) bool { return c.ID == h.ID })
		require.GreaterOrEqual(w.t, was, 0, "%s: a contact that was no candidate", act)
		require.True(w.t, before.Pending[was].To.Is(h.To))
		staff := slices.ContainsFunc(before.Changes, func(c contactbook.Change) bool { return c.By.IsOperator() })
		first := before.Pending[was].First && !staff
		require.False(w.t, !h.CoolsDown(w.now) && !first && !before.Pending[was].By.IsOperator(), act)
	}
}

// A token of one change undoes no other: of all tokens that arrived, one finds its own change or none.
func TestTokensAreOfOneChange(t *testing.T) {
	w := newWorld(t, usual)
	for _, act := range []string{"clerk adopt phone mail", "adopt new", "prefer mail"} {
		w.does(act)
	}
	for id, tokens := range w.undo {
		for name, tok := range tokens {
			k, to, err := w.book.Repudiated(tok, w.now)
			require.NoError(t, err)
			require.Equal(t, id, w.book.Changes[k].ID)
			require.Equal(t, address(name), to.Contact())
			for _, other := range w.made {
				if other != id {
					tok.Selector = other
					_, _, err = w.book.Repudiated(tok, w.now)
					require.ErrorIs(t, err, token.ErrGone)
				}
			}
		}
	}
}

// emptied returns a book whose empty slices are nil, as they are read.
func emptied(b contactbook.Book) contactbook.Book {
	c := reflect.New(reflect.TypeFor[contactbook.Book]()).Elem()
	c.Set(reflect.ValueOf(b))
	for _, f := range c.Fields() {
		if f.Kind() == reflect.Slice && f.Len() == 0 {
			f.SetZero()
		}
	}
	return c.Interface().(contactbook.Book)
}

// fatal makes testify's message that of the failure; rapid would say only that there was one.
type fatal struct{ *rapid.T }

// Errorf fails at once.
func (f fatal) Errorf(format string, args ...any) { f.Fatalf(format, args...) }
