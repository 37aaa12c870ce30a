package main

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/agency"
	"github.com/civicpin/civicpin/examples/internal/play"
	"github.com/civicpin/civicpin/pin/state"
	"github.com/civicpin/civicpin/recovery"
)

// office has Nuria, whose telephone is gone as well, at a counter: staff begin and approve, and the link goes to her.
func (t *tale) office(ctx context.Context) error {
	t.Step("In person: her telephone is gone, too")
	if err := t.until(t.Next(20)); err != nil {
		return err
	}
	t.Say("She rings %s. The operator may begin no recovery:", helpLine)
	_, err := t.rec.StartBy(ctx, planCounter.Name, t.nuria.subject(), operator)
	if err := t.turnedDown(err, recovery.WrongRole); err != nil {
		return err
	}
	t.Say("The counter is closed. A clerk who is still there tries all the same:")
	_, err = t.rec.StartBy(ctx, planCounter.Name, t.nuria.subject(), clerk)
	if err := t.turnedDown(err, recovery.Closed); err != nil {
		return err
	}
	closed, _ := errors.AsType[*recovery.OperatorError](err)
	if err := t.until(closed.Until); err != nil {
		return err
	}
	if err := t.approve(ctx); err != nil {
		return err
	}
	m, err := t.linked(ctx, t.nuria.email, recovery.ToRecover)
	if err != nil {
		return err
	}
	t.Say("Nuria has %q (%s). The clerk has no link, no code and no ticket.", m.Subject, m.File)
	grant, err := t.rec.Finish(ctx, civicpin.NewSecret(m.Link()), t.nuria.source)
	if err != nil {
		return err
	}
	err = t.choose(t.nuria, []string{nuriasFourth}, func(chosen civicpin.Secret) error {
		_, err := t.pins.Set(ctx, grant, chosen, t.nuria.source, t.nuria.personal()...)
		return err
	})
	if err != nil {
		return err
	}
	if err := t.newPhone(ctx); err != nil {
		return err
	}
	if err := t.enter(ctx, t.nuria, sedess); err != nil {
		return err
	}
	return t.unreachable(ctx)
}

// approve is what the clerk does in the morning, who has seen Nuria's face and card.
func (t *tale) approve(ctx context.Context) error {
	t.Say("In the morning the clerk sees her and her card, ends the stop, attests, and begins and approves a recovery.")
	err := errors.Join(
		t.pins.Resume(ctx, t.nuria.subject(), seen(t.nuria), "seen in person", clerk.ID),
		t.pins.Attest(ctx, t.nuria.subject(), seen(t.nuria))) // ends the lower level, too, which a recovery cannot
	if err != nil {
		return err
	}
	run, err := t.rec.StartBy(ctx, planCounter.Name, t.nuria.subject(), clerk)
	if err != nil {
		return err
	}
	_, err = t.rec.Decide(ctx, run.ID, operator, recovery.Verdict{Approve: true})
	if err := play.Wanted(err, recovery.ErrNotAllowed, "an approval by the wrong role"); err != nil {
		return err
	}
	if run, err = t.rec.Decide(ctx, run.ID, clerk, recovery.Verdict{Approve: true, Reason: seen(t.nuria).Document}); err != nil {
		return err
	}
	if !run.Ticket.IsZero() || run.Done {
		return errors.New("the clerk can go on without her")
	}
	return t.Deliver(ctx)
}

// newPhone has the clerk strike the lost telephone out, and add the new one, whose code Nuria reads out.
func (t *tale) newPhone(ctx context.Context) error {
	lost, has, err := t.contact(ctx, t.nuria, t.sms(t.nuria.mobile))
	if err != nil || !has {
		return errors.Join(err, errors.New("the lost telephone is not there"))
	}
	if err := t.contacts.Remove(ctx, t.nuria.subject(), lost.ID, clerk.ID, civicpin.Source{}); err != nil {
		return err
	}
	err = t.ask("Her new telephone", []string{"655 443 322"}, func(typed string) (err error) {
		if t.nuria.mobile, err = readMobile(typed); err != nil {
			return err
		}
		return t.add(ctx, t.nuria, t.sms(t.nuria.mobile), clerk.ID)
	})
	if err != nil {
		return err
	}
	return t.sayCode(ctx, t.nuria)
}

// unreachable: Omar has forgotten his password, and his one mailbox is gone. Nothing of the old registration is of use: he
// registers as if for the first time, this time in person.
func (t *tale) unreachable(ctx context.Context) error {
	t.Say("Omar comes, too. He has lost both password and mailbox, and registers once more, with his card this time.")
	if err := t.pins.Revoke(ctx, t.omar.subject(), state.Ended, "no contact reachable", clerk.ID); err != nil {
		return err
	}
	if err := t.typeContacts(ctx, t.omar, []string{"633 221 100"}, []string{"omar@correo.example"}); err != nil {
		return err
	}
	slip, err := t.proveAndSign(ctx, t.omar)
	if err != nil {
		return err
	}
	if err := t.openLink(ctx, t.omar); err != nil {
		return err
	}
	if err := t.strike(ctx, t.omar); err != nil {
		return err
	}
	if err := t.useCode(ctx, t.omar, omarsSecond, slip.Code()); err != nil {
		return err
	}
	return t.enter(ctx, t.omar, sedess)
}

// strike removes all contacts but those that the citizen has just given at a counter.
func (t *tale) strike(ctx context.Context, c *citizen) error {
	all, _, err := t.contacts.List(ctx, c.subject())
	if err != nil {
		return err
	}
	for _, p := range all {
		if p.SameAddress(t.sms(c.mobile)) || p.SameAddress(t.mail(c.email)) {
			continue
		}
		if err := t.contacts.Remove(ctx, c.subject(), p.ID, clerk.ID, civicpin.Source{}); err != nil {
			return err
		}
	}
	return nil
}

// turnedDown prints why the library lets a member of staff do nothing, and checks that it is for that reason.
func (t *tale) turnedDown(err error, reason recovery.OperatorReason) error {
	e, ok := errors.AsType[*recovery.OperatorError](err)
	if !ok || e.Reason != reason {
		return errors.Join(errors.New("staff were not turned down for "+string(reason)), err)
	}
	if e.Until.IsZero() {
		t.Say("Refused: not in this role.")
		return nil
	}
	t.Say("Refused: closed until %s.", t.Local(e.Until))
	return nil
}

// until lets the time pass until then, and says so.
func (t *tale) until(at time.Time) error {
	if err := t.Clock.Skip(max(0, at.Sub(t.Clock.Now()))); err != nil {
		return err
	}
	t.Say("… %s …", t.Local(at))
	return nil
}

// opening waits for the counters to open, if they are closed.
func (t *tale) opening() error {
	role := agency.TUSSRoles()["counter"]
	now := t.Clock.Now().In(t.Location)
	sinceMidnight := time.Duration(now.Hour())*time.Hour + time.Duration(now.Minute())*minute
	if slices.Contains(role.Days, now.Weekday()) && role.From <= sinceMidnight && sinceMidnight < role.To-time.Hour {
		return nil
	}
	at := t.Next(10)
	for !slices.Contains(role.Days, at.Weekday()) {
		at = at.AddDate(0, 0, 1)
	}
	return t.until(at)
}
