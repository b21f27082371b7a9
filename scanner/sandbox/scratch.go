package sandbox

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// newScratch makes a private folder for this process in parent and removes
// those of processes that did not live to do it themselves.
func newScratch(parent string) (string, error) {
	if parent == "" {
		parent = os.TempDir()
	}
	const prefix = "molnvakt-sandbox-"
	left, _ := filepath.Glob(filepath.Join(parent, prefix+"*"))
	for _, folder := range left {
		owner, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(folder), prefix), "-")
		if pid, err := strconv.Atoi(owner); err == nil && !alive(pid) {
			_ = os.RemoveAll(folder)
		}
	}
	return os.MkdirTemp(parent, fmt.Sprintf("%s%d-*", prefix, os.Getpid()))
}
