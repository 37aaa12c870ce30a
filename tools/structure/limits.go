package main

import (
	"fmt"
	"go/types"
	"slices"
)

// The limits of STYLE: a reader has one file, one function and one line in view.
const (
	maxFileLines   = 250
	maxFuncLines   = 50
	maxColumn      = 128
	maxComplexity  = 15
	maxInRecovery  = 20 // complexity; its plans have many kinds of steps
	recoveryFolder = "recovery"
)

// An excess is a size above its limit.
type excess struct {
	what        string // also its key in the list of exceptions
	size, limit int
}

// oversized returns what is larger than the limits allow.
func oversized(list []source) []excess {
	var found []excess
	add := func(what string, size, limit int) {
		if size > limit {
			found = append(found, excess{what, size, limit})
		}
	}
	for _, s := range list {
		add("lines of "+s.path, len(s.lines), maxFileLines)
		add(fmt.Sprintf("lines beyond column %d in %s", maxColumn, s.path), s.long(maxColumn), 0)
		for _, f := range s.funcs {
			limit := maxComplexity
			if s.dir() == recoveryFolder {
				limit = maxInRecovery
			}
			add("lines of "+f.name+" in "+s.path, f.lines, maxFuncLines)
			add("complexity of "+f.name+" in "+s.path, f.complexity, limit)
		}
	}
	return found
}

// A budget is what packages may grow to.
type budget struct {
	what  string
	limit int
	size  func(*module, []source) (int, error)
}

// budgets are the limits of the packages that once were one.
var budgets = []budget{
	{"lines of recovery", 2646, linesOf("recovery")},
	{"exported methods of recovery.Service", 15, methodsOf("recovery", "Service")},
	{"lines of contact and internal/contactbook", 3130, linesOf("contact", "internal/contactbook")},
}

func linesOf(dirs ...string) func(*module, []source) (int, error) {
	return func(_ *module, list []source) (int, error) {
		n := 0
		for _, s := range list {
			if slices.Contains(dirs, s.dir()) {
				n += len(s.lines)
			}
		}
		if n == 0 {
			return 0, fmt.Errorf("no file in %v", dirs)
		}
		return n, nil
	}
}

func methodsOf(path, name string) func(*module, []source) (int, error) {
	return func(m *module, _ []source) (int, error) {
		p := m.pkg(path)
		if p == nil || p.Types.Scope().Lookup(name) == nil {
			return 0, fmt.Errorf("no %s.%s", path, name)
		}
		n := 0
		for method := range types.NewMethodSet(types.NewPointer(p.Types.Scope().Lookup(name).Type())).Methods() {
			if method.Obj().Exported() {
				n++
			}
		}
		return n, nil
	}
}
