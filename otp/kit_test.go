package otp_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/oath"
	"github.com/civicpin/civicpin/internal/shown"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
	"github.com/civicpin/civicpin/store/storetest"
)

func newClock() *testkit.Clock { return testkit.NewClock(start) }

// start is where the clocks of these tests begin: at the beginning of a step of TOTP.
var start = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// newStore makes a store in memory, and faults for one process that uses it.
func newStore() (*store.Memory, *storetest.Faults) {
	memory := store.NewMemory()
	return memory, storetest.NewFaults(memory)
}

// newVault returns a vault over a store of its own.
func newVault(t testing.TB) *store.Vault {
	t.Helper()
	return testkit.Vault(t, store.NewMemory(), newClock(), nil)
}

// gateOf is where the guesses at a subject's codes are counted.
func gateOf(subject civicpin.Subject) lockout.Target { return lockout.Target{Subject: subject} }

// failuresAt returns how many failures of a subject's the gate of a name counts.
func failuresAt(t testing.TB, vault *store.Vault, name string, subject civicpin.Subject) int {
	t.Helper()
	gate, err := lockout.New(vault, name, testkit.Until(5))
	require.NoError(t, err)
	st, err := gate.Status(t.Context(), gateOf(subject))
	require.NoError(t, err)
	return st.Failures
}

// crowd runs do n times at once and counts what came of it. Those that were told that it is busy come again.
func crowd(t *testing.T, n int, do func(i int) error) map[string]int {
	t.Helper()
	counts := make(map[string]int)
	for _, err := range testkit.Crowd(n, func(i int) error {
		return testkit.Persist(otp.ErrBusy, func() error { return do(i) })
	}) {
		counts[outcome(t, err)]++
	}
	return counts
}

// reasons counts the reasons of the events of a code.
func reasons(r *testkit.Recorder, code civicpin.EventCode) map[string]int {
	n := make(map[string]int)
	for _, e := range r.Of(code) {
		n[e.Reason]++
	}
	return n
}

// compared is how many guesses at codes were compared and refused.
func compared(r *testkit.Recorder) int {
	n := 0
	for reason, times := range reasons(r, civicpin.EventCode("otp.code_refused")) {
		if reason != "locked" && reason != "busy" && reason != "not checked" {
			n += times
		}
	}
	return n
}

// codeKit is a Codes with everything around it.
type codeKit struct {
	*otp.Codes
	clock  *testkit.Clock
	mail   *testkit.Mailbox
	events *testkit.Recorder
	vault  *store.Vault
	out    *outbox.Outbox
	policy otp.CodePolicy
	memory *store.Memory     // nil if made on another store
	faults *storetest.Faults // of this process, over memory
}

// newCodeKit makes a Codes of a policy over a store of its own, whose calls may fail.
func newCodeKit(t testing.TB, p otp.CodePolicy) *codeKit {
	t.Helper()
	return newCodeKitWith(t, p, &testkit.Mailbox{})
}

// newCodeKitWith makes a Codes whose messages a mailbox takes.
func newCodeKitWith(t testing.TB, p otp.CodePolicy, m *testkit.Mailbox) *codeKit {
	t.Helper()
	memory, faults := newStore()
	k := newCodeKitOn(t, faults.Store(), p, newClock(), m, &testkit.Recorder{})
	k.memory, k.faults = memory, faults
	return k
}

// newCodeKitOn makes a Codes over a store that may have served another before.
func newCodeKitOn(t testing.TB, s store.Store, p otp.CodePolicy, c *testkit.Clock, m *testkit.Mailbox, r *testkit.Recorder,
	rests ...otp.Rests,
) *codeKit {
	t.Helper()
	vault := testkit.Vault(t, s, c, r)
	out := testkit.Outbox(t, vault, m, testkit.Fitting(p.Sends))
	codes, err := otp.NewCodes(out, p, rests...)
	require.NoError(t, err)
	return &codeKit{Codes: codes, clock: c, mail: m, events: r, vault: vault, out: out, policy: p}
}

// ledger is what a caller without packages pin and contact says of acts.
type ledger struct {
	text   string
	epoch  uint64
	proved bool
	lost   bool
	fails  error
	calls  int
	asked  func(call string) error // before each call, unless it is nil
}

// call does what is common to all calls.
func (l *ledger) call(name string) error {
	l.calls++
	if l.asked != nil {
		return l.asked(name)
	}
	return l.fails
}

func (l *ledger) Acts(context.Context, civicpin.Subject) (string, error) {
	return l.text, l.call("Acts")
}

func (l *ledger) Epoch(context.Context, civicpin.Subject) (uint64, error) {
	return l.epoch, l.call("Epoch")
}

func (l *ledger) Proved(context.Context, civicpin.Subject, []civicpin.Contact) (bool, error) {
	return l.proved, l.call("Proved")
}

func (l *ledger) Lost(context.Context, civicpin.Subject, civicpin.Contact) (bool, error) {
	return l.lost, l.call("Lost")
}

// other is a Codes of the same policy in another process, which reaches the same records through s.
func (k *codeKit) other(t testing.TB, s store.Store) *codeKit {
	t.Helper()
	return newCodeKitOn(t, s, k.policy, k.clock, k.mail, k.events)
}

// last returns the code that came last, "" if none did.
func (k *codeKit) last() string {
	all := k.mail.Messages()
	if len(all) == 0 {
		return ""
	}
	return all[len(all)-1].Secret.Reveal()
}

// showing is a source at home that shows a proof of Ana's, as fresh as can be.
func (k *codeKit) showing(proof shown.Kind) civicpin.Source {
	source := home
	if proof != shown.Nothing {
		source.Shown = shown.New(k.vault, ana, shown.Value{Kind: proof})
	}
	return source
}

const (
	ana    civicpin.Subject = "12345678Z"
	luis   civicpin.Subject = "X1234567L"
	mobile                  = "+34600111222"
)

var (
	desk  = civicpin.Operator("garcia")
	byApp = civicpin.Contact{Channel: civicpin.Push, Address: "installation-7"}
	bySMS = civicpin.Contact{Channel: civicpin.SMS, Address: mobile}
	home  = civicpin.Source{Address: "192.0.2.1"}
	// filing and paying are two acts, the latter about something.
	filing = otp.Purpose{Act: "file-return", Digest: []byte("the return")}
	paying = otp.Purpose{Act: "pay", Digest: []byte("100 euros to the treasury")}
)

// seenAtDesk is Ana's proof of who she is.
var seenAtDesk = civicpin.Evidence{Method: civicpin.InPerson, By: desk}

// badID is a request's id that was never given.
const badID = "AAAAAAAAAAAAAAAAAAAAAAAAAA"

// sms is SMS with send limits out of the way.
func sms() otp.CodePolicy { return unlimited(otp.SMS()) }

// toAna are the options of a request of Ana's.
func toAna() otp.RequestOptions { return otp.RequestOptions{To: []civicpin.Contact{bySMS}} }

// asked has Ana ask for a code to file, sends it, and returns the request and the code.
func (k *codeKit) asked(t testing.TB) (otp.Request, string) {
	t.Helper()
	req, err := k.Request(t.Context(), ana, filing, toAna())
	require.NoError(t, err)
	k.clock.Add(time.Second)
	require.NoError(t, k.out.Flush(t.Context()))
	sent := k.last()
	require.Len(t, sent, k.policy.Length)
	return req, sent
}

// verify types something for Ana's filing.
func (k *codeKit) verify(t testing.TB, id, typed string) error {
	t.Helper()
	return k.Verify(t.Context(), ana, filing, id, civicpin.NewSecret(typed), home)
}

// failures is how many wrong guesses are counted against Ana.
func (k *codeKit) failures(t testing.TB) int {
	t.Helper()
	st, err := k.Status(t.Context(), ana)
	require.NoError(t, err)
	return st.Failures
}

// other returns a code as long as this one, and different.
func otherThan(sent string) string {
	b := []byte(sent)
	for i := range b {
		switch b[i] {
		case '2':
			b[i] = '3'
		default:
			b[i] = '2'
		}
	}
	return string(b)
}

const (
	ada         = civicpin.Subject("BYRDAA15T50Z114X")
	fobLocked   = "locked"
	fobRefused  = "refused"
	fobAccepted = "accepted"
)

var (
	fobClerk  = civicpin.Operator("bianchi")
	fobSource = civicpin.Source{Address: "192.0.2.1"}
	inPerson  = civicpin.Evidence{Method: civicpin.InPerson, By: fobClerk}
)

// keyService is what TOTP and HOTP have in common.
type keyService interface {
	otp.Keys
	Enrol(ctx context.Context, subject civicpin.Subject) (otp.Key, error)
	Rebind(ctx context.Context, subject civicpin.Subject, proof civicpin.Evidence) (otp.Key, error)
	Import(ctx context.Context, subject civicpin.Subject, key otp.Key, by civicpin.Actor) error
	Enrolled(ctx context.Context, subject civicpin.Subject) (otp.KeyStatus, error)
	Remove(ctx context.Context, subject civicpin.Subject, by civicpin.Actor) error
	Unlock(ctx context.Context, subject civicpin.Subject, by civicpin.Actor) error
	Verify(ctx context.Context, subject civicpin.Subject, typed civicpin.Secret, source civicpin.Source) error
}

// fob is a service of either sort with what it needs.
type fob struct {
	keyService
	TOTP   *otp.TOTP // one of the two is nil
	HOTP   *otp.HOTP
	clock  *testkit.Clock
	events *testkit.Recorder
	memory *store.Memory     // nil if made on another store
	faults *storetest.Faults // of this process, over memory
}

// newFob returns what on makes on a new store.
func newFob(t testing.TB, on func(s store.Store) *fob) *fob {
	t.Helper()
	memory, faults := newStore()
	f := on(faults.Store())
	f.memory, f.faults = memory, faults
	return f
}

func newTOTP(t testing.TB, c otp.TOTPPolicy) *fob {
	t.Helper()
	return newFob(t, func(s store.Store) *fob { return totpOn(t, s, c, newClock(), &testkit.Recorder{}) })
}

func totpOn(t testing.TB, s store.Store, c otp.TOTPPolicy, clock *testkit.Clock, r *testkit.Recorder) *fob {
	t.Helper()
	c.Issuer = cmp.Or(c.Issuer, "Agency")
	service, err := otp.NewTOTP(testkit.Vault(t, s, clock, r), c)
	require.NoError(t, err)
	return &fob{keyService: service, TOTP: service, clock: clock, events: r}
}

func newHOTP(t testing.TB, c otp.HOTPPolicy) *fob {
	t.Helper()
	return newFob(t, func(s store.Store) *fob { return hotpOn(t, s, c, newClock(), &testkit.Recorder{}) })
}

func hotpOn(t testing.TB, s store.Store, c otp.HOTPPolicy, clock *testkit.Clock, r *testkit.Recorder) *fob {
	t.Helper()
	c.Issuer = cmp.Or(c.Issuer, "Agency")
	service, err := otp.NewHOTP(testkit.Vault(t, s, clock, r), c)
	require.NoError(t, err)
	return &fob{keyService: service, HOTP: service, clock: clock, events: r}
}

// told returns the events since the last call, as "code" or "code: reason".
func (f *fob) told() []string {
	var texts []string
	for _, e := range f.events.Take() {
		text := string(e.Code)
		if e.Reason != "" {
			text += ": " + e.Reason
		}
		texts = append(texts, text)
	}
	return texts
}

// codeAt is what a token with a key shows at a step or counter.
func codeAt(k otp.Key, counter uint64) string {
	h := map[otp.Algorithm]oath.Hash{otp.SHA1: oath.SHA1, otp.SHA256: oath.SHA256, otp.SHA512: oath.SHA512}[k.Algorithm]
	key := oath.NewKey(h, []byte(k.Seed.Reveal()), k.Digits)
	return fmt.Sprintf("%0*d", k.Digits, key.Code(counter))
}

// shown is what an app shows whose clock is right plus an offset.
func (f *fob) shown(k otp.Key, offset time.Duration) string {
	return codeAt(k, uint64(f.clock.Now().Add(offset).Unix()/int64(k.Period/time.Second)))
}

// verify checks a code of Ada's and says what came of it.
func (f *fob) verify(t testing.TB, code string) string {
	t.Helper()
	return outcome(t, f.Verify(t.Context(), ada, civicpin.NewSecret(code), fobSource))
}

// outcome says what an answer is, and fails the test if a visitor may not have it.
func outcome(t testing.TB, err error) string {
	t.Helper()
	_, locked := errors.AsType[*lockout.LockedError](err)
	switch {
	case err == nil:
		return fobAccepted
	case locked:
		return fobLocked
	}
	require.ErrorIs(t, err, otp.ErrRefused)
	return fobRefused
}

// enrol makes a pending key for Ada.
func (f *fob) enrol(t testing.TB) otp.Key {
	t.Helper()
	key, err := f.Enrol(t.Context(), ada)
	require.NoError(t, err)
	return key
}

// enrolled enrols Ada and activates the key with its first code. A TOTP then lets a minute pass, so that the next code counts.
func (f *fob) enrolled(t testing.TB) otp.Key {
	t.Helper()
	key := f.enrol(t)
	if f.TOTP != nil {
		require.Equal(t, fobAccepted, f.verify(t, f.shown(key, 0)))
		f.clock.Add(time.Minute)
	} else {
		require.Equal(t, fobAccepted, f.verify(t, codeAt(key, 0)))
	}
	return key
}

// imported binds a key of Ada's that is in use already.
func (f *fob) imported(t testing.TB, key otp.Key) otp.Key {
	t.Helper()
	require.NoError(t, f.Import(t.Context(), ada, key, fobClerk))
	return key
}

// wrongCode is one that none of the keys shows near now, or among its next counters.
func (f *fob) wrongCode(keys ...otp.Key) string {
	for n := 0; ; n++ {
		code, right := fmt.Sprintf("%06d", n), false
		for _, k := range keys {
			for i := range uint64(40) {
				step := i
				if k.Period > 0 {
					step = uint64(f.clock.Now().Unix()/int64(k.Period/time.Second)) + i - 20
				}
				right = right || codeAt(k, step) == code
			}
		}
		if !right {
			return code
		}
	}
}

func (f *fob) status(t testing.TB) otp.KeyStatus {
	t.Helper()
	st, err := f.Enrolled(t.Context(), ada)
	require.NoError(t, err)
	return st
}

// copyOf returns a store with the same records.
func copyOf(t testing.TB, s store.Store) store.Store {
	t.Helper()
	to := store.NewMemory()
	testkit.Copy(t, to, s.(store.Lister))
	return to
}

// backupKit is a BackupCodes with everything around it.
type backupKit struct {
	*otp.BackupCodes
	clock  *testkit.Clock
	events *testkit.Recorder
	vault  *store.Vault
	config otp.BackupPolicy
	memory *store.Memory     // nil if made on another store
	faults *storetest.Faults // of this process, over memory
}

// paper is the policy of these tests.
var paper = otp.BackupPolicy{Name: "paper"}

// newBackupKit makes a BackupCodes of the defaults.
func newBackupKit(t testing.TB) *backupKit {
	t.Helper()
	return newBackupKitOf(t, paper)
}

// newBackupKitOf makes a BackupCodes of a policy over a store of its own, whose calls may fail.
func newBackupKitOf(t testing.TB, p otp.BackupPolicy) *backupKit {
	t.Helper()
	memory, faults := newStore()
	k := newBackupKitOn(t, faults.Store(), p, newClock(), &testkit.Recorder{})
	k.memory, k.faults = memory, faults
	return k
}

func newBackupKitOn(t testing.TB, s store.Store, c otp.BackupPolicy, clock *testkit.Clock, r *testkit.Recorder) *backupKit {
	t.Helper()
	vault := testkit.Vault(t, s, clock, r)
	b, err := otp.NewCheapBackup(vault, c)
	require.NoError(t, err)
	return &backupKit{BackupCodes: b, clock: clock, events: r, vault: vault, config: c}
}

// other is a BackupCodes of the same policy in another process.
func (k *backupKit) other(t testing.TB, s store.Store) *backupKit {
	t.Helper()
	return newBackupKitOn(t, s, k.config, k.clock, k.events)
}

// issued issues a set to Ana.
func (k *backupKit) issued(t testing.TB) []civicpin.Secret {
	t.Helper()
	set, err := k.Issue(t.Context(), ana, civicpin.Citizen)
	require.NoError(t, err)
	require.Len(t, set, 10)
	return set
}

// use types a code of Ana's.
func (k *backupKit) use(t testing.TB, code civicpin.Secret) error {
	t.Helper()
	return k.Verify(t.Context(), ana, code, home)
}

func (k *backupKit) left(t testing.TB) int {
	t.Helper()
	n, err := k.Left(t.Context(), ana)
	require.NoError(t, err)
	return n
}

// failures is how many wrong guesses are counted against Ana.
func (k *backupKit) failures(t testing.TB) int {
	t.Helper()
	st, err := k.Status(t.Context(), ana)
	require.NoError(t, err)
	return st.Failures
}

// noBackup is a code that nobody was issued.
var noBackup = civicpin.NewSecret("00000 00000 00000")
