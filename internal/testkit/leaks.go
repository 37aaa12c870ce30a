package testkit

import (
	"maps"
	"slices"
	"testing"
)

// LeaksNothing fails for each secret that is in one of the places, in any form that programs usually give to a text: as it is,
// in small or capital letters, in groups, quoted, as bytes, hexadecimal, in base32 or base64 at any offset; of a token the
// verifier alone, too. A secret of fewer than six bytes, or a number of fewer than sixteen digits, counts where it stands
// alone: it may be in a longer word or number by chance.
//
// It refuses to look for no secret, for an empty one, in no place, or in an empty one; and it plants each form of each secret
// first, to see that it would find it.
func LeaksNothing(t testing.TB, places map[string]string, secrets ...string) {
	t.Helper()
	if len(secrets) == 0 || slices.Contains(secrets, "") || len(places) == 0 {
		t.Fatalf("testkit: %d secrets in %d places, and none may be empty", len(secrets), len(places))
	}
	secrets = slices.Compact(slices.Sorted(slices.Values(secrets)))
	n := newNeedles(secrets)
	for _, secret := range secrets {
		for _, form := range append(bare(secret), encoded(secret)...) {
			if (form == secret || len(form) >= shortCode) && len(n.find("<"+form+">")) == 0 {
				t.Fatalf("testkit: %q is not found as %q", secret, form)
			}
		}
	}
	for _, place := range slices.Sorted(maps.Keys(places)) {
		if places[place] == "" {
			t.Fatalf("testkit: %s is empty", place)
		}
		for secret, form := range n.find(places[place]) {
			t.Errorf("testkit: a secret is in %s: %q, as %q", place, secret, form)
		}
	}
}
