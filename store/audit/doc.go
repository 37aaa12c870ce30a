// Package audit keeps events in the store, chained by keyed hashes, so that one that was removed, changed or put elsewhere
// is found, with its place.
//
// [New] makes a [Log], which is a civicpin.Recorder: give it to the vault of everything else. The log needs a vault of its
// own, over the same store and keys or others, since the vault that records comes after it:
//
//	own, err := store.OpenVault(ctx, db, keys, nil)
//	log, err := audit.New(own, audit.Config{Failed: alarm})
//	vault, err := store.OpenVault(ctx, db, keys, &store.Options{Recorder: civicpin.Recorders(log, civicpin.SlogRecorder(nil))})
//
// [Log.Verify] goes through everything, and is run by an auditor with the keys, beside traffic or on a copy. [Log.Read] returns
// the events of one subject. One field keeps heads elsewhere: audit.Config{Failed: alarm, Keep: elsewhere}.
//
// # How it is stored
//
// Events go to one of several chains, all of one subject to the same. A chain is a row of entries numbered from zero; each
// holds the events of one moment, the keyed hash of the entry before it, and one of itself (store.Vault.Hash). An entry is
// created under its chain and number, never written again, and nothing but that one create decides who is next: of
// processes that want the same number one wins, and the others go on behind it. Events that come while an entry is being
// written go together into the next, so that a chain is as fast as it is asked to be. A head record for each chain says how far
// it has come; it may be behind, by what was under way when a process died. Entries never expire, and store.Vault.Erase
// does not find them: an audit log has its own term. Give each year a log of its own, by Config.Name.
//
// # What it shows, and what it cannot
//
// An attacker who writes to the table without keys cannot change or move an entry, and cannot delete one without a gap, not
// even the last ones: the head knows them. The log alone does not show what else such an attacker can do:
//   - delete the last entries, and put an older row of the head back;
//   - delete a whole chain with its head;
//   - delete all but the first entry of a chain, and its head.
//
// An attacker with the keys can write everything anew. Against all of these, keep heads where no such attacker gets at them:
// those that [Config.Keep] is handed, or those that Verify returns. Give all of them to the next Verify: what they name must
// still be there. What came after the last head that was kept, and was cut off, is invisible. Config.KeepEvery bounds how much
// that is while events come; when they pause, it is what came since the last head.
//
// The log also does not show what was never recorded: a process that dies between an act and its event leaves an act without
// one. Which events each act gives is told by the packages.
package audit
