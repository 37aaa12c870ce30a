package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery"
)

// tries is how many wrong guesses a mass lock-out sends to each PIN: more than lock it.
const tries = 7

// An owner is a citizen in a mass lock-out, and what the citizen has: a session, or a browser that the portal remembers.
type owner struct {
	subject civicpin.Subject
	before  pin.Verified
	epoch   pin.Epoch
	device  civicpin.Secret
}

// lockOut is the mass lock-out: wrong guesses at the PIN of every citizen of INPS whom the demonstration knows. Those whom a
// visitor plays are only attacked. The others log in before: each third one keeps a session, each third one a remembered browser.
func (p *portal) lockOut(ctx context.Context, a *attack) (func(context.Context, int) *http.Request, func(context.Context) string, error) {
	inps := p.system("inps")
	if err := p.seedCrowd(ctx, io.Discard); err != nil {
		return nil, nil, err
	}
	var owners []*owner
	for i, subject := range crowd() {
		o := &owner{subject: subject}
		err := inps.pins.Unlock(ctx, subject, civicpin.Operator("seed")) // from the attack before
		if err == nil {
			o.before, err = inps.pins.Verify(ctx, o.attempt(i))
		}
		if err == nil && i%3 == 0 {
			o.device, err = inps.pins.RememberDevice(ctx, o.before)
		}
		if err != nil {
			return nil, nil, err
		}
		if i%3 == 1 {
			o.epoch = o.before.Epoch
		}
		owners = append(owners, o)
	}
	if _, err := inps.pins.Status(ctx, mariaCF); err == nil {
		owners = append(owners, &owner{subject: mariaCF})
	}
	a.Owners, a.Requests = len(owners), tries*len(owners)
	request := func(ctx context.Context, i int) *http.Request {
		return p.guessAt(ctx, string(owners[i%len(owners)].subject), fmt.Sprintf("GUESS%03d", i), i)
	}
	return request, func(ctx context.Context) string { return p.comeIn(ctx, owners) }, nil
}

// comeIn has the owners try to come in after the attack, and counts how. An owner whom a visitor plays is not counted.
func (p *portal) comeIn(ctx context.Context, owners []*owner) string {
	inps, ways, word := p.system("inps"), make(map[string]int), "attack.owner.in"
	for i, o := range owners {
		if st, err := inps.pins.Status(ctx, o.subject); err == nil && st.Lockout.Locked != nil {
			ways["lanes"]++
		}
		if o.before.Epoch == "" {
			continue
		}
		way := p.way(ctx, o, i)
		if now, err := inps.pins.Epoch(ctx, o.subject); way == "" || err != nil || now != o.before.Epoch {
			way, word = "out", "attack.owner.some"
		}
		ways[way]++
	}
	p.attacks.edit(func(a *attack) { a.Ways = ways })
	return word
}

// way is how an owner comes in: from a remembered browser, in a session, or after an unlock by the link in an e-mail; empty if
// not at all. A login must give what the one before the attack gave.
func (p *portal) way(ctx context.Context, o *owner, i int) string {
	inps := p.system("inps")
	logsIn := func() bool {
		now, err := inps.pins.Verify(ctx, o.attempt(i))
		return err == nil && now.Level == o.before.Level
	}
	if epoch, err := inps.pins.Epoch(ctx, o.subject); o.epoch != "" {
		if err != nil || epoch != o.epoch {
			return ""
		}
		return "login"
	}
	if !o.device.IsZero() {
		if !logsIn() {
			return ""
		}
		return "device"
	}
	if err := inps.unlockByLink(ctx, o.subject, o.source(i)); err != nil || !logsIn() {
		return ""
	}
	return "link"
}

// unlockByLink is what a citizen does who asks for a link in an e-mail, and opens it.
func (s *system) unlockByLink(ctx context.Context, subject civicpin.Subject, source civicpin.Source) error {
	began := time.Now()
	run, err := s.rec.Start(ctx, unlockINPS, subject, source)
	if err != nil {
		return err
	}
	if _, err = s.rec.Answer(ctx, run.Ticket, recovery.Answers{Captcha: true}); err != nil {
		return err
	}
	if err = s.out.Flush(ctx); err != nil {
		return err
	}
	for ; time.Since(began) < time.Minute && ctx.Err() == nil; time.Sleep(20 * time.Millisecond) { // the dispatcher may be at it
		for _, m := range s.p.inbox.newest() {
			if _, token, ok := strings.Cut(m.Link, "#"); ok && m.To == mailOf(subject) && m.At.After(began) {
				_, err = s.rec.Finish(ctx, civicpin.NewSecret(token), source)
				return err
			}
		}
	}
	return errors.New("portal: no link came")
}

// attempt is a login as the owner does it, from an address of the owner's.
func (o *owner) attempt(i int) pin.Attempt {
	return pin.Attempt{Subject: o.subject, Secret: civicpin.NewSecret(crowdPIN), Source: o.source(i)}
}

func (o *owner) source(i int) civicpin.Source {
	return civicpin.Source{Address: fmt.Sprintf("198.51.100.%d", 1+i), Device: o.device}
}
