// Package twoworlds plays one schedule of calls twice: the subject is in one state in the first world, unknown or in
// another state in the second. All that an anonymous visitor can see must be the same in both, and so must the work that is
// done: over all services of one vault together, in parallel, and over months. It is for tests alone.
//
// [Play] draws two states and a schedule, plays it in both worlds, and returns the first difference. A schedule is drawn
// through [Draw], so that rapid, in a test file, can shrink it to a few calls.
//
// What is compared of a call is its [View]: the error with all its times and numbers, what a page would be shown, the
// messages at addresses that the visitor typed, each store call with the kind and about the size of its record, and where
// in between an event was recorded or a secret hashed. Random values are renamed by their first occurrence, so that
// equalities stay; times never are. Both worlds have one clock, which ticks at each store call.
//
// The owner and the operators act in both worlds, too. Where the subject is unknown most of their calls fail; what they see is
// not compared, since an authenticated caller knows that the subject exists. A registered adversary shares the subject's
// telephone, country and source address, and is as blind as a visitor. What is visible by design is a list, in visible.go.
package twoworlds
