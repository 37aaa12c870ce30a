package play

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/natsstore"
	"github.com/civicpin/civicpin/store/sqlite"
	"github.com/civicpin/civicpin/store/sqlstore"
)

const (
	// openIn bounds how long a server may take until its store can be used.
	openIn = 30 * time.Second
	// buckets is over how many of NATS's a play spreads its few records. The store's default, 64, is for a country.
	buckets = 8
	// noCluster is what a NATS server answers that is alone and should keep more copies than one.
	noCluster jetstream.ErrorCode = 10074
)

// ErrURL says that -db is a URL by which no store is opened. The error's text does not quote the URL: there may be a password
// in it.
var ErrURL = errors.New("play: -db takes a file, postgres://user@host/database or nats://host:4222")

// Records are an open store of one play. In a database that several plays share, each has a place of its own: it has keys of
// its own, and could not read what the others keep.
type Records struct {
	store.Lister
	// Where says where the records are, without a password.
	Where string

	closer closers
}

// engines open a store by its URL, told apart by how that begins. Both may hold credentials, which Redis may not: it can lose
// what it acknowledged.
var engines = map[string]func(ctx context.Context, play, address string) (*Records, error){
	"postgres":   openPostgres,
	"postgresql": openPostgres,
	"nats":       openNATS,
	"tls":        openNATS, // NATS by TLS from the first byte on
}

// scheme returns what a URL begins with, and "" for a file's name.
func scheme(db string) string {
	before, after, ok := strings.Cut(db, ":")
	if ok && (engines[before] != nil || strings.HasPrefix(after, "//")) { // without the slashes it is a slip, and no file
		return before
	}
	return ""
}

// OpenRecords opens the records of a play by what the flag -db says, and makes a place for them if there is none. It gives an
// [ErrURL] for a URL that it cannot use, and the store's error if that cannot be reached within half a minute. Close them at
// the end.
func OpenRecords(ctx context.Context, play, db string) (*Records, error) {
	ctx, cancel := context.WithTimeout(ctx, openIn)
	defer cancel()
	s := scheme(db)
	if s == "" {
		records, err := sqlite.Open(ctx, db)
		if err != nil {
			return nil, err
		}
		return &Records{Lister: records, Where: db, closer: closers{records.Close}}, nil
	}
	open := engines[s]
	if open == nil {
		return nil, fmt.Errorf("%w, and not %.20q", ErrURL, s+"://")
	}
	return open(ctx, play, db)
}

// Close closes the store and the connections to it.
func (r *Records) Close() error { return r.closer.close() }

// closers are what is still to be closed, the last first.
type closers []func() error

func (c *closers) close() error {
	var errs []error
	for _, one := range slices.Backward(*c) {
		errs = append(errs, one())
	}
	*c = nil
	return errors.Join(errs...)
}

// openPostgres keeps a play's records in a schema of its own.
func openPostgres(ctx context.Context, play, address string) (*Records, error) {
	config, err := pgx.ParseConfig(address)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrURL, err) // the driver hides passwords in its errors
	}
	schema := "civicpin_" + play
	db := stdlib.OpenDB(*config)
	records, err := sqlstore.New(ctx, db, sqlstore.PostgreSQL, &sqlstore.Options{Schema: schema})
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &Records{
		Lister: records,
		Where:  fmt.Sprintf("schema %s of PostgreSQL's %s at %s:%d", schema, config.Database, config.Host, config.Port),
		closer: closers{db.Close, records.Close},
	}, nil
}

// openNATS keeps a play's records in buckets of its own. "?replicas=1" behind the URL is for one server alone, where the
// store's default, three, finds no room; it has to be said, because what that server loses is lost.
func openNATS(ctx context.Context, play, address string) (*Records, error) {
	address, query, _ := strings.Cut(address, "?")
	opts := natsstore.Options{Name: "civicpin-" + play, Buckets: buckets}
	values, err := url.ParseQuery(query)
	if err != nil {
		return nil, fmt.Errorf("%w: what stands behind the ? cannot be read", ErrURL)
	}
	for name, given := range values {
		if opts.Replicas, err = strconv.Atoi(given[0]); err != nil || opts.Replicas < 1 || name != "replicas" || len(given) > 1 {
			return nil, fmt.Errorf("%w: behind a ?, a NATS URL has replicas=1, 3 or 5", ErrURL)
		}
	}
	nc, err := nats.Connect(address, nats.Name("civicpin "+play))
	if _, ok := errors.AsType[*url.Error](err); ok { // which quotes the URL
		return nil, fmt.Errorf("%w: this one cannot be read; in a password, / and @ are written as %%2F and %%40", ErrURL)
	}
	if err != nil {
		return nil, fmt.Errorf("play: connect to NATS: %w", err)
	}
	closed := func() error { nc.Close(); return nil }
	js, err := jetstream.New(nc)
	if err != nil {
		return nil, errors.Join(err, closed())
	}
	records, err := natsstore.New(ctx, js, &opts)
	if refused, ok := errors.AsType[*jetstream.APIError](err); ok && refused.ErrorCode == noCluster {
		err = fmt.Errorf("%w; for one server alone, put ?replicas=1 behind its URL", err)
	}
	if err != nil {
		return nil, errors.Join(err, closed())
	}
	return &Records{
		Lister: records,
		Where:  fmt.Sprintf("buckets %s-0 to -%d of NATS at %s", opts.Name, buckets-1, nc.ConnectedAddr()),
		closer: closers{closed},
	}, nil
}
