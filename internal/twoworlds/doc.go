// Package twoworlds plays one schedule of calls twice: in one world the subject is registered, in the other unknown. Whatever an
// anonymous visitor can see must be the same in both: the answers, the store calls of each call, the limits of messages, over all
// services of one vault together, and over months. It is for tests alone.
//
// [Play] draws a schedule, plays it in both worlds, and returns the first difference. A schedule is drawn through [Draw], so
// that rapid, in a test file, can shrink it to a few calls.
//
// What is compared of a call is its [View]: the error with all its times and numbers, what a page would be shown, and the kind of
// each store call. Random values are left out of a view, times never: both worlds have one clock.
//
// The owner and the operators act in both worlds, too. In the world in which the subject is unknown their calls fail; their views
// are not compared, since an authenticated caller knows that the subject exists.
package twoworlds
