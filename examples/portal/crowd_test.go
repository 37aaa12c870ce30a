package main

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/store"
)

// Of a thousand parallel guesses five are compared; the owner's device still gets in; the figures are those of the audit log.
func TestAttack(t *testing.T) {
	p := newPortal(t)
	b := newBrowser(t, p).withPIN()
	b.open("/attack").at("/attack")
	b.send("/inps/login", "id="+mariaCF, "secret="+herPIN, "remember=1").at("/inps/mine")
	a := b.attack("guess", "id="+mariaCF)
	require.Equal(t, p.guesses, a.Requests)
	// A guess that is not checked, since the machine is too busy, counts against the limit all the same.
	require.LessOrEqual(t, a.sum(compared...), 5, "%v %v", a.Events, a.Statuses)
	require.GreaterOrEqual(t, a.sum("wrong", "not checked"), 5, "%v %v", a.Events, a.Statuses)
	require.Regexp(t, "guesses compared: <b>[1-5]</b> of "+fmt.Sprint(p.guesses), b.body)
	require.Contains(t, b.body, "Duration")
	require.Equal(t, "attack.owner.device", a.Owner)
	b.open("/inps/mine").at("/inps/mine") // the session stayed
	newBrowser(t, p).send("/inps/login", "id="+mariaCF, "secret="+herPIN).refused(429, "locked")
	b.send("/inps/login", "id="+mariaCF, "secret="+herPIN).at("/inps/mine") // as the device that it is

	for _, kind := range []string{"spray", "flood"} {
		a = b.attack(kind)
		require.Equal(t, p.guesses/16, a.Requests)
	}
	require.LessOrEqual(t, a.Sent, 6, "three to the telephone, three to the mailbox")
	b.send("/inps/start", "plan="+unlockINPS, "id="+mariaCF).at("/inps/run")
	b.solve("/inps/run").at("/inps/run")
	came(t, p, civicpin.Email, mailbox, linkOf)
	require.Equal(t, "attack.owner.linkgood", b.attack("scan").Owner)
}

// A watchedStore counts the writes that wait for their turn at the same time. Each takes a while, so that they do.
type watchedStore struct {
	store.Lister
	turn    chan struct{}
	waiting atomic.Int64
	most    atomic.Int64
}

func (w *watchedStore) Put(ctx context.Context, key string, r store.Record) (store.Version, error) {
	now := w.waiting.Add(1)
	defer w.waiting.Add(-1)
	for most := w.most.Load(); now > most && !w.most.CompareAndSwap(most, now); most = w.most.Load() {
	}
	w.turn <- struct{}{}
	defer func() { <-w.turn }()
	time.Sleep(2 * time.Millisecond)
	return w.Lister.Put(ctx, key, r)
}

// However many guesses come at once, only a few writes wait for SQLite's one writer. Else the last ones come too late: guesses
// are counted and not compared, and events do not reach the audit log.
func TestWriters(t *testing.T) {
	w := &watchedStore{turn: make(chan struct{}, 1)}
	p := newPortalOn(t, func(l store.Lister) store.Lister { w.Lister = l; return w })
	p.guesses = 16 * 80
	b := newBrowser(t, p)
	w.most.Store(0)
	a := b.attack("spray") // each at another subject: no lock spares a write
	require.Equal(t, 80, a.sum("unknown"), "%v %v", a.Events, a.Statuses)
	require.LessOrEqual(t, w.most.Load(), int64(24), "sixteen forms, four chains of the audit log, four dispatchers")
	require.Greater(t, w.most.Load(), int64(1))
}

// A form that waits for its turn in vain is told to come again, in words and by header, and counts nothing.
func TestTurns(t *testing.T) {
	p := newPortal(t)
	b := newBrowser(t, p).withPIN()
	for range atOnce {
		leave, err := p.turns.enter(t.Context())
		require.NoError(t, err)
		defer leave()
	}
	b.send("/inps/login", "id="+mariaCF, "secret=XXXXXXXX").refused(http.StatusServiceUnavailable, "")
	require.Equal(t, "2", b.header.Get("Retry-After"))
	require.NotEmpty(t, b.alert())
	require.Contains(t, b.body, `value="`+mariaCF+`"`, "what was typed is still there")
	st, err := p.system("inps").pins.Status(t.Context(), mariaCF)
	require.NoError(t, err)
	require.Zero(t, st.Lockout.Failures)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = p.turns.enter(gone)
	require.ErrorIs(t, err, context.Canceled)
	_, err = p.turns.enter(t.Context())
	require.ErrorIs(t, err, lockout.ErrBusy)
}

// All citizens of the crowd are locked out by strangers. All come in: from a remembered browser, in a session, or by a link. No
// session ended and no level changed. It is so again when the attack is repeated. Maria, whom a visitor plays, keeps her session.
func TestLockOut(t *testing.T) {
	p := newPortal(t)
	b := newBrowser(t, p).withPIN()
	b.send("/inps/login", "id="+mariaCF, "secret="+herPIN, "remember=1").at("/inps/mine")
	inps, n := p.system("inps"), len(crowd())
	for again := range 2 {
		a := b.attack("lockout")
		require.Equal(t, "attack.owner.in", a.Owner)
		require.Equal(t, map[string]int{"lanes": n + 1, "device": n / 3, "login": n/3 + 1, "link": n / 3}, a.Ways)
		require.LessOrEqual(t, a.sum(compared...), 5*(n+1), "%v", a.Events)
		require.Equal(t, n+1-again, a.Events["lockout.locked"], "Maria stays locked")
		require.Contains(t, b.body, "who are out: <b>0</b> of 13")
		require.Contains(t, b.body, "are all in")
		newBrowser(t, p).send("/inps/login", "id="+mariaCF, "secret="+herPIN).refused(http.StatusTooManyRequests, "locked")
		b.open("/inps/mine").at("/inps/mine")
		b.send("/inps/login", "id="+mariaCF, "secret="+herPIN).at("/inps/mine") // from her browser
		for j, subject := range crowd() {
			st, err := inps.pins.Status(t.Context(), subject)
			require.NoError(t, err)
			require.Equal(t, j%3 != 2, st.Lockout.Locked != nil, "the link unlocked its owner, and nobody else")
		}
	}
}

// Where e-mails really go out there is nobody to lock: the crowd has no mailboxes.
func TestLockOutNobody(t *testing.T) {
	p := newPortal(t)
	p.inbox.mailer = new(mailer)
	newBrowser(t, p).send("/attack", "act=lockout").refused(http.StatusUnprocessableEntity, "nobody to lock out")
}

// An owner who does not come in is counted as out.
func TestLockOutOut(t *testing.T) {
	p := newPortal(t)
	newBrowser(t, p).attack("lockout")
	inps, ended := p.system("inps"), crowd()[1]
	before, err := inps.pins.Epoch(t.Context(), ended)
	require.NoError(t, err)
	session := &owner{way: "login"}
	session.try.Subject, session.before.Epoch = ended, before
	require.NoError(t, inps.pins.EndSessions(t.Context(), ended, civicpin.Operator("seed")))
	require.Equal(t, "attack.owner.some", p.comeIn(t.Context(), []*owner{session}))
	last, _ := p.attacks.shown()
	require.Equal(t, map[string]int{"out": 1, "lanes": 1}, last.Ways)
}
