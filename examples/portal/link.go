package main

import (
	"html/template"
	"net/http"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/recovery/plan"
	"github.com/civicpin/civicpin/web"
)

// linkPage is the page behind the links of a system's e-mails. web.LinkPage keeps scanners from using one up, and works without
// scripts; what is left to the portal is the HTML around it and the act behind the button.
func (s *system) linkPage() http.Handler {
	links := web.Links(s.rec)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := s.p.visit(s, w, r)
		web.LinkPage(links, web.Page{
			Template: v.linkTemplate(),
			Labels: func(*http.Request) web.Labels {
				return web.Labels{Paste: v.T("link.paste"), Look: v.T("link.look"), Act: v.T("link.act")}
			},
			Act: func(w http.ResponseWriter, r *http.Request, info recovery.LinkInfo, token civicpin.Secret) error {
				next, err := s.follow(v, info, token)
				if err == nil {
					http.Redirect(w, r, s.p.path+next, http.StatusSeeOther)
				}
				return err
			},
			Challenge: func(*http.Request) template.HTML { return v.challengeForm() },
		}).ServeHTTP(w, r)
	})
}

// linkTemplate is the portal's page around the form that web.LinkPage makes, in the visitor's language.
func (v *visit) linkTemplate() *template.Template {
	return template.Must(template.Must(pageBase.Clone()).New("link").Funcs(template.FuncMap{
		"page": func(l web.View) map[string]any {
			done := how{"link.go", "web.LinkPage, recovery.Service.Finish"}
			page := view{Title: "link.title", Say: v.say("link.say"), Form: l.Form, How: done}
			if l.Refusal.Code != "" {
				page.Alert = v.refusal(l.Refusal.Code)
			}
			if l.Info.Purpose != "" {
				page.Say = v.say("link.purpose."+string(l.Info.Purpose), "link.button")
			}
			return v.data(page)
		},
	}).Parse(`{{template "page.html" page .}}`))
}

// follow is the button of the link page.
func (s *system) follow(v *visit, info recovery.LinkInfo, token civicpin.Secret) (string, error) {
	switch info.Purpose {
	case recovery.ToProve:
		err := s.contacts.Prove(v.ctx(), token, v.source())
		v.flashed(err, "contacts.done")
		return "/" + s.name + "/done", err
	case recovery.ToRepudiate, recovery.ToUndo:
		err := s.rec.Repudiate(v.ctx(), token, v.source())
		v.flashed(err, "link.repudiated")
		return "/" + s.name + "/done", err
	}
	if !info.Last {
		run, err := s.rec.Redeem(v.ctx(), token, v.source())
		if err != nil {
			return "", err
		}
		// The link's holder goes on, under a new ticket and a new session.
		if err := v.anew(); err != nil {
			return "", err
		}
		v.put("ticket", run.Ticket.Reveal())
		return s.goOn(v, run)
	}
	grant, err := s.rec.Finish(v.ctx(), token, v.source())
	if err != nil {
		return "", err
	}
	return s.granted(v, info.Plan, grant)
}

// granted is the end of a recovery: the right to a new secret, or an unlock, which is done.
func (s *system) granted(v *visit, name string, grant pin.Grant) (string, error) {
	v.drop("ticket")
	if grant.IsZero() {
		v.flash("run.unlocked")
		return "/" + s.name + "/login", nil
	}
	for _, p := range s.recovery.Plans {
		if p.Name == name && p.Outcome == plan.ReissueInParts {
			_, err := s.pins.Reissue(v.ctx(), grant, v.source())
			v.flashed(err, "request.done")
			return "/" + s.name + "/first", err
		}
	}
	if err := v.anew(); err != nil {
		return "", err
	}
	v.put("grant", grant.Text().Reveal())
	return "/" + s.name + "/choose", nil
}

// choosePage is where a grant becomes a new secret.
func (s *system) choosePage(v *visit) (view, error) {
	w := view{Title: "choose.title", Say: v.say("choose.say"), How: how{"link.go", "pin.ParseGrant, pin.Service.Set"}}
	if v.get("grant") == "" {
		return v.nothing(w, "run.none", link{"/" + s.name + "/start", "start.title"}), nil
	}
	w.Forms = []form{{Fields: v.newFields(), Button: "change.button"}}
	return w, nil
}

func (s *system) choose(v *visit) (string, error) {
	grant, err := pin.ParseGrant(civicpin.NewSecret(v.get("grant")))
	if err != nil {
		return "", err
	}
	chosen, err := v.chosen()
	if err != nil {
		return "", err
	}
	subject := grant.Subject()
	ok, err := s.pins.Set(v.ctx(), grant, chosen, v.source(), s.people.personal(subject)...)
	if err != nil {
		return "", err
	}
	return "/" + s.name + "/mine", v.enter(subject, ok, "change.done")
}

// donePage is where a link leads that asks for nothing more.
func (s *system) donePage(*visit) (view, error) {
	return view{
		Title: "done.title", How: how{"link.go", "contact.Service.Prove, recovery.Service.Repudiate"},
		Links: []link{{"/" + s.name + "/", s.name + ".title"}},
	}, nil
}
