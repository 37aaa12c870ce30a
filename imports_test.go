package civicpin_test

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const modulePath = "github.com/civicpin/civicpin"

// packageMap says which packages of this module each may import, besides those under internal/. A name that ends in "/*"
// stands for what has no line of its own. To import is to depend for good: an arrow is added here and in doc.go, with
// the reason for it.
var packageMap = map[string][]string{
	".":             {},
	"store":         {"."},
	"store/*":       {".", "store"},
	"store/outbox":  {".", "store", "lockout"}, // limits what may be asked for
	"lockout":       {".", "store"},
	"pin":           {".", "store", "store/outbox", "lockout", "pin/rule", "pin/state"},
	"pin/rule":      {}, // words, for what refuses a choice
	"pin/breached":  {"."},
	"pin/state":     {}, // words, for what tells of a credential
	"otp":           {".", "store", "store/outbox", "lockout"},
	"contact":       {".", "store", "store/outbox", "lockout"}, // neither pin nor recovery: it is of use without them
	"recovery":      {".", "store", "store/outbox", "lockout", "pin", "pin/rule", "contact", "recovery/plan"},
	"recovery/plan": {".", "lockout"}, // plain data and its rules: no store, no service
	"texts":         {"."},
	"web":           {".", "store", "store/outbox", "lockout", "pin", "pin/state", "otp", "contact", "recovery"}, // joins; no package imports it
	"internal/*":    {"."},
	"*/internal/*":  {"."},

	"internal/answer":      {".", "pin/rule"},                                            // names the rule that an answer breaks
	"internal/attempt":     {".", "store", "lockout"},                                    // what all services do around a guess
	"internal/choice":      {".", "pin/rule"},                                            // names the rule that a secret breaks
	"internal/destination": {".", "store"},                                               // queues in the store
	"internal/knowledge":   {".", "pin/rule"},                                            // names the rule that two answers break
	"internal/load":        {".", "store"},                                               // how many messages wait, over all processes
	"internal/own":         {".", "store"},                                               // what this process added to a store
	"internal/quota":       {".", "store"},                                               // counts in the store
	"internal/recoveryrun": {".", "contact", "lockout", "pin", "recovery/plan"},          // decides by contacts, a credential and a plan
	"internal/sends":       {".", "store"},                                               // counts in the store
	"internal/shown":       {".", "store"},                                               // values that a vault's key makes
	"internal/strangers":   {".", "store", "store/outbox", "lockout", "pin", "recovery"}, // what attacks cost; only tests import it
	"internal/testkit":     {".", "lockout", "store", "store/outbox", "store/storetest"}, // what tests share; only tests import it
	"internal/twoworlds": { // a model of all services together; only tests import it
		".", "store", "store/outbox", "store/storetest", "lockout", "pin", "pin/state", "otp", "contact", "recovery", "recovery/plan",
	},
}

// goPackage is what this file reads of "go list -json".
type goPackage struct {
	ImportPath, Dir                    string
	Standard                           bool
	Module                             *struct{ Path string }
	GoFiles                            []string
	Imports, TestImports, XTestImports []string
}

// local returns a package's path within the module, "." for the root, and whether it is in it.
func local(path string) (string, bool) {
	if path == modulePath {
		return ".", true
	}
	return strings.CutPrefix(path, modulePath+"/")
}

// goList runs the go command as a user of the module would, without the workspace. With -e a package that does not build
// is listed all the same: that it does not build is for others to say.
func goList(t *testing.T, args ...string) []goPackage {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"list", "-e", "-json"}, args...)...)
	cmd.Env = append(cmd.Environ(), "GOWORK=off")
	out, err := cmd.Output()
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		t.Fatalf("go list: %v\n%s", err, failed.Stderr)
	}
	require.NoError(t, err)
	var list []goPackage
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		if err := d.Decode(&p); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
	require.NotEmpty(t, list)
	return list
}

// A user of the library takes on these modules and no others.
func TestDependencies(t *testing.T) {
	allowed := []string{modulePath, "golang.org/x/crypto", "golang.org/x/text", "golang.org/x/sys"}
	seen := 0
	for _, p := range goList(t, "-deps", "./...") {
		if p.Standard {
			continue
		}
		seen++
		if assert.NotNil(t, p.Module, p.ImportPath) {
			assert.Contains(t, allowed, p.Module.Path, p.ImportPath)
		}
	}
	assert.Greater(t, seen, 3, "the list holds this module and x/crypto at least")
}

func TestRequirements(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "mod", "edit", "-json", "go.mod").Output()
	require.NoError(t, err)
	var mod struct {
		Require []struct {
			Path     string
			Indirect bool
		}
		Tool, Replace, Exclude []any
	}
	require.NoError(t, json.Unmarshal(out, &mod))
	direct := []string{
		"golang.org/x/crypto", "golang.org/x/text",
		"github.com/stretchr/testify", "pgregory.net/rapid", // in tests only, see TestDependencies
	}
	indirect := append(slices.Clone(direct), "golang.org/x/sys", "go.yaml.in/yaml/v3") // the last for testify
	require.NotEmpty(t, mod.Require)
	for _, r := range mod.Require {
		if r.Indirect {
			assert.Contains(t, indirect, r.Path)
		} else {
			assert.Contains(t, direct, r.Path)
		}
	}
	assert.Empty(t, mod.Tool, "tools have a module of their own")
	assert.Empty(t, mod.Replace, "users of a module do not get its replace lines")
	assert.Empty(t, mod.Exclude)
}

// rule returns the line of the package map for a package.
func rule(name string) ([]string, bool) {
	if may, ok := packageMap[name]; ok {
		return may, true
	}
	switch {
	case strings.HasPrefix(name, "internal/"):
		return packageMap["internal/*"], true
	case strings.Contains(name, "/internal/"):
		return packageMap["*/internal/*"], true
	case strings.HasPrefix(name, "store/"):
		return packageMap["store/*"], true
	}
	return nil, false
}

// breach says what is wrong with an import, or "" if nothing is. Both are paths within the module.
func breach(from, to string) string {
	may, ok := rule(from)
	switch {
	case !ok:
		return "package " + from + " is not on the package map"
	case to == "examples" || strings.HasPrefix(to, "examples/"):
		return from + " imports an example"
	case (from == "internal/twoworlds" || from == "internal/strangers") && to == "internal/testkit":
		return "" // both are for tests
	case to == "internal/twoworlds" || to == "internal/strangers" || to == "internal/testkit" || strings.HasPrefix(to, "internal/testkit/"):
		return from + " imports what is for tests"
	case strings.HasPrefix(to, "internal/") || strings.Contains(to, "/internal/"):
		return "" // the go command judges these
	case !slices.Contains(may, to):
		return from + " imports " + to + ", which the package map does not allow"
	}
	return ""
}

func TestPackageMap(t *testing.T) {
	seen := make(map[string]bool)
	for _, p := range goList(t, "./...") {
		from, ok := local(p.ImportPath)
		require.True(t, ok, p.ImportPath)
		seen[from] = true
		_, ok = rule(from)
		assert.True(t, ok, "package %s is not on the package map", from)
		for _, path := range p.Imports {
			if to, ok := local(path); ok {
				assert.Empty(t, breach(from, to))
			}
		}
		for _, path := range slices.Concat(p.TestImports, p.XTestImports) {
			assert.False(t, strings.HasPrefix(path, modulePath+"/examples"), "tests of %s import %s", from, path)
		}
	}
	assert.True(t, seen["."] && seen["store"], "the list holds the packages")
}

// A newcomer finds each package that can be imported in the list in doc.go, once.
func TestPackageList(t *testing.T) {
	text, err := os.ReadFile("doc.go")
	require.NoError(t, err)
	var listed, public []string
	for line := range strings.Lines(string(text)) {
		if item, ok := strings.CutPrefix(line, "//\t"); ok && !strings.Contains(line, "this vocabulary") {
			listed = append(listed, strings.Fields(item)[0])
		}
	}
	for _, p := range goList(t, "./...") {
		if name, _ := local(p.ImportPath); name != "." && !strings.HasPrefix(name, "internal/") && !strings.Contains(name, "/internal/") {
			public = append(public, name)
		}
	}
	assert.ElementsMatch(t, public, listed)
}

// The check itself, on arrows that are there and arrows that must not be.
func TestPackageMapRules(t *testing.T) {
	for _, tc := range []struct {
		from, to string
		ok       bool
	}{
		{"store", ".", true},
		{"store/outbox", "store", true},
		{"store/storetest", ".", true},
		{"lockout", "store", true},
		{"lockout", "internal/gcra", true},
		{"pin", "store/outbox", true},
		{"otp", "lockout", true},
		{"recovery", "pin", true},
		{"recovery", "recovery/plan", true},
		{"recovery", "contact", true},
		{"contact", "store/outbox", true},
		{"contact", "internal/contactbook", true},
		{"recovery/plan", "lockout", true},
		{"texts", ".", true},
		{"internal/gcra", ".", true},
		{".", "internal/gcra", true},
		{"internal/testkit", "store/storetest", true},
		{"internal/attempt", "lockout", true},

		{".", "store", false},
		{"store", "lockout", false},
		{"store", "store/outbox", false},
		{"store/outbox", "lockout", true},
		{"store/outbox", "pin", false},
		{"lockout", "pin", false},
		{"lockout", "store/outbox", false},
		{"pin", "otp", false},
		{"otp", "pin", false},
		{"pin", "recovery", false},
		{"pin", "pin/rule", true},
		{"pin/rule", ".", false},
		{"pin/state", "pin/rule", false},
		{"contact", "pin/state", false},
		{"pin", "texts", false},
		{"recovery", "texts", false},
		{"recovery/plan", "recovery", false},
		{"recovery/plan", "pin", false},
		{"recovery/plan", "store", false},
		{"pin", "recovery/plan", false},
		{"pin", "contact", false},
		{"contact", "pin", false},
		{"contact", "recovery", false},
		{"contact", "recovery/plan", false},
		{"recovery", "otp", false},
		{"internal/contactbook", "store", false},
		{"internal/attempt", "pin", false},
		{"recovery", "store/storetest", false},
		{"texts", "store", false},
		{"internal/gcra", "store", false},
		{"internal/testkit", "pin", false},
		{"pin", "internal/testkit", false},
		{"pin", "internal/twoworlds", false},
		{"internal/twoworlds", "internal/testkit", true},
		{"pin", "internal/testkit/processes", false},
		{"recovery", "examples/inps", false},
		{"internal/gcra", "examples", false},
		{"sessions", ".", false},
	} {
		assert.Equal(t, tc.ok, breach(tc.from, tc.to) == "", "%s -> %s: %s", tc.from, tc.to, breach(tc.from, tc.to))
	}
}
