package lockout

import (
	"context"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/quota"
	"github.com/civicpin/civicpin/internal/spray"
	"github.com/civicpin/civicpin/store"
)

// challengedTimes is how many times a limit by source holds for guesses behind a challenge.
const challengedTimes = 4

// maxSource is the greatest number in a SourceLimit. The record of a source has the failures of the last hour and the last
// failure at each subject of the day before, all of them behind challenges: no policy makes it longer than a record may be.
const maxSource = spray.Longest / (2 * challengedTimes)

// A SourceLimit is how many guesses from one source may fail. Those in flight count, and right ones are given back, so a
// household or an office that logs in is not limited, however often it does. The zero SourceLimit is no limit. Four times as
// many may fail with a challenge passed ([civicpin.Source].Challenged): a guess over the limit, and not over four times the
// limit, returns a [LockedError] with Challenge.
type SourceLimit struct {
	// Subjects is how many different subjects may have failures in an hour: an attacker who tries one likely secret on
	// everybody has one failure a subject. Zero means no limit.
	Subjects int
	// SubjectsDay is the same in 24 hours. An attacker who passes challenges until four times as many have failed keeps all who
	// share the source, and have no known device, out of the open lane for up to a day. Zero means no limit.
	SubjectsDay int
	// Failures is how many guesses may fail in an hour, at whatever subjects. Required, at most 1,000, as are the others.
	Failures int
}

// SourceLimits are limits by source address, by kind of address. The zero SourceLimits are no limits.
type SourceLimits struct {
	// Host limits an address of IPv4, and any text that is no address. Many people may share one, behind a gateway of an
	// agency, a school or a carrier: docs/sizing.md says how to size it. Zero means no limit.
	Host SourceLimit
	// Net64 limits a /64 network of IPv6, which is a household or a telephone as a rule, and Net48 the /48 network around it,
	// of which a customer may be given all. Both or neither are set. Zero means no limit.
	Net64, Net48 SourceLimit
}

// WithRates returns the policy with the Source and Global of the ready policies where it has none of its own. Source is 100
// failures in an hour from a host of IPv4, at 30 different subjects in an hour and 100 in a day; 30 failures from a /64 network
// of IPv6, at 10 subjects in an hour and 100 in a day; and 300 failures from a /48, at 100 subjects in an hour and 1,000 in a
// day. Global is 20,000 failures in an hour. An attacker with 1,000 addresses still tries 100,000 subjects a day.
func (p Policy) WithRates() Policy {
	if (p.Source == SourceLimits{}) {
		p.Source = SourceLimits{
			Host:  SourceLimit{Subjects: 30, SubjectsDay: 100, Failures: 100},
			Net64: SourceLimit{Subjects: 10, SubjectsDay: 100, Failures: 30},
			Net48: SourceLimit{Subjects: 100, SubjectsDay: 1000, Failures: 300},
		}
	}
	if (p.Global == civicpin.Rate{}) {
		p.Global = civicpin.Rate{Limit: 20_000, Window: time.Hour}
	}
	return p
}

// validate returns an error if the limits do not bound what is stored, or contradict each other.
func (l SourceLimits) validate() error {
	if (l.Net64 == SourceLimit{}) != (l.Net48 == SourceLimit{}) {
		return bad("Source sets one of Net64 and Net48")
	}
	for _, s := range []SourceLimit{l.Host, l.Net64, l.Net48} {
		switch most := max(s.Subjects, s.SubjectsDay, s.Failures); {
		case s == SourceLimit{}:
		case s.Subjects < 0 || s.SubjectsDay < 0 || s.Failures < 1 || most > maxSource:
			return bad("a limit of Source is not up to %d, or has no Failures", maxSource)
		case s.SubjectsDay > 0 && s.SubjectsDay < s.Subjects:
			return bad("SubjectsDay of Source is below Subjects")
		}
	}
	return nil
}

// of returns the limits of an address, and the key of the record that counts for it. All networks of a /48 have one record, so
// that one write decides for both limits.
func (l SourceLimits) of(address string) (own, whole SourceLimit, key store.Key) {
	if wide, ok := quota.WideKey(address); ok {
		return l.Net64, l.Net48, wide
	}
	return l.Host, SourceLimit{}, quota.SourceKey(address)
}

// sourceRecord is what a gate keeps of a source.
type sourceRecord struct {
	Guesses spray.List `json:"guesses,omitempty"`
}

// A sourceClaim is a guess that was taken from the limits of its source.
type sourceClaim struct {
	guess spray.Guess
	entry store.Entry[sourceRecord]
}

// takeSource counts a guess towards the limits of its source, before it is compared. It returns nil if there are none.
func (g *Gate) takeSource(ctx context.Context, target Target) (*sourceClaim, error) {
	own, whole, key := g.policy.Source.of(target.Source.Address)
	if target.Source.Address == "" || own == (SourceLimit{}) {
		return nil, nil
	}
	subject := g.hash(target)
	network := g.vault.Hash("lockout.network", g.name, target.Source.Network())
	var claim sourceClaim
	var refused *LockedError
	e, err := g.sources.Update(ctx, key, func(e *store.Entry[sourceRecord]) error {
		claim.guess = spray.NewGuess([4]byte(subject[:]), [2]byte(network[:]), g.vault.Now())
		var changed bool
		refused, changed = e.Value.take(claim.guess, spray.Limit(own), spray.Limit(whole), target.Source.Challenged)
		if !changed {
			return store.ErrSkip
		}
		e.ExpiresAt = e.Value.Guesses.Until()
		return nil
	})
	switch {
	case err != nil:
		return nil, err
	case refused != nil:
		from := civicpin.Source{Address: quota.SourceKey(target.Source.Address).ID}
		g.vault.Record(ctx, civicpin.Event{Code: quota.EventSlowed, Source: from, Reason: g.sources.Name()})
		return nil, refused
	}
	claim.entry = e
	return &claim, nil
}

// take reserves a guess, or returns why not: whether a challenge would help, and until when it does not go without.
func (r *sourceRecord) take(guess spray.Guess, own, whole spray.Limit, challenged bool) (refused *LockedError, changed bool) {
	more := func() (time.Time, bool) {
		return r.Guesses.Take(guess, own.Times(challengedTimes), whole.Times(challengedTimes))
	}
	if challenged {
		again, changed := more()
		return untilSource(again, false), changed
	}
	again, changed := r.Guesses.Take(guess, own, whole)
	if again.IsZero() {
		return nil, changed
	}
	before := r.Guesses
	later, _ := more()
	r.Guesses = before
	return untilSource(again, later.IsZero()), changed
}

// untilSource returns the error of a source that is over its limit, nil at the zero time.
func untilSource(again time.Time, challenge bool) *LockedError {
	if again.IsZero() {
		return nil
	}
	return &LockedError{Scope: ScopeSource, Until: again, Challenge: challenge}
}

// refundSource gives back what takeSource counted, and nothing else. It first tries the record as that left it. If the store
// fails, the guess stays counted.
func (g *Gate) refundSource(ctx context.Context, claim *sourceClaim) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
	defer cancel()
	_, _ = g.sources.UpdateFrom(ctx, claim.entry, func(e *store.Entry[sourceRecord]) error {
		if !e.Value.Guesses.Refund(claim.guess) {
			return store.ErrSkip
		}
		e.ExpiresAt = g.vault.Now().Add(keepEmpty)
		if len(e.Value.Guesses) > 0 {
			e.ExpiresAt = e.Value.Guesses.Until()
		}
		return nil
	})
}

// hash returns what stands for the subject of a guess in the rates.
func (g *Gate) hash(target Target) [32]byte {
	return g.vault.Hash("lockout.source", g.name, string(target.Subject))
}
