package web

import (
	"net/http"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
)

// others are the errors about contacts, recoveries and messages, and in the end what any package finds invalid.
func others() []row {
	soon := in(moment)
	return []row{
		{store.ErrContended, http.StatusServiceUnavailable, "busy", soon},

		{recovery.ErrGone, http.StatusGone, "gone", ""}, // contact.ErrGone, too
		{recovery.ErrExpired, http.StatusGone, "expired", ""},
		{contact.ErrUnsuitable, http.StatusConflict, "contacts", ""},
		{recovery.ErrWrongStep, http.StatusConflict, "wrong-step", ""},
		{recovery.ErrWaiting, http.StatusConflict, "waiting", ""},
		{recovery.ErrNotAllowed, http.StatusForbidden, "not-allowed", ""},

		{outbox.ErrNoDeadLetter, http.StatusNotFound, "no-dead-letter", ""}, // operators only
		{outbox.ErrNoReceipt, http.StatusNotFound, "no-receipt", ""},        // providers only

		{civicpin.ErrInvalid, http.StatusBadRequest, "invalid", ""},
	}
}
