// Command inps plays the whole life of an INPS PIN, as Italy's social security institute gave it to its citizens: asked for
// on line or by telephone, sent in two halves over two channels, exchanged for the citizen's own at first use, ordinario
// until a document was checked and dispositivo from then on, locked, unlocked, expired, recovered on line when it was lost,
// suspended and revoked.
//
//	go run ./examples/inps              plays it in a few seconds
//	go run ./examples/inps -i           asks you for everything that the citizens type
//	go run ./examples/inps -db pins.db  keeps the database for the next run, in which Maria has a PIN already
//
// Or it keeps the records on a server, for many machines or one, and keys, clock, log and post in files of the current folder,
// inps.keys and so on (-files names them otherwise), which the next run needs:
//
//	go run ./examples/inps -db postgres://user@host/database  keeps the records in PostgreSQL
//	go run ./examples/inps -db 'nats://host:4222?replicas=1'  keeps them in NATS JetStream, here of one server
//
// Nothing is really sent: text messages, e-mails and letters are files. Each step of the story is a file of this folder,
// in this order: contacts.go, request.go, exchange.go, counter.go, claims.go, guesses.go, upgrade.go, expiry.go,
// forgotten.go, notme.go, doors.go, lost.go. The policy, and the plan for a lost PIN, are in plan.go.
package main

import (
	"github.com/civicpin/civicpin/examples/internal/agency"
	"github.com/civicpin/civicpin/examples/internal/play"
	"github.com/civicpin/civicpin/texts"
)

func main() { play.Main(newPlay()) }

// newPlay is the program apart from its flags, input and output, which tests bring themselves.
func newPlay() play.Play {
	return play.Play{
		Name:  "inps",
		About: "The life of an INPS PIN. Nothing is really sent: SMS, e-mails and letters are files.",
		Service: texts.Service{
			Name: "INPS", LongName: "Istituto Nazionale della Previdenza Sociale", Help: helpLine, Page: "https://inps.example/pin",
		},
		Email: "pin@inps.example", Zone: "Europe/Rome", Lang: "it",
		Story: play.InActs(func(s *play.Stage) (*tale, error) { return newTale(s, agency.INPS()) }),
	}
}
