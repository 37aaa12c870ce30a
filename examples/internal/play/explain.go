package play

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/civicpin/civicpin/pin/rule"

	"github.com/civicpin/civicpin/examples/internal/ident"
	"github.com/civicpin/civicpin/examples/internal/phone"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin"
)

// A Refusal is what a page says about an entry that it does not take.
type Refusal string

func (r Refusal) Error() string { return string(r) }

// rules are the words of all portals for the rules that a chosen secret may break.
var rules = map[rule.Rule]string{
	rule.Repeated: "Too few different characters, or the same ones over and over.",
	rule.Sequence: "A sequence is guessed first.",
	rule.Date:     "A date is guessed first.",
}

// Rule words the rule that a chosen secret breaks.
func (p *Page) Rule(broken rule.Rule) string {
	return cmp.Or(p.Rules[broken], rules[broken], "Not this one, please.")
}

// Explain words an error for the person in front of the page. It returns "" for an error that is not for them.
func (p *Page) Explain(err error) string {
	if r, ok := errors.AsType[Refusal](err); ok {
		return string(r)
	}
	if p.Own != nil {
		if text := p.Own(err); text != "" {
			return text
		}
	}
	if e, ok := errors.AsType[*ident.Error](err); ok {
		return fmt.Sprintf("This is no %s: %s.", e.What, e.Problem)
	}
	if e, ok := errors.AsType[*pin.ChoiceError](err); ok {
		return p.Rule(e.Rule)
	}
	if e, ok := errors.AsType[*lockout.RefusedError](err); ok {
		return fmt.Sprintf("%s Tries left: %d.", p.Wrong, e.Left)
	}
	if e, ok := errors.AsType[*lockout.LockedError](err); ok {
		return p.locked(e)
	}
	switch {
	case errors.Is(err, lockout.ErrBusy):
		return "Just a moment, and try again."
	case errors.Is(err, phone.ErrFormat):
		return "This is not written like a telephone number."
	case errors.Is(err, phone.ErrNumber):
		return "There is no such telephone number."
	}
	return ""
}

// locked says how a lock ends.
func (p *Page) locked(e *lockout.LockedError) string {
	switch {
	case e.Disabled:
		return p.Disabled
	case e.Until.IsZero():
		return cmp.Or(p.Locked, p.Disabled)
	}
	return fmt.Sprintf("Too many times. Try again on %s.", p.Local(e.Until))
}
