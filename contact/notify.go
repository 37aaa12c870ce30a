package contact

import (
	"context"
	"errors"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/letter"
	"github.com/civicpin/civicpin/internal/token"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
)

// Notify tells all contacts of a subject what happened: pin.NoticeChanged, NoticeRevoked or NoticeLocked (NIST SP 800-63B-4
// 4.6). It also tells those that cool down, or were the subject's until lately: a thief changes the contacts first.
// It returns how many are told; if none is, post a letter. params are at most 8, of at most 32 and 256 bytes, without secrets.
//
// Call it once for an act of an authenticated subject or an operator, or for a lock. Never call it for each request of a
// visitor: nothing limits the calls, only that 64 messages wait. Since visitors can cause a lock, an address gets few notices
// of pin.NoticeLocked: see [outbox.Typed]. Errors:
//   - [civicpin.ErrInvalid]: the subject, kind or parameters are invalid. If it is an [*outbox.UnsendableError], the notifier
//     would refuse the message over the channel of one of Policy.Decoys.
//   - [ErrBusy]: 64 messages wait, and none of them has failed.
//   - the store's: called again, some are told twice.
func (s *Service) Notify(ctx context.Context, subject civicpin.Subject, kind civicpin.MessageKind,
	params map[string]string,
) (told int, err error) {
	if err := errors.Join(subject.Validate(), letter.ValidNotice(kind, params)); err != nil {
		return 0, err
	}
	if err := s.out.Check(civicpin.Message{Kind: kind, Params: params}, s.expected()...); err != nil {
		return 0, err
	}
	id := token.NewID()
	err = s.alter(ctx, outbox.Request{Subject: subject}, func(b *book, now time.Time) (effects, error) {
		fx, n, ok := b.Notify(id, kind, params, now)
		if told = n; told == 0 {
			return fx, store.ErrSkip
		}
		if !ok {
			return fx, ErrBusy
		}
		return fx, nil
	})
	if err != nil {
		return 0, err
	}
	return told, nil
}
