package choice_test

import (
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/secure/precis"

	"github.com/civicpin/civicpin/internal/choice"
	"github.com/civicpin/civicpin/pin/rule"
)

func TestNormalise(t *testing.T) {
	for _, tt := range []struct {
		rules choice.Rules
		typed string
		want  string
		rule  rule.Rule
	}{
		{pin6, "830517", "830517", ""},
		{pin6, " 83-05 17\n", "830517", ""},
		{pin6, "８３０５１７", "830517", ""},
		{pin6, "83\u20130517", "830517", ""},
		{pin6, "83\u20110517", "830517", ""},
		{pin6, "83\u00a005\u200917", "830517", ""},
		{pin6, "83\u22120517", "830517", ""},
		{pin6, "8", "8", ""}, // the length is for Check
		{pin6, "83051o", "", rule.Characters},
		{pin6, "83_05", "", rule.Characters},
		{pin6, "٨٣٠٥١٧", "", rule.Characters},
		{pin6, "83\xff05", "", rule.Characters},
		{pin6, "83\x0005", "", rule.Characters},
		{pin6, "", "", rule.Length},
		{pin6, " - ", "", rule.Length},
		{pin6, strings.Repeat("1", choice.Longest+1), "", rule.Length},
		{pin6, strings.Repeat(" ", choice.MaxInput+1) + "830517", "", rule.Length},
		{inps, "k7px-2mqa", "K7PX2MQA", ""},
		{inps, "Ｋ７ｐｘ ２ｍｑａ", "K7PX2MQA", ""},
		{inps, "k7pıx2mq", "", rule.Characters}, // the dotless i is no I
		{inps, "straße12", "", rule.Characters},
		{inps, "К7РХ2МQА", "", rule.Characters}, // Cyrillic letters that look alike
		{password, "Tavolo Blu!", "Tavolo Blu!", ""},
		{password, " blank at both ends ", " blank at both ends ", ""},
		{password, "cafe\u0301", "café", ""},
		{password, "a\u3000b\u00a0c", "a b c", ""},
		{password, "ＡＢＣ", "ＡＢＣ", ""}, // NFC, not NFKC: width counts
		{password, "tab\there", "", rule.Characters},
		{password, "nul\x00", "", rule.Characters},
		{password, "\xff\xfe", "", rule.Characters},
		{password, "unassigned \u0378", "", rule.Characters},
		{password, "", "", rule.Length},
		{password, strings.Repeat("é", choice.Longest), strings.Repeat("é", choice.Longest), ""},
		{password, strings.Repeat("é", choice.Longest+1), "", rule.Length},
		{choice.Rules{}, "830517", "", rule.Characters},
	} {
		got, err := tt.rules.Normalise(tt.typed)
		require.Equal(t, tt.rule, ruleOf(t, err), "%q", tt.typed)
		require.Equal(t, tt.want, got, "%q", tt.typed)
	}
}

// The short way for ASCII gives what the profile gives.
func TestNormaliseOfPrintableASCIIIsThatOfThePRECISProfile(t *testing.T) {
	var all strings.Builder
	for c := byte(1); c < 0x80; c++ {
		want, err := precis.OpaqueString.String("x" + string(rune(c)))
		got, refused := password.Normalise("x" + string(rune(c)))
		require.Equal(t, err != nil, refused != nil, "%#x", c)
		if err == nil {
			require.Equal(t, want, got, "%#x", c)
			all.WriteByte(c)
		}
	}
	require.Equal(t, 95, all.Len())
}

// One code point that stands for eighteen does not multiply the work of all rules.
func TestFoldIsBounded(t *testing.T) {
	require.Equal(t, choice.Longest, utf8.RuneCountInString(choice.Fold(strings.Repeat("\ufdfa", choice.Longest))))
	require.Len(t, choice.Fold(strings.Repeat("A", choice.MaxInput)), choice.Longest)
	require.Equal(t, "pasionanu", choice.Fold("PASIÓNÀñü"))
}

func TestNormaliserVersionIsPinned(t *testing.T) {
	// Stored with every hash: raise it only together with a way to check the hashes of the older one.
	require.Equal(t, 1, choice.NormaliserVersion)
}

func TestConcurrentUse(t *testing.T) {
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				got, err := password.Normalise("cafe\u0301 al banco")
				if err != nil || got != "café al banco" || password.Check(got, mario) != nil {
					t.Error("another answer under concurrency", err)
					return
				}
			}
		})
	}
	wg.Wait()
}
