package web

import (
	"net/http"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
)

// runs are the errors about contacts, links and recoveries.
func runs() []row {
	return []row{
		{ErrNoSession, http.StatusUnauthorized, "logged-out", ""},
		{recovery.ErrGone, http.StatusGone, "gone", ""}, // contact.ErrGone, too
		{recovery.ErrExpired, http.StatusGone, "expired", ""},
		{recovery.ErrWrongStep, http.StatusConflict, "wrong-step", ""},
		{recovery.ErrWaiting, http.StatusConflict, "waiting", ""},
		{contact.ErrUnsuitable, http.StatusConflict, "contacts", ""},
	}
}

// others are the errors that operators get, and in the end what any package finds invalid.
func others() []row {
	return []row{
		{recovery.ErrNotAllowed, http.StatusForbidden, "not-allowed", ""},
		{outbox.ErrNoDeadLetter, http.StatusNotFound, "no-dead-letter", ""},
		{outbox.ErrNoReceipt, http.StatusNotFound, "no-receipt", ""}, // providers only
		{store.ErrContended, http.StatusServiceUnavailable, "busy", in(moment)},
		{civicpin.ErrInvalid, http.StatusBadRequest, "invalid", ""},
	}
}
