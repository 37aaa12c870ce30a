package texts

import (
	"fmt"
	"time"
)

// The text messages use à, è, é, ì, ò and ù in lower case only: of the capitals the GSM alphabet has none but É.
var italian = language{
	tag:      "it",
	greeting: "Buongiorno,",
	help:     "[Informazioni: {help}]",
	destroy:  "Non mostri questo foglio a nessuno e lo distrugga dopo aver usato il codice.",
	more:     "Messaggi uguali che questo sostituisce: {more}.",
	short:    func(t time.Time) string { return t.Format("02/01/2006 15:04") },
	long: func(t time.Time) string {
		months := [...]string{
			"gennaio", "febbraio", "marzo", "aprile", "maggio", "giugno", "luglio", "agosto", "settembre", "ottobre", "novembre",
			"dicembre",
		}
		return fmt.Sprintf("%d %s %d, ore %s", t.Day(), months[t.Month()-1], t.Year(), t.Format("15:04"))
	},
	part: wording{
		title:   "Il suo nuovo PIN, parte {part} di {parts}",
		subject: "{service}: il suo nuovo PIN, parte {part} di {parts}",
		short: "{service}: il suo nuovo PIN, parte {part} di {parts}: {code}\n[Valido fino al {time}. ]" +
			"Non lo dica a nessuno, neppure a noi.",
		spoken: "Qui {service}. Il suo nuovo PIN, parte {part} di {parts}, è: {letters}. Ripeto: {letters}. " +
			"Non lo dica a nessuno, neppure a noi.",
		paragraphs: []string{
			"questo è il suo nuovo PIN per {name}, parte {part} di {parts}:",
			codeLine,
			"[È valido fino al {longtime}.] Al primo utilizzo le sarà chiesto di scegliere un PIN suo.",
			"Le parti sono {parts} e servono tutte. Ognuna le arriva per una via diversa.",
			"Non lo dica a nessuno. Non glielo chiederemo mai: né per telefono, né per messaggio, né per e-mail. " +
				"Questo messaggio non contiene link; uno che ne contenga e chieda il PIN non viene da noi.",
			"Se non ha chiesto un nuovo PIN, ci avvisi subito e non usi questo.",
		},
	},
	activation: wording{
		title:   "Il suo codice di attivazione",
		subject: "{service}: il suo codice di attivazione",
		short: "{service}: il suo codice di attivazione: {code}\n[Valido fino al {time}. ]" +
			"Non lo dica a nessuno, neppure a noi.",
		spoken: "Qui {service}. Il suo codice di attivazione è: {letters}. Ripeto: {letters}. " +
			"Non lo dica a nessuno, neppure a noi.",
		paragraphs: []string{
			"questo è il suo codice di attivazione per {name}:",
			codeLine,
			"[È valido fino al {longtime}.] Al primo utilizzo le sarà chiesto di scegliere un PIN o una password di sua scelta.",
			"Non lo dica a nessuno. Non glielo chiederemo mai: né per telefono, né per messaggio, né per e-mail. " +
				"Questo messaggio non contiene link; uno che ne contenga e chieda questo codice non viene da noi.",
			"Se non ha chiesto l'accesso, ci avvisi subito e non usi questo codice.",
		},
	},
	changed: wording{
		title:   "Il suo PIN è stato cambiato",
		subject: "{service}: il suo PIN è stato cambiato",
		short:   "{service}: il suo PIN è stato cambiato. Se non è stato lei, ci avvisi subito al numero che già conosce.",
		spoken: "Qui {service}. Il suo PIN è stato cambiato. Se non è stato lei, ci avvisi subito al numero che già " +
			"conosce. Non le chiederemo mai il PIN.",
		paragraphs: []string{
			"il suo PIN per {name} è stato cambiato.",
			"Se è stato lei, non deve fare nulla. Altrimenti ci avvisi subito tramite un canale che già conosce; " +
				"questo messaggio non contiene link e non chiede nulla.",
		},
	},
	revoked: wording{
		title:   "Il suo PIN è stato revocato",
		subject: "{service}: il suo PIN è stato revocato",
		short: "{service}: il suo PIN è stato revocato e non vale più. " +
			"Se non lo ha chiesto, ci avvisi al numero che già conosce.",
		spoken: "Qui {service}. Il suo PIN è stato revocato e non vale più. Se non lo ha chiesto, ci avvisi al numero " +
			"che già conosce. Non le chiederemo mai il PIN.",
		paragraphs: []string{
			"il suo PIN per {name} è stato revocato. Non vale più.",
			"Può chiederne uno nuovo. Se non lo ha chiesto lei, ci avvisi tramite un canale che già conosce; " +
				"questo messaggio non contiene link e non chiede nulla.",
		},
	},
	locked: wording{
		title:   "Il suo PIN è bloccato",
		subject: "{service}: il suo PIN è bloccato",
		short: "{service}: dopo più errori il suo PIN è bloccato[ fino al {time}]. " +
			"Se non è stato lei, ci avvisi al numero che già conosce.",
		spoken: "Qui {service}. Dopo più errori il suo PIN è bloccato[ fino al {longtime}]. Se non è stato lei, ci avvisi al " +
			"numero che già conosce. Non le chiederemo mai il PIN.",
		paragraphs: []string{
			"il suo PIN per {name} è bloccato[ fino al {longtime}] perché è stato digitato male più volte.",
			"Se è stato lei, il PIN è al sicuro. Altrimenti qualcuno ha provato a usarlo senza conoscerlo: ci avvisi tramite " +
				"un canale che già conosce; questo messaggio non contiene link e non chiede nulla.",
		},
	},
	code: wording{
		title:   "Il suo codice",
		subject: "{service}: il suo codice",
		short: "{service}: il suo codice[ per {act}]: {code}\n[Valido fino al {time}. ]" +
			"Non lo dica a nessuno.",
		spoken: "Qui {service}. Il suo codice[ per {act}] è: {letters}. Ripeto: {letters}. " +
			"Non lo dica a nessuno, neppure a noi.",
		paragraphs: []string{
			"questo è il suo codice per {name}[, per {act}]:",
			codeLine,
			"Vale una volta sola[, fino al {longtime}][, e soltanto per {act}].",
			"Non lo dica a nessuno. Non glielo chiederemo mai: né per telefono, né per messaggio, né per e-mail. " +
				"Questo messaggio non contiene link; uno che ne contenga e chieda il codice non viene da noi.",
			"Se non ha chiesto un codice, qualcuno può aver tentato di agire a suo nome: ci avvisi tramite un canale che già conosce.",
		},
	},
	recovery: italianRecovery,
	refusals: italianRefusals,
}
