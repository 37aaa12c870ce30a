package otp_test

import (
	"testing"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/storetest"
)

func TestUnprintableTextsOfCodes(t *testing.T) {
	faults := storetest.NewFaults(store.NewMemory())
	k := newCodeKitOn(t, faults.Store(), sms(), newClock(), &testkit.Mailbox{}, &testkit.Recorder{})
	ctx := t.Context()
	request := func(subject civicpin.Subject, act string, params map[string]string) error {
		o := toAna()
		o.Params = params
		return testkit.Err(k.Request(ctx, subject, otp.Purpose{Act: act}, o))
	}
	verify := func(subject civicpin.Subject, act string) error {
		return k.Verify(ctx, subject, otp.Purpose{Act: act}, badID, civicpin.NewSecret("123456"), home)
	}
	person := func(text string) civicpin.Subject { return civicpin.Subject(text) }
	testkit.Refuses(t, faults, map[string]func(string) error{
		"Request, subject":   func(s string) error { return request(person(s), "pay", nil) },
		"Request, act":       func(s string) error { return request(ana, s, nil) },
		"Request, parameter": func(s string) error { return request(ana, "pay", map[string]string{"act": s}) },
		"Request, name":      func(s string) error { return request(ana, "pay", map[string]string{s: "pay"}) },
		"Verify, subject":    func(s string) error { return verify(person(s), "pay") },
		"Verify, act":        func(s string) error { return verify(ana, s) },
		"Resend, subject":    func(s string) error { return k.Resend(ctx, person(s), badID, home) },
		"Cancel, subject":    func(s string) error { return k.Cancel(ctx, person(s), badID, desk) },
		"Cancel, operator":   func(s string) error { return k.Cancel(ctx, ana, badID, civicpin.Operator(s)) },
		"Pending, subject":   func(s string) error { return testkit.Err(k.Pending(ctx, person(s))) },
		"Unlock, subject":    func(s string) error { return k.Unlock(ctx, person(s), desk) },
		"Unlock, operator":   func(s string) error { return k.Unlock(ctx, ana, civicpin.Operator(s)) },
		"Rebind, operator":   func(s string) error { return k.Rebind(ctx, ana, civicpin.Operator(s)) },
		"Status, subject":    func(s string) error { return testkit.Err(k.Status(ctx, person(s))) },
	})
}

func TestUnprintableTextsOfKeys(t *testing.T) {
	faults := storetest.NewFaults(store.NewMemory())
	f := totpOn(t, faults.Store(), otp.TOTPPolicy{Name: "app"}, newClock(), &testkit.Recorder{})
	ctx := t.Context()
	imports := func(subject civicpin.Subject, by civicpin.Actor, issuer, account string) error {
		return f.Import(ctx, subject, otp.Key{
			Issuer: issuer, Account: account, Seed: civicpin.NewSecret("12345678901234567890"), Algorithm: otp.SHA1, Digits: 6,
			Period: 30 * time.Second,
		}, by)
	}
	rebind := func(subject civicpin.Subject, e civicpin.Evidence) error {
		return testkit.Err(f.Rebind(ctx, subject, e))
	}
	person := func(text string) civicpin.Subject { return civicpin.Subject(text) }
	testkit.Refuses(t, faults, map[string]func(string) error{
		"Enrol, subject":   func(s string) error { return testkit.Err(f.Enrol(ctx, person(s))) },
		"Import, subject":  func(s string) error { return imports(person(s), fobClerk, "", "") },
		"Import, operator": func(s string) error { return imports(ada, civicpin.Operator(s), "", "") },
		"Import, issuer":   func(s string) error { return imports(ada, fobClerk, s, "") },
		"Import, account":  func(s string) error { return imports(ada, fobClerk, "", s) },
		"Rebind, subject":  func(s string) error { return rebind(person(s), inPerson) },
		"Rebind, document": func(s string) error {
			return rebind(ada, civicpin.Evidence{Method: civicpin.InPerson, By: fobClerk, Document: s})
		},
		"Rebind, operator": func(s string) error {
			return rebind(ada, civicpin.Evidence{Method: civicpin.InPerson, By: civicpin.Operator(s)})
		},
		"Enrolled, subject": func(s string) error { return testkit.Err(f.Enrolled(ctx, person(s))) },
		"Remove, subject":   func(s string) error { return f.Remove(ctx, person(s), fobClerk) },
		"Remove, operator":  func(s string) error { return f.Remove(ctx, ada, civicpin.Operator(s)) },
		"Unlock, subject":   func(s string) error { return f.Unlock(ctx, person(s), fobClerk) },
		"Unlock, operator":  func(s string) error { return f.Unlock(ctx, ada, civicpin.Operator(s)) },
		"Verify, subject":   func(s string) error { return f.Verify(ctx, person(s), civicpin.NewSecret("123456"), fobSource) },
	})
}

func TestUnprintableTextsOfBackupCodes(t *testing.T) {
	faults := storetest.NewFaults(store.NewMemory())
	k := newBackupKitOn(t, faults.Store(), otp.BackupPolicy{Name: "paper"}, newClock(), &testkit.Recorder{})
	ctx := t.Context()
	person := func(text string) civicpin.Subject { return civicpin.Subject(text) }
	testkit.Refuses(t, faults, map[string]func(string) error{
		"Issue, subject":   func(s string) error { return testkit.Err(k.Issue(ctx, person(s), desk)) },
		"Issue, operator":  func(s string) error { return testkit.Err(k.Issue(ctx, ana, civicpin.Operator(s))) },
		"Left, subject":    func(s string) error { return testkit.Err(k.Left(ctx, person(s))) },
		"Revoke, subject":  func(s string) error { return k.Revoke(ctx, person(s), desk) },
		"Revoke, operator": func(s string) error { return k.Revoke(ctx, ana, civicpin.Operator(s)) },
		"Verify, subject":  func(s string) error { return k.Verify(ctx, person(s), civicpin.NewSecret("12345"), home) },
		"Unlock, operator": func(s string) error { return k.Unlock(ctx, ana, civicpin.Operator(s)) },
		"Rebind, operator": func(s string) error { return k.Rebind(ctx, ana, civicpin.Operator(s)) },
		"Status, subject":  func(s string) error { return testkit.Err(k.Status(ctx, person(s))) },
	})
}
