// Command iess plays the clave with which people sign in at Ecuador's social security institute, the IESS: the first one,
// behind a cédula, a birthday, an image and questions; the one that was forgotten, with three tries and then a walk to an
// agency; and the one that five wrong logins have locked, unlocked by a link that is good for three minutes, in a video call,
// at a counter, or by documents sent from abroad.
//
//	go run ./examples/iess              plays it in a few seconds
//	go run ./examples/iess -i           asks you for everything that Lucía and the others type
//	go run ./examples/iess -db iess.db  keeps the database for the next run, in which Lucía has a key already
//
// Or it keeps the records on a server, for many machines or one, and keys, clock, log and post in files of the current folder,
// iess.keys and so on (-files names them otherwise), which the next run needs:
//
//	go run ./examples/iess -db postgres://user@host/database  keeps the records in PostgreSQL
//	go run ./examples/iess -db 'nats://host:4222?replicas=1'  keeps them in NATS JetStream, here of one server
//
// Nothing is really sent: e-mails are files. All that makes it the IESS's is in plans.go. Each step of the story is a
// file of this folder, in this order: first.go, locked.go, device.go, forgotten.go, blocked.go, thief.go, moved.go,
// video.go, counter.go, desk.go, strangers.go.
package main

import (
	"github.com/civicpin/civicpin/examples/internal/play"
	"github.com/civicpin/civicpin/texts"
)

func main() { play.Main(newPlay()) }

// newPlay is the program apart from its flags, input and output, which tests bring themselves.
func newPlay() play.Play {
	return play.Play{
		Name:  "iess",
		About: "The clave of Ecuador's IESS. Nothing is really sent: e-mails are files.",
		Service: texts.Service{
			Name: "IESS", LongName: "Instituto Ecuatoriano de Seguridad Social", Help: helpLine, Page: "https://iess.example/clave",
		},
		Email: "clave@iess.example", Zone: zone, Lang: "es",
		Story: play.InActs(newTale),
	}
}
