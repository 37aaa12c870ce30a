package main

import (
	"os"
	"strings"
	"testing"
)

// listed returns the files that a page lists under each heading, in their order: lines like "- pin/service.go: what it does".
func listed(text string) map[string][]string {
	lists := make(map[string][]string)
	heading := ""
	for line := range strings.Lines(text) {
		if title, ok := strings.CutPrefix(line, "#"); ok {
			heading = strings.TrimSpace(strings.TrimLeft(title, "#"))
			continue
		}
		item, ok := strings.CutPrefix(line, "- ")
		if !ok {
			continue
		}
		file, what, ok := strings.Cut(item, ": ")
		if ok && strings.HasSuffix(file, ".go") && strings.TrimSpace(what) != "" {
			lists[heading] = append(lists[heading], file)
		}
	}
	return lists
}

// The page lists the files that the code enters, in the order in which it enters them, and there are no more than a reader can
// be asked to open.
func TestWays(t *testing.T) {
	m := theModule(t)
	text, err := os.ReadFile("../../docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	lists := listed(string(text))
	for _, w := range ways {
		t.Run(w.title, func(t *testing.T) {
			visits, err := m.walk(w)
			if err != nil {
				t.Fatal(err)
			}
			files := entered(visits)
			if w.limit > 0 && len(files) > w.limit {
				t.Errorf("%v enter %d files of package %s; the limit is %d", w.entry, len(files), w.pkg, w.limit)
			}
			same(t, lists[w.title], files)
			if t.Failed() {
				for _, file := range files {
					t.Logf("%s: %s", file, strings.Join(via(visits, file), "; "))
				}
			}
		})
	}
}

// The check itself, on a package that has each way to get from one function to another.
func TestWaysSees(t *testing.T) {
	m := small(t, map[string]string{
		"go.mod": "module " + modulePath + "\n\ngo 1.26.0\n",
		"p/a.go": `package p
			import "` + modulePath + `/q"
			type S struct{ e E; w W }
			func (s *S) Start() {
				plain()
				func() { literal() }()
				f := s.value
				q.Do(f, passed)
				generic(1)
				s.w.Method()
				s.e.promoted()
				E.expression(s.e)
				defer deferred()
				go started()
				_ = Const + int(T(1))
				_ = ErrGone
				s.Start()
			}`,
		"p/plain.go":      "package p\nfunc plain() { deep() }",
		"p/deep.go":       "package p\nfunc deep() { plain() }",
		"p/literal.go":    "package p\nfunc literal() {}",
		"p/value.go":      "package p\nfunc (s *S) value() {}",
		"p/passed.go":     "package p\nfunc passed() {}",
		"p/generic.go":    "package p\nfunc generic[P any](P) {}",
		"p/promoted.go":   "package p\ntype inner struct{}\nfunc (inner) promoted() {}",
		"p/expression.go": "package p\ntype E struct{ inner }\nfunc (E) expression() {}",
		"p/deferred.go":   "package p\nfunc deferred() {}",
		"p/started.go":    "package p\nfunc started() {}",
		// What is not entered.
		"p/iface.go":  "package p\ntype W interface{ Method() }\ntype w struct{}\nfunc (w) Method() { unused() }",
		"p/unused.go": "package p\nfunc unused() {}",
		"p/types.go":  "package p\nimport \"errors\"\ntype T int\nfunc (T) String() string { return \"\" }\nconst Const = 1\nvar ErrGone = errors.New(\"gone\")",
		"q/q.go":      "package q\nfunc Do(a, b func()) { a(); b() }",
	})
	visits, err := m.walk(way{pkg: "p", entry: []string{"S.Start"}})
	if err != nil {
		t.Fatal(err)
	}
	same(t, entered(visits), []string{
		"p/a.go", "p/plain.go", "p/deep.go", "p/literal.go", "p/value.go", "p/passed.go", "p/generic.go", "p/promoted.go",
		"p/expression.go", "p/deferred.go", "p/started.go",
	})
	same(t, via(visits, "p/deep.go"), []string{"deep from plain"})
	for _, w := range []way{{pkg: "none", entry: []string{"F"}}, {pkg: "p", entry: []string{"S.None"}}} {
		if _, err := m.walk(w); err == nil {
			t.Errorf("%v: no error", w)
		}
	}
}

func TestListed(t *testing.T) {
	lists := listed("# Page\n- a.go: lost\n\n## One way\nText - b.go: no.\n- c/d.go: what\n- e.go\n- other: x\n### Next\n- d.go: what\n- a.go: what\n")
	same(t, lists["Page"], []string{"a.go"})
	same(t, lists["One way"], []string{"c/d.go"})
	same(t, lists["Next"], []string{"d.go", "a.go"})
}
