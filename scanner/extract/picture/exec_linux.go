package picture

import (
	"os/exec"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// dieTogether ends tesseract with the process that started it.
func dieTogether(c *exec.Cmd) {
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}

// boundTime limits the processor time of a process. Where that is not allowed,
// the clock alone ends it.
func boundTime(pid int, limit time.Duration) {
	seconds := uint64(max(1, limit.Round(time.Second)/time.Second))
	_ = unix.Prlimit(pid, unix.RLIMIT_CPU, &unix.Rlimit{Cur: seconds, Max: seconds + 1}, nil)
}

// outOfTime tells whether boundTime ended the process.
func outOfTime(c *exec.Cmd) bool {
	if c.ProcessState == nil { // it never ran
		return false
	}
	status, ok := c.ProcessState.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGXCPU
}
