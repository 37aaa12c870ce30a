package names_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/internal/names"
)

func TestValid(t *testing.T) {
	for name, want := range map[string]bool{
		"": false, "a": true, "aZ09-_.": true, "a/b": false, "a b": false, "é": false, "a\x00": false, "a:": false, "[": false, "`": false,
		strings.Repeat("n", 32): true, strings.Repeat("n", 33): false,
	} {
		require.Equal(t, want, names.Valid(name, 32), "%q", name)
	}
}
