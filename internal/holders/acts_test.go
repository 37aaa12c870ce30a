package holders_test

import (
	"errors"
	"slices"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/pin/state"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/store"
)

// An act is a step of a schedule, with a number that says which, by whom and how.
type act struct {
	name   string
	weight int
	do     func(w *world, p person, n int)
}

// acts are all that people do. p is drawn, and n is at least 0.
func acts() []act { return slices.Concat(visits(), sessions(), offices(), circumstances()) }

// visits are what a person does who is not logged in.
func visits() []act {
	return []act{
		{"starts a recovery", 6, func(w *world, p person, n int) {
			if r := w.start(p, w.system.plans[n%len(w.system.plans)].Name); r != nil {
				w.onwards(r, n)
			}
		}},
		{"starts a recovery and goes on", 16, func(w *world, p person, n int) {
			if r := w.start(p, w.system.plans[n%len(w.system.plans)].Name); r != nil {
				w.goOn(r, n/3, 9)
				if last := len(w.grants) - 1; n%4 > 0 && last >= 0 && w.grants[last].trip == r && w.grants[last].by == p {
					_ = w.use(w.grants[last])
				}
			}
		}},
		{"goes on", 14, func(w *world, p person, n int) {
			if r := w.mine(p, n); r != nil {
				w.goOn(r, n/2, 1+n%6)
			}
		}},
		{"has a run sent again", 2, func(w *world, p person, n int) {
			if r := w.mine(p, n); r != nil {
				_, _ = w.runs.Send(w.t.Context(), r.ticket, home(p))
			}
		}},
		{"cancels a run", 1, func(w *world, p person, n int) {
			if r := w.mine(p, n); r != nil && w.runs.Cancel(w.t.Context(), r.ticket) == nil {
				r.cancelled = true
			}
		}},
		{"clicks a link", 12, func(w *world, p person, n int) {
			if links := w.links(p); len(links) > 0 {
				w.follow(p, links[len(links)-1-n%min(8, len(links))])
			}
		}},
		{"clicks every link", 3, func(w *world, p person, _ int) {
			for _, i := range w.links(p) {
				w.follow(p, i)
			}
		}},
		{"objects", 4, func(w *world, _ person, _ int) { w.object() }},
		{"types a proof", 3, (*world).typesProof},
		{"uses a grant", 12, func(w *world, p person, n int) {
			mine := slices.DeleteFunc(slices.Clone(w.grants), func(g *grant) bool { return g.by != p })
			if len(mine) > 0 {
				_ = w.use(mine[len(mine)-1-n%min(2, len(mine))])
			}
		}},
		{"exchanges", 5, func(w *world, p person, n int) { _ = w.exchange(p) }},
		{"guesses wrongly", 1, func(w *world, p person, _ int) {
			for range 5 {
				_, _ = w.pins.Verify(w.t.Context(), w.attempt(p, "no es la buena clave"))
			}
		}},
		{"asks for a new secret", 2, func(w *world, p person, n int) {
			parts := w.system.policy.Assign(theirs(p))
			if w.system.policy.Parts == 1 {
				return // no channel of theirs
			}
			is, err := w.pins.Issue(w.t.Context(), rosa, pin.IssueOptions{Parts: parts[:2], By: civicpin.Citizen, Source: home(p)})
			if err == nil && is.ID != "" {
				w.reached["asked for a new secret"]++
			}
		}},
	}
}

// goOn takes a run some steps on, and sends what waits between, most often.
func (w *world) goOn(r *trip, n, steps int) {
	for range steps {
		if n%5 > 0 {
			w.dispatch()
		}
		if n%4 > 1 && w.now().Before(r.until) && !r.cancelled {
			w.clock.Set(r.until)
		}
		if !w.onwards(r, n) || w.violation != "" {
			return
		}
	}
}

// mine returns a run that a person may go on with, nil if there is none.
func (w *world) mine(p person, n int) *trip {
	list := slices.DeleteFunc(slices.Clone(w.trips), func(r *trip) bool {
		return r.holder != p || r.cancelled || !r.finished.IsZero() || !w.now().Before(r.ends)
	})
	if len(list) == 0 {
		return nil
	}
	return list[len(list)-1-n%min(3, len(list))]
}

// links returns which messages with a link a person has read.
func (w *world) links(p person) (list []int) {
	for i := range w.sent {
		if w.sent[i].known&p != 0 && !w.sent[i].msg.Link.IsZero() {
			list = append(list, i)
		}
	}
	return list
}

// object has the owner answer the notices of what was not the owner's: a run that rests or was completed, or a change.
func (w *world) object() {
	for _, i := range slices.Backward(w.links(owner)) {
		m := w.sent[i].msg
		switch r := w.trip(of(m.Link)); m.Link.Reveal()[0] {
		case 'd':
			if r != nil && r.holder != owner {
				w.repudiate(owner, m)
			}
		case 'u':
			if !w.liveIsOwn() {
				w.repudiate(owner, m)
			}
		}
	}
}

// liveIsOwn reports whether all contacts are addresses of the owner's.
func (w *world) liveIsOwn() bool {
	return !slices.ContainsFunc(w.book, func(e *entry) bool {
		return e.gone.IsZero() && !slices.ContainsFunc(own, e.to.SameAddress)
	})
}

// typesProof proves a contact by the code that came last. A session is needed.
func (w *world) typesProof(p person, _ int) {
	for _, s := range slices.Backward(w.sent) {
		if s.msg.Kind != "contact.prove" || s.known&p == 0 {
			continue
		}
		if w.secret.known&p == 0 || w.contacts.ProveCode(w.t.Context(), rosa, s.msg.Secret, home(p)) != nil {
			return
		}
		list, _, err := w.contacts.List(w.t.Context(), rosa)
		w.must(err)
		for _, c := range list {
			if c.SameAddress(s.msg.To) {
				w.provedBy(p, c.ID)
			}
		}
		return
	}
}

// exchange chooses a secret for the parts that a person has.
func (w *world) exchange(p person) error {
	text, first := "", 1
	if p == owner && w.slip != "" {
		text, first = w.slip, 2
	}
	for part := first; part <= w.system.policy.Parts; part++ {
		for _, s := range slices.Backward(w.sent) {
			if s.msg.Kind == pin.PartMessage && s.msg.Part == part && s.known&p != 0 {
				text += s.msg.Secret.Reveal()
				break
			}
		}
	}
	chosen := w.choice()
	_, err := w.pins.Exchange(w.t.Context(), w.attempt(p, text), civicpin.NewSecret(chosen))
	if err != nil {
		return err
	}
	w.endAsked("an exchange", false)
	w.controls(p, chosen, "exchanges", w.parts)
	if p != owner && w.parts == nil {
		w.fail("the %v exchanged what no recovery of theirs issued", p)
	}
	return nil
}

// sessions are what a person does who knows the secret.
func sessions() []act {
	in := func(do func(w *world, p person, n int)) func(*world, person, int) {
		return func(w *world, p person, n int) {
			if w.secret.text == "" || w.secret.known&p == 0 {
				return
			}
			if _, err := w.pins.Verify(w.t.Context(), w.attempt(p, w.secret.text)); err != nil {
				return
			}
			w.reached["logged in"]++
			do(w, p, n)
		}
	}
	return []act{
		{"adds a contact", 8, in(func(w *world, p person, n int) {
			to := theirs(p)[n%len(theirs(p))]
			first := !w.anyLive()
			c, err := w.contacts.Add(w.t.Context(), rosa, to, civicpin.Citizen, home(p))
			if err == nil {
				w.ask(c.ID, civicpin.Contact{}, to, p, first)
			}
		})},
		{"changes a contact", 5, in(func(w *world, p person, n int) {
			list, _, err := w.contacts.List(w.t.Context(), rosa)
			w.must(err)
			if len(list) == 0 {
				return
			}
			old, to := list[n%len(list)], theirs(p)[n/8%len(theirs(p))]
			c, err := w.contacts.Change(w.t.Context(), rosa, old.ID, to, civicpin.Citizen, home(p))
			if err == nil {
				w.ask(c.ID, old.Contact, to, p, false)
			}
		})},
		{"removes a contact", 3, in(func(w *world, p person, n int) { w.remove(n, civicpin.Citizen) })},
		{"changes the secret", 3, in(func(w *world, p person, _ int) {
			text := w.choice()
			if _, err := w.pins.Change(w.t.Context(), w.attempt(p, w.secret.text), civicpin.NewSecret(text)); err == nil {
				r := w.run
				w.endAsked("a change", false)
				w.controls(p, text, "changes the secret", nil)
				w.run = r
			}
		})},
		{"enrols answers", 1, in(func(w *world, p person, _ int) {
			if w.enrol(p) == nil {
				w.answers |= p
			}
		})},
	}
}

// ask notes that an address waits for its proof. Asked for once more it stays what it was, unless staff ask.
func (w *world) ask(id string, replaces, to civicpin.Contact, by person, first bool) {
	for _, c := range w.asked {
		if c.id == id {
			if by == 0 {
				c.by, c.dead = 0, ""
			}
			return
		}
	}
	w.asked = append(w.asked, &candidate{id: id, replaces: replaces, to: to, by: by, first: first})
	w.dispatch()
}

// remove removes one of the contacts.
func (w *world) remove(n int, by civicpin.Actor) {
	list, _, err := w.contacts.List(w.t.Context(), rosa)
	w.must(err)
	if len(list) == 0 {
		return
	}
	c := list[n%len(list)]
	e := w.live(c.Contact)
	if w.contacts.Remove(w.t.Context(), rosa, c.ID, by, home(owner)) != nil {
		return
	}
	w.reached["removed"]++
	w.ending = w.step
	if e != nil {
		e.gone, e.barred = w.now(), by.IsOperator()
	}
	if by.IsOperator() {
		w.endAsked("a removal by staff", false)
	}
	w.promised("contact.changed", "a contact was removed", nil)
}

// offices are what staff do: half of the procedure, or all of it.
func offices() []act {
	return []act{
		{"staff suspend", 1, func(w *world, _ person, _ int) { w.suspend() }},
		{"staff resume", 3, func(w *world, _ person, n int) {
			evidence := []civicpin.Evidence{{}, seen}[n%2]
			if w.pins.Resume(w.t.Context(), rosa, evidence, "", clerk.ID) == nil {
				if w.closed && n%2 == 0 {
					w.fail("staff resumed without evidence what a contact had repudiated")
				}
				if w.stopped || w.closed {
					w.stopped, w.closed, w.run = false, false, nil // staff say that the secret is the subject's
				}
			}
		}},
		{"staff revoke", 1, func(w *world, _ person, n int) { w.revoke([]state.Cause{state.Ended, state.Fraud}[n%2]) }},
		{"staff issue on evidence", 2, func(w *world, _ person, _ int) { _ = w.issue() }},
		{"staff adopt", 2, func(w *world, _ person, n int) { _ = w.adopt(w.atHand()[:1+n%2]...) }},
		{"staff remove a contact", 1, func(w *world, _ person, n int) { w.remove(n, clerk.ID) }},
		{"staff add a contact", 1, func(w *world, _ person, n int) {
			to := w.atHand()[0]
			first := !w.anyLive()
			if c, err := w.contacts.Add(w.t.Context(), rosa, to, clerk.ID, home(owner)); err == nil {
				w.ask(c.ID, civicpin.Contact{}, to, 0, first)
			}
		}},
		{"staff unlock", 2, func(w *world, _ person, _ int) { w.unlock() }},
		{"staff end a run", 1, func(w *world, _ person, n int) {
			if len(w.trips) == 0 {
				return
			}
			r := w.trips[len(w.trips)-1-n%min(4, len(w.trips))]
			if _, err := w.runs.Decide(w.t.Context(), r.id, clerk, recovery.Verdict{Reason: "not the subject"}); err == nil {
				r.cancelled = true
			}
		}},
		{"the owner goes to the desk", 1, func(w *world, _ person, _ int) { w.desk() }},
	}
}

// suspend suspends the credential.
func (w *world) suspend() {
	if w.pins.Suspend(w.t.Context(), rosa, "", clerk.ID) != nil {
		return
	}
	w.stopped, w.ending = true, w.step
	w.endAsked("a suspension", false)
	w.takeYoung()
}

// revoke revokes it.
func (w *world) revoke(cause state.Cause) {
	st, err := w.pins.Status(w.t.Context(), rosa)
	if err != nil || w.pins.Revoke(w.t.Context(), rosa, cause, "", clerk.ID) != nil || st.State == state.Revoked {
		return
	}
	w.ending, w.slip = w.step, ""
	w.endAsked("a revocation", true)
	w.takeYoung()
	w.dies("a revocation")
}

// issue issues on evidence: a slip, and where there are two parts, a message to a telephone that the owner has at hand.
func (w *world) issue() error {
	parts := []civicpin.Contact{{Channel: civicpin.HandedOver}}
	if w.system.policy.Parts == 2 {
		parts = append(parts, w.atHand()[0])
	}
	is, err := w.pins.Issue(w.t.Context(), rosa, pin.IssueOptions{
		Parts: parts, By: clerk.ID, Evidence: seen, Level: civicpin.Substantial,
	})
	if err != nil {
		return err
	}
	w.reached["issued on evidence"]++
	w.slip, w.run, w.parts, w.secret = is.Slip.Reveal(), nil, nil, secret{}
	w.closed, w.stopped, w.ending = false, false, w.step
	w.endAsked("an issue on evidence", false)
	w.takeYoung()
	w.dispatch()
	return nil
}

// atHand are addresses that the owner reads, those first that nobody else does.
func (w *world) atHand() (list []civicpin.Contact) {
	for _, alone := range []bool{true, false} {
		for _, c := range own {
			if who := w.reads[c.Address]; who&owner != 0 && (who == owner) == alone && !w.broken[c.Address] {
				list = append(list, c)
			}
		}
	}
	for _, c := range own { // a new contract
		if len(list) < 2 && !slices.ContainsFunc(list, c.SameAddress) {
			w.reads[c.Address] = owner
			delete(w.broken, c.Address)
			list = append(list, c)
		}
	}
	return list
}

// adopt has staff bring contacts.
func (w *world) adopt(named ...civicpin.Contact) error {
	if err := w.contacts.Adopt(w.t.Context(), rosa, named, clerk.ID, home(owner)); err != nil {
		return err
	}
	w.reached["adopted"]++
	w.ending = w.step
	w.takeYoung(named...)
	w.endAsked("contacts that staff brought", false)
	for _, to := range named {
		e := w.live(to)
		if e == nil {
			e = &entry{to: to, since: w.now(), matures: w.now()}
			w.book = append(w.book, e)
		}
		e.seen, e.disputed = true, false
		if e.matures.After(w.now()) {
			e.matures = w.now()
		}
	}
	return nil
}

// unlock lifts what wrong guesses locked.
func (w *world) unlock() {
	w.must(w.pins.Unlock(w.t.Context(), rosa, clerk.ID))
	for _, p := range w.system.plans {
		if err := w.runs.Unlock(w.t.Context(), p.Name, rosa, seen, clerk); err != nil {
			w.fail("staff cannot unlock %s: %v", p.Name, err)
		}
	}
}

// desk is the whole procedure: staff see the owner, issue, look at every contact, and take away what is not the owner's. It
// works at any time, whatever attackers did. The secret is the owner's then.
func (w *world) desk() {
	w.reached["desk"]++
	named := w.atHand()
	named = named[:min(3, len(named))]
	st, err := w.pins.Status(w.t.Context(), rosa)
	w.must(err)
	if st.State != state.Revoked {
		w.revoke(state.Fraud)
	}
	list, _, err := w.contacts.List(w.t.Context(), rosa)
	w.must(err)
	strange := slices.DeleteFunc(list, func(c contact.Contact) bool { return slices.ContainsFunc(named, c.SameAddress) })
	takes := func(keep int) {
		for _, c := range strange {
			if keep--; keep >= 0 {
				continue
			}
			err := w.contacts.Remove(w.t.Context(), rosa, c.ID, clerk.ID, home(owner))
			if errors.Is(err, contact.ErrUnsuitable) && w.live(c.Contact) == nil {
				continue // it cooled down, and ended
			}
			if err != nil {
				w.fail("staff cannot remove a contact: %v", err)
			} else if e := w.live(c.Contact); e != nil {
				e.gone, e.barred = w.now(), true
			}
		}
	}
	if len(list) > 5 {
		takes(4)
		strange = strange[:min(4, len(strange))]
	}
	if err := w.adopt(named...); err != nil {
		w.fail("staff cannot bring contacts: %v", err)
		return
	}
	takes(0)
	if err := w.issue(); err != nil {
		w.fail("staff cannot issue on evidence: %v", err)
		return
	}
	w.unlock()
	if err := w.exchange(owner); err != nil {
		w.fail("the owner cannot exchange at the desk: %v", err)
		return
	}
	w.logsIn("at the desk")
}

// logsIn fails if the owner, who knows the secret, cannot log in.
func (w *world) logsIn(when string) {
	if _, err := w.pins.Verify(w.t.Context(), w.attempt(owner, w.secret.text)); err != nil {
		w.fail("the owner cannot log in %s: %v", when, err)
	}
}

// circumstances are what happens to possessions, messages and time.
func circumstances() []act {
	return []act{
		{"sends what waits", 10, func(w *world, _ person, _ int) { w.dispatch() }},
		{"time passes", 14, func(w *world, _ person, n int) {
			if n%4 > 0 {
				w.dispatch()
			}
			w.clock.Add([]time.Duration{minute, 20 * minute, 2 * time.Hour, day, 73*time.Hour + minute, 8 * day, 16 * day, 60 * day}[n/4%8])
		}},
		{"is purged", 1, func(w *world, _ person, _ int) {
			_, err := w.vault.Purge(w.t.Context(), store.Pass{})
			w.must(err)
		}},
		{"a provider is away", 2, func(w *world, p person, n int) {
			w.broken[own[n%len(own)].Address] = true
			w.brokenAt[own[n%len(own)].Address] = w.now()
		}},
		{"all providers are back", 3, func(w *world, _ person, _ int) { clear(w.broken) }},
		{"a notice bounces", 2, (*world).bounce},
		{"gets hold of an address", 7, func(w *world, p person, n int) {
			w.reads[own[n%len(own)].Address] |= p
		}},
		{"gets hold of a purse", 3, func(w *world, p person, n int) {
			for _, c := range own[n%2 : 3+n/2%3] {
				w.reads[c.Address] |= p
			}
		}},
		{"loses hold of an address", 3, func(w *world, p person, n int) {
			w.reads[own[n%len(own)].Address] &^= p
		}},
		{"a number is recycled", 1, func(w *world, _ person, n int) { w.reads[own[1+3*(n%2)].Address] = former }},
		{"learns the secret", 3, func(w *world, p person, _ int) {
			if w.secret.text != "" && p != owner {
				w.secret.known |= p
				w.reached["the secret is stolen"]++
			}
		}},
		{"learns the answers", 3, func(w *world, p person, _ int) { w.answers |= p }},
	}
}

// bounce has a provider report that a notice did not arrive.
func (w *world) bounce(_ person, n int) {
	for k, i := 0, len(w.sent)-1; i >= 0; i-- {
		if w.sent[i].msg.Kind != recovery.NoticeWaiting {
			continue
		}
		if k++; k <= n%2 {
			continue
		}
		if w.out.Bounced(w.t.Context(), receipt(w.sent[i].n)) == nil {
			w.sent[i].bounced = true
			w.reached["bounced"]++
		}
		return
	}
}
