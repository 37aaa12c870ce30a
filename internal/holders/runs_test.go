package holders_test

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/recovery/plan"
)

// errAway is what a provider says that is away.
var errAway = errors.New("the provider is away")

// A trip is a run as the model sees it.
type trip struct {
	id, plan   string
	ticket     civicpin.Secret
	holder     person // of the ticket; 0 if staff began it
	began      time.Time
	ends       time.Time
	rested     time.Time // when the rest began
	until      time.Time
	step       int // when it began
	restStep   int
	dispatched bool // well after the rest began
	proved     []civicpin.Contact
	corrected  civicpin.Contact
	objectors  []civicpin.Contact // contacts when it rested
	finished   time.Time
	cancelled  bool
	repudiated bool
	staff      bool // operators approved
	knew       bool // the answers were given, by its holder of then
}

// A grant is one that a person got.
type grant struct {
	pin.Grant
	trip *trip
	by   person
	step int
}

func (w *world) trip(id string) *trip {
	i := slices.IndexFunc(w.trips, func(r *trip) bool { return r.id == id })
	if i < 0 {
		return nil
	}
	return w.trips[i]
}

// of returns which run, candidate or change a token is about.
func of(tok civicpin.Secret) string { return tok.Reveal()[1:27] }

// start begins a run of a plan.
func (w *world) start(p person, name string) *trip {
	run, err := w.runs.Start(w.t.Context(), name, rosa, home(p))
	if err != nil {
		return nil
	}
	r := &trip{id: run.ID, plan: name, ticket: run.Ticket, holder: p, began: w.now(), ends: run.ExpiresAt, step: w.step}
	w.trips = append(w.trips, r)
	return r
}

// onwards does what a run asks for, as far as its holder can. It reports whether something was done.
func (w *world) onwards(r *trip, n int) bool {
	ctx := w.t.Context()
	run, err := w.runs.Show(ctx, r.ticket)
	if err != nil {
		return false
	}
	next, a := run.Next, recovery.Answers{Source: home(r.holder)}
	switch {
	case run.Done:
		return w.finish(r.holder, r.ticket, r, civicpin.Contact{}) == nil
	case !next.WaitsUntil.IsZero():
		_, err := w.runs.Send(ctx, r.ticket, home(r.holder))
		return err == nil
	case next.Approval != "":
		return w.approve(r)
	case next.Captcha:
		a.Captcha = true
	case next.Contacts > 0:
		a.Contacts = w.named(next.Contacts, n)
	case len(next.Facts) > 0:
		if len(next.Images) > 0 && w.answers&r.holder == 0 && n%8 > 0 {
			return false // a guess, now and then
		}
		err := w.answer(r, w.known(next, r.holder))
		r.knew = r.knew || err == nil && len(next.Images) > 0
		return err == nil
	case next.Confirm != nil:
		if a.Confirm = r.holder == owner || n%3 == 0; !a.Confirm {
			a.Correct = theirs(r.holder)[0]
		}
	case next.Sent != nil:
		return w.message(r, next)
	}
	return w.answer(r, a) == nil
}

// answer gives answers, and notes when the run rests then.
func (w *world) answer(r *trip, a recovery.Answers) error {
	before := w.trips
	run, err := w.runs.Answer(w.t.Context(), r.ticket, a)
	if err != nil {
		return err
	}
	r.corrected = a.Correct
	w.rests(r, run, before)
	return nil
}

// rests notes that a run rests, if it does, and fails if it may not.
func (w *world) rests(r *trip, run recovery.Run, all []*trip) {
	until := run.Next.WaitsUntil
	if until.IsZero() || !r.rested.IsZero() {
		return
	}
	w.reached["rests"]++
	if r.holder != owner {
		w.reached["an attacker's run rests"]++
	}
	r.rested, r.until, r.restStep = w.now(), until, w.step
	if w.objects >= 0 && w.now().Before(w.objected.Add(objection)) && !r.staff {
		w.fail("a run of %s rests %v after an objection", r.plan, w.now().Sub(w.objected))
	}
	for _, other := range all {
		if other != r && other.step > w.ending && other.restStep > w.objects && !other.rested.IsZero() && !other.cancelled &&
			other.finished.IsZero() && w.now().Before(other.ends) && !r.staff {
			w.fail("a run of %s rests while one of %s does", r.plan, other.plan)
		}
	}
	for _, e := range w.book {
		if e.valid(r.began) && e.valid(w.now()) && !slices.ContainsFunc(r.proved, e.to.SameAddress) && !e.to.SameAddress(r.corrected) {
			r.objectors = append(r.objectors, e.to)
		}
	}
}

// known are answers to what people know: all know the facts.
func (w *world) known(next recovery.Ask, p person) recovery.Answers {
	a := recovery.Answers{Facts: map[string]string{"birth-day": "14"}, Source: home(p)}
	right := w.answers&p != 0
	if len(next.Images) > 0 {
		if a.Image = image; !right {
			a.Image = next.Images[0]
		}
	}
	for _, question := range next.Questions {
		text := answers[question]
		if !right || text == "" {
			text = "no lo recuerdo"
		}
		if a.Questions == nil {
			a.Questions = make(map[string]civicpin.Secret)
		}
		a.Questions[question] = civicpin.NewSecret(text)
	}
	return a
}

// named are contacts as a visitor names them, who knows the addresses: of this channel or that, by a number.
func (w *world) named(most, n int) (list []civicpin.Contact) {
	for i := range w.book {
		e := w.book[(i+n)%len(w.book)]
		taken := slices.ContainsFunc(list, func(c civicpin.Contact) bool { return c.Channel == e.to.Channel })
		if e.valid(w.now()) && !taken && len(list) < most {
			list = append(list, e.to)
		}
	}
	for len(list) < most {
		list = append(list, own[len(list)])
	}
	return list
}

// message answers by the link or the code of a run, if its holder has read it.
func (w *world) message(r *trip, next recovery.Ask) bool {
	for i := len(w.sent) - 1; i >= 0; i-- {
		m := w.sent[i].msg
		switch {
		case w.sent[i].known&r.holder == 0:
		case !m.Link.IsZero() && m.Link.Reveal()[0] == 'l' && of(m.Link) == r.id:
			w.follow(r.holder, i)
			return true
		case m.Kind == recovery.CodeMessage && next.Sent.Code && !next.Sent.Link:
			r.proved = append(r.proved, m.To)
			return w.answer(r, recovery.Answers{Code: m.Secret, Source: home(r.holder)}) == nil
		}
	}
	return false
}

// follow does what the page of a link offers.
func (w *world) follow(p person, i int) {
	m, ctx := w.sent[i].msg, w.t.Context()
	look, err := w.runs.Inspect(ctx, m.Link)
	if err != nil {
		return
	}
	switch look.Purpose {
	case recovery.ToRecover:
		r := w.trip(of(m.Link))
		if look.Last {
			_ = w.finish(p, m.Link, r, m.To)
			return
		}
		run, err := w.runs.Redeem(ctx, m.Link, home(p))
		if run.Ticket.IsZero() {
			return
		}
		_ = err // what comes next may fail, and the ticket is the holder's all the same
		r.ticket, r.holder, r.proved = run.Ticket, p, append(r.proved, m.To)
		w.rests(r, run, w.trips)
	case recovery.ToProve:
		if w.contacts.Prove(ctx, m.Link, home(p)) == nil {
			w.provedBy(p, of(m.Link))
		}
	case recovery.ToUndo, recovery.ToRepudiate:
		w.repudiate(p, m)
	}
}

// provedBy notes that a candidate was proved.
func (w *world) provedBy(p person, id string) {
	for _, c := range w.asked {
		if c.id == id {
			w.proved(c, p)
			return
		}
	}
}

// repudiate says "it was not me".
func (w *world) repudiate(p person, m civicpin.Message) {
	if w.runs.Repudiate(w.t.Context(), m.Link, home(p)) != nil {
		return
	}
	granted := w.granted(w.trip(of(m.Link)))
	w.ending = w.step
	if m.Link.Reveal()[0] == 'u' {
		w.reached["undone"]++
		w.stopped = w.stopped || w.system.suspends
		if w.system.suspends {
			w.takeYoung()
		}
		w.endAsked("an undo", false)
		w.takeSince(m.ExpiresAt.Add(-undoing)) // when the change was
		w.reconcile(m.Params["change"] == "removed")
		return
	}
	r := w.trip(of(m.Link))
	if r.finished.IsZero() {
		w.reached["objected"]++
		w.objected, w.objects, r.cancelled = w.now(), w.step, true
		return
	}
	w.reached["repudiated"]++
	r.repudiated = true
	name := slices.IndexFunc(w.system.plans, func(p plan.Plan) bool { return p.Name == r.plan })
	unlocks := w.system.plans[name].Outcome == plan.Unlocked
	if !unlocks || !r.rested.IsZero() { // an unlock gave nothing that another run rests for
		w.objected, w.objects = w.now(), w.step
	}
	if unlocks {
		return
	}
	if r.staff {
		w.stopped = w.stopped || w.run == r
		if w.run == r || granted { // else the secret is another's, and nothing is suspended
			w.takeYoung()
			w.endAsked("a suspension", false)
		}
		return
	}
	w.takeSince(r.finished)
	w.endAsked("a repudiation", false)
	if w.run == r || granted {
		w.closed = true
	}
	if w.run == r {
		w.dies("a repudiation")
	}
	w.reconcile(false)
}

// granted reports whether a run gave a grant that is good.
func (w *world) granted(r *trip) bool {
	return r != nil && slices.ContainsFunc(w.grants, func(g *grant) bool { return g.trip == r && g.step == w.ending })
}

// dies has the secret be good no more, and fails if it is.
func (w *world) dies(why string) {
	if w.secret.text != "" {
		_, err := w.pins.Verify(w.t.Context(), w.attempt(owner, w.secret.text))
		if err == nil {
			w.fail("the secret is good after %s", why)
		}
	}
	w.secret, w.run, w.parts = secret{}, nil, nil
}

// finish completes a run, and judges whether it may be.
func (w *world) finish(p person, tok civicpin.Secret, r *trip, to civicpin.Contact) error {
	g, err := w.runs.Finish(w.t.Context(), tok, home(p))
	if err != nil {
		if !r.rested.IsZero() && p != owner {
			w.reached["an attacker's rest came to nothing"]++
		}
		return err
	}
	w.reached["finished "+r.plan]++
	if to.Address != "" {
		r.proved = append(r.proved, to)
	}
	r.finished = w.now()
	w.mayFinish(p, r)
	if g.IsZero() {
		w.promised(recovery.NoticeUnlocked, r.plan, r)
		return nil
	}
	w.promised(recovery.NoticeDone, r.plan, r)
	w.grants = append(w.grants, &grant{g, r, p, w.step})
	w.ending = w.step
	w.coolAnew()
	w.endAsked("a recovery", false)
	if r.corrected.Address != "" && w.live(r.corrected) == nil {
		for _, e := range w.book {
			if e.gone.IsZero() && e.to.Channel == r.corrected.Channel {
				e.gone = w.now()
			}
		}
		w.book = append(w.book, &entry{to: r.corrected, since: w.now(), matures: w.now().Add(cooling)})
		w.reached["corrected"]++
	}
	return nil
}

// mayFinish judges a run that was completed.
func (w *world) mayFinish(p person, r *trip) {
	if w.closed && !r.staff {
		w.fail("%v completed %s although a repudiation closed recovery", p, r.plan)
	}
	if r.rested.IsZero() {
		return
	}
	w.reached["finished after a rest"]++
	if w.objects > r.restStep {
		w.fail("%v completed %s, to which a contact had objected", p, r.plan)
	}
	heard := false
	for _, to := range r.objectors {
		told := false
		for _, s := range w.sent {
			if s.msg.Kind == recovery.NoticeWaiting && s.msg.To.SameAddress(to) && !s.at.Before(r.rested) &&
				(s.msg.Link.IsZero() || of(s.msg.Link) == r.id) {
				told = true
				heard = heard || !s.bounced && !s.at.After(r.rested.Add(noticed))
			}
		}
		if e := w.live(to); !told && r.dispatched && e != nil && w.brokenAt[to.Address].Before(r.rested) {
			w.fail("%s was not told that %s rests", to.Address, r.plan)
		}
	}
	if !heard {
		w.fail("%v completed %s after a rest of which nobody heard", p, r.plan)
	}
}

// approve has staff look at the holder of a run: they approve of the owner alone.
func (w *world) approve(r *trip) bool {
	_, err := w.runs.Decide(w.t.Context(), r.id, clerk, recovery.Verdict{Approve: r.holder&^owner == 0, Reason: "seen"})
	if err == nil {
		r.staff = r.holder&^owner == 0
		r.cancelled = !r.staff
		w.reached["decided"]++
	}
	return err == nil
}

// use uses a grant.
func (w *world) use(g *grant) error {
	ctx := w.t.Context()
	text := w.choice()
	_, err := w.pins.Set(ctx, g.Grant, civicpin.NewSecret(text), home(g.by))
	if err == nil {
		w.controls(g.by, text, "recovers by "+g.trip.plan, g.trip)
		w.run = g.trip
		return nil
	}
	if !errors.Is(err, pin.ErrNoGrant) {
		return err
	}
	if _, err := w.pins.Reissue(ctx, g.Grant, home(g.by)); err != nil {
		return err
	}
	w.reached["reissued"]++
	w.secret, w.run, w.parts = secret{}, g.trip, g.trip
	return nil
}

// controls notes that a person has a secret of their own, and judges whether they may: r is the run that led there.
func (w *world) controls(p person, text, how string, r *trip) {
	w.secret, w.ending = secret{text, p}, w.step
	w.reached["in control: "+p.String()]++
	if p == owner {
		return
	}
	w.reached["an attacker "+strings.Fields(how)[0]]++
	if r == nil {
		return
	}
	for _, set := range w.system.needs[r.plan] {
		if w.holds(p, set, r.began, r) {
			return
		}
	}
	w.fail("the %v %s, and did not hold what it takes: %v", p, how, w.system.needs[r.plan])
}

// attempt is a guess of a person.
func (w *world) attempt(p person, text string) pin.Attempt {
	return pin.Attempt{Subject: rosa, Secret: civicpin.NewSecret(text), Source: home(p)}
}
