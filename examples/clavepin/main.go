// Command clavepin plays Spain's Cl@ve PIN: citizens register with a certificate, by letter, by video call or in person,
// which gives a basic or an advanced level; and for each thing that they do on line they ask for three characters, which
// come to their telephone and are good for ten minutes and once.
//
//	go run ./examples/clavepin               plays it in a few seconds
//	go run ./examples/clavepin -i            asks you for everything that Ana and the others type
//	go run ./examples/clavepin -db clave.db  keeps the database for the next run, in which Ana is registered already
//
// Or it keeps the records on a server, for many machines or one, and keys, clock, log and post in files of the current folder,
// clavepin.keys and so on (-files names them otherwise), which the next run needs:
//
//	go run ./examples/clavepin -db postgres://user@host/database  keeps the records in PostgreSQL
//	go run ./examples/clavepin -db 'nats://host:4222?replicas=1'  keeps them in NATS JetStream, here of one server
//
// Nothing is really sent: pushes to the app, text messages and letters are files. Each step of the story is a file of
// this folder, in this order: operator.go, certificate.go, ways.go, asking.go, channels.go, joined.go, deeds.go, refused.go,
// change.go.
package main

import (
	"github.com/civicpin/civicpin/examples/internal/agency"
	"github.com/civicpin/civicpin/examples/internal/play"
	"github.com/civicpin/civicpin/texts"
)

func main() { play.Main(newPlay()) }

const longName = "Sistema Cl@ve de la Administración"

// newPlay is the program apart from its flags, input and output, which tests bring themselves.
func newPlay() play.Play {
	return play.Play{
		Name:    "clavepin",
		About:   "Spain's Cl@ve PIN. Nothing is really sent: pushes, SMS and letters are files.",
		Service: texts.Service{Name: "Cl@ve", LongName: longName, Help: helpLine},
		Email:   "clave@clave.example", Zone: "Europe/Madrid", Lang: "es",
		Words: activationWords,
		Story: play.InActs(func(s *play.Stage) (*tale, error) { return newTale(s, agency.ClavePIN()) }),
	}
}
