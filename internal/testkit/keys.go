package testkit

import "github.com/civicpin/civicpin/store"

// Keys are the keys of all vaults of the tests: the same each time, so that several vaults, and a vault after a crash, read
// one store.
func Keys() store.Keys {
	keys, err := store.ParseKeys("civicpin keys 1\n" +
		"index MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE\n" +
		"seal k1 c2VhbGluZyBrZXkgZm9yIHRoZSB0ZXN0cyBvbmx5ISE\n")
	if err != nil {
		panic(err)
	}
	return keys
}
