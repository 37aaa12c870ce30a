package texts

import (
	"fmt"
	"time"
)

// The text messages use no á, í, ó or ú: the GSM alphabet lacks them.
var spanish = language{
	tag:      "es",
	greeting: "Buenos días:",
	help:     "[Consultas: {help}]",
	destroy:  "No enseñe esta hoja a nadie y destrúyala cuando haya usado el código.",
	more:     "Mensajes iguales que este sustituye: {more}.",
	short:    func(t time.Time) string { return t.Format("02/01/2006 15:04") },
	long: func(t time.Time) string {
		months := [...]string{
			"enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre",
			"diciembre",
		}
		return fmt.Sprintf("%d de %s de %d a las %s", t.Day(), months[t.Month()-1], t.Year(), t.Format("15:04"))
	},
	part: wording{
		title:   "Su nuevo PIN, parte {part} de {parts}",
		subject: "{service}: su nuevo PIN, parte {part} de {parts}",
		short: "{service}: su nuevo PIN, parte {part} de {parts}: {code}\n[Vale hasta el {time}. ]" +
			"No lo diga a nadie, tampoco a nosotros.",
		spoken: "Le llama {service}. Su nuevo PIN, parte {part} de {parts}, es: {letters}. Repito: {letters}. " +
			"No lo diga a nadie, tampoco a nosotros.",
		paragraphs: []string{
			"Este es su nuevo PIN para {name}, parte {part} de {parts}:",
			codeLine,
			"[Vale hasta el {longtime}.] La primera vez que lo use se le pedirá que elija un PIN propio.",
			"Son {parts} partes y las necesita todas. Cada una le llega por una vía distinta.",
			"No lo diga a nadie. Nunca se lo pediremos: ni por teléfono, ni por mensaje, ni por correo electrónico. " +
				"Este mensaje no lleva enlaces; el que los lleve y le pida el PIN no es nuestro.",
			"Si no ha pedido un nuevo PIN, avísenos cuanto antes y no use este.",
		},
	},
	activation: wording{
		title:   "Su código de activación",
		subject: "{service}: su código de activación",
		short: "{service}: clave de un solo uso para activar su acceso: {code}\n[Vale hasta el {time}. ]" +
			"No la diga a nadie.",
		spoken: "Le llama {service}. Su código de activación es: {letters}. Repito: {letters}. " +
			"No lo diga a nadie, tampoco a nosotros.",
		paragraphs: []string{
			"Este es su código de activación para {name}:",
			codeLine,
			"[Vale hasta el {longtime}.] La primera vez que lo use se le pedirá que elija un PIN o una contraseña propios.",
			"No lo diga a nadie. Nunca se lo pediremos: ni por teléfono, ni por mensaje, ni por correo electrónico. " +
				"Este mensaje no lleva enlaces; el que los lleve y le pida este código no es nuestro.",
			"Si no ha solicitado el acceso, avísenos cuanto antes y no use este código.",
		},
	},
	changed: wording{
		title:   "Su PIN ha cambiado",
		subject: "{service}: su PIN ha cambiado",
		short:   "{service}: su PIN ha cambiado. Si no ha sido usted, avise cuanto antes al teléfono que ya conoce.",
		spoken: "Le llama {service}. Su PIN ha cambiado. Si no ha sido usted, avise cuanto antes al teléfono que ya conoce. " +
			"Nunca le pediremos su PIN.",
		paragraphs: []string{
			"Su PIN para {name} ha cambiado.",
			"Si ha sido usted, no tiene que hacer nada. Si no, avísenos cuanto antes por una vía que ya conozca; " +
				"este mensaje no lleva enlaces ni pide nada.",
		},
	},
	revoked: wording{
		title:   "Su PIN ha sido revocado",
		subject: "{service}: su PIN ha sido revocado",
		short:   "{service}: su PIN ha sido revocado y ya no sirve. Si no lo ha pedido, avise al teléfono que ya conoce.",
		spoken: "Le llama {service}. Su PIN ha sido revocado y ya no sirve. Si no lo ha pedido, avise al teléfono que ya " +
			"conoce. Nunca le pediremos su PIN.",
		paragraphs: []string{
			"Su PIN para {name} ha sido revocado. Ya no sirve.",
			"Puede solicitar uno nuevo. Si no lo ha pedido, avísenos por una vía que ya conozca; " +
				"este mensaje no lleva enlaces ni pide nada.",
		},
	},
	locked: wording{
		title:   "Su PIN está bloqueado",
		subject: "{service}: su PIN está bloqueado",
		short: "{service}: tras varios fallos su PIN queda bloqueado[ hasta el {time}]. " +
			"Si no ha sido usted, avise al teléfono que ya conoce.",
		spoken: "Le llama {service}. Tras varios fallos su PIN queda bloqueado[ hasta el {longtime}]. Si no ha sido usted, avise " +
			"al teléfono que ya conoce. Nunca le pediremos su PIN.",
		paragraphs: []string{
			"Su PIN para {name} está bloqueado[ hasta el {longtime}] porque se ha escrito mal varias veces.",
			"Si ha sido usted, su PIN está a salvo. Si no, alguien ha intentado usarlo sin saberlo: avísenos por una vía " +
				"que ya conozca; este mensaje no lleva enlaces ni pide nada.",
		},
	},
	code: wording{
		title:   "Su clave de un solo uso",
		subject: "{service}: su clave de un solo uso",
		short: "{service}: su clave de un solo uso[ para {act}]: {code}\n[Vale hasta el {time}. ]" +
			"No la diga a nadie.",
		spoken: "Le llama {service}. Su clave de un solo uso[ para {act}] es: {letters}. Repito: {letters}. " +
			"No la diga a nadie, tampoco a nosotros.",
		paragraphs: []string{
			"Esta es su clave de un solo uso para {name}[, para {act}]:",
			codeLine,
			"Vale una sola vez[, hasta el {longtime}][, y solo para {act}].",
			"No la diga a nadie. Nunca se la pediremos: ni por teléfono, ni por mensaje, ni por correo electrónico. " +
				"Este mensaje no lleva enlaces; el que los lleve y le pida la clave no es nuestro.",
			"Si no ha pedido ninguna clave, puede que alguien haya intentado actuar en su nombre: avísenos por una vía que ya " +
				"conozca.",
		},
	},
	recovery: spanishRecovery,
	refusals: spanishRefusals,
}
