package main

import (
	"fmt"
	"time"

	"github.com/civicpin/civicpin/pin"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/play"
	"github.com/civicpin/civicpin/texts"
)

// An activationText is how an activation code is worded on paper in one language. Package texts has words for a PIN that is
// exchanged for another PIN; this one is exchanged for a password.
type activationText struct{ title, use, secret string }

var activationTexts = map[string]activationText{
	"es": {
		title: "Su código de activación",
		use: "Con este código crea usted su contraseña, en Tu Seguridad Social o en la\n" +
			"SEDESS. Su usuario es su DNI o NIE. El código vale una vez, hasta el\n%s.",
		secret: "No lo diga a nadie. Nunca se lo pediremos por teléfono, mensaje ni correo.\n" +
			"Si no lo ha pedido usted, destruya esta hoja y avise al " + helpLine + ".",
	},
	"en": {
		title: "Your activation code",
		use: "With this code you create your password, at Tu Seguridad Social or at\n" +
			"SEDESS. Your user name is your DNI or NIE. The code works once, until\n%s.",
		secret: "Never tell it to anybody. We never ask for it, in whatever way.\n" +
			"If it was not you who asked, destroy this page and ring " + helpLine + ".",
	},
	"it": {
		title: "Il suo codice di attivazione",
		use: "Con questo codice crea la sua password, su Tu Seguridad Social o su\n" +
			"SEDESS. Il suo nome utente è il DNI o NIE. Il codice vale una volta, fino al\n%s.",
		secret: "Non lo dica a nessuno. Non glielo chiederemo mai, in nessun modo.\n" +
			"Se non l'ha chiesto lei, distrugga questo foglio e chiami lo " + helpLine + ".",
	},
}

// activationWords words activation codes, which come on paper only. It leaves all other messages to package texts.
func activationWords(m civicpin.Message, madrid *time.Location) (texts.Text, bool) {
	w, ok := activationTexts[m.To.Locale]
	if !ok || m.Kind != pin.PartMessage || !m.To.Channel.Printed() {
		return texts.Text{}, false
	}
	use := fmt.Sprintf(w.use, m.ExpiresAt.In(madrid).Format("02/01/2006 15:04"))
	body := play.Sheet(longName, m.To, w.title, use, "    "+play.Groups(m.Secret.Reveal()), w.secret)
	return texts.Text{Language: m.To.Locale, Subject: w.title, Body: civicpin.NewSecret(body)}, true
}
