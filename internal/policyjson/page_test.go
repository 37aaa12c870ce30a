package policyjson_test

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/standard"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery/plan"
)

const root = "../../"

// written compares a file of docs/ with what it should be; CIVICPIN_WRITE_POLICIES=1 writes it.
func written(t *testing.T, file, want string) {
	t.Helper()
	if os.Getenv("CIVICPIN_WRITE_POLICIES") != "" {
		require.NoError(t, os.MkdirAll(filepath.Dir(root+file), 0o755))
		require.NoError(t, os.WriteFile(root+file, []byte(want), 0o644))
	}
	text, err := os.ReadFile(root + file)
	require.NoError(t, err)
	require.Equal(t, want, string(text))
}

// Each ready policy has a sample in docs/, which reads as that policy.
func TestSamples(t *testing.T) {
	for name, p := range map[string]any{
		"pin-default": pin.Default(), "pin-inps": pin.INPS(), "codes-sms": otp.SMS(), "codes-clave-pin": otp.ClavePIN(),
	} {
		text, err := json.MarshalIndent(p, "", "  ")
		require.NoError(t, err)
		written(t, "docs/policies/"+name+".json", string(text)+"\n")
		back := reflect.New(reflect.TypeOf(p))
		require.NoError(t, json.Unmarshal(text, back.Interface()))
		require.Equal(t, p, back.Elem().Interface())
	}
}

const beginning = `# Policies and plans in JSON

The names of fields, what they take, and what they mean when they are left out. A duration is a text such as "15m" and "90d".
The ready policies are in docs/policies. A wrong file is refused with the line, the column, the field and what it takes.

pin.ParsePolicy and otp.ParseCodePolicy read a policy, and json.Unmarshal reads a plan into a plan.Plan. A step of a plan is an
object with one key, the step's name:

`

// plainPlan is the sample of a plan.
const plainPlan = `{
  "name": "password",
  "steps": [
    {"captcha": {}},
    {"facts": ["birth-day"]},
    {"link": {"channel": "email", "valid": "30m"}}
  ],
  "limit": {"limit": 3, "lock": "until-unlocked"},
  "outcome": "choose-secret"
}
`

var indented = regexp.MustCompile("(?m)^.+$")

// The page of all fields is written from the comments of the types.
func TestFieldsPage(t *testing.T) {
	p := &fieldsPage{t: t, packages: make(map[string]*doc.Package)}
	p.WriteString(beginning + indented.ReplaceAllString(plainPlan, "    $0"))
	var read plan.Plan
	require.NoError(t, json.Unmarshal([]byte(plainPlan), &read))
	for _, typ := range policies {
		p.section(typ)
	}
	asks := []plan.Step{plan.Captcha{}, plan.Facts{}, plan.Image{}, plan.Questions{}, plan.Contacts{}, plan.ConfirmContact{}}
	sends := []plan.Step{plan.Link{}, plan.Code{}, plan.Factor("")}
	others := []plan.Step{plan.Documents{}, plan.Approval{}, plan.Wait{}, plan.Terms{}, plan.Enrol{}}
	for _, s := range slices.Concat(asks, sends, others) {
		p.section(reflect.TypeOf(s))
	}
	for i := 0; i < len(p.nested); i++ {
		p.section(p.nested[i])
	}
	p.clauses()
	written(t, "docs/policies.md", p.String())
}

// policies are the outermost types, which the beginning of the page explains. All others begin with their comment.
var policies = []reflect.Type{reflect.TypeFor[pin.Policy](), reflect.TypeFor[otp.CodePolicy](), reflect.TypeFor[plan.Plan]()}

// A fieldsPage is the page as far as it is written.
type fieldsPage struct {
	strings.Builder
	t        *testing.T
	packages map[string]*doc.Package
	nested   []reflect.Type // structs that fields hold
}

// of returns the documentation of a type's package.
func (p *fieldsPage) of(typ reflect.Type) *doc.Package {
	p.t.Helper()
	path := typ.PkgPath()
	if p.packages[path] == nil {
		dir := root + strings.TrimPrefix(strings.TrimPrefix(path, "github.com/civicpin/civicpin"), "/")
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		require.NoError(p.t, err)
		set := token.NewFileSet()
		var parsed []*ast.File
		for _, name := range files {
			if !strings.HasSuffix(name, "_test.go") {
				f, err := parser.ParseFile(set, name, nil, parser.ParseComments)
				require.NoError(p.t, err)
				parsed = append(parsed, f)
			}
		}
		p.packages[path], err = doc.NewFromFiles(set, parsed, path, doc.PreserveAST)
		require.NoError(p.t, err)
	}
	return p.packages[path]
}

// section writes what a type's fields are called, and their comments.
func (p *fieldsPage) section(typ reflect.Type) {
	pkg := p.of(typ)
	at := slices.IndexFunc(pkg.Types, func(d *doc.Type) bool { return d.Name == typ.Name() })
	require.GreaterOrEqual(p.t, at, 0, typ)
	fmt.Fprintf(p, "\n## %s.%s\n", pkg.Name, typ.Name())
	spec, isStruct := pkg.Types[at].Decl.Specs[0].(*ast.TypeSpec).Type.(*ast.StructType)
	if !isStruct || typ.NumField() == 0 {
		fmt.Fprintf(p, "\n%s\n", plain(pkg.Types[at].Doc))
		return
	}
	if text := plain(pkg.Types[at].Doc); text != "" && !slices.Contains(policies, typ) {
		fmt.Fprintf(p, "\n%s\n", text)
	}
	var names []string
	var fields []reflect.StructField
	comment := ""
	flush := func() {
		if len(names) > 0 {
			if err := thin(typ, fields, comment); err != nil {
				p.t.Error(err)
			}
			fmt.Fprintf(p, "\n- %s: %s", strings.Join(names, ", "), strings.ReplaceAll(plain(comment), "\n", "\n  "))
		}
		names, fields, comment = nil, nil, ""
	}
	for _, f := range spec.Fields.List {
		text := f.Doc.Text() + f.Comment.Text()
		if text != "" && comment != "" {
			flush()
		}
		if text != "" {
			comment = text
		}
		for _, name := range f.Names {
			if field, ok := typ.FieldByName(name.Name); ok && name.IsExported() && field.Type.Kind() != reflect.Func {
				fields = append(fields, field)
				names = append(names, "`"+string(unicode.ToLower(rune(name.Name[0])))+name.Name[1:]+"`"+p.takes(name.Name, field.Type))
			}
		}
	}
	flush()
	p.WriteString("\n")
}

var (
	units    = regexp.MustCompile(`how many|number of|\b(characters|KiB|bytes|passes|lanes|hashes|failures)\b`)
	defaults = regexp.MustCompile(`(?i)\b(zero|empty)\s+means\b|\bdefault:? |\brequired\b`)
)

// thin returns an error if a comment does not name its fields, or does not say what they mean when they are left out and in
// which unit they count. Words, durations and booleans are told apart by takes, and a boolean left out is false.
func thin(typ reflect.Type, fields []reflect.StructField, comment string) error {
	for _, f := range fields {
		kind := f.Type.Kind()
		switch {
		case !regexp.MustCompile(`\b` + f.Name + `\b`).MatchString(comment):
			return fmt.Errorf("the comment of %s.%s does not name it: %q", typ, f.Name, comment)
		case kind != reflect.Bool && !defaults.MatchString(comment):
			return fmt.Errorf("the comment of %s.%s does not say what it means when left out: %q", typ, f.Name, comment)
		case kind >= reflect.Int && kind <= reflect.Float64 && !worded(f.Type) && !units.MatchString(comment):
			return fmt.Errorf("the comment of %s.%s does not say in what it counts: %q", typ, f.Name, comment)
		}
	}
	return nil
}

// worded reports whether a number is written as a word or as a duration.
func worded(typ reflect.Type) bool {
	return typ == reflect.TypeFor[civicpin.Level]() || typ == reflect.TypeFor[time.Duration]()
}

// TestThin: a comment that leaves its field's name, unit or default out is noticed.
func TestThin(t *testing.T) {
	type policy struct {
		Tries int
		Wait  time.Duration
		On    bool
	}
	typ := reflect.TypeFor[policy]()
	for comment, want := range map[string]string{
		"Tries is how many guesses there are. Zero means 3.": "",
		"Tries are counted. Zero means 3.":                   "in what it counts",
		"Tries is how many guesses there are.":               "when left out",
		"how many guesses there are; zero means 3":           "does not name it",
		"Wait is how long it takes.":                         "when left out",
		"Wait is how long it takes. Required.":               "",
		"On says that it is on.":                             "",
		"it is on":                                           "does not name it",
		"":                                                   "does not name it",
	} {
		name, _, _ := strings.Cut(comment, " ")
		field, ok := typ.FieldByName(name)
		if !ok {
			field = typ.Field(0)
		}
		err := thin(typ, []reflect.StructField{field}, comment)
		require.Equal(t, want == "", err == nil, comment)
		if want != "" {
			require.ErrorContains(t, err, want, comment)
		}
	}
}

// clauses writes what an exception can name.
func (p *fieldsPage) clauses() {
	p.WriteString("\n## Clauses\n\nWhat a policy or a plan breaks by an exception alone: its `clause` is one of these texts. Breaks lists " +
		"them.\n\n| clause | what it asks for |\n| --- | --- |\n")
	for _, group := range p.of(reflect.TypeFor[standard.Breaches]()).Consts {
		for _, s := range group.Decl.Specs {
			spec := s.(*ast.ValueSpec)
			if lit, ok := spec.Values[0].(*ast.BasicLit); ok && lit.Kind == token.STRING {
				text := strings.TrimPrefix(strings.TrimPrefix(strings.TrimSpace(spec.Doc.Text()), spec.Names[0].Name+" "), "is ")
				fmt.Fprintf(p, "| %s | %s |\n", strings.ReplaceAll(lit.Value, `"`, "`"), strings.ReplaceAll(text, "\n", " "))
			}
		}
	}
}

// takes says which words a field takes, and has the struct that it holds written later.
func (p *fieldsPage) takes(name string, typ reflect.Type) string {
	const levels = `"none", "low", "substantial", "high")`
	switch {
	case typ.Kind() == reflect.Map && typ.Elem() == reflect.TypeFor[civicpin.Level]():
		return " (each of " + levels
	case typ == reflect.TypeFor[civicpin.Level]():
		return " (" + levels
	case typ == reflect.TypeFor[time.Duration]():
		return " (duration)"
	case typ.Kind() == reflect.Bool:
		return " (true or false; false if left out)"
	}
	if typ.Kind() == reflect.Map {
		typ = reflect.SliceOf(typ.Key())
	}
	for typ.Kind() == reflect.Slice || typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	if !strings.HasPrefix(typ.PkgPath(), "github.com/civicpin") || name == "OwnChannels" {
		return ""
	}
	if typ.Kind() == reflect.Struct {
		if !slices.Contains(p.nested, typ) {
			p.nested = append(p.nested, typ)
		}
		return " (" + p.of(typ).Name + "." + typ.Name() + ")"
	}
	var words []string
	for _, d := range p.of(typ).Types {
		for _, c := range d.Consts {
			if d.Name == typ.Name() {
				for _, m := range regexp.MustCompile(`= ("[a-z-]+")`).FindAllStringSubmatch(source(p.t, c), -1) {
					words = append(words, m[1])
				}
			}
		}
	}
	if len(words) == 0 {
		return ""
	}
	return " (" + strings.Join(words, ", ") + ")"
}

// source writes the values of a group of constants.
func source(t *testing.T, v *doc.Value) (text string) {
	t.Helper()
	for _, s := range v.Decl.Specs {
		for _, value := range s.(*ast.ValueSpec).Values {
			if lit, ok := value.(*ast.BasicLit); ok {
				text += "= " + lit.Value + "\n"
			}
		}
	}
	return text
}

// plain is a comment without links and blank ends.
func plain(comment string) string {
	return strings.TrimSpace(regexp.MustCompile(`\[(\w[\w.]*)\]`).ReplaceAllString(comment, "$1"))
}
