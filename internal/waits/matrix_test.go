package waits_test

import (
	"cmp"
	"context"
	"slices"
	"testing"
	"time"

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

// asks are the options of an issue that Rosa asks for, to her telephone.
var asks = pin.IssueOptions{Parts: []civicpin.Contact{bySMS}, By: civicpin.Citizen, Source: home}

// sent are the options of an issue to Rosa's telephone.
func sent() pin.IssueOptions {
	o := handed()
	o.Parts = []civicpin.Contact{bySMS}
	return o
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
		waits.Issue: func(w *world) func() { // over one that was issued, and can no longer be exchanged
			w.does(w.pins.Revoke(t.Context(), rosa, state.Ended, "", clerk.ID))
			w.issue(sent())
			return func() {
				w.clock.Add(11 * time.Minute)
				w.issue(asks)
			}
		},
		waits.Seen: func(w *world) func() {
			w.does(w.pins.Revoke(t.Context(), rosa, state.Ended, "", clerk.ID))
			w.issue(handed())
			return func() { w.issue(handed()) }
		},
		waits.Revoke: now(func(w *world) { w.does(w.pins.Revoke(t.Context(), rosa, state.Ended, "", clerk.ID)) }),
		waits.GiveUp: now(func(w *world) { w.does(w.pins.Revoke(t.Context(), rosa, state.Ended, "", civicpin.Citizen)) }),
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
		waits.Device: func(w *world) func() bool {
			at := w.remembered()
			return func() bool { return w.knows(at) }
		},
		waits.Bound: func(w *world) func() bool {
			app := w.enrols()
			require.True(t, app())
			paper, err := w.paper.Issue(t.Context(), rosa, civicpin.Citizen)
			w.does(err)
			return func() bool {
				alive := app()
				require.Equal(t, alive, w.paper.Verify(t.Context(), rosa, paper[0], home) == nil)
				return alive
			}
		},
		waits.Code:     func(w *world) func() bool { return w.coded(bySMS) },
		waits.Enrolled: func(w *world) func() bool { return w.enrols() },
		waits.Parts:    func(w *world) func() bool { return w.parts(bySMS) },
		waits.Notice: func(w *world) func() bool {
			require.NoError(t, testkit.Err(w.contacts.Notify(t.Context(), rosa, pin.NoticeChanged, nil)))
			return func() bool { return len(w.post.To(rosaPhone, pin.NoticeChanged)) > 0 }
		},
		waits.Settling: func(w *world) func() bool {
			w.does(w.contacts.Adopt(t.Context(), rosa, []civicpin.Contact{byOther}, clerk.ID, home))
			w.disputed(otherMail)
			other, _ := w.contact(otherMail)
			phone, _ := w.contact(rosaPhone)
			w.does(testkit.Err(w.contacts.EndDispute(t.Context(), rosa, []string{other.ID}, phone.ID, home)))
			w.does(w.contacts.ProveCode(t.Context(), rosa, w.post.Last(rosaPhone, proveKind).Secret, home))
			return func() bool {
				w.clock.Add(60 * day)
				return slices.Contains(w.usable(), otherMail)
			}
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

// specials are acts that are done otherwise while a thing waits.
func specials(t *testing.T) map[waits.Thing]map[waits.Act]act {
	exchanged := func(w *world) func() {
		return func() {
			w.flush()
			w.choose(w.pins.Exchange, w.post.Last(rosaPhone, pin.PartMessage).Secret)
		}
	}
	set := func(w *world) func() {
		return func() {
			w.does(testkit.Err(w.pins.Set(t.Context(), w.granted(), civicpin.NewSecret(nextSecret), home)))
		}
	}
	reissued := func(w *world) {
		w.begun("parts")
		g, err := w.runs.Finish(t.Context(), w.post.Last(rosaMail, linkKind).Link, home)
		require.NoError(t, err)
		w.does(testkit.Err(w.pins.Reissue(t.Context(), g, home)))
	}
	again := func(o pin.IssueOptions) act {
		return func(w *world) func() { return func() { w.issue(o) } }
	}
	return map[waits.Thing]map[waits.Act]act{
		waits.Device: {waits.Recovery: set}, // its grant is used
		waits.Denial: {waits.Exchange: func(w *world) func() {
			return func() {
				reissued(w)
				exchanged(w)()
			}
		}},
		waits.Code: {waits.Issue: func(w *world) func() { // before the code lapses
			w.does(w.pins.Revoke(t.Context(), rosa, state.Ended, "", clerk.ID))
			w.issue(sent())
			w.clock.Add(11 * time.Minute)
			return func() { w.issue(asks) }
		}},
		waits.Parts: {
			waits.Repudiate: func(w *world) func() { // the recovery that issued them
				return func() {
					reissued(w)
					w.does(w.runs.Repudiate(t.Context(), w.post.Last(rosaPEC, doneKind).Link, home))
				}
			},
			waits.Exchange: exchanged, waits.Change: set, waits.Seen: again(handed()),
			waits.Issue: again(asks),
		},
	}
}

// A rest is a thing that comes to wait and rests on an address, and the act about that address.
type rest func(w *world, column waits.Act) (alive func() bool, does func())

// resting are the things as they rest on an address that the citizen or staff take away.
func resting(t *testing.T) map[waits.Thing]rest {
	takes := func(w *world, address string, column waits.Act) func() {
		by := civicpin.Citizen
		if column == waits.StaffTake {
			by = clerk.ID
		}
		return func() { w.remove(w.services, address, by) }
	}
	candidate := func(asker civicpin.Actor) rest {
		return func(w *world, column waits.Act) (func() bool, func()) {
			c, _ := w.contact(rosaPEC)
			w.does(testkit.Err(w.contacts.Change(t.Context(), rosa, c.ID, byNew, asker, home)))
			return func() bool { return w.prove(newMail) == nil }, takes(w, rosaPEC, column)
		}
	}
	same := func(name waits.Thing, address string) rest {
		return func(w *world, column waits.Act) (func() bool, func()) {
			return things(t)[name](w), takes(w, address, column)
		}
	}
	repudiated := func(kind civicpin.MessageKind, name waits.Thing, redeem func(*world, civicpin.Secret) error) rest {
		return func(w *world, column waits.Act) (func() bool, func()) {
			things(t)[name](w)
			link := w.post.Last(rosaPEC, kind).Link
			return func() bool { return redeem(w, link) == nil }, takes(w, rosaPEC, column)
		}
	}
	return map[waits.Thing]rest{
		waits.Asked: candidate(civicpin.Citizen), waits.ByStaff: candidate(clerk.ID),
		waits.Cooling: same(waits.Cooling, newMail),
		waits.Run:     same(waits.Run, rosaMail), waits.Proved: same(waits.Proved, rosaPhone), waits.Approved: same(waits.Approved, rosaMail),
		waits.UndoLink: repudiated(changedKind, waits.UndoLink, func(w *world, link civicpin.Secret) error {
			return w.contacts.Undo(t.Context(), link, home)
		}),
		waits.Denial: repudiated(doneKind, waits.Denial, func(w *world, link civicpin.Secret) error {
			return w.runs.Repudiate(t.Context(), link, home)
		}),
		waits.Parts: func(w *world, column waits.Act) (func() bool, func()) {
			if column != waits.Undo {
				return w.parts(byPEC), takes(w, rosaPEC, column)
			}
			alive := w.parts(byNew)
			w.asked(byNew, civicpin.Citizen)
			w.does(w.prove(newMail))
			link := w.post.Last(rosaPhone, changedKind).Link
			return alive, func() { w.does(w.contacts.Undo(t.Context(), link, home)) }
		},
		waits.Code: func(w *world, column waits.Act) (func() bool, func()) {
			if column != waits.Undo {
				return w.coded(bySMS), takes(w, rosaPhone, column)
			}
			to := civicpin.Contact{Channel: civicpin.SMS, Address: "+593997654321"}
			w.asked(to, civicpin.Citizen)
			w.does(w.contacts.ProveCode(t.Context(), rosa, w.post.Last(to.Address, proveKind).Secret, home))
			link := w.post.Last(rosaPhone, changedKind).Link
			return w.coded(to), func() { w.does(w.contacts.Undo(t.Context(), link, home)) }
		},
		waits.Notice: func(w *world, column waits.Act) (func() bool, func()) {
			c, _ := w.contact(rosaMail)
			require.NoError(t, w.contacts.MakePrimary(t.Context(), rosa, c.ID, civicpin.Citizen, home))
			return func() bool {
				told := w.post.To(rosaPEC, changedKind)
				require.NotEmpty(t, told)
				return slices.ContainsFunc(told, func(m civicpin.Message) bool { return !m.Link.IsZero() })
			}, takes(w, rosaPEC, column)
		},
		waits.Dispute: func(w *world, column waits.Act) (func() bool, func()) {
			things(t)[waits.Dispute](w)
			return func() bool {
				d, err := w.contacts.Dispute(t.Context(), rosa)
				require.NoError(t, err)
				return d != nil
			}, takes(w, otherMail, column)
		},
	}
}

// elsewise are cells in which another rule holds.
func elsewise() map[waits.Thing]map[waits.Act]waits.Cell {
	return map[waits.Thing]map[waits.Act]waits.Cell{
		waits.UndoLink: {waits.Repudiate: waits.Ends}, // the change came since, and is undone already
		// There is nothing to recover: the secret is revoked; see TestApprovedRunAfterRepudiation.
		waits.Approved: {waits.Repudiate: waits.Ends},
	}
}

// Each cell is played with the real services, or the table says why not. One that rests on an address is played twice: with that
// address, and with another.
func TestMatrix(t *testing.T) {
	for _, row := range waits.Table() {
		for i, column := range waits.Columns() {
			if waits.Void(row.Thing, column) != "" {
				continue
			}
			cell := row.Cells[i]
			makes, begins := things(t)[row.Thing], acts(t)[column]
			require.NotNil(t, makes, "no player has %s wait", row.Thing)
			require.NotNil(t, begins, "no player does %s", column)
			if special := specials(t)[row.Thing][column]; special != nil {
				begins = special
			}
			t.Run(string(row.Thing)+"/"+string(column), func(t *testing.T) {
				switch cmp.Or(elsewise()[row.Thing][column], cell) {
				case waits.Ends, waits.Others, waits.IfSince, waits.Later, waits.Spends: // all came since
					require.False(t, plays(t, begins, makes), cell)
				default: // also what does not rest on the address
					require.True(t, plays(t, begins, makes), cell)
				}
			})
			if cell == waits.Resting || cell == waits.Bare {
				t.Run(string(row.Thing)+"/"+string(column)+" of its address", func(t *testing.T) {
					require.NotNil(t, resting(t)[row.Thing], "no player has %s rest on an address", row.Thing)
					w := newWorld(t)
					w.enrolled()
					alive, does := resting(t)[row.Thing](w, column)
					does()
					w.flush()
					require.False(t, alive(), cell)
				})
			}
		}
	}
}

// plays has a thing come to wait, an act be done, and reports whether the thing is still good.
func plays(t *testing.T, begins act, makes thing) bool {
	w := newWorld(t)
	w.enrolled()
	does := begins(w)
	alive := makes(w)
	if does != nil {
		does()
	}
	w.flush()
	return alive()
}

// An undo, and a repudiation, end what came with what they take back, or since. What was bound before stays, and so does what an
// operator bound since.
func TestTakenBackSparesTheOwners(t *testing.T) {
	for _, column := range []waits.Act{waits.Undo, waits.Repudiate} {
		require.True(t, plays(t, func(w *world) func() { return nil }, func(w *world) func() bool {
			alive := things(t)[waits.Bound](w)
			w.clock.Add(time.Hour)
			acts(t)[column](w)()
			return alive
		}), column)
		require.False(t, plays(t, func(w *world) func() { return nil }, func(w *world) func() bool {
			alive := w.enrols()
			acts(t)[column](w)()
			return alive
		}), "%s: a key that waits for its first code, which a thief may type later", column)
		require.True(t, plays(t, acts(t)[column], func(w *world) func() bool {
			key, err := w.apps.Rebind(t.Context(), rosa, seen())
			w.does(err)
			alive := w.shows(key)
			require.True(t, alive())
			return alive
		}), column)
	}
}

// Whenever in the middle of asking for a code or a key, or of using it, the desk revokes: what was asked for before the
// credential was looked at is dead, and what is used afterwards is refused.
func TestCodesAmid(t *testing.T) {
	revoke := func(w *world) { w.does(w.other.pins.Revoke(t.Context(), rosa, state.Ended, "", clerk.ID)) }
	for name, makes := range map[string]func(w *world) (alive func() bool){
		"code": func(w *world) func() bool { return w.coded(bySMS) },
		"app":  func(w *world) func() bool { return w.enrols() },
	} {
		t.Run(name+", asked for", func(t *testing.T) {
			var alive func() bool
			var good []bool
			pauses(t, func(w *world) { w.enrolled() }, func(w *world) error {
				alive = makes(w)
				return nil
			}, revoke, func(_ *testing.T, _ *world, _ int, _ error) { good = append(good, alive()) })
			// The world's own calls after the request are paused, too: whatever comes there comes afterwards.
			dead := slices.Index(good, false)
			require.Positive(t, dead, "asked for after the revocation")
			require.NotContains(t, good[dead:], true)
		})
		t.Run(name+", used", func(t *testing.T) {
			var alive func() bool
			var good []bool
			pauses(t, func(w *world) {
				w.enrolled()
				alive = makes(w)
			}, func(*world) error {
				good = append(good, alive())
				return nil
			}, revoke, func(t *testing.T, _ *world, at int, _ error) {
				require.False(t, alive(), "at call %d", at)
			})
			used := slices.Index(good, true)
			require.Positive(t, used, "used before the revocation")
			require.NotContains(t, good[used:], false)
		})
	}
}
