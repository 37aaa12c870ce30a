package natscluster_test

import (
	"flag"
	"os"
	"testing"

	"github.com/civicpin/civicpin/faults/natscluster"
)

func TestMain(m *testing.M) {
	natscluster.Main()
	// Most of the time, all of these wait for elections.
	flag.Parse()
	if err := flag.Set("test.parallel", "4"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}
