package main

import (
	"strings"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/agency"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/pin/state"
	"github.com/civicpin/civicpin/recovery"
)

// caseDo is every act of an operator. The library records who did it, and refuses what the role may not do.
func (s *system) caseDo(v *visit) (string, error) {
	subject := civicpin.Subject(v.p.session.GetString(v.ctx(), "desk."+s.name))
	by := v.onDuty()
	if subject == "" || by.ID == "" {
		return "/desk", nil
	}
	act := v.typed("act")
	err := s.act(v, act, subject, by)
	v.flashed(err, "act.done")
	return "/desk/" + s.name, err
}

func (s *system) act(v *visit, act string, subject civicpin.Subject, by recovery.Operator) error {
	ctx := v.ctx()
	seen := civicpin.Evidence{Method: civicpin.InPerson, Document: v.typed("document"), By: by.ID}
	switch act {
	case "unlock":
		return s.pins.Unlock(ctx, subject, by.ID)
	case "attest":
		return s.attest(v, subject, seen)
	case "revoke":
		err := s.pins.Revoke(ctx, subject, state.Ended, v.typed("reason"), by.ID)
		if err == nil {
			s.tell(v, subject, pin.NoticeRevoked, nil)
		}
		return err
	case "suspend":
		return s.pins.Suspend(ctx, subject, v.typed("reason"), by.ID)
	case "resume":
		return s.pins.Resume(ctx, subject, seen, "identity checked", by.ID)
	case "agency":
		return s.agencyUnlock(v, subject, seen, by)
	case "video":
		return s.video(v, subject, by)
	case "case":
		return s.look(v, v.typed("case"), by)
	case "approve":
		return s.approve(v, by)
	}
	return s.issueBy(v, act, subject, seen)
}

// attest raises the level on a document. At a recovery the contacts of a lower level keep no higher one, unless an operator has
// seen them: on the form that the citizen signs.
func (s *system) attest(v *visit, subject civicpin.Subject, seen civicpin.Evidence) error {
	if err := s.pins.Attest(v.ctx(), subject, seen); err != nil || v.typed("contacts") == "" {
		return err
	}
	all, _, err := s.contacts.List(v.ctx(), subject)
	if err != nil {
		return err
	}
	var signed []civicpin.Contact
	for _, c := range all {
		signed = append(signed, c.Contact)
	}
	return s.contacts.Adopt(v.ctx(), subject, signed, seen.By, civicpin.Source{})
}

// issueBy is every way in which staff have something issued. None of it do they read, but for the slip that they hand over.
func (s *system) issueBy(v *visit, act string, subject civicpin.Subject, seen civicpin.Evidence) error {
	switch act {
	case "issue":
		email, err := v.email("email")
		if err != nil {
			return err
		}
		return s.issue(v, subject, seen, civicpin.Contact{Channel: civicpin.HandedOver, Locale: v.lang}, email)
	case "slip":
		return s.issue(v, subject, seen, civicpin.Contact{Channel: civicpin.HandedOver, Locale: v.lang})
	case "telephone": // no document was seen: the level is low
		mobile, err := v.mobile("mobile")
		if err != nil {
			return err
		}
		street := civicpin.Contact{Channel: civicpin.Letter, Address: v.lines("street"), Locale: v.lang}
		is, err := s.pins.Issue(v.ctx(), subject, pin.IssueOptions{Parts: []civicpin.Contact{mobile, street}, By: seen.By})
		if err != nil {
			return err
		}
		return s.print(v.ctx(), is)
	case "call": // face and card were seen on a screen
		mobile, err := v.mobile("mobile")
		if err != nil {
			return err
		}
		seen.Method = civicpin.Video
		return s.issue(v, subject, seen, mobile)
	case "register":
		return s.registerSeen(v, subject, seen)
	case "code":
		code, err := s.pins.RequestCode(v.ctx(), subject, seen.By)
		if err == nil {
			v.p.inbox.add(mail{System: s.name, Channel: civicpin.HandedOver, Text: v.T("act.code.paper", code.Reveal())})
		}
		return err
	}
	return civicpin.ErrInvalid
}

// lines reads a postal address, whose lines were typed with commas between them.
func (v *visit) lines(name string) string {
	lines := strings.Split(v.typed(name), ",")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return strings.Join(lines, "\n")
}

// issue issues on evidence, and prints the part that is handed over. Nobody gets a level because a clerk says so.
func (s *system) issue(v *visit, subject civicpin.Subject, seen civicpin.Evidence, parts ...civicpin.Contact) error {
	is, err := s.pins.Issue(v.ctx(), subject, pin.IssueOptions{
		Parts: parts, Level: civicpin.Substantial, Evidence: seen, By: seen.By,
	})
	if err != nil {
		return err
	}
	return s.print(v.ctx(), is)
}

// registerSeen registers a citizen who stands at the counter with their card: contacts, terms, and an activation code.
func (s *system) registerSeen(v *visit, subject civicpin.Subject, seen civicpin.Evidence) error {
	mobile, err := v.mobile("mobile")
	if err != nil {
		return err
	}
	email, err := v.email("email")
	if err != nil {
		return err
	}
	if v.typed("terms") == "" {
		return refusal{"terms", "act.terms.wrong"}
	}
	if err := s.contacts.Adopt(v.ctx(), subject, []civicpin.Contact{mobile, email}, seen.By, civicpin.Source{}); err != nil {
		return err
	}
	return s.issue(v, subject, seen, civicpin.Contact{Channel: civicpin.HandedOver, Locale: v.lang})
}

// agencyUnlock lifts the lock of a login, and that of the questions, after the citizen was seen.
func (s *system) agencyUnlock(v *visit, subject civicpin.Subject, seen civicpin.Evidence, by recovery.Operator) error {
	if err := s.rec.Unlock(v.ctx(), agency.IESSForgotten, subject, seen, by); err != nil {
		return err
	}
	run, err := s.rec.StartBy(v.ctx(), agency.IESSInPerson, subject, by)
	if err != nil {
		return err
	}
	_, err = s.rec.Decide(v.ctx(), run.ID, by, recovery.Verdict{Approve: true, Reason: seen.Document})
	return err
}
