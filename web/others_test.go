package web_test

import (
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/pin/rule"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/recovery/plan"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
	"github.com/civicpin/civicpin/store/storetest"
	"github.com/civicpin/civicpin/web"
)

// memory returns the store of the services in the tests.
func memory() store.Store { return store.NewMemory() }

// plans returns the plan of the services in the tests: a link, and a new secret.
func plans() []plan.Plan {
	link := plan.Link{Channel: civicpin.Email, Valid: time.Hour}
	return []plan.Plan{{Name: "password", Steps: []plan.Step{link}, Limit: testkit.Until(3), Outcome: plan.ChooseSecret}}
}

func others() map[string]map[string]error {
	return map[string]map[string]error{
		"401 logged-out": {"web.ErrNoSession": web.ErrNoSession},
		"400 invalid":    {"civicpin.ErrInvalid": civicpin.ErrInvalid},
		internal: {
			"civicpin.ErrUndeliverable": civicpin.ErrUndeliverable, "contact.ErrInvalidPolicy": contact.ErrInvalidPolicy,
			"store/outbox.ErrNoNotifier": outbox.ErrNoNotifier, "store/outbox.ErrNotYet": outbox.ErrNotYet,
			"store/outbox.ErrWithdrawn": outbox.ErrWithdrawn, "recovery.ErrInvalidPlan": recovery.ErrInvalidPlan,
			"recovery/plan.ErrInvalid": plan.ErrInvalid, "store.ErrConflict": store.ErrConflict,
			"store.ErrExposedKeyFile": store.ErrExposedKeyFile, "store.ErrForgetful": store.ErrForgetful,
			"store.ErrInvalidKey": store.ErrInvalidKey, "store.ErrInvalidKeyFile": store.ErrInvalidKeyFile,
			"store.ErrKeyInFront": store.ErrKeyInFront, "store.ErrNoCanary": store.ErrNoCanary,
			"store.ErrNoListing": store.ErrNoListing, "store.ErrNotFound": store.ErrNotFound,
			"store.ErrOldKey": store.ErrOldKey, "store.ErrSkip": store.ErrSkip, "store.ErrUnknownKey": store.ErrUnknownKey,
			"store.ErrUnreadable": store.ErrUnreadable, "store.KeysError": &store.KeysError{}, "civicpin.Breach": civicpin.Breach{},
			"store/storetest.ErrInjected": storetest.ErrInjected,
		},
		"503 busy 5": {
			"contact.ErrBusy": contact.ErrBusy, "store/outbox.ErrBusy": outbox.ErrBusy, "recovery.ErrBusy": recovery.ErrBusy,
			"store.ErrContended": store.ErrContended,
		},
		"410 expired":         {"contact.ErrExpired": contact.ErrExpired, "recovery.ErrExpired": recovery.ErrExpired},
		"410 gone":            {"contact.ErrGone": contact.ErrGone, "recovery.ErrGone": recovery.ErrGone},
		"403 refused":         {"contact.ErrRefused": contact.ErrRefused, "recovery.ErrRefused": recovery.ErrRefused},
		"409 contacts":        {"contact.ErrUnsuitable": contact.ErrUnsuitable},
		"404 no-dead-letter":  {"store/outbox.ErrNoDeadLetter": outbox.ErrNoDeadLetter},
		"404 no-receipt":      {"store/outbox.ErrNoReceipt": outbox.ErrNoReceipt},
		"422 unsendable":      {"store/outbox.UnsendableError": &outbox.UnsendableError{}},
		"422 choice.question": {"recovery.AnswerError": &recovery.AnswerError{Rule: rule.Question}},
		"403 not-allowed":     {"recovery.ErrNotAllowed": recovery.ErrNotAllowed},
		"409 waiting":         {"recovery.ErrWaiting": recovery.ErrWaiting},
		"409 wrong-step":      {"recovery.ErrWrongStep": recovery.ErrWrongStep},
		"403 operator.hours" + date: {
			"recovery.OperatorError": &recovery.OperatorError{Reason: recovery.Closed, Until: later},
		},
		"409 resting" + date: {"recovery.RestError": &recovery.RestError{Until: later}},
	}
}
