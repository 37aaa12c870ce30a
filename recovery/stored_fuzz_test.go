package recovery_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/recoveryrun"
	"github.com/civicpin/civicpin/internal/waits"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/recovery/plan"
	"github.com/civicpin/civicpin/store"
)

// storedID is the id of the run that is fed to the service.
const storedID = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

// fields are those of a stored run on which it depends whether it may end in a grant.
type fields struct {
	Subject civicpin.Subject
	Plan    string
	Digest  []byte
	State   string
	Known   bool
	Epoch   waits.Epochs
	Ticket  []byte
	Step    int
	Rests   time.Time
	Expires time.Time
	Links   []struct {
		N       int
		Hash    []byte
		Expires time.Time
	}
}

// begun has a run begun under each plan, and returns what is stored of each.
func (k *kit) begun(t testing.TB) map[string]map[string]any {
	t.Helper()
	raw, err := store.NewKind[map[string]any](k.vault, "recovery.run")
	require.NoError(t, err)
	all := make(map[string]map[string]any)
	for _, p := range plans() {
		var run recovery.Run
		if _, staffs := p.Steps[0].(plan.Approval); staffs {
			run, err = k.StartBy(t.Context(), p.Name, ana, recovery.Operator{ID: agency.ID, Role: p.Steps[0].(plan.Approval).Role})
		} else {
			run, err = k.Start(t.Context(), p.Name, ana, civicpin.Source{})
		}
		require.NoError(t, err)
		e, err := raw.Get(t.Context(), store.Key{ID: run.ID})
		require.NoError(t, err)
		all[p.Name] = e.Value
	}
	return all
}

// storedRuns are runs as they are stored, at each step of each plan and beside, with tokens that this test has.
func storedRuns(t testing.TB, k *kit) (runs [][]byte, digests map[string][]byte) {
	t.Helper()
	_, ticket := recovery.Forge('t', storedID, 0)
	_, linked := recovery.Forge('l', storedID, 1)
	_, repudiate := recovery.Forge('d', storedID, 1)
	digests = make(map[string][]byte)
	begun := k.begun(t)
	for _, p := range plans() {
		for step := -1; step <= len(p.Steps)+1; step++ {
			r := maps.Clone(begun[p.Name])
			to := map[string]any{"channel": "email", "address": anaMail}
			until := k.clock.Now().Add(time.Minute)
			r["step"], r["ticket"], r["known"] = step, ticket, true
			r["links"] = []any{map[string]any{"n": 1, "hash": linked, "tag": linked, "to": to, "expires": until}}
			r["repudiate"] = []any{map[string]any{"n": 1, "hash": repudiate, "expires": until}}
			r["mail"] = []any{map[string]any{
				"name": "s1", "kind": "recovery.link", "to": to, "link": 1, "token": "x", "expires": until, "state": "pending",
			}}
			r["sends"] = 1
			text, err := json.Marshal(r)
			require.NoError(t, err)
			runs = append(runs, text)
			var f fields
			require.NoError(t, json.Unmarshal(text, &f))
			digests[p.Name] = f.Digest
		}
	}
	return runs, digests
}

// FuzzStoredRun feeds bytes to the service as a stored run, with tokens that fit. Whatever they are, no call panics, what
// cannot be read is refused as that, and a recovery is completed only if the record says that all steps were proved, in the
// state that the credential is in.
func FuzzStoredRun(f *testing.F) {
	seeds, digests := storedRuns(f, newKit(f))
	for _, text := range seeds {
		f.Add(text)
	}
	for _, change := range [][2]string{
		{`"known":true`, `"known":false`},
		{`"state":"open"`, `"state":"finished"`},
		{`"tickets":0`, `"tickets":-256`},
		{`"sends":1`, `"sends":-9223372036854775808`},
		{`"n":1`, `"n":257`},
		{`"asked":[`, `"asked":[],"documents":[`},
		{`"repudiate":[`, `"rests":"9999-12-31T23:59:59Z","correct":{},"adopt":true,"repudiate":[`},
		{`"repudiate":[`, `"enrolled":{"questions":[{}]},"named":[{}],"approved":[{}],"repudiate":[`},
	} {
		for _, text := range seeds {
			if bytes.Contains(text, []byte(`"plan":"clave"`)) && bytes.Contains(text, []byte(change[0])) {
				f.Add(bytes.ReplaceAll(text, []byte(change[0]), []byte(change[1])))
			}
		}
	}
	f.Add([]byte(`{}`))
	f.Add([]byte(`null`))
	ticket, ticketHash := recovery.Forge('t', storedID, 0)
	linked, linkHash := recovery.Forge('l', storedID, 1)
	repudiate, _ := recovery.Forge('d', storedID, 1)
	f.Fuzz(func(t *testing.T, text []byte) {
		if !json.Valid(text) {
			return
		}
		k := newKit(t)
		raw, err := store.NewKind[json.RawMessage](k.vault, "recovery.run")
		require.NoError(t, err)
		put := func() {
			_, err := raw.Update(t.Context(), store.Key{ID: storedID}, func(e *store.Entry[json.RawMessage]) error {
				e.Value = text
				return nil
			})
			require.NoError(t, err)
		}
		var r fields
		readable := json.Unmarshal(text, &r) == nil
		// proved reports whether the record says that a token completes the plan.
		proved := func(link bool) bool {
			i := slices.IndexFunc(plans(), func(p plan.Plan) bool { return p.Name == r.Plan })
			if i < 0 || !readable || !bytes.Equal(r.Digest, digests[r.Plan]) || r.State != "open" || !r.Known || !k.clock.Now().Before(r.Expires) {
				return false
			}
			mark, err := k.pins.Mark(t.Context(), r.Subject)
			var as recoveryrun.Record
			contacts, err2 := k.contacts.Snapshot(t.Context(), r.Subject)
			if json.Unmarshal(text, &as) != nil || errors.Join(err, err2) != nil || !as.Lives(&mark, contacts) {
				return false
			}
			steps := plans()[i].Steps
			if !link {
				return r.Step == len(steps) && !k.clock.Now().Before(r.Rests) && bytes.Equal(r.Ticket, ticketHash)
			}
			for _, l := range r.Links {
				if l.N == 1 && bytes.Equal(l.Hash, linkHash) && k.clock.Now().Before(l.Expires) {
					return r.Step == len(steps)-1
				}
			}
			return false
		}

		var errs []error
		note := func(_ any, err error) { errs = append(errs, err) }
		put()
		note(k.Show(t.Context(), ticket))
		note(k.Inspect(t.Context(), linked))
		note(k.Inspect(t.Context(), repudiate))
		note(k.ShowCase(t.Context(), storedID, agency))
		for _, a := range []recovery.Answers{
			{},
			{Captcha: true},
			{Confirm: true},
			{Code: civicpin.NewSecret("ACDEFGHJ")},
			{Terms: "2026"},
			{Documents: map[string]string{"front": "a", "back": "b", "face": "c"}},
			{Facts: map[string]string{"birth-day": "14", "birth-month": "3"}, Image: anaImage, Questions: secrets(map[string]string{"mascota": "?"})},
			{EnrolImage: "gato", EnrolQuestions: secrets(anaAnswers)},
		} {
			note(k.Answer(t.Context(), ticket, a))
			put()
		}
		note(k.Send(t.Context(), ticket, home))
		put()
		note(k.Decide(t.Context(), storedID, agency, recovery.Verdict{}))
		put()
		note(k.Redeem(t.Context(), linked, home))
		put()
		note(nil, k.Cancel(t.Context(), ticket))
		put()
		require.NoError(t, k.out.Flush(t.Context()))

		put()
		may := proved(true)
		g, err := k.Finish(t.Context(), linked, home)
		require.True(t, may || err != nil, "completed by a link, though not all is proved")
		require.True(t, err == nil || g.IsZero(), "a grant with an error")
		note(nil, err)
		put()
		may = proved(false)
		g, err = k.Finish(t.Context(), ticket, home)
		require.True(t, may || err != nil, "completed by a ticket, though not all is proved")
		require.True(t, err == nil || g.IsZero(), "a grant with an error")
		note(nil, err)
		put()
		note(k.Decide(t.Context(), storedID, agency, recovery.Verdict{Approve: true}))
		put()
		note(nil, k.Repudiate(t.Context(), repudiate, home))
		if !readable {
			for _, err := range errs {
				require.ErrorIs(t, err, store.ErrUnreadable)
			}
		}
	})
}
