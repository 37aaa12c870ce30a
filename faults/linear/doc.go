// Package linear lets clients work on a few records of a [store.Store], keeps what each asked and was told, and checks
// whether all of it can be explained by one store that does one thing at a time, each between its call and its return:
// whether the store is linearizable. That is what the library's single-key decisions rest on.
//
//	r := linear.Run(t, linear.Config{Open: open, Chaos: killAndRestart})
//	require.Equal(t, porcupine.Ok, r.Verdict, "%s", r)
//
// # Unknown outcomes
//
// An error that the contract does not name means that the write may have happened, or may happen at any later time. It is
// modelled so: such a write has no end. Three observations keep the search small without changing its verdict. Every value
// is written once, so who reads it proves that its write had happened by then. A write whose value nobody ever read, not
// even the last Get that follows everything, cannot have happened before that: if it had, no other write could have
// replaced it, for nobody knew its version. And of several deletions of one version, the earliest can stand for all.
package linear
