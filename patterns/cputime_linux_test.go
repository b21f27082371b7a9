package patterns

import (
	"time"

	"golang.org/x/sys/unix"
)

// cpuTime returns the processor time that this thread has used: what else
// runs on the machine does not count. The caller locks the thread.
func cpuTime() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
		panic(err)
	}
	return time.Duration(t.Nano())
}
