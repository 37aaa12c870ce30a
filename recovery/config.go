package recovery

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/internal/knowledge"
	"github.com/civicpin/civicpin/internal/names"
	"github.com/civicpin/civicpin/internal/password"
	"github.com/civicpin/civicpin/internal/recoveryrun"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery/plan"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
)

// A Register is the caller's own file of people.
type Register interface {
	// Check reports whether all the facts are the subject's. It does the same work for a subject whom it does not know, and
	// answers false. An error means that it could not look: no try is spent. It is called inside the attempt limit.
	Check(ctx context.Context, subject civicpin.Subject, facts map[string]string) (bool, error)
}

// A DocumentStore is where the caller keeps what was uploaded. The library keeps the reference and the verdict, never the file.
type DocumentStore interface {
	// Describe returns what is known of an upload now. It is asked when the upload is given, and before each approval. An error
	// that matches [civicpin.ErrInvalid] means that there is none.
	Describe(ctx context.Context, subject civicpin.Subject, ref string) (Document, error)
}

// A Document is an upload as its store describes it: found out from the bytes, not from what the browser says.
type Document struct {
	Type  string // media type, "image/jpeg"
	Size  int64  // bytes
	Clean bool   // a scanner has found nothing
	// Digest names the bytes, as a SHA-256 does: 1 to 128 printable bytes. Two uploads of one run must differ in it.
	Digest string
}

// Config is what recoveries rest on. It is copied by [New].
type Config struct {
	Pins  *pin.Service // the credentials that are recovered; required
	Plans []plan.Plan  // the ways; required, and their names differ

	Register Register // is asked for facts; needed by plans with Facts
	// Factors are what plans may ask for by Factor, such as otp's TOTP.Verify and BackupCodes.Verify. They limit guesses
	// themselves, and return nil, an error that matches [ErrRefused], or another one. A factor counts as a possession of the
	// subject at each level: for a plan that keeps a level, refuse one that was bound at a lower level.
	Factors map[string]func(ctx context.Context, subject civicpin.Subject, typed civicpin.Secret, source civicpin.Source) error
	// Unbind ends the authenticators and backup codes that were bound to the subject since a time: a recovery that was completed
	// then was not the subject's. It may be called twice. Nil if there are none.
	Unbind    func(ctx context.Context, subject civicpin.Subject, since time.Time) error
	Documents DocumentStore   // describes uploads; needed by plans with Documents
	Roles     map[string]Role // the roles of staff by name

	// Questions and Images are the ids of all that can be enrolled, at most 64 and 256. The caller has the words and pictures.
	Questions, Images []string
	// Mail lists the channels of the caller's own that are mailboxes: their messages may have links, and live as long as e-mail.
	Mail []civicpin.Channel

	// Contacts are the subjects'. Messages go only to these, and to no address to which a PIN was issued. Required.
	Contacts *contact.Service
	// Sends limits the messages for a subject; three times as many recoveries may be started. Zero means 10 in 24 hours. It must
	// fit the outbox's Limits.Proved: see [outbox.Outbox.Limit].
	Sends   civicpin.Rate
	Hashing pin.Hashing // what hashing the answers costs
}

// A Service runs plans. Make one with [New]. It is safe for concurrent use, also by processes over one store and configuration.
type Service struct {
	vault     *store.Vault
	out       *outbox.Outbox
	config    Config
	plans     map[string]*way
	roles     map[string]*role
	sends     *outbox.Limit
	starts    *outbox.Limit
	hashing   *password.Gate
	params    password.Params
	decoys    password.Decoys // what a guess at an answer that was not enrolled is compared with
	runs      store.Kind[run]
	answers   store.Kind[knowledge.Knowledge]
	watches   store.Kind[recoveryrun.Watch]
	catalogue knowledge.Catalogue
	sealed    store.Decoy // what is opened where a subject has enrolled nothing
	decoyText string      // the first of decoys as it is stored
}

// New returns a service in the vault of out, which carries its messages; the service registers with it as "recovery". New
// hashes once. It asks the Check of out's notifier ([outbox.Outbox.Check]) for the messages of each plan, in every language,
// over the channels of its steps; for the notices also over those of contact.Policy.Decoys. Errors:
//   - [civicpin.ErrInvalid]: out is nil, Pins or Contacts send through another outbox, Contacts do not rest on Pins, or
//     Sends does not fit the outbox's Limits.Proved (see [outbox.Outbox.Limit]).
//   - an [*outbox.UnsendableError]: the notifier would refuse a message of a plan.
//   - [ErrInvalidPlan]: the configuration or a plan is invalid; the text says which step is why.
func New(out *outbox.Outbox, c Config) (*Service, error) {
	if problem := c.mismatch(out); problem != "" {
		return nil, fmt.Errorf("recovery: %w: %s", civicpin.ErrInvalid, problem)
	}
	v := out.Vault()
	s := &Service{vault: v, out: out, config: c, plans: make(map[string]*way), roles: make(map[string]*role)}
	s.config.Factors, s.config.Roles = maps.Clone(c.Factors), maps.Clone(c.Roles)
	s.config.Questions, s.config.Images = slices.Clone(c.Questions), slices.Clone(c.Images)
	s.config.Mail = slices.Clone(c.Mail)
	if err := s.check(); err != nil {
		return nil, err
	}
	for _, p := range c.Plans {
		if err := s.addPlan(p); err != nil {
			return nil, err
		}
	}
	if err := s.limits(); err != nil {
		return nil, err
	}
	s.catalogue = s.newCatalogue()
	var errs [4]error
	s.runs, errs[0] = store.NewKind[run](v, "recovery.run")
	s.answers, errs[1] = store.NewKind[knowledge.Knowledge](v, "recovery.knowledge")
	s.runs = s.runs.Corrected(recoveryrun.Correct[store.Entry[run]](c.Plans))
	s.watches, errs[3] = store.NewKind[recoveryrun.Watch](v, "recovery.watch")
	s.watches = s.watches.Corrected(recoveryrun.CorrectWatch[store.Entry[recoveryrun.Watch]](c.Plans))
	s.answers = s.answers.Padded(1024) // most subjects' answers are as long as the decoy then
	s.decoyText = s.decoys[0].Encode()
	s.sealed, errs[2] = s.answers.Decoy(context.Background(), s.catalogue.Decoy(s.decoyText))
	if err := errors.Join(errs[:]...); err != nil {
		return nil, err
	}
	return s, out.Register(owner, (*delivery)(s))
}

// mismatch returns why the services of a configuration do not fit together, "" if they do.
func (c *Config) mismatch(out *outbox.Outbox) string {
	switch {
	case out == nil:
		return "New needs an outbox"
	case c.Pins != nil && !c.Pins.Over(out):
		return "Pins send through another outbox: give New the outbox that pin.New got"
	case c.Contacts != nil && !c.Contacts.Over(out):
		return "Contacts send through another outbox: give New the outbox that contact.New got"
	case c.Contacts != nil && c.Pins != nil && !c.Contacts.RestsOn(c.Pins):
		return "Contacts do not rest on Pins: give contact.New the same pin.Service"
	}
	return ""
}

// check checks what is not a plan's.
func (s *Service) check() error {
	c := &s.config
	bad := func(what string) error { return fmt.Errorf("%w: %s", ErrInvalidPlan, what) }
	if c.Pins == nil || c.Contacts == nil || len(c.Plans) == 0 {
		return bad("Config.Pins, Config.Contacts or Config.Plans is not given")
	}
	if !names.Distinct(c.Questions, 64) || !names.Distinct(c.Images, 256) {
		return bad("Questions are not at most 64, or Images not at most 256, different names of 1 to 64 bytes")
	}
	for name, r := range c.Roles {
		made, err := newRole(s.vault, name, r)
		if err != nil {
			return err
		}
		s.roles[name] = made
	}
	h := c.Hashing
	costs := password.InUse(password.Params{Memory: h.Memory, Time: h.Time, Threads: h.Threads}, h.Former)
	s.params = costs[0]
	var err error
	s.hashing, err = password.NewGate(h.Permits, h.Wait, len(costs))
	if err := errors.Join(c.Sends.Validate(), password.ValidateInUse(costs...), err); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalidPlan, err)
	}
	s.decoys = password.NewDecoys(costs...)
	return nil
}

// limits makes the counters of messages and of starts.
func (s *Service) limits() error {
	rate := cmp.Or(s.config.Sends, civicpin.Rate{Limit: 10, Window: 24 * time.Hour})
	var err error
	if s.sends, err = s.out.Limit("recovery", outbox.Proved, rate); err != nil {
		return err
	}
	if slices.ContainsFunc(s.config.Plans, plan.Plan.Corrects) {
		s.sends = s.sends.Typed() // for all messages: where one goes may depend on the subject
	}
	rate.Limit = min(3*rate.Limit, 1_000_000) // not each recovery that is started gets as far as a message
	s.starts, err = s.out.Limit("recovery.start", outbox.Shown, rate)
	return err
}
