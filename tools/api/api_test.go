package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/civicpin/civicpin/tools/internal/worktree"
)

const everything = `package lib

import (
	"context"
	"io"
)

const (
	Max       = 100
	Name      Kind = "a\"b"
	Third     = 1.0 / 3
	unexported = 1
)

var ErrGone error

type Kind string

func Do(ctx context.Context, f func(n int, s ...string) (ok bool, err error)) map[string][]func(x int) { return nil }
func Generic[T any](v T) {}
func hidden() {}

type inner struct {
	Promoted int
	hidden   int
}

func (inner) FromInner() {}

type Options struct {
	Size   int ` + "`json:\"size\"`" + `
	secret io.Writer
	inner
	io.Reader
}

func (Options) Value(at int) {}
func (o *Options) Pointer()  {}
func (o *Options) hidden()   {}

type Pair[K comparable, V any] struct{ Key K }

func (p *Pair[K, V]) Set(v V) {}

type Store interface {
	io.Closer
	Get(ctx context.Context, key string) error
}

type Sealed interface{ seal() }
type Number interface{ ~int | ~float64 }
type Alias = Options
type Func func(ctx context.Context) error
type notSeen struct{ Field int }
`

const everythingLines = `const Max = 100
const Name Kind = "a\"b"
const Third = 0.333333
func Do(context.Context, func(int, ...string) (bool, error)) map[string][]func(int)
func Generic[T any](v T)
import "context"
import "io"
method (*Options) Pointer()
method (*Pair[K, V]) Set(V)
method (Options) FromInner()
method (Options) Read([]byte) (int, error)
method (Options) Value(int)
type Alias = Options
type Func func(context.Context) error
type Kind string
type Number interface{~int | ~float64}
type Options struct
type Options struct, Promoted int
type Options struct, Size int "json:\"size\""
type Options struct, embedded io.Reader
type Pair[K comparable, V any] struct
type Pair[K comparable, V any] struct, Key K
type Sealed interface
type Sealed interface, unexported methods
type Store interface
type Store interface, Close() error
type Store interface, Get(context.Context, string) error
var ErrGone error
`

// repository makes a checkout with a root package, a package within, a nested module, and what is not public.
func repository(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	worktree.Write(t, dir, map[string]string{
		"go.work":            "go 1.26.0\n\nuse (\n\t.\n\t./bench\n\t./store/x\n)\n",
		"go.mod":             "module example.org/lib\n\ngo 1.26.0\n",
		"lib.go":             everything,
		"sub/sub.go":         "package sub\n\nfunc F() {}\n",
		"internal/i/i.go":    "package i\n\nfunc F() {}\n",
		"cmd/c/main.go":      "package main\n\nfunc main() {}\n",
		"store/x/go.mod":     "module example.org/lib/store/x\n\ngo 1.26.0\n",
		"store/x/x.go":       "package x\n\nfunc F(n int) {}\n",
		"store/x/x_test.go":  "package x\n\nfunc G() {}\n",
		"bench/go.mod":       "module example.org/lib/bench\n\ngo 1.26.0\n",
		"bench/bench.go":     "package bench\n\nfunc F() {}\n",
		"sub/testdata/td.go": "package td\n\nfunc F() {}\n",
	})
	return dir
}

func TestWrite(t *testing.T) {
	dir := repository(t)
	worktree.Write(t, dir, map[string]string{"api/gone.txt": "func F()\n"})
	if err := run(t.Context(), dir, []string{"-w"}, t.Output()); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "api/lib.txt"))
	if err != nil {
		t.Fatal(err)
	}
	if string(text) != everythingLines {
		t.Errorf("lib.txt is\n%s", text)
	}
	have, err := stored(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(have) != 3 || have["sub.txt"] == nil || have["store/x.txt"] == nil {
		t.Errorf("the files are %q", have)
	}
	if err := run(t.Context(), dir, nil, t.Output()); err != nil {
		t.Errorf("after -w: %v", err)
	}
}

func TestDifferences(t *testing.T) {
	for _, tc := range []struct {
		name  string
		files map[string]string
		gone  string
		want  []string // the whole output; nil where the code does not build
	}{
		{
			"new function",
			map[string]string{"sub/new.go": "package sub\n\nfunc G(int) {}\n"},
			"",
			[]string{"api/sub.txt: +func G(int)"},
		},
		{
			"changed",
			map[string]string{"sub/sub.go": "package sub\n\nfunc F() int { return 0 }\n"},
			"",
			[]string{"api/sub.txt: -func F()", "api/sub.txt: +func F() int"},
		},
		{"names of parameters", map[string]string{"store/x/x.go": "package x\n\nfunc F(count int) {}\n"}, "", []string{}},
		{"new package", map[string]string{"other/o.go": "package other\n"}, "", []string{"api/other.txt: missing"}},
		{"package is gone", nil, "sub/sub.go", []string{"api/sub.txt: no such package"}},
		{"file is gone", nil, "api/sub.txt", []string{"api/sub.txt: missing", "api/sub.txt: +func F()"}},
		{"file too many", map[string]string{"api/bench.txt": "func F()\n"}, "", []string{"api/bench.txt: no such package"}},
		{
			"written by hand",
			map[string]string{"api/sub.txt": "func F()\nfunc F()\n"},
			"",
			[]string{"api/sub.txt: listed twice or not sorted"},
		},
		{"does not build", map[string]string{"sub/sub.go": "package sub\n\nfunc F() int {}\n"}, "", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			dir := repository(t)
			if err := run(t.Context(), dir, []string{"-w"}, t.Output()); err != nil {
				t.Fatal(err)
			}
			worktree.Write(t, dir, tc.files)
			if tc.gone != "" {
				if err := os.Remove(filepath.Join(dir, tc.gone)); err != nil {
					t.Fatal(err)
				}
			}
			var out strings.Builder
			err := run(t.Context(), dir, nil, &out)
			if ok := tc.want != nil && len(tc.want) == 0; (err == nil) != ok {
				t.Errorf("error is %v", err)
			}
			if got := strings.TrimSuffix(out.String(), "\n"); got != strings.Join(tc.want, "\n") {
				t.Errorf("printed\n%s", got)
			}
		})
	}
}
