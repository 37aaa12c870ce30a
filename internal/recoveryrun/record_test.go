package recoveryrun_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/knowledge"
	"github.com/civicpin/civicpin/internal/letter"
	"github.com/civicpin/civicpin/internal/recoveryrun"
	"github.com/civicpin/civicpin/internal/token"
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
