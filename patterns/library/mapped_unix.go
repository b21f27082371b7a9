//go:build unix

package library

import (
	"os"
	"syscall"
)

// mapped returns the content of a file that nobody changes, without a copy:
// processes share the memory. It stays for as long as the process lives.
func mapped(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	return syscall.Mmap(int(f.Fd()), 0, int(info.Size()), syscall.PROT_READ, syscall.MAP_SHARED)
}
