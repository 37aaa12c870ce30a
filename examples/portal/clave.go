package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"strings"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/agency"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/store"
)

// clave is what Cl@ve PIN has beside a system's services: the codes of three characters, the limit of guesses at what is
// printed on an identity card, and what it keeps of registered citizens.
type clave struct {
	*system
	codes   *otp.Codes
	cards   *lockout.Gate
	records store.Kind[claveRecord]
	letters store.Kind[string] // the issue for which one was printed last
}

// A claveRecord is where a citizen's codes go. The level, and the evidence for it, are with the credential.
type claveRecord struct {
	Phone string `json:"phone"`
	App   string `json:"app"`
}

func newClave(s *system) (*clave, error) {
	c := &clave{system: s}
	var errs [4]error
	c.codes, errs[0] = otp.NewCodes(s.out, agency.ClavePIN(), otp.Rests{Credentials: c.pins})
	c.cards, errs[1] = lockout.New(s.vault, "clave.card", agency.ClaveCards())
	c.records, errs[2] = store.NewKind[claveRecord](s.vault, "clave.record")
	c.letters, errs[3] = store.NewKind[string](s.vault, "clave.letter")
	return c, errors.Join(errs[:]...)
}

func (c *clave) routes(at func(path string, show shows, do acts)) {
	at("certificate", c.certificatePage, c.certificate)
	at("letter", c.letterPage, c.named(c.letter))
	at("activate", c.activatePage, c.named(c.activate))
	at("ask", c.askPage, c.named(c.ask))
	at("code", c.codePage, c.code)
	at("app", c.appPage, nil)
}

// activatePage is the app: it trades the activation code for a key of its own, which nobody types.
func (c *clave) activatePage(v *visit) (view, error) {
	return v.simple("clave.activate", how{"clave.go", "pin.Service.Exchange, otp.Codes.Rebind"}, "first.button", v.idField(),
		field{Name: "code", Label: v.T("first.code"), Auto: "one-time-code"}, v.mobileField()), nil
}

func (c *clave) activate(v *visit, subject civicpin.Subject) (string, error) {
	mobile, err := v.contact("mobile", v.typed("mobile"))
	if err != nil {
		return "", err
	}
	key := civicpin.NewSecret(rand.Text())
	ok, err := c.pins.Exchange(v.ctx(), v.attempt(subject, v.secret("code")), key)
	if err != nil {
		return "", err
	}
	app := "app-" + strings.ToLower(rand.Text()[:8])
	_, err = c.records.Update(v.ctx(), store.Key{Subject: subject}, func(e *store.Entry[claveRecord]) error {
		e.Value = claveRecord{Phone: mobile.Address, App: app}
		return nil
	})
	if err != nil {
		return "", err
	}
	// A telephone was bound after its owner's identity was proved: what was guessed wrongly before no longer counts.
	st, err := c.pins.Status(v.ctx(), subject)
	if err == nil && len(st.Evidence) > 0 {
		err = c.codes.Rebind(v.ctx(), subject, st.Evidence[len(st.Evidence)-1])
	}
	if err = errors.Join(err, c.cards.Rebind(v.ctx(), lockout.Target{Subject: subject}, civicpin.Citizen)); err != nil {
		return "", err
	}
	return "/clave/app", c.opened(v, subject, key, ok, "clave.activate.done")
}

// appPage is the app on the citizen's telephone, opened: it shows the code that waits, if a push was lost.
func (c *clave) appPage(v *visit) (view, error) {
	w := view{Title: "clave.app.title", Say: v.say("clave.app.say"), How: how{"clave.go", "otp.Codes.Pending"}}
	subject, level, err := v.user()
	if err != nil {
		return v.nothing(w, "clave.app.none", link{"/clave/activate", "clave.activate.title"}), nil // said on the page
	}
	pending, err := c.codes.Pending(v.ctx(), subject)
	if err != nil {
		return view{}, err
	}
	codes := table{Caption: v.T("clave.app.codes"), Head: []string{v.T("code"), v.T("clave.act"), v.T("expires")}}
	for _, p := range pending {
		codes.Rows = append(codes.Rows, []string{p.Code.Reveal(), p.Params["act"], v.time(p.ExpiresAt, "15:04")})
	}
	w.Facts = [][2]string{{v.T("clave.id"), string(subject)}, {v.T("level"), v.T("clave.level." + level.String())}}
	w.Tables = []table{codes}
	w.Links = []link{{"/clave/ask", "clave.ask.title"}}
	if level == civicpin.Low {
		w.Links = append(w.Links, link{"/clave/certificate", "clave.certificate.button"})
	}
	return w, nil
}

// askPage asks for a code: with the number and what is printed on the card.
func (c *clave) askPage(v *visit) (view, error) {
	by := v.choices("channel.", "push", "sms")
	by[0].Chosen = true
	return v.simple("clave.ask", how{"clave.go", "lockout.Gate.Do, otp.Codes.Request"}, "go", v.idField(),
		field{Name: "card", Label: v.T("clave.card"), Hint: v.T("clave.card.hint"), Auto: "off"},
		field{Name: "own", Label: v.T("clave.own"), Hint: v.T("clave.own.hint"), Auto: "off", Optional: true},
		field{Name: "by", Label: v.T("channel"), Options: by}), nil
}

// ask says the same to everybody: to citizens, to who knows a number but not the card, and to nobody's number.
func (c *clave) ask(v *visit, subject civicpin.Subject) (string, error) {
	card := strings.ToUpper(strings.ReplaceAll(strings.TrimSpace(v.typed("card")), " ", ""))
	if d, ok := readDate(v.typed("card")); ok {
		card = d.Format(dayFirst)
	}
	right, err := c.knowsCard(v, subject, card)
	if err != nil {
		return "", err
	}
	to, err := c.contactsOf(v, subject) // read for everybody, and only then dropped, or the time that it takes would tell
	if err != nil {
		return "", err
	}
	if !right {
		to = nil
	}
	req, err := c.codes.Request(v.ctx(), subject, workingLife(subject), otp.RequestOptions{
		To: to, Joined: v.secret("own"), Source: v.source(), Params: map[string]string{"act": v.T("clave.act.life")},
	})
	if err != nil {
		return "", err
	}
	v.put("asked", string(subject))
	v.put("request", req.ID)
	v.flash("clave.ask.done")
	return "/clave/code", nil
}

// knowsCard reports whether the data are those of the number's owner. The guess is counted before it is compared, and nothing
// of what the gate answers reaches the visitor, but for a challenge.
func (c *clave) knowsCard(v *visit, subject civicpin.Subject, card string) (bool, error) {
	err := c.cards.Do(v.ctx(), lockout.Target{Subject: subject, Source: v.source()}, func(ctx context.Context) (bool, error) {
		if _, known := c.people[subject]; !known {
			return false, lockout.ErrNoSubject
		}
		return c.people.Check(ctx, subject, map[string]string{"card": card})
	})
	if errors.Is(err, lockout.ErrChallenge) { // says nothing about the number
		return false, err
	}
	_, locked := errors.AsType[*lockout.LockedError](err)
	if locked || errors.Is(err, lockout.ErrRefused) || errors.Is(err, lockout.ErrBusy) {
		return false, nil
	}
	return err == nil, err
}

// contactsOf are the ways to a citizen that the page asks for; none if they are not registered.
func (c *clave) contactsOf(v *visit, subject civicpin.Subject) ([]civicpin.Contact, error) {
	e, err := c.records.Get(v.ctx(), store.Key{Subject: subject})
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if v.typed("by") == "sms" {
		return []civicpin.Contact{{Channel: civicpin.SMS, Address: e.Value.Phone, Locale: v.lang}}, nil
	}
	return []civicpin.Contact{{Channel: civicpin.Push, Address: e.Value.App, Locale: v.lang}}, nil
}

// workingLife binds a code to one act of one citizen: it is refused for any other.
func workingLife(subject civicpin.Subject) otp.Purpose {
	sum := sha256.Sum256([]byte("working-life report of " + subject))
	return otp.Purpose{Act: "working-life", Digest: sum[:]}
}

func (c *clave) codePage(v *visit) (view, error) {
	w := v.simple("clave.code", how{"clave.go", "otp.Codes.Verify"}, "go",
		field{Name: "code", Label: v.T("code"), Hint: v.T("clave.code.hint"), Auto: "one-time-code"})
	w.Links = []link{{"/clave/ask", "clave.ask.title"}, {"/clave/app", "clave.app.title"}}
	return w, nil
}

// code takes whose code it is, and for what, from the session: only the code comes from the form.
func (c *clave) code(v *visit) (string, error) {
	subject := civicpin.Subject(v.get("asked"))
	if subject == "" {
		return "", refusal{"code", "clave.code.none"}
	}
	if err := c.codes.Verify(v.ctx(), subject, workingLife(subject), v.get("request"), v.secret("code"), v.source()); err != nil {
		return "", err
	}
	v.drop("asked", "request")
	v.flash("clave.code.done")
	return "/clave/", nil
}
