package contact_test

import (
	"testing"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/storetest"
)

func TestUnprintableTexts(t *testing.T) {
	faults := storetest.NewFaults(store.NewMemory())
	k := newBookKitOn(t, faults.Store(), bookConfig(), newBookClock(), &testkit.Mailbox{}, &testkit.Recorder{})
	_, mail := k.enrolled(t)
	ctx := t.Context()
	add := func(subject civicpin.Subject, to civicpin.Contact, by civicpin.Actor) error {
		return testkit.Err(k.Add(ctx, subject, to, by, bookHome))
	}
	change := func(subject civicpin.Subject, to civicpin.Contact, by civicpin.Actor) error {
		return testkit.Err(k.Change(ctx, subject, mail.ID, to, by, bookHome))
	}
	adopt := func(subject civicpin.Subject, to civicpin.Contact, by civicpin.Actor) error {
		return k.Adopt(ctx, subject, []civicpin.Contact{to}, by, bookHome)
	}
	remove := func(subject civicpin.Subject, _ civicpin.Contact, by civicpin.Actor) error {
		return k.Remove(ctx, subject, mail.ID, by, bookHome)
	}
	primary := func(subject civicpin.Subject, _ civicpin.Contact, by civicpin.Actor) error {
		return k.MakePrimary(ctx, subject, mail.ID, by, bookHome)
	}
	calls := map[string]func(string) error{
		"Notify, subject": func(s string) error { return k.tells(ctx, civicpin.Subject(s), "pin.changed", nil) },
		"Notify, kind":    func(s string) error { return k.tells(ctx, rosa, civicpin.MessageKind(s), nil) },
		"Notify, parameter": func(s string) error {
			return k.tells(ctx, rosa, "pin.changed", map[string]string{"when": s})
		},
		"Notify, parameter's name": func(s string) error {
			return k.tells(ctx, rosa, "pin.changed", map[string]string{s: "now"})
		},
		"ProveCode, subject": func(s string) error {
			return k.ProveCode(ctx, civicpin.Subject(s), civicpin.NewSecret("ABCD2345"), bookHome)
		},
		"List, subject": func(s string) error {
			_, _, err := k.List(ctx, civicpin.Subject(s))
			return err
		},
	}
	for name, act := range map[string]func(civicpin.Subject, civicpin.Contact, civicpin.Actor) error{
		"Add": add, "Change": change, "Adopt": adopt, "Remove": remove, "MakePrimary": primary,
	} {
		calls[name+", subject"] = func(s string) error { return act(civicpin.Subject(s), byNewMail, bookClerk) }
		calls[name+", operator"] = func(s string) error { return act(rosa, byNewMail, civicpin.Operator(s)) }
		if name == "Remove" || name == "MakePrimary" {
			continue
		}
		calls[name+", address"] = func(s string) error {
			return act(rosa, civicpin.Contact{Channel: civicpin.Email, Address: s + "@example.org"}, bookClerk)
		}
		calls[name+", locale"] = func(s string) error {
			return act(rosa, civicpin.Contact{Channel: civicpin.Email, Address: newMail, Locale: s}, bookClerk)
		}
	}
	testkit.Refuses(t, faults, calls)
}
