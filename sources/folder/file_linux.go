package folder

import (
	"fmt"
	"syscall"
)

const noAccessTime = syscall.O_NOATIME

func changed(st *syscall.Stat_t) string {
	return fmt.Sprintf("%x.%x", st.Ctim.Sec, st.Ctim.Nsec)
}
