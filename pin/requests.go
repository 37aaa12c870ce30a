package pin

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/code"
	"github.com/civicpin/civicpin/pin/state"
)

// Requests say what a request on line for a secret rests on: [Service.Issue] by [civicpin.Citizen], without Evidence. It is
// enough that the subject has proved all the contacts that the request names ([ProvedContacts]), but for a secret in use, and
// after a revocation for [state.Fraud]. The zero Requests also let a subject who never had a secret ask with one part by letter
// to the address in the caller's register ([IssueOptions].Register).
//
// Such a letter opens the other part's address to any visitor. So where the subject has a secret, the visitor's address gets a
// part of the same look that opens nothing, and Issue returns no Slip: nothing is printed. The same request sends either part
// once more.
type Requests struct {
	// Renew lets a subject whose secret was revoked ask with a letter as above, too, or with the code that an operator printed
	// ([Service.RequestCode]). The level is Low then. Tell the former contacts, by [contact.Service.Notify].
	//
	// [contact.Service.Notify]: https://pkg.go.dev/github.com/civicpin/civicpin/contact#Service.Notify
	Renew bool
	// Typed lets a subject who never had a secret have all parts sent to addresses that only the visitor typed. A visitor who
	// knows the identifier of such a subject can then be the subject: this takes an exception.
	Typed bool
}

// ProvedContacts knows which contacts subjects have proved, as contact.Service does.
type ProvedContacts interface {
	// Proved reports whether the subject has proved all of the contacts, and none of them cools down. It does the same work for
	// every subject. Errors are those of its store.
	Proved(ctx context.Context, subject civicpin.Subject, contacts []civicpin.Contact) (bool, error)
}

// ProvedFunc is a function as [ProvedContacts]. Package contact needs the pin service that it acts on, so let the function
// look the contacts up when it is called.
type ProvedFunc func(context.Context, civicpin.Subject, []civicpin.Contact) (bool, error)

// Proved calls f, and returns what it returns. Errors are those of f.
func (f ProvedFunc) Proved(ctx context.Context, subject civicpin.Subject, contacts []civicpin.Contact) (bool, error) {
	return f(ctx, subject, contacts)
}

const (
	// requestCodes is the alphabet of the codes that operators print for a request on line.
	requestCodes = code.Unambiguous
	// requestCodeLength is 96 bits, so that no guess is counted but by the limits of messages.
	requestCodeLength = 20
	// requestCodeFor is how long such a code is good.
	requestCodeFor = 30 * day
)

// requestCode is what is kept of a code.
type requestCode struct {
	Hash    []byte    `json:"hash"`
	Expires time.Time `json:"expires"`
}

func hashCode(text string) []byte {
	h := sha256.Sum256([]byte(text))
	return h[:]
}

// RequestCode makes a code with which the subject of a revoked credential may ask for a new one on line, once within 30 days,
// if Policy.Requests.Renew is set. It is for the counter, after [Service.Revoke]: print it for the subject whom the operator
// sees, and forget it. A new code replaces the former one. Errors:
//   - [civicpin.ErrInvalid]: the subject is invalid, by is no operator, or the policy does not take such codes.
//   - [ErrNoCredential]: the subject has no credential.
//   - [ErrWrongState]: the credential is not revoked, or it was revoked for [state.Fraud], or by a repudiation.
//   - the store's.
func (s *Service) RequestCode(ctx context.Context, subject civicpin.Subject, by civicpin.Actor) (civicpin.Secret, error) {
	if !by.IsOperator() || !s.policy.Requests.Renew {
		return civicpin.Secret{}, fmt.Errorf("%w: an operator prints request codes, under Requests.Renew", civicpin.ErrInvalid)
	}
	text := requestCodes.New(requestCodeLength)
	err := s.manage(ctx, subject, by, eventCodePrinted, "", func(c *credential, now time.Time) error {
		if c.State != state.Revoked || c.Suspended || c.Fraud || c.Closed {
			return c.wrongState()
		}
		c.Code = &requestCode{Hash: hashCode(text), Expires: now.Add(requestCodeFor)}
		c.Run = "" // the operator sees the subject
		return nil
	})
	if err != nil {
		return civicpin.Secret{}, err
	}
	return civicpin.NewSecret(text), nil
}
