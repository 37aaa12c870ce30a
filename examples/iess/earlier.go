package main

import (
	"context"
	"errors"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/pin"
)

// anew takes what earlier runs have left of somebody out of the way, as an agency does for who comes with their card. It reports
// whether they have an address that can be written to.
func (t *tale) anew(ctx context.Context, c *citizen) (known bool, err error) {
	st, err := t.pins.Status(ctx, c.subject)
	if errors.Is(err, pin.ErrNoCredential) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if st.State != "revoked" {
		t.Say("%s has a key from an earlier run, and no longer knows it. An agency, which has seen the card, ends it.", c.name)
		if err := t.pins.Revoke(ctx, c.subject, "forgotten", clerk.ID); err != nil {
			return false, err
		}
	}
	seen := civicpin.Evidence{Method: civicpin.InPerson, Document: "cédula", By: clerk.ID}
	errs := []error{t.pins.Unlock(ctx, c.subject, clerk.ID)}
	for _, p := range plans() {
		errs = append(errs, t.rec.Unlock(ctx, p.Name, c.subject, seen, clerk))
	}
	// So many messages a day and no more, and an address that was just changed proves nothing for a week.
	errs = append(errs, t.Later(8*day))
	proved, _, err := t.rec.Contacts(ctx, c.subject)
	if len(proved) > 0 {
		known, c.email = true, proved[0].Address
	}
	return known, errors.Join(append(errs, err)...)
}
