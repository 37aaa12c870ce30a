package testkit

import (
	"errors"
	"math/rand/v2"
	"sync"
	"time"
)

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

// Persist calls do until its error is another than busy, or for a minute. The pauses grow, so that hundreds of callers do not
// take the time of those whom they wait for.
func Persist(busy error, do func() error) error {
	pause := 2 * time.Millisecond
	for end := time.Now().Add(time.Minute); ; pause = min(2*pause, 250*time.Millisecond) {
		if err := do(); !errors.Is(err, busy) || time.Now().After(end) {
			return err
		}
		time.Sleep(pause + rand.N(pause))
	}
}
