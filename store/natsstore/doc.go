// Package natsstore keeps records in NATS JetStream, in key-value buckets: the store for several machines of which any one may
// be lost, without anybody having to fail over by hand.
//
// Three calls make a store:
//
//	nc, err := nats.Connect("nats://one:4222,nats://two:4222,nats://three:4222", …)
//	js, err := jetstream.New(nc)
//	records, err := natsstore.New(ctx, js, nil)
//
// It needs nats-server 2.11 or later (tests: 2.15), three servers or five, and these settings on each of them:
//
//	jetstream {
//	    store_dir: "…"
//	    sync_interval: always   # or what was acknowledged in the last two minutes is lost with the power
//	}
//
// # How it works
//
// Keys are spread by a hash over a fixed number of buckets, each a stream of its own with a leader of its own. A record is
// one message, and its version the message's sequence number in the bucket, which is never used again. Every write is one
// message on the condition that the key's last one has the sequence number that the caller names. A deletion is such a
// message too, a mark, which the engine removes after two minutes.
//
// New makes the buckets: three replicas in files, one message a key, nothing dropped by age or size, reads by followers off.
// It looks at the settings of buckets that exist, and refuses those that would break the contract of [store.Store], with an
// error that names the setting. A bucket that is missing among others is refused as lost. What New cannot see is whether the
// servers wait for their disks: [CheckServers] can, over a connection of the system account.
//
// # Two leaders
//
// A server that was frozen, or cut off from the others, goes on taking itself for a bucket's leader for some seconds after
// the others have elected another. Nothing that it accepts is ever agreed to, but what it says may be wrong: it answers
// reads with what has been replaced, and refuses writes that the real leader does, and its refusal may come first. So:
//
//   - A Get is confirmed before it returns, by a small write on the condition that what was read is still the last record;
//     reads of one key by one process at one time share it. [LeaderReads] leaves that out; see there for what it costs.
//   - A write that was refused is fenced off before it counts as a conflict, by an empty message with the same id: either
//     the engine keeps that one, and will never do the write, or it says that the write was done.
//   - List reads from the server that says to be the leader. It may miss what was written in the last seconds before such a change.
//
// With one replica there is one server that can answer, and none of this is needed or done.
//
// # What an error means
//
// [store.ErrNotFound], [store.ErrConflict] and [store.ErrInvalidKey] are answers. Any other error is the client library's or
// the server's, wrapped: a connection that broke, no leader of the bucket at the moment, a context that is done. After
// such an error from Put or Delete the write may have happened, or may happen yet. Until the context is done, a request that
// meets no leader, or has no answer for two seconds, is made again; a write with the same id, so that the engine does it once.
// So a call whose context lasts as long as an election, four to nine seconds, mostly gets through one. A call whose context
// has no deadline gets one of ten seconds.
//
// # What survives what
//
// With three replicas and sync_interval always, what was acknowledged survives the death of any process, the loss of power
// of all machines, and the loss of one machine with its disk. With a majority of a bucket's servers away, that bucket
// answers nothing until they are back. A message published to a bucket by other means than this package can overwrite any
// record: give the right to publish to $KV.<name>-*.> to the programs that use the store, and to nobody else.
//
// # Expiry
//
// A record's expiry is kept with its value, to the millisecond, rounded up. The engine is told to remove the record some
// seconds later by its own clock, and not within the first hour. It leaves no mark then: the key is as if it had never been.
//
// # Stored-format compatibility
//
// Buckets are named <name>-0 to <name>-<n-1>, and the metadata of each holds n as civicpin_buckets. A key is in the bucket
// whose number is its 64-bit FNV-1a hash modulo n. Its subject is $KV.<bucket>. and the key, in which "=" stands for each
// period, and a period is put behind the first "/" and behind each of the two characters that follow it. The value is one
// byte, 1; eight bytes, the expiry in milliseconds since 1970, big-endian, the least number for never; and the record's bytes.
// A later release will read what this one wrote. The engine's own tools can back up the buckets and put them back.
package natsstore
