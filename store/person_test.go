package store_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/pin/state"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/recovery/plan"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
	"github.com/civicpin/civicpin/store/storetest"
)

// mobile is a subject's own, or the limit of messages to one address would count both.
func mobile(subject civicpin.Subject) civicpin.Contact {
	if subject == rossi {
		return civicpin.Contact{Channel: civicpin.SMS, Address: "+393331234567"}
	}
	return civicpin.Contact{Channel: civicpin.SMS, Address: "+393337654321"}
}

// A person is somebody who has a record of every kind that this library keeps.
type person struct {
	vault   *store.Vault
	pins    *pin.Service
	codes   *otp.Codes
	subject civicpin.Subject
	secrets map[string]string // what must not leave, by what it is
}

// live lets a subject go through everything but asking for codes. Several may live in one vault.
func live(t *testing.T, v *store.Vault, subject civicpin.Subject) *person {
	t.Helper()
	ctx, p := t.Context(), &person{vault: v, subject: subject, secrets: make(map[string]string)}
	var mu sync.Mutex
	sent := 0
	gateway := civicpin.NotifierFunc(func(_ context.Context, m civicpin.Message) (string, error) {
		mu.Lock()
		defer mu.Unlock()
		sent++
		if text := m.Secret.Reveal(); text != "" {
			p.secrets[fmt.Sprintf("message %d", sent)] = text
		}
		if link := m.Link.Reveal(); link != "" {
			p.secrets[fmt.Sprintf("link %d", sent)] = link
		}
		if m.To.Channel == civicpin.CertifiedEmail {
			return "", fmt.Errorf("%w: no such mailbox", civicpin.ErrUndeliverable)
		}
		return fmt.Sprintf("receipt-%s-%d", subject, sent), nil
	})
	out, err := outbox.New(v, gateway, nil)
	require.NoError(t, err)
	policy := pin.INPS()
	policy.History = 2
	p.pins, err = pin.New(out, policy)
	require.NoError(t, err)
	p.codes, err = otp.NewCodes(out, otp.SMS())
	require.NoError(t, err)
	totp, err := otp.NewTOTP(v, otp.TOTPPolicy{Issuer: "Agency"})
	require.NoError(t, err)
	hotp, err := otp.NewHOTP(v, otp.HOTPPolicy{Issuer: "Agency"})
	require.NoError(t, err)
	backup, err := otp.NewBackupCodes(v, otp.BackupPolicy{Name: "paper", Count: 2})
	require.NoError(t, err)

	source := civicpin.Source{Address: "192.0.2.1", Device: civicpin.NewSecret("device-of-" + string(subject))}
	p.secrets["device"] = source.Device.Reveal()
	issue := func(by civicpin.Actor, second civicpin.Contact) {
		_, err := p.pins.Issue(ctx, subject, pin.IssueOptions{Parts: []civicpin.Contact{mobile(subject), second}, By: by})
		require.NoError(t, err)
		_ = out.Flush(ctx) // one is sent to a mailbox that is not
	}
	issue(civicpin.Citizen, civicpin.Contact{Channel: civicpin.CertifiedEmail, Address: "nobody@pec.example.it"})
	require.NoError(t, p.pins.Revoke(ctx, subject, state.Ended, "another address", civicpin.Operator("7")))
	issue(civicpin.Operator("7"), civicpin.Contact{Channel: civicpin.Email, Address: "maria.rossi@example.it"})
	_, err = p.pins.Verify(ctx, pin.Attempt{Subject: subject, Secret: civicpin.NewSecret("WRONGONE"), Source: source})
	require.ErrorIs(t, err, pin.ErrRefused)

	for name, enrol := range map[string]func(context.Context, civicpin.Subject) (otp.Key, error){"totp": totp.Enrol, "hotp": hotp.Enrol} {
		key, err := enrol(ctx, subject)
		require.NoError(t, err)
		p.secrets[name] = key.Seed.Reveal()
	}
	p.recover(t, out)
	set, err := backup.Issue(ctx, subject, civicpin.Citizen)
	require.NoError(t, err)
	for i, code := range set {
		p.secrets[fmt.Sprintf("backup %d", i)] = code.Reveal()
	}
	return p
}

// recover has contacts and answers enrolled, and begins a recovery that waits for a link.
func (p *person) recover(t *testing.T, out *outbox.Outbox) {
	t.Helper()
	ctx, clerk := t.Context(), civicpin.Operator("7")
	questions := []string{"school", "street", "pet", "teacher", "song"}
	var images []string
	for i := range 30 {
		images = append(images, fmt.Sprintf("image-of-%d", i))
	}
	contacts, err := contact.New(out, contact.Policy{}, p.pins)
	require.NoError(t, err)
	rec, err := recovery.New(out, recovery.Config{Pins: p.pins, Contacts: contacts, Images: images, Questions: questions, Plans: []plan.Plan{{
		Name:    "mail",
		Steps:   []plan.Step{plan.Captcha{}, plan.Link{Channel: civicpin.Email, Valid: 30 * time.Minute}},
		Limit:   lockout.Policy{Limit: 3, Lock: lockout.UntilUnlocked},
		Outcome: plan.ChooseSecret,
	}}})

	require.NoError(t, err)
	source := civicpin.Source{Address: "192.0.2.1"}
	require.NoError(t, contacts.Adopt(ctx, p.subject, []civicpin.Contact{
		{Channel: civicpin.Email, Address: strings.ToLower(string(p.subject)) + "@example.it"},
	}, clerk, source))
	answers := make(map[string]civicpin.Secret)
	answers[questions[2]] = civicpin.NewSecret("a cat named Fufi") // one: each takes a hash
	p.secrets["answer"] = "a cat named Fufi"
	p.secrets["image"] = images[17]
	require.NoError(t, rec.EnrolAnswers(ctx, p.subject, images[17], answers, source))
	_, err = contacts.Add(ctx, p.subject, mobile(p.subject), civicpin.Citizen, source) // pending
	require.NoError(t, err)
	run, err := rec.Start(ctx, "mail", p.subject, source)
	require.NoError(t, err)
	p.secrets["ticket"] = run.Ticket.Reveal()
	_, err = rec.Answer(ctx, run.Ticket, recovery.Answers{Captcha: true, Source: source})
	require.NoError(t, err)
	require.NoError(t, out.Flush(ctx))
}

// ask has two codes drawn, which are not sent: their entries wait in the outbox.
func (p *person) ask(t *testing.T) *person {
	t.Helper()
	for range 2 {
		_, err := p.codes.Request(t.Context(), p.subject, otp.Purpose{Act: "file-return"}, otp.RequestOptions{
			To: []civicpin.Contact{mobile(p.subject)}, Params: map[string]string{"act": "your return"}, Source: civicpin.Source{Address: "192.0.2.1"},
		})
		require.NoError(t, err)
	}
	pending, err := p.codes.Pending(t.Context(), p.subject)
	require.NoError(t, err)
	for i, code := range pending {
		p.secrets[fmt.Sprintf("code %d", i)] = code.Code.Reveal()
	}
	return p
}

// kindsOf returns how many records of each kind there are.
func kindsOf(t *testing.T, s store.Store) map[string]int {
	t.Helper()
	n := make(map[string]int)
	for _, item := range raw(t, s) {
		kind, _, _ := strings.Cut(item.Key, "/")
		n[kind]++
	}
	return n
}

// TestEveryKindIsJudged has the library write all that it writes: each kind is known either as one that may be lost, or
// as one that must not be. A new one has to be judged here, and in forgetful.go.
func TestEveryKindIsJudged(t *testing.T) {
	faults := storetest.NewFaults(store.NewMemory())
	var mu sync.Mutex
	kinds := make(map[string]bool)
	faults.Hook(func(method, key string) error {
		mu.Lock()
		defer mu.Unlock()
		if method == storetest.Put {
			kind, _, _ := strings.Cut(key, "/")
			kinds[kind] = true
		}
		return nil
	})
	v := newVault(t, faults.Store(), sealing(t, "k1"), nil)
	clear(kinds) // the canary is no kind
	live(t, v, rossi).ask(t)
	assert.Equal(t, []string{
		"backup.paper", "code-pending.sms", "code.sms", "contact.book", "contact.token", "hotp.hotp", "lockout.pin.inps", "outbox.dead", "outbox.entry",
		"pin-receipt.inps", "pin.inps", "quota.address", "quota.country", "quota.global.pin.inps", "quota.sends-source", "quota.sends-staff",
		"quota.sends.code.sms", "quota.sends.contact", "quota.sends.pin.inps", "quota.sends.recovery", "quota.sends.recovery.start",
		"quota.sources.pin.inps", "recovery.knowledge", "recovery.run", "totp.totp",
	}, slices.Sorted(maps.Keys(kinds)))
	for kind := range kinds {
		_, err := store.NewRouter(store.Route{Kinds: []string{"*"}, Store: newLasting()}, store.Route{Kinds: []string{kind}, Store: store.NewMemory()})
		throttle := strings.HasPrefix(kind, "quota.")
		code := strings.HasPrefix(kind, "code")
		assert.Equal(t, throttle || code, err == nil, kind)
	}
}

// TestExport: what may leave does, and no secret, in no form.
func TestExport(t *testing.T) {
	memory := store.NewMemory()
	v := newVault(t, memory, sealing(t, "k1"), nil)
	p := live(t, v, rossi)
	live(t, v, bianchi).ask(t)
	p.ask(t)
	var out bytes.Buffer
	pass := store.Pass{Max: 5} // in steps, one after the other
	for end := false; !end; {
		at, err := v.Export(t.Context(), &out, rossi, pass)
		require.NoError(t, err)
		pass.After, end = at.Last, at.End
	}
	text := out.String()
	testkit.LeaksNothing(t, map[string]string{"the export": text}, slices.Collect(maps.Values(p.secrets))...)
	require.Greater(t, len(p.secrets), 8)
	for _, never := range []string{`"hash`, "argon2", `"text"`, `"code"`, `"tag"`, `"seed"`, `"salt"`, `"hashes"`, `"history"`, "BNCLRA", `"id":"pin`} {
		assert.NotContains(t, text, never)
	}

	kinds := make(map[string]int)
	for line := range strings.Lines(text) {
		var got struct {
			Kind     string
			Expires  time.Time
			Value    map[string]any
			Withheld bool
		}
		require.NoError(t, json.Unmarshal([]byte(line), &got), line)
		kinds[got.Kind]++
		assert.NotEmpty(t, got.Value, line)
		assert.False(t, got.Withheld)
		switch got.Kind {
		case "pin.inps":
			assert.Equal(t, "provisional", got.Value["state"])
			parts := got.Value["parts"].([]any)
			assert.Equal(t, "+393331234567", parts[0].(map[string]any)["address"])
			assert.Equal(t, "accepted", parts[1].(map[string]any)["state"])
		case "lockout.pin.inps":
			assert.EqualValues(t, 1, got.Value["total"])
		case "code.sms":
			assert.Equal(t, "file-return", got.Value["act"])
			assert.Equal(t, map[string]any{"act": "your return"}, got.Value["params"])
			assert.False(t, got.Expires.IsZero())
		case "recovery.run":
			assert.Equal(t, "mail", got.Value["plan"])
			assert.Equal(t, string(rossi), got.Value["subject"])
		case "contact.book":
			held := got.Value["contacts"].([]any)[0].(map[string]any)
			assert.Equal(t, "rssmra85t10a562s@example.it", held["to"].(map[string]any)["address"])
		case "recovery.knowledge":
			assert.Equal(t, []any{map[string]any{"question": "pet"}}, got.Value["questions"])
		case "totp.totp":
			assert.EqualValues(t, 6, got.Value["pending"].(map[string]any)["digits"])
		}
	}
	assert.Equal(t, map[string]int{
		"backup.paper": 1, "code-pending.sms": 1, "code.sms": 2, "contact.book": 1, "contact.token": 1, "hotp.hotp": 1, "lockout.pin.inps": 1, "outbox.dead": 1,
		"outbox.entry": 2, "pin-receipt.inps": 3, "pin.inps": 1, "quota.sends.code.sms": 1, "quota.sends.pin.inps": 1,
		"quota.sends.contact": 1, "quota.sends.recovery": 1, "quota.sends.recovery.start": 1, "recovery.knowledge": 1, "recovery.run": 1,
		"totp.totp": 1,
	}, kinds)
}

// TestErase: nothing of the person is left, and everything of everybody else; it can die at any call and be run again.
func TestErase(t *testing.T) {
	faults := storetest.NewFaults(store.NewMemory())
	v := newVault(t, faults.Store(), sealing(t, "k1"), nil)
	theirs := live(t, v, rossi)
	hers := live(t, v, bianchi)
	theirs.ask(t)
	want := kindsOf(t, faults.Store()) // and what is nobody's: the quotas of addresses
	want["code-pending.sms"], want["quota.sends.code.sms"] = 1, 1
	for _, kind := range []string{
		"backup.paper", "contact.book", "contact.token", "hotp.hotp", "lockout.pin.inps", "outbox.dead", "pin.inps", "quota.sends.contact",
		"quota.sends.pin.inps", "quota.sends.recovery", "quota.sends.recovery.start", "recovery.knowledge", "recovery.run", "totp.totp",
	} {
		require.Equal(t, 2, want[kind], kind)
		want[kind] = 1
	}
	want["pin-receipt.inps"] /= 2
	hers.ask(t)
	faults.Reset()
	runs := 0
	for k := 1; ; k++ {
		faults.StopAt(k, storetest.ReplyLost)
		_, err := v.Erase(t.Context(), bianchi, store.Pass{})
		runs++
		faults.Reset()
		if err == nil {
			break
		}
		require.ErrorIs(t, err, storetest.ErrInjected)
	}
	assert.Greater(t, runs, 3)
	assert.Equal(t, want, kindsOf(t, faults.Store()))
	at, err := v.Erase(t.Context(), bianchi, store.Pass{})
	require.NoError(t, err)
	assert.Zero(t, at.Changed)
	var out bytes.Buffer
	_, err = v.Export(t.Context(), &out, bianchi, store.Pass{})
	require.NoError(t, err)
	assert.Empty(t, out.String())
	st, err := theirs.pins.Status(t.Context(), rossi)
	require.NoError(t, err)
	assert.Equal(t, 1, st.Lockout.Failures, "others keep theirs")
}

// TestExportUnknownKind: without the program that knows a kind, nothing of its value leaves, but that it is there does.
func TestExportUnknownKind(t *testing.T) {
	memory := store.NewMemory()
	put(t, accounts(t, memory), store.Key{Subject: rossi}, account{Note: "the-secret-note"})
	var out bytes.Buffer
	v := newVault(t, memory, sealing(t, "k1"), nil)
	at, err := v.Export(t.Context(), &out, rossi, store.Pass{})
	require.NoError(t, err)
	assert.Equal(t, 1, at.Changed)
	assert.JSONEq(t, `{"kind":"account","withheld":true}`, out.String())

	// A type without tags lets nothing out, nor does one that is no struct.
	kindOf[account](t, v, "account")
	list := kindOf[[]string](t, v, "list")
	table := kindOf[map[string]int](t, v, "table")
	plain := kindOf[string](t, v, "plain")
	moment := kindOf[time.Time](t, v, "moment")
	for _, err := range []error{
		list.Put(t.Context(), &store.Entry[[]string]{Key: store.Key{Subject: rossi}, Value: []string{"the-secret-note"}}),
		table.Put(t.Context(), &store.Entry[map[string]int]{Key: store.Key{Subject: rossi}, Value: map[string]int{"the-secret-note": 1}}),
		plain.Put(t.Context(), &store.Entry[string]{Key: store.Key{Subject: rossi}, Value: "the-secret-note"}),
		moment.Put(t.Context(), &store.Entry[time.Time]{Key: store.Key{Subject: rossi}, Value: time.Unix(0, 0)}),
	} {
		require.NoError(t, err)
	}
	out.Reset()
	_, err = v.Export(t.Context(), &out, rossi, store.Pass{})
	require.NoError(t, err)
	for _, hidden := range []string{"secret", "Note", "1970"} {
		assert.NotContains(t, out.String(), hidden)
	}
	assert.Equal(t, 5, strings.Count(out.String(), "\n"))
}

// tagged is a record with something of everything.
type tagged struct {
	Whose  civicpin.Subject `json:"whose" export:"subject"`
	Yes    string           `json:"yes" export:"yes"`
	No     string           `json:"no"`
	At     time.Time        `json:"at" export:"yes"`
	Bytes  []byte           `json:"bytes" export:"yes"`
	Inner  *inner           `json:"inner" export:"yes"`
	Hidden inner            `json:"hidden"`
	List   []inner          `json:"list" export:"yes"`
	Table  map[string]inner `json:"table" export:"yes"`
	Bare   int              `export:"yes"`
}

type inner struct {
	Yes string `json:"yes" export:"yes"`
	No  string `json:"no"`
}

// TestExportTags: fields leave by their tags, at every depth; a record belongs to whom its field names.
func TestExportTags(t *testing.T) {
	v := newVault(t, store.NewMemory(), sealing(t, "k1"), nil)
	k := kindOf[tagged](t, v, "tagged")
	in := inner{Yes: "shown", No: "hidden"}
	value := tagged{
		Whose: rossi, Yes: "shown", No: "hidden", At: time.Unix(0, 0).UTC(), Bytes: []byte("x"), Inner: &in, Hidden: in,
		List: []inner{in}, Table: map[string]inner{"a": in}, Bare: 7,
	}
	require.NoError(t, k.Put(t.Context(), &store.Entry[tagged]{Key: store.Key{ID: "1"}, Value: value}))
	value.Whose = bianchi
	require.NoError(t, k.Put(t.Context(), &store.Entry[tagged]{Key: store.Key{ID: "2"}, Value: value}))
	var out bytes.Buffer
	_, err := v.Export(t.Context(), &out, rossi, store.Pass{})
	require.NoError(t, err)
	assert.JSONEq(t, `{"kind":"tagged","value":{"whose":"RSSMRA85T10A562S","yes":"shown","at":"1970-01-01T00:00:00Z","bytes":"eA==",
		"inner":{"yes":"shown"},"list":[{"yes":"shown"}],"table":{"a":{"yes":"shown"}},"Bare":7}}`, out.String())
	at, err := v.Erase(t.Context(), rossi, store.Pass{})
	require.NoError(t, err)
	assert.Equal(t, 1, at.Changed)
	_, err = k.Get(t.Context(), store.Key{ID: "2"})
	require.NoError(t, err, "another's")
}

// newKind makes a kind of values of a type, and returns the error.
func newKind[T any](v *store.Vault) error {
	_, err := store.NewKind[T](v, "a")
	return err
}

func TestNewKindRefusesTags(t *testing.T) {
	v := newVault(t, store.NewMemory(), sealing(t, "k1"), nil)
	for name, err := range map[string]error{
		"a typing error": newKind[struct {
			A int `export:"true"`
		}](v),
		"a subject of another type": newKind[struct {
			A string `export:"subject"`
		}](v),
		"not encoded": newKind[struct {
			a int `export:"yes"`
		}](v),
		"deeper": newKind[map[string][]*struct {
			A int `export:""`
		}](v),
	} {
		require.ErrorIs(t, err, civicpin.ErrInvalid, name)
	}
}

// fullDisk takes nothing.
type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, store.ErrConflict }

func TestExportWriterFails(t *testing.T) {
	memory := store.NewMemory()
	put(t, accounts(t, memory), store.Key{Subject: rossi}, account{})
	at, err := newVault(t, memory, sealing(t, "k1"), nil).Export(t.Context(), fullDisk{}, rossi, store.Pass{})
	require.ErrorIs(t, err, store.ErrConflict)
	assert.Equal(t, store.Progress{}, at)
}

// TestPersonUnreadable: whose a record is that does not open cannot be told, so the walk says so at its end.
func TestPersonUnreadable(t *testing.T) {
	memory := store.NewMemory()
	k := accounts(t, memory)
	put(t, k, store.Key{Subject: rossi}, account{})
	_, err := memory.Put(t.Context(), "account/0", store.Record{Value: []byte("junk")})
	require.NoError(t, err)
	v := newVault(t, memory, sealing(t, "k1"), nil)
	var out bytes.Buffer
	at, err := v.Export(t.Context(), &out, rossi, store.Pass{})
	require.ErrorIs(t, err, store.ErrUnreadable)
	assert.Equal(t, 1, at.Changed)
	at, err = v.Erase(t.Context(), rossi, store.Pass{})
	require.ErrorIs(t, err, store.ErrUnreadable)
	assert.Equal(t, 1, at.Changed)
	assert.Equal(t, 1, at.Unreadable)
	assert.Len(t, raw(t, memory), 1)
}
