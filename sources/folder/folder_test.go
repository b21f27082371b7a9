package folder_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/molnvakt/molnvakt/sources"
	"github.com/molnvakt/molnvakt/sources/folder"
	"github.com/molnvakt/molnvakt/sources/sourcetest"
)

func TestConformance(t *testing.T) {
	sourcetest.Run(t, func(t *testing.T) sourcetest.World { return &world{dir: t.TempDir()} })
}

// TestAsNobody runs the tests again as an account without privileges: to root
// nothing is unreadable.
func TestAsNobody(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("SKIPPED: not root: the other tests show what an account without privileges meets")
	}
	nobody, err := user.Lookup("nobody")
	if err != nil {
		t.Skipf("SKIPPED: there is no account nobody: %v", err)
	}
	uid, err := strconv.ParseUint(nobody.Uid, 10, 32)
	must(t, err)
	dir, err := os.MkdirTemp("", "nobody")
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	must(t, os.Chown(dir, int(uid), int(uid)))
	program := filepath.Join(dir, "folder.test")
	must(t, copyFile(os.Args[0], program))
	cmd := exec.Command(program, "-test.run", "TestConformance|TestUnreadable|TestAccessTime", "-test.v")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "TMPDIR="+dir, "HOME="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid)}}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("as nobody: %v\n%s", err, out)
	}
	for _, test := range []string{"TestUnreadableFilesAndFolders", "TestConformance/an_unreadable_folder_is_a_gap"} {
		if !strings.Contains(string(out), "--- PASS: "+test) {
			t.Errorf("%s did not run as nobody:\n%s", test, out)
		}
	}
}

func TestUnreadableFilesAndFolders(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("SKIPPED: nothing is unreadable to root; TestAsNobody runs this")
	}
	dir := t.TempDir()
	for _, d := range []string{"closed", "listed", "open"} { // listed: names without leave to look
		must(t, os.Mkdir(filepath.Join(dir, d), 0o755))
		must(t, os.WriteFile(filepath.Join(dir, d, "a.txt"), []byte("x"), 0o644))
	}
	must(t, os.WriteFile(filepath.Join(dir, "secret.txt"), []byte("x"), 0))
	must(t, os.Chmod(filepath.Join(dir, "closed"), 0))
	must(t, os.Chmod(filepath.Join(dir, "listed"), 0o444))
	defer func() {
		must(t, os.Chmod(filepath.Join(dir, "closed"), 0o755))
		must(t, os.Chmod(filepath.Join(dir, "listed"), 0o755))
	}()
	src := open(t, folder.Config{Path: dir})
	present, gaps := list(t, src)
	if !errors.Is(gaps["closed"], sources.ErrDenied) {
		t.Errorf("closed: %v, want ErrDenied", gaps["closed"])
	}
	// Whether the folder or each file in it is refused is the system's choice.
	if reason := cmp.Or(gaps["listed"], gaps["listed/a.txt"]); !errors.Is(reason, sources.ErrDenied) {
		t.Errorf("listed: %v, want ErrDenied; gaps %v", reason, gaps)
	}
	if len(gaps) != 2 || len(present) != 2 {
		t.Errorf("present %v, gaps %v", present, gaps)
	}
	if _, err := src.Open(t.Context(), present["secret.txt"]); !errors.Is(err, sources.ErrDenied) {
		t.Errorf("secret.txt opens with %v, want ErrDenied", err)
	}
	root := filepath.Join(dir, "open")
	sealed := open(t, folder.Config{Path: root})
	must(t, os.Chmod(root, 0))
	defer func() { must(t, os.Chmod(root, 0o755)) }()
	err := sealed.Changes(t.Context(), sources.Scope{ID: "."}, "", func(sources.Page) error { return nil })
	if !errors.Is(err, sources.ErrDenied) {
		t.Errorf("the outermost folder: %v, want ErrDenied: it cannot be a gap", err)
	}
}

// TestFilesComeAndGoDuringTheWalk: other people work while a folder is walked.
func TestFilesComeAndGoDuringTheWalk(t *testing.T) {
	dir := t.TempDir()
	for i := range 3000 {
		d := filepath.Join(dir, fmt.Sprint(i/100))
		must(t, os.MkdirAll(d, 0o755))
		must(t, os.WriteFile(filepath.Join(d, fmt.Sprintf("stays%d", i)), nil, 0o644))
	}
	stop := make(chan struct{})
	var busy sync.WaitGroup
	busy.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			d := filepath.Join(dir, fmt.Sprint(i%30), "passing")
			_ = os.MkdirAll(d, 0o755)
			_ = os.WriteFile(filepath.Join(d, "x"), []byte("x"), 0o644)
			_ = os.RemoveAll(d)
		}
	})
	defer func() { close(stop); busy.Wait() }()
	src := open(t, folder.Config{Path: dir})
	for range 5 {
		present, gaps := list(t, src)
		stays := 0
		for p := range present {
			if strings.Contains(p, "stays") {
				stays++
			}
		}
		if stays != 3000 || len(gaps) != 0 {
			t.Errorf("%d of 3000 files that stay, gaps %v", stays, gaps)
		}
	}
}

// TestAMillionFiles walks a million files within bounded memory.
func TestAMillionFiles(t *testing.T) {
	text := os.Getenv("MOLNVAKT_BENCH_FILES")
	if text == "" {
		t.Skip("SKIPPED: a measurement, not a test: MOLNVAKT_BENCH_FILES=1000000")
	}
	n, err := strconv.Atoi(text)
	must(t, err)
	dir := t.TempDir()
	var at string
	for i := range n { // half of them in one folder
		switch {
		case i == n/2:
			at = filepath.Join(dir, "platt")
			must(t, os.Mkdir(at, 0o755))
		case i < n/2 && i%500 == 0:
			at = filepath.Join(dir, fmt.Sprint(i/50_000), fmt.Sprint(i/500))
			must(t, os.MkdirAll(at, 0o755))
		}
		must(t, syscall.Mknod(filepath.Join(at, fmt.Sprintf("%07d.txt", i)), syscall.S_IFREG|0o644, 0))
	}
	src := open(t, folder.Config{Path: dir})
	runtime.GC()
	var before, now runtime.MemStats
	runtime.ReadMemStats(&before)
	var peak uint64
	met, began := 0, time.Now()
	must(t, src.Changes(t.Context(), sources.Scope{ID: "."}, "", func(p sources.Page) error {
		if met += len(p.Changes); met%50_000 == 0 {
			runtime.ReadMemStats(&now)
			peak = max(peak, now.HeapAlloc)
		}
		return nil
	}))
	took := time.Since(began)
	fmt.Printf("folder: %d files walked in %.1f s: %.0f files/s, heap at most %d MB\n", met, took.Seconds(), float64(met)/took.Seconds(), peak>>20)
	if met != n || peak > before.HeapAlloc+(64<<20) {
		t.Errorf("%d files, want %d; heap %d MB, from %d MB", met, n, peak>>20, before.HeapAlloc>>20)
	}
}

type world struct{ dir string }

func (w *world) Open(t *testing.T) sources.Source { return open(t, folder.Config{Path: w.dir}) }

func (w *world) Write(t *testing.T, path string, content []byte) {
	t.Helper()
	file := filepath.Join(w.dir, path)
	must(t, os.MkdirAll(filepath.Dir(file), 0o755))
	must(t, os.WriteFile(file, content, 0o644))
}

func (w *world) Rename(t *testing.T, from, to string) {
	must(t, os.Rename(filepath.Join(w.dir, from), filepath.Join(w.dir, to)))
}

func (w *world) Remove(t *testing.T, path string) { must(t, os.Remove(filepath.Join(w.dir, path))) }
func (w *world) Path(path string) string          { return path }

func (w *world) Abilities() sourcetest.Abilities {
	a := sourcetest.Abilities{}
	if os.Geteuid() != 0 { // nothing is unreadable to root
		a.Deny = func(t *testing.T, path string) func() {
			must(t, os.Chmod(filepath.Join(w.dir, path), 0))
			return func() { must(t, os.Chmod(filepath.Join(w.dir, path), 0o755)) }
		}
	}
	return a
}

func TestWhatIsNoDocumentIsAGap(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	must(t, os.WriteFile(filepath.Join(outside, "secret.txt"), []byte("x"), 0o644))
	must(t, os.Mkdir(filepath.Join(dir, "inside"), 0o755))
	must(t, os.WriteFile(filepath.Join(dir, "inside", "a.txt"), []byte("x"), 0o644))
	must(t, os.Symlink(outside, filepath.Join(dir, "out")))
	must(t, os.Symlink("../..", filepath.Join(dir, "inside", "up")))
	must(t, os.Symlink("inside/a.txt", filepath.Join(dir, "in")))
	must(t, os.Symlink(".", filepath.Join(dir, "loop")))
	must(t, os.Symlink("nowhere", filepath.Join(dir, "broken")))
	must(t, syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o644))
	socket, err := net.Listen("unix", filepath.Join(dir, "s"))
	must(t, err)
	defer socket.Close()

	present, gaps := list(t, open(t, folder.Config{Path: dir}))
	if len(present) != 1 || present["inside/a.txt"].ID == "" {
		t.Errorf("present %v, want inside/a.txt alone", present)
	}
	for _, p := range []string{"out", "inside/up", "pipe", "s"} {
		if !errors.Is(gaps[p], sources.ErrUnsupported) {
			t.Errorf("%s: %v, want a gap", p, gaps[p])
		}
	}
	if len(gaps) != 4 {
		t.Errorf("gaps %v, want 4", gaps)
	}
}

func TestALinkThatTookAFilesPlaceLeadsNowhere(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	must(t, os.WriteFile(filepath.Join(outside, "secret.txt"), []byte("x"), 0o644))
	must(t, os.WriteFile(filepath.Join(dir, "a.txt"), []byte("x"), 0o644))
	src := open(t, folder.Config{Path: dir})
	present, _ := list(t, src)
	must(t, os.Remove(filepath.Join(dir, "a.txt")))
	must(t, os.Symlink(filepath.Join(outside, "secret.txt"), filepath.Join(dir, "a.txt")))
	if r, err := src.Open(t.Context(), present["a.txt"]); err == nil {
		r.Close()
		t.Error("read through a symbolic link out of the folder")
	}
}

func TestNamesThatAreNoUTF8(t *testing.T) {
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "sk\xe5pet.txt"), []byte("content"), 0o644))
	must(t, os.WriteFile(filepath.Join(dir, "raw:61.txt"), []byte("content"), 0o644))
	src := open(t, folder.Config{Path: dir})
	present, _ := list(t, src)
	for _, p := range []string{"skåpet.txt", "raw:61.txt"} {
		r, err := src.Open(t.Context(), present[p])
		if err != nil {
			t.Errorf("%s: %v", p, err)
			continue
		}
		text, err := io.ReadAll(r)
		must(t, err)
		must(t, r.Close())
		if string(text) != "content" {
			t.Errorf("%s reads %q", p, text)
		}
	}
}

func TestAFileThatChangesWhileItIsRead(t *testing.T) {
	for name, c := range map[string]struct {
		change func(file string) error
		want   error
	}{
		"appended: the first version, whole": {func(f string) error { return appendTo(f, "more") }, nil},
		"cut off":                            {func(f string) error { return os.Truncate(f, 10) }, sources.ErrChanged},
		"overwritten":                        {overwrite, sources.ErrChanged},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			file := filepath.Join(dir, "a.log")
			must(t, os.WriteFile(file, []byte(strings.Repeat("0123456789", 1000)), 0o644))
			src := open(t, folder.Config{Path: dir})
			present, _ := list(t, src)
			r, err := src.Open(t.Context(), present["a.log"])
			must(t, err)
			defer r.Close()
			_, err = io.ReadFull(r, make([]byte, 100))
			must(t, err)
			must(t, c.change(file))
			rest, err := io.ReadAll(r)
			if !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
			if c.want == nil && len(rest) != 9900 {
				t.Errorf("%d bytes more, want 9900", len(rest))
			}
		})
	}
}

func TestSparseFilesAreNotReadToMemory(t *testing.T) {
	dir := t.TempDir()
	file, err := os.Create(filepath.Join(dir, "sparse"))
	must(t, err)
	must(t, file.Truncate(1<<40))
	must(t, file.Close())
	present, _ := list(t, open(t, folder.Config{Path: dir}))
	if present["sparse"].Size != 1<<40 {
		t.Errorf("size %d", present["sparse"].Size)
	}
}

func TestAccessTimeIsLeftAlone(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "a.txt")
	must(t, os.WriteFile(file, []byte("x"), 0o644))
	must(t, os.Chtimes(file, stampOf("2001-01-01"), stampOf("2020-01-01")))
	src := open(t, folder.Config{Path: dir})
	present, _ := list(t, src)
	r, err := src.Open(t.Context(), present["a.txt"])
	must(t, err)
	_, err = io.ReadAll(r)
	must(t, err)
	must(t, r.Close())
	var st syscall.Stat_t
	must(t, syscall.Stat(file, &st))
	if st.Atim.Sec != stampOf("2001-01-01").Unix() {
		t.Errorf("access time moved to %d", st.Atim.Sec)
	}
}

func TestExcludedIsAGap(t *testing.T) {
	dir := t.TempDir()
	must(t, os.MkdirAll(filepath.Join(dir, "keep", "cache"), 0o755))
	must(t, os.WriteFile(filepath.Join(dir, "keep", "a.txt"), nil, 0o644))
	must(t, os.WriteFile(filepath.Join(dir, "keep", "cache", "b.txt"), nil, 0o644))
	present, gaps := list(t, open(t, folder.Config{Path: dir, Exclude: []string{"keep/cache"}}))
	if len(present) != 1 || gaps["keep/cache"] == nil {
		t.Errorf("present %v, gaps %v", present, gaps)
	}
}

func TestBadConfiguration(t *testing.T) {
	for name, c := range map[string]struct {
		config folder.Config
		want   error
	}{
		"no path":   {folder.Config{}, sources.ErrConfig},
		"bad glob":  {folder.Config{Path: ".", Exclude: []string{"[a"}}, sources.ErrConfig},
		"not there": {folder.Config{Path: "/does/not/exist"}, sources.ErrUnavailable},
	} {
		if _, err := folder.Open(c.config); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestAVanishedRootFailsTheCrawl(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "share")
	must(t, os.Mkdir(dir, 0o755))
	must(t, os.WriteFile(filepath.Join(dir, "a.txt"), nil, 0o644))
	must(t, os.Mkdir(filepath.Join(dir, "sub"), 0o755))
	src := open(t, folder.Config{Path: dir})
	must(t, os.RemoveAll(dir))
	err := src.Changes(t.Context(), sources.Scope{ID: "."}, "", func(sources.Page) error { return nil })
	if err == nil {
		t.Error("a crawl of a vanished folder looks complete")
	}
}

func BenchmarkWalk(b *testing.B) {
	dir := b.TempDir()
	const files = 20_000
	for i := range files {
		d := filepath.Join(dir, fmt.Sprint(i/500))
		if i%500 == 0 {
			if err := os.Mkdir(d, 0o755); err != nil {
				b.Fatal(err)
			}
		}
		if err := os.WriteFile(filepath.Join(d, fmt.Sprint(i)), nil, 0o644); err != nil {
			b.Fatal(err)
		}
	}
	src, err := folder.Open(folder.Config{Path: dir})
	if err != nil {
		b.Fatal(err)
	}
	defer src.Close()
	n := 0
	for b.Loop() {
		err := src.Changes(context.Background(), sources.Scope{ID: "."}, "", func(p sources.Page) error { n += len(p.Changes); return nil })
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "files/s")
}

func TestErrorsDoNotNameFiles(t *testing.T) {
	const name = "201209012390 Alva.txt"
	_, err := open(t, folder.Config{Path: t.TempDir()}).Open(t.Context(), sources.Item{ID: name})
	if !errors.Is(err, sources.ErrGone) || strings.Contains(err.Error(), name) {
		t.Errorf("got %v, want ErrGone without the file's name", err)
	}
}
