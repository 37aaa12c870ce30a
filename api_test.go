package civicpin_test

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
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

// maxNames is the most names that somebody has to know of one package.
const maxNames = 49

// exportedNames returns the names that a package exports at package level, as "go doc" lists them (methods and fields are
// not among them), with whether each has a comment, and the methods without one.
func exportedNames(p *doc.Package) (names map[string]bool, bareMethods []string) {
	names = make(map[string]bool)
	values := func(list []*doc.Value) {
		for _, v := range list {
			for _, spec := range v.Decl.Specs {
				// A comment above the group, above the name, or behind it.
				spec := spec.(*ast.ValueSpec)
				has := v.Doc != "" || spec.Doc.Text() != "" || spec.Comment.Text() != ""
				for _, name := range spec.Names {
					if name.IsExported() {
						names[name.Name] = has
					}
				}
			}
		}
	}
	functions := func(list []*doc.Func) {
		for _, f := range list {
			names[f.Name] = f.Doc != ""
		}
	}
	values(p.Consts)
	values(p.Vars)
	functions(p.Funcs)
	for _, typ := range p.Types {
		names[typ.Name] = typ.Doc != ""
		values(typ.Consts)
		values(typ.Vars)
		functions(typ.Funcs)
		for _, m := range typ.Methods {
			// A level means promoted from an embedded type. What Error does is known.
			if m.Doc == "" && m.Level == 0 && m.Name != "Error" {
				bareMethods = append(bareMethods, typ.Name+"."+m.Name)
			}
		}
	}
	return names, bareMethods
}

func parseDocs(t *testing.T, path string, sources map[string]string) *doc.Package {
	t.Helper()
	files := token.NewFileSet()
	var parsed []*ast.File
	for _, name := range slices.Sorted(maps.Keys(sources)) {
		f, err := parser.ParseFile(files, name, sources[name], parser.ParseComments)
		require.NoError(t, err)
		parsed = append(parsed, f)
	}
	p, err := doc.NewFromFiles(files, parsed, path)
	require.NoError(t, err)
	return p
}

func TestExportedNames(t *testing.T) {
	checked := 0
	for _, p := range goList(t, "./...") {
		if len(p.GoFiles) == 0 {
			continue
		}
		sources := make(map[string]string)
		for _, name := range p.GoFiles {
			text, err := os.ReadFile(filepath.Join(p.Dir, name))
			require.NoError(t, err)
			sources[name] = string(text)
		}
		docs := parseDocs(t, p.ImportPath, sources)
		assert.NotEmpty(t, docs.Doc, "%s has no package comment", p.ImportPath)

		names, bareMethods := exportedNames(docs)
		for name, has := range names {
			assert.True(t, has, "%s.%s has no comment", p.ImportPath, name)
		}
		assert.Empty(t, bareMethods, "%s: methods without a comment", p.ImportPath)
		if path, _ := local(p.ImportPath); !strings.HasPrefix(path, "internal/") {
			t.Logf("%s: %d names", path, len(names))
			assert.LessOrEqual(t, len(names), maxNames, "%s exports too many names", p.ImportPath)
		}
		checked++
	}
	assert.Greater(t, checked, 1)
}

// The check itself, on a package with something of each sort.
func TestExportedNamesSees(t *testing.T) {
	p := parseDocs(t, "example.org/p", map[string]string{"p.go": `package p
// A is documented.
type A struct{ Field int }
// M is documented.
func (A) M() {}
func (A) N() {}
func (A) Error() string { return "" }
func NewA() A { return A{} }
type B interface{ Method() }
// Of a group.
const (
	C1 = 1
	C2
	hidden
)
const (
	D1 A1 = 1
	D2 A1 = 2 // behind
	// above
	D3 A1 = 3
)
type A1 int
var V, W = 1, 2
func F() {}
// G is documented.
func G() {}
func g() {}
`})
	names, bareMethods := exportedNames(p)
	assert.Equal(t, map[string]bool{
		"A": true, "NewA": false, "B": false, "C1": true, "C2": true, "D1": false, "D2": true, "D3": true,
		"A1": false, "V": false, "W": false, "F": false, "G": true,
	}, names)
	assert.Equal(t, []string{"A.N"}, bareMethods)
}

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
