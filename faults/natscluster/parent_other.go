//go:build !linux

package natscluster

import "os/exec"

// endWithParent does nothing: the server ends when its input does, unless it is frozen.
func endWithParent(*exec.Cmd) {}
