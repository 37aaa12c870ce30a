package main

import "net/http"

// passed reports whether a visitor passed the challenge. The checkbox stands in for a captcha, and any machine can tick it. A
// real portal puts its provider's widget into the template "challenge" of pages.html, and asks the provider about the solution
// here, as the example of web.Captcha does. If the provider does not answer, the visitor has not passed.
func passed(r *http.Request) bool { return r.PostFormValue("captcha") != "" }
