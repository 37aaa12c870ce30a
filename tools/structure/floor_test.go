package main

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// floor reads the floor plan of a page: lines of code like "pin -> lockout, store", in their order.
func floor(text string) (names []string, imports map[string][]string) {
	imports = make(map[string][]string)
	for line := range strings.Lines(text) {
		code, ok := strings.CutPrefix(line, "    ")
		name, list, isArrow := strings.Cut(code, "->")
		if !ok || !isArrow {
			continue
		}
		name = strings.TrimSpace(name)
		names, imports[name] = append(names, name), nil
		for to := range strings.SplitSeq(list, ",") {
			if to = strings.TrimSpace(to); to != "" {
				imports[name] = append(imports[name], to)
			}
		}
	}
	return names, imports
}

// The page shows which package imports which, from top to bottom, and names each internal package.
func TestFloorPlan(t *testing.T) {
	m := theModule(t)
	text, err := os.ReadFile("../../docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	names, drawn := floor(string(text))
	for _, p := range m.pkgs {
		name := within(p.PkgPath)
		switch {
		case name == ".":
			continue
		case isInternal(name):
			if !strings.Contains(string(text), "\n- "+name+": ") {
				t.Errorf("the page does not say what %s is", name)
			}
			continue
		case !slices.Contains(names, name):
			t.Errorf("the page does not show package %s", name)
			continue
		}
		var imports []string
		for path := range p.Imports {
			if to := within(path); to != path && to != "." && !isInternal(to) {
				imports = append(imports, to)
				if slices.Index(names, to) < slices.Index(names, name) {
					t.Errorf("%s imports %s, which stands above it", name, to)
				}
			}
		}
		slices.Sort(imports)
		t.Run(name, func(t *testing.T) { same(t, drawn[name], imports) })
	}
	for _, name := range names {
		if m.pkg(name) == nil {
			t.Errorf("the page shows %s, and there is no such package", name)
		}
	}
}

func TestFloor(t *testing.T) {
	names, imports := floor("a -> b\n\n    p/q  -> r, s/t\n    r ->\n    code\n")
	same(t, names, []string{"p/q", "r"})
	same(t, imports["p/q"], []string{"r", "s/t"})
	if len(imports["r"]) != 0 {
		t.Errorf("r imports %v", imports["r"])
	}
}
