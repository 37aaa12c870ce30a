package storetest_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strings"
	"testing"

	"github.com/civicpin/civicpin/store/storetest"
)

// TestRulesAreTheContract compares the suite's rules with the doc comments of store.Store and store.Lister.List: every
// sentence there is a rule here, word for word and in the same order.
func TestRulesAreTheContract(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../store.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	var bullets []string
	for line := range strings.SplitSeq(docOf(file, "Store", ""), "\n") {
		switch text, isBullet := strings.CutPrefix(line, "  - "); {
		case isBullet:
			bullets = append(bullets, text)
		case len(bullets) > 0:
			bullets[len(bullets)-1] += " " + strings.TrimSpace(line)
		}
	}
	if len(bullets) < 10 {
		t.Fatalf("store.Store has %d rules, so this test no longer reads its comment", len(bullets))
	}
	var want []string
	for _, text := range append(bullets, docOf(file, "Lister", "List")) {
		want = append(want, strings.Split(strings.TrimSuffix(strings.Join(strings.Fields(text), " "), "."), ". ")...)
	}
	var got []string
	for _, c := range storetest.Checks() {
		if len(got) == 0 || got[len(got)-1] != c.Sentence {
			got = append(got, c.Sentence)
		}
	}
	for i := range max(len(want), len(got)) {
		if i >= len(want) || i >= len(got) || want[i] != got[i] {
			t.Fatalf("rule %d differs\n comments: %q\n suite:    %q", i, want[min(i, len(want)):], got[min(i, len(got)):])
		}
	}
}

// TestChecksHaveNames makes sure that a failure can be told from any other.
func TestChecksHaveNames(t *testing.T) {
	var seen []string
	for _, c := range storetest.Checks() {
		full := c.Sentence + "/" + c.Name
		if strings.Contains(c.Sentence, "/") || strings.Contains(c.Name, "/") || c.Name == "" || slices.Contains(seen, full) {
			t.Errorf("check %q: want a name of its own, without a slash", full)
		}
		seen = append(seen, full)
	}
}

// docOf returns the doc comment of an interface type, or of one of its methods.
func docOf(file *ast.File, typeName, method string) string {
	text := ""
	ast.Inspect(file, func(n ast.Node) bool {
		decl, ok := n.(*ast.GenDecl)
		if !ok {
			return true
		}
		for _, spec := range decl.Specs {
			spec, ok := spec.(*ast.TypeSpec)
			if !ok || spec.Name.Name != typeName {
				continue
			}
			if method == "" {
				text = decl.Doc.Text()
				continue
			}
			for _, m := range spec.Type.(*ast.InterfaceType).Methods.List {
				if len(m.Names) == 1 && m.Names[0].Name == method {
					text = m.Doc.Text()
				}
			}
		}
		return false
	})
	return text
}
