package picture

import (
	"os/exec"
	"syscall"
)

// dieTogether ends tesseract with the process that started it.
func dieTogether(c *exec.Cmd) {
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
