package otp_test

import (
	"cmp"
	"context"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
)

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
