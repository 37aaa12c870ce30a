package contactbook_test

import "testing"

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
		{"what an undo removed goes at once", usual, after(
			step{0, "adopt thief", "adopted email; phone+ mail+; lowered to 10d"},
			step{0, "undo c3", "undone; phone mail thief"},
			step{0, "show all", "phone* mail thief~-"},
			step{0, "tidy", "phone* mail"},
			step{0, "show all", "phone* mail"},
			step{0, "show changes", "3"},
		)},
		{"what staff brought is kept while an undo can bring it back, in the place of the citizen's", usual, []step{
			enrolled,
			{0, "adopt one", "adopted email; phone+ mail+; lowered to 10d"},
			{0, "adopt two", "adopted email; phone+ mail+ one; lowered to 10d"},
			{0, "remove two", "removed; phone+ mail+ one two"},
			{hour, "clerk adopt two", "adopted email; phone+ mail+ one two"},
			{hour, "undo c4", "undone; phone mail one two two"},
			{hour, "show all", "phone* mail one~ two~ two-"}, // the citizen's is the older one
			{hour, "tidy", "phone* mail one~ two~"},
			{hour, "undo c2", "undone; phone mail one two two"},
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
