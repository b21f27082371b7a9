package smb_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// account is the Unix account that the tests' Samba knows; it is made if it is
// missing, without a home or a shell.
const (
	account  = "molnvakt-test"
	password = "pw-for-tests"
)

// samba is a real file server of its own, on a port of its own.
type samba struct {
	dir  string // everything of it
	addr string
	cmd  *exec.Cmd
	kill context.CancelFunc
}

// startSamba starts a server with the shares "files", "enc" (encryption
// required), "arkiv$" (hidden) and "closed" (denied). Skips where it cannot run.
func startSamba(t *testing.T, extra ...string) *samba {
	t.Helper()
	for _, tool := range []string{"smbd", "smbpasswd"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("SKIPPED: %s is not installed: apt-get install samba smbclient samba-vfs-modules", tool)
		}
	}
	if os.Geteuid() != 0 {
		t.Skip("SKIPPED: Samba must be started as root")
	}
	if exec.Command("id", account).Run() != nil {
		run(t, "useradd", "-M", "-s", "/usr/sbin/nologin", account)
	}
	dir, err := os.MkdirTemp("", "samba")
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	must(t, os.Chmod(dir, 0o755))
	for _, d := range []string{"files", "enc", "arkiv", "closed", "run", "lock", "state", "cache", "private", "ncalrpc"} {
		must(t, os.Mkdir(filepath.Join(dir, d), 0o755))
	}
	s := &samba{dir: dir, addr: freeAddress(t)}
	_, port, _ := net.SplitHostPort(s.addr)
	conf := fmt.Sprintf(`[global]
server role = standalone server
bind interfaces only = yes
interfaces = 127.0.0.1/8
smb ports = %[2]s
disable netbios = yes
pid directory = %[1]s/run
lock directory = %[1]s/lock
state directory = %[1]s/state
cache directory = %[1]s/cache
private dir = %[1]s/private
ncalrpc dir = %[1]s/ncalrpc
log file = %[1]s/log
passdb backend = tdbsam
server min protocol = SMB3_00
server signing = mandatory
load printers = no
printcap name = /dev/null
disable spoolss = yes
map to guest = never
unix extensions = no
%[3]s
[files]
path = %[1]s/files
read only = yes
vfs objects = acl_xattr
wide links = no
host msdfs = yes
msdfs root = yes
[enc]
path = %[1]s/enc
read only = yes
smb encrypt = required
[arkiv$]
path = %[1]s/arkiv
read only = yes
[closed]
path = %[1]s/closed
valid users = root
`, dir, port, strings.Join(extra, "\n"))
	must(t, os.WriteFile(s.conf(), []byte(conf), 0o644))
	add := exec.Command("smbpasswd", "-c", s.conf(), "-s", "-a", account)
	add.Stdin = strings.NewReader(password + "\n" + password + "\n")
	if out, err := add.CombinedOutput(); err != nil {
		t.Fatalf("smbpasswd: %v\n%s", err, out)
	}
	s.start(t)
	t.Cleanup(s.stop)
	return s
}

func (s *samba) conf() string { return filepath.Join(s.dir, "smb.conf") }

func (s *samba) start(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s.kill = cancel
	s.cmd = exec.CommandContext(ctx, "smbd", "-s", s.conf(), "-F", "--no-process-group")
	must(t, s.cmd.Start())
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		conn, err := net.Dial("tcp", s.addr)
		if err == nil {
			conn.Close()
			return
		}
		if time.Now().After(deadline) {
			log, _ := os.ReadFile(filepath.Join(s.dir, "log"))
			t.Fatalf("Samba does not answer: %v\n%s", err, log)
		}
	}
}

func (s *samba) stop() {
	if s.cmd == nil {
		return
	}
	// The children that serve connections go when their parent is gone.
	children, _ := exec.Command("pgrep", "-P", fmt.Sprint(s.cmd.Process.Pid)).Output()
	s.kill()
	_ = s.cmd.Wait()
	for _, pid := range strings.Fields(string(children)) {
		_ = exec.Command("kill", "-9", pid).Run()
	}
	s.cmd = nil
}

// dropConnections ends the processes that serve clients, as a crash would; the
// server itself goes on.
func (s *samba) dropConnections() {
	children, _ := exec.Command("pgrep", "-P", fmt.Sprint(s.cmd.Process.Pid)).Output()
	for _, pid := range strings.Fields(string(children)) {
		name, _ := os.ReadFile("/proc/" + pid + "/cmdline")
		if strings.Contains(string(name), "smbd") && !strings.Contains(string(name), "notifyd") && !strings.Contains(string(name), "cleanupd") {
			_ = exec.Command("kill", "-9", pid).Run()
		}
	}
}

// write puts a file into a share behind the server's back.
func (s *samba) write(t *testing.T, path string, content []byte) {
	t.Helper()
	file := filepath.Join(s.dir, path)
	must(t, os.MkdirAll(filepath.Dir(file), 0o755))
	must(t, os.WriteFile(file, content, 0o644))
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	return l.Addr().String()
}

func run(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
