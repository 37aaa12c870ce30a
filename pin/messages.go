package pin

import "github.com/civicpin/civicpin"

// The kinds of messages about credentials. The service sends the parts. The notices are for the caller to send, as with
// contact.Service.Notify, when a credential was changed, revoked or locked (NIST SP 800-63B-4 4.6).
const (
	// PartMessage carries a part of an issued secret, or an activation code, which is a secret in one part. Secret is the text
	// of the part: ASCII letters and digits, with blanks or hyphens. Part and Parts count from 1. ExpiresAt is the part's.
	PartMessage civicpin.MessageKind = "pin.part"
	// NoticeChanged tells that the secret was changed. It has no secret and no parameter.
	NoticeChanged civicpin.MessageKind = "pin.changed"
	// NoticeRevoked tells that the credential was revoked. It has no secret and no parameter.
	NoticeRevoked civicpin.MessageKind = "pin.revoked"
	// NoticeLocked tells that the credential was locked. It has no secret. The parameter "until" is when the lock ends, as in
	// RFC 3339; there is none if the lock does not end by itself.
	NoticeLocked civicpin.MessageKind = "pin.locked"
)
