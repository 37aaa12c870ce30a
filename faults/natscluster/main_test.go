package natscluster_test

import (
	"os"
	"testing"

	"github.com/civicpin/civicpin/faults/natscluster"
)

func TestMain(m *testing.M) {
	natscluster.Main()
	os.Exit(m.Run())
}
