package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/pin"
)

// seed gives two citizens a secret, unless they have one already, and prints what they type. The hashes are as another system
// may have kept them: pin.Service.Import takes many forms.
func (p *portal) seed(ctx context.Context, out io.Writer) error {
	for _, one := range []struct {
		system, locale string
		subject        civicpin.Subject
		email          string
		secret, hash   string
	}{
		{
			"inps", "it", mariaCF, "maria.rossi@example.it", "QZ7WK4PM",
			"rJjdSl3nnK5P6GAF2dkkww$O1AKEPFZbwv9lhMqWmQbNGD8j2Mgl69xnTdmlDtOkLY",
		},
		{
			"tuss", "es", nuriaNIF, "nuria@example.es", "tres cerezas en julio",
			"XZkq6e8Stytfc21M7hkpkA$wjNQGfg4LBD1xtc3fLXFXoAqXCgVc+wUihLiHoKKkks",
		},
	} {
		to := civicpin.Contact{Channel: civicpin.Email, Address: one.email, Locale: one.locale}
		isNew, err := p.system(one.system).fill(ctx, one.subject, one.hash, to)
		if err != nil {
			return err
		}
		if isNew {
			fmt.Fprintf(out, "%s: %s, secret %q, e-mail %s\n", one.system, one.subject, one.secret, one.email)
		}
	}
	return p.seedCrowd(ctx)
}

// fill gives a citizen a secret, from its salt and hash, and a contact, unless there is a secret already.
func (s *system) fill(ctx context.Context, subject civicpin.Subject, hash string, to civicpin.Contact) (isNew bool, err error) {
	if _, err := s.pins.Status(ctx, subject); err == nil {
		return false, nil // from an earlier run
	}
	by := civicpin.Operator("seed")
	phc := civicpin.NewSecret("$argon2id$v=19$m=19456,t=2,p=1$" + hash)
	if err = s.pins.Import(ctx, subject, phc, pin.ImportOptions{By: by}); err == nil {
		err = s.contacts.Adopt(ctx, subject, []civicpin.Contact{to}, by, civicpin.Source{})
	}
	if err != nil {
		return false, fmt.Errorf("portal: seed %s: %w", s.name, err)
	}
	return true, nil
}

// crowdPIN is the PIN of all citizens in the crowd. That it has one hash saves time; no real portal has that.
const (
	crowdPIN  = "HT4KWZ82"
	crowdHash = "aX5ENKLoQV8mg/hMELfmlQ$QrZ3HiC5M2j/PbZ2VQ7okHRNmjT7qQhCRcLh2wjgHWw"
)

// crowd are twelve citizens of INPS whom no visitor plays: the targets of a mass lock-out.
func crowd() (all []civicpin.Subject) {
	for year := range 12 {
		all = append(all, fiscal("FLLMSS%dA01H501", 50+year))
	}
	return all
}

// mailOf is the mailbox of a citizen in the crowd.
func mailOf(subject civicpin.Subject) string { return strings.ToLower(string(subject)) + "@example.it" }

// seedCrowd gives the crowd their PIN.
func (p *portal) seedCrowd(ctx context.Context) error {
	for _, subject := range crowd() {
		to := civicpin.Contact{Channel: civicpin.Email, Address: mailOf(subject), Locale: "it"}
		if _, err := p.system("inps").fill(ctx, subject, crowdHash, to); err != nil {
			return err
		}
	}
	return nil
}
