package contactbook_test

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/contactbook"
	"github.com/civicpin/civicpin/internal/letter"
	"github.com/civicpin/civicpin/internal/token"
)

// notifies is "notify", or "notify 8" for eight times. The text is of the last one.
func (w *world) notifies(args []string) string {
	times, text := 1, ""
	if len(args) > 0 {
		n, err := strconv.Atoi(args[0])
		require.NoError(w.t, err)
		times = n
	}
	for range times {
		b := copied(w.t, &w.book)
		params := map[string]string{"how": "changed"}
		fx, _, ok := b.Notify(token.NewID(), noted, params, w.now)
		params["how"] = "spoilt"
		for _, n := range fx.Notes {
			require.Equal(w.t, map[string]string{"how": "changed"}, n.Params, "they are the caller's to change")
		}
		if !ok {
			return "busy"
		}
		b.Enqueue(fx.Notes)
		w.book = *copied(w.t, b)
		text = "told" + w.arrived(fx)
	}
	return text
}

// fails is "fail phone": no provider would take what waits for it. Without a name it is so for all messages, and in "fail
// later" for all but the first.
func (w *world) fails(names []string) string {
	failed := 0
	for i := range w.book.Mail {
		n := &w.book.Mail[i]
		if len(names) == 0 || names[0] == "later" && i > 0 || nameOf(n.To.Contact()) == names[0] {
			n.State = letter.Failed
			failed++
		}
	}
	return fmt.Sprintf("%d failed", failed)
}

// wants lists what is still to be sent: the kind, the number of the link, the address, and "+" for a token.
func (w *world) wants([]string) string {
	var list []string
	for i := range w.book.Mail {
		n := &w.book.Mail[i]
		require.Equal(w.t, n, w.book.Note(n.Name))
		if !w.book.Wants(n, w.now) {
			continue
		}
		text := strings.TrimPrefix(string(n.Kind), "contact.") + " " + nameOf(n.To.Contact())
		if n.Link > 0 {
			text += " " + strconv.Itoa(n.Link)
		}
		if n.Token != "" {
			text += "+"
		}
		list = append(list, text)
	}
	return strings.Join(list, ", ")
}

// shows is "show": the subject's contacts, the primary one with "*" and those that cool down with "~". The cases are its other
// words; "show all" marks what is the subject's no longer with "-".
func (w *world) shows(args []string) string {
	what := strings.Join(args, " ")
	b := &w.book
	switch what {
	case "":
		return w.names(b.Live())
	case "usable":
		return w.names(b.Usable(w.now))
	case "all":
		return w.names(pointers(b.Contacts))
	case "cooling":
		var list []string
		for _, h := range b.Live() {
			list = append(list, nameOf(h.To.Contact())+" "+since(h.Cooling))
		}
		return strings.Join(list, ", ")
	case "barred":
		var list []string
		for _, h := range b.Contacts {
			if b.IsBarred(h.ID) {
				list = append(list, nameOf(h.To.Contact()))
			}
		}
		return strings.Join(list, " ")
	case "pending":
		var list []string
		for _, c := range b.Pending {
			to := letter.Contact(c.To)
			text := nameOf(to.Contact())
			if b.Waits(c.ID, w.now) < 0 {
				text += " late"
			}
			list = append(list, text)
		}
		return strings.Join(list, ", ")
	case "changes":
		return strconv.Itoa(len(b.Changes))
	case "first mail":
		return b.Mail[0].State
	case "mail":
		return strconv.Itoa(len(b.Mail))
	case "epoch":
		return strconv.FormatUint(b.Epoch, 10)
	case "keep":
		return "for " + since(b.Keep(w.now))
	}
	require.Fail(w.t, "nothing to show: "+what)
	return ""
}

// told lists whom something is told, those who get tokens with "+".
func (w *world) told([]string) string {
	var list []string
	for _, h := range w.book.Told(w.now) {
		text := nameOf(h.To.Contact())
		if h.Established(w.now) {
			text += "+"
		}
		list = append(list, text)
	}
	return strings.Join(list, " ")
}

// on is "on email sms": the contact of the first of the channels.
func (w *world) on(args []string) string {
	var channels []civicpin.Channel
	for _, a := range args {
		channels = append(channels, civicpin.Channel(a))
	}
	if h := w.book.On(channels, w.now); h != nil {
		return nameOf(h.To.Contact())
	}
	return "nobody"
}

func (w *world) names(list []*contactbook.Address) string {
	var names []string
	for _, h := range list {
		text := nameOf(h.To.Contact())
		if h.ID == w.book.Primary {
			text += "*"
		}
		if h.CoolsDown(w.now) {
			text += "~"
		}
		if !h.Live() {
			text += "-"
		}
		names = append(names, text)
	}
	return strings.Join(names, " ")
}

func pointers(list []contactbook.Address) []*contactbook.Address {
	var all []*contactbook.Address
	for i := range list {
		all = append(all, &list[i])
	}
	return all
}
