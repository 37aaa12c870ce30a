package servers

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// own makes a command run as a user, or as the test's own if that is nil, in a process group of its own, and die with the
// test's process however that ends. (The kernel sends the signal when the thread ends that started the command. The Go
// runtime ends a thread only if a goroutine that is locked to it returns.)
func own(cmd *exec.Cmd, as *user.User) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if as == nil {
		return nil
	}
	uid, gid, err := ids(as)
	if err != nil {
		return err
	}
	cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return nil
}

// kill ends the server and everything that it started at once, as a power cut would, and waits until all of it is gone.
func (p *process) kill() error {
	if p.ended() {
		return nil
	}
	// Stopped first, it starts no more of them while they are looked up.
	children, err := p.signal(syscall.SIGSTOP)
	if err != nil {
		return err
	}
	for _, pid := range append(children, p.pid()) {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			return err
		}
	}
	if err := p.wait(); err != nil {
		return err
	}
	for start := time.Now(); ; time.Sleep(time.Millisecond) {
		left := 0
		for _, pid := range children {
			if _, alive := parent(pid); alive {
				left++
			}
		}
		if left == 0 {
			return nil
		}
		if time.Since(start) > patience {
			return fmt.Errorf("servers: %d processes outlived SIGKILL", left)
		}
	}
}

// stop freezes the server and everything that it started.
func (p *process) stop() error {
	_, err := p.signal(syscall.SIGSTOP)
	return err
}

// cont undoes stop.
func (p *process) cont() error {
	_, err := p.signal(syscall.SIGCONT)
	return err
}

// interrupt asks the server to end.
func (p *process) interrupt() error {
	if p.ended() {
		return nil
	}
	return syscall.Kill(p.pid(), syscall.SIGINT)
}

// signal sends a signal to the server and then to everything that it started, and returns the ids of the latter.
func (p *process) signal(sig syscall.Signal) (children []int, err error) {
	if p.ended() {
		return nil, errNotRunning
	}
	if err := syscall.Kill(p.pid(), sig); err != nil {
		return nil, err
	}
	// A process is not stopped yet when the call that stops it returns. It may be starting another, which nobody would
	// find any more.
	for start := time.Now(); sig == syscall.SIGSTOP; time.Sleep(time.Millisecond) {
		if state, _ := look(p.pid()); state == "T" || state == "" || state == "Z" {
			break
		}
		if time.Since(start) > patience {
			return nil, fmt.Errorf("servers: process %d does not stop", p.pid())
		}
	}
	children, err = descendants(p.pid())
	for _, pid := range children {
		if e := syscall.Kill(pid, sig); e != nil && !errors.Is(e, syscall.ESRCH) {
			err = errors.Join(err, e)
		}
	}
	return children, err
}

// descendants returns the ids of the processes that a process started, and that these started. PostgreSQL puts each into a
// process group of its own, so there is no signalling them as one.
func descendants(pid int) ([]int, error) {
	paths, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil, err
	}
	children := make(map[int][]int)
	for _, path := range paths {
		id, err := strconv.Atoi(filepath.Base(path))
		if err != nil {
			continue
		}
		if of, alive := parent(id); alive {
			children[of] = append(children[of], id)
		}
	}
	all := children[pid]
	for i := 0; i < len(all); i++ {
		all = append(all, children[all[i]]...)
	}
	return all, nil
}

// parent returns the id of a process's parent, and whether the process lives: one that has ended and waits for its parent
// to notice does not.
func parent(pid int) (int, bool) {
	state, of := look(pid)
	return of, state != "" && state != "Z" && state != "X"
}

// look returns a process's state, "" if there is none, and the id of its parent.
func look(pid int) (state string, parent int) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", 0
	}
	// pid (name) state parent …, and the name may hold anything.
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 2 {
		return "", 0
	}
	parent, err = strconv.Atoi(string(fields[1]))
	if err != nil {
		return "", 0
	}
	return string(fields[0]), parent
}
