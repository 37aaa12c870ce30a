// Package rule names why a chosen secret or answer is refused (NIST SP 800-63B-4 3.1.1.2: the reason SHALL be given). The
// errors pin.ChoiceError and recovery.AnswerError have a [Rule]. It holds nothing of what was chosen, so tell it to the subject
// in words of your own.
package rule

// A Rule is a rule that a choice breaks.
type Rule string

// The rules for what an attacker would try early.
const (
	// Length says that a secret has fewer or more characters than the policy allows, or that an answer is one character where
	// that is no word, or over 128 bytes.
	Length Rule = "length"
	// Characters says that a secret has a character that the policy does not allow, or that an answer has no letter or digit,
	// or a character that the subject could not type again.
	Characters Rule = "characters"
	// Repeated says that a secret has few different characters, or one piece over and over, as in 000000, 121212 and
	// AAAABBBB, or that an answer is one character over and over.
	Repeated Rule = "repeated"
	// Sequence says that the characters of a secret follow each other in the alphabet, in counting or on a keyboard.
	Sequence Rule = "sequence"
	// Date says that a secret is a date in digits.
	Date Rule = "date"
	// Common says that a secret is among the values that are guessed first, as it stands or with up to eight digits or signs
	// around it, or is put together of such, or that an answer is typed to be done with it, as in "none", "123" and "password".
	Common Rule = "common"
	// Breached says that a secret is known from a breach: pin.Chosen has a function that knows.
	Breached Rule = "breached"
	// Personal says that a secret or answer is a piece of what is known about the subject.
	Personal Rule = "personal"
	// Question says that an answer is a word of the question's own id.
	Question Rule = "question"
)

// The rules for what was chosen or issued before.
const (
	// Issued says that a secret is part of the issued secret.
	Issued Rule = "issued"
	// Same says that a secret is the current secret, or that an answer is the answer to another question as well.
	Same Rule = "same"
	// History says that a secret is a former secret. Under a grant it stands for Issued and Same, too: the holder of a grant
	// did not show the current secret, and must not learn which one it is.
	History Rule = "history"
)
