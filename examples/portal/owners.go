package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery"
)

// tries is how many wrong guesses a mass lock-out sends to each PIN: more than lock it.
const tries = 7

// An owner is a citizen in a mass lock-out: try is a login from the citizen's own address, and before what one gave before.
type owner struct {
	try    pin.Attempt
	before pin.Verified
	way    string // in which the owner means to come in
}

// lockOut is the mass lock-out: wrong guesses at every PIN of INPS, that of the visitor's citizen, too. The crowd logs in
// before; then one third each has a remembered browser, a session, and a mailbox alone. Nothing is sent to real mailboxes.
func (p *portal) lockOut(ctx context.Context, a *attack) (err error) {
	inps := p.system("inps")
	if p.inbox.mailer != nil {
		return refusal{"act", "attack.nobody"}
	}
	if err = p.seedCrowd(ctx); err != nil {
		return err
	}
	var owners []*owner
	for i, subject := range crowd() {
		if err = inps.pins.Unlock(ctx, subject, civicpin.Operator("seed")); err != nil { // from the attack before
			return err
		}
		source := civicpin.Source{Address: fmt.Sprintf("198.51.100.%d", 1+i)}
		o := &owner{pin.Attempt{Subject: subject, Secret: civicpin.NewSecret(crowdPIN), Source: source}, pin.Verified{}, ""}
		if o.before, err = inps.pins.Verify(ctx, o.try); err != nil {
			return err
		}
		if o.way = []string{"device", "login", "link"}[i%3]; o.way == "device" {
			if o.try.Source.Device, err = inps.pins.RememberDevice(ctx, o.before); err != nil {
				return err
			}
		}
		owners = append(owners, o)
	}
	if _, err := inps.pins.Status(ctx, mariaCF); err == nil {
		maria := &owner{try: pin.Attempt{Subject: mariaCF}, way: "login"}
		if maria.before.Epoch, err = inps.pins.Epoch(ctx, mariaCF); err != nil {
			return err
		}
		owners = append(owners, maria)
	}
	a.Owners, a.Requests = len(owners), tries*len(owners)
	a.request = func(ctx context.Context, i int) *http.Request {
		return p.guessAt(ctx, string(owners[i%len(owners)].try.Subject), fmt.Sprintf("GUESS%03d", i), i)
	}
	a.end = func(ctx context.Context) string { return p.comeIn(ctx, owners) }
	return nil
}

// comeIn has the owners come in after the attack, and counts how.
func (p *portal) comeIn(ctx context.Context, owners []*owner) string {
	ways, word := make(map[string]int), "attack.owner.in"
	for _, o := range owners {
		if st, err := p.system("inps").pins.Status(ctx, o.try.Subject); err == nil && st.Lockout.Locked != nil {
			ways["lanes"]++
		}
		if !p.system("inps").comesIn(ctx, o) {
			o.way, word = "out", "attack.owner.some"
		}
		ways[o.way]++
	}
	p.attacks.edit(func(a *attack) { a.Ways = ways })
	return word
}

// comesIn reports whether an owner comes in, to the same level, and no session has ended.
func (s *system) comesIn(ctx context.Context, o *owner) bool {
	epoch, err := s.pins.Epoch(ctx, o.try.Subject)
	if err != nil || epoch != o.before.Epoch || o.way == "login" {
		return err == nil && epoch == o.before.Epoch
	}
	if o.way == "link" && s.unlockByLink(ctx, o.try) != nil {
		return false
	}
	now, err := s.pins.Verify(ctx, o.try)
	return err == nil && now.Level == o.before.Level
}

// unlockByLink is what a citizen does who asks for a link in an e-mail, and opens it.
func (s *system) unlockByLink(ctx context.Context, try pin.Attempt) error {
	began := time.Now()
	run, err := s.rec.Start(ctx, unlockINPS, try.Subject, try.Source)
	if err != nil {
		return err
	}
	if _, err = s.rec.Answer(ctx, run.Ticket, recovery.Answers{Captcha: true}); err != nil {
		return err
	}
	for ; time.Since(began) < time.Minute && ctx.Err() == nil; time.Sleep(20 * time.Millisecond) { // the dispatcher sends it
		for _, m := range s.p.inbox.newest() {
			if _, token, ok := strings.Cut(m.Link, "#"); ok && m.To == mailOf(try.Subject) && m.At.After(began) {
				_, err = s.rec.Finish(ctx, civicpin.NewSecret(token), try.Source)
				return err
			}
		}
	}
	return errors.New("portal: no link came")
}
