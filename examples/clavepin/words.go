package main

import (
	"fmt"
	"time"

	"github.com/civicpin/civicpin/pin"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/play"
	"github.com/civicpin/civicpin/texts"
)

// An activationText is how an activation code is worded in one language. Package texts has words for a PIN that is exchanged
// for another one, which here would be taken for the PIN of three characters.
type activationText struct {
	title, sms, use, secret string
}

var activationTexts = map[string]activationText{
	"es": {
		title: "Su código de activación",
		sms:   "Cl@ve: su codigo de activacion: %s\nEscribalo en la app antes del %s. No lo diga a nadie.",
		use: "Ha pedido registrarse en Cl@ve. Instale la app, escriba en ella su DNI o\n" +
			"NIE y este código, y podrá pedir claves de un solo uso. Vale hasta el\n%s.",
		secret: "No lo diga a nadie. Nunca se lo pediremos por teléfono, mensaje ni correo.\n" +
			"Si no lo ha pedido usted, destruya esta hoja y avise al " + helpLine + ".",
	},
	"en": {
		title: "Your activation code",
		sms:   "Cl@ve: your activation code: %s\nType it into the app before %s. Never tell it to anybody.",
		use: "You asked to be registered with Cl@ve. Install the app, type your DNI or\n" +
			"NIE into it and this code, and you can ask for PINs. It is valid until\n%s.",
		secret: "Never tell it to anybody. We never ask for it, in whatever way.\n" +
			"If it was not you who asked, destroy this page and ring " + helpLine + ".",
	},
	"it": {
		title: "Il suo codice di attivazione",
		sms:   "Cl@ve: il suo codice di attivazione: %s\nLo digiti nella app prima del %s. Non lo dica a nessuno.",
		use: "Ha chiesto di registrarsi a Cl@ve. Installi la app, digiti il suo DNI o\n" +
			"NIE e questo codice, e potrà chiedere PIN. Vale fino al\n%s.",
		secret: "Non lo dica a nessuno. Non glielo chiederemo mai, in nessun modo.\n" +
			"Se non è stato lei a chiederlo, distrugga questo foglio e chiami lo " + helpLine + ".",
	},
}

// activationWords words activation codes. A portal that wants words of its own writes a function from a message to a text,
// and passes on the messages that it has none for.
func activationWords(m civicpin.Message, madrid *time.Location) (texts.Text, bool) {
	w, ok := activationTexts[m.To.Locale]
	if !ok || m.Kind != pin.PartMessage {
		return texts.Text{}, false
	}
	code := play.Groups(m.Secret.Reveal())
	until := m.ExpiresAt.In(madrid).Format("02/01/2006 15:04")
	if !m.To.Channel.Printed() {
		return texts.Text{Language: m.To.Locale, Body: civicpin.NewSecret(fmt.Sprintf(w.sms, code, until))}, true
	}
	page := play.Sheet(longName, m.To, w.title, fmt.Sprintf(w.use, until), "    "+code, w.secret)
	return texts.Text{Language: m.To.Locale, Subject: w.title, Body: civicpin.NewSecret(page)}, true
}
