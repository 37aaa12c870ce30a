//go:build !linux

package servers

import (
	"os/exec"
	"os/user"
)

// No test gets here: see needLinux.

func own(*exec.Cmd, *user.User) error { return errNotRunning }
func (*process) kill() error          { return errNotRunning }
func (*process) stop() error          { return errNotRunning }
func (*process) cont() error          { return errNotRunning }
func (*process) interrupt() error     { return errNotRunning }
