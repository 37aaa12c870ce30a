// Package processes starts a test's own binary as child processes, so that they race for one store, or one of them is killed.
//
// A job is a value that travels as JSON. A child runs one test of the binary, which hands the job on with [Serve]:
//
//	func TestGuesser(t *testing.T) { processes.Serve(t, guess) } // not a test: what a child runs
//
//	func guess(ctx context.Context, c *processes.Child, j job) error {
//		// open the store
//		c.Race(j.Times, func() (string, error) { … })
//		return nil
//	}
//
//	func TestGuessers(t *testing.T) {
//		said := processes.Run(t, "TestGuesser", job{Times: 250}, job{Times: 250})
//		require.Equal(t, map[string]int{"refused": 5, "locked": 495}, said)
//	}
//
// A child ends when its test ends, and when the process that started it is gone, however that ended.
// Only tests import this package.
package processes
