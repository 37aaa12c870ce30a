//go:build unix

package store

import (
	"io/fs"
	"os"
	"syscall"
)

// sameOwner gives a file to the owner of another: root may change the key file of a service, which has to read it afterwards.
func sameOwner(f *os.File, as fs.FileInfo) error {
	was, ok := as.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	return f.Chown(int(was.Uid), int(was.Gid))
}
