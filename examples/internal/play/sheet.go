package play

import (
	"strings"

	"github.com/civicpin/civicpin"
)

// Sheet is a page as it goes to the printer: the sender, the address for the window of an envelope if it is a letter, and the
// paragraphs.
func Sheet(sender string, to civicpin.Contact, paragraphs ...string) string {
	all := []string{sender}
	if to.Channel == civicpin.Letter {
		all = append(all, "    "+strings.ReplaceAll(to.Address, "\n", "\n    "))
	}
	return strings.Join(append(all, paragraphs...), "\n\n") + "\n"
}

// Groups cuts a code into fours, with a blank between them.
func Groups(code string) string {
	var all []string
	for len(code) > 4 {
		all, code = append(all, code[:4]), code[4:]
	}
	return strings.Join(append(all, code), " ")
}
