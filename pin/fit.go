package pin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/attempt"
	"github.com/civicpin/civicpin/internal/choice"
	"github.com/civicpin/civicpin/internal/code"
	"github.com/civicpin/civicpin/internal/password"
	"github.com/civicpin/civicpin/pin/rule"
	"github.com/civicpin/civicpin/pin/state"
)

// maxPersonal bounds the pieces of personal data that count.
const maxPersonal = 32

// A wish is a secret that a visitor wants to have as the subject's own.
type wish struct {
	raw      string   // as it was typed
	text     string   // in the form that is hashed
	personal []string // what the caller's register knows of the subject: for fits and fresher, behind a proof
}

// wished returns a choice, or the rule that it breaks for every subject. Of the subject it looks at nothing but the id, which
// the visitor typed. What else is known of the subject is looked at behind a proof only: the answer would tell a stranger
// piece after piece of it.
func (s *Service) wished(subject civicpin.Subject, chosen civicpin.Secret, personal []string) (wish, error) {
	w := wish{raw: chosen.Reveal(), personal: personal[:min(len(personal), maxPersonal)]}
	var err error
	if w.text, err = s.rules.Normalise(w.raw); err == nil {
		err = s.rules.Check(w.text, []string{string(subject)})
	}
	if broken, ok := errors.AsType[*choice.Error](err); ok {
		return wish{}, &ChoiceError{Rule: broken.Rule}
	}
	return w, err
}

// unbreached asks whether a choice is known from a breach. The answer does not depend on the subject. The caller has been
// admitted: the function that is asked may be slow, or cost money, and any visitor could have it run without bound.
func (s *Service) unbreached(ctx context.Context, text string) error {
	breached := s.policy.Chosen.Breached
	if breached == nil {
		return nil
	}
	spellings := []string{text}
	if lower := strings.ToLower(text); s.policy.Chosen.Form == Alphanumeric && lower != text {
		spellings = append(spellings, lower)
	}
	for _, text := range spellings {
		switch known, err := breached(ctx, civicpin.NewSecret(text)); {
		case err != nil:
			return fmt.Errorf("%w: %w", ErrUnchecked, err)
		case known:
			return &ChoiceError{Rule: rule.Breached}
		}
	}
	return nil
}

// fits checks a choice against what is known after the proof: the secret that was typed and is right, personal data, and the
// former secrets.
func (s *Service) fits(ctx context.Context, c *credential, w wish, typed string) error {
	current, _ := c.Norm.normalise(typed)
	switch {
	case c.State == state.Provisional && fromIssued(c, w, current):
		return &ChoiceError{Rule: rule.Issued}
	case c.State == state.Active && s.sameAs(c, w, typed):
		return &ChoiceError{Rule: rule.Same}
	}
	if err := s.apart(c, w); err != nil {
		return err
	}
	reused, err := s.among(ctx, c.gone(), w)
	if err == nil && reused.Right() {
		err = &ChoiceError{Rule: rule.History}
	}
	return err
}

// gone returns the secrets that may not be chosen again.
func (c *credential) gone() []former { return slices.Concat(c.Lost, c.History) }

// sameAs reports whether a choice is the current secret, in another spelling perhaps: in the form of the one or of the other.
func (s *Service) sameAs(c *credential, w wish, typed string) bool {
	now, _ := c.Norm.normalise(typed) // it is right, so it has a form
	again, fits := c.Norm.normalise(w.raw)
	renewed, valid := s.policy.Chosen.normaliser().normalise(typed)
	return fits && now == again || valid && renewed == w.text
}

// fromIssued reports whether a choice has six symbols in a row of the issued secret in it, or consists of such a row: forwards
// or backwards, in groups, or in look-alikes. Staff who printed a part know it, and so does each reader of the messages.
func fromIssued(c *credential, w wish, issued string) bool {
	a := code.Alphabet(c.Norm.Alphabet)
	issued = plain(a, issued)
	mirrored := []byte(issued)
	slices.Reverse(mirrored)
	text := plain(a, w.text)
	const row = 6 // fewer would be there by chance now and then
	for at, n := 0, min(row, len(text)); n > 0 && at+n <= len(text); at++ {
		if piece := text[at : at+n]; strings.Contains(issued, piece) || strings.Contains(string(mirrored), piece) {
			return true
		}
	}
	return false
}

// plain returns a text in upper case, without what stands between letters and digits, and with the symbols of the alphabet in
// place of their look-alikes.
func plain(a code.Alphabet, text string) string {
	var b strings.Builder
	for _, r := range text {
		if symbol, ok := a.Normalise(string(r)); ok {
			b.WriteString(symbol)
		} else if unicode.IsLetter(r) || unicode.IsDigit(r) {
			b.WriteRune(r)
		}
	}
	return strings.ToUpper(b.String())
}

// apart checks that a choice is no piece of what is known of the subject, nor of the addresses of the subject's contacts.
func (s *Service) apart(c *credential, w wish) error {
	known := slices.Clone(w.personal)
	for i := range c.Parts {
		known = append(known, c.Parts[i].Address)
	}
	if s.holds(w.text, known) {
		return &ChoiceError{Rule: rule.Personal}
	}
	return nil
}

// holds reports whether a text has one of the pieces in it.
func (s *Service) holds(text string, pieces []string) bool {
	broken, ok := errors.AsType[*choice.Error](s.rules.Check(text, pieces))
	return ok && broken.Rule == rule.Personal
}

// among compares a choice with former secrets, until one matches. The caller has been admitted, and has proved the subject's
// identity or is inside a gate.
func (s *Service) among(ctx context.Context, gone []former, w wish) (attempt.Match, error) {
	for _, f := range gone {
		hash, err := password.Parse(f.Hash)
		if err != nil {
			continue
		}
		for _, text := range f.spellings(w) {
			if found, err := attempt.Hash(ctx, s.hashing, nil, hash, text); err != nil || found.Right() {
				return found, err
			}
		}
	}
	return attempt.Match{}, nil
}

// spellings returns the texts of which the former secret's hash may be, if it is the choice.
func (f former) spellings(w wish) []string {
	if f.Norm.Version > 0 {
		text, _ := f.Norm.normalise(w.raw)
		return []string{text}
	}
	// Imported, and never used here: the form in which the hash was made is not known.
	list := []string{w.raw}
	for _, text := range []string{w.text, strings.ToLower(w.text)} {
		if !slices.Contains(list, text) {
			list = append(list, text)
		}
	}
	return list
}
