package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// adapters are the folders of the other modules of the checkout that others use.
var adapters = []string{"otelcivicpin", "store/natsstore", "store/redisstore", "store/sqlite", "store/sqlstore"}

// documented returns the folders of the packages that others use: of the module, and the adapters.
func (m *module) documented() []string {
	folders := slices.Clone(adapters)
	for _, p := range m.pkgs {
		if path := within(p.PkgPath); !isInternal(path) && p.Name != "main" {
			folders = append(folders, path)
		}
	}
	return folders
}

// comments returns what is wrong with the doc comments of the package in a folder, its files for other systems among them:
// "otp/key.go: Keys.Add has no doc comment". A comment belongs to what it stands above or behind, and that of a group of
// constants or variables to each of them. A field may also be named in the comment of its struct or of another field.
func comments(dir, folder string) ([]string, error) {
	names, err := filepath.Glob(filepath.Join(dir, folder, "*.go"))
	if err != nil {
		return nil, err
	}
	var found []string
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		c := commentCheck{file: filepath.ToSlash(filepath.Join(folder, filepath.Base(name)))}
		for _, d := range f.Decls {
			c.decl(d)
		}
		found = append(found, c.found...)
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("no file in %s", folder)
	}
	return found, nil
}

// A commentCheck finds the faults of one file.
type commentCheck struct {
	file  string
	found []string
}

func (c *commentCheck) decl(d ast.Decl) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if name := declName(d); allExported(name) {
			c.check(name, d.Type, d.Doc)
		}
	case *ast.GenDecl:
		for _, s := range d.Specs {
			switch s := s.(type) {
			case *ast.ValueSpec:
				c.names(s.Names, "", nil, d.Doc, s.Doc, s.Comment)
			case *ast.TypeSpec:
				if s.Name.IsExported() {
					c.check(s.Name.Name, nil, d.Doc, s.Doc, s.Comment)
					c.members(s.Name.Name+".", s.Type, d.Doc, s.Doc)
				}
			}
		}
	}
}

// members checks the methods of an interface, and the fields of a struct with these comments, but not what they embed.
func (c *commentCheck) members(prefix string, t ast.Expr, docs ...*ast.CommentGroup) {
	switch t := t.(type) {
	case *ast.InterfaceType:
		for _, m := range t.Methods.List {
			if method, ok := m.Type.(*ast.FuncType); ok {
				c.names(m.Names, prefix, method, m.Doc, m.Comment)
			}
		}
	case *ast.StructType:
		for _, f := range t.Fields.List {
			docs = append(docs, f.Doc, f.Comment)
		}
		all := commentText(docs...)
		for _, f := range t.Fields.List {
			for _, name := range f.Names {
				named := regexp.MustCompile(`\b` + name.Name + `\b`).MatchString(all)
				if f.Doc != nil || f.Comment != nil || !named {
					c.names([]*ast.Ident{name}, prefix, nil, f.Doc, f.Comment)
				}
			}
		}
	}
}

func (c *commentCheck) names(names []*ast.Ident, prefix string, method *ast.FuncType, docs ...*ast.CommentGroup) {
	for _, name := range names {
		if name.IsExported() {
			c.check(prefix+name.Name, method, docs...)
		}
	}
}

var (
	errorsColon = regexp.MustCompile(`\bErrors(|,[^.:]*):`)
	errorsList  = regexp.MustCompile(errorsColon.String() + `\n(//\n)?\s*//   - `)
	anyError    = regexp.MustCompile(`\bErr[A-Z]|\b[Ee]rrors?\b`)
)

// check checks the comments of one identifier; a function has a type.
func (c *commentCheck) check(name string, function *ast.FuncType, docs ...*ast.CommentGroup) {
	add := func(what string) { c.found = append(c.found, c.file+": "+name+" "+what) }
	switch comment := commentText(docs...); {
	case comment == "":
		add("has no doc comment")
	case function != nil && returnsError(function) && !anyError.MatchString(comment):
		add("does not say which errors it returns")
	case errorsColon.MatchString(comment) && !errorsList.MatchString(comment):
		add("says its errors in running text, not as a list")
	}
}

// commentText returns the lines of comments, with their slashes.
func commentText(docs ...*ast.CommentGroup) string {
	var text strings.Builder
	for _, g := range docs {
		if g != nil {
			for _, line := range g.List {
				fmt.Fprintln(&text, line.Text)
			}
		}
	}
	return text.String()
}

func returnsError(f *ast.FuncType) bool {
	return f.Results != nil && slices.ContainsFunc(f.Results.List, func(r *ast.Field) bool {
		id, ok := r.Type.(*ast.Ident)
		return ok && id.Name == "error"
	})
}

// allExported reports whether a function, or a method and its type, are exported.
func allExported(name string) bool {
	for part := range strings.SplitSeq(name, ".") {
		if !ast.IsExported(part) {
			return false
		}
	}
	return true
}
