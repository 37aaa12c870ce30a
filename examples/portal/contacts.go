package main

import (
	"github.com/civicpin/civicpin"
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
	w := view{Title: "contacts.title", Say: v.say("contacts.say")}
	w.How = how{"contacts.go", "contact.Service.Add, ProveCode, Remove"}
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
		to, err := v.email("email")
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
