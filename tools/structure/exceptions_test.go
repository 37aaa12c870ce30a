package main

// exceptions are the sizes that were above their limits when the limits were set. A size on this list may not grow, and goes
// from the list when it keeps to its limit. Nothing is added.
var exceptions = map[string]int{
	"lines of store/storetest/races.go": 290,

	"complexity of Policy.Validate in lockout/policy.go":       37,
	"complexity of Contact.Validate in message.go":             23,
	"complexity of CodePolicy.Validate in otp/codes_policy.go": 20,
	"lines of parseKey in otp/uri.go":                          78,
	"complexity of parseKey in otp/uri.go":                     32,
	"lines of verification.run in store/audit/verify.go":       57,
	"complexity of verification.run in store/audit/verify.go":  19,
	"complexity of parseKeys in store/keys.go":                 16,
	"complexity of NewRouter in store/router.go":               19,
	"lines of versionPaired in store/storetest/numbers.go":     60,
	"lines of raceLong in store/storetest/races.go":            66,
	"complexity of raceLong in store/storetest/races.go":       19,
	"complexity of language.wording in texts/language.go":      16,
	"complexity of Writer.secrets in texts/link.go":            19,
	"complexity of New in texts/texts.go":                      19,
	"complexity of Writer.values in texts/values.go":           26,
}
