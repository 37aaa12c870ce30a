package main

import (
	"context"
	"errors"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/agency"
	"github.com/civicpin/civicpin/examples/internal/play"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/store"
)

// The operators, by the ids under which they are written into the log.
const (
	videoDesk = civicpin.Actor("operator:video.7") // the same as civicpin.Operator("video.7")
	office    = civicpin.Actor("operator:office.madrid.2")
	helpDesk  = civicpin.Actor("operator:helpdesk.31")
	helpLine  = "060"
)

type refusal = play.Refusal

// A tale is one telling of the story.
type tale struct {
	*play.Page
	people register

	pins      *pin.Service  // activation codes, and the keys that apps get for them
	codes     *otp.Codes    // the PINs of three characters
	operators *otp.TOTP     // the second factor of the staff
	cards     *lockout.Gate // guesses at what is printed on an identity card
	records   store.Kind[record]
	phones    store.Kind[owner]
	filed     store.Kind[[]filing]

	ana, luis, carmen, pedro, elena *citizen

	asked used              // what Ana asked for and has not typed yet
	read  map[string]string // the message that was read last, by address
}

// newTale makes the services on the stage's vault and outbox: three calls, a gate, and the program's own records.
func newTale(s *play.Stage, policy otp.CodePolicy) (*tale, error) {
	t := &tale{read: make(map[string]string)}
	t.Page = &play.Page{
		Stage: s, Name: "Cl@ve", Dates: "2 January 2006 at 15:04", Wrong: "Wrong.",
		Disabled: "Too many wrong codes: your telephone has to be registered anew. Come to an office with your identity card.",
		Own:      ownError,
	}
	var errs [8]error
	t.people, errs[0] = readRegister(registerFile)
	t.pins, errs[1] = pin.New(s.Outbox, agency.ClaveActivation())
	t.codes, errs[2] = otp.NewCodes(s.Outbox, policy, otp.Rests{Credentials: t.pins})
	t.operators, errs[3] = otp.NewTOTP(s.Vault, otp.TOTPPolicy{
		Name: "clave-operators", Issuer: "Clave",
		Lockout: lockout.Policy{Limit: 5, Lock: lockout.Timed, For: time.Minute, Max: day, ShowLeft: true}.WithRates(),
	})
	t.cards, errs[4] = lockout.New(s.Vault, "clave.card", agency.ClaveCards())
	t.records, errs[5] = store.NewKind[record](s.Vault, "clave.record")
	t.phones, errs[6] = store.NewKind[owner](s.Vault, "clave.phone")
	t.filed, errs[7] = store.NewKind[[]filing](s.Vault, "clave.filed")
	if err := errors.Join(errs[:]...); err != nil {
		return nil, err
	}
	t.ana, t.luis, t.carmen = t.citizen("12345678Z", 1), t.citizen("X1234567L", 2), t.citizen("23456789D", 3)
	t.pedro, t.elena = t.citizen("34567890V", 4), t.citizen("45678901G", 5)
	return t, nil
}

// Acts are the steps of the story in their order. Each goes on from where the one before it ended.
func (t *tale) Acts() []func(context.Context) error {
	return []func(context.Context) error{
		t.operator, t.certificate, t.otherWays, t.asking, t.channels, t.joined, t.deeds,
		t.NextDay("PINs that are refused: spent, foreign, late, and guessed", t.refused),
		t.NextDay("A new telephone number", t.change),
	}
}

// ask shows a page with one field until use takes what was typed. Locks are waited out. An error that cannot be explained to
// a citizen ends it.
func (t *tale) ask(prompt string, suggestions []string, use func(typed string) error) error {
	return t.AskUntil(prompt, suggestions, use, t.WaitOut)
}
