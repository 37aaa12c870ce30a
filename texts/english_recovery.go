package texts

var englishRecovery = recovery{
	link: wording{
		title:   "Recover your access",
		subject: "{service}: recover your access",
		short:   "{service}: your code to recover your access: {code}\n[Valid until {time}. ]Never tell it to anybody.",
		spoken: "This is {service}. Your code to recover your access is: {letters}. I repeat: {letters}. " +
			"Never tell it to anybody, not even to us.",
		paragraphs: englishSteps(
			"You, or somebody in your name, asked to recover your access to {name}.",
			"get a new PIN or password",
			"If you did not ask for this, do not use it, and tell us, using contact details that you already have.",
		),
	},
	activate: wording{
		title:   "Activate your access",
		subject: "{service}: activate your access",
		short:   "{service}: your code to activate your access: {code}\n[Valid until {time}. ]Never tell it to anybody.",
		spoken: "This is {service}. Your code to activate your access is: {letters}. I repeat: {letters}. " +
			"Never tell it to anybody, not even to us.",
		paragraphs: englishSteps(
			"Your access to {name} is ready to be activated.",
			"choose your first PIN or password",
			"If you did not ask for access, do not use this, and tell us, using contact details that you already have.",
		),
	},
	unlock: wording{
		title:   "Unlock your access",
		subject: "{service}: unlock your access",
		short:   "{service}: your code to unlock your access: {code}\n[Valid until {time}. ]Never tell it to anybody.",
		spoken: "This is {service}. Your code to unlock your access is: {letters}. I repeat: {letters}. " +
			"Never tell it to anybody, not even to us.",
		paragraphs: englishSteps(
			"You, or somebody in your name, asked to unlock your access to {name}.",
			"unlock it, without changing your PIN or password",
			"If you did not ask for this, do not use it, and tell us, using contact details that you already have.",
		),
	},
	prove: wording{
		title:   "Confirm this contact",
		subject: "{service}: confirm this contact",
		short:   "{service}: your code to confirm this contact: {code}\n[Valid until {time}. ]Never tell it to anybody.",
		spoken: "This is {service}. Your code to confirm this contact is: {letters}. I repeat: {letters}. " +
			"Never tell it to anybody, not even to us.",
		paragraphs: englishSteps(
			"This contact was given to {name}, so that messages can be sent to it.",
			"confirm that it is yours",
			"If you did not give it to us, you need do nothing: without your confirmation it is not used.",
		),
	},
	code: wording{
		title:   "Your code for recovery",
		subject: "{service}: your code for recovery",
		short:   "{service}: your code to recover your access: {code}\n[Valid until {time}. ]Never tell it to anybody.",
		spoken: "This is {service}. Your code to recover your access is: {letters}. I repeat: {letters}. " +
			"Never tell it to anybody, not even to us.",
		paragraphs: []string{
			"This is your code to recover your access to {name}:",
			codeLine,
			"It can be used once[, until {longtime}]. Type it only on the page where you asked to recover your access.",
			"Never tell it to anybody. We never ask for it: not by telephone, not by message, not by e-mail.",
			"If you did not ask for this, do not use it, and tell us, using contact details that you already have.",
		},
	},
	waiting: wording{
		title:   "Recovery of your access",
		subject: "{service}: recovery of your access",
		short: "{service}: recovery of your access was started[; it goes ahead on {time}]. " +
			"If it was not you, call us on the number that you know.",
		spoken: "This is {service}. Recovery of your access was started[; it goes ahead on {longtime}]. " +
			"If it was not you, call us at once on the number that you know. " +
			"We never ask for your PIN or password.",
		paragraphs: englishNotice(
			"Somebody started to recover your access to {name}.[ Unless it is cancelled, the recovery goes ahead on {longtime}.]",
			"cancel the recovery",
		),
	},
	done: wording{
		title:   "Your access was recovered",
		subject: "{service}: your access was recovered",
		short:   "{service}: your access was recovered. If it was not you, call us on the number that you know.",
		spoken: "This is {service}. Your access was recovered. If it was not you, call us at once on the number that you know. " +
			"We never ask for your PIN or password.",
		paragraphs: englishNotice(
			"Your access to {name} was recovered: a new PIN or password was chosen, or is on its way to you.",
			"say so",
		),
	},
	unlocked: wording{
		title:   "Your access was unlocked",
		subject: "{service}: your access was unlocked",
		short:   "{service}: your access was unlocked. If it was not you, call us on the number that you know.",
		spoken: "This is {service}. Your access was unlocked. If it was not you, call us at once on the number that you know. " +
			"We never ask for your PIN or password.",
		paragraphs: englishNotice(
			"Your access to {name} was unlocked. Your PIN or password was not changed.",
			"say so",
		),
	},
	contact: wording{
		title:   "Your contacts were changed",
		subject: "{service}: your contacts were changed",
		short:   "{service}: {change}. If it was not you, call us on the number that you know.",
		spoken: "This is {service}. We tell you that {change}. If it was not you, call us at once on the number that you know. " +
			"We never ask for your PIN or password.",
		paragraphs: englishNotice(
			"At {name}, {change}.",
			"undo it",
		),
	},
	changes: changes{
		added:    "an address or number was added to your contacts",
		changed:  "an address or number among your contacts was changed",
		removed:  "an address or number was removed from your contacts",
		primary:  "another address or number was made your main contact",
		settling: "the dispute about your contacts is to end, as was asked",
		some:     "your contacts were changed",
	},
}

// englishSteps are the paragraphs of a kind that leads on by a link, a code, or either.
func englishSteps(about, to, otherwise string) []string {
	return []string{
		about,
		"[" + ifLink + "To " + to + ", open this page:]",
		linkLine,
		"[" + ifBoth + "Or open the page yourself, and type this code there:]",
		"[" + ifCode + "To " + to + ", type this code on our page:]",
		codeLine,
		"This works once[, until {longtime}][" + ifBoth + "; once the link is used, the code no longer works, " +
			"and the other way round].",
		"[" + ifLink + "The address of the page begins with {origin} and with nothing else. If you are in doubt, do not follow " +
			"the link: open the page yourself][" + ifBoth + " and type the code][" + ifLink + ".]",
		"Do not pass this message on. We never ask for your PIN, your password or a code by telephone, by message or by e-mail.",
		otherwise,
	}
}

// englishNotice are the paragraphs of a notice whose link says "it was not me".
func englishNotice(about, to string) []string {
	return []string{
		about,
		"If it was you, you need do nothing.[" + ifNone + " If it was not, call us at once on the number that you know; " +
			"this message has no link and asks for nothing.][" + ifLink + " If it was not, " + to + " on this page:]",
		linkLine,
		"[" + ifLink + "The link works until {linktime}.]",
		"[" + ifLink + "The address of the page begins with {origin} and with nothing else. If you are in doubt, do not follow " +
			"the link, and call us on the number that you know. We never ask for your PIN or password by e-mail.]",
	}
}
