package texts

var italianRecovery = recovery{
	link: wording{
		title:   "Recupero del suo accesso",
		subject: "{service}: recupero del suo accesso",
		short:   "{service}: il suo codice per recuperare l'accesso: {code}\n[Valido fino al {time}. ]Non lo dica a nessuno.",
		spoken: "Qui {service}. Il suo codice per recuperare l'accesso è: {letters}. Ripeto: {letters}. " +
			"Non lo dica a nessuno, neppure a noi.",
		paragraphs: italianSteps(
			"lei, o qualcuno a suo nome, ha chiesto di recuperare l'accesso a {name}.",
			"ottenere un nuovo PIN o una nuova password",
			"Se non è stato lei a chiederlo, non prosegua e ci avvisi tramite un canale che già conosce.",
		),
	},
	activate: wording{
		title:   "Attivazione del suo accesso",
		subject: "{service}: attivazione del suo accesso",
		short:   "{service}: il suo codice per attivare l'accesso: {code}\n[Valido fino al {time}. ]Non lo dica a nessuno.",
		spoken: "Qui {service}. Il suo codice per attivare l'accesso è: {letters}. Ripeto: {letters}. " +
			"Non lo dica a nessuno, neppure a noi.",
		paragraphs: italianSteps(
			"il suo accesso a {name} è pronto per essere attivato.",
			"scegliere il suo primo PIN o la sua prima password",
			"Se non ha chiesto l'accesso, non prosegua e ci avvisi tramite un canale che già conosce.",
		),
	},
	unlock: wording{
		title:   "Sblocco del suo accesso",
		subject: "{service}: sblocco del suo accesso",
		short:   "{service}: il suo codice per sbloccare l'accesso: {code}\n[Valido fino al {time}. ]Non lo dica a nessuno.",
		spoken: "Qui {service}. Il suo codice per sbloccare l'accesso è: {letters}. Ripeto: {letters}. " +
			"Non lo dica a nessuno, neppure a noi.",
		paragraphs: italianSteps(
			"lei, o qualcuno a suo nome, ha chiesto di sbloccare l'accesso a {name}.",
			"sbloccarlo senza cambiare il PIN o la password",
			"Se non è stato lei a chiederlo, non prosegua e ci avvisi tramite un canale che già conosce.",
		),
	},
	prove: wording{
		title:   "Conferma di questo recapito",
		subject: "{service}: conferma di questo recapito",
		short: "{service}: il suo codice per confermare questo recapito: {code}\n" +
			"[Valido fino al {time}. ]Non lo dica a nessuno.",
		spoken: "Qui {service}. Il suo codice per confermare questo recapito è: {letters}. Ripeto: {letters}. " +
			"Non lo dica a nessuno, neppure a noi.",
		paragraphs: italianSteps(
			"questo recapito è stato indicato a {name} per ricevervi messaggi.",
			"confermare che è suo",
			"Se non lo ha indicato lei, non deve fare nulla: senza la sua conferma non sarà usato.",
		),
	},
	code: wording{
		title:   "Il suo codice di recupero",
		subject: "{service}: il suo codice di recupero",
		short:   "{service}: il suo codice per recuperare l'accesso: {code}\n[Valido fino al {time}. ]Non lo dica a nessuno.",
		spoken: "Qui {service}. Il suo codice per recuperare l'accesso è: {letters}. Ripeto: {letters}. " +
			"Non lo dica a nessuno, neppure a noi.",
		paragraphs: []string{
			"questo è il suo codice per recuperare l'accesso a {name}:",
			codeLine,
			"Vale una volta sola[, fino al {longtime}]. " +
				"Lo digiti soltanto nella pagina in cui ha chiesto di recuperare l'accesso.",
			"Non lo dica a nessuno. Non glielo chiederemo mai: né per telefono, né per messaggio, né per e-mail.",
			"Se non è stato lei a chiederlo, non lo usi e ci avvisi tramite un canale che già conosce.",
		},
	},
	waiting: wording{
		title:   "Richiesta di recupero del suo accesso",
		subject: "{service}: richiesta di recupero del suo accesso",
		short: "{service}: è stato chiesto il recupero dell'accesso[ (effettivo dal {time})]. " +
			"Se non è stato lei, ci avvisi al numero che già conosce.",
		spoken: "Qui {service}. È stato chiesto il recupero del suo accesso[; " +
			"se non viene annullato, diventa effettivo il {longtime}]. " +
			"Se non è stato lei, ci avvisi subito al numero che già conosce. " +
			"Non le chiederemo mai il PIN o la password.",
		paragraphs: italianNotice(
			"è stato chiesto il recupero del suo accesso a {name}.[ "+
				"Se non viene annullato, il recupero diventa effettivo il {longtime}.]",
			"annulli il recupero",
		),
	},
	done: wording{
		title:   "Il suo accesso è stato recuperato",
		subject: "{service}: il suo accesso è stato recuperato",
		short:   "{service}: il suo accesso è stato recuperato. Se non è stato lei, ci avvisi al numero che già conosce.",
		spoken: "Qui {service}. Il suo accesso è stato recuperato. Se non è stato lei, ci avvisi subito al numero " +
			"che già conosce. Non le chiederemo mai il PIN o la password.",
		paragraphs: italianNotice(
			"il suo accesso a {name} è stato recuperato: "+
				"è stato scelto un nuovo PIN o una nuova password, oppure le arriverà a breve.",
			"ce lo segnali",
		),
	},
	unlocked: wording{
		title:   "Il suo accesso è stato sbloccato",
		subject: "{service}: il suo accesso è stato sbloccato",
		short:   "{service}: il suo accesso è stato sbloccato. Se non è stato lei, ci avvisi al numero che già conosce.",
		spoken: "Qui {service}. Il suo accesso è stato sbloccato. Se non è stato lei, ci avvisi subito al numero " +
			"che già conosce. Non le chiederemo mai il PIN o la password.",
		paragraphs: italianNotice(
			"il suo accesso a {name} è stato sbloccato. Il PIN o la password non sono cambiati.",
			"ce lo segnali",
		),
	},
	contact: wording{
		title:   "Modifica dei suoi recapiti",
		subject: "{service}: modifica dei suoi recapiti",
		short:   "{service}: {change}. Se non è stato lei, ci avvisi al numero che già conosce.",
		spoken: "Qui {service}. Le comunichiamo che {change}. Se non è stato lei, ci avvisi subito al numero " +
			"che già conosce. Non le chiederemo mai il PIN o la password.",
		paragraphs: italianNotice(
			"le comunichiamo che presso {name} {change}.",
			"annulli la modifica",
		),
	},
	changes: changes{
		added:    "è stato aggiunto un suo recapito",
		changed:  "è stato modificato un suo recapito",
		removed:  "è stato eliminato un suo recapito",
		primary:  "è stato cambiato il suo recapito principale",
		settling: "la disputa sui suoi recapiti sta per finire come richiesto",
		some:     "sono stati modificati i suoi recapiti",
	},
}

// italianSteps are the paragraphs of a kind that leads on by a link, a code, or either.
func italianSteps(about, to, otherwise string) []string {
	return []string{
		about,
		"[" + ifLink + "Per " + to + ", apra questa pagina:]",
		linkLine,
		"[" + ifBoth + "Oppure apra la pagina per conto suo e vi digiti questo codice:]",
		"[" + ifCode + "Per " + to + ", digiti questo codice nella nostra pagina:]",
		codeLine,
		"Vale una volta sola[, fino al {longtime}][" + ifBoth + "; usato il link, il codice non vale più, e viceversa].",
		"[" + ifLink + "L'indirizzo della pagina comincia con {origin} e con nient'altro. Nel dubbio non segua " +
			"il link: apra la pagina per conto suo][" + ifBoth + " e digiti il codice][" + ifLink + ".]",
		"Non inoltri né mostri questo messaggio. Non le chiederemo mai il PIN, la password o un codice per telefono, " +
			"per messaggio o per e-mail.",
		otherwise,
	}
}

// italianNotice are the paragraphs of a notice whose link says "it was not me".
func italianNotice(about, to string) []string {
	return []string{
		about,
		"Se è stato lei, non deve fare nulla.[" + ifNone + " Altrimenti ci chiami subito al numero che già conosce; " +
			"questo messaggio non contiene link e non chiede nulla.][" + ifLink + " Altrimenti " + to + " in questa pagina:]",
		linkLine,
		"[" + ifLink + "Il link vale fino al {linktime}.]",
		"[" + ifLink + "L'indirizzo della pagina comincia con {origin} e con nient'altro. Nel dubbio non segua " +
			"il link e ci chiami al numero che già conosce. Non le chiederemo mai il PIN o la password per e-mail.]",
	}
}
