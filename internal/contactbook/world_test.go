package contactbook_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/contactbook"
	"github.com/civicpin/civicpin/internal/letter"
	"github.com/civicpin/civicpin/internal/token"
	"github.com/civicpin/civicpin/internal/waits"
)

const (
	second = time.Second
	minute = time.Minute
	hour   = time.Hour
	day    = 24 * time.Hour
)

// began is when every table begins.
var began = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// clerk is the operator of the tables.
var clerk = civicpin.Operator("zambrano")

// usual is the policy of the tables that do not say another. A cooling down that differs from Undo tells the two apart.
var usual = contactbook.Policy{AtLeast: 1, Undo: 7 * day, CoolDown: 10 * day}

// A step is an act at a time since the beginning, and what came of it, in words.
type step struct {
	at   time.Duration
	act  string
	want string
}

// A world is a book with what lies outside it: the tokens that arrived.
type world struct {
	t      require.TestingT
	policy contactbook.Policy
	book   contactbook.Book
	now    time.Time
	past   waits.Acts                        // upon the credential
	made   []string                          // ids of the changes: "c1" is the first
	undo   map[string]map[string]token.Token // by the change's id and the name of the address
	proofs map[string]map[int]token.Token    // by the name of the address and the number of the message
	acts   map[string]func(args []string) string
	last   contactbook.Effects // of the last change
	went   []civicpin.Contact  // with it
}

func newWorld(t require.TestingT, p contactbook.Policy) *world {
	w := &world{
		t: t, policy: p, now: began, undo: make(map[string]map[string]token.Token),
		proofs: make(map[string]map[int]token.Token),
	}
	w.acts = w.verbs()
	return w
}

// play does the steps on an empty book.
func play(t *testing.T, p contactbook.Policy, steps []step) {
	t.Helper()
	w := newWorld(t, p)
	var life strings.Builder
	for i, s := range steps {
		w.now, w.last, w.went = began.Add(s.at), contactbook.Effects{}, nil
		require.Equal(t, s.want, w.does(s.act), "step %d: %s at %s", i, s.act, since(w.now))
		fmt.Fprintf(&life, "%s %s\n%s", since(w.now), s.act, w.whole())
	}
	lives.compare(t, life.String())
}

// A lifeBook holds a hash of each life that a table plays: of the whole book after each step, of what the step asked for, and of
// what the book then answers. The lives stand in testdata/lives.txt by the names of their tests. A line of it changes only with
// what is stored or answered: look at the lives before and after, which the tests log, before you write the file anew by setting
// CIVICPIN_WRITE_LIVES.
type lifeBook struct {
	file map[string]string
	mu   sync.Mutex
}

var lives lifeBook

const livesFile = "testdata/lives.txt"

func (l *lifeBook) compare(t *testing.T, life string) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		l.file = make(map[string]string)
		text, err := os.ReadFile(livesFile)
		require.NoError(t, err)
		for line := range strings.Lines(string(text)) {
			hash, name, _ := strings.Cut(strings.TrimSpace(line), " ")
			l.file[name] = hash
		}
	}
	sum := sha256.Sum256([]byte(life))
	hash := hex.EncodeToString(sum[:8])
	if os.Getenv("CIVICPIN_WRITE_LIVES") != "" {
		l.file[t.Name()] = hash
		var text strings.Builder
		for _, name := range slices.Sorted(maps.Keys(l.file)) {
			fmt.Fprintln(&text, l.file[name], name)
		}
		require.NoError(t, os.WriteFile(livesFile, []byte(text.String()), 0o644))
	}
	if l.file[t.Name()] != hash {
		t.Errorf("another life than in %s:\n%s", livesFile, life)
	}
}

// What is drawn at random: secrets, and names.
var (
	drawnSecrets = regexp.MustCompile(`"(hash|token|Token|Hash)":"[^"]*"`)
	drawnNames   = regexp.MustCompile(`[A-Z2-7]{26}`)
)

// whole says all of a world: the book, the effects of the last change, and the answers to all questions.
func (w *world) whole() string {
	var text strings.Builder
	say := func(what string, value any) {
		b, err := json.Marshal(value)
		require.NoError(w.t, err)
		fmt.Fprintf(&text, "  %s %s\n", what, b)
	}
	b, now := &w.book, w.now
	say("book", b)
	say("effects", w.last)
	say("went", w.went)
	say("told", b.Told(now))
	say("live", b.Live())
	say("established", b.Established(now))
	say("sound", b.Sound())
	say("disputed", b.Disputed())
	say("kept", []any{b.Keep(now), b.Unsettled(now)})
	for i := range b.Contacts {
		a := &b.Contacts[i]
		say(a.ID, []any{b.DisputedAt(a), b.Unconfirmed(a), b.IsBarred(a.ID)})
	}
	for _, name := range crowd {
		say(name, b.Lost(address(name)))
	}
	for i := range b.Mail {
		say(b.Mail[i].Name, b.Wants(&b.Mail[i], now))
	}
	for i, id := range w.made {
		for _, name := range slices.Sorted(maps.Keys(w.undo[id])) {
			k, to, err := b.Repudiated(w.undo[id][name], now)
			say(fmt.Sprint("c", i+1, " ", name), []any{k, to, fmt.Sprint(err), b.Undoes(w.undo[id][name], now)})
		}
	}
	var names []string
	numbered := drawnNames.ReplaceAllStringFunc(drawnSecrets.ReplaceAllString(text.String(), `"$1":"-"`), func(id string) string {
		if !slices.Contains(names, id) {
			names = append(names, id)
		}
		return "#" + strconv.Itoa(slices.Index(names, id))
	})
	return numbered
}

// does does an act: "ask mail", "clerk remove phone".
func (w *world) does(act string) string {
	words := strings.Fields(act)
	verb := w.acts[words[0]]
	if words[0] == "clerk" {
		verb = w.acts["clerk "+words[1]]
		words = words[1:]
	}
	require.NotNil(w.t, verb, "no such act: %s", act)
	w.judged(&w.book)
	return verb(words[1:])
}

// address returns the contact of a name: telephones, and otherwise a mailbox. "call" is a voice contact to "phone".
func address(name string) civicpin.Contact {
	switch {
	case name == "call":
		return civicpin.Contact{Channel: civicpin.Voice, Address: "+593990000001"}
	case name == "phone":
		return civicpin.Contact{Channel: civicpin.SMS, Address: "+593990000001"}
	case strings.HasPrefix(name, "phone"):
		return civicpin.Contact{Channel: civicpin.SMS, Address: "+59399000000" + strings.TrimPrefix(name, "phone")}
	}
	return civicpin.Contact{Channel: civicpin.Email, Address: name + "@example.ec"}
}

// nameOf undoes address.
func nameOf(to civicpin.Contact) string {
	switch {
	case to.Channel == civicpin.Voice:
		return "call"
	case to == address("phone"):
		return "phone"
	case to.Channel == civicpin.SMS:
		return "phone" + strings.TrimPrefix(to.Address, "+59399000000")
	}
	return strings.TrimSuffix(to.Address, "@example.ec")
}

// id returns that of the contact of a name: of the subject's, or else of the one that went last, or "nobody".
func (w *world) id(name string) string {
	if h := w.book.Same(address(name)); h != nil {
		return h.ID
	}
	id := "nobody"
	for _, h := range w.book.Contacts {
		if nameOf(h.To.Contact()) == name {
			id = h.ID
		}
	}
	return id
}

// changeID returns the id of "c2", the second change.
func (w *world) changeID(name string) string {
	n, err := strconv.Atoi(strings.TrimPrefix(name, "c"))
	require.NoError(w.t, err)
	require.LessOrEqual(w.t, n, len(w.made), "no change %s", name)
	return w.made[n-1]
}

// pending returns the place of the last candidate of a name, -1 if there is none.
func (w *world) pending(name string) int {
	for i := len(w.book.Pending) - 1; i >= 0; i-- {
		if to := letter.Contact(w.book.Pending[i].To); nameOf(to.Contact()) == name {
			return i
		}
	}
	return -1
}

// change lets act change a copy of the book, as it is stored. The copy becomes the book unless there is an error: package
// contact writes nothing then. The text is what was done, and which notes go out.
func (w *world) change(act func(b *contactbook.Book, id string) (contactbook.Effects, string, error)) string {
	b := w.judged(copied(w.t, &w.book))
	id, sound := token.NewID(), b.Sound()
	fx, done, err := act(b, id)
	w.last, w.went = fx, b.Went(sound)
	if err != nil {
		return failed(err)
	}
	b.Enqueue(fx.Notes)
	w.book = *copied(w.t, b)
	if b.Find(id) >= 0 {
		w.made = append(w.made, id)
	}
	if len(fx.Notes) > 0 {
		done += ";" + w.arrived(fx)
	}
	if !fx.Lowered.IsZero() {
		done += "; lowered to " + since(fx.Lowered)
	}
	return done
}

// judged judges a book by what was done to the credential.
func (w *world) judged(b *contactbook.Book) *contactbook.Book {
	b.Judge(w.past, w.now, w.policy)
	return b
}

// arrived keeps the tokens of notes, and says to whom they went: with "+" if they carry a token.
func (w *world) arrived(fx contactbook.Effects) string {
	text, tokens := "", 0
	for i := range fx.Notes {
		n := &fx.Notes[i]
		name := nameOf(n.To.Contact())
		text += " " + name
		if n.Token == "" {
			continue
		}
		tokens++
		text += "+"
		tok, err := token.Parse(n.Message().Link)
		require.NoError(w.t, err)
		require.Equal(w.t, token.Undo, tok.Kind)
		require.Equal(w.t, fx.Pointer, tok.Selector)
		require.Equal(w.t, fx.Until, n.Expires, "the token is good for as long as the change can be undone")
		if w.undo[tok.Selector] == nil {
			w.undo[tok.Selector] = make(map[string]token.Token)
		}
		w.undo[tok.Selector][name] = tok
	}
	require.Equal(w.t, tokens > 0, fx.Pointer != "", "a token needs a pointer, and nothing else does")
	return text
}

// copied returns a book as it is read after it was written.
func copied(t require.TestingT, b *contactbook.Book) *contactbook.Book {
	text, err := json.Marshal(b)
	require.NoError(t, err)
	c := new(contactbook.Book)
	require.NoError(t, json.Unmarshal(text, c))
	return c
}

// failed writes an error in words.
func failed(err error) string {
	if limit, ok := errors.AsType[*contactbook.LimitError](err); ok && limit.Sends {
		return "sent enough to " + since(limit.Until)
	} else if ok {
		return "full to " + since(limit.Until)
	}
	switch {
	case errors.Is(err, contactbook.ErrUnsuitable):
		return "unsuitable" + strings.TrimPrefix(err.Error(), contactbook.ErrUnsuitable.Error())
	case errors.Is(err, token.ErrGone):
		return "gone"
	case errors.Is(err, token.ErrExpired):
		return "expired"
	}
	return "error: " + err.Error()
}

// since writes a time as that since the beginning, in days and the rest.
func since(t time.Time) string {
	if t.IsZero() {
		return "ever"
	}
	d := t.Sub(began)
	text := fmt.Sprintf("%dd", d/day)
	if rest := d % day; rest != 0 {
		text += rest.String()
	}
	return text
}
