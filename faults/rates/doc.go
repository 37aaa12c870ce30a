// Package rates measures what the stores cost on top of their engines: each operation against the same thing written by
// hand for the engine alone, in turns within the same run, so that whatever else the machine does hits both.
//
//	go test -run TestRates -v ./rates                  # a few seconds
//	CIVICPIN_FULL=1 go test -run TestRates -v ./rates  # what docs/stores.md quotes
package rates
