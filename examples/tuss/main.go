// Command tuss plays Tu Seguridad Social, the portal of Spain's social security: citizens register in person, sign the terms,
// are handed an activation code and exchange it for a password, which with their DNI or NIE as the user's name opens that
// portal and a second one, SEDESS, which asks for more. The password is changed, forgotten and recovered; e-mail and telephone
// change and get lost; an attacker tries all of it.
//
//	go run ./examples/tuss              plays it in a few seconds
//	go run ./examples/tuss -i           asks you for everything that the citizens type
//	go run ./examples/tuss -db tuss.db  keeps the database for the next run, in which Nuria is registered already
//
// Or it keeps the records on a server, for many machines or one, and keys, clock, log and post in files of the current folder,
// tuss.keys and so on (-files names them otherwise), which the next run needs:
//
//	go run ./examples/tuss -db postgres://user@host/database  keeps the records in PostgreSQL
//	go run ./examples/tuss -db 'nats://host:4222?replicas=1'  keeps them in NATS JetStream, here of one server
//
// Nothing is really sent: text messages, e-mails, letters and slips are files. The whole system is in package agency, as
// three values. Each step of the story is a file of this folder, in this order: counter.go, activate.go, letter.go,
// portals.go, password.go, forgotten.go, strangers.go, contacts.go, undo.go, office.go, codes.go.
package main

import (
	"github.com/civicpin/civicpin/examples/internal/play"
	"github.com/civicpin/civicpin/texts"
)

func main() { play.Main(newPlay()) }

const (
	longName = "Tu Seguridad Social"
	helpLine = "901 50 20 50"
)

// newPlay is the program apart from its flags, input and output, which tests bring themselves.
func newPlay() play.Play {
	return play.Play{
		Name:    "tuss",
		About:   "Spain's Tu Seguridad Social. Nothing is really sent: SMS, e-mails and letters are files.",
		Service: texts.Service{Name: "Seg. Social", LongName: longName, Help: helpLine, Page: "https://tuss.example/clave"},
		Email:   "clave@tuss.example", Zone: officeZone, Lang: "es",
		Words: activationWords,
		Story: play.InActs(newTale),
	}
}
