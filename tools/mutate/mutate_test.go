package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func same(t *testing.T, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got\n\t%s\nnot\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

func TestMutants(t *testing.T) {
	for code, want := range map[string][]string{
		`if a { b() }`:             {"negate a => !(a)", "drop b() => "},
		`if a == b { return nil }`: {"no return a == b => false && (a == b)", "operator a == b => (a) != (b)"},
		`if a() { return err } else { b = 1 }`: {
			"negate a() => !(a())", "no error err => nil", "drop b = 1 => _ = 1", "constant 1 => (1 + 1)", "constant 1 => (1 - 1)",
		},
		`_ = a < b && c`: {
			"drop _ = a < b && c => ", "operator a < b && c => (a < b) || (c)", "operator a < b => (a) <= (b)",
		},
		`a, b = b, a; a := c; a = nil`: {"drop a, b = b, a => ", "drop a = nil => "},
		`defer a.b(); c++; d += e`:     {"drop defer a.b() => ", "drop c++ => ", "drop d += e => _ = e"},
		`for a <= b { c() }`:           {"operator a <= b => (a) < (b)", "drop c() => "},
		`for ; ; a++ { }`:              {},
		`return T{A: b, "c": d, E: f, }`: {
			"no error T{A: b, \"c\": d, E: f, } => nil", "drop field A: b, => ", "drop field E: f, => ",
		},
		`return nil`:                    {},
		`f := func() bool { return a }`: {},
	} {
		src := "package p\n\nfunc f() error {\n" + code + "\n}\n"
		list, err := mutantsOf("p.go", []byte(src))
		if err != nil {
			t.Fatal(code, err)
		}
		var got []string
		for _, m := range list {
			got = append(got, m.Op+" "+m.Old+" => "+m.New)
			if m.Func != "f" || m.Line != 4 || m.global || string(m.apply([]byte(src))) == src {
				t.Errorf("%s: %+v", code, m)
			}
		}
		same(t, got, want)
	}
}

func TestKeys(t *testing.T) {
	keys := func(src string) (list []string) {
		found, err := mutantsOf("p.go", []byte(src))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range found {
			list = append(list, m.Key)
		}
		return list
	}
	const a, b = "const a = 1\n", "func b() { c() }\n"
	first := keys("package p\n" + a + b)
	if len(first) != 3 || first[0] == first[1] {
		t.Fatal(first)
	}
	same(t, keys("package p\n\n// moved\n"+b+a), []string{first[2], first[0], first[1]})
	if changed := keys("package p\n" + a + "func b() { c(); d() }\n"); changed[2] == first[2] {
		t.Error("the function changed, and the key did not")
	}
}

func TestSample(t *testing.T) {
	var all []mutant
	for i := range 50 {
		all = append(all, mutant{Key: string(rune(0x4e00 + i))})
	}
	keys := func(seed, n int) (list []string) {
		for _, m := range sample(all, seed, n) {
			list = append(list, m.Key)
		}
		return list
	}
	same(t, keys(1, 5), keys(1, 20)[:5])
	if slices.Equal(keys(1, 50), keys(2, 50)) || len(keys(1, 0)) != 50 || len(keys(1, 99)) != 50 {
		t.Error("not a sample")
	}
}

// TestTiny tries the mutants of a package that has one of each kind of result.
func TestTiny(t *testing.T) {
	if testing.Short() {
		t.Skip("-short")
	}
	p, err := loadPackage(t.Context(), "testdata/tiny", ".")
	if err != nil {
		t.Fatal(err)
	}
	r, err := newTrial(t.Context(), "testdata/tiny", p)
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	want := map[string]string{
		"false && (n%2 != 0)": "killed by TestHalf",
		"(n) <= (10)":         "survived",
		"_ = errors":          "",
		"(n) != (3)":          "uncovered",
	}
	loop, unused := "drop n--", "drop steps++"
	state := filepath.Join(t.TempDir(), "state")
	for _, m := range p.mutants {
		name := m.New
		if m.Op == "drop" {
			name = m.Op + " " + m.Old
		}
		expected, ok := want[name]
		switch name {
		case loop:
			expected, ok, r.limit = timedOut, true, shortest/20
		case unused:
			expected, ok, r.limit = "killed by TestCount", true, shortest
		}
		if !ok {
			continue
		}
		got, err := r.try(t.Context(), m)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(got.String(), expected+": ") {
			t.Errorf("not %s: %s", expected, got)
		}
		if err := appendState(state, got); err != nil {
			t.Fatal(err)
		}
	}
	testReport(t, state)
}

// testReport looks at the page for a state file with the results of TestTiny.
func testReport(t *testing.T, state string) {
	f, err := os.OpenFile(state, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = f.WriteString(`{"key":"cut o`)
	_ = f.Close()
	results, err := readState(state)
	if err != nil || len(results) != 5 {
		t.Fatal(len(results), err)
	}
	var equivalent string
	for key, r := range results {
		if r.Result == uncovered {
			equivalent = key
		}
	}
	page := filepath.Join(t.TempDir(), "page.md")
	text := "# Title\n\n" + beginMark + "old\n" + endMark + "\n\n| `" + equivalent + "` | a reason |\n"
	if err := os.WriteFile(page, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := run(t.Context(), options{root: "testdata/tiny", state: state}, page, nil, t.Output()); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{
		"| tiny | 22 | 5 | 0 | 2 | 1 | 1 | 1 | 50 % |\n", "- survived: `", "- timed out: `", "# Title\n", "| a reason |\n",
	} {
		if !strings.Contains(string(got), part) {
			t.Errorf("without %q:\n%s", part, got)
		}
	}
	if strings.Contains(string(got), "old") || strings.Contains(string(got), "- uncovered") {
		t.Errorf("%s", got)
	}
}

func TestSlowTests(t *testing.T) {
	for wrote, want := range map[string]string{
		"": "",
		"=== RUN   TestA\n--- PASS: TestA (0.99s)\n    --- PASS: TestA/sub (2.00s)\n":  "",
		"--- PASS: TestA (1.00s)\n--- SKIP: TestB (3.00s)\n--- PASS: FuzzC (12.30s)\n": "^(TestA|FuzzC)$",
	} {
		if got := slowTests([]byte(wrote)); got != want {
			t.Errorf("%q: %s", wrote, got)
		}
	}
}
