package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/civicpin/civicpin/internal/names"
)

// A Route says which store keeps which kinds of record. See [NewRouter].
type Route struct {
	// Kinds are names of kinds ([Kind.Name]), or beginnings of names followed by "*": "code.*". Of several that fit a kind, the
	// longest counts. "*" stands for all kinds that no other route takes.
	Kinds []string
	// Store keeps them.
	Store Store
	// MayLose repeats those of Kinds whose loss is accepted, although they are records that accounts rest on. Needed only
	// if the store is [Forgetful]; delivered codes and throttles need not be named.
	MayLose []string
}

// NewRouter returns a store that keeps each kind of record in the store of its route, so that one [Vault] has, say, its
// credentials in PostgreSQL and its throttles in Redis:
//
//	store.NewRouter(
//		store.Route{Kinds: []string{"*"}, Store: postgres},
//		store.Route{Kinds: []string{"code.*", "code-pending.*", "quota.*"}, Store: redis},
//	)
//
// The router is a [Lister] if all of its stores are; with one that does not list, an outbox behind it does not survive its
// process. A kind that goes to another store loses its records: they stay where they are, and must be moved first.
//
// Each of the stores has a canary of its own; see [OpenVault]. A wrapper around a router needs a method Members() []Store that
// passes on the router's, or only the store of "*" is looked at. Errors:
//   - [ErrForgetful]: a kind goes to a [Forgetful] store, and is neither a delivered code nor a throttle of this library
//     ("code.*", "code-pending.*", "quota.*") nor named in MayLose.
//   - any other: no route has "*", two have the same kinds, or a name or a store is missing or invalid.
func NewRouter(routes ...Route) (Store, error) {
	r := &router{exact: make(map[string]*place)}
	listers, purgers := true, true
	for _, route := range routes {
		if route.Store == nil || len(route.Kinds) == 0 {
			return nil, errors.New("store: NewRouter: a route without a store or without kinds")
		}
		_, memory := route.Store.(*Memory)
		loses := memory || forgets(route.Store)
		_, lists := route.Store.(Lister)
		_, purges := route.Store.(Purger)
		listers, purgers = listers && lists, purgers && purges
		p := &place{route.Store}
		r.places = append(r.places, p)
		for _, pattern := range route.MayLose {
			if !slices.Contains(route.Kinds, pattern) {
				return nil, fmt.Errorf("store: NewRouter: %q may be lost, but is not among the kinds of its route", pattern)
			}
		}
		for _, pattern := range route.Kinds {
			if loses && !mayLose(pattern) && !slices.Contains(route.MayLose, pattern) {
				return nil, fmt.Errorf("store: NewRouter: %w: %q", ErrForgetful, pattern)
			}
			if err := r.add(pattern, p); err != nil {
				return nil, err
			}
		}
	}
	slices.SortFunc(r.prefixes, func(a, b prefixRoute) int { return cmp.Compare(len(b.prefix), len(a.prefix)) })
	if len(r.prefixes) == 0 || r.prefixes[len(r.prefixes)-1].prefix != "" {
		return nil, errors.New(`store: NewRouter: no route has "*"`)
	}
	switch {
	case listers && purgers:
		return purgingRouter{listingRouter{r}}, nil
	case listers:
		return listingRouter{r}, nil
	}
	return r, nil
}

// router is what NewRouter returns if one of its stores cannot list.
type router struct {
	places   []*place
	exact    map[string]*place
	prefixes []prefixRoute // the longest first; the last one is empty and fits all
}

// place is the store of one route. Routes are told apart by its address, since stores need not be comparable.
type place struct{ Store }

type prefixRoute struct {
	prefix string
	place  *place
}

// add enters a pattern, once.
func (r *router) add(pattern string, to *place) error {
	prefix, open := strings.CutSuffix(pattern, "*")
	if !names.Valid(prefix, 64) && !(open && prefix == "") {
		return fmt.Errorf("store: NewRouter: %q is not a kind's name, nor the beginning of one and *", pattern)
	}
	twice := r.exact[prefix] != nil
	if open {
		twice = slices.ContainsFunc(r.prefixes, func(p prefixRoute) bool { return p.prefix == prefix })
	}
	switch {
	case twice:
		return fmt.Errorf("store: NewRouter: two routes for %q", pattern)
	case open:
		r.prefixes = append(r.prefixes, prefixRoute{prefix, to})
	default:
		r.exact[prefix] = to
	}
	return nil
}

// route returns where a storage key belongs.
func (r *router) route(key string) *place {
	kind := kindOf(key)
	if p, ok := r.exact[kind]; ok {
		return p
	}
	i := slices.IndexFunc(r.prefixes, func(p prefixRoute) bool { return strings.HasPrefix(kind, p.prefix) })
	return r.prefixes[i].place
}

// Get implements [Store].
func (r *router) Get(ctx context.Context, key string) (Record, error) {
	return r.route(key).Get(ctx, key)
}

// Put implements [Store].
func (r *router) Put(ctx context.Context, key string, rec Record) (Version, error) {
	return r.route(key).Put(ctx, key, rec)
}

// Delete implements [Store].
func (r *router) Delete(ctx context.Context, key string, v Version) error {
	return r.route(key).Delete(ctx, key, v)
}

// Members returns the stores behind the router. [OpenVault] asks for them, since each has a canary.
func (r *router) Members() []Store {
	var all []Store
	for _, p := range r.places {
		all = append(all, members(p.Store)...)
	}
	return all
}

// members returns the stores that keep the records of s: those behind a router, or s itself.
func members(s Store) []Store {
	if r, ok := s.(interface{ Members() []Store }); ok {
		if all := r.Members(); len(all) > 0 {
			return all
		}
	}
	return []Store{s}
}

// listingRouter is what NewRouter returns if all of its stores can list.
type listingRouter struct{ *router }

// List implements [Lister]. It merges the stores' listings, and leaves out what a store holds of kinds that are routed
// elsewhere: no process reads those.
func (r listingRouter) List(ctx context.Context, prefix, after string) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		var heads []*listHead
		defer func() {
			for _, h := range heads {
				h.stop()
			}
		}()
		for _, p := range r.places {
			if strings.Contains(prefix, "/") && r.route(prefix) != p {
				continue
			}
			h := &listHead{place: p}
			h.next, h.stop = iter.Pull2(p.Store.(Lister).List(ctx, prefix, after))
			heads = append(heads, h)
			h.advance(r.router)
		}
		for {
			var least *listHead
			for _, h := range heads {
				if h.err != nil {
					yield(Item{}, h.err)
					return
				}
				if h.more && (least == nil || h.item.Key < least.item.Key) {
					least = h
				}
			}
			if least == nil || !yield(least.item, nil) {
				return
			}
			least.advance(r.router)
		}
	}
}

// listHead is the next item of one store's listing.
type listHead struct {
	place *place
	next  func() (Item, error, bool)
	stop  func()
	item  Item
	err   error
	more  bool
}

// advance goes to the next item that is routed to the store it comes from.
func (h *listHead) advance(r *router) {
	for {
		h.item, h.err, h.more = h.next()
		if !h.more || h.err != nil || r.route(h.item.Key) == h.place {
			return
		}
	}
}

// purgingRouter is what NewRouter returns if all of its stores can list and remove what expired.
type purgingRouter struct{ listingRouter }

// PurgeExpired implements [Purger].
func (r purgingRouter) PurgeExpired(ctx context.Context, before time.Time, most int) (int, error) {
	n := 0
	for _, p := range r.places {
		if n >= most {
			break
		}
		done, err := p.Store.(Purger).PurgeExpired(ctx, before, most-n)
		n += done
		if err != nil {
			return n, err
		}
	}
	return n, nil
}
