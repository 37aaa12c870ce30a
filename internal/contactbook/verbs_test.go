package contactbook_test

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/contactbook"
	"github.com/civicpin/civicpin/internal/letter"
	"github.com/civicpin/civicpin/internal/token"
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
		"remove":       func(a []string) string { return w.removes(civicpin.Citizen, a) },
		"clerk remove": func(a []string) string { return w.removes(clerk, a) },
		"prefer":       func(a []string) string { return w.prefers(civicpin.Citizen, a) },
		"clerk prefer": func(a []string) string { return w.prefers(clerk, a) },
		"correct":      w.corrects,
		"displaced":    w.displaced,
		"undo":         w.undoes,
		"repudiate":    w.repudiates,
		"notify":       w.notifies,
		"fail":         w.fails,
		"wants":        w.wants,
		"tidy":         func([]string) string { w.book.Tidy(w.now); return w.shows(nil) },
		"show":         w.shows,
		"told":         w.told,
		"on":           w.on,
	}
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
// until which day it can be undone.
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
		fx, what, err := b.Correct(id, letter.Stored(address(args[0])), until, w.now, w.policy)
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
	return w.rollsBack(tok.Selector)
}

func (w *world) rollsBack(change string) string {
	return w.change(func(b *book, id string) (effects, string, error) {
		fx, reason, err := b.UndoChange(change, id, w.now, w.policy)
		return fx, cmp.Or(reason, "cannot"), err
	})
}
