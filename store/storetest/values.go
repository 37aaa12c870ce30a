package storetest

import (
	"bytes"
	"crypto/rand"
	"fmt"

	"github.com/civicpin/civicpin/store"
)

// bigValue is the size of the greatest value that a vault writes.
const bigValue = 256 << 10

func getMissing(f *fixture) {
	key := unique()
	f.missing(key)
	v := f.put(key+"/longer", []byte("x"), 0)
	f.missing(key)
	f.delete(key+"/longer", v)
	f.missing(key + "/longer")
}

func getValue(f *fixture) {
	key := unique()
	var v store.Version
	for i := range 5 {
		value := fmt.Appendf(nil, "value %d", i)
		v = f.put(key, value, v)
		f.sameValue("Get", f.get(key).Value, value)
	}
	// A value that does not change is a write all the same: engines that report only changed rows get this wrong.
	same := []byte("value 4")
	again := f.put(key, same, v)
	f.holds(key, same, again)
}

// binaryValues are what text columns, C strings and trimming get wrong.
func binaryValues() [][]byte {
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	return [][]byte{
		every,
		{0},
		{0, 0, 0},
		[]byte("a\x00b"), []byte("end\x00"), []byte(" both ends "), []byte("line\r\n"), []byte("\n"),
		{0xff, 0xfe},
		{0xc3, 0x28},
		[]byte("\ufeffbom"), []byte(`\x41\000'";--`), []byte("null"), []byte("0"), []byte("%s%[1]d"),
	}
}

func getBinary(f *fixture) {
	for _, value := range binaryValues() {
		key := unique()
		v := f.put(key, value, 0)
		f.holds(key, value, v)
		v = f.put(key, append([]byte("other"), value...), v)
		v = f.put(key, value, v)
		f.holds(key, value, v)
	}
}

func getBig(f *fixture) {
	key := unique()
	value := make([]byte, bigValue)
	_, _ = rand.Read(value)
	v := f.put(key, value, 0)
	f.holds(key, value, v)
	other := bytes.Repeat([]byte{0}, bigValue)
	v = f.put(key, other, v)
	f.holds(key, other, v)
	v = f.put(key, []byte("small"), v)
	f.holds(key, []byte("small"), v)
}

func getOwn(f *fixture) {
	prefix := unique()
	versions := make([]store.Version, 30)
	key := func(i int) string { return fmt.Sprintf("%s/%d", prefix, i) }
	for i := range versions {
		versions[i] = f.put(key(i), []byte(key(i)), 0)
	}
	f.delete(key(0), versions[0])
	versions[1] = f.put(key(1), []byte("changed"), versions[1])
	f.missing(key(0))
	f.holds(key(1), []byte("changed"), versions[1])
	for i := 2; i < len(versions); i++ {
		f.holds(key(i), []byte(key(i)), versions[i])
	}
}
