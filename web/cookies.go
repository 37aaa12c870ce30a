package web

import (
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/civicpin/civicpin"
)

// A Cookie is what a portal leaves with the visitor's browser.
type Cookie string

// The cookies, and the longest that each may live.
const (
	Device Cookie = "device" // pin.Service.RememberDevice, for a subject who ticked the box; 400 days
	Ticket Cookie = "ticket" // recovery.Run.Ticket; 30 days, since a run may wait
	Grant  Cookie = "grant"  // pin.Grant.Text, until the new secret is set; pin.ParseGrant reads it; 24 hours
	Shown  Cookie = "shown"  // pin.Verified.Shown of a login, or pin.Service.Shown of a known device; 15 minutes
)

// longest returns how long a cookie may live; zero for what is none of the four.
func (c Cookie) longest() time.Duration {
	switch c {
	case Device:
		return 400 * 24 * time.Hour // browsers keep none longer
	case Ticket:
		return 30 * 24 * time.Hour
	case Grant:
		return 24 * time.Hour
	case Shown:
		return 15 * time.Minute
	}
	return 0
}

// Cookies sets, reads and clears the cookies of one portal. It is immutable and safe for concurrent use. Make one with
// [NewCookies].
//
// All are HttpOnly, so that no script reads them, SameSite=Strict, so that no other site's page uses them, Secure, and named
// "__Host-…", so that neither another host of the domain nor a plain connection can plant one.
type Cookies struct {
	origin string // https://portal.example
	secure bool
}

// NewCookies returns the cookies of the portal at a fixed address, "https://portal.example" or one with a path. On plain HTTP
// the address must be a loopback one, as in development: "http://127.0.0.1:8080", "http://localhost". There the cookies are
// neither Secure nor "__Host-…". Errors:
//   - [civicpin.ErrInvalid]: any other plain-HTTP address, over which cookies could be read on the way; an address with a user,
//     query or fragment; and what is no address.
func NewCookies(address string) (*Cookies, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Hostname() == "" || u.User != nil || strings.ContainsAny(address, "?#") {
		return nil, fmt.Errorf("web: the portal's address is no plain address of a page: %w", civicpin.ErrInvalid)
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())) {
		return nil, fmt.Errorf("web: the portal's address is neither https nor on this machine: %w", civicpin.ErrInvalid)
	}
	host := strings.ToLower(u.Host)
	if standard := map[string]string{"https": ":443", "http": ":80"}[u.Scheme]; u.Port() != "" {
		host = strings.TrimSuffix(host, standard)
	}
	return &Cookies{origin: u.Scheme + "://" + host, secure: u.Scheme == "https"}, nil
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback() || strings.EqualFold(host, "localhost")
}

// Set leaves a value with the browser, for as long as it is good: the shorter of the lifetime given and the cookie's longest.
// Errors:
//   - [civicpin.ErrInvalid]: a cookie that is none of the four, an empty value or one that no cookie can carry, or no lifetime.
func (c *Cookies) Set(w http.ResponseWriter, name Cookie, value civicpin.Secret, lifetime time.Duration) error {
	lifetime = min(lifetime, name.longest())
	cookie := c.cookie(name, value.Reveal(), int(lifetime/time.Second))
	if cookie.MaxAge < 1 || cookie.Value == "" || len(cookie.Value) > 2048 || cookie.Valid() != nil {
		return fmt.Errorf("web: no such cookie, or a value or lifetime that it cannot have: %w", civicpin.ErrInvalid)
	}
	http.SetCookie(w, cookie)
	return nil
}

// Get returns a cookie's value, a zero one if there is none. Two of one name give none: one of them was planted.
func (c *Cookies) Get(r *http.Request, name Cookie) civicpin.Secret {
	if found := r.CookiesNamed(c.name(name)); len(found) == 1 {
		return civicpin.NewSecret(found[0].Value)
	}
	return civicpin.Secret{}
}

// Clear has the browser forget a cookie. Clear the ticket once the run is done, the grant once it is used, and Shown when
// the subject logs out; the device stays until the subject asks for it.
func (c *Cookies) Clear(w http.ResponseWriter, name Cookie) {
	http.SetCookie(w, c.cookie(name, "", -1))
}

// Source is [Source] with Device and Shown. They are left out unless the request is a POST from a page of the portal:
// no link, image or form of another site can then spend the guesses of the subject's device, or the reserves that it opens.
func (c *Cookies) Source(r *http.Request, p Proxies) civicpin.Source {
	source := Source(r, p)
	if r.Method == http.MethodPost && c.sameOrigin(r) {
		source.Device, source.Shown = c.Get(r, Device), c.Get(r, Shown)
	}
	return source
}

// sameOrigin reports whether the browser says that a page of the portal sent the request. Old browsers say Origin only.
func (c *Cookies) sameOrigin(r *http.Request) bool {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" {
		return site == "same-origin"
	}
	return r.Header.Get("Origin") == c.origin
}

func (c *Cookies) name(name Cookie) string {
	if c.secure {
		return "__Host-" + string(name)
	}
	return string(name)
}

func (c *Cookies) cookie(name Cookie, value string, age int) *http.Cookie {
	return &http.Cookie{
		Name: c.name(name), Value: value, Path: "/", MaxAge: age, Secure: c.secure, HttpOnly: true, SameSite: http.SameSiteStrictMode,
	}
}
