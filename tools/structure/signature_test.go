package main

import "testing"

// Package recovery hands one internal type to pin and contact: nobody else can make it. All other signatures name what
// a caller can name.
func TestSignatures(t *testing.T) {
	m := theModule(t)
	var found []string
	public := 0
	for _, p := range m.pkgs {
		if !isInternal(p.PkgPath) {
			public++
			found = append(found, internalTypes(p)...)
		}
	}
	if public < 10 {
		t.Errorf("%d public packages", public)
	}
	same(t, found, []string{
		"contact.Service.Recovered names internal/proof.Completed",
		"pin.Service.Complete names internal/proof.Completed",
		"pin.Service.Repudiated names internal/proof.Completed",
	})
}

// The check itself, on a package with something of each sort.
func TestSignaturesSees(t *testing.T) {
	m := small(t, map[string]string{
		"go.mod": "module " + modulePath + "\n\ngo 1.26.0\n",
		"internal/x/x.go": `package x
			import "errors"
			type T struct{ N int }
			func (T) M() {}
			type I interface{ M() }
			type U struct{ T T }
			type E[P any] struct{ P P }
			var Err = errors.New("x")
			const C T2 = 1
			type T2 int
			`,
		"p/p.go": `package p
			import "` + modulePath + `/internal/x"
			func Param(x.T) {}
			func Result() *x.T { return nil }
			func Deep(map[string][]chan func(...x.T)) {}
			func Generic[P x.I](P) {}
			var Var = x.T{}
			const Const = x.C
			type Field struct { F x.T; g x.T }
			type Embeds struct { x.T }
			type Alias = x.T
			type Defined x.U
			type Args struct { F []x.E[int] }
			type Iface interface { M(x.T); m(x.T) }
			type Union interface { ~string | x.T2 }
			type Joins interface { x.I }
			type Method struct{ hidden x.T }
			func (Method) Exported() x.T { return x.T{} }
			func (*Method) Pointer(x.T) {}
			func (Method) unexported() x.T { return x.T{} }
			type Inline struct { F struct { G x.T } }
			type hidden struct { F x.T }
			func (hidden) M(x.T2) {}
			func Reached() hidden { return hidden{} }
			type Promotes struct { hidden }
			type Recursive struct { next *Recursive; F []Recursive; G x.T }
			type OfAlias[P any] = x.E[P]
			func ByAlias(alias) {}
			type alias = x.T

			var Err = x.Err // of type error
			func private(x.T) {}
			type quiet struct { F x.T }
			func Fine(quiet *int) { var t x.T; _ = t }
			type FineField struct { f x.T; q quiet }
			`,
	})
	same(t, internalTypes(m.pkg("p")), []string{
		"p.Alias names internal/x.T",
		"p.Args.F names internal/x.E",
		"p.ByAlias names internal/x.T",
		"p.Const names internal/x.T2",
		"p.Deep names internal/x.T",
		"p.Defined names internal/x.U",
		"p.Defined.T names internal/x.T",
		"p.Embeds.T names internal/x.T",
		"p.Field.F names internal/x.T",
		"p.Generic names internal/x.I",
		"p.Iface.M names internal/x.T",
		"p.Inline.F.G names internal/x.T",
		"p.Joins names internal/x.I",
		"p.Method.Exported names internal/x.T",
		"p.Method.Pointer names internal/x.T",
		"p.OfAlias names internal/x.E",
		"p.Param names internal/x.T",
		"p.Promotes.hidden.F names internal/x.T",
		"p.Promotes.hidden.M names internal/x.T2",
		"p.Reached.F names internal/x.T",
		"p.Reached.M names internal/x.T2",
		"p.Recursive.G names internal/x.T",
		"p.Result names internal/x.T",
		"p.Union names internal/x.T2",
		"p.Var names internal/x.T",
	})
}
