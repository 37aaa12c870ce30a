// Package issuing decides what comes of a request for a new secret: by what the request rests on, and by what the subject has.
// It is pure.
package issuing

// A Way is what comes of a request.
type Way int

// The ways.
const (
	// Refused writes nothing.
	Refused Way = iota
	// Anew makes a new secret.
	Anew
	// Resent sends the parts of the secret that is still good once more.
	Resent
	// Aside sends parts that open nothing to the addresses that the visitor typed.
	Aside
)

// A Basis is what a request rests on.
type Basis struct {
	Staff  bool // an operator asks, or there is evidence
	Proved bool // the subject has proved all contacts
	Letter bool // one part goes to the address in the caller's register
	Typed  bool // the policy lets a subject without history name any address
	Asked  bool // there is a request code, right or not
	Code   bool // it is this subject's
	Renew  bool // the policy takes letters and codes after a revocation
}

// A Standing is what the subject has. The zero Standing is not that of an unknown subject, who is Replaceable.
type Standing struct {
	Replaceable bool // no secret is in use, and no act stands in the way
	Good        bool // a secret was issued, and can still be exchanged
	Same        bool // its parts went to the contacts of the request
	Aside       bool // parts that open nothing went to the contacts of the request, and have not expired
	Owned       bool // there was a secret of the subject's own before
	Unused      bool // it is still there, and was not used for long
}

// Decide returns what comes of a request.
//
// A request on line that rests on nothing is refused whatever the subject has, so that the refusal tells nothing. One with a
// letter to the register's address is open to every visitor, and is never refused: the visitor's own telephone would tell which
// subjects have a secret.
func Decide(b Basis, s Standing) Way {
	switch {
	case b.Staff && s.Replaceable:
		return Anew
	case b.Staff || b.nothing():
		return Refused
	case s.Good && b.again(s):
		return Resent
	case b.goesOn(s):
		return Aside // whatever the subject has by now: for an unknown subject the parts would be the same ones once more
	case !s.Good && s.Replaceable && b.enough(s):
		return Anew
	case b.Letter && !b.Proved:
		return Aside
	}
	return Refused
}

func (b Basis) nothing() bool { return !b.Proved && !b.Letter && !b.Typed && !b.Asked }

// again reports whether a request sends the parts once more that are on their way.
func (b Basis) again(s Standing) bool { return b.Proved || b.Letter && s.Same || b.Typed && !b.Letter }

// goesOn reports whether a request sends the parts once more that open nothing.
func (b Basis) goesOn(s Standing) bool { return s.Aside && b.Letter && !b.Proved && !b.Code }

// enough reports whether a new secret may rest on what a request on line shows.
func (b Basis) enough(s Standing) bool {
	switch {
	case b.Proved:
		return true
	case !s.Owned:
		return b.Letter || b.Typed
	}
	return !s.Unused && b.Renew && (b.Letter || b.Code)
}
