package main

import (
	"crypto/x509"
	"errors"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/pin"
)

// ownError words the errors that are Cl@ve's own, and those that it words otherwise than all portals.
func ownError(err error) string {
	switch {
	case errors.Is(err, otp.ErrExpired):
		return "Right, but too late: its ten minutes have passed. Ask for another one."
	case errors.Is(err, pin.ErrExpired):
		return "Right, but too late. Ask for a new activation code."
	}
	return untrusted(err)
}

// untrusted words what is wrong with a certificate.
func untrusted(err error) string {
	if e, ok := errors.AsType[x509.CertificateInvalidError](err); ok {
		switch e.Reason {
		case x509.Expired:
			return "This certificate is not valid today."
		case x509.IncompatibleUsage:
			return "This certificate is not one for signing in with."
		}
		return "This certificate cannot be used."
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return "This certificate comes from nobody that we trust."
	}
	return ""
}

// levelNames are Cl@ve's words for the levels of assurance.
var levelNames = map[civicpin.Level]string{
	civicpin.NoLevel: "none", civicpin.Low: "basic", civicpin.Substantial: "advanced", civicpin.High: "advanced",
}
