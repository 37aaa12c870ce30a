package recovery

import "github.com/civicpin/civicpin"

// The kinds of messages that carry a token (Link), a code of ASCII letters and digits (Secret), or both. Either is enough until
// ExpiresAt.
const (
	LinkMessage     civicpin.MessageKind = "recovery.link"     // leads to a new secret
	ActivateMessage civicpin.MessageKind = "recovery.activate" // leads to the first secret of a subject
	UnlockMessage   civicpin.MessageKind = "recovery.unlock"   // leads to the end of a lock
	CodeMessage     civicpin.MessageKind = "recovery.code"     // has a code and never a token
)

// The kinds of notices, which all contacts get. Link is a token that repudiates the run until ExpiresAt; a contact that cools
// down gets none. There is no Secret.
const (
	// NoticeWaiting tells that a run was started. The parameter "until" is when it goes ahead, as in RFC 3339.
	NoticeWaiting  civicpin.MessageKind = "recovery.waiting"
	NoticeDone     civicpin.MessageKind = "recovery.done"     // a recovery was completed
	NoticeUnlocked civicpin.MessageKind = "recovery.unlocked" // a lock was ended
)
