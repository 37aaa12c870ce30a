package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"slices"
	"strings"
	"unicode/utf8"
)

// A source is a file of the module that is not a test.
type source struct {
	path  string // within the checkout
	lines []string
	funcs []function
}

// A function is measured with its literals.
type function struct {
	name       string
	lines      int // from func to the last brace
	complexity int
}

// sources reads the module's files, also those that are built on other systems, in the order of their paths.
func (m *module) sources() ([]source, error) {
	var list []source
	for _, p := range m.pkgs {
		for _, name := range slices.Concat(p.GoFiles, p.IgnoredFiles) {
			if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
				continue
			}
			text, err := os.ReadFile(name)
			if err != nil {
				return nil, err
			}
			s, err := measure(m.file(name), string(text))
			if err != nil {
				return nil, err
			}
			list = append(list, s)
		}
	}
	slices.SortFunc(list, func(a, b source) int { return strings.Compare(a.path, b.path) })
	return list, nil
}

// measure reads a file's text.
func measure(name, text string) (source, error) {
	files := token.NewFileSet()
	f, err := parser.ParseFile(files, name, text, parser.SkipObjectResolution)
	if err != nil {
		return source{}, err
	}
	s := source{path: name, lines: strings.Split(strings.TrimSuffix(text, "\n"), "\n")}
	for _, d := range f.Decls {
		if d, ok := d.(*ast.FuncDecl); ok {
			s.funcs = append(s.funcs, function{
				name: declName(d), lines: files.Position(d.End()).Line - files.Position(d.Pos()).Line + 1, complexity: complexity(d),
			})
		}
	}
	return s, nil
}

// declName returns "F" for a function, "T.F" for a method.
func declName(d *ast.FuncDecl) string {
	if d.Recv == nil {
		return d.Name.Name
	}
	t := d.Recv.List[0].Type
	for {
		switch x := t.(type) {
		case *ast.StarExpr:
			t = x.X
		case *ast.IndexExpr:
			t = x.X
		case *ast.IndexListExpr:
			t = x.X
		case *ast.Ident:
			return x.Name + "." + d.Name.Name
		default:
			return d.Name.Name
		}
	}
}

// complexity is the cyclomatic complexity: one more than the places where the way through the function parts.
func complexity(n ast.Node) int {
	count := 1
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.IfStmt, *ast.ForStmt, *ast.RangeStmt:
			count++
		case *ast.CaseClause:
			if n.List != nil {
				count++
			}
		case *ast.CommClause:
			if n.Comm != nil {
				count++
			}
		case *ast.BinaryExpr:
			if n.Op == token.LAND || n.Op == token.LOR {
				count++
			}
		}
		return true
	})
	return count
}

// long counts the lines of a file that end beyond a column.
func (s *source) long(column int) int {
	n := 0
	for _, line := range s.lines {
		if utf8.RuneCountInString(line) > column {
			n++
		}
	}
	return n
}

// dir is the package's path within the checkout.
func (s *source) dir() string { return path.Dir(s.path) }
