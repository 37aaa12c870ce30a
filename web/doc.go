// Package web joins this library to net/http: what every portal writes between its pages and the services. Besides this module
// it needs the standard library alone, and no other package of the module imports it. When the portal starts:
//
//	cookies, err := web.NewCookies("https://portal.example") // device, ticket, grant and what a login showed
//	mux.Handle("/link", web.LinkPage(rec, page))             // the page behind the links in messages
//	mux.Handle("/receipts", receipts)                        // [Receipts]: what providers report of messages
//	server.Handler = web.Secure(mux)                         // headers, forged requests, size of bodies
//
// In a handler:
//
//	source := cookies.Source(r, web.Proxies{Count: 1}) // the address that the proxy saw, the device, what was shown
//	ok, err := pins.Verify(ctx, pin.Attempt{Subject: subject, Secret: typed, Source: source})
//	refusal := web.Status(err) // status, Retry-After and a code, for every error of every package
//	err = sessions.LogIn(w, r, subject, ok)          // [Sessions]: over any session library; they end with the secret
//	subject, level, err := sessions.Current(r)       // one call of the store
//
// Each helper stands alone: a portal takes those that it wants.
package web
