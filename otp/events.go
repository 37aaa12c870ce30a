package otp

import "github.com/civicpin/civicpin"

// The events of HOTP and TOTP keys. Their Ref is the name of the service and the key's id, "totp.login/ABC…".
const (
	EventEnrolled  civicpin.EventCode = "otp.enrolled"  // a key waits for its first code; Reason: how identity was proved, if anew
	EventActivated civicpin.EventCode = "otp.activated" // the first right code; tell the citizen (NIST SP 800-63B-4 4.1)
	EventImported  civicpin.EventCode = "otp.imported"
	EventRemoved   civicpin.EventCode = "otp.removed"
	EventVerified  civicpin.EventCode = "otp.verified"
	EventResynced  civicpin.EventCode = "otp.resynced" // a HOTP token was found again by two codes in a row
	EventRefused   civicpin.EventCode = "otp.refused"  // Reason: wrong, replayed, not enrolled, locked, busy or not checked
)

// The events of delivered codes. Their Ref is the id of the request. What becomes of the messages is told by package outbox.
const (
	EventCodeRequested civicpin.EventCode = "otp.code_requested" // Reason: empty, or no contact
	EventCodeResent    civicpin.EventCode = "otp.code_resent"
	EventCodePulled    civicpin.EventCode = "otp.code_pulled" // an app was given it
	EventCodeVerified  civicpin.EventCode = "otp.code_verified"
	// EventCodeRefused has as Reason: wrong (also for another purpose), unknown (also another subject's), spent, cancelled,
	// tries used up, expired (it was right), locked, busy or not checked.
	EventCodeRefused   civicpin.EventCode = "otp.code_refused"
	EventCodeCancelled civicpin.EventCode = "otp.code_cancelled" // Reason: empty, or too many pending
)

// The events of backup codes. Tell the citizen of each but a refusal (NIST SP 800-63B-4 4.6).
const (
	EventBackupIssued  civicpin.EventCode = "otp.backup_issued"
	EventBackupUsed    civicpin.EventCode = "otp.backup_used"    // Reason: how many are left
	EventBackupRefused civicpin.EventCode = "otp.backup_refused" // Reason: wrong, unknown, locked, busy or not checked
	EventBackupRevoked civicpin.EventCode = "otp.backup_revoked"
)
