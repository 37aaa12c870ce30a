package civicpin

import (
	"errors"
	"net/netip"
	"strings"

	"github.com/civicpin/civicpin/internal/names"
)

// ErrInvalid is matched (errors.Is) by every error that reports unusable input: an empty or overlong subject, a contact
// whose address does not fit its channel, a value that no constant names. Nothing was changed. The text of such an error
// is for the program's log; it never holds a secret.
var ErrInvalid = errors.New("civicpin: invalid input")

// A Subject is the person that a secret belongs to, named by the caller's own identifier: a tax code, an identity number,
// a customer number. The library compares it byte for byte, so bring it to one normal form first (upper case, no blanks);
// two spellings are two subjects. It is 1 to 256 bytes of printable text, with its accents composed (Unicode's form NFC), so
// that no two subjects look the same by the way in which they are encoded. The package documentation says what is printable.
type Subject string

// Validate returns nil, or an error that matches [ErrInvalid] if the subject is empty, longer than 256 bytes, not printable or
// not in the form NFC.
func (s Subject) Validate() error {
	switch {
	case s == "":
		return invalid("subject is empty")
	case len(s) > 256:
		return invalid("subject is longer than 256 bytes")
	case !names.Printable(string(s), 256):
		return invalid("subject is not printable UTF-8")
	case !names.Composed(string(s)):
		return invalid("subject is not in the form NFC")
	}
	return nil
}

// A Source is where a request comes from. The empty Source is allowed; limits by source then do not apply.
type Source struct {
	// Address is the client's network address as the caller trusts it: behind a proxy, the one the proxy vouches for
	// (OWASP ASVS 15.3.4), never a header that the client can set. At most 256 printable bytes. Limits count
	// by [Source.Network].
	Address string
	// Device is the value of a signed device cookie, if the client showed one. It opens a lane of its own, so it is a secret.
	Device Secret `json:"-"`
	// Shown is what the caller has shown, if anything: pin.Verified.Shown of a login in the last 15 minutes, or what
	// pin.Service.Shown returned for a known device. It opens reserves that strangers cannot use up: of guesses, by
	// lockout.Policy.Reserve, and of messages and of recoveries that are started, 5 in 6 hours after a login, 5 in 24 hours from
	// each device. Once a reserve is used up, the limits of any visitor apply. Any other value opens nothing.
	Shown Secret `json:"-"`
	// Challenged is the caller's word that the visitor has passed a challenge, such as a captcha, for this very request. More
	// guesses from one address are then allowed (lockout.Source), and guesses while too many fail at all subjects together
	// (lockout.Policy.Global). Set it only after a call asked for it with lockout.ErrChallenge, and let each solution of a
	// challenge count once.
	Challenged bool `json:"-"`
}

// Validate returns nil, or an error that matches [ErrInvalid] if the address is longer than 256 bytes or not printable. Calls
// that take a Source refuse such an address. What Device and Shown hold opens nothing if it is not right, and is no error.
func (s Source) Validate() error {
	if !names.Printable(s.Address, 256) {
		return invalid("address of a source is not at most 256 printable bytes")
	}
	return nil
}

// Network returns what the limits by source count as one source: a host of IPv4, a /64 network of IPv6 (the least that one
// customer is given, so that changing the address within it gains nothing), and any other text as it is. A host of IPv4 counts
// as such when it comes mapped into IPv6 (::ffff:0:0/96) or by a NAT64 gateway (64:ff9b::/96, RFC 6052): those networks hold
// everybody. A port and a zone are left out. The empty address has the empty network.
func (s Source) Network() string {
	address := s.Address
	if ap, err := netip.ParseAddrPort(address); err == nil {
		address = ap.Addr().String()
	}
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	ip = ip.Unmap().WithZone("")
	if b := ip.As16(); netip.MustParsePrefix("64:ff9b::/96").Contains(ip) {
		ip = netip.AddrFrom4([4]byte(b[12:]))
	}
	if ip.Is6() {
		return netip.PrefixFrom(ip, 64).Masked().String()
	}
	return ip.String()
}

// An Actor is who acts: [Citizen], an operator as [Operator] names it, or, in events only, [Visitor]. The zero Actor is refused
// where an actor is required.
type Actor string

// Citizen is the subject, authenticated by the caller or by a proof that the library checked.
const Citizen Actor = "citizen"

// Visitor is a caller who has proved nothing to the call: a wrong guess, the start of a recovery, a request for a message. Only
// events name it, and the requests of package outbox, where it counts as [Citizen]. Calls that take an Actor want one who was
// authenticated, and refuse it with an error that matches [ErrInvalid].
const Visitor Actor = "visitor"

// operatorPrefix keeps operators' ids apart from the constants.
const operatorPrefix = "operator:"

// Operator is a named member of staff, by the id under which the agency knows them.
func Operator(id string) Actor { return Actor(operatorPrefix + id) }

// IsOperator reports whether the actor is an operator with an id.
func (a Actor) IsOperator() bool {
	return strings.HasPrefix(string(a), operatorPrefix) && len(a) > len(operatorPrefix)
}

// Validate returns nil for [Citizen] and for an operator whose id is 1 to 128 bytes of printable text; otherwise an error that
// matches [ErrInvalid].
func (a Actor) Validate() error {
	if a == Citizen || a.IsOperator() && names.Printable(string(a[len(operatorPrefix):]), 128) {
		return nil
	}
	return invalid("actor is neither Citizen nor an Operator with an id")
}

// Canonical returns the actor in the form in which actors are compared and counted: without regard to case, and to how accents
// are composed. So "Quito.1" and "quito.1" are one operator. Records and events keep the actor as the caller gave it.
func (a Actor) Canonical() Actor { return Actor(names.Fold(string(a))) }

// invalidError is a fixed text that matches ErrInvalid.
type invalidError string

func invalid(text string) error { return invalidError(text) }

func (e invalidError) Error() string        { return "civicpin: " + string(e) }
func (e invalidError) Is(target error) bool { return target == ErrInvalid }
