package recovery

import "github.com/civicpin/civicpin"

// The kinds of messages that carry a token, a code, or both: either is enough. Link is the token, and Secret the code. A code is
// of ASCII letters and digits. ExpiresAt is when both end.
const (
	// LinkMessage leads to a new secret.
	LinkMessage civicpin.MessageKind = "recovery.link"
	// ActivateMessage leads to the first secret of a subject.
	ActivateMessage civicpin.MessageKind = "recovery.activate"
	// UnlockMessage leads to the end of a lock.
	UnlockMessage civicpin.MessageKind = "recovery.unlock"
	// CodeMessage carries a code and never a token, over a channel that the plan asks for besides a link.
	CodeMessage civicpin.MessageKind = "recovery.code"
)

// The kinds of notices to all contacts of a subject. Link is a token that repudiates the run until ExpiresAt; a contact that
// cools down gets none. There is no Secret.
const (
	// NoticeWaiting tells that a recovery was started. The parameter "until" is when it goes ahead, as in RFC 3339.
	NoticeWaiting civicpin.MessageKind = "recovery.waiting"
	// NoticeDone tells that a recovery was completed.
	NoticeDone civicpin.MessageKind = "recovery.done"
	// NoticeUnlocked tells that a lock was ended.
	NoticeUnlocked civicpin.MessageKind = "recovery.unlocked"
)
