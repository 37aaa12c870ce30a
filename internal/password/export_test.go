package password

// The RFCs' vectors have shorter salts than a stored hash may have, so they are run below Parse.

func DerivePBKDF2(id, secret, salt string, iterations, size int) ([]byte, error) {
	h := &pbkdf2Hash{id: id, digest: digestOf(id), iterations: iterations, salt: []byte(salt)}
	return h.derive(secret, size)
}

func DeriveScrypt(secret, salt string, ln, r, p, size int) ([]byte, error) {
	h := &scryptHash{ln: ln, r: r, p: p, salt: []byte(salt)}
	return h.derive(secret, size)
}

// Places returns how many are in front of the gate or in it.
func Places(g *Gate) int64 { return g.places.Load() }
