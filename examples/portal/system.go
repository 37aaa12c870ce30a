package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/examples/internal/agency"
	"github.com/civicpin/civicpin/otelcivicpin"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
	"github.com/civicpin/civicpin/texts"
	"github.com/civicpin/civicpin/web"
)

// A system is one agency's: its services on its part of the database.
type system struct {
	setup
	p        *portal
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
	clock    *time.Location // of the times on its pages
}

func (p *portal) openSystems(ctx context.Context, keys store.Keys) (err error) {
	for _, o := range []setup{inps(), iess(), clavePIN(), tuss()} {
		s := &system{setup: o, p: p, files: new(agency.Uploads), people: people()}
		if err = s.open(ctx, keys); err != nil {
			return fmt.Errorf("portal: %s: %w", o.name, err)
		}
		p.systems = append(p.systems, s)
	}
	p.clave, err = newClave(p.system("clave"))
	return err
}

// open makes the services.
func (s *system) open(ctx context.Context, keys store.Keys) (err error) {
	if s.clock, err = time.LoadLocation(s.zone); err != nil {
		return err
	}
	writer, err := texts.New(texts.Service{
		Name: s.short, LongName: s.long, Help: s.help, Locale: s.lang, Location: s.clock, Page: s.p.base + "/" + s.name + "/link",
	})
	if err != nil {
		return err
	}
	s.printer = s.p.inbox.notifier(s.name, writer)
	if err = s.openOutbox(ctx, keys); err != nil {
		return err
	}
	if s.pins, err = pin.New(s.out, s.policy); err != nil {
		return err
	}
	s.sessions = web.Sessions{Library: library{s.p.session, s.name + ".login"}, Pins: s.pins}
	reports := web.ReceiptOptions{Pins: []*pin.Service{s.pins}, Prefix: smsPrefix}
	if s.reports, err = web.Receipts(s.out, s.p.reportKey, reports); err != nil {
		return err
	}
	if s.contacts, err = contact.New(s.out, s.book, s.pins); err != nil || len(s.recovery.Plans) == 0 {
		return err
	}
	c := s.recovery
	c.Pins, c.Contacts, c.Register, c.Documents = s.pins, s.contacts, s.people, s.files
	s.rec, err = recovery.New(s.out, c)
	return err
}

// openOutbox makes the vault and the outbox. Events go to the audit log, the attack page, the figures, and, with -v, the
// program's log. The limits of messages by source are wide: all visitors of this portal come from one address, yours. Those of
// guesses are the policy's, as at a real portal.
func (s *system) openOutbox(ctx context.Context, keys store.Keys) error {
	meter, err := s.p.meter(s.name)
	if err != nil {
		return err
	}
	counted, err := otelcivicpin.NewRecorder(meter)
	if err != nil {
		return err
	}
	recorders := []civicpin.Recorder{s.p.log, &s.p.attacks, counted}
	if s.p.verbose {
		recorders = append(recorders, civicpin.SlogRecorder(nil))
	}
	options := &store.Options{Recorder: civicpin.Recorders(recorders...), Now: s.p.now}
	if s.vault, err = store.OpenVault(ctx, shelf{s.p.records.Lister, s.name + "/"}, keys, options); err != nil {
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

// Name is for the template.
func (s *system) Name() string { return s.name }

// routes are the pages that all systems have; some have more.
func (s *system) routes(mux *http.ServeMux) {
	at := func(path string, show shows, do acts) { s.p.page(mux, "/"+s.name+"/"+path, s, show, do) }
	at("{$}", s.home, nil)
	if s.name == "clave" {
		s.p.clave.routes(at)
		return
	}
	at("login", s.loginPage, s.named(s.login))
	at("mine", s.minePage, s.mine)
	at("first", s.firstPage, s.named(s.first))
	at("change", s.changePage, s.named(s.change))
	at("contacts", s.contactsPage, s.contactsDo)
	at("start", s.startPage, s.named(s.start))
	at("run", s.runPage, s.runDo)
	at("choose", s.choosePage, s.choose)
	at("done", s.donePage, nil)
	if s.name == "inps" {
		at("request", s.requestPage, s.named(s.request))
	}
	s.p.pages["/"+s.name+"/link"] = true
	mux.Handle("/"+s.name+"/link", s.linkPage())
}
