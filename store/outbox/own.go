package outbox

import "github.com/civicpin/civicpin/store"

// track remembers an entry of this process on a store that cannot list.
func (o *Outbox) track(key store.Key) {
	if o.Durable() {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ownSeq++
	o.own[key] = o.ownSeq
}

// untrack forgets an entry that was found missing, unless it was added again since it was looked for.
func (o *Outbox) untrack(key store.Key, seq uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.own[key] == seq {
		delete(o.own, key)
	}
}
