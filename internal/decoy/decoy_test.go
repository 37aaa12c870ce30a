package decoy_test

import (
	"crypto/sha256"
	"fmt"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/decoy"
)

// hash stands for a keyed one.
func hash(i int) [32]byte { return sha256.Sum256(fmt.Append(nil, i)) }

func TestMasked(t *testing.T) {
	for _, tc := range []struct {
		name     string
		examples []civicpin.Contact
		form     string
		differ   int // how many different ones a thousand hashes give, at the least
	}{
		{"none", nil, "^$", 1},
		{"telephone", []civicpin.Contact{{Channel: civicpin.SMS, Address: "+593990000000"}}, `^\+59\*{7}\d{3}$`, 500},
		{"longest telephone", []civicpin.Contact{{Channel: civicpin.Voice, Address: "+593990000000000"}}, `^\+59\*{10}\d{3}$`, 500},
		{"e-mail", []civicpin.Contact{{Channel: civicpin.Email, Address: "x@example.ec"}}, `^[a-z]\*\*\*@example\.ec$`, 26},
		{"two", []civicpin.Contact{
			{Channel: civicpin.Email, Address: "x@a.example"}, {Channel: civicpin.Email, Address: "x@b.example"},
		}, `^[a-z]\*\*\*@[ab]\.example$`, 40},
		{"app", []civicpin.Contact{{Channel: civicpin.Push, Address: "app"}}, `^\*\*\*$`, 1},
		{"no address", []civicpin.Contact{{Channel: civicpin.Email, Address: "x"}}, `^.*$`, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			seen, form := make(map[string]bool), regexp.MustCompile(tc.form)
			for i := range 1000 {
				shown := decoy.Masked(hash(i), tc.examples)
				if !form.MatchString(shown) {
					t.Fatal(shown)
				}
				if decoy.Masked(hash(i), tc.examples) != shown {
					t.Fatal("not the same every time")
				}
				seen[shown] = true
			}
			require.GreaterOrEqual(t, len(seen), tc.differ)
		})
	}
}

// TestOf: all services of a vault show one decoy of a subject on a channel, whatever other examples each of them has.
func TestOf(t *testing.T) {
	keyed := func(purpose string, parts ...string) [32]byte { return sha256.Sum256(fmt.Append(nil, purpose, parts)) }
	sms, email := civicpin.Contact{Channel: civicpin.SMS, Address: "+593990000000"}, civicpin.Contact{
		Channel: civicpin.Email, Address: "x@example.ec",
	}
	shown := decoy.Of(keyed, "1710034065", civicpin.SMS, []civicpin.Contact{sms})
	require.NotEmpty(t, shown)
	require.Equal(t, shown, decoy.Of(keyed, "1710034065", civicpin.SMS, []civicpin.Contact{email, sms}))
	require.NotEqual(t, shown, decoy.Of(keyed, "0926687856", civicpin.SMS, []civicpin.Contact{sms}))
	require.Empty(t, decoy.Of(keyed, "1710034065", civicpin.Push, []civicpin.Contact{email, sms}))
}
