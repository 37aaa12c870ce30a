package web

import "net/http"

// A Captcha is the portal's way to tell a person from a machine: a provider's, or one of its own. The library asks for it where
// guessing by machines begins to cost others, and never instead of a limit:
//
//	source := cookies.Source(r, proxies)
//	source.Challenged, err = captcha.Passed(r) // a login; Status answers "challenge" where a challenge helps
//	run, err = rec.Answer(r.Context(), ticket, recovery.Answers{Captcha: passed, Source: source}) // plan.Captcha
//
// Show the challenge on the page that follows the code "challenge", and where [recovery.Ask].Captcha is set. A page that Secure
// serves runs a provider's script only if the portal adds the provider to the Content-Security-Policy. A puzzle must not be the
// only way: WCAG 2.2 3.3.8 asks for one without a cognitive test.
type Captcha interface {
	// Passed reports whether a request brings the solution of a challenge, as a form's field, and uses the solution up: it is
	// false for the same one once more, and true once of many at the same moment. An error says that it is not known, as when
	// the provider does not answer: the visitor has not passed, and may try again.
	Passed(r *http.Request) (bool, error)
}
