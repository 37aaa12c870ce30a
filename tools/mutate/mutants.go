package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
)

// A mutant is one small change of one file.
type mutant struct {
	// Key stands for the change and the declaration that it is made in. It stays as long as that declaration does.
	Key  string `json:"key"`
	File string `json:"file"` // from the root of the module
	Line int    `json:"line"`
	Func string `json:"func,omitempty"`
	Op   string `json:"op"`
	Old  string `json:"old"`
	New  string `json:"new"`

	start, end int // bytes of the file that New takes the place of
	column     int
	global     bool // outside all functions, so that coverage says nothing of it
}

// finder collects the mutants of one file.
type finder struct {
	files *token.FileSet
	src   string
	name  string
	decl  ast.Decl
	found []mutant
}

// mutantsOf returns the mutants of a file, in their order.
func mutantsOf(name string, src []byte) ([]mutant, error) {
	f := finder{files: token.NewFileSet(), src: string(src), name: name}
	file, err := parser.ParseFile(f.files, name, src, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	for _, f.decl = range file.Decls {
		switch d := f.decl.(type) {
		case *ast.FuncDecl:
			if d.Body != nil {
				f.walk(d.Body, d.Type)
			}
		case *ast.GenDecl:
			if d.Tok == token.CONST || d.Tok == token.VAR {
				f.walk(d, nil)
			}
		}
	}
	return f.found, nil
}

// walk finds the mutants below a node of a function of that type.
func (f *finder) walk(root ast.Node, in *ast.FuncType) {
	ast.Inspect(root, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			f.walk(n.Body, n.Type)
			return false
		case *ast.ForStmt: // a loop that does not go on only runs out of time
			for _, part := range []ast.Node{n.Init, n.Cond, n.Body} {
				if part != nil && part != ast.Stmt(nil) && part != ast.Expr(nil) {
					f.walk(part, in)
				}
			}
			return false
		case *ast.IfStmt:
			f.condition(n)
		case *ast.BinaryExpr:
			f.operator(n)
		case *ast.BasicLit:
			if n.Kind == token.INT {
				f.add("constant", n, "("+n.Value+" + 1)")
				f.add("constant", n, "("+n.Value+" - 1)")
			}
		case *ast.ReturnStmt:
			f.noError(n, in)
		case *ast.CompositeLit:
			f.fields(n)
		case ast.Stmt:
			f.drop(n)
		}
		return true
	})
}

// condition negates a condition, and has one that leads to a return never hold.
func (f *finder) condition(n *ast.IfStmt) {
	text := f.text(n.Cond)
	if b, ok := n.Cond.(*ast.BinaryExpr); !ok || b.Op != token.EQL && b.Op != token.NEQ { // those have an operator of their own
		f.add("negate", n.Cond, "!("+text+")")
	}
	if len(n.Body.List) == 0 || n.Else != nil {
		return
	}
	if _, ok := n.Body.List[len(n.Body.List)-1].(*ast.ReturnStmt); ok {
		f.add("no return", n.Cond, "false && ("+text+")")
	}
}

// swapped is the operator that takes the place of another, ILLEGAL for none.
func swapped(op token.Token) token.Token {
	return map[token.Token]token.Token{
		token.LSS: token.LEQ, token.LEQ: token.LSS, token.GTR: token.GEQ, token.GEQ: token.GTR,
		token.EQL: token.NEQ, token.NEQ: token.EQL, token.LAND: token.LOR, token.LOR: token.LAND,
	}[op]
}

func (f *finder) operator(n *ast.BinaryExpr) {
	if to := swapped(n.Op); to != token.ILLEGAL {
		left, right := f.text(n.X), f.text(n.Y)
		f.add("operator", n, "("+left+") "+to.String()+" ("+right+")")
	}
}

// noError has a return say nil instead of an error.
func (f *finder) noError(n *ast.ReturnStmt, in *ast.FuncType) {
	if in == nil || in.Results == nil || len(n.Results) == 0 || len(n.Results) != in.Results.NumFields() {
		return
	}
	fields := in.Results.List
	if kind, ok := fields[len(fields)-1].Type.(*ast.Ident); !ok || kind.Name != "error" {
		return
	}
	if last := n.Results[len(n.Results)-1]; f.text(last) != "nil" {
		f.add("no error", last, "nil")
	}
}

// fields drops the fields of a composite literal, one by one.
func (f *finder) fields(n *ast.CompositeLit) {
	for _, elt := range n.Elts {
		pair, ok := elt.(*ast.KeyValueExpr)
		if !ok {
			continue
		}
		if _, ok := pair.Key.(*ast.Ident); !ok {
			continue
		}
		start, end := f.offset(pair.Pos()), f.offset(pair.End())
		after := strings.TrimLeft(f.src[end:], " \t\r\n")
		if strings.HasPrefix(after, ",") {
			end = len(f.src) - len(after) + 1
		}
		f.addRange("drop field", pair.Pos(), start, end, "")
	}
}

// drop drops a statement. What an assignment evaluates is still evaluated.
func (f *finder) drop(n ast.Stmt) {
	switch n := n.(type) {
	case *ast.ExprStmt, *ast.IncDecStmt, *ast.DeferStmt:
		f.add("drop", n, "")
	case *ast.AssignStmt:
		switch {
		case n.Tok == token.DEFINE:
		case len(n.Lhs) != 1 || f.text(n.Lhs[0]) == "_" || f.text(n.Rhs[0]) == "nil":
			f.add("drop", n, "")
		default:
			f.add("drop", n, "_ = "+f.text(n.Rhs[0]))
		}
	}
}

func (f *finder) offset(p token.Pos) int { return f.files.Position(p).Offset }

func (f *finder) text(n ast.Node) string { return f.src[f.offset(n.Pos()):f.offset(n.End())] }

func (f *finder) add(op string, n ast.Node, to string) {
	f.addRange(op, n.Pos(), f.offset(n.Pos()), f.offset(n.End()), to)
}

func (f *finder) addRange(op string, at token.Pos, start, end int, to string) {
	pos, begin := f.files.Position(at), f.offset(f.decl.Pos())
	m := mutant{
		File: f.name, Line: pos.Line, Op: op, Old: f.src[start:end], New: to, start: start, end: end, column: pos.Column,
	}
	fn, ok := f.decl.(*ast.FuncDecl)
	if m.global = !ok; ok {
		m.Func = fn.Name.Name
	}
	h := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%d %d %s", f.name, f.text(f.decl), start-begin, end-begin, to))
	m.Key = hex.EncodeToString(h[:5])
	f.found = append(f.found, m)
}

// apply returns the file with the change made.
func (m mutant) apply(src []byte) []byte {
	return slices.Concat(src[:m.start], []byte(m.New), src[m.end:])
}

// sample returns the first n mutants in the order that a seed gives, or all for 0.
func sample(all []mutant, seed, n int) []mutant {
	order := func(m mutant) string {
		h := sha256.Sum256([]byte(strconv.Itoa(seed) + " " + m.Key))
		return string(h[:])
	}
	list := slices.SortedFunc(slices.Values(all), func(a, b mutant) int { return strings.Compare(order(a), order(b)) })
	if n > 0 {
		list = list[:min(n, len(list))]
	}
	return list
}
