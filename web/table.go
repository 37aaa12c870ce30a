package web

import (
	"net/http"
	"slices"

	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/pin"
)

// A row says what answers an error and all that match it.
type row struct {
	err    error
	status int
	code   string
	after  string
}

// table lists the errors that are told. The first row that matches holds, so what matches two of them stands in front: an error
// that says what is wrong comes before civicpin.ErrInvalid, which many match. Errors that are not here are the program's own
// business, and answered as internal: invalid policies and plans, keys, notifiers, records that cannot be read.
func table() []row { return slices.Concat(secrets(), runs(), others()) }

// secrets are the errors about guesses, credentials and codes.
func secrets() []row {
	soon := in(moment)
	return []row{
		{lockout.ErrBusy, http.StatusServiceUnavailable, "busy", soon},
		{lockout.ErrTimeout, http.StatusServiceUnavailable, "timeout", soon},
		{lockout.ErrNoSubject, http.StatusForbidden, "refused", ""}, // as a known subject's wrong guess
		{lockout.ErrRefused, http.StatusForbidden, "refused", ""},
		{lockout.ErrChallenge, http.StatusTooManyRequests, "challenge", ""},
		{lockout.ErrLocked, http.StatusForbidden, "locked-until-unlocked", ""},

		{pin.ErrUnchecked, http.StatusServiceUnavailable, "unchecked", soon},
		{pin.ErrUnfitSecret, http.StatusUnprocessableEntity, "choice", ""},
		{pin.ErrExpired, http.StatusForbidden, "secret-expired", ""},
		{pin.ErrNoGrant, http.StatusGone, "gone", ""},
		{pin.ErrWrongState, http.StatusConflict, "wrong-state", ""},
		{pin.ErrChanged, http.StatusConflict, "changed", ""},
		{pin.ErrNoCredential, http.StatusNotFound, "no-credential", ""}, // operators only
		{pin.ErrWeakEvidence, http.StatusUnprocessableEntity, "weak-evidence", ""},
		{pin.ErrWrongParts, http.StatusUnprocessableEntity, "wrong-parts", ""},

		{otp.ErrExpired, http.StatusForbidden, "code-expired", ""},
		{otp.ErrWrongState, http.StatusConflict, "wrong-state", ""},
		{otp.ErrNotEnrolled, http.StatusNotFound, "not-enrolled", ""}, // operators and the owner only
	}
}
