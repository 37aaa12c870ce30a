package password_test

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/internal/password"
)

// cheap is for tests of everything but strength.
var cheap = password.Params{Memory: 64, Time: 1, Threads: 1}

func mustParse(t testing.TB, s string) password.Hash {
	t.Helper()
	h, err := password.Parse(s)
	require.NoError(t, err)
	return h
}

func TestNewHash(t *testing.T) {
	h := password.New(password.Default(), "K7PM-WXYZ")
	assert.True(t, h.Verify("K7PM-WXYZ"))
	assert.False(t, h.Verify("K7PM-WXYy"))
	assert.False(t, h.Verify(""))
	assert.Regexp(t, `^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$`, h.Encode())

	again := mustParse(t, h.Encode())
	assert.Equal(t, h.Encode(), again.Encode())
	assert.True(t, again.Verify("K7PM-WXYZ"))
	assert.True(t, again.Current(password.Default()))
}

func TestEverySaltIsNew(t *testing.T) {
	seen := map[string]bool{}
	for range 200 {
		h := password.New(cheap, "same")
		fields := strings.Split(h.Encode(), "$")
		require.False(t, seen[fields[4]] || seen[fields[5]])
		seen[fields[4]], seen[fields[5]] = true, true
	}
}

func TestNewPanicsOnUnusableParams(t *testing.T) {
	for _, p := range []password.Params{
		{},
		{Memory: 64, Time: 0, Threads: 1},
		{Memory: 64, Time: 1, Threads: 0},
		{Memory: 7, Time: 1, Threads: 1},
		{Memory: 256<<10 + 1, Time: 1, Threads: 1},
		{Memory: 64, Time: 65, Threads: 1},
	} {
		assert.PanicsWithValue(t, fmt.Sprint("password: New with parameters that cannot be used: ", unusable(p)),
			func() { password.New(p, "x") }, "%+v", p)
	}
}

// unusable returns why Parse refuses the same parameters.
func unusable(p password.Params) error {
	_, err := password.Parse(fmt.Sprintf("$argon2id$v=19$m=%d,t=%d,p=%d$c29tZXNhbHQwMTIzNDU2$c29tZXNhbHQwMTIzNDU2", p.Memory,
		p.Time, p.Threads))
	return err
}

func TestZeroHashMatchesNothing(t *testing.T) {
	var h password.Hash
	assert.False(t, h.Verify(""))
	assert.False(t, h.Verify("x"))
	assert.False(t, h.Current(password.Params{}))
	assert.False(t, h.Current(password.Default()))
	assert.Empty(t, h.Encode())
	assert.Equal(t, "none", h.String())
}

func TestCurrent(t *testing.T) {
	const salt, tag = "c29tZXNhbHQwMTIzNDU2YQ", "z+tl0PNyeg3V3BmlvQeY86wEZHjdOjxo6uywKuLJjyg"
	for _, c := range []struct {
		hash string
		want bool
	}{
		{"$argon2id$v=19$m=19456,t=2,p=1$" + salt + "$" + tag, true},
		{"$argon2i$v=19$m=19456,t=2,p=1$" + salt + "$" + tag, false},
		{"$argon2id$v=19$m=19457,t=2,p=1$" + salt + "$" + tag, false},
		{"$argon2id$v=19$m=19456,t=3,p=1$" + salt + "$" + tag, false},
		{"$argon2id$v=19$m=19456,t=2,p=2$" + salt + "$" + tag, false},
		{"$argon2id$v=19$m=19456,t=2,p=1$OGJ5dGVzYWw$" + tag, false},                              // salt of 8 bytes
		{"$argon2id$v=19$m=19456,t=2,p=1$" + salt + "$" + salt, false},                            // digest of 16
		{"$2b$10$ATUaZol7/F9TGX5vaGzMBeXLxkaR5Mty5opP8uprWE56.LWGpBFIW", false},                   // other algorithms
		{"$pbkdf2-sha256$i=600000$" + salt + "$" + tag, false},                                    //
		{"$scrypt$ln=17,r=8,p=1$" + salt + "$" + tag, false},                                      //
		{"pbkdf2_sha256$600000$abcdefghijkl$nFEMHr6chvWqb6q4dMRkFu7yoWrSlTA5nZQ4WLIidOE=", false}, //
	} {
		assert.Equal(t, c.want, mustParse(t, c.hash).Current(password.Default()), c.hash)
	}
}

// What x/crypto or the algorithm itself cannot tell apart must not match: see Verify.
func TestSecretsThatAlgorithmsConfuse(t *testing.T) {
	const (
		bcrypt72     = "$2b$04$fuewPTuYe5f4Le1G.E25wu5WubtAzfUakYTHROMdap7Eytj7rdrfq"
		bcryptHorse  = "$2b$05$ATUaZol7/F9TGX5vaGzMBeXLxkaR5Mty5opP8uprWE56.LWGpBFIW"
		bcryptEmpty  = "$2y$04$2s0OEt7jgj9VYOvUQvLhXetSGvqxT45gJ4gradbTA/NG6Qt9poCre"
		pbkdf2Horse  = "$pbkdf2-sha256$i=600$MDEyMzQ1Njc4OWFiY2RlZg$KY6h7410DTenmbsPuP5uuHy0T8/1yPwf3dZcTM67r0U"
		djangoHorse  = "pbkdf2_sha1$1000$AbcDef123456ghij$VIXG66BQTt11l8hW0GWMPL7tAZU="
		scryptHorse  = "$scrypt$ln=4,r=1,p=3$//4gc2FsdCD7/yBieXRlcw$gwami2nGwtFp88sevr1GrLJLKqa/QfxNzwXjw345eE4"
		argon2idCafe = "$argon2id$v=19$m=64,t=2,p=1$OGJ5dGVzYWw$z+tl0PNyeg3V3BmlvQeY86wEZHjdOjxo6uywKuLJjyg"
	)
	for _, c := range []struct{ hash, right, wrong string }{
		{bcrypt72, seventyTwo, seventyTwo + "x"},                           // cut after 72 bytes
		{bcrypt72, seventyTwo, seventyTwo + strings.Repeat("long ", 1000)}, //
		{bcryptHorse, "correct horse", "correct horse\x00correct horse"},   // repeated
		{bcryptEmpty, "", "\x00"},                                          //
		{pbkdf2Horse, "correct horse", "correct horse\x00"},                // filled up with zero bytes
		{djangoHorse, "correct horse", "correct horse\x00\x00"},            //
		{scryptHorse, "correct horse", "correct horse\x00"},                //
		{argon2idCafe, "contraseña", "contraseña\x00"},                     // argon2 can tell
		{argon2idCafe, "contraseña", "contrasen\u0303a"},                   // another normal form
	} {
		h := mustParse(t, c.hash)
		assert.True(t, h.Verify(c.right), c.hash)
		assert.False(t, h.Verify(c.wrong), c.hash)
	}
	// With argon2id zero bytes and any length are part of the secret like others.
	for _, secret := range []string{"\x00", "a\x00b", strings.Repeat("long ", 1000), "\xff\xfe"} {
		h := password.New(cheap, secret)
		assert.True(t, h.Verify(secret))
		assert.False(t, h.Verify(secret+"\x00"))
		assert.False(t, h.Verify(secret[1:]))
	}
}

func TestHashDoesNotPrint(t *testing.T) {
	type inside struct {
		h  password.Hash
		p  *password.Hash
		X  password.Hash
		hs []password.Hash
	}
	for _, v := range foreign {
		h := mustParse(t, v.hash)
		fields := strings.Split(v.hash, "$")
		digest := fields[len(fields)-1]
		digest = digest[len(digest)-12:]

		var out strings.Builder
		for _, value := range []any{
			h, &h, inside{h, &h, h, []password.Hash{h}}, &inside{h: h}, []password.Hash{h}, map[string]any{"h": h},
		} {
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%08.3f", "%t", "%U"} {
				fmt.Fprintf(&out, verb+"\n", value)
				assert.Equal(t, h.String(), fmt.Sprintf(verb, h))
			}
			slog.New(slog.NewTextHandler(&out, nil)).Info("x", "value", value)
			slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "value", value)
		}
		for _, part := range []string{digest, fmt.Sprintf("%x", digest), fmt.Sprintf("%X", digest), fmt.Sprint([]byte(digest))} {
			assert.NotContains(t, out.String(), part, v.by)
		}
		assert.Contains(t, out.String(), h.String())

		_, err := json.Marshal(map[string]any{"h": h})
		assert.Error(t, err)
		assert.Error(t, gob.NewEncoder(new(bytes.Buffer)).Encode(h))
	}
}

func TestHashString(t *testing.T) {
	for _, c := range []struct{ hash, want string }{
		{foreign[0].hash, "argon2id(m=19456,t=2,p=1)"},
		{foreign[5].hash, "argon2i(m=256,t=3,p=2)"},
		{foreign[6].hash, "bcrypt(2y,5)"},
		{"$pbkdf2-sha256$i=600$MDEyMzQ1Njc4OWFiY2RlZg$KY6h7410DTenmbsPuP5uuHy0T8/1yPwf3dZcTM67r0U", "pbkdf2-sha256(i=600)"},
		{"pbkdf2_sha1$1000$AbcDef123456ghij$VIXG66BQTt11l8hW0GWMPL7tAZU=", "pbkdf2_sha1(i=1000)"},
		{"$scrypt$ln=4,r=1,p=3$//4gc2FsdCD7/yBieXRlcw$gwami2nGwtFp88sevr1GrLJLKqa/QfxNzwXjw345eE4", "scrypt(ln=4,r=1,p=3)"},
	} {
		assert.Equal(t, c.want, mustParse(t, c.hash).String())
	}
}
