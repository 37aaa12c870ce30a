// Command quickportal is a portal in a few files, to copy from: one join of the library to net/http in each. docs/portal.md
// walks through them.
package main

import (
	"cmp"
	"context"
	"flag"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/civicpin/civicpin/store"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:8080", "where to listen")
	address := flag.String("address", "", "the portal's address in browsers; https, unless on this machine (default: from -addr)")
	proxies := flag.Int("proxies", 0, "how many proxies every request passes")
	once := flag.Bool("once", false, "end after a second, as in a test")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if *once {
		time.AfterFunc(time.Second, stop)
	}
	p := open(ctx, "quickportal-data", cmp.Or(*address, "http://"+*addr), *proxies, log.New(os.Stdout, "", 0))
	server := http.Server{Handler: p.routes(), ReadTimeout: time.Minute, WriteTimeout: 2 * time.Minute}
	listener := must(net.Listen("tcp", *addr))
	go func() { log.Print(server.Serve(listener)) }()
	p.upkeep(ctx)
	must(p, server.Shutdown(context.Background())) // after the requests under way
	must(p, p.db.Close())
}

// upkeep sends what is due, and clears away each hour what has expired, until the context is done.
func (p *portal) upkeep(ctx context.Context) {
	for ctx.Err() == nil {
		_, swept := p.pins.Sweep(ctx, 1000)
		_, purged := p.out.Vault().Purge(ctx, store.Pass{Max: 10_000})
		log.Println("cleared away what has expired; errors:", swept, purged)
		hour, cancel := context.WithTimeout(ctx, time.Hour)
		_ = p.out.Run(hour)
		cancel()
	}
}

// must ends the program on an error, as only its start and its end do.
func must[T any](v T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return v
}
