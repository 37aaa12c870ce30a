package main

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/otp"
)

// An authenticator is an app that has scanned a key, as there are on everybody's telephone. The library only checks codes;
// it has no call that makes one.
type authenticator struct{ key otp.Key }

// scan reads the text of a QR code.
func scan(uri civicpin.Secret) (authenticator, error) {
	key, err := otp.ParseKey(uri)
	if err == nil && key.Algorithm != otp.SHA1 {
		err = fmt.Errorf("this app does not know %s", key.Algorithm)
	}
	return authenticator{key}, err
}

// code is what the app shows at a time (RFC 6238; RFC 4226 5.3).
func (a authenticator) code(now time.Time) string {
	mac := hmac.New(sha1.New, []byte(a.key.Seed.Reveal()))
	step := uint64(now.Unix()) / uint64(a.key.Period/time.Second)
	mac.Write(binary.BigEndian.AppendUint64(nil, step))
	sum := mac.Sum(nil)
	offset := sum[len(sum)-1] & 0xf
	number := binary.BigEndian.Uint32(sum[offset:]) & 0x7fff_ffff
	text := fmt.Sprintf("%010d", number)
	return text[len(text)-a.key.Digits:]
}

// slip returns a code with a slip of the hand in its middle.
func slip(code string) string {
	b := []byte(code)
	b[len(b)/2] = '0' + (b[len(b)/2]-'0'+5)%10
	return string(b)
}
