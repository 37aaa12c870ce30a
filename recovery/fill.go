package recovery

import (
	"strconv"
	"strings"
)

// How long the texts are, at the most, that fill makes equally long. Longer contacts make a longer record.
const (
	questionRoom = 64                                           // the id of a question, see Config.Questions
	contactRoom  = 96                                           // channel, address and locale
	mailRoom     = contactRoom + 7 + 73 + 12                    // the same, state, token and code
	numbersRoom  = len("false") + 2*len("18446744073709551615") // Known, Epoch and Book
)

// fill makes all runs that have come the same way equally long, whether their messages went to a contact, were sent, or are a
// decoy's: the time that it takes to read and write a record depends on its length. It is called before each write.
func (r *run) fill() {
	fill := numbersRoom - len(strconv.FormatBool(r.Known)) - digits(r.Epoch) - digits(r.Book)
	for _, question := range r.Asked {
		fill += max(0, questionRoom-len(question))
	}
	if r.Shown != "" {
		fill += max(0, contactRoom-len(r.Shown))
	}
	for i := range r.Links {
		fill += max(0, contactRoom-r.Links[i].To.length())
	}
	for i := range r.Mail {
		m := &r.Mail[i]
		fill += max(0, mailRoom-m.To.length()-len(m.State)-len(m.Token)-len(m.Code))
	}
	r.Fill = strings.Repeat("-", fill)
}

func digits(n uint64) int { return len(strconv.FormatUint(n, 10)) }

// length returns how much of a contact's length in a record is its own.
func (c *contact) length() int {
	n := len(c.Channel) + len(c.Address)
	if c.Locale != "" {
		n += len(`,"locale":""`) + len(c.Locale)
	}
	return n
}
