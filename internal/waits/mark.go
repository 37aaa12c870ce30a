package waits

import (
	"encoding/binary"
	"hash/fnv"
	"maps"
	"slices"
)

// Mark is a number that stays the same until an act ends a thing. It has the times of the last acts in it, if they are kept: a
// record that went, and began anew, may count as many acts as before.
func (a Acts) Mark(thing Thing) uint64 {
	h := fnv.New64a()
	add := func(n uint64) { _, _ = h.Write(binary.BigEndian.AppendUint64(nil, n)) } // never fails
	for _, act := range slices.Sorted(maps.Keys(a)) {
		if !Of(thing, act).Ends() {
			continue
		}
		_, _ = h.Write([]byte(act))
		add(a[act].N)
		for _, at := range a[act].Last {
			add(uint64(at.UnixNano()))
		}
	}
	return h.Sum64()
}
