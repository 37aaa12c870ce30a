package contact_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/cryptotest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/storetest"
)

// The model keeps whole copies of what the contacts were, where the service keeps ids: told as simply as can be.
type (
	modelContact struct {
		serial  int
		address string
		cooling time.Time
	}
	modelFormer struct {
		modelContact
		told time.Time
	}
	modelProof struct {
		link, code civicpin.Secret
		expires    time.Time
	}
	modelPending struct {
		address  string
		replaces int // serial; 0 if it is added
		first    bool
		staff    bool
		expires  time.Time
		sends    int
		proofs   []modelProof
	}
	modelChange struct {
		before  []modelContact
		primary int
		brought []modelContact
		staff   bool
		until   time.Time
		barred  int                 // serial of what staff took away by it
		links   map[int]modelUndoer // by serial of the contact that it was sent to
	}
	modelUndoer struct{ link civicpin.Secret }
)

type modelBook struct {
	serial  int
	live    []modelContact
	former  []modelFormer
	primary int
	pending []*modelPending
	changes []*modelChange
	wrong   int
	barred  map[int]int  // what staff took away, by which change
	given   map[int]int  // what staff brought, by which change
	again   map[int]bool // what staff have seen since it came
	emptied bool         // an undo found nothing that staff had not taken away
}

// bookMachine drives a service and the model side by side.
type bookMachine struct {
	k      *bookKit
	faults *storetest.Faults
	m      modelBook
	seen   int // messages that were looked at
	least  int
}

func (s *bookMachine) now() time.Time { return s.k.clock.Now() }

func (m *modelBook) find(serial int) int {
	return slices.IndexFunc(m.live, func(c modelContact) bool { return c.serial == serial })
}

func (m *modelBook) has(address string) bool {
	return slices.ContainsFunc(m.live, func(c modelContact) bool { return c.address == address })
}

// waiting drops what is too late, and returns what waits.
func (m *modelBook) waiting(now time.Time) []*modelPending {
	m.pending = slices.DeleteFunc(m.pending, func(p *modelPending) bool { return !now.Before(p.expires) })
	return m.pending
}

// lead has the oldest contact be the primary one, if none is: of those that are not disputed, if there is one.
func (m *modelBook) lead(disputed ...modelContact) {
	if m.find(m.primary) >= 0 {
		return
	}
	m.primary = 0
	is := func(c modelContact) bool {
		return slices.ContainsFunc(disputed, func(d modelContact) bool { return d.serial == c.serial })
	}
	from := slices.DeleteFunc(slices.Clone(m.live), is)
	if len(from) == 0 {
		from = m.live
	}
	for _, c := range from {
		if m.primary == 0 || c.serial < m.primary {
			m.primary = c.serial
		}
	}
}

// told are the addresses that are told of something, with the contact of each.
func (m *modelBook) told(now time.Time) []modelContact {
	list := slices.Clone(m.live)
	for _, f := range m.former {
		if now.Before(f.told) {
			list = append(list, f.modelContact)
		}
	}
	return list
}

// fresh says whether there is no contact, and was none lately.
func (m *modelBook) fresh(now time.Time) bool {
	return len(m.live) == 0 && !slices.ContainsFunc(m.changes, func(c *modelChange) bool { return now.Before(c.until.Add(bookDay)) })
}

// full says whether a further change is refused.
func (m *modelBook) full(staff bool, now time.Time) bool {
	open := 0
	for _, c := range m.changes {
		if now.Before(c.until) {
			open++
		}
	}
	if staff {
		return open >= 2*contact.MaxChanges
	}
	return open >= contact.MaxChanges
}

// open begins a change. Only what the citizen adds to nothing leaves the next one a first one.
func (s *bookMachine) open(staff, added bool) *modelChange {
	if staff || !added {
		s.m.begun()
	}
	c := &modelChange{
		before: slices.Clone(s.m.live), primary: s.m.primary, staff: staff, until: s.now().Add(7 * bookDay),
		links: make(map[int]modelUndoer),
	}
	s.m.changes = append(s.m.changes, c)
	return c
}

// begun has nothing that waits be a first contact any more.
func (m *modelBook) begun() {
	for _, p := range m.pending {
		p.first = false
	}
}

// vacated has what was to replace a contact that went be added.
func (m *modelBook) vacated() {
	for _, p := range m.pending {
		if m.find(p.replaces) < 0 {
			p.replaces = 0
		}
	}
}

// ended drops of what waits all of the citizen's, or all.
func (m *modelBook) ended(staffs bool) {
	m.pending = slices.DeleteFunc(m.pending, func(p *modelPending) bool { return staffs || !p.staff })
}

// adopted ends what waits for staff to bring an address: all but that. What never was established does not come back.
func (s *bookMachine) adopted(named ...string) {
	s.m.ended(true)
	ends := func(c modelContact) bool { return s.now().Before(c.cooling) && !slices.Contains(named, c.address) }
	for _, c := range s.m.changes {
		c.before, c.brought = slices.DeleteFunc(slices.Clone(c.before), ends), slices.DeleteFunc(slices.Clone(c.brought), ends)
	}
	s.m.live = slices.DeleteFunc(s.m.live, ends)
	s.m.former = slices.DeleteFunc(s.m.former, func(f modelFormer) bool { return ends(f.modelContact) })
	s.m.lead()
}

// take has a contact be one no longer.
func (s *bookMachine) take(serial int, c *modelChange) {
	i := s.m.find(serial)
	gone := s.m.live[i]
	if s.now().Before(gone.cooling) { // one that was never established undoes nothing, however long it has been gone
		gone.cooling = s.now().Add(1000 * bookDay)
	}
	s.m.live = slices.Delete(s.m.live, i, i+1)
	if c.staff {
		s.m.ended(false)
		c.barred, s.m.barred[serial] = serial, len(s.m.changes)-1
		for _, other := range s.m.changes {
			delete(other.links, serial)
		}
	} else {
		s.m.former = append(s.m.former, modelFormer{gone, s.now().Add(7 * bookDay)})
	}
	s.m.pending = slices.DeleteFunc(s.m.pending, func(p *modelPending) bool {
		return p.replaces == serial && (!p.staff || c.staff)
	})
	s.m.vacated()
	s.m.lead()
}

// brought notes that a change, which is the last one, brought a contact.
func (s *bookMachine) brought(c *modelChange, fresh modelContact) {
	c.brought = append(c.brought, fresh)
	if c.staff {
		s.m.given[fresh.serial] = len(s.m.changes) - 1
	}
}

// arrived looks at the messages of a change: everybody who is to be told was, and those who may undo it can.
func (s *bookMachine) arrived(rt *rapid.T, c *modelChange, told []modelContact) {
	s.faults.Reset()
	require.NoError(fatalBook{rt}, s.k.out.Flush(rt.Context()))
	fresh := s.k.post.Messages()[s.seen:]
	s.seen += len(fresh)
	require.Len(fatalBook{rt}, fresh, len(told))
	may := func(to modelContact) bool { return !s.now().Before(to.cooling) && c.barred != to.serial }
	// One address may be told twice: as a former contact and as one that it became again. If both may undo the change, the
	// messages do not say which link is whose, and an operator can take the right of one of them away: neither is used.
	twice := func(to modelContact) bool {
		return slices.ContainsFunc(told, func(o modelContact) bool {
			return o.serial != to.serial && o.address == to.address && may(o)
		})
	}
	for _, to := range told {
		may := may(to)
		i := slices.IndexFunc(fresh, func(m civicpin.Message) bool {
			return m.Kind == changedKind && m.To.Address == to.address && m.Link.IsZero() != may
		})
		require.GreaterOrEqual(fatalBook{rt}, i, 0, "%s, may undo: %t", to.address, may)
		if may && !twice(to) {
			c.links[to.serial] = modelUndoer{fresh[i].Link}
		}
		fresh = slices.Delete(fresh, i, i+1)
	}
}

// fatalBook makes testify's message that of the failure; rapid would say only that there was one.
type fatalBook struct{ *rapid.T }

// Errorf fails at once.
func (f fatalBook) Errorf(format string, args ...any) { f.T.Fatalf(format, args...) }

// bookCame says in the model's words what came of a call.
func bookCame(err error) string {
	_, locked := errors.AsType[*lockout.LockedError](err)
	switch {
	case err == nil:
		return "done"
	case locked:
		return "locked"
	case errors.Is(err, contact.ErrUnsuitable):
		return "contacts"
	case errors.Is(err, contact.ErrGone):
		return "gone"
	case errors.Is(err, contact.ErrExpired):
		return "expired"
	case errors.Is(err, contact.ErrRefused):
		return "refused"
	}
	return err.Error()
}

// id returns the service's id of a contact of the model.
func (s *bookMachine) id(rt *rapid.T, serial int) string {
	i := s.m.find(serial)
	if i < 0 {
		return "NONE"
	}
	proved, _, err := s.k.List(rt.Context(), rosa)
	require.NoError(fatalBook{rt}, err)
	for _, c := range proved {
		if c.Address == s.m.live[i].address {
			return c.ID
		}
	}
	rt.Fatalf("%s is lost", s.m.live[i].address)
	return ""
}

func bookContact(address string) civicpin.Contact {
	return civicpin.Contact{Channel: civicpin.Email, Address: address}
}

// ask is Add or Change.
func (s *bookMachine) ask(rt *rapid.T, address string, replaces int, staff bool) {
	by := civicpin.Citizen
	if staff {
		by = bookClerk
	}
	now := s.now()
	want := "done"
	waiting := s.m.waiting(now)
	i := slices.IndexFunc(waiting, func(p *modelPending) bool { return p.address == address && p.replaces == replaces })
	others := len(s.m.live)
	if replaces != 0 {
		others--
	}
	switch {
	case replaces != 0 && s.m.find(replaces) < 0, s.m.has(address), others >= contact.MaxContacts:
		want = "contacts"
	case i >= 0 && waiting[i].sends >= 10:
		want = "locked"
	case i >= 0:
	case len(waiting) >= contact.MaxContacts, replaces == 0 && len(s.m.live)+len(waiting) >= contact.MaxContacts:
		want = "contacts"
	}
	var err error
	if replaces == 0 {
		_, err = s.k.Add(rt.Context(), rosa, bookContact(address), by, bookHome)
	} else {
		_, err = s.k.Change(rt.Context(), rosa, s.id(rt, replaces), bookContact(address), by, bookHome)
	}
	require.Equal(fatalBook{rt}, want, bookCame(err))
	if err != nil {
		return
	}
	if i < 0 {
		s.m.pending = append(s.m.pending, &modelPending{
			address: address, replaces: replaces, first: s.m.fresh(now), staff: staff, expires: now.Add(bookDay),
		})
		i = len(s.m.pending) - 1
	}
	p := s.m.pending[i]
	p.staff = p.staff || staff
	p.sends++
	s.faults.Reset()
	require.NoError(fatalBook{rt}, s.k.out.Flush(rt.Context()))
	fresh := s.k.post.Messages()[s.seen:]
	s.seen += len(fresh)
	// A notice of an earlier act may come only now: the dispatcher that lost the reply of its claim takes it up once that ends.
	fresh = slices.DeleteFunc(fresh, func(m civicpin.Message) bool { return m.Kind != proveKind })
	require.Len(fatalBook{rt}, fresh, 1)
	p.proofs = append(p.proofs, modelProof{fresh[0].Link, fresh[0].Secret, fresh[0].ExpiresAt})
	p.proofs = p.proofs[max(0, len(p.proofs)-3):]
}

// prove brings a proof back, by link or by code.
func (s *bookMachine) prove(rt *rapid.T, p *modelPending, proof modelProof, byLink bool) {
	want := "done"
	address := s.m.has(p.address)
	others := len(s.m.live)
	if p.replaces != 0 {
		others--
	}
	switch {
	case address || others >= contact.MaxContacts:
		want = "contacts"
	case s.m.full(p.staff, s.now()):
		want = "locked"
	}
	var err error
	if byLink {
		err = s.k.Prove(rt.Context(), proof.link, bookHome)
	} else {
		err = s.k.ProveCode(rt.Context(), rosa, proof.code, bookHome)
	}
	require.Equal(fatalBook{rt}, want, bookCame(err))
	if err != nil {
		return
	}
	s.m.pending = slices.DeleteFunc(s.m.pending, func(other *modelPending) bool { return other == p })
	told := s.m.told(s.now())
	c := s.open(p.staff, p.replaces == 0)
	s.m.serial++
	fresh := modelContact{serial: s.m.serial, address: p.address}
	if !p.first && !p.staff {
		fresh.cooling = s.now().Add(7 * bookDay)
		s.m.begun()
	}
	s.brought(c, fresh)
	s.m.live = append(s.m.live, fresh)
	if p.replaces != 0 {
		if s.m.primary == p.replaces {
			s.m.primary = fresh.serial
		}
		s.take(p.replaces, c)
	}
	s.m.lead()
	s.arrived(rt, c, told)
}

// adopt is Adopt of one address.
func (s *bookMachine) adopt(rt *rapid.T, to string, byStaff bool) {
	by := civicpin.Citizen
	if byStaff {
		by = bookClerk
	}
	want, has := "done", s.m.has(to)
	stay := 0
	for _, c := range s.m.live {
		if !byStaff || !s.now().Before(c.cooling) {
			stay++
		}
	}
	switch {
	case has:
	case stay >= contact.MaxContacts:
		want = "contacts"
	case s.m.full(byStaff, s.now()):
		want = "locked"
	}
	err := s.k.Adopt(rt.Context(), rosa, []civicpin.Contact{bookContact(to)}, by, bookHome)
	require.Equal(fatalBook{rt}, want, bookCame(err))
	if err != nil {
		return
	}
	if byStaff {
		s.adopted(to)
	}
	if has {
		i := slices.IndexFunc(s.m.live, func(c modelContact) bool { return c.address == to })
		if byStaff && s.now().Before(s.m.live[i].cooling) {
			s.cooled(s.m.live[i].serial)
		}
		s.m.again[s.m.live[i].serial] = s.m.again[s.m.live[i].serial] || byStaff
		return
	}
	first, told := s.m.fresh(s.now()), s.m.told(s.now())
	c := s.open(byStaff, true)
	s.m.serial++
	fresh := modelContact{serial: s.m.serial, address: to}
	if !first && !byStaff {
		fresh.cooling = s.now().Add(7 * bookDay)
		s.m.begun()
	}
	s.m.pending = slices.DeleteFunc(s.m.pending, func(p *modelPending) bool { return p.replaces == 0 && p.address == to })
	s.brought(c, fresh)
	s.m.live = append(s.m.live, fresh)
	s.m.lead()
	s.arrived(rt, c, told)
}

// settled has staff see the subject after an undo, with all contacts, or with a new one if there is none.
func (s *bookMachine) settled(rt *rapid.T) {
	if len(s.m.live) == 0 {
		s.adopt(rt, "m1@example.ec", true)
		return
	}
	var list []civicpin.Contact
	slices.SortStableFunc(s.m.live, func(a, b modelContact) int { return b.cooling.Compare(a.cooling) })
	for _, c := range s.m.live {
		list = append(list, bookContact(c.address))
		s.m.again[c.serial] = true
		s.cooled(c.serial)
	}
	s.adopted(testkit.Addresses(s.m.live, func(c modelContact) string { return c.address })...)
	for some := range slices.Chunk(list, contact.MaxContacts) { // an undo may bring back more
		require.NoError(fatalBook{rt}, s.k.Adopt(rt.Context(), rosa, some, bookClerk, bookHome))
	}
	usable, err := contact.Usable(rt.Context(), s.k.Service, rosa)
	require.NoError(fatalBook{rt}, err)
	require.Len(fatalBook{rt}, usable, len(list))
}

// undo goes back to before a change.
func (s *bookMachine) undo(k int) {
	c := s.m.changes[k]
	came := make(map[int]bool)
	var kept []modelContact
	for i := k; i < len(s.m.changes); i++ {
		for _, b := range s.m.changes[i].brought {
			came[b.serial] = true
			by, ok := s.m.given[b.serial]
			if ok && by > k || s.m.again[b.serial] && s.m.find(b.serial) >= 0 {
				kept = append(kept, b)
			} else {
				delete(s.m.given, b.serial)
			}
		}
	}
	if by, ok := s.m.barred[c.barred]; ok && by == k {
		delete(s.m.barred, c.barred)
	}
	all := slices.Concat(c.before, kept)
	slices.SortStableFunc(all, func(a, b modelContact) int { // what was not touched stays, of one address
		return min(s.m.find(b.serial), 0) - min(s.m.find(a.serial), 0)
	})
	untouched := s.m.live
	s.m.live = nil
	var disputed []modelContact
	for _, back := range all {
		if _, barred := s.m.barred[back.serial]; barred || s.m.has(back.address) {
			continue
		}
		s.m.live = append(s.m.live, back)
		if !slices.ContainsFunc(untouched, func(c modelContact) bool { return c.serial == back.serial }) {
			disputed = append(disputed, back)
		}
	}
	s.m.emptied = s.m.emptied || len(s.m.live) == 0
	s.m.former = slices.DeleteFunc(s.m.former, func(f modelFormer) bool {
		back := slices.ContainsFunc(all, func(c modelContact) bool { return c.serial == f.serial }) // also as another one's address
		return came[f.serial] || s.m.find(f.serial) >= 0 || back && s.m.has(f.address)
	})
	s.m.primary = c.primary
	s.m.lead(disputed...)
	for _, after := range s.m.changes[k:] {
		after.links = nil
	}
	s.m.ended(false)
	s.m.vacated()
	s.m.begun()
}

// TestContactModel drives random sequences of calls, clock moves and lost replies, and holds every answer against the model:
// nothing becomes a contact but by its proof, an undo brings back what there was, so many are always left, nothing is lost.
func TestContactModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		cryptotest.SetGlobalRandom(t, rapid.Uint64().Draw(rt, "seed")) // or no failure could be played again
		faults := storetest.NewFaults(store.NewMemory())
		s := &bookMachine{faults: faults, least: rapid.IntRange(1, 2).Draw(rt, "at least")}
		s.m.barred, s.m.given, s.m.again = make(map[int]int), make(map[int]int), make(map[int]bool)
		config := bookConfig()
		config.AtLeast = s.least
		s.k = newBookKitOn(t, faults.Store(), config, newBookClock(), &testkit.Mailbox{}, &testkit.Recorder{})
		ctx := rt.Context()
		lose := func(rt *rapid.T) { // a lost reply is looked up and makes no difference
			s.faults.Reset()
			if rapid.Bool().Draw(rt, "lose a reply") {
				s.faults.FailAt(rapid.IntRange(1, 6).Draw(rt, "put"), storetest.ReplyLost, storetest.Put)
			}
		}
		address := func(rt *rapid.T) string {
			return fmt.Sprintf("m%d@example.ec", rapid.IntRange(1, 11).Draw(rt, "address"))
		}
		staff := func(rt *rapid.T) bool { return rapid.IntRange(0, 3).Draw(rt, "by") == 0 }
		one := func(rt *rapid.T) int {
			if len(s.m.live) == 0 {
				rt.Skip("none")
			}
			return rapid.SampledFrom(s.m.live).Draw(rt, "contact").serial
		}
		rt.Repeat(map[string]func(*rapid.T){
			"add":    func(rt *rapid.T) { lose(rt); s.ask(rt, address(rt), 0, staff(rt)) },
			"change": func(rt *rapid.T) { lose(rt); s.ask(rt, address(rt), one(rt), staff(rt)) },
			"prove": func(rt *rapid.T) {
				waiting := s.m.waiting(s.now())
				if len(waiting) == 0 {
					rt.Skip("nothing waits")
				}
				lose(rt)
				p := rapid.SampledFrom(waiting).Draw(rt, "pending")
				s.prove(rt, p, rapid.SampledFrom(p.proofs).Draw(rt, "proof"), rapid.Bool().Draw(rt, "by link"))
			},
			"prove with something else": func(rt *rapid.T) {
				// Whatever came by mail and is not, or no longer, a proof of what waits.
				lose(rt)
				valid := make(map[string]bool)
				for _, p := range s.m.waiting(s.now()) {
					for _, proof := range p.proofs {
						valid[proof.link.Reveal()] = true
					}
				}
				all := s.k.post.Messages()
				if len(all) == 0 {
					rt.Skip("nothing came")
				}
				link := rapid.SampledFrom(all).Draw(rt, "message").Link
				if valid[link.Reveal()] {
					rt.Skip("a proof")
				}
				require.Contains(fatalBook{rt}, []string{"gone", "expired"}, bookCame(s.k.Prove(ctx, link, bookHome)))
			},
			"prove with a wrong code": func(rt *rapid.T) {
				if s.m.wrong >= 4 {
					rt.Skip("it would lock")
				}
				lose(rt)
				s.m.wrong++
				require.Equal(fatalBook{rt}, "refused", bookCame(s.k.ProveCode(ctx, rosa, civicpin.NewSecret("WWWWWWWW"), bookHome)))
			},
			"remove": func(rt *rapid.T) {
				lose(rt)
				serial, byStaff := one(rt), staff(rt)
				want, by := "done", civicpin.Citizen
				if byStaff {
					by = bookClerk
				}
				switch {
				case len(s.m.live) <= s.least:
					want = "contacts"
				case s.m.full(byStaff, s.now()):
					want = "locked"
				}
				err := s.k.Remove(ctx, rosa, s.id(rt, serial), by, bookHome)
				require.Equal(fatalBook{rt}, want, bookCame(err))
				if err == nil {
					told := s.m.told(s.now())
					c := s.open(byStaff, false)
					s.take(serial, c)
					s.arrived(rt, c, told)
				}
			},
			"make primary": func(rt *rapid.T) {
				lose(rt)
				serial := one(rt)
				want := "done"
				switch {
				case s.now().Before(s.m.live[s.m.find(serial)].cooling):
					want = "contacts"
				case serial == s.m.primary:
				case s.m.full(false, s.now()):
					want = "locked"
				}
				err := s.k.MakePrimary(ctx, rosa, s.id(rt, serial), civicpin.Citizen, bookHome)
				require.Equal(fatalBook{rt}, want, bookCame(err))
				if err == nil && serial != s.m.primary {
					c := s.open(false, false)
					s.m.primary = serial
					s.arrived(rt, c, s.m.told(s.now()))
				}
			},
			"adopt": func(rt *rapid.T) { lose(rt); s.adopt(rt, address(rt), staff(rt)) },
			"undo": func(rt *rapid.T) {
				lose(rt)
				k := -1
				var link civicpin.Secret
				for i, c := range s.m.changes {
					for _, serial := range slices.Sorted(maps.Keys(c.links)) {
						if rapid.IntRange(0, 5).Draw(rt, "this one") == 0 || k < 0 {
							k, link = i, c.links[serial].link
						}
					}
				}
				if k < 0 {
					rt.Skip("none can be undone")
				}
				err := s.k.Undo(ctx, link, bookHome)
				if !s.now().Before(s.m.changes[k].until) {
					require.Contains(fatalBook{rt}, []string{"expired", "gone"}, bookCame(err))
					s.m.changes[k].links = nil
					return
				}
				require.Equal(fatalBook{rt}, "done", bookCame(err))
				s.undo(k)
				require.Equal(fatalBook{rt}, "gone", bookCame(s.k.Undo(ctx, link, bookHome)))
				s.faults.Reset()
				require.NoError(fatalBook{rt}, s.k.out.Flush(ctx))
				fresh := s.k.post.Messages()[s.seen:]
				s.seen += len(fresh)
				for _, m := range fresh {
					require.True(fatalBook{rt}, m.Kind == changedKind && m.Link.IsZero(), "%s to %s, %v", m.Kind, m.To.Address, m.Params)
				}
				for _, c := range s.m.told(s.now()) {
					require.True(fatalBook{rt}, slices.ContainsFunc(fresh, func(m civicpin.Message) bool { return m.To.Address == c.address }), "%v %v %v", c, fresh, s.m)
				}
				s.settled(rt)
			},
			"time passes": func(rt *rapid.T) {
				s.k.clock.Add(rapid.SampledFrom([]time.Duration{
					time.Second, 5 * time.Minute, 25 * time.Hour, 3 * bookDay, 7 * bookDay,
				}).Draw(rt, "for"))
			},
			"": func(rt *rapid.T) {
				s.faults.Reset()
				now := s.now()
				proved, pending, err := s.k.List(ctx, rosa)
				require.NoError(fatalBook{rt}, err)
				var want, got, wantPending, gotPending []string
				for _, c := range s.m.live {
					want = append(want, fmt.Sprint(c.address, c.serial == s.m.primary, now.Before(c.cooling)))
				}
				for _, c := range proved {
					got = append(got, fmt.Sprint(c.Address, c.Primary, now.Before(c.CoolsUntil)))
				}
				require.ElementsMatch(fatalBook{rt}, want, got)
				for _, p := range s.m.waiting(now) {
					wantPending = append(wantPending, fmt.Sprint(p.address, p.replaces != 0, p.expires))
				}
				for _, p := range pending {
					gotPending = append(gotPending, fmt.Sprint(p.Address, p.Replaces != "", p.ExpiresAt))
				}
				require.ElementsMatch(fatalBook{rt}, wantPending, gotPending)
				var told []string
				for _, c := range s.m.told(now) {
					told = append(told, c.address)
				}
				gotTold, err := contact.Told(ctx, s.k.Service, rosa)
				require.NoError(fatalBook{rt}, err)
				require.ElementsMatch(fatalBook{rt}, told, gotTold)
				if s.m.serial > 0 && !s.m.emptied {
					require.NotEmpty(fatalBook{rt}, proved)
				}
			},
		})
	})
}

// cooled has a contact cool down no more, also in what an undo brings back.
func (s *bookMachine) cooled(serial int) {
	warm := func(list []modelContact) {
		for i := range list {
			if list[i].serial == serial {
				list[i].cooling = time.Time{}
			}
		}
	}
	warm(s.m.live)
	for _, c := range s.m.changes {
		warm(c.before)
		warm(c.brought)
	}
}

// bookRace runs act 64 times at once, over four processes, and returns how often it returned nil.
func bookRace(t *testing.T, m store.Store, k *bookKit, act func(k *bookKit, i int) error) (won int64) {
	t.Helper()
	kits := []*bookKit{k}
	for range 3 {
		kits = append(kits, newBookKitOn(t, m, k.config, k.clock, k.post, k.events))
	}
	var n atomic.Int64
	var wg sync.WaitGroup
	for i := range 64 {
		wg.Go(func() {
			err := act(kits[i%4], i)
			_, locked := errors.AsType[*lockout.LockedError](err)
			switch {
			case err == nil:
				n.Add(1)
			case locked, errors.Is(err, contact.ErrGone), errors.Is(err, contact.ErrRefused), errors.Is(err, contact.ErrBusy),
				errors.Is(err, contact.ErrUnsuitable):
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	return n.Load()
}

// One proof is used once, whoever comes with it and however: the contact is there once, and each of the others is told once.
func TestContactProofHasOneWinner(t *testing.T) {
	m := store.NewMemory()
	k := newBookKitOn(t, m, bookConfig(), newBookClock(), &testkit.Mailbox{}, &testkit.Recorder{})
	k.enrolled(t)
	k.asks(t, byNewMail)
	proof := k.post.Last(newMail, proveKind)
	won := bookRace(t, m, k, func(k *bookKit, i int) error {
		if i%8 == 7 {
			return k.ProveCode(t.Context(), rosa, proof.Secret, bookHome)
		}
		return k.Prove(t.Context(), proof.Link, bookHome)
	})
	require.EqualValues(t, 1, won)
	k.flush(t)
	require.Equal(t, []string{rosaPhone, rosaMail, newMail}, k.addresses(t))
	require.Len(t, k.post.To(rosaPhone, changedKind), 1)
	require.Len(t, k.post.To(rosaMail, changedKind), 1)
	require.Contains(t, reasons(k.events, "contact.changed"), "added email")
}

// One undo, too.
func TestContactUndoHasOneWinner(t *testing.T) {
	m := store.NewMemory()
	k := newBookKitOn(t, m, bookConfig(), newBookClock(), &testkit.Mailbox{}, &testkit.Recorder{})
	k.enrolled(t)
	k.asks(t, byThief)
	k.proves(t, thiefMail)
	links := []civicpin.Secret{k.post.Last(rosaPhone, changedKind).Link, k.post.Last(rosaMail, changedKind).Link}
	require.EqualValues(t, 1, bookRace(t, m, k, func(k *bookKit, i int) error { return k.Undo(t.Context(), links[i%2], bookHome) }))
	require.Equal(t, []string{rosaPhone, rosaMail}, k.addresses(t))
}

// However many are removed or brought at once, so many are left, and there are no more than eight.
func TestContactLimitsHoldAtOnce(t *testing.T) {
	m := store.NewMemory()
	k := newBookKitOn(t, m, bookConfig(), newBookClock(), &testkit.Mailbox{}, &testkit.Recorder{})
	won := bookRace(t, m, k, func(k *bookKit, i int) error {
		to := civicpin.Contact{Channel: civicpin.Email, Address: fmt.Sprintf("rosa%d@example.ec", i)}
		return k.Adopt(t.Context(), rosa, []civicpin.Contact{to}, bookClerk, bookHome)
	})
	require.EqualValues(t, contact.MaxContacts, won)
	proved, _, err := k.List(t.Context(), rosa)
	require.NoError(t, err)
	require.Len(t, proved, contact.MaxContacts)
	won = bookRace(t, m, k, func(k *bookKit, i int) error {
		if i >= len(proved) {
			return contact.ErrUnsuitable
		}
		return k.Remove(t.Context(), rosa, proved[i].ID, civicpin.Citizen, bookHome)
	})
	require.EqualValues(t, contact.MaxContacts-1, won)
	require.Len(t, k.addresses(t), 1)
}
