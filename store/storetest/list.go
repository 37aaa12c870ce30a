package storetest

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/civicpin/civicpin/store"
)

// many is more than an adapter's page, for the pages in common use.
const many = 300

// list collects what List yields, which has to come without an error.
func (f *fixture) list(prefix, after string) []store.Item {
	f.Helper()
	var items []store.Item
	for item, err := range f.store.(store.Lister).List(f.Context(), prefix, after) {
		if err != nil {
			f.Fatalf("List %q after %q: %v", prefix, after, err)
		}
		items = append(items, item)
	}
	return items
}

// lists checks which keys List yields, in which order.
func (f *fixture) lists(prefix, after string, want ...string) {
	f.Helper()
	var got []string
	for _, item := range f.list(prefix, after) {
		got = append(got, item.Key)
	}
	if slices.Equal(got, want) {
		return
	}
	at := 0
	for at < min(len(got), len(want)) && got[at] == want[at] {
		at++
	}
	f.Errorf("List %q after %q yields %d keys, want %d; they differ from the one at %d on: %q, want %q",
		prefix, after, len(got), len(want), at, got[at:min(at+3, len(got))], want[at:min(at+3, len(want))])
}

// create makes a record under each key, in no order, and returns the keys in order.
func (f *fixture) create(keys ...string) []string {
	f.Helper()
	const workers = 8
	order := rand.Perm(len(keys))
	f.together(workers, func(w int) error {
		for i := w; i < len(order); i += workers {
			key := keys[order[i]]
			if _, err := f.store.Put(f.Context(), key, store.Record{Value: []byte(key)}); err != nil {
				return err
			}
		}
		return nil
	})
	return slices.Sorted(slices.Values(keys))
}

func (f *fixture) createMany(prefix string, n int) []string {
	f.Helper()
	var keys []string
	for i := range n {
		keys = append(keys, fmt.Sprintf("%s%04d", prefix, i))
	}
	return f.create(keys...)
}

func listPrefix(f *fixture) {
	p := unique()
	f.create(p+"/a_b/1", p+"/axb/1", p+"/a.b/1", p+"/a-b/1", p+"/A_B/1", p+"/a_b", p+"/a_b0", p+"/a_", p+"/a_bc/1",
		p+"a_b/1")
	f.lists(p+"/a_b/", "", p+"/a_b/1")
	f.lists(p+"/a.b/", "", p+"/a.b/1")
	f.lists(p+"/a_b", "", p+"/a_b", p+"/a_b/1", p+"/a_b0", p+"/a_bc/1")
	f.lists(p+"/A", "", p+"/A_B/1")
	f.lists(p+"a", "", p+"a_b/1")
	f.lists(p+"/a_b/1", "", p+"/a_b/1")
	f.lists(p+"/a_b/11", "")
	// No key begins like these. Whether that is an empty list or an error is all one.
	patterns := []string{"%", "*", "?", "/a%", "/a*", "/[a]", "\\", "'", "\x00", "\xff", "\xff\xff", " ", "/a_b ", "/.+"}
	for _, pattern := range patterns {
		for item, err := range f.store.(store.Lister).List(f.Context(), p+pattern, "") {
			if err == nil {
				f.Errorf("List yields %q for prefix %q", item.Key, p+pattern)
			}
		}
	}
	z := f.create(p+"/z", p+"/zz", p+"/zzz")
	f.lists(p+"/z", "", z...)
}

func listAfter(f *fixture) {
	p := unique() + "/"
	keys := f.create(p+"b", p+"b/", p+"b0", p+"c", p+"ca", p+"d")
	for i, key := range keys {
		f.lists(p, key, keys[i+1:]...)
	}
	f.lists(p, p, keys...)
	f.lists(p, p+"a", keys...)
	f.lists(p, p+"b.", keys[1:]...) // between two keys
	f.lists(p, p+"bz", keys[3:]...)
	f.lists(p, p+"B", keys...)
	f.lists(p, p[:len(p)-1], keys...) // before the prefix
	f.lists(p, "-", keys...)
	f.lists(p, p+"e")
	f.lists(p, "zzzz")
	f.lists(p+"c", p+"b", p+"c", p+"ca")
	f.lists(p+"c", p+"c", p+"ca")
	// Without a prefix everything comes; this store may hold more than ours.
	at := 0
	for item, err := range f.store.(store.Lister).List(f.Context(), "", p) {
		if err != nil {
			f.Fatalf("List without a prefix: %v", err)
		}
		if at == len(keys) || item.Key != keys[at] {
			break
		}
		at++
	}
	if at != len(keys) {
		f.Errorf("List without a prefix yields %d of %d items in their place", at, len(keys))
	}
}

func listOrder(f *fixture) {
	p := unique() + "/"
	var keys []string
	for _, c := range alphabet {
		keys = append(keys, p+string(c), p+string(c)+"a", p+"a"+string(c)+"a")
	}
	slices.Sort(keys)
	keys = f.create(slices.Compact(keys)...)
	f.lists(p, "", keys...)
}

func listMany(f *fixture) {
	p := unique() + "/"
	keys := f.createMany(p, many)
	f.create(p[:len(p)-1] + "0") // right behind them
	f.lists(p, "", keys...)
	f.lists(p, keys[many/2], keys[many/2+1:]...)
	for _, item := range f.list(p, keys[many-20]) {
		f.sameValue("List", item.Value, []byte(item.Key))
	}
}

func listRecords(f *fixture) {
	p := unique() + "/"
	values := append(binaryValues(), nil, make([]byte, bigValue), []byte("end"))
	for i, value := range values {
		key := fmt.Sprintf("%s%02d", p, i)
		v := f.put(key, []byte("first"), 0)
		f.put(key, value, v)
	}
	items := f.list(p, "")
	if len(items) != len(values) {
		f.Fatalf("List yields %d items, want %d", len(items), len(values))
	}
	for i, item := range items {
		f.sameValue("List", item.Value, values[i])
		if got := f.get(item.Key); got.Version != item.Version {
			f.Errorf("List: version %d of %q, Get tells %d", item.Version, item.Key, got.Version)
		}
	}
}

func listNothing(f *fixture) {
	p := unique() + "/"
	f.lists(p, "")
	v := f.put(p+"a", []byte("x"), 0)
	f.lists(p, "", p+"a")
	f.delete(p+"a", v)
	f.lists(p, "")
}
