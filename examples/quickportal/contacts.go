package main

import (
	"net/http"

	"github.com/civicpin/civicpin"
)

// changeContacts adds a mailbox, proves it by the code that went there, beside the link, or removes a contact. The other
// contacts are told, and can undo it. A first contact has no other to tell. So the session alone changes none: the password
// does, against a thief with the session.
func (p *portal) changeContacts(_ http.ResponseWriter, r *http.Request) (string, error) {
	subject, _, err := p.sessions.Current(r)
	if err != nil {
		return "", err
	}
	attempt := p.attempt(r)
	attempt.Subject = subject
	if code := r.PostFormValue("code"); code != "" {
		return "/contacts", p.contacts.ProveCode(r.Context(), subject, civicpin.NewSecret(code), attempt.Source)
	}
	if _, err = p.pins.Verify(r.Context(), attempt); err != nil {
		return "", err
	}
	if id := r.PostFormValue("remove"); id != "" {
		return "/contacts", p.contacts.Remove(r.Context(), subject, id, civicpin.Citizen, attempt.Source)
	}
	mailbox := civicpin.Contact{Channel: civicpin.Email, Address: r.PostFormValue("add")}
	_, err = p.contacts.Add(r.Context(), subject, mailbox, civicpin.Citizen, attempt.Source)
	return "/contacts", err
}
