package main

import (
	"slices"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/recovery"
)

// startPage offers the plans that a visitor may begin.
func (s *system) startPage(v *visit) (view, error) {
	ways := v.choices("plan.", s.begin...)
	ways[0].Chosen = true
	return v.simple("start", how{"run.go", "recovery.Service.Start"}, "go",
		field{Name: "plan", Label: v.T("start.plan"), Options: ways}, v.idField()), nil
}

func (s *system) start(v *visit, subject civicpin.Subject) (string, error) {
	name := v.typed("plan")
	if !slices.Contains(s.begin, name) {
		return "", refusal{"plan", "start.plan"}
	}
	run, err := s.rec.Start(v.ctx(), name, subject, v.source())
	if err != nil {
		return "", err
	}
	v.put("ticket", run.Ticket.Reveal())
	v.put("who", string(subject))
	return s.goOn(v, run)
}

// goOn leads to the next step, or, behind the last one, to the end.
func (s *system) goOn(v *visit, run recovery.Run) (string, error) {
	v.p.queue.note(s.name, run)
	if !run.Done {
		return "/" + s.name + "/run", nil
	}
	grant, err := s.rec.Finish(v.ctx(), civicpin.NewSecret(v.get("ticket")), v.source())
	if err != nil {
		return "", err
	}
	return s.granted(v, run.Plan, grant)
}

// runPage is the one page of all recoveries: it asks for what the run asks for, whatever its plan says.
func (s *system) runPage(v *visit) (view, error) {
	w := view{Title: "run.title", How: how{"run.go", "recovery.Service.Show, Answer, Send"}}
	if v.get("ticket") == "" {
		return v.nothing(w, "run.none", link{"/" + s.name + "/start", "start.title"}), nil
	}
	run, err := s.rec.Show(v.ctx(), civicpin.NewSecret(v.get("ticket")))
	if err != nil {
		v.refuse(&w, err)
		w.Links = []link{{"/" + s.name + "/start", "start.title"}}
		return w, nil
	}
	ask := run.Next
	w.Say = []string{v.T("plan." + run.Plan), v.T("run.until", v.time(run.ExpiresAt, "15:04"))}
	switch {
	case ask.Approval != "":
		w.Say = append(w.Say, v.T("run.approval", run.ID))
		w.Links = []link{{"/desk", "desk.title"}, {"/" + s.name + "/login", "login.title"}}
	case !ask.WaitsUntil.IsZero():
		w.Say = append(w.Say, v.T("run.waits", v.time(ask.WaitsUntil, "2006-01-02 15:04")))
		w.Forms = append(w.Forms, form{Act: "send", Button: "go"})
	case ask.Sent != nil:
		went := v.T("run.sent", ask.Sent.Masked)
		if ask.Sent.Masked == "" { // no contact is shown on a channel that has no decoys
			went = v.T("run.sent.unshown")
		}
		w.Say = append(w.Say, went)
		if ask.Sent.Link {
			w.Say = append(w.Say, v.T("run.link"))
		}
		if ask.Sent.Code {
			typed := []field{{Name: "code", Label: v.T("code"), Auto: "one-time-code"}}
			w.Forms = append(w.Forms, form{Act: "answer", Button: "go", Fields: typed})
		}
		w.Forms = append(w.Forms, form{Act: "send", Legend: v.T("run.notcame"), Button: "run.send"})
	default:
		w.Forms = []form{{Act: "answer", Button: "go", Fields: v.askFields(ask), Files: len(ask.Documents) > 0}}
	}
	w.Forms = append(w.Forms, form{Act: "cancel", Button: "run.cancel"})
	return w, nil
}

func (s *system) runDo(v *visit) (string, error) {
	ticket := civicpin.NewSecret(v.get("ticket"))
	switch v.typed("act") {
	case "cancel":
		err := s.rec.Cancel(v.ctx(), ticket)
		v.drop("ticket")
		return "/" + s.name + "/", err
	case "send":
		run, err := s.rec.Send(v.ctx(), ticket, v.source())
		if err != nil {
			return "", err
		}
		v.flash("run.again")
		return s.goOn(v, run)
	}
	run, err := s.rec.Show(v.ctx(), ticket)
	if err != nil {
		return "", err
	}
	answers, err := s.answers(v, run.Next)
	if err != nil {
		return "", err
	}
	if run, err = s.rec.Answer(v.ctx(), ticket, answers); err != nil {
		return "", err
	}
	return s.goOn(v, run)
}
