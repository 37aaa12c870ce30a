package main

import (
	"maps"
	"slices"
	"testing"
)

// leaves are the comparisons outside internal/attempt, each with the reason why it may stand where it does. A guess at a secret
// of a subject is none of them: it goes through a guard.
var leaves = map[string]string{
	"Decoys.Verify in internal/password/decoys.go: password.Hash.Verify": "called by internal/attempt alone",
	"Gate.shown in lockout/device.go: subtle.ConstantTimeCompare":        "a MAC of 128 bits; internal/attempt imports lockout",
	"Key.Find in internal/oath/oath.go: subtle.ConstantTimeEq":           "called by internal/attempt alone",
	"Key.FindPair in internal/oath/oath.go: subtle.ConstantTimeEq":       "called by internal/attempt alone",
	"Open in internal/shown/shown.go: subtle.ConstantTimeCompare":        "a MAC, which opens reserves and no credential",
	"Secret.Equal in secret.go: subtle.ConstantTimeCompare":              "a form that asks for a new secret twice",
	"Service.fresher in pin/grant_use.go: attempt.Told":                  "through a guard: a choice is right if it is no former secret",
	"Token.Fits in internal/token/token.go: subtle.ConstantTimeCompare":  "a token of 256 bits: guesses need not be counted",
	"Typed in internal/token/link.go: subtle.ConstantTimeCompare":        "called by internal/attempt alone",
	"signer.signed in web/signer.go: hmac.Equal":                         "a MAC under a provider's key, and no guess at a subject's",
	"same in internal/password/hash.go: subtle.ConstantTimeCompare":      "hashes; Hash.Verify is called by internal/attempt alone",
	"visit.right in recovery/guess.go: attempt.Told":                     "through a guard: the caller's register, and contact.Snapshot.Match",

	"Log.open in store/audit/entry.go: bytes.Equal":                "sums of stored records, to the operator who has the key",
	"Kind.Put in store/kind.go: bytes.Equal":                       "a record that was written, with the one to be written",
	"Vault.fits in store/canary.go: hmac.Equal":                    "the sum of the canary, which says whether the keys fit",
	"Vault.mend in store/retire.go: hmac.Equal":                    "the same",
	"concurrentKeys in store/storetest/races.go: bytes.Equal":      "values of a test",
	"fixture.sameValue in store/storetest/fixture.go: bytes.Equal": "values of a test",
	"verification.entry in store/audit/verify.go: bytes.Equal":     "the same",
	"verification.run in store/audit/verify.go: bytes.Equal":       "the same",
}

// Secrets are compared in internal/attempt, and nothing lets a guess through but its guard.
func TestComparisons(t *testing.T) {
	found := theModule(t).comparisons()
	slices.Sort(found)
	same(t, found, slices.Sorted(maps.Keys(leaves)))
}

// The check itself, on a module that compares in each way.
func TestComparisonsSees(t *testing.T) {
	m := small(t, map[string]string{
		"go.mod": "module " + modulePath + "\n\ngo 1.26.0\n",
		"pin/pin.go": `package pin
			import (
				"bytes"
				"crypto/hmac"
				"crypto/subtle"
				"` + modulePath + `/internal/attempt"
				"` + modulePath + `/internal/oath"
				"` + modulePath + `/internal/password"
				"` + modulePath + `/internal/token"
				"` + modulePath + `/lockout"
			)
			type S struct{ h password.Hash; k oath.Key; g *lockout.Gate }
			func (s *S) direct() bool { return subtle.ConstantTimeCompare(nil, nil) == 1 || subtle.ConstantTimeCompare(nil, nil) == 2 }
			func (s *S) literal() { func() { s.h.Verify() }() }
			func (s *S) value() func() { return s.k.Find }
			func (s *S) expression() { f := (*lockout.Gate).Do; f(s.g) }
			var variable = hmac.Equal
			func all() { (&oath.Key{}).FindPair(); token.Typed(); attempt.Told(); bytes.Equal(nil, nil) }
			func other() { attempt.Bytes(); s := S{}; s.g.Status(); s.h.Encode(); _ = bytes.Clone(nil); subtle.XORBytes(nil, nil, nil) }`,
		"internal/attempt/attempt.go": `package attempt
			import "crypto/subtle"
			func Bytes() { subtle.ConstantTimeEq(1, 1) }
			func Told() {}`,
		"internal/oath/oath.go":         "package oath\ntype Key struct{}\nfunc (*Key) Find() {}\nfunc (*Key) FindPair() {}",
		"internal/password/password.go": "package password\ntype Hash struct{}\nfunc (Hash) Verify() {}\nfunc (Hash) Encode() {}",
		"internal/token/token.go":       "package token\nfunc Typed() {}",
		"lockout/lockout.go":            "package lockout\ntype Gate struct{}\nfunc (*Gate) Do() {}\nfunc (*Gate) Status() {}",
	})
	same(t, m.comparisons(), []string{
		"S.direct in pin/pin.go: subtle.ConstantTimeCompare",
		"S.literal in pin/pin.go: password.Hash.Verify",
		"S.value in pin/pin.go: oath.Key.Find",
		"S.expression in pin/pin.go: lockout.Gate.Do",
		"a variable in pin/pin.go: hmac.Equal",
		"all in pin/pin.go: oath.Key.FindPair", "all in pin/pin.go: token.Typed", "all in pin/pin.go: attempt.Told",
		"all in pin/pin.go: bytes.Equal",
	})
}
