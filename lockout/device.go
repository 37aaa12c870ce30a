package lockout

import (
	"crypto/subtle"
	"encoding/base64"

	"github.com/civicpin/civicpin"
)

// A device's value is 33 bytes in base64url: this version, the device's id at random, and a keyed hash that binds the id to
// the gate and the subject. The hash is cut to 16 bytes, half of it (RFC 2104 section 5), which leaves nothing to guess on
// line.
const (
	deviceVersion = 1
	deviceIDSize  = 16
	deviceMACSize = 16
	deviceSize    = (1 + deviceIDSize + deviceMACSize) / 3 * 4 // characters
)

// A deviceID tells the devices of a subject apart. It opens nothing without its hash.
type deviceID [deviceIDSize]byte

// text is the id as it stands in records and events.
func (id deviceID) text() string { return base64.RawURLEncoding.EncodeToString(id[:]) }

// encodeDevice returns a device's value.
func encodeDevice(id deviceID, mac [deviceMACSize]byte) string {
	raw := append([]byte{deviceVersion}, id[:]...)
	return base64.RawURLEncoding.EncodeToString(append(raw, mac[:]...))
}

// parseDevice undoes encodeDevice. Each value has one spelling, since its bytes fill the characters.
func parseDevice(value string) (id deviceID, mac [deviceMACSize]byte, ok bool) {
	if len(value) != deviceSize {
		return id, mac, false // before a long one costs anything
	}
	raw := make([]byte, 0, deviceSize)
	raw, err := base64.RawURLEncoding.AppendDecode(raw, []byte(value))
	// The decoder passes over line ends, and then there are fewer bytes.
	if err != nil || len(raw) != 1+deviceIDSize+deviceMACSize || raw[0] != deviceVersion {
		return id, mac, false
	}
	copy(id[:], raw[1:])
	copy(mac[:], raw[1+deviceIDSize:])
	return id, mac, true
}

// deviceMAC binds a device to this gate's name and a subject.
func (g *Gate) deviceMAC(subject civicpin.Subject, id deviceID) [deviceMACSize]byte {
	h := g.vault.Hash("lockout.device", g.name, string(subject), string(id[:]))
	return [deviceMACSize]byte(h[:deviceMACSize])
}

// shown returns the id of the device whose value a target shows, if it is genuine and the subject's. It asks no store, so that
// values made up cost nothing, and a stranger's guess takes the same calls whether or not the subject has devices.
func (g *Gate) shown(target Target) (id deviceID, ok bool) {
	if !g.hasDevices(target) {
		return id, false
	}
	id, mac, ok := parseDevice(target.Source.Device.Reveal())
	if !ok {
		return id, false
	}
	want := g.deviceMAC(target.Subject, id)
	return id, subtle.ConstantTimeCompare(want[:], mac[:]) == 1
}
