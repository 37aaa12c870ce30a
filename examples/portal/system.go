package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/examples/internal/agency"
	"github.com/civicpin/civicpin/examples/internal/ident"
	"github.com/civicpin/civicpin/examples/internal/post"
	"github.com/civicpin/civicpin/otelcivicpin"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/recovery/plan"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
	"github.com/civicpin/civicpin/texts"
	"github.com/civicpin/civicpin/web"
)

// A system is one agency's: its services on its part of the database, and what its pages differ in.
type system struct {
	p        *portal
	name     string
	parse    func(typed string) (civicpin.Subject, error)
	id       string // an example of an identifier
	plans    []plan.Plan
	begin    []string // the plans that a visitor may begin, for the page that offers them
	vault    *store.Vault
	out      *outbox.Outbox
	reports  http.Handler // of the SMS gateway
	pins     *pin.Service
	sessions web.Sessions
	contacts *contact.Service
	rec      *recovery.Service
	files    *agency.Uploads
	people   register
	printer  civicpin.Notifier
	zone     *time.Location // of the times on its pages
}

// A setup is what makes a system: values of package agency, and little more.
type setup struct {
	name, short, long, help, zone, lang string
	parse                               func(string) (civicpin.Subject, error)
	id                                  string
	policy                              pin.Policy
	contacts                            contact.Policy
	recovery                            recovery.Config
	begin                               []string
}

func (p *portal) openSystems(ctx context.Context, keys store.Keys) error {
	for _, o := range []setup{inps(), iess(), claveSetup(), tuss()} {
		s, err := p.openSystem(ctx, keys, o)
		if err != nil {
			return fmt.Errorf("portal: %s: %w", o.name, err)
		}
		p.systems = append(p.systems, s)
	}
	var err error
	p.clave, err = newClave(p.system("clave"))
	return err
}

// openSystem makes the services.
func (p *portal) openSystem(ctx context.Context, keys store.Keys, o setup) (*system, error) {
	s := &system{
		p: p, name: o.name, parse: o.parse, id: o.id, begin: o.begin, plans: o.recovery.Plans,
		files: new(agency.Uploads), people: people(),
	}
	var err error
	if s.zone, err = time.LoadLocation(o.zone); err != nil {
		return nil, err
	}
	writer, err := texts.New(texts.Service{
		Name: o.short, LongName: o.long, Help: o.help, Locale: o.lang, Location: s.zone, Page: p.base + "/" + o.name + "/link",
	})
	if err != nil {
		return nil, err
	}
	s.printer = p.inbox.notifier(o.name, writer)
	if err = s.openOutbox(ctx, keys); err != nil {
		return nil, err
	}
	if s.pins, err = pin.New(s.out, o.policy); err != nil {
		return nil, err
	}
	s.sessions = web.Sessions{Library: library{p.session, o.name + ".login"}, Pins: s.pins}
	reports := web.ReceiptOptions{Pins: []*pin.Service{s.pins}, Prefix: smsPrefix}
	if s.reports, err = web.Receipts(s.out, p.reportKey, reports); err != nil {
		return nil, err
	}
	if s.contacts, err = contact.New(s.out, o.contacts, s.pins); err != nil {
		return nil, err
	}
	if len(o.recovery.Plans) == 0 {
		return s, nil
	}
	o.recovery.Pins, o.recovery.Contacts, o.recovery.Register, o.recovery.Documents = s.pins, s.contacts, s.people, s.files
	s.rec, err = recovery.New(s.out, o.recovery)
	return s, err
}

// openOutbox makes the vault and the outbox, and has both counted. The limits of messages by source are wide: all visitors of
// this portal come from one address, yours. Those of guesses are the policy's, as at a real portal.
func (s *system) openOutbox(ctx context.Context, keys store.Keys) error {
	meter, err := s.p.meter(s.name)
	if err != nil {
		return err
	}
	counted, err := otelcivicpin.NewRecorder(meter)
	if err != nil {
		return err
	}
	own, all := shelf{s.p.records.Lister, s.name + "/"}, civicpin.Recorders(s.p.recorder(), counted)
	if s.vault, err = store.OpenVault(ctx, own, keys, &store.Options{Recorder: all, Now: s.p.now}); err != nil {
		return err
	}
	hour := func(n int) civicpin.Rate { return civicpin.Rate{Limit: n, Window: time.Hour} }
	limits := outbox.Limits{Source: hour(600), SourceTyped: hour(200)}
	if s.out, err = outbox.New(s.vault, s.printer, &outbox.Options{Limits: limits}); err != nil {
		return err
	}
	_, err = otelcivicpin.RegisterBacklog(s.out, meter)
	return err
}

// now is the clock of the services.
func (p *portal) now() time.Time { return time.Now().Add(time.Duration(p.ahead.Load())) }

func (p *portal) system(name string) *system {
	for _, s := range p.systems {
		if s.name == name {
			return s
		}
	}
	return nil
}

// Name and Title are for the template.
func (s *system) Name() string { return s.name }

// tidy erases what has expired.
func (s *system) tidy(ctx context.Context) error {
	_, swept := s.pins.Sweep(ctx, 1000)
	_, purged := s.vault.Purge(ctx, store.Pass{})
	return errors.Join(swept, purged)
}

// routes are the pages that all systems have; each adds its own.
func (s *system) routes(mux *http.ServeMux) {
	at := func(path string, show func(*visit) (view, error), do func(*visit) (string, error)) {
		s.p.page(mux, "/"+s.name+"/"+path, s, show, do)
	}
	at("{$}", s.home, nil)
	if s.name == "clave" {
		s.p.clave.routes(at)
		return
	}
	at("login", s.loginPage, s.login)
	at("mine", s.minePage, s.mine)
	at("first", s.firstPage, s.first)
	at("change", s.changePage, s.change)
	at("contacts", s.contactsPage, s.contactsDo)
	at("start", s.startPage, s.start)
	at("run", s.runPage, s.runDo)
	at("choose", s.choosePage, s.choose)
	at("done", s.donePage, nil)
	if s.name == "inps" {
		at("request", s.requestPage, s.request)
	}
	s.p.pages["/"+s.name+"/link"] = true
	mux.Handle("/"+s.name+"/link", s.linkPage())
}

// parser makes an identifier's parser one of subjects. What is wrong with it is said beside the field.
func parser[T ~string](parse func(string) (T, error)) func(string) (civicpin.Subject, error) {
	return func(typed string) (civicpin.Subject, error) {
		id, err := parse(typed)
		if err != nil {
			return "", refusal{"id", "id.wrong"}
		}
		return civicpin.Subject(id), nil
	}
}

// ownMail is the channel of INPS that the library does not name.
var ownMail = []civicpin.Channel{post.CitizenCertifiedEmail}

var (
	parseCF     = parser(ident.ParseCodiceFiscale)
	parseNIF    = parser(ident.ParseNIF)
	parseCedula = parser(ident.ParseCedula)
)
