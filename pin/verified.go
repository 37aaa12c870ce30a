package pin

import (
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/shown"
)

// A Verified is a login: what [Service.Verify] returns for a right secret, and [Service.Exchange], [Service.Change] and
// [Service.Set] for the one that the subject chose. The zero Verified is no login.
type Verified struct {
	// Level is the credential's level of assurance; [civicpin.NoLevel] as long as MustExchange.
	Level civicpin.Level
	// MustExchange says that the secret is the issued one: the only thing that it is good for is Service.Exchange. All other
	// fields but Expires are zero then.
	MustExchange bool
	// Expires is when the secret stops being good if it is not exchanged, changed or used before; zero if never.
	Expires time.Time

	// Shown says that the subject has logged in, for [civicpin.Source].Shown. It is good for 15 minutes, for this subject only;
	// keep it with the session.
	Shown civicpin.Secret

	login *login // for Remember; nil as long as MustExchange
}

// verified returns the login of an attempt that showed, or set, the secret that the credential has now.
func (s *Service) verified(a Attempt, c *credential, now time.Time) Verified {
	return Verified{
		Level: c.level(now), Expires: c.end(&s.policy), login: loginOf(a, c),
		Shown: shown.New(s.vault, a.Subject, shown.Value{Kind: shown.Login}),
	}
}

// login is what a Verified carries of the attempt that it came from: which secret was right, and which device was shown. It is
// behind a pointer, so that a Verified that is printed shows none of it.
type login struct {
	subject civicpin.Subject
	address string
	device  civicpin.Secret
	changed time.Time // of the secret
}

func loginOf(a Attempt, c *credential) *login {
	return &login{
		subject: a.Subject, address: a.Source.Address, device: civicpin.NewSecret(a.Source.Device), changed: c.Changed,
	}
}

// current reports whether the credential still has the secret that was right.
func (p *login) current(c *credential) bool {
	return c.State == active && !c.Suspended && c.Changed.Equal(p.changed)
}
