package main

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/examples/internal/agency"
	"github.com/civicpin/civicpin/examples/internal/play/playtest"
	"github.com/civicpin/civicpin/examples/internal/post"
	"github.com/civicpin/civicpin/internal/twoworlds"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/pin/state"
	"github.com/civicpin/civicpin/recovery/plan"
	"github.com/civicpin/civicpin/store"
)

// stage is a tale on a stage of its own.
type stage struct {
	*tale
	playtest.Scene
}

// newStage sets a stage on which time stands still but for what the story skips.
func newStage(t *testing.T) *stage { return newStageFor(t, agency.INPS()) }

func newStageFor(t *testing.T, policy pin.Policy) *stage {
	t.Helper()
	scene := playtest.Open(t, newPlay(), time.Date(2026, 3, 9, 12, 0, 0, 0, time.UTC))
	tale, err := newTale(scene.Set, policy)
	require.NoError(t, err)
	return &stage{tale, scene}
}

func (s *stage) status(t *testing.T, subject civicpin.Subject) pin.Status {
	t.Helper()
	st, err := s.pins.Status(t.Context(), subject)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// verify tries a PIN of Maria's.
func (s *stage) verify(t *testing.T, typed string) (pin.Verified, error) {
	t.Helper()
	return s.pins.Verify(t.Context(), s.maria.attempt(typed))
}

// want checks what a credential has come to.
func want(t *testing.T, st pin.Status, in state.Credential, level civicpin.Level, method civicpin.Method) {
	t.Helper()
	var proved civicpin.Method
	if n := len(st.Evidence); n > 0 {
		proved = st.Evidence[n-1].Method
	}
	if st.State != in || st.Level != level || proved != method || st.Suspended || st.Expired != "" || st.Lockout.Locked != nil {
		t.Errorf("%+v, want %s, %s by %q", st, in, level, method)
	}
}

// TestActs plays one act after the other, and looks behind the scene after each.
func TestActs(t *testing.T) {
	t.Parallel()
	s := newStage(t)

	t.Run("contacts", func(t *testing.T) {
		s.Act(t, s.register)
		if s.maria.subject() != "RSSMRA85T50A562W" || len(s.maria.contacts) != 3 {
			t.Errorf("%+v", s.maria)
		}
		if _, err := s.pins.Status(t.Context(), s.maria.subject()); !errors.Is(err, pin.ErrNoCredential) {
			t.Errorf("the refused issue left a credential: %v", err)
		}
	})
	t.Run("request", func(t *testing.T) {
		s.Act(t, s.request)
		st := s.status(t, s.maria.subject())
		want(t, st, state.Provisional, civicpin.Low, "")
		if st.Parts[0].State != state.Delivered || st.Parts[1].State != state.Accepted {
			t.Errorf("parts %+v", st.Parts)
		}
		if d := st.ExpiresAt.Sub(st.IssuedAt); d != 7*day {
			t.Errorf("valid for %v", d)
		}
		for channel, n := range map[int]int{0: 2, 1: 2} { // each was sent again once
			all, err := s.Inbox.All(s.maria.contacts[channel].Address)
			if err != nil || len(all) != n || all[0].Code() != all[1].Code() {
				t.Errorf("half %d came as %+v, %v", channel+1, all, err)
			}
		}
		if s.halves[0] == s.halves[1] || len(plain(s.halves[0])) != 8 || len(plain(s.halves[1])) != 8 {
			t.Errorf("halves %q", s.halves)
		}
		ok, err := s.verify(t, strings.ToLower(s.halves[0]+"-"+s.halves[1]))
		if err != nil || !ok.MustExchange || ok.Level != civicpin.NoLevel {
			t.Errorf("%+v, %v", ok, err)
		}
	})
	t.Run("exchange", func(t *testing.T) {
		half := civicpin.NewSecret(s.halves[0])
		if _, err := s.pins.Exchange(t.Context(), s.maria.attempt(s.halves[0]+s.halves[1]), half); !errors.Is(err, pin.ErrUnfitSecret) {
			t.Errorf("a half of the PIN as her own: %v", err)
		}
		s.Act(t, s.exchange)
		want(t, s.status(t, s.maria.subject()), "active", civicpin.Low, "")
		for _, typed := range []string{s.halves[0] + s.halves[1], "12345678", "RSSMRA85"} {
			if _, err := s.verify(t, typed); !errors.Is(err, pin.ErrRefused) {
				t.Errorf("%q: %v", typed, err)
			}
		}
		for _, typed := range []string{"QZ7WK4PM", " qz7w-k4 pm "} {
			if ok, err := s.verify(t, typed); err != nil || ok.MustExchange || ok.Level != civicpin.Low {
				t.Errorf("%q: %+v, %v", typed, ok, err)
			}
		}
	})
	t.Run("other ways", func(t *testing.T) {
		before := s.Clock.Now()
		s.Act(t, s.otherWays)
		if d := s.Clock.Now().Sub(before); d <= 7*day || d >= 21*day {
			t.Errorf("the letter took %v", d)
		}
		luigi := s.status(t, luigiCF)
		want(t, luigi, state.Active, civicpin.Low, "")
		if luigi.Parts[0].Contact.Channel != civicpin.SMS || luigi.Parts[1].Contact.Channel != civicpin.Letter {
			t.Errorf("Luigi's parts: %+v", luigi.Parts)
		}
		anna := s.status(t, annaCF)
		want(t, anna, state.Active, civicpin.Substantial, civicpin.InPerson)
		if anna.Parts[0].Contact.Channel != civicpin.HandedOver || anna.Evidence[0].By != clerk || anna.Evidence[0].Document == "" {
			t.Errorf("Anna: %+v", anna)
		}
	})
	t.Run("file", func(t *testing.T) {
		s.Act(t, s.file)
		e, err := s.claims.Get(t.Context(), store.Key{Subject: s.maria.subject()})
		if err != nil || len(e.Value) != 1 || !e.Value[0].Held {
			t.Errorf("claims %+v, %v", e.Value, err)
		}
	})
	t.Run("guesses", func(t *testing.T) {
		before := s.Clock.Now()
		s.Act(t, s.guesses)
		if d := s.Clock.Now().Sub(before); d != 15*time.Minute {
			t.Errorf("the lock lasted %v", d)
		}
		want(t, s.status(t, s.maria.subject()), state.Active, civicpin.Low, "")
	})
	t.Run("upgrade", func(t *testing.T) {
		s.Act(t, s.upgrade)
		if s.maria.source.Shown.IsZero() {
			t.Error("a login opens no reserve")
		}
		want(t, s.status(t, s.maria.subject()), "active", civicpin.Substantial, civicpin.UploadedDocument)
		e, err := s.claims.Get(t.Context(), store.Key{Subject: s.maria.subject()})
		if err != nil || len(e.Value) != 1 || e.Value[0].Held {
			t.Errorf("claims %+v, %v", e.Value, err)
		}
	})
	t.Run("expiry", func(t *testing.T) {
		before := s.Clock.Now()
		s.Act(t, s.expiry)
		if d := s.Clock.Now().Sub(before); d != 270*day {
			t.Errorf("%v went by", d)
		}
		want(t, s.status(t, s.maria.subject()), state.Active, civicpin.Substantial, civicpin.InPerson)
		for _, typed := range ownPINs[:2] {
			if _, err := s.verify(t, typed); !errors.Is(err, pin.ErrRefused) {
				t.Errorf("%q: %v", typed, err)
			}
		}
	})
	t.Run("forgotten", func(t *testing.T) {
		s.Act(t, s.forgotten)
		want(t, s.status(t, s.maria.subject()), "active", civicpin.Substantial, civicpin.InPerson)
		if _, err := s.verify(t, ownPINs[2]); !errors.Is(err, pin.ErrRefused) {
			t.Errorf("the lost PIN: %v", err)
		}
		for _, c := range s.maria.contacts {
			if all, err := s.Inbox.All(c.Address); err != nil || !slices.ContainsFunc(all, isNotice) {
				t.Errorf("%s was not told: %v", c.Channel, err)
			}
		}
	})
	t.Run("not me", func(t *testing.T) {
		s.Act(t, s.NextDay("The next day", s.notMe))
		st := s.status(t, s.maria.subject())
		want(t, st, state.Active, civicpin.Substantial, civicpin.InPerson)
		if st.Parts[0].Contact.Channel != civicpin.HandedOver {
			t.Errorf("parts %+v", st.Parts)
		}
	})
	t.Run("doors", func(t *testing.T) {
		s.Act(t, s.doors)
		want(t, s.status(t, s.maria.subject()), "active", civicpin.Substantial, civicpin.InPerson)
	})
	t.Run("lost", func(t *testing.T) {
		if err := s.Clock.Skip(4 * day); err != nil { // each forgives one of the wrong PINs that were tried above
			t.Fatal(err)
		}
		s.Act(t, s.NextDay("The next day", s.lost))
		st := s.status(t, s.maria.subject())
		want(t, st, state.Active, civicpin.Low, "")
		if st.Parts[1].Contact.Channel != post.CitizenCertifiedEmail {
			t.Errorf("parts %+v", st.Parts)
		}
		if _, err := s.verify(t, ownPINs[4]); !errors.Is(err, pin.ErrRefused) {
			t.Errorf("the stolen PIN: %v", err)
		}
		if ok, err := s.verify(t, ownPINs[5]); err != nil || ok.Level != civicpin.Low {
			t.Errorf("the new one: %+v, %v", ok, err)
		}
	})
	// The database is still open, and much of it in its write-ahead log.
	checkLeaks(t, s.DB)
}

// isNotice reports whether a message tells of a recovery.
func isNotice(m post.Mail) bool {
	return m.Code() == "" && strings.Contains(m.Subject+m.Text, "accesso è stato recuperato")
}

// TestDisabled: after too many wrong guesses in a row the story ends, and goes on when a clerk has seen the identity card.
func TestDisabled(t *testing.T) {
	t.Parallel()
	policy := agency.INPS()
	policy.Lockout.Ceiling, policy.Lockout.Devices = 7, 0 // 50 would take seconds
	s := newStageFor(t, policy)
	s.Act(t, s.register)
	s.Act(t, s.request)
	var locked *lockout.LockedError
	for range s.pins.Policy().Lockout.Ceiling {
		_, err := s.verify(t, "wrong")
		if errors.As(err, &locked) && !locked.Disabled {
			if err := s.Clock.Skip(locked.Until.Sub(s.Clock.Now())); err != nil {
				t.Fatal(err)
			}
		}
	}
	if locked == nil || !locked.Disabled {
		t.Fatalf("not disabled: %v", locked)
	}
	if err := s.End(s.exchange(t.Context())); err != nil {
		t.Errorf("the story fails: %v", err)
	}
	playtest.InOrder(t, s.Printed(), "this one is disabled. Come to an office", "There the story ends")

	if err := s.Clock.Skip(day); err != nil {
		t.Fatal(err)
	}
	playtest.InOrder(t, s.Act(t, s.request), "was disabled. A clerk has seen the identity card")
	s.Act(t, s.exchange)
	want(t, s.status(t, s.maria.subject()), "active", civicpin.Low, civicpin.InPerson)
}

// TestContactsThatCarryHalves issues to every two kinds of contact, and has both halves found.
func TestContactsThatCarryHalves(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	kinds, err := readContacts("3331234567, maria@example.it, pec maria@pec.example, pec cittadino maria@cec.example", "it")
	if err != nil {
		t.Fatal(err)
	}
	if s.maria, err = newCitizen("Maria Rossi", "RSSMRA85T50A562W", s.Clock.Now()); err != nil {
		t.Fatal(err)
	}
	for i, first := range kinds {
		for _, second := range kinds[:i] {
			if err := s.Clock.Skip(8 * day); err != nil { // while an issue is good, its halves would come again to where it went
				t.Fatal(err)
			}
			o := pin.IssueOptions{Parts: []civicpin.Contact{first, second}, By: civicpin.Citizen}
			if _, err := s.issue(t.Context(), s.maria, o); err != nil {
				t.Fatalf("%s and %s: %v", first.Channel, second.Channel, err)
			}
			var typed strings.Builder
			for _, c := range o.Parts {
				m, err := s.Inbox.Last(c.Address)
				if err != nil || m.Channel != c.Channel || (m.Subject == "") != (c.Channel == civicpin.SMS) {
					t.Errorf("%s: %+v, %v", c.Channel, m, err)
				}
				typed.WriteString(m.Code())
			}
			if ok, err := s.verify(t, typed.String()); err != nil || !ok.MustExchange {
				t.Errorf("%s and %s: %+v, %v", first.Channel, second.Channel, ok, err)
			}
		}
	}
}

// TestClaims: the level at which a citizen is logged in decides over their own claims, and over no others.
func TestClaims(t *testing.T) {
	s := newStage(t)
	ctx := t.Context()
	file := func(subject civicpin.Subject, level civicpin.Level, wantHeld bool) {
		t.Helper()
		if held, err := s.fileClaim(ctx, subject, level, "claim at "+level.String()); err != nil || held != wantHeld {
			t.Errorf("%s: held %v, %v", level, held, err)
		}
	}
	file("maria", civicpin.NoLevel, true)
	file("maria", civicpin.Low, true)
	file("maria", civicpin.Substantial, false)
	file("luigi", civicpin.Low, true)
	for _, c := range []struct {
		subject civicpin.Subject
		level   civicpin.Level
		want    string
	}{
		{"maria", civicpin.Low, ""},
		{"anna", civicpin.High, ""},
		{"maria", civicpin.Substantial, "claim at none, claim at low"},
		{"maria", civicpin.High, ""},
		{"luigi", civicpin.High, "claim at low"},
	} {
		released, err := s.release(ctx, c.subject, c.level)
		if got := strings.Join(released, ", "); got != c.want || err != nil {
			t.Errorf("%s at %s releases %q, %v; want %q", c.subject, c.level, got, err, c.want)
		}
	}
}

// TestPolicy: the numbers that the story tells are those of the policy.
func TestPolicy(t *testing.T) {
	s := newStage(t)
	p := s.pins.Policy()
	if p.Parts != 2 || p.Length != 8 || p.MaxAge != 90*day || p.MaxUnused != 180*day || p.Valid[civicpin.Letter] != 21*day ||
		p.Lockout.Limit != 5 || p.Valid[post.CitizenCertifiedEmail] == 0 {
		t.Errorf("%+v", p)
	}
}

// TestTwoWorlds: under these policies and plans no visitor can tell in which state a citizen is.
func TestTwoWorlds(t *testing.T) {
	playtest.TwoWorlds(t, twoworlds.Setup{
		Pin: agency.INPS(), Contacts: contact.Policy{Decoys: []civicpin.Contact{}}, Plans: []plan.Plan{lostPIN},
		Mail: []civicpin.Channel{post.CitizenCertifiedEmail},
	})
}
