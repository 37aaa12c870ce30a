package natscluster

import (
	"os/exec"
	"syscall"
)

// endWithParent lets a server die with the test binary, however that ends.
func endWithParent(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
