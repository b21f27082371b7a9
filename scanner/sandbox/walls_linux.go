package sandbox

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"github.com/landlock-lsm/go-landlock/landlock"
	"golang.org/x/sys/unix"
)

// isolation is how far children are cut off at their start: a kernel or a
// service manager may forget or forbid namespaces.
type isolation struct{ withoutNamespaces bool }

// apply makes the child lead a process group, die with its parent and, where
// allowed, start as nobody in namespaces of its own: no network devices, no
// shared memory, no capabilities.
func (i isolation) apply(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if i.withoutNamespaces {
		return
	}
	const nobody = 65534
	cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET | syscall.CLONE_NEWIPC | syscall.CLONE_NEWUTS
	cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: nobody, HostID: os.Getuid(), Size: 1}}
	cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: nobody, HostID: os.Getgid(), Size: 1}}
}

// weaken gives up namespaces if they are why a child did not start.
func (i *isolation) weaken(err error) bool {
	refused := errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EACCES) || errors.Is(err, syscall.EINVAL) ||
		errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EUSERS) || errors.Is(err, syscall.ENOSYS)
	if i.withoutNamespaces || !refused {
		return false
	}
	i.withoutNamespaces = true
	return true
}

// killGroup kills a child and the programs it started.
func killGroup(p *os.Process) {
	if p != nil {
		_ = syscall.Kill(-p.Pid, syscall.SIGKILL)
	}
}

func alive(pid int) bool { return syscall.Kill(pid, 0) != syscall.ESRCH }

// widen gives pipes room for most documents, so that the two sides do not
// wait for each other at every 64 KiB.
func widen(pipes ...*os.File) {
	for _, p := range pipes {
		if raw, err := p.SyscallConn(); err == nil {
			_ = raw.Control(func(fd uintptr) { _, _ = unix.FcntlInt(fd, unix.F_SETPIPE_SZ, 256<<10) })
		}
	}
}

// closeStrays closes descriptors that a library of the parent forgot to mark
// close-on-exec. The Go runtime's own are anonymous inodes.
func closeStrays() {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return
	}
	for _, e := range entries {
		fd, err := strconv.Atoi(e.Name())
		if err != nil || fd < 3 {
			continue
		}
		target, err := os.Readlink("/proc/self/fd/" + e.Name())
		if err == nil && !strings.HasPrefix(target, "anon_inode:") {
			_ = unix.Close(fd)
		}
	}
}

// shutIn gives up everything a child does not need, for good, and then tries
// the walls: a protection that was asked for is not yet one that holds.
func shutIn(h Handshake) []Protection {
	files := restrictFiles(h)
	limits := restrictResources(h)
	calls := restrictCalls(h.Programs)
	return []Protection{
		{"environment", true, "no inherited variables or descriptors"},
		namespaces(),
		hold("files", tryFile(), files, "landlock: scratch folder only"),
		hold("network", tryNetwork(), nil, "sockets cannot be opened"),
		hold("system-calls", tryCall(), calls, "seccomp: only calls on a list"),
		hold("memory", tryLimits(h), limits, fmt.Sprintf("RLIMIT_DATA %d MiB, no core dumps", h.Memory>>20)),
		hold("privileges", tryPrivileges(), nil, "no_new_privs, no capabilities"),
	}
}

// hold reports a protection by what happened when it was tried; asked is what
// went wrong when it was asked for.
func hold(name string, tried, asked error, how string) Protection {
	if err := errors.Join(tried, asked); err != nil {
		return Protection{name, tried == nil, err.Error()}
	}
	return Protection{name, true, how}
}

// restrictFiles leaves the child its scratch folder, the compiled code to
// read and, if it starts programs, the system's programs and libraries: not
// /opt or all of PATH, where people keep more than programs.
func restrictFiles(h Handshake) error {
	rules := []landlock.Rule{landlock.RWDirs(h.Scratch)}
	if readable(h.Cache) {
		rules = append(rules, landlock.RODirs(h.Cache))
	}
	if h.Programs {
		for _, dir := range []string{"/usr", "/bin", "/lib", "/lib64", "/nix/store", os.Getenv("TESSDATA_PREFIX")} {
			if readable(dir) {
				rules = append(rules, landlock.RODirs(dir))
			}
		}
		rules = append(rules,
			landlock.ROFiles("/etc/ld.so.cache", "/proc/cpuinfo").IgnoreIfMissing(),
			landlock.RWFiles("/dev/null").IgnoreIfMissing())
	}
	return landlock.V6.BestEffort().Restrict(rules...)
}

// readable tells whether a folder is there for this user: a rule about one
// that is not would void all rules.
func readable(dir string) bool {
	if !filepath.IsAbs(dir) || filepath.Clean(dir) == "/" {
		return false
	}
	f, err := os.Open(dir)
	if err != nil {
		return false
	}
	_ = f.Close()
	return true
}

// restrictResources bounds what a child may take. RLIMIT_AS would break the
// PDF engine, which reserves much more address space than it uses.
func restrictResources(h Handshake) error {
	const files, fileSize = 256, 4 << 30
	var failed error
	for what, limit := range map[int]uint64{
		unix.RLIMIT_DATA:   uint64(h.Memory),
		unix.RLIMIT_CORE:   0,
		unix.RLIMIT_NOFILE: files,
		unix.RLIMIT_FSIZE:  fileSize,
	} {
		failed = errors.Join(failed, unix.Setrlimit(what, &unix.Rlimit{Cur: limit, Max: limit}))
	}
	// Not dumpable: no other process of this user may read the child's memory.
	return errors.Join(failed, unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0))
}

func namespaces() Protection {
	const name = "namespaces"
	// The parent's namespaces are out of sight by now; the user mapped to
	// nobody tells.
	if os.Getuid() != 65534 {
		return Protection{name, false, "the system does not let this user make namespaces"}
	}
	return Protection{name, true, "user, network, IPC and host name of its own"}
}

func tryFile() error {
	for _, path := range []string{"/", "/etc/passwd", "/proc/self/environ"} {
		if f, err := os.Open(path); err == nil {
			f.Close()
			return fmt.Errorf("%s can be opened", path)
		}
	}
	return nil
}

func tryNetwork() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		return nil
	}
	_ = unix.Close(fd)
	return errors.New("a socket can be opened")
}

func tryCall() error {
	// A pair of connected sockets is harmless and needs no privilege.
	if pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0); err == nil {
		_, _ = unix.Close(pair[0]), unix.Close(pair[1])
		return errors.New("calls that are not on the list are answered")
	}
	return nil
}

func tryLimits(h Handshake) error {
	var l unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_DATA, &l); err != nil {
		return err
	}
	if l.Cur > uint64(h.Memory) {
		return errors.New("RLIMIT_DATA is not set")
	}
	return nil
}

func tryPrivileges() error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if set, err := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0); err != nil || set != 1 {
		return errors.New("no_new_privs is not set")
	}
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var caps [2]unix.CapUserData
	if err := unix.Capget(&header, &caps[0]); err != nil {
		return err
	}
	if caps[0].Effective|caps[1].Effective != 0 {
		return errors.New("the process has capabilities: do not run as root")
	}
	return nil
}
