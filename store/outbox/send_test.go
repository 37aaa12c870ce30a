package outbox_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
)

func TestSendsOnceAndTellsTheOwner(t *testing.T) {
	r := onMemory(t)
	ref := r.clerk.ref("RSSMRA", "issue-1/part-1")
	require.NoError(t, r.clerk.post(t.Context(), r.out, ref, letter{Text: "ABCD2345", To: sms("+393331234567")}))
	for range 3 {
		require.NoError(t, r.out.Flush(t.Context()))
		r.clock.Add(time.Hour)
	}
	got := r.sink.messages()
	require.Len(t, got, 1)
	require.Equal(t, "ABCD2345", got[0].Secret.Reveal())
	require.Equal(t, sms("+393331234567"), got[0].To)
	require.Regexp(t, `^[0-9a-f]{32}$`, got[0].ID)
	require.Equal(t, "accepted", r.clerk.state(t, ref))
	require.Zero(t, r.count(t, "outbox.entry"))
	sent := r.log.Of("outbox.sent")
	require.Len(t, sent, 1)
	require.Equal(t, civicpin.Subject("RSSMRA"), sent[0].Subject)
	require.Equal(t, "issue-1/part-1", sent[0].Ref)
	require.Equal(t, "receipt-"+got[0].ID, sent[0].Reason)
	e, err := r.clerk.letters.Get(t.Context(), r.clerk.key(ref))
	require.NoError(t, err)
	require.Equal(t, "receipt-"+got[0].ID, e.Value.Receipt)
}

func TestMessageIDIsOfTheMessageAlone(t *testing.T) {
	r := onMemory(t)
	other := newClerk(t, r.vault, "other")
	require.NoError(t, r.out.Register("other", other))
	refs := []outbox.Ref{
		r.clerk.ref("A", "1"), r.clerk.ref("A", "2"), r.clerk.ref("B", "1"),
		{Owner: "other", Subject: "A", ID: "1"},
		r.clerk.ref("A", "other/1"),
	}
	r.sink.then(func(context.Context, civicpin.Message) error { return fmt.Errorf("not now") })
	for i, ref := range refs {
		owner := r.clerk
		if ref.Owner == "other" {
			owner = other
		}
		require.NoError(t, owner.post(t.Context(), r.out, ref, letter{Text: fmt.Sprint("text-", i), To: mail(fmt.Sprintf("a%d@example.org", i))}))
	}
	for range 3 {
		require.NoError(t, r.out.Flush(t.Context()))
		r.clock.Add(10 * time.Minute)
	}
	ids := make(map[string]string)
	for _, m := range r.sink.messages() {
		if id, ok := ids[m.Secret.Reveal()]; ok {
			require.Equal(t, id, m.ID)
		}
		ids[m.Secret.Reveal()] = m.ID
	}
	require.Len(t, ids, len(refs))
	distinct := make(map[string]bool)
	for _, id := range ids {
		distinct[id] = true
	}
	require.Len(t, distinct, len(refs))
}

// copier keeps every byte that was ever written.
type copier struct {
	*store.Memory
	mu   sync.Mutex
	seen bytes.Buffer
}

func (c *copier) Put(ctx context.Context, key string, r store.Record) (store.Version, error) {
	c.mu.Lock()
	c.seen.WriteString(key)
	c.seen.Write(r.Value)
	c.mu.Unlock()
	return c.Memory.Put(ctx, key, r)
}

// unsealed is a sealer that does not seal, so that the test can look.
type unsealed struct{}

func (unsealed) Seal(_ context.Context, p, _ []byte) ([]byte, error) { return bytes.Clone(p), nil }
func (unsealed) Open(_ context.Context, s, _ []byte) ([]byte, error) { return bytes.Clone(s), nil }

func TestNoTextAndNoAddressIsInTheOutboxsRecords(t *testing.T) {
	c := &copier{Memory: newMemory()}
	k := keys(t)
	k.Sealing[0].Sealer = unsealed{}
	v, err := store.OpenVault(t.Context(), c, k, nil)
	require.NoError(t, err)
	s := new(sink)
	out, err := outbox.New(v, s, &outbox.Options{MaxTries: 2, MinDelay: time.Millisecond, MaxDelay: time.Millisecond})
	require.NoError(t, err)
	o := &fixed{m: civicpin.Message{
		To: mail("maria@example.org"), Secret: civicpin.NewSecret("SECRET99"), Link: civicpin.NewSecret("token-of-the_link"),
	}}
	require.NoError(t, out.Register("fixed", o))
	s.then(func(_ context.Context, m civicpin.Message) error {
		return fmt.Errorf("550 cannot deliver %q, https://portal.example/r#%s", m.Secret.Reveal(), m.Link.Reveal())
	})
	ref := outbox.Ref{Owner: "fixed", Subject: "A", ID: "1"}
	require.NoError(t, out.Add(t.Context(), ref))
	require.NoError(t, out.Commit(t.Context(), ref))
	for range 3 {
		require.NoError(t, out.Flush(t.Context()))
		time.Sleep(5 * time.Millisecond)
	}
	require.Len(t, s.messages(), 2)
	all := c.seen.String()
	require.Contains(t, all, "550 cannot deliver", "the dead letter's reason")
	require.NotContains(t, all, "SECRET99")
	require.NotContains(t, all, "token-of-the_link")
	require.NotContains(t, strings.ToLower(all), "maria")
}

// fixed is an owner that always wants one message sent, whatever was settled.
type fixed struct {
	m  civicpin.Message
	mu sync.Mutex

	outcomes []outbox.Outcome
	settle   error
}

func (f *fixed) Confirm(context.Context, outbox.Ref) (civicpin.Message, error) { return f.m, nil }

func (f *fixed) Settle(_ context.Context, _ outbox.Ref, what outbox.Outcome) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.outcomes = append(f.outcomes, what)
	return f.settle
}

func TestLongestDueGoesFirst(t *testing.T) {
	r := onMemoryWith(t, &outbox.Options{Workers: 1})
	var want []string
	for i := range 30 {
		text := fmt.Sprintf("text-%02d", i)
		want = append(want, text)
		require.NoError(t, r.clerk.post(t.Context(), r.out, r.clerk.ref("A", text), letter{Text: text, To: mail(text + "@example.org")}))
		r.clock.Add(time.Second)
	}
	require.NoError(t, r.out.Flush(t.Context()))
	require.Equal(t, want, r.sink.texts())
}

// A crowd of dispatchers, each a process of its own on one store, sends each message once.
func TestManyDispatchersSendEachOnce(t *testing.T) {
	const dispatchers, messages = 64, 40
	s := newMemory()
	clock := newClock()
	rigs := make([]*rig, dispatchers)
	for i := range rigs {
		rigs[i] = newRig(t, s, clock, nil)
	}
	for i := range messages {
		text := fmt.Sprint("text-", i)
		require.NoError(t, rigs[0].clerk.post(t.Context(), rigs[0].out, rigs[0].clerk.ref("A", text),
			letter{Text: text, To: mail(text + "@example.org")}))
	}
	var wg sync.WaitGroup
	for _, r := range rigs {
		wg.Go(func() {
			if err := r.out.Flush(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	got := make(map[string]int)
	for _, r := range rigs {
		for _, text := range r.sink.texts() {
			got[text]++
		}
	}
	require.Len(t, got, messages)
	for text, n := range got {
		require.Equal(t, 1, n, text)
	}
	require.Zero(t, rigs[0].count(t, "outbox.entry"))
}

func TestRefs(t *testing.T) {
	r := onMemory(t)
	for name, ref := range map[string]outbox.Ref{
		"no owner":        {Subject: "A", ID: "1"},
		"owner's name":    {Owner: "a/b", Subject: "A", ID: "1"},
		"long owner":      {Owner: strings.Repeat("o", 65), Subject: "A", ID: "1"},
		"no subject":      {Owner: "clerk", ID: "1"},
		"no id":           {Owner: "clerk", Subject: "A"},
		"long id":         {Owner: "clerk", Subject: "A", ID: strings.Repeat("i", 257)},
		"control in id":   {Owner: "clerk", Subject: "A", ID: "1\n2"},
		"id is not UTF-8": {Owner: "clerk", Subject: "A", ID: "\xff"},
	} {
		t.Run(name, func(t *testing.T) {
			good := r.clerk.ref("A", "1")
			require.ErrorIs(t, ref.Validate(), civicpin.ErrInvalid)
			require.ErrorIs(t, r.out.Add(t.Context(), good, ref), civicpin.ErrInvalid)
			require.ErrorIs(t, r.out.AddDecoy(t.Context(), good, ref), civicpin.ErrInvalid)
			require.ErrorIs(t, r.out.Commit(t.Context(), good, ref), civicpin.ErrInvalid)
			require.ErrorIs(t, r.out.Retry(t.Context(), ref), civicpin.ErrInvalid)
			require.Zero(t, r.count(t, "outbox.entry"), "nothing is written if one ref is bad")
		})
	}
}

// A stop waits for what is being sent, and marks it.
func TestStopWaitsForWhatIsBeingSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := inBubble(t, nil)
		r.sink.then(func(ctx context.Context, _ civicpin.Message) error {
			time.Sleep(20 * time.Second)
			return ctx.Err()
		})
		ref := r.clerk.ref("A", "1")
		require.NoError(t, r.clerk.post(t.Context(), r.out, ref, letter{Text: "x", To: mail("a@example.org")}))
		stop := r.run(t)
		time.Sleep(time.Second)
		began := time.Now()
		stop()
		require.Equal(t, 19*time.Second, time.Since(began))
		require.Equal(t, "accepted", r.clerk.state(t, ref))
		require.Zero(t, r.count(t, "outbox.entry"))
	})
}
