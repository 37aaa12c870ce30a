package recoveryrun

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/civicpin/civicpin/internal/letter"
	"github.com/civicpin/civicpin/internal/token"
	"github.com/civicpin/civicpin/internal/waits"
)

// How long the texts are, at the most, that Pad makes equally long. Longer contacts make a longer record.
const (
	questionRoom = 64                                           // the id of a question
	contactRoom  = 96                                           // channel, address and locale
	mailRoom     = contactRoom + 7 + 73 + 12                    // the same, state, token and code
	numbersRoom  = len("false") + 8*len("18446744073709551615") // Known, Epoch and Book
)

// Pad fills the record, before it is written: all runs that have come the same way are equally long then, whether their
// messages went to a contact, were sent, or are a decoy's. The time that it takes to read and write a record depends on its
// length.
func (r *Record) Pad() {
	n := numbersRoom - len(strconv.FormatBool(r.Known)) - digits(r.Epoch) - digits(r.Book)
	for _, question := range r.Asked {
		n += max(0, questionRoom-length(question))
	}
	if r.Shown != "" {
		n += max(0, contactRoom-length(r.Shown))
	}
	for i := range r.Links {
		n += max(0, contactRoom-r.Links[i].To.Length())
	}
	for i := range r.Mail {
		m := &r.Mail[i]
		n += max(0, mailRoom-m.To.Length()-len(m.State)-len(m.Token)-len(m.Code))
	}
	r.Fill = strings.Repeat("-", n)
}

// length returns how long a text is in a record: encoding/json writes some characters as six.
func length(s string) int {
	text, _ := json.Marshal(s) // a string: no error
	return len(text) - len(`""`)
}

func digits(e waits.Epochs) (n int) {
	for _, epoch := range []uint64{e.Run, e.Proved, e.Approved, e.Denial} {
		n += len(strconv.FormatUint(epoch, 10))
	}
	return n
}

// Draw makes a message and its link a decoy's, unless they are real: nothing that was ever sent fits. It draws for all alike.
func Draw(m *letter.Mail, l *token.Link, real bool) {
	var random [2][sha256.Size]byte
	_, _ = rand.Read(random[0][:]) // never fails
	_, _ = rand.Read(random[1][:])
	if !real {
		copy(l.Hash, random[0][:])
		copy(l.Tag, random[1][:])
		m.State = letter.None
	}
}
