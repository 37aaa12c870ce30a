// Package play is the little stage on which the examples play: it prints what happens step by step, keeps their database (an
// SQLite file, PostgreSQL or NATS), post and log, asks what a citizen would be asked, and lets hours pass at once.
//
// An example is a [Play]: a name, an agency, and a story. A story that is told in acts is a [Tale], on a [Page].
//
//	func main() { play.Main(inps()) }
//
//	func inps() play.Play {
//		return play.Play{
//			Name: "inps", Service: texts.Service{Name: "INPS"}, Email: "pin@inps.example", Story: story,
//		}
//	}
//
//	func story(ctx context.Context, s *play.Stage) error {
//		pins, err := pin.New(s.Outbox, pin.INPS())
//		if err != nil {
//			return err
//		}
//		s.Step("Maria asks for a PIN")
//		…
//	}
//
// A test calls [Run], with arguments, a strings.Reader and a bytes.Buffer of its own.
package play

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"
	_ "time/tzdata" // the agencies' time also where the system has no time zones

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/texts"
)

// A Play is one example.
type Play struct {
	// Name is the program's name; required.
	Name string
	// About says in a sentence what the example shows. It stands above the flags in the help and above the story.
	About string
	// Service is the agency as it names itself in its messages; required. Its Locale is set by the flag -lang, its Location by
	// Zone.
	Service texts.Service
	// Zone is the agency's time zone, such as "Europe/Rome"; empty means UTC.
	Zone string
	// Email is the address that the agency's e-mails come from; required.
	Email string
	// Lang is the language of the messages to citizens unless -lang says otherwise; empty means "en".
	Lang string
	// Words are the play's own words for a message, with times as they are in Zone; false leaves the message to package
	// texts. Nil means that the play has none.
	Words func(m civicpin.Message, at *time.Location) (texts.Text, bool)
	// Story plays. An error from it ends the program.
	Story func(ctx context.Context, s *Stage) error
	// Now is the clock from which the story starts; nil means time.Now. Tests set it.
	Now func() time.Time
}

// Main is the main function of a play's program: it runs the play on the terminal, and ends the program with status 1 on an
// error.
func Main(p Play) {
	if err := Run(context.Background(), p, os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// Run reads the flags in args, opens the stage, plays the story on it, and says where everything was left:
//
//	-i             asks for what the citizens would type, suggesting an answer; otherwise the suggestions are taken
//	-db FILE       keeps the database, and beside it keys, clock, post and log, for the next run
//	-db URL        keeps the records in PostgreSQL or NATS; the rest is kept in files named after the play
//	-files PREFIX  names the files beside a URL otherwise
//	-lang TAG      sets the language of messages: en, es, it
//
// It returns the story's error or its own. Asked for help (-h), it prints the flags and returns nil.
func Run(ctx context.Context, p Play, args []string, in io.Reader, out io.Writer) (err error) {
	flags := flag.NewFlagSet(p.Name, flag.ContinueOnError)
	flags.SetOutput(out)
	flags.Usage = func() {
		fmt.Fprintf(out, "%s\n\nUsage: %s [flags]\n", p.About, p.Name)
		flags.PrintDefaults()
	}
	opts := Options{Play: p, In: in, Out: out}
	flags.BoolVar(&opts.Interactive, "i", false, "ask for what the citizens would type")
	flags.StringVar(&opts.DB, "db", "", "keep the database in this `file`, and keys, clock, post and log beside it,\n"+
		"or the records in a database by its URL, and the others in this folder:\n"+
		"  postgres://user@host/database   in a schema of their own; PGPASSWORD may hold the password\n"+
		"  nats://host:4222?replicas=1     in JetStream of one server alone; without replicas, of three\n"+
		"(default: in a temporary folder)")
	flags.StringVar(&opts.Files, "files", "", "with a URL, begin the names of keys, clock, post and log with this `prefix`\n"+
		"(default "+strconv.Quote(p.Name)+"); the next run needs them")
	flags.StringVar(&opts.Lang, "lang", p.lang(), "`language` of the messages to citizens: en, es or it")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return nil
	case err != nil:
		return fmt.Errorf("%s: %w", p.Name, err)
	case flags.NArg() > 0:
		return fmt.Errorf("%s: what is %q?", p.Name, flags.Arg(0))
	}
	stage, err := Open(ctx, opts)
	if err != nil {
		return fmt.Errorf("%s: %w", p.Name, err)
	}
	defer func() {
		stage.Printf("\n%s\n", stage.left())
		if err = errors.Join(err, stage.Close(), stage.Err()); err != nil {
			err = fmt.Errorf("%s: %w", p.Name, err)
		}
	}()
	stage.Printf("%s\n", p.About)
	return p.Story(ctx, stage)
}

func (p *Play) lang() string { return cmp.Or(p.Lang, "en") }
