package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/pin"
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

// activationWords returns the words of activation codes, which come on paper only. All else it leaves to package texts.
func activationWords(madrid *time.Location) func(civicpin.Message) (texts.Text, bool) {
	return func(m civicpin.Message) (texts.Text, bool) {
		w, ok := activationTexts[m.To.Locale]
		if !ok || m.Kind != pin.PartMessage || !m.To.Channel.Printed() {
			return texts.Text{}, false
		}
		paragraphs := []string{longName}
		if m.To.Channel == civicpin.Letter { // for the window of the envelope
			paragraphs = append(paragraphs, "    "+strings.ReplaceAll(m.To.Address, "\n", "\n    "))
		}
		code := strings.Join(groups(m.Secret.Reveal()), " ")
		until := m.ExpiresAt.In(madrid).Format("02/01/2006 15:04")
		paragraphs = append(paragraphs, w.title, fmt.Sprintf(w.use, until), "    "+code, w.secret)
		body := strings.Join(paragraphs, "\n\n") + "\n"
		return texts.Text{Language: m.To.Locale, Subject: w.title, Body: civicpin.NewSecret(body)}, true
	}
}

// groups cuts a code into fours.
func groups(code string) []string {
	var all []string
	for len(code) > 4 {
		all, code = append(all, code[:4]), code[4:]
	}
	return append(all, code)
}
