package storetest

// A rule is one sentence of the contract with what checks it.
type rule struct {
	sentence string
	checks   []check
}

// A check is one way of breaking a rule.
type check struct {
	name    string
	run     func(f *fixture)
	lister  bool // needs a store.Lister
	durable bool // opens the data again
}

// rules returns the contract, in the order in which package store states it.
func rules() []rule {
	var all []rule
	for _, part := range [][]rule{
		valueRules(), versionRules(), raceRules(), durableRules(), bytesRules(), expiryRules(), keyRules(), contextRules(),
		concurrencyRules(), listRules(),
	} {
		all = append(all, part...)
	}
	return all
}

func valueRules() []rule {
	return []rule{{"Get returns the last record put, or an error that matches ErrNotFound", []check{
		{name: "missing key", run: getMissing},
		{name: "value", run: getValue},
		{name: "binary values", run: getBinary},
		{name: "value of 256 KiB", run: getBig},
		{name: "each key its own", run: getOwn},
	}}}
}

func versionRules() []rule {
	return []rule{
		{"Put with version zero creates, and only creates: it gives ErrConflict where Get finds a record", []check{
			{name: "creates", run: putCreates},
			{name: "never over a record", run: putOver},
		}},
		{"What Get does not find, Put can create; an expired record, too, blocks nothing once Get hides it", []check{
			{name: "deleted", run: createDeleted},
			{name: "put as expired", run: createExpired},
			{name: "expired since", run: createExpiredSince},
		}},
		{"Put with a version replaces the record at exactly that version; otherwise, also where there is no record, it gives " +
			"ErrConflict and changes nothing", []check{
			{name: "replaces", run: putReplaces},
			{name: "older version", run: putOlder},
			{name: "version that never was", run: putNever},
			{name: "no record", run: putNoRecord},
			{name: "deleted record", run: putDeleted},
		}},
		{"Put returns the new version, which is not zero and was never before a version of that key, not even of a record " +
			"that was deleted since", []check{
			{name: "not zero", run: versionNotZero},
			{name: "new at each replacement", run: versionNew},
			{name: "new after delete and create", run: versionRecreated},
			{name: "new after an expired record", run: versionExpired},
			{name: "new after a reopen", run: versionReopened, durable: true},
		}},
		{"Get returns the same version", []check{
			{name: "as Put", run: versionSame},
			{name: "and that version's value, while others write", run: versionPaired},
		}},
		{"Delete removes the record at exactly the given version; otherwise, also where there is no record, it gives " +
			"ErrConflict and changes nothing", []check{
			{name: "removes", run: deleteRemoves},
			{name: "older version", run: deleteOlder},
			{name: "version that never was", run: deleteNever},
			{name: "no record", run: deleteNoRecord},
			{name: "record created anew", run: deleteRecreated},
		}},
	}
}

func raceRules() []rule {
	return []rule{{"Of any number of concurrent writes that name one version, also of creates, at most one succeeds", []check{
		{name: "64 creates", run: raceCreate},
		{name: "64 replacements", run: raceReplace},
		{name: "64 deletions", run: raceDelete},
		{name: "32 replacements and 32 deletions", run: raceMixed},
		{name: "no lost update", run: raceIncrement},
		{name: "a long mix", run: raceLong},
		{name: "over two handles", run: raceHandles, durable: true},
	}}}
}

func durableRules() []rule {
	return []rule{{"A write that was acknowledged is seen by every later Get, through whichever connection, and survives " +
		"the process", []check{
		{name: "at once, by many readers", run: seenAtOnce},
		{name: "second handle", run: seenBySecond, durable: true},
		{name: "close and reopen", run: seenAfterReopen, durable: true},
		{name: "closed right after many writes", run: seenAfterBurst, durable: true},
	}}}
}

func bytesRules() []rule {
	return []rule{
		{"Bytes are copied in and out: neither side sees what the other later writes into its slice", []check{
			{name: "in", run: aliasIn},
			{name: "out", run: aliasOut},
			{name: "out of two reads", run: aliasReads},
			{name: "out of a list", run: aliasList, lister: true},
		}},
		{"An empty value is kept as an empty value", []check{
			{name: "created", run: emptyCreated},
			{name: "replacing", run: emptyReplacing},
			{name: "listed", run: emptyListed, lister: true},
		}},
	}
}

func expiryRules() []rule {
	return []rule{
		{"ExpiresAt comes back at the same instant or up to a second later, never earlier; zero comes back zero", []check{
			{name: "at once or a second later", run: expiryKept},
			{name: "far away", run: expiryFar},
			{name: "zero", run: expiryZero},
			{name: "replaced", run: expiryReplaced},
			{name: "in other time zones", run: expiryZones},
			{name: "listed", run: expiryListed, lister: true},
		}},
		{"An engine may drop or hide an expired record at any time, by its own clock, and need not", []check{
			{name: "never before", run: expiryNotBefore},
			{name: "whole or not at all", run: expiryWhole},
		}},
	}
}

func keyRules() []rule {
	return []rule{{"Keys are those that CheckKey accepts, and are told apart byte for byte, case included; other keys give " +
		"ErrInvalidKey", []check{
		{name: "every byte of the alphabet", run: keyAlphabet},
		{name: "case", run: keyCase},
		{name: "longest", run: keyLongest},
		{name: "alike", run: keyAlike},
		{name: "digits", run: keyDigits},
		{name: "invalid", run: keyInvalid},
	}}}
}

func contextRules() []rule {
	return []rule{
		{"A method whose context is done returns an error", []check{
			{name: "Get", run: doneGet},
			{name: "Put", run: donePut},
			{name: "Delete", run: doneDelete},
			{name: "List", run: doneList, lister: true},
		}},
		{"It, or any other error than those above, from Put and Delete means that the write may or may not have happened, or " +
			"may happen yet", []check{
			{name: "Put broken off", run: brokenPut},
			{name: "Delete broken off", run: brokenDelete},
		}},
	}
}

func concurrencyRules() []rule {
	return []rule{{"All methods are safe for concurrent use", []check{
		{name: "each goroutine its own keys", run: concurrentKeys},
		{name: "no torn value", run: concurrentTorn},
	}}}
}

func listRules() []rule {
	rules := []rule{
		{"List yields the items whose key begins with prefix and is greater than after, in ascending order of " +
			"key bytes", []check{
			{name: "prefix and nothing else", run: listPrefix},
			{name: "after", run: listAfter},
			{name: "order", run: listOrder},
			{name: "more than a page", run: listMany},
			{name: "what Get returns", run: listRecords},
			{name: "nothing", run: listNothing},
		}},
		{"Items that were there throughout are yielded exactly once; items that come or go meanwhile may be yielded or " +
			"not", []check{
			{name: "deleting each item within the loop", run: listDeleting},
			{name: "rewriting each item within the loop", run: listRewriting},
			{name: "while others write", run: listBusy},
		}},
		{"The loop may call the store's other methods", []check{
			{name: "Get, Put and Delete", run: listCalling},
			{name: "List", run: listNested},
			{name: "after an early break", run: listBreak},
		}},
		{"After an error the sequence ends", []check{
			{name: "context done before", run: listEndsBefore},
			{name: "context done within the loop", run: listEndsWithin},
		}},
	}
	for _, r := range rules {
		for i := range r.checks {
			r.checks[i].lister = true
		}
	}
	return rules
}
