package main

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"strings"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/web"
)

// handshake stands in for TLS, which this machine's plain HTTP has not: with tls.RequireAndVerifyClientCert it refuses what no
// trusted authority issued, what has expired, and a browser without the key; the rest is r.TLS.PeerCertificates[0].
// examples/clavepin/x509.go does it by hand. The chosen name plays the list that a browser shows.
func handshake(chosen string) (*x509.Certificate, error) {
	owner := map[string]string{"ana": anaNIF, "luis": luisNIE}[chosen]
	if owner == "" { // "old" has expired
		return nil, refusal{"certificate", "clave.certificate.wrong"}
	}
	return &x509.Certificate{
		SerialNumber: big.NewInt(0x5eed), Issuer: pkix.Name{CommonName: "AC DNIE"}, Subject: pkix.Name{SerialNumber: "IDCES-" + owner},
	}, nil
}

// certificatePage registers a citizen who has a certificate, and raises the level of one who is registered.
func (c *clave) certificatePage(v *visit) (view, error) {
	list := field{Name: "certificate", Label: v.T("clave.certificate"), Type: "select"}
	for _, name := range []string{"ana", "old", "luis"} {
		list.Options = append(list.Options, option{Value: name, Label: v.T("clave.certificate." + name)})
	}
	w := v.simple("clave.certificate", how{"certificate.go", "pin.Service.Issue (Evidence), Attest"}, "go", list)
	if _, _, err := v.user(); err == nil {
		w.Say, w.Forms[0].Act, w.Forms[0].Button = v.say("clave.certificate.raise"), "raise", "clave.certificate.button"
		return w, nil
	}
	w.Forms[0].Fields = append(w.Forms[0].Fields, v.mobileField("612 345 678"))
	return w, nil
}

func (c *clave) certificate(v *visit) (string, error) {
	cert, err := handshake(v.typed("certificate"))
	if err != nil {
		return "", err
	}
	subject, err := c.parse(strings.TrimPrefix(cert.Subject.SerialNumber, "IDCES-")) // ETSI EN 319 412-1 5.1.3
	if err != nil {
		return "", err
	}
	proof := civicpin.Evidence{
		Method: civicpin.Certificate, By: civicpin.Citizen, // a machine checked it
		Document: fmt.Sprintf("certificate %x of %s", cert.SerialNumber, cert.Issuer.CommonName),
	}
	if v.typed("act") == "raise" {
		return "/clave/app", c.raise(v, subject, proof)
	}
	mobile, err := v.mobile("mobile")
	if err != nil {
		return "", err
	}
	_, err = c.pins.Issue(v.ctx(), subject, pin.IssueOptions{
		Parts: []civicpin.Contact{mobile}, Level: civicpin.Substantial, Evidence: proof, By: civicpin.Citizen, Source: v.source(),
	})
	v.flashed(err, "clave.certificate.done")
	return "/clave/activate", err
}

// raise is the step up: the credential has a higher level from now on, and a session has that of its login, so the app logs in
// anew, with its key.
func (c *clave) raise(v *visit, subject civicpin.Subject, proof civicpin.Evidence) error {
	who, _, err := v.user()
	switch {
	case errors.Is(err, web.ErrNoSession):
		return nil // the app's page says it
	case err != nil:
		return err
	case who != subject:
		return refusal{"certificate", "clave.certificate.other"}
	}
	if err := c.pins.Attest(v.ctx(), subject, proof); err != nil {
		return err
	}
	key := civicpin.NewSecret(v.get("key"))
	ok, err := c.pins.Verify(v.ctx(), v.attempt(subject, key))
	if err != nil {
		return err
	}
	return c.opened(v, subject, key, ok, "clave.certificate.raised")
}

// opened is the app logged in. It keeps its key; here, with the session.
func (c *clave) opened(v *visit, subject civicpin.Subject, key civicpin.Secret, ok pin.Verified, said string) error {
	err := v.enter(subject, ok, said)
	v.put("key", key.Reveal())
	return err
}
