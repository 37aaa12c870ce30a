package otp

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/attempt"
	"github.com/civicpin/civicpin/internal/code"
	"github.com/civicpin/civicpin/internal/oath"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/store"
)

// typedCode is a code as a number, with how many digits were typed. Input that is no code has zero, fits no key, and is
// compared all the same: the work does not depend on what was typed.
type typedCode struct {
	number uint32
	digits int
}

// readCode forgives blanks, hyphens, full-width digits and letters that look like digits.
func readCode(typed civicpin.Secret) typedCode {
	text, ok := code.Digits.Normalise(typed.Reveal())
	if !ok || len(text) > oath.MaxDigits {
		return typedCode{}
	}
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		return typedCode{}
	}
	return typedCode{number: uint32(n), digits: len(text)}
}

// found is how a key and what was typed go together, and how far the key was used if that is accepted.
type found struct {
	match attempt.Match
	next  uint64
	drift int64
}

// A compare function says how what was typed and a key go together at a time. It does the same work whatever it finds.
type compare func(ctx context.Context, b *boundKey, now time.Time) found

// prove checks a typed code against the subject's active and pending key: nil means that it is right, and was consumed.
//
// The work is the same for every subject, known or not, with one key or two: one read of the record and two windows of codes,
// inside the gate. Only a right code is written, by one conditional write. A caller who loses a race for it reads again, finds
// the code used, and is counted as wrong.
func (k *keys) prove(ctx context.Context, subject civicpin.Subject, source civicpin.Source,
	success civicpin.EventCode, compare compare,
) error {
	guess := attempt.Guess{Target: lockout.Target{Subject: subject, Source: source}, Ref: k.ref("")}
	activated := false
	err := k.guard.Do(ctx, &guess, func(ctx context.Context) (finding attempt.Finding, err error) {
		on, err := epochsOf(ctx, k.credentials, subject)
		if err != nil {
			return finding, err
		}
		_, err = k.rings.Update(ctx, store.Key{Subject: subject}, func(e *store.Entry[keyring]) error {
			now := k.vault.Now()
			r := &e.Value
			if !r.Active.sound(&k.policy) || !r.Pending.sound(&k.policy) {
				return fmt.Errorf("%w: a key of another sort", store.ErrUnreadable)
			}
			r.sweep(on, now)
			known := !r.empty()
			match, first := k.use(ctx, r, now, compare)
			finding, activated = attempt.Found(match, known, whyNot(known, match)), first
			if !match.Right() {
				guess.Ref = k.ref("")
				return store.ErrSkip
			}
			guess.Ref = k.ref(r.Active.ID)
			e.ExpiresAt = r.expires(now)
			return nil
		})
		// An error says that nothing was compared, or that a right code could not be used up, or that it is not known whether
		// it was: no failure.
		return finding, err
	})
	if err != nil {
		return err
	}
	event := civicpin.Event{Code: eventActivated, Subject: subject, By: civicpin.Citizen, Source: source, Ref: guess.Ref}
	if activated {
		k.vault.Record(ctx, event)
	}
	event.Code = success
	k.vault.Record(ctx, event)
	return nil
}

// use compares with both keys, and uses a right code up. It returns whether the code was the first of a pending key, which is
// then the active one.
func (k *keys) use(ctx context.Context, r *keyring, now time.Time, compare compare) (m attempt.Match, activated bool) {
	active, pending := k.look(ctx, r.Active, now, compare), k.look(ctx, r.Pending, now, compare)
	switch {
	case active.match.Right():
		r.Active.accept(active, now)
	case pending.match.Right():
		r.Pending.accept(pending, now)
		r.Pending.Bound, r.Pending.Until = now, time.Time{}
		*r = keyring{Active: r.Pending}
		activated = true
	}
	return active.match.Or(pending.match), activated
}

// look compares with a key, or with the decoy if there is none.
func (k *keys) look(ctx context.Context, b *boundKey, now time.Time, compare compare) found {
	if b == nil {
		compare(ctx, &k.decoy, now)
		return found{}
	}
	return compare(ctx, b, now)
}

// accept consumes a code.
func (b *boundKey) accept(f found, now time.Time) { b.Next, b.Drift, b.Used = f.next, f.drift, now }

// whyNot says for the log what was wrong with a code.
func whyNot(known bool, m attempt.Match) attempt.Refusal {
	switch {
	case !known:
		return attempt.Unknown
	case m.Spent():
		return attempt.Spent
	}
	return attempt.Wrong
}

// ref names a key in events; id is empty where there is none.
func (k *keys) ref(id string) string {
	if id == "" {
		return k.policy.service()
	}
	return k.policy.service() + "/" + id
}
