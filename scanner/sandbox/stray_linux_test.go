package sandbox_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

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
