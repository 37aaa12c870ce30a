package texts_test

import (
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery"
)

// sent are the kinds of message that the packages export.
var sent = map[string]civicpin.MessageKind{
	"contact.NoticeChanged": contact.NoticeChanged, "contact.ProofMessage": contact.ProofMessage,
	"otp.CodeMessage":   otp.CodeMessage,
	"pin.NoticeChanged": pin.NoticeChanged, "pin.NoticeLocked": pin.NoticeLocked, "pin.NoticeRevoked": pin.NoticeRevoked,
	"pin.PartMessage":          pin.PartMessage,
	"recovery.ActivateMessage": recovery.ActivateMessage, "recovery.CodeMessage": recovery.CodeMessage,
	"recovery.LinkMessage": recovery.LinkMessage, "recovery.UnlockMessage": recovery.UnlockMessage,
	"recovery.NoticeDone": recovery.NoticeDone, "recovery.NoticeUnlocked": recovery.NoticeUnlocked,
	"recovery.NoticeWaiting": recovery.NoticeWaiting,
}

// Each kind that a package exports has texts, and there are texts for no other kind.
func TestKinds(t *testing.T) {
	var exported []string
	for _, name := range []string{"contact", "otp", "pin", "recovery", "lockout", "store/outbox", "store"} {
		for constant := range messageKinds(t, filepath.Join("..", name)) {
			if ast.IsExported(constant) {
				exported = append(exported, name+"."+constant)
			}
		}
	}
	require.ElementsMatch(t, exported, slices.Collect(maps.Keys(sent)))
	worded := slices.Collect(maps.Values(messageKinds(t, ".")))
	var want []string
	for _, kind := range sent {
		want = append(want, `"`+string(kind)+`"`)
	}
	require.ElementsMatch(t, want, worded)
	require.ElementsMatch(t, slices.Collect(maps.Values(sent)), kinds, "the kinds that the tests go through")
}

// messageKinds returns the constants of type MessageKind in the sources of a package, with their values where they are literal.
func messageKinds(t *testing.T, dir string) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	require.NoError(t, err)
	require.NotEmpty(t, files, dir)
	found := make(map[string]string)
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(gotoken.NewFileSet(), file, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		ast.Inspect(f, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok {
				return true
			}
			if typ, ok := spec.Type.(*ast.SelectorExpr); ok && typ.Sel.Name == "MessageKind" {
				value := ""
				if literal, ok := spec.Values[0].(*ast.BasicLit); ok {
					value = literal.Value
				}
				found[spec.Names[0].Name] = value
			}
			return true
		})
	}
	return found
}
