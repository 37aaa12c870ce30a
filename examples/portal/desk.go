package main

import (
	"cmp"
	"errors"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/pin/state"
	"github.com/civicpin/civicpin/recovery"
)

// staff are the operators, with their role at each system. A real agency has them sign in with a second factor of their own.
var staff = map[string]map[string]string{
	"clerk.4": {"iess": "agency", "tuss": "counter"},
	"desk.11": {"iess": "desk"},
	"desk.14": {"iess": "desk"},
	"video.7": {"iess": "video", "tuss": "telephone"},
}

// onDuty is the operator of the session: it is kept apart from any citizen's.
func (v *visit) onDuty() recovery.Operator {
	id := v.p.session.GetString(v.ctx(), "desk.operator")
	roles, ok := staff[id]
	if !ok {
		return recovery.Operator{}
	}
	return recovery.Operator{ID: civicpin.Operator(id), Role: roles[v.sys.name]}
}

func (p *portal) deskPage(v *visit) (view, error) {
	systems := field{Name: "system", Label: v.T("system"), Type: "select"}
	for _, s := range p.systems {
		systems.Options = append(systems.Options, option{Value: s.name, Label: v.T(s.name + ".title")})
	}
	operators := field{Name: "operator", Label: v.T("desk.operator"), Type: "select"}
	for _, id := range sortedKeys(staff) {
		operators.Options = append(operators.Options, option{Value: id, Label: id})
	}
	w := v.simple("desk", how{"desk.go", "civicpin.Operator"}, "go", operators, systems,
		field{Name: "id", Label: v.T("id"), Hint: v.T("desk.id.hint"), Auto: "off", Keep: true})
	w.Tables = []table{p.queue.table(v)}
	return w, nil
}

func (p *portal) desk(v *visit) (string, error) {
	s := p.system(v.typed("system"))
	if s == nil || staff[v.typed("operator")] == nil {
		return "", civicpin.ErrInvalid
	}
	subject, err := s.parse(v.typed("id"))
	if err != nil {
		return "", err
	}
	if err := v.anew(); err != nil {
		return "", err
	}
	p.session.Put(v.ctx(), "desk.operator", v.typed("operator"))
	p.session.Put(v.ctx(), "desk."+s.name, string(subject))
	return "/desk/" + s.name, nil
}

// casePage shows an operator what there is to know of a credential: no secret, and no address that a part went to.
func (s *system) casePage(v *visit) (view, error) {
	subject := civicpin.Subject(v.p.session.GetString(v.ctx(), "desk."+s.name))
	operator := v.onDuty()
	w := view{Title: "case.title", How: how{"desk.go", "pin.Service.Status, Unlock, Revoke, Attest, Issue"}}
	if subject == "" || operator.ID == "" {
		return v.nothing(w, "case.none", link{"/desk", "desk.title"}), nil
	}
	w.Facts = [][2]string{
		{v.T("desk.operator"), string(operator.ID)},
		{v.T("case.role"), cmp.Or(operator.Role, "–")},
		{v.T("id"), string(subject)},
		{v.T("person"), s.people[subject].name},
	}
	st, err := s.pins.Status(v.ctx(), subject)
	switch {
	case errors.Is(err, pin.ErrNoCredential):
		w.Facts = append(w.Facts, [2]string{v.T("state"), v.T("case.nothing")})
	case err != nil:
		return view{}, err
	default:
		w.Facts = append(w.Facts, v.statusFacts(&st)...)
	}
	w.Forms = s.caseForms(v, subject, st)
	w.Links = []link{{"/desk", "desk.title"}, {"/inbox", "inbox.title"}}
	if s.name == "iess" {
		s.looked(v, &w)
	}
	return w, nil
}

func (v *visit) statusFacts(st *pin.Status) [][2]string {
	words := v.T("state." + string(st.State))
	if st.Suspended {
		words += ", " + v.T("state.suspended")
	}
	locked := v.T("no")
	if l := st.Lockout.Locked; l != nil {
		locked = v.T("yes")
		if !l.Until.IsZero() {
			locked = v.T("case.until", v.time(l.Until, "15:04"))
		}
	}
	facts := [][2]string{
		{v.T("state"), words},
		{v.T("level"), v.T(v.sys.name + ".level." + st.Level.String())},
		{v.T("case.locked"), locked},
		{v.T("case.failures"), v.T("count", st.Lockout.Failures)},
	}
	for i, part := range st.Parts {
		how := v.T("channel."+string(part.Contact.Channel)) + ": " + v.T("part."+string(part.State))
		facts = append(facts, [2]string{v.T("case.part", i+1), how})
	}
	for _, e := range st.Evidence {
		facts = append(facts, [2]string{v.T("case.evidence"), string(e.Method) + ", " + string(e.By)})
	}
	return facts
}

// caseForms are the acts that fit the state of the credential.
func (s *system) caseForms(v *visit, subject civicpin.Subject, st pin.Status) []form {
	document := field{Name: "document", Label: v.T("document"), Hint: v.T("document.seen"), Auto: "off", Keep: true}
	reason := field{Name: "reason", Label: v.T("reason"), Auto: "off", Keep: true}
	mobile := field{Name: "mobile", Label: v.T("mobile"), Type: "tel", Auto: "off", Keep: true}
	email := field{Name: "email", Label: v.T("email"), Type: "email", Auto: "off", Keep: true}
	var all []form
	add := func(act string, fields ...field) {
		all = append(all, form{Act: act, Legend: v.T("act." + act), Fields: fields, Button: "act." + act + ".button"})
	}
	if st.State == state.Active || st.State == state.Provisional {
		add("unlock")
		add("attest", document, field{Name: "contacts", Label: v.T("act.contacts"), Type: "checkbox", Optional: true})
		add("revoke", reason)
		if st.Suspended {
			add("resume", document)
		} else {
			add("suspend", reason)
		}
	}
	switch s.name {
	case "inps":
		add("issue", document, email)
		add("telephone", mobile, field{Name: "street", Label: v.T("street"), Hint: v.T("street.hint"), Auto: "off", Keep: true})
		if st.State == state.Revoked {
			add("code")
		}
	case "tuss":
		add("register", document, mobile, email, field{Name: "terms", Label: v.T("act.terms"), Type: "checkbox"})
	case "clave":
		add("slip", document)
		add("call", document, mobile)
	case "iess":
		add("agency", document)
		add("video", v.called(subject)...)
		add("case", field{Name: "case", Label: v.T("act.case.id"), Auto: "off", Keep: true})
	}
	return all
}
