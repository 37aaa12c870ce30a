package contactbook_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/internal/contactbook"
)

func TestUndo(t *testing.T) {
	run(t, []table{
		{"each of those that are told can undo it, once, until the end", usual, after(
			step{0, "ask thief for mail", "waits to 1d"},
			step{hour, "accept thief", "changed email; phone+ mail+; lowered to 10d1h0m0s"},
			step{hour, "show", "phone* thief~"},
			step{hour, "repudiate c3 mail forged", "gone"},
			step{7*day + hour - 1, "repudiate c3 mail", "undone; phone thief mail"},
			step{7*day + hour - 1, "show", "phone* mail"},
			step{7*day + hour - 1, "told", "phone+ mail thief"}, // both sides of the dispute
			step{30 * day, "told", "phone+ mail thief"},
			step{7*day + hour - 1, "repudiate c3 mail", "gone"},
			step{7*day + hour - 1, "repudiate c3 phone", "gone"},
			step{7*day + hour - 1, "undo c3", "cannot"},
		)},
		{"at the end it is too late, which only the holder of the token is told", usual, after(
			step{0, "adopt thief", "adopted email; phone+ mail+; lowered to 10d"},
			step{7 * day, "repudiate c3 phone", "expired"},
			step{7 * day, "repudiate c3 phone forged", "gone"},
			step{7 * day, "undo c3", "cannot"},
		)},
		{"and after a further day it is forgotten", usual, after(
			step{0, "adopt thief", "adopted email; phone+ mail+; lowered to 10d"},
			step{8*day - 1, "tidy", "phone* mail thief~"},
			step{8*day - 1, "repudiate c3 phone", "expired"},
			step{8 * day, "tidy", "phone* mail thief~"},
			step{8 * day, "repudiate c3 phone", "gone"},
		)},
		{"all that came after it is undone with it, and what it had told is told", usual, after(
			step{0, "adopt one", "adopted email; phone+ mail+; lowered to 10d"},
			step{0, "remove phone", "removed; phone+ mail+ one"},
			step{0, "adopt two", "adopted email; mail+ one phone+; lowered to 10d"},
			step{0, "show", "mail* one~ two~"},
			step{0, "repudiate c3 phone", "undone; mail one two phone"},
			step{0, "show", "phone* mail"},
			step{0, "repudiate c4 mail", "gone"},
			step{0, "repudiate c5 mail", "gone"},
			step{0, "undo c4", "cannot"},
			step{0, "wants", "changed phone+, changed mail, changed one, changed two, changed phone"},
		)},
		{"what came before it stays", usual, after(
			step{0, "adopt one", "adopted email; phone+ mail+; lowered to 10d"},
			step{0, "adopt two", "adopted email; phone+ mail+ one; lowered to 10d"},
			step{0, "undo c4", "undone; phone mail one two"},
			step{0, "show", "phone* mail one~"},
			step{0, "undo c3", "undone; phone mail one two"},
			step{0, "show", "phone* mail"},
		)},
		{"the cooling down of what comes back goes on", usual, after(
			step{0, "adopt one", "adopted email; phone+ mail+; lowered to 10d"},
			step{day, "remove one", "removed; phone+ mail+ one"},
			step{day, "undo c4", "undone; phone mail one"},
			step{day, "show cooling", "phone ever, mail ever, one 10d"},
		)},
		{"the primary contact is the one that there was", usual, after(
			step{0, "prefer mail", "primary; phone+ mail+"},
			step{0, "show", "mail* phone"},
			step{0, "prefer mail", "nothing"},
			step{0, "repudiate c3 phone", "undone; mail phone"},
			step{0, "show", "phone* mail"},
		)},
		{"candidates go with an undo, and their messages", usual, after(
			step{0, "ask thief", "waits to 1d"},
			step{0, "send thief", "message 1"},
			step{0, "wants", "changed phone+, prove thief 1+"},
			step{0, "undo c2", "undone; phone mail"},
			step{0, "show pending", ""},
			step{0, "show mail", "2"},
			step{0, "wants", "changed phone, changed mail"},
			step{0, "prove thief 1", "gone"},
		)},
		{"one that went by the citizen's act before it does not come back", usual, after(
			step{0, "adopt one", "adopted email; phone+ mail+; lowered to 10d"},
			step{0, "remove mail", "removed; phone+ mail+ one"},
			step{0, "adopt two", "adopted email; phone+ one mail+; lowered to 10d"},
			step{0, "undo c5", "undone; phone one two mail"},
			step{0, "show", "phone* one~"},
			step{0, "told", "phone+ one mail+ two"},
		)},
		{"what it removes is told, too, also where it had gone before", usual, after(
			step{0, "adopt thief", "adopted email; phone+ mail+; lowered to 10d"},
			step{0, "remove thief", "removed; phone+ mail+ thief"},
			step{0, "undo c3", "undone; phone mail thief"},
			step{0, "told", "phone+ mail+ thief"},
		)},
		{"an undo cannot be undone", usual, after(
			step{0, "adopt one", "adopted email; phone+ mail+; lowered to 10d"},
			step{0, "undo c3", "undone; phone mail one"},
			step{0, "undo c3", "cannot"},
		)},
	})
}

// The epoch counts the acts after which a contact was the subject's no longer, or that ended what waited, and no others.
func TestEpoch(t *testing.T) {
	run(t, []table{{"epoch", usual, after(
		step{0, "show epoch", "0"},
		step{0, "prefer mail", "primary; phone+ mail+"},
		step{0, "notify", "told mail phone"},
		step{0, "show epoch", "0"},
		step{0, "ask one for mail", "waits to 1d"},
		step{0, "show epoch", "0"},
		step{0, "accept one", "changed email; mail+ phone+; lowered to 10d"},
		step{0, "show epoch", "1"},
		step{0, "remove phone", "removed; one phone+ mail+"},
		step{0, "show epoch", "2"},
		step{0, "correct two", "changed email by a recovery; one phone+ mail+; lowered to 10d"},
		step{0, "show epoch", "3"},
		step{0, "undo c5", "undone; two phone mail one"},
		step{0, "show epoch", "4"},
		step{0, "clerk adopt desk", "adopted email; phone mail+"}, // the telephone came back, and is disputed
		step{0, "show epoch", "5"},
	)}})
}

// TestClockAhead: what a clock wrote that was years ahead is cut to what the policy could have written: nobody waits for years, and
// what a candidate could do is over. What the policy does write stays as it is.
func TestClockAhead(t *testing.T) {
	correct := contactbook.Correct[contactbook.Book](usual)
	for _, act := range []string{"clerk adopt phone mail", "ask new for mail", "accept new", "remove phone", "ask one", "ask phone2"} {
		w := newWorld(t, usual)
		w.does("clerk adopt phone mail")
		w.does("ask new")
		w.does(act)
		fresh := copied(t, &w.book)
		require.False(t, correct(fresh, w.now), act)
		require.Equal(t, copied(t, &w.book), fresh, act)
	}

	w := newWorld(t, usual)
	w.now = began.AddDate(5, 0, 0)
	for _, act := range []string{"clerk adopt phone mail", "ask new for mail", "accept new", "repudiate c2 phone", "claim phone mail", "accept phone", "ask late"} {
		w.does(act)
	}
	w.now = began
	b := copied(t, &w.book)
	require.NotNil(t, b.Dispute.Settlement)
	require.True(t, correct(b, w.now))
	latest := w.now.Add(90 * day)
	for _, a := range b.Contacts {
		require.False(t, a.Since.After(w.now) || a.Gone.After(w.now) || a.DisputedAt.After(w.now), "%+v", a)
		require.False(t, a.Cooling.After(latest) || a.Told.After(latest), "%+v", a)
	}
	for _, c := range b.Changes {
		require.False(t, c.Until.After(latest))
	}
	require.Equal(t, latest, b.Dispute.Settlement.Until)
	require.NotEmpty(t, b.Pending)
	for _, c := range b.Pending {
		require.False(t, c.Expires.After(w.now), "a candidate is over")
	}
	for _, n := range b.Mail {
		require.False(t, n.Expires.After(latest))
	}
	require.False(t, correct(b, w.now), "once")
}

func TestCorrect(t *testing.T) {
	run(t, []table{
		{"takes the place of those of its channel, and cools down", usual, []step{
			{0, "clerk adopt phone mail mail2", "adopted sms adopted email adopted email"},
			{0, "displaced new", "displaces mail mail2"},
			{0, "correct new", "changed email by a recovery; phone+ mail+ mail2+; lowered to 10d"},
			{0, "show", "phone* new~"},
			{0, "repudiate c2 mail2", "undone; phone new mail mail2"},
			{0, "show", "phone* mail mail2"},
		}},
		{"and of its address, whatever the channel", usual, []step{
			enrolled,
			{0, "displaced call", "displaces phone"},
			{0, "correct call", "changed voice by a recovery; phone+ mail+; lowered to 10d"},
			{0, "show", "call*~ mail"},
		}},
		{"is the primary one if it replaces that", usual, []step{
			enrolled,
			{0, "correct phone2", "changed sms by a recovery; phone+ mail+; lowered to 10d"},
			{0, "show", "phone2*~ mail"},
		}},
		{"adds where there is none of its channel", usual, []step{
			{0, "clerk adopt phone", "adopted sms"},
			{0, "displaced mail", "displaces "},
			{0, "correct mail", "added email by a recovery; phone+; lowered to 10d"},
			{0, "show", "phone* mail~"},
		}},
		{"does not cool down where there was none", usual, []step{
			{0, "correct mail", "added email by a recovery"},
			{0, "show usable", "mail*"},
		}},
		{"cools down all the same where the account is in use", usual, []step{
			{0, "correct mail in use", "added email by a recovery; lowered to 10d"},
			{0, "show", "mail*~"},
		}},
		{"can be undone, and cools down, for as long as the recovery can", usual, []step{
			enrolled,
			{0, "correct new until 30", "changed email by a recovery; phone+ mail+; lowered to 30d"},
			{30*day - 1, "show", "phone* new~"},
			{30*day - 1, "undo c2", "undone; phone new mail"},
			{30*day - 1, "show", "phone* mail"},
		}},
		{"once, and not what is a contact already", usual, []step{
			enrolled,
			{0, "correct new", "changed email by a recovery; phone+ mail+; lowered to 10d"},
			{0, "correct new", ""},
			{0, "correct mail as c2", ""},
			{0, "show", "phone* new~"},
			{0, "show changes", "2"},
		}},
	})
}

func TestTidy(t *testing.T) {
	run(t, []table{
		{"candidates are kept for a day after their end, messages until theirs", usual, []step{
			{0, "ask mail", "waits to 1d"},
			{0, "send mail 3600", "message 1"},
			{hour - 1, "tidy", ""},
			{hour - 1, "show mail", "1"},
			{hour, "tidy", ""},
			{hour, "show mail", "0"},
			{2*day - 1, "tidy", ""},
			{2*day - 1, "show pending", "mail late"},
			{2 * day, "tidy", ""},
			{2 * day, "show pending", ""},
		}},
		{"one that went is kept as long as the change can be undone or that be told", usual, after(
			step{0, "remove mail", "removed; phone+ mail+"},
			step{8*day - 1, "tidy", "phone*"},
			step{8*day - 1, "show all", "phone* mail-"},
			step{8 * day, "tidy", "phone*"},
			step{8 * day, "show all", "phone*"},
		)},
		{"also by an earlier change that had it", usual, after(
			step{0, "correct new until 30", "changed email by a recovery; phone+ mail+; lowered to 30d"},
			step{day, "remove new", "removed; phone+ new mail+"},
			step{9 * day, "tidy", "phone*"},
			step{9 * day, "show all", "phone* mail- new~-"},
			step{31*day - 1, "tidy", "phone*"},
			step{31*day - 1, "show all", "phone* mail- new-"},
			step{31 * day, "tidy", "phone*"},
			step{31 * day, "show all", "phone*"},
		)},
		{"what an undo removed is kept until staff have seen the subject, and it is told no longer", usual, after(
			step{0, "adopt thief", "adopted email; phone+ mail+; lowered to 10d"},
			step{0, "undo c3", "undone; phone mail thief"},
			step{0, "show all", "phone* mail thief~-"},
			step{30 * day, "tidy", "phone* mail"},
			step{30 * day, "show all", "phone* mail thief-"},
			step{30 * day, "clerk adopt phone", "seen sms"},
			step{30 * day, "tidy", "phone* mail"},
			step{30 * day, "show all", "phone* mail"},
		)},
		{"what staff brought is kept while an undo can bring it back, in the place of the citizen's", usual, []step{
			enrolled,
			{0, "adopt one", "adopted email; phone+ mail+; lowered to 10d"},
			{0, "adopt two", "adopted email; phone+ mail+ one; lowered to 10d"},
			{0, "remove two", "removed; phone+ mail+ one two"},
			{hour, "clerk ask two", "waits to 1d1h0m0s"},
			{hour, "accept two", "added email by a clerk; phone+ mail+ one two"},
			{hour, "undo c4", "undone; phone mail one two two"},
			{hour, "show all", "phone* mail one~ two~- two"}, // the citizen's is disputed
			{hour, "tidy", "phone* mail one~ two"},
			{hour, "undo c2", "undone; phone mail one two"},
			{hour, "show all", "phone* mail one~- two~- two"},
		}},
		{"what staff took away is kept while that can be undone, and no token leads back to it", usual, []step{
			enrolled,
			{0, "clerk remove phone", "removed; phone mail+"},
			{8*day - 1, "tidy", "mail*"},
			{8*day - 1, "show all", "phone- mail*"},
			{8*day - 1, "show barred", "phone"},
			{8 * day, "tidy", "mail*"},
			{8 * day, "show all", "mail*"},
			{8 * day, "show barred", ""},
		}},
	})
}

func TestKeep(t *testing.T) {
	run(t, []table{
		{"for ever while there is a contact", usual, []step{
			{0, "show keep", "for 1d"}, // nothing in it
			{0, "ask mail", "waits to 1d"},
			{0, "show keep", "for 2d"},
			{hour, "accept mail", "added email"},
			{hour, "show keep", "for ever"},
			{3 * day, "undo c1", "undone; mail"},
			{3 * day, "show keep", "for 11d"}, // the message about that is sent for seven days
			{12 * day, "show keep", "for 13d"},
		}},
		{"as long as a message, a change or somebody who is told", usual, []step{
			{0, "adopt mail", "adopted email"},
			{2 * day, "adopt new", "adopted email; mail+; lowered to 12d"},
			{3 * day, "clerk remove mail", "removed; mail new"},
			{3 * day, "undo c2", "undone; new"}, // nobody is left; the notice of that ends last
			{3 * day, "show", ""},
			{3 * day, "show keep", "for 11d"},
		}},
		{"as long as a candidate waits", usual, []step{
			{0, "adopt mail", "adopted email"},
			{0, "undo c1", "undone; mail"},
			{7 * day, "ask mail", "waits to 8d"},
			{7 * day, "show keep", "for 9d"},
		}},
		{"as long as a change can be undone, and is said to be late", usual, []step{
			{0, "correct mail until 40", "added email by a recovery"},
			{0, "undo c1", "undone; mail"},
			{0, "show keep", "for 41d"},
		}},
	})
}

// enrolled is a step after which a subject has a telephone and a mailbox that an operator saw.
var enrolled = step{0, "clerk adopt phone mail", "adopted sms adopted email"}

func TestStaff(t *testing.T) {
	run(t, []table{
		{"what staff bring does not cool down; what the citizen has vouched for does", usual, []step{
			enrolled,
			{0, "adopt new", "adopted email; phone+ mail+; lowered to 10d"},
			{0, "clerk ask phone2", "waits to 1d"},
			{0, "accept phone2", "added sms by a clerk; phone+ mail+ new"},
			{0, "show", "phone* mail new~ phone2"},
			{0, "clerk adopt desk", "adopted email; phone+ mail+ phone2+"},
			{0, "show", "phone* mail phone2 desk"}, // and they end the one that cooled down
		}},
		{"what staff ask for again is theirs; what a citizen asks for again stays staff's", usual, []step{
			enrolled,
			{0, "ask new", "waits to 1d"},
			{0, "clerk ask new", "waits to 1d"},
			{0, "ask new", "waits to 1d"},
			{0, "accept new", "added email by a clerk; phone+ mail+"},
			{0, "show usable", "phone* mail new"},
		}},
		{"staff end a cooling down, the citizen does not, and nobody is told", usual, []step{
			enrolled,
			{0, "adopt new", "adopted email; phone+ mail+; lowered to 10d"},
			{day, "adopt new", ""},
			{day, "show cooling", "phone ever, mail ever, new 10d"},
			{day, "clerk adopt phone new", "seen sms seen email"},
			{day, "show usable", "phone* mail new"},
			{day, "clerk adopt new", "seen email"},
			{day, "show cooling", "phone ever, mail ever, new 1d"},
			{day, "show changes", "2"},
		}},
		{"candidates go when staff bring contacts, theirs too", usual, []step{
			enrolled,
			{0, "ask new", "waits to 1d"},
			{0, "ask new for phone", "waits to 1d"},
			{0, "clerk ask other", "waits to 1d"},
			{0, "clerk adopt new", "adopted email; phone+ mail+"},
			{0, "show pending", ""},
		}},
		{"candidates of an address that the citizen has vouched for go, but not those for another contact", usual, []step{
			enrolled,
			{0, "ask new", "waits to 1d"},
			{0, "ask new for phone", "waits to 1d"},
			{0, "ask other", "waits to 1d"},
			{0, "adopt new", "adopted email; phone+ mail+; lowered to 10d"},
			{0, "show pending", "new, other"},
			{0, "accept new", "unsuitable: it is one already"},
		}},
		{"one that staff take away is told of that without a token, and then of nothing", usual, []step{
			enrolled,
			{0, "clerk remove phone", "removed; phone mail+"},
			{0, "show", "mail*"},
			{0, "show barred", "phone"},
			{0, "told", "mail+"},
			{0, "clerk adopt new", "adopted email; mail+"},
		}},
		{"its tokens of earlier changes end, also those on their way", usual, []step{
			enrolled,
			{0, "clerk adopt new", "adopted email; phone+ mail+"},
			{0, "wants", "changed phone+, changed mail+"},
			{0, "clerk remove phone", "removed; phone mail+ new+"},
			{0, "wants", "changed phone, changed mail+, changed phone, changed mail+, changed new+"},
			{0, "repudiate c2 phone", "gone"},
			{0, "repudiate c2 mail", "undone; mail new"},
		}},
		{"what staff took away stays away when an earlier change is undone", usual, []step{
			enrolled,
			{0, "adopt new", "adopted email; phone+ mail+; lowered to 10d"},
			{0, "clerk remove phone", "removed; phone mail+ new"},
			{0, "repudiate c2 mail", "undone; mail new"},
			{0, "show", "mail*"},
			{0, "show barred", "phone"},
		}},
		{"and comes back when that very change is undone", usual, []step{
			enrolled,
			{0, "clerk remove phone", "removed; phone mail+"},
			{0, "repudiate c2 mail", "undone; mail phone"},
			{0, "show", "phone* mail"},
			{0, "show barred", ""},
			{0, "told", "phone mail+"},
		}},
		{"removing a second time does nothing", usual, []step{
			enrolled,
			{0, "clerk remove phone", "removed; phone mail+"},
			{0, "clerk remove phone", "nothing"},
			{0, "remove phone", "nothing"},
			{0, "show changes", "2"},
		}},
		{"rather none than one that was taken away", usual, []step{
			{0, "clerk adopt phone", "adopted sms"},
			{0, "adopt thief", "adopted email; phone+; lowered to 10d"},
			{0, "clerk remove phone", "removed; phone thief"},
			{0, "show", "thief*~"},
			{0, "undo c2", "undone; thief"},
			{0, "show", ""},
			{0, "told", "thief"},
			{0, "undo c3", "cannot"},
		}},
	})
}

func TestStaffAndUndo(t *testing.T) {
	run(t, []table{
		{"what staff brought survives the undoing of an earlier change", usual, []step{
			enrolled,
			{0, "adopt thief", "adopted email; phone+ mail+; lowered to 10d"},
			{0, "clerk adopt desk", "adopted email; phone+ mail+"},
			{0, "show", "phone* mail desk"},
			{0, "repudiate c2 phone", "undone; phone mail desk"},
			{0, "show", "phone* mail desk"},
			{0, "told", "phone+ mail+ desk+"},
		}},
		{"also that of two, one after the other", usual, []step{
			enrolled,
			{0, "adopt one", "adopted email; phone+ mail+; lowered to 10d"},
			{0, "adopt two", "adopted email; phone+ mail+ one; lowered to 10d"},
			{0, "clerk ask desk", "waits to 1d"},
			{0, "accept desk", "added email by a clerk; phone+ mail+ one two"},
			{0, "repudiate c3 phone", "undone; phone mail one two desk"},
			{0, "show", "phone* mail one~ desk"},
			{0, "repudiate c2 mail", "undone; phone mail one desk two"},
			{0, "show", "phone* mail desk"},
			{0, "undo c4", "cannot"},
		}},
		{"but not that of itself, nor an undo of something before that", usual, []step{
			enrolled,
			{0, "adopt one", "adopted email; phone+ mail+; lowered to 10d"},
			{0, "clerk ask desk", "waits to 1d"},
			{0, "accept desk", "added email by a clerk; phone+ mail+ one"},
			{0, "repudiate c3 mail", "undone; phone mail one desk"},
			{0, "show", "phone* mail one~"},
			{0, "repudiate c2 phone", "undone; phone mail one desk"},
			{0, "show", "phone* mail"},
		}},
		{"nor its own, if staff have looked at it since", usual, []step{
			enrolled,
			{0, "clerk adopt desk", "adopted email; phone+ mail+"},
			{0, "clerk adopt desk", "seen email"},
			{0, "repudiate c2 phone", "undone; phone mail desk"},
			{0, "show usable", "phone* mail desk"},
		}},
		{"what staff brought and an undo removed does not come back with the undo of something before that", usual, []step{
			enrolled,
			{0, "adopt one", "adopted email; phone+ mail+; lowered to 10d"},
			{0, "adopt two", "adopted email; phone+ mail+ one; lowered to 10d"},
			{0, "clerk ask desk", "waits to 1d"},
			{0, "accept desk", "added email by a clerk; phone+ mail+ one two"},
			{0, "undo c4", "undone; phone mail one two desk"},
			{0, "undo c3", "undone; phone mail one two desk"},
			{0, "undo c2", "undone; phone mail one two desk"},
			{0, "show", "phone* mail"},
		}},
		{"what staff brought in the place of one stays beside it", usual, []step{
			enrolled,
			{0, "adopt thief", "adopted email; phone+ mail+; lowered to 10d"},
			{0, "clerk ask desk for mail", "waits to 1d"},
			{0, "accept desk", "changed email by a clerk; phone+ mail thief"},
			{0, "repudiate c2 phone", "undone; phone thief desk"},
			{0, "show", "phone* desk"},
			{0, "show barred", "mail"},
		}},
		{"of an address that staff bring back and an undo too, the one stays that they saw", usual, []step{
			enrolled,
			{0, "remove mail", "removed; phone+ mail+"},
			{hour, "clerk adopt mail", "adopted email; phone+ mail+"},
			{hour, "show all", "phone* mail- mail"},
			{hour, "repudiate c2 phone", "undone; phone mail mail"},
			{hour, "show all", "phone* mail- mail"},
			{hour, "show disputed", ""},
		}},
	})
}

// replaced are the steps after a mailbox is stolen, and replaced, and the thief undoes that.
func replaced(steps ...step) []step {
	return append([]step{
		enrolled,
		{0, "ask new for mail", "waits to 1d"},
		{0, "accept new", "changed email; phone+ mail+; lowered to 10d"},
		{0, "repudiate c2 mail", "undone; phone new mail"},
		{0, "show disputed", "mail new~-"},
		{0, "show usable", "phone*"},
	}, steps...)
}

// A subject ends a dispute without staff: by a contact that is not disputed, if no address objects. A line is the day, "8-" for
// just before, the act and what came of it.
func TestSettlement(t *testing.T) {
	steps := func(lines string) (list []step) {
		for line := range strings.Lines(lines) {
			day, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
			act, want, _ := strings.Cut(rest, " = ")
			if n, err := strconv.Atoi(strings.TrimSuffix(day, "-")); err == nil {
				list = append(list, step{time.Duration(n)*24*hour - time.Duration(strings.Count(day, "-")), act, want})
			}
		}
		return list
	}
	desk, two := []step{enrolled}, usual
	two.AtLeast = 2
	claimed := append(replaced(), steps(`
		1 claim phone new = waits to 2d
		1 accept phone = settling; phone+ mail+ new+
		1 show usable = phone*`)...)
	four := steps(`
		0 clerk adopt phone a b c = adopted sms adopted email adopted email adopted email
		0 adopt n1 n2 n3 n4 = adopted email adopted email adopted email adopted email; phone+ a+ b+ c+; lowered to 10d
		0 repudiate c2 phone = undone; phone a b c n1 n2 n3 n4`)
	for _, tc := range []struct {
		name  string
		p     contactbook.Policy
		begin []step
		lines string
	}{
		{"what is the subject's comes back, and what is not goes", usual, claimed, `
			8- show all = phone* mail new~-
			8- show epoch = 3
			8 show all = phone* mail- new~
			8 told = phone+ new
			8 show epoch = 4
			8 repudiate c3 mail = expired
			10 show usable = phone* new
			20 remove phone = removed; phone+ new+
			20 adopt mail = adopted email; new+ phone+; lowered to 30d
			40 show usable = new*`},
		{"or what was there stays, whatever came", usual, replaced(), `
			1 claim phone mail = waits to 2d
			1 accept phone = settling; phone+ mail+ new+
			8 show all = phone* mail new~-
			8 show usable = phone* mail
			8 remove phone = removed; phone+ mail+`},
		{"or both, or neither", usual, replaced(), `
			1 claim phone = waits to 2d
			1 claim phone mail new = waits to 2d
			1 show pending = phone, phone
			1 accept phone = settling; phone+ mail+ new+
			1 accept phone = unsuitable: the dispute ends already
			10 show usable = phone* mail new`},
		{"an objection of either side leaves it to staff", usual, claimed, `
			8- repudiate c3 mail = objected; phone mail new
			30 show disputed = mail new-
			30 repudiate c3 new = gone
			30 claim phone new = unsuitable: an address objected, and an operator ends the dispute
			30 clerk adopt new = adopted email; phone+ mail
			30 show usable = phone* new`},
		{"as that of a contact that is not disputed, and the notices are sent no more", usual, claimed, `
			1 wants = changed phone, changed new, changed mail, changed phone+, changed mail+, changed new+
			1 repudiate c3 phone = objected; phone mail new
			1 wants = changed phone, changed new, changed mail, changed phone, changed mail, changed new`},
		{"a click on an older link of a disputed address objects", usual, desk, `
			0 adopt old = adopted email; phone+ mail+; lowered to 10d
			0 ask new for mail = waits to 1d
			0 accept new = changed email; phone+ mail+ old; lowered to 10d
			0 repudiate c3 phone = undone; phone old new mail
			0 claim phone mail = waits to 1d
			0 accept phone = settling; phone+ mail+ old new+
			0 repudiate c2 mail = objected; phone mail old new
			30 show usable = phone* old`},
		{"nor of a side that no provider would tell, at once or later: to the others it is sent no more", usual, claimed, `
			1 unsent c3 phone = kept
			1 unsent c3 phone = skipped
			2 sent c3 new = kept
			2 show all = phone* mail new~-
			2 unsent c3 new = kept
			2 wants = changed phone, changed new, changed mail
			2 unsent c3 new = skipped
			9 show usable = phone*
			9 claim phone new = waits to 10d
			9 accept phone = settling; phone+ mail+ new+
			9 unsent c4 mail 16 = kept
			16 show usable = phone* new`},
		{"only a contact that proves something ends it", usual, replaced(), `
			1 claim mail mail = unsuitable: no contact that proves something
			1 claim new new = unsuitable: no contact that proves something
			1 adopt other = adopted email; phone+ mail new; lowered to 11d
			1 claim other new = unsuitable: no contact that proves something
			1 claim phone other = unsuitable: not a disputed one, or one twice
			1 claim phone new new = unsuitable: not a disputed one, or one twice
			11 claim other new = waits to 12d
			11 accept other = settling; phone+ mail+ other+ new+`},
		{"no fewer are left than the policy keeps", two, replaced(), `
			1 claim phone = unsuitable: 1 would be left, and not 2 to 8
			1 claim phone new = waits to 2d`},
		{"nothing ends without a dispute", usual, desk, `
			0 claim phone = unsuitable: none is disputed`},
		{"nor after staff ended it", usual, claimed, `
			2 clerk adopt phone = seen sms
			2 repudiate c3 mail = gone
			9 show all = phone* mail`},
		{"what staff took away does not come back", usual, claimed, `
			2 clerk adopt other = adopted email; phone+ mail
			2 clerk remove mail = removed; phone+ mail other+
			9 show = phone* other`},
		{"a further undo ends it, and it can be asked for again", usual, claimed, `
			2 adopt thief = adopted email; phone+ mail new; lowered to 12d
			2 repudiate c4 phone = undone; phone mail thief new
			3 repudiate c3 mail = gone
			9 show usable = phone*
			9 claim phone new = waits to 10d
			9 accept phone = settling; phone+ mail+ new+ thief+
			16 show usable = phone* new`},
		{"a revocation ends it, and a recovery, but not a change of the secret, nor anything afterwards", usual, claimed, `
			2 credential C = phone* mail
			11 credential V = phone* new
			11 show usable = phone* new`},
		{"a revocation before its end", usual, claimed, `
			8- credential V = phone* mail
			9 show = phone* mail`},
		{"a recovery before its end", usual, claimed, `
			2 credential R = phone* mail
			19 show = phone* mail
			19 claim phone mail = waits to 20d`},
		{"a recovery that a slow clock wrote, as if it had been before", usual, claimed, `
			2 credential R 0 = phone* mail
			19 show usable = phone*`},
		{"but none that came after its end", usual, claimed, `
			3 credential R 8 = phone* mail
			8- show all = phone* mail new~-
			9 show all = phone* mail- new~
			18 show usable = phone* new`},
		{"what comes back has its room until then", usual, four, `
			0 ask x = waits to 1d
			0 claim phone n1 n2 n3 n4 = waits to 1d
			0 accept phone = settling; phone+ a+ b+ c+ n1+ n2+ n3+ n4+
			0 accept x = unsuitable: there are 8
			1 ask x = unsuitable: there are 8
			1 adopt x = unsuitable: there are 8
			1 correct x = unsuitable: there are 8
			1 ask n1 = waits to 2d
			1 ask n2 = unsuitable: there are 4, and 1 that wait for their proof
			1 accept n1 = added email; phone+ a+ b+ c+ n1 n2 n3 n4; lowered to 11d
			8 show = phone* a b c n2~ n3~ n4~ n1~`},
		{"and finds it taken if another was proved first", usual, four, `
			0 ask x = waits to 1d
			0 claim phone n1 n2 n3 n4 = waits to 1d
			0 accept x = added email; phone+ a+ b+ c+ n1 n2 n3 n4; lowered to 10d
			0 accept phone = unsuitable: 9 would be left, and not 1 to 8`},
		{"nor does an address by taking its own place, on another channel", usual, desk, `
			0 ask call for phone = waits to 1d
			0 accept call = changed voice; phone+ mail+; lowered to 10d
			0 repudiate c2 mail = undone; call mail phone
			1 clerk adopt mail = seen email
			1 ask call for phone = waits to 2d
			1 accept call = changed voice; phone mail+; lowered to 11d
			40 show usable = mail
			40 show disputed = call*`},
	} {
		run(t, []table{{tc.name, tc.p, append(slices.Clip(tc.begin), steps(tc.lines)...)}})
	}
}

func TestDispute(t *testing.T) {
	run(t, []table{
		{"each address is disputed since the undo that was about it", usual, []step{
			enrolled,
			{0, "clerk adopt other", "adopted email; phone+ mail+"},
			{day, "adopt new", "adopted email; phone+ mail+ other+; lowered to 11d"},
			{day, "repudiate c3 phone", "undone; phone mail other new"},
			{2 * day, "repudiate c2 mail", "undone; phone mail other new"},
			{3 * day, "show disputed since", "phone ever, mail ever, other 2d, new ever"},
		}},
		{"staff's issue after a repudiation asks of every contact, by counts and not by clocks", usual, []step{
			enrolled,
			{day, "credential R", "phone* mail"},
			{day, "credential Q 2", "phone* mail"}, // a day ahead
			{day, "show barred", ""},
			{day + hour, "credential S", "phone* mail"},
			{day + hour, "show barred", "phone mail"},
			{2 * day, "credential Q 3", "phone* mail"},
			{2 * day, "show barred", "phone mail"},
			{2 * day, "clerk adopt phone", "seen sms"},
			{2 * day, "credential S", "phone* mail"},
			{2 * day, "show barred", "mail"},
			{2 * day, "credential Q", "phone* mail"},
			{2 * day, "credential S 0", "phone* mail"}, // days behind
			{2 * day, "show barred", "phone mail"},
		}},
		{"neither side proves anything, however late, and both are told", usual, replaced(
			step{60 * day, "tidy", "phone* mail"},
			step{60 * day, "show usable", "phone*"},
			step{60 * day, "on sms email", "phone"},
			step{60 * day, "told", "phone+ mail new"},
			step{60 * day, "prefer mail", "unsuitable: it is disputed"},
			step{60 * day, "prefer phone", "nothing"},
		)},
		{"no contact goes, but more come, and only undisputed ones can undo that", usual, replaced(
			step{day, "remove mail", "unsuitable: contacts are disputed"},
			step{day, "remove phone", "unsuitable: contacts are disputed"},
			step{day, "ask other for mail", "unsuitable: contacts are disputed"},
			step{day, "adopt other", "adopted email; phone+ mail new; lowered to 11d"},
			step{day, "correct another", "added email by a recovery; phone+ mail other new; lowered to 11d"},
			step{day, "repudiate c3 phone", "undone; phone mail other another new"},
			step{day, "show", "phone* mail"},
		)},
		{"the primary contact is one that is not disputed", usual, replaced(
			step{day, "clerk adopt other", "adopted email; phone+ mail"},
			step{day, "clerk remove phone", "removed; phone mail other+"},
			step{day, "show", "other* mail"},
		)},
		{"an address undoes once, and later only objects: what was brought is disputed", usual, replaced(
			step{day, "adopt other", "adopted email; phone+ mail new; lowered to 11d"},
			step{day, "repudiate c3 phone", "undone; phone mail other new"},
			step{2 * day, "adopt again", "adopted email; phone+ mail new other; lowered to 12d"},
			step{2 * day, "repudiate c4 phone", "objected; phone mail again new other"},
			step{2 * day, "repudiate c4 phone", "gone"},
			step{40 * day, "show", "phone* mail again"},
			step{40 * day, "show usable", "phone*"},
			step{40 * day, "clerk adopt phone again", "seen sms seen email"},
			step{40 * day, "show usable", "phone* again"},
			step{40 * day, "adopt thief", "adopted email; phone+ mail again+; lowered to 50d"},
			step{40 * day, "repudiate c5 phone", "undone; phone mail again thief"},
		)},
		{"a disputed address undoes nothing, also by links that it had before, and disputes nothing", usual, []step{
			enrolled,
			{0, "adopt old", "adopted email; phone+ mail+; lowered to 10d"},
			{0, "ask new for mail", "waits to 1d"},
			{0, "accept new", "changed email; phone+ mail+ old; lowered to 10d"},
			{0, "repudiate c3 phone", "undone; phone old new mail"},
			{0, "repudiate c2 mail", "objected; phone mail old new"},
			{0, "show disputed", "mail new~-"},
			{0, "show", "phone* mail old~"},
		}},
		{"it does not come back undisputed by going and being added again", usual, replaced(
			step{day, "ask new", "waits to 2d"},
			step{day, "accept new", "added email; phone+ mail new; lowered to 11d"},
			step{day, "told", "phone+ mail new"},
			step{60 * day, "show usable", "phone*"},
			step{60 * day, "show disputed", "mail new"},
			step{60 * day, "clerk adopt new", "seen email"},
			step{60 * day, "show usable", "phone* new"},
			step{60 * day, "show disputed", "mail"},
			step{60 * day, "remove mail", "removed; phone+ mail new+"},
			step{61 * day, "adopt mail", "adopted email; phone+ new+ mail; lowered to 71d"},
			step{99 * day, "show usable", "phone* new"},
		)},
		{"staff end it by taking the disputed contact away, or by seeing another", usual, replaced(
			step{day, "clerk remove mail", "removed; phone+ mail new"},
			step{day, "told", "phone+ new"},
			step{day, "adopt other", "adopted email; phone+ new; lowered to 11d"},
			step{day, "remove other", "removed; phone+ other new"},
		)},
		{"what staff saw since the change stays", usual, []step{
			enrolled,
			{0, "ask new for mail", "waits to 1d"},
			{0, "accept new", "changed email; phone+ mail+; lowered to 10d"},
			{day, "clerk adopt new", "seen email"},
			{day, "repudiate c2 mail", "undone; phone new mail"},
			{day, "show usable", "phone* new"},
			{day, "show disputed", "mail"},
		}},
		{"what touches no address disputes none", usual, after(
			step{0, "prefer mail", "primary; phone+ mail+"},
			step{0, "repudiate c3 mail", "undone; mail phone"},
			step{0, "show usable", "phone* mail"},
			step{0, "prefer mail", "primary; phone+ mail+"},
			step{0, "repudiate c4 mail", "undone; mail phone"},
		)},
	})
}
