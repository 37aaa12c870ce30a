package play

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/civicpin/civicpin/pin/rule"

	"github.com/civicpin/civicpin/lockout"
)

// A Page is a stage with the portal on it: what the pages say to the person in front of them.
type Page struct {
	*Stage
	// Name is the portal's, in front of what it says.
	Name string
	// Dates is the layout in which the portal writes a time.
	Dates string
	// Wrong is about a wrong entry, in front of the number of tries that are left.
	Wrong string
	// Disabled is about a lock that only a new secret ends, and Locked about others that do not end by themselves; empty
	// means the same.
	Disabled, Locked string
	// Rules are about the rules that a chosen secret may break, by the names of [pin.ChoiceError]; the others are worded as in
	// all portals.
	Rules map[rule.Rule]string
	// Own words the errors that are this portal's own, and those that it words otherwise than all; empty leaves an error to
	// [Page.Explain]. Nil means that there are none.
	Own func(error) string
	// Ending is what is said where a lock ends the story; empty means that the next run goes on.
	Ending string
}

const ending = "There the story ends. With -db, the next run begins by putting it right."

// Says prints what a page says.
func (p *Page) Says(format string, args ...any) {
	indent := "\n" + strings.Repeat(" ", len(p.Name)+2)
	p.Say("%s: %s", p.Name, strings.ReplaceAll(fmt.Sprintf(format, args...), "\n", indent))
}

// Local writes a time as it is where the agency is.
func (p *Page) Local(at time.Time) string { return at.In(p.Location).Format(p.Dates) }

// Hour writes the time of the day where the agency is.
func (p *Page) Hour(at time.Time) string { return at.In(p.Location).Format("15:04") }

// Refuses prints what the page says about an error, and reports whether there is anything to say: an error that is not about
// what the citizen did, such as the store's, is for the log, and a page would say that the service is down.
func (p *Page) Refuses(err error) bool {
	text := p.Explain(err)
	if text == "" {
		return false
	}
	p.Says("%s", text)
	return true
}

// Refused prints what the page says about an error, so that it can ask again. It returns an error of which a page says
// nothing.
func (p *Page) Refused(err error) error {
	if p.Refuses(err) {
		return nil
	}
	return err
}

// WaitOut waits for the end of a lock, and has the page refuse all else as [Page.Refused] does.
func (p *Page) WaitOut(err error) error {
	if locked, ok := errors.AsType[*lockout.LockedError](err); ok {
		return p.Wait(locked)
	}
	return p.Refused(err)
}

// Wait prints that something is locked and lets the time pass. It returns a lock that does not end by itself.
func (p *Page) Wait(locked *lockout.LockedError) error {
	if locked.Until.IsZero() {
		return locked
	}
	p.Refuses(locked)
	return p.PassUntil(locked.Until)
}

// Patiently does something, and does it again when a lock that refused it has ended.
func (p *Page) Patiently(do func() error) error {
	for range Answers {
		err := do()
		locked, ok := errors.AsType[*lockout.LockedError](err)
		if !ok {
			return err
		}
		if err := p.Wait(locked); err != nil {
			return err
		}
	}
	return ErrAnswers
}

// A Tale is a story in acts, of which each goes on from where the one before it ended.
type Tale interface {
	Acts() []func(context.Context) error
	// Tell is [Page.Tell].
	Tell(ctx context.Context, acts []func(context.Context) error) error
}

// InTurn plays acts, or the parts of one, in their order, until one fails.
func InTurn(ctx context.Context, acts ...func(context.Context) error) error {
	for _, act := range acts {
		if err := act(ctx); err != nil {
			return err
		}
	}
	return nil
}

// InActs is the story of a [Play] that is told in acts. set sets the stage: it makes the services.
func InActs[T Tale](set func(*Stage) (T, error)) func(context.Context, *Stage) error {
	return func(ctx context.Context, s *Stage) error {
		t, err := set(s)
		if err != nil {
			return err
		}
		return t.Tell(ctx, t.Acts())
	}
}

// Tell plays the acts in their order, and turns what is no failure of the program into a last line.
func (p *Page) Tell(ctx context.Context, acts []func(context.Context) error) error {
	if err := InTurn(ctx, acts...); err != nil {
		return p.End(err)
	}
	p.Printf("\n%d events were recorded, each a line of JSON in the log.\n", p.Events())
	return nil
}

// End turns what is no failure of the program into a last line: that the input ended, or a lock that the story does not lift.
func (p *Page) End(err error) error {
	_, isLocked := errors.AsType[*lockout.LockedError](err)
	switch {
	case errors.Is(err, ErrNoAnswer):
		p.Printf("\n\nThe input ended here, and so does the story.\n")
	case isLocked: // disabled for good, or too many messages in a day
		p.Refuses(err)
		p.Say("%s", cmp.Or(p.Ending, ending))
	default:
		return err
	}
	return nil
}
