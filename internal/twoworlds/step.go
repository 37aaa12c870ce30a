package twoworlds

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/civicpin/civicpin/internal/password"
	"github.com/civicpin/civicpin/store/storetest"
)

// A Draw chooses the steps of a schedule.
type Draw interface {
	// Int returns a number from 0 to n-1.
	Int(label string, n int) int
}

// random is a Draw by a seed.
type random struct{ *rand.Rand }

// Random returns a [Draw] by a seed, for tests without rapid.
func Random(seed uint64) Draw { return random{rand.New(rand.NewPCG(seed, 0))} }

func (r random) Int(_ string, n int) int { return r.IntN(n) }

// An act is one kind of call. Its number says which of several variants: which secret, which earlier run.
type act struct {
	name string
	by   actor
	// factor is where a visitor's guess counts, and where an owner's success resets what strangers see. Empty if neither.
	factor string
	// rests says that contacts change: what is shown of them changes, too, and the codes and runs of before are gone before
	// the next step. See visibles.
	rests bool
	// reads says that the owner reads the mail. So the dispatcher has run, and in both worlds, however far the owner comes.
	reads bool
	// acts says that an operator or a contact acts on what was issued, which shows at the addresses that visitors typed. See
	// visibles.
	acts bool
	do   func(ctx context.Context, w *world, n int) (shown string, err error)
}

// An actor says what of a view is compared.
type actor int

const (
	visitor actor = iota // all is compared; the registered adversary's, too
	owner                // or an operator: nothing is compared
	upkeep               // time, the dispatcher, the purge: only that it fails, and which messages came
)

// A step is an act with its number and how often it is done; or several acts at once, and in which turns.
type step struct {
	act   *act
	n     int
	times int
	fault *fault
	steps []step
	picks []int
}

// A fault is a store call of a step that fails, or at which the visitor hangs up.
type fault struct {
	at      int
	outcome storetest.Outcome // 0: the visitor hangs up
}

// String names the step.
func (s step) String() string {
	text := "at once"
	if s.act != nil {
		text = fmt.Sprintf("%s %d", s.act.name, s.n)
	}
	if s.times > 1 {
		text += fmt.Sprintf(", %d times", s.times)
	}
	if s.steps != nil {
		text += fmt.Sprintf(" %v, turns %v", s.steps, s.picks)
	}
	if s.fault != nil {
		text += fmt.Sprintf(", store call %d ends with %d", s.fault.at, s.fault.outcome)
	}
	return text
}

const (
	variants = 12 // how many numbers a step has
	maxTurns = 8  // how many turns are drawn for calls at once; they are used again from the first
	maxFault = 12 // up to which store call one fails
)

// acts lists what can happen. What stands there twice is drawn more often.
func acts() []act { return slices.Concat(anonymous(), anonymous(), owned(), kept(), kept(), kept()) }

// anonymous lists the acts of visitors and of the adversary.
func anonymous() []act { return slices.Concat(visits(), recoveries(), adverse()) }

// drawStep draws a step.
func drawStep(d Draw) step {
	if d.Int("at once", 8) == 7 {
		return drawTogether(d)
	}
	list := acts()
	s := step{act: &list[d.Int("act", len(list))], n: d.Int("variant", variants), times: 1}
	if s.act.by == visitor {
		if d.Int("repeated", 6) == 5 {
			s.times = 2 + d.Int("times", 5)
		}
		s.fault = drawFault(d)
	}
	return s
}

// drawTogether draws two or three visitors' calls at once: one call several times, as of a double click, or different ones.
func drawTogether(d Draw) step {
	list := anonymous()
	one, double := d.Int("act", len(list)), d.Int("double click", 2) == 0
	s := step{times: 1}
	for i := range 2 + d.Int("more", 2) {
		if !double && i > 0 {
			one = d.Int("act", len(list))
		}
		s.steps = append(s.steps, step{act: &list[one], n: d.Int("variant", variants)})
	}
	for range maxTurns {
		s.picks = append(s.picks, d.Int("turn", len(s.steps)))
	}
	s.fault = drawFault(d)
	return s
}

// drawFault draws a fault, for few steps.
func drawFault(d Draw) *fault {
	if d.Int("fault", 10) < 9 {
		return nil
	}
	return &fault{at: 1 + d.Int("at", maxFault), outcome: storetest.Outcome(d.Int("outcome", 4))}
}

// play does a step and returns what is seen of it, one view for each call.
func (w *world) play(ctx context.Context, s step) []View {
	begun := w.clock.Now()
	w.look(ctx)
	w.store.taken()
	w.store.ticks = s.act == nil || s.act.by == visitor
	ctx, cancel := w.fails(password.WithEach(ctx, w.store.hashed), s.fault)
	defer cancel()
	var views []View
	if s.steps != nil {
		for _, s := range s.steps {
			w.note(s.act)
		}
		views = w.together(ctx, s)
	}
	for range s.times {
		if s.act != nil {
			views = append(views, w.one(ctx, s))
		}
	}
	w.settle(ctx, s, begun)
	return views
}

// settle ends a step: what of it differs by design is over in both worlds before the next one. See visibles.
func (w *world) settle(ctx context.Context, s step, begun time.Time) {
	w.store.faults.Deliver(context.WithoutCancel(ctx))
	w.store.faults.Reset()
	w.store.ticks, w.store.cancel = false, nil
	if s.fault != nil && (s.act == nil || s.act.by == visitor) {
		w.callFirst(ctx)
	}
	switch {
	case s.act != nil && s.act.name == recovers && w.sendsUnproved(s.n):
		w.clock.Set(begun.Add(25 * time.Hour)) // the limits of messages are full again
	case s.act == nil || s.act.name != passes && !s.act.rests:
		w.clock.Set(begun.Add(time.Second)) // whatever the calls of the owner took
	case s.act.rests:
		w.clock.Set(begun.Add(w.setup.Codes.Valid + time.Minute))
		w.showsAnew()
	case w.clock.Now().Sub(begun) >= 24*time.Hour: // a contact that cooled down may be shown from now on
		w.showsAnew()
	}
}

// showsAnew forgets which masked contacts were shown.
func (w *world) showsAnew() {
	w.tickets = nil // what they show was drawn before
	w.names.forget("masked")
}

// one does an act once.
func (w *world) one(ctx context.Context, s step) View {
	if s.act.endsLocks() && slices.ContainsFunc(strings.Fields(s.act.factor), w.wasGuessed) {
		return View{}
	}
	w.note(s.act)
	if s.act.reads && w.out.Flush(ctx) != nil {
		return View{Answer: "the dispatcher failed"}
	}
	if s.act.acts {
		w.round++
	}
	v := w.view(s.act.do(ctx, w, s.n))
	v.calls = seen(w.store.taken()[0])
	switch s.act.by {
	case owner:
		return View{}
	case upkeep:
		v.calls = nil
	}
	return v
}

// endsLocks reports whether an act of the owner or of staff ends a lock where it succeeds. That a lock ends shows, as the lock
// does.
func (a *act) endsLocks() bool {
	return a.name == recovers || a.name == issuesAnew || a.rests && a.by != visitor
}

// wasGuessed reports whether visitors have guessed at a factor.
func (w *world) wasGuessed(factor string) bool { return w.guessed[factor] }

// note keeps in mind that visitors guess at a factor.
func (w *world) note(a *act) {
	if a.by == visitor && a.factor != "" {
		w.guessed[a.factor] = true
	}
}

// fails has the store fail as a fault says.
func (w *world) fails(ctx context.Context, f *fault) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	switch {
	case f == nil:
	case f.outcome == 0:
		w.store.left, w.store.cancel = f.at, cancel
	default:
		w.store.faults.FailAt(f.at, f.outcome)
	}
	return ctx, cancel
}
