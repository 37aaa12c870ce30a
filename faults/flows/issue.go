package flows

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/faults/internal/kit"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin"
)

// issue is an agency that issues PINs in two parts, by text message and by e-mail.
type issue struct {
	site     *Site
	journal  *kit.Journal
	client   int
	n        int
	promised []int // to whom an issue was acknowledged
}

const (
	// issueAudits is how many of the PINs are tried: each costs a hash.
	issueAudits = 5
	// issuePause keeps issues, each of which costs a hash, from leaving logins no processor.
	issuePause = 250 * time.Millisecond
)

func newIssue(s *Site, client int, j *kit.Journal) Flow {
	return &issue{site: s, client: client, journal: j}
}

// contacts returns where a subject's parts go, different ones for each.
func (f *issue) contacts(n int) []civicpin.Contact {
	return []civicpin.Contact{
		{Channel: civicpin.SMS, Address: fmt.Sprintf("+39333%03d%04d", f.client, n)},
		{Channel: civicpin.Email, Address: fmt.Sprintf("c%d.%d@example.org", f.client, n)},
	}
}

func (f *issue) subject(n int) civicpin.Subject {
	return civicpin.Subject(fmt.Sprintf("ISSUE-%d-%d", f.client, n))
}

// Step implements [Flow].
func (f *issue) Step(ctx context.Context) {
	f.n++
	_, err := f.site.INPS.Issue(ctx, f.subject(f.n), pin.IssueOptions{Parts: f.contacts(f.n), By: operator})
	if err != nil {
		f.journal.Count("issues failed")
		pause(ctx)
		return
	}
	f.journal.Count("issues")
	f.promised = append(f.promised, f.n)
	time.Sleep(issuePause)
}

// Audit implements [Flow]: both parts of every PIN that was promised arrive, and are good.
func (f *issue) Audit(ctx context.Context) {
	deadline := time.Now().Add(f.site.Mail.arrival)
	for i, n := range f.promised {
		subject := f.subject(n)
		var typed strings.Builder
		for part, to := range f.contacts(n) {
			m, ok := f.site.Mail.Wait(to.Address, nil, deadline)
			if !ok {
				f.journal.Break("issue %s: part %d was never sent", subject, part+1)
				break
			}
			typed.WriteString(m.Secret.Reveal())
			f.journal.Count("parts audited")
		}
		if i >= len(f.promised)-issueAudits {
			f.try(ctx, subject, typed.String())
		}
	}
}

// try types both parts.
func (f *issue) try(ctx context.Context, subject civicpin.Subject, typed string) {
	v, err := f.site.INPS.Verify(ctx, pin.Attempt{Subject: subject, Secret: civicpin.NewSecret(typed)})
	_, locked := errors.AsType[*lockout.LockedError](err)
	switch {
	case locked, errors.Is(err, pin.ErrBusy):
		f.journal.Break("issue %s: locked, though nobody guessed", subject)
	case err != nil:
		f.journal.Break("issue %s: the two parts are not right: %v", subject, err)
	case !v.MustExchange:
		f.journal.Break("issue %s: needs no exchange", subject)
	}
}
