package password_test

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/civicpin/civicpin/internal/password"
)

// costs reads the numbers of a stored hash in another way than the parser does.
var costs = regexp.MustCompile(`(?:\b(m|t|p|r|ln|i)=|^\$2[aby](\$)|^\$pbkdf2[-a-z0-9]*(\$))([0-9]+)`)

func costsOf(t *testing.T, s string) map[string]int {
	found := map[string]int{}
	if s[0] != '$' { // Django's salt is free text, and may look like a parameter
		n, err := strconv.Atoi(strings.Split(s, "$")[1])
		if err != nil {
			t.Fatalf("accepted a number that is no int: %q", s)
		}
		found["i"] = n
		return found
	}
	for _, m := range costs.FindAllStringSubmatch(s, -1) {
		name := m[1]
		switch {
		case m[2] != "":
			name = "bcrypt"
		case m[3] != "":
			name = "i"
		}
		n, err := strconv.Atoi(m[4])
		if err != nil {
			t.Fatalf("accepted a number that is no int: %q", s)
		}
		found[name] = n
	}
	return found
}

// FuzzParse: what is refused gives the zero Hash and a typed error; what is accepted is spelled in the one way in which it
// would be written, is within the caps, and can be verified without a panic.
func FuzzParse(f *testing.F) {
	for _, v := range foreign {
		f.Add(v.hash)
	}
	for _, list := range [][]string{accepted, tooCostly, rejected} {
		for _, s := range list {
			if len(s) < 1000 {
				f.Add(s)
			}
		}
	}
	f.Fuzz(func(t *testing.T, s string) {
		h, err := password.Parse(s)
		if err != nil {
			if h != (password.Hash{}) {
				t.Fatalf("refused, but not the zero Hash: %q", s)
			}
			if errors.Is(err, password.ErrMalformed) == errors.Is(err, password.ErrTooCostly) {
				t.Fatalf("not exactly one of the two errors: %v for %q", err, s)
			}
			return
		}
		if got := h.Encode(); got != s {
			t.Fatalf("%q is written as %q", s, got)
		}
		if len(s) > 256 {
			t.Fatalf("accepted %d bytes", len(s))
		}
		c := costsOf(t, s)
		if len(c) == 0 {
			t.Fatalf("accepted without a cost: %q", s)
		}
		memory := c["m"]
		if c["ln"] > 0 {
			if c["ln"] > 20 || c["r"] < 1 || c["p"] < 1 {
				t.Fatalf("scrypt's costs: %q", s)
			}
			memory = c["r"] << c["ln"] / 8
			if memory*c["p"] > 512<<10 {
				t.Fatalf("too much work: %q", s)
			}
		}
		if memory > 256<<10 || memory*c["t"] > 1<<20 || c["t"] > 64 || c["p"] > 64 || c["i"] > 3_000_000 || c["bcrypt"] > 14 {
			t.Fatalf("over the caps: %q", s)
		}
		if memory*max(1, c["t"], c["p"]) <= 1024 && c["i"] <= 1000 && c["bcrypt"] <= 4 {
			h.Verify(s)
		}
	})
}
