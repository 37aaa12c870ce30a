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
	k, a, err := b.redeemed(t, now)
	if a == nil {
		return k, letter.Contact{}, err
	}
	return k, a.To, err
}

// redeemed is Repudiated with the address itself, nil if it is not there.
func (b *Book) redeemed(t token.Token, now time.Time) (int, *Address, error) {
	k := b.Find(t.Selector)
	if k < 0 {
		return k, nil, token.ErrGone
	}
	for _, r := range b.Changes[k].Tokens {
		if r.N != t.N || !t.Fits(r.Hash) {
			continue
		}
		if !now.Before(b.Changes[k].Until) {
			return k, nil, token.ErrExpired
		}
		for i := range b.Contacts {
			if a := &b.Contacts[i]; a.ID == r.To && b.Unconfirmed(a) {
				return k, nil, token.ErrGone
			} else if a.ID == r.To {
				return k, a, nil
			}
		}
		return k, nil, nil
	}
	return k, nil, token.ErrGone
}

// UndoChange undoes, under an id of its own, a change by its id, and everything after it. What comes back and what goes is
// disputed. All are told, both sides too, and no link undoes it. It returns what was done, for the log: nothing if the change
// can be undone no more.
func (b *Book) UndoChange(id, undo string, now time.Time, p Policy) (fx Effects, reason string, err error) {
	return b.undo(func(c *Change) bool { return c.ID == id }, func(*Address) bool { return false }, undo, now, p)
}

// UndoSince is UndoChange for what came with a recovery that is repudiated, and since: the change that it brought, by its id,
// the first one of the citizen since, and every contact since that no operator has seen, also if it is too late to undo it.
// Where there is nothing of these, what waits ends all the same.
func (b *Book) UndoSince(id, undo string, since, now time.Time, p Policy) (fx Effects, reason string, err error) {
	fx, reason, err = b.undo(
		func(c *Change) bool { return c.ID == id || !c.At.Before(since) && !c.By.IsOperator() },
		func(a *Address) bool { return a.Live() && !a.Seen && !a.Since.Before(since) }, undo, now, p)
	if err == nil && reason == "" {
		b.ends(waits.Undo, "")
		reason = "ended what waited"
	}
	return fx, reason, err
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
			h.Gone, h.Told = now, now.Add(p.Undo)
			b.dispute([]string{h.ID}, now)
		}
	}
	if k >= 0 {
		fx.Undone = b.Changes[k].At
		b.rollback(k, now, p)
	} else {
		b.ends(waits.Undo, "")
		b.lead("")
	}
	b.merge()
	for _, h := range b.Told(now) {
		if !slices.ContainsFunc(tell, func(other Address) bool { return other.ID == h.ID }) {
			tell = append(tell, h)
		}
	}
	fx.tell(tell, undo, now.Add(p.Undo))
	return fx, "undone", nil
}

// tell adds notices of an act without a token.
func (fx *Effects) tell(all []Address, id string, until time.Time) {
	for i, h := range all {
		fx.Notes = append(fx.Notes, Note{Of: id, For: h.ID, Mail: notice(id, i, NoticeChanged, h.To, until)})
	}
}

// moved returns what a change and all later ones brought, and what was there before or staff brought since. What staff have
// seen since it came stays, whoever brought it.
func (b *Book) moved(k int) (came, back []string) {
	c := &b.Changes[k]
	back, came = slices.Clone(c.Before), slices.Clone(c.New)
	for _, after := range b.Changes[k+1:] {
		came = append(came, after.New...)
		if after.counts() && after.By.IsOperator() {
			back = append(back, after.New...)
		}
	}
	came = slices.DeleteFunc(came, func(id string) bool {
		a := b.Contact(id)
		return a != nil && a.SeenSince || slices.Contains(back, id)
	})
	return came, back
}

// rollback undoes a change, all later ones, which may be the same thief's, and every candidate. What staff brought or took away
// since stays so, even if fewer contacts are left than the policy keeps. An undo cannot be undone.
func (b *Book) rollback(k int, now time.Time, p Policy) {
	c := &b.Changes[k]
	came, back := b.moved(k)
	b.dispute(came, now)
	for i := range b.Contacts {
		h := &b.Contacts[i]
		switch {
		case slices.Contains(came, h.ID):
			if h.Live() {
				h.Gone = now
			}
			h.Told = now.Add(p.Undo)
		case h.Live() || !slices.Contains(back, h.ID): // was not touched, or went before
		case h.Barred == "" || h.Barred == c.ID:
			h.Gone, h.Told, h.Barred = time.Time{}, time.Time{}, ""
			b.dispute([]string{h.ID}, now)
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

// once drops all but one of contacts with one address: staff may have brought back what an undo brings back, too. One that is
// not disputed is kept, and otherwise the oldest.
func (b *Book) once(now time.Time) {
	var kept []civicpin.Contact
	for _, disputed := range []bool{false, true} {
		for i := range b.Contacts {
			h := &b.Contacts[i]
			switch {
			case !h.Live() || h.Disputed != disputed:
			case slices.ContainsFunc(kept, h.To.Contact().SameAddress):
				h.Gone, h.Disputed = now, false
			default:
				kept = append(kept, h.To.Contact())
			}
		}
	}
}

// Sound returns the ids of the contacts that are not disputed.
func (b *Book) Sound() (ids []string) {
	for _, a := range b.Live() {
		if !a.Disputed {
			ids = append(ids, a.ID)
		}
	}
	return ids
}

// Went returns which of the contacts with these ids went since or are disputed now.
func (b *Book) Went(sound []string) (went []civicpin.Contact) {
	for i := range b.Contacts {
		if a := &b.Contacts[i]; (!a.Live() || a.Disputed) && slices.Contains(sound, a.ID) {
			went = append(went, a.To.Contact())
		}
	}
	return went
}
