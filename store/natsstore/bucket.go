package natsstore

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	// streamPrefix and subjectPrefix are the engine's own for key-value buckets, so that its tools know them as such.
	streamPrefix  = "KV_"
	subjectPrefix = "$KV."
	// bucketsKey is where a bucket's metadata keeps the number of buckets.
	bucketsKey = "civicpin_buckets"
	// window is for how long the engine knows which writes it has seen. It takes some 100 bytes of memory for each.
	window = 2 * time.Minute
	// maxMessage is the size of the greatest message that has to fit: a vault's greatest value, with room for headers.
	maxMessage = 384 << 10
	// openTimeout bounds New if its context has no deadline.
	openTimeout = time.Minute
	// atOnce is how many requests one call has under way together.
	atOnce = 16
)

// A SettingError says that something is set in a way that would break the contract of [store.Store], or lose what was
// acknowledged.
type SettingError struct {
	Bucket  string // the bucket, empty if the setting is the server's
	Setting string // as the engine's own configuration calls it, such as "allow_direct"
	Value   string // what it is set to
	Want    string // what it has to be
}

// Error names the bucket and the setting.
func (e *SettingError) Error() string {
	where := "the server"
	if e.Bucket != "" {
		where = "bucket " + e.Bucket
	}
	return fmt.Sprintf("natsstore: unsafe setting of %s: %s is %s, want %s", where, e.Setting, e.Value, e.Want)
}

// bucket returns the name of a bucket.
func (o Options) bucket(i int) string { return o.Name + "-" + strconv.Itoa(i) }

// config returns how a bucket is made.
func (o Options) config(i int) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:              streamPrefix + o.bucket(i),
		Description:       "civicpin records, bucket " + strconv.Itoa(i) + " of " + strconv.Itoa(o.Buckets),
		Subjects:          []string{subjectPrefix + o.bucket(i) + ".>"},
		Retention:         jetstream.LimitsPolicy,
		Storage:           jetstream.FileStorage,
		Replicas:          o.Replicas,
		MaxMsgsPerSubject: 1, // one record a key, and no older one that would show again when it expires
		MaxMsgs:           -1,
		MaxBytes:          -1,
		MaxMsgSize:        -1,
		MaxConsumers:      -1,
		Discard:           jetstream.DiscardNew, // should it be full one day, it says so, and drops nothing
		AllowDirect:       false,                // or followers, which may lag, would answer reads
		AllowMsgTTL:       true,
		Duplicates:        window,
		DenyDelete:        true, // nothing here deletes by sequence or purges, so a tool need not be able to
		DenyPurge:         true,
		Metadata:          map[string]string{bucketsKey: strconv.Itoa(o.Buckets)},
	}
}

// check returns what is unsafe about how bucket i is set, nil if nothing is.
func (o Options) check(i int, c jetstream.StreamConfig) error {
	want := o.config(i)
	replicas := fmt.Sprintf("%d or more", o.Replicas)
	if o.Replicas == 1 {
		replicas = "1, or else Options.Replicas 3: reads of what has one copy need no confirmation, others do"
	}
	for _, s := range []struct {
		name  string
		ok    bool
		value any
		want  string
	}{
		{bucketsKey, c.Metadata[bucketsKey] == want.Metadata[bucketsKey], c.Metadata[bucketsKey], want.Metadata[bucketsKey]},
		{"subjects", len(c.Subjects) == 1 && c.Subjects[0] == want.Subjects[0], c.Subjects, want.Subjects[0]},
		{"subject_transform", c.SubjectTransform == nil, "set", "none"},
		{"mirror", c.Mirror == nil, "set", "none"},
		{"sources", len(c.Sources) == 0, "set", "none"},
		// The servers that may answer a read.
		{"allow_direct", !c.AllowDirect, c.AllowDirect, "false: followers would answer reads with old records"},
		{"mirror_direct", !c.MirrorDirect, c.MirrorDirect, "false: mirrors would answer reads with old records"},
		// What is durable when it is acknowledged.
		{"num_replicas", c.Replicas >= o.Replicas && (o.Replicas > 1 || c.Replicas == 1), c.Replicas, replicas},
		{"storage", c.Storage == jetstream.FileStorage, c.Storage, "file: memory is lost at a restart"},
		{"no_ack", !c.NoAck, c.NoAck, "false: writes would not be acknowledged"},
		{"persist_mode", c.PersistMode == jetstream.DefaultPersistMode, c.PersistMode, "default: writes would be acknowledged " +
			"before they are written"},
		// What drops records.
		{"retention", c.Retention == jetstream.LimitsPolicy, c.Retention, "limits: records would go when they are read"},
		{"max_age", c.MaxAge == 0, c.MaxAge, "none: records would be dropped by age"},
		{"discard", c.Discard == jetstream.DiscardNew, c.Discard, "new: a full bucket would drop the oldest records"},
		{"max_msgs_per_subject", c.MaxMsgsPerSubject == 1, c.MaxMsgsPerSubject, "1: older records would show again when the " +
			"last one expires"},
		// What refuses writes that have to be possible.
		{"discard_new_per_subject", !c.DiscardNewPerSubject, c.DiscardNewPerSubject, "false: records could not be replaced"},
		{"allow_msg_ttl", c.AllowMsgTTL, c.AllowMsgTTL, "true: records with an expiry would be refused"},
		{"max_msg_size", c.MaxMsgSize <= 0 || c.MaxMsgSize >= maxMessage, c.MaxMsgSize, fmt.Sprintf("-1, or %d or more", maxMessage)},
		// What tells whether a refused write was done, see fence.
		{"duplicate_window", c.Duplicates >= window, c.Duplicates, window.String() + " or more"},
		{"sealed", !c.Sealed, c.Sealed, "false: nothing could be written"},
		{"allow_msg_counter", !c.AllowMsgCounter, c.AllowMsgCounter, "false: it takes nothing but counters"},
	} {
		if !s.ok {
			return &SettingError{Bucket: o.bucket(i), Setting: s.name, Value: fmt.Sprint(s.value), Want: s.want}
		}
	}
	return nil
}

// open makes the buckets that are not there, and checks all. Bucket 0 is made last: once it is there, all have been, and one
// that is missing was lost, with the counts and locks that were in it. An empty one in its place would be worse than none.
func (o Options) open(ctx context.Context, js jetstream.JetStream) error {
	first, err := o.openOne(ctx, js, 0, false)
	if err != nil {
		return err
	}
	err = each(o.Buckets-1, func(i int) error {
		info, err := o.openOne(ctx, js, i+1, first == nil)
		switch {
		case err != nil:
			return err
		case info == nil:
			return o.lost(i + 1)
		case first == nil && info.State.Msgs > 0:
			return o.lost(0) // no process writes before all are made
		}
		return nil
	})
	if err == nil && first == nil {
		_, err = o.openOne(ctx, js, 0, true)
	}
	return err
}

func (o Options) lost(i int) error {
	return &SettingError{
		Bucket: o.bucket(i), Setting: "name", Value: "not there",
		Want: "there: the other buckets are, so this one was lost; put it back from a backup",
	}
}

// openOne checks a bucket and returns what it is. If it is not there, it makes it first if it may, and else returns nil.
func (o Options) openOne(ctx context.Context, js jetstream.JetStream, i int, create bool) (*jetstream.StreamInfo, error) {
	for {
		info, err := o.tryOne(ctx, js, i, create)
		if err == nil {
			return info, nil
		}
		if _, ok := errors.AsType[*SettingError](err); ok {
			return nil, err
		}
		// A cluster that has just started has no leaders for some seconds, and a request that meets none is lost.
		if !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, nats.ErrNoResponders) || pause(ctx) != nil {
			return nil, fmt.Errorf("natsstore: open bucket %s: %w", o.bucket(i), err)
		}
	}
}

func (o Options) tryOne(ctx context.Context, js jetstream.JetStream, i int, create bool) (*jetstream.StreamInfo, error) {
	ctx, cancel := context.WithTimeout(ctx, openTimeout/4)
	defer cancel()
	want := o.config(i)
	stream, err := js.Stream(ctx, want.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		if !create {
			return nil, nil
		}
		stream, err = js.CreateStream(ctx, want)
		if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) { // another process made it, perhaps otherwise
			stream, err = js.Stream(ctx, want.Name)
		}
	}
	if err != nil {
		return nil, err
	}
	info := stream.CachedInfo()
	return info, o.check(i, info.Config)
}

// each runs do(0) to do(n-1), some at a time, and returns an error of the lowest number if there is one.
func each(n int, do func(i int) error) error {
	errs := make([]error, n)
	places := make(chan struct{}, atOnce)
	var wg sync.WaitGroup
	for i := range n {
		places <- struct{}{}
		wg.Go(func() {
			defer func() { <-places }()
			errs[i] = do(i)
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
