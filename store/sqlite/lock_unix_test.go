//go:build unix

package sqlite_test

import (
	"context"
	"errors"
	"io"
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/internal/testkit/processes"
)

// TestProbe is not a test: it is a child that says whether another process holds SQLite's shared lock on the file, which every
// process has as long as it has the file open, and which tells the others that they are not alone.
func TestProbe(t *testing.T) {
	processes.Serve(t, func(_ context.Context, c *processes.Child, path string) error {
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			return err
		}
		// 510 bytes from 2^30 + 2 on: "The SQLite OS Interface", SHARED_FIRST and SHARED_SIZE.
		lock := syscall.Flock_t{Type: syscall.F_WRLCK, Whence: io.SeekStart, Start: 1<<30 + 2, Len: 510}
		err = syscall.FcntlFlock(f.Fd(), syscall.F_GETLK, &lock)
		c.Ready()
		c.Say(map[bool]string{true: "free", false: "held"}[lock.Type == syscall.F_UNLCK])
		return errors.Join(err, f.Close())
	})
}

// Opening a file in a process that has it open must not take away the lock that the first store holds: POSIX drops all locks
// of a process when it closes any descriptor of the file.
func TestOpeningTwiceKeepsLocks(t *testing.T) {
	path := newPath(t)
	first := open(t, path)
	put(t, first, "k", "v", 0)
	require.Equal(t, map[string]int{"held": 1}, processes.Run(t, "TestProbe", path))
	require.NoError(t, open(t, path).Close())
	require.Equal(t, map[string]int{"held": 1}, processes.Run(t, "TestProbe", path))
	require.NoError(t, first.Close())
	require.Equal(t, map[string]int{"free": 1}, processes.Run(t, "TestProbe", path))
}
