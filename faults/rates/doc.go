// Package rates measures what the stores cost on top of their engines: each operation against the same thing written by
// hand for the engine alone, in turns within the same run, so that whatever else the machine does hits both. It prints tables
// as docs/stores.md has them.
//
//	go -C faults test -run TestRates -v ./rates                               # some seconds
//	CIVICPIN_FULL=1 go -C faults test -run TestRates -v -timeout 40m ./rates  # a quarter of an hour: what docs/stores.md quotes
package rates
