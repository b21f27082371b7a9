package sandbox

import (
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// forgetStartUp gives back the pages of the program's own file that only its
// start needed, a sixth of what a child would hold: what is needed again comes
// back from the system's cache. Pages that were written to, of which the file
// knows nothing, are kept.
func forgetStartUp() {
	program, err := os.Executable()
	if err != nil {
		return
	}
	maps, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		return
	}
	var from, to uint64
	ours := false
	for line := range strings.Lines(string(maps)) {
		fields := strings.Fields(line)
		switch {
		case len(fields) >= 6 && !strings.HasSuffix(fields[0], ":"):
			first, last, _ := strings.Cut(fields[0], "-")
			from, _ = strconv.ParseUint(first, 16, 64)
			to, _ = strconv.ParseUint(last, 16, 64)
			ours = strings.HasSuffix(line, " "+program+"\n") && (fields[1] == "r--p" || fields[1] == "r-xp")
		case ours && len(fields) > 1 && fields[0] == "Anonymous:" && fields[1] == "0" && from < to:
			_, _, _ = unix.Syscall(unix.SYS_MADVISE, uintptr(from), uintptr(to-from), unix.MADV_DONTNEED)
		}
	}
}
