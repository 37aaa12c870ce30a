package recoveryrun_test

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/internal/knowledge"
	"github.com/civicpin/civicpin/internal/letter"
	"github.com/civicpin/civicpin/internal/recoveryrun"
	"github.com/civicpin/civicpin/internal/token"
	"github.com/civicpin/civicpin/internal/waits"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/recovery/plan"
	"github.com/civicpin/civicpin/store"
)

const (
	id    = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	other = "ZYXWVUTSRQPONMLKJIHGFEDCBA"
)

var (
	now  = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	rosa = letter.Contact{Channel: civicpin.Email, Address: "rosa@example.ec", Locale: "es-EC"}
)

func TestAskedFirst(t *testing.T) {
	r := recoveryrun.Record{Asked: []string{"pet", "street", "song"}}
	for n, want := range [][]string{{}, {"pet"}, {"pet", "street"}, {"pet", "street", "song"}, {"pet", "street", "song"}} {
		require.Equal(t, want, r.AskedFirst(n), "%d", n)
	}
	require.Empty(t, (&recoveryrun.Record{}).AskedFirst(4))
}

// A run that leads nowhere shows the subject's contact, as other runs do, but not what a right answer named.
func TestDestination(t *testing.T) {
	own := civicpin.Contact{Channel: civicpin.SMS, Address: "+593991234567"}
	decoy := civicpin.Contact{Channel: civicpin.Email, Address: "decoy"}
	named, corrected := []letter.Contact{rosa}, &letter.Unproved{Channel: civicpin.SMS, Address: "+593987654321"}
	for name, tt := range map[string]struct {
		run    recoveryrun.Record
		usable bool
		to     civicpin.Contact
		real   bool
	}{
		"no contact":             {recoveryrun.Record{Known: true}, false, decoy, false},
		"no contact, nowhere":    {recoveryrun.Record{}, false, decoy, false},
		"a contact":              {recoveryrun.Record{Known: true}, true, own, true},
		"a contact, nowhere":     {recoveryrun.Record{}, true, own, false},
		"named":                  {recoveryrun.Record{Known: true, Named: named}, true, rosa.Contact(), true},
		"named, nowhere":         {recoveryrun.Record{Named: named}, true, own, false},
		"corrected":              {recoveryrun.Record{Known: true, Correct: corrected}, true, letter.Contact(*corrected).Contact(), true},
		"corrected, nowhere":     {recoveryrun.Record{Correct: corrected}, true, letter.Contact(*corrected).Contact(), false},
		"corrected, no contacts": {recoveryrun.Record{Correct: corrected}, false, letter.Contact(*corrected).Contact(), false},
	} {
		to, real := tt.run.Destination([]civicpin.Channel{civicpin.SMS, civicpin.Email}, own, tt.usable, decoy)
		require.Equal(t, tt.to, to, name)
		require.Equal(t, tt.real, real, name)
	}
}

// A run goes on while it is open and until it expires. What was closed is gone, however late it is.
func TestCheck(t *testing.T) {
	for _, tc := range []struct {
		name, state string
		at          time.Time
		want        error
	}{
		{"open", recoveryrun.Open, now.Add(-1), nil},
		{"at its end", recoveryrun.Open, now, token.ErrExpired},
		{"late", recoveryrun.Open, now.Add(time.Hour), token.ErrExpired},
		{"finished", recoveryrun.Finished, now.Add(-1), token.ErrGone},
		{"cancelled", recoveryrun.Cancelled, now.Add(-1), token.ErrGone},
		{"repudiated", recoveryrun.Repudiated, now.Add(-1), token.ErrGone},
		{"finished, late", recoveryrun.Finished, now, token.ErrGone},
		{"no state", "", now.Add(-1), token.ErrGone},
	} {
		r := recoveryrun.Record{State: tc.state, Expires: now}
		require.Equal(t, tc.want, r.Check(tc.at), tc.name)
	}
}

// The last ticket alone is the run's. Its number travels in one byte.
func TestHolds(t *testing.T) {
	ticket := token.New(token.Ticket, id, 3)
	numbered, late := ticket, token.New(token.Ticket, id, 256+3)
	numbered.N = 4
	for _, tc := range []struct {
		name    string
		hash    []byte
		tickets int
		token   token.Token
		want    bool
	}{
		{"the ticket", ticket.Hash(), 3, ticket, true},
		{"after 256 others", late.Hash(), 256 + 3, late, true},
		{"one that was replaced", ticket.Hash(), 4, ticket, false},
		{"another of that number", ticket.Hash(), 3, token.New(token.Ticket, id, 3), false},
		{"renumbered", ticket.Hash(), 4, numbered, false},
		{"the number of the token is none of the run's", numbered.Hash(), 3, numbered, false},
		{"another kind", ticket.Hash(), 3, as(ticket, token.Redeem), false},
		{"none", nil, 3, ticket, false},
		{"the zero token of a run without tickets", nil, 0, token.Token{}, false},
	} {
		r := recoveryrun.Record{Ticket: tc.hash, Tickets: tc.tickets}
		require.Equal(t, tc.want, r.Holds(tc.token), tc.name)
	}
}

// as returns a token with another kind.
func as(t token.Token, kind token.Kind) token.Token {
	t.Kind = kind
	return t
}

func TestLink(t *testing.T) {
	first, second := token.New(token.Redeem, id, 1), token.New(token.Redeem, id, 2)
	r := recoveryrun.Record{Links: []token.Link{
		{N: 7, Tag: []byte("code")}, {N: 1, Hash: first.Hash()}, {N: 2, Hash: second.Hash()},
	}}
	require.Equal(t, 1, r.Link(first))
	require.Equal(t, 2, r.Link(second))
	for name, none := range map[string]token.Token{
		"never sent":             token.New(token.Redeem, id, 2),
		"of another run":         token.New(token.Redeem, other, 2),
		"a ticket":               as(second, token.Ticket),
		"the code without links": {N: 7},
	} {
		require.Equal(t, -1, r.Link(none), name)
	}
	require.Equal(t, -1, (&recoveryrun.Record{}).Link(first))
}

// A message that was read proves the address that the visitor gave, if it went there, and undoes no such proof.
func TestProved(t *testing.T) {
	given := letter.Unproved(rosa)
	old := letter.Contact{Channel: rosa.Channel, Address: "old@example.ec"}
	for _, tc := range []struct {
		name   string
		given  *letter.Unproved
		before bool
		to     letter.Contact
		want   bool
	}{
		{"there", &given, false, rosa, true},
		{"elsewhere", &given, false, old, false},
		{"on another channel", &given, false, letter.Contact{Channel: civicpin.CertifiedEmail, Address: rosa.Address}, false},
		{"none was given", nil, false, rosa, false},
		{"elsewhere, after there", &given, true, old, true},
	} {
		r := recoveryrun.Record{Correct: tc.given, Adopt: tc.before}
		r.Proved(tc.to)
		require.Equal(t, tc.want, r.Adopt, tc.name)
	}
}

// mails are a notice and a link's mail in each state.
func mails() []letter.Mail {
	var all []letter.Mail
	for _, state := range []string{letter.Pending, letter.Failed, letter.Sent, letter.None} {
		all = append(all,
			letter.Mail{Name: "n-" + state, Token: "token", State: state, Expires: now},
			letter.Mail{Name: "l-" + state, Link: 1, Token: "token", Code: "code", State: state, Expires: now})
	}
	return all
}

// A closed run has nothing that could be used, and sends nothing but notices. Who was told can still repudiate it.
func TestClose(t *testing.T) {
	given := letter.Unproved(rosa)
	for _, state := range []string{recoveryrun.Finished, recoveryrun.Cancelled} {
		r := recoveryrun.Record{
			State: recoveryrun.Open, Ticket: []byte("hash"), Rests: now, Correct: &given,
			Enrolled:     &knowledge.Knowledge{Image: "owl"},
			Links:        []token.Link{{N: 1, Hash: []byte("hash")}},
			Repudiations: []recoveryrun.Repudiation{{N: 1, Hash: []byte("hash"), To: "c1", Expires: now}},
			Mail:         mails(), Step: 2, Expires: now, Change: "change",
		}
		want := recoveryrun.Record{
			State: state, Repudiations: r.Repudiations, Mail: mails(), Step: 2, Expires: now, Change: "change",
		}
		for i, after := range []string{"", letter.None, "", letter.Failed, "", letter.Sent, "", letter.None} {
			if after != "" {
				want.Mail[i].Token, want.Mail[i].Code, want.Mail[i].State = "", "", after
			}
		}
		r.Close(state)
		require.Equal(t, want, r)
	}
}

// A repudiated run sends nothing at all, not even notices. Its tokens stay, so that a second use is recognised.
func TestRepudiate(t *testing.T) {
	r := recoveryrun.Record{
		State: recoveryrun.Finished, Expires: now.Add(time.Hour), Mail: mails(),
		Repudiations: []recoveryrun.Repudiation{{N: 1, Hash: []byte("hash"), To: "c1", Expires: now}},
		Links:        []token.Link{{N: 1}},
	}
	r.Repudiate()
	require.Equal(t, recoveryrun.Repudiated, r.State)
	require.Len(t, r.Repudiations, 1)
	for i, after := range []string{letter.None, letter.Failed, letter.Sent, letter.None} {
		for _, m := range r.Mail[2*i : 2*i+2] {
			require.Empty(t, m.Token+m.Code, m.Name)
			require.Equal(t, after, m.State, m.Name)
			require.False(t, r.Wants(&m, now.Add(-time.Hour)), m.Name)
		}
	}
}

// A record is kept for a day after its end, and as long as somebody can repudiate the run.
func TestKeep(t *testing.T) {
	const day = 24 * time.Hour
	for _, tc := range []struct {
		name      string
		repudiate []time.Duration // after the end
		want      time.Duration
	}{
		{"no tokens", nil, day},
		{"a token that ends before", []time.Duration{time.Hour}, day},
		{"a token that ends then", []time.Duration{day}, day},
		{"a token that ends later", []time.Duration{7 * day}, 7 * day},
		{"the latest, first", []time.Duration{9 * day, 7 * day, time.Hour}, 9 * day},
		{"the latest, last", []time.Duration{time.Hour, 7 * day, 9 * day}, 9 * day},
	} {
		r := recoveryrun.Record{Expires: now}
		for _, after := range tc.repudiate {
			r.Repudiations = append(r.Repudiations, recoveryrun.Repudiation{Expires: now.Add(after)})
		}
		require.Equal(t, now.Add(tc.want), r.Keep(), tc.name)
	}
}

const waiting, done civicpin.MessageKind = "recovery.waiting", "recovery.done"

// anywhere says that the reader of every notice can object.
func anywhere(civicpin.Channel) bool { return true }

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
	}, id, waiting, until, good, anywhere)
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

	require.Zero(t, r.Notices([]contact.Recipient{told("paper", civicpin.Letter, true)}, id, waiting, until, good, anywhere))
	require.Zero(t, r.Notices(nil, id, waiting, until, good, anywhere))
	n = r.Notices([]contact.Recipient{told("first", civicpin.Email, true)}, id, done, good, good, anywhere)
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
		r.Tell(r.Notices(to, id, kind, now, now, anywhere))
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
	one.Tell(before.Notices(to, id, waiting, now, now, anywhere))
	mail, repudiate := one.Mail[1], one.Repudiations[1]
	two.Tell(before.Notices(to, id, done, now, now, anywhere))
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
		require.Equal(t, tc.changes, r.Settle("b", tc.failed, now), "%+v", tc)
		mail.State = tc.after
		if tc.changes && !tc.failed {
			mail.Token, mail.Code = "", ""
		}
		require.Equal(t, []letter.Mail{bystander, mail}, r.Mail, "%+v", tc)
		require.False(t, r.Settle("c", tc.failed, now), "no such mail")
	}
}

// full is a record with all that there is in one.
func full() recoveryrun.Record {
	at := func(hours int) time.Time { return now.Add(time.Duration(hours) * time.Hour) }
	return recoveryrun.Record{
		Subject: "1712345678", Plan: "clave", Digest: []byte("plan"), State: recoveryrun.Open,
		Ticket: []byte("ticket"), Tickets: 2, Known: true, Epoch: waits.Epochs{Run: 3, Proved: 2, Approved: 1, Denial: 1},
		Book: waits.Epochs{Run: 4, Proved: 4, Approved: 2, Denial: 1},
		By:   civicpin.Citizen, Source: "192.0.2.1",
		Started: at(0), Expires: at(1), For: time.Hour, Step: 5, Rests: at(2),
		Waits: []recoveryrun.Rest{{Notices: []string{"n1-0", "n1-1"}, By: at(8), Heard: []string{"n1-1"}}},
		Read:  []letter.Contact{rosa},
		Asked: []string{"pet"}, Images: []string{"owl", "fox"}, Shown: "r***@example.ec", Named: []letter.Contact{rosa},
		Correct: &letter.Unproved{Channel: civicpin.SMS, Address: "+593991234567", Locale: "es"}, Adopt: true,
		Links: []token.Link{{N: 6, Hash: []byte("link"), Tag: []byte("code"), To: rosa, Expires: at(3)}}, Sends: 7, Tries: 8,
		Documents: []recoveryrun.Document{{Kind: "front", Ref: "doc-1", Type: "image/jpeg", Size: 8, Digest: "d1"}},
		Approved:  []recoveryrun.Approval{{By: civicpin.Operator("eva"), At: at(4), Step: 1}},
		Enrolled: &knowledge.Knowledge{
			Image: "fox", Questions: []knowledge.Answer{{Question: "pet", Form: 1, Hash: "$argon2id$"}},
		},
		Terms: "2026", Finished: at(8), Unlocked: true, Unsettled: true, Repudiations: []recoveryrun.Repudiation{{N: 9, Hash: []byte("repudiate"), To: "c1", Expires: at(5)}},
		Change: "change",
		Mail: []letter.Mail{{
			Name: "l6", Kind: "recovery.link", To: rosa, Link: 6, Token: "token", Code: "typed", Expires: at(6),
			Until: at(7), State: letter.Pending,
		}},
		Fill: "--",
	}
}

// stored is full as it is stored. Records of older releases are read, so a name in it never changes.
const stored = `{
	"subject": "1712345678", "plan": "clave", "digest": "cGxhbg==", "state": "open", "ticket": "dGlja2V0", "tickets": 2,
	"known": true, "epoch": {"run": 3, "proved": 2, "approved": 1, "denial": 1},
	"book": {"run": 4, "proved": 4, "approved": 2, "denial": 1}, "by": "citizen", "source": "192.0.2.1",
	"started": "2026-03-02T09:00:00Z", "expires": "2026-03-02T10:00:00Z", "for": 3600000000000, "step": 5, "rests": "2026-03-02T11:00:00Z",
	"waits": [{"notices": ["n1-0", "n1-1"], "by": "2026-03-02T17:00:00Z", "heard": ["n1-1"]}],
	"read": [{"channel": "email", "address": "rosa@example.ec", "locale": "es-EC"}],
	"asked": ["pet"], "images": ["owl", "fox"], "shown": "r***@example.ec",
	"named": [{"channel": "email", "address": "rosa@example.ec", "locale": "es-EC"}],
	"correct": {"channel": "sms", "address": "+593991234567", "locale": "es"}, "adopt": true,
	"links": [{
		"n": 6, "hash": "bGluaw==", "tag": "Y29kZQ==",
		"to": {"channel": "email", "address": "rosa@example.ec", "locale": "es-EC"}, "expires": "2026-03-02T12:00:00Z"
	}],
	"sends": 7, "tries": 8, "documents": [{"kind": "front", "ref": "doc-1", "type": "image/jpeg", "size": 8, "digest": "d1"}],
	"approved": [{"by": "operator:eva", "at": "2026-03-02T13:00:00Z", "step": 1}],
	"enrolled": {"image": "fox", "questions": [{"question": "pet", "form": 1, "hash": "$argon2id$"}]},
	"terms": "2026", "finished": "2026-03-02T17:00:00Z", "unlocked": true, "unsettled": true, "repudiate": [{"n": 9, "hash": "cmVwdWRpYXRl", "to": "c1", "expires": "2026-03-02T14:00:00Z"}],
	"change": "change",
	"mail": [{
		"name": "l6", "kind": "recovery.link", "to": {"channel": "email", "address": "rosa@example.ec", "locale": "es-EC"},
		"link": 6, "token": "token", "code": "typed", "expires": "2026-03-02T15:00:00Z",
		"until": "2026-03-02T16:00:00Z", "state": "pending"
	}],
	"fill": "--"
}`

// requireFull fails where any part of a value is zero: a new field has to come into the golden text.
func requireFull(t *testing.T, v reflect.Value, path string) {
	t.Helper()
	require.False(t, v.IsZero(), "full holds no %s", path)
	switch {
	case v.Kind() == reflect.Pointer:
		requireFull(t, v.Elem(), path)
	case v.Kind() == reflect.Slice:
		requireFull(t, v.Index(0), path+"[0]")
	case v.Kind() == reflect.Struct && v.Type() != reflect.TypeFor[time.Time]():
		for i := range v.NumField() {
			requireFull(t, v.Field(i), path+"."+v.Type().Field(i).Name)
		}
	}
}

func TestStored(t *testing.T) {
	record := full()
	requireFull(t, reflect.ValueOf(record), "Record")
	text, err := json.Marshal(record)
	require.NoError(t, err)
	require.JSONEq(t, stored, string(text))
	var back recoveryrun.Record
	require.NoError(t, json.Unmarshal([]byte(stored), &back))
	require.Equal(t, record, back)
}

// What is not there takes no room, and comes back as it was.
func TestStoredEmpty(t *testing.T) {
	text, err := json.Marshal(recoveryrun.Record{})
	require.NoError(t, err)
	require.JSONEq(t, `{
		"subject": "", "plan": "", "digest": null, "state": "", "tickets": 0, "known": false, "by": "",
		"epoch": {"run": 0, "proved": 0, "approved": 0, "denial": 0}, "book": {"run": 0, "proved": 0, "approved": 0, "denial": 0},
		"started": "0001-01-01T00:00:00Z", "expires": "0001-01-01T00:00:00Z", "for": 0, "step": 0, "fill": ""
	}`, string(text))
	var back recoveryrun.Record
	require.NoError(t, json.Unmarshal(text, &back))
	require.Zero(t, back)
}

// The states are stored.
func TestStates(t *testing.T) {
	require.Equal(t, []string{"open", "finished", "cancelled", "repudiated"},
		[]string{recoveryrun.Open, recoveryrun.Finished, recoveryrun.Cancelled, recoveryrun.Repudiated})
}

// Runs that have come the same way are equally long, whatever their addresses are: some characters are written as six.
func TestPad(t *testing.T) {
	stored := func(address, shown, question, code, state string) int {
		to := letter.Contact{Channel: civicpin.Email, Address: address}
		r := recoveryrun.Record{
			Shown: shown, Asked: []string{question}, Known: code != "", Links: []token.Link{{N: 1, To: to}},
			Mail: []letter.Mail{{Name: "s1", To: to, Link: 1, Code: code, State: state}},
		}
		r.Pad()
		text, err := json.Marshal(r)
		require.NoError(t, err)
		return len(text)
	}
	want := stored("rosa@x.example", "r***@x.example", "pet", "ABCDEFGH", letter.Pending)
	require.Equal(t, want, stored("r&sa<>@x.example", "r***@x.example", "pet", "ABCDEFGH", letter.Pending))
	require.Equal(t, want, stored("rosa@x.example", "&***@x.example", "first & last", "ABCDEFGH", letter.Pending))
	require.Equal(t, want, stored("r@x.example", "r***@x.example", "pet", "", letter.None), "a decoy's")
}

// An operator approves a run once, however they are spelled and at whatever step. A try that is not stored leaves nothing.
func TestApprovals(t *testing.T) {
	eva, luz := civicpin.Operator("Eva"), civicpin.Operator("luz")
	r := recoveryrun.Record{Step: 1, Approved: make([]recoveryrun.Approval, 0, 8)}
	lost := r
	lost.Approve(luz, now)
	r.Approve(eva, now)
	require.False(t, lost.ApprovedBy(eva))
	require.Equal(t, []recoveryrun.Approval{{By: eva, At: now, Step: 1}}, r.Approved)
	r.Step = 3
	for by, want := range map[civicpin.Actor]bool{eva: true, civicpin.Operator("EVA"): true, luz: false, civicpin.Citizen: false} {
		require.Equal(t, want, r.ApprovedBy(by), by)
	}
	r.Approve(luz, now)
	for step, want := range []int{0, 1, 0, 1} {
		require.Equal(t, want, r.ApprovalsOf(step), step)
	}
}

// A run is in the hands of staff if they began it, until a link gives a ticket to the citizen.
func TestStaffs(t *testing.T) {
	r := recoveryrun.Record{By: civicpin.Citizen}
	require.False(t, r.Staffs())
	r.By = civicpin.Operator("eva")
	require.True(t, r.Staffs())
	r.Ticket = []byte("ticket")
	require.False(t, r.Staffs())
}

func TestEvidence(t *testing.T) {
	require.Empty(t, recoveryrun.Evidence(civicpin.Evidence{}))
	e := civicpin.Evidence{Method: civicpin.InPerson, By: civicpin.Operator("eva")}
	require.Equal(t, "in-person by operator:eva", recoveryrun.Evidence(e))
	e.Document = "passport 1: 2"
	require.Equal(t, "in-person by operator:eva: passport 1: 2", recoveryrun.Evidence(e))
}

func TestRemedy(t *testing.T) {
	eva := []recoveryrun.Approval{{By: civicpin.Operator("eva")}}
	for _, tc := range []struct {
		run  recoveryrun.Record
		want string
	}{
		{recoveryrun.Record{}, recoveryrun.RemedySecret},
		{recoveryrun.Record{Approved: eva}, recoveryrun.RemedyStaff},
		{recoveryrun.Record{Unlocked: true}, recoveryrun.RemedyDevices},
		{recoveryrun.Record{Unlocked: true, Approved: eva}, recoveryrun.RemedyDevices},
	} {
		require.Equal(t, tc.want, tc.run.Remedy())
	}
}

// What a plan can write is left as it is: a link that objects lives as long as the rest, also beyond Plan.Repudiate.
func TestCorrect(t *testing.T) {
	long := plan.Plan{Steps: []plan.Step{plan.Wait{For: 30 * 24 * time.Hour}}}.WithDefaults()
	ends := now.Add(long.Valid + long.Rests())
	r := recoveryrun.Record{
		Expires: ends, Rests: now.Add(long.Rests()),
		Repudiations: []recoveryrun.Repudiation{{Expires: ends}},
		Waits:        []recoveryrun.Rest{{By: now.Add(plan.NoticeTime)}},
	}
	correct := recoveryrun.Correct[recoveryrun.Record]([]plan.Plan{long})
	require.False(t, correct(&r, now))
	require.False(t, correct(&r, now.Add(-time.Second)), "by a clock that is a second behind")
	require.True(t, correct(&r, now.AddDate(-10, 0, 0)))

	short := recoveryrun.Record{For: time.Hour, Expires: now.Add(31 * time.Hour), Started: now.Add(30 * time.Hour)}
	require.True(t, correct(&short, now), "by a clock that was 30 hours ahead, though another plan lasts longer")
	require.False(t, short.Expires.After(now))
}

// A run whose contact was kept stands; else it is cancelled, unless it was repudiated meanwhile. It is settled once.
func TestSettled(t *testing.T) {
	for was, want := range map[string]map[bool]string{
		recoveryrun.Finished:   {true: recoveryrun.Finished, false: recoveryrun.Cancelled},
		recoveryrun.Repudiated: {true: recoveryrun.Repudiated, false: recoveryrun.Repudiated},
	} {
		for kept, state := range want {
			r := recoveryrun.Record{State: was, Unsettled: true}
			require.True(t, r.Settled(kept))
			require.Equal(t, state, r.State)
			require.False(t, r.Settled(false))
			require.Equal(t, state, r.State)
		}
	}
}

// Only what the contacts themselves refuse says that a contact was not kept.
func TestRefused(t *testing.T) {
	for _, err := range []error{token.ErrGone, contact.ErrUnsuitable, &lockout.LockedError{}} {
		require.True(t, recoveryrun.Refused(fmt.Errorf("contact: %w", err)), err)
	}
	for _, err := range []error{context.Canceled, store.ErrContended, store.ErrUnreadable, store.ErrConflict} {
		require.False(t, recoveryrun.Refused(err), err)
	}
}
