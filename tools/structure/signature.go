package main

import (
	"go/ast"
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"
)

// isInternal reports whether a package cannot be imported from outside.
func isInternal(path string) bool {
	return slices.Contains(strings.Split(path, "/"), "internal")
}

// internalTypes returns where what a package exports names the type of an internal package: "pin.F names internal/x.T". A
// reader of the documentation cannot follow such a name, and a caller can neither declare a variable of it nor implement it.
func internalTypes(p *packages.Package) []string {
	s := signatures{found: make(map[string]bool)}
	own := p.Types.Scope()
	for _, name := range own.Names() {
		if o := own.Lookup(name); o.Exported() {
			s.object(p.Types.Name()+"."+name, o)
		}
	}
	// The underlying type of "type T x.U" no longer tells that U was named.
	for _, f := range p.Syntax {
		ast.Inspect(f, func(n ast.Node) bool {
			if spec, ok := n.(*ast.TypeSpec); ok && spec.Name.IsExported() && p.TypesInfo.Defs[spec.Name].Parent() == own {
				s.typ(p.Types.Name()+"."+spec.Name.Name, p.TypesInfo.TypeOf(spec.Type))
			}
			return true
		})
	}
	var list []string
	for line := range s.found {
		list = append(list, line)
	}
	slices.Sort(list)
	return list
}

// signatures collects what exported signatures name.
type signatures struct {
	found map[string]bool
	open  []types.Type // those that are being looked at, since types can be recursive
}

// object looks at a declaration. at is its name, for the report.
func (s *signatures) object(at string, o types.Object) {
	name, ok := o.(*types.TypeName)
	if !ok {
		s.typ(at, o.Type())
		return
	}
	s.typ(at, o.Type())
	if named, ok := o.Type().(*types.Named); ok && !name.IsAlias() {
		s.declared(at, named)
	}
}

// declared looks at what a type of the package lets callers reach.
func (s *signatures) declared(at string, t *types.Named) {
	if slices.ContainsFunc(s.open, func(o types.Type) bool { return types.Identical(o, t) }) {
		return
	}
	s.open = append(s.open, t)
	defer func() { s.open = s.open[:len(s.open)-1] }()
	s.params(at, t.TypeParams())
	for m := range t.Methods() {
		if m.Exported() {
			s.typ(at+"."+m.Name(), m.Type())
		}
	}
	s.typ(at, t.Underlying())
}

func (s *signatures) params(at string, list *types.TypeParamList) {
	for p := range list.TypeParams() {
		s.typ(at, p.Constraint())
	}
}

// typ looks at a type that a signature names.
func (s *signatures) typ(at string, t types.Type) {
	switch t := t.(type) {
	case *types.Alias:
		s.name(at, t.Obj())
		s.args(at, t.TypeArgs())
		s.typ(at, t.Rhs())
	case *types.Named:
		s.args(at, t.TypeArgs())
		if o := t.Obj(); !s.name(at, o) && !o.Exported() && o.Pkg() != nil {
			s.declared(at, t) // a caller cannot name it, but reaches its fields and methods
		}
	case *types.Pointer:
		s.typ(at, t.Elem())
	case *types.Slice:
		s.typ(at, t.Elem())
	case *types.Array:
		s.typ(at, t.Elem())
	case *types.Chan:
		s.typ(at, t.Elem())
	case *types.Map:
		s.typ(at, t.Key())
		s.typ(at, t.Elem())
	case *types.Tuple:
		for v := range t.Variables() {
			s.typ(at, v.Type())
		}
	case *types.Signature:
		s.params(at, t.TypeParams())
		s.typ(at, t.Params())
		s.typ(at, t.Results())
	case *types.Struct:
		for f := range t.Fields() {
			if f.Exported() || f.Embedded() {
				s.typ(at+"."+f.Name(), f.Type())
			}
		}
	case *types.Interface:
		for e := range t.EmbeddedTypes() {
			s.typ(at, e)
		}
		for m := range t.ExplicitMethods() {
			if m.Exported() {
				s.typ(at+"."+m.Name(), m.Type())
			}
		}
	case *types.Union:
		for term := range t.Terms() {
			s.typ(at, term.Type())
		}
	}
}

func (s *signatures) args(at string, list *types.TypeList) {
	for t := range list.Types() {
		s.typ(at, t)
	}
}

// name notes the name of a type if it is an internal package's, and reports whether it is.
func (s *signatures) name(at string, o *types.TypeName) bool {
	if o.Pkg() == nil || !isInternal(o.Pkg().Path()) {
		return false
	}
	s.found[at+" names "+within(o.Pkg().Path())+"."+o.Name()] = true
	return true
}
