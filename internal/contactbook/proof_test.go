package contactbook_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/internal/contactbook"
)

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

// The errors say until when, and nothing of whom they are about.
func TestErrors(t *testing.T) {
	until := began.In(time.FixedZone("Guayaquil", -5*60*60))
	full, sends := &contactbook.FullError{Until: until}, &contactbook.SendsError{Until: until}
	require.EqualError(t, full, "civicpin: too many changes of contacts, until 2026-03-02T09:00:00Z")
	require.EqualError(t, sends, "civicpin: too many messages to one address, until 2026-03-02T09:00:00Z")
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
