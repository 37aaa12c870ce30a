package storetest_test

import (
	"context"
	"strings"

	"github.com/civicpin/civicpin/store"
)

func brokenKeys() []brokenStore {
	const keys = "Keys are those"
	renamed := func(check, what string, name func(string) string) brokenStore {
		return one(keys, check, what, func(e *engine) {
			e.get = func(ctx context.Context, key string) (store.Record, error) { return e.rightGet(ctx, name(key)) }
			e.put = func(ctx context.Context, key string, r store.Record) (store.Version, error) {
				return e.rightPut(ctx, name(key), r)
			}
			e.del = func(ctx context.Context, key string, v store.Version) error { return e.rightDelete(ctx, name(key), v) }
		})
	}
	return []brokenStore{
		renamed("every byte of the alphabet", "dots become underscores", func(k string) string {
			return strings.ReplaceAll(k, ".", "_")
		}),
		renamed("case", "lower case", strings.ToLower),
		renamed("longest", "at most 191 bytes", func(k string) string { return k[:min(len(k), 191)] }),
		renamed("longest", "the last 191 bytes", func(k string) string { return k[max(0, len(k)-191):] }),
		renamed("alike", "trims slashes", func(k string) string { return strings.Trim(k, "/") + "." }),
		renamed("alike", "joins slashes", func(k string) string { return strings.ReplaceAll(k, "//", "/") }),
		renamed("alike", "paths", func(k string) string { return strings.ReplaceAll(k, "/./", "/") }),
		renamed("digits", "leading zeros", func(k string) string { return strings.TrimLeft(k, "0") }),
		renamed("digits", "16 digits", func(k string) string {
			if len(k) < 28 || strings.Trim(k, "0123456789") != "" {
				return k
			}
			return k[:16] + strings.Repeat("0", len(k)-16)
		}),
		one(keys, "invalid", "all are taken", func(e *engine) {
			e.put = func(_ context.Context, key string, r store.Record) (store.Version, error) {
				return e.force(key, r), nil
			}
		}),
		renamed("invalid", "trimmed", strings.TrimSpace),
		one(keys, "invalid", "deleting is not checked", func(e *engine) {
			e.del = func(_ context.Context, key string, v store.Version) error {
				if r, ok := e.peek(key); !ok || r.Version != v {
					return store.ErrConflict
				}
				e.remove(key)
				return nil
			}
		}),
	}
}
