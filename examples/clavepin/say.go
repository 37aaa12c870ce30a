package main

import (
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/ident"
	"github.com/civicpin/civicpin/examples/internal/phone"
	"github.com/civicpin/civicpin/examples/internal/play"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/pin"
)

type refusal = play.Refusal

// explain words an error for the citizen; empty if it is not for them.
func (t *tale) explain(err error) string {
	if r, ok := errors.AsType[refusal](err); ok {
		return string(r)
	}
	if e, ok := errors.AsType[*ident.Error](err); ok {
		return fmt.Sprintf("This is no %s: %s.", e.What, e.Problem)
	}
	if e, ok := errors.AsType[*lockout.RefusedError](err); ok {
		return fmt.Sprintf("Wrong. Tries left: %d.", e.Left)
	}
	if e, ok := errors.AsType[*lockout.LockedError](err); ok {
		if e.Disabled {
			return "Too many wrong codes: your telephone has to be registered anew. Come to an office with your identity card."
		}
		return fmt.Sprintf("Too many times. Try again on %s.", t.local(e.Until))
	}
	if text := untrusted(err); text != "" {
		return text
	}
	switch {
	case errors.Is(err, otp.ErrExpired):
		return "Right, but too late: its ten minutes have passed. Ask for another one."
	case errors.Is(err, pin.ErrExpired):
		return "Right, but too late. Ask for a new activation code."
	case errors.Is(err, lockout.ErrBusy):
		return "Just a moment, and try again."
	case errors.Is(err, phone.ErrFormat):
		return "This is not written like a telephone number."
	case errors.Is(err, phone.ErrNumber):
		return "There is no such telephone number."
	}
	return ""
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

// levelName is Cl@ve's word for a level of assurance.
func levelName(l civicpin.Level) string {
	switch {
	case l >= civicpin.Substantial:
		return "advanced"
	case l == civicpin.Low:
		return "basic"
	}
	return "none"
}

// local writes a time as it is in Madrid.
func (t *tale) local(when time.Time) string {
	return when.In(t.madrid).Format("2 January 2006 at 15:04")
}
