package web

import (
	"net/http"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery"
)

// redeem returns what the button of a page without Act does, nil if a field for it is missing.
func (p Page) redeem(links Links) func(http.ResponseWriter, *http.Request, recovery.LinkInfo, civicpin.Secret) error {
	rec, ok := links.(*recovery.Service)
	if !ok || p.Contacts == nil || p.Cookies == nil || p.Source == nil || p.Done == "" || p.Granted == "" {
		return nil
	}
	return func(w http.ResponseWriter, r *http.Request, info recovery.LinkInfo, token civicpin.Secret) (err error) {
		next, grant := p.Done, pin.Grant{}
		switch info.Purpose {
		case recovery.ToProve:
			err = p.Contacts.Prove(r.Context(), token, p.Source(r))
		case recovery.ToRecover:
			grant, err = rec.Finish(r.Context(), token, p.Source(r))
		default:
			err = rec.Repudiate(r.Context(), token, p.Source(r))
		}
		if err == nil && !grant.IsZero() { // an unlock gives none
			next, err = p.Granted, p.Cookies.Set(w, Grant, grant.Text(), Grant.longest())
		}
		if err == nil {
			http.Redirect(w, r, next, http.StatusSeeOther)
		}
		return err
	}
}
