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
	words := map[string]string{"clave": "clave."}[s.name]
	for _, page := range s.pages {
		w.Links = append(w.Links, link{"/" + s.name + "/" + page, words + page + ".title"})
	}
	if s.name == "tuss" {
		w.Links = append([]link{{"/desk", "desk.title"}}, w.Links...)
	}
	return w, nil
}

// idField asks for an identifier. One that was typed on the page before is there already.
func (v *visit) idField() field {
	typed := v.p.session.PopString(v.ctx(), v.sys.name+".typed")
	return field{Name: "id", Label: v.T(v.sys.name + ".id"), Hint: v.T("id.hint", v.sys.id), Auto: "username", Value: typed}
}

// mobileField asks for the number of a mobile telephone of the citizen's own.
func (v *visit) mobileField() field {
	return field{Name: "mobile", Label: v.T("mobile"), Hint: v.T("mobile.hint", v.sys.mobile), Type: "tel", Auto: "tel"}
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

// named has an act begin with the subject whom the form names.
func (s *system) named(do func(*visit, civicpin.Subject) (string, error)) acts {
	return func(v *visit) (string, error) {
		subject, err := s.parse(v.typed("id"))
		if err != nil {
			return "", err
		}
		return do(v, subject)
	}
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

func (s *system) login(v *visit, subject civicpin.Subject) (string, error) {
	ok, err := s.pins.Verify(v.ctx(), v.attempt(subject, v.secret("secret")))
	expired, isExpired := errors.AsType[*pin.ExpiredError](err)
	switch {
	case isExpired && web.Status(expired).Code == "secret-change-due":
		v.put("typed", string(subject))
		v.flash("login.old")
		return "/" + s.name + "/change", nil
	case err != nil:
		s.tellLocked(v, subject, err)
		return "", err
	case ok.MustExchange:
		v.put("typed", string(subject))
		v.flash("login.exchange")
		return "/" + s.name + "/first", nil
	}
	if v.typed("remember") != "" {
		if err := v.remember(ok); err != nil {
			return "", err
		}
	}
	return "/" + s.name + "/mine", v.enter(subject, ok)
}

// requestPage asks for a PIN in two halves. The code of an office is for who had one before.
func (s *system) requestPage(v *visit) (view, error) {
	return v.simple("request", how{"login.go", "pin.Service.Issue"}, "request.button", v.idField(), v.mobileField(),
		field{Name: "email", Label: v.T("email"), Hint: v.T("email.hint"), Type: "email", Auto: "email"},
		field{Name: "office", Label: v.T("request.office"), Hint: v.T("request.office.hint"), Auto: "one-time-code", Optional: true},
	), nil
}

func (s *system) request(v *visit, subject civicpin.Subject) (string, error) {
	parts, err := v.contacts("mobile", "email")
	if err != nil {
		return "", err
	}
	_, err = s.pins.Issue(v.ctx(), subject, pin.IssueOptions{
		Parts: parts, By: civicpin.Citizen, Source: v.source(), RequestCode: v.secret("office"),
	})
	if err != nil && !errors.Is(err, pin.ErrWrongState) { // which would tell who has a PIN
		return "", err
	}
	v.put("typed", string(subject))
	v.flash("request.done")
	return "/inps/first", nil
}

// firstPage exchanges what was issued for a secret of the citizen's own, in one step.
func (s *system) firstPage(v *visit) (view, error) {
	fields := []field{v.idField(), {Name: "half1", Label: v.T("first.code"), Auto: "one-time-code"}}
	if s.name == "inps" {
		fields[1].Label = v.T("first.half1")
		fields = append(fields, field{Name: "half2", Label: v.T("first.half2"), Auto: "one-time-code"})
	}
	done := how{"login.go", "pin.Service.Exchange, contact.Service.Adopt"}
	w := v.simple("first", done, "first.button", append(fields, v.newFields()...)...)
	w.Say = v.say(s.name + ".first.say")
	return w, nil
}

func (s *system) first(v *visit, subject civicpin.Subject) (string, error) {
	ok, err := s.renew(v, subject, civicpin.NewSecret(v.typed("half1")+v.typed("half2")), s.pins.Exchange)
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
	v *visit, subject civicpin.Subject, typed civicpin.Secret,
	by func(context.Context, pin.Attempt, civicpin.Secret) (pin.Verified, error),
) (ok pin.Verified, err error) {
	chosen, err := v.chosen()
	if err != nil {
		return ok, err
	}
	if ok, err = by(v.ctx(), v.attempt(subject, typed), chosen); err != nil {
		s.tellLocked(v, subject, err)
	}
	return ok, err
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

func (s *system) change(v *visit, subject civicpin.Subject) (string, error) {
	ok, err := s.renew(v, subject, v.secret("secret"), s.pins.Change)
	if err != nil {
		return "", err
	}
	s.tell(v, subject, pin.NoticeChanged, nil)
	return "/" + s.name + "/mine", v.enter(subject, ok, "change.done")
}
