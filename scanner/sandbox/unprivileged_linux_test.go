package sandbox_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// TestWallsUnprivileged tries the walls as an ordinary user, who has them to
// build without root's help and may not read root's folders.
func TestWallsUnprivileged(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("SKIPPED: TestWalls has been run by an ordinary user already")
	}
	home, err := os.MkdirTemp("", "unprivileged-*")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(home)
	binary, err := os.ReadFile(executable(t))
	if err != nil {
		t.Fatal(err)
	}
	const nobody = 65534
	copied := filepath.Join(home, "sandbox.test")
	if err := os.WriteFile(copied, binary, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(home, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	closed := t.TempDir() // root's alone
	cmd := exec.Command(copied, "-test.run", "^TestWalls$", "-test.v")
	cmd.Dir = home
	cmd.Env = []string{"HOME=" + home, "TMPDIR=" + home, "PATH=" + closed + ":/usr/bin:/bin"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Fatal(err)
	}
}
