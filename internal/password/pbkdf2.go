package password

import (
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"hash"
	"strings"
)

// ab64 is passlib's base64: "." where others have "+", so that a hash can stand in a shell's word.
var ab64 = base64.NewEncoding("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789./").
	WithPadding(base64.NoPadding).Strict()

// paddedStd is the base64 of Django's hashes.
var paddedStd = base64.StdEncoding.Strict()

// A spelling is how a system writes its PBKDF2 hashes.
type spelling uint8

const (
	phc       spelling = iota // i=600000
	phcLength                 // i=600000,l=32
	passlib                   // 600000
	django                    // no "$" in front, a salt in plain text
)

// pbkdf2Hash is RFC 8018's PBKDF2 with HMAC. It is checked only, never made.
type pbkdf2Hash struct {
	spelling   spelling
	id         string // as in the string
	digest     func() hash.Hash
	iterations int
	salt, tag  []byte
}

// digestOf returns the hash function of an algorithm's name in a stored string.
func digestOf(id string) func() hash.Hash {
	switch id {
	case "pbkdf2", "pbkdf2-sha1", "pbkdf2_sha1":
		return sha1.New // its collisions do not matter within HMAC
	case "pbkdf2-sha256", "pbkdf2_sha256":
		return sha256.New
	case "pbkdf2-sha512":
		return sha512.New
	}
	return nil
}

func parsePBKDF2(id string, fields []string) (scheme, error) {
	h := &pbkdf2Hash{id: id, digest: digestOf(id)}
	if h.digest == nil || strings.Contains(id, "_") {
		return nil, malformed("unknown algorithm")
	}
	if len(fields) != 3 {
		return nil, malformed("wrong number of fields")
	}
	enc, names := rawStd, []string{"i"}
	switch {
	case strings.Contains(fields[0], ","):
		h.spelling, names = phcLength, []string{"i", "l"}
	case !strings.Contains(fields[0], "="):
		h.spelling, enc = passlib, ab64
		if id == "pbkdf2-sha1" { // passlib's name for it is pbkdf2
			return nil, malformed("unknown algorithm")
		}
		fields[0] = "i=" + fields[0]
	}
	n, err := numbers(fields[0], names...)
	if err != nil {
		return nil, err
	}
	if h.salt, h.tag, err = saltAndTag(enc, fields[1], fields[2]); err != nil {
		return nil, err
	}
	if h.spelling == phcLength && n[1] != uint64(len(h.tag)) {
		return nil, malformed("hash is not of the length that it says")
	}
	if h.spelling == passlib && len(h.tag) != h.digest().Size() {
		return nil, malformed("hash is not as long as its digest")
	}
	return h.within(n[0])
}

func parseDjango(fields []string) (scheme, error) {
	h := &pbkdf2Hash{spelling: django, id: fields[0], digest: digestOf(fields[0])}
	if h.digest == nil || !strings.Contains(h.id, "_") {
		return nil, malformed("unknown algorithm")
	}
	if len(fields) != 4 {
		return nil, malformed("wrong number of fields")
	}
	n, err := decimal(fields[1])
	if err != nil {
		return nil, err
	}
	h.salt = []byte(fields[2])
	if h.tag, err = paddedStd.DecodeString(fields[3]); err != nil {
		return nil, malformed("hash is not base64")
	}
	if err := checkLengths(len(h.salt), len(h.tag)); err != nil {
		return nil, err
	}
	if len(h.tag) != h.digest().Size() {
		return nil, malformed("hash is not as long as its digest")
	}
	return h.within(n)
}

// within sets the iterations, if they are not over the cap. Each block of output takes all of them anew.
func (h *pbkdf2Hash) within(iterations uint64) (scheme, error) {
	if iterations < 1 {
		return nil, malformed("no iterations")
	}
	size := h.digest().Size()
	blocks := (len(h.tag) + size - 1) / size
	if iterations > maxPBKDF2Work/uint64(blocks) {
		return nil, tooCostly("iterations")
	}
	h.iterations = int(iterations)
	return h, nil
}

func (h *pbkdf2Hash) encode() string {
	switch h.spelling {
	case django:
		return fmt.Sprintf("%s$%d$%s$%s", h.id, h.iterations, h.salt, paddedStd.EncodeToString(h.tag))
	case passlib:
		return fmt.Sprintf("$%s$%d$%s$%s", h.id, h.iterations, ab64.EncodeToString(h.salt), ab64.EncodeToString(h.tag))
	case phcLength:
		return fmt.Sprintf("$%s$i=%d,l=%d$%s$%s", h.id, h.iterations, len(h.tag), rawStd.EncodeToString(h.salt),
			rawStd.EncodeToString(h.tag))
	}
	return fmt.Sprintf("$%s$i=%d$%s$%s", h.id, h.iterations, rawStd.EncodeToString(h.salt), rawStd.EncodeToString(h.tag))
}

func (h *pbkdf2Hash) costs() string { return fmt.Sprintf("%s(i=%d)", h.id, h.iterations) }

// verify refuses zero bytes, with which HMAC fills short keys up: "ab\x00" would pass for "ab". The only errors of
// pbkdf2.Key are FIPS 140-only mode's, under which SHA-1 and short salts are not to be used: no match.
func (h *pbkdf2Hash) verify(secret string) bool {
	tag, err := h.derive(secret, len(h.tag))
	return err == nil && same(tag, h.tag) && !strings.Contains(secret, "\x00")
}

func (h *pbkdf2Hash) derive(secret string, size int) ([]byte, error) {
	return pbkdf2.Key(h.digest, secret, h.salt, h.iterations, size)
}
