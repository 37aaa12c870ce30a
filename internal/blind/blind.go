// Package blind marks guesses that are verified for the work alone: a ceiling or a lock that no longer shows refuses them. The
// visitor is told that they are wrong, and must not learn more by the time that they take.
package blind

import "context"

type key struct{}

type mark int

const (
	allowed mark = iota + 1
	set
	cleared
)

// Allow returns the context of a guess whose verify function compares only with package attempt: it may be run blind.
func Allow(ctx context.Context) context.Context { return context.WithValue(ctx, key{}, allowed) }

// Allowed reports whether the verify function may be run blind.
func Allowed(ctx context.Context) bool { return ctx.Value(key{}) == allowed }

// Set returns the context of a guess that is blind.
func Set(ctx context.Context) context.Context { return context.WithValue(ctx, key{}, set) }

// Clear returns the context of a guess that is not blind, whatever guess it is a part of.
func Clear(ctx context.Context) context.Context { return context.WithValue(ctx, key{}, cleared) }

// Is reports whether a guess is blind. Then no comparison finds it right.
func Is(ctx context.Context) bool { return ctx.Value(key{}) == set }
