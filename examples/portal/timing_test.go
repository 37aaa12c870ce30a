package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/store"
)

const (
	timed   = 500 // subjects of a class
	rounds  = 4   // requests for each, below every limit
	margin  = 1e6 // ns: a difference within it is none
	surely  = 3.1 // the t that one of a thousand goes reaches by chance
	trimmed = 4   // the reciprocal of what is cut off at each end
)

// equivalent does two one-sided tests (TOST) on paired differences in ns: that the mean lies above -margin, and below margin. It
// returns the lesser t, and the mean with its standard error. Both are of the trimmed mean (Yuen): what else the machine does
// falls on the ends.
func equivalent(differences []float64) (t, mean, se float64) {
	slices.Sort(differences)
	cut := len(differences) / trimmed
	inner := differences[cut : len(differences)-cut]
	for _, d := range inner {
		mean += d / float64(len(inner))
	}
	low, high := inner[0], inner[len(inner)-1]
	sum, squares := 0.0, 0.0
	for _, d := range differences {
		d = min(max(d, low), high) - mean
		sum, squares = sum+d, squares+d*d
	}
	n, h := float64(len(differences)), float64(len(inner))
	se = math.Sqrt((squares - sum*sum/n) / (h * (h - 1)))
	return (margin - math.Abs(mean)) / se, mean, se
}

// The two tests find a difference where there is one, and none where there is none, however noisy.
func TestEquivalent(t *testing.T) {
	sample := func(shift float64) (d []float64) {
		random := rand.New(rand.NewPCG(1, 2))
		for range timed * rounds {
			d = append(d, shift+5e6*random.NormFloat64())
		}
		return d
	}
	alike, mean, _ := equivalent(sample(0))
	require.Greater(t, alike, surely)
	require.InDelta(t, 0, mean, margin/2)
	for _, shift := range []float64{-1.2 * margin, margin, 2 * margin} {
		differs, mean, _ := equivalent(sample(shift))
		require.Less(t, differs, surely)
		require.InDelta(t, shift, mean, margin/2)
	}
}

// timedPortal returns a portal in memory, without a server or a dispatcher, and as many known citizens as unknown ones.
func timedPortal(t *testing.T) (p *portal, subjects [2][]civicpin.Subject) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "portal.db")
	p, err := open(t.Context(), config{
		base: "http://127.0.0.1:8080", db: file, keys: file + ".keys", wrap: func(store.Lister) store.Lister { return store.NewMemory() },
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.close()) })
	hash := hashed(crowdPIN)
	for i := range timed {
		known, unknown := fiscal("CNSCTA%02dA01H%03d", i%100, i/100), fiscal("SCNSCT%02dA01H%03d", i%100, i/100)
		to := civicpin.Contact{Channel: civicpin.Email, Address: mailOf(known), Locale: "it"}
		_, err := p.system("inps").fill(t.Context(), known, hash, to)
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
	return p.base + "/inps/link#l" + run.ID + "AQ." + strings.Repeat("A", 43)
}

// To a visitor with a stopwatch known and unknown subjects are alike: 2,000 requests of each class to each page differ by less
// than a millisecond. Requests come in pairs, one of each class in random order, over all subjects in random order.
func TestTiming(t *testing.T) {
	switch {
	case os.Getenv("CIVICPIN_TIMING") != "1":
		t.Skip("it takes minutes: set CIVICPIN_TIMING=1, as .ci/run does")
	case testkit.Raced:
		t.Skip("how long instrumented code takes tells nothing")
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
			p, subjects := timedPortal(t)
			requests := 0
			took := func(subject civicpin.Subject) (time.Duration, int) {
				requests++
				typed := page.typed(t, p, subject, requests)
				typed.Set("id", string(subject))
				ctx, end := context.WithCancel(t.Context())
				defer end()
				r := p.post(ctx, page.path, typed, 0)
				r.RemoteAddr = fmt.Sprintf("10.%d.%d.1:4711", requests>>8, requests&255) // a network for each: no limit by source is met
				answer := httptest.NewRecorder()
				began := time.Now()
				p.whole.ServeHTTP(answer, r)
				return time.Since(began), answer.Code
			}
			var d []float64
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
			v, mean, se := equivalent(d)
			t.Logf("%d requests of each class: known subjects take %+.1f µs (standard error %.1f), t = %.1f", len(d), mean/1e3, se/1e3, v)
			require.Greater(t, v, surely, "known and unknown subjects take different times, or the machine is too busy to tell")
		})
	}
}
