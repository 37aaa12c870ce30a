package otp_test

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/internal/password"
	"github.com/civicpin/civicpin/internal/shown"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
	"github.com/civicpin/civicpin/store/storetest"
)

// The names of the gates are stored: under another one, failures would be forgotten and locks would end.
func TestGateNames(t *testing.T) {
	k := newBackupKit(t)
	memory, clock, events := k.memory, k.clock, k.events
	wrong := civicpin.NewSecret("000000")
	for name, guess := range map[string]func(context.Context) error{
		"totp.a": func(ctx context.Context) error {
			return totpOn(t, memory, otp.TOTPPolicy{Name: "a"}, clock, events).Verify(ctx, ana, wrong, home)
		},
		"hotp.a": func(ctx context.Context) error {
			return hotpOn(t, memory, otp.HOTPPolicy{Name: "a"}, clock, events).Verify(ctx, ana, wrong, home)
		},
		"backup.a": func(ctx context.Context) error {
			return newBackupKitOn(t, memory, otp.BackupPolicy{Name: "a"}, clock, events).Verify(ctx, ana, wrong, home)
		},
		"code.sms": func(ctx context.Context) error {
			codes := newCodeKitOn(t, memory, otp.SMS(), clock, &testkit.Mailbox{}, events)
			req, err := codes.Request(ctx, ana, paying, otp.RequestOptions{Source: home})
			require.NoError(t, err)
			return codes.Verify(ctx, ana, paying, req.ID, wrong, home)
		},
	} {
		require.ErrorIs(t, guess(t.Context()), otp.ErrRefused, name)
		require.Equal(t, 1, failuresAt(t, k.vault, name, ana), name)
	}
}

// A tally counts what the calls of a service over its store cost.
type tally struct {
	t      *testing.T
	faults *storetest.Faults
	costs  *testkit.Costs
	hashes func() int64 // nil if the service does not hash
}

// count counts a call that succeeds.
func (c *tally) count(call, when string, do func() error) {
	c.t.Helper()
	c.costs.Count(c.t, call, when, c.faults, c.hashes, func() { require.NoError(c.t, do()) })
}

// refused counts a call that is refused.
func (c *tally) refused(call, when string, do func() error) {
	c.t.Helper()
	c.count(call, when, func() error { require.Error(c.t, do()); return nil })
}

// TestStoreCalls counts what docs/costs.md says.
func TestStoreCalls(t *testing.T) {
	var costs testkit.Costs
	totpCosts(t, &costs)
	hotpCosts(t, &costs)
	codeCosts(t, &costs)
	backupCosts(t, &costs)
	restCosts(t, &costs)
	costs.Compare(t, "otp")
}

func totpCosts(t *testing.T, costs *testkit.Costs) {
	f := newTOTP(t, otp.TOTPPolicy{})
	c := &tally{t: t, faults: f.faults, costs: costs}
	ctx := t.Context()
	enrol := func() error { return testkit.Err(f.Enrol(ctx, ada)) }
	verify := func(subject civicpin.Subject, code string) func() error {
		return func() error { return f.Verify(ctx, subject, civicpin.NewSecret(code), fobSource) }
	}
	c.count("TOTP.Enrol", "", enrol)
	key := f.enrol(t)
	c.count("TOTP.Verify", "right", verify(ada, f.shown(key, 0))) // the first code
	f.clock.Add(time.Minute)
	code := f.shown(key, 0)
	c.count("TOTP.Verify", "right", verify(ada, code))
	c.refused("TOTP.Verify", "wrong, or used", verify(ada, code))
	for _, subject := range []civicpin.Subject{ada, "NOBODY"} {
		c.refused("TOTP.Verify", "wrong, or used", verify(subject, f.wrongCode(key)))
	}
	f.clock.Add(time.Minute)
	c.count("TOTP.Verify", "right", verify(ada, f.shown(key, 0))) // after a wrong one
	for _, subject := range []civicpin.Subject{ada, "NOBODY"} {
		for range 5 {
			_ = verify(subject, f.wrongCode(key))()
		}
		c.refused("TOTP.Verify", "locked", verify(subject, f.shown(key, 0)))
	}
	keyCosts(c, "TOTP", f, key)
}

// keyCalls are the calls that a TOTP and a HOTP have in common.
type keyCalls interface {
	Enrol(ctx context.Context, subject civicpin.Subject) (otp.Key, error)
	Enrolled(ctx context.Context, subject civicpin.Subject) (otp.KeyStatus, error)
	Rebind(ctx context.Context, subject civicpin.Subject, proof civicpin.Evidence) (otp.Key, error)
	Remove(ctx context.Context, subject civicpin.Subject, by civicpin.Actor) error
	Import(ctx context.Context, subject civicpin.Subject, key otp.Key, by civicpin.Actor) error
	Unlock(ctx context.Context, subject civicpin.Subject, by civicpin.Actor) error
}

// keyCosts are those of a service whose guesses at Ada's key are locked.
func keyCosts(c *tally, name string, f keyCalls, key otp.Key) {
	ctx := c.t.Context()
	c.count(name+".Unlock", "", func() error { return f.Unlock(ctx, ada, fobClerk) })
	c.count(name+".Enrol", "", func() error { return testkit.Err(f.Enrol(ctx, ada)) })
	c.count(name+".Enrolled", "", func() error { return testkit.Err(f.Enrolled(ctx, ada)) })
	c.count(name+".Rebind", "", func() error { return testkit.Err(f.Rebind(ctx, ada, inPerson)) })
	c.count(name+".Remove", "", func() error { return f.Remove(ctx, ada, fobClerk) })
	c.count(name+".Import", "", func() error { return f.Import(ctx, ada, key, fobClerk) })
}

func hotpCosts(t *testing.T, costs *testkit.Costs) {
	f := newHOTP(t, otp.HOTPPolicy{})
	c := &tally{t: t, faults: f.faults, costs: costs}
	key := f.enrolled(t)
	verify := func(code string) func() error {
		return func() error { return f.Verify(t.Context(), ada, civicpin.NewSecret(code), fobSource) }
	}
	resync := func(first, second string) func() error {
		return func() error {
			return f.HOTP.Resync(t.Context(), ada, civicpin.NewSecret(first), civicpin.NewSecret(second), fobSource)
		}
	}
	c.count("HOTP.Verify", "right", verify(codeAt(key, 1)))
	c.refused("HOTP.Verify", "wrong, or used", verify(codeAt(key, 1)))
	c.count("HOTP.Resync", "right", resync(codeAt(key, 60), codeAt(key, 61)))
	c.refused("HOTP.Resync", "wrong, or used", resync(codeAt(key, 60), codeAt(key, 61)))
	for range 5 {
		_ = verify(codeAt(key, 1))()
	}
	c.refused("HOTP.Verify", "locked", verify(codeAt(key, 62)))
	c.refused("HOTP.Resync", "locked", resync(codeAt(key, 62), codeAt(key, 63)))
	keyCosts(c, "HOTP", f, key)
}

func codeCosts(t *testing.T, costs *testkit.Costs) {
	k := newCodeKit(t, sms())
	c := &tally{t: t, faults: k.faults, costs: costs}
	request := func(subject civicpin.Subject, o otp.RequestOptions) func() error {
		return func() error { return testkit.Err(k.Request(t.Context(), subject, filing, o)) }
	}
	verify := func(id, typed string) func() error { return func() error { return k.verify(t, id, typed) } }
	for _, subject := range []civicpin.Subject{ana, luis} {
		o := otp.RequestOptions{}
		if subject == ana {
			o = toAna()
		}
		c.count("Codes.Request", "", request(subject, o))
		o.Source = home
		c.count("Codes.Request", "source", request(subject, o))
	}
	require.NoError(t, k.out.Flush(t.Context()))
	req, sent := k.asked(t)
	c.count("Codes.Pending", "three codes wait", func() error { return testkit.Err(k.Pending(t.Context(), ana)) })
	c.count("Codes.Resend", "", func() error { return k.Resend(t.Context(), ana, req.ID, civicpin.Source{}) })
	c.refused("Codes.Verify", "right or wrong", verify(req.ID, otherThan(sent)))
	c.count("Codes.Verify", "right or wrong", verify(req.ID, sent))
	c.refused("Codes.Verify", "right or wrong", verify(req.ID, sent)) // used
	c.refused("Codes.Verify", "right or wrong", verify(badID, sent))  // unknown
	c.refused("Codes.Verify", "right or wrong", func() error {
		return k.Verify(t.Context(), luis, filing, badID, civicpin.NewSecret(sent), home)
	})
	c.refused("Codes.Verify", "right or wrong, after a login", func() error {
		return k.Verify(t.Context(), ana, filing, badID, civicpin.NewSecret(sent), k.showing(shown.Login))
	})
	req, sent = k.asked(t)
	k.clock.Add(11 * time.Minute)
	c.refused("Codes.Verify", "right or wrong", verify(req.ID, sent)) // late
	req, _ = k.asked(t)
	c.count("Codes.Cancel", "", func() error { return k.Cancel(t.Context(), ana, req.ID, civicpin.Citizen) })
	for range 5 {
		_ = k.verify(t, req.ID, "wrong")
	}
	c.refused("Codes.Verify", "locked", verify(req.ID, sent))
	c.count("Codes.Status", "", func() error { return testkit.Err(k.Status(t.Context(), ana)) })
	c.count("Codes.Unlock", "", func() error { return k.Unlock(t.Context(), ana, desk) })
	c.count("Codes.Rebind", "", func() error { return k.Rebind(t.Context(), ana, seenAtDesk) })
}

// restCosts counts what the calls cost of services that rest on a pin.Service and a contact.Service.
func restCosts(t *testing.T, costs *testkit.Costs) {
	_, faults := newStore()
	c := &tally{t: t, faults: faults, costs: costs}
	vault, out := testkit.Open(t, faults.Store(), newClock(), &testkit.Mailbox{}, nil)
	policy := pin.Default()
	policy.Hashing = pin.Hashing{Memory: 8, Time: 1, Threads: 1}
	password.Cheap()
	pins, err := pin.New(out, policy)
	require.NoError(t, err)
	contacts, err := contact.New(out, contact.Policy{}, pins)
	require.NoError(t, err)
	codes, err := otp.NewCodes(out, otp.SMS(), otp.Rests{Credentials: pins, Contacts: contacts})
	require.NoError(t, err)
	totp, err := otp.NewTOTP(vault, otp.TOTPPolicy{Issuer: "Agency"}, pins)
	require.NoError(t, err)
	backup, err := otp.NewCheapBackup(vault, paper, pins)
	require.NoError(t, err)
	require.NoError(t, contacts.Adopt(t.Context(), ana, []civicpin.Contact{bySMS}, desk, home))
	for _, subject := range []civicpin.Subject{ana, luis} {
		var req otp.Request
		c.count("Codes.Request", "with Rests, source", func() (err error) {
			req, err = codes.Request(t.Context(), subject, filing, otp.RequestOptions{To: []civicpin.Contact{bySMS}, Source: home})
			return err
		})
		for _, id := range []string{req.ID, badID} {
			c.refused("Codes.Verify", "with Rests, wrong", func() error { return codes.Verify(t.Context(), subject, filing, id, noBackup, home) })
		}
		c.refused("TOTP.Verify", "with Credentials, wrong", func() error { return totp.Verify(t.Context(), subject, noBackup, home) })
		hashing := &tally{t: t, faults: faults, costs: costs, hashes: func() int64 { return otp.BackupHashes(backup) }}
		hashing.refused("BackupCodes.Verify", "with Credentials, wrong", func() error {
			return backup.Verify(t.Context(), subject, noBackup, home)
		})
	}
}

func backupCosts(t *testing.T, costs *testkit.Costs) {
	k := newBackupKit(t)
	c := &tally{t: t, faults: k.faults, costs: costs, hashes: func() int64 { return otp.BackupHashes(k.BackupCodes) }}
	verify := func(subject civicpin.Subject, code civicpin.Secret) func() error {
		return func() error { return k.Verify(t.Context(), subject, code, home) }
	}
	var set []civicpin.Secret
	c.count("BackupCodes.Issue", "ten codes", func() error { set = k.issued(t); return nil })
	for _, subject := range []civicpin.Subject{ana, luis} {
		c.refused("BackupCodes.Verify", "wrong", verify(subject, noBackup))
	}
	c.count("BackupCodes.Verify", "right", verify(ana, set[9]))
	for _, subject := range []civicpin.Subject{ana, luis} {
		for range 5 {
			_ = verify(subject, noBackup)()
		}
		c.refused("BackupCodes.Verify", "locked", verify(subject, set[0]))
	}
	c.count("BackupCodes.Left", "", func() error { return testkit.Err(k.Left(t.Context(), ana)) })
	c.count("BackupCodes.Status", "", func() error { return testkit.Err(k.Status(t.Context(), ana)) })
	c.count("BackupCodes.Unlock", "", func() error { return k.Unlock(t.Context(), ana, desk) })
	c.count("BackupCodes.Rebind", "", func() error { return k.Rebind(t.Context(), ana, seenAtDesk) })
	c.count("BackupCodes.Revoke", "", func() error { return k.Revoke(t.Context(), ana, desk) })
}

func TestUnprintableTextsOfCodes(t *testing.T) {
	k := newCodeKit(t, sms())
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
	testkit.Refuses(t, k.faults, map[string]func(string) error{
		"Request, subject":   func(s string) error { return request(person(s), "pay", nil) },
		"Request, act":       func(s string) error { return request(ana, s, nil) },
		"Request, parameter": func(s string) error { return request(ana, "pay", map[string]string{"act": s}) },
		"Request, name":      func(s string) error { return request(ana, "pay", map[string]string{s: "pay"}) },
		"Verify, subject":    func(s string) error { return verify(person(s), "pay") },
		"Request, source": func(s string) error {
			return testkit.Err(k.Request(ctx, ana, otp.Purpose{Act: "pay"}, otp.RequestOptions{
				To: toAna().To, Source: civicpin.Source{Address: s},
			}))
		},
		"Verify, source": func(s string) error {
			return k.Verify(ctx, ana, otp.Purpose{Act: "pay"}, badID, civicpin.NewSecret("123456"), civicpin.Source{Address: s})
		},
		"Resend, source":   func(s string) error { return k.Resend(ctx, ana, badID, civicpin.Source{Address: s}) },
		"Verify, act":      func(s string) error { return verify(ana, s) },
		"Resend, subject":  func(s string) error { return k.Resend(ctx, person(s), badID, home) },
		"Cancel, subject":  func(s string) error { return k.Cancel(ctx, person(s), badID, desk) },
		"Cancel, operator": func(s string) error { return k.Cancel(ctx, ana, badID, civicpin.Operator(s)) },
		"Pending, subject": func(s string) error { return testkit.Err(k.Pending(ctx, person(s))) },
		"Unlock, subject":  func(s string) error { return k.Unlock(ctx, person(s), desk) },
		"Unlock, operator": func(s string) error { return k.Unlock(ctx, ana, civicpin.Operator(s)) },
		"Rebind, operator": func(s string) error {
			return k.Rebind(ctx, ana, civicpin.Evidence{Method: civicpin.InPerson, By: civicpin.Operator(s)})
		},
		"Status, subject": func(s string) error { return testkit.Err(k.Status(ctx, person(s))) },
	})
}

func TestUnprintableTextsOfKeys(t *testing.T) {
	f := newTOTP(t, otp.TOTPPolicy{Name: "app"})
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
	testkit.Refuses(t, f.faults, map[string]func(string) error{
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
		"Verify, source": func(s string) error {
			return f.Verify(ctx, ada, civicpin.NewSecret("123456"), civicpin.Source{Address: s})
		},
		"Verify, subject": func(s string) error { return f.Verify(ctx, person(s), civicpin.NewSecret("123456"), fobSource) },
	})
}

func TestUnprintableTextsOfBackupCodes(t *testing.T) {
	k := newBackupKit(t)
	ctx := t.Context()
	person := func(text string) civicpin.Subject { return civicpin.Subject(text) }
	testkit.Refuses(t, k.faults, map[string]func(string) error{
		"Issue, subject":   func(s string) error { return testkit.Err(k.Issue(ctx, person(s), desk)) },
		"Issue, operator":  func(s string) error { return testkit.Err(k.Issue(ctx, ana, civicpin.Operator(s))) },
		"Left, subject":    func(s string) error { return testkit.Err(k.Left(ctx, person(s))) },
		"Revoke, subject":  func(s string) error { return k.Revoke(ctx, person(s), desk) },
		"Revoke, operator": func(s string) error { return k.Revoke(ctx, ana, civicpin.Operator(s)) },
		"Verify, subject":  func(s string) error { return k.Verify(ctx, person(s), civicpin.NewSecret("12345"), home) },
		"Verify, source": func(s string) error {
			return k.Verify(ctx, ana, civicpin.NewSecret("12345"), civicpin.Source{Address: s})
		},
		"Unlock, operator": func(s string) error { return k.Unlock(ctx, ana, civicpin.Operator(s)) },
		"Rebind, operator": func(s string) error {
			return k.Rebind(ctx, ana, civicpin.Evidence{Method: civicpin.InPerson, By: civicpin.Operator(s)})
		},
		"Status, subject": func(s string) error { return testkit.Err(k.Status(ctx, person(s))) },
	})
}

// A right backup code whose outcome the store could not keep was never wrong: the log must not say so.
func TestRightBackupCodeIsNotLoggedAsWrong(t *testing.T) {
	testkit.CrashPoints(t, testkit.Crashes{}, func(t *testing.T, c *testkit.Crash) {
		k := newBackupKitOn(t, c.Store(), paper, newClock(), &testkit.Recorder{})
		set := k.issued(t)
		k.events.Take()
		_ = c.During(t, func() error { return k.use(t, set[0]) })
		for _, e := range k.events.Of("otp.backup_refused") {
			require.NotEqual(t, "wrong", e.Reason)
		}
	})
}

// A door is one of the services of this package: a key opens it. bind makes one of Ana's, and returns what to type.
type door struct {
	bind   func(t *testing.T) (right func() civicpin.Secret)
	verify func(subject civicpin.Subject, typed civicpin.Secret) error
}

// doors returns all of them over a store. Their codes rest on what l says; on nothing if it is nil.
func doors(t *testing.T, s store.Store, clock *testkit.Clock, l *ledger) map[string]door {
	t.Helper()
	var on []otp.Credentials
	var rests []otp.Rests
	if l != nil {
		on, rests = []otp.Credentials{l}, []otp.Rests{{Credentials: l, Contacts: l}}
	}
	k := newCodeKitOn(t, s, sms(), clock, &testkit.Mailbox{}, &testkit.Recorder{}, rests...)
	totp, err := otp.NewTOTP(k.vault, otp.TOTPPolicy{Issuer: "Agency"}, on...)
	require.NoError(t, err)
	hotp, err := otp.NewHOTP(k.vault, otp.HOTPPolicy{Issuer: "Agency"}, on...)
	require.NoError(t, err)
	backup, err := otp.NewCheapBackup(k.vault, paper, on...)
	require.NoError(t, err)
	id := badID
	app := func(f keyService, step func(otp.Key) uint64) door {
		return door{
			func(t *testing.T) func() civicpin.Secret {
				key, err := f.Rebind(t.Context(), ana, inPerson)
				require.NoError(t, err)
				right := func() civicpin.Secret {
					clock.Add(time.Minute)
					return civicpin.NewSecret(codeAt(key, step(key)))
				}
				require.NoError(t, f.Verify(t.Context(), ana, right(), home))
				return right
			},
			func(subject civicpin.Subject, typed civicpin.Secret) error {
				return f.Verify(t.Context(), subject, typed, home)
			},
		}
	}
	pressed := uint64(0)
	return map[string]door{
		"totp": app(totp, func(key otp.Key) uint64 { return uint64(clock.Now().Unix() / int64(key.Period/time.Second)) }),
		"hotp": app(hotp, func(otp.Key) uint64 { pressed++; return pressed }),
		"paper": {
			func(t *testing.T) func() civicpin.Secret {
				set, err := backup.Issue(t.Context(), ana, civicpin.Citizen)
				require.NoError(t, err)
				return func() civicpin.Secret { return set[0] }
			},
			func(subject civicpin.Subject, typed civicpin.Secret) error {
				return backup.Verify(t.Context(), subject, typed, home)
			},
		},
		"code": {
			func(t *testing.T) func() civicpin.Secret {
				var sent string
				var req otp.Request
				req, sent = k.asked(t)
				id = req.ID
				return func() civicpin.Secret { return civicpin.NewSecret(sent) }
			},
			func(subject civicpin.Subject, typed civicpin.Secret) error {
				return k.Verify(t.Context(), subject, filing, id, typed, home)
			},
		},
	}
}

// A caller's own credentials end what was bound or asked for before their text changed. What came since is good. A visitor sees
// the same work for what ended, for what is good and for a stranger. If they cannot be asked, nothing was compared.
func TestActsEnd(t *testing.T) {
	for _, name := range []string{"totp", "hotp", "paper", "code"} {
		t.Run(name, func(t *testing.T) {
			l := &ledger{text: "one", proved: true}
			_, faults := newStore()
			clock := newClock()
			d := doors(t, faults.Store(), clock, l)[name]
			wrong := func(subject civicpin.Subject) string {
				before := l.calls
				trace := codeTrace(faults, func() error { return d.verify(subject, noBackup) })
				return trace + " " + strconv.Itoa(l.calls-before)
			}
			right := d.bind(t)
			good := wrong(ana)
			l.fails = errors.New("the ledger is away")
			require.ErrorIs(t, d.verify(ana, right()), l.fails)
			l.fails = nil
			require.NoError(t, d.verify(ana, right()))

			right = d.bind(t)
			require.Equal(t, good, wrong(ana))
			l.text = "two"
			require.Equal(t, good, wrong(ana))
			if name != "code" { // a stranger's has an id of its own
				require.Equal(t, good, wrong("STRANGER"))
			}
			require.ErrorIs(t, d.verify(ana, right()), otp.ErrRefused)
			right = d.bind(t)
			require.NoError(t, d.verify(ana, right()))
		})
	}
}

// Guesses at a code that an act ended use it up, as they do with any other: or whoever can have it sent again would find out that
// there was an act.
func TestGuessesAtAnEndedCode(t *testing.T) {
	p := sms()
	p.Lockout.Limit, p.Lockout.DelayAfter, p.Lockout.Delay, p.Lockout.DelayMax = 2*p.Tries, 0, 0, 0
	for _, acted := range []bool{false, true} {
		l := &ledger{text: "one", proved: true}
		k := newCodeKitOn(t, store.NewMemory(), p, newClock(), &testkit.Mailbox{}, &testkit.Recorder{},
			otp.Rests{Credentials: l})
		req, _ := k.asked(t)
		if acted {
			l.text = "two"
		}
		for n := range k.policy.Tries {
			if n == k.policy.Tries-1 {
				require.NoError(t, k.Resend(t.Context(), ana, req.ID, home), "acted %t", acted)
			}
			require.ErrorIs(t, k.Verify(t.Context(), ana, filing, req.ID, noBackup, home), otp.ErrRefused)
		}
		require.ErrorIs(t, k.Resend(t.Context(), ana, req.ID, home), otp.ErrWrongState, "acted %t", acted)
	}
}

// A code went to an address that the contacts do not know: as long as nothing is done to them it is good. An act ends it then,
// and no code that went to an address of theirs.
func TestActsUponContactsEndCodes(t *testing.T) {
	for _, tc := range []struct{ acted, proved, good bool }{
		{false, false, true}, {false, true, true}, {true, true, true}, {true, false, false},
	} {
		l, clock := &ledger{proved: tc.proved}, newClock()
		d := doors(t, store.NewMemory(), clock, l)["code"]
		right := d.bind(t)
		if tc.acted {
			l.epoch++
		}
		require.Equal(t, tc.good, d.verify(ana, right()) == nil, tc)
	}
}

// The page read the contacts before an act that took one: no code goes there, and the request looks as any other.
func TestNoCodeGoesToALostContact(t *testing.T) {
	var traces []string
	for _, lost := range []bool{false, true} {
		l := &ledger{lost: lost}
		_, faults := newStore()
		k := newCodeKitOn(t, faults.Store(), sms(), newClock(), &testkit.Mailbox{}, &testkit.Recorder{}, otp.Rests{Contacts: l})
		var req otp.Request
		trace := codeTrace(faults, func() (err error) {
			req, err = k.Request(t.Context(), ana, filing, otp.RequestOptions{To: []civicpin.Contact{bySMS}, Source: home})
			return err
		})
		traces = append(traces, trace+" "+strconv.Itoa(l.calls))
		require.NoError(t, k.out.Flush(t.Context()))
		require.Equal(t, lost, k.last() == "")
		require.NotEmpty(t, req.ID)
		l.fails = errors.New("the ledger is away")
		_, err := k.Request(t.Context(), ana, filing, otp.RequestOptions{To: []civicpin.Contact{bySMS}, Source: home})
		require.ErrorIs(t, err, l.fails)
	}
	require.Equal(t, traces[0], traces[1])
}

// A code that an act ended before it went out is neither sent, nor shown in an app. If the acts cannot be asked, it waits.
func TestEndedCodeIsNotSent(t *testing.T) {
	for _, ended := range []bool{false, true} {
		l := &ledger{text: "one", proved: true}
		k := newCodeKitOn(t, store.NewMemory(), sms(), newClock(), &testkit.Mailbox{}, &testkit.Recorder{}, otp.Rests{Credentials: l, Contacts: l})
		req, err := k.Request(t.Context(), ana, filing, otp.RequestOptions{To: []civicpin.Contact{bySMS}, Source: home})
		require.NoError(t, err)
		l.fails = errors.New("the ledger is away")
		_, err = k.Pending(t.Context(), ana)
		require.ErrorIs(t, err, l.fails)
		_ = k.out.Flush(t.Context())
		require.Empty(t, k.last())
		l.fails = nil
		if ended {
			l.text = "two"
		}
		k.clock.Add(time.Minute)
		require.NoError(t, k.out.Flush(t.Context()))
		require.Equal(t, ended, k.last() == "")
		pending, err := k.Pending(t.Context(), ana)
		require.NoError(t, err)
		require.Equal(t, ended, len(pending) == 0, req.ID)
	}
}

// What a service without credentials made would outlive every act: it is dead to a service with them.
func TestBoundWithoutCredentials(t *testing.T) {
	for _, name := range []string{"totp", "hotp", "paper"} {
		memory, clock := store.NewMemory(), newClock()
		none, some := doors(t, memory, clock, nil)[name], doors(t, memory, clock, &ledger{text: "one", proved: true})[name]
		right := none.bind(t)
		require.ErrorIs(t, some.verify(ana, right()), otp.ErrRefused, name)
		require.NoError(t, none.verify(ana, right()), name)
		require.NoError(t, some.verify(ana, some.bind(t)()), name)
	}
	l := &ledger{text: "one", proved: true}
	for _, rests := range []otp.Rests{{Credentials: l}, {Contacts: l}} {
		none := newCodeKitOn(t, store.NewMemory(), sms(), newClock(), &testkit.Mailbox{}, &testkit.Recorder{})
		req, sent := none.asked(t)
		some, err := otp.NewCodes(testkit.Outbox(t, none.vault, none.mail, testkit.Fitting(sms().Sends)), sms(), rests)
		require.NoError(t, err)
		require.ErrorIs(t, some.Verify(t.Context(), ana, filing, req.ID, civicpin.NewSecret(sent), home), otp.ErrRefused)
		require.NoError(t, none.verify(t, req.ID, sent))
	}
}

// Failures are reset on a proof of identity: a citizen's word is none, unless a machine checked it. The event says what it was.
// A lock is ended by any actor, since the ceiling stays.
func TestRebindTakesAProof(t *testing.T) {
	k, b := newCodeKit(t, sms()), newBackupKit(t)
	for name, s := range map[string]struct {
		rebind func(context.Context, civicpin.Subject, civicpin.Evidence) error
		unlock func(context.Context, civicpin.Subject, civicpin.Actor) error
		events *testkit.Recorder
	}{"code.sms": {k.Rebind, k.Unlock, k.events}, "backup.paper": {b.Rebind, b.Unlock, b.events}} {
		for _, weak := range []civicpin.Evidence{
			{}, {By: desk}, {Method: civicpin.InPerson}, {Method: civicpin.InPerson, By: civicpin.Citizen},
		} {
			require.ErrorIs(t, s.rebind(t.Context(), ana, weak), civicpin.ErrInvalid, name)
		}
		require.ErrorIs(t, s.rebind(t.Context(), "", seenAtDesk), civicpin.ErrInvalid, name)
		require.Empty(t, s.events.Take())
		require.NoError(t, s.rebind(t.Context(), ana, civicpin.Evidence{Method: civicpin.Certificate, By: civicpin.Citizen}))
		e := s.events.Of("otp.rebound")
		require.Len(t, e, 1, name)
		require.Equal(t, []string{name, "certificate", "citizen"}, []string{e[0].Ref, e[0].Reason, string(e[0].By)})
		require.NoError(t, s.unlock(t.Context(), ana, civicpin.Citizen))
	}
}

// A New takes one at most of what its codes rest on.
func TestRestsOnOne(t *testing.T) {
	k, l := newCodeKit(t, sms()), &ledger{}
	_, err := otp.NewCodes(k.out, otp.SMS(), otp.Rests{}, otp.Rests{})
	require.ErrorIs(t, err, civicpin.ErrInvalid)
	_, err = otp.NewTOTP(k.vault, otp.TOTPPolicy{Issuer: "Agency"}, l, l)
	require.ErrorIs(t, err, civicpin.ErrInvalid)
	_, err = otp.NewHOTP(k.vault, otp.HOTPPolicy{Issuer: "Agency"}, l, l)
	require.ErrorIs(t, err, civicpin.ErrInvalid)
	_, err = otp.NewBackupCodes(k.vault, paper, l, l)
	require.ErrorIs(t, err, civicpin.ErrInvalid)
}

// Codes are for ever, and other programs look for the reasons.
func TestEvents(t *testing.T) { testkit.Infos(t, otp.Events()) }

// TestUnbind ends what a subject bound at the time or later, and a pending key of any time. What an operator bound stays.
func TestUnbind(t *testing.T) {
	issue := func(by civicpin.Actor) func(*testing.T, *world) {
		return func(t *testing.T, w *world) { require.NoError(t, testkit.Err(w.paper.Issue(t.Context(), ana, by))) }
	}
	has := func(t *testing.T, w *world) bool {
		left, err := w.paper.Left(t.Context(), ana)
		require.NoError(t, err)
		st := w.totp.status(t)
		return left > 0 || st.Active || st.Pending
	}
	for name, tc := range map[string]struct {
		bind  func(*testing.T, *world)
		since time.Duration // after it
		ends  bool
	}{
		"a key, then":                 {hasKey, -time.Minute, true}, // it lets a minute pass
		"a key, before":               {hasKey, -time.Minute + 1, false},
		"a pending key, long before":  {func(t *testing.T, w *world) { w.totp.enrol(t) }, time.Hour - 1, true},
		"a key that was imported":     {func(t *testing.T, w *world) { w.totp.imported(t, rfcTOTP()) }, -time.Hour, false},
		"a set, then":                 {issue(civicpin.Citizen), 0, true},
		"a set, before":               {issue(civicpin.Citizen), 1, false},
		"a set that an operator made": {issue(desk), -time.Hour, false},
		"a pending key by an operator": {func(t *testing.T, w *world) {
			require.NoError(t, testkit.Err(w.totp.Rebind(t.Context(), ada, inPerson)))
		}, -time.Hour, false},
	} {
		w := after(tc.bind)(t, store.NewMemory())
		require.True(t, has(t, w), name)
		since := w.clock.Now().Add(tc.since)
		for range 2 {
			require.NoError(t, w.totp.TOTP.Unbind(t.Context(), ada, since), name)
			require.NoError(t, w.paper.Unbind(t.Context(), ana, since), name)
			assert.Equal(t, tc.ends, !has(t, w), name)
		}
		require.ErrorIs(t, w.totp.TOTP.Unbind(t.Context(), "", since), civicpin.ErrInvalid)
		require.ErrorIs(t, w.paper.Unbind(t.Context(), "", since), civicpin.ErrInvalid)
	}
}

// A hearing ledger is one that package contact tells of undoes.
type hearing struct {
	ledger
	unbind []func(context.Context, civicpin.Subject, time.Time) error
}

func (h *hearing) UnbindWith(unbind func(context.Context, civicpin.Subject, time.Time) error) {
	h.unbind = append(h.unbind, unbind)
}

// TestUndoUnbinds: credentials that hear of undoes are given the Unbind of each service that binds something.
func TestUndoUnbinds(t *testing.T) {
	h := &hearing{ledger: ledger{text: "one"}}
	vault := newVault(t)
	totp, err := otp.NewTOTP(vault, otp.TOTPPolicy{Issuer: "Agency"}, h)
	require.NoError(t, err)
	require.NoError(t, testkit.Err(otp.NewHOTP(vault, otp.HOTPPolicy{Issuer: "Agency"}, h)))
	backup, err := otp.NewCheapBackup(vault, paper, h)
	require.NoError(t, err)
	require.Len(t, h.unbind, 3)
	require.NoError(t, testkit.Err(totp.Enrol(t.Context(), ana)))
	require.NoError(t, testkit.Err(backup.Issue(t.Context(), ana, civicpin.Citizen)))
	for _, unbind := range h.unbind {
		require.NoError(t, unbind(t.Context(), ana, start))
	}
	st, err := totp.Enrolled(t.Context(), ana)
	require.NoError(t, err)
	require.False(t, st.Pending)
	left, err := backup.Left(t.Context(), ana)
	require.NoError(t, err)
	require.Zero(t, left)
}

// TestRecordsEnd: a record goes an hour, the vault's grace, after the last time that it is good for something.
func TestRecordsEnd(t *testing.T) {
	const ever = 20 * 365 * 24 * time.Hour
	removed := func(t *testing.T, w *world) {
		hasKey(t, w)
		require.NoError(t, w.totp.Remove(t.Context(), ada, fobClerk))
	}
	asks := func(to ...civicpin.Contact) func(*testing.T, *world) {
		return func(t *testing.T, w *world) { require.NoError(t, testkit.Err(request(to...)(t.Context(), w))) }
	}
	for name, tc := range map[string]struct {
		kind    string
		prepare func(*testing.T, *world)
		good    time.Duration // from the call
	}{
		"a pending key":              {"totp.totp/", func(t *testing.T, w *world) { w.totp.enrol(t) }, time.Hour},
		"a key":                      {"totp.totp/", hasKey, ever},
		"a key beside a pending one": {"totp.totp/", hasTwoKeys, ever},
		"an imported key": {"totp.totp/", func(t *testing.T, w *world) {
			w.totp.enrol(t)
			w.totp.imported(t, rfcTOTP())
		}, ever},
		"a removed key":            {"totp.totp/", removed, time.Hour},
		"a set":                    {"backup.paper/", hasBackup, ever},
		"a code":                   {"code.sms/", asks(bySMS), 70 * time.Minute},
		"a code for nobody":        {"code.sms/", asks(), 70 * time.Minute},
		"a subject's list":         {"code-pending.sms/", asks(bySMS), ever},
		"the list of a stranger":   {"code-pending.sms/", asks(), 70 * time.Minute},
		"that of a subject beside": {"code-pending.sms/", func(t *testing.T, w *world) { asks(bySMS)(t, w); asks()(t, w) }, ever},
	} {
		memory := store.NewMemory()
		w := after(tc.prepare)(t, memory)
		records := func() (n int) {
			require.NoError(t, testkit.Err(w.vault.Purge(t.Context(), store.Pass{})))
			for _, err := range memory.List(t.Context(), tc.kind, "") {
				require.NoError(t, err)
				n++
			}
			return n
		}
		w.clock.Add(tc.good + time.Hour - time.Nanosecond)
		assert.NotZero(t, records(), name)
		if tc.good < ever {
			w.clock.Add(time.Nanosecond)
			assert.Zero(t, records(), name)
		}
	}
}

// A world is all services of this package over one store, and a ledger that they rest on.
type world struct {
	*codeKit
	ledger     *ledger
	totp, hotp *fob
	paper      *otp.BackupCodes

	req  otp.Request // for a code of Ana's
	sent string
	key  otp.Key           // Ada's
	set  []civicpin.Secret // Ana's
}

func newWorld(t *testing.T, s store.Store) *world {
	t.Helper()
	w := &world{ledger: &ledger{text: "one", proved: true}}
	w.codeKit = newCodeKitOn(t, s, sms(), newClock(), &testkit.Mailbox{}, &testkit.Recorder{},
		otp.Rests{Credentials: w.ledger, Contacts: w.ledger})
	totp, err := otp.NewTOTP(w.vault, otp.TOTPPolicy{Issuer: "Agency"}, w.ledger)
	require.NoError(t, err)
	hotp, err := otp.NewHOTP(w.vault, otp.HOTPPolicy{Issuer: "Agency"}, w.ledger)
	require.NoError(t, err)
	w.totp = &fob{keyService: totp, TOTP: totp, clock: w.clock, events: w.events}
	w.hotp = &fob{keyService: hotp, HOTP: hotp, clock: w.clock, events: w.events}
	w.paper, err = otp.NewCheapBackup(w.vault, paper, w.ledger)
	require.NoError(t, err)
	return w
}

// ref names the message of Ana's code.
func (w *world) ref() outbox.Ref { return outbox.Ref{Subject: ana, ID: w.req.ID + ".1"} }

// TestResendKeepsThePlace: a code that waits for its turn at an address does not lose its place by being sent again.
func TestResendKeepsThePlace(t *testing.T) {
	k := newCodeKit(t, sms())
	k.policy.Sends = civicpin.Rate{Limit: 3, Window: time.Minute}
	k.out = testkit.Outbox(t, k.vault, k.mail, outbox.Limits{Proved: k.policy.Sends})
	codes, err := otp.NewCodes(k.out, k.policy)
	require.NoError(t, err)
	var ids []string
	for _, subject := range []civicpin.Subject{luis, luis, luis, ana, ada} {
		req, err := codes.Request(t.Context(), subject, filing, otp.RequestOptions{To: []civicpin.Contact{bySMS}, Source: home})
		require.NoError(t, err)
		require.NoError(t, k.out.Flush(t.Context()))
		ids = append(ids, req.ID)
	}
	for range 2 {
		require.NoError(t, codes.Resend(t.Context(), ana, ids[3], home))
		require.NoError(t, k.out.Flush(t.Context()))
	}
	k.clock.Add(20 * time.Second)
	require.NoError(t, k.out.Flush(t.Context()))
	require.Len(t, k.mail.Messages(), 4)
	require.NoError(t, codes.Verify(t.Context(), ana, filing, ids[3], k.mail.Messages()[3].Secret, home))
}

// A serviceCall is a call of a method of this package.
type serviceCall testkit.Method[*world]

// Around is what [testkit.World] asks for.
func (w *world) Around() (*testkit.Clock, *testkit.Recorder) { return w.clock, w.events }

// Ask has the calls of the ledger fail, too.
func (w *world) Ask(fail func(call string) error) { w.ledger.asked = fail }

// after is the Open of a world, after what comes before.
func after(prepare func(*testing.T, *world)) func(*testing.T, store.Store) *world {
	return func(t *testing.T, s store.Store) *world {
		t.Helper()
		w := newWorld(t, s)
		prepare(t, w)
		return w
	}
}

// An act returns the result of a method, nil if it has none.
type act = func(context.Context, *world) (result any, err error)

// errs is the act of a method without a result.
func errs(do func(context.Context, *world) error) act {
	return func(ctx context.Context, w *world) (any, error) { return nil, do(ctx, w) }
}

func nothing(*testing.T, *world) {}

func hasCode(t *testing.T, w *world) { w.req, w.sent = w.asked(t) }

func hasKey(t *testing.T, w *world) { w.key = w.totp.enrolled(t) }

func hasTwoKeys(t *testing.T, w *world) {
	hasKey(t, w)
	w.totp.enrol(t)
}

func hasToken(t *testing.T, w *world) { w.key = w.hotp.enrolled(t) }

func hasBackup(t *testing.T, w *world) {
	var err error
	w.set, err = w.paper.Issue(t.Context(), ana, civicpin.Citizen)
	require.NoError(t, err)
}

// times does something so many times.
func times(n int, do func(*testing.T, *world)) func(*testing.T, *world) {
	return func(t *testing.T, w *world) {
		for range n {
			do(t, w)
		}
	}
}

// The guesses of Ana at delivered and backup codes, and of Ada at her keys.
func (w *world) guessCode(ctx context.Context, typed string) error {
	return w.Verify(ctx, ana, filing, cmp.Or(w.req.ID, badID), civicpin.NewSecret(typed), home)
}

func (w *world) guessBackup(ctx context.Context, typed civicpin.Secret) error {
	return w.paper.Verify(ctx, ana, typed, home)
}

func (w *world) guessKey(ctx context.Context, typed string) error {
	return w.totp.Verify(ctx, ada, civicpin.NewSecret(typed), home)
}

func request(to ...civicpin.Contact) act {
	return func(ctx context.Context, w *world) (any, error) {
		return w.Request(ctx, ana, filing, otp.RequestOptions{To: to, Source: home})
	}
}

func codeCalls() []serviceCall {
	wrong := errs(func(ctx context.Context, w *world) error { return w.guessCode(ctx, otherThan(w.sent)) })
	unsent := func(t *testing.T, w *world) {
		req, err := request(bySMS)(t.Context(), w)
		require.NoError(t, err)
		w.req = req.(otp.Request)
	}
	requested, pulled := "otp.code_requested visitor 192.0.2.1 ID -", "otp.code_pulled citizen - ID -"
	given, counted := []string{"Put quota.sources.code.sms"}, []string{"Put quota.global.code.sms"}
	return []serviceCall{
		{"Request", after(nothing), request(bySMS), nil, []string{requested}},
		{"Request, no contact", after(nothing), request(), nil, []string{"otp.code_requested visitor 192.0.2.1 ID no contact"}},
		{
			"Request, one too many", after(times(3, hasCode)), request(bySMS),
			[]string{"Get code.sms", "Put code.sms"},
			[]string{"otp.code_cancelled visitor - ID too many pending", requested},
		},
		{"Codes.Verify", after(hasCode), errs(func(ctx context.Context, w *world) error {
			return w.guessCode(ctx, w.sent)
		}), given, []string{"otp.code_verified citizen 192.0.2.1 ID -"}},
		{"Codes.Verify, wrong", after(hasCode), wrong, counted, []string{"otp.code_refused visitor 192.0.2.1 ID wrong"}},
		{"Codes.Verify, unknown", after(nothing), wrong, counted, []string{"otp.code_refused visitor 192.0.2.1 ID unknown"}},
		{"Pending", after(times(2, hasCode)), func(ctx context.Context, w *world) (any, error) {
			return w.Pending(ctx, ana)
		}, nil, []string{pulled, pulled}},
		{"Resend", after(hasCode), errs(func(ctx context.Context, w *world) error {
			return w.Resend(ctx, ana, w.req.ID, home)
		}), nil, []string{"otp.code_resent visitor 192.0.2.1 ID -"}},
		{"Cancel", after(hasCode), errs(func(ctx context.Context, w *world) error {
			return w.Cancel(ctx, ana, w.req.ID, desk)
		}), nil, []string{"otp.code_cancelled operator:garcia - ID -"}},
		{"Confirm", after(unsent), func(ctx context.Context, w *world) (any, error) {
			return otp.DeliveryOf(w.Codes).Confirm(ctx, w.ref())
		}, nil, nil},
		{"Settle", after(unsent), errs(func(ctx context.Context, w *world) error {
			return otp.DeliveryOf(w.Codes).Settle(ctx, w.ref(), outbox.Outcome{})
		}), nil, nil},
	}
}

func keyServiceCalls() []serviceCall {
	imports := errs(func(ctx context.Context, w *world) error { return w.totp.Import(ctx, ada, rfcTOTP(), fobClerk) })
	imported := []string{"lockout.rebound operator:bianchi - - -", "otp.imported operator:bianchi - totp.totp/ID -"}
	removed := "otp.removed operator:bianchi - totp.totp/ID -"
	verified := "otp.verified citizen 192.0.2.1 totp.totp/ID -"
	shown := errs(func(ctx context.Context, w *world) error { return w.guessKey(ctx, w.totp.shown(w.key, 0)) })
	resync := func(first, second uint64) act {
		return errs(func(ctx context.Context, w *world) error {
			one, two := civicpin.NewSecret(codeAt(w.key, first)), civicpin.NewSecret(codeAt(w.key, second))
			return w.hotp.HOTP.Resync(ctx, ada, one, two, home)
		})
	}
	given, counted := []string{"Put quota.sources.totp.totp"}, []string{"Put quota.global.totp.totp"}
	return []serviceCall{
		{"Enrol", after(hasKey), func(ctx context.Context, w *world) (any, error) {
			return w.totp.Enrol(ctx, ada)
		}, nil, []string{"otp.enrolled citizen - totp.totp/ID -"}},
		{"Keys.Rebind", after(hasKey), func(ctx context.Context, w *world) (any, error) {
			return w.totp.Rebind(ctx, ada, inPerson)
		}, nil, []string{"otp.enrolled operator:bianchi - totp.totp/ID in-person", "lockout.rebound operator:bianchi - - -"}},
		{"Import", after(nothing), imports, nil, imported},
		{"Import, again", after(func(t *testing.T, w *world) { w.totp.imported(t, rfcTOTP()) }), imports, nil, imported},
		{"Enrolled", after(hasKey), func(ctx context.Context, w *world) (any, error) { return w.totp.Enrolled(ctx, ada) }, nil, nil},
		{"Remove", after(hasTwoKeys), errs(func(ctx context.Context, w *world) error {
			return w.totp.Remove(ctx, ada, fobClerk)
		}), nil, []string{removed, removed}},
		{"Keys.Unbind", after(hasKey), errs(func(ctx context.Context, w *world) error {
			return w.totp.TOTP.Unbind(ctx, ada, start)
		}), nil, []string{"otp.removed citizen - totp.totp/ID -"}},
		{
			"Keys.Verify, the first", after(func(t *testing.T, w *world) { w.key = w.totp.enrol(t) }), shown, given,
			[]string{"otp.activated citizen 192.0.2.1 totp.totp/ID -", verified},
		},
		{"Keys.Verify", after(hasKey), shown, given, []string{verified}},
		{"Keys.Verify, wrong", after(hasKey), errs(func(ctx context.Context, w *world) error {
			return w.guessKey(ctx, w.totp.wrongCode(w.key))
		}), counted, []string{"otp.refused visitor 192.0.2.1 totp.totp wrong"}},
		{
			"Resync", after(hasToken), resync(50, 51),
			[]string{"Put quota.sources.hotp.hotp"},
			[]string{"otp.resynced citizen 192.0.2.1 hotp.hotp/ID -"},
		},
		{
			"Resync, wrong", after(hasToken), resync(50, 50),
			[]string{"Put quota.global.hotp.hotp"},
			[]string{"otp.refused visitor 192.0.2.1 hotp.hotp wrong"},
		},
		{"Keys.Unlock", after(times(5, func(t *testing.T, w *world) {
			require.Error(t, w.guessKey(t.Context(), "wrong"))
		})), errs(func(ctx context.Context, w *world) error {
			return w.totp.Unlock(ctx, ada, fobClerk)
		}), nil, []string{"lockout.unlocked operator:bianchi - - -"}},
	}
}

func backupCalls() []serviceCall {
	return []serviceCall{
		{"Issue", after(hasBackup), func(ctx context.Context, w *world) (any, error) {
			return w.paper.Issue(ctx, ana, desk)
		}, nil, []string{"otp.backup_issued operator:garcia - - -"}},
		{"BackupCodes.Verify", after(hasBackup), errs(func(ctx context.Context, w *world) error {
			return w.guessBackup(ctx, w.set[0])
		}), []string{"Put quota.sources.backup.paper"}, []string{"otp.backup_used citizen 192.0.2.1 - 9"}},
		{"BackupCodes.Verify, wrong", after(hasBackup), errs(func(ctx context.Context, w *world) error {
			return w.guessBackup(ctx, noBackup)
		}), []string{"Put quota.global.backup.paper"}, []string{"otp.backup_refused visitor 192.0.2.1 - wrong"}},
		{"Left", after(hasBackup), func(ctx context.Context, w *world) (any, error) { return w.paper.Left(ctx, ana) }, nil, nil},
		{"Revoke", after(hasBackup), errs(func(ctx context.Context, w *world) error {
			return w.paper.Revoke(ctx, ana, desk)
		}), nil, []string{"otp.backup_revoked operator:garcia - - -"}},
		{"BackupCodes.Unbind", after(hasBackup), errs(func(ctx context.Context, w *world) error {
			return w.paper.Unbind(ctx, ana, start)
		}), nil, []string{"otp.backup_revoked citizen - - -"}},
	}
}

// gateCalls are those about the failures of a service, which five have locked.
func gateCalls() []serviceCall {
	type gate interface {
		Unlock(ctx context.Context, subject civicpin.Subject, by civicpin.Actor) error
		Status(ctx context.Context, subject civicpin.Subject) (lockout.Status, error)
		Rebind(ctx context.Context, subject civicpin.Subject, proof civicpin.Evidence) error
	}
	var calls []serviceCall
	for name, of := range map[string]struct {
		gate  func(w *world) gate
		guess func(t *testing.T, w *world) error
	}{
		"code.sms": {
			func(w *world) gate { return w.Codes },
			func(t *testing.T, w *world) error { return w.guessCode(t.Context(), "wrong") },
		},
		"backup.paper": {
			func(w *world) gate { return w.paper },
			func(t *testing.T, w *world) error { return w.guessBackup(t.Context(), noBackup) },
		},
	} {
		locked := times(5, func(t *testing.T, w *world) { require.Error(t, of.guess(t, w)) })
		calls = append(calls, []serviceCall{
			{name + " Unlock", after(locked), errs(func(ctx context.Context, w *world) error {
				return of.gate(w).Unlock(ctx, ana, desk)
			}), nil, []string{"lockout.unlocked operator:garcia - - -"}},
			{name + " Status", after(locked), func(ctx context.Context, w *world) (any, error) {
				return of.gate(w).Status(ctx, ana)
			}, nil, nil},
			{name + " Rebind", after(locked), errs(func(ctx context.Context, w *world) error {
				return of.gate(w).Rebind(ctx, ana, seenAtDesk)
			}), nil, []string{"lockout.rebound operator:garcia - - -", "otp.rebound operator:garcia - " + name + " in-person"}},
		}...)
	}
	return calls
}

// TestServiceCalls makes each call fail in turn that a method makes of the store, or of what codes rest on, and compares the
// events of the method.
func TestServiceCalls(t *testing.T) {
	for _, m := range slices.Concat(codeCalls(), keyServiceCalls(), backupCalls(), gateCalls()) {
		testkit.Method[*world](m).Check(t)
	}
}
