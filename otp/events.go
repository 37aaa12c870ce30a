package otp

import "github.com/civicpin/civicpin"

const (
	eventEnrolled  civicpin.EventCode = "otp.enrolled"
	eventActivated civicpin.EventCode = "otp.activated"
	eventImported  civicpin.EventCode = "otp.imported"
	eventRemoved   civicpin.EventCode = "otp.removed"
	eventVerified  civicpin.EventCode = "otp.verified"
	eventResynced  civicpin.EventCode = "otp.resynced"
	eventRefused   civicpin.EventCode = "otp.refused"
	eventRebound   civicpin.EventCode = "otp.rebound"

	eventCodeRequested civicpin.EventCode = "otp.code_requested"
	eventCodeResent    civicpin.EventCode = "otp.code_resent"
	eventCodePulled    civicpin.EventCode = "otp.code_pulled"
	eventCodeVerified  civicpin.EventCode = "otp.code_verified"
	eventCodeRefused   civicpin.EventCode = "otp.code_refused"
	eventCodeCancelled civicpin.EventCode = "otp.code_cancelled"

	eventBackupIssued  civicpin.EventCode = "otp.backup_issued"
	eventBackupUsed    civicpin.EventCode = "otp.backup_used"
	eventBackupRefused civicpin.EventCode = "otp.backup_refused"
	eventBackupRevoked civicpin.EventCode = "otp.backup_revoked"
)

// Events returns the events that this package records, as a new slice. Ref is the name of the service and the key's id for a
// key, "totp.login/ABC…", the id of the request for a delivered code, and "code." or "backup." and the policy's name for what
// was rebound. Tell the subject when a key is activated (NIST SP
// 800-63B-4 4.1.2.1, 4.6), and when backup codes are issued, used or revoked (4.2.1.1, 4.5). Package outbox records what
// becomes of the messages.
func Events() []civicpin.EventInfo {
	return []civicpin.EventInfo{
		{
			Code: eventEnrolled, Meaning: "A key was made, and waits for its first code.",
			Reasons: []string{"the method of proof, if identity was proved anew"},
		},
		{Code: eventActivated, Meaning: "The first right code of a key was typed: the key counts from now on."},
		{Code: eventImported, Meaning: "A key of another system, or of a hardware token, was bound."},
		{Code: eventRemoved, Meaning: "A key was removed."},
		{Code: eventVerified, Meaning: "A code of a key was right."},
		{Code: eventResynced, Meaning: "Two codes in a row brought the counter of a hardware token back into step."},
		{
			Code: eventRefused, Meaning: "A code of a key was not accepted.",
			Reasons: []string{"wrong", "spent", "unknown", "unused", "locked", "busy", "not checked"},
		},
		{
			Code: eventRebound, Meaning: "What was guessed wrong at a subject's delivered or backup codes counts no longer.",
			Reasons: []string{"the method of proof"},
		},

		{Code: eventCodeRequested, Meaning: "A code was asked for, and is to be sent.", Reasons: []string{"no contact"}},
		{Code: eventCodeResent, Meaning: "A code is to be sent again."},
		{Code: eventCodePulled, Meaning: "An app was given a code."},
		{Code: eventCodeVerified, Meaning: "A delivered code was right."},
		// Wrong is also another purpose, unknown also another subject's code, expired a right one that came too late.
		{
			Code: eventCodeRefused, Meaning: "A delivered code was not accepted.",
			Reasons: []string{
				"wrong", "unknown", "spent", "cancelled", "exhausted", "expired", "unused", "locked", "busy", "not checked",
			},
		},
		// Spent is a code that was used, and made room for a later one.
		{Code: eventCodeCancelled, Meaning: "A delivered code was taken out of use.", Reasons: []string{"too many pending", "spent"}},

		{Code: eventBackupIssued, Meaning: "A set of backup codes was issued."},
		{Code: eventBackupUsed, Meaning: "A backup code was used.", Reasons: []string{"the number of codes that are left"}},
		{
			Code: eventBackupRefused, Meaning: "A backup code was not accepted.",
			Reasons: []string{"wrong", "unknown", "unused", "locked", "busy", "not checked"},
		},
		{Code: eventBackupRevoked, Meaning: "A set of backup codes was revoked."},
	}
}
