package main

import (
	"fmt"
	"go/ast"
	"go/types"
	"slices"

	"golang.org/x/tools/go/packages"
)

// shadows returns where a name that a function declares hides a package that its file imports: the reader takes one for the
// other, and whoever needs the package there has to rename the variable first.
func shadows(m *module, p *packages.Package) []string {
	var list []string
	for _, f := range p.Syntax {
		imports := p.TypesInfo.Scopes[f] // holds the file's imports and nothing else
		ast.Inspect(f, func(n ast.Node) bool {
			id, ok := n.(*ast.Ident)
			if !ok {
				return true
			}
			o, declared := p.TypesInfo.Defs[id]
			switch _, isImport := o.(*types.PkgName); {
			case !declared, isImport, id == f.Name:
				return true
			case o == nil: // of a type switch
			case o.Parent() == nil, o.Parent() == p.Types.Scope():
				return true // a field or a method, or not within a function
			}
			if hidden, ok := imports.Lookup(id.Name).(*types.PkgName); ok {
				at := p.Fset.Position(id.Pos())
				list = append(list, fmt.Sprintf("%s:%d: %s hides package %s", m.file(at.Filename), at.Line, id.Name, hidden.Imported().Path()))
			}
			return true
		})
	}
	slices.Sort(list)
	return list
}
