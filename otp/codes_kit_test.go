package otp_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
)

func newClock() *testkit.Clock { return testkit.NewClock(start) }

// start is where the clocks of these tests begin: at the beginning of a step of TOTP.
var start = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

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
}

// newCodeKit makes a Codes of a policy over a store of its own.
func newCodeKit(t testing.TB, p otp.CodePolicy) *codeKit {
	t.Helper()
	return newCodeKitOn(t, store.NewMemory(), p, newClock(), &testkit.Mailbox{}, &testkit.Recorder{})
}

// newCodeKitOn makes a Codes over a store that may have served another before.
func newCodeKitOn(t testing.TB, s store.Store, p otp.CodePolicy, c *testkit.Clock, m *testkit.Mailbox, r *testkit.Recorder) *codeKit {
	t.Helper()
	vault := testkit.Vault(t, s, c, r)
	out := testkit.Outbox(t, vault, m, testkit.Fitting(p.Sends))
	codes, err := otp.NewCodes(out, p)
	require.NoError(t, err)
	return &codeKit{Codes: codes, clock: c, mail: m, events: r, vault: vault, out: out, policy: p}
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
