package play

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
)

// A Printer prints the story and asks for answers. The first error of the output is kept, as [Printer.Err], and nothing is
// printed after it, so that a story need not look at each line. It is for one goroutine.
type Printer struct {
	in          *bufio.Reader
	out         io.Writer
	interactive bool
	steps       int
	err         error
}

func newPrinter(in io.Reader, out io.Writer, interactive bool) *Printer {
	return &Printer{in: bufio.NewReader(in), out: out, interactive: interactive}
}

// Printf prints as fmt.Printf does, without indent.
func (p *Printer) Printf(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.out, format, args...)
	}
}

// Err returns the first error of the output.
func (p *Printer) Err() error { return p.err }

// Step begins a step of the story with a heading: "1. Maria asks for a PIN".
func (p *Printer) Step(format string, args ...any) {
	p.steps++
	p.Printf("\n%d. %s\n", p.steps, fmt.Sprintf(format, args...))
}

// Say prints lines of the story, indented.
func (p *Printer) Say(format string, args ...any) { p.lines("   ", fmt.Sprintf(format, args...)) }

// Show prints what a person in the story sees, a page or a message, set off by a bar.
func (p *Printer) Show(title, text string) {
	p.Say("%s", title)
	p.lines("   | ", text)
}

func (p *Printer) lines(indent, text string) {
	for line := range strings.Lines(strings.TrimRight(text, "\n")) {
		p.Printf("%s\n", strings.TrimRight(indent+strings.TrimRight(line, "\n"), " "))
	}
}

// ErrNoAnswer says that the input ended before a question was answered.
var ErrNoAnswer = errors.New("play: the input ended before the answer")

// Ask asks a citizen for something. Unless the play is interactive it prints the suggested answer as if it had been typed,
// and returns it. Otherwise it waits for a line; an empty one means the suggestion. If the input ends there, the error is
// [ErrNoAnswer].
//
// The answer can be read on the screen. In a play that is the point; a real page hides what is typed.
func (p *Printer) Ask(prompt, suggested string) (string, error) {
	if !p.interactive {
		p.Say("%s: %s", prompt, suggested)
		return suggested, p.err
	}
	p.Printf("   %s [%s]: ", prompt, suggested)
	line, err := p.in.ReadString('\n')
	switch {
	case p.err != nil:
		return "", p.err
	case errors.Is(err, io.EOF) && line == "":
		return "", ErrNoAnswer
	case err != nil && !errors.Is(err, io.EOF):
		return "", fmt.Errorf("play: read the answer: %w", err)
	}
	// Blanks around the answer are kept: whether they count is for the library to say.
	if line = strings.TrimRight(line, "\r\n"); line == "" {
		return suggested, nil
	}
	return line, nil
}
