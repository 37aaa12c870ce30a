package natsstore

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/civicpin/civicpin/store"
)

const (
	// operation is the header by which the engine's key-value tools know a mark.
	operation       = "KV-Operation"
	operationDelete = "DEL"
	// markFor is how long a mark is kept. A mark is not needed for anything but those tools: versions are sequence numbers
	// of the whole bucket, so a record that is created anew never has one that it had before.
	markFor = 2 * time.Minute
	// answerIn is how long one request waits for its answer.
	answerIn = 2 * time.Second
	// noLeaderPause is how long a request waits before it is made again.
	noLeaderPause = 100 * time.Millisecond
)

// A place is where a key's record is kept, and where a reading of it is confirmed.
type place struct{ stream, subject, confirm string }

func (s *Store) place(key string) place {
	bucket := s.opts.bucket(bucketOf(key, s.opts.Buckets))
	subject := subjectPrefix + bucket + "."
	return place{stream: streamPrefix + bucket, subject: subject + encodeKey(key), confirm: subject + confirmation}
}

// apiPrefix returns what the subjects of the engine's requests begin with, as the caller configured it.
func apiPrefix(o jetstream.JetStreamOptions) string {
	switch {
	case o.APIPrefix != "":
		return strings.TrimSuffix(o.APIPrefix, ".") + "."
	case o.Domain != "":
		return "$JS." + o.Domain + ".API."
	default:
		return jetstream.DefaultAPIPrefix
	}
}

// patiently calls do again while it meets what passes when a leader is elected. A request that was on its way to a leader
// that died is never answered, so each call has less time than the whole.
func patiently(ctx context.Context, do func(ctx context.Context) error) error {
	for {
		short, cancel := context.WithTimeout(ctx, answerIn)
		err := do(short)
		cancel()
		if err == nil || !passes(err) || ctx.Err() != nil || wait(ctx, noLeaderPause) != nil {
			return err
		}
	}
}

// passes reports whether an error may be gone the next time.
func passes(err error) bool {
	refused, ok := errors.AsType[*jetstream.APIError](err)
	return ok && refused.Code == 503 || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, nats.ErrNoResponders) ||
		errors.Is(err, jetstream.ErrNoStreamResponse)
}

// send publishes a message to a place's bucket, and reports whether it was sent again after it may have arrived. What is sent
// again has the same id, if it has one, so it is not done twice.
func (s *Store) send(ctx context.Context, p place, m *nats.Msg) (ack *jetstream.PubAck, again bool, err error) {
	m.Header.Set(jetstream.ExpectedStreamHeader, p.stream)
	doubt := false // whether it may have arrived
	err = patiently(ctx, func(ctx context.Context) (err error) {
		again = again || doubt
		ack, err = s.js.PublishMsg(ctx, m)
		// If no server takes it, it did not.
		doubt = doubt || err != nil && !errors.Is(err, jetstream.ErrNoStreamResponse)
		return err
	})
	return ack, again, err
}

// request makes a request of the engine that changes nothing. The client library's own calls would do; but they look at a
// copy of the bucket's settings to choose whom to ask, and a copy that is renewed while somebody has just allowed followers
// to answer would have them asked.
func (s *Store) request(ctx context.Context, subject string, req, resp any) error {
	data, err := json.Marshal(req)
	if err != nil {
		return err
	}
	m, err := s.js.Conn().RequestWithContext(ctx, s.api+subject, data)
	if err != nil {
		return err
	}
	var failed struct {
		Error *jetstream.APIError `json:"error"`
	}
	if err := json.Unmarshal(m.Data, &failed); err != nil {
		return fmt.Errorf("unreadable answer: %w", err)
	}
	if failed.Error != nil {
		return failed.Error
	}
	return json.Unmarshal(m.Data, resp)
}

// A message is what a bucket holds under a subject. The zero message stands for none.
type message struct {
	Subject  string `json:"subject"`
	Sequence uint64 `json:"seq"`
	Header   []byte `json:"hdrs"`
	Data     []byte `json:"data"`

	id   string // of the write
	mark bool   // of a deletion
}

// live reports whether the message is a record.
func (m message) live() bool { return m.Sequence != 0 && !m.mark }

func (m message) record() (store.Record, error) {
	value, expires, err := decodeValue(bytes.Clone(m.Data)) // other readers may have the same message
	if err != nil {
		return store.Record{}, err
	}
	return store.Record{Value: value, Version: store.Version(m.Sequence), ExpiresAt: expires}, nil
}

// A get says which message is asked for: one of the two.
type get struct {
	Last     string `json:"last_by_subj,omitempty"`
	Sequence uint64 `json:"seq,omitempty"`
}

// last returns the last message of a key from the server that says to be the bucket's leader, the zero message if there is none.
func (s *Store) last(ctx context.Context, p place) (message, error) {
	m, err := s.message(ctx, p, get{Last: p.subject})
	if err == nil && m.Sequence != 0 && m.Subject != p.subject {
		return message{}, errors.New("unreadable answer: another key's message")
	}
	return m, err
}

// message returns a message from the server that says to be the bucket's leader, the zero message if there is none.
func (s *Store) message(ctx context.Context, p place, which get) (message, error) {
	var resp struct {
		Message *message `json:"message"`
	}
	err := patiently(ctx, func(ctx context.Context) error {
		return s.request(ctx, "STREAM.MSG.GET."+p.stream, which, &resp)
	})
	if refused, ok := errors.AsType[*jetstream.APIError](err); ok && refused.ErrorCode == jetstream.JSErrCodeMessageNotFound {
		return message{}, nil
	}
	if err != nil {
		return message{}, err
	}
	if resp.Message == nil || resp.Message.Sequence == 0 {
		return message{}, errors.New("unreadable answer: no message")
	}
	m := *resp.Message
	if len(m.Header) > 0 {
		h, err := nats.DecodeHeadersMsg(m.Header)
		if err != nil {
			return message{}, fmt.Errorf("unreadable answer: %w", err)
		}
		m.id = h.Get(jetstream.MsgIDHeader)
		// The second header is on marks that the engine makes itself, where it is told to.
		m.mark = h.Get(operation) != "" || h.Get(jetstream.MarkerReasonHeader) != ""
	}
	return m, nil
}
