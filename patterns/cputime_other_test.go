//go:build !linux

package patterns

import "time"

var processStart = time.Now()

// cpuTime stands in for the processor time of the thread.
func cpuTime() time.Duration { return time.Since(processStart) }
