package web

import (
	"net/http"
	"net/netip"
	"strings"

	"github.com/civicpin/civicpin"
)

// Proxies says which proxies stand before the portal. The zero Proxies trusts none: the address is the connection's.
type Proxies struct {
	// Count is how many proxies every request passes, each of which appends the address that it saw to the header. The portal
	// must then be out of reach but through them all: a request that passes fewer names its address itself.
	Count int
	// Networks are where the proxies stand: addresses are passed over from the right as long as they are in one of these. With
	// a Count, too, at most that many. A network that visitors are in lets them name any address.
	Networks []netip.Prefix
	// Forwarded says that the proxies write the header Forwarded (RFC 7239). Otherwise it is X-Forwarded-For. The other header is
	// ignored: a proxy that does not write it passes on what the visitor wrote.
	Forwarded bool
}

// unknown is the address of requests that have none, as over a Unix socket. They count as one source, since an empty address
// would have no limit.
const unknown = "unknown"

// Source returns where a request comes from: the network address in its normal form, never with a port or zone, which a visitor
// may change at will. [Cookies.Source] adds the cookies.
//
// Attacks: a visitor spoofs a header, to escape from the limit of a source or to use up another's. Only what a trusted proxy
// appended counts. A header that is malformed, or an entry that is no address, ends the search at the last trusted proxy, whose
// limit such requests share.
func Source(r *http.Request, p Proxies) civicpin.Source {
	address, ok := hop(r.RemoteAddr)
	hops := p.hops(r.Header)
	for passed := 0; len(hops) > 0 && p.trusts(address, passed); passed++ {
		next, valid := hop(hops[len(hops)-1])
		if !valid {
			break
		}
		address, ok, hops = next, true, hops[:len(hops)-1]
	}
	if !ok {
		return civicpin.Source{Address: unknown}
	}
	return civicpin.Source{Address: address.String()}
}

// trusts reports whether what an address appended to the header is true, after so many proxies were passed over.
func (p Proxies) trusts(address netip.Addr, passed int) bool {
	if len(p.Networks) == 0 {
		return passed < p.Count
	}
	for _, network := range p.Networks {
		if network.Contains(address) {
			return p.Count <= 0 || passed < p.Count
		}
	}
	return false
}

// hops returns the addresses in the header, the nearest one last; none if the header is malformed.
func (p Proxies) hops(h http.Header) []string {
	if p.Forwarded {
		hops, _ := forwarded(strings.Join(h.Values("Forwarded"), ","))
		return hops
	}
	list := strings.Join(h.Values("X-Forwarded-For"), ",")
	if list == "" {
		return nil
	}
	return strings.Split(list, ",")
}

// hop returns the address of "192.0.2.1", "192.0.2.1:4711", "2001:db8::1", "[2001:db8::1]" or "[2001:db8::1]:4711", and whether
// it is one. An address of IPv4 that is written as one of IPv6 is one of IPv4.
func hop(s string) (netip.Addr, bool) {
	s = strings.Trim(s, " \t")
	ap, err := netip.ParseAddrPort(s)
	address := ap.Addr()
	if err != nil {
		if inner, ok := strings.CutPrefix(s, "["); ok {
			s, ok = strings.CutSuffix(inner, "]")
			if !ok || !strings.Contains(s, ":") {
				return netip.Addr{}, false
			}
		}
		if address, err = netip.ParseAddr(s); err != nil {
			return netip.Addr{}, false
		}
	}
	return address.Unmap().WithZone(""), true
}
