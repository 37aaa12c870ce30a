package password_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/civicpin/civicpin/internal/password"
)

const (
	s16  = "MDEyMzQ1Njc4OWFiY2RlZg"                                                                  // 16 bytes
	s8   = "OGJ5dGVzYWw"                                                                             // 8 bytes
	s7   = "N2J5dGVzIQ"                                                                              // 7 bytes
	s15  = "MDEyMzQ1Njc4OWFiY2Rl"                                                                    // 15 bytes
	s20  = "jf3xRDezImFcwGqveXgu1e9zg34"                                                             // 20 bytes
	s32  = "KY6h7410DTenmbsPuP5uuHy0T8/1yPwf3dZcTM67r0U"                                             // 32 bytes
	s64  = "wOHINdAC0ShDaf6ayjjPs0AiCJlgUpqod2KJq+umsilGAgG5FTqez1I1hGGoZ39nr9CC47IwdpnVD5bwRnVvOg"  // 64 bytes
	s65  = "wOHINdAC0ShDaf6ayjjPs0AiCJlgUpqod2KJq+umsilGAgG5FTqez1I1hGGoZ39nr9CC47IwdpnVD5bwRnVvOgA" // 65 bytes
	bc   = "ATUaZol7/F9TGX5vaGzMBeXLxkaR5Mty5opP8uprWE56.LWGpBFIW"                                   // salt and digest of a bcrypt string
	dj32 = "nFEMHr6chvWqb6q4dMRkFu7yoWrSlTA5nZQ4WLIidOE="
)

var accepted = []string{
	"$argon2id$v=19$m=8,t=1,p=1$" + s8 + "$" + s16,
	"$argon2id$v=19$m=262144,t=4,p=1$" + s16 + "$" + s32,
	"$argon2id$v=19$m=16384,t=64,p=1$" + s16 + "$" + s32,
	"$argon2id$v=19$m=512,t=1,p=64$" + s64 + "$" + s64,
	"$argon2i$v=19$m=4096,t=3,p=1$" + s16 + "$" + s32,
	"$2a$04$" + bc, "$2b$09$" + bc, "$2y$10$" + bc, "$2b$14$" + bc,
	"$pbkdf2$i=1$" + s16 + "$" + s20,
	"$pbkdf2-sha1$i=1$" + s16 + "$" + s20,
	"$pbkdf2-sha1$i=750000$" + s16 + "$" + s64, // 64 bytes are four blocks of SHA-1
	"$pbkdf2-sha256$i=3000000$" + s16 + "$" + s32,
	"$pbkdf2-sha256$i=1500000$" + s16 + "$" + s64,
	"$pbkdf2-sha512$i=3000000$" + s16 + "$" + s16,
	"$pbkdf2-sha256$i=600000,l=32$" + s16 + "$" + s32,
	"$pbkdf2$131000$" + s16 + "$" + s20,
	"$pbkdf2-sha256$29000$" + s16 + "$KY6h7410DTenmbsPuP5uuHy0T8/1yPwf3dZcTM67r0U",
	"$pbkdf2-sha512$25000$" + s16 + "$" + strings.ReplaceAll(s64, "+", "."),
	"pbkdf2_sha256$1200000$abcdefgh$" + dj32,
	"pbkdf2_sha256$1$" + strings.Repeat("z", 64) + "$" + dj32,
	"pbkdf2_sha1$1000$AbcDef12/.+~$VIXG66BQTt11l8hW0GWMPL7tAZU=",
	"$scrypt$ln=17,r=8,p=1$" + s16 + "$" + s32,
	"$scrypt$ln=18,r=8,p=2$" + s16 + "$" + s32,
	"$scrypt$ln=13,r=8,p=64$" + s16 + "$" + s32,
	"$scrypt$ln=1,r=1,p=1$" + s8 + "$" + s16,
	"$scrypt$ln=15,r=1,p=1$" + s8 + "$" + s16,
	"$scrypt$ln=16,r=32,p=2$" + s8 + "$" + s16,
}

// tooCostly is well formed and over a cap, each by itself.
var tooCostly = []string{
	"$argon2id$v=19$m=262145,t=1,p=1$" + s16 + "$" + s32,
	"$argon2id$v=19$m=4194304,t=1,p=1$" + s16 + "$" + s32,                 // 4 GiB
	"$argon2id$v=19$m=4294967295,t=1,p=1$" + s16 + "$" + s32,              // the largest that argon2 is defined for
	"$argon2id$v=19$m=4294967296,t=1,p=1$" + s16 + "$" + s32,              // 2^32: zero if cut to 32 bits
	"$argon2id$v=19$m=4294967360,t=1,p=1$" + s16 + "$" + s32,              // 2^32+64
	"$argon2id$v=19$m=18446744073709551616,t=1,p=1$" + s16 + "$" + s32,    // 2^64
	"$argon2id$v=19$m=18446744073709551680,t=1,p=1$" + s16 + "$" + s32,    // 2^64+64
	"$argon2id$v=19$m=99999999999999999999999,t=1,p=1$" + s16 + "$" + s32, //
	"$argon2id$v=19$m=64,t=65,p=1$" + s16 + "$" + s32,
	"$argon2id$v=19$m=64,t=4294967297,p=1$" + s16 + "$" + s32, // 2^32+1
	"$argon2id$v=19$m=262144,t=1,p=65$" + s16 + "$" + s32,
	"$argon2id$v=19$m=262144,t=1,p=257$" + s16 + "$" + s32, // 2^8+1
	"$argon2id$v=19$m=262144,t=5,p=1$" + s16 + "$" + s32,   // each within, together not
	"$argon2i$v=19$m=16385,t=64,p=1$" + s16 + "$" + s32,
	"$2b$15$" + bc, "$2b$31$" + bc,
	"$pbkdf2-sha256$i=3000001$" + s16 + "$" + s32,
	"$pbkdf2-sha256$i=1500001$" + s16 + "$" + s64,
	"$pbkdf2-sha1$i=750001$" + s16 + "$" + s64,
	"$pbkdf2-sha256$i=18446744073709551617$" + s16 + "$" + s32,
	"$pbkdf2-sha256$3000001$" + s16 + "$KY6h7410DTenmbsPuP5uuHy0T8/1yPwf3dZcTM67r0U",
	"pbkdf2_sha256$3000001$abcdefgh$" + dj32,
	"$scrypt$ln=19,r=8,p=1$" + s16 + "$" + s32,
	"$scrypt$ln=18,r=8,p=3$" + s16 + "$" + s32,
	"$scrypt$ln=18,r=9,p=1$" + s16 + "$" + s32,
	"$scrypt$ln=63,r=8,p=1$" + s16 + "$" + s32,
	"$scrypt$ln=64,r=8,p=1$" + s16 + "$" + s32, // shifted by 64 it is zero
	"$scrypt$ln=4,r=33,p=1$" + s16 + "$" + s32,
	"$scrypt$ln=4,r=1,p=65$" + s16 + "$" + s32,
	"$scrypt$ln=4,r=36028797018963968,p=1$" + s16 + "$" + s32, // 2^55: 128 * 2^4 * r is zero in 64 bits
}

// rejected is malformed, each in one way.
var rejected = []string{
	"", "$", "$$", "$$$$$$", "x", "argon2id", "$argon2id", "$argon2id$", "$2b$", "$scrypt$", "$pbkdf2", "pbkdf2_sha256",
	strings.Repeat("$", 512), strings.Repeat("$", 513), strings.Repeat("a", 1<<20),
	"$1$salt8chr$0123456789abcdef", "$md5$" + s16 + "$" + s32, "{SHA}" + s32, "plain",

	// argon2: the version
	"$argon2id$m=64,t=1,p=1$" + s16 + "$" + s32,
	"$argon2id$v=16$m=64,t=1,p=1$" + s16 + "$" + s32,
	"$argon2id$v=20$m=64,t=1,p=1$" + s16 + "$" + s32,
	"$argon2id$v=19xyz$m=64,t=1,p=1$" + s16 + "$" + s32,
	"$argon2id$v=019$m=64,t=1,p=1$" + s16 + "$" + s32,
	"$argon2id$v=$m=64,t=1,p=1$" + s16 + "$" + s32,
	"$argon2id$19$m=64,t=1,p=1$" + s16 + "$" + s32,
	// the algorithm
	"$argon2d$v=19$m=64,t=1,p=1$" + s16 + "$" + s32,
	"$argon2$v=19$m=64,t=1,p=1$" + s16 + "$" + s32,
	"$Argon2id$v=19$m=64,t=1,p=1$" + s16 + "$" + s32,
	"$ARGON2ID$v=19$m=64,t=1,p=1$" + s16 + "$" + s32,
	"argon2id$v=19$m=64,t=1,p=1$" + s16 + "$" + s32,
	"$$argon2id$v=19$m=64,t=1,p=1$" + s16 + "$" + s32,
	// the parameters
	"$argon2id$v=19$m=64,t=0,p=1$" + s16 + "$" + s32,
	"$argon2id$v=19$m=64,t=1,p=0$" + s16 + "$" + s32,
	"$argon2id$v=19$m=0,t=1,p=1$" + s16 + "$" + s32,
	"$argon2id$v=19$m=7,t=1,p=1$" + s16 + "$" + s32,
	"$argon2id$v=19$m=64,t=1,p=9$" + s16 + "$" + s32,
	"$argon2id$v=19$m=64,t=1,p=1JUNK$" + s16 + "$" + s32,
	"$argon2id$v=19$m=64,t=1,p=1 $" + s16 + "$" + s32,
	"$argon2id$v=19$ m=64,t=1,p=1$" + s16 + "$" + s32,
	"$argon2id$v=19$m=064,t=1,p=1$" + s16 + "$" + s32,
	"$argon2id$v=19$m=64,t=01,p=1$" + s16 + "$" + s32,
	"$argon2id$v=19$m=64,t=00,p=1$" + s16 + "$" + s32,
	"$argon2id$v=19$m=+64,t=1,p=1$" + s16 + "$" + s32,
	"$argon2id$v=19$m=64,t=+1,p=1$" + s16 + "$" + s32,
	"$argon2id$v=19$m=-64,t=1,p=1$" + s16 + "$" + s32,
	"$argon2id$v=19$m=0x40,t=1,p=1$" + s16 + "$" + s32,
	"$argon2id$v=19$m=6_4,t=1,p=1$" + s16 + "$" + s32,
	"$argon2id$v=19$m=64.0,t=1,p=1$" + s16 + "$" + s32,
	"$argon2id$v=19$m=1e3,t=1,p=1$" + s16 + "$" + s32,
	"$argon2id$v=19$m=٦٤,t=1,p=1$" + s16 + "$" + s32,
	"$argon2id$v=19$m=,t=1,p=1$" + s16 + "$" + s32,
	"$argon2id$v=19$m64,t1,p1$" + s16 + "$" + s32,
	"$argon2id$v=19$M=64,T=1,P=1$" + s16 + "$" + s32,
	"$argon2id$v=19$m=64;t=1;p=1$" + s16 + "$" + s32,
	"$argon2id$v=19$$" + s16 + "$" + s32,
	"$argon2id$v=19$m=64,t=1$" + s16 + "$" + s32,
	"$argon2id$v=19$m=64,t=1,$" + s16 + "$" + s32,
	"$argon2id$v=19$t=1,m=64,p=1$" + s16 + "$" + s32,
	"$argon2id$v=19$m=64,t=1,p=1,p=1$" + s16 + "$" + s32,
	"$argon2id$v=19$m=64,m=64,t=1,p=1$" + s16 + "$" + s32,
	"$argon2id$v=19$m=64,t=1,t=1$" + s16 + "$" + s32,
	"$argon2id$v=19$m=64,t=1,p=1,keyid=Hj5+dsK0$" + s16 + "$" + s32,
	"$argon2id$v=19$m=64,t=1,p=1,data=Hj5+dsK0$" + s16 + "$" + s32,
	"$argon2id$v=19$m=64,t=1,p=1,x=1$" + s16 + "$" + s32,
	// salt and hash
	"$argon2id$v=19$m=64,t=1,p=1$$" + s32,
	"$argon2id$v=19$m=64,t=1,p=1$" + s16 + "$",
	"$argon2id$v=19$m=64,t=1,p=1$$",
	"$argon2id$v=19$m=64,t=1,p=1$" + s16,
	"$argon2id$v=19$m=64,t=1,p=1",
	"$argon2id$v=19$m=64,t=1,p=1$" + s7 + "$" + s32,
	"$argon2id$v=19$m=64,t=1,p=1$" + s65 + "$" + s32,
	"$argon2id$v=19$m=64,t=1,p=1$" + s16 + "$" + s15,
	"$argon2id$v=19$m=64,t=1,p=1$" + s16 + "$" + s65,
	"$argon2id$v=19$m=64,t=1,p=1$" + s16 + "==$" + s32,
	"$argon2id$v=19$m=64,t=1,p=1$" + s16 + "$" + s32 + "=",
	"$argon2id$v=19$m=64,t=1,p=1$" + s16[:21] + "h$" + s32, // g is 100000, h 100001: a bit left over
	"$argon2id$v=19$m=64,t=1,p=1$" + s16 + "$" + s32[:42] + "V",
	"$argon2id$v=19$m=64,t=1,p=1$" + s16 + "AAA$" + s32, // 25 characters are of no length in bytes
	"$argon2id$v=19$m=64,t=1,p=1$" + strings.ReplaceAll(s64, "+", "-") + "$" + s32,
	"$argon2id$v=19$m=64,t=1,p=1$" + s16 + "$" + strings.ReplaceAll(s32, "/", "_"),
	"$argon2id$v=19$m=64,t=1,p=1$" + s16 + "$" + strings.ReplaceAll(s64, "+", "."),
	"$argon2id$v=19$m=64,t=1,p=1$" + s16 + "$" + s32[:20] + "\n" + s32[20:], // encoding/base64 skips these two
	"$argon2id$v=19$m=64,t=1,p=1$" + s16 + "$" + s32[:20] + "\r" + s32[20:],
	"$argon2id$v=19$m=64,t=1,p=1$" + s16 + "$" + s32 + "\n",
	"$argon2id$v=19$m=64,t=1,p=1$" + s16 + "$" + s32 + " ",
	" $argon2id$v=19$m=64,t=1,p=1$" + s16 + "$" + s32,
	"$argon2id$v=19$m=64,t=1,p=1$" + s16 + "$" + s32 + "\x00",
	"$argon2id\x00$v=19$m=64,t=1,p=1$" + s16 + "$" + s32,
	"$argon2id$v=19$m=64,t=1,p=1$" + s16 + "$" + s32 + "\x7f",
	"$argon2id$v=19$m=64,t=1,p=1$" + s16 + "$" + s32 + "é",
	"$argon2id$v=19$m=64,t=1,p=1$" + s16 + "$" + s32 + "$",
	"$argon2id$v=19$m=64,t=1,p=1$" + s16 + "$" + s32 + "$JUNK",

	// bcrypt
	"$2$10$" + bc, "$2x$10$" + bc, "$2c$10$" + bc, "$2B$10$" + bc, "$3b$10$" + bc, "$2bb$10$" + bc, "2b$10$" + bc,
	"$2b$00$" + bc, "$2b$03$" + bc, "$2b$32$" + bc, "$2b$99$" + bc, "$2b$4$" + bc, "$2b$010$" + bc, "$2b$+9$" + bc,
	"$2b$ 9$" + bc, "$2b$1a$" + bc, "$2b$$" + bc, "$2b$0$" + bc, "$2b$0x$" + bc,
	"$2b$10$" + bc[:52], "$2b$10$" + bc + "A", "$2b$10$" + bc + "$", "$2b$10$" + bc + "\x00", "$2b$10$",
	"$2b$10$" + bc[:21] + "f" + bc[22:], // e is 100000, f 100001: a bit left over in the salt
	"$2b$10$" + bc[:52] + "X",           // and in the digest
	"$2b$10$" + bc[:30] + "+" + bc[31:],
	"$2b$10$" + bc[:30] + "=" + bc[31:],

	// PBKDF2
	"$pbkdf2-sha256$i=0$" + s16 + "$" + s32,
	"$pbkdf2-sha256$i=0600$" + s16 + "$" + s32,
	"$pbkdf2-sha256$i=+600$" + s16 + "$" + s32,
	"$pbkdf2-sha256$i=600x$" + s16 + "$" + s32,
	"$pbkdf2-sha256$i=$" + s16 + "$" + s32,
	"$pbkdf2-sha256$I=600$" + s16 + "$" + s32,
	"$pbkdf2-sha256$i=600,i=600$" + s16 + "$" + s32,
	"$pbkdf2-sha256$l=32,i=600$" + s16 + "$" + s32,
	"$pbkdf2-sha256$i=600,l=31$" + s16 + "$" + s32,
	"$pbkdf2-sha256$i=600,l=032$" + s16 + "$" + s32,
	"$pbkdf2-sha256$i=600,l=4294967328$" + s16 + "$" + s32,
	"$pbkdf2-sha256$i=600,l=$" + s16 + "$" + s32,
	"$pbkdf2-sha256$i=600,$" + s16 + "$" + s32,
	"$pbkdf2-sha256$i=600$$" + s32,
	"$pbkdf2-sha256$i=600$" + s16 + "$",
	"$pbkdf2-sha256$i=600$" + s16 + "$" + s15,
	"$pbkdf2-sha256$i=600$" + s16 + "$" + s32 + "=",
	"$pbkdf2-sha256$i=600$" + s16 + "$" + s32 + "$x",
	"$pbkdf2-sha256$i=600$" + s16,
	"$pbkdf2-sha256$i=600$" + s16 + "$" + strings.ReplaceAll(s64, "+", "."), // passlib's alphabet
	"$pbkdf2-sha224$i=600$" + s16 + "$" + s32,
	"$pbkdf2-SHA256$i=600$" + s16 + "$" + s32,
	"$pbkdf2_sha256$i=600$" + s16 + "$" + s32,
	"$pbkdf2-md5$i=600$" + s16 + "$" + s32,
	"$pbkdf2x$i=600$" + s16 + "$" + s32,
	// passlib's
	"$pbkdf2-sha256$0$" + s16 + "$" + s32,
	"$pbkdf2-sha256$029000$" + s16 + "$" + s32,
	"$pbkdf2-sha256$$" + s16 + "$" + s32,
	"$pbkdf2-sha256$29000$" + s16 + "$" + s20,
	"$pbkdf2-sha512$29000$" + s16 + "$" + s64, // has a "+"
	"$pbkdf2-sha1$29000$" + s16 + "$" + s20,   // its name for it is pbkdf2
	"$pbkdf2-sha256$29000$$" + s32,
	"$pbkdf2-sha256$29000$" + s16[:21] + "h$" + s32,
	"$pbkdf2-sha256$29000$" + s16 + "$" + s32[:42] + "V",
	"$pbkdf2-sha256$29000$" + s7 + "$" + s32,
	// Django's
	"pbkdf2_sha256$0$abcdefgh$" + dj32,
	"pbkdf2_sha256$01000$abcdefgh$" + dj32,
	"pbkdf2_sha256$i=1000$abcdefgh$" + dj32,
	"pbkdf2_sha256$$abcdefgh$" + dj32,
	"pbkdf2_sha256$1000$$" + dj32,
	"pbkdf2_sha256$1000$abcdefg$" + dj32,
	"pbkdf2_sha256$1000$" + strings.Repeat("z", 65) + "$" + dj32,
	"pbkdf2_sha256$1000$abcd efgh$" + dj32,
	"pbkdf2_sha256$1000$abcdefgñ$" + dj32,
	"pbkdf2_sha256$1000$abcdefg\x7f$" + dj32,
	"pbkdf2_sha256$1000$abcdefg\x00$" + dj32,
	"pbkdf2_sha256$1000$abcdefgh$" + dj32[:43],
	"pbkdf2_sha256$1000$abcdefgh$" + dj32 + "=",
	"pbkdf2_sha256$1000$abcdefgh$" + dj32[:42] + "F=",
	"pbkdf2_sha256$1000$abcdefgh$",
	"pbkdf2_sha256$1000$abcdefgh",
	"pbkdf2_sha256$1000$abcdefgh$" + dj32 + "$",
	"pbkdf2_sha256$1000$abcdefgh$VIXG66BQTt11l8hW0GWMPL7tAZU=",
	"pbkdf2_sha1$1000$abcdefgh$" + dj32,
	"pbkdf2_sha512$1000$abcdefgh$" + dj32,
	"PBKDF2_sha256$1000$abcdefgh$" + dj32,
	"pbkdf2-sha256$1000$abcdefgh$" + dj32,
	"pbkdf2$1000$abcdefgh$VIXG66BQTt11l8hW0GWMPL7tAZU=",

	// scrypt
	"$scrypt$ln=0,r=8,p=1$" + s16 + "$" + s32,
	"$scrypt$ln=10,r=0,p=1$" + s16 + "$" + s32,
	"$scrypt$ln=10,r=8,p=0$" + s16 + "$" + s32,
	"$scrypt$ln=16,r=1,p=1$" + s16 + "$" + s32, // RFC 7914 section 2: N is less than 2^(16 r)
	"$scrypt$ln=010,r=8,p=1$" + s16 + "$" + s32,
	"$scrypt$ln=+10,r=8,p=1$" + s16 + "$" + s32,
	"$scrypt$ln=10,r=8,p=1x$" + s16 + "$" + s32,
	"$scrypt$N=1024,r=8,p=1$" + s16 + "$" + s32,
	"$scrypt$r=8,ln=10,p=1$" + s16 + "$" + s32,
	"$scrypt$ln=10,r=8$" + s16 + "$" + s32,
	"$scrypt$ln=10,r=8,p=1,p=1$" + s16 + "$" + s32,
	"$scrypt$ln=10,r=8,p=1$$" + s32,
	"$scrypt$ln=10,r=8,p=1$" + s16 + "$",
	"$scrypt$ln=10,r=8,p=1$" + s7 + "$" + s32,
	"$scrypt$ln=10,r=8,p=1$" + s16 + "$" + s15,
	"$scrypt$ln=10,r=8,p=1$" + s16 + "$" + s32 + "=",
	"$scrypt$ln=10,r=8,p=1$" + s16 + "$" + s32 + "$",
	"$Scrypt$ln=10,r=8,p=1$" + s16 + "$" + s32,
}

func TestParseAcceptsCanonicalStrings(t *testing.T) {
	for _, s := range accepted {
		h, err := password.Parse(s)
		if assert.NoError(t, err, s) {
			assert.Equal(t, s, h.Encode())
		}
	}
}

func TestParseRefusesCostBeforeWork(t *testing.T) {
	for _, s := range tooCostly {
		h, err := password.Parse(s)
		assert.ErrorIs(t, err, password.ErrTooCostly, s)
		assert.NotErrorIs(t, err, password.ErrMalformed, s)
		assert.Equal(t, password.Hash{}, h, s)
	}
}

func TestParseRefusesEverythingElse(t *testing.T) {
	for _, s := range rejected {
		h, err := password.Parse(s)
		assert.ErrorIs(t, err, password.ErrMalformed, "%.200q", s)
		assert.NotErrorIs(t, err, password.ErrTooCostly, "%.200q", s)
		assert.Equal(t, password.Hash{}, h, "%.200q", s)
	}
}

// Length is judged first, so that an overlong string costs nothing.
func TestParseIsBoundedInLength(t *testing.T) {
	_, err := password.Parse("$argon2id$" + strings.Repeat("a", 502))
	assert.NotContains(t, err.Error(), "too long")
	_, err = password.Parse("$argon2id$" + strings.Repeat("a", 503))
	assert.ErrorContains(t, err, "too long")
	endless := strings.Repeat("$", 1<<20)
	assert.Less(t, testing.AllocsPerRun(10, func() { _, _ = password.Parse(endless) }), 10.0)
}

func TestParseErrorsDoNotQuote(t *testing.T) {
	for _, s := range append(append([]string{}, rejected...), tooCostly...) {
		_, err := password.Parse(s)
		if err == nil {
			continue // reported by the tests above
		}
		for field := range strings.SplitSeq(s, "$") {
			if len(field) >= 8 {
				assert.NotContains(t, err.Error(), field)
			}
		}
	}
}
