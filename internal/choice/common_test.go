package choice_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/internal/choice"
	"github.com/civicpin/civicpin/pin/rule"
)

func TestCommonValues(t *testing.T) {
	data, err := os.ReadFile("data/common.txt")
	require.NoError(t, err)
	text, ended := strings.CutSuffix(string(data), "\n")
	require.True(t, ended, "the last line is not ended")
	values := strings.Split(text, "\n")

	t.Logf("%d common values in %d bytes", len(values), len(data))
	require.GreaterOrEqual(t, len(values), 3000)
	require.LessOrEqual(t, len(data), 200<<10)
	require.True(t, slices.IsSorted(values), "not in order: the search would miss values")
	require.Len(t, slices.Compact(slices.Clone(values)), len(values), "a value is there twice")

	for _, v := range values {
		if choice.Fold(v) != v {
			t.Errorf("%q is not folded, so nothing would match it", v)
		}
		if !choice.Listed(v) || choice.Listed(v+"\x00") || choice.Listed(v+"\n") {
			t.Errorf("%q is not found, or more than it", v)
		}
	}
	for _, v := range []string{
		"", "\n", "0", "zzzzzzzzzzzz", "passwo\n", "passwordpasswordx", "password\npassword", "\x00", "\xff",
		"correct horse battery staple",
	} {
		require.False(t, choice.Listed(v), "%q", v)
	}
}

// What is refused is the whole value, or the value with a short ending; not every secret that holds one.
func TestCommonEndings(t *testing.T) {
	for secret, want := range map[string]rule.Rule{
		"barcelona":         rule.Common,
		"barcelona9":        rule.Common,
		"barcelona2016":     rule.Common,
		"barcelona!!!!":     rule.Common,
		"BARCELONA. 7":      rule.Common,
		"barcelona20163":    "",
		"9barcelona":        "",
		"barcelona del mar": "",
	} {
		require.Equal(t, want, ruleOf(t, password.Check(secret, nil)), secret)
	}
}

// The SOURCES file names each source with version and licence, and carries the licence's text.
func TestSourcesAreNamed(t *testing.T) {
	data, err := os.ReadFile("data/SOURCES.md")
	require.NoError(t, err)
	for _, want := range []string{
		"@zxcvbn-ts/language-common | 4.1.3 | MIT", "@zxcvbn-ts/language-es-es | 4.1.2 | MIT", "@zxcvbn-ts/language-it | 3.0.2 | MIT",
		"Permission is hereby granted, free of charge", "Copyright (c) 2012-2016 Dan Wheeler and Dropbox, Inc.",
	} {
		require.Contains(t, string(data), want)
	}
}
