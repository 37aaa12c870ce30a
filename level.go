package civicpin

import (
	"time"

	"github.com/civicpin/civicpin/internal/names"
)

// A Level is a level of assurance of who the holder of a credential is, as in eIDAS (Implementing Regulation (EU)
// 2015/1502, annex 2.1.2): low, substantial or high. Levels are ordered; the zero Level is below all of them and permits
// nothing.
//
// It stems from [Evidence], never from the secret's length.
type Level uint8

// The levels, lowest first.
const (
	NoLevel Level = iota
	Low
	Substantial
	High
)

var levelNames = [...]string{"none", "low", "substantial", "high"}

// String returns "none", "low", "substantial" or "high", and "invalid" for anything else.
func (l Level) String() string {
	if int(l) < len(levelNames) {
		return levelNames[l]
	}
	return "invalid"
}

// MarshalText writes the level as [Level.String] does. An invalid level gives an error that matches [ErrInvalid].
func (l Level) MarshalText() ([]byte, error) {
	if int(l) >= len(levelNames) {
		return nil, invalid("level is not one of none, low, substantial, high")
	}
	return []byte(levelNames[l]), nil
}

// UnmarshalText reads what [Level.MarshalText] wrote; anything else gives an error that matches [ErrInvalid] and leaves
// the level as it was.
func (l *Level) UnmarshalText(text []byte) error {
	for i, name := range levelNames {
		if name == string(text) {
			*l = Level(i)
			return nil
		}
	}
	return invalid("level is not one of none, low, substantial, high")
}

// A Method is a way in which a person's identity was proved. Callers may define their own.
type Method string

// The methods that the systems of this library's examples use.
const (
	InPerson         Method = "in-person"         // at a desk, with an identity document, seen by an operator
	Video            Method = "video"             // a video call that an operator held or reviewed
	AutomatedVideo   Method = "automated-video"   // a video identification that no person reviewed
	Certificate      Method = "certificate"       // an electronic certificate or identity card
	LetterCode       Method = "letter-code"       // a code posted to the address in the register
	UploadedDocument Method = "uploaded-document" // copies of an identity document, checked by an operator
)

// Evidence records how, when and by whom a subject's identity was proved. It is kept with the credential.
type Evidence struct {
	// Method is how; required.
	Method Method
	// Document names what was seen, for example a document's type and number; at most 256 printable bytes.
	Document string
	// By is who saw it; required. A subject may not attest for themself, except with a Certificate, a LetterCode or an
	// AutomatedVideo, which a machine checks.
	By Actor
	// At is when. Zero means the time of the call that records it.
	At time.Time
}

// Validate returns nil, or an error that matches [ErrInvalid].
func (e Evidence) Validate() error {
	if e.Method == "" || !names.Printable(string(e.Method), 64) {
		return invalid("evidence needs a method of 1 to 64 printable bytes")
	}
	if !names.Printable(e.Document, 256) {
		return invalid("evidence document is longer than 256 bytes or not printable")
	}
	if err := e.By.Validate(); err != nil {
		return err
	}
	if !e.By.IsOperator() && e.Method != Certificate && e.Method != LetterCode && e.Method != AutomatedVideo {
		return invalid("evidence by this method needs an operator")
	}
	return nil
}
