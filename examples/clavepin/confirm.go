package main

import (
	"context"
	"crypto/sha256"
	"errors"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/play"
	"github.com/civicpin/civicpin/examples/internal/post"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/otp"
)

// A deed is something that a citizen does on line, and confirms with a PIN.
type deed struct {
	act   string            // for the library
	words map[string]string // for the citizen, by language
	needs civicpin.Level
	paper string // what is confirmed, to the letter
}

// purpose binds a PIN to the deed and to every word of it: one that was asked for to confirm one order is refused for
// another.
func (d deed) purpose() otp.Purpose {
	sum := sha256.Sum256([]byte(d.paper))
	return otp.Purpose{Act: d.act, Digest: sum[:]}
}

// A used is a PIN that was right, as it was typed, with what it was for.
type used struct {
	req   otp.Request
	deed  deed
	typed string
	file  string // in which it came; empty if it was shown otherwise
}

// form is what a citizen fills in.
func (c *citizen) form(d deed) form {
	return form{nif: c.NIF, data: c.data(), deed: d, source: c.source}
}

// order fills a form in, and has the PIN sent.
func (t *tale) order(ctx context.Context, f form) (req otp.Request, err error) {
	err = t.Patiently(func() (err error) {
		req, err = t.submit(ctx, f)
		return err
	})
	if err != nil {
		return otp.Request{}, err
	}
	return req, t.Deliver(ctx)
}

// use is what a page does with a typed PIN. Whose it has to be, and for what, comes from the page's own session; only the
// request's id and the PIN come from the form.
func (t *tale) use(ctx context.Context, c *citizen, u used) error {
	return t.codes.Verify(ctx, c.subject(), u.deed.purpose(), u.req.ID, civicpin.NewSecret(u.typed), c.source)
}

// confirm orders a PIN, has the citizen find it and type it, and orders another one if it was used up with wrong guesses.
// find fills in the three characters. suggest returns what may be typed, nil meaning what is right.
func (t *tale) confirm(
	ctx context.Context, c *citizen, f form, find func(*used) error, suggest func(code string) []string,
) (used, error) {
	for range play.Answers {
		req, err := t.order(ctx, f)
		if err != nil {
			return used{}, err
		}
		u := used{req: req, deed: f.deed}
		if err := find(&u); err != nil {
			return used{}, err
		}
		suggestions := []string{f.own + u.typed}
		if suggest != nil {
			suggestions = suggest(u.typed)
		}
		u, err = t.typeCode(ctx, c, u, suggestions)
		if err == nil || !errors.Is(err, errUsedUp) {
			return u, err
		}
		t.Say("That one is good for nothing now. %s asks for another.", c.first())
	}
	return used{}, play.ErrAnswers
}

var errUsedUp = errors.New("a PIN cannot be used any more")

// typeCode is the field into which a PIN is typed. It gives errUsedUp after as many wrong ones as the policy bears.
func (t *tale) typeCode(ctx context.Context, c *citizen, u used, suggestions []string) (used, error) {
	prompt := c.first() + " types"
	if u.file != "" {
		prompt += " (" + u.file + ")"
	}
	for i := range t.codes.Policy().Tries {
		typed, err := t.Ask(prompt, suggestions[min(i, len(suggestions)-1)])
		if err != nil {
			return used{}, err
		}
		u.typed = typed
		err = t.use(ctx, c, u)
		if err == nil {
			return u, nil
		}
		if locked, ok := errors.AsType[*lockout.LockedError](err); ok {
			if err := t.Wait(locked); err != nil {
				return used{}, err
			}
			return used{}, errUsedUp // it does not live as long as a lock
		}
		if !t.Refuses(err) {
			return used{}, err
		}
		if errors.Is(err, otp.ErrExpired) {
			return used{}, errUsedUp
		}
	}
	return used{}, errUsedUp
}

// news returns the newest message that came to an address, and whether it was not read before.
func (t *tale) news(address string) (m post.Mail, isNew bool, err error) {
	m, err = t.Inbox.Last(address)
	switch {
	case errors.Is(err, post.ErrNothing):
		return post.Mail{}, false, nil
	case err != nil:
		return post.Mail{}, false, err
	}
	return m, t.read[address] != m.File, nil
}

// came returns the message that just came to an address.
func (t *tale) came(address string) (post.Mail, error) {
	m, isNew, err := t.news(address)
	if err == nil && !isNew {
		err = errors.New("nothing new came to " + address)
	}
	t.read[address] = m.File
	return m, err
}

// at returns a way to find the PIN: it came to an address.
func (t *tale) at(address string) func(*used) error {
	return func(u *used) error {
		m, err := t.came(address)
		u.typed, u.file = m.Code(), m.File
		return err
	}
}

// shown is as at, and shows the whole message.
func (t *tale) shown(c *citizen, address string) func(*used) error {
	return func(u *used) error {
		m, err := t.Read(c.first(), address)
		u.typed, t.read[address] = m.Code(), m.File
		return err
	}
}
