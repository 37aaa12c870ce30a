package testkit

import "sync"

// Crowd calls do n times at once, and returns what each call returned.
func Crowd(n int, do func(i int) error) []error {
	results := make([]error, n)
	gun := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-gun
			results[i] = do(i)
		})
	}
	close(gun)
	wg.Wait()
	return results
}
