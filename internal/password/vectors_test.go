package password_test

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/internal/password"
)

// foreign holds hashes that other implementations made, each with the command or library that did.
var foreign = []struct{ by, secret, hash string }{
	{
		"echo -n 'correct horse' | argon2 somesalt0123456 -id -t 2 -k 19456 -p 1 -l 32 -e", "correct horse",
		"$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQwMTIzNDU2$N3IFgYHbO4OF7AQoWS6TJB4yZrRIQAo89CLV7XiX87c",
	},
	{
		"argon2 somesalt0123456 -id -t 3 -k 64 -p 4 -l 24 -e", "correct horse",
		"$argon2id$v=19$m=64,t=3,p=4$c29tZXNhbHQwMTIzNDU2$LcM7mXNFZelSJvjl6afKw3QRCVq/eDa9",
	},
	{
		"argon2 somesalt0123456 -id -t 1 -k 47104 -p 1 -l 32 -e", "correct horse",
		"$argon2id$v=19$m=47104,t=1,p=1$c29tZXNhbHQwMTIzNDU2$tXZZLQs9SXSRj1hs5uTf3Qs0fZbZ2ZKau+/b/QYYolk",
	},
	{
		"argon2 somesalt0123456 -id -t 1 -k 8 -p 1 -l 64 -e", "correct horse",
		"$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQwMTIzNDU2$" +
			"+boCUaI27Yv4XzaN9u/08byNx2UPBs/axbObPJeq4e1aL2l1vWIAb89Z/5ZHRxrzbCFOL31IiSwYkLwQ4fKCIQ",
	},
	{
		"echo -n 'contraseña' | argon2 8bytesal -id -t 2 -k 64 -p 1 -e", "contraseña",
		"$argon2id$v=19$m=64,t=2,p=1$OGJ5dGVzYWw$z+tl0PNyeg3V3BmlvQeY86wEZHjdOjxo6uywKuLJjyg",
	},
	{
		"argon2 somesalt0123456 -i -t 3 -k 256 -p 2 -l 32 -e", "correct horse",
		"$argon2i$v=19$m=256,t=3,p=2$c29tZXNhbHQwMTIzNDU2$Zh5hC+A/uFOhbB+wULq5EvFZ3a+cKe8IkB/QRwDJiK8",
	},
	{"htpasswd -nbB -C 5 user 'correct horse'", "correct horse", "$2y$05$YNjX5IML5TztbVIxj2Bp8ejUPTgYvNMYnMCiPnxrTErOjynuVOFfS"},
	{"htpasswd -nbB -C 4 user ''", "", "$2y$04$2s0OEt7jgj9VYOvUQvLhXetSGvqxT45gJ4gradbTA/NG6Qt9poCre"},
	{"htpasswd -nbB -C 5 user 'contraseña'", "contraseña", "$2y$05$cjfKdO3s5h2roe3xIJ2CxOMgjzij79c4Nivd1h7TEmbFEjI2aKYXK"},
	{"python bcrypt 3.2.2", "correct horse", "$2a$05$YqtdOjURRNJXMv8OyFK14.LyjEPfBVYExu./mDTb0QjOjDGfP009W"},
	{"python bcrypt 3.2.2", "correct horse", "$2b$05$ATUaZol7/F9TGX5vaGzMBeXLxkaR5Mty5opP8uprWE56.LWGpBFIW"},
	{"python bcrypt 3.2.2", seventyTwo, "$2b$04$fuewPTuYe5f4Le1G.E25wu5WubtAzfUakYTHROMdap7Eytj7rdrfq"},
	{
		"python passlib 1.7.4 pbkdf2_sha256", "correct horse",
		"$pbkdf2-sha256$1200$//4gc2FsdCD7/yBieXRlcw$rLsDbQgXJ9TYA.5utmuY3l6Rpsp20LMIzyxV4sM900o",
	},
	{
		"python passlib 1.7.4 pbkdf2_sha512", "correct horse",
		"$pbkdf2-sha512$1200$//4gc2FsdCD7/yBieXRlcw$" +
			"Xj7wNvE8Xc5Sa/ZK5fMmr8xHqGLReLA1pN1f6lZD.967Qk4hV9wJce06TUpOZ99k3HQd.QUVL2dPtsj8aVBfjg",
	},
	{"python passlib 1.7.4 pbkdf2_sha1", "correct horse", "$pbkdf2$1200$//4gc2FsdCD7/yBieXRlcw$.RaFASe7.KEc/QSUKgmO./2la0U"},
	{
		"python django 3.2.25 PBKDF2PasswordHasher", "correct horse",
		"pbkdf2_sha256$1000$AbcDef123456ghij$nFEMHr6chvWqb6q4dMRkFu7yoWrSlTA5nZQ4WLIidOE=",
	},
	{
		"python django 3.2.25 PBKDF2SHA1PasswordHasher", "correct horse",
		"pbkdf2_sha1$1000$AbcDef123456ghij$VIXG66BQTt11l8hW0GWMPL7tAZU=",
	},
	{
		"python hashlib.pbkdf2_hmac('sha256', b'correct horse', b'0123456789abcdef', 600)", "correct horse",
		"$pbkdf2-sha256$i=600$MDEyMzQ1Njc4OWFiY2RlZg$KY6h7410DTenmbsPuP5uuHy0T8/1yPwf3dZcTM67r0U",
	},
	{
		"python hashlib.pbkdf2_hmac('sha256', b'correct horse', b'0123456789abcdef', 600, 48)", "correct horse",
		"$pbkdf2-sha256$i=600,l=48$MDEyMzQ1Njc4OWFiY2RlZg$KY6h7410DTenmbsPuP5uuHy0T8/1yPwf3dZcTM67r0XC3SfkERXBR3Rw9aW5oRC5",
	},
	{
		"python hashlib.pbkdf2_hmac('sha512', b'correct horse', b'0123456789abcdef', 600)", "correct horse",
		"$pbkdf2-sha512$i=600$MDEyMzQ1Njc4OWFiY2RlZg$" +
			"wOHINdAC0ShDaf6ayjjPs0AiCJlgUpqod2KJq+umsilGAgG5FTqez1I1hGGoZ39nr9CC47IwdpnVD5bwRnVvOg",
	},
	{
		"python hashlib.pbkdf2_hmac('sha1', b'correct horse', b'0123456789abcdef', 600)", "correct horse",
		"$pbkdf2-sha1$i=600$MDEyMzQ1Njc4OWFiY2RlZg$jf3xRDezImFcwGqveXgu1e9zg34",
	},
	{
		"python passlib 1.7.4 scrypt", "correct horse",
		"$scrypt$ln=10,r=8,p=1$//4gc2FsdCD7/yBieXRlcw$xwyyrWTG/Mpp1IGzqCu6F68cqKF+flA6FUxiFeuMcXw",
	},
	{
		"python passlib 1.7.4 scrypt", "correct horse",
		"$scrypt$ln=4,r=1,p=3$//4gc2FsdCD7/yBieXRlcw$gwami2nGwtFp88sevr1GrLJLKqa/QfxNzwXjw345eE4",
	},
}

// seventyTwo is as long as a secret can be for bcrypt.
const seventyTwo = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef01234567"

func TestHashesOfOtherImplementations(t *testing.T) {
	for _, v := range foreign {
		h, err := password.Parse(v.hash)
		require.NoError(t, err, v.by)
		assert.Equal(t, v.hash, h.Encode(), v.by)
		assert.True(t, h.Verify(v.secret), v.by)
		assert.False(t, h.Verify(v.secret+" "), v.by)
		if v.secret != "" {
			assert.False(t, h.Verify(v.secret[1:]), v.by)
		}
	}
}

// A digest with one character changed is another digest, wherever the character is.
func TestAllOfTheDigestCounts(t *testing.T) {
	for _, v := range foreign {
		if strings.Contains(v.hash, "m=19456") || strings.Contains(v.hash, "m=47104") || strings.Contains(v.hash, "ln=10") {
			continue // as slow as they should be
		}
		start := strings.LastIndexByte(v.hash, '$') + 1
		if strings.HasPrefix(v.hash, "$2") {
			start += 22 // the salt
		}
		for _, i := range []int{start, (start + len(v.hash)) / 2, len(v.hash) - 3} { // after that, not every character may stand
			changed := []byte(v.hash)
			if changed[i] = 'A'; v.hash[i] == 'A' {
				changed[i] = 'E'
			}
			require.False(t, mustParse(t, string(changed)).Verify(v.secret), "%s: character %d", v.by, i)
		}
	}
}

func TestPBKDF2RFC(t *testing.T) {
	for _, v := range []struct {
		rfc, id, secret, salt string
		iterations            int
		want                  string
	}{
		{"6070", "pbkdf2-sha1", "password", "salt", 1, "0c60c80f961f0e71f3a9b524af6012062fe037a6"},
		{"6070", "pbkdf2-sha1", "password", "salt", 2, "ea6c014dc72d6f8ccd1ed92ace1d41f0d8de8957"},
		{"6070", "pbkdf2-sha1", "password", "salt", 4096, "4b007901b765489abead49d926f721d065a429c1"},
		{
			"6070", "pbkdf2-sha1", "passwordPASSWORDpassword", "saltSALTsaltSALTsaltSALTsaltSALTsalt", 4096,
			"3d2eec4fe41c849b80c8d83662c0e44a8b291a964cf2f07038",
		},
		{"6070", "pbkdf2-sha1", "pass\x00word", "sa\x00lt", 4096, "56fa6aa75548099dcc37d7f03425e0c3"},
		{
			"7914 section 11", "pbkdf2-sha256", "passwd", "salt", 1,
			"55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc" +
				"49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783",
		},
		{
			"7914 section 11", "pbkdf2-sha256", "Password", "NaCl", 80000,
			"4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56" +
				"a1d425a1225833549adb841b51c9b3176a272bdebba1d078478f62b397f33c8d",
		},
	} {
		got, err := password.DerivePBKDF2(v.id, v.secret, v.salt, v.iterations, len(v.want)/2)
		require.NoError(t, err)
		assert.Equal(t, v.want, hex.EncodeToString(got), "RFC %s, %d iterations", v.rfc, v.iterations)
	}
}

func TestScryptRFC(t *testing.T) {
	// RFC 7914 section 12, without the last, which takes 1 GiB.
	for _, v := range []struct {
		secret, salt string
		ln, r, p     int
		want         string
	}{
		{
			"", "", 4, 1, 1,
			"77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442" +
				"fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906",
		},
		{
			"password", "NaCl", 10, 8, 16,
			"fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162" +
				"2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640",
		},
		{
			"pleaseletmein", "SodiumChloride", 14, 8, 1,
			"7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2" +
				"d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887",
		},
	} {
		got, err := password.DeriveScrypt(v.secret, v.salt, v.ln, v.r, v.p, 64)
		require.NoError(t, err)
		assert.Equal(t, v.want, hex.EncodeToString(got))
	}
}
