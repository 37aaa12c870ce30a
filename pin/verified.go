package pin

import (
	"context"
	"errors"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/shown"
	"github.com/civicpin/civicpin/store"
)

// A Verified is what [Service.Verify] returns for a right secret, and [Service.Exchange], [Service.Change] and [Service.Set]
// for the one that the subject chose. It is a login, unless it has MustExchange or is zero: then no session begins.
type Verified struct {
	// Level is the credential's level of assurance; [civicpin.NoLevel] as long as MustExchange.
	Level civicpin.Level
	// MustExchange says that the secret is the issued one, good only for [Service.Exchange]. All other fields but ExpiresAt are
	// zero then.
	MustExchange bool
	// ExpiresAt is when the secret stops being good if it is not exchanged, changed or used before; zero if never.
	ExpiresAt time.Time

	// Epoch stays the same until an act ends all sessions: see [Service.Epoch]. Keep it with the session.
	Epoch Epoch

	// KnownDevice says that the login came from a device of the subject that [Service.RememberDevice] made known and that was
	// known until now, also if strangers had used up the guesses of its lane. It is false after Set, which has no Source.
	KnownDevice bool

	// LastLoginAt is when the login before this one was, for the subject to recognise or not: at that time, or less than 24 hours
	// after it, since a credential notes at most one login in 24 hours. An exchange or a change is a login. It is zero if there
	// was none, after Set, and under a policy without MaxUnused, which notes no logins.
	LastLoginAt time.Time

	// Shown says that the subject has logged in, for [civicpin.Source].Shown. It is good for 15 minutes, for this subject only;
	// keep it with the session.
	Shown civicpin.Secret

	login *login // for RememberDevice; nil as long as MustExchange
}

// An Epoch names the time between two acts that end all sessions of a subject; see [Service.Epoch]. It is compared with ==, and
// says nothing else: it is drawn at random, so it shows neither how many acts there were nor when, and no later credential
// of a subject who was erased brings one back. It is a text, at most 64 printable ASCII bytes, so that a cookie, a JSON
// document or a column can hold it. The zero Epoch is no login's.
type Epoch string

// Epoch returns the epoch of a subject's credential now. A session is good as long as that is the [Verified].Epoch of the login
// with which the session began: compare the two at each request. The epoch changes
//   - with [Service.Exchange], [Service.Change] and [Service.Set], and with each new secret: [Service.Issue],
//     [Service.Reissue], [Service.Import];
//   - with [Service.EndSessions], [Service.Revoke] and [Service.Suspend], and so with each "it was not me" that stops the
//     credential ([Service.Stop]); [Service.Resume] brings no session back;
//   - when the subject's records are erased.
//
// It stays with logins, locks and unlocks, known devices, evidence, messages, and a grant that was not used yet. It also stays
// when the level is lowered, or the secret expires: look at Verified.ExpiresAt, and let an act that needs a level follow a
// fresh login.
//
// For a subject without a credential, Epoch does the same work and returns an epoch that no login has. Errors:
//   - [civicpin.ErrInvalid]: the subject is invalid.
//   - the store's: the session is not known to be good.
func (s *Service) Epoch(ctx context.Context, subject civicpin.Subject) (Epoch, error) {
	if err := subject.Validate(); err != nil {
		return "", err
	}
	e, err := s.creds.GetOr(ctx, store.Key{Subject: subject}, s.sealed)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return "", err
	}
	var none credential
	none.endSessions()
	if !e.Found() || e.Value.Sessions == "" {
		return none.Sessions, nil
	}
	return e.Value.Sessions, nil
}

// EndSessions ends all sessions of a subject, "log out everywhere", and nothing else: the secret, known devices, a grant and
// what the login has shown ([Verified].Shown) stay. A subject who fears that the secret is known changes it. Errors:
//   - [civicpin.ErrInvalid]: the subject or the actor is invalid.
//   - [ErrNoCredential]: the subject has no credential, or a revoked one.
//   - the store's: end them again.
func (s *Service) EndSessions(ctx context.Context, subject civicpin.Subject, by civicpin.Actor) error {
	return s.manage(ctx, subject, by, eventSessionsEnded, "", func(c *credential, _ time.Time) error {
		switch {
		case c.empty():
			return ErrNoCredential
		case c.Suspended: // which ended them, and says why
			return store.ErrSkip
		}
		c.endSessions()
		return nil
	})
}

// verified returns the login of an attempt that showed, or set, the secret that the credential has now. m is what was found
// before.
func (s *Service) verified(a Attempt, m match, c *credential, now time.Time) Verified {
	if m.last.After(now) {
		m.last = now // by a clock that was ahead
	}
	return Verified{
		Level: c.level(now), ExpiresAt: c.end(&s.policy), Epoch: c.Sessions, KnownDevice: m.device, LastLoginAt: m.last,
		Shown: shown.New(s.vault, a.Subject, shown.Value{Kind: shown.Login}), login: loginOf(a, c),
	}
}

// levelCap is a level that holds for a time instead of a higher one.
type levelCap struct {
	Level civicpin.Level `json:"level" export:"yes"`
	Until time.Time      `json:"until" export:"yes"`
}

// left returns the level that is left once the secret is the citizen's own.
func (c *credential) left() civicpin.Level {
	if c.Kept != civicpin.NoLevel {
		return min(c.Level, c.Kept)
	}
	return c.Level
}

// level is the level of assurance at a time.
func (c *credential) level(now time.Time) civicpin.Level {
	if c.Lowered != nil && now.Before(c.Lowered.Until) {
		return min(c.left(), c.Lowered.Level)
	}
	return c.left()
}

// end returns when the chosen secret will expire, zero if never.
func (c *credential) end(p *Policy) time.Time {
	var end time.Time
	if p.MaxAge > 0 {
		end = c.Changed.Add(p.MaxAge)
	}
	if p.MaxUnused > 0 {
		if unused := c.unusedSince().Add(p.MaxUnused); end.IsZero() || unused.Before(end) {
			end = unused
		}
	}
	return end
}

// login is what a Verified carries of the attempt that it came from: whose it was, and which device was shown. It is
// behind a pointer, so that a Verified that is printed shows none of it.
type login struct {
	subject civicpin.Subject
	address string
	device  civicpin.Secret
	epoch   Epoch
}

func loginOf(a Attempt, c *credential) *login {
	return &login{
		subject: a.Subject, address: a.Source.Address, device: a.Source.Device, epoch: c.Sessions,
	}
}

// current reports whether the credential still has the secret that was right, and no act has ended the session since. Each act
// after which that secret is not the current and a good one ends the sessions.
func (p *login) current(c *credential) bool { return c.Sessions == p.epoch }
