package otp

import "github.com/civicpin/civicpin"

// The events of HOTP and TOTP keys. Their Ref is the name of the service and the key's id, "totp.login/ABC…".
const (
	eventEnrolled  civicpin.EventCode = "otp.enrolled"  // a key waits for its first code; Reason: how identity was proved, if anew
	eventActivated civicpin.EventCode = "otp.activated" // the first right code; tell the citizen (NIST SP 800-63B-4 4.1.2.1, 4.6)
	eventImported  civicpin.EventCode = "otp.imported"
	eventRemoved   civicpin.EventCode = "otp.removed"
	eventVerified  civicpin.EventCode = "otp.verified"
	eventResynced  civicpin.EventCode = "otp.resynced" // a HOTP token was found again by two codes in a row
	eventRefused   civicpin.EventCode = "otp.refused"  // Reason: wrong, spent, unknown, locked, busy or not checked
)

// The events of delivered codes. Their Ref is the id of the request. What becomes of the messages is told by package outbox.
const (
	eventCodeRequested civicpin.EventCode = "otp.code_requested" // Reason: empty, or no contact
	eventCodeResent    civicpin.EventCode = "otp.code_resent"
	eventCodePulled    civicpin.EventCode = "otp.code_pulled" // an app was given it
	eventCodeVerified  civicpin.EventCode = "otp.code_verified"
	// eventCodeRefused has as Reason: wrong (also for another purpose), unknown (also another subject's), spent, cancelled,
	// exhausted, expired (it was right), locked, busy or not checked.
	eventCodeRefused   civicpin.EventCode = "otp.code_refused"
	eventCodeCancelled civicpin.EventCode = "otp.code_cancelled" // Reason: empty, or too many pending
)

// The events of backup codes. Tell the citizen of each but a refusal (NIST SP 800-63B-4 4.2.1.1, 4.5).
const (
	eventBackupIssued  civicpin.EventCode = "otp.backup_issued"
	eventBackupUsed    civicpin.EventCode = "otp.backup_used"    // Reason: how many are left
	eventBackupRefused civicpin.EventCode = "otp.backup_refused" // Reason: wrong, unknown, locked, busy or not checked
	eventBackupRevoked civicpin.EventCode = "otp.backup_revoked"
)
