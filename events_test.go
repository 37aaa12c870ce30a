package civicpin_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/audit"
	"github.com/civicpin/civicpin/store/outbox"
)

// eventLists are the lists of the packages that record events. What is under internal/ stands in the list of the package that
// its codes begin with.
var eventLists = map[string]func() []civicpin.EventInfo{
	"audit": audit.Events, "contact": contact.Events, "lockout": lockout.Events, "otp": otp.Events, "outbox": outbox.Events, "pin": pin.Events,
	"recovery": recovery.Events, "store": store.Events,
}

// Each event code of the source stands in the list of one package, once and explained, and each list has no other code.
func TestEvents(t *testing.T) {
	source := make(map[string][]string)
	walk(t, func(file string) {
		if !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") || otherModule(file) {
			return
		}
		for _, code := range eventCodes(t, file) {
			name, _, _ := strings.Cut(code, ".")
			source[name] = append(source[name], code)
		}
	})
	require.Len(t, source, len(eventLists))
	for name, codes := range source {
		list, ok := eventLists[name]
		require.True(t, ok, "codes %q have no list", codes)
		var listed []string
		for _, info := range list() {
			listed = append(listed, string(info.Code))
			assert.True(t, strings.HasSuffix(info.Meaning, "."), "%s: %q is no sentence", info.Code, info.Meaning)
			assert.NotContains(t, info.Reasons, "", info.Code)
			unique := slices.Compact(slices.Sorted(slices.Values(info.Reasons)))
			assert.Len(t, unique, len(info.Reasons), "%s: %q", info.Code, info.Reasons)
		}
		assert.ElementsMatch(t, codes, listed)
		list()[0].Code = "changed"
		assert.NotEqual(t, civicpin.EventCode("changed"), list()[0].Code, "a list is a copy")
	}
}

// otherModule reports whether a file belongs to another module than the root's, which writes no events.
func otherModule(file string) bool {
	for _, dir := range []string{"bench/", "examples/", "faults/", "otelcivicpin/", "tools/"} {
		if strings.HasPrefix(file, dir) {
			return true
		}
	}
	return false
}

// eventCodes returns the values of the constants of type EventCode in a file. An event whose Code is a literal fails the test:
// what is no constant could be missed.
func eventCodes(t *testing.T, file string) (codes []string) {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	require.NoError(t, err)
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ValueSpec:
			if typ, ok := n.Type.(*ast.SelectorExpr); ok && typ.Sel.Name == "EventCode" && len(n.Values) == 1 {
				code, err := strconv.Unquote(n.Values[0].(*ast.BasicLit).Value)
				require.NoError(t, err, file)
				codes = append(codes, code)
			}
		case *ast.KeyValueExpr:
			key, ok := n.Key.(*ast.Ident)
			_, literal := n.Value.(*ast.BasicLit)
			assert.False(t, ok && literal && key.Name == "Code", "%s: the code of an event is no constant", file)
		}
		return true
	})
	return codes
}
