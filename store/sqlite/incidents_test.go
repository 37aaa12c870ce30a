package sqlite_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/pin/state"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/audit"
	"github.com/civicpin/civicpin/store/sqlite"
)

// The people: Ana, the operator at the desk, and a thief.
var (
	ana    = civicpin.Subject("CITIZEN")
	home   = civicpin.Source{Address: "192.0.2.10"}
	atDesk = recovery.Operator{ID: civicpin.Operator("quito.1"), Role: "agency"}
	away   = civicpin.Source{Address: "198.51.100.66"}
)

const anas, thiefs, newMail = "tres gatos en el tejado", "una urraca en la ventana", "ana.nueva@correo.example"

func seen() civicpin.Evidence {
	return civicpin.Evidence{Method: civicpin.InPerson, Document: "cedula 1710034065", By: atDesk.ID}
}

// typed returns an attempt of Ana's, or in Ana's name.
func typed(secret string, source civicpin.Source) pin.Attempt {
	return pin.Attempt{Subject: ana, Secret: civicpin.NewSecret(secret), Source: source}
}

// news sends what waits, and returns the last message of a kind to an address.
func (r *rescue) news(t *testing.T, address string, kind civicpin.MessageKind) (last civicpin.Message) {
	t.Helper()
	require.NoError(t, r.out.Flush(t.Context()))
	for _, m := range r.mail {
		if m.To.Address == address && m.Kind == kind {
			last = m
		}
	}
	return last
}

// contactAt returns the id of Ana's contact of an address, "" if there is none.
func (r *rescue) contactAt(t *testing.T, address string) string {
	t.Helper()
	all, _, err := r.contacts.List(t.Context(), ana)
	require.NoError(t, err)
	for _, c := range all {
		if c.Address == address {
			return c.ID
		}
	}
	return ""
}

// disputed reports whether a contact of Ana's is disputed.
func (r *rescue) disputed(t *testing.T) (yes bool) {
	t.Helper()
	all, _, err := r.contacts.List(t.Context(), ana)
	require.NoError(t, err)
	for _, c := range all {
		yes = yes || c.Disputed
	}
	return yes
}

// guessed has strangers guess at Ana's secret until it locks.
func (r *rescue) guessed(t *testing.T) {
	t.Helper()
	for range 6 {
		require.Error(t, testkit.Err(r.pins.Verify(t.Context(), typed(thiefs, away))))
	}
}

// incidents are played step by step, as docs/incidents.md has them under the same headings.
var incidents = map[string]func(*testing.T, *rescue, string){
	"It was not me":            itWasNotMe,
	"A telephone is stolen":    aTelephoneIsStolen,
	"A mailbox is lost":        aMailboxIsLost,
	"Contacts are disputed":    contactsAreDisputed,
	"A key leaks":              aKeyLeaks,
	"A clock was wrong":        aClockWasWrong,
	"A flood comes":            aFloodComes,
	"A member of staff leaves": aMemberOfStaffLeaves,
}

func itWasNotMe(t *testing.T, r *rescue, _ string) {
	ctx := t.Context()
	byLink := func(link civicpin.Secret) {
		look, err := r.Inspect(ctx, link)
		require.NoError(t, err)
		require.Equal(t, recovery.ToRepudiate, look.Purpose)
		require.NoError(t, r.Repudiate(ctx, link, home))
		st, err := r.pins.Status(ctx, ana)
		require.NoError(t, err)
		require.True(t, st.Closed)
	}
	byTelephone := func(civicpin.Secret) {
		require.NoError(t, r.pins.Revoke(ctx, ana, state.Fraud, "called at 10:15", atDesk.ID))
		st, err := r.pins.Status(ctx, ana)
		require.NoError(t, err)
		require.Equal(t, state.Revoked, st.State)
	}
	hers, his := anas, thiefs
	for _, stops := range []func(link civicpin.Secret){byLink, byTelephone} {
		old := []civicpin.Contact{{Channel: civicpin.Email, Address: "old@correo.example"}} // which Ana has forgotten
		require.NoError(t, r.contacts.Adopt(ctx, ana, old, atDesk.ID, home))
		grant, err := r.Finish(ctx, r.linked(t, "short"), away)
		require.NoError(t, err)
		thief, err := r.pins.Set(ctx, grant, civicpin.NewSecret(his), away)
		require.NoError(t, err)
		stops(r.news(t, lostMail, recovery.NoticeDone).Link)
		require.ErrorIs(t, testkit.Err(r.pins.Verify(ctx, typed(his, home))), pin.ErrRefused)
		require.ErrorIs(t, testkit.Err(r.pins.Verify(ctx, typed(hers, home))), pin.ErrRefused)

		require.NotEmpty(t, r.contactAt(t, lostMail))
		require.NoError(t, r.contacts.Remove(ctx, ana, r.contactAt(t, old[0].Address), atDesk.ID, civicpin.Source{}))
		mail := []civicpin.Contact{{Channel: civicpin.Email, Address: lostMail}}
		require.NoError(t, r.contacts.Adopt(ctx, ana, mail, atDesk.ID, civicpin.Source{}))
		require.NoError(t, testkit.Err(r.pins.Issue(ctx, ana, pin.IssueOptions{Parts: mail, Evidence: seen(), By: atDesk.ID})))
		code := r.news(t, lostMail, pin.PartMessage).Secret.Reveal()
		hers, his = hers+" y otra", his+" y otra"
		require.NoError(t, testkit.Err(r.pins.Exchange(ctx, typed(code, home), civicpin.NewSecret(hers))))
		st, err := r.pins.Status(ctx, ana)
		require.NoError(t, err)
		require.False(t, st.Closed)
		require.Equal(t, state.Active, st.State)
		epoch, err := r.pins.Epoch(ctx, ana)
		require.NoError(t, err)
		require.NotEqual(t, thief.Epoch, epoch)
	}
}

func aTelephoneIsStolen(t *testing.T, r *rescue, _ string) {
	ctx := t.Context()
	const phone = "+593991234567"
	require.NoError(t, r.contacts.Adopt(ctx, ana, []civicpin.Contact{{Channel: civicpin.SMS, Address: phone}}, atDesk.ID, home))
	ok, err := r.pins.Verify(ctx, typed(anas, home))
	require.NoError(t, err)
	cookie, err := r.pins.RememberDevice(ctx, ok)
	require.NoError(t, err)
	stolen := civicpin.Source{Address: away.Address, Device: cookie}

	require.NoError(t, r.pins.Suspend(ctx, ana, "telephone stolen, called at 10:15", atDesk.ID))
	epoch, err := r.pins.Epoch(ctx, ana)
	require.NoError(t, err)
	require.NotEqual(t, ok.Epoch, epoch)
	require.ErrorIs(t, testkit.Err(r.pins.Verify(ctx, typed(anas, stolen))), pin.ErrRefused)

	require.NoError(t, r.contacts.Remove(ctx, ana, r.contactAt(t, lostMail), atDesk.ID, civicpin.Source{}))
	last := r.contacts.Remove(ctx, ana, r.contactAt(t, phone), atDesk.ID, civicpin.Source{})
	require.ErrorIs(t, last, contact.ErrUnsuitable, "the number is the last")
	next := []civicpin.Contact{{Channel: civicpin.Email, Address: newMail}}
	require.NoError(t, r.contacts.Adopt(ctx, ana, next, atDesk.ID, civicpin.Source{}))
	require.NoError(t, r.contacts.Remove(ctx, ana, r.contactAt(t, phone), atDesk.ID, civicpin.Source{}))
	require.NoError(t, r.pins.Resume(ctx, ana, seen(), "seen with the card", atDesk.ID))
	require.Empty(t, r.contactAt(t, phone))
	st, err := r.pins.Status(ctx, ana)
	require.NoError(t, err)
	require.False(t, st.Suspended)
	shows, err := r.pins.Shown(ctx, ana, stolen)
	require.NoError(t, err)
	require.True(t, shows.IsZero(), "the telephone is a known device no more")
	require.NoError(t, testkit.Err(r.pins.Verify(ctx, typed(anas, home))))
}

func aMailboxIsLost(t *testing.T, r *rescue, _ string) {
	ctx := t.Context()
	pending := r.linked(t, "short") // a reader of the lost mailbox has begun

	next := []civicpin.Contact{{Channel: civicpin.Email, Address: newMail}}
	require.NoError(t, r.contacts.Adopt(ctx, ana, next, atDesk.ID, civicpin.Source{}))
	require.NoError(t, r.contacts.Remove(ctx, ana, r.contactAt(t, lostMail), atDesk.ID, civicpin.Source{}))
	require.Empty(t, r.contactAt(t, lostMail))
	require.NotEmpty(t, r.contactAt(t, newMail))
	require.ErrorIs(t, testkit.Err(r.Finish(ctx, pending, civicpin.Source{})), recovery.ErrGone)
	r.linked(t, "short")
	require.False(t, r.news(t, newMail, recovery.LinkMessage).Link.IsZero())
}

func contactsAreDisputed(t *testing.T, r *rescue, _ string) {
	ctx := t.Context()
	next := []civicpin.Contact{{Channel: civicpin.Email, Address: newMail}}
	_, err := r.contacts.Change(ctx, ana, r.contactAt(t, lostMail), next[0], civicpin.Citizen, home)
	require.NoError(t, err)
	require.NoError(t, r.contacts.Prove(ctx, r.news(t, newMail, contact.ProofMessage).Link, home))
	require.NoError(t, r.contacts.Undo(ctx, r.news(t, lostMail, contact.NoticeChanged).Link, away))
	require.True(t, r.disputed(t))

	require.NoError(t, r.contacts.Adopt(ctx, ana, next, atDesk.ID, civicpin.Source{}))
	require.NoError(t, r.contacts.Remove(ctx, ana, r.contactAt(t, lostMail), atDesk.ID, civicpin.Source{}))
	require.False(t, r.disputed(t))
	r.linked(t, "short")
	require.False(t, r.news(t, newMail, recovery.LinkMessage).Link.IsZero())
}

func aKeyLeaks(t *testing.T, r *rescue, _ string) {
	ctx := t.Context()
	file, db := filepath.Join(t.TempDir(), "pins.keys"), newPath(t)
	leaked, err := store.CreateKeyFile(file)
	require.NoError(t, err)
	s, err := sqlite.Open(ctx, db)
	require.NoError(t, err)
	defer s.Close()
	open := func(keys store.Keys) (*store.Vault, error) { return store.OpenVault(ctx, s, keys, nil) }
	restarted := func() *store.Vault {
		keys, err := store.ReadKeyFile(file)
		require.NoError(t, err)
		vault, err := open(keys)
		require.NoError(t, err)
		return vault
	}
	_, err = open(leaked)
	require.NoError(t, err)

	id, err := store.AddKey(file)
	require.NoError(t, err)
	restarted()
	require.NoError(t, store.PromoteKey(file, id))
	vault := restarted()
	progress, err := vault.Reseal(ctx, store.Pass{})
	require.NoError(t, err)
	require.Zero(t, progress.Missed)
	require.NoError(t, store.RemoveKey(file, "k1"))
	restarted()
	_, err = open(leaked)
	require.Error(t, err, "no process starts with the leaked file")

	require.NoError(t, r.pins.Revoke(ctx, ana, state.Fraud, "keys and database leaked", atDesk.ID))
	require.ErrorIs(t, testkit.Err(r.pins.Verify(ctx, typed(anas, home))), pin.ErrRefused)
	require.NoError(t, testkit.Err(r.pins.Issue(ctx, ana, pin.IssueOptions{
		Parts: []civicpin.Contact{{Channel: civicpin.Email, Address: lostMail}}, Evidence: seen(), By: atDesk.ID,
	})))
}

func aClockWasWrong(t *testing.T, r *rescue, path string) {
	ctx := t.Context()
	ahead, err := openRescue(ctx, path, almostADay, birthDay)
	require.NoError(t, err)
	ahead.guessed(t)
	require.NoError(t, ahead.Close()) // stopped, until its clock is right

	st, err := r.pins.Status(ctx, ana)
	require.NoError(t, err)
	require.NotNil(t, st.Lockout.Locked)
	require.NoError(t, r.pins.Unlock(ctx, ana, atDesk.ID))
	st, err = r.pins.Status(ctx, ana)
	require.NoError(t, err)
	require.Nil(t, st.Lockout.Locked)
	require.NoError(t, testkit.Err(r.pins.Verify(ctx, typed(anas, home))))
}

func aFloodComes(t *testing.T, r *rescue, _ string) {
	ctx := t.Context()
	r.guessed(t)
	for range rescueLimit {
		_, err := r.Answer(ctx, r.begin(t, "short"), recovery.Answers{Facts: map[string]string{"birth-day": "15"}})
		require.Error(t, err)
	}

	st, err := r.pins.Status(ctx, ana)
	require.NoError(t, err)
	require.NotNil(t, st.Lockout.Locked)
	require.NoError(t, r.pins.Unlock(ctx, ana, atDesk.ID))
	require.NoError(t, r.Unlock(ctx, "short", ana, civicpin.Evidence{}, atDesk))
	held, err := r.out.Held(ctx, ana)
	require.NoError(t, err)
	require.Zero(t, held)
	r.linked(t, "short")
	ok, err := r.pins.Verify(ctx, typed(anas, home))
	require.NoError(t, err)
	cookie, err := r.pins.RememberDevice(ctx, ok)
	require.NoError(t, err)
	r.guessed(t)
	require.NoError(t, testkit.Err(r.pins.Verify(ctx, typed(anas, civicpin.Source{Address: home.Address, Device: cookie}))))
}

func aMemberOfStaffLeaves(t *testing.T, r *rescue, _ string) {
	ctx := t.Context()
	const own = "clerk@correo.example"
	leaves := civicpin.Operator("quito.2")
	log, err := audit.New(r.out.Vault(), audit.Config{Failed: func(_ context.Context, _ civicpin.Event, err error) {
		require.NoError(t, err)
	}})
	require.NoError(t, err)
	require.NoError(t, r.contacts.Adopt(ctx, ana, []civicpin.Contact{{Channel: civicpin.Email, Address: own}}, leaves, home))
	for _, e := range r.events.All() {
		log.Record(ctx, e)
	}

	report, err := log.Verify(ctx, audit.Check{})
	require.NoError(t, err)
	require.Empty(t, report.Faults)
	acted := make(map[civicpin.Subject]bool)
	for _, e := range r.events.All() {
		if e.By.Canonical() == leaves.Canonical() {
			acted[e.Subject] = true
		}
	}
	require.Equal(t, map[civicpin.Subject]bool{ana: true}, acted)
	require.NoError(t, r.contacts.Remove(ctx, ana, r.contactAt(t, own), atDesk.ID, civicpin.Source{}))
	require.Empty(t, r.contactAt(t, own))
	st, err := r.pins.Status(ctx, ana)
	require.NoError(t, err)
	require.NotEqual(t, leaves, st.By)
	require.False(t, r.news(t, own, "contact.changed").Kind == "" && r.news(t, lostMail, "contact.changed").Kind == "")
}

// Each incident is played on a database of its own. The page has the same headings, and each call that it names is made in the
// test of that heading.
func TestIncidents(t *testing.T) {
	page, err := os.ReadFile("../../docs/incidents.md")
	require.NoError(t, err)
	source, err := os.ReadFile("incidents_test.go")
	require.NoError(t, err)
	calls := regexp.MustCompile("`[a-z]+\\.(?:[A-Za-z]+\\.)?([A-Z][A-Za-z]+)\\(")
	sections := strings.Split(string(page), "\n## ")[1:]
	require.Len(t, sections, len(incidents))
	for _, section := range sections {
		heading, text, _ := strings.Cut(section, "\n")
		play := incidents[strings.Trim(heading, `"`)]
		require.NotNil(t, play, heading)
		name := regexp.MustCompile(`"` + strings.Trim(heading, `"`) + `":\s+(\w+),`).FindStringSubmatch(string(source))[1]
		_, body, _ := strings.Cut(string(source), "\nfunc "+name+"(")
		body, _, _ = strings.Cut(strings.ReplaceAll(body, ".contactAt(", ".List("), "\n}\n")
		named := calls.FindAllStringSubmatch(text, -1)
		require.Greater(t, len(named), 1, heading)
		for _, m := range named {
			require.Contains(t, body, fmt.Sprintf(".%s(", m[1]), heading)
		}
		t.Run(strings.Trim(heading, `"`), func(t *testing.T) {
			r, path := lose(t)
			play(t, r, path)
		})
	}
}
