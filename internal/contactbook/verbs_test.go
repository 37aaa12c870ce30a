package contactbook_test

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/contactbook"
	"github.com/civicpin/civicpin/internal/letter"
	"github.com/civicpin/civicpin/internal/token"
	"github.com/civicpin/civicpin/internal/waits"
)

// Noted is the kind of the messages that the tables send by Notify.
const noted civicpin.MessageKind = "pin.changed"

// book and effects shorten what the acts are given and give.
type (
	book    = contactbook.Book
	effects = contactbook.Effects
)

// verbs returns what can be done in a world. Those that begin with "clerk" are an operator's.
func (w *world) verbs() map[string]func([]string) string {
	return map[string]func([]string) string{
		"ask":          func(a []string) string { return w.asks(civicpin.Citizen, a) },
		"clerk ask":    func(a []string) string { return w.asks(clerk, a) },
		"accept":       w.accepts,
		"send":         w.sends,
		"prove":        w.proves,
		"giveup":       w.givesUp,
		"adopt":        func(a []string) string { return w.adopts(civicpin.Citizen, a) },
		"clerk adopt":  func(a []string) string { return w.adopts(clerk, a) },
		"claim":        w.claims,
		"remove":       func(a []string) string { return w.removes(civicpin.Citizen, a) },
		"clerk remove": func(a []string) string { return w.removes(clerk, a) },
		"prefer":       func(a []string) string { return w.prefers(civicpin.Citizen, a) },
		"clerk prefer": func(a []string) string { return w.prefers(clerk, a) },
		"correct":      w.corrects,
		"displaced":    w.displaced,
		"undo":         w.undoes,
		"undosince":    w.undoesSince,
		"locked":       w.locked,
		"repudiate":    w.repudiates,
		"notify":       w.notifies,
		"fail":         w.fails,
		"sent":         func(args []string) string { return w.settles(args, false) },
		"unsent":       func(args []string) string { return w.settles(args, true) },
		"wants":        w.wants,
		"credential":   w.credential,
		"tidy":         func([]string) string { w.book.Tidy(w.now); return w.shows(nil) },
		"show":         w.shows,
		"told":         w.told,
		"on":           w.on,
	}
}

// credential is "credential V": the act was done to the credential. That of "credential V 3" was written by a clock of day 3.
func (w *world) credential(args []string) string {
	at := w.now
	if len(args) == 2 {
		days, err := strconv.Atoi(args[1])
		require.NoError(w.t, err)
		at = began.Add(time.Duration(days) * day)
	}
	w.past = w.past.Did(waits.Act(args[0]), at)
	w.judged(&w.book)
	return w.shows(nil)
}

// asks is "ask mail", or "ask mail for phone". The text is until when the candidate waits.
func (w *world) asks(by civicpin.Actor, args []string) string {
	replaces := ""
	if len(args) == 3 {
		replaces = w.id(args[2])
	}
	return w.change(func(b *book, id string) (effects, string, error) {
		c, err := b.Ask(id, address(args[0]), replaces, by, w.now)
		if err != nil {
			return effects{}, "", err
		}
		return effects{}, "waits to " + since(c.Expires), nil
	})
}

// claims is "claim phone new": the telephone is to prove that of the disputed addresses new is the subject's.
func (w *world) claims(args []string) string {
	return w.change(func(b *book, id string) (effects, string, error) {
		var mine []string
		for _, name := range args[1:] {
			mine = append(mine, w.id(name))
		}
		c, err := b.Claim(id, w.id(args[0]), mine, w.now, w.policy)
		if err != nil {
			return effects{}, "", err
		}
		return effects{}, "waits to " + since(c.Expires), nil
	})
}

// accepts is "accept mail": its proof came back.
func (w *world) accepts(args []string) string {
	i := w.pending(args[0])
	require.GreaterOrEqual(w.t, i, 0, args[0])
	return w.change(func(b *book, id string) (effects, string, error) {
		what, by, fx, err := b.Accept(i, id, w.now, w.policy)
		if by.IsOperator() {
			what += " by a clerk"
		}
		return fx, what, err
	})
}

// sends is "send mail": a proof goes out, as package contact makes it. That of "send mail 600" is good for so many seconds.
func (w *world) sends(args []string) string {
	c := &w.book.Pending[w.pending(args[0])]
	c.Sends++
	l := token.Link{N: c.Sends, To: letter.Contact(c.To), Expires: c.Expires}
	if len(args) == 2 {
		seconds, err := strconv.Atoi(args[1])
		require.NoError(w.t, err)
		l.Expires = w.now.Add(time.Duration(seconds) * second)
	}
	tok := token.New(token.Contact, c.ID, l.N)
	l.Hash = tok.Hash()
	c.Links = token.Push(c.Links, l)
	if w.proofs[args[0]] == nil {
		w.proofs[args[0]] = make(map[int]token.Token)
	}
	w.proofs[args[0]][l.N] = tok
	w.book.Enqueue([]contactbook.Note{{Of: c.ID, For: c.ID, Mail: letter.Mail{
		Name: c.ID + "." + strconv.Itoa(l.N), Kind: contactbook.ProofMessage, To: l.To, Link: l.N, Token: tok.Text().Reveal(),
		Expires: l.Expires, State: letter.Pending,
	}}})
	return fmt.Sprintf("message %d", l.N)
}

// proves is "prove mail 2": by the token of the second message. "prove mail 2 forged" shows another.
func (w *world) proves(args []string) string {
	n, err := strconv.Atoi(args[1])
	require.NoError(w.t, err)
	tok := w.proofs[args[0]][n]
	if len(args) == 3 {
		tok = token.New(tok.Kind, tok.Selector, n)
	}
	i, l, err := w.book.ByToken(tok, w.now)
	if err != nil {
		return failed(err)
	}
	require.Equal(w.t, n, l.N)
	to := letter.Contact(w.book.Pending[i].To)
	return "proves " + nameOf(to.Contact())
}

func (w *world) givesUp(args []string) string {
	id := "nobody"
	if i := w.pending(args[0]); i >= 0 {
		id = w.book.Pending[i].ID
	}
	return "channel " + string(w.book.GiveUp(id, w.now))
}

func (w *world) adopts(by civicpin.Actor, names []string) string {
	return w.change(func(b *book, id string) (effects, string, error) {
		var list []civicpin.Contact
		for _, name := range names {
			list = append(list, address(name))
		}
		return b.Adopt(list, contactbook.Act{ID: id, By: by, Now: w.now}, w.policy)
	})
}

func (w *world) removes(by civicpin.Actor, args []string) string {
	return w.change(func(b *book, id string) (effects, string, error) {
		fx, reason, err := b.Remove(w.id(args[0]), contactbook.Act{ID: id, By: by, Now: w.now}, w.policy)
		if reason == "" {
			return fx, "nothing", err
		}
		require.Equal(w.t, "removed "+string(address(args[0]).Channel), reason)
		return fx, "removed", err
	})
}

func (w *world) prefers(by civicpin.Actor, args []string) string {
	return w.change(func(b *book, id string) (effects, string, error) {
		fx, reason, err := b.MakePrimary(w.id(args[0]), contactbook.Act{ID: id, By: by, Now: w.now}, w.policy)
		return fx, cmp.Or(reason, "nothing"), err
	})
}

// corrects is "correct mail": a recovery brought it. "correct mail as c3" says by which change, and "correct mail until 30"
// until which day it can be undone; "correct mail in use" that it did not begin the account.
func (w *world) corrects(args []string) string {
	return w.change(func(b *book, id string) (effects, string, error) {
		until := w.now
		if len(args) == 3 && args[1] == "as" {
			id = w.changeID(args[2])
		}
		if len(args) == 3 && args[1] == "until" {
			days, err := strconv.Atoi(args[2])
			require.NoError(w.t, err)
			until = began.AddDate(0, 0, days)
		}
		fx, what, err := b.Correct(id, letter.Stored(address(args[0])), !(len(args) == 3 && args[1] == "in"), until, w.now, w.policy)
		return fx, what, err
	})
}

// displaced is "displaced mail": whose place it would take.
func (w *world) displaced(args []string) string {
	ids, err := w.book.Displaced(address(args[0]))
	if err != nil {
		return failed(err)
	}
	var list []string
	for _, id := range ids {
		list = append(list, nameOf(w.book.Contact(id).To.Contact()))
	}
	slices.Sort(list)
	return "displaces " + strings.Join(list, " ")
}

// undoes is "undo c2": by its id, as a recovery that was repudiated does.
func (w *world) undoes(args []string) string {
	return w.rollsBack(w.changeID(args[0]))
}

// undoesSince is "undosince c2 3": what the change brought, and what came since day 3. "undosince none 3" names no change.
func (w *world) undoesSince(args []string) string {
	change := args[0]
	if change != "none" {
		change = w.changeID(change)
	}
	days, err := strconv.Atoi(args[1])
	require.NoError(w.t, err)
	return w.change(func(b *book, id string) (effects, string, error) {
		return b.UndoSince(change, id, began.AddDate(0, 0, days), w.now, w.policy)
	})
}

// locked is a notice of a lock, which says when.
func (w *world) locked([]string) string {
	return w.change(func(b *book, id string) (effects, string, error) {
		fx, told, ok := b.Notify(id, contactbook.NoticeLocked, map[string]string{"at": since(w.now)}, w.now)
		return fx, fmt.Sprint(told, " told, room: ", ok), nil
	})
}

// repudiates is "repudiate c2 phone": by the token that phone was sent about it. "repudiate c2 phone forged" shows another.
func (w *world) repudiates(args []string) string {
	tok, ok := w.undo[w.changeID(args[0])][args[1]]
	require.True(w.t, ok, "%s has no token of %s", args[1], args[0])
	if len(args) == 3 {
		tok = token.New(tok.Kind, tok.Selector, tok.N)
	}
	_, to, err := w.book.Repudiated(tok, w.now)
	if err != nil {
		return failed(err)
	}
	require.Equal(w.t, args[1], nameOf(to.Contact()), "where the token was sent")
	return w.change(func(b *book, id string) (effects, string, error) { return b.Undo(tok, id, w.now, w.policy) })
}

func (w *world) rollsBack(change string) string {
	return w.change(func(b *book, id string) (effects, string, error) {
		fx, reason, err := b.UndoChange(change, id, w.now, w.policy)
		return fx, cmp.Or(reason, "cannot"), err
	})
}

// A table is a life of one book.
type table struct {
	name   string
	policy contactbook.Policy
	steps  []step
}

// run plays tables.
func run(t *testing.T, tables []table) {
	for _, tc := range tables {
		t.Run(tc.name, func(t *testing.T) {
			play(t, tc.policy, tc.steps)
		})
	}
}

// both are steps after which a subject has a telephone and a mailbox: proved, the first ones, and not by staff.
var both = []step{
	{0, "ask phone", "waits to 1d"},
	{0, "ask mail", "waits to 1d"},
	{0, "accept phone", "added sms"},
	{0, "accept mail", "added email; phone+"},
}

// after returns both and further steps.
func after(steps ...step) []step { return append(both[:len(both):len(both)], steps...) }

func TestAdd(t *testing.T) {
	run(t, []table{
		{"nothing is a contact before its proof", usual, []step{
			{0, "ask mail", "waits to 1d"},
			{0, "show", ""},
			{0, "told", ""},
			{0, "on email", "nobody"},
			{hour, "accept mail", "added email"},
			{hour, "show", "mail*"},
			{hour, "show pending", ""},
			{hour, "on email", "mail"},
		}},
		{"the first ones do not cool down, however late they are proved; later ones do", usual, after(
			step{0, "show", "phone* mail"},
			step{0, "ask new", "waits to 1d"},
			step{hour, "accept new", "added email; phone+ mail+; lowered to 10d1h0m0s"},
			step{hour, "show", "phone* mail new~"},
			step{hour, "show usable", "phone* mail"},
			step{10*day + hour - 1, "show usable", "phone* mail"},
			step{10*day + hour, "show usable", "phone* mail new"},
		)},
		{"one is no first one where what an undo emptied can still be seen", usual, []step{
			{0, "ask mail", "waits to 1d"},
			{0, "accept mail", "added email"},
			{0, "undo c1", "undone; mail"},
			{0, "show", ""},
			{0, "ask new", "waits to 1d"},
			{0, "accept new", "added email; mail; lowered to 10d"},
			{0, "show", "new*~"},
		}},
		{"and is one when that is forgotten", usual, []step{
			{0, "adopt mail", "adopted email"},
			{0, "undo c1", "undone; mail"},
			{8*day - 1, "tidy", ""},
			{8*day - 1, "show changes", "1"},
			{8 * day, "tidy", ""},
			{8 * day, "show changes", "0"},
			{8 * day, "ask new", "waits to 9d"},
			{8 * day, "accept new", "added email"},
			{8 * day, "show", "new*"},
		}},
		{"cools down while it can be undone", contactbook.Policy{AtLeast: 1, Undo: 7 * day, CoolDown: day}, after(
			step{0, "ask new", "waits to 1d"},
			step{0, "accept new", "added email; phone+ mail+; lowered to 7d"},
		)},
		{"one that cools down is told without a token, and is not made primary", usual, after(
			step{0, "ask new", "waits to 1d"},
			step{0, "accept new", "added email; phone+ mail+; lowered to 10d"},
			step{day, "told", "phone+ mail+ new"},
			step{day, "prefer mail", "primary; phone+ mail+ new"},
			step{day, "prefer new", "unsuitable: it cools down"},
			step{10 * day, "prefer new", "primary; mail+ phone+ new+"},
			step{10 * day, "show", "new* phone mail"},
		)},
		{"one that went while it cooled down never gets a token", usual, after(
			step{0, "ask new", "waits to 1d"},
			step{0, "accept new", "added email; phone+ mail+; lowered to 10d"},
			step{9 * day, "remove new", "removed; phone+ mail+ new"},
			step{12 * day, "told", "phone+ mail+ new"},
			step{12 * day, "prefer mail", "primary; phone+ mail+ new"},
		)},
		{"one that went is told until it could undo that, with a token", usual, after(
			step{0, "remove mail", "removed; phone+ mail+"},
			step{0, "show", "phone*"},
			step{7*day - 1, "told", "phone+ mail+"},
			step{7 * day, "told", "phone+"},
		)},
		{"a proof too late, and a code that is given up", usual, []step{
			{0, "ask mail", "waits to 1d"},
			{0, "ask phone", "waits to 1d"},
			{0, "giveup phone", "channel sms"},
			{0, "giveup phone", "channel "},
			{day - 1, "show pending", "mail"},
			{day, "show pending", "mail late"},
			{day, "giveup mail", "channel "},
			{day, "ask mail", "waits to 2d"},
			{day, "show pending", "mail late, mail"},
		}},
		{"a candidate asked again is the same one", usual, []step{
			{0, "ask mail", "waits to 1d"},
			{hour, "ask mail", "waits to 1d"},
			{hour, "show pending", "mail"},
			{hour, "adopt phone", "adopted sms"},
			{hour, "ask mail for phone", "waits to 1d1h0m0s"},
			{hour, "show pending", "mail, mail"},
		}},
	})
}

func TestOn(t *testing.T) {
	run(t, []table{
		{"the first channel that has one, and of several the primary one or else the oldest", usual, []step{
			{0, "clerk adopt phone2", "adopted sms"},
			{hour, "clerk adopt mail phone3 mail2", "adopted email adopted sms adopted email; phone2+"},
			{hour, "on email sms", "mail"},
			{hour, "on voice sms email", "phone2"},
			{hour, "on voice", "nobody"},
			{hour, "on", "nobody"},
			{hour, "prefer phone3", "primary; phone2+ mail+ phone3+ mail2+"},
			{hour, "on sms", "phone3"},
			{hour, "on email", "mail"},
		}},
		{"none that cools down", usual, []step{
			{0, "clerk adopt phone", "adopted sms"},
			{0, "adopt mail", "adopted email; phone+; lowered to 10d"},
			{0, "on email", "nobody"},
			{0, "on email sms", "phone"},
			{10 * day, "on email sms", "mail"},
		}},
	})
}

func TestByToken(t *testing.T) {
	run(t, []table{
		{"each of the newest three links, and no other", usual, []step{
			{0, "ask mail", "waits to 1d"},
			{0, "send mail", "message 1"},
			{0, "send mail", "message 2"},
			{0, "send mail", "message 3"},
			{0, "prove mail 1", "proves mail"},
			{0, "send mail", "message 4"},
			{0, "prove mail 1", "gone"},
			{0, "prove mail 2", "proves mail"},
			{0, "prove mail 4", "proves mail"},
			{0, "prove mail 4 forged", "gone"},
			{0, "ask phone", "waits to 1d"},
			{0, "giveup mail", "channel email"},
			{0, "prove mail 4", "gone"},
		}},
		{"too late, which only its holder is told, for a day", usual, []step{
			{0, "ask mail", "waits to 1d"},
			{0, "send mail", "message 1"},
			{0, "send mail 600", "message 2"},
			{10*minute - 1, "prove mail 2", "proves mail"},
			{10 * minute, "prove mail 2", "expired"},
			{10 * minute, "prove mail 2 forged", "gone"},
			{10 * minute, "prove mail 1", "proves mail"},
			{day - 1, "prove mail 1", "proves mail"},
			{day, "prove mail 1", "expired"},
			{2*day - 1, "tidy", ""},
			{2*day - 1, "prove mail 1", "expired"},
			{2 * day, "tidy", ""},
			{2 * day, "prove mail 1", "gone"},
		}},
		{"ten messages to one candidate, but the next one has as many", usual, join(
			[]step{{0, "ask mail", "waits to 1d"}},
			sent("mail", 9),
			[]step{
				{hour, "ask mail", "waits to 1d"},
				{hour, "send mail", "message 10"},
				{hour, "ask mail", "sent enough to 1d"},
				{day, "ask mail", "waits to 2d"},
			},
		)},
	})
}

// sent returns the steps that send n proofs to a candidate.
func sent(name string, n int) (steps []step) {
	for i := range n {
		steps = append(steps, step{0, "send " + name, "message " + string(rune('1'+i))})
	}
	return steps
}

func TestWants(t *testing.T) {
	run(t, []table{
		{"proofs whose link still counts", usual, []step{
			{0, "ask mail", "waits to 1d"},
			{0, "send mail", "message 1"},
			{0, "send mail", "message 2"},
			{0, "send mail", "message 3"},
			{0, "wants", "prove mail 1+, prove mail 2+, prove mail 3+"},
			{0, "send mail", "message 4"},
			{0, "wants", "prove mail 2+, prove mail 3+, prove mail 4+"},
			{0, "fail", "4 failed"}, // and may be tried again
			{day - 1, "wants", "prove mail 2+, prove mail 3+, prove mail 4+"},
			{day, "wants", ""},
		}},
		{"proofs of one that was proved", usual, []step{
			{0, "ask mail", "waits to 1d"},
			{0, "send mail", "message 1"},
			{0, "accept mail", "added email"},
			{0, "wants", ""},
		}},
		{"proofs of one that was given up", usual, []step{
			{0, "ask mail", "waits to 1d"},
			{0, "send mail", "message 1"},
			{0, "giveup mail", "channel email"},
			{0, "wants", ""},
		}},
		{"notices until they end", usual, []step{
			enrolled,
			{0, "clerk adopt new", "adopted email; phone+ mail+"},
			{0, "notify", "told phone mail new"},
			{7*day - 1, "wants", "changed phone+, changed mail+, pin.changed phone, pin.changed mail, pin.changed new"},
			{7 * day, "wants", ""},
		}},
	})
}

func TestNotify(t *testing.T) {
	run(t, []table{
		{"all that are told, without a token", usual, []step{
			enrolled,
			{0, "adopt new", "adopted email; phone+ mail+; lowered to 10d"},
			{0, "remove mail", "removed; phone+ mail+ new"},
			{0, "notify", "told phone new mail"},
			{7 * day, "notify", "told phone new"},
		}},
		{"nobody", usual, []step{
			{0, "notify", "told"},
			{0, "show mail", "0"},
		}},
		{"sixty-four wait at most, besides the messages about contacts", usual, []step{
			enrolled,
			{0, "clerk adopt new", "adopted email; phone+ mail+"},
			{0, "notify 21", "told phone mail new"},
			{0, "show mail", "65"}, // 63 of them are of Notify
			{0, "notify", "busy"},
			{0, "show mail", "65"},
			{0, "clerk remove new", "removed; phone+ mail+ new"},
			{0, "notify", "busy"},
		}},
		{"exactly sixty-four", usual, []step{
			enrolled,
			{0, "notify 32", "told phone mail"},
			{0, "notify", "busy"},
			{7*day - 1, "tidy", "phone* mail"},
			{7*day - 1, "notify", "busy"},
			{7 * day, "tidy", "phone* mail"},
			{7 * day, "notify 32", "told phone mail"},
		}},
		{"those that failed make room", usual, []step{
			enrolled,
			{0, "notify 32", "told phone mail"},
			{0, "fail phone", "32 failed"},
			{0, "notify 16", "told phone mail"}, // 48 to mail, 16 to phone
			{0, "show mail", "64"},
			{0, "notify", "busy"},
		}},
		{"but not those about contacts", usual, join(
			both, toggles("", 7), []step{
				{hour, "notify 32", "told phone mail"},
				{hour, "show mail", "93"},
				{hour, "fail phone", "47 failed"},
				{hour, "notify", "told phone mail"},
				{hour, "show mail", "93"},
				{hour, "notify 15", "told phone mail"},
				{hour, "show mail", "93"},
				{hour, "notify", "busy"},
			},
		)},
	})
}

// The error says nothing of whom it is about.
func TestErrors(t *testing.T) {
	require.EqualError(t, &contactbook.LimitError{Until: began}, "civicpin: too many changes of contacts, or messages to one")
}

// Messages that no provider takes do not fill the book: the oldest of them go, and what was not tried yet stays.
func TestFailedMailIsShed(t *testing.T) {
	run(t, []table{
		{"sixty-four that failed stay", usual, join(
			both, toggles("", 7), toggles("clerk ", 8), // 61 about contacts
			[]step{
				{hour, "show mail", "61"},
				{hour, "fail", "61 failed"},
				{hour, "notify 3", "told phone mail"},
				{hour, "fail", "67 failed"},
				{hour, "notify", "told phone mail"},
				{hour, "show mail", "66"}, // 64 failed, and the 2 new ones
				{hour, "fail phone", "33 failed"},
			},
		)},
		{"what was not tried yet stays", usual, join(
			both, toggles("", 7), toggles("clerk ", 8),
			[]step{
				{hour, "notify 3", "told phone mail"},
				{hour, "fail later", "66 failed"},
				{hour, "notify", "told phone mail"},
				{hour, "show mail", "67"},
				{hour, "show first mail", "pending"},
			},
		)},
	})
}

// repeat returns lists of steps n times over.
func repeat(n int, list ...step) (steps []step) {
	for range n {
		steps = append(steps, list...)
	}
	return steps
}

// join puts lists of steps together.
func join(lists ...[]step) (steps []step) {
	for _, list := range lists {
		steps = append(steps, list...)
	}
	return steps
}

// toggles returns two changes that bring no contact.
func toggles(by string, n int) []step {
	return repeat(n,
		step{hour, by + "prefer mail", "primary; phone+ mail+"},
		step{hour, by + "prefer phone", "primary; mail+ phone+"},
	)
}

func TestChangesAreBounded(t *testing.T) {
	run(t, []table{
		{"sixteen that can be undone, also for one that is proved meanwhile", usual, join(
			both, // two
			[]step{{0, "ask new", "waits to 1d"}, {0, "ask new for mail", "waits to 1d"}},
			toggles("", contactbook.MaxChanges/2-1),
			[]step{
				{hour, "prefer mail", "full to 7d"},
				{hour, "remove mail", "full to 7d"},
				{hour, "accept new", "full to 7d"},
				{hour, "adopt other", "full to 7d"},
				{hour, "adopt mail phone", ""},
				{hour, "prefer phone", "nothing"},
				{hour, "show", "phone* mail"},
				{7*day - 1, "prefer mail", "full to 7d"},
				{7 * day, "prefer mail", "primary; phone+ mail+"},
				{7 * day, "prefer phone", "primary; mail+ phone+"},
				{7 * day, "prefer mail", "full to 7d1h0m0s"},
			},
		)},
		{"as many again for staff", usual, join(
			both, toggles("", contactbook.MaxChanges/2-1), toggles("clerk ", contactbook.MaxChanges/2),
			[]step{
				{hour, "clerk prefer mail", "full to 7d"},
				{hour, "clerk remove mail", "full to 7d"},
				{hour, "clerk adopt new", "full to 7d"},
				{hour, "correct new", "full to 7d"},
				{hour, "prefer mail", "full to 7d"},
			},
		)},
		{"staff's count against the citizen", usual, join(
			both, toggles("clerk ", contactbook.MaxChanges/2-1),
			[]step{{hour, "prefer mail", "full to 7d"}, {hour, "clerk prefer mail", "primary; phone+ mail+"}},
		)},
		{"and as many again for recoveries", usual, join(
			both, toggles("", contactbook.MaxChanges/2-1),
			recoveries(contactbook.MaxChanges),
			[]step{{hour, "correct m3", "full to 7d"}, {hour, "show changes", "32"}},
		)},
	})
}

// recoveries returns n recoveries, each of which replaces the mailbox of the one before.
func recoveries(n int) (steps []step) {
	told := " phone+ mail+"
	for i := range n {
		name := fmt.Sprintf("m%d", i)
		steps = append(steps, step{hour, "correct " + name, "changed email by a recovery;" + told + "; lowered to 10d1h0m0s"})
		if i == 0 {
			told = " phone+ m0 mail+"
			continue
		}
		told = strings.Replace(told, fmt.Sprintf(" m%d", i-1), " "+name, 1) + fmt.Sprintf(" m%d", i-1)
	}
	return steps
}

func TestContactsAreBounded(t *testing.T) {
	eight := []step{{0, "clerk adopt phone a b c d e f", "adopted sms adopted email adopted email adopted email adopted email" +
		" adopted email adopted email"}}
	run(t, []table{
		{"eight contacts", usual, join(eight, []step{
			{0, "ask g", "waits to 1d"},
			{0, "ask h", "unsuitable: there are 7, and 1 that wait for their proof"},
			{0, "ask g", "waits to 1d"}, // it is that one
			{0, "adopt h", "adopted email; phone+ a+ b+ c+ d+ e+ f+; lowered to 10d"},
			{0, "accept g", "unsuitable: there are 8"},
			{0, "adopt i", "unsuitable: there are 8"},
			{0, "displaced call", "displaces phone"},
			{0, "correct call", "changed voice by a recovery; phone+ a+ b+ c+ d+ e+ f+ h; lowered to 10d"},
			{0, "displaced phone2", "unsuitable: there are 8"},
			{0, "correct phone2", "unsuitable: there are 8"},
		})},
		{"eight that have one replaced, and eight candidates for that", usual, join(eight, []step{
			{0, "clerk adopt g", "adopted email; phone+ a+ b+ c+ d+ e+ f+"},
			{0, "ask 1 for a", "waits to 1d"},
			{0, "ask 2 for a", "waits to 1d"},
			{0, "ask 3 for a", "waits to 1d"},
			{0, "ask 4 for a", "waits to 1d"},
			{0, "ask 5 for a", "waits to 1d"},
			{0, "ask 6 for a", "waits to 1d"},
			{0, "ask 7 for a", "waits to 1d"},
			{0, "ask 8 for a", "waits to 1d"},
			{0, "ask 9 for a", "unsuitable: there are 8, and 8 that wait for their proof"},
			{0, "accept 8", "changed email; phone+ a+ b+ c+ d+ e+ f+ g+; lowered to 10d"},
			{0, "show pending", ""}, // none of them has anything to replace
			{0, "show", "phone* b c d e f g 8~"},
		})},
		{"candidates that are late do not count", usual, join(eight, []step{
			{0, "ask g", "waits to 1d"},
			{day - 1, "ask h", "unsuitable: there are 7, and 1 that wait for their proof"},
			{day, "ask h", "waits to 2d"},
		})},
		{"eight candidates of a subject without a contact", usual, []step{
			{0, "ask 1", "waits to 1d"},
			{0, "ask 2", "waits to 1d"},
			{0, "ask 3", "waits to 1d"},
			{0, "ask 4", "waits to 1d"},
			{0, "ask 5", "waits to 1d"},
			{0, "ask 6", "waits to 1d"},
			{0, "ask 7", "waits to 1d"},
			{0, "ask 8", "waits to 1d"},
			{0, "ask 9", "unsuitable: there are 0, and 8 that wait for their proof"},
		}},
		{"one address is one contact, on whatever channel and in whatever case", usual, []step{
			enrolled,
			{0, "ask call", "unsuitable: it is one already"},
			{0, "ask MAIL", "unsuitable: it is one already"},
			{0, "clerk adopt call", "unsuitable: it is one already"},
			{0, "ask mail for phone", "unsuitable: it is one already"},
			{0, "ask mail for mail", "unsuitable: it is one already"},
			{0, "ask call for phone", "waits to 1d"}, // another channel in its place
			{0, "ask MAIL for phone", "unsuitable: it is one already"},
			{0, "ask new for gone", "unsuitable: no such contact"},
		}},
		{"a candidate goes with the contact that it was to replace", usual, []step{
			enrolled,
			{0, "ask new for mail", "waits to 1d"},
			{0, "ask other", "waits to 1d"},
			{0, "remove mail", "removed; phone+ mail+"},
			{0, "show pending", "other"},
		}},
	})
}

func TestAtLeast(t *testing.T) {
	run(t, []table{
		{"the last one is kept, also from staff", usual, []step{
			enrolled,
			{0, "remove mail", "removed; phone+ mail+"},
			{0, "remove phone", "unsuitable: at least 1 are kept"},
			{0, "clerk remove phone", "unsuitable: at least 1 are kept"},
			{0, "remove mail", "nothing"},
			{0, "remove gone", "unsuitable: no such contact"},
			{0, "prefer gone", "unsuitable: no such contact"},
			{0, "prefer mail", "unsuitable: no such contact"},
		}},
		{"two are kept", contactbook.Policy{AtLeast: 2, Undo: 7 * day, CoolDown: 7 * day}, []step{
			enrolled,
			{0, "remove mail", "unsuitable: at least 2 are kept"},
			{0, "ask new for mail", "waits to 1d"},
			{0, "accept new", "changed email; phone+ mail+; lowered to 7d"},
			{0, "show", "phone* new~"},
		}},
		{"when the primary one goes, the oldest is it", usual, []step{
			{0, "clerk adopt phone", "adopted sms"},
			{0, "clerk adopt mail", "adopted email; phone+"},
			{0, "clerk adopt new", "adopted email; phone+ mail+"},
			{0, "prefer new", "primary; phone+ mail+ new+"},
			{0, "remove new", "removed; new+ phone+ mail+"},
			{0, "show", "phone* mail"},
		}},
		{"when it is replaced, what takes its place is it", usual, []step{
			enrolled,
			{0, "ask new for phone", "waits to 1d"},
			{0, "accept new", "changed email; phone+ mail+; lowered to 10d"},
			{0, "show", "new*~ mail"},
		}},
	})
}

// notifies is "notify", or "notify 8" for eight times. The text is of the last one.
func (w *world) notifies(args []string) string {
	times, text := 1, ""
	if len(args) > 0 {
		n, err := strconv.Atoi(args[0])
		require.NoError(w.t, err)
		times = n
	}
	for range times {
		b := copied(w.t, &w.book)
		params := map[string]string{"how": "changed"}
		fx, _, ok := b.Notify(token.NewID(), noted, params, w.now)
		params["how"] = "spoilt"
		for _, n := range fx.Notes {
			require.Equal(w.t, map[string]string{"how": "changed"}, n.Params, "they are the caller's to change")
		}
		if !ok {
			return "busy"
		}
		b.Enqueue(fx.Notes)
		w.book = *copied(w.t, b)
		text = "told" + w.arrived(fx)
	}
	return text
}

// fails is "fail phone": no provider would take what waits for it. Without a name it is so for all messages, and in "fail
// later" for all but the first.
func (w *world) fails(names []string) string {
	failed := 0
	for i := range w.book.Mail {
		n := &w.book.Mail[i]
		if len(names) == 0 || names[0] == "later" && i > 0 || nameOf(n.To.Contact()) == names[0] {
			n.State = letter.Failed
			failed++
		}
	}
	return fmt.Sprintf("%d failed", failed)
}

// settles is "sent c3 phone", or "unsent": what became of the message of a change to an address. "unsent c3 phone 16" is so at
// day 16, of a book that was not read since.
func (w *world) settles(args []string, failed bool) string {
	tok, ok := w.undo[w.changeID(args[0])][args[1]]
	require.True(w.t, ok, "%s has no token of %s", args[1], args[0])
	at := w.now
	if len(args) == 3 {
		days, err := strconv.Atoi(args[2])
		require.NoError(w.t, err)
		at = began.Add(time.Duration(days) * day)
	}
	if w.book.Settle(tok.Selector+"."+strconv.Itoa(tok.N), failed, at) {
		return "kept"
	}
	return "skipped"
}

// wants lists what is still to be sent: the kind, the number of the link, the address, and "+" for a token.
func (w *world) wants([]string) string {
	var list []string
	for i := range w.book.Mail {
		n := &w.book.Mail[i]
		require.Equal(w.t, n, w.book.Note(n.Name))
		if !w.book.Wants(n, w.now) {
			continue
		}
		text := strings.TrimPrefix(string(n.Kind), "contact.") + " " + nameOf(n.To.Contact())
		if n.Link > 0 {
			text += " " + strconv.Itoa(n.Link)
		}
		if n.Token != "" {
			text += "+"
		}
		list = append(list, text)
	}
	return strings.Join(list, ", ")
}

// shows is "show": the subject's contacts, the primary one with "*" and those that cool down with "~". The cases are its other
// words; "show all" marks what is the subject's no longer with "-".
func (w *world) shows(args []string) string {
	what := strings.Join(args, " ")
	b := &w.book
	switch what {
	case "":
		return w.names(b.Live())
	case "usable":
		return w.names(b.Established(w.now))
	case "disputed":
		return w.names(slices.DeleteFunc(pointers(b.Contacts), func(h *contactbook.Address) bool { return !h.Disputed }))
	case "all":
		return w.names(pointers(b.Contacts))
	case "cooling", "disputed since":
		var list []string
		for _, h := range w.book.Told(w.now) {
			at := h.Cooling
			if what != "cooling" {
				at = b.DisputedAt(&h)
			}
			list = append(list, nameOf(h.To.Contact())+" "+since(at))
		}
		return strings.Join(list, ", ")
	case "barred":
		var list []string
		for _, h := range b.Contacts {
			if b.IsBarred(h.ID) {
				list = append(list, nameOf(h.To.Contact()))
			}
		}
		return strings.Join(list, " ")
	case "pending":
		var list []string
		for _, c := range b.Pending {
			to := letter.Contact(c.To)
			text := nameOf(to.Contact())
			if b.Waits(c.ID, w.now) < 0 {
				text += " late"
			}
			list = append(list, text)
		}
		return strings.Join(list, ", ")
	case "changes":
		return strconv.Itoa(len(b.Changes))
	case "first mail":
		return b.Mail[0].State
	case "mail":
		return strconv.Itoa(len(b.Mail))
	case "epoch":
		return strconv.FormatUint(b.Acts.Epoch(waits.Grant), 10)
	case "keep":
		return "for " + since(b.Keep(w.now))
	}
	require.Fail(w.t, "nothing to show: "+what)
	return ""
}

// told lists whom something is told, those who get tokens with "+".
func (w *world) told([]string) string {
	var list []string
	for _, h := range w.book.Told(w.now) {
		text := nameOf(h.To.Contact())
		if h.Established(w.now) {
			text += "+"
		}
		list = append(list, text)
	}
	return strings.Join(list, " ")
}

// on is "on email sms": the contact of the first of the channels.
func (w *world) on(args []string) string {
	var channels []civicpin.Channel
	for _, a := range args {
		channels = append(channels, civicpin.Channel(a))
	}
	if h := w.book.On(channels, w.now); h != nil {
		return nameOf(h.To.Contact())
	}
	return "nobody"
}

func (w *world) names(list []*contactbook.Address) string {
	var names []string
	for _, h := range list {
		text := nameOf(h.To.Contact())
		if h.ID == w.book.Primary {
			text += "*"
		}
		if h.CoolsDown(w.now) {
			text += "~"
		}
		if !h.Live() {
			text += "-"
		}
		names = append(names, text)
	}
	return strings.Join(names, " ")
}

func pointers(list []contactbook.Address) []*contactbook.Address {
	var all []*contactbook.Address
	for i := range list {
		all = append(all, &list[i])
	}
	return all
}

// What only packages contact and recovery ask of a book.
func TestRecoveredAndLocked(t *testing.T) {
	run(t, []table{
		{"notices of locks", usual, after(lines(`
			0s locked = 2 told, room: true; phone mail
			1m locked = 2 told, room: true
			1h notify = told phone mail
			1h fail phone = 3 failed
		`)...)},
		{"an unlock that is repudiated", usual, after(lines(`
			48h correct new = changed email by a recovery; phone+ mail+; lowered to 12d
			72h ask thief = waits to 4d
			72h accept thief = added email; phone+ new mail+; lowered to 13d
			96h clerk adopt phone2 = adopted sms; phone+ mail+
			120h undosince c3 3 = undone; phone phone2 mail
			120h undosince c3 3 = ended what waited
			144h undosince none 0 = undone; phone mail phone2
		`)...)},
		{"what waits for nothing", usual, after(lines(`
			48h ask new = waits to 3d
			48h undosince none 2 = ended what waited
		`)...)},
		{"late", usual, after(lines(`
			24h ask thief = waits to 2d
			24h accept thief = added email; phone+ mail+; lowered to 11d
			960h undosince none 1 = undone; phone mail thief
			984h tidy = phone* mail
			1440h ask thief = waits to 61d
		`)...)},
		{"unconfirmed", usual, after(lines(`
			24h credential Q = phone* mail
			24h credential S = phone* mail
			24h ask new = waits to 2d
			24h accept new = added email; phone mail; lowered to 11d
			24h repudiate c2 phone = gone
			48h clerk adopt phone = seen sms
			48h remove mail = removed; phone+ mail
			48h repudiate c4 phone = undone; phone mail
		`)...)},
	})
}

// lines reads steps: "24h ask new = waits to 2d".
func lines(text string) (steps []step) {
	for line := range strings.Lines(strings.TrimSpace(text)) {
		at, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		act, want, _ := strings.Cut(rest, " = ")
		after, _ := time.ParseDuration(at)
		steps = append(steps, step{after, act, want})
	}
	return steps
}
