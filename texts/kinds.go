package texts

import "github.com/civicpin/civicpin"

// The kinds of message that have texts. The packages that send them export them; this one must not import those packages.
const (
	pinPart    civicpin.MessageKind = "pin.part"
	pinChanged civicpin.MessageKind = "pin.changed"
	pinRevoked civicpin.MessageKind = "pin.revoked"
	pinLocked  civicpin.MessageKind = "pin.locked"

	otpCode civicpin.MessageKind = "otp.code"

	recoveryLink     civicpin.MessageKind = "recovery.link"
	recoveryActivate civicpin.MessageKind = "recovery.activate"
	recoveryUnlock   civicpin.MessageKind = "recovery.unlock"
	recoveryCode     civicpin.MessageKind = "recovery.code"
	recoveryWaiting  civicpin.MessageKind = "recovery.waiting"
	recoveryDone     civicpin.MessageKind = "recovery.done"
	recoveryUnlocked civicpin.MessageKind = "recovery.unlocked"

	contactProve   civicpin.MessageKind = "contact.prove"
	contactChanged civicpin.MessageKind = "contact.changed"
)

// cargo is what a kind of message may carry.
type cargo struct {
	code int  // the greatest length of a code; 0 means none
	link bool // whether it may carry a link
}

// carries returns what a kind carries. One with a code and no link needs the code, one with both needs either, and
// a link alone may be missing.
func carries(kind civicpin.MessageKind) cargo {
	switch kind {
	case pinPart, recoveryCode:
		return cargo{code: maxCode}
	case otpCode:
		return cargo{code: maxOTPCode}
	case recoveryLink, recoveryActivate, recoveryUnlock, contactProve:
		return cargo{code: maxCode, link: true}
	case recoveryWaiting, recoveryDone, recoveryUnlocked, contactChanged:
		return cargo{link: true}
	}
	return cargo{}
}
