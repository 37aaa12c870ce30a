package main

import (
	"go/ast"
	"go/types"
	"strings"
)

// guarded is the one package that compares guesses.
const guarded = "internal/attempt"

// compares reports whether a function compares what may be secret, or lets a guess through, or takes the word of its caller for
// a comparison. Not seen are the operators == and !=, and comparisons of strings.
func compares(f *types.Func) bool {
	if f.Pkg() == nil {
		return false
	}
	switch within(f.Pkg().Path()) {
	case "crypto/subtle":
		return strings.HasPrefix(f.Name(), "ConstantTime")
	case "crypto/hmac", "bytes":
		return f.Name() == "Equal"
	}
	switch within(f.Pkg().Path()) + "." + funcName(f) {
	case "internal/password.Hash.Verify", "internal/password.Decoys.Verify", "internal/oath.Key.Find", "internal/oath.Key.FindPair",
		"internal/token.Typed", "lockout.Gate.Do", guarded + ".Told":
		return true
	}
	return false
}

// comparisons returns where the module names a function that compares: "Secret.Equal in secret.go: subtle.ConstantTimeCompare".
// Each line stands once. What the guarded package does is left out.
func (m *module) comparisons() []string {
	var list []string
	for _, p := range m.pkgs {
		if within(p.PkgPath) == guarded {
			continue
		}
		for _, file := range p.Syntax {
			for _, d := range file.Decls {
				where := "a variable"
				if d, ok := d.(*ast.FuncDecl); ok {
					where = declName(d)
				}
				where += " in " + m.file(p.Fset.File(d.Pos()).Name())
				seen := make(map[string]bool)
				ast.Inspect(d, func(n ast.Node) bool {
					id, ok := n.(*ast.Ident)
					if !ok {
						return true
					}
					f, ok := p.TypesInfo.Uses[id].(*types.Func)
					if !ok || !compares(f.Origin()) {
						return true
					}
					if line := where + ": " + f.Pkg().Name() + "." + funcName(f.Origin()); !seen[line] {
						seen[line] = true
						list = append(list, line)
					}
					return true
				})
			}
		}
	}
	return list
}
