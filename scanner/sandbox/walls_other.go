//go:build !linux

package sandbox

import (
	"os"
	"os/exec"
	"runtime"
)

// isolation is what a child gets at its start: here a plain process.
type isolation struct{}

func (isolation) apply(*exec.Cmd)   {}
func (isolation) weaken(error) bool { return false }
func killGroup(p *os.Process)       { _ = p.Kill() }
func closeStrays()                  {}
func widen(...*os.File)             {}
func alive(pid int) bool {
	p, err := os.FindProcess(pid)
	if err != nil {
		return false
	}
	_ = p.Release()
	return true
}

// shutIn can only name what is missing: these systems let a process give up
// its memory limit alone, through GOMEMLIMIT.
func shutIn(Handshake) []Protection {
	missing := "not available on " + runtime.GOOS
	return []Protection{
		{"environment", true, "no inherited variables or descriptors"},
		{"memory", true, "GOMEMLIMIT, replaced when too large"},
		{"files", false, missing},
		{"network", false, missing},
		{"system-calls", false, missing},
		{"namespaces", false, missing},
		{"privileges", false, missing},
	}
}
