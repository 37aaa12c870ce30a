package flows

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery"
)

// forgetful is one of the citizens that a client was.
type forgetful struct {
	subject      civicpin.Subject
	email, phone civicpin.Contact
	walks        []*walk
	// over says that this one recovers no more: something had no answer, and what it led to must not be taken for what the next
	// recovery does.
	over bool

	secret string
	issued bool // secret is the PIN of the desk, which ends with a recovery: none is right until the citizen has set one
	// maybe holds further secrets, of grants whose use had no answer: one of all is right.
	maybe []string
	wrong []string // what was right before, and what lost to secret
}

// walk is one recovery.
type walk struct {
	id     string
	ticket civicpin.Secret
	link   civicpin.Secret
	code   civicpin.Secret
	grant  pin.Grant

	at    stage
	since time.Time // it came there
	doubt bool      // what comes next may have been done already: an answer was lost
	sent  bool      // the code was promised
	ended bool      // nobody can go on
}

// stage says what comes next. What opened the stages before it must never open them again.
type stage int

const (
	toUse stage = iota // the link
	toType
	toFinish
	toSet
	isSet
)

func (s stage) String() string {
	return [...]string{"using the link", "typing the code", "finishing", "choosing a secret", "afterwards"}[s]
}

// open returns the walk that is under way, nil if none is.
func (c *forgetful) open() *walk {
	if n := len(c.walks); n > 0 && !c.walks[n-1].ended {
		return c.walks[n-1]
	}
	return nil
}

// about returns whether a message of a kind is about this recovery. The tokens that it carries name it.
func (w *walk) about(kind civicpin.MessageKind) func(civicpin.Message) bool {
	return func(m civicpin.Message) bool { return m.Kind == kind && strings.Contains(m.Link.Reveal(), w.id) }
}

// fresh returns whether a message has a code that no earlier recovery has used.
func (c *forgetful) fresh(m civicpin.Message) bool {
	for _, w := range c.walks {
		if w.code.Reveal() == m.Secret.Reveal() {
			return false
		}
	}
	return m.Kind == recovery.CodeMessage
}

// unclear is failed for what may have been done though its answer was lost, which it returns.
func (r *recoverer) unclear(ctx context.Context, c *forgetful, w *walk, err error) bool {
	gone := errors.Is(err, recovery.ErrGone) || errors.Is(err, pin.ErrNoGrant)
	if !gone || !w.doubt || w.at == toType {
		lost := r.failed(ctx, c, w, err)
		w.doubt = w.doubt || lost
		return lost
	}
	// It was done, and nobody has what it gave. That is how it stays.
	r.journal.Count("recoveries lost")
	switch {
	case w.at == toSet:
		c.wrong = []string{c.secret}
		c.secret, c.maybe = c.maybe[0], c.maybe[1:]
	case w.at == toFinish && c.issued:
		c.wrong = []string{c.secret}
		c.secret = ""
	}
	w.at, w.ended, c.over = w.at+1, true, true
	return false
}

// failed judges an error of what comes next, and returns whether it leaves open what was done.
func (r *recoverer) failed(ctx context.Context, c *forgetful, w *walk, err error) bool {
	locked, isLocked := errors.AsType[*lockout.LockedError](err)
	switch {
	case errors.Is(err, recovery.ErrGone), errors.Is(err, pin.ErrNoGrant), errors.Is(err, recovery.ErrWrongStep),
		errors.Is(err, recovery.ErrExpired), errors.Is(err, recovery.ErrRefused) && !isLocked:
		r.journal.Break("recover %s: at %v of what was acknowledged: %v", c.subject, w.at, err)
		w.ended, c.over = true, true
		return false
	case isLocked && locked.Scope == lockout.ScopeSends:
		r.journal.Count("recoveries limited")
		w.ended, c.over = true, true
		return false
	case isLocked:
		// By reservations that were never settled. An operator helps.
		r.journal.Count("recoveries locked")
		desk := recovery.Operator{ID: operator, Role: deskRole}
		_ = r.site.Recovery.Unlock(ctx, linkAndCode, c.subject, civicpin.Evidence{}, desk)
	case errors.Is(err, recovery.ErrBusy):
		r.journal.Count("recoveries busy")
	default:
		r.journal.Count("recoveries failed")
		pause(ctx)
		return true
	}
	pause(ctx)
	return false
}
