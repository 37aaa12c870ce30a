package play

import (
	"errors"
	"fmt"
	"strings"
)

// Answers bounds how often a page asks for the same thing.
const Answers = 100

// ErrAnswers ends a story in which nothing that was typed would do.
var ErrAnswers = errors.New("a hundred answers, and none that will do")

// AskUntil shows a page with one field until use takes what was typed. Each time it suggests the next of the suggestions, so
// that a user who only presses Enter sees the refusals, too. refused says what comes of an error of use: nil to ask again,
// and an error to end with.
func (p *Printer) AskUntil(prompt string, suggestions []string, use func(typed string) error, refused func(error) error) error {
	for i := range Answers {
		typed, err := p.Ask(prompt, suggestions[min(i, len(suggestions)-1)])
		if err != nil {
			return err
		}
		if err = use(strings.TrimSpace(typed)); err == nil {
			return nil
		}
		if err = refused(err); err != nil {
			return err
		}
	}
	return ErrAnswers
}

// AskID asks for an identifier until parse takes what was typed and it is the one in the story; of another one, the page says
// other.
func AskID[T comparable](
	p *Page, prompt string, suggestions []string, parse func(string) (T, error), want T, other Refusal,
) error {
	return p.AskUntil(prompt, suggestions, func(typed string) error {
		id, err := parse(typed)
		if err == nil && id != want {
			err = other
		}
		return err
	}, p.Refused)
}

// Wanted returns nil if err is what the story is about here, and otherwise what went wrong.
func Wanted(err, target error, what string) error {
	switch {
	case errors.Is(err, target):
		return nil
	case err == nil:
		return errors.New(what + " was accepted")
	}
	return fmt.Errorf("%s: %w", what, err)
}
