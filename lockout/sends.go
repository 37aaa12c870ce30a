package lockout

import (
	"context"
	"fmt"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/store"
)

// Sends counts the messages that are asked for: for a subject, and from a source. An outbox makes it ([outbox.Outbox.Sends]),
// so that all services over one vault count the requests of a source by one rate. It is safe for concurrent use, also over
// several processes.
type Sends struct {
	rate            civicpin.Rate
	subject, source *Quota
}

// NewSends returns a counter. Its name is 1 to 50 ASCII letters, digits and "-_.". The messages for a subject are counted
// under the name, those asked for from a source over all names: every counter over one vault has the same rate by source, or
// the counters would cut each other's. It gives an error that matches [ErrPolicy] for another name, and for a rate that is
// zero or invalid.
func NewSends(v *store.Vault, name string, subject, source civicpin.Rate) (*Sends, error) {
	if name == "" || len(name) > 50 {
		return nil, fmt.Errorf("%w: Sends need a name of 1 to 50 ASCII letters, digits, hyphens, underscores and dots", ErrPolicy)
	}
	s := Sends{rate: subject}
	var err error
	if s.subject, err = newQuota(v, "sends."+name, subject, ScopeSends); err != nil {
		return nil, err
	}
	s.source, err = newQuota(v, "sends-from-source", source, ScopeSource)
	return &s, err
}

// Rate returns the rate by subject.
func (s *Sends) Rate() civicpin.Rate { return s.rate }

// Take counts n messages, all or none, or returns a *[LockedError] that says when to ask again: by then there is room for all
// of them under the limit that refused. Neither the work nor the answer depends on whether the subject exists. If the store
// fails, some may have been counted.
func (s *Sends) Take(ctx context.Context, subject civicpin.Subject, source civicpin.Source, n int) error {
	counted := source.Address != ""
	var from store.Entry[quotaState]
	if counted {
		var err error
		if from, err = s.source.take(ctx, sourceKey(source.Address), n); err != nil {
			return err
		}
	}
	_, err := s.subject.take(ctx, store.Key{Subject: subject}, n)
	if err != nil && counted {
		// What was taken goes back, or the requests that were refused would eat up the limit of those that share the source.
		_ = s.source.refund(ctx, &from, n) // at worst they wait a little longer
	}
	return err
}
