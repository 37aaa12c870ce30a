// Package bench holds this library against others, and against the least that the work can cost. It is a module of its own, so
// that nobody who uses the library requires what it is compared with. There is nothing here to import; run
//
//	go test -bench . -count 10 ./bench
//
// and compare with benchstat. The tests show, before anything is timed, that all sides give the same answers.
package bench
