package main

import (
	"context"
	"crypto/rand"
	"log"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/recovery/plan"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
	"github.com/civicpin/civicpin/store/sqlite"
	"github.com/civicpin/civicpin/texts"
	"github.com/civicpin/civicpin/web"
)

// A portal is the services, and what joins them to browsers.
type portal struct {
	db       *sqlite.Store
	out      *outbox.Outbox
	pins     *pin.Service
	contacts *contact.Service
	rec      *recovery.Service
	cookies  *web.Cookies
	manager  *scs.SessionManager
	sessions web.Sessions
	proxies  web.Proxies
	behind   sync.Once                 // warns that there is a proxy that proxies does not count
	staff    map[string]civicpin.Actor // the operators, by their passes
	paper    *log.Logger               // on which mails and slips are printed
}

// open makes the services: an activation code from the desk, a password of the citizen's own, and mail for what is lost. Links
// begin with the address, and never with what a request says.
func open(ctx context.Context, dir, address string, proxies int, paper *log.Logger) *portal {
	p := &portal{proxies: web.Proxies{Count: proxies}, paper: paper}
	pass := rand.Text()
	p.staff = map[string]civicpin.Actor{pass: civicpin.Operator("clerk.7")}
	paper.Printf("clerk.7 issues codes: %s/desk (pass %s)\nCitizens exchange them: %s/exchange", address, pass, address)
	must(dir, os.MkdirAll(dir, 0o700))
	_, _ = store.CreateKeyFile(dir + "/portal.keys") // once: it overwrites none. In production it is made before, and has a backup
	keys := must(store.ReadKeyFile(dir + "/portal.keys"))
	p.db = must(sqlite.Open(ctx, dir+"/portal.db"))
	vault := must(store.OpenVault(ctx, p.db, keys, &store.Options{Recorder: civicpin.SlogRecorder(slog.Default())}))
	p.out = must(outbox.New(vault, mail(address, paper), nil))
	policy := pin.Default()
	policy.Valid = map[civicpin.Channel]time.Duration{civicpin.HandedOver: 7 * 24 * time.Hour}
	p.pins = must(pin.New(p.out, policy))
	p.contacts = must(contact.New(p.out, contact.Policy{}, p.pins))
	p.rec = must(recovery.New(p.out, recovery.Config{Pins: p.pins, Contacts: p.contacts, Plans: plans()}))
	p.cookies, p.manager = must(web.NewCookies(address)), newManager(address)
	p.sessions = web.Sessions{Manager: p.manager, Pins: p.pins, Cookies: p.cookies, Remember: "remember", Everywhere: "everywhere"}
	return p
}

// plans are the ways back: a link to a mailbox of the citizen's, and then a new password, or the end of a lock.
func plans() []plan.Plan {
	steps := []plan.Step{plan.Link{Channel: civicpin.Email, Valid: 30 * time.Minute}}
	limit := lockout.Policy{Limit: 3, Lock: lockout.UntilUnlocked}.WithRates()
	return []plan.Plan{
		{Name: "password", Steps: steps, Limit: limit, Outcome: plan.ChooseSecret},
		{Name: "unlock", Steps: steps, Limit: limit, Outcome: plan.Unlocked},
	}
}

// mail is the notifier: the library's words, over the one channel that this portal has. Put your provider where it prints; the
// id is the same for each try, so that the provider sends a mail once.
func mail(address string, paper *log.Logger) civicpin.Notifier {
	words := must(texts.New(texts.Service{Name: "Quick", LongName: "Quick portal", Page: address + "/link"}))
	send := func(_ context.Context, id string, to civicpin.Contact, t texts.Text) (receipt string, err error) {
		paper.Printf("\nMail to %s: %s\n\n%s\n", to.Address, t.Subject, t.Body.Reveal())
		return id, nil
	}
	return civicpin.ByChannel{civicpin.Email: words.Notifier(send)}
}
