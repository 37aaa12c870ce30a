package web

import (
	"context"
	"crypto/rand"
	"net/http"
)

// maxBody is the largest body of a request: a page's form, or one document of 1 MB in a multipart form. Serve larger uploads
// outside Secure.
const maxBody = 2 << 20

type nonceKey struct{}

// Secure returns a handler that serves h with the headers that a portal for secrets needs. Wrap the whole portal in it. h may
// set a header anew, as Cache-Control for a style sheet.
//
//   - Cache-Control: no-store. Neither a shared machine's cache nor a proxy keeps a page or a code.
//   - Referrer-Policy: no-referrer. No other site learns the address of a page. Browsers then name no Origin with a form, so a
//     browser from before 2023, that sends no Sec-Fetch-Site either, can post nothing.
//   - Content-Security-Policy: scripts with the request's [Nonce] only; styles with it, or from the portal; images, fonts and
//     forms of the portal; no frame around the page, against clickjacking; no base element.
//   - X-Content-Type-Options: nosniff. An upload never becomes a script.
//   - [http.CrossOriginProtection]: a POST from another site's page is answered 403, against forged requests.
//   - A body over 2 MiB is cut: reading it gives an [http.MaxBytesError], which [Status] answers 413. Take uploads one by
//     one, or serve larger ones outside Secure.
//
// The server's timeouts are the caller's: set ReadHeaderTimeout, ReadTimeout and IdleTimeout of http.Server, against slow
// clients. Strict-Transport-Security is for what ends TLS.
func Secure(h http.Handler) http.Handler {
	guarded := http.NewCrossOriginProtection().Handler(http.MaxBytesHandler(h, maxBody))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		nonce := rand.Text()
		header := w.Header()
		header.Set("Cache-Control", "no-store")
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Content-Security-Policy", "default-src 'none'; script-src 'nonce-"+nonce+"'; style-src 'self' 'nonce-"+nonce+
			"'; img-src 'self'; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		guarded.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), nonceKey{}, nonce)))
	})
}

// Nonce returns the nonce of a request that [Secure] passed on, for <script nonce="…"> and <style nonce="…">; "" for others.
// Every request has another one of 130 bits, so no injected script knows it.
func Nonce(ctx context.Context) string {
	nonce, _ := ctx.Value(nonceKey{}).(string)
	return nonce
}
