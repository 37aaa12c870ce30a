package otp_test

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/store"
)

// chiSquared fails the test if the cells, which should all be as full, differ by more than chance makes them once in a
// million runs. The bound is Wilson and Hilferty's for 5.6 standard deviations.
func chiSquared(t *testing.T, name string, cells []int) {
	t.Helper()
	n := 0
	for _, c := range cells {
		n += c
	}
	want, chi := float64(n)/float64(len(cells)), 0.0
	for _, c := range cells {
		chi += (float64(c) - want) * (float64(c) - want) / want
	}
	df := float64(len(cells) - 1)
	bound := func(z float64) float64 { return df * math.Pow(1-2/(9*df)+z*math.Sqrt(2/(9*df)), 3) }
	t.Logf("%s: chi-squared %.0f with %.0f degrees of freedom", name, chi, df)
	require.Less(t, chi, bound(5.6), name)
	require.Greater(t, chi, bound(-5.6), "%s: more even than chance", name)
}

// The codes of a million requests are even: each place, each pair of neighbours, and, where there are few enough, each code. A
// remainder of a byte by ten, the usual mistake, is off by 4 in 100 and fails by far.
func TestCodesAreEven(t *testing.T) {
	const draws = 1_000_000
	for _, p := range []otp.CodePolicy{otp.SMS(), otp.ClavePIN()} {
		k := newCodeKit(t, p)
		a := len(p.Alphabet)
		places := make([][]int, p.Length)
		pairs := make([][]int, p.Length-1)
		for i := range places {
			places[i] = make([]int, a)
		}
		for i := range pairs {
			pairs[i] = make([]int, a*a)
		}
		whole := make([]int, a*a*a) // of the last three, which are all of Cl@ve's
		for range draws {
			sent := otp.DrawCode(k.Codes)
			if len(sent) != p.Length {
				t.Fatal("a code of another length")
			}
			cell := 0
			for i := range p.Length {
				s := strings.IndexByte(p.Alphabet, sent[i])
				places[i][s]++
				cell = (cell*a + s) % len(whole)
				if i > 0 {
					pairs[i-1][cell%(a*a)]++
				}
			}
			whole[cell]++
		}
		for i := range places {
			chiSquared(t, p.Name+", a place", places[i])
		}
		for i := range pairs {
			chiSquared(t, p.Name+", a pair", pairs[i])
		}
		chiSquared(t, p.Name+", the last three", whole)
	}
}

func TestBackupCodesAreEven(t *testing.T) {
	vault, err := store.OpenVault(t.Context(), store.NewMemory(), testkit.Keys(), nil)
	require.NoError(t, err)
	b, err := otp.NewCheapBackup(vault, otp.BackupPolicy{Name: "paper"})
	require.NoError(t, err)
	const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	cells := make([]int, len(alphabet))
	seen := make(map[string]bool)
	for range 70_000 { // a million symbols
		text := b.Draw()
		for i := range text {
			cells[strings.IndexByte(alphabet, text[i])]++
		}
		seen[text] = true
	}
	require.Len(t, seen, 70_000, "75 bits do not meet again")
	chiSquared(t, "backup", cells)
}

// FuzzCodeNormalise: what Verify compares is either nothing, or made of the symbols that can be right, in their number; it is
// its own normal form, and what was sent is in it.
func FuzzCodeNormalise(f *testing.F) {
	for _, s := range []string{
		"", "123456", "123 456", "ab12K7P", "AB-12 k7p", "k7p", "０１２３ABC", "l0l0 OIO", "\xff", "ß", "ﷺ", "ab1２K7P",
	} {
		f.Add(s)
	}
	digits, clave := newCodeKit(f, otp.SMS()), newCodeKit(f, otp.ClavePIN())
	const own = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	f.Fuzz(func(t *testing.T, typed string) {
		for _, k := range []*codeKit{digits, clave} {
			p := k.policy
			got := otp.NormaliseCode(k.Codes, typed)
			switch len(got) {
			case 0:
				continue
			case p.Length:
				require.Empty(t, strings.Trim(got, p.Alphabet))
			default:
				require.Len(t, got, p.Joined+p.Length)
				require.Empty(t, strings.Trim(got[:p.Joined], own))
				require.Empty(t, strings.Trim(got[p.Joined:], p.Alphabet))
			}
			require.Equal(t, got, otp.NormaliseCode(k.Codes, got))
			require.Equal(t, got, otp.NormaliseCode(k.Codes, " "+strings.ToLower(got)+"-"))
		}
		sent := otp.DrawCode(clave.Codes)
		require.Equal(t, sent, otp.NormaliseCode(clave.Codes, sent))
		if len(typed) == 4 && strings.Trim(typed, own) == "" {
			require.Equal(t, typed+sent, otp.NormaliseCode(clave.Codes, typed+sent))
		}
	})
}

// Backup codes are good however they are typed.
func TestBackupCodeAsTyped(t *testing.T) {
	k := newBackupKit(t)
	printed, err := k.Issue(t.Context(), ana, civicpin.Citizen)
	require.NoError(t, err)
	misread := strings.NewReplacer("0", "o", "1", "l", " ", "-")
	for i, code := range printed {
		require.Regexp(t, `^[0-9A-HJKMNP-TV-Z]{5} [0-9A-HJKMNP-TV-Z]{5} [0-9A-HJKMNP-TV-Z]{5}$`, code.Reveal())
		text := code.Reveal()
		switch i % 3 {
		case 1:
			text = strings.ToLower(misread.Replace(text))
		case 2:
			text = strings.ReplaceAll(text, " ", "")
		}
		require.NoError(t, k.Verify(t.Context(), ana, civicpin.NewSecret(text), home))
	}
}
