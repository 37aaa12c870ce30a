package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/lockout"
)

// strangersSource is where those come from who are not in this story.
var strangersSource = civicpin.Source{Address: "203.0.113.66"}

// doors has people at the page "I lost my PIN" whom it cannot help. It says the same to all, and nothing is sent.
func (t *tale) doors(ctx context.Context) error {
	t.Step("Others at the same page: one contact only, wrong ones, nobody")
	before, err := os.ReadDir(string(t.Inbox))
	if err != nil {
		return err
	}
	t.Say("Anna names her e-mail, which INPS knows, and a mobile, which it does not. A stranger names contacts at random.")
	wrong := "333 000 1111, nobody@example.it"
	rows := make(map[string]bool)
	for _, who := range []struct {
		what    string
		subject civicpin.Subject
		typed   string
	}{
		{"At Anna's codice fiscale: ", annaCF, "333 000 1111, anna.verdi@example.it"},
		{"At Maria's:               ", t.maria.subject(), wrong},
		{"At one that nobody has:   ", nobody(), wrong},
	} {
		said, err := t.nameAll(ctx, who.subject, who.typed)
		if err != nil {
			return err
		}
		t.Say("%s%s", who.what, said)
		rows[said] = true
	}
	if len(rows) != 1 {
		return errors.New("the page tells people apart")
	}
	t.Says("%s", notTwo)
	if err := t.Deliver(ctx); err != nil {
		return err
	}
	after, err := os.ReadDir(string(t.Inbox))
	if err == nil && len(after) != len(before) {
		err = errors.New("something was sent")
	}
	return err
}

// nameAll names contacts until the page is locked, and returns what it said each time.
func (t *tale) nameAll(ctx context.Context, subject civicpin.Subject, typed string) (string, error) {
	contacts, err := readContacts(typed, t.Lang)
	if err != nil {
		return "", err
	}
	ticket, err := t.begin(ctx, subject, strangersSource)
	if err != nil {
		return "", err
	}
	var said []string
	for range lostPIN.Limit.Limit {
		err := t.name(ctx, ticket, contacts, strangersSource)
		refused, isRefused := errors.AsType[*lockout.RefusedError](err)
		locked, isLocked := errors.AsType[*lockout.LockedError](err)
		switch {
		case isRefused:
			said = append(said, fmt.Sprintf("%d left", refused.Left))
		case isLocked:
			said = append(said, t.lockedFor(locked))
		default:
			return "", errors.Join(errors.New("wrong contacts were not refused"), err)
		}
	}
	return strings.Join(said, ", "), nil
}
