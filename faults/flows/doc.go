// Package flows has clients do what citizens do (log in, change their PIN, use one-time codes, guess, have PINs issued)
// while a store breaks down and comes back, and holds every answer against what came after it: what was acknowledged is
// there, and what was consumed or locked stays so.
//
// A [Kind] is one sort of client. To add one, write a [Flow] that remembers what it was told, and add it to [Kinds].
package flows
