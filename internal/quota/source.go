package quota

import (
	"net/netip"
	"strings"

	"github.com/civicpin/civicpin/store"
)

// WideKey returns the /48 of an address of IPv6, which is what one customer may be given, and false for any other address.
func WideKey(address string) (store.Key, bool) {
	p, err := netip.ParsePrefix(SourceKey(address).ID)
	if err != nil {
		return store.Key{}, false
	}
	p, err = p.Addr().Prefix(48)
	return store.Key{ID: p.String()}, err == nil
}

// SourceKey returns what counts as one source: a host of IPv4, a /64 of IPv6 (the least that one customer is given, so that
// changing the address within it gains nothing), and any other text as it is. A port is left out: each connection has
// another one.
func SourceKey(address string) store.Key {
	if ap, err := netip.ParseAddrPort(address); err == nil {
		address = ap.Addr().String()
	}
	if ip, err := netip.ParseAddr(address); err == nil {
		if ip = ip.Unmap(); ip.Is6() {
			if p, err := ip.WithZone("").Prefix(64); err == nil {
				return store.Key{ID: p.String()}
			}
		}
		return store.Key{ID: ip.String()}
	}
	if len(address) > 256 {
		address = address[:256]
	}
	return store.Key{ID: strings.ToValidUTF8(address, "\uFFFD")} // a record whose key is not UTF-8 could not be read back
}
