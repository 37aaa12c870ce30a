package flows

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/faults/internal/kit"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin"
)

// login is a citizen who is issued a PIN at a desk, exchanges it, logs in with it, and changes it now and then.
type login struct {
	site    *Site
	journal *kit.Journal
	client  int
	n       int // how many citizens this client was
	step    int

	subject civicpin.Subject
	secret  string // the right one; "" until there is one
	// maybe holds further secrets after changes whose answer was lost: one of all is right, and which one may still
	// change, until another change is acknowledged.
	maybe    []string
	resolved bool   // secret was right a moment ago, though there are others
	old      string // was right once, and was replaced
}

func newLogin(s *Site, client int, j *kit.Journal) Flow {
	return &login{site: s, client: client, journal: j}
}

// Step implements [Flow].
func (l *login) Step(ctx context.Context) {
	l.step++
	switch {
	case l.secret == "":
		l.enrol(ctx)
	case l.resolved:
		l.resolved = false
		l.change(ctx, l.secret)
	case len(l.maybe) > 0:
		l.resolve(ctx)
	case l.step%4 == 0:
		l.change(ctx, l.secret)
	case l.step%9 == 0 && l.old != "":
		if l.verify(ctx, l.old) == nil {
			l.journal.Break("login %s: a secret that was replaced was right", l.subject)
		}
	default:
		if err := l.verify(ctx, l.secret); err == nil {
			l.journal.Count("logins")
		} else if errors.Is(err, pin.ErrRefused) {
			l.journal.Break("login %s: the right secret was refused", l.subject)
		}
	}
}

// enrol makes the client another citizen, with a secret of their own. One whose exchange had no answer is given up.
func (l *login) enrol(ctx context.Context) {
	l.n++
	l.subject = civicpin.Subject(fmt.Sprintf("LOGIN-%d-%d", l.client, l.n))
	issue, err := l.site.PINs.Issue(ctx, l.subject, pin.IssueOptions{
		Parts: []civicpin.Contact{{Channel: civicpin.HandedOver}}, By: operator,
	})
	if err != nil {
		l.failed(ctx, err)
		return
	}
	chosen := rand.Text()
	if _, err := l.site.PINs.Exchange(ctx, l.attempt(issue.Slip.Reveal()), civicpin.NewSecret(chosen)); err != nil {
		if errors.Is(err, pin.ErrRefused) {
			l.journal.Break("login %s: the slip that was just issued was refused", l.subject)
		}
		l.failed(ctx, err)
		return
	}
	l.journal.Count("exchanges")
	l.secret, l.maybe, l.old = chosen, nil, ""
}

func (l *login) attempt(secret string) pin.Attempt {
	return pin.Attempt{Subject: l.subject, Secret: civicpin.NewSecret(secret)}
}

func (l *login) verify(ctx context.Context, secret string) error {
	_, err := l.site.PINs.Verify(ctx, l.attempt(secret))
	if err != nil {
		l.failed(ctx, err)
	}
	return err
}

// change replaces the secret, starting from one that is believed to be right.
func (l *login) change(ctx context.Context, from string) {
	to := rand.Text()
	_, err := l.site.PINs.Change(ctx, l.attempt(from), civicpin.NewSecret(to))
	_, locked := errors.AsType[*lockout.LockedError](err)
	switch {
	case err == nil:
		l.journal.Count("changes")
		if len(l.maybe) > 0 {
			l.journal.Count("changes resolved")
		}
		l.old, l.secret, l.maybe = from, to, nil
	case errors.Is(err, pin.ErrRefused) && len(l.maybe) == 0:
		l.journal.Break("login %s: the right secret was refused for a change", l.subject)
	case locked, errors.Is(err, pin.ErrBusy), errors.Is(err, pin.ErrRefused), errors.Is(err, pin.ErrUnfitSecret):
		l.failed(ctx, err) // nothing was written
	default:
		l.failed(ctx, err)
		l.maybe = append(l.maybe, to)
	}
}

// resolve finds which of the secrets is right.
func (l *login) resolve(ctx context.Context) {
	if err := l.site.PINs.Unlock(ctx, l.subject, operator); err != nil {
		l.failed(ctx, err)
		return
	}
	// Twice: a change may arrive between.
	all := slices.Concat(l.maybe, []string{l.secret}, l.maybe)
	slices.Reverse(all)
	for _, s := range all {
		switch err := l.verify(ctx, s); {
		case err == nil:
			// The step that follows changes it, so that there is an answer.
			l.journal.Count("logins")
			l.maybe = append(l.maybe, l.secret)
			l.secret = s
			l.maybe = slices.DeleteFunc(l.maybe, func(other string) bool { return other == s })
			l.resolved = true
			return
		case !errors.Is(err, pin.ErrRefused):
			return
		}
	}
	l.journal.Break("login %s: none of %d secrets is right", l.subject, len(l.maybe)+1)
}

// failed counts an error that is no answer about the secret.
func (l *login) failed(ctx context.Context, err error) {
	locked, isLocked := errors.AsType[*lockout.LockedError](err)
	switch {
	case isLocked && locked.Disabled:
		// Wrong ones of several secrets have reached the ceiling, which no operator lifts: the client is somebody else.
		l.journal.Count("logins disabled")
		l.secret, l.maybe, l.resolved = "", nil, false
	case isLocked:
		// By reservations that were never settled, or wrong ones of several secrets. An operator helps.
		l.journal.Count("logins locked")
		if l.site.PINs.Unlock(ctx, l.subject, operator) == nil {
			l.journal.Count("logins unlocked")
		}
	case errors.Is(err, pin.ErrBusy):
		l.journal.Count("logins busy")
	case !errors.Is(err, pin.ErrRefused):
		l.journal.Count("logins failed")
	}
	pause(ctx)
}

// Audit implements [Flow].
func (l *login) Audit(ctx context.Context) {
	if l.secret == "" {
		return
	}
	// What was reserved and never settled counts as a failure, and may have locked.
	err := l.site.PINs.Unlock(ctx, l.subject, operator)
	if locked, ok := errors.AsType[*lockout.LockedError](err); ok && locked.Disabled {
		l.journal.Count("logins disabled")
		return
	}
	if err != nil {
		l.journal.Break("login %s: unlock: %v", l.subject, err)
	}
	err = l.verify(ctx, l.secret)
	for _, s := range l.maybe {
		if err != nil {
			err = l.verify(ctx, s)
		}
	}
	if err != nil {
		l.journal.Break("login %s: the right secret is not right after all: %v", l.subject, err)
	}
	if l.old != "" && l.verify(ctx, l.old) == nil {
		l.journal.Break("login %s: a secret that was replaced is right", l.subject)
	}
	l.journal.Count("logins audited")
}
