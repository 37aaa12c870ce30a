package waits_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/internal/oath"
	"github.com/civicpin/civicpin/internal/password"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/internal/waits"
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

// The page in docs/ is written from the table: CIVICPIN_WRITE_WAITS=1 writes it.
func TestPage(t *testing.T) {
	const page = "../../docs/waits.md"
	if os.Getenv("CIVICPIN_WRITE_WAITS") != "" {
		require.NoError(t, os.WriteFile(page, []byte(waits.Page()), 0o644))
	}
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	require.Equal(t, string(text), waits.Page())
}

// The table has a cell for each thing and act, and an act that it does not know ends everything.
func TestTable(t *testing.T) {
	require.Len(t, waits.Table(), 17)
	for _, r := range waits.Table() {
		require.Len(t, r.Cells, len(waits.Columns()), r.Thing)
		for i, act := range waits.Columns() {
			require.NotEmpty(t, r.Cells[i], "%s: %s", r.Thing, act)
			require.Equal(t, r.Cells[i], waits.Of(r.Thing, act))
		}
		require.Equal(t, waits.Ends, waits.Of(r.Thing, "other"))
	}
}

var began = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// A past is acts at days since the beginning.
func past(list ...any) (a waits.Acts) {
	for i := 0; i < len(list); i += 2 {
		a = a.Did(list[i].(waits.Act), began.Add(time.Duration(list[i+1].(int))*day))
	}
	return a
}

// What was asked for ends with the acts of its row since, and with a record that began anew.
func TestEnded(t *testing.T) {
	then := past(waits.Exchange, 0, waits.Change, 0)
	for _, tc := range []struct {
		name  string
		now   waits.Acts
		thing waits.Thing
		want  bool
	}{
		{"nothing since", then, waits.Asked, false},
		{"a change since", then.Did(waits.Change, began), waits.Asked, true},
		{"an unlock since", then.Did(waits.Unlock, began), waits.Asked, false},
		{"a change, and staff asked", then.Did(waits.Change, began), waits.ByStaff, false},
		{"a revocation, and staff asked", then.Did(waits.Revoke, began), waits.ByStaff, true},
		{"the record is another one", past(waits.Exchange, 9), waits.Asked, true},
		{"the record went", nil, waits.Asked, true},
		{"a second issue by staff", then.Did(waits.Seen, began), waits.ByStaff, true},
		{"other credentials", waits.Parse("2"), waits.Asked, true},
	} {
		require.Equal(t, tc.want, tc.now.Ended(tc.thing, "", then.Stamp()), tc.name)
	}
	one, other := waits.Parse("one"), waits.Parse("other")
	require.False(t, one.Ended(waits.Asked, "", one.Stamp()))
	require.True(t, other.Ended(waits.Asked, "", one.Stamp()))
	require.False(t, waits.Acts(nil).Ended(waits.Asked, "", nil))
	own := then.DidBy(waits.Seen, "operator:a", began)
	require.False(t, own.Ended(waits.ByStaff, "operator:a", then.Stamp()), "asked for, and then issued")
	require.True(t, own.Ended(waits.ByStaff, "operator:b", then.Stamp()))
	require.True(t, own.DidBy(waits.Seen, "operator:a", began).Ended(waits.ByStaff, "operator:a", then.Stamp()), "and issued again")
}

// A mark changes with the acts that end a thing alone, and with a record that began anew.
func TestMark(t *testing.T) {
	then := past(waits.Seen, 0, waits.Exchange, 0)
	for _, act := range waits.Columns() {
		for _, thing := range []waits.Thing{waits.Code, waits.Enrolled, waits.Bound} {
			ends := waits.Of(thing, act).Ends()
			require.Equal(t, ends, then.Did(act, began).Mark(thing) != then.Mark(thing), "%s: %s", thing, act)
		}
	}
	require.NotEqual(t, then.Mark(waits.Bound), past(waits.Seen, 1, waits.Exchange, 1).Mark(waits.Bound))
	require.NotEqual(t, waits.Parse("one").Mark(waits.Code), waits.Parse("two").Mark(waits.Code))
	require.Equal(t, then.Mark(waits.Code), waits.Parse(then.Text()).Mark(waits.Code))
}

// A contact cools down for ten days from day 0, and anew for ten days from a recovery.
func TestCooled(t *testing.T) {
	for _, tc := range []struct {
		name  string
		acts  waits.Acts
		until int
		alive bool
	}{
		{"nothing since", nil, 10, true},
		{"a change", past(waits.Change, 3), 10, true},
		{"a revocation", past(waits.Revoke, 3), 10, false},
		{"a revocation afterwards", past(waits.Revoke, 10), 10, true},
		{"a recovery", past(waits.Recovery, 3), 13, true},
		{"a recovery, and a revocation while it cools down anew", past(waits.Recovery, 3, waits.Revoke, 12), 13, false},
		{"a revocation, and a recovery afterwards", past(waits.Revoke, 12, waits.Recovery, 13), 10, true},
		{"a revocation before it, and one afterwards, of which both are kept", past(waits.Seen, 3, waits.Revoke, 40), 10, false},
		{"more than are kept", past(
			waits.Revoke, 11, waits.Revoke, 12, waits.Revoke, 13, waits.Revoke, 14, waits.Revoke, 15), 10, false},
		{"more recoveries than are kept, long after", past(
			waits.Recovery, 400, waits.Recovery, 400, waits.Recovery, 401, waits.Recovery, 401, waits.Recovery, 402), 10, true},
		{"more recoveries than are kept, while it cools down", past(
			waits.Recovery, 3, waits.Recovery, 4, waits.Recovery, 5, waits.Recovery, 6, waits.Recovery, 7), 17, true},
		{"more recoveries than are kept, of which a lost one may have had it cool down until the others", past(
			waits.Recovery, 3, waits.Recovery, 15, waits.Recovery, 16, waits.Recovery, 17, waits.Recovery, 18), 28, true},
	} {
		until, alive := tc.acts.Cooled(began.Add(10*day), nil, 10*day)
		require.Equal(t, tc.alive, alive, tc.name)
		if alive {
			require.Equal(t, began.Add(time.Duration(tc.until)*day), until, tc.name)
		}
	}
	_, alive := past(waits.Change, 1).Cooled(time.Time{}, nil, day)
	require.True(t, alive, "one that counts at once")
	_, alive = past(waits.Revoke, 1000).Cooled(time.Time{}, nil, day)
	require.False(t, alive, "and is not settled, however late")
	_, alive = waits.Acts(nil).Cooled(began, past(waits.Revoke, 0).Stamp(), day)
	require.False(t, alive, "the record went")
}

// A settlement of day 1 is over on day 10. What ended it is told by the count, and what came afterwards by its time.
func TestEndedBefore(t *testing.T) {
	then := past(waits.Recovery, 0, waits.Recovery, 1)
	for _, tc := range []struct {
		name  string
		acts  []any
		ended bool
	}{
		{"nothing since", nil, false},
		{"a change", []any{waits.Change, 3}, false},
		{"a recovery", []any{waits.Recovery, 3}, true},
		{"a recovery by a clock that is behind", []any{waits.Recovery, -3}, true},
		{"an issue by a clock that is behind", []any{waits.Seen, -3}, true},
		{"a recovery afterwards", []any{waits.Recovery, 10, waits.Revoke, 11}, false},
		{"one before, and one afterwards", []any{waits.Recovery, 10, waits.Recovery, 9}, true},
		{"a repudiation of what was before", []any{waits.Repudiate, 0}, true},
		{"a repudiation of what was afterwards", []any{waits.Recovery, 10, waits.Repudiate, 9}, false},
		{"more than are kept", []any{
			waits.Recovery, 11, waits.Recovery, 11, waits.Recovery, 11, waits.Recovery, 11, waits.Recovery, 11,
		}, true},
	} {
		acts := then
		for i := 0; i < len(tc.acts); i += 2 {
			acts = acts.Did(tc.acts[i].(waits.Act), began.Add(time.Duration(tc.acts[i+1].(int))*day))
		}
		require.Equal(t, tc.ended, acts.EndedBefore(began.Add(10*day), waits.Settling, then.Stamp()), tc.name)
	}
	require.True(t, waits.Acts(nil).EndedBefore(began, waits.Settling, then.Stamp()), "the record went")
}

// A text is read as it was written, and acts are never taken back.
func TestText(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var a waits.Acts
		for _, act := range rapid.SliceOfN(rapid.SampledFrom(waits.Columns()), 0, 20).Draw(rt, "acts") {
			before := a
			a = a.Did(act, began)
			require.Equal(rt, before[act].N+1, a[act].N)
			require.Equal(rt, waits.Of(waits.Grant, act).Ends(), a.Ended(waits.Grant, "", before.Stamp()))
		}
		require.Equal(rt, a, waits.Parse(a.Text()))
		e := waits.Epochs{Run: 1, Proved: 2, Approved: 3}
		for i, as := range []waits.Thing{waits.Run, waits.Proved, waits.Approved} {
			require.Equal(rt, uint64(i+1), e.Of(as))
		}
		require.Equal(rt, e.Run, e.Of("other"))
	})
	require.Empty(t, waits.Acts(nil).Text())
	// A caller's own text is never taken for acts, whatever it looks like.
	for _, own := range [][2]string{
		{`{"login":{"version":1}}`, `{"login":{"version":2}}`},
		{`{"epoch":{}}`, `{"epoch":{"x":"7"}}`},
		{`null`, ``},
		{`{}`, ``},
		{`{"U":{"n":1}}`, `{"U":{"n":2}}`},
	} {
		one, other := waits.Parse(own[0]), waits.Parse(own[1])
		for _, thing := range []waits.Thing{waits.Code, waits.Enrolled, waits.Bound} {
			require.NotEqual(t, one.Mark(thing), other.Mark(thing), "%s: %s", thing, own)
		}
		require.True(t, other.Ended(waits.Asked, "", one.Stamp()), own)
	}
}

const (
	rosa       = civicpin.Subject("0912345678")
	rosaPhone  = "+593991234567"
	rosaMail   = "rosa@example.ec"
	rosaPEC    = "rosa@pec.example.ec"
	newMail    = "rosa.new@example.org"
	otherMail  = "rosa.other@example.org"
	thiefMail  = "thief@example.net"
	secret     = "tres gatos en el tejado"
	nextSecret = "cinco perros bajo la mesa"
	day        = 24 * time.Hour

	proveKind   civicpin.MessageKind = "contact.prove"
	changedKind civicpin.MessageKind = "contact.changed"
	linkKind    civicpin.MessageKind = "recovery.link"
	doneKind    civicpin.MessageKind = "recovery.done"
)

var (
	bySMS   = civicpin.Contact{Channel: civicpin.SMS, Address: rosaPhone}
	byMail  = civicpin.Contact{Channel: civicpin.Email, Address: rosaMail}
	byPEC   = civicpin.Contact{Channel: civicpin.CertifiedEmail, Address: rosaPEC}
	byNew   = civicpin.Contact{Channel: civicpin.Email, Address: newMail}
	byOther = civicpin.Contact{Channel: civicpin.Email, Address: otherMail}
	byThief = civicpin.Contact{Channel: civicpin.Email, Address: thiefMail}
	clerk   = recovery.Operator{ID: civicpin.Operator("zambrano"), Role: "agency"}
	second  = recovery.Operator{ID: civicpin.Operator("quishpe"), Role: "agency"}
	home    = civicpin.Source{Address: "192.0.2.7"}
)

// services are the services of one process.
type services struct {
	pins     *pin.Service
	contacts *contact.Service
	runs     *recovery.Service
	codes    *otp.Codes
	apps     *otp.TOTP
	paper    *otp.BackupCodes
	vault    *store.Vault
	out      *outbox.Outbox
}

// world is two processes over one store: calls of the first can be held up at any store call, while the second acts.
type world struct {
	services
	other  services
	t      testing.TB
	clock  *testkit.Clock
	post   *testkit.Mailbox
	faults *storetest.Faults // of the first
	slip   civicpin.Secret   // of the last issue
}

// newWorld makes a world in which nobody is known.
func newWorld(t testing.TB) *world {
	t.Helper()
	password.Cheap()
	memory := store.NewMemory()
	w := &world{
		t: t, clock: testkit.NewClock(time.Date(2026, 3, 2, 15, 0, 0, 0, time.UTC)), post: &testkit.Mailbox{},
		faults: storetest.NewFaults(memory),
	}
	w.services, w.other = w.process(w.faults.Store()), w.process(memory)
	return w
}

// process starts the services of a process.
func (w *world) process(s store.Store) (p services) {
	w.t.Helper()
	cheap := pin.Hashing{Memory: 8, Time: 1, Threads: 1, Permits: 64, Wait: time.Minute}
	var err error
	p.vault, p.out = testkit.Open(w.t, s, w.clock, w.post, nil)
	policy := pin.Default()
	policy.Hashing = cheap
	p.pins, err = pin.New(p.out, policy, pin.ProvedFunc(func(ctx context.Context, subject civicpin.Subject, list []civicpin.Contact) (bool, error) {
		return p.contacts.Proved(ctx, subject, list)
	}))
	require.NoError(w.t, err)
	p.contacts, err = contact.New(p.out, contact.Policy{Sends: testkit.Wide}, p.pins)
	require.NoError(w.t, err)
	codes := otp.SMS()
	codes.Sends = testkit.Wide
	p.codes, err = otp.NewCodes(p.out, codes, otp.Rests{Credentials: p.pins, Contacts: p.contacts})
	require.NoError(w.t, err)
	p.apps, err = otp.NewTOTP(p.vault, otp.TOTPPolicy{Issuer: "Agency"}, p.pins)
	require.NoError(w.t, err)
	p.paper, err = otp.NewBackupCodes(p.vault, otp.BackupPolicy{Name: "paper", Count: 1}, p.pins)
	require.NoError(w.t, err)
	p.runs, err = recovery.New(p.out, recovery.Config{
		Pins: p.pins, Contacts: p.contacts, Plans: plans(), Sends: testkit.Wide, Hashing: cheap,
		Roles: map[string]recovery.Role{"agency": {Unlocks: true}},
		Unbind: func(ctx context.Context, subject civicpin.Subject, since time.Time) error {
			return errors.Join(p.apps.Unbind(ctx, subject, since), p.paper.Unbind(ctx, subject, since))
		},
	})
	require.NoError(w.t, err)
	return p
}

// plans are those of the world.
func plans() []plan.Plan {
	link := plan.Link{Channel: civicpin.Email, Valid: time.Hour}
	limit := lockout.Policy{Limit: 5, Lock: lockout.UntilUnlocked}
	return []plan.Plan{
		{Name: "link", Steps: []plan.Step{plan.Captcha{}, link}, Limit: limit, Outcome: plan.ChooseSecret, Grant: day, Repudiate: 30 * day},
		{
			Name: "code", Outcome: plan.ChooseSecret, Grant: day, Limit: limit,
			Steps: []plan.Step{plan.Captcha{}, plan.Code{Channel: civicpin.SMS, Valid: 10 * time.Minute}, link},
		},
		{
			Name: "desk", Outcome: plan.ChooseSecret, Grant: day, Limit: limit,
			Steps: []plan.Step{plan.Captcha{}, plan.Approval{Role: "agency"}, link},
		},
		{
			Name: "moved", Outcome: plan.ChooseSecret, Grant: day, Limit: limit, Steps: []plan.Step{
				plan.Captcha{},
				plan.Code{Channel: civicpin.SMS, Valid: 10 * time.Minute},
				plan.ConfirmContact{Channel: civicpin.Email, MayCorrect: true},
				link,
			},
		},
		{Name: "parts", Steps: []plan.Step{plan.Captcha{}, link}, Limit: limit, Outcome: plan.ReissueInParts, Grant: day},
		{Name: "unlock", Steps: []plan.Step{plan.Captcha{}, link}, Limit: limit, Outcome: plan.Unlocked},
	}
}

// does fails the test at an error.
func (w *world) does(err error) {
	w.t.Helper()
	require.NoError(w.t, err)
	w.flush()
}

// flush sends what waits.
func (w *world) flush() {
	w.t.Helper()
	require.NoError(w.t, w.other.out.Flush(w.t.Context()))
}

// enrolled gives Rosa a secret of her own, and three contacts that staff have seen.
func (w *world) enrolled() {
	w.t.Helper()
	hash := password.New(password.Params{Memory: 8, Time: 1, Threads: 1}, secret).Encode()
	w.does(w.pins.Import(w.t.Context(), rosa, civicpin.NewSecret(hash), pin.ImportOptions{
		Level: civicpin.Substantial, By: clerk.ID, Evidence: seen(),
	}))
	w.does(w.contacts.Adopt(w.t.Context(), rosa, []civicpin.Contact{bySMS, byMail, byPEC}, clerk.ID, home))
}

func seen() civicpin.Evidence { return civicpin.Evidence{Method: civicpin.InPerson, By: clerk.ID} }

// asked has an address wait for its proof.
func (w *world) asked(to civicpin.Contact, by civicpin.Actor) {
	w.t.Helper()
	w.does(testkit.Err(w.contacts.Add(w.t.Context(), rosa, to, by, home)))
}

// prove uses the link that came last to an address.
func (w *world) prove(address string) error {
	return w.contacts.Prove(w.t.Context(), w.post.Last(address, proveKind).Link, home)
}

// usable returns the addresses of those that prove something.
func (w *world) usable() []string {
	w.t.Helper()
	now, err := w.contacts.Snapshot(w.t.Context(), rosa)
	require.NoError(w.t, err)
	return testkit.Addresses(now.Established(), func(c civicpin.Contact) string { return c.Address })
}

// contact returns Rosa's contact of an address, and whether there is one.
func (w *world) contact(address string) (contact.Contact, bool) {
	w.t.Helper()
	list, _, err := w.contacts.List(w.t.Context(), rosa)
	require.NoError(w.t, err)
	for _, c := range list {
		if c.Address == address {
			return c, true
		}
	}
	return contact.Contact{}, false
}

// begun starts a plan, and returns its run; its first message is sent.
func (w *world) begun(name string) recovery.Run {
	w.t.Helper()
	run, err := w.runs.Start(w.t.Context(), name, rosa, home)
	require.NoError(w.t, err)
	w.does(testkit.Err(w.runs.Answer(w.t.Context(), run.Ticket, recovery.Answers{Captcha: true})))
	return run
}

// granted completes the plan "link".
func (w *world) granted() pin.Grant {
	w.t.Helper()
	w.begun("link")
	g, err := w.runs.Finish(w.t.Context(), w.post.Last(rosaMail, linkKind).Link, home)
	require.NoError(w.t, err)
	w.flush()
	return g
}

// issues has staff issue on evidence.
func (w *world) issues(p services) error {
	is, err := p.pins.Issue(w.t.Context(), rosa, pin.IssueOptions{
		Parts: []civicpin.Contact{{Channel: civicpin.HandedOver}}, By: clerk.ID, Evidence: seen(), Level: civicpin.Substantial,
	})
	w.slip = is.Slip
	return err
}

// remembered has Rosa log in and her device be remembered, and returns its value.
func (w *world) remembered() civicpin.Secret {
	w.t.Helper()
	for _, s := range []string{secret, nextSecret} {
		ok, err := w.pins.Verify(w.t.Context(), pin.Attempt{Subject: rosa, Secret: civicpin.NewSecret(s), Source: home})
		if err == nil {
			value, err := w.pins.RememberDevice(w.t.Context(), ok)
			require.NoError(w.t, err)
			return value
		}
	}
	require.Fail(w.t, "no login")
	return civicpin.Secret{}
}

// knows reports whether a device is a known one.
func (w *world) knows(device civicpin.Secret) bool {
	w.t.Helper()
	gate, err := lockout.New(w.vault, "pin.default", w.pins.Policy().Lockout)
	require.NoError(w.t, err)
	id, err := gate.Device(w.t.Context(), lockout.Target{Subject: rosa, Source: civicpin.Source{Device: device}})
	require.NoError(w.t, err)
	return id != ""
}

// coded has a code be sent to an address. It tells whether that is good.
func (w *world) coded(to civicpin.Contact) (alive func() bool) {
	w.t.Helper()
	filing := otp.Purpose{Act: "file"}
	req, err := w.codes.Request(w.t.Context(), rosa, filing, otp.RequestOptions{To: []civicpin.Contact{to}, Source: home})
	w.does(err)
	code := w.post.Last(to.Address, otp.CodeMessage).Secret // none if an act ended it meanwhile
	return func() bool {
		return !code.IsZero() && w.codes.Verify(w.t.Context(), rosa, filing, req.ID, code, home) == nil
	}
}

// enrols has Rosa's app be shown a key. It tells whether a code of that is good.
func (w *world) enrols() (alive func() bool) {
	w.t.Helper()
	key, err := w.apps.Enrol(w.t.Context(), rosa)
	w.does(err)
	return w.shows(key)
}

// shows has an app show a code of a key, a minute later. It tells whether that is good.
func (w *world) shows(key otp.Key) (good func() bool) {
	return func() bool {
		w.clock.Add(time.Minute)
		return w.apps.Verify(w.t.Context(), rosa, civicpin.NewSecret(shown(key, w.clock.Now())), home) == nil
	}
}

// shown is the code that an app shows of a key at a time.
func shown(k otp.Key, at time.Time) string {
	key := oath.NewKey(oath.SHA1, []byte(k.Seed.Reveal()), k.Digits)
	return fmt.Sprintf("%06d", key.Code(uint64(at.Unix()/int64(k.Period/time.Second))))
}

// parts has a secret be on its way to an address. It tells whether that can be exchanged.
func (w *world) parts(to civicpin.Contact) (alive func() bool) {
	w.t.Helper()
	w.does(w.pins.Revoke(w.t.Context(), rosa, state.Ended, "", clerk.ID))
	o := handed()
	o.Parts = []civicpin.Contact{to}
	require.NoError(w.t, testkit.Err(w.pins.Issue(w.t.Context(), rosa, o)))
	return func() bool {
		arrived := w.post.To(to.Address, pin.PartMessage)
		if len(arrived) == 0 {
			return false
		}
		a := pin.Attempt{Subject: rosa, Secret: arrived[len(arrived)-1].Secret, Source: home}
		return testkit.Err(w.pins.Exchange(w.t.Context(), a, civicpin.NewSecret("siete peces en el rio"))) == nil
	}
}

// remove removes the contact of an address.
func (w *world) remove(p services, address string, by civicpin.Actor) {
	w.t.Helper()
	c, ok := w.contact(address)
	require.True(w.t, ok, address)
	w.does(p.contacts.Remove(w.t.Context(), rosa, c.ID, by, home))
}

// A thief in a session asks for an address. The citizen goes to the desk. Afterwards the thief's link is worth nothing.
func TestPendingAddressEndsAtTheDesk(t *testing.T) {
	w := newWorld(t)
	w.enrolled()
	w.asked(byThief, civicpin.Citizen)
	w.does(w.pins.Revoke(t.Context(), rosa, state.Ended, "the citizen lost it", clerk.ID))
	w.does(w.issues(w.services))
	w.does(w.contacts.Adopt(t.Context(), rosa, []civicpin.Contact{byMail}, clerk.ID, home))
	require.ErrorIs(t, w.prove(thiefMail), contact.ErrGone)
	require.Equal(t, []string{rosaPhone, rosaMail, rosaPEC}, w.usable())
}

// desks are acts of staff that end what a thief has begun.
func desks() map[string]func(w *world) {
	return map[string]func(w *world){
		"revoked": func(w *world) { w.does(w.pins.Revoke(w.t.Context(), rosa, state.Ended, "", clerk.ID)) },
		"adopted": func(w *world) {
			w.does(w.contacts.Adopt(w.t.Context(), rosa, []civicpin.Contact{byMail}, clerk.ID, home))
		},
	}
}

// So it is for a subject without contacts, whose first one would not cool down.
func TestPendingFirstAddressEndsAtTheDesk(t *testing.T) {
	for name, desk := range desks() {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.does(w.issues(w.services))
			w.asked(byThief, civicpin.Citizen)
			desk(w)
			require.ErrorIs(t, w.prove(thiefMail), contact.ErrGone)
			require.NotContains(t, w.usable(), thiefMail)
		})
	}
}

// A contact that a thief proved, and that still cools down, does not outlive the desk.
func TestCoolingContactEndsAtTheDesk(t *testing.T) {
	for name, desk := range desks() {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.enrolled()
			w.asked(byThief, civicpin.Citizen)
			w.does(w.prove(thiefMail))
			desk(w)
			w.clock.Add(30 * day)
			_, there := w.contact(thiefMail)
			require.False(t, there)
			require.Equal(t, []string{rosaPhone, rosaMail, rosaPEC}, w.usable())
		})
	}
}

// One that had cooled down before stays, and so it does when nothing was written in between.
func TestEstablishedContactStays(t *testing.T) {
	w := newWorld(t)
	w.enrolled()
	w.asked(byNew, civicpin.Citizen)
	w.does(w.prove(newMail))
	w.clock.Add(8 * day)
	w.does(w.pins.Revoke(t.Context(), rosa, state.Ended, "", clerk.ID))
	w.does(w.issues(w.services))
	require.Contains(t, w.usable(), newMail)
}

// Staff remove the mailbox by which a recovery was proved. Its grant sets nothing, hours later.
func TestGrantEndsWithItsContacts(t *testing.T) {
	for name, act := range map[string]func(w *world){
		"removed by staff":  func(w *world) { w.remove(w.services, rosaMail, clerk.ID) },
		"removed by her":    func(w *world) { w.remove(w.services, rosaPhone, civicpin.Citizen) },
		"contacts by staff": func(w *world) { w.does(w.contacts.Adopt(t.Context(), rosa, []civicpin.Contact{bySMS}, clerk.ID, home)) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.enrolled()
			g := w.granted()
			act(w)
			w.clock.Add(20 * time.Hour)
			_, err := w.pins.Set(t.Context(), g, civicpin.NewSecret(nextSecret), home)
			require.ErrorIs(t, err, pin.ErrNoGrant)
		})
	}
	w := newWorld(t)
	w.enrolled()
	g := w.granted()
	w.does(testkit.Err(w.pins.Set(t.Context(), g, civicpin.NewSecret(nextSecret), home)))
}

// Another recovery, which set nothing yet, is repudiated. What operators approved goes on once staff have acted: not before.
func TestApprovedRunAfterRepudiation(t *testing.T) {
	w := newWorld(t)
	w.enrolled()
	w.granted()
	run := w.begun("desk")
	w.does(testkit.Err(w.runs.Decide(t.Context(), run.ID, second, recovery.Verdict{Approve: true, Source: home})))
	link := w.post.Last(rosaMail, linkKind).Link
	w.does(w.runs.Repudiate(t.Context(), w.post.Last(rosaPhone, doneKind).Link, home))
	require.ErrorIs(t, testkit.Err(w.runs.Finish(t.Context(), link, home)), recovery.ErrGone)
	w.does(w.pins.Attest(t.Context(), rosa, seen()))
	w.does(testkit.Err(w.runs.Finish(t.Context(), link, home)))
}

// A thief with the secret changes it: that ends no run in which Rosa has proved a contact, and any other.
func TestChangeEndsNoProvedRun(t *testing.T) {
	for _, proved := range []bool{true, false} {
		w := newWorld(t)
		w.enrolled()
		run := w.begun("code")
		code := w.post.Last(rosaPhone, "recovery.code").Secret
		answer := func() error {
			return testkit.Err(w.runs.Answer(t.Context(), run.Ticket, recovery.Answers{Code: code}))
		}
		if proved {
			w.does(answer())
		}
		w.choose(w.pins.Change, civicpin.NewSecret(secret))
		if !proved {
			require.ErrorIs(t, answer(), recovery.ErrGone, "and it is not proved afterwards")
			continue
		}
		w.does(testkit.Err(w.runs.Finish(t.Context(), w.post.Last(rosaMail, linkKind).Link, home)))
	}
}

// A contact that goes ends the visitor's runs that were proved by it, and no other.
func TestRunEndsWithItsContact(t *testing.T) {
	for address, ends := range map[string]bool{rosaPEC: false, rosaPhone: true, rosaMail: true} {
		w := newWorld(t)
		w.enrolled()
		run := w.begun("code")
		code := w.post.Last(rosaPhone, "recovery.code").Secret
		w.does(testkit.Err(w.runs.Answer(t.Context(), run.Ticket, recovery.Answers{Code: code})))
		link := w.post.Last(rosaMail, linkKind).Link
		w.remove(w.services, address, civicpin.Citizen)
		_, err := w.runs.Finish(t.Context(), link, home)
		if ends {
			require.ErrorIs(t, err, recovery.ErrGone, address)
			continue
		}
		require.NoError(t, err, address)
	}
}

// A thief recovers, and brings a mailbox. It has cooled down long ago when the recovery is repudiated: it goes all the same, and
// the one that the thief took away comes back as long as that can be undone. What staff have seen since stands.
func TestRepudiationEndsContactsSince(t *testing.T) {
	for name, tc := range map[string]struct {
		after time.Duration
		seen  bool
		want  []string
	}{
		"while it cools down": {day, false, []string{rosaPhone, rosaMail}}, // the other one came back, and is disputed
		"afterwards":          {20 * day, false, []string{rosaPhone, rosaMail}},
		"seen by staff":       {20 * day, true, []string{rosaPhone, rosaMail, thiefMail}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.enrolled()
			w.does(testkit.Err(w.pins.Set(t.Context(), w.granted(), civicpin.NewSecret(nextSecret), home)))
			link := w.post.Last(rosaPhone, doneKind).Link
			w.clock.Add(time.Hour)
			w.asked(byThief, civicpin.Citizen)
			w.does(w.prove(thiefMail))
			w.remove(w.services, rosaPEC, civicpin.Citizen)
			if tc.seen {
				w.does(w.contacts.Adopt(t.Context(), rosa, []civicpin.Contact{byThief}, clerk.ID, home))
			}
			w.clock.Add(tc.after)
			w.does(w.runs.Repudiate(t.Context(), link, home))
			require.ElementsMatch(t, tc.want, w.usable())
		})
	}
}

// A thief holds a link of long ago. What staff issued since, and what Rosa brought with that, stands: also if they act in the
// middle of the call, once the link's own act is done or before.
func TestOldRepudiationLink(t *testing.T) {
	staff := func(w *world, p services) {
		w.does(p.pins.Revoke(t.Context(), rosa, state.Ended, "", clerk.ID))
		w.does(testkit.Err(p.pins.Issue(t.Context(), rosa, handed())))
	}
	link := func(w *world) civicpin.Secret { return w.post.Last(rosaPhone, doneKind).Link }
	prepare := func(w *world) {
		w.enrolled()
		w.does(testkit.Err(w.pins.Set(t.Context(), w.granted(), civicpin.NewSecret("siete peces en el rio"), home)))
		w.asked(byNew, civicpin.Citizen)
		w.does(w.prove(newMail))
		w.clock.Add(20 * day)
	}
	w := newWorld(t)
	prepare(w)
	staff(w, w.services)
	require.ErrorIs(t, testkit.Err(w.runs.Inspect(t.Context(), link(w))), recovery.ErrGone)
	require.ErrorIs(t, w.runs.Repudiate(t.Context(), link(w), home), recovery.ErrGone)
	require.Contains(t, w.usable(), newMail)

	status := func(w *world) pin.Status {
		st, err := w.other.pins.Status(t.Context(), rosa)
		require.NoError(t, err)
		return st
	}
	first := false
	pauses(t, prepare, func(w *world) error { return w.runs.Repudiate(t.Context(), link(w), home) }, func(w *world) {
		first = !status(w).Closed
		staff(w, w.other)
	}, func(t *testing.T, w *world, at int, err error) {
		require.Equal(t, state.Provisional, status(w).State, "at call %d", at)
		require.False(t, status(w).Closed, "at call %d", at)
		if first {
			require.ErrorIs(t, err, recovery.ErrGone, "at call %d", at)
			require.Contains(t, w.usable(), newMail, "at call %d", at)
		} else {
			require.NoError(t, err, "at call %d", at)
		}
		require.ErrorIs(t, w.runs.Repudiate(t.Context(), link(w), home), recovery.ErrGone)
	})
}

// A page reads the contacts, and an act takes one before the page asks for a code: no code goes there, nor to a contact in
// dispute. Contacts that stay, and addresses that were never in the book, get theirs.
func TestNoCodeGoesToALostContact(t *testing.T) {
	adopted := func(w *world) { w.does(w.contacts.Adopt(t.Context(), rosa, []civicpin.Contact{bySMS}, clerk.ID, home)) }
	byRegister := civicpin.Contact{Channel: civicpin.SMS, Address: "+593987654321"}
	for name, tc := range map[string]struct {
		act  func(w *world)
		to   civicpin.Contact
		sent bool
	}{
		"removed by staff":       {func(w *world) { w.remove(w.other, rosaPhone, clerk.ID) }, bySMS, false},
		"removed by the citizen": {func(w *world) { w.remove(w.other, rosaPhone, civicpin.Citizen) }, bySMS, false},
		"undone":                 {func(w *world) { w.disputed(rosaPhone) }, bySMS, false},
		"brought again":          {func(w *world) { w.remove(w.other, rosaPhone, clerk.ID); adopted(w) }, bySMS, true},
		"another one removed":    {func(w *world) { w.remove(w.other, rosaMail, clerk.ID) }, bySMS, true},
		"the caller's register":  {func(w *world) { w.remove(w.other, rosaPhone, clerk.ID) }, byRegister, true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.enrolled()
			tc.act(w)
			_, err := w.codes.Request(t.Context(), rosa, otp.Purpose{Act: "file"}, otp.RequestOptions{To: []civicpin.Contact{tc.to}, Source: home})
			w.does(err)
			require.Equal(t, tc.sent, !w.post.Last(tc.to.Address, otp.CodeMessage).Secret.IsZero())
		})
	}
}

// A process that does not know the contacts refuses a grant that rests on them.
func TestGrantWithoutContacts(t *testing.T) {
	w := newWorld(t)
	w.enrolled()
	g := w.granted()
	policy := w.pins.Policy()
	pins, err := pin.New(w.out, policy)
	require.NoError(t, err)
	require.ErrorIs(t, testkit.Err(pins.Set(t.Context(), g, civicpin.NewSecret(nextSecret), home)), pin.ErrNoGrant)
}

// pauses holds a call of the first process up before each of its store calls in turn, acts in the second, and looks at what
// came of it.
func pauses(t *testing.T, prepare func(*world), call func(*world) error, act func(*world), after func(t *testing.T, w *world, at int, err error)) {
	t.Helper()
	for at := 1; ; at++ {
		w := newWorld(t)
		prepare(w)
		calls, acted := 0, false
		w.faults.Hook(func(string, string) error {
			if calls++; calls == at {
				acted = true
				act(w)
			}
			return nil
		})
		err := call(w)
		w.faults.Hook(nil)
		if !acted {
			require.Greater(t, at, 3, "there are three pauses at least")
			return
		}
		w.flush()
		after(t, w, at, err)
	}
}

// Whenever in the middle of asking for an address, or of proving it, the desk revokes: nothing of it counts afterwards, though
// the proof itself may have been taken.
func TestRevocationAmid(t *testing.T) {
	revoke := func(w *world) { w.does(w.other.pins.Revoke(t.Context(), rosa, state.Ended, "", clerk.ID)) }
	empty := func(t *testing.T, w *world, at int) {
		w.clock.Add(30 * day)
		require.NotContains(t, w.usable(), thiefMail, "at call %d", at)
	}
	t.Run("asking", func(t *testing.T) {
		pauses(t, func(w *world) { w.enrolled() }, func(w *world) error {
			return testkit.Err(w.contacts.Add(t.Context(), rosa, byThief, civicpin.Citizen, home))
		}, revoke, func(t *testing.T, w *world, at int, err error) {
			if err == nil && len(w.post.To(thiefMail, proveKind)) > 0 {
				_ = w.prove(thiefMail) // asked for after the revocation, perhaps; then it cools down, and is dealt with there
			}
			if c, ok := w.contact(thiefMail); ok {
				require.False(t, c.CoolsUntil.IsZero(), "at call %d", at)
			}
		})
	})
	t.Run("proving", func(t *testing.T) {
		pauses(t, func(w *world) {
			w.enrolled()
			w.asked(byThief, civicpin.Citizen)
		}, func(w *world) error { return w.prove(thiefMail) }, revoke, func(t *testing.T, w *world, at int, _ error) {
			empty(t, w, at)
		})
	})
	t.Run("proving a first one", func(t *testing.T) {
		settled := 0
		pauses(t, func(w *world) {
			w.does(w.issues(w.services))
			w.asked(byThief, civicpin.Citizen)
		}, func(w *world) error { return w.prove(thiefMail) }, revoke, func(t *testing.T, w *world, at int, _ error) {
			// It counts only if it did before the revocation: another process saw it.
			if _, ok := w.contact(thiefMail); ok {
				settled++
			}
		})
		require.LessOrEqual(t, settled, 2, "before the last write, the one that settles, or at it")
	})
}

// Whenever in the middle of a recovery's end, or of a grant's use, staff remove the mailbox: what comes afterwards sets nothing.
func TestRemovalAmid(t *testing.T) {
	removes := func(w *world) { w.remove(w.other, rosaMail, clerk.ID) }
	t.Run("granting", func(t *testing.T) {
		var g pin.Grant
		pauses(t, func(w *world) {
			w.enrolled()
			w.begun("link")
		}, func(w *world) (err error) {
			g, err = w.runs.Finish(t.Context(), w.post.Last(rosaMail, linkKind).Link, home)
			return err
		}, removes, func(t *testing.T, w *world, at int, err error) {
			if err == nil {
				require.ErrorIs(t, testkit.Err(w.pins.Set(t.Context(), g, civicpin.NewSecret(nextSecret), home)), pin.ErrNoGrant, "at call %d", at)
			}
		})
	})
	t.Run("using", func(t *testing.T) {
		var g pin.Grant
		used := 0
		pauses(t, func(w *world) {
			w.enrolled()
			g = w.granted()
		}, func(w *world) error {
			return testkit.Err(w.pins.Set(t.Context(), g, civicpin.NewSecret(nextSecret), home))
		}, removes, func(_ *testing.T, _ *world, _ int, err error) {
			if err == nil {
				used++
			}
		})
		require.Positive(t, used, "held up after it was compared: it was used before")
	})
}

// A run corrects the mailbox, which staff remove in the middle of its end: its grant sets nothing, though the correction alone
// would have left the contacts changed as often. Nor does the corrected address come.
func TestCorrectionAmid(t *testing.T) {
	var g pin.Grant
	pauses(t, func(w *world) {
		w.enrolled()
		run := w.begun("moved")
		answer := func(a recovery.Answers) { w.does(testkit.Err(w.runs.Answer(t.Context(), run.Ticket, a))) }
		answer(recovery.Answers{Code: w.post.Last(rosaPhone, "recovery.code").Secret})
		answer(recovery.Answers{Correct: byNew})
	}, func(w *world) (err error) {
		g, err = w.runs.Finish(t.Context(), w.post.Last(newMail, linkKind).Link, home)
		return err
	}, func(w *world) {
		address := rosaMail
		if _, there := w.contact(address); !there { // it was replaced
			address = rosaPEC
		}
		w.remove(w.other, address, clerk.ID)
	}, func(t *testing.T, w *world, at int, err error) {
		_, came := w.contact(newMail)
		require.Equal(t, came, err == nil, "at call %d", at)
		if err != nil {
			require.ErrorIs(t, err, recovery.ErrGone, "at call %d", at)
			return
		}
		require.ErrorIs(t, testkit.Err(w.pins.Set(t.Context(), g, civicpin.NewSecret(nextSecret), home)), pin.ErrNoGrant, "at call %d", at)
	})
}

// disputed has Rosa replace a stolen mailbox, and the thief undo that by the link there.
func (w *world) disputed(address string) {
	w.t.Helper()
	stolen, _ := w.contact(address)
	w.does(testkit.Err(w.contacts.Change(w.t.Context(), rosa, stolen.ID, byNew, civicpin.Citizen, home)))
	w.does(w.prove(newMail))
	w.does(w.contacts.Undo(w.t.Context(), w.post.Last(address, changedKind).Link, home))
}

// A thief who has the old mailbox undoes its replacement. The mailbox recovers nothing by that, at once or later, and the
// address that went is told of what happens.
func TestUndoGivesAStolenMailboxNothing(t *testing.T) {
	w := newWorld(t)
	w.enrolled()
	w.disputed(rosaMail)
	_, there := w.contact(rosaMail)
	require.True(t, there)
	for range 3 {
		require.Equal(t, []string{rosaPhone, rosaPEC}, w.usable())
		before := len(w.post.To(rosaMail, linkKind))
		w.begun("link")
		require.Len(t, w.post.To(rosaMail, linkKind), before)
		told := len(w.post.To(newMail, "pin.changed"))
		w.does(testkit.Err(w.contacts.Notify(t.Context(), rosa, "pin.changed", nil)))
		if w.clock.Now().Before(time.Date(2026, 3, 5, 0, 0, 0, 0, time.UTC)) {
			require.Len(t, w.post.To(newMail, "pin.changed"), told+1)
		}
		w.clock.Add(10 * day)
	}
	w.does(w.contacts.Adopt(t.Context(), rosa, []civicpin.Contact{byMail}, clerk.ID, home))
	require.Equal(t, []string{rosaPhone, rosaMail, rosaPEC}, w.usable(), "seen by staff")
}

// A thief undoes the replacement of a mailbox that was stolen, and both are disputed. What began before then is repudiated by
// either all the same: by links that arrived, that were on their way, or that came of it later. What begins in the dispute is not.
func TestDisputedAddressRepudiatesWhatWasBefore(t *testing.T) {
	recovered := func(w *world) {
		w.begun("link")
		g, err := w.runs.Finish(t.Context(), w.post.Last(rosaMail, linkKind).Link, home)
		require.NoError(t, err)
		require.NoError(t, testkit.Err(w.pins.Set(t.Context(), g, civicpin.NewSecret(nextSecret), home)))
	}
	approved := func(w *world) (finish func()) {
		run := w.begun("desk")
		w.does(testkit.Err(w.runs.Decide(t.Context(), run.ID, second, recovery.Verdict{Approve: true, Source: home})))
		link := w.post.Last(rosaMail, linkKind).Link
		return func() { w.does(testkit.Err(w.runs.Finish(t.Context(), link, home))) }
	}
	for name, tc := range map[string]struct {
		do   func(w *world, disputed func())
		want bool
	}{
		"arrived":    {func(w *world, disputed func()) { recovered(w); w.flush(); disputed() }, true},
		"on its way": {func(w *world, disputed func()) { recovered(w); disputed() }, true},
		"came of it": {func(w *world, disputed func()) {
			finish := approved(w)
			disputed()
			finish()
		}, true},
		"began in the dispute": {func(w *world, disputed func()) { disputed(); w.clock.Add(time.Minute); recovered(w); w.flush() }, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.enrolled()
			tc.do(w, func() { w.clock.Add(time.Minute); w.disputed(rosaPEC) })
			c, there := w.contact(rosaPEC)
			require.True(t, there && c.Disputed)
			link := w.post.Last(rosaPEC, doneKind).Link
			require.Equal(t, tc.want, !link.IsZero())
			if tc.want {
				w.does(w.runs.Repudiate(t.Context(), link, home))
			}
		})
	}
}

// A recovery was repudiated, and staff issued on evidence. Contacts that they neither saw nor removed then undo and repudiate
// nothing any more, by links of before or of later: the one who repudiated may have been the thief.
func TestIssueAfterRepudiationAsksOfEveryContact(t *testing.T) {
	w := newWorld(t)
	w.enrolled()
	w.asked(byNew, civicpin.Citizen)
	w.does(w.prove(newMail))
	older := w.post.Last(rosaMail, changedKind).Link
	w.clock.Add(time.Hour)
	w.does(testkit.Err(w.pins.Set(t.Context(), w.granted(), civicpin.NewSecret("siete peces en el rio"), home)))
	denial := w.post.Last(rosaMail, doneKind).Link
	w.does(w.runs.Repudiate(t.Context(), w.post.Last(rosaPhone, doneKind).Link, home))
	w.clock.Add(time.Minute)
	open := func(address string) bool {
		c, there := w.contact(address)
		require.True(t, there)
		return c.Unconfirmed
	}
	require.False(t, open(rosaMail), "before staff acted")
	w.does(w.issues(w.services))
	require.True(t, open(rosaPhone) && open(rosaMail) && open(rosaPEC))
	require.ErrorIs(t, w.contacts.Undo(t.Context(), older, home), contact.ErrGone)
	require.ErrorIs(t, w.runs.Repudiate(t.Context(), denial, home), recovery.ErrGone)

	w.does(w.contacts.Adopt(t.Context(), rosa, []civicpin.Contact{bySMS}, clerk.ID, home))
	require.False(t, open(rosaPhone))
	w.asked(byOther, civicpin.Citizen)
	w.does(w.prove(otherMail))
	require.False(t, w.post.Last(rosaPhone, changedKind).Link.IsZero())
	require.True(t, w.post.Last(rosaMail, changedKind).Link.IsZero(), "told, and given nothing")
	require.False(t, open(otherMail), "it came since")
	w.choose(w.pins.Exchange, w.slip)
	w.granted()
	require.False(t, w.post.Last(rosaPhone, doneKind).Link.IsZero())
	require.True(t, w.post.Last(rosaPEC, doneKind).Link.IsZero())
	require.Equal(t, []string{rosaPhone, rosaMail, rosaPEC}, w.usable(), "they prove something still")
	w.clock.Add(30 * day)
	w.does(w.contacts.Adopt(t.Context(), rosa, []civicpin.Contact{byMail}, clerk.ID, home))
	require.True(t, open(rosaPEC) && !open(rosaMail))
}
