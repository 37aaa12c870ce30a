package web_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/pin/breached"
	"github.com/civicpin/civicpin/pin/rule"
	"github.com/civicpin/civicpin/pin/state"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/texts"
	"github.com/civicpin/civicpin/web"
)

// A told is an error and its answer, "status code Retry-After".
type told struct {
	err  error
	want string
}

const internal = "500 internal"

var (
	later = time.Date(2026, 3, 2, 10, 0, 0, 1, time.UTC)
	date  = " Mon, 02 Mar 2026 10:00:01 GMT" // not a moment too early
)

// answers names every error that a package of the root module exports, as the caller writes it, by the answer to it.
func answers() []map[string]map[string]error {
	return []map[string]map[string]error{secrets(), others()}
}

func secrets() map[string]map[string]error {
	return map[string]map[string]error{
		"503 busy 2": {"lockout.BusyError": &lockout.BusyError{After: 1500 * time.Millisecond}},
		"503 busy 5": {
			"lockout.ErrBusy": lockout.ErrBusy, "lockout.ErrInFlight": lockout.ErrInFlight,
			"lockout.ErrOverloaded": lockout.ErrOverloaded, "otp.ErrBusy": otp.ErrBusy, "pin.ErrBusy": pin.ErrBusy,
		},
		internal: {
			"lockout.ErrInvalidPolicy": lockout.ErrInvalidPolicy, "otp.ErrInvalidPolicy": otp.ErrInvalidPolicy,
			"texts.ErrContainsLink": texts.ErrContainsLink, "texts.UnknownKindError": &texts.UnknownKindError{},
			"pin.ErrInvalidPolicy": pin.ErrInvalidPolicy, "pin/breached.ErrFile": breached.ErrFile,
		},
		"403 locked-until-unlocked": {"lockout.ErrLocked": lockout.ErrLocked},
		"429 challenge":             {"lockout.ErrChallenge": lockout.ErrChallenge},
		"403 refused": {
			"lockout.ErrNoSubject": lockout.ErrNoSubject, "lockout.ErrRefused": lockout.ErrRefused,
			"otp.ErrRefused": otp.ErrRefused, "pin.ErrRefused": pin.ErrRefused,
		},
		"503 timeout 5":      {"lockout.ErrTimeout": lockout.ErrTimeout},
		"429 locked" + date:  {"lockout.LockedError": &lockout.LockedError{Scope: lockout.ScopeSubject, Until: later}},
		"403 refused" + date: {"lockout.RefusedError": &lockout.RefusedError{NextAt: later}},
		"403 code-expired":   {"otp.ErrExpired": otp.ErrExpired},
		"404 not-enrolled":   {"otp.ErrNotEnrolled": otp.ErrNotEnrolled},
		"409 wrong-state":    {"otp.ErrWrongState": otp.ErrWrongState, "pin.ErrWrongState": pin.ErrWrongState},
		"400 invalid":        {"otp.KeyError": &otp.KeyError{}},
		"422 choice.date":    {"pin.ChoiceError": &pin.ChoiceError{Rule: rule.Date}},
		"409 changed":        {"pin.ErrChanged": pin.ErrChanged},
		"403 secret-expired": {"pin.ErrExpired": pin.ErrExpired, "pin.ExpiredError": &pin.ExpiredError{}},
		"404 no-credential":  {"pin.ErrNoCredential": pin.ErrNoCredential},
		"410 gone":           {"pin.ErrNoGrant": pin.ErrNoGrant},
		"503 unchecked 5":    {"pin.ErrUnchecked": pin.ErrUnchecked},
		"422 choice":         {"pin.ErrUnfitSecret": pin.ErrUnfitSecret},
		"422 weak-evidence":  {"pin.ErrWeakEvidence": pin.ErrWeakEvidence},
		"422 wrong-parts":    {"pin.ErrWrongParts": pin.ErrWrongParts},
	}
}

// details are errors of the same types that have answers of their own, and errors from elsewhere.
func details() []told {
	list := []told{
		{&lockout.LockedError{Scope: lockout.ScopeSubject}, "403 locked-until-unlocked"},
		{&lockout.LockedError{Scope: lockout.ScopeSubject, Disabled: true}, "403 disabled"},
		{&lockout.LockedError{Scope: lockout.ScopeSends, Until: later}, "429 too-many-messages" + date},
		{&lockout.LockedError{Scope: lockout.ScopeSource, Until: later}, "429 too-many-requests" + date},
		{&lockout.LockedError{Scope: lockout.ScopeSource, Until: later, Challenge: true}, "429 challenge" + date},
		{&lockout.LockedError{Scope: lockout.ScopeGlobal, Until: later, Challenge: true}, "429 challenge" + date},
		{&lockout.LockedError{Scope: lockout.ScopeGlobal, Until: later}, "503 busy" + date},
		{&lockout.RefusedError{Left: 2}, "403 refused"},
		{&pin.ExpiredError{Since: state.SinceChange}, "403 secret-change-due"},
		{&pin.ExpiredError{Since: state.SinceUse}, "403 secret-expired"},
		{&lockout.BusyError{}, "503 busy 1"},
		{&recovery.OperatorError{Reason: recovery.WrongRole}, "403 operator.role"},
		{&recovery.OperatorError{Reason: recovery.OverLimit, Until: later}, "429 operator.limit" + date},
		{&recovery.OperatorError{Reason: recovery.SamePerson}, "403 operator.same-person"},
		{&recovery.OperatorError{Reason: recovery.Swapped}, "409 operator.document"},
		{&http.MaxBytesError{Limit: 1}, "413 too-large"},
		{context.DeadlineExceeded, "503 timeout 5"},
		{context.Canceled, internal},
		{errors.New("database: no route to 10.0.0.7"), internal},
	}
	for _, r := range rules {
		list = append(list, told{&pin.ChoiceError{Rule: r}, "422 choice." + string(r)},
			told{&recovery.AnswerError{Rule: r}, "422 choice." + string(r)})
	}
	return list
}

// rules are all that a choice may break; TestStatusIsComplete compares them with the package's own.
var rules = []rule.Rule{
	rule.Breached, rule.Characters, rule.Common, rule.Date, rule.History, rule.Issued, rule.Length, rule.Personal, rule.Question,
	rule.Repeated, rule.Same, rule.Sequence,
}

func answer(r web.Refusal) string {
	return strings.TrimRight(fmt.Sprintf("%d %s %s", r.Status, r.Code, r.RetryAfter), " ")
}

func TestStatus(t *testing.T) {
	check := func(name string, want told) {
		for _, err := range []error{want.err, fmt.Errorf("portal: %w", want.err), errors.Join(errors.New("portal"), want.err)} {
			assert.Equal(t, want.want, answer(web.Status(err)), name)
		}
	}
	for _, part := range answers() {
		for want, errs := range part {
			for name, err := range errs {
				check(name, told{err, want})
			}
		}
	}
	for _, want := range details() {
		check(want.err.Error(), want)
	}
	assert.Equal(t, web.Refusal{Status: 200}, web.Status(nil))
}

func TestRefusalHeader(t *testing.T) {
	h := http.Header{}
	web.Status(&lockout.LockedError{Until: later}).Header(h)
	assert.Equal(t, strings.TrimSpace(date), h.Get("Retry-After"))
	web.Status(pin.ErrRefused).Header(h)
	assert.Empty(t, h)
}

// Every code has words in three languages.
func TestCodesHaveWords(t *testing.T) {
	codes := map[string]bool{}
	for _, want := range details() {
		codes[web.Status(want.err).Code] = true
	}
	for _, part := range answers() {
		for want := range part {
			codes[strings.Fields(want)[1]] = true
		}
	}
	said := map[string]bool{}
	for _, locale := range []string{"en", "es-EC", "it"} {
		for code := range codes {
			words, ok := texts.Refusal(locale, code)
			assert.True(t, ok && words != "", "%s in %s", code, locale)
			assert.False(t, said[words], "two codes say %q", words)
			said[words] = true
		}
	}
}
