package civicpin_test

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// notFiles look like paths of this repository and are none: placeholders, and what a program makes.
var notFiles = []string{
	"./PACKAGE", "./package",
}

// A page is a file whose text names other files and tests: a page of documentation, or the comment of a package.
type page struct {
	file, text string
}

// pages returns README.md, CONTRIBUTING.md, SECURITY.md, docs/*.md and the doc.go of every package.
func pages(t *testing.T) (all []page) {
	t.Helper()
	if _, err := os.Stat("store/sqlite/go.mod"); err != nil {
		t.Skip("not a checkout: a released module holds none of the other modules")
	}
	files := []string{"README.md", "CONTRIBUTING.md", "SECURITY.md"}
	more, err := filepath.Glob("docs/*.md")
	require.NoError(t, err)
	files = append(files, more...)
	walk(t, func(file string) {
		if path.Base(file) == "doc.go" {
			files = append(files, file)
		}
	})
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		all = append(all, page{file: file, text: string(text)})
	}
	require.Greater(t, len(all), 20)
	return all
}

// walk calls visit with each file of the repository, by its path with slashes.
func walk(t *testing.T, visit func(file string)) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(".", func(file string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && (d.Name() == ".git" || d.Name() == "testdata") {
			return fs.SkipDir
		}
		if err == nil && !d.IsDir() {
			visit(filepath.ToSlash(file))
		}
		return err
	}))
}

var (
	urls      = regexp.MustCompile(`[a-z]+://[^\s)'"]+`)
	links     = regexp.MustCompile(`\]\(([^)#\s]+)(?:#[^)]*)?\)`)
	paths     = regexp.MustCompile(`[A-Za-z0-9_./*-]*[A-Za-z0-9_*]`)
	fileNames = regexp.MustCompile(`^[A-Za-z0-9_./*-]+\.(go|md|mod|sum|work|json|txt|sql|lua|sh|yml|yaml)$`)
	versions  = regexp.MustCompile(`/v\d+\.\d+\.\d+$`)     // of a tag, as in store/sqlite/v0.1.0
	changed   = regexp.MustCompile(`(?:-C|\bcd) ([a-z]+)`) // go -C tools run ./api, cd faults && go test ./redis
	fences    = regexp.MustCompile("(?s)```.*?```")
	members   = regexp.MustCompile(`\.[A-Z]\w*(\.\w+)*$`)
)

// named returns the files and folders that a text names.
func named(text string) (found []string) {
	text = urls.ReplaceAllString(text, "")
	for _, m := range links.FindAllStringSubmatch(fences.ReplaceAllString(text, ""), -1) {
		found = append(found, m[1])
	}
	text = links.ReplaceAllString(text, "]")
	for _, word := range paths.FindAllString(text, -1) {
		if word = strings.TrimPrefix(word, "github.com/civicpin/civicpin/"); slices.Contains(notFiles, word) {
			continue
		}
		first, _, isPath := strings.Cut(word, "/")
		if _, err := os.Stat(first); isPath && first != "" && err == nil || fileNames.MatchString(word) {
			found = append(found, members.ReplaceAllString(versions.ReplaceAllString(word, ""), ""))
		}
	}
	return found
}

// A lock that no waiting ends has no end to count down to: what prints how long a lock lasts, in a page or in code that a reader
// copies, asks first.
func TestLocksWithoutEnd(t *testing.T) {
	seen := 0
	walk(t, func(file string) {
		if !strings.HasSuffix(file, ".go") && !strings.HasSuffix(file, ".md") || file == "docs_test.go" {
			return
		}
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		before, _, found := strings.Cut(string(text), "time.Until(locked.Until)")
		if !found {
			return
		}
		seen++
		lines := strings.Split(before, "\n")
		asked := strings.Join(lines[max(0, len(lines)-4):], "\n")
		assert.Contains(t, asked, "locked.Until.IsZero()", "%s prints how long a lock lasts that may have no end", file)
	})
	require.GreaterOrEqual(t, seen, 3)
}

// TestDocsNameFiles: what a page names as a file or folder is there, seen from the page, from the root, or, with "./" in
// front, from a folder that a command of the page changes to.
func TestDocsNameFiles(t *testing.T) {
	n := 0
	for _, p := range pages(t) {
		for _, name := range named(p.text) {
			n++
			from := []string{".", filepath.Dir(p.file)}
			if strings.HasPrefix(name, "./") {
				for _, m := range changed.FindAllStringSubmatch(p.text, -1) {
					from = append(from, m[1])
				}
			}
			there := slices.ContainsFunc(from, func(dir string) bool {
				files, err := filepath.Glob(filepath.Join(dir, name))
				return err == nil && len(files) > 0
			})
			assert.True(t, there, "%s names %s", p.file, name)
		}
	}
	require.Greater(t, n, 150)
}

// declaredTests returns the names of all tests by the folder of their package.
func declaredTests(t *testing.T) map[string]map[string]bool {
	t.Helper()
	declared := regexp.MustCompile(`(?m)^func (Test[A-Za-z0-9_]+)\(`)
	tests := make(map[string]map[string]bool)
	walk(t, func(file string) {
		if !strings.HasSuffix(file, "_test.go") {
			return
		}
		source, err := os.ReadFile(file)
		require.NoError(t, err)
		dir := path.Dir(file)
		for _, m := range declared.FindAllStringSubmatch(string(source), -1) {
			if tests[dir] == nil {
				tests[dir] = make(map[string]bool)
			}
			tests[dir][m[1]] = true
		}
	})
	return tests
}

var (
	testNames  = regexp.MustCompile(`\bTest[A-Z][A-Za-z0-9_]*`)
	testIn     = regexp.MustCompile("`?(Test[A-Z][A-Za-z0-9_]*)`? in ([a-z0-9]+/[a-z0-9/]+)") // `TestX` in faults/sqlite
	tableOf    = regexp.MustCompile(`shown by \(([a-z/]+)\)`)                                 // the head of a table
	testClause = regexp.MustCompile("^([^`]*) `Test")                                         // pin, recovery `TestX`, `TestY`
)

// A namedTest is a test as a page names it, with the folders of the packages that the page says it is in.
type namedTest struct {
	name string
	dirs []string
}

// namedTests returns the tests that a text names. Docs/threats.md has clauses of packages and tests, which end at ";" or
// with the cell of the table; docs/stores.md has "`TestX` in PACKAGE", or the package in the head of the table.
func namedTests(p page) (found []namedTest) {
	head := ""
	for line := range strings.Lines(p.text) {
		if m := tableOf.FindStringSubmatch(line); m != nil {
			head = m[1]
		} else if !strings.HasPrefix(line, "|") {
			head = ""
		}
		in := make(map[string]string)
		for _, m := range testIn.FindAllStringSubmatch(line, -1) {
			in[m[1]] = m[2]
		}
		for clause := range strings.FieldsFuncSeq(line, func(r rune) bool { return r == '|' || r == ';' }) {
			var dirs []string
			if m := testClause.FindStringSubmatch(clause); m != nil && line[0] == '|' && p.file == "docs/threats.md" {
				dirs = strings.FieldsFunc(strings.ReplaceAll(m[1], " and ", ","), func(r rune) bool { return r == ',' || r == ' ' })
			}
			for _, name := range testNames.FindAllString(clause, -1) {
				n := namedTest{name: name, dirs: dirs}
				switch {
				case in[name] != "":
					n.dirs = []string{in[name]}
				case head != "":
					n.dirs = []string{head}
				}
				found = append(found, n)
			}
		}
	}
	return found
}

// TestDocsNameTests: what a page names as a test is one, in each of the packages that the page names with it. A test that
// was renamed or moved, and a name that never was, fail here.
func TestDocsNameTests(t *testing.T) {
	all := pages(t)
	tests := declaredTests(t)
	n := make(map[string]int)
	for _, p := range all {
		for _, test := range namedTests(p) {
			n[p.file]++
			for _, dir := range test.dirs {
				if dir == "root" {
					dir = "."
				}
				assert.True(t, tests[dir][test.name], "%s names %s of package %s", p.file, test.name, dir)
			}
			if len(test.dirs) > 0 {
				continue
			}
			assert.NotEqual(t, "docs/threats.md", p.file, "%s names %s without its package", p.file, test.name)
			somewhere := false
			for _, names := range tests {
				somewhere = somewhere || names[test.name]
			}
			assert.True(t, somewhere, "%s names %s", p.file, test.name)
		}
	}
	require.Greater(t, n["docs/threats.md"], 60)
	require.Greater(t, n["docs/stores.md"], 10)
}

// TestDocsNameCalls: what a page in Markdown names as a package's, as in store.NewRouter, is in the package's list of what it
// exports, in the folder api.
func TestDocsNameCalls(t *testing.T) {
	all := pages(t)
	exported := make(map[string]string) // the lists, by the names of the packages
	walk(t, func(file string) {
		if strings.HasPrefix(file, "api/") {
			list, err := os.ReadFile(file)
			require.NoError(t, err)
			exported[strings.TrimSuffix(path.Base(file), ".txt")] = string(list)
		}
	})
	calls := regexp.MustCompile(`\b([a-z]+)\.([A-Z]\w*)`)
	n := 0
	for _, p := range all {
		for _, m := range calls.FindAllStringSubmatch(p.text, -1) {
			list, ok := exported[m[1]]
			if !ok || path.Ext(p.file) != ".md" {
				continue
			}
			n++
			assert.Regexp(t, `\b`+m[2]+`\b`, list, "%s names %s", p.file, m[0])
		}
	}
	require.Greater(t, n, 30)
}
