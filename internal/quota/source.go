package quota

import (
	"net/netip"
	"strings"

	"github.com/civicpin/civicpin"
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

// SourceKey returns the key of what counts as one source: see [civicpin.Source.Network].
func SourceKey(address string) store.Key {
	network := civicpin.Source{Address: address}.Network()
	// A record whose key is not UTF-8 could not be read back.
	return store.Key{ID: strings.ToValidUTF8(network[:min(len(network), 256)], "\uFFFD")}
}
