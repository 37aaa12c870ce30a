// Command quickportal is a portal in a few files, to copy from: one join of the library to net/http in each. docs/portal.md
// walks through them.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:8080", "where to listen")
	address := flag.String("address", "", "the portal's address in browsers; https, unless on this machine (default: from -addr)")
	proxies := flag.Int("proxies", 0, "how many proxies every request passes")
	once := flag.Bool("once", false, "end after a second, as in a test")
	flag.Parse()
	*address = cmp.Or(*address, "http://"+*addr)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if *once {
		time.AfterFunc(time.Second, stop)
	}

	p := open(ctx, "quickportal-data", *address, *proxies, os.Stdout)
	fmt.Printf("The desk issues an activation code: %s/desk (password %s)\nThe citizen exchanges it: %s/exchange\n",
		*address, p.desk.Reveal(), *address)
	server := http.Server{
		Addr: *addr, Handler: p.routes(), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: time.Minute,
		WriteTimeout: 2 * time.Minute, IdleTimeout: time.Minute,
	}
	stopUpkeep, ended := p.upkeep(), make(chan error)
	context.AfterFunc(ctx, func() { ended <- server.Shutdown(context.Background()) }) // after the requests under way
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		log.Fatal(err)
	}
	err := <-ended
	stopUpkeep()
	must(p, errors.Join(err, p.db.Close()))
}

// must ends the program on an error, as only its start and its end do.
func must[T any](v T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return v
}
