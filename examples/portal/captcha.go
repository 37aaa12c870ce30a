package main

import (
	"context"
	"crypto/rand"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/civicpin/civicpin/web"
)

// Sums are challenges that need no script and no other host: a sum in words. They stand in for a service, and stop nobody: a
// program adds, too. A real portal has its provider behind web.Captcha. WCAG 2.2 (3.3.8) forbids one that gives every visitor a
// puzzle, a sum or a picture to read: take one that asks most visitors for nothing, as by a proof of work in the browser. The
// way without reckoning is to wait here.
type sums struct {
	session *scs.SessionManager
	mu      sync.Mutex
	now     func() time.Time
	open    map[string]sum // by the name that the session has for it
}

// A sum is good until it is answered, right or wrong, or for some minutes.
type sum struct {
	a, b        int
	from, until time.Time
}

const (
	sumValid = 10 * time.Minute
	sumWait  = 20 * time.Second // then it need not be answered; the words captcha.hint and captcha.wrong say so
)

var _ web.Captcha = (*sums)(nil)

// show returns the sum of a session. It stays the same until it is answered, also in a second tab.
func (c *sums) show(ctx context.Context) sum {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	maps.DeleteFunc(c.open, func(_ string, s sum) bool { return now.After(s.until) })
	id := c.session.GetString(ctx, "sum")
	s, ok := c.open[id]
	if !ok {
		var random [2]byte
		_, _ = rand.Read(random[:]) // never fails
		id, s = rand.Text(), sum{a: int(random[0] % 16), b: int(random[1] % 16), from: now}
		c.session.Put(ctx, "sum", id)
	}
	s.until = now.Add(sumValid)
	c.open[id] = s
	return s
}

// Passed implements web.Captcha. What is sent twice, at the same moment too, counts once: the session alone could not say so.
func (c *sums) Passed(r *http.Request) (bool, error) {
	if !r.PostForm.Has("captcha") {
		return false, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	id, now := c.session.PopString(r.Context(), "sum"), c.now()
	s := c.open[id] // none is one that is over
	delete(c.open, id)
	typed := strings.TrimSpace(r.PostForm.Get("captcha"))
	right := typed == strconv.Itoa(s.a+s.b+2) || typed == "" && !now.Before(s.from.Add(sumWait))
	return right && !now.After(s.until), nil
}

// passed reports whether the request passes a challenge. Each is asked for once, since a solution is good once.
func (v *visit) passed() bool {
	if v.human == nil {
		ok, err := v.p.captcha.Passed(v.r)
		v.human = new(ok && err == nil)
	}
	return *v.human
}

// challenge is the field of a challenge. After a wrong solution it says so.
func (v *visit) challenge() field {
	wrong := ""
	if v.human != nil && !*v.human && v.r.PostForm.Has("captcha") {
		wrong = v.T("captcha.wrong")
	}
	s, words := v.p.captcha.show(v.ctx()), strings.Fields(v.T("captcha.numbers"))
	return field{
		Name: "captcha", Label: v.T("captcha.sum", words[s.a], words[s.b]), Hint: v.T("captcha.hint"), Auto: "off", Digits: true,
		Optional: true, Error: wrong,
	}
}

// challengeForm is the field on the page behind a link.
func (v *visit) challengeForm() template.HTML {
	var out strings.Builder
	_ = pageTemplate.ExecuteTemplate(&out, "challenge", v.challenge()) // a Builder takes all
	return template.HTML(out.String())                                 // escaped by the template
}

// challenged adds a challenge to the form that was sent. It may have one already, as in a recovery.
func (v *visit) challenged(w *view) {
	f := v.challenge()
	for i := range w.Forms {
		has := slices.ContainsFunc(w.Forms[i].Fields, func(has field) bool { return has.Name == f.Name })
		if w.Forms[i].Act == v.typed("act") && !has {
			w.Forms[i].Fields = append(w.Forms[i].Fields, f)
			return
		}
	}
}
