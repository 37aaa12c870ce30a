package pin

import (
	"context"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
)

// NewCheap is New with hashes that cost next to nothing, which no policy allows: for tests that make thousands.
func NewCheap(v *store.Vault, out *outbox.Outbox, p Policy, proved ...ProvedContacts) (*Service, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	p = p.withDefaults()
	p.Hashing.Memory, p.Hashing.Time, p.Hashing.Threads = 8, 1, 1
	return build(out, p, proved...)
}

// Plain returns all credentials as they are before they are sealed.
func Plain(ctx context.Context, s *Service) (string, error) { return testkit.Plain(ctx, s.creds) }

// Hashes returns how many hashes a service has run.
func Hashes(s *Service) int64 { return s.hashing.Total() }

// Occupy takes n places in front of the hashing until the returned function is called.
func Occupy(s *Service, n int) (release func()) { return testkit.Occupy(s.hashing, n) }

// Gate returns the gate of a service.
func Gate(s *Service) *lockout.Gate { return s.gate }

// Hold keeps all permits of the hashing until the returned function is called.
func Hold(s *Service, n int) (release func()) {
	end, held := make(chan struct{}), make(chan struct{})
	for range n {
		go func() { _ = s.hashing.Run(context.Background(), func() { held <- struct{}{}; <-end }) }()
		<-held
	}
	return func() { close(end) }
}

// SendAgain asks a service for the message of a part of an issue, as the outbox does: nil means that it is sent.
func SendAgain(ctx context.Context, s *Service, ref outbox.Ref) error {
	return testkit.Err((*delivery)(s).Confirm(ctx, ref))
}

// Settle tells a service what became of a message.
func Settle(ctx context.Context, s *Service, ref outbox.Ref, o outbox.Outcome) error {
	return (*delivery)(s).Settle(ctx, ref, o)
}

// Refs are the messages of the parts of a subject's secret.
func Refs(ctx context.Context, s *Service, subject civicpin.Subject) ([]outbox.Ref, error) {
	e, err := s.creds.Get(ctx, store.Key{Subject: subject})
	return s.refs(subject, &e.Value), err
}

// PlainDecoy is what is opened for a subject without a credential, before it is sealed.
func PlainDecoy(s *Service) any { return s.decoy }

// Spoil makes the hashes of a subject's credential unreadable: of the current secret, of former ones, or of both.
func Spoil(ctx context.Context, s *Service, subject civicpin.Subject, current, former bool) error {
	return testkit.Err(s.creds.Update(ctx, store.Key{Subject: subject}, func(e *store.Entry[credential]) error {
		if current {
			e.Value.Hash = "spoilt"
		}
		for i := range e.Value.History {
			if former {
				e.Value.History[i].Hash = "spoilt"
			}
		}
		return nil
	}))
}
