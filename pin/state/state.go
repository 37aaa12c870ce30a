// Package state names the states of a credential and of the parts of an issued secret, why a secret expired, and why a
// credential was revoked, as package pin tells them to operators and to the subject.
package state

// A Credential is the state of a credential.
type Credential string

// The states of a credential.
const (
	// Provisional is a credential whose secret was issued, and is to be exchanged.
	Provisional Credential = "provisional"
	// Active is a credential with a secret that the subject chose.
	Active Credential = "active"
	// Revoked is a credential without a secret.
	Revoked Credential = "revoked"
	// Vacant is a credential that a completed recovery created, and for which no secret was chosen yet.
	Vacant Credential = "vacant"
)

// A Part is the state of a part of an issued secret.
type Part string

// The states of a part.
const (
	// Pending is a part that is to be sent or printed.
	Pending Part = "pending"
	// Accepted is a part that the provider took over, or whose slip the caller has.
	Accepted Part = "accepted"
	// Delivered is a part that the provider reported as delivered.
	Delivered Part = "delivered"
	// Failed is a part that is undeliverable, or was reported as bounced.
	Failed Part = "failed"
)

// An Expiry names the event since which too much time has passed: the secret expired.
type Expiry string

// The reasons why a secret expired. The empty Expiry says that it did not.
const (
	// SinceIssue says that the secret was not exchanged in time: issue anew.
	SinceIssue Expiry = "issue"
	// SinceChange says that the secret is older than Policy.MaxAge: the subject may change it with Service.Change.
	SinceChange Expiry = "change"
	// SinceUse says that the secret was not used for Policy.MaxUnused: issue anew.
	SinceUse Expiry = "use"
)

// A Cause says why a credential was revoked. It decides what a new secret may be issued on.
type Cause string

// The causes of a revocation.
const (
	// Ended says that there is no suspicion: given back, forgotten, or registered anew.
	Ended Cause = "ended"
	// Fraud says that an attacker has, or may have, the secret or a contact of the subject. A new secret then takes evidence.
	Fraud Cause = "fraud"
)
