package password

import (
	"encoding/base64"
	"math"
	"strings"
)

// Lengths that a stored hash may have. The longest that is within the others is about 220 bytes.
const (
	maxString = 512
	minSalt   = 8  // the PHC string format's least; NIST SP 800-63B-4 3.1.1.2 asks for 4 or more
	maxSalt   = 64 // more than any system is known to write
	minTag    = 16 // 128 bits: below that, strangers' secrets could match by chance
	maxTag    = 64 // SHA-512's length
)

// rawStd is base64 as PHC strings have it: no padding, and nothing in the bits that are left over.
var rawStd = base64.RawStdEncoding.Strict()

// Parse reads a stored hash. The forms are:
//
//	$argon2id$v=19$m=19456,t=2,p=1$SALT$HASH       also argon2i
//	$2b$10$SALTHASH                                also 2a and 2y; bcrypt
//	$pbkdf2-sha256$i=600000$SALT$HASH              also -sha1, -sha512; i=600000,l=32 with the hash's length
//	$pbkdf2-sha256$29000$SALT$HASH                 as passlib writes it; $pbkdf2$ is SHA-1
//	$scrypt$ln=17,r=8,p=1$SALT$HASH
//	pbkdf2_sha256$600000$SALT$HASH                 as Django writes it; also pbkdf2_sha1
//
// Exactly one spelling of each hash is read. Anything else gives the zero Hash and an error that matches [ErrMalformed], or
// [ErrTooCostly] if the form is good and the cost over the caps. The error does not quote the string. Parse does no hashing.
func Parse(s string) (Hash, error) {
	if len(s) > maxString {
		return Hash{}, malformed("too long")
	}
	for i := range len(s) {
		// Also keeps out the line ends that encoding/base64 skips.
		if s[i] <= ' ' || s[i] >= 0x7f {
			return Hash{}, malformed("a byte that is not printable ASCII")
		}
	}
	parsed, err := parse(strings.Split(s, "$"))
	if err != nil {
		return Hash{}, err
	}
	return Hash{parsed}, nil
}

// parse picks the form by what is before and after the first "$".
func parse(fields []string) (scheme, error) {
	if fields[0] != "" {
		return parseDjango(fields)
	}
	if len(fields) < 2 {
		return nil, malformed("empty")
	}
	switch id := fields[1]; {
	case id == string(argon2id) || id == string(argon2i):
		return parseArgon2(variant(id), fields[2:])
	case id == "2a" || id == "2b" || id == "2y":
		return parseBcrypt(id, fields[2:])
	case id == "scrypt":
		return parseScrypt(fields[2:])
	case strings.HasPrefix(id, "pbkdf2"):
		return parsePBKDF2(id, fields[2:])
	}
	return nil, malformed("unknown algorithm")
}

// numbers reads "m=1,t=2,p=3" with exactly these names in this order.
func numbers(s string, names ...string) ([]uint64, error) {
	pairs := strings.Split(s, ",")
	if len(pairs) != len(names) {
		return nil, malformed("missing or unknown parameter")
	}
	values := make([]uint64, len(names))
	for i, pair := range pairs {
		value, ok := strings.CutPrefix(pair, names[i]+"=")
		if !ok {
			return nil, malformed("missing or unknown parameter")
		}
		var err error
		if values[i], err = decimal(value); err != nil {
			return nil, err
		}
	}
	return values, nil
}

// decimal reads digits only, without a sign or leading zeros. Numbers that do not fit give the largest one that does, which is
// over every cap.
func decimal(s string) (uint64, error) {
	if s == "" || (s[0] == '0' && len(s) > 1) {
		return 0, malformed("a number that is empty or begins with zero")
	}
	var n uint64
	for i := range len(s) {
		d := uint64(s[i] - '0')
		if d > 9 {
			return 0, malformed("a number that is not all digits")
		}
		if n > (math.MaxUint64-d)/10 {
			n = math.MaxUint64
			continue
		}
		n = n*10 + d
	}
	return n, nil
}

// saltAndTag decodes the last two fields.
func saltAndTag(enc *base64.Encoding, salt, tag string) ([]byte, []byte, error) {
	s, err := enc.DecodeString(salt)
	if err != nil {
		return nil, nil, malformed("salt is not base64")
	}
	t, err := enc.DecodeString(tag)
	if err != nil {
		return nil, nil, malformed("hash is not base64")
	}
	return s, t, checkLengths(len(s), len(t))
}

func checkLengths(salt, tag int) error {
	if salt < minSalt || salt > maxSalt {
		return malformed("salt is not 8 to 64 bytes")
	}
	if tag < minTag || tag > maxTag {
		return malformed("hash is not 16 to 64 bytes")
	}
	return nil
}
