// Package standard holds the clauses that policies and plans may break by a named exception alone, and the check of what they
// break against what they name.
package standard

import (
	"fmt"
	"slices"
	"strings"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/names"
)

// The clauses. Each is a SHALL or SHALL NOT, except LeastMax, which the library holds like one. No policy has composition rules
// (3.1.1.2(5)), and no policy counts more than 100 failures (3.2.2): there is nothing to name.
const (
	// LeastMin is 15 characters for a chosen secret that is the only factor.
	LeastMin = "SP 800-63B-4 3.1.1.2(1)"
	// LeastMax is 64 characters for the longest chosen secret.
	LeastMax = "SP 800-63B-4 3.1.1.2(2)"
	// NoPeriod forbids to have a secret changed because time has passed.
	NoPeriod = "SP 800-63B-4 3.1.1.2(6)"
	// NoMail forbids to authenticate by codes to a mailbox.
	NoMail = "SP 800-63B-4 3.1.3.1"
	// CodeBits is what six random digits have, for delivered codes.
	CodeBits = "SP 800-63B-4 3.1.3.2"
	// KeyBits is 112 bits for the seed of an app or a token.
	KeyBits = "SP 800-63B-4 3.1.4.1"
	// CodeValid is 10 minutes by telephone, 24 hours by e-mail and 30 days by post for issued codes.
	CodeValid = "SP 800-63A-4 3.8"
)

// The library's own rules.
const (
	// GuessBudget is the chance that a policy or a plan leaves to a guesser.
	GuessBudget = "guess budget"
	// TwoKinds has two possessions be of different kinds.
	TwoKinds = "two kinds"
	// TwoOperators has no operator choose a secret alone.
	TwoOperators = "two operators"
	// TypedContacts has no first secret go to addresses that only a visitor typed.
	TypedContacts = "typed contacts"
)

const (
	maxReason = 500
	maxOwn    = 16
)

// Named reports whether the exceptions name the clause.
func Named(exceptions []civicpin.Exception, clause string) bool {
	return slices.ContainsFunc(exceptions, func(e civicpin.Exception) bool { return e.Clause == clause })
}

// Check returns an error unless the exceptions name each clause that is broken, once, with a reason, and no other one. later
// lists clauses that may be named whatever is broken now. Errors:
//   - [Breaches]: a clause is broken and not named.
//   - another error: an exception is named twice, without a reason, or for a clause that is kept.
func Check(broken []civicpin.Breach, exceptions []civicpin.Exception, later ...string) error {
	var open Breaches
	for _, b := range broken {
		if !Named(exceptions, b.Clause) {
			open = append(open, b)
		}
	}
	if len(open) > 0 {
		return open
	}
	for i, e := range exceptions {
		field := fmt.Sprintf("Exceptions[%d]", i)
		is := func(b civicpin.Breach) bool { return b.Clause == e.Clause }
		switch {
		case e.Reason == "" || !names.Printable(e.Reason, maxReason):
			return fmt.Errorf("%s.Reason is not 1 to %d printable bytes", field, maxReason)
		case Named(exceptions[:i], e.Clause):
			return fmt.Errorf("%s.Clause %q is named twice", field, e.Clause)
		case !slices.Contains(later, e.Clause) && !slices.ContainsFunc(broken, is):
			return fmt.Errorf("%s.Clause %q is not broken: remove the exception%s", field, e.Clause, brokenList(broken))
		}
	}
	return nil
}

// brokenList lists the clauses that are broken, for whom a misspelt one is told.
func brokenList(broken []civicpin.Breach) string {
	var list []string
	for _, b := range broken {
		if text := fmt.Sprintf("%q", b.Clause); !slices.Contains(list, text) {
			list = append(list, text)
		}
	}
	if len(list) == 0 {
		return ""
	}
	return "; broken are " + strings.Join(list, ", ")
}

// Breaches is one or more breaches as an error.
type Breaches []civicpin.Breach

// Error lists them.
func (b Breaches) Error() string {
	texts := make([]string, len(b))
	for i := range b {
		texts[i] = b[i].Error()
	}
	return strings.Join(texts, "; ")
}

// Unwrap returns the breaches, each as an error.
func (b Breaches) Unwrap() []error {
	errs := make([]error, len(b))
	for i := range b {
		errs[i] = b[i]
	}
	return errs
}

// Channels are those of package civicpin.
func Channels() []civicpin.Channel {
	return []civicpin.Channel{
		civicpin.SMS, civicpin.Voice, civicpin.Email, civicpin.CertifiedEmail, civicpin.Push, civicpin.Letter, civicpin.HandedOver,
	}
}

// CheckChannels returns an error for a channel that is neither one of package civicpin's nor one of the caller's own: a
// misspelt one would send nothing.
func CheckChannels(field string, list, own []civicpin.Channel) error {
	if len(own) > maxOwn {
		return fmt.Errorf("OwnChannels lists more than %d", maxOwn)
	}
	for i, c := range own {
		if c == "" || !names.Printable(string(c), 32) || slices.Contains(own[:i], c) || slices.Contains(Channels(), c) {
			return fmt.Errorf("OwnChannels[%d] %q is not 1 to 32 printable bytes, stands twice, or is package civicpin's", i, c)
		}
	}
	for _, c := range list {
		if !slices.Contains(Channels(), c) && !slices.Contains(own, c) {
			return fmt.Errorf("%s lists the channel %q, which is neither one of package civicpin's nor in OwnChannels", field, c)
		}
	}
	return nil
}
