package contactbook

import (
	"slices"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/waits"
)

// thing says what a candidate is among the things that wait.
func (c *Candidate) thing() waits.Thing {
	if c.By.IsOperator() {
		return waits.ByStaff
	}
	return waits.Asked
}

// operator returns the operator who asked for a candidate, "" if none did.
func (c *Candidate) operator() string {
	if !c.By.IsOperator() {
		return ""
	}
	return string(c.By.Canonical())
}

// Judge takes away what acts upon the credential have ended, and settles what they can end no more. The acts have to be read
// after the book: then what is alive was so when the book was read. Every reader of a book judges it, so that nothing honours
// what was written too late.
func (b *Book) Judge(acts waits.Acts, now time.Time, p Policy) {
	b.past = acts
	b.due(now)
	b.Pending = slices.DeleteFunc(b.Pending, func(c Candidate) bool { return acts.Ended(c.thing(), c.operator(), c.Stamp) })
	gone := func(a Address) bool {
		if !a.Live() || a.Settled { // most are, and take no time: a subject without contacts does not either
			return false
		}
		_, alive := acts.Cooled(a.Cooling, a.Stamp, p.CoolDown)
		return !alive
	}
	b.drop(gone)
	for i := range b.Contacts {
		if a := &b.Contacts[i]; a.Live() && !a.Settled {
			a.Cooling, _ = acts.Cooled(a.Cooling, a.Stamp, p.CoolDown)
			a.settle(!a.CoolsDown(now))
		}
	}
}

// Unconfirmed reports whether staff issued on evidence after a recovery was repudiated, and no operator has seen the address
// since then. Such a one gets no token, and undoes and repudiates nothing: its reader may have been the thief. Two processes
// write these acts, each by a clock of its own, so that counts decide and not times.
func (b *Book) Unconfirmed(a *Address) bool {
	return b.past[waits.Seen].Denied > a.Confirmed
}

// settle has an address be settled, if that is so.
func (a *Address) settle(yes bool) {
	if yes {
		a.Settled, a.Stamp = true, nil
	}
}

// Unsettled reports whether a contact counts at once, and it is not known yet that no act came before.
func (b *Book) Unsettled(now time.Time) bool {
	return slices.ContainsFunc(b.Contacts, func(a Address) bool { return a.Live() && !a.Settled && !a.CoolsDown(now) })
}

// drop forgets contacts that never were established. Nothing brings them back.
func (b *Book) drop(which func(Address) bool) {
	b.Contacts = slices.DeleteFunc(b.Contacts, which)
	b.lead("")
	b.vacated()
}

// vacated has a candidate whose contact went be added.
func (b *Book) vacated() {
	for i := range b.Pending {
		if c := &b.Pending[i]; b.Contact(c.Replaces) == nil {
			c.Replaces = ""
		}
	}
}

// ends takes away the candidates that an act upon the contacts ends, and so it does with recoveries and grants. id is the
// contact that it takes, if it takes one.
func (b *Book) ends(act waits.Act, id string) {
	b.Pending = slices.DeleteFunc(b.Pending, func(c Candidate) bool {
		cell := waits.Of(c.thing(), act)
		return cell.Ends() || cell == waits.Resting && c.Replaces == id
	})
	b.vacated()
	if waits.Of(waits.Settling, act).Ends() {
		b.unsettle()
	}
	b.Acts = b.Acts.Did(act)
}

// waits reports whether there is a candidate of an id.
func (b *Book) waits(id string) bool {
	return slices.ContainsFunc(b.Pending, func(c Candidate) bool { return c.ID == id })
}

// adopted ends what waits when staff bring contacts: all but those contacts. A dispute ends, too.
func (b *Book) adopted(named []civicpin.Contact) {
	b.seen()
	b.ends(waits.Adopt, "")
	b.drop(func(a Address) bool {
		return !a.Settled && !slices.ContainsFunc(named, func(to civicpin.Contact) bool {
			return to.SameAddress(a.To.Contact())
		})
	})
}

// Lost reports whether an address went lately, or is disputed. One that cools down is not lost.
func (b *Book) Lost(to civicpin.Contact) bool {
	has := func(lost bool) bool {
		return slices.ContainsFunc(b.Contacts, func(a Address) bool {
			return a.To.Channel == to.Channel && a.To.Contact().SameAddress(to) && (!a.Live() || a.Disputed) == lost
		})
	}
	return has(true) && !has(false)
}
