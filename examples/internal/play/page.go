package play

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/civicpin/civicpin/lockout"
)

// A Refusal is what a page says to somebody whose entry it does not take.
type Refusal string

func (r Refusal) Error() string { return string(r) }

// A Page is a stage with the portal on it: what the pages say to who is in front of them.
type Page struct {
	*Stage
	Name    string             // of the portal, in front of what it says
	Explain func(error) string // words an error for who is in front of the page; empty if it is not for them
	Ending  string             // what is said where a lock ends the story
}

// Says prints what a page says.
func (p *Page) Says(format string, args ...any) {
	indent := "\n" + strings.Repeat(" ", len(p.Name)+2)
	p.Say("%s: %s", p.Name, strings.ReplaceAll(fmt.Sprintf(format, args...), "\n", indent))
}

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

// Tell plays the acts in their order, and turns what is no failure of the program into a last line.
func (p *Page) Tell(ctx context.Context, acts []func(context.Context) error) error {
	for _, act := range acts {
		if err := act(ctx); err != nil {
			return p.End(err)
		}
	}
	p.Printf("\n%d events were recorded, each a line of JSON in the log.\n", p.Events())
	return nil
}

// End turns what is no failure of the program into a last line: that the input ended, or a lock that nobody here lifts.
func (p *Page) End(err error) error {
	_, isLocked := errors.AsType[*lockout.LockedError](err)
	switch {
	case errors.Is(err, ErrNoAnswer):
		p.Printf("\n\nThe input ended here, and so does the story.\n")
	case isLocked: // disabled for good, or too many messages in a day
		p.Refuses(err)
		p.Say("%s", p.Ending)
	default:
		return err
	}
	return nil
}
