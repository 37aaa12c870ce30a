package web_test

import (
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/civicpin/civicpin/web"
)

// address returns what Source makes of a request from a connection, with the lines of a header.
func address(p web.Proxies, connection, header string, lines ...string) string {
	r := httptest.NewRequest("POST", "/", nil)
	r.RemoteAddr = connection
	for _, line := range lines {
		r.Header.Add(header, line)
	}
	return web.Source(r, p).Address
}

func TestSource(t *testing.T) {
	inner := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	one, two, nets := web.Proxies{Count: 1}, web.Proxies{Count: 2}, web.Proxies{Networks: inner}
	rfc := web.Proxies{Networks: inner, Forwarded: true}
	const xff, fwd = "X-Forwarded-For", "Forwarded"
	for _, c := range []struct {
		name, want string
		p          web.Proxies
		connection string
		header     string
		lines      []string
	}{
		{"none trusted", "192.0.2.1", web.Proxies{}, "192.0.2.1:4711", xff, []string{"198.51.100.9"}},
		{"IPv6, without port and zone", "fe80::1", web.Proxies{}, "[fe80::1%eth0]:4711", xff, nil},
		{"IPv4 as IPv6", "192.0.2.1", web.Proxies{}, "[::ffff:192.0.2.1]:4711", xff, nil},
		{"a Unix socket", "unknown", web.Proxies{}, "@", xff, []string{"198.51.100.9"}},
		{"a Unix socket behind one", "198.51.100.9", one, "@", xff, []string{"198.51.100.9"}},
		{"one", "198.51.100.9", one, "10.0.0.1:1", xff, []string{"198.51.100.9"}},
		{"one, spoofed", "198.51.100.9", one, "10.0.0.1:1", xff, []string{"203.0.113.5, 198.51.100.9"}},
		{"one, spoofed in a line", "198.51.100.9", one, "10.0.0.1:1", xff, []string{"203.0.113.5", "198.51.100.9:80"}},
		{"one, no header", "10.0.0.1", one, "10.0.0.1:1", xff, nil},
		{"two", "198.51.100.9", two, "10.0.0.1:1", xff, []string{"203.0.113.5, 198.51.100.9, 10.0.0.2"}},
		{"networks", "198.51.100.9", nets, "10.0.0.1:1", xff, []string{"10.9.9.9, 198.51.100.9,10.0.0.2"}},
		{"networks, from elsewhere", "203.0.113.77", nets, "203.0.113.77:1", xff, []string{"198.51.100.9"}},
		{"networks, mapped", "198.51.100.9", nets, "[::ffff:10.0.0.1]:1", xff, []string{"198.51.100.9"}},
		{"networks, no address", "10.0.0.1", nets, "10.0.0.1:1", xff, []string{"198.51.100.9, unknown"}},
		{"both", "10.0.0.2", web.Proxies{Count: 1, Networks: inner}, "10.0.0.1:1", xff, []string{"198.51.100.9, 10.0.0.2"}},
		{"the other header", "10.0.0.1", rfc, "10.0.0.1:1", xff, []string{"198.51.100.9"}},
		{"the other header, too", "10.0.0.1", nets, "10.0.0.1:1", fwd, []string{"for=198.51.100.9"}},
		{"RFC 7239", "198.51.100.9", rfc, "10.0.0.1:1", fwd, []string{`for=203.0.113.5, For=198.51.100.9;proto=https, for=10.0.0.2`}},
		{"RFC 7239, IPv6", "2001:db8::1", rfc, "10.0.0.1:1", fwd, []string{`by=10.0.0.1;for="[2001:db8::1]:4711";host="a,b;c"`}},
		{"RFC 7239, unquoted", "2001:db8::1", rfc, "10.0.0.1:1", fwd, []string{`for=[2001:db8::1]`}},
		{"RFC 7239, hidden", "10.0.0.1", rfc, "10.0.0.1:1", fwd, []string{`for=203.0.113.5, for=_gazonk`}},
		{"RFC 7239, without for", "10.0.0.1", rfc, "10.0.0.1:1", fwd, []string{`for=203.0.113.5, proto=https`}},
		{"RFC 7239, an open quotation", "10.0.0.1", rfc, "10.0.0.1:1", fwd, []string{`for=203.0.113.5;a="`, `for=198.51.100.9`}},
		{"RFC 7239, over two", "10.0.0.1", rfc, "10.0.0.1:1", fwd, []string{`for=203.0.113.5;a="`, `for="[2001:db8::1]"`}},
		{"RFC 7239, twice", "10.0.0.1", rfc, "10.0.0.1:1", fwd, []string{`for=203.0.113.5;for=198.51.100.9`}},
	} {
		assert.Equal(t, c.want, address(c.p, c.connection, c.header, c.lines...), c.name)
	}
}

// Whatever a visitor writes, the address is the one that the proxy appended, or the proxy's own.
func FuzzSource(f *testing.F) {
	for _, seed := range []string{"", "203.0.113.5", `for="`, `for="[2001:db8::1]:1";by=x`, `a=\`, ",,", `for="\"`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, spoofed string) {
		for header, appended := range map[string]string{
			"X-Forwarded-For": "198.51.100.9", "Forwarded": `for="198.51.100.9:1";host="portal.example"`,
		} {
			p := web.Proxies{Count: 1, Forwarded: header == "Forwarded"}
			got := address(p, "10.0.0.1:1", header, strings.Join([]string{spoofed, appended}, ", "))
			assert.Contains(t, []string{"198.51.100.9", "10.0.0.1"}, got)
			got = address(web.Proxies{Count: 1, Forwarded: p.Forwarded}, "10.0.0.1:1", header, spoofed)
			_, err := netip.ParseAddr(got)
			assert.NoError(t, err)
		}
	})
}
