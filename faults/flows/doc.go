// Package flows has clients do what citizens do (log in, change their PIN, use one-time codes, guess, have PINs issued, recover
// what they forgot) while a store breaks down and comes back, and holds every answer against what came after it: what was
// acknowledged is there, and what was consumed or locked stays so.
//
// An answer that was lost is another matter: it was done or it was not, but only one of both, and once it shows it stays so.
//
// A [Kind] is one sort of client. To add one, write a [Flow] that remembers what it was told, and add it to [Kinds].
package flows
