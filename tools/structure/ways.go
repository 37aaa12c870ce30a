package main

import (
	"fmt"
	"go/ast"
	"go/types"
	"slices"
)

// A way is what a reader of one operation walks through: the entry points, and the most files that they may enter.
type way struct {
	title string // its heading in docs/architecture.md
	pkg   string // within the module
	entry []string
	limit int // 0 if there is none
}

// ways are the operations that docs/architecture.md lists.
var ways = []way{
	{"A login", "pin", []string{"Service.Verify"}, 4},
	{"An issue", "pin", []string{"Service.Issue"}, 9},
	{"A redeemed link", "recovery", []string{"Service.Redeem"}, 6},
	{"A finished recovery", "recovery", []string{"Service.Finish"}, 8},
	{"One message", "store/outbox", []string{"Outbox.Announce", "Outbox.Run"}, 6},
}

// A visit is a function that a way enters, and the function through which it is entered first, empty for an entry point.
type visit struct{ file, function, from string }

// walk returns the functions and methods of a way's own package that its entry points reach, in the order in which they are
// first named, depth first. A function is reached if a function that is reached names it: calls it, or passes it on. Not
// followed are calls through interfaces and calls of other packages.
func (m *module) walk(w way) ([]visit, error) {
	p := m.pkg(w.pkg)
	if p == nil {
		return nil, fmt.Errorf("no package %s", w.pkg)
	}
	decls := make(map[types.Object]*ast.FuncDecl)
	names := make(map[string]types.Object)
	for _, f := range p.Syntax {
		for _, d := range f.Decls {
			if d, ok := d.(*ast.FuncDecl); ok {
				o := p.TypesInfo.Defs[d.Name]
				decls[o], names[funcName(o)] = d, o
			}
		}
	}
	var visits []visit
	seen := make(map[types.Object]bool)
	var enter func(o types.Object, from string)
	enter = func(o types.Object, from string) {
		d := decls[o]
		if d == nil || d.Body == nil || seen[o] {
			return
		}
		seen[o] = true
		name := funcName(o)
		visits = append(visits, visit{m.file(p.Fset.File(d.Pos()).Name()), name, from})
		ast.Inspect(d.Body, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok {
				if f, ok := p.TypesInfo.Uses[id].(*types.Func); ok {
					enter(f.Origin(), name)
				}
			}
			return true
		})
	}
	for _, name := range w.entry {
		if names[name] == nil {
			return nil, fmt.Errorf("package %s has no %s", w.pkg, name)
		}
		enter(names[name], "")
	}
	return visits, nil
}

// funcName returns "F" for a function, "T.F" for a method.
func funcName(o types.Object) string {
	if f, ok := o.(*types.Func); ok && f.Signature().Recv() != nil {
		t := f.Signature().Recv().Type()
		if ptr, ok := t.(*types.Pointer); ok {
			t = ptr.Elem()
		}
		if named, ok := t.(*types.Named); ok {
			return named.Obj().Name() + "." + o.Name()
		}
	}
	return o.Name()
}

// entered returns the files of visits, in the order in which they are first entered.
func entered(visits []visit) []string {
	var files []string
	for _, v := range visits {
		if !slices.Contains(files, v.file) {
			files = append(files, v.file)
		}
	}
	return files
}

// via tells for each file which of its functions are entered, and from where.
func via(visits []visit, file string) []string {
	var lines []string
	for _, v := range visits {
		if v.file == file {
			from := v.from
			if from == "" {
				from = "the caller"
			}
			lines = append(lines, v.function+" from "+from)
		}
	}
	return lines
}
