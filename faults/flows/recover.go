package flows

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/faults/internal/kit"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery"
)

// recoverer is a citizen who forgets their secret again and again, and recovers it by a link and then a code.
type recoverer struct {
	site    *Site
	journal *kit.Journal
	client  int
	n       int // how many citizens this client was, or would have been
	all     []*forgetful
}

const (
	// recoveries is how many there are of one citizen, within what an address is sent in ten minutes.
	recoveries = 3
	// recoverPause keeps recoveries, each of which costs three hashes, from leaving logins no processor.
	recoverPause = 250 * time.Millisecond
	// messagePatience is how long nothing but a message is waited for: a dispatcher's claim that had no answer holds it up for
	// longer.
	messagePatience = 2 * time.Second
)

func newRecover(s *Site, client int, j *kit.Journal) Flow {
	return &recoverer{site: s, journal: j, client: client}
}

// Step implements [Flow]. While a message is late the client is somebody else.
func (r *recoverer) Step(ctx context.Context) {
	var c *forgetful
	for _, c = range r.all {
		if w := c.open(); w != nil && r.arrived(c, w) {
			r.goOn(ctx, c, w)
			return
		}
	}
	if c == nil {
		r.enrol(ctx)
		return
	}
	switch w := c.open(); {
	case w != nil && time.Since(w.since) < messagePatience:
		r.goOn(ctx, c, w)
	case w != nil, c.over, len(c.walks) == recoveries:
		r.enrol(ctx)
	default:
		r.begin(ctx, c)
	}
}

// enrol makes the client another citizen, with a PIN that was handed over at a desk, which costs the fewest hashes, and two
// contacts that a member of staff has seen. One of whom something had no answer is nobody.
func (r *recoverer) enrol(ctx context.Context) {
	r.n++
	c := &forgetful{
		subject: civicpin.Subject(fmt.Sprintf("RECOVER-%d-%d", r.client, r.n)),
		email:   civicpin.Contact{Channel: civicpin.Email, Address: fmt.Sprintf("r%d.%d@example.org", r.client, r.n)},
		phone:   civicpin.Contact{Channel: civicpin.SMS, Address: fmt.Sprintf("+39344%03d%04d", r.client, r.n)},
	}
	issue, err := r.site.PINs.Issue(ctx, c.subject, pin.IssueOptions{
		Parts: []civicpin.Contact{{Channel: civicpin.HandedOver}}, By: operator,
	})
	if err == nil {
		c.secret, c.issued = issue.Slip.Reveal(), true
		contacts := []civicpin.Contact{c.email, c.phone}
		err = r.site.Contacts.Adopt(ctx, c.subject, contacts, operator, civicpin.Source{})
	}
	if err != nil {
		r.journal.Count("recoveries failed")
		pause(ctx)
		return
	}
	r.all = append(r.all, c)
}

// begin begins a recovery, before which the secret of the last one is still right. One that had no answer may be under way, and
// its link may come.
func (r *recoverer) begin(ctx context.Context, c *forgetful) {
	if right, err := r.right(ctx, c, c.secret); err == nil && !right {
		r.journal.Break("recover %s: the secret that was chosen is not right any more", c.subject)
		c.over = true
		return
	}
	run, err := r.site.Recovery.Start(ctx, linkAndCode, c.subject, civicpin.Source{})
	if err != nil {
		r.journal.Count("recoveries failed")
		c.over = true
		pause(ctx)
		return
	}
	r.journal.Count("recoveries begun")
	c.walks = append(c.walks, &walk{id: run.ID, ticket: run.Ticket, since: time.Now()})
}

// goOn does what comes next.
func (r *recoverer) goOn(ctx context.Context, c *forgetful, w *walk) {
	switch {
	case w.at == toType && !w.sent:
		r.send(ctx, c, w)
	case !r.arrived(c, w):
		r.look(ctx, c, w)
	case w.at == toUse:
		r.use(ctx, c, w)
	case w.at == toType:
		r.typeIn(ctx, c, w)
	case w.at == toFinish:
		r.finish(ctx, c, w)
	case w.at == toSet:
		r.set(ctx, c, w)
	}
}

// arrived takes in the message that a walk waits for. It returns whether there is anything to be done.
func (r *recoverer) arrived(c *forgetful, w *walk) bool {
	switch {
	case w.at == toUse && w.link.IsZero():
		m, ok := r.site.Mail.To(c.email.Address, w.about(recovery.LinkMessage))
		w.link = m.Link
		return ok
	case w.at == toType && w.sent && w.code.IsZero():
		m, ok := r.site.Mail.To(c.phone.Address, c.fresh)
		w.code = m.Secret
		return ok
	}
	return true
}

// use opens the link twice, as a mail scanner and the page with the button do, and then uses it.
func (r *recoverer) use(ctx context.Context, c *forgetful, w *walk) {
	for range 2 {
		if w.doubt {
			break
		}
		look, err := r.site.Recovery.Inspect(ctx, w.link)
		if err != nil {
			r.failed(ctx, c, w, err)
			return
		}
		if look.Purpose != recovery.ToRecover || look.Last {
			r.journal.Break("recover %s: the link is for something else: %+v", c.subject, look)
		}
	}
	run, err := r.site.Recovery.Redeem(ctx, w.link, civicpin.Source{})
	if run.Ticket.IsZero() {
		r.unclear(ctx, c, w, err)
		return
	}
	// It was used, even if what comes next, the code, could not be promised.
	w.ticket, w.sent = run.Ticket, err == nil
	r.reached(ctx, c, w, "links used")
}

// send asks for a code that could not be promised when the link was used. There may be two, then. Both are good, but the other
// one must not be taken for that of the next recovery.
func (r *recoverer) send(ctx context.Context, c *forgetful, w *walk) {
	c.over = true
	if _, err := r.site.Recovery.Send(ctx, w.ticket, civicpin.Source{}); err != nil {
		r.failed(ctx, c, w, err)
		return
	}
	w.sent = true
}

// typeIn types the code that was sent.
func (r *recoverer) typeIn(ctx context.Context, c *forgetful, w *walk) {
	run, err := r.site.Recovery.Answer(ctx, w.ticket, recovery.Answers{Code: w.code})
	switch {
	case err == nil && !run.Done:
		r.journal.Break("recover %s: the code was right, and %+v is asked", c.subject, run.Next)
		w.ended, c.over = true, true
	case err == nil, w.doubt && errors.Is(err, recovery.ErrWrongStep):
		r.reached(ctx, c, w, "recovery codes used")
	default:
		r.unclear(ctx, c, w, err)
	}
}

func (r *recoverer) finish(ctx context.Context, c *forgetful, w *walk) {
	grant, err := r.site.Recovery.Finish(ctx, w.ticket, civicpin.Source{})
	if err != nil {
		r.unclear(ctx, c, w, err)
		return
	}
	w.grant = grant
	r.reached(ctx, c, w, "recoveries completed")
}

// set chooses a secret, and another one each time that there was no answer: at most one of them may be taken.
func (r *recoverer) set(ctx context.Context, c *forgetful, w *walk) {
	chosen := rand.Text()
	_, err := r.site.PINs.Set(ctx, w.grant, civicpin.NewSecret(chosen), civicpin.Source{})
	if err != nil {
		if r.unclear(ctx, c, w, err) {
			c.maybe = append(c.maybe, chosen)
		}
		return
	}
	c.wrong = append(c.maybe, c.secret)
	c.secret, c.maybe, c.issued = chosen, nil, false
	r.reached(ctx, c, w, "recoveries finished")
	w.ended = true
	time.Sleep(recoverPause)
}

// look asks what comes next, while a message is under way.
func (r *recoverer) look(ctx context.Context, c *forgetful, w *walk) {
	run, err := r.site.Recovery.Show(ctx, w.ticket)
	switch asked := run.Next.Sent; {
	case err != nil:
		r.failed(ctx, c, w, err)
	case asked == nil, asked.Link != (w.at == toUse):
		r.journal.Break("recover %s: what was done has to be done again, or need not be: %+v is asked at %v",
			c.subject, run.Next, w.at)
		w.ended, c.over = true, true
	default:
		pause(ctx)
	}
}

// reached brings a walk to its next stage, and tries what has led there once more.
func (r *recoverer) reached(ctx context.Context, c *forgetful, w *walk, what string) {
	r.journal.Count(what)
	w.at, w.doubt, w.since = w.at+1, false, time.Now()
	r.again(ctx, c, w)
}
