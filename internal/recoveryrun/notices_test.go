package recoveryrun_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/internal/letter"
	"github.com/civicpin/civicpin/internal/recoveryrun"
	"github.com/civicpin/civicpin/internal/token"
)

const waiting, done civicpin.MessageKind = "recovery.waiting", "recovery.done"

// told is a recipient on a channel; established is whether the contact proves something.
func told(id string, channel civicpin.Channel, established bool) contact.Recipient {
	to := civicpin.Contact{Channel: channel, Address: id + "@example.ec", Locale: "es-EC"}
	return contact.Recipient{Contact: to, ID: id, Established: established}
}

// opens returns the token that a mail carries, as its reader sends it back.
func opens(t *testing.T, m letter.Mail) token.Token {
	t.Helper()
	back, err := token.Parse(civicpin.NewSecret(m.Token))
	require.NoError(t, err)
	return back
}

// All contacts are told, but by paper. Each that is established can repudiate the run with a token of its own.
func TestNotices(t *testing.T) {
	until, good := now.Add(time.Hour), now.Add(2*time.Hour)
	r := recoveryrun.Record{State: recoveryrun.Open, Step: 3, Expires: now}
	n := r.Notices([]contact.Recipient{
		told("paper", civicpin.Letter, true), told("first", civicpin.Email, true), told("new", civicpin.CertifiedEmail, false),
		told("hand", civicpin.HandedOver, true), told("second", civicpin.SMS, true), told("third", civicpin.Push, true),
	}, id, waiting, until, good)
	require.Empty(t, r.Mail, "nothing is put into the run yet")
	require.Empty(t, r.Repudiations)

	type mail struct{ name, to, token string }
	var mails []mail
	for _, m := range n.Mails {
		got := mail{name: m.Name, to: m.To.Address}
		if m.Token != "" {
			got.token = fmt.Sprint(opens(t, m).N)
		}
		mails = append(mails, got)
		m.Name, m.Token = "", ""
		require.Equal(t, "es-EC", m.To.Locale)
		require.Equal(t, letter.Mail{Kind: waiting, To: m.To, Expires: good, Until: until, State: letter.Pending}, m)
		require.True(t, m.Notice())
	}
	require.Equal(t, []mail{
		{"n3-0", "first@example.ec", "1"},
		{"n3-1", "new@example.ec", ""},
		{"n3-2", "second@example.ec", "2"},
		{"n3-3", "third@example.ec", "3"},
	}, mails)
	require.Equal(t, civicpin.SMS, n.Mails[2].To.Channel)

	require.Len(t, n.Tokens, 3)
	for i, m := range []int{0, 2, 3} {
		kept, carried := n.Tokens[i], opens(t, n.Mails[m])
		require.Equal(t, token.Repudiate, carried.Kind)
		require.Equal(t, id, carried.Selector)
		require.True(t, carried.Fits(kept.Hash))
		require.Equal(t, recoveryrun.Repudiation{
			N: i + 1, Hash: kept.Hash, To: []string{"first", "second", "third"}[i], Expires: good,
		}, kept)
	}

	require.Zero(t, r.Notices([]contact.Recipient{told("paper", civicpin.Letter, true)}, id, waiting, until, good))
	require.Zero(t, r.Notices(nil, id, waiting, until, good))
	n = r.Notices([]contact.Recipient{told("first", civicpin.Email, true)}, id, done, good, good)
	require.Equal(t, good, n.Mails[0].Expires)
	require.Zero(t, n.Mails[0].Until, "it ends with the mail")
}

// A run tells of several things: no name and no number of a token comes twice, and older notices stay as they were.
func TestTell(t *testing.T) {
	r := recoveryrun.Record{State: recoveryrun.Open, Expires: now, Mail: []letter.Mail{{Name: "l1", Link: 1}}}
	to := []contact.Recipient{
		told("a", civicpin.Email, true), told("b", civicpin.Push, false), told("c", civicpin.SMS, true),
	}
	for step, kind := range []civicpin.MessageKind{waiting, waiting, done} {
		r.Step = step
		r.Tell(r.Notices(to, id, kind, now, now))
	}
	var names []string
	for _, m := range r.Mail {
		names = append(names, m.Name)
	}
	require.Equal(t, []string{"l1", "n0-0", "n0-1", "n0-2", "n1-0", "n1-1", "n1-2", "n2-0", "n2-1", "n2-2"}, names)
	var numbers []int
	for i, d := range r.Repudiations {
		numbers = append(numbers, d.N)
		require.Equal(t, []string{"a", "c"}[i%2], d.To)
		fitting := slices.DeleteFunc(slices.Clone(r.Mail), func(m letter.Mail) bool {
			return m.Token == "" || !opens(t, m).Fits(d.Hash)
		})
		require.Len(t, fitting, 1, "each token is in one mail")
		require.Equal(t, d.N, opens(t, fitting[0]).N)
	}
	require.Equal(t, []int{1, 2, 3, 4, 5, 6}, numbers)
	require.Equal(t, waiting, r.Mailed("n1-0").Kind)
	require.Equal(t, done, r.Mailed("n2-0").Kind)
}

// A try that is not stored leaves nothing in what it began with, though there is room behind it.
func TestTellKeepsToItself(t *testing.T) {
	before := recoveryrun.Record{Mail: make([]letter.Mail, 1, 8), Repudiations: make([]recoveryrun.Repudiation, 1, 8)}
	one, two := before, before
	to := []contact.Recipient{told("a", civicpin.Email, true)}
	one.Tell(before.Notices(to, id, waiting, now, now))
	mail, repudiate := one.Mail[1], one.Repudiations[1]
	two.Tell(before.Notices(to, id, done, now, now))
	require.Equal(t, mail, one.Mail[1])
	require.Equal(t, repudiate, one.Repudiations[1])
}

func TestMailed(t *testing.T) {
	r := recoveryrun.Record{Mail: []letter.Mail{{Name: "a"}, {Name: "b"}}}
	require.Nil(t, r.Mailed("c"))
	require.Nil(t, (&recoveryrun.Record{}).Mailed("a"))
	r.Mailed("b").Code = "code"
	require.Equal(t, []letter.Mail{{Name: "a"}, {Name: "b", Code: "code"}}, r.Mail, "the run's own, not a copy")
}

// A notice goes out while the run is open or finished. What carries a token or a code, while that can be used.
func TestWants(t *testing.T) {
	notice := letter.Mail{State: letter.Pending, Expires: now.Add(2 * time.Hour)}
	link := letter.Mail{Link: 2, Token: "token", State: letter.Pending, Expires: now.Add(2 * time.Hour)}
	for _, tc := range []struct {
		name, state string
		mail        letter.Mail
		but         func(m *letter.Mail)
		at          time.Duration // the run ends after an hour, the mails after two
		want        bool
	}{
		{"a notice", recoveryrun.Open, notice, nil, 0, true},
		{"a notice that failed", recoveryrun.Open, notice, func(m *letter.Mail) { m.State = letter.Failed }, 0, true},
		{"a notice that was sent", recoveryrun.Open, notice, func(m *letter.Mail) { m.State = letter.Sent }, 0, false},
		{"a notice that was dropped", recoveryrun.Open, notice, func(m *letter.Mail) { m.State = letter.None }, 0, false},
		{"a notice after the run's end", recoveryrun.Open, notice, nil, time.Hour, true},
		{"a notice at its own end", recoveryrun.Open, notice, nil, 2 * time.Hour, false},
		{"a notice of a finished run", recoveryrun.Finished, notice, nil, 0, true},
		{"a notice of a cancelled run", recoveryrun.Cancelled, notice, nil, 0, false},
		{"a notice of a repudiated run", recoveryrun.Repudiated, notice, nil, 0, false},
		{"a link", recoveryrun.Open, link, nil, 0, true},
		{"a code", recoveryrun.Open, link, func(m *letter.Mail) { m.Token, m.Code = "", "code" }, 0, true},
		{"a link that failed", recoveryrun.Open, link, func(m *letter.Mail) { m.State = letter.Failed }, 0, true},
		{"a link that was sent", recoveryrun.Open, link, func(m *letter.Mail) { m.State = letter.Sent }, 0, false},
		{"a link that was erased", recoveryrun.Open, link, func(m *letter.Mail) { m.Token = "" }, 0, false},
		{"a link that is used or replaced", recoveryrun.Open, link, func(m *letter.Mail) { m.Link = 1 }, 0, false},
		{"a link at the run's end", recoveryrun.Open, link, nil, time.Hour, false},
		{"a link at its own end", recoveryrun.Open, link, func(m *letter.Mail) { m.Expires = now }, 0, false},
		{"a link of a finished run", recoveryrun.Finished, link, nil, 0, false},
		{"a link of a cancelled run", recoveryrun.Cancelled, link, nil, 0, false},
	} {
		r := recoveryrun.Record{State: tc.state, Expires: now.Add(time.Hour), Links: []token.Link{{N: 2}}}
		if tc.but != nil {
			tc.but(&tc.mail)
		}
		require.Equal(t, tc.want, r.Wants(&tc.mail, now.Add(tc.at)), tc.name)
	}
}

// A mail that was sent, or is for nobody, is settled for good. One that failed keeps what it carries for the next try.
func TestSettle(t *testing.T) {
	for _, tc := range []struct {
		before  string
		failed  bool
		after   string
		changes bool
	}{
		{letter.Pending, false, letter.Sent, true},
		{letter.Pending, true, letter.Failed, true},
		{letter.Failed, false, letter.Sent, true},
		{letter.Failed, true, letter.Failed, false},
		{letter.Sent, false, letter.Sent, false},
		{letter.Sent, true, letter.Sent, false},
		{letter.None, false, letter.None, false},
		{letter.None, true, letter.None, false},
	} {
		bystander := letter.Mail{Name: "a", Token: "token", Code: "code", State: letter.Pending}
		mail := letter.Mail{Name: "b", Token: "token", Code: "code", State: tc.before}
		r := recoveryrun.Record{Mail: []letter.Mail{bystander, mail}}
		require.Equal(t, tc.changes, r.Settle("b", tc.failed), "%+v", tc)
		mail.State = tc.after
		if tc.changes && !tc.failed {
			mail.Token, mail.Code = "", ""
		}
		require.Equal(t, []letter.Mail{bystander, mail}, r.Mail, "%+v", tc)
		require.False(t, r.Settle("c", tc.failed), "no such mail")
	}
}
