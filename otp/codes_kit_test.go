package otp_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
)

// codeKeys are the keys of all vaults of the tests of codes, so that a store can be opened again.
var codeKeys = sync.OnceValue(func() store.Keys {
	sealer, err := store.XChaCha20Poly1305(civicpin.NewSecret(strings.Repeat("s", 32)))
	if err != nil {
		panic(err)
	}
	return store.Keys{
		Index:   civicpin.NewSecret(strings.Repeat("i", 32)),
		Sealing: []store.SealingKey{{ID: "k1", Sealer: sealer}},
	}
})

// A codeClock is one that tests move.
type codeClock struct {
	mu  sync.Mutex
	now time.Time
}

func newCodeClock() *codeClock {
	return &codeClock{now: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)}
}

func (c *codeClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *codeClock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// codeMail is a notifier that keeps what it is given. fail, if set, decides about each message first.
type codeMail struct {
	mu   sync.Mutex
	got  []civicpin.Message
	fail func(civicpin.Message) error
}

func (m *codeMail) Notify(_ context.Context, msg civicpin.Message) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		if err := m.fail(msg); err != nil {
			return "", err
		}
	}
	m.got = append(m.got, msg)
	return fmt.Sprintf("receipt-%d", len(m.got)), nil
}

// messages returns what arrived, oldest first.
func (m *codeMail) messages() []civicpin.Message {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]civicpin.Message(nil), m.got...)
}

// last returns the code that came last, "" if none did.
func (m *codeMail) last() string {
	all := m.messages()
	if len(all) == 0 {
		return ""
	}
	return all[len(all)-1].Secret.Reveal()
}

// codeEvents is a recorder that keeps what it is told.
type codeEvents struct {
	mu  sync.Mutex
	got []civicpin.Event
}

func (r *codeEvents) Record(_ context.Context, e civicpin.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.got = append(r.got, e)
}

// reasons counts the reasons of the events of a code.
func (r *codeEvents) reasons(code civicpin.EventCode) map[string]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := make(map[string]int)
	for _, e := range r.got {
		if e.Code == code {
			n[e.Reason]++
		}
	}
	return n
}

// compared is how many guesses at codes were compared and refused.
func (r *codeEvents) compared() int {
	n := 0
	for reason, times := range r.reasons(civicpin.EventCode("otp.code_refused")) {
		if reason != "locked" && reason != "busy" && reason != "not checked" {
			n += times
		}
	}
	return n
}

// codeKit is a Codes with everything around it.
type codeKit struct {
	*otp.Codes
	clock  *codeClock
	mail   *codeMail
	events *codeEvents
	vault  *store.Vault
	out    *outbox.Outbox
	policy otp.CodePolicy
}

// newCodeKit makes a Codes of a policy over a store of its own.
func newCodeKit(t testing.TB, p otp.CodePolicy) *codeKit {
	t.Helper()
	return newCodeKitOn(t, store.NewMemory(), p, newCodeClock(), &codeMail{}, &codeEvents{})
}

// newCodeKitOn makes a Codes over a store that may have served another before.
func newCodeKitOn(t testing.TB, s store.Store, p otp.CodePolicy, c *codeClock, m *codeMail, r *codeEvents) *codeKit {
	t.Helper()
	vault, err := store.NewVault(s, codeKeys(), &store.Options{Now: c.Now, Recorder: r})
	require.NoError(t, err)
	out, err := outbox.New(vault, m, nil)
	require.NoError(t, err)
	codes, err := otp.NewCodes(vault, out, p)
	require.NoError(t, err)
	return &codeKit{Codes: codes, clock: c, mail: m, events: r, vault: vault, out: out, policy: p}
}

// other is a Codes of the same policy in another process, which reaches the same records through s.
func (k *codeKit) other(t testing.TB, s store.Store) *codeKit {
	t.Helper()
	return newCodeKitOn(t, s, k.policy, k.clock, k.mail, k.events)
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
	k.clock.add(time.Second)
	require.NoError(t, k.out.Flush(t.Context()))
	sent := k.mail.last()
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
