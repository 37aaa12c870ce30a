package recovery_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
	"github.com/civicpin/civicpin/store/storetest"
)

// countedKit is a kit over a store that counts, in which Ana may begin as often as she likes; with the real hashing of
// answers if wanted.
func countedKit(t testing.TB, real bool) (*kit, *storetest.Faults) {
	t.Helper()
	return countedKitWith(t, real, anaContacts())
}

// countedKitWith is countedKit with other contacts of Ana's.
func countedKitWith(t testing.TB, real bool, contacts []civicpin.Contact) (*kit, *storetest.Faults) {
	t.Helper()
	k := newBareKit(t)
	f := k.faults
	k.config.Sends = testkit.Wide
	if real {
		k.config.Hashing = pin.Hashing{}
	}
	for i := range k.config.Plans { // wrong guesses are timed, too
		k.config.Plans[i].Limit = lockout.Policy{Limit: 100, Lock: lockout.Timed, For: time.Second}
	}
	var err error
	k.Service, err = recovery.New(k.out, k.config)
	require.NoError(t, err)
	k.importAna(t)
	k.teachAna(t)
	require.NoError(t, k.contacts.Adopt(t.Context(), ana, contacts, agency.ID, home))
	return k, f
}

// asked begins a recovery and answers its captcha.
func (k *kit) asked(t testing.TB, name string, subject civicpin.Subject) recovery.Run {
	t.Helper()
	run, err := k.Start(t.Context(), name, subject, civicpin.Source{})
	require.NoError(t, err)
	shown, err := k.Answer(t.Context(), run.Ticket, recovery.Answers{Captcha: true})
	require.NoError(t, err)
	shown.Ticket = run.Ticket
	return shown
}

// measure times do, which prepare gets ready for, and says how many store calls it makes.
func measure[T any](b *testing.B, f *storetest.Faults, prepare func() T, do func(T)) {
	calls, n := 0, 0
	for b.Loop() {
		b.StopTimer()
		with := prepare()
		f.Reset()
		b.StartTimer()
		do(with)
		calls += f.Calls()
		n++
	}
	b.ReportMetric(float64(calls)/float64(n), "calls/op")
}

// BenchmarkStart times the beginning of a recovery, of somebody and of nobody.
func BenchmarkStart(b *testing.B) {
	for name, subject := range map[string]civicpin.Subject{"known": ana, "unknown": stranger} {
		b.Run(name, func(b *testing.B) {
			k, f := countedKit(b, false)
			measure(b, f, func() struct{} { k.clock.Add(time.Second); return struct{}{} }, func(struct{}) {
				_, err := k.Start(b.Context(), "clave", subject, civicpin.Source{})
				require.NoError(b, err)
			})
		})
	}
}

// BenchmarkGuess times an answer to two facts, an image and one question, with the default hashing and with next to none.
func BenchmarkGuess(b *testing.B) {
	for _, bc := range []struct {
		name    string
		subject civicpin.Subject
		right   bool
		real    bool
	}{
		{"right", ana, true, false},
		{"wrong", ana, false, false},
		{"unknown", stranger, false, false},
		{"right/argon2id", ana, true, true},
		{"wrong/argon2id", ana, false, true},
		{"unknown/argon2id", stranger, false, true},
	} {
		b.Run(bc.name, func(b *testing.B) {
			k, f := countedKit(b, bc.real)
			n := 0
			measure(b, f, func() recovery.Run {
				k.clock.Add(time.Second)
				if n++; n%50 == 0 && !bc.right { // before wrong guesses lock
					require.NoError(b, k.Unlock(b.Context(), "clave", bc.subject, civicpin.Evidence{
						Method: civicpin.InPerson, By: agency.ID,
					}, agency))
					k.clock.Add(time.Hour)
				}
				return k.asked(b, "clave", bc.subject)
			}, func(run recovery.Run) {
				a := k.known(run, bc.right)
				a.Image = run.Next.Images[0]
				if bc.right {
					a.Image = anaImage
				}
				_, err := k.Answer(b.Context(), run.Ticket, a)
				if bc.right {
					require.NoError(b, err)
				} else {
					require.ErrorIs(b, err, recovery.ErrRefused)
				}
			})
		})
	}
}

// BenchmarkFinish times the end of a recovery by a link, which tells three contacts, and after which the key is new.
func BenchmarkFinish(b *testing.B) {
	for name, kind := range map[string]civicpin.MessageKind{"unlock": "recovery.unlock", "two": "recovery.link"} {
		b.Run(name, func(b *testing.B) {
			k, f := countedKit(b, false)
			measure(b, f, func() civicpin.Secret { return k.atItsEnd(b, name, kind) }, func(tok civicpin.Secret) {
				_, err := k.Finish(b.Context(), tok, civicpin.Source{})
				require.NoError(b, err)
			})
		})
	}
}

// atItsEnd goes through "unlock", "two" or "both" to where only Finish is missing, and returns the link or ticket for it.
func (k *kit) atItsEnd(t testing.TB, name string, kind civicpin.MessageKind) civicpin.Secret {
	t.Helper()
	k.clock.Add(time.Hour)
	after := k.sofar()
	k.asked(t, name, ana)
	m, err := k.mailed(t.Context(), after, anaMail, kind)
	require.NoError(t, err)
	if name == "unlock" {
		return m.Link
	}
	used, err := k.Redeem(t.Context(), m.Link, civicpin.Source{})
	require.NoError(t, err)
	require.NoError(t, k.types(t.Context(), after, used.Ticket, anaPhone, "recovery.code"))
	if name == "two" {
		require.NoError(t, k.rest(t.Context()))
	}
	return used.Ticket
}

// TestStoreCalls counts what docs/costs.md says.
func TestStoreCalls(t *testing.T) {
	var costs testkit.Costs
	for _, subject := range []civicpin.Subject{ana, stranger} {
		strangerCosts(t, &costs, subject)
	}
	ownerCosts(t, &costs, 3, anaContacts())
	ownerCosts(t, &costs, 2, []civicpin.Contact{
		{Channel: civicpin.Email, Address: anaMail}, {Channel: civicpin.SMS, Address: anaPhone},
	})
	operatorCosts(t, &costs)
	costs.Compare(t, "recovery")
}

// counter returns what counts the calls of a kit that end in an error, or in none if it is nil.
func (k *kit) counter(t *testing.T, costs *testkit.Costs, f *storetest.Faults) func(call, when string, want error, do func() error) {
	return func(call, when string, want error, do func() error) {
		t.Helper()
		costs.Count(t, call, when, f, func() int64 { return recovery.Hashes(k.Service) }, func() {
			if err := do(); want == nil {
				require.NoError(t, err)
			} else {
				require.ErrorIs(t, err, want)
			}
		})
	}
}

// strangerCosts are those of the calls that a visitor makes about any subject.
func strangerCosts(t *testing.T, costs *testkit.Costs, subject civicpin.Subject) {
	ctx, nowhere := t.Context(), civicpin.Source{}
	k, f := countedKit(t, false)
	count := k.counter(t, costs, f)
	for range 2 { // the first time and later
		var run recovery.Run
		start := func(source civicpin.Source) func() error {
			return func() (err error) { run, err = k.Start(ctx, "clave", subject, source); return err }
		}
		count("Start", "", nil, start(home))
		count("Start", "no source", nil, start(nowhere))
		ticket := run.Ticket
		count("Answer", "a captcha", nil, func() (err error) {
			run, err = k.Answer(ctx, ticket, recovery.Answers{Captcha: true})
			return err
		})
		count("Show", "", nil, func() error { return testkit.Err(k.Show(ctx, ticket)) })
		a := k.known(run, false)
		a.Image, a.Source = run.Next.Images[0], nowhere
		count("Answer", "facts, image and a question, wrong", recovery.ErrRefused, func() error {
			return testkit.Err(k.Answer(ctx, ticket, a))
		})
		count("Cancel", "", nil, func() error { return k.Cancel(ctx, ticket) })
	}
	for _, source := range []civicpin.Source{home, nowhere} {
		again := k.asked(t, "unlock", subject)
		when := map[string]string{home.Address: "", "": "no source"}[source.Address]
		count("Send", when, nil, func() error { return testkit.Err(k.Send(ctx, again.Ticket, source)) })
	}

	c := k.config
	c.Plans = bare()
	sends, err := recovery.New(k.out, c)
	require.NoError(t, err)
	count("Start", "first step sends, no source", nil, func() error { return testkit.Err(sends.Start(ctx, "bare", subject, nowhere)) })

	run := k.asked(t, "clave", subject)
	a := k.known(run, false)
	a.Image, a.Source = run.Next.Images[0], nowhere
	for k.answers(t, run, a) != "locked" {
		require.Less(t, f.Calls(), 2000)
	}
	count("Answer", "locked", lockout.ErrLocked, func() error { return testkit.Err(k.Answer(ctx, run.Ticket, a)) })
	count("Enrolled", "", nil, func() error { _, _, err := k.Enrolled(ctx, subject); return err })
}

// ownerCosts are those of a subject with so many contacts, who can go through a plan.
func ownerCosts(t *testing.T, costs *testkit.Costs, told int, contacts []civicpin.Contact) {
	ctx, nowhere := t.Context(), civicpin.Source{}
	k, f := countedKitWith(t, false, contacts)
	count := k.counter(t, costs, f)
	each, name := fmt.Sprintf(", %d contacts are told", told), "two"
	if told == 2 {
		name = "both" // there is no third contact that could object
	}
	for range 2 {
		run := k.asked(t, "clave", ana)
		a := k.known(run, true)
		a.Source = nowhere
		count("Answer", "facts, image and a question, right", nil, func() error { return testkit.Err(k.Answer(ctx, run.Ticket, a)) })

		link := k.atItsEnd(t, "unlock", "recovery.unlock")
		count("Inspect", "", nil, func() error { return testkit.Err(k.Inspect(ctx, link)) })
		count("Finish", "an unlock"+each, nil, func() error { return testkit.Err(k.Finish(ctx, link, nowhere)) })
		require.NoError(t, k.out.Flush(ctx))

		after := k.sofar()
		k.asked(t, name, ana)
		m, err := k.mailed(ctx, after, anaMail, "recovery.link")
		require.NoError(t, err)
		count("Redeem", "next step sends, no source", nil, func() error { return testkit.Err(k.Redeem(ctx, m.Link, nowhere)) })

		ticket := k.atItsEnd(t, name, "recovery.link")
		count("Finish", "a grant"+each, nil, func() error { return testkit.Err(k.Finish(ctx, ticket, nowhere)) })
		done, err := k.mailed(ctx, k.sofar(), anaMail, "recovery.done")
		require.NoError(t, err)
		count("Repudiate", "a completed recovery", nil, func() error { return k.Repudiate(ctx, done.Link, nowhere) })
		require.NoError(t, k.pins.Resume(ctx, ana, civicpin.Evidence{Method: civicpin.InPerson, By: agency.ID}, "seen", agency.ID))
		k.clock.Add(7 * 24 * time.Hour) // after an objection
	}
	count("EnrolAnswers", "an image and four answers", nil, func() error {
		return k.EnrolAnswers(ctx, ana, anaImage, secrets(anaAnswers), nowhere)
	})
}

// operatorCosts are those of staff.
func operatorCosts(t *testing.T, costs *testkit.Costs) {
	ctx := t.Context()
	k, f := countedKit(t, false)
	count := k.counter(t, costs, f)
	var run recovery.Run
	count("StartBy", "", nil, func() (err error) { run, err = k.StartBy(ctx, "office", ana, agency); return err })
	count("ShowCase", "", nil, func() error { return testkit.Err(k.ShowCase(ctx, run.ID, agency)) })
	count("Unlock", "", nil, func() error { return k.Unlock(ctx, "clave", ana, civicpin.Evidence{}, agency) })
	decide := func(by recovery.Operator, v recovery.Verdict) func() error {
		return func() error { return testkit.Err(k.Decide(ctx, run.ID, by, v)) }
	}
	count("Decide", "approves, parts are sent", nil, decide(agency, recovery.Verdict{Approve: true}))
	var err error
	run, err = k.StartBy(ctx, "video", ana, video)
	require.NoError(t, err)
	c, err := k.ShowCase(ctx, run.ID, video)
	require.NoError(t, err)
	wrong := recovery.Verdict{Approve: true, Questions: answered(c.Questions, false)}
	count("Decide", "approves, answers wrong", recovery.ErrRefused, decide(video, wrong))
	count("Decide", "turns down", nil, decide(video, recovery.Verdict{}))
}

// answers answers, and says what came of it.
func (k *kit) answers(t *testing.T, run recovery.Run, a recovery.Answers) string {
	t.Helper()
	_, err := k.Answer(t.Context(), run.Ticket, a)
	require.Error(t, err)
	if lockOf(err) != nil {
		return "locked"
	}
	require.ErrorIs(t, err, recovery.ErrRefused)
	return "refused"
}

const day = 24 * time.Hour

// most is how many events a rate lets in, from a rest, within a time: its limit at once, and its limit in each window.
func most(r civicpin.Rate, within time.Duration) int {
	return r.Limit + int(within/(r.Window/time.Duration(r.Limit)))
}

// cost is what strangers can cost in a day, from the rates of a portal.
type cost struct {
	// MadeUp is how many messages a day go to telephones of one home country that a visitor typed for made-up subjects.
	MadeUp int
	// Owner is how many messages a day go to one telephone whose owner's subject id the strangers know.
	Owner int
}

// costOf computes the cost of strangers with k source addresses. subject lists the rates of class Proved by subject.
func costOf(k int, l outbox.Limits, subject ...civicpin.Rate) cost {
	asked := k * most(l.SourceTyped, day)
	typed := min(most(l.Typed, day), asked)
	proved := 0
	for _, r := range subject {
		proved += most(r, day)
	}
	proved = min(proved, most(l.Proved, day), k*most(l.Source, day))
	return cost{MadeUp: min(asked, most(l.Home, day)), Owner: min(typed+proved, k*most(l.Source, day))}
}

// defaults are the limits of the portal of these tests.
func defaults() outbox.Limits {
	hour := time.Hour
	return outbox.Limits{
		Source: civicpin.Rate{Limit: 60, Window: hour}, SourceTyped: civicpin.Rate{Limit: 20, Window: hour},
		Typed: civicpin.Rate{Limit: 3, Window: day}, Proved: civicpin.Rate{Limit: 40, Window: day},
		Home: civicpin.Rate{Limit: 2000, Window: hour},
	}
}

// bySubject are the rates by subject of pin.Default (parts that are sent again), otp.SMS and recovery.
func bySubject() []civicpin.Rate {
	return []civicpin.Rate{{Limit: 5, Window: day}, otp.SMS().Sends, {Limit: 10, Window: day}}
}

// Strangers who do nothing but ask for messages, for a day in simulated time, cost what costOf computes, and no more.
func TestCosts(t *testing.T) {
	for _, k := range []int{1, 5} {
		t.Run(fmt.Sprint(k), func(t *testing.T) {
			want := costOf(k, defaults(), bySubject()...)

			p := newPortal(t)
			end, n := p.clock.Now().Add(day), 0
			for p.clock.Now().Before(end) {
				for source := range k {
					for p.asks(t, civicpin.Subject(fmt.Sprint("MADE UP ", n)), fmt.Sprintf("+5939%08d", n), source) {
						n++
					}
				}
				require.NoError(t, p.out.Flush(t.Context()))
				p.clock.Add(3 * time.Minute)
			}
			require.InDelta(t, want.MadeUp, len(p.mail.Messages()), float64(k))
			require.LessOrEqual(t, len(p.mail.Messages()), want.MadeUp)

			w := newWorld(t, true)
			w.register(t, &player{subject: ana, phone: civicpin.Contact{Channel: civicpin.SMS, Address: anaPhone}})
			require.NoError(t, w.out.Flush(t.Context()))
			before := len(w.mail.Messages())
			for end = w.clock.Now().Add(day); w.clock.Now().Before(end); w.clock.Add(6 * time.Minute) {
				for source := range k {
					w.pester(t, source)
				}
				require.NoError(t, w.out.Flush(t.Context()))
			}
			got := len(w.mail.Messages()) - before
			require.LessOrEqual(t, got, want.Owner)
			require.GreaterOrEqual(t, got, want.Owner*5/6) // what comes at the very end, or takes the place of another, is missing
		})
	}
}

func stranger6(source int) civicpin.Source {
	return civicpin.Source{Address: fmt.Sprintf("2001:db8:%x::1", source)}
}

// asks asks for a PIN to a telephone, and reports whether the portal says yes.
func (p *portal) asks(t *testing.T, subject civicpin.Subject, phone string, source int) bool {
	_, err := p.pins.Issue(t.Context(), subject, pin.IssueOptions{
		Parts: []civicpin.Contact{{Channel: civicpin.SMS, Address: phone}}, By: civicpin.Citizen, Source: stranger6(source),
	})
	return err == nil
}

// pester asks for all that a stranger can have sent to Ana's telephone, until each is refused.
func (w world) pester(t *testing.T, source int) {
	phone := civicpin.Contact{Channel: civicpin.SMS, Address: anaPhone}
	for w.pins.Resend(t.Context(), ana, 0, stranger6(source)) == nil {
		require.NoError(t, w.out.Flush(t.Context())) // before the next one takes its place
	}
	for {
		_, err := w.codes.Request(t.Context(), ana, otp.Purpose{Act: "login"}, otp.RequestOptions{
			To: []civicpin.Contact{phone}, Source: stranger6(source),
		})
		if err != nil {
			break
		}
		require.NoError(t, w.out.Flush(t.Context())) // before the next one cancels it
	}
	for {
		run, err := w.rec.Start(t.Context(), "sms", ana, stranger6(source))
		if err != nil {
			break
		}
		if _, err = w.rec.Answer(t.Context(), run.Ticket, recovery.Answers{Captcha: true}); err != nil {
			break
		}
	}
	for range 3 {
		w.asks(t, civicpin.Subject(fmt.Sprint("MADE UP ", w.others.Add(1))), anaPhone, source)
	}
}

// The table in docs/threats.md is what costOf computes.
func TestCostsAsDocumented(t *testing.T) {
	page, err := os.ReadFile("../docs/threats.md")
	require.NoError(t, err)
	for _, k := range []int{1, 10, 100, 1000} {
		c := costOf(k, defaults(), bySubject()...)
		require.Contains(t, string(page), fmt.Sprintf("| %d | %d | %d |\n", k, c.MadeUp, c.Owner))
	}
}

// A seen record is one that was opened or sealed.
type seen struct {
	what, kind string
	length     int
	fields     string         // the names in it, in their order
	members    map[string]int // the lengths of what the envelope holds: the value's bytes take longer than others
}

// watcher is a sealer that notes what it opens and seals.
type watcher struct {
	store.Sealer
	mu   sync.Mutex
	seen []seen
}

func (w *watcher) note(what string, plain, associated []byte) {
	key := associated[bytes.LastIndexByte(associated, 0)+1:]
	kind, _, _ := bytes.Cut(key, []byte("/"))
	w.mu.Lock() // the outbox sends to several addresses at once
	defer w.mu.Unlock()
	w.seen = append(w.seen, seen{what, string(kind), len(plain), fieldNames(plain), members(plain)})
}

// members returns the length of each member of a JSON object.
func members(text []byte) map[string]int {
	var object map[string]json.RawMessage
	_ = json.Unmarshal(text, &object)
	lengths := make(map[string]int)
	for name, value := range object {
		lengths[name] = len(value)
	}
	return lengths
}

func (w *watcher) Seal(ctx context.Context, plain, associated []byte) ([]byte, error) {
	w.note("seal", plain, associated)
	return w.Sealer.Seal(ctx, plain, associated)
}

func (w *watcher) Open(ctx context.Context, sealed, associated []byte) ([]byte, error) {
	plain, err := w.Sealer.Open(ctx, sealed, associated)
	w.note("open", plain, associated)
	return plain, err
}

// fieldNames returns the names of the fields in a JSON text, in their order.
func fieldNames(text []byte) string {
	var names []string
	var walk func(d *json.Decoder)
	walk = func(d *json.Decoder) {
		tok, err := d.Token()
		if err != nil {
			return
		}
		open, nested := tok.(json.Delim)
		for nested && d.More() {
			if open == '{' {
				name, _ := d.Token()
				if name != "locale" { // a contact has one or not, and the length makes up for it
					names = append(names, fmt.Sprint(name))
				}
			}
			walk(d)
		}
		if nested {
			_, _ = d.Token()
		}
	}
	walk(json.NewDecoder(bytes.NewReader(text)))
	return fmt.Sprint(names)
}

// TestRecordsAreAlike finds that each call that an anonymous visitor can make opens and seals the same records, with the same
// fields and of the same length, whether the subject is known or not, and whether what was sent has been delivered since.
func TestRecordsAreAlike(t *testing.T) {
	people := []func(i int) []civicpin.Contact{
		contactsOf,
		func(i int) []civicpin.Contact { // short ones
			return []civicpin.Contact{
				{Channel: civicpin.Email, Address: fmt.Sprintf("%d@b.ec", i)},
				{Channel: civicpin.SMS, Address: fmt.Sprintf("+59399123%02d", i)},
			}
		},
		func(i int) []civicpin.Contact { // long ones, with a language
			return []civicpin.Contact{
				{Channel: civicpin.Email, Address: fmt.Sprintf("%040d@correo.example", i), Locale: "es-EC"},
				{Channel: civicpin.SMS, Address: fmt.Sprintf("+5939912345678%02d", i), Locale: "es-EC"},
			}
		},
	}
	for _, c := range anonymousCalls(t) {
		for i, contacts := range people {
			for _, delivered := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%d/%v", c.name, i, delivered), func(t *testing.T) {
					keys := testkit.Keys()
					w := &watcher{Sealer: keys.Sealing[0].Sealer}
					keys.Sealing[0].Sealer = w
					k, err := openKitWith(keys, plans(), store.NewMemory(), newClock(), &testkit.Mailbox{}, &testkit.Recorder{})
					require.NoError(t, err)
					k.unlimited(t)
					known, unknown := crowd(t, k, 2, contacts)
					var got [2][]seen
					_ = k.asked(t, "texted", known[1]) // somebody of the same country was sent a code
					for range 2 {                      // the first time and later
						for class, s := range []civicpin.Subject{known[0], unknown[0]} {
							w.seen = nil
							var run recovery.Run
							if c.before != nil {
								run, err = c.before(k, s)
								require.NoError(t, err)
							}
							if delivered {
								require.NoError(t, k.out.Flush(t.Context()))
								w.seen = nil
							}
							_ = c.do(k, s, run)
							got[class] = w.seen
						}
						require.NotEmpty(t, got[0])
						require.Len(t, got[1], len(got[0]))
						for j, x := range got[0] {
							y := got[1][j]
							require.Equal(t, x.length, y.length, "%d: %+v\n%+v", j, x, y)
							x.length, y.length = 0, 0
							require.Equal(t, x, y, "record %d", j)
						}
					}
				})
			}
		}
	}
}

const (
	// bound is the |t| from which a go finds a difference: that of such tests of cryptography (Goodwill et al., 2011), which
	// equal times exceed in 7 of a million goes. The verdict is the median of three goes, of which two would have to err
	// alike: once in 10^10 calls, were the samples independent.
	bound = 4.5
	// subjects times passes is how many pairs of calls a go compares.
	subjects, passes = 32, 40
)

// yuen returns Yuen's t of paired differences, and their mean without the quarter at each end: what other programs do in
// between falls on the ends.
func yuen(d []float64) (t, mean float64) {
	slices.Sort(d)
	n, g := len(d), len(d)/4
	for i := range d { // winsorised: for the variance, the ends count as the last values kept
		d[i] = min(max(d[i], d[g]), d[n-1-g])
	}
	centre, variance := 0.0, 0.0
	for i, v := range d {
		centre += v / float64(n)
		if i >= g && i < n-g {
			mean += v / float64(n-2*g)
		}
	}
	for _, v := range d {
		variance += (v - centre) * (v - centre) / float64(n-1)
	}
	h := float64(n - 2*g)
	return mean / math.Sqrt(variance*float64(n-1)/(h*(h-1))), mean
}

// crowd makes n citizens with a key, contacts and answers, and the numbers of n strangers.
func crowd(t *testing.T, k *kit, n int, contacts func(i int) []civicpin.Contact) (known, unknown []civicpin.Subject) {
	t.Helper()
	for i := range n {
		subject := civicpin.Subject(fmt.Sprintf("17%08d", i))
		_, err := k.pins.Issue(t.Context(), subject, pin.IssueOptions{
			Parts: contacts(i), Level: civicpin.Substantial, By: agency.ID,
			Evidence: civicpin.Evidence{Method: civicpin.InPerson, By: agency.ID},
		})
		require.NoError(t, err)
		known = append(known, subject)
		unknown = append(unknown, civicpin.Subject(fmt.Sprintf("09%08d", i)))
	}
	require.NoError(t, k.out.Flush(t.Context()))
	halves := make(map[string]string)
	for _, m := range k.mail.Messages() {
		halves[m.To.Address] = m.Secret.Reveal()
	}
	for i, subject := range known {
		c := contacts(i)
		issued := civicpin.NewSecret(halves[c[0].Address] + halves[c[1].Address])
		require.NoError(t, testkit.Err(k.pins.Exchange(t.Context(), pin.Attempt{Subject: subject, Secret: issued}, civicpin.NewSecret(anaSecret))))
		require.NoError(t, k.EnrolAnswers(t.Context(), subject, anaImage, secrets(anaAnswers), home))
		require.NoError(t, k.contacts.Adopt(t.Context(), subject, c, agency.ID, civicpin.Source{}))
	}
	// By the time that somebody has forgotten their key, the messages that they were sent are long forgotten, too.
	k.clock.Add(30 * 24 * time.Hour)
	_, err := k.vault.Purge(t.Context(), store.Pass{})
	require.NoError(t, err)
	return known, unknown
}

// contactsOf returns the contacts of the i-th of a crowd, as long as a decoy's: the fill of a run makes up for the bytes of
// another length, but not for all that it costs to decode them.
func contactsOf(i int) []civicpin.Contact {
	return []civicpin.Contact{
		{Channel: civicpin.Email, Address: fmt.Sprintf("ana.%05d@correo.example", i)},
		{Channel: civicpin.SMS, Address: fmt.Sprintf("+59399%07d", i)},
	}
}

// An anonymousCall is a call that an anonymous visitor can make, with what they do before.
type anonymousCall struct {
	name   string
	before func(k *kit, s civicpin.Subject) (recovery.Run, error)
	do     func(k *kit, s civicpin.Subject, run recovery.Run) error
}

func anonymousCalls(t *testing.T) []anonymousCall {
	nowhere := civicpin.Source{}
	begun := func(plan string) func(*kit, civicpin.Subject) (recovery.Run, error) {
		return func(k *kit, s civicpin.Subject) (recovery.Run, error) { return k.Start(t.Context(), plan, s, nowhere) }
	}
	answer := func(k *kit, run recovery.Run, a recovery.Answers) error {
		return testkit.Err(k.Answer(t.Context(), run.Ticket, a))
	}
	captcha := func(k *kit, _ civicpin.Subject, run recovery.Run) error {
		return answer(k, run, recovery.Answers{Captcha: true})
	}
	// solved is a run whose captcha was solved, with what is asked then.
	solved := func(plan string) func(*kit, civicpin.Subject) (recovery.Run, error) {
		return func(k *kit, s civicpin.Subject) (recovery.Run, error) {
			run, err := k.Start(t.Context(), plan, s, nowhere)
			if err != nil {
				return run, err
			}
			shown, err := k.Answer(t.Context(), run.Ticket, recovery.Answers{Captcha: true})
			shown.Ticket, shown.ID = run.Ticket, run.ID
			return shown, err
		}
	}
	others := []civicpin.Contact{
		{Channel: civicpin.SMS, Address: "+593999999999"}, {Channel: civicpin.Email, Address: "otra@correo.example"},
	}
	return []anonymousCall{
		{"begin", nil, func(k *kit, s civicpin.Subject, _ recovery.Run) error {
			return testkit.Err(k.Start(t.Context(), "clave", s, nowhere))
		}},
		{"have a link sent", begun("unlock"), captcha},
		{"have a code sent", begun("texted"), captcha},
		{"guess", solved("clave"), func(k *kit, _ civicpin.Subject, run recovery.Run) error {
			return answer(k, run, recovery.Answers{
				Facts: map[string]string{"birth-day": "9", "birth-month": "9"}, Image: run.Next.Images[0],
				Questions: answered(run.Next.Questions, false),
			})
		}},
		{"name contacts", begun("parts"), func(k *kit, _ civicpin.Subject, run recovery.Run) error {
			return answer(k, run, recovery.Answers{Contacts: others})
		}},
		{"show", begun("clave"), func(k *kit, _ civicpin.Subject, run recovery.Run) error {
			return testkit.Err(k.Show(t.Context(), run.Ticket))
		}},
		{"have it sent again", solved("unlock"), func(k *kit, _ civicpin.Subject, run recovery.Run) error {
			return testkit.Err(k.Send(t.Context(), run.Ticket, nowhere))
		}},
		{"type a code", solved("texted"), func(k *kit, _ civicpin.Subject, run recovery.Run) error {
			return answer(k, run, recovery.Answers{Code: civicpin.NewSecret("ACDEFGHJ")})
		}},
		{"forge a link", solved("unlock"), func(k *kit, _ civicpin.Subject, run recovery.Run) error {
			return testkit.Err(k.Finish(t.Context(), forged("l", run), nowhere))
		}},
		{"set under a forged grant", nil, func(k *kit, s civicpin.Subject, _ recovery.Run) error {
			g, err := pin.ParseGrant(civicpin.NewSecret(
				"g1." + base64.RawURLEncoding.EncodeToString([]byte(s)) + "." + base64.RawURLEncoding.EncodeToString(make([]byte, 32))))
			require.NoError(t, err)
			return k.set(t.Context(), g, newSecret)
		}},
		{"cancel", begun("clave"), func(k *kit, _ civicpin.Subject, run recovery.Run) error {
			return k.Cancel(t.Context(), run.Ticket)
		}},
		{"log in", nil, func(k *kit, s civicpin.Subject, _ recovery.Run) error {
			return testkit.Err(k.pins.Verify(t.Context(), pin.Attempt{Subject: s, Secret: civicpin.NewSecret("not it at all")}))
		}},
	}
}

// TestTiming finds no difference in time between subjects who are known and who are not, for each call that an anonymous
// visitor can make. Calls are timed in pairs, one of each sort in random order, on records that the call just before has
// read.
func TestTiming(t *testing.T) {
	switch {
	case os.Getenv("CIVICPIN_TIMING") != "1":
		t.Skip("it takes a minute: set CIVICPIN_TIMING=1, as .ci/run does")
	case testkit.Raced:
		t.Skip("how long instrumented code takes tells nothing; .ci/run runs this without the race detector, too")
	}
	for _, c := range anonymousCalls(t) {
		t.Run(c.name, func(t *testing.T) {
			var ts []float64
			within := 0
			for len(ts) < 3 && within < 2 && len(ts)-within < 2 { // two that agree are the median of three
				k := newBareKit(t)
				k.unlimited(t)
				known, unknown := crowd(t, k, subjects, contactsOf)
				// took returns how long the call takes.
				took := func(s civicpin.Subject) float64 {
					var run recovery.Run
					if c.before == nil {
						_ = c.do(k, s, run)
					} else {
						var err error
						run, err = c.before(k, s)
						require.NoError(t, err)
					}
					began := time.Now()
					_ = c.do(k, s, run)
					return float64(time.Since(began))
				}
				var d []float64
				for range passes {
					for _, i := range rand.Perm(subjects) {
						if rand.IntN(2) == 0 {
							x := took(known[i])
							d = append(d, x-took(unknown[i]))
						} else {
							x := took(unknown[i])
							d = append(d, took(known[i])-x)
						}
					}
				}
				v, mean := yuen(d)
				t.Logf("known subjects take %+.0f ns, t = %.2f", mean, v)
				ts = append(ts, v)
				if math.Abs(v) < bound {
					within++
				}
			}
			require.GreaterOrEqual(t, within, 2, "known and unknown subjects take different times")
		})
	}
}

// unlimited makes the service anew with limits that a crowd does not reach.
func (k *kit) unlimited(t *testing.T) {
	t.Helper()
	for i := range k.config.Plans {
		k.config.Plans[i].Limit.Limit = lockout.MaxCeiling
	}
	k.config.Sends = testkit.Wide
	rec, err := recovery.New(k.out, k.config)
	require.NoError(t, err)
	k.Service = rec
}
