package main

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/texts"
)

// A mail is one message as it arrived.
type mail struct {
	System   string
	ID       string // of a text message that is to be reported as delivered
	Channel  civicpin.Channel
	To       string
	Subject  string
	Text     string
	Link     string // in an e-mail
	At       time.Time
	Language string
}

// An inbox is the local stand-in for the SMS gateway, the mail server, the sender of pushes and the printer: what is sent
// arrives on a page that everybody sees. It keeps the newest messages in memory.
type inbox struct {
	mailer  *mailer  // sends e-mails instead, if there is one
	gateway *gateway // sends text messages instead, if there is one

	mu    sync.Mutex
	mails []mail
	total map[string]int // by system, of all that ever came
}

// kept is how many messages the inbox keeps.
const kept = 300

var linkLine = regexp.MustCompile(`(?m)^https?://\S+#\S+$`)

// notifier words the messages of a system, and puts them into the inbox.
func (i *inbox) notifier(system string, w *texts.Writer) civicpin.Notifier {
	return w.Notifier(func(ctx context.Context, id string, to civicpin.Contact, t texts.Text) (string, error) {
		if i.mailer != nil && to.Channel.Mail() {
			return i.mailer.send(ctx, id, to, t)
		}
		if i.gateway != nil && to.Channel == civicpin.SMS {
			return i.gateway.send(ctx, system, id, to, t)
		}
		m := mail{
			System: system, Channel: to.Channel, To: to.Address, Subject: t.Subject, Text: t.Body.Reveal(), Language: t.Language,
			Link: linkLine.FindString(t.Body.Reveal()), At: time.Now(),
		}
		receipt := ""
		if to.Channel == civicpin.SMS {
			m.ID, receipt = id, smsPrefix+id
		}
		i.add(m)
		return receipt, nil
	})
}

func (i *inbox) add(m mail) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.total[m.System]++
	i.mails = append(i.mails, m)
	if len(i.mails) > kept {
		i.mails = slices.Delete(i.mails, 0, len(i.mails)-kept)
	}
}

// newest returns what came, the newest first.
func (i *inbox) newest() []mail {
	i.mu.Lock()
	defer i.mu.Unlock()
	all := slices.Clone(i.mails)
	slices.Reverse(all)
	return all
}

// unreported returns the text messages to report on, and each of them once. One that came just now is reported after the next
// look: the outbox may not have noted yet that it was sent.
func (i *inbox) unreported() (all []mail) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for n := range i.mails {
		if m := &i.mails[n]; m.ID != "" && time.Since(m.At) > time.Second {
			all = append(all, *m)
			m.ID = ""
		}
	}
	return all
}

// count returns how many messages a system sent.
func (i *inbox) count(system string) int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.total[system]
}

// Body is the text without the link, which the page shows as one.
func (m mail) Body() []string {
	before, after, _ := strings.Cut(m.Text, m.Link)
	return []string{strings.TrimSpace(before), strings.TrimSpace(after)}
}

// inboxPage shows what came. The text messages that it shows are then reported as delivered.
func (p *portal) inboxPage(v *visit) (view, error) {
	p.work.Go(func() { p.report(p.life) })
	say := "inbox.say"
	if p.inbox.mailer != nil {
		say += ".smtp"
	}
	if p.inbox.gateway != nil {
		say += ".sms"
	}
	return view{
		Title: "inbox.title", Say: v.say(say), Mails: p.inbox.newest(),
		How: how{"inbox.go, sms.go", "texts.Writer.Notifier, outbox.Outbox.Run, web.Receipts"},
	}, nil
}
