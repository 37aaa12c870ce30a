package contactbook_test

import "testing"

func TestUndo(t *testing.T) {
	run(t, []table{
		{"each of those that are told can undo it, once, until the end", usual, after(
			step{0, "ask thief for mail", "waits to 1d"},
			step{hour, "accept thief", "changed email; phone+ mail+; lowered to 10d1h0m0s"},
			step{hour, "show", "phone* thief~"},
			step{hour, "repudiate c3 mail forged", "gone"},
			step{7*day + hour - 1, "repudiate c3 mail", "undone; phone thief mail"},
			step{7*day + hour - 1, "show", "phone* mail"},
			step{7*day + hour - 1, "told", "phone+ mail+"}, // the thief is not told how the owner gets on
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
			step{0, "undo c3", "undone; phone mail one"},
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
			step{0, "told", "phone+ one mail+"},
		)},
		{"what it removes is not told any more, also where it had gone before", usual, after(
			step{0, "adopt thief", "adopted email; phone+ mail+; lowered to 10d"},
			step{0, "remove thief", "removed; phone+ mail+ thief"},
			step{0, "undo c3", "undone; phone mail thief"},
			step{0, "told", "phone+ mail+"},
		)},
		{"an undo cannot be undone", usual, after(
			step{0, "adopt one", "adopted email; phone+ mail+; lowered to 10d"},
			step{0, "undo c3", "undone; phone mail one"},
			step{0, "undo c3", "cannot"},
		)},
	})
}

// The epoch counts the acts after which a contact was the subject's no longer, and no others.
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
		step{0, "clerk adopt desk", "adopted email; one phone+ mail+"},
		step{0, "show epoch", "4"},
	)}})
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
