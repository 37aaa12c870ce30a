package main

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// sprayed tries one PIN at citizens from this machine's address until the portal asks for a challenge.
func sprayed(t *testing.T, p *portal) {
	t.Helper()
	robot := newBrowser(t, p)
	for range 40 {
		if robot.send("/inps/login", "id="+string(nobody()), "secret=sicuro85"); robot.status == http.StatusTooManyRequests {
			require.Contains(t, robot.body, "not a machine")
			return
		}
		robot.refused(http.StatusForbidden, "not right")
	}
	require.Fail(t, "a spray was not refused")
}

// After a spray from their address the owner logs in behind a challenge; each is for one guess.
func TestChallenge(t *testing.T) {
	p := newPortal(t)
	b := newBrowser(t, p).withPIN()
	sprayed(t, p)
	right := []string{"id=" + mariaCF, "secret=" + herPIN}
	b.send("/inps/login", append(right, "remember=1", "captcha=2")...).refused(429, "how much is") // nothing was asked yet
	require.Regexp(t, `name="remember" value="1" checked`, b.body)                                 // ticked once
	b.send("/inps/login", right...).refused(429, "how much is")
	require.Contains(t, b.body, `value="`+mariaCF) // typed once
	require.NotRegexp(t, `name="remember" value="1" checked`, b.body)
	require.NotEmpty(t, b.header.Get("Retry-After"))
	b.send("/inps/login", append(right, "captcha=2000")...).refused(429, "That is not right")
	old := b.sum()
	b.open("/inps/login").at("/inps/login")
	require.NotContains(t, b.body, "how much is")
	b.send("/inps/login", "id="+string(nobody()), "secret=sicuro85", old).refused(403, "not right")
	for b.sum() == old { // sums may be alike
		b.send("/inps/login", right...).refused(429, "how much is")
	}
	b.send("/inps/login", append(right, old)...).refused(429, "That is not right") // it is not that of the last page
	other := newBrowser(t, p)
	other.send("/inps/login", append(right, b.sum())...).refused(429, "how much is") // it is this session's
	b.send("/inps/login", append(right, b.sum())...).at("/inps/mine")
	b.send("/inps/login", append(right, old)...).refused(429, "how much is")
}

// Sent many times at the same moment, a solution lets one guess in.
func TestChallengeOnce(t *testing.T) {
	p := newPortal(t)
	sprayed(t, p)
	b := newBrowser(t, p)
	b.send("/inps/login", "id="+string(nobody()), "secret=sicuro85").refused(429, "how much is")
	answer, statuses := b.sum(), make([]int, 4)
	var all sync.WaitGroup
	for i := range statuses {
		all.Go(func() {
			one := newBrowser(t, p)
			one.cookies(b.cookies()...)
			statuses[i] = one.send("/inps/login", "id="+string(nobody()), "secret=sicuro85", answer).status
		})
	}
	all.Wait()
	slices.Sort(statuses)
	require.Equal(t, []int{403, 429, 429, 429}, statuses)
}

// At Cl@ve PIN, too, where a wrong card looks like a right one, numbers tried one after the other meet a challenge.
func TestChallengeCards(t *testing.T) {
	p := newPortal(t)
	b := newBrowser(t, p)
	for n := 1; b.status != http.StatusTooManyRequests; n++ {
		require.Less(t, n, 40, "never asked")
		nif := fmt.Sprintf("%08d%c", n, "TRWAGMYFPDXBNJZSQVHLCKE"[n%23])
		b.send("/clave/ask", "id="+nif, "card=9-5-2030", "by=sms")
	}
	require.Contains(t, b.body, "how much is")
	b.send("/clave/ask", "id="+anaNIF, "card=9-5-2031", "by=sms", b.sum()).at("/clave/code")
}

// A sum ends with its time. Until then it stays, in a second tab too, and need not be reckoned by a visitor who waits.
func TestChallengeTimes(t *testing.T) {
	p := newPortal(t)
	b := newBrowser(t, p)
	later := func(d time.Duration) {
		p.captcha.mu.Lock()
		defer p.captcha.mu.Unlock()
		at := p.captcha.now().Add(d)
		p.captcha.now = func() time.Time { return at }
	}
	b.send("/inps/start", "plan="+unlockINPS, "id="+mariaCF).at("/inps/run")
	asked := b.sum()
	require.Equal(t, asked, b.open("/inps/run").sum())
	later(sumWait - time.Second)
	b.send("/inps/run", "act=answer", "captcha=").refused(422, "too early")
	later(sumWait)
	b.send("/inps/run", "act=answer", "captcha=").at("/inps/run")
	b.send("/inps/run", "act=cancel").at("/inps/")

	b.send("/inps/start", "plan="+unlockINPS, "id="+mariaCF).at("/inps/run")
	asked = b.sum()
	later(sumValid + time.Second)
	b.send("/inps/run", "act=answer", asked).refused(422, "too late")
	b.solve("/inps/run").at("/inps/run")
	p.captcha.mu.Lock()
	defer p.captcha.mu.Unlock()
	require.Empty(t, p.captcha.open, "nothing is kept of what is over")
}

// An act behind a link that asks for a challenge gets it, with words in the visitor's language, and a wrong answer is said to be.
func TestChallengeLink(t *testing.T) {
	p := newPortal(t)
	for _, lang := range languages {
		ctx, err := p.session.Load(t.Context(), "")
		require.NoError(t, err)
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, "/inps/link", nil)
		require.NoError(t, err)
		r.AddCookie(&http.Cookie{Name: "language", Value: lang})
		r.PostForm = map[string][]string{"captcha": {"2000"}}
		v := p.visit(p.system("inps"), nil, r)
		require.NotContains(t, v.challengeForm(), `class="error"`, "nothing was asked yet")
		require.False(t, v.passed())
		require.Contains(t, v.challengeForm(), `class="error"`)
		require.NotEmpty(t, solved(t, p, string(v.challengeForm())))
	}
}
