package holders_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/password"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery"
)

const rosa = civicpin.Subject("0912345678")

// A person acts with what they hold. Several are a set.
type person int

const (
	owner  person = 1 << iota
	thief         // clicks every link
	former        // had a number before, or gets it after the owner
	sharer        // shares a telephone or a mailbox with the owner
)

func (p person) String() string {
	return map[person]string{owner: "owner", thief: "thief", former: "former owner", sharer: "sharer"}[p]
}

// others are all but the owner.
var others = []person{thief, former, sharer}

// own are the addresses of the owner, in the order in which they become contacts.
var own = []civicpin.Contact{
	{Channel: civicpin.Email, Address: "rosa@example.ec"},
	{Channel: civicpin.SMS, Address: "+593991234567"},
	{Channel: civicpin.CertifiedEmail, Address: "rosa@pec.example.ec"},
	{Channel: civicpin.Email, Address: "rosa.new@example.org"},
	{Channel: civicpin.SMS, Address: "+593997654321"},
}

// theirs are the addresses of a person.
func theirs(p person) []civicpin.Contact {
	if p == owner {
		return own
	}
	n := fmt.Sprint(int(p))
	return []civicpin.Contact{
		{Channel: civicpin.Email, Address: "attacker" + n + "@example.net"},
		{Channel: civicpin.SMS, Address: "+59398000000" + n},
		{Channel: civicpin.CertifiedEmail, Address: "attacker" + n + "@pec.example.net"},
	}
}

var (
	clerk = recovery.Operator{ID: civicpin.Operator("zambrano"), Role: "counter"}
	seen  = civicpin.Evidence{Method: civicpin.InPerson, By: clerk.ID}
)

// home is where a person calls from.
func home(p person) civicpin.Source {
	return civicpin.Source{Address: fmt.Sprintf("192.0.2.%d", int(p))}
}

const image = "gato"

// answers are Rosa's.
var answers = map[string]string{"mascota": "bolívar el gato", "escuela": "la de la loma", "ciudad": "zaruma del oro"}

// register is the file of people, whose facts everybody knows.
type register struct{}

func (register) Check(_ context.Context, s civicpin.Subject, facts map[string]string) (bool, error) {
	return s == rosa && facts["birth-day"] == "14", nil
}

// A sending is a message that a provider took over.
type sending struct {
	msg     civicpin.Message
	n       int // the provider's number
	at      time.Time
	known   person // who read it
	bounced bool
}

// A secret is that of the account at present. Nobody knows none.
type secret struct {
	text  string
	known person
}

// world is all services of a system, and what the model knows of it.
type world struct {
	t      testing.TB
	name   string
	system system
	services
	reads    map[string]person               // who reads an address now
	read     map[string]map[person]time.Time // until when they did
	broken   map[string]bool                 // what the provider refuses
	brokenAt map[string]time.Time            // the last time that it did
	sent     []sending

	book    []*entry
	asked   []*candidate
	trips   []*trip
	grants  []*grant
	promise []*promise
	secret  secret
	answers person // who knows them
	slip    string // of the last issue at the desk, known to the owner
	run     *trip  // that set the secret, or was granted the parts, and that a repudiation of it ends
	parts   *trip  // that was granted the parts
	serial  int
	step    int // counts the acts
	ending  int // the last act that may have ended a rest

	closed   bool      // a repudiation closed recovery
	stopped  bool      // suspended, by staff or an undo
	objected time.Time // the last objection
	objects  int       // its step

	reached   map[string]int
	violation string
}

// fail notes what must not be. The first is kept.
func (w *world) fail(format string, args ...any) {
	if w.violation == "" {
		w.violation = fmt.Sprintf(format, args...)
	}
}

// must stops the test, since the model is wrong or the services are.
func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) now() time.Time { return w.clock.Now() }

// newWorld makes a world in which Rosa has a secret of her own, answers, and so many contacts that staff have seen.
func newWorld(t testing.TB, name string, contacts int) *world {
	t.Helper()
	password.Cheap()
	s := systems()[name]
	w := &world{
		t: t, name: name, system: s, reads: map[string]person{}, read: map[string]map[person]time.Time{}, broken: map[string]bool{},
		brokenAt: map[string]time.Time{}, reached: map[string]int{}, answers: owner, objects: -1,
	}
	w.open()
	w.post.Fail = func(m civicpin.Message) error {
		if w.broken[m.To.Address] {
			w.brokenAt[m.To.Address] = w.now()
			return errAway
		}
		w.sent = append(w.sent, sending{msg: m, n: len(w.sent), at: w.now()})
		w.reached["message "+string(m.Kind)]++
		return nil
	}
	hash := password.New(password.Params{Memory: 8, Time: 1, Threads: 1}, "tres gatos en el tejado").Encode()
	w.must(w.pins.Import(t.Context(), rosa, civicpin.NewSecret(hash), pin.ImportOptions{
		Level: civicpin.Substantial, By: clerk.ID, Evidence: seen,
	}))
	w.secret = secret{"tres gatos en el tejado", owner}
	w.must(w.enrol(owner))
	if contacts > 0 {
		w.must(w.contacts.Adopt(t.Context(), rosa, own[:contacts], clerk.ID, home(owner)))
		for _, c := range own[:contacts] {
			w.book = append(w.book, &entry{to: c, since: w.now(), matures: w.now(), seen: true})
		}
	}
	for _, c := range own {
		w.reads[c.Address] = owner
	}
	for _, p := range others {
		for _, c := range theirs(p) {
			w.reads[c.Address] = p
		}
	}
	w.clock.Add(day)
	w.learn()
	return w
}

// learn has each reader of an address know what came there.
func (w *world) learn() {
	for i := range w.sent {
		w.sent[i].known |= w.reads[w.sent[i].msg.To.Address]
	}
	for address, who := range w.reads {
		for _, p := range append([]person{owner}, others...) {
			if who&p != 0 {
				if w.read[address] == nil {
					w.read[address] = make(map[person]time.Time)
				}
				w.read[address][p] = w.now()
			}
		}
	}
}

// dispatch sends what is due, several times, since what is sent leads to more.
func (w *world) dispatch() {
	for range 3 {
		from := len(w.sent)
		w.must(w.out.Flush(w.t.Context()))
		slices.SortFunc(w.sent[from:], func(a, b sending) int { return strings.Compare(a.msg.ID, b.msg.ID) }) // some at a time
		w.clock.Add(20 * time.Second)
	}
	for _, p := range w.promise {
		p.due = p.due || !w.broken[p.to.Address] && w.now().Before(p.at.Add(day))
	}
	for _, r := range w.trips {
		if !r.rested.IsZero() && w.now().After(r.rested.Add(2*noticed)) {
			r.dispatched = true
		}
	}
	w.learn()
}

// A promise is a notice that a contact ought to get.
type promise struct {
	to   civicpin.Contact
	kind civicpin.MessageKind
	from int // index of the first message that may be it
	at   time.Time
	due  bool // it was dispatched in time
	why  string
	trip *trip // nothing more is told of one that was repudiated
}

// promised notes that all established contacts ought to be told.
func (w *world) promised(kind civicpin.MessageKind, why string, r *trip) {
	for _, e := range w.book {
		if e.valid(w.now()) {
			w.promise = append(w.promise, &promise{to: e.to, kind: kind, from: len(w.sent), at: w.now(), why: why, trip: r})
		}
	}
}

// kept fails if a contact that still is one was not told, though its provider was never away and the dispatcher ran.
func (w *world) kept() {
	for _, p := range w.promise {
		e := w.live(p.to)
		if !p.due || e == nil || p.trip != nil && p.trip.repudiated || e.since.After(p.at) || !w.brokenAt[p.to.Address].Before(p.at) {
			continue
		}
		w.reached["promise kept"]++
		told := false
		for _, s := range w.sent[p.from:] {
			told = told || s.msg.Kind == p.kind && s.msg.To.Address == p.to.Address
		}
		if !told {
			w.fail("%s was not told of %s (%s)", p.to.Address, p.kind, p.why)
		}
	}
}
