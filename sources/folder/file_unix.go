//go:build unix

package folder

import (
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"strconv"
	"sync"
	"syscall"
)

// version differs when the content may differ: the file's id, size, write and
// change time. A program can set the write time back, but not the change time.
func version(info fs.FileInfo) string {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return fmt.Sprintf("%d-%s", info.Size(), stamp(info.ModTime()))
	}
	return fmt.Sprintf("%x-%x-%x-%s", st.Ino, info.Size(), info.ModTime().UnixNano(), changed(st))
}

// owners remembers the names behind user ids.
type owners struct{ names sync.Map }

func (o *owners) of(info fs.FileInfo) string {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return ""
	}
	if name, ok := o.names.Load(st.Uid); ok {
		return name.(string)
	}
	name := strconv.Itoa(int(st.Uid))
	if u, err := user.LookupId(name); err == nil {
		name = u.Username
	}
	o.names.Store(st.Uid, name)
	return name
}

// openQuietly opens a file without touching its access time where the system
// allows that, and without waiting on a pipe that took the file's place.
func openQuietly(root *os.Root, rel string) (*os.File, error) {
	f, err := root.OpenFile(rel, os.O_RDONLY|syscall.O_NONBLOCK|noAccessTime, 0)
	if err != nil && noAccessTime != 0 { // allowed to the owner and root only
		f, err = root.OpenFile(rel, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	}
	return f, err
}
