package recovery_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/store"
)

// A seen record is one that was opened or sealed.
type seen struct {
	what, kind string
	length     int
	fields     string         // the names in it, in their order
	members    map[string]int // the lengths of what the envelope holds: the value's bytes take longer than others
}

// watcher is a sealer that notes what it opens and seals.
type watcher struct {
	store.Sealer
	mu   sync.Mutex
	seen []seen
}

func (w *watcher) note(what string, plain, associated []byte) {
	key := associated[bytes.LastIndexByte(associated, 0)+1:]
	kind, _, _ := strings.Cut(string(key), "/")
	w.mu.Lock() // the outbox sends to several addresses at once
	defer w.mu.Unlock()
	w.seen = append(w.seen, seen{what, kind, len(plain), fieldNames(plain), members(plain)})
}

// members returns the length of each member of a JSON object.
func members(text []byte) map[string]int {
	var object map[string]json.RawMessage
	_ = json.Unmarshal(text, &object)
	lengths := make(map[string]int)
	for name, value := range object {
		lengths[name] = len(value)
	}
	return lengths
}

func (w *watcher) Seal(ctx context.Context, plain, associated []byte) ([]byte, error) {
	w.note("seal", plain, associated)
	return w.Sealer.Seal(ctx, plain, associated)
}

func (w *watcher) Open(ctx context.Context, sealed, associated []byte) ([]byte, error) {
	plain, err := w.Sealer.Open(ctx, sealed, associated)
	w.note("open", plain, associated)
	return plain, err
}

// fieldNames returns the names of the fields in a JSON text, in their order.
func fieldNames(text []byte) string {
	var names []string
	var walk func(d *json.Decoder)
	walk = func(d *json.Decoder) {
		tok, err := d.Token()
		if err != nil {
			return
		}
		open, nested := tok.(json.Delim)
		for nested && d.More() {
			if open == '{' {
				name, _ := d.Token()
				if name != "locale" { // a contact has one or not, and the length makes up for it
					names = append(names, fmt.Sprint(name))
				}
			}
			walk(d)
		}
		if nested {
			_, _ = d.Token()
		}
	}
	walk(json.NewDecoder(bytes.NewReader(text)))
	return strings.Join(names, " ")
}

// TestRecordsAreAlike finds that each call that an anonymous visitor can make opens and seals the same records, with the same
// fields and of the same length, whether the subject is known or not, and whether what was sent has been delivered since.
func TestRecordsAreAlike(t *testing.T) {
	people := []func(i int) []civicpin.Contact{
		contactsOf,
		func(i int) []civicpin.Contact { // short ones
			return []civicpin.Contact{
				{Channel: civicpin.Email, Address: fmt.Sprintf("%d@b.ec", i)},
				{Channel: civicpin.SMS, Address: fmt.Sprintf("+59399123%02d", i)},
			}
		},
		func(i int) []civicpin.Contact { // long ones, with a language
			return []civicpin.Contact{
				{Channel: civicpin.Email, Address: fmt.Sprintf("%040d@correo.example", i), Locale: "es-EC"},
				{Channel: civicpin.SMS, Address: fmt.Sprintf("+5939912345678%02d", i), Locale: "es-EC"},
			}
		},
	}
	for _, c := range anonymousCalls(t) {
		for i, contacts := range people {
			for _, delivered := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%d/%v", c.name, i, delivered), func(t *testing.T) {
					keys := testkit.Keys()
					w := &watcher{Sealer: keys.Sealing[0].Sealer}
					keys.Sealing[0].Sealer = w
					k, err := openKitWith(keys, store.NewMemory(), newClock(), &testkit.Mailbox{}, &testkit.Recorder{})
					require.NoError(t, err)
					k.unlimited(t)
					known, unknown := crowd(t, k, 2, contacts)
					var got [2][]seen
					_ = k.asked(t, "texted", known[1]) // somebody of the same country was sent a code
					for range 2 {                      // the first time and later
						for class, s := range []civicpin.Subject{known[0], unknown[0]} {
							w.seen = nil
							var run recovery.Run
							if c.before != nil {
								run, err = c.before(k, s)
								require.NoError(t, err)
							}
							if delivered {
								require.NoError(t, k.out.Flush(t.Context()))
								w.seen = nil
							}
							_ = c.do(k, s, run)
							got[class] = w.seen
						}
						require.NotEmpty(t, got[0])
						require.Len(t, got[1], len(got[0]))
						for j, x := range got[0] {
							y := got[1][j]
							require.Equal(t, x.length, y.length, "%d: %+v\n%+v", j, x, y)
							x.length, y.length = 0, 0
							require.Equal(t, x, y, "record %d", j)
						}
					}
				})
			}
		}
	}
}
