//go:build race

package testkit

// Raced says that the race detector is on: everything takes many times as long, and how long tells nothing.
const Raced = true
