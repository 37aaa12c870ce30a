package main

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/ident"
)

// An attack is what happened in one.
type attack struct {
	Kind     string
	Requests int
	Took     time.Duration
	Statuses map[int]int    // of the answers
	Events   map[string]int // by code and reason, as the recorder saw them
	Sent     int            // messages of any kind that it caused
	Owner    string         // the key of a word
}

// guesses is how many requests an attack sends at the same time.
const guesses = 1000

// compared are the reasons with which a guess was looked at.
var compared = []string{"wrong", "unknown", "suspended", "revoked", "vacant", "expired", "unused"}

// sum adds up the refused guesses of some reasons.
func (a *attack) sum(reasons ...string) (n int) {
	for _, reason := range reasons {
		n += a.Events["pin.refused "+reason]
	}
	return n
}

func (p *portal) attackPage(v *visit) (view, error) {
	target := field{Name: "id", Label: v.T("inps.id"), Value: mariaCF, Auto: "off"}
	w := view{
		Title: "attack.title", Say: v.say("attack.say"), How: how{"attack.go", "civicpin.Recorder, lockout"},
		Forms: []form{
			{Act: "guess", Legend: v.T("attack.guess"), Button: "attack.button", Fields: []field{target}},
			{Act: "spray", Legend: v.T("attack.spray"), Button: "attack.button"},
			{Act: "scan", Legend: v.T("attack.scan"), Button: "attack.button"},
			{Act: "flood", Legend: v.T("attack.flood"), Button: "attack.button"},
		},
	}
	a := p.attack.Load()
	if a == nil {
		return w, nil
	}
	w.Facts = [][2]string{
		{v.T("attack.last"), v.T("attack." + a.Kind)},
		{v.T("attack.took"), a.Took.Round(time.Millisecond).String()},
		{v.T("attack.owner"), v.T(a.Owner)},
	}
	w.Bars = []bar{
		{v.T("attack.requests"), a.Requests, a.Requests},
		{v.T("attack.compared"), a.sum(compared...), a.Requests},
		{v.T("attack.locked"), a.sum("locked"), a.Requests},
		{v.T("attack.busy"), a.sum("busy", "not checked"), a.Requests},
		{v.T("attack.sent"), a.Sent, a.Requests},
	}
	answers := table{Caption: v.T("attack.answers"), Head: []string{"HTTP", v.T("number")}}
	for _, status := range slices.Sorted(maps.Keys(a.Statuses)) {
		answers.Rows = append(answers.Rows, []string{fmt.Sprint(status), fmt.Sprint(a.Statuses[status])})
	}
	w.Tables = []table{answers}
	return w, nil
}

// runAttack attacks the portal, through the same handler that browsers reach, from addresses of its own.
func (p *portal) runAttack(v *visit) (string, error) {
	a := &attack{Kind: v.typed("act"), Statuses: make(map[int]int), Owner: "attack.owner.none"}
	inps := p.system("inps")
	sent := p.inbox.count("inps")
	p.tally.reset()
	start := time.Now()
	var err error
	switch a.Kind {
	case "guess":
		err = p.guess(v, a)
	case "spray":
		a.Requests = 100
		p.crowd(v.ctx(), a, func(i int) *http.Request { return p.guessAt(v.ctx(), string(nobody()), "sicuro85", i) })
	case "scan":
		err = p.scan(v.ctx(), a)
	case "flood":
		a.Requests = 100
		p.crowd(v.ctx(), a, func(i int) *http.Request {
			return p.post(v.ctx(), "/inps/request", url.Values{
				"id": {string(nobody())}, "mobile": {"333 765 4321"}, "email": {"flooded@example.it"},
			}, i)
		})
	default:
		return "", civicpin.ErrInvalid
	}
	if err != nil {
		return "", err
	}
	a.Took = time.Since(start)
	if err := inps.out.Flush(v.ctx()); err != nil { // what the attack caused to be sent is sent now
		return "", err
	}
	a.Events, a.Sent = p.tally.reset(), p.inbox.count("inps")-sent
	p.attack.Store(a)
	return "/attack", nil
}

// guess sends parallel guesses at one citizen's PIN, and then sees whether the owner's session is what it was.
func (p *portal) guess(v *visit, a *attack) error {
	subject, err := parseCF(v.typed("id"))
	if err != nil {
		return err
	}
	inps := p.system("inps")
	before, err := inps.pins.Epoch(v.ctx(), subject)
	if err != nil {
		return err
	}
	a.Requests = guesses
	p.crowd(v.ctx(), a, func(i int) *http.Request { return p.guessAt(v.ctx(), string(subject), fmt.Sprintf("GUESS%03d", i), i) })
	after, err := inps.pins.Epoch(v.ctx(), subject)
	if err != nil {
		return err
	}
	switch st, err := inps.pins.Status(v.ctx(), subject); {
	case err != nil: // nobody's
	case before != after:
		a.Owner = "attack.owner.out"
	case st.Lockout.Devices > 0:
		a.Owner = "attack.owner.device"
	default:
		a.Owner = "attack.owner.link"
	}
	return nil
}

// scan opens the newest link in the inbox as mail scanners do, and then looks whether it is still good.
func (p *portal) scan(ctx context.Context, a *attack) error {
	for _, m := range p.inbox.newest() {
		page, token, ok := strings.Cut(m.Link, "#")
		if !ok {
			continue
		}
		a.Requests = 60
		p.crowd(ctx, a, func(i int) *http.Request {
			method := []string{http.MethodGet, http.MethodHead}[i%2]
			r := httptest.NewRequestWithContext(ctx, method, page, nil)
			r.RemoteAddr = from(i)
			return r
		})
		a.Owner = "attack.owner.linkgood"
		if _, err := p.system(m.System).rec.Inspect(ctx, civicpin.NewSecret(token)); err != nil {
			a.Owner = "attack.owner.linkgone"
		}
		return nil
	}
	return refusal{"act", "attack.nolink"}
}

// crowd sends all requests of an attack at the same time. One that is told to come again does.
func (p *portal) crowd(ctx context.Context, a *attack, request func(i int) *http.Request) {
	var all sync.WaitGroup
	var mu sync.Mutex
	for i := range a.Requests {
		all.Go(func() {
			status := http.StatusServiceUnavailable
			for try := 0; status == http.StatusServiceUnavailable && try < 100 && ctx.Err() == nil; try++ {
				answer := httptest.NewRecorder()
				p.whole.ServeHTTP(answer, request(i))
				if status = answer.Code; status == http.StatusServiceUnavailable {
					time.Sleep(50*time.Millisecond + rand.N(200*time.Millisecond))
				}
			}
			mu.Lock()
			defer mu.Unlock()
			a.Statuses[status]++
		})
	}
	all.Wait()
}

func (p *portal) guessAt(ctx context.Context, id, secret string, i int) *http.Request {
	return p.post(ctx, "/inps/login", url.Values{"id": {id}, "secret": {secret}}, i)
}

// post is a form as a program sends it that claims to be a browser on the portal's own page.
func (p *portal) post(ctx context.Context, path string, typed url.Values, i int) *http.Request {
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, p.base+path, strings.NewReader(typed.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.RemoteAddr = from(i)
	return r
}

// from is the address of an attacking program.
func from(i int) string { return fmt.Sprintf("203.0.113.%d:4711", 1+i%250) }

// nobody returns a codice fiscale that is valid and, most likely, unknown.
func nobody() civicpin.Subject {
	for {
		cf, err := ident.ParseCodiceFiscale(fmt.Sprintf("NSSNSS%02dA01Z%03d%c", rand.IntN(100), rand.IntN(1000), 'A'+rand.IntN(26)))
		if err == nil {
			return civicpin.Subject(cf)
		}
	}
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
