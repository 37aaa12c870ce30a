package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"strings"
	"time"

	"github.com/civicpin/civicpin/examples/internal/ident"
)

// An authority issues certificates, as the police does with the chip of the identity card.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// newAuthority makes one that began a year ago.
func newAuthority(name string, now time.Time) (authority, error) {
	self := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{Country: []string{"ES"}, CommonName: name},
		NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.AddDate(20, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return authority{}, err
	}
	cert, err := sign(self, self, key, key)
	return authority{cert, key}, err
}

// A card is what a citizen has: a certificate, which is no secret, and the key that goes with it.
type card struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// issue makes a card for a person, valid for four years from a day on. Their number stands in the subject's serialNumber, in
// the form of ETSI EN 319 412-1 5.1.3: IDC for an identity card, then the country, a hyphen and the number.
func (a authority) issue(p person, from time.Time, usage x509.ExtKeyUsage) (card, error) {
	leaf := &x509.Certificate{
		SerialNumber: serial(),
		Subject:      pkix.Name{Country: []string{"ES"}, CommonName: p.Name, SerialNumber: "IDCES-" + string(p.NIF)},
		NotBefore:    from, NotAfter: from.AddDate(4, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{usage},
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return card{}, err
	}
	cert, err := sign(leaf, a.cert, key, a.key)
	return card{cert, key}, err
}

func sign(cert, parent *x509.Certificate, key, by *ecdsa.PrivateKey) (*x509.Certificate, error) {
	der, err := x509.CreateCertificate(rand.Reader, cert, parent, &key.PublicKey, by)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

// serial returns 128 random bits.
func serial() *big.Int {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails
	b[0] &= 0x7f        // RFC 5280 4.1.2.2: positive
	return new(big.Int).SetBytes(b)
}

// answer signs a challenge.
func (c card) answer(challenge []byte) ([]byte, error) {
	sum := sha256.Sum256(challenge)
	return ecdsa.SignASN1(rand.Reader, c.key, sum[:])
}

const (
	notTheirs = refusal("This is the certificate of somebody else.")
	noKey     = refusal("This certificate was shown without its key.")
	noNumber  = refusal("There is no identity number in this certificate.")
)

// checkCertificate returns the number of the person whose certificate it is, if one of the trusted authorities issued it for
// signing in, it is valid now, and whoever shows it has its key. On the web the handshake of TLS does all of that, with
// tls.RequireAndVerifyClientCert; what is left to the program is to read the number.
func checkCertificate(
	cert *x509.Certificate, trusted *x509.CertPool, challenge, signature []byte, now time.Time,
) (ident.NIF, error) {
	_, err := cert.Verify(x509.VerifyOptions{
		Roots: trusted, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	if err != nil {
		return "", err
	}
	if cert.CheckSignature(x509.ECDSAWithSHA256, challenge, signature) != nil {
		return "", noKey
	}
	number, ok := strings.CutPrefix(cert.Subject.SerialNumber, "IDCES-")
	nif, err := ident.ParseNIF(number)
	if !ok || err != nil || string(nif) != number {
		return "", noNumber
	}
	return nif, nil
}
