package storetest

import (
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"github.com/civicpin/civicpin/store"
)

// maxKey is the length of the longest key that [store.CheckKey] accepts, and alphabet is what keys are made of, in
// ascending order.
const (
	maxKey   = 200
	alphabet = "-./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
)

// apart creates a record under each key, in this order, and checks that each is there with its own value.
func (f *fixture) apart(keys ...string) {
	f.Helper()
	versions := make([]store.Version, len(keys))
	for i, key := range keys {
		v, err := f.store.Put(f.Context(), key, store.Record{Value: fmt.Appendf(nil, "%d %s", i, key)})
		if err != nil {
			f.Fatalf("create %q beside %q: %v", key, keys[:i], err)
		}
		versions[i] = v
	}
	for i, key := range keys {
		f.holds(key, fmt.Appendf(nil, "%d %s", i, key), versions[i])
	}
	for i, key := range keys {
		f.delete(key, versions[i])
		f.missing(key)
	}
}

func keyAlphabet(f *fixture) {
	prefix := unique()
	var keys []string
	for _, c := range alphabet {
		keys = append(keys, prefix+string(c), prefix+string(c)+"x")
	}
	f.apart(keys...)
	f.apart(prefix + alphabet)
}

func keyCase(f *fixture) {
	prefix := unique()
	f.apart(prefix+"/key", prefix+"/KEY", prefix+"/Key", prefix+"/kEy", strings.ToLower(prefix)+"/key")
}

func keyLongest(f *fixture) {
	key := unique()
	key += strings.Repeat("x", maxKey-len(key)-1) + "1"
	f.apart(key, key[:maxKey-1]+"2", key[:maxKey-1]+"X", key[:maxKey-1], key[:maxKey-2], "S"+key[1:], key[:9]+"X"+key[10:])
}

// keyAlike has pairs that paths, patterns, padding and clean-up take for one.
func keyAlike(f *fixture) {
	p := unique()
	f.apart(
		p, p+"/", p+"//", p+".", p+"..", p+"-", p+"_", p+"x", p+"xx",
		p+"/a/b", p+"/a//b", p+"/a/./b", p+"/a/../b", p+"/a/b/", p+"/a/c/../b", p+"/a.b", p+"/a_b", p+"/a-b", p+"/axb",
		"/"+p, "./"+p, "../"+p, "-"+p, "."+p, "_"+p,
	)
}

// keyDigits has keys that are alike as numbers.
func keyDigits(f *fixture) {
	var digits [30]byte
	_, _ = rand.Read(digits[:])
	for i := range digits {
		digits[i] = '1' + digits[i]%8
	}
	n := string(digits[:])
	f.apart(n, n[:len(n)-1]+"9", "0"+n, "00"+n, n+".0", n+".00", n+"e0", n+".", "-"+n, "-0"+n)
}

func keyInvalid(f *fixture) {
	base := unique()
	long := strings.Repeat("x", maxKey+1)
	bad := []string{"", long, long + long, base + "\u00e9", base + "\u212a", base + "\ufeff"}
	for c := range 256 {
		if !strings.Contains(alphabet, string(rune(c))) {
			b := string([]byte{byte(c)})
			bad = append(bad, base+b, b+base, base+b+"x")
		}
	}
	for _, key := range bad {
		if _, err := f.store.Get(f.Context(), key); !errors.Is(err, store.ErrInvalidKey) {
			f.Errorf("Get %q: error %v, want ErrInvalidKey", key, err)
		}
		if _, err := f.store.Put(f.Context(), key, store.Record{Value: []byte("x")}); !errors.Is(err, store.ErrInvalidKey) {
			f.Errorf("Put %q: error %v, want ErrInvalidKey", key, err)
		}
		if err := f.store.Delete(f.Context(), key, 1); !errors.Is(err, store.ErrInvalidKey) {
			f.Errorf("Delete %q: error %v, want ErrInvalidKey", key, err)
		}
	}
	f.missing(base)
}
