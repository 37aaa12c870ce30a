package natsstore

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/civicpin/civicpin/store"
)

const (
	// page is how many records a listing holds in memory: at the vault's greatest value, 32 MiB.
	page = 128
	// listIn is how long a listing waits for each answer. It does not wait for an election: the caller can list again.
	listIn = 5 * time.Second
	// alphabet is what keys are made of, in ascending order.
	alphabet = "-./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
)

// errMany says that there are more keys than one answer of the engine holds.
var errMany = errors.New("natsstore: more than 100,000 keys in a bucket differ only from the third character after the first / on")

// List implements [store.Lister]. It asks each bucket for its keys, sorts them in memory, and then reads 128 records at a
// time, each from its leader; nothing is held while the loop's body runs. The engine names at most 100,000 keys in one
// answer: where a bucket has more of them, List goes on by kind and then by the first two characters behind the first "/",
// so it never holds more than 100,000 keys a bucket in memory, some ten megabytes for each. A vault's keys are hexadecimal
// behind the "/", so that is enough for 25 million of one kind in each bucket. Where it is not, List gives an error.
func (s *Store) List(ctx context.Context, prefix, after string) iter.Seq2[store.Item, error] {
	return func(yield func(store.Item, error) bool) {
		s.list(ctx, prefix, after, func(item store.Item, err error) bool {
			if err != nil {
				yield(store.Item{}, fmt.Errorf("natsstore: list: %w", err))
				return false
			}
			return yield(item, nil)
		})
	}
}

// list yields what begins with prefix, and reports whether to go on.
func (s *Store) list(ctx context.Context, prefix, after string, yield func(store.Item, error) bool) bool {
	if err := ctx.Err(); err != nil {
		return yield(store.Item{}, err)
	}
	if strings.Trim(prefix, alphabet) != "" {
		return true // no key begins so, and to the engine it might be a pattern
	}
	keys, err := s.keys(ctx, prefix, after)
	if err == nil {
		return s.records(ctx, keys, yield)
	}
	if !errors.Is(err, errMany) {
		return yield(store.Item{}, err)
	}
	parts, err := s.parts(ctx, prefix)
	if err != nil {
		return yield(store.Item{}, err)
	}
	for _, p := range parts {
		switch {
		case p.exact && p.prefix > after:
			if !s.records(ctx, []string{p.prefix}, yield) {
				return false
			}
		case !p.exact && (after <= p.prefix || strings.HasPrefix(after, p.prefix)):
			if !s.list(ctx, p.prefix, after, yield) {
				return false
			}
		}
	}
	return true
}

// records yields the records of keys, from the server that says to be the leader: a listing takes its time, so that a few seconds more
// or less tell it apart from no other, and a caller acts on an item on condition of its version.
func (s *Store) records(ctx context.Context, keys []string, yield func(store.Item, error) bool) bool {
	for keys := range slices.Chunk(keys, page) {
		items := make([]store.Item, len(keys))
		err := each(len(keys), func(i int) error {
			ctx, cancel := context.WithTimeout(ctx, listIn)
			defer cancel()
			m, err := s.last(ctx, s.place(keys[i]))
			if err != nil || !m.live() {
				return err // a mark, or deleted since
			}
			items[i].Key = keys[i]
			items[i].Record, err = m.record()
			return err
		})
		if err != nil {
			return yield(store.Item{}, err)
		}
		for _, item := range items {
			if err := ctx.Err(); err != nil {
				return yield(store.Item{}, err)
			}
			if item.Version != 0 && !yield(item, nil) {
				return false
			}
		}
	}
	return true
}

// keys returns all keys that begin with prefix and are greater than after, in order, or errMany.
func (s *Store) keys(ctx context.Context, prefix, after string) ([]string, error) {
	var mu sync.Mutex
	var all []string
	if prefix > after {
		all = append(all, prefix) // a key like any other, which the filter leaves out; reading it will tell
	}
	err := each(s.opts.Buckets, func(i int) error {
		keys, total, err := s.subjects(ctx, i, filter(prefix), 0)
		if err != nil {
			return err
		}
		if total > len(keys) {
			return errMany
		}
		keys = slices.DeleteFunc(keys, func(key string) bool { return !strings.HasPrefix(key, prefix) || key <= after })
		mu.Lock()
		defer mu.Unlock()
		all = append(all, keys...)
		return nil
	})
	slices.Sort(all)
	return slices.Compact(all), err
}

// A part is a piece of a listing: a prefix, or one key.
type part struct {
	prefix string
	exact  bool
}

// parts divides a prefix that has too many keys into longer ones, in their order.
func (s *Store) parts(ctx context.Context, prefix string) ([]part, error) {
	_, tail, cut := strings.Cut(prefix, "/")
	if !cut {
		return s.heads(ctx, prefix)
	}
	if len(tail) >= dots {
		return nil, errMany
	}
	parts := []part{{prefix, true}}
	for _, c := range alphabet {
		parts = append(parts, part{prefix: prefix + string(c)})
	}
	return parts, nil
}

// heads returns what keys that begin with prefix have up to the first "/", and the keys without one. There are few: one for
// each kind. For that it has to go through all keys, but holds none.
func (s *Store) heads(ctx context.Context, prefix string) ([]part, error) {
	var mu sync.Mutex
	found := make(map[part]bool)
	err := each(s.opts.Buckets, func(i int) error {
		return s.pages(ctx, i, func(key string) {
			if !strings.HasPrefix(key, prefix) {
				return
			}
			p := part{key, true}
			if at := strings.IndexByte(key, '/'); at >= 0 {
				p = part{prefix: key[:at+1]}
			}
			mu.Lock()
			defer mu.Unlock()
			found[p] = true
		})
	})
	var parts []part
	for p := range found {
		parts = append(parts, p)
	}
	// No two are alike up to the end of the shorter one and its "/", so their order is that of their keys.
	slices.SortFunc(parts, func(a, b part) int { return strings.Compare(a.prefix, b.prefix) })
	return parts, err
}

// pages visits every key of a bucket, some twice. The engine sorts the subjects and names those from an offset on, which
// deletions meanwhile move. So each answer has to overlap the one before; if it does not, it is asked for again from further
// ahead.
func (s *Store) pages(ctx context.Context, bucket int, visit func(key string)) error {
	overlap := 100
	offset, last := 0, ""
	for {
		keys, total, err := s.subjects(ctx, bucket, ">", offset)
		if err != nil {
			return err
		}
		slices.SortFunc(keys, func(a, b string) int { return strings.Compare(encodeKey(a), encodeKey(b)) })
		if offset > 0 && (len(keys) == 0 || encodeKey(keys[0]) > last) {
			overlap *= 2
			offset = max(0, offset-overlap)
			continue
		}
		for _, key := range keys {
			visit(key)
		}
		if offset+len(keys) >= total {
			return nil
		}
		last = encodeKey(keys[len(keys)-1])
		offset += max(1, len(keys)-overlap)
	}
}

// subjects returns keys of a bucket that match a filter, in no order, and how many match.
func (s *Store) subjects(ctx context.Context, bucket int, filter string, offset int) (keys []string, total int, err error) {
	name := s.opts.bucket(bucket)
	prefix := subjectPrefix + name + "."
	req := struct {
		Filter string `json:"subjects_filter"`
		Offset int    `json:"offset"`
	}{prefix + filter, offset}
	var resp struct {
		Total int `json:"total"`
		State struct {
			Subjects map[string]uint64 `json:"subjects"`
		} `json:"state"`
	}
	ctx, cancel := context.WithTimeout(ctx, listIn)
	defer cancel()
	if err := s.request(ctx, "STREAM.INFO."+streamPrefix+name, req, &resp); err != nil {
		return nil, 0, err
	}
	for subject := range resp.State.Subjects {
		if subject == prefix+confirmation {
			resp.Total--
			continue
		}
		key, err := decodeKey(strings.TrimPrefix(subject, prefix))
		if err != nil {
			return nil, 0, err
		}
		keys = append(keys, key)
	}
	return keys, resp.Total, nil
}
