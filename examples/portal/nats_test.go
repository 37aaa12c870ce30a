package main

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/examples/internal/play/playtest"
)

func TestNATS(t *testing.T) { onServer(t, playtest.NATS(t), "of NATS at 127.0.0.1:") }

// onServer goes through a PIN on a server, and has a second portal on the same server take it.
func onServer(t *testing.T, url, where string) {
	t.Helper()
	flags := []string{"-db", url, "-keys", filepath.Join(t.TempDir(), "keys")}
	p := newPortal(t, flags...)
	require.Contains(t, p.records.Where, where)
	b := newBrowser(t, p).withPIN()
	b.send("/inps/login", "id="+mariaCF, "secret=XXXXXXXX").refused(403, "Tries left: 4")
	b.open("/events").at("/events")
	require.Contains(t, b.body, "The chain is whole")

	b = newBrowser(t, newPortal(t, flags...))
	b.send("/inps/login", "id="+mariaCF, "secret=XXXXXXXX").refused(403, "Tries left: 3")
	b.send("/inps/login", "id="+mariaCF, "secret="+herPIN).at("/inps/mine")
}
