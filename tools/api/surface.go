package main

import (
	"fmt"
	"go/constant"
	"go/types"
	"slices"
	"strings"
)

// A printer collects the lines of one package.
type printer struct {
	pkg     *types.Package
	lines   []string
	imports map[string]string // of the packages that lines name: the path by the name
}

// surface returns what a package exports, sorted: a line for each constant with its value, variable, function, type, field,
// and method. Names of parameters are left out, since no caller depends on them; tags of fields are not, since stored and
// configured JSON does. The paths of the packages that are named in the lines have lines, too.
func surface(pkg *types.Package) []string {
	p := &printer{pkg: pkg, imports: make(map[string]string)}
	for _, name := range pkg.Scope().Names() {
		obj := pkg.Scope().Lookup(name)
		if !obj.Exported() {
			continue
		}
		switch obj := obj.(type) {
		case *types.Const:
			typ := ""
			if b, ok := obj.Type().(*types.Basic); !ok || b.Info()&types.IsUntyped == 0 {
				typ = " " + p.typ(obj.Type())
			}
			p.add("const %s%s = %s", name, typ, value(obj.Val()))
		case *types.Var:
			p.add("var %s %s", name, p.typ(obj.Type()))
		case *types.Func:
			p.add("func %s%s", name, strings.TrimPrefix(p.typ(obj.Type()), "func"))
		case *types.TypeName:
			p.typeName(obj)
		}
	}
	for path := range p.imports {
		p.add("import %q", path)
	}
	slices.Sort(p.lines)
	return slices.Compact(p.lines)
}

func (p *printer) add(format string, args ...any) {
	p.lines = append(p.lines, fmt.Sprintf(format, args...)+"\n")
}

func value(v constant.Value) string {
	if v.Kind() == constant.Float {
		return v.String() // the exact one is a fraction
	}
	return v.ExactString()
}

// typ returns the text of a type.
func (p *printer) typ(t types.Type) string {
	return types.TypeString(anonymous(t), func(pkg *types.Package) string {
		if pkg == p.pkg {
			return ""
		}
		p.imports[pkg.Path()] = pkg.Name()
		return pkg.Name()
	})
}

func (p *printer) typeName(obj *types.TypeName) {
	name := obj.Name()
	if obj.IsAlias() {
		right := obj.Type()
		if alias, ok := right.(*types.Alias); ok {
			name += p.parameters(alias.TypeParams())
			right = alias.Rhs()
		}
		p.add("type %s = %s", name, p.typ(right))
		return
	}
	named := obj.Type().(*types.Named)
	full := name + p.parameters(named.TypeParams())
	switch u := named.Underlying().(type) {
	case *types.Struct:
		p.add("type %s struct", full)
		p.fields(full, u, nil)
	case *types.Interface:
		if !u.IsMethodSet() { // a constraint
			p.add("type %s %s", full, p.typ(u))
			return
		}
		p.add("type %s interface", full)
		for m := range u.Methods() {
			if m.Exported() {
				p.add("type %s interface, %s%s", full, m.Name(), strings.TrimPrefix(p.typ(m.Type()), "func"))
			} else {
				p.add("type %s interface, unexported methods", full)
			}
		}
		return // its methods are not listed twice
	default:
		p.add("type %s %s", full, p.typ(u))
	}
	p.methods(named)
}

// parameters returns the list of type parameters of a declaration.
func (p *printer) parameters(list *types.TypeParamList) string {
	if list.Len() == 0 {
		return ""
	}
	var all []string
	for param := range list.TypeParams() {
		all = append(all, param.Obj().Name()+" "+p.typ(param.Constraint()))
	}
	return "[" + strings.Join(all, ", ") + "]"
}

// fields lists the exported fields of a struct, and those that an embedded struct without an exported name brings.
func (p *printer) fields(name string, s *types.Struct, outer []*types.Struct) {
	if slices.Contains(outer, s) {
		return
	}
	for i := range s.NumFields() {
		f := s.Field(i)
		switch {
		case f.Exported():
			field := f.Name()
			if f.Embedded() {
				field = "embedded"
			}
			tag := s.Tag(i)
			if tag != "" {
				tag = fmt.Sprintf(" %q", tag)
			}
			p.add("type %s struct, %s %s%s", name, field, p.typ(f.Type()), tag)
		case f.Embedded():
			t := f.Type()
			if pointer, ok := t.Underlying().(*types.Pointer); ok {
				t = pointer.Elem()
			}
			if inner, ok := t.Underlying().(*types.Struct); ok {
				p.fields(name, inner, append(slices.Clone(outer), s))
			}
		}
	}
}

// methods lists the exported methods, also those of embedded types, with the receiver that has them.
func (p *printer) methods(named *types.Named) {
	ofValue := types.NewMethodSet(named)
	receiver := named.Obj().Name()
	if list := named.TypeParams(); list.Len() > 0 {
		var names []string
		for param := range list.TypeParams() {
			names = append(names, param.Obj().Name())
		}
		receiver += "[" + strings.Join(names, ", ") + "]"
	}
	for selection := range types.NewMethodSet(types.NewPointer(named)).Methods() {
		m := selection.Obj()
		if !m.Exported() {
			continue
		}
		r := "*" + receiver
		if ofValue.Lookup(m.Pkg(), m.Name()) != nil {
			r = receiver
		}
		p.add("method (%s) %s%s", r, m.Name(), strings.TrimPrefix(p.typ(selection.Type()), "func"))
	}
}

// anonymous returns a type without the names of parameters.
func anonymous(t types.Type) types.Type {
	switch t := t.(type) {
	case *types.Signature:
		if t.TypeParams().Len() > 0 {
			return t // type parameters belong to one signature, so a generic function keeps its names
		}
		return types.NewSignatureType(nil, nil, nil, tuple(t.Params()), tuple(t.Results()), t.Variadic())
	case *types.Pointer:
		return types.NewPointer(anonymous(t.Elem()))
	case *types.Slice:
		return types.NewSlice(anonymous(t.Elem()))
	case *types.Array:
		return types.NewArray(anonymous(t.Elem()), t.Len())
	case *types.Map:
		return types.NewMap(anonymous(t.Key()), anonymous(t.Elem()))
	case *types.Chan:
		return types.NewChan(t.Dir(), anonymous(t.Elem()))
	}
	return t
}

func tuple(t *types.Tuple) *types.Tuple {
	vars := make([]*types.Var, 0, t.Len())
	for v := range t.Variables() {
		vars = append(vars, types.NewVar(v.Pos(), v.Pkg(), "", anonymous(v.Type())))
	}
	return types.NewTuple(vars...)
}
