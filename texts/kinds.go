package texts

import "github.com/civicpin/civicpin"

// The kinds of message that have texts. A kind that carries no Secret or no Link refuses one. A message with a parameter
// "more", a number from 1, stands for so many others like it, as package outbox sends notices when there are very many. It says
// so, in a text message if there is room.
const (
	// PINPart carries one part of a new PIN, or an activation code, which is a PIN in one part. It needs a Secret of 1 to 24
	// ASCII letters and digits; blanks and hyphens in it are left out. Part and Parts are told if there are two or more, and
	// ExpiresAt if it is set.
	PINPart civicpin.MessageKind = "pin.part"
	// PINChanged, PINRevoked and PINLocked tell of what was done. They carry no Secret. PINLocked tells the parameter "until",
	// a time as in RFC 3339, if there is one.
	PINChanged civicpin.MessageKind = "pin.changed"
	PINRevoked civicpin.MessageKind = "pin.revoked"
	PINLocked  civicpin.MessageKind = "pin.locked"
	// OTPCode carries a one-time code. It needs a Secret of 1 to 12 ASCII letters and digits; blanks and hyphens in it are
	// left out. It tells ExpiresAt, if it is set, and the parameter "act", what the code is for in the citizen's language, if
	// there is one: "filing your tax return", at most 32 characters that a text message can carry, and no link.
	OTPCode civicpin.MessageKind = "otp.code"
)

// The kinds that carry a link's token, a code, or both, of which one is enough. RecoveryLink leads to a new PIN or password,
// RecoveryActivate to somebody's first, RecoveryUnlock unlocks, and ContactProve, which goes to a new address, proves it.
//
// Link is a token of 1 to 256 letters, digits and "-._~". It is told by e-mail and certified e-mail only, and only if there is
// a Service.Page. Secret is a code as in [PINPart], and told over any channel. A message that would then tell neither, as a
// text message with a Link alone, gives an error that matches [civicpin.ErrInvalid]. ExpiresAt is told if it is set.
const (
	RecoveryLink     civicpin.MessageKind = "recovery.link"
	RecoveryActivate civicpin.MessageKind = "recovery.activate"
	RecoveryUnlock   civicpin.MessageKind = "recovery.unlock"
	ContactProve     civicpin.MessageKind = "contact.prove"
)

// RecoveryCode carries a code for a recovery, as in [PINPart], and no Link: over a channel that the recovery asks for besides
// a link. ExpiresAt is told if it is set.
const RecoveryCode civicpin.MessageKind = "recovery.code"

// The kinds that tell somebody what happens in their name, and how to say "it was not me": by e-mail over the Link, which is
// told as in [RecoveryLink], otherwise, or without one, by calling the number that they know. They carry no Secret.
const (
	// RecoveryWaiting tells that a recovery was started, and that it goes ahead at the time in the parameter "until", as in
	// RFC 3339, if there is one. Its Link cancels it until ExpiresAt, which is told if it is set.
	RecoveryWaiting civicpin.MessageKind = "recovery.waiting"
	// RecoveryDone and RecoveryUnlocked tell that a recovery or an unlocking was completed. ExpiresAt is the Link's.
	RecoveryDone     civicpin.MessageKind = "recovery.done"
	RecoveryUnlocked civicpin.MessageKind = "recovery.unlocked"
	// ContactChanged goes to the old addresses when contacts are changed; its Link undoes the change until ExpiresAt. The
	// parameter "change" is "added", "changed", "removed", or "primary" for another main contact; without it no more is told
	// than that contacts were changed.
	ContactChanged civicpin.MessageKind = "contact.changed"
)

// carried is what a kind of message may carry.
type carried struct {
	code int  // the greatest length of a code; 0 means none
	link bool // whether it may carry a link
}

// carries returns what a kind carries. One with a code and no link needs the code, one with both needs either, and
// a link alone may be missing.
func carries(kind civicpin.MessageKind) carried {
	switch kind {
	case PINPart, RecoveryCode:
		return carried{code: maxCode}
	case OTPCode:
		return carried{code: maxOTPCode}
	case RecoveryLink, RecoveryActivate, RecoveryUnlock, ContactProve:
		return carried{code: maxCode, link: true}
	case RecoveryWaiting, RecoveryDone, RecoveryUnlocked, ContactChanged:
		return carried{link: true}
	}
	return carried{}
}
