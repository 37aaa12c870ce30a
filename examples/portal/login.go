package main

import (
	"context"
	"errors"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/web"
)

// home is the first page of a system.
func (s *system) home(v *visit) (view, error) {
	w := view{Title: s.name + ".title", Say: v.say(s.name + ".say"), How: how{"setups.go", "examples/internal/agency/" + s.name + ".go"}}
	common := []link{{"/" + s.name + "/login", "login.title"}, {"/" + s.name + "/start", "start.title"}}
	switch s.name {
	case "inps":
		w.Links = append([]link{{"/inps/request", "request.title"}, {"/inps/first", "first.title"}}, common...)
	case "iess":
		w.Links = common
	case "tuss":
		w.Links = append([]link{{"/desk", "desk.title"}, {"/tuss/first", "first.title"}}, common...)
	case "clave":
		for _, page := range []string{"certificate", "letter", "activate", "ask", "code", "app"} {
			w.Links = append(w.Links, link{"/clave/" + page, "clave." + page + ".title"})
		}
	}
	return w, nil
}

func (v *visit) idField() field {
	return field{Name: "id", Label: v.T(v.sys.name + ".id"), Hint: v.T("id.hint", v.sys.id), Auto: "username"}
}

// mobileField asks for the number of a mobile telephone of the citizen's own.
func (v *visit) mobileField(example string) field {
	return field{Name: "mobile", Label: v.T("mobile"), Hint: v.T("mobile.hint", example), Type: "tel", Auto: "tel"}
}

// newFields ask for a new secret, twice alike. Pasting is allowed.
func (v *visit) newFields() []field {
	return []field{
		{Name: "new", Label: v.T("new"), Hint: v.T(v.sys.name + ".new.hint"), Type: "password", Auto: "new-password"},
		{Name: "again", Label: v.T("again"), Type: "password", Auto: "new-password"},
	}
}

// chosen returns the new secret, if it was typed twice alike.
func (v *visit) chosen() (civicpin.Secret, error) {
	if !v.secret("new").Equal(v.secret("again")) {
		return civicpin.Secret{}, refusal{"again", "again.wrong"}
	}
	return v.secret("new"), nil
}

// attempt is a secret as the visitor typed it.
func (v *visit) attempt(subject civicpin.Subject, typed civicpin.Secret) pin.Attempt {
	return pin.Attempt{Subject: subject, Secret: typed, Source: v.source(), Personal: v.sys.people.personal(subject)}
}

func (s *system) loginPage(v *visit) (view, error) {
	w := v.simple("login", how{"login.go", "pin.Service.Verify, RememberDevice"}, "login.button", v.idField(),
		field{Name: "secret", Label: v.T(s.name + ".secret"), Type: "password", Auto: "current-password"},
		field{Name: "remember", Label: v.T("login.remember"), Hint: v.T("login.remember.hint"), Type: "checkbox", Optional: true})
	w.Links = []link{{"/" + s.name + "/first", "first.title"}, {"/" + s.name + "/start", "start.title"}}
	return w, nil
}

func (s *system) login(v *visit) (string, error) {
	subject, err := s.parse(v.typed("id"))
	if err != nil {
		return "", err
	}
	ok, err := s.pins.Verify(v.ctx(), v.attempt(subject, v.secret("secret")))
	expired, isExpired := errors.AsType[*pin.ExpiredError](err)
	switch {
	case isExpired && web.Status(expired).Code == "secret-change-due":
		v.flash("login.old")
		return "/" + s.name + "/change", nil
	case err != nil:
		s.tellLocked(v, subject, err)
		return "", err
	case ok.MustExchange:
		v.flash("login.exchange")
		return "/" + s.name + "/first", nil
	}
	if v.typed("remember") != "" {
		if err := v.rememberDevice(ok); err != nil {
			return "", err
		}
	}
	return "/" + s.name + "/mine", v.enter(subject, ok)
}

// rememberDevice is for the citizen who ticks the box: from then on strangers cannot lock this browser out.
func (v *visit) rememberDevice(ok pin.Verified) error {
	device, err := v.sys.pins.RememberDevice(v.ctx(), ok)
	if err != nil {
		return err
	}
	return v.remember(device)
}

// firstPage exchanges what was issued for a secret of the citizen's own, in one step.
func (s *system) firstPage(v *visit) (view, error) {
	issued := []field{{Name: "half1", Label: v.T("first.code"), Auto: "one-time-code"}}
	if s.name == "inps" {
		issued = []field{
			{Name: "half1", Label: v.T("first.half1"), Auto: "one-time-code"},
			{Name: "half2", Label: v.T("first.half2"), Auto: "one-time-code"},
		}
	}
	fields := append([]field{v.idField()}, issued...)
	return view{
		Title: "first.title", Say: v.say(s.name + ".first.say"),
		Forms: []form{{Fields: append(fields, v.newFields()...), Button: "first.button"}},
		How:   how{"login.go", "pin.Service.Exchange, contact.Service.Adopt"},
	}, nil
}

func (s *system) first(v *visit) (string, error) {
	subject, ok, err := s.renew(v, civicpin.NewSecret(v.typed("half1")+v.typed("half2")), s.pins.Exchange)
	if err != nil {
		return "", err
	}
	if err := s.adopt(v, subject); err != nil {
		return "", err
	}
	return "/" + s.name + "/mine", v.enter(subject, ok, "first.done")
}

// renew sets a chosen secret in the place of the one that was typed, by Exchange or Change.
func (s *system) renew(
	v *visit, typed civicpin.Secret, by func(context.Context, pin.Attempt, civicpin.Secret) (pin.Verified, error),
) (subject civicpin.Subject, ok pin.Verified, err error) {
	if subject, err = s.parse(v.typed("id")); err != nil {
		return "", ok, err
	}
	chosen, err := v.chosen()
	if err != nil {
		return "", ok, err
	}
	if ok, err = by(v.ctx(), v.attempt(subject, typed), chosen); err != nil {
		s.tellLocked(v, subject, err)
		return "", ok, err
	}
	return subject, ok, nil
}

// adopt makes contacts of those to which the parts went: who typed all of them has read what came to each.
func (s *system) adopt(v *visit, subject civicpin.Subject) error {
	st, err := s.pins.Status(v.ctx(), subject)
	if err != nil {
		return err
	}
	var proved []civicpin.Contact
	for _, part := range st.Parts {
		if to := part.Contact; !to.Channel.Printed() {
			proved = append(proved, to)
		}
	}
	if len(proved) == 0 {
		return nil
	}
	return s.contacts.Adopt(v.ctx(), subject, proved, civicpin.Citizen, v.source())
}

// minePage is what is behind the login.
func (s *system) minePage(v *visit) (view, error) {
	subject, level, err := v.user()
	if err != nil {
		return view{}, err
	}
	st, err := s.pins.Status(v.ctx(), subject)
	if err != nil {
		return view{}, err
	}
	w := view{
		Title: "mine.title", Say: v.say("mine.say"), How: how{"sessions.go", "web.Sessions, pin.Service.Status"},
		Facts: [][2]string{{v.T(s.name + ".id"), string(subject)}, {v.T("level"), v.T(s.name + ".level." + level.String())}},
		Forms: []form{{Act: "everywhere", Button: "mine.everywhere"}, {Act: "out", Button: "mine.out"}},
		Links: []link{{"/" + s.name + "/change", "change.title"}, {"/" + s.name + "/contacts", "contacts.title"}},
	}
	if !st.ExpiresAt.IsZero() {
		w.Facts = append(w.Facts, [2]string{v.T("expires"), v.time(st.ExpiresAt, "2006-01-02 15:04")})
	}
	if s.name == "inps" || s.name == "tuss" {
		w.Forms = append([]form{{Act: "act", Legend: v.T(s.name + ".act.legend"), Button: s.name + ".act"}}, w.Forms...)
	}
	return w, nil
}

func (s *system) mine(v *visit) (string, error) {
	_, level, err := v.user()
	if err != nil {
		return "", err
	}
	leave := s.sessions.LogOut
	switch v.typed("act") {
	case "act": // the level is asked for at each act, not once at the login
		key := s.name + ".act.done"
		if level == civicpin.Low {
			key = s.name + ".act.low"
		}
		v.flash(key)
		return "/" + s.name + "/mine", nil
	case "everywhere":
		leave = s.sessions.LogOutEverywhere
	}
	err = leave(v.w, v.r)
	v.flashed(err, "mine.left")
	return "/" + s.name + "/", err
}

func (s *system) changePage(v *visit) (view, error) {
	fields := []field{v.idField(), {Name: "secret", Label: v.T("change.old"), Type: "password", Auto: "current-password"}}
	return v.simple("change", how{"login.go", "pin.Service.Change"}, "change.button", append(fields, v.newFields()...)...), nil
}

func (s *system) change(v *visit) (string, error) {
	subject, ok, err := s.renew(v, v.secret("secret"), s.pins.Change)
	if err != nil {
		return "", err
	}
	s.tell(v, subject, pin.NoticeChanged, nil)
	return "/" + s.name + "/mine", v.enter(subject, ok, "change.done")
}
