package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/civicpin/civicpin/store"
)

// A config is what the flags say.
type config struct {
	addr, base, db, keys, smtp, sms string
	proxies                         int
	seed, once, verbose             bool
	wrap                            func(store.Lister) store.Lister // a test's
}

func readConfig(args []string, out io.Writer) (config, error) {
	var c config
	flags := flag.NewFlagSet("portal", flag.ContinueOnError)
	flags.SetOutput(out)
	flags.StringVar(&c.addr, "addr", "127.0.0.1:8080", "listen on this `address` of the machine; what browsers ask for is -base")
	flags.StringVar(&c.base, "base", "", "the portal's `URL` in browsers, where a proxy stands before -addr: https://portal.example/path;\n"+
		"links are built from it, and never from a request (default: http:// and -addr)")
	flags.StringVar(&c.db, "db", "", "keep the records in this `file`, or in postgres://user@host/database or\n"+
		"nats://host:4222?replicas=1 (default: a file in a temporary folder)")
	flags.StringVar(&c.keys, "keys", "", "the `file` of the keys (default: the database's with .keys,\n"+
		"or portal.keys beside a URL)")
	flags.StringVar(&c.smtp, "smtp", "", "send e-mails to the mail server smtp://user:password@host:587?from=pin@agency.example,\n"+
		"over TLS, instead of into the inbox")
	flags.StringVar(&c.sms, "sms", "", "send text messages through the gateway https://token@host/path?key=whsec_… instead of into the\n"+
		"inbox; it POSTs its reports, signed with the key, to the address that each message names")
	flags.IntVar(&c.proxies, "proxies", 0, "how many trusted proxies every request passes, each of which writes X-Forwarded-For")
	flags.BoolVar(&c.seed, "seed", false, "fill in demo citizens and print their data")
	flags.BoolVar(&c.verbose, "v", false, "log every event")
	flags.BoolVar(&c.once, "once", false, "start, ask for the first page, and end: for a check")
	if err := flags.Parse(args); err != nil {
		return c, err
	}
	if flags.NArg() > 0 {
		return c, fmt.Errorf("portal: what is %q?", flags.Arg(0))
	}
	c.base = strings.TrimSuffix(c.base, "/")
	return c, nil
}

// places fills in where records and keys are kept, if the flags do not say.
func places(c config) (config, error) {
	if c.db == "" {
		folder, err := os.MkdirTemp("", "civicpin-portal-")
		if err != nil {
			return c, fmt.Errorf("portal: %w", err)
		}
		c.db = folder + string(os.PathSeparator) + "portal.db"
	}
	switch {
	case c.keys != "":
	case strings.Contains(c.db, "://"):
		c.keys = "portal.keys"
	default:
		c.keys = c.db + ".keys"
	}
	return c, nil
}
