package contactbook_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/contactbook"
	"github.com/civicpin/civicpin/internal/letter"
	"github.com/civicpin/civicpin/internal/token"
)

// repeat returns lists of steps n times over.
func repeat(n int, list ...step) (steps []step) {
	for range n {
		steps = append(steps, list...)
	}
	return steps
}

// join puts lists of steps together.
func join(lists ...[]step) (steps []step) {
	for _, list := range lists {
		steps = append(steps, list...)
	}
	return steps
}

// toggles returns two changes that bring no contact.
func toggles(by string, n int) []step {
	return repeat(n,
		step{hour, by + "prefer mail", "primary; phone+ mail+"},
		step{hour, by + "prefer phone", "primary; mail+ phone+"},
	)
}

func TestChangesAreBounded(t *testing.T) {
	run(t, []table{
		{"sixteen that can be undone, also for one that is proved meanwhile", usual, join(
			both, // two
			[]step{{0, "ask new", "waits to 1d"}, {0, "ask new for mail", "waits to 1d"}},
			toggles("", contactbook.MaxChanges/2-1),
			[]step{
				{hour, "prefer mail", "full to 7d"},
				{hour, "remove mail", "full to 7d"},
				{hour, "accept new", "full to 7d"},
				{hour, "adopt other", "full to 7d"},
				{hour, "adopt mail phone", ""},
				{hour, "prefer phone", "nothing"},
				{hour, "show", "phone* mail"},
				{7*day - 1, "prefer mail", "full to 7d"},
				{7 * day, "prefer mail", "primary; phone+ mail+"},
				{7 * day, "prefer phone", "primary; mail+ phone+"},
				{7 * day, "prefer mail", "full to 7d1h0m0s"},
			},
		)},
		{"as many again for staff", usual, join(
			both, toggles("", contactbook.MaxChanges/2-1), toggles("clerk ", contactbook.MaxChanges/2),
			[]step{
				{hour, "clerk prefer mail", "full to 7d"},
				{hour, "clerk remove mail", "full to 7d"},
				{hour, "clerk adopt new", "full to 7d"},
				{hour, "correct new", "full to 7d"},
				{hour, "prefer mail", "full to 7d"},
			},
		)},
		{"staff's count against the citizen", usual, join(
			both, toggles("clerk ", contactbook.MaxChanges/2-1),
			[]step{{hour, "prefer mail", "full to 7d"}, {hour, "clerk prefer mail", "primary; phone+ mail+"}},
		)},
		{"and as many again for recoveries", usual, join(
			both, toggles("", contactbook.MaxChanges/2-1),
			recoveries(contactbook.MaxChanges),
			[]step{{hour, "correct m3", "full to 7d"}, {hour, "show changes", "32"}},
		)},
	})
}

// recoveries returns n recoveries, each of which replaces the mailbox of the one before.
func recoveries(n int) (steps []step) {
	told := " phone+ mail+"
	for i := range n {
		name := fmt.Sprintf("m%d", i)
		steps = append(steps, step{hour, "correct " + name, "changed email by a recovery;" + told + "; lowered to 10d1h0m0s"})
		if i == 0 {
			told = " phone+ m0 mail+"
			continue
		}
		told = strings.Replace(told, fmt.Sprintf(" m%d", i-1), " "+name, 1) + fmt.Sprintf(" m%d", i-1)
	}
	return steps
}

func TestContactsAreBounded(t *testing.T) {
	eight := []step{{0, "clerk adopt phone a b c d e f", "adopted sms adopted email adopted email adopted email adopted email" +
		" adopted email adopted email"}}
	run(t, []table{
		{"eight contacts", usual, join(eight, []step{
			{0, "ask g", "waits to 1d"},
			{0, "ask h", "unsuitable: there are 7, and 1 that wait for their proof"},
			{0, "ask g", "waits to 1d"}, // it is that one
			{0, "clerk adopt h", "adopted email; phone+ a+ b+ c+ d+ e+ f+"},
			{0, "accept g", "unsuitable: there are 8"},
			{0, "clerk adopt i", "unsuitable: there are 8"},
			{0, "displaced call", "displaces phone"},
			{0, "correct call", "changed voice by a recovery; phone+ a+ b+ c+ d+ e+ f+ h+; lowered to 10d"},
			{0, "displaced phone2", "unsuitable: there are 8"},
			{0, "correct phone2", "unsuitable: there are 8"},
		})},
		{"eight that have one replaced, and eight candidates for that", usual, join(eight, []step{
			{0, "clerk adopt g", "adopted email; phone+ a+ b+ c+ d+ e+ f+"},
			{0, "ask 1 for a", "waits to 1d"},
			{0, "ask 2 for a", "waits to 1d"},
			{0, "ask 3 for a", "waits to 1d"},
			{0, "ask 4 for a", "waits to 1d"},
			{0, "ask 5 for a", "waits to 1d"},
			{0, "ask 6 for a", "waits to 1d"},
			{0, "ask 7 for a", "waits to 1d"},
			{0, "ask 8 for a", "waits to 1d"},
			{0, "ask 9 for a", "unsuitable: there are 8, and 8 that wait for their proof"},
			{0, "accept 8", "changed email; phone+ a+ b+ c+ d+ e+ f+ g+; lowered to 10d"},
			{0, "show pending", ""}, // none of them has anything to replace
			{0, "show", "phone* b c d e f g 8~"},
		})},
		{"candidates that are late do not count", usual, join(eight, []step{
			{0, "ask g", "waits to 1d"},
			{day - 1, "ask h", "unsuitable: there are 7, and 1 that wait for their proof"},
			{day, "ask h", "waits to 2d"},
		})},
		{"eight candidates of a subject without a contact", usual, []step{
			{0, "ask 1", "waits to 1d"},
			{0, "ask 2", "waits to 1d"},
			{0, "ask 3", "waits to 1d"},
			{0, "ask 4", "waits to 1d"},
			{0, "ask 5", "waits to 1d"},
			{0, "ask 6", "waits to 1d"},
			{0, "ask 7", "waits to 1d"},
			{0, "ask 8", "waits to 1d"},
			{0, "ask 9", "unsuitable: there are 0, and 8 that wait for their proof"},
		}},
		{"one address is one contact, on whatever channel and in whatever case", usual, []step{
			enrolled,
			{0, "ask call", "unsuitable: it is one already"},
			{0, "ask MAIL", "unsuitable: it is one already"},
			{0, "clerk adopt call", "unsuitable: it is one already"},
			{0, "ask mail for phone", "unsuitable: it is one already"},
			{0, "ask mail for mail", "unsuitable: it is one already"},
			{0, "ask call for phone", "waits to 1d"}, // another channel in its place
			{0, "ask MAIL for phone", "unsuitable: it is one already"},
			{0, "ask new for gone", "unsuitable: no such contact"},
		}},
		{"a candidate goes with the contact that it was to replace", usual, []step{
			enrolled,
			{0, "ask new for mail", "waits to 1d"},
			{0, "ask other", "waits to 1d"},
			{0, "remove mail", "removed; phone+ mail+"},
			{0, "show pending", "other"},
		}},
	})
}

func TestAtLeast(t *testing.T) {
	run(t, []table{
		{"the last one is kept, also from staff", usual, []step{
			enrolled,
			{0, "remove mail", "removed; phone+ mail+"},
			{0, "remove phone", "unsuitable: at least 1 are kept"},
			{0, "clerk remove phone", "unsuitable: at least 1 are kept"},
			{0, "remove mail", "nothing"},
			{0, "remove gone", "unsuitable: no such contact"},
			{0, "prefer gone", "unsuitable: no such contact"},
			{0, "prefer mail", "unsuitable: no such contact"},
		}},
		{"two are kept", contactbook.Policy{AtLeast: 2, Undo: 7 * day, CoolDown: 7 * day}, []step{
			enrolled,
			{0, "remove mail", "unsuitable: at least 2 are kept"},
			{0, "ask new for mail", "waits to 1d"},
			{0, "accept new", "changed email; phone+ mail+; lowered to 7d"},
			{0, "show", "phone* new~"},
		}},
		{"when the primary one goes, the oldest is it", usual, []step{
			{0, "clerk adopt phone", "adopted sms"},
			{0, "clerk adopt mail", "adopted email; phone+"},
			{0, "clerk adopt new", "adopted email; phone+ mail+"},
			{0, "prefer new", "primary; phone+ mail+ new+"},
			{0, "remove new", "removed; new+ phone+ mail+"},
			{0, "show", "phone* mail"},
		}},
		{"when it is replaced, what takes its place is it", usual, []step{
			enrolled,
			{0, "ask new for phone", "waits to 1d"},
			{0, "accept new", "changed email; phone+ mail+; lowered to 10d"},
			{0, "show", "new*~ mail"},
		}},
	})
}

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
