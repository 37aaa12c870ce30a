package main

import (
	"context"
	"errors"
	"log/slog"
	"regexp"
	"strings"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/phone"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin"
)

// contactsPage lists the contacts of the citizen who is logged in, and adds, proves and removes them.
func (s *system) contactsPage(v *visit) (view, error) {
	subject, _, err := v.user()
	if err != nil {
		return view{}, err
	}
	all, waiting, err := s.contacts.List(v.ctx(), subject)
	if err != nil {
		return view{}, err
	}
	done := how{"contacts.go", "contact.Service.Add, ProveCode, Remove"}
	w := view{Title: "contacts.title", Say: v.say("contacts.say"), How: done}
	list := table{Caption: v.T("contacts.list"), Head: []string{v.T("channel"), v.T("address"), v.T("state")}}
	var options []option
	for _, c := range all {
		state := v.T("contacts.proved")
		if !c.CoolsUntil.IsZero() {
			state = v.T("contacts.cools", v.time(c.CoolsUntil, "2006-01-02"))
		}
		list.Rows = append(list.Rows, []string{v.T("channel." + string(c.Channel)), c.Address, state})
		options = append(options, option{Value: c.ID, Label: c.Address})
	}
	for _, c := range waiting {
		list.Rows = append(list.Rows, []string{v.T("channel." + string(c.Channel)), c.Address, v.T("contacts.waits")})
	}
	w.Tables = []table{list}
	password := field{Name: "secret", Label: v.T(s.name + ".secret"), Type: "password", Auto: "current-password"}
	w.Forms = []form{
		{Act: "add", Legend: v.T("contacts.add"), Button: "contacts.add.button", Fields: []field{
			{Name: "email", Label: v.T("email"), Type: "email", Auto: "email"}, password,
		}},
		{Act: "prove", Legend: v.T("contacts.prove"), Button: "contacts.prove.button", Fields: []field{
			{Name: "code", Label: v.T("code"), Auto: "one-time-code"},
		}},
	}
	if len(options) > 1 {
		one := []field{{Name: "contact", Label: v.T("address"), Type: "select", Options: options}, password}
		remove := form{Act: "remove", Legend: v.T("contacts.remove"), Button: "contacts.remove.button", Fields: one}
		w.Forms = append(w.Forms, remove)
	}
	return w, nil
}

func (s *system) contactsDo(v *visit) (string, error) {
	here := "/" + s.name + "/contacts"
	subject, _, err := v.user()
	if err != nil {
		return "", err
	}
	if v.typed("act") == "prove" {
		err := s.contacts.ProveCode(v.ctx(), subject, v.secret("code"), v.source())
		v.flashed(err, "contacts.done")
		return here, err
	}
	// Against a thief with the session: the secret alone changes contacts.
	if _, err := s.pins.Verify(v.ctx(), v.attempt(subject, v.secret("secret"))); err != nil {
		s.tellLocked(v, subject, err)
		return "", err
	}
	if v.typed("act") == "add" {
		to, err := v.contact("email", v.typed("email"))
		if err != nil {
			return "", err
		}
		_, err = s.contacts.Add(v.ctx(), subject, to, civicpin.Citizen, v.source())
		v.flashed(err, "contacts.added")
		return here, err
	}
	err = s.contacts.Remove(v.ctx(), subject, v.typed("contact"), civicpin.Citizen, v.source())
	v.flashed(err, "contacts.removed")
	return here, err
}

// flashed says something on the next page, unless there was an error, which this one says.
func (v *visit) flashed(err error, key string, args ...any) {
	if err == nil {
		v.flash(key, args...)
	}
}

// contacts reads fields as contacts. What is wrong with one is said beside it. "paper" is no field: it is handed over.
func (v *visit) contacts(fields ...string) ([]civicpin.Contact, error) {
	var all []civicpin.Contact
	for _, name := range fields {
		c, err := v.contact(name, v.typed(name))
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, nil
}

// between is what stands between the lines of a postal address, as they are typed.
var between = regexp.MustCompile(`\s*,\s*`)

// contact reads the number of a mobile telephone, a postal address, or else an e-mail address.
func (v *visit) contact(name, typed string) (civicpin.Contact, error) {
	c := civicpin.Contact{Channel: civicpin.Email, Address: strings.ToLower(strings.TrimSpace(typed))}
	switch name {
	case "mobile":
		n, err := phone.Parse(typed, v.sys.region)
		if err != nil || !n.Mobile {
			return c, refusal{name, "mobile.wrong"}
		}
		c = n.Contact()
	case "street":
		c = civicpin.Contact{Channel: civicpin.Letter, Address: between.ReplaceAllString(strings.TrimSpace(typed), "\n")}
	case "paper":
		c = civicpin.Contact{Channel: civicpin.HandedOver}
	default:
		if c.Validate() != nil {
			return c, refusal{name, "email.wrong"}
		}
	}
	c.Locale = v.lang
	return c, nil
}

// after does what no visitor waits for, once the server has ended the request: its time does not show, and may depend on the
// subject.
func (s *system) after(v *visit, what string, do func(context.Context) error) {
	ctx := context.WithoutCancel(v.ctx())
	s.p.work.Add(1)
	context.AfterFunc(v.ctx(), func() {
		defer s.p.work.Done()
		if err := do(ctx); err != nil {
			slog.ErrorContext(ctx, what, "system", s.name, "error", err)
		}
	})
}

// tell sends a notice to all contacts of a citizen: who did not do it themselves can act.
func (s *system) tell(v *visit, subject civicpin.Subject, kind civicpin.MessageKind, params map[string]string) {
	s.after(v, "notice", func(ctx context.Context) error {
		_, err := s.contacts.Notify(ctx, subject, kind, params)
		return err
	})
}

// tellLocked tells them of a lock, once for each: strangers cause locks, and the library holds back a flood of notices.
// Unknown subjects have locks, too, and no contact.
func (s *system) tellLocked(v *visit, subject civicpin.Subject, err error) {
	locked, ok := errors.AsType[*lockout.LockedError](err)
	if !ok || !locked.New || locked.Scope != lockout.ScopeSubject {
		return
	}
	params := make(map[string]string)
	if !locked.Until.IsZero() {
		params["until"] = locked.Until.UTC().Format(time.RFC3339)
	}
	s.tell(v, subject, pin.NoticeLocked, params)
}
