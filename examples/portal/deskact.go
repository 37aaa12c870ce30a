package main

import (
	"context"
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
	err := s.act(v, v.typed("act"), subject, by)
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
	case "code":
		code, err := s.pins.RequestCode(ctx, subject, by.ID)
		if err == nil {
			v.p.inbox.add(mail{System: s.name, Channel: civicpin.HandedOver, Text: v.T("act.code.paper", code.Reveal())})
		}
		return err
	case "register":
		return s.register(v, subject, seen)
	case "agency":
		return s.agencyUnlock(v, subject, seen, by)
	case "video":
		return s.video(v, subject, by)
	case "case":
		return s.look(v, strings.TrimSpace(v.typed("case")), by)
	case "approve":
		return s.approve(v, by)
	}
	return s.issue(v, act, subject, seen)
}

// attest raises the level on a document. At a recovery the contacts of a lower level keep no higher one, unless an operator has
// seen them: on the form that the citizen signs.
func (s *system) attest(v *visit, subject civicpin.Subject, seen civicpin.Evidence) error {
	if err := s.pins.Attest(v.ctx(), subject, seen); err != nil || v.typed("contacts") == "" {
		return err
	}
	book, err := s.contacts.Snapshot(v.ctx(), subject)
	if err != nil {
		return err
	}
	return s.contacts.Adopt(v.ctx(), subject, book.Established(), seen.By, civicpin.Source{})
}

// issues are the acts by which staff have something issued: how they checked who the citizen is, and where the parts go. None
// of them do they read, but for the slip that they hand over.
var issues = map[string]struct {
	method civicpin.Method
	parts  []string
}{
	"issue":     {civicpin.InPerson, []string{"paper", "email"}},
	"slip":      {civicpin.InPerson, []string{"paper"}},
	"register":  {civicpin.InPerson, []string{"paper"}},
	"call":      {civicpin.Video, []string{"mobile"}}, // face and card were seen on a screen
	"telephone": {"", []string{"mobile", "street"}},   // no document was seen: the level is low
}

// issue issues on evidence, and prints the part that is handed over. Nobody gets a level because a clerk says so.
func (s *system) issue(v *visit, act string, subject civicpin.Subject, seen civicpin.Evidence) error {
	how, ok := issues[act]
	if !ok {
		return civicpin.ErrInvalid
	}
	parts, err := v.contacts(how.parts...)
	if err != nil {
		return err
	}
	o := pin.IssueOptions{Parts: parts, By: seen.By}
	if seen.Method = how.method; seen.Method != "" {
		o.Level, o.Evidence = civicpin.Substantial, seen
	}
	is, err := s.pins.Issue(v.ctx(), subject, o)
	if err != nil {
		return err
	}
	return s.print(v.ctx(), is)
}

// register registers a citizen who stands at the counter with their card: contacts, terms, and an activation code.
func (s *system) register(v *visit, subject civicpin.Subject, seen civicpin.Evidence) error {
	own, err := v.contacts("mobile", "email")
	if err != nil {
		return err
	}
	if v.typed("terms") == "" {
		return refusal{"terms", "act.terms.wrong"}
	}
	if err := s.contacts.Adopt(v.ctx(), subject, own, seen.By, civicpin.Source{}); err != nil {
		return err
	}
	return s.issue(v, "register", subject, seen)
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

// print puts what the library does not send onto paper: it is given out once, and arrives in the inbox.
func (s *system) print(ctx context.Context, is pin.Issue) error {
	for i, part := range is.Parts {
		if part.Contact.Channel.Printed() && !is.Slip.IsZero() {
			_, err := s.printer.Notify(ctx, civicpin.Message{
				Kind: pin.PartMessage, To: part.Contact, Secret: is.Slip, Part: i + 1, Parts: len(is.Parts), ExpiresAt: is.ExpiresAt,
			})
			return err
		}
	}
	return nil
}
