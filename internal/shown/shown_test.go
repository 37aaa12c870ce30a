package shown_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/shown"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/store"
)

const maria civicpin.Subject = "RSSMRA85T10A562S"

var start = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// newVault returns a vault of its own, whose index key consists of one letter.
func newVault(t testing.TB, letter string, clock *testkit.Clock) *store.Vault {
	sealer, err := store.XChaCha20Poly1305(civicpin.NewSecret(strings.Repeat("s", 32)))
	require.NoError(t, err)
	v, err := store.OpenVault(context.Background(), store.NewMemory(), store.Keys{
		Index: civicpin.NewSecret(strings.Repeat(letter, 32)), Sealing: []store.SealingKey{{ID: "k", Sealer: sealer}},
	}, &store.Options{Now: clock.Now})
	require.NoError(t, err)
	return v
}

// values are one of each kind.
var values = []shown.Value{
	{Kind: shown.Facts}, {Kind: shown.Device, ID: "q3xY_-9"}, {Kind: shown.Run}, {Kind: shown.Login},
}

// Each value opens for its subject, in any process with the same keys, and says what it was made of.
func TestEachKind(t *testing.T) {
	clock := testkit.NewClock(start)
	v, other := newVault(t, "i", clock), newVault(t, "i", clock)
	texts := make(map[string]bool)
	for _, want := range values {
		text := shown.New(v, maria, want)
		require.Equal(t, want, shown.Open(v, maria, text))
		require.Equal(t, want, shown.Open(other, maria, text))
		require.NotContains(t, text.Reveal(), string(maria))
		texts[text.Reveal()] = true
	}
	require.Len(t, texts, len(values))
	require.Less(t, shown.Facts, shown.Device)
	require.Less(t, shown.Device, shown.Run)
	require.Less(t, shown.Run, shown.Login)
	require.Less(t, shown.Nothing, shown.Facts)
	require.Equal(t, "facts device run login", fmt.Sprint(shown.Facts, shown.Device, shown.Run, shown.Login))
	require.Empty(t, shown.Nothing.String())
}

// A value is good for less than fifteen minutes, and from a minute before it was made, since clocks differ.
func TestValid(t *testing.T) {
	for after, valid := range map[time.Duration]bool{
		-365 * 24 * time.Hour: false, -61 * time.Second: false, -time.Minute: true, -time.Second: true,
		15*time.Minute - time.Second: true, 15 * time.Minute: false, 365 * 24 * time.Hour: false,
	} {
		clock := testkit.NewClock(start)
		v := newVault(t, "i", clock)
		for _, want := range values {
			text := shown.New(v, maria, want)
			clock.Set(start.Add(after))
			if !valid {
				want = shown.Value{}
			}
			require.Equal(t, want, shown.Open(v, maria, text), "after %v", after)
			clock.Set(start)
		}
	}
	require.Equal(t, 15*time.Minute, shown.Valid)
}

// A text that New did not make opens nothing: no value with another subject, kind, id, time or key, and none that is cut or
// added to.
func TestOpensNothing(t *testing.T) {
	clock := testkit.NewClock(start)
	v := newVault(t, "i", clock)
	for _, value := range values {
		text := shown.New(v, maria, value).Reveal()
		require.Zero(t, shown.Open(v, "VRDLGU70A01H501X", civicpin.NewSecret(text)), "another subject")
		require.Zero(t, shown.Open(v, "", civicpin.NewSecret(text)), "no subject")
		require.Zero(t, shown.Open(newVault(t, "j", clock), maria, civicpin.NewSecret(text)), "a vault with other keys")
		for i := range text { // one character at a time
			for _, c := range "0Aa.-" {
				if rune(text[i]) != c {
					changed := text[:i] + string(c) + text[i+1:]
					require.Zero(t, shown.Open(v, maria, civicpin.NewSecret(changed)), changed)
				}
			}
			require.Zero(t, shown.Open(v, maria, civicpin.NewSecret(text[:i])), "cut at %d", i)
			require.Zero(t, shown.Open(v, maria, civicpin.NewSecret(text[:i]+text[i+1:])), "without character %d", i)
		}
		fields := strings.Split(text, ".")
		zero := strings.Replace(shown.New(v, maria+"0", value).Reveal(), ".", ".0", 1)
		require.Zero(t, shown.Open(v, maria, civicpin.NewSecret(zero)), "the end of a subject moved to the time")
		sum := base64.RawURLEncoding.EncodeToString(make([]byte, 16))
		for i, other := range []string{"login", fmt.Sprint(start.Unix() + 1), "another", sum} {
			if changed := append([]string{}, fields...); changed[i] != other {
				changed[i] = other
				require.Zero(t, shown.Open(v, maria, civicpin.NewSecret(strings.Join(changed, "."))), "field %d", i)
			}
		}
		for _, added := range []string{text + " ", " " + text, text + ".", "." + text, text + "=", text + "\n", text + "\x00"} {
			require.Zero(t, shown.Open(v, maria, civicpin.NewSecret(added)), added)
		}
		for _, moved := range []string{"%s%s..%s.%s", "%s..%s%s.%s", "%s.%s%s..%s", ".%s%s.%s.%s"} { // from one field to the next
			moved = fmt.Sprintf(moved, fields[0], fields[1], fields[2], fields[3])
			require.True(t, moved == text || shown.Open(v, maria, civicpin.NewSecret(moved)) == shown.Value{}, moved)
		}
	}
	const at = ".1772442000"
	for _, text := range []string{
		"", ".", "...", "....", "login...", "à.è.ì.ò", "login.1.x.y.z", "login" + at + "..", "nothing" + at + "..", at + "..",
		"\xff.\xff.\xff.\xff",
	} {
		require.Zero(t, shown.Open(v, maria, civicpin.NewSecret(text)), text)
	}
	require.Zero(t, shown.Open(v, maria, civicpin.Secret{}))
	for _, value := range []shown.Value{{}, {Kind: shown.Device, ID: "a.b"}, {Kind: shown.Device, ID: strings.Repeat("a", 128)}} {
		require.Zero(t, shown.Open(v, maria, shown.New(v, maria, value))) // no package makes one
	}
}

// A visitor sends what it likes: a long text costs no more than a short one.
func TestLongTextsCostNothing(t *testing.T) {
	v := newVault(t, "i", testkit.NewClock(start))
	for _, long := range []civicpin.Secret{
		civicpin.NewSecret(strings.Repeat(".", 10<<20)), civicpin.NewSecret(strings.Repeat("a", 10<<20)),
		civicpin.NewSecret("login.1772442000." + strings.Repeat("9", 10<<20) + ".x"),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		require.Zero(t, shown.Open(v, maria, long))
		runtime.ReadMemStats(&after)
		require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(64<<10))
	}
}

// FuzzOpen: a text opens something only if New made it, of that, for that subject, within its time.
func FuzzOpen(f *testing.F) {
	clock := testkit.NewClock(start)
	v := newVault(f, "i", clock)
	for _, value := range values {
		text := shown.New(v, maria, value).Reveal()
		f.Add(string(maria), text)
		f.Add("VRDLGU70A01H501X", text)
		f.Add(string(maria), strings.Replace(text, ".", ".+", 1))
		f.Add(string(maria), text+".")
	}
	f.Add("", "...")
	f.Fuzz(func(t *testing.T, subject, text string) {
		got := shown.Open(v, civicpin.Subject(subject), civicpin.NewSecret(text))
		if got == (shown.Value{}) {
			return
		}
		// The clock stands, and the seeds hold what it makes of this moment: New makes the same text again.
		if made := shown.New(v, civicpin.Subject(subject), got).Reveal(); made != text {
			t.Fatalf("%q opens %v, and New makes %q of that", text, got, made)
		}
	})
}
