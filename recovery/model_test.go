package recovery_test

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"testing"
	"testing/cryptotest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/store/storetest"
)

// A trip is a run as the model sees it.
type trip struct {
	id      string
	plan    string
	tickets []civicpin.Secret // all that were given out, the newest last
	owner   bool              // who began it
	proved  map[string]bool   // what the owner, or staff who saw them, have truly shown: the type of the step
	granted bool
}

// machine drives the service, and remembers what was truly proved.
type machine struct {
	k       *kit
	faults  *storetest.Faults
	secret  string
	trips   []*trip
	granted int
	serial  int
}

// fatal makes testify's message that of the failure; rapid would say only that there was one.
type fatal struct{ *rapid.T }

// Errorf fails at once.
func (f fatal) Errorf(format string, args ...any) { f.T.Fatalf(format, args...) }

// needs are the steps of each plan that a grant has to rest on.
var needs = map[string][]string{
	"clave":  {"guess", "link"},
	"two":    {"link", "code"},
	"parts":  {"guess", "link"},
	"unlock": {"link"},
	"desk":   {"staff", "second", "link"},
	"factor": {"factor", "code"},
}

func (s *machine) trip(id string) *trip {
	for _, tr := range s.trips {
		if tr.id == id {
			return tr
		}
	}
	return nil
}

// finished checks what Finish may only say of a trip whose every step was proved, and only once.
func (s *machine) finished(rt *rapid.T, tr *trip, g pin.Grant) {
	for _, need := range needs[tr.plan] {
		require.True(fatal{rt}, tr.proved[need], "%s finished without %s", tr.plan, need)
	}
	require.False(fatal{rt}, tr.granted, "%s finished twice", tr.plan)
	tr.granted = true
	s.granted++
	if g.IsZero() {
		return
	}
	if rapid.IntRange(0, 3).Draw(rt, "leave the grant") == 0 {
		return
	}
	if tr.plan == "parts" {
		s.reissue(rt, g)
		return
	}
	secret := s.choice()
	if _, err := s.k.pins.Set(context.Background(), g, civicpin.NewSecret(secret), civicpin.Source{}); err == nil {
		s.secret = secret
		require.ErrorIs(fatal{rt}, testkit.Err(s.k.pins.Set(context.Background(), g, civicpin.NewSecret("diez dedos en dos manos"), civicpin.Source{})), pin.ErrNoGrant)
	} else {
		s.settle(rt, secret)
	}
}

// choice returns a secret that the owner never had: what was lost is not taken again.
func (s *machine) choice() string {
	s.serial++
	return "siete peces en la pecera, vez " + strconv.Itoa(s.serial)
}

// reissue uses a grant for parts, and exchanges what came.
func (s *machine) reissue(rt *rapid.T, g pin.Grant) {
	s.faults.Reset()
	if _, err := s.k.pins.Reissue(context.Background(), g, home); err != nil {
		return // the limits of messages
	}
	s.k.clock.Add(2 * time.Minute) // or the outbox would send no more to one address
	require.NoError(fatal{rt}, s.k.out.Flush(context.Background()))
	secret := s.choice()
	one, two := s.k.mail.To(anaPhone, pin.PartMessage), s.k.mail.To(anaPEC, pin.PartMessage)
	if len(two) == 0 {
		two = s.k.mail.To(anaMail, pin.PartMessage)
	}
	require.NotEmpty(fatal{rt}, one)
	require.NotEmpty(fatal{rt}, two)
	typed := civicpin.NewSecret(one[len(one)-1].Secret.Reveal() + two[len(two)-1].Secret.Reveal())
	require.NoError(fatal{rt}, testkit.Err(s.k.pins.Exchange(context.Background(), pin.Attempt{Subject: ana, Secret: typed}, civicpin.NewSecret(secret))))
	s.secret = secret
}

// settle finds out, after an error, which secret holds: the one that there was, or another.
func (s *machine) settle(rt *rapid.T, perhaps string) {
	s.faults.Reset()
	s.k.clock.Add(time.Minute)
	if _, err := s.k.login2(perhaps); err == nil {
		s.secret = perhaps
	}
}

// login2 logs Ana in from nowhere.
func (k *kit) login2(secret string) (pin.Verified, error) {
	return k.pins.Verify(context.Background(), pin.Attempt{Subject: ana, Secret: civicpin.NewSecret(secret)})
}

// ours reports whether an error is one that the documentation names, or the fault that was injected.
func ours(err error) bool {
	locked := lockOf(err) != nil
	for _, known := range []error{
		recovery.ErrRefused, recovery.ErrBusy, recovery.ErrGone, recovery.ErrExpired, recovery.ErrWrongStep, recovery.ErrWaiting, recovery.ErrNotAllowed,
		contact.ErrUnsuitable, pin.ErrNoCredential, pin.ErrWrongState, pin.ErrNoGrant, pin.ErrChanged, storetest.ErrInjected, context.Canceled,
	} {
		locked = locked || errors.Is(err, known)
	}
	return err == nil || locked
}

// TestModel drives random sequences of every public call, by the owner, a stranger and staff, with faults and moves of the
// clock. No grant comes without every step proved, and never two from one run; the level is never raised; whatever happened,
// the owner gets to a new secret in the end.
func TestModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		cryptotest.SetGlobalRandom(t, rapid.Uint64().Draw(rt, "seed")) // or no failure could be played again
		k := newBareKit(t)
		faults := k.faults
		k.enrolAna(t)
		s := &machine{k: k, faults: faults, secret: anaSecret}
		ctx := t.Context()
		fault := func(rt *rapid.T) {
			s.faults.Reset()
			if rapid.IntRange(0, 5).Draw(rt, "fault") == 0 {
				o := rapid.SampledFrom([]storetest.Outcome{storetest.NotDone, storetest.ReplyLost}).Draw(rt, "outcome")
				s.faults.FailAt(rapid.IntRange(1, 12).Draw(rt, "call"), o)
			}
		}
		some := func(rt *rapid.T, owner bool) *trip {
			var all []*trip
			for _, tr := range s.trips {
				if tr.owner == owner {
					all = append(all, tr)
				}
			}
			if len(all) == 0 {
				rt.Skip("no run")
			}
			return rapid.SampledFrom(all).Draw(rt, "run")
		}
		begin := func(rt *rapid.T, owner bool) {
			fault(rt)
			name := rapid.SampledFrom([]string{"clave", "two", "parts", "unlock", "desk", "factor"}).Draw(rt, "plan")
			run, err := k.Start(ctx, name, ana, civicpin.Source{})
			require.True(fatal{rt}, ours(err), err)
			if err == nil {
				s.trips = append(s.trips, &trip{
					id: run.ID, plan: name, owner: owner, tickets: []civicpin.Secret{run.Ticket}, proved: make(map[string]bool),
				})
			}
		}
		// answer answers what a run asks, rightly if it is the owner who knows it.
		answer := func(rt *rapid.T, tr *trip, right bool) {
			s.faults.Reset()
			ticket := tr.tickets[len(tr.tickets)-1]
			run, err := k.Show(ctx, ticket)
			if err != nil {
				return
			}
			var a recovery.Answers
			shows := ""
			switch n := run.Next; {
			case n.Captcha:
				a.Captcha = true
			case n.Contacts > 0:
				shows = "guess"
				a.Contacts = []civicpin.Contact{{Channel: civicpin.SMS, Address: anaPhone}, {Channel: civicpin.CertifiedEmail, Address: anaPEC}}
				if !right {
					a.Contacts[0].Address = "+593990000001"
				}
			case len(n.Facts) > 0:
				shows = "guess"
				a = k.known(run, right)
			case n.Confirm != nil:
				a.Confirm = true
			case n.Factor != "":
				shows = "factor"
				a.Factor = civicpin.NewSecret("123456")
				if !right {
					a.Factor = civicpin.NewSecret("654321")
				}
			case len(n.Documents) > 0:
				a.Documents = map[string]string{"front": "a", "back": "b", "face": "c"}
			case n.Sent != nil && n.Sent.Code:
				shows = "code"
				if n.Sent.Link {
					shows = "link" // the code is the link's other face
				}
				a.Code = civicpin.NewSecret("ACDEFGHJ")
				if right {
					for _, m := range k.mail.Messages() {
						if !m.Secret.IsZero() && m.Kind != pin.PartMessage {
							a.Code = m.Secret
						}
					}
				}
			default:
				return
			}
			fault(rt)
			_, err = k.Answer(ctx, ticket, a)
			require.True(fatal{rt}, ours(err), err)
			if !right && shows != "" {
				require.Error(fatal{rt}, err, "%s went on after a wrong answer", tr.plan)
			}
			if right && shows != "" {
				tr.proved[shows] = true // an error may mean that it was taken all the same
			}
		}
		finish := func(rt *rapid.T, tr *trip) {
			fault(rt)
			g, err := k.Finish(ctx, rapid.SampledFrom(tr.tickets).Draw(rt, "ticket"), home)
			require.True(fatal{rt}, ours(err), err)
			if err != nil {
				return
			}
			require.True(fatal{rt}, tr.owner, "a stranger finished")
			s.finished(rt, tr, g)
		}
		// follow opens a link, and does what its page offers.
		follow := func(rt *rapid.T, m civicpin.Message) {
			s.faults.Reset()
			look, err := k.Inspect(ctx, m.Link)
			require.True(fatal{rt}, ours(err), err)
			tr := s.trip(m.Link.Reveal()[1:27])
			if err != nil || tr == nil {
				return
			}
			fault(rt)
			switch {
			case look.Purpose == recovery.ToRepudiate:
				if rapid.IntRange(0, 5).Draw(rt, "repudiate") == 0 {
					err := k.Repudiate(ctx, m.Link, home)
					require.True(fatal{rt}, ours(err), err)
				}
			case look.Last:
				// What a stranger began the owner may finish: it is theirs once they bring the token.
				g, err := k.Finish(ctx, m.Link, home)
				require.True(fatal{rt}, ours(err), err)
				if err == nil {
					tr.proved["link"] = true
					s.finished(rt, tr, g)
				}
			default:
				run, err := k.Redeem(ctx, m.Link, home)
				require.True(fatal{rt}, ours(err), err)
				if !run.Ticket.IsZero() {
					tr.proved["link"] = true
					// The run is the owner's from now on, and whoever began it is out.
					for _, old := range tr.tickets {
						s.faults.Reset()
						_, err := k.Show(ctx, old)
						require.Error(fatal{rt}, err, "an old ticket still opens the run")
					}
					tr.owner, tr.tickets = true, append(tr.tickets, run.Ticket)
				}
			}
		}
		// decide has an operator approve of the owner.
		decide := func(rt *rapid.T, tr *trip, by recovery.Operator) {
			fault(rt)
			_, err := k.Decide(ctx, tr.id, by, recovery.Verdict{Approve: true, Reason: "seen"})
			require.True(fatal{rt}, ours(err), err)
			if by == video {
				require.Error(fatal{rt}, err)
				return
			}
			tr.proved["staff"], tr.proved["staff:"+string(by.ID)] = true, true
			tr.proved["second"] = tr.proved["staff:"+string(agency.ID)] && tr.proved["staff:"+string(other.ID)]
		}
		// onwards takes the owner one step on, whatever it is.
		onwards := func(rt *rapid.T, tr *trip) {
			s.faults.Reset()
			run, err := k.Show(ctx, tr.tickets[len(tr.tickets)-1])
			switch {
			case err != nil:
			case run.Done:
				finish(rt, tr)
			case !run.Next.WaitsUntil.IsZero():
				if run.Next.WaitsUntil.After(k.clock.Now()) {
					_ = k.out.Flush(ctx) // or it would come to nothing
					k.clock.Set(run.Next.WaitsUntil)
				}
				fault(rt)
				_, err := k.Send(ctx, tr.tickets[len(tr.tickets)-1], home)
				require.True(fatal{rt}, ours(err), err)
			case run.Next.Approval != "":
				decide(rt, tr, rapid.SampledFrom([]recovery.Operator{agency, other}).Draw(rt, "by"))
			case run.Next.Sent != nil && run.Next.Sent.Link:
				for range 4 {
					_ = k.out.Flush(ctx)
					k.clock.Add(15 * time.Second)
				}
				for _, m := range slices.Backward(k.mail.Messages()) {
					if !m.Link.IsZero() && m.Link.Reveal()[:27] == "l"+tr.id {
						follow(rt, m)
						return
					}
				}
			case run.Next.Sent != nil:
				for range 4 {
					_ = k.out.Flush(ctx)
					k.clock.Add(15 * time.Second)
				}
				answer(rt, tr, true)
			default:
				answer(rt, tr, true)
			}
		}
		goesOn := func(rt *rapid.T) {
			tr := some(rt, true)
			for range rapid.IntRange(1, 8).Draw(rt, "steps") {
				onwards(rt, tr)
			}
		}
		rt.Repeat(map[string]func(*rapid.T){
			// Several times, or few would ever come to an end.
			"owner goes on": goesOn, "owner goes on again": goesOn, "owner goes on and on": goesOn, "owner is patient": goesOn,
			"owner begins and goes on": func(rt *rapid.T) { begin(rt, true); goesOn(rt) },
			"owner begins at last":     func(rt *rapid.T) { begin(rt, true); goesOn(rt) },
			"owner begins":             func(rt *rapid.T) { begin(rt, true) },
			"stranger begins":          func(rt *rapid.T) { begin(rt, false) },
			"owner answers":            func(rt *rapid.T) { answer(rt, some(rt, true), true) },
			"owner answers on": func(rt *rapid.T) {
				tr := some(rt, true)
				for range 3 {
					answer(rt, tr, true)
				}
			},
			"owner errs":       func(rt *rapid.T) { answer(rt, some(rt, true), false) },
			"stranger guesses": func(rt *rapid.T) { answer(rt, some(rt, false), false) },
			"anybody has it sent again": func(rt *rapid.T) {
				fault(rt)
				tr := some(rt, rapid.Bool().Draw(rt, "owner"))
				_, err := k.Send(ctx, tr.tickets[0], home)
				require.True(fatal{rt}, ours(err), err)
			},
			"mail goes out": func(rt *rapid.T) {
				fault(rt)
				_ = k.out.Flush(ctx)
				k.clock.Add(10 * time.Second)
			},
			"owner follows a link": func(rt *rapid.T) {
				var links []civicpin.Message
				for _, m := range k.mail.Messages() {
					if !m.Link.IsZero() {
						links = append(links, m)
					}
				}
				if len(links) == 0 {
					rt.Skip("no mail")
				}
				m := links[len(links)-1-rapid.IntRange(0, min(3, len(links)-1)).Draw(rt, "mail")]
				follow(rt, m)
			},
			"staff sees the owner": func(rt *rapid.T) {
				tr := some(rt, true)
				if tr.plan != "desk" {
					rt.Skip("no step of staff")
				}
				decide(rt, tr, rapid.SampledFrom([]recovery.Operator{agency, other, video}).Draw(rt, "by"))
			},
			"staff turns a stranger down": func(rt *rapid.T) {
				tr := some(rt, false)
				fault(rt)
				_, err := k.Decide(ctx, tr.id, agency, recovery.Verdict{Reason: "another face"})
				require.True(fatal{rt}, ours(err), err)
			},
			"owner finishes":    func(rt *rapid.T) { finish(rt, some(rt, true)) },
			"stranger finishes": func(rt *rapid.T) { finish(rt, some(rt, false)) },
			"stranger forges": func(rt *rapid.T) {
				tr := some(rt, rapid.Bool().Draw(rt, "owner"))
				kind := rapid.SampledFrom([]string{"t", "l", "d", "c", "u"}).Draw(rt, "kind")
				text := tr.tickets[0].Reveal()
				_, err := k.Finish(ctx, civicpin.NewSecret(kind+text[1:27]+"AQ"+text[29:]), home)
				require.Error(fatal{rt}, err)
				require.Error(fatal{rt}, k.Repudiate(ctx, civicpin.NewSecret("d"+text[1:]), home))
			},
			"staff unlocks for the owner": func(rt *rapid.T) {
				fault(rt)
				run, err := k.StartBy(ctx, "video", ana, video)
				require.True(fatal{rt}, ours(err), err)
				if err != nil {
					return
				}
				require.True(fatal{rt}, run.Ticket.IsZero())
				c, err := k.ShowCase(ctx, run.ID, video)
				require.True(fatal{rt}, ours(err), err)
				right := rapid.Bool().Draw(rt, "right")
				done, err := k.Decide(ctx, run.ID, video, recovery.Verdict{Approve: true, Questions: answered(c.Questions, right)})
				require.True(fatal{rt}, ours(err), err)
				if !right {
					require.Error(fatal{rt}, err)
				}
				require.True(fatal{rt}, done.Ticket.IsZero())
			},
			"staff issues anew for the owner": func(rt *rapid.T) {
				s.faults.Reset()
				run, err := k.StartBy(ctx, "office", ana, agency)
				require.True(fatal{rt}, ours(err), err)
				if err != nil {
					return
				}
				after := k.sofar()
				_, err = k.Decide(ctx, run.ID, agency, recovery.Verdict{Approve: true, Reason: "seen"})
				require.True(fatal{rt}, ours(err), err)
				if err != nil {
					return
				}
				secret := s.choice()
				require.NoError(fatal{rt}, k.exchange(ctx, after, anaMail, anaPhone, secret))
				s.secret = secret
			},
			"owner enrols anew": func(rt *rapid.T) {
				fault(rt)
				err := k.EnrolAnswers(ctx, ana, anaImage, secrets(anaAnswers), home)
				require.True(fatal{rt}, ours(err), err)
			},
			"owner adds a contact": func(rt *rapid.T) {
				fault(rt)
				to := civicpin.Contact{Channel: civicpin.Email, Address: rapid.SampledFrom([]string{anaNewMail, "ana@otra.example"}).Draw(rt, "to")}
				_, err := k.contacts.Add(ctx, ana, to, civicpin.Citizen, home)
				require.True(fatal{rt}, ours(err), err)
				s.faults.Reset()
				_ = k.out.Flush(ctx)
				if got := k.mail.To(to.Address, "contact.prove"); len(got) > 0 {
					fault(rt)
					err := k.contacts.Prove(ctx, got[len(got)-1].Link, home)
					require.True(fatal{rt}, ours(err), err)
				}
			},
			"owner removes a contact": func(rt *rapid.T) {
				s.faults.Reset()
				proved, _, err := k.contacts.List(ctx, ana)
				require.NoError(fatal{rt}, err)
				for _, c := range proved {
					if c.Address != anaMail && c.Address != anaPhone && c.Address != anaPEC {
						fault(rt)
						err := k.contacts.Remove(ctx, ana, c.ID, civicpin.Citizen, home)
						require.True(fatal{rt}, ours(err), err)
						return
					}
				}
			},
			"owner cancels": func(rt *rapid.T) {
				fault(rt)
				tr := some(rt, true)
				err := k.Cancel(ctx, tr.tickets[len(tr.tickets)-1])
				require.True(fatal{rt}, ours(err), err)
			},
			"owner logs in": func(rt *rapid.T) {
				fault(rt)
				ok, err := k.login2(s.secret)
				if err == nil {
					require.LessOrEqual(fatal{rt}, ok.Level, civicpin.Substantial)
				}
			},
			"stranger logs in": func(rt *rapid.T) {
				fault(rt)
				_, err := k.login2("not what it is")
				require.Error(fatal{rt}, err)
			},
			"agency helps": func(rt *rapid.T) {
				s.faults.Reset()
				for name := range needs {
					_ = k.Service.Unlock(ctx, name, ana, civicpin.Evidence{}, agency)
				}
				_ = k.pins.Resume(ctx, ana, civicpin.Evidence{Method: civicpin.InPerson, By: agency.ID}, "seen", agency.ID)
			},
			"time passes": func(rt *rapid.T) {
				k.clock.Add(rapid.SampledFrom([]time.Duration{
					time.Second, time.Minute, 3 * time.Minute, time.Hour, 25 * time.Hour,
				}).Draw(rt, "for"))
			},
			"": func(rt *rapid.T) {
				s.faults.Reset()
				st, err := k.pins.Status(ctx, ana)
				if err == nil {
					require.LessOrEqual(fatal{rt}, st.Level, civicpin.Substantial, "the level is never raised")
				}
			},
		})

		// Nothing is lost: with the agency's help and a day of patience the owner gets a new secret.
		s.faults.Reset()
		k.clock.Add(8 * 24 * time.Hour)
		k.clock.Set(k.clock.Now().Truncate(24 * time.Hour).Add(15 * time.Hour))
		seen := civicpin.Evidence{Method: civicpin.InPerson, By: agency.ID}
		if k.pins.Resume(ctx, ana, seen, "seen", agency.ID) != nil { // a secret that was repudiated never comes back
			require.NoError(fatal{rt}, testkit.Err(k.pins.Issue(ctx, ana, pin.IssueOptions{
				Parts: anaContacts()[:2], Level: civicpin.Substantial, Evidence: seen, By: agency.ID,
			})))
			// It asks of every contact: until staff have seen one, it objects to nothing, and recoveries that may rest lead nowhere.
			list, _, err := k.contacts.List(ctx, ana)
			require.NoError(fatal{rt}, err)
			for _, c := range list {
				require.NoError(fatal{rt}, k.contacts.Adopt(ctx, ana, []civicpin.Contact{c.Contact}, agency.ID, home))
			}
		}
		require.NoError(fatal{rt}, k.Service.Unlock(ctx, "clave", ana, seen, agency))
		require.NoError(fatal{rt}, k.out.Flush(ctx))
		last := "once olas en la orilla"
		require.NoError(fatal{rt}, walkClave(ctx, k, last))
		ok, err := k.login2(last)
		require.NoError(fatal{rt}, err)
		require.Equal(fatal{rt}, civicpin.Low, ok.Level, "one mailbox keeps no more")
	})
}
