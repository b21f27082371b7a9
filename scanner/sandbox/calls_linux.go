package sandbox

import (
	"runtime"
	"strings"
	"syscall"

	seccomp "github.com/elastic/go-seccomp-bpf"
	"github.com/elastic/go-seccomp-bpf/arch"
	"golang.org/x/sys/unix"
)

// allowed are the system calls of a child: what the Go runtime, the C library
// and reading a document need. Everything else is refused, all of sockets
// among it.
const allowed = `
	read write pread64 pwrite64 readv writev preadv pwritev close close_range lseek
	open openat stat lstat fstat newfstatat fstatat statx access faccessat faccessat2
	readlink readlinkat getdents64 statfs fstatfs getcwd chdir fchdir
	mkdir mkdirat unlink unlinkat rmdir rename renameat renameat2 link linkat
	ftruncate truncate fallocate fsync fdatasync fcntl flock dup dup2 dup3 pipe pipe2
	ioctl fadvise64 copy_file_range sendfile umask chmod fchmod fchmodat utimensat
	mmap munmap mprotect mremap madvise brk mincore msync membarrier mlock munlock
	futex futex_waitv set_robust_list get_robust_list rseq set_tid_address arch_prctl prctl
	sched_yield sched_getaffinity sched_setaffinity getcpu
	rt_sigaction rt_sigprocmask rt_sigreturn sigaltstack rt_sigpending rt_sigsuspend
	rt_sigtimedwait tgkill
	nanosleep clock_nanosleep clock_gettime clock_getres gettimeofday time times getrusage
	timer_create timer_settime timer_delete timerfd_create timerfd_settime setitimer getitimer
	epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2 eventfd2
	poll ppoll select pselect6
	getpid getppid gettid getuid geteuid getgid getegid getgroups getpgid getpgrp getsid
	uname sysinfo getrlimit setrlimit prlimit64 getrandom capget exit exit_group restart_syscall`

// allowedPrograms are those that starting and ending tesseract needs besides.
const allowedPrograms = `
	execve fork vfork clone wait4 waitid kill pidfd_open pidfd_send_signal
	setpgid setsid seccomp`

// restrictCalls installs the filter in all threads.
func restrictCalls(programs bool) error {
	table, err := arch.GetInfo("")
	if err != nil {
		return err
	}
	names := strings.Fields(allowed)
	if programs {
		names = append(names, strings.Fields(allowedPrograms)...)
	}
	group := seccomp.SyscallGroup{Action: seccomp.ActionAllow}
	for _, name := range names {
		if _, ok := table.SyscallNames[name]; ok {
			group.Names = append(group.Names, name)
		}
	}
	if !programs {
		// Threads, but no processes.
		group.NamesWithCondtions = []seccomp.NameWithConditions{{
			Name:       "clone",
			Conditions: seccomp.ArgumentConditions{{Argument: 0, Operation: seccomp.BitsSet, Value: unix.CLONE_THREAD}},
		}}
	}
	// clone3 hides its flags behind a pointer. The C library takes to clone if
	// the kernel does not know it, and only then.
	unknown := seccomp.SyscallGroup{
		Action: seccomp.ActionErrno | seccomp.Action(syscall.ENOSYS),
		Names:  []string{"clone3"},
	}
	// no_new_privs is set on this thread, the filter on all of them.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	return seccomp.LoadFilter(seccomp.Filter{
		NoNewPrivs: true,
		Flag:       seccomp.FilterFlagTSync,
		Policy: seccomp.Policy{
			DefaultAction: seccomp.ActionErrno, // EPERM; also for calls of another architecture
			Syscalls:      []seccomp.SyscallGroup{unknown, group},
		},
	})
}
