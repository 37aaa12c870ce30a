package main

import (
	"context"
	"fmt"
	"log/slog"
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
	"github.com/civicpin/civicpin/pin"
)

// guesses is how many requests at one PIN are sent at the same time; the other attacks send a sixteenth of it.
const guesses = 1000

func (p *portal) attackPage(v *visit) (view, error) {
	w := view{Title: "attack.title", Say: v.say("attack.say"), How: how{"attack.go", "civicpin.Recorder, lockout"}}
	for _, kind := range []string{"guess", "lockout", "spray", "scan", "flood"} {
		w.Forms = append(w.Forms, form{Act: kind, Legend: v.T("attack." + kind), Button: "attack.button"})
	}
	w.Forms[0].Fields = []field{{Name: "id", Label: v.T("inps.id"), Value: mariaCF, Auto: "off", Keep: true}}
	a, ok := p.attacks.shown()
	if !ok {
		return w, nil
	}
	if !a.Done {
		v.w.Header().Set("Refresh", "2") // the page comes anew until the attack is over
		w.Forms = nil
	}
	w.Facts = [][2]string{{v.T("attack.last"), v.T("attack." + a.Kind)}, {v.T("attack.owner"), v.T(a.Owner)}}
	if a.Done {
		w.Facts = append(w.Facts, [2]string{v.T("attack.took"), a.Took.Round(time.Millisecond).String()})
	}
	w.Bars = a.bars(v)
	answers := table{Caption: v.T("attack.answers"), Head: []string{"HTTP", v.T("number")}}
	for _, status := range slices.Sorted(maps.Keys(a.Statuses)) {
		answers.Rows = append(answers.Rows, []string{fmt.Sprint(status), fmt.Sprint(a.Statuses[status])})
	}
	w.Tables = []table{answers}
	return w, nil
}

// runAttack attacks the portal, through the same handler that browsers reach, from addresses of its own.
func (p *portal) runAttack(v *visit) (string, error) {
	if last, ok := p.attacks.shown(); ok && !last.Done {
		return "", refusal{"act", "attack.running"}
	}
	a, err := p.planned(v)
	if err != nil {
		return "", err
	}
	if !p.attacks.start(a) {
		return "", refusal{"act", "attack.running"}
	}
	p.work.Go(func() { p.carryOut(p.life, a) })
	return "/attack", nil
}

// planned returns an attack: its requests, and what is looked at in the end.
func (p *portal) planned(v *visit) (*attack, error) {
	a := &attack{
		Kind: v.typed("act"), Requests: p.guesses / 16, Owner: "attack.running", Statuses: make(map[int]int),
		Events: make(map[string]int), end: func(context.Context) string { return "attack.owner.none" },
	}
	switch a.Kind {
	case "guess":
		a.Requests = p.guesses
		return a, p.guessing(v, a)
	case "lockout":
		return a, p.lockOut(v.ctx(), a)
	case "spray":
		a.request = func(ctx context.Context, i int) *http.Request { return p.guessAt(ctx, string(nobody()), "sicuro85", i) }
	case "flood":
		a.request = func(ctx context.Context, i int) *http.Request {
			return p.post(ctx, "/inps/request", url.Values{
				"id": {string(nobody())}, "mobile": {"333 765 4321"}, "email": {"flooded@example.it"},
			}, i)
		}
	case "scan":
		mails := p.inbox.newest()
		newest := slices.IndexFunc(mails, func(m mail) bool { return m.Link != "" })
		if newest < 0 {
			return nil, refusal{"act", "attack.nolink"}
		}
		p.scan(a, mails[newest])
	default:
		return nil, civicpin.ErrInvalid
	}
	return a, nil
}

// carryOut sends the requests of an attack, and says what came of them.
func (p *portal) carryOut(ctx context.Context, a *attack) {
	inps := p.system("inps")
	sent, start := p.inbox.count("inps"), time.Now()
	p.crowd(ctx, a.Requests, a.request)
	took := time.Since(start)
	if err := inps.out.Flush(ctx); err != nil { // what the attack caused to be sent is sent now
		slog.ErrorContext(ctx, "attack", "error", err)
	}
	sent = p.inbox.count("inps") - sent
	owner := a.end(ctx)
	p.attacks.edit(func(a *attack) { a.Took, a.Owner, a.Sent, a.Done = took, owner, sent, true })
}

// guessing tries many PINs at one subject.
func (p *portal) guessing(v *visit, a *attack) error {
	subject, err := p.system("inps").parse(v.typed("id"))
	if err != nil {
		return err
	}
	before, err := p.system("inps").pins.Epoch(v.ctx(), subject)
	a.request = func(ctx context.Context, i int) *http.Request {
		return p.guessAt(ctx, string(subject), fmt.Sprintf("GUESS%03d", i), i)
	}
	a.end = func(ctx context.Context) string { return p.owner(ctx, subject, before) }
	return err
}

// owner says what the owner of a guessed PIN is left with.
func (p *portal) owner(ctx context.Context, subject civicpin.Subject, before pin.Epoch) string {
	inps := p.system("inps")
	after, err := inps.pins.Epoch(ctx, subject)
	if err != nil || before != after {
		return "attack.owner.out"
	}
	switch st, err := inps.pins.Status(ctx, subject); {
	case err != nil: // nobody's
		return "attack.owner.none"
	case st.Lockout.Devices > 0:
		return "attack.owner.device"
	}
	return "attack.owner.link"
}

// scan opens a link as mail scanners do, and then looks whether it is still good.
func (p *portal) scan(a *attack, m mail) {
	page, token, _ := strings.Cut(m.Link, "#")
	a.request = func(ctx context.Context, i int) *http.Request {
		r := httptest.NewRequestWithContext(ctx, []string{http.MethodGet, http.MethodHead}[i%2], page, nil)
		r.RemoteAddr = from(i)
		return r
	}
	a.end = func(ctx context.Context) string {
		if _, err := p.system(m.System).rec.Inspect(ctx, civicpin.NewSecret(token)); err != nil {
			return "attack.owner.linkgone"
		}
		return "attack.owner.linkgood"
	}
}

// crowd sends all requests of an attack at the same time. One that is told to come again does.
func (p *portal) crowd(ctx context.Context, requests int, request func(ctx context.Context, i int) *http.Request) {
	var all sync.WaitGroup
	for i := range requests {
		all.Go(func() {
			status := http.StatusServiceUnavailable
			for try := 0; status == http.StatusServiceUnavailable && try < 300 && ctx.Err() == nil; try++ {
				answer, r := httptest.NewRecorder(), request(ctx, i)
				ctx, end := context.WithCancel(r.Context()) // as a server ends it
				p.whole.ServeHTTP(answer, r.WithContext(ctx))
				end()
				p.attacks.edit(func(a *attack) { a.Answers++ })
				if status = answer.Code; status == http.StatusServiceUnavailable {
					p.attacks.edit(func(a *attack) { a.Busy++ })
					time.Sleep(50*time.Millisecond + rand.N(time.Duration(min(try+1, 10))*150*time.Millisecond))
				}
			}
			p.attacks.edit(func(a *attack) { a.Statuses[status]++ })
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
	return fiscal("NSSNSS%02dA01Z%03d", rand.IntN(100), rand.IntN(1000))
}

// fiscal returns the codice fiscale that begins so: its check letter is added.
func fiscal(format string, args ...any) civicpin.Subject {
	for check := 'A'; ; check++ {
		if cf, err := ident.ParseCodiceFiscale(fmt.Sprintf(format, args...) + string(check)); err == nil {
			return civicpin.Subject(cf)
		}
	}
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
