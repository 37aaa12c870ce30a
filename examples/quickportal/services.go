package main

import (
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
	"github.com/civicpin/civicpin/store/sqlite"
	"github.com/civicpin/civicpin/web"
)

// A portal is the services, and what joins them to browsers.
type portal struct {
	db       *sqlite.Store
	vault    *store.Vault
	out      *outbox.Outbox
	pins     *pin.Service
	contacts *contact.Service
	rec      *recovery.Service
	cookies  *web.Cookies
	library  library
	sessions web.Sessions
	proxies  web.Proxies
	behind   sync.Once       // warns that there is a proxy that proxies does not count
	desk     civicpin.Secret // the password of staff
	paper    io.Writer       // on which mails and slips are printed
}

// open makes the services: an activation code from the desk, a password of the citizen's own, and mail for what is lost. Links
// begin with the address, and never with what a request says.
func open(ctx context.Context, dir, address string, proxies int, paper io.Writer) *portal {
	p := &portal{proxies: web.Proxies{Count: proxies}, desk: civicpin.NewSecret(rand.Text()), paper: paper}
	keyFile := filepath.Join(must(dir, os.MkdirAll(dir, 0o700)), "portal.keys")
	_, _ = store.CreateKeyFile(keyFile) // once: it overwrites none. In production it is made before, and has a backup
	keys := must(store.ReadKeyFile(keyFile))
	p.db = must(sqlite.Open(ctx, filepath.Join(dir, "portal.db")))
	p.vault = must(store.OpenVault(ctx, p.db, keys, &store.Options{Recorder: civicpin.SlogRecorder(slog.Default())}))
	p.out = must(outbox.New(p.vault, mail(address, paper), nil))
	p.pins = must(pin.New(p.out, policy()))
	p.contacts = must(contact.New(p.out, contact.Policy{}, p.pins))
	p.rec = must(recovery.New(p.out, recovery.Config{Pins: p.pins, Contacts: p.contacts, Plans: plans()}))
	p.cookies, p.library = must(web.NewCookies(address)), newLibrary(address)
	p.sessions = web.Sessions{Library: p.library, Pins: p.pins}
	return p
}
