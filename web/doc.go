// Package web joins this library to net/http: what every portal writes between its pages and the services. It needs the
// standard library alone, and no other package of this module imports it.
//
//	refusal := web.Status(err) // status, Retry-After and a code, for every error of every package
//	source := web.Source(r, web.Proxies{Count: 1}) // the address that the proxy saw
//	cookies, err := web.NewCookies("https://portal.example") // device, ticket, grant and proof
//	source = cookies.Source(r, web.Proxies{Count: 1})        // with the device and the proof
//	handler := web.Secure(mux)                               // headers, forged requests, size of bodies
//	mux.Handle("/link", web.LinkPage(rec, page))             // the page behind the links of all kinds
//
// Each join stands alone: a portal takes those that it wants.
package web
