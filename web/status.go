package web

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/pin/state"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/store/outbox"
)

// A Refusal is what a portal answers to an error. It holds nothing about the subject, so the visitor may have all of it.
type Refusal struct {
	// Status is the status code of the answer; 200 for no error.
	Status int
	// Code names the reason: texts.Refusal has words for it. It keeps its meaning in all releases. It is empty for no error.
	Code string
	// RetryAfter is the value of the header Retry-After (RFC 9110 10.2.3), in seconds or as a date, rounded up to a whole
	// second. It is empty where waiting does not help, or the time is not known.
	RetryAfter string
}

// Header sets Retry-After in the header of an answer, or removes it.
func (r Refusal) Header(h http.Header) {
	h.Del("Retry-After")
	if r.RetryAfter != "" {
		h.Set("Retry-After", r.RetryAfter)
	}
}

// moment is how long a visitor waits for what does not say how long it takes.
const moment = 5 * time.Second

// Status returns the answer to an error that any package of this module returned, also to one that wraps it. What it does not
// know is 500 and "internal": log the error, and answer with nothing of its text.
//
// A wrong secret, an unknown subject and a revoked credential have the code "refused" alike, and locks come to unknown subjects
// alike, so an attacker learns nothing about who is registered. The codes "no-credential" and "not-enrolled" answer errors that
// only the calls for operators, or for the owner, return. [store.ErrNotFound] alone is "internal": a portal that looked up a
// subject by itself must not tell the visitor what it found.
func Status(err error) Refusal {
	if err == nil {
		return Refusal{Status: http.StatusOK}
	}
	if r := typed(err); r.Code != "" {
		return r
	}
	for _, row := range table() {
		if errors.Is(err, row.err) {
			return Refusal{Status: row.status, Code: row.code, RetryAfter: row.after}
		}
	}
	return Refusal{http.StatusInternalServerError, "internal", ""}
}

// typed returns the answer to an error that tells more than its sentinel, and none for others.
func typed(err error) Refusal {
	if e, ok := errors.AsType[*lockout.LockedError](err); ok {
		return locked(e)
	}
	if e, ok := errors.AsType[*lockout.RefusedError](err); ok {
		return Refusal{http.StatusForbidden, "refused", at(e.NextAt)}
	}
	if e, ok := errors.AsType[*lockout.BusyError](err); ok {
		return Refusal{http.StatusServiceUnavailable, "busy", in(e.After)}
	}
	if e, ok := errors.AsType[*recovery.RestError](err); ok {
		return Refusal{http.StatusConflict, "resting", at(e.Until)}
	}
	if e, ok := errors.AsType[*recovery.OperatorError](err); ok {
		return operator(e)
	}
	if e, ok := errors.AsType[*pin.ExpiredError](err); ok && e.Since == state.SinceChange {
		return Refusal{http.StatusForbidden, "secret-change-due", ""}
	}
	if e, ok := errors.AsType[*pin.ChoiceError](err); ok {
		return Refusal{http.StatusUnprocessableEntity, "choice." + string(e.Rule), ""}
	}
	if e, ok := errors.AsType[*recovery.AnswerError](err); ok {
		return Refusal{http.StatusUnprocessableEntity, "choice." + string(e.Rule), ""}
	}
	if _, ok := errors.AsType[*outbox.UnsendableError](err); ok {
		return Refusal{http.StatusUnprocessableEntity, "unsendable", ""}
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return Refusal{http.StatusRequestEntityTooLarge, "too-large", ""}
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return Refusal{http.StatusServiceUnavailable, "timeout", in(moment)}
	}
	return Refusal{}
}

// locked tells the locks apart that end by waiting, by an unlock, and by a new secret only.
func locked(e *lockout.LockedError) Refusal {
	switch {
	case e.Disabled:
		return Refusal{http.StatusForbidden, "disabled", ""}
	case e.Until.IsZero():
		return Refusal{http.StatusForbidden, "locked-until-unlocked", ""}
	case e.Challenge: // waiting helps, too
		return Refusal{http.StatusTooManyRequests, "challenge", at(e.Until)}
	case e.Scope == lockout.ScopeSends:
		return Refusal{http.StatusTooManyRequests, "too-many-messages", at(e.Until)}
	case e.Scope == lockout.ScopeSource:
		return Refusal{http.StatusTooManyRequests, "too-many-requests", at(e.Until)}
	case e.Scope == lockout.ScopeGlobal: // says nothing about this visitor
		return Refusal{http.StatusServiceUnavailable, "busy", at(e.Until)}
	}
	return Refusal{http.StatusTooManyRequests, "locked", at(e.Until)}
}

// operator says why a member of staff may not do an act.
func operator(e *recovery.OperatorError) Refusal {
	r := Refusal{http.StatusForbidden, "not-allowed", at(e.Until)}
	switch e.Reason {
	case recovery.WrongRole:
		r.Code = "operator.role"
	case recovery.Closed:
		r.Code = "operator.hours"
	case recovery.OverLimit:
		r.Status, r.Code = http.StatusTooManyRequests, "operator.limit"
	case recovery.SamePerson:
		r.Code = "operator.same-person"
	case recovery.Swapped:
		r.Status, r.Code = http.StatusConflict, "operator.document"
	}
	return r
}

// at returns a time as Retry-After has it. A date needs no clock here.
func at(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Add(time.Second - 1).UTC().Format(http.TimeFormat)
}

// in returns a duration as Retry-After has it.
func in(d time.Duration) string {
	return strconv.FormatInt(int64(max(d+time.Second-1, time.Second)/time.Second), 10)
}
