package texts

import (
	"time"
)

var english = language{
	tag:      "en",
	greeting: "Good day,",
	help:     "[Questions: {help}]",
	destroy:  "Keep this page to yourself, and destroy it once you have used the code.",
	more:     "This message stands for {more} more like it.",
	short:    func(t time.Time) string { return t.Format("2 Jan 2006 15:04") },
	long:     func(t time.Time) string { return t.Format("2 January 2006, 15:04") },
	part: wording{
		title:   "Your new PIN, part {part} of {parts}",
		subject: "{service}: your new PIN, part {part} of {parts}",
		short: "{service}: your new PIN, part {part} of {parts}: {code}\n[Valid until {time}. ]" +
			"Never tell it to anybody, not even to us.",
		spoken: "This is {service}. Your new PIN, part {part} of {parts}, is: {letters}. I repeat: {letters}. " +
			"Never tell it to anybody, not even to us.",
		paragraphs: []string{
			"This is your new PIN for {name}, part {part} of {parts}:",
			codeLine,
			"[It is valid until {longtime}.] When you first use it, you will be asked to choose a PIN of your own.",
			"There are {parts} parts, and you need them all. Each comes to you in a different way.",
			"Never tell it to anybody. We never ask for it: not by telephone, not by message, not by e-mail. " +
				"This message has no link; one that has, and asks for your PIN, is not from us.",
			"If you did not ask for a new PIN, tell us at once, and do not use this one.",
		},
	},
	activation: wording{
		title:   "Your activation code",
		subject: "{service}: your activation code",
		short: "{service}: your activation code: {code}\n[Valid until {time}. ]" +
			"Never tell it to anybody, not even to us.",
		spoken: "This is {service}. Your activation code is: {letters}. I repeat: {letters}. " +
			"Never tell it to anybody, not even to us.",
		paragraphs: []string{
			"This is your activation code for {name}:",
			codeLine,
			"[It is valid until {longtime}.] When you first use it, you will be asked to choose a PIN or password of your own.",
			"Never tell it to anybody. We never ask for it: not by telephone, not by message, not by e-mail. " +
				"This message has no link; one that has, and asks for this code, is not from us.",
			"If you did not ask for access, tell us at once, and do not use this code.",
		},
	},
	changed: wording{
		title:   "Your PIN was changed",
		subject: "{service}: your PIN was changed",
		short:   "{service}: your PIN was changed. If it was not you, call us at once on the number that you know.",
		spoken: "This is {service}. Your PIN was changed. If it was not you, call us at once on the number that you know. " +
			"We never ask for your PIN.",
		paragraphs: []string{
			"Your PIN for {name} was changed.",
			"If it was you, you need do nothing. If it was not, tell us at once, using contact details that you already have; " +
				"this message has no link and asks for nothing.",
		},
	},
	revoked: wording{
		title:   "Your PIN was revoked",
		subject: "{service}: your PIN was revoked",
		short: "{service}: your PIN was revoked and no longer works. " +
			"If you did not ask for it, call us on the number that you know.",
		spoken: "This is {service}. Your PIN was revoked and no longer works. If you did not ask for it, call us on the number " +
			"that you know. We never ask for your PIN.",
		paragraphs: []string{
			"Your PIN for {name} was revoked. It no longer works.",
			"You can request a new one. If you did not ask for this, tell us, using contact details that you already have; " +
				"this message has no link and asks for nothing.",
		},
	},
	locked: wording{
		title:   "Your PIN is locked",
		subject: "{service}: your PIN is locked",
		short: "{service}: after wrong tries your PIN is locked[ until {time}]. " +
			"If it was not you, call us on the number that you know.",
		spoken: "This is {service}. After wrong tries your PIN is locked[ until {longtime}]. If it was not you, call us on the " +
			"number that you know. We never ask for your PIN.",
		paragraphs: []string{
			"Your PIN for {name} is locked[ until {longtime}], because it was entered wrongly several times.",
			"If it was you, your PIN is safe. If it was not, somebody tried to use it without knowing it: tell us, " +
				"using contact details that you already have; this message has no link and asks for nothing.",
		},
	},
	code: wording{
		title:   "Your code",
		subject: "{service}: your code",
		short: "{service}: your code[ for {act}]: {code}\n[Valid until {time}. ]" +
			"Never tell it to anybody.",
		spoken: "This is {service}. Your code[ for {act}] is: {letters}. I repeat: {letters}. " +
			"Never tell it to anybody, not even to us.",
		paragraphs: []string{
			"This is your code for {name}[, for {act}]:",
			codeLine,
			"It can be used once[, until {longtime}][, and only for {act}].",
			"Never tell it to anybody. We never ask for it: not by telephone, not by message, not by e-mail. " +
				"This message has no link; one that has, and asks for your code, is not from us.",
			"If you did not ask for a code, somebody else may have tried to act in your name: tell us, using contact " +
				"details that you already have.",
		},
	},
	recovery: englishRecovery,
	refusals: englishRefusals,
}
