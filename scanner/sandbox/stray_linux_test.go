package sandbox_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// mustHold lists the protections that this kernel has. Namespaces may be
// forbidden to users, which nobody can tell without trying.
func mustHold() []string {
	walls := []string{"environment", "network", "system-calls", "memory", "privileges"}
	const version = 1 // LANDLOCK_CREATE_RULESET_VERSION
	if abi, _, err := syscall.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, version); err == 0 && abi > 0 {
		walls = append(walls, "files")
	}
	return walls
}

// strayDescriptor opens a secret file as descriptor 7 without close-on-exec,
// as a careless C library would.
func strayDescriptor(t *testing.T) func() {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	fd, err := syscall.Open(path, syscall.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_ = fd
	return func() { syscall.Close(fd) }
}
