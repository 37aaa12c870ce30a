package soak

import (
	"context"
	"sync"
)

// Judge says what has grown, of memory also unless the store keeps its records in it.
func Judge(all []Sample, inMemory bool) []string { return judge(all, inMemory) }

// Recover lets one citizen get a PIN, log in, recover it, log in with the new one, and try the old one. It returns what they
// were told, and what should not have happened.
func Recover(ctx context.Context, c Config) (outcomes map[string]int, wrong []string, err error) {
	w, out, err := newCrowd(c)
	if err != nil {
		return nil, nil, err
	}
	running, stop := context.WithCancel(ctx)
	defer stop()
	var wg sync.WaitGroup
	wg.Go(func() { _ = out.Run(running) }) // what does not come tells
	p := &w.people[0]
	w.enrol(ctx, 0, p)
	old := chosen(0, p.draw)
	w.login(ctx, 0, old, true, "login")
	w.recover(ctx, 0, p)
	w.login(ctx, 0, chosen(0, p.draw), true, "login")
	w.login(ctx, 0, old, false, "wrong login")
	stop()
	wg.Wait()
	return w.Counts(), w.Broken(), nil
}
