package pin_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
)

// Resends that strangers ask for do not cost a part that waits for its country its turn.
func TestResendLosesTheCountrySlot(t *testing.T) {
	for _, attacked := range []bool{false, true} {
		t.Run(fmt.Sprint("resends ", attacked), func(t *testing.T) {
			k := newLimitedKit(t, outbox.Limits{Home: civicpin.Rate{Limit: 10, Window: time.Hour}})
			pins, out, box, clock := k.Service, k.out, k.mail, k.clock
			n := 0
			flood := func(k int) { // as many as the country lets through, so that what waits stays 8 hours' worth
				for range k {
					o := pin.IssueOptions{By: civicpin.Citizen, Parts: []civicpin.Contact{
						{Channel: civicpin.SMS, Address: fmt.Sprintf("+3933%08d", n)},
						{Channel: civicpin.Email, Address: fmt.Sprintf("x%d@void.example", n)},
					}, Source: civicpin.Source{Address: fmt.Sprintf("2001:db8:%x::1", n%0xffff)}}
					_, err := pins.Issue(t.Context(), civicpin.Subject(fmt.Sprint("MADE UP ", n)), o)
					require.NoError(t, err)
					n++
				}
			}
			flood(90)
			require.NoError(t, out.Flush(t.Context()))
			_, err := pins.Issue(t.Context(), maria, inps())
			require.NoError(t, err)
			for h := range 7 * 24 {
				require.NoError(t, out.Flush(t.Context()))
				clock.Add(time.Hour)
				flood(10)
				if attacked && h%5 == 4 {
					_ = pins.Resend(t.Context(), maria, 0, civicpin.Source{Address: "192.0.2.1"})
				}
			}
			got := len(box.To(phone, pin.PartMessage))
			t.Log("to the owner in a week: ", got)
			require.NotZero(t, got)
		})
	}
}

// Of three Resends at once none fails, for a known subject or an unknown one: only a known subject's could lose the race.
func TestResendsAtOnce(t *testing.T) {
	lost := map[civicpin.Subject]int{}
	for range 60 {
		k := newKit(t, pin.INPS())
		_, err := k.Issue(t.Context(), maria, inps())
		require.NoError(t, err)
		for _, subject := range []civicpin.Subject{maria, "NOBODY"} {
			var wg sync.WaitGroup
			var mu sync.Mutex
			for range 3 {
				wg.Go(func() {
					if k.Resend(t.Context(), subject, 0, civicpin.Source{}) != nil {
						mu.Lock()
						lost[subject]++
						mu.Unlock()
					}
				})
			}
			wg.Wait()
		}
	}
	require.Equal(t, lost["NOBODY"], lost[maria])
}

// No policy has a name that New derives for the resends of another.
func TestDerivedName(t *testing.T) {
	vault := testkit.Vault(t, store.NewMemory(), newClock(), nil)
	out := testkit.Outbox(t, vault, &testkit.Mailbox{}, outbox.Limits{})
	a, b := pin.INPS(), pin.INPS()
	a.Name, b.Name = "x", "x.resend"
	a.Sends, b.Sends = civicpin.Rate{Limit: 10, Window: 24 * time.Hour}, civicpin.Rate{Limit: 5, Window: 24 * time.Hour}
	as, err := pin.NewCheap(vault, out, a)
	require.NoError(t, err)
	bs, err := pin.NewCheap(vault, out, b)
	require.NoError(t, err)
	for range 5 {
		require.NoError(t, as.Resend(t.Context(), maria, 0, civicpin.Source{}))
	}
	_, err = bs.Issue(t.Context(), maria, inps())
	require.NoError(t, err, "strangers' resends at one portal, and none at this one")
}

type load struct {
	Typed int   `json:"n" export:"yes"`
	At    int64 `json:"t" export:"yes"`
}

// While too many typed messages wait, Resend answers alike for a stranger and a citizen whose PIN a clerk issued.
func TestResendTellsWhileCrowded(t *testing.T) {
	k := newKit(t, pin.INPS())
	o := inps()
	o.By = clerk
	_, err := k.Issue(t.Context(), maria, o)
	require.NoError(t, err)
	// What a dispatcher of another process writes down.
	kind, err := store.NewKind[load](testkit.Vault(t, k.memory, k.clock, nil), "quota.load")
	require.NoError(t, err)
	require.NoError(t, kind.Put(t.Context(), &store.Entry[load]{
		Key: store.Key{ID: "typed"}, Value: load{100_000, k.clock.Now().UnixNano()}, ExpiresAt: k.clock.Now().Add(2 * time.Hour),
	}))
	// This process has taken over a thousand since it looked last.
	refs := make([]outbox.Ref, 1001)
	for i := range refs {
		refs[i] = outbox.Ref{Owner: "pin.inps", Subject: "CROWD", ID: string(rune('a'+i%26)) + string(rune('0'+i/26))}
	}
	err = k.out.Announce(t.Context(), outbox.Request{Subject: "CROWD", Decoy: true, Refs: refs},
		func(context.Context) error { return nil })
	require.ErrorIs(t, err, outbox.ErrBusy)
	stranger := k.Resend(t.Context(), "NOBODY", 0, civicpin.Source{Address: "192.0.2.1"})
	citizen := k.Resend(t.Context(), maria, 0, civicpin.Source{Address: "192.0.2.1"})
	require.Equal(t, stranger, citizen)
}
