// Package testkit is what the tests of several packages need alike: a clock that they move, a mailbox, a recorder, keys, a
// vault with an outbox, the crash points of a call, and the forms in which a secret leaks. Only tests import it; what one
// package alone needs stays in its own tests.
//
// It depends on the standard library and on this module alone, as every package of the module does.
package testkit
