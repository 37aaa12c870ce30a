package pin_test

import (
	"testing"

	"github.com/civicpin/civicpin/pin/state"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/storetest"
)

func TestUnprintableTexts(t *testing.T) {
	faults := storetest.NewFaults(store.NewMemory())
	k := newKitOn(t, faults.Store(), pin.INPS(), newClock(), &testkit.Mailbox{}, &testkit.Recorder{})
	k.exchanged(t)
	ctx := t.Context()
	seen := func(e civicpin.Evidence) civicpin.Evidence {
		if e.By == "" {
			e.By = clerk
		}
		if e.Method == "" {
			e.Method = civicpin.InPerson
		}
		return e
	}
	issue := func(change func(*pin.IssueOptions)) error {
		o := inps()
		change(&o)
		return testkit.Err(k.Issue(ctx, maria, o))
	}
	imports := func(subject civicpin.Subject, o pin.ImportOptions) error {
		return k.Import(ctx, subject, civicpin.NewSecret("$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy"), o)
	}
	person := func(text string) civicpin.Subject { return civicpin.Subject(text) }
	testkit.Refuses(t, faults, map[string]func(string) error{
		"Issue, subject":  func(s string) error { return testkit.Err(k.Issue(ctx, person(s), inps())) },
		"Issue, operator": func(s string) error { return issue(func(o *pin.IssueOptions) { o.By = civicpin.Operator(s) }) },
		"Issue, locale":   func(s string) error { return issue(func(o *pin.IssueOptions) { o.Parts[0].Locale = s }) },
		"Issue, document": func(s string) error {
			return issue(func(o *pin.IssueOptions) { o.Evidence = seen(civicpin.Evidence{Document: s}) })
		},
		"Issue, method": func(s string) error {
			return issue(func(o *pin.IssueOptions) { o.Evidence = seen(civicpin.Evidence{Method: civicpin.Method(s)}) })
		},
		"Import, subject":  func(s string) error { return imports(person(s), pin.ImportOptions{By: clerk}) },
		"Import, operator": func(s string) error { return imports("imported", pin.ImportOptions{By: civicpin.Operator(s)}) },
		"Verify, subject":  func(s string) error { return testkit.Err(k.Verify(ctx, pin.Attempt{Subject: person(s)})) },
		"Exchange, subject": func(s string) error {
			return testkit.Err(k.Exchange(ctx, pin.Attempt{Subject: person(s)}, civicpin.NewSecret(changed)))
		},
		"Change, subject": func(s string) error {
			return testkit.Err(k.Change(ctx, pin.Attempt{Subject: person(s)}, civicpin.NewSecret(changed)))
		},
		"Attest, subject":  func(s string) error { return k.Attest(ctx, person(s), seen(civicpin.Evidence{})) },
		"Attest, document": func(s string) error { return k.Attest(ctx, maria, seen(civicpin.Evidence{Document: s})) },
		"Attest, operator": func(s string) error { return k.Attest(ctx, maria, seen(civicpin.Evidence{By: civicpin.Operator(s)})) },
		"Suspend, reason":  func(s string) error { return k.Suspend(ctx, maria, s, clerk) },
		"Resume, reason":   func(s string) error { return k.Resume(ctx, maria, s, clerk) },
		"LowerLevel, reason": func(s string) error {
			return k.LowerLevel(ctx, maria, civicpin.Low, k.clock.Now().Add(day), s, clerk)
		},
		"Stop, reason":      func(s string) error { return k.Stop(ctx, maria, s, clerk) },
		"Revoke, reason":    func(s string) error { return k.Revoke(ctx, "revoked", s, clerk) },
		"Revoke, operator":  func(s string) error { return k.Revoke(ctx, "revoked", "", civicpin.Operator(s)) },
		"Revoke, subject":   func(s string) error { return k.Revoke(ctx, person(s), "", clerk) },
		"Unlock, subject":   func(s string) error { return k.Unlock(ctx, person(s), clerk) },
		"Unlock, operator":  func(s string) error { return k.Unlock(ctx, maria, civicpin.Operator(s)) },
		"Resend, subject":   func(s string) error { return k.Resend(ctx, person(s), 0, civicpin.Source{}) },
		"Reprint, subject":  func(s string) error { return testkit.Err(k.Reprint(ctx, person(s), clerk)) },
		"Reprint, operator": func(s string) error { return testkit.Err(k.Reprint(ctx, maria, civicpin.Operator(s))) },
		"Receipt":           func(s string) error { return k.Receipt(ctx, s, state.Delivered) },
		"Status, subject":   func(s string) error { return testkit.Err(k.Status(ctx, person(s))) },
		"Epoch, subject":    func(s string) error { return testkit.Err(k.Epoch(ctx, person(s))) },
		"Shown, subject":    func(s string) error { return testkit.Err(k.Shown(ctx, person(s), civicpin.Source{})) },
		"Mark, subject":     func(s string) error { return testkit.Err(k.Mark(ctx, person(s))) },
	})
}
