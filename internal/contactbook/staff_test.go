package contactbook_test

import "testing"

// enrolled is a step after which a subject has a telephone and a mailbox that an operator saw.
var enrolled = step{0, "clerk adopt phone mail", "adopted sms adopted email"}

func TestStaff(t *testing.T) {
	run(t, []table{
		{"what staff bring does not cool down; what the citizen has vouched for does", usual, []step{
			enrolled,
			{0, "adopt new", "adopted email; phone+ mail+; lowered to 10d"},
			{0, "clerk adopt desk", "adopted email; phone+ mail+ new"},
			{0, "show", "phone* mail new~ desk"},
			{0, "clerk ask phone2", "waits to 1d"},
			{0, "accept phone2", "added sms by a clerk; phone+ mail+ new desk+"},
			{0, "show usable", "phone* mail desk phone2"},
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
			{day, "clerk adopt phone new", "seen email"},
			{day, "show usable", "phone* mail new"},
			{day, "clerk adopt new", ""},
			{day, "show cooling", "phone ever, mail ever, new 1d"},
			{day, "show changes", "2"},
		}},
		{"candidates of an adopted address go, but not those for another contact", usual, []step{
			enrolled,
			{0, "ask new", "waits to 1d"},
			{0, "ask new for phone", "waits to 1d"},
			{0, "ask other", "waits to 1d"},
			{0, "clerk adopt new", "adopted email; phone+ mail+"},
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
			{0, "told", "phone+ mail+"},
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
			{0, "told", ""},
			{0, "undo c3", "cannot"},
		}},
	})
}

func TestStaffAndUndo(t *testing.T) {
	run(t, []table{
		{"what staff brought survives the undoing of an earlier change", usual, []step{
			enrolled,
			{0, "adopt thief", "adopted email; phone+ mail+; lowered to 10d"},
			{0, "clerk adopt desk", "adopted email; phone+ mail+ thief"},
			{0, "repudiate c2 phone", "undone; phone mail thief desk"},
			{0, "show", "phone* mail desk"},
			{0, "told", "phone+ mail+ desk+"},
		}},
		{"also that of two, one after the other", usual, []step{
			enrolled,
			{0, "adopt one", "adopted email; phone+ mail+; lowered to 10d"},
			{0, "adopt two", "adopted email; phone+ mail+ one; lowered to 10d"},
			{0, "clerk adopt desk", "adopted email; phone+ mail+ one two"},
			{0, "repudiate c3 phone", "undone; phone mail one two desk"},
			{0, "show", "phone* mail one~ desk"},
			{0, "repudiate c2 phone", "undone; phone mail one desk"},
			{0, "show", "phone* mail desk"},
			{0, "undo c4", "cannot"},
		}},
		{"but not that of itself, nor an undo of something before that", usual, []step{
			enrolled,
			{0, "adopt one", "adopted email; phone+ mail+; lowered to 10d"},
			{0, "clerk adopt desk", "adopted email; phone+ mail+ one"},
			{0, "repudiate c3 mail", "undone; phone mail one desk"},
			{0, "show", "phone* mail one~"},
			{0, "repudiate c2 mail", "undone; phone mail one"},
			{0, "show", "phone* mail"},
		}},
		{"what staff brought and an undo removed does not come back with the undo of something before that", usual, []step{
			enrolled,
			{0, "adopt one", "adopted email; phone+ mail+; lowered to 10d"},
			{0, "adopt two", "adopted email; phone+ mail+ one; lowered to 10d"},
			{0, "clerk adopt desk", "adopted email; phone+ mail+ one two"},
			{0, "undo c4", "undone; phone mail one two desk"},
			{0, "undo c3", "undone; phone mail one two"},
			{0, "undo c2", "undone; phone mail one"},
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
		{"of an address that staff bring back and an undo too, the older contact stays", usual, []step{
			enrolled,
			{0, "remove mail", "removed; phone+ mail+"},
			{hour, "clerk adopt mail", "adopted email; phone+ mail+"},
			{hour, "show all", "phone* mail- mail"},
			{hour, "repudiate c2 phone", "undone; phone mail mail"},
			{hour, "show all", "phone* mail mail-"},
		}},
	})
}
