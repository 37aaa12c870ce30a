package storetest

import (
	"fmt"

	"github.com/civicpin/civicpin/store"
)

// fill overwrites a slice, and what it has room for behind its end.
func fill(b []byte) {
	b = b[:cap(b)]
	for i := range b {
		b[i] = '#'
	}
}

func aliasIn(f *fixture) {
	key := unique()
	value := append(make([]byte, 0, 64), "created"...)
	v := f.put(key, value, 0)
	fill(value)
	f.holds(key, []byte("created"), v)
	value = append(make([]byte, 0, 64), "replaced"...)
	v = f.put(key, value, v)
	fill(value)
	f.holds(key, []byte("replaced"), v)
}

func aliasOut(f *fixture) {
	key := unique()
	v := f.put(key, []byte("kept"), 0)
	fill(f.get(key).Value)
	f.holds(key, []byte("kept"), v)
}

func aliasReads(f *fixture) {
	one, two := unique(), unique()
	f.put(one, []byte("one"), 0)
	f.put(two, []byte("two"), 0)
	a, b, c := f.get(one), f.get(two), f.get(one)
	fill(a.Value)
	f.sameValue("a record read before, of another key", b.Value, []byte("two"))
	f.sameValue("a record read before, of the same key", c.Value, []byte("one"))
}

func aliasList(f *fixture) {
	prefix := unique() + "/"
	const n = 5
	for i := range n {
		f.put(fmt.Sprint(prefix, i), fmt.Appendf(nil, "value %d", i), 0)
	}
	items := f.list(prefix, "")
	if len(items) != n {
		f.Fatalf("List yields %d items, want %d", len(items), n)
	}
	for i, item := range items {
		f.sameValue("an item, after those before it were written into", item.Value, fmt.Appendf(nil, "value %d", i))
		fill(item.Value)
	}
	for i := range n {
		f.sameValue("Get", f.get(fmt.Sprint(prefix, i)).Value, fmt.Appendf(nil, "value %d", i))
	}
}

func emptyCreated(f *fixture) {
	for _, value := range [][]byte{nil, {}} {
		key := unique()
		v := f.put(key, value, 0)
		f.holds(key, nil, v)
		_, err := f.store.Put(f.Context(), key, store.Record{Value: []byte("x")})
		f.conflict("create over an empty value", err)
		f.delete(key, v)
		f.missing(key)
	}
}

func emptyReplacing(f *fixture) {
	for _, value := range [][]byte{nil, {}} {
		key := unique()
		v := f.put(key, []byte("full"), 0)
		v = f.put(key, value, v)
		f.holds(key, nil, v)
		v = f.put(key, []byte("full"), v)
		f.holds(key, []byte("full"), v)
	}
}

func emptyListed(f *fixture) {
	prefix := unique() + "/"
	f.put(prefix+"a", nil, 0)
	f.put(prefix+"b", []byte{}, 0)
	items := f.list(prefix, "")
	if len(items) != 2 || len(items[0].Value) != 0 || len(items[1].Value) != 0 {
		f.Errorf("List yields %d items, want 2 with empty values", len(items))
	}
}
