package flows

import (
	"context"
	"errors"
	"fmt"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/faults/internal/kit"
	"github.com/civicpin/civicpin/lockout"
)

// lock is somebody who guesses at one subject after another until each is locked.
type lock struct {
	site    *Site
	journal *kit.Journal
	client  int
	all     []*guessed
}

// guessed is what is known of one subject.
type guessed struct {
	subject  civicpin.Subject
	compared int
	refused  int  // failures that were acknowledged
	locked   bool // was acknowledged
}

func newLock(s *Site, client int, j *kit.Journal) Flow {
	return &lock{site: s, client: client, journal: j}
}

// Step implements [Flow]: guesses until a subject is locked, and once more at one that was locked before.
func (l *lock) Step(ctx context.Context) {
	g := &guessed{subject: civicpin.Subject(fmt.Sprintf("LOCK-%d-%d", l.client, len(l.all)))}
	l.all = append(l.all, g)
	for range 4 * limit {
		if ctx.Err() != nil || g.locked {
			break
		}
		l.guess(ctx, g, false)
	}
	if n := len(l.all); n > 1 {
		l.guess(ctx, l.all[n/2], true)
	}
}

// guess guesses once, right or wrong.
func (l *lock) guess(ctx context.Context, g *guessed, right bool) {
	err := l.site.Gate.Do(ctx, lockout.Target{Subject: g.subject}, func(context.Context) (bool, error) {
		g.compared++
		return right && g.locked, nil // right only where it must not be looked at
	})
	_, locked := errors.AsType[*lockout.LockedError](err)
	switch {
	case g.compared > limit:
		l.journal.Break("lock %s: %d guesses were compared", g.subject, g.compared)
		g.locked = true // enough of it
	case locked:
		if !g.locked {
			l.journal.Count("locks")
		}
		g.locked = true
	case err == nil:
		l.journal.Break("lock %s: let in though locked", g.subject)
	case errors.Is(err, lockout.ErrRefused):
		g.refused++
		if g.locked {
			l.journal.Break("lock %s: compared though locked", g.subject)
		}
	case errors.Is(err, lockout.ErrBusy):
		l.journal.Count("guesses busy")
		if g.locked {
			l.journal.Break("lock %s: not locked any more", g.subject)
		}
		pause(ctx)
	default:
		l.journal.Count("guesses failed")
		pause(ctx)
	}
}

// Audit implements [Flow].
func (l *lock) Audit(ctx context.Context) {
	for _, g := range l.all {
		st, err := l.site.Gate.Status(ctx, lockout.Target{Subject: g.subject})
		switch {
		case err != nil:
			l.journal.Break("lock %s: status: %v", g.subject, err)
		case g.locked && st.Locked == nil:
			l.journal.Break("lock %s: the lock is lost", g.subject)
		case st.Failures < g.refused:
			l.journal.Break("lock %s: %d failures were acknowledged, %d are left", g.subject, g.refused, st.Failures)
		case g.compared > st.Failures:
			l.journal.Break("lock %s: %d guesses were compared, %d are counted", g.subject, g.compared, st.Failures)
		}
		l.journal.Count("locks audited")
	}
}
