package contactbook

import (
	"slices"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/letter"
	"github.com/civicpin/civicpin/internal/token"
	"github.com/civicpin/civicpin/internal/waits"
)

// Repudiated returns which change a token undoes, and where the token was sent.
func (b *Book) Repudiated(t token.Token, now time.Time) (int, letter.Contact, error) {
	k := b.Find(t.Selector)
	if k < 0 {
		return -1, letter.Contact{}, token.ErrGone
	}
	for _, r := range b.Changes[k].Tokens {
		if r.N != t.N || !t.Fits(r.Hash) {
			continue
		}
		if !now.Before(b.Changes[k].Until) {
			return -1, letter.Contact{}, token.ErrExpired
		}
		to := letter.Contact{}
		for i := range b.Contacts {
			if b.Contacts[i].ID == r.To {
				to = b.Contacts[i].To
			}
		}
		return k, to, nil
	}
	return -1, letter.Contact{}, token.ErrGone
}

// UndoChange undoes, under an id of its own, a change by its id, and everything after it. All are told, also those whom it
// removes, and nobody can undo it. It returns what was done, for the log: nothing if the change can be undone no more.
func (b *Book) UndoChange(id, undo string, now time.Time, p Policy) (fx Effects, reason string, err error) {
	return b.undo(func(c *Change) bool { return c.ID == id }, func(*Address) bool { return false }, undo, now, p)
}

// UndoSince is UndoChange for what came with a recovery that is repudiated, and since: the change that it brought, by its id,
// the first one of the citizen since, and every contact since that no operator has seen, also if it is too late to undo it.
func (b *Book) UndoSince(id, undo string, since, now time.Time, p Policy) (fx Effects, reason string, err error) {
	return b.undo(
		func(c *Change) bool { return c.ID == id || !c.At.Before(since) && !c.By.IsOperator() },
		func(a *Address) bool { return a.Live() && !a.Seen && !a.Since.Before(since) }, undo, now, p)
}

// undo undoes the first of the changes that can be undone, with all after it, and takes contacts away.
func (b *Book) undo(from func(*Change) bool, came func(*Address) bool, undo string, now time.Time, p Policy) (
	fx Effects, reason string, err error,
) {
	k := slices.IndexFunc(b.Changes, func(c Change) bool { return from(&c) && !c.Undone && now.Before(c.Until) })
	if k < 0 && !slices.ContainsFunc(b.Contacts, func(a Address) bool { return came(&a) }) {
		return fx, "", nil
	}
	tell := b.Told(now)
	for i := range b.Contacts {
		if h := &b.Contacts[i]; came(h) {
			h.Gone, h.Told = now, time.Time{}
		}
	}
	if k >= 0 {
		b.rollback(k, now)
	} else {
		b.ends(waits.Undo, "")
		b.lead("")
	}
	for _, h := range b.Told(now) {
		if !slices.ContainsFunc(tell, func(other Address) bool { return other.ID == h.ID }) {
			tell = append(tell, h)
		}
	}
	for i, h := range tell {
		fx.Notes = append(fx.Notes, Note{Of: undo, For: h.ID, Mail: notice(undo, i, NoticeChanged, h.To, now.Add(p.Undo))})
	}
	return fx, "undone", nil
}

// rollback undoes a change, all later ones, which may be the same thief's, and every candidate. What staff brought or took away
// since stays so, even if fewer contacts are left than the policy keeps. An undo cannot be undone.
func (b *Book) rollback(k int, now time.Time) {
	c := &b.Changes[k]
	back, came := slices.Clone(c.Before), slices.Clone(c.New)
	for _, after := range b.Changes[k+1:] {
		came = append(came, after.New...)
		if after.counts() && after.By.IsOperator() {
			back = append(back, after.New...)
		}
	}
	for i := range b.Contacts {
		h := &b.Contacts[i]
		switch {
		case !slices.Contains(back, h.ID) && slices.Contains(came, h.ID):
			if h.Live() {
				h.Gone = now
			}
			h.Told = time.Time{}
		case !slices.Contains(back, h.ID): // went before
		case h.Barred == "" || h.Barred == c.ID:
			h.Gone, h.Told, h.Barred = time.Time{}, time.Time{}, ""
		}
	}
	b.once(now)
	b.ends(waits.Undo, "")
	b.unsay(k)
	b.Primary = c.Primary
	b.lead("")
}

// unsay marks a change and all later ones as undone, with their tokens, and drops what would still be sent about them.
func (b *Book) unsay(k int) {
	dead := make(map[string]bool)
	for i := k; i < len(b.Changes); i++ {
		after := &b.Changes[i]
		after.Stands = i > k && after.counts() && after.By.IsOperator()
		after.Undone, after.Tokens = true, nil
		dead[after.ID] = true
	}
	b.Mail = slices.DeleteFunc(b.Mail, func(n Note) bool { return n.Link > 0 && !b.waits(n.Of) || dead[n.Of] })
}

// once drops all but the oldest of contacts with one address: staff may have brought back what an undo brings back, too.
func (b *Book) once(now time.Time) {
	var kept []civicpin.Contact
	for i := range b.Contacts {
		h := &b.Contacts[i]
		if !h.Live() {
			continue
		}
		if slices.ContainsFunc(kept, h.To.Contact().SameAddress) {
			h.Gone = now
			continue
		}
		kept = append(kept, h.To.Contact())
	}
}
