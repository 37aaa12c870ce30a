package flows

import (
	"context"
	"errors"
	"fmt"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/faults/internal/kit"
	"github.com/civicpin/civicpin/otp"
)

// code is a citizen who asks for one-time codes and uses each of them, more than once.
type code struct {
	site    *Site
	journal *kit.Journal
	client  int
	used    []*usedCode
}

// usedCode is a code that was typed.
type usedCode struct {
	subject civicpin.Subject
	id      string
	text    civicpin.Secret
	typed   int // how often
	letIn   int // how often
}

// returnPurpose is what all codes are for.
var returnPurpose = otp.Purpose{Act: "file-return", Digest: []byte("the return")}

func newCode(s *Site, client int, j *kit.Journal) Flow {
	return &code{site: s, client: client, journal: j}
}

// Step implements [Flow]: a new code is asked for, by a subject of its own so that used codes lock nobody, and the one
// before that is used twice.
func (c *code) Step(ctx context.Context) {
	subject := civicpin.Subject(fmt.Sprintf("CODE-%d-%d", c.client, len(c.used)))
	req, err := c.site.Codes.Request(ctx, subject, returnPurpose, otp.RequestOptions{
		To: []civicpin.Contact{{Channel: civicpin.Push, Address: string(subject)}},
	})
	if err != nil {
		c.failed(ctx)
		return
	}
	pending, err := c.site.Codes.Pending(ctx, subject)
	if err != nil {
		c.failed(ctx)
		return
	}
	u := &usedCode{subject: subject, id: req.ID}
	for _, p := range pending {
		if p.ID == req.ID {
			u.text = p.Code
		}
	}
	if u.text.IsZero() {
		c.journal.Break("code %s: the one that was promised is not there", subject)
		return
	}
	c.journal.Count("codes asked for")
	c.used = append(c.used, u)
	if n := len(c.used); n > 1 {
		c.use(ctx, c.used[n-2])
		c.use(ctx, c.used[n-2])
	}
}

// use types a code. Once it was let in, it must not be again.
func (c *code) use(ctx context.Context, u *usedCode) {
	u.typed++
	err := c.site.Codes.Verify(ctx, u.subject, returnPurpose, u.id, u.text, civicpin.Source{})
	switch {
	case err == nil:
		u.letIn++
		c.journal.Count("codes used")
		if u.letIn > 1 {
			c.journal.Break("code %s: used %d times", u.subject, u.letIn)
		}
	case errors.Is(err, otp.ErrRefused) && u.typed == 1:
		c.journal.Break("code %s: refused when it was first typed", u.subject)
	case errors.Is(err, otp.ErrRefused):
		c.journal.Count("codes refused")
	default:
		c.failed(ctx)
	}
}

func (c *code) failed(ctx context.Context) {
	c.journal.Count("codes failed")
	pause(ctx)
}

// Audit implements [Flow].
func (c *code) Audit(ctx context.Context) {
	for _, u := range c.used {
		c.use(ctx, u)
		c.journal.Count("codes audited")
	}
}
