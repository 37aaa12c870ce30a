package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/store"
)

const (
	timed  = 500 // subjects of a class
	rounds = 4   // requests for each, below every limit
	goes   = 3   // on a busy machine, whose noise more requests even out
)

// timedPortal returns a portal in memory, without a server or a dispatcher, and as many known citizens as unknown ones.
func timedPortal(t *testing.T) (p *portal, subjects [2][]civicpin.Subject) {
	t.Helper()
	file := t.TempDir() + "/portal.db"
	p, err := open(t.Context(), config{
		base: "http://127.0.0.1:8080", db: file, keys: file + ".keys", wrap: func(store.Lister) store.Lister { return store.NewMemory() },
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.records.Close()) })
	for i := range timed {
		known, unknown := fiscal("CNSCTA%02dA01H%03d", i%100, i/100), fiscal("SCNSCT%02dA01H%03d", i%100, i/100)
		to := civicpin.Contact{Channel: civicpin.Email, Address: mailOf(known), Locale: "it"}
		_, err := p.system("inps").fill(t.Context(), known, crowdHash, to)
		require.NoError(t, err)
		subjects[0], subjects[1] = append(subjects[0], known), append(subjects[1], unknown)
	}
	return p, subjects
}

// forgedLink returns a link of a recovery in the subject's name as a stranger makes it up who began the recovery.
func forgedLink(t *testing.T, p *portal, subject civicpin.Subject) string {
	t.Helper()
	rec := p.system("inps").rec
	run, err := rec.Start(t.Context(), unlockINPS, subject, civicpin.Source{})
	require.NoError(t, err)
	_, err = rec.Answer(t.Context(), run.Ticket, recovery.Answers{Captcha: true})
	require.NoError(t, err)
	return p.base + "/inps/link#l" + run.ID + "AQ.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
}

// To a visitor with a stopwatch known and unknown subjects are alike: 2,000 requests of each class to each page differ by less
// than a millisecond. Requests come in pairs, one of each class in random order, over all subjects in random order.
func TestTiming(t *testing.T) {
	if os.Getenv("CIVICPIN_TIMING") != "1" || testkit.Raced {
		t.Skip("it takes minutes, and tells nothing under the race detector: set CIVICPIN_TIMING=1")
	}
	for _, page := range []struct {
		name, path string
		typed      func(t *testing.T, p *portal, subject civicpin.Subject, i int) url.Values
	}{
		{"start of a recovery", "/inps/start", func(*testing.T, *portal, civicpin.Subject, int) url.Values {
			return url.Values{"plan": {unlockINPS}}
		}},
		{"link", "/inps/link", func(t *testing.T, p *portal, subject civicpin.Subject, _ int) url.Values {
			return url.Values{"token": {forgedLink(t, p, subject)}}
		}},
		{"login", "/inps/login", func(*testing.T, *portal, civicpin.Subject, int) url.Values {
			return url.Values{"secret": {"XXXXXXXX"}}
		}},
		{"registration", "/inps/request", func(_ *testing.T, _ *portal, _ civicpin.Subject, i int) url.Values {
			return url.Values{"mobile": {fmt.Sprintf("333 %07d", i)}, "email": {fmt.Sprintf("a%05d@example.it", i)}}
		}},
	} {
		t.Run(page.name, func(t *testing.T) {
			var d []float64
			v := 0.0
			for done := 0; done < goes && v <= surely; done++ {
				d = append(d, differences(t, page.path, page.typed)...)
				var mean, se float64
				v, mean, se = equivalent(d)
				t.Logf("%d of each class: known subjects take %+.1f µs (standard error %.1f), t = %.1f", len(d), mean/1e3, se/1e3, v)
			}
			require.Greater(t, v, surely, "known and unknown subjects take different times, or the machine is too busy to tell")
		})
	}
}

// differences sends the requests of both classes to a page, and returns by how many ns the known ones took longer.
func differences(
	t *testing.T, path string, fields func(t *testing.T, p *portal, subject civicpin.Subject, i int) url.Values,
) (d []float64) {
	t.Helper()
	p, subjects := timedPortal(t)
	requests := 0
	took := func(subject civicpin.Subject) (time.Duration, int) {
		requests++
		typed := fields(t, p, subject, requests)
		typed.Set("id", string(subject))
		ctx, end := context.WithCancel(t.Context())
		defer end()
		r := p.post(ctx, path, typed, 0)
		r.RemoteAddr = fmt.Sprintf("10.%d.%d.1:4711", requests>>8, requests&255) // a network for each: no limit by source is met
		answer := httptest.NewRecorder()
		began := time.Now()
		p.whole.ServeHTTP(answer, r)
		return time.Since(began), answer.Code
	}
	for range rounds {
		for _, i := range rand.Perm(timed) {
			var each [2]time.Duration
			var codes [2]int
			for _, class := range rand.Perm(2) {
				each[class], codes[class] = took(subjects[class][i])
			}
			require.Equal(t, codes[0], codes[1])
			require.NotEqual(t, http.StatusTooManyRequests, codes[0])
			require.Less(t, codes[0], 500)
			d = append(d, float64(each[0]-each[1]))
		}
	}
	return d
}
