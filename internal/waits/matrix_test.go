package waits_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/internal/waits"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/pin/state"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/store"
)

// chooses is Exchange or Change.
type chooses func(context.Context, pin.Attempt, civicpin.Secret) (pin.Verified, error)

// choose has Rosa show a secret and choose another.
func (w *world) choose(how chooses, shown civicpin.Secret) {
	w.t.Helper()
	w.does(testkit.Err(how(w.t.Context(), pin.Attempt{Subject: rosa, Secret: shown, Source: home}, civicpin.NewSecret(nextSecret))))
}

// issue issues to Rosa.
func (w *world) issue(o pin.IssueOptions) civicpin.Secret {
	w.t.Helper()
	is, err := w.pins.Issue(w.t.Context(), rosa, o)
	w.does(err)
	return is.Slip
}

// handed are the options of an issue by another operator.
func handed() pin.IssueOptions {
	return pin.IssueOptions{
		Parts: []civicpin.Contact{{Channel: civicpin.HandedOver}}, By: second.ID, Level: civicpin.Substantial,
		Evidence: civicpin.Evidence{Method: civicpin.InPerson, By: second.ID},
	}
}

// An act is one of the table: started brings Rosa, who is enrolled, to where it can be done, and returns what does it.
type act func(w *world) (does func())

// acts returns all acts but those that need a revoked credential, which gives no grant.
func acts(t *testing.T) map[waits.Act]act {
	now := func(does func(w *world)) act { return func(w *world) func() { return func() { does(w) } } }
	return map[waits.Act]act{
		waits.Exchange: func(w *world) func() {
			w.does(w.pins.Revoke(t.Context(), rosa, state.Ended, "", clerk.ID))
			slip := w.issue(handed())
			return func() { w.choose(w.pins.Exchange, slip) }
		},
		waits.Change:   now(func(w *world) { w.choose(w.pins.Change, civicpin.NewSecret(secret)) }),
		waits.Recovery: now(func(w *world) { w.granted() }),
		waits.Unlock: now(func(w *world) {
			w.begun("unlock")
			w.does(testkit.Err(w.runs.Finish(t.Context(), w.post.Last(rosaMail, "recovery.unlock").Link, home)))
		}),
		waits.Seen: func(w *world) func() {
			w.does(w.pins.Revoke(t.Context(), rosa, state.Ended, "", clerk.ID))
			w.issue(handed())
			return func() { w.issue(handed()) }
		},
		waits.Revoke: now(func(w *world) { w.does(w.pins.Revoke(t.Context(), rosa, state.Ended, "", clerk.ID)) }),
		waits.Suspend: now(func(w *world) {
			w.does(w.pins.Suspend(t.Context(), rosa, "", clerk.ID))
			w.does(w.pins.Resume(t.Context(), rosa, seen(), "", clerk.ID))
		}),
		waits.Adopt: now(func(w *world) {
			w.does(w.contacts.Adopt(t.Context(), rosa, []civicpin.Contact{byMail}, clerk.ID, home))
		}),
		waits.StaffTake: now(func(w *world) { w.remove(w.services, rosaPEC, clerk.ID) }),
		waits.Take:      now(func(w *world) { w.remove(w.services, rosaPEC, civicpin.Citizen) }),
		waits.Undo: func(w *world) func() {
			w.remove(w.services, rosaPEC, civicpin.Citizen)
			link := w.post.Last(rosaPhone, changedKind).Link
			return func() { w.does(w.contacts.Undo(t.Context(), link, home)) }
		},
		waits.Repudiate: func(w *world) func() {
			w.does(testkit.Err(w.pins.Set(t.Context(), w.granted(), civicpin.NewSecret(nextSecret), home)))
			link := w.post.Last(rosaPhone, doneKind).Link
			return func() { w.does(w.runs.Repudiate(t.Context(), link, home)) }
		},
		waits.Erase: now(func(w *world) { w.does(testkit.Err(w.vault.Erase(t.Context(), rosa, store.Pass{}))) }),
	}
}

// A thing comes to wait, and alive tells whether it does still, by using it.
type thing func(w *world) (alive func() bool)

func things(t *testing.T) map[waits.Thing]thing {
	asks := func(by civicpin.Actor) thing {
		return func(w *world) func() bool {
			w.asked(byNew, by)
			return func() bool { return w.prove(newMail) == nil }
		}
	}
	link := func(w *world) func() bool {
		link := w.post.Last(rosaMail, linkKind).Link
		return func() bool { return testkit.Err(w.runs.Finish(t.Context(), link, home)) == nil }
	}
	return map[waits.Thing]thing{
		waits.Run: func(w *world) func() bool {
			w.begun("link")
			return link(w)
		},
		waits.Proved: func(w *world) func() bool {
			run := w.begun("code")
			code := w.post.Last(rosaPhone, "recovery.code").Secret
			w.does(testkit.Err(w.runs.Answer(t.Context(), run.Ticket, recovery.Answers{Code: code})))
			return link(w)
		},
		waits.Approved: func(w *world) func() bool {
			run := w.begun("desk")
			w.does(testkit.Err(w.runs.Decide(t.Context(), run.ID, second, recovery.Verdict{Approve: true, Source: home})))
			return link(w)
		},
		waits.Asked:   asks(civicpin.Citizen),
		waits.ByStaff: asks(clerk.ID),
		waits.Cooling: func(w *world) func() bool {
			w.asked(byNew, civicpin.Citizen)
			w.does(w.prove(newMail))
			return func() bool {
				w.clock.Add(60 * day)
				_, there := w.contact(newMail)
				return there
			}
		},
		waits.UndoLink: func(w *world) func() bool {
			w.asked(byNew, civicpin.Citizen)
			w.does(w.prove(newMail))
			link := w.post.Last(rosaPhone, changedKind).Link
			return func() bool { return w.contacts.Undo(t.Context(), link, home) == nil }
		},
		waits.Denial: func(w *world) func() bool {
			w.granted()
			link := w.post.Last(rosaMail, doneKind).Link
			return func() bool { return w.runs.Repudiate(t.Context(), link, home) == nil }
		},
		waits.Dispute: func(w *world) func() bool {
			w.does(w.contacts.Adopt(t.Context(), rosa, []civicpin.Contact{byOther}, clerk.ID, home))
			w.disputed(otherMail)
			return func() bool {
				w.clock.Add(60 * day)
				c, there := w.contact(rosaMail)
				return there && w.contacts.Remove(t.Context(), rosa, c.ID, civicpin.Citizen, home) != nil
			}
		},
		waits.Grant: func(w *world) func() bool {
			g := w.granted()
			return func() bool {
				return testkit.Err(w.pins.Set(t.Context(), g, civicpin.NewSecret("siete peces en el rio"), home)) == nil
			}
		},
	}
}

// elsewise are cells in which another rule ends what the table would keep.
func elsewise() map[waits.Thing]waits.Act {
	return map[waits.Thing]waits.Act{
		waits.UndoLink: waits.Repudiate, // the change came since, and is undone already
		waits.Approved: waits.Repudiate, // there is nothing to recover: the secret is revoked; see TestApprovedRunAfterRepudiation
	}
}

// Each cell of the rows that the table decides is played with the real services.
func TestMatrix(t *testing.T) {
	for name, makes := range things(t) {
		for column, begins := range acts(t) {
			t.Run(string(name)+"/"+string(column), func(t *testing.T) {
				w := newWorld(t)
				w.enrolled()
				does := begins(w)
				alive := makes(w)
				if name != waits.Dispute || column != waits.Take { // that act is refused
					does()
				}
				cell := waits.Of(name, column)
				if elsewise()[name] == column {
					cell = waits.Ends
				}
				switch cell {
				case waits.Ends, waits.Others, waits.IfSince, waits.Later, waits.Spends: // all came since
					require.False(t, alive(), cell)
				default: // also what does not rest on the address
					require.True(t, alive(), cell)
				}
			})
		}
	}
}
