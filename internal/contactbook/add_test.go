package contactbook_test

import (
	"testing"

	"github.com/civicpin/civicpin/internal/contactbook"
)

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
			{0, "accept new", "added email; lowered to 10d"},
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
