package waits_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/pin/state"
	"github.com/civicpin/civicpin/recovery"
)

// A thief in a session asks for an address. The citizen goes to the desk. Afterwards the thief's link is worth nothing.
func TestPendingAddressEndsAtTheDesk(t *testing.T) {
	w := newWorld(t)
	w.enrolled()
	w.asked(byThief, civicpin.Citizen)
	w.does(w.pins.Revoke(t.Context(), rosa, state.Ended, "the citizen lost it", clerk.ID))
	w.does(w.issues(w.services))
	w.does(w.contacts.Adopt(t.Context(), rosa, []civicpin.Contact{byMail}, clerk.ID, home))
	require.ErrorIs(t, w.prove(thiefMail), contact.ErrGone)
	require.Equal(t, []string{rosaPhone, rosaMail, rosaPEC}, w.usable())
}

// So it is for a subject without contacts, whose first one would not cool down.
func TestPendingFirstAddressEndsAtTheDesk(t *testing.T) {
	for name, desk := range map[string]func(w *world){
		"revoked": func(w *world) { w.does(w.pins.Revoke(t.Context(), rosa, state.Ended, "", clerk.ID)) },
		"adopted": func(w *world) {
			w.does(w.contacts.Adopt(t.Context(), rosa, []civicpin.Contact{byMail}, clerk.ID, home))
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.does(w.issues(w.services))
			w.asked(byThief, civicpin.Citizen)
			desk(w)
			require.ErrorIs(t, w.prove(thiefMail), contact.ErrGone)
			require.NotContains(t, w.usable(), thiefMail)
		})
	}
}

// A contact that a thief proved, and that still cools down, does not outlive the desk.
func TestCoolingContactEndsAtTheDesk(t *testing.T) {
	for name, desk := range map[string]func(w *world){
		"revoked": func(w *world) { w.does(w.pins.Revoke(t.Context(), rosa, state.Ended, "", clerk.ID)) },
		"adopted": func(w *world) {
			w.does(w.contacts.Adopt(t.Context(), rosa, []civicpin.Contact{byMail}, clerk.ID, home))
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.enrolled()
			w.asked(byThief, civicpin.Citizen)
			w.does(w.prove(thiefMail))
			desk(w)
			w.clock.Add(30 * day)
			_, there := w.contact(thiefMail)
			require.False(t, there)
			require.Equal(t, []string{rosaPhone, rosaMail, rosaPEC}, w.usable())
		})
	}
}

// One that had cooled down before stays, and so it does when nothing was written in between.
func TestEstablishedContactStays(t *testing.T) {
	w := newWorld(t)
	w.enrolled()
	w.asked(byNew, civicpin.Citizen)
	w.does(w.prove(newMail))
	w.clock.Add(8 * day)
	w.does(w.pins.Revoke(t.Context(), rosa, state.Ended, "", clerk.ID))
	w.does(w.issues(w.services))
	require.Contains(t, w.usable(), newMail)
}

// Staff remove the mailbox by which a recovery was proved. Its grant sets nothing, hours later.
func TestGrantEndsWithItsContacts(t *testing.T) {
	for name, act := range map[string]func(w *world){
		"removed by staff":  func(w *world) { w.remove(w.services, rosaMail, clerk.ID) },
		"removed by her":    func(w *world) { w.remove(w.services, rosaPhone, civicpin.Citizen) },
		"contacts by staff": func(w *world) { w.does(w.contacts.Adopt(t.Context(), rosa, []civicpin.Contact{bySMS}, clerk.ID, home)) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.enrolled()
			g := w.granted()
			act(w)
			w.clock.Add(20 * time.Hour)
			_, err := w.pins.Set(t.Context(), g, civicpin.NewSecret(nextSecret), home)
			require.ErrorIs(t, err, pin.ErrNoGrant)
		})
	}
	w := newWorld(t)
	w.enrolled()
	g := w.granted()
	w.does(testkit.Err(w.pins.Set(t.Context(), g, civicpin.NewSecret(nextSecret), home)))
}

// Another recovery, which set nothing yet, is repudiated. What operators approved goes on once staff have acted: not before.
func TestApprovedRunAfterRepudiation(t *testing.T) {
	w := newWorld(t)
	w.enrolled()
	w.granted()
	run := w.begun("desk")
	w.does(testkit.Err(w.runs.Decide(t.Context(), run.ID, second, recovery.Verdict{Approve: true, Source: home})))
	link := w.post.Last(rosaMail, linkKind).Link
	w.does(w.runs.Repudiate(t.Context(), w.post.Last(rosaPhone, doneKind).Link, home))
	require.ErrorIs(t, testkit.Err(w.runs.Finish(t.Context(), link, home)), recovery.ErrGone)
	w.does(w.pins.Attest(t.Context(), rosa, seen()))
	w.does(testkit.Err(w.runs.Finish(t.Context(), link, home)))
}

// A thief with the secret changes it: that ends no run in which Rosa has proved a contact, and any other.
func TestChangeEndsNoProvedRun(t *testing.T) {
	for _, proved := range []bool{true, false} {
		w := newWorld(t)
		w.enrolled()
		run := w.begun("code")
		code := w.post.Last(rosaPhone, "recovery.code").Secret
		answer := func() error {
			return testkit.Err(w.runs.Answer(t.Context(), run.Ticket, recovery.Answers{Code: code}))
		}
		if proved {
			w.does(answer())
		}
		w.choose(w.pins.Change, civicpin.NewSecret(secret))
		if !proved {
			require.ErrorIs(t, answer(), recovery.ErrGone, "and it is not proved afterwards")
			continue
		}
		w.does(testkit.Err(w.runs.Finish(t.Context(), w.post.Last(rosaMail, linkKind).Link, home)))
	}
}

// A contact that goes ends the visitor's runs that were proved by it, and no other.
func TestRunEndsWithItsContact(t *testing.T) {
	for address, ends := range map[string]bool{rosaPEC: false, rosaPhone: true, rosaMail: true} {
		w := newWorld(t)
		w.enrolled()
		run := w.begun("code")
		code := w.post.Last(rosaPhone, "recovery.code").Secret
		w.does(testkit.Err(w.runs.Answer(t.Context(), run.Ticket, recovery.Answers{Code: code})))
		link := w.post.Last(rosaMail, linkKind).Link
		w.remove(w.services, address, civicpin.Citizen)
		_, err := w.runs.Finish(t.Context(), link, home)
		if ends {
			require.ErrorIs(t, err, recovery.ErrGone, address)
			continue
		}
		require.NoError(t, err, address)
	}
}

// A thief recovers, and brings a mailbox. It has cooled down long ago when the recovery is repudiated: it goes all the same, and
// the one that the thief took away comes back as long as that can be undone. What staff have seen since stands.
func TestRepudiationEndsContactsSince(t *testing.T) {
	for name, tc := range map[string]struct {
		after time.Duration
		seen  bool
		want  []string
	}{
		"while it cools down": {day, false, []string{rosaPhone, rosaMail}}, // the other one came back, and is disputed
		"afterwards":          {20 * day, false, []string{rosaPhone, rosaMail}},
		"seen by staff":       {20 * day, true, []string{rosaPhone, rosaMail, thiefMail}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.enrolled()
			w.does(testkit.Err(w.pins.Set(t.Context(), w.granted(), civicpin.NewSecret(nextSecret), home)))
			link := w.post.Last(rosaPhone, doneKind).Link
			w.clock.Add(time.Hour)
			w.asked(byThief, civicpin.Citizen)
			w.does(w.prove(thiefMail))
			w.remove(w.services, rosaPEC, civicpin.Citizen)
			if tc.seen {
				w.does(w.contacts.Adopt(t.Context(), rosa, []civicpin.Contact{byThief}, clerk.ID, home))
			}
			w.clock.Add(tc.after)
			w.does(w.runs.Repudiate(t.Context(), link, home))
			require.ElementsMatch(t, tc.want, w.usable())
		})
	}
}

// A process that does not know the contacts refuses a grant that rests on them.
func TestGrantWithoutContacts(t *testing.T) {
	w := newWorld(t)
	w.enrolled()
	g := w.granted()
	policy := w.pins.Policy()
	pins, err := pin.New(w.out, policy)
	require.NoError(t, err)
	require.ErrorIs(t, testkit.Err(pins.Set(t.Context(), g, civicpin.NewSecret(nextSecret), home)), pin.ErrNoGrant)
}

// pauses holds a call of the first process up before each of its store calls in turn, acts in the second, and looks at what
// came of it.
func pauses(t *testing.T, prepare func(*world), call func(*world) error, act func(*world), after func(t *testing.T, w *world, at int, err error)) {
	t.Helper()
	for at := 1; ; at++ {
		w := newWorld(t)
		prepare(w)
		calls, acted := 0, false
		w.faults.Hook(func(string, string) error {
			if calls++; calls == at {
				acted = true
				act(w)
			}
			return nil
		})
		err := call(w)
		w.faults.Hook(nil)
		if !acted {
			require.Greater(t, at, 3, "there are three pauses at least")
			return
		}
		w.flush()
		after(t, w, at, err)
	}
}

// Whenever in the middle of asking for an address, or of proving it, the desk revokes: nothing of it counts afterwards, though
// the proof itself may have been taken.
func TestRevocationAmid(t *testing.T) {
	revoke := func(w *world) { w.does(w.other.pins.Revoke(t.Context(), rosa, state.Ended, "", clerk.ID)) }
	empty := func(t *testing.T, w *world, at int) {
		w.clock.Add(30 * day)
		require.NotContains(t, w.usable(), thiefMail, "at call %d", at)
	}
	t.Run("asking", func(t *testing.T) {
		pauses(t, func(w *world) { w.enrolled() }, func(w *world) error {
			return testkit.Err(w.contacts.Add(t.Context(), rosa, byThief, civicpin.Citizen, home))
		}, revoke, func(t *testing.T, w *world, at int, err error) {
			if err == nil && len(w.post.To(thiefMail, proveKind)) > 0 {
				_ = w.prove(thiefMail) // asked for after the revocation, perhaps; then it cools down, and is dealt with there
			}
			if c, ok := w.contact(thiefMail); ok {
				require.False(t, c.CoolsUntil.IsZero(), "at call %d", at)
			}
		})
	})
	t.Run("proving", func(t *testing.T) {
		pauses(t, func(w *world) {
			w.enrolled()
			w.asked(byThief, civicpin.Citizen)
		}, func(w *world) error { return w.prove(thiefMail) }, revoke, func(t *testing.T, w *world, at int, _ error) {
			empty(t, w, at)
		})
	})
	t.Run("proving a first one", func(t *testing.T) {
		settled := 0
		pauses(t, func(w *world) {
			w.does(w.issues(w.services))
			w.asked(byThief, civicpin.Citizen)
		}, func(w *world) error { return w.prove(thiefMail) }, revoke, func(t *testing.T, w *world, at int, _ error) {
			// It counts only if it did before the revocation: another process saw it.
			if _, ok := w.contact(thiefMail); ok {
				settled++
			}
		})
		require.LessOrEqual(t, settled, 2, "before the last write, the one that settles, or at it")
	})
}

// Whenever in the middle of a recovery's end, or of a grant's use, staff remove the mailbox: what comes afterwards sets nothing.
func TestRemovalAmid(t *testing.T) {
	removes := func(w *world) { w.remove(w.other, rosaMail, clerk.ID) }
	t.Run("granting", func(t *testing.T) {
		var g pin.Grant
		pauses(t, func(w *world) {
			w.enrolled()
			w.begun("link")
		}, func(w *world) (err error) {
			g, err = w.runs.Finish(t.Context(), w.post.Last(rosaMail, linkKind).Link, home)
			return err
		}, removes, func(t *testing.T, w *world, at int, err error) {
			if err == nil {
				require.ErrorIs(t, testkit.Err(w.pins.Set(t.Context(), g, civicpin.NewSecret(nextSecret), home)), pin.ErrNoGrant, "at call %d", at)
			}
		})
	})
	t.Run("using", func(t *testing.T) {
		var g pin.Grant
		used := 0
		pauses(t, func(w *world) {
			w.enrolled()
			g = w.granted()
		}, func(w *world) error {
			return testkit.Err(w.pins.Set(t.Context(), g, civicpin.NewSecret(nextSecret), home))
		}, removes, func(_ *testing.T, _ *world, _ int, err error) {
			if err == nil {
				used++
			}
		})
		require.Positive(t, used, "held up after it was compared: it was used before")
	})
}

// disputed has Rosa replace a stolen mailbox, and the thief undo that by the link there.
func (w *world) disputed(address string) {
	w.t.Helper()
	stolen, _ := w.contact(address)
	w.does(testkit.Err(w.contacts.Change(w.t.Context(), rosa, stolen.ID, byNew, civicpin.Citizen, home)))
	w.does(w.prove(newMail))
	w.does(w.contacts.Undo(w.t.Context(), w.post.Last(address, changedKind).Link, home))
}

// A thief who has the old mailbox undoes its replacement. The mailbox recovers nothing by that, at once or later, and the
// address that went is told of what happens.
func TestUndoGivesAStolenMailboxNothing(t *testing.T) {
	w := newWorld(t)
	w.enrolled()
	w.disputed(rosaMail)
	_, there := w.contact(rosaMail)
	require.True(t, there)
	for range 3 {
		require.Equal(t, []string{rosaPhone, rosaPEC}, w.usable())
		before := len(w.post.To(rosaMail, linkKind))
		w.begun("link")
		require.Len(t, w.post.To(rosaMail, linkKind), before)
		told := len(w.post.To(newMail, "pin.changed"))
		w.does(testkit.Err(w.contacts.Notify(t.Context(), rosa, "pin.changed", nil)))
		if w.clock.Now().Before(time.Date(2026, 3, 5, 0, 0, 0, 0, time.UTC)) {
			require.Len(t, w.post.To(newMail, "pin.changed"), told+1)
		}
		w.clock.Add(10 * day)
	}
	w.does(w.contacts.Adopt(t.Context(), rosa, []civicpin.Contact{byMail}, clerk.ID, home))
	require.Equal(t, []string{rosaPhone, rosaMail, rosaPEC}, w.usable(), "seen by staff")
}
