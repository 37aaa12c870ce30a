package breached_test

import (
	"bytes"
	"context"
	"crypto"
	_ "crypto/sha1"
	"encoding/hex"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/pin/breached"
)

// digest returns the first digits of a secret's hash, in upper case.
func digest(h crypto.Hash, secret string, digits int) string {
	sum := h.New()
	sum.Write([]byte(secret))
	return strings.ToUpper(hex.EncodeToString(sum.Sum(nil)))[:digits]
}

// lines returns a file's lines for secrets, with what follows each.
func lines(h crypto.Hash, digits int, after string, secrets ...string) string {
	var list []string
	for _, s := range secrets {
		list = append(list, digest(h, s, digits)+after)
	}
	slices.Sort(list)
	return strings.Join(slices.Compact(list), "")
}

func open(t testing.TB, h crypto.Hash, content string) (*breached.File, error) {
	name := t.TempDir() + "/breached.txt"
	require.NoError(t, os.WriteFile(name, []byte(content), 0o600))
	f, err := breached.Open(name, h)
	if err == nil {
		t.Cleanup(func() { _ = f.Close() })
	}
	return f, err
}

// numbered returns secrets of which the file has every second one.
func numbered(n int) (in, out []string) {
	for i := range n {
		in, out = append(in, fmt.Sprint("in ", i)), append(out, fmt.Sprint("out ", i))
	}
	return in, out
}

func TestContains(t *testing.T) {
	for name, tt := range map[string]struct {
		hash   crypto.Hash
		digits int
		after  string
		lower  bool
	}{
		"as downloaded":        {crypto.SHA1, 40, ":123\r\n", false},
		"without counts":       {crypto.SHA1, 40, "\n", false},
		"in lower case":        {crypto.SHA1, 40, ":1\n", true},
		"prefixes":             {crypto.SHA1, 16, "\n", false},
		"the shortest":         {crypto.SHA1, 10, "\r\n", false},
		"SHA-256":              {crypto.SHA256, 64, ":18446744073709551615\r\n", false},
		"prefixes of SHA-256":  {crypto.SHA256, 20, "\n", true},
		"counts of any length": {crypto.SHA1, 12, ":1\n", false},
	} {
		t.Run(name, func(t *testing.T) {
			for _, n := range []int{1, 2, 3, 7, 500} {
				in, out := numbered(n)
				content := lines(tt.hash, tt.digits, tt.after, in...)
				if strings.HasPrefix(name, "counts") {
					for i := range 9 {
						content = strings.Replace(content, ":1\n", ":1"+strings.Repeat("0", i+1)+"\n", i+1)
					}
				}
				if tt.lower {
					content = strings.ToLower(content)
				}
				for _, content := range []string{content, strings.TrimRight(content, "\r\n")} {
					f, err := open(t, tt.hash, content)
					require.NoError(t, err)
					for _, s := range in {
						known, err := f.Contains(t.Context(), civicpin.NewSecret(s))
						require.NoError(t, err)
						require.True(t, known, s)
					}
					for _, s := range out {
						known, err := f.Contains(t.Context(), civicpin.NewSecret(s))
						require.NoError(t, err)
						require.False(t, known, s)
					}
				}
			}
		})
	}
}

func TestOpenRefuses(t *testing.T) {
	good := lines(crypto.SHA1, 40, "\n", "a", "b", "c")
	many, _ := numbered(20_000)
	long := lines(crypto.SHA1, 40, ":17\n", many...)
	_, err := open(t, crypto.SHA1, long)
	require.NoError(t, err)
	for name, content := range map[string]string{
		"empty":                     "",
		"an empty line":             "\n" + good,
		"no digits":                 strings.Repeat("G", 40) + "\n",
		"a range file":              strings.Repeat("A", 9) + "\n",
		"too many digits":           strings.Repeat("A", 41) + "\n",
		"an endless line":           strings.Repeat("A", 4000),
		"an empty last line":        good + "\n",
		"a last line cut short":     strings.TrimRight(good, "\n")[:100],
		"a download that broke off": long[:len(long)*9/10/44*44],
		"without its beginning":     long[len(long)/10/44*44:],
		"backwards":                 "B" + strings.Repeat("0", 39) + "\n" + "A" + strings.Repeat("0", 39) + "\n",
		"no count":                  strings.Repeat("A", 40) + ":\n",
		"text":                      "password\n123456\n",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := open(t, crypto.SHA1, content)
			require.ErrorIs(t, err, breached.ErrFile)
		})
	}
	_, err = breached.Open(t.TempDir()+"/none", crypto.SHA1)
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = open(t, crypto.MD5, good)
	require.ErrorIs(t, err, civicpin.ErrInvalid)
	_, err = breached.Open(t.TempDir(), crypto.SHA1)
	require.Error(t, err, "a folder")
}

// What the search cannot trust is an error, never "not in it".
func TestContainsFailsClosed(t *testing.T) {
	in, _ := numbered(64)
	sorted := strings.SplitAfter(lines(crypto.SHA1, 40, "\n", in...), "\n")
	sorted = sorted[:len(sorted)-1]
	middle := len(sorted) / 2
	ask := func(t *testing.T, content string) error {
		f, err := open(t, crypto.SHA1, content)
		require.NoError(t, err)
		for _, s := range in {
			if _, err := f.Contains(t.Context(), civicpin.NewSecret(s)); err != nil {
				return err
			}
		}
		return nil
	}
	for name, change := range map[string]func(list []string){
		"out of order": func(list []string) { slices.Reverse(list[1 : len(list)-1]) },
		"broken":       func(list []string) { list[middle] = strings.Repeat("x", 40) + "\n" },
		"another":      func(list []string) { list[middle] = list[middle][:20] + "\n" },
		"too long":     func(list []string) { list[middle] = strings.Repeat("A", 500) + "\n" },
	} {
		t.Run(name, func(t *testing.T) {
			list := slices.Clone(sorted)
			change(list)
			require.ErrorIs(t, ask(t, strings.Join(list, "")), breached.ErrFile)
		})
	}
	f, err := open(t, crypto.SHA1, strings.Join(sorted, ""))
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = f.Contains(ctx, civicpin.NewSecret("in 1"))
	require.ErrorIs(t, err, context.Canceled)
	require.NoError(t, f.Close())
	_, err = f.Contains(t.Context(), civicpin.NewSecret("in 1"))
	require.ErrorIs(t, err, os.ErrClosed)
}

// Any bytes are a file or an error. In a file whose lines are sorted the search finds what is there, and nothing else.
func FuzzContains(f *testing.F) {
	f.Add([]byte(lines(crypto.SHA1, 40, ":7\r\n", "a", "b", "c")), "a")
	f.Add([]byte(lines(crypto.SHA1, 12, "\n", "a", "b", "c", "d", "e")), "d")
	f.Add([]byte("0000000000\n\n"), "")
	f.Add(bytes.Repeat([]byte("A"), 300), "x")
	f.Fuzz(func(t *testing.T, content []byte, secret string) {
		file, err := open(t, crypto.SHA1, string(content))
		if err != nil {
			require.ErrorIs(t, err, breached.ErrFile)
			return
		}
		known, err := file.Contains(t.Context(), civicpin.NewSecret(secret))
		if err != nil {
			require.ErrorIs(t, err, breached.ErrFile)
			return
		}
		var prefixes []string
		for line := range strings.Lines(strings.ToUpper(string(content))) {
			digits, _, _ := strings.Cut(strings.TrimRight(line, "\r\n"), ":")
			prefixes = append(prefixes, digits)
		}
		there := slices.Contains(prefixes, digest(crypto.SHA1, secret, len(prefixes[0])))
		if known && !there || there && !known && slices.IsSorted(prefixes) {
			t.Fatalf("known %v, there %v", known, there)
		}
	})
}

func BenchmarkContains(b *testing.B) {
	in, _ := numbered(100_000)
	f, err := open(b, crypto.SHA1, lines(crypto.SHA1, 40, ":1\r\n", in...))
	require.NoError(b, err)
	for b.Loop() {
		_, _ = f.Contains(b.Context(), civicpin.NewSecret("none of these"))
	}
}
