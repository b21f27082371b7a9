package sandbox_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/iotest"
	"time"

	"go.uber.org/goleak"

	"github.com/molnvakt/molnvakt/patterns"
	"github.com/molnvakt/molnvakt/scanner/extract"
	"github.com/molnvakt/molnvakt/scanner/extract/picture"
	"github.com/molnvakt/molnvakt/scanner/inspect"
	"github.com/molnvakt/molnvakt/scanner/sandbox"
)

// TestMain makes the test binary its own sandbox child.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "sandbox-child" {
		if err := sandbox.Serve(os.Stdin, os.Stdout, build); err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	if len(os.Args) > 2 && os.Args[1] == "sandbox-parent" {
		parent(os.Args[2])
	}
	if len(os.Args) > 2 && os.Args[1] == "sandbox-liar" {
		liar(os.Args[2])
	}
	goleak.VerifyTestMain(m)
}

// lies are what a child that a document took over might say.
var lies = map[string]string{
	"noise":        strings.Repeat("\xffnoise", 1000),
	"endless":      "A\xff\xff\xff\xff",
	"cut off":      "A\x00\x00\x10\x00{",
	"not JSON":     "A\x00\x00\x00\x04{{{{",
	"wrong types":  `A` + "\x00\x00\x00\x0e" + `{"Result":"hi"}`[:14],
	"unasked text": "T\x00\x00\x00\x02{}",
	"short count":  "P\x00\x00\x00\x01x",
}

// liar becomes ready and answers its first document with a lie.
func liar(lie string) {
	in := bufio.NewReader(os.Stdin)
	var head [5]byte
	_, _ = io.ReadFull(in, head[:])
	_, _ = io.CopyN(io.Discard, in, int64(binary.BigEndian.Uint32(head[1:])))
	fmt.Print("R\x00\x00\x00\x02{}")
	_, _ = io.ReadFull(in, head[:])
	fmt.Print(lies[lie])
	if lie == "cut off" {
		os.Exit(0)
	}
	select {}
}

// parent keeps a child busy until it is killed. It prints the child's process.
func parent(scratch string) {
	c := sandbox.DefaultConfig()
	c.Size, c.Scratch, c.Deadline = 1, scratch, time.Hour
	c.Command = []string{os.Args[0], "sandbox-child"}
	p, err := sandbox.NewPool(c)
	if err != nil {
		panic(err)
	}
	_, _ = p.Inspect(context.Background(), inspect.Document{
		Content: strings.NewReader("!scratch left-behind\n!self\n!sleep\n"),
		Text:    func(part inspect.TextPart) error { fmt.Print(part.Text); return nil },
	})
}

func build(h sandbox.Handshake) (inspect.Inspector, error) {
	if string(h.Settings) == `"refuse"` {
		return nil, errors.New("no dictionary")
	}
	c := inspect.DefaultConfig()
	if string(h.Settings) == `"real"` {
		c.Extractors = readers(h.Cache)
		c.Readers = func() patterns.Reader { return &finder{key: string(h.Key)} }
		c.Scratch, c.Deadline = h.Scratch, h.Deadline
		return inspect.NewLocal(c), nil
	}
	c.Extractors = []extract.Extractor{attacker{}}
	c.Readers = func() patterns.Reader { return &finder{key: string(h.Key)} }
	c.Sniff = func(string, io.ReaderAt, int64) string { return "text/plain" }
	c.Scratch, c.Deadline, c.Grace, c.Memory = h.Scratch, h.Deadline, 300*time.Millisecond, 1<<20
	return inspect.NewLocal(c), nil
}

// finder finds the word FOUND and masks it with the key it was given.
type finder struct {
	key   string
	found []patterns.Evidence
}

func (f *finder) Begin(patterns.Subject, patterns.Options) { f.found = nil }
func (f *finder) Text(_, place, text string) {
	if strings.Contains(text, "STUCK") {
		select {}
	}
	for range strings.Count(text, "FOUND") {
		f.found = append(f.found, patterns.Evidence{Place: place, Masked: "•••", Fingerprint: f.key})
	}
}
func (f *finder) Row(_, place string, _ int, _ bool, cells []string) {
	f.Text("", place, strings.Join(cells, " "))
}
func (f *finder) Finish() (patterns.Content, []patterns.Step) {
	return patterns.Content{Evidence: f.found}, nil
}

// attacker reads a document line by line, as text, except that lines that
// begin with ! are carried out as a hostile document would once it had taken
// over its reader. What came of it is the text.
type attacker struct{}

func (attacker) Name() string                { return "attacker" }
func (attacker) Version() int                { return 1 }
func (attacker) Accepts(string, string) bool { return true }

func (attacker) Extract(ctx context.Context, in extract.Input, out extract.Sink) error {
	content, err := io.ReadAll(in.Reader())
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(content)) {
		line = strings.TrimSpace(line)
		if order, ok := strings.CutPrefix(line, "!"); ok {
			verb, arg, _ := strings.Cut(order, " ")
			line = attack(ctx, in, verb, arg)
		}
		if err := out.Text(extract.Part{Kind: extract.Body}, line+"\n"); err != nil {
			return err
		}
	}
	return nil
}

func attack(ctx context.Context, in extract.Input, verb, arg string) string {
	outcome := func(err error) string {
		if err == nil {
			return verb + ": succeeded"
		}
		return verb + ": " + err.Error()
	}
	switch verb {
	case "dial":
		conn, err := net.DialTimeout("tcp", arg, time.Second)
		if err == nil {
			conn.Close()
		}
		return outcome(err)
	case "send":
		conn, err := net.Dial("udp", arg)
		if err == nil {
			_, err = conn.Write([]byte("leak"))
		}
		return outcome(err)
	case "unix":
		conn, err := net.Dial("unix", arg)
		if err == nil {
			conn.Close()
		}
		return outcome(err)
	case "read":
		_, err := os.ReadFile(arg)
		return outcome(err)
	case "list":
		_, err := os.ReadDir(arg)
		return outcome(err)
	case "write":
		return outcome(os.WriteFile(arg, []byte("leak"), 0o600))
	case "scratch":
		err := os.WriteFile(filepath.Join(in.Scratch, arg), []byte("secret"), 0o600)
		return outcome(err)
	case "left":
		entries, err := os.ReadDir(in.Scratch)
		return fmt.Sprint("left: ", len(entries), " ", err)
	case "exec":
		return outcome(exec.CommandContext(ctx, arg).Run())
	case "self":
		return fmt.Sprint("self: ", os.Getpid())
	case "kill":
		return outcome(syscall.Kill(os.Getppid(), 0))
	case "environment":
		return "environment: " + strings.Join(os.Environ(), "|")
	case "descriptor":
		_, err := os.NewFile(uintptr(7), "stray").Read(make([]byte, 1))
		return outcome(err)
	case "print":
		fmt.Println(arg) // must not garble the protocol
		return outcome(nil)
	case "panic":
		panic(arg)
	case "exit":
		os.Exit(3)
	case "overflow":
		return fmt.Sprint(overflow(0))
	case "sleep":
		time.Sleep(time.Hour)
	case "bloat":
		var hoard [][]byte
		for {
			b := make([]byte, 16<<20)
			for i := 0; i < len(b); i += 4096 {
				b[i] = 1
			}
			hoard = append(hoard, b)
			runtime.KeepAlive(hoard)
		}
	}
	return "unknown order"
}

func overflow(n int) int { return overflow(n+1) + 1 } //nolint:staticcheck // without end, on purpose

func pool(t testing.TB, change func(*sandbox.Config)) *sandbox.Pool {
	t.Helper()
	c := sandbox.DefaultConfig()
	c.Size = 1
	c.Command = []string{executable(t), "sandbox-child"}
	c.Key = []byte("the key")
	c.Scratch = t.TempDir()
	c.Deadline = 2 * time.Second
	if change != nil {
		change(&c)
	}
	p, err := sandbox.NewPool(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		if left, _ := filepath.Glob(filepath.Join(c.Scratch, "*")); len(left) > 0 {
			t.Errorf("scratch folders left behind: %q", left)
		}
	})
	return p
}

func executable(t testing.TB) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// look inspects text and returns the result with what was extracted.
func look(t testing.TB, p *sandbox.Pool, text string) (inspect.Result, string) {
	t.Helper()
	var got strings.Builder
	r, err := p.Inspect(context.Background(), inspect.Document{
		Name: "a.txt", Size: int64(len(text)), Content: strings.NewReader(text),
		Text: func(part inspect.TextPart) error { got.WriteString(part.Text); return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	return r, got.String()
}

// TestOptionsReachTheChild, or those that cannot are left behind: functions.
func TestOptionsReachTheChild(t *testing.T) {
	r, err := pool(t, nil).Inspect(t.Context(), inspect.Document{
		Name: "a.txt", Size: 5, Content: strings.NewReader("FOUND"),
		Options: patterns.Options{Explain: true, CountTestNumbers: true, Features: func(patterns.GistFeatures) {}},
	})
	if err != nil || r.Status != inspect.OK || len(r.Content.Evidence) != 1 {
		t.Errorf("%v: %+v", err, r)
	}
}

func TestFinds(t *testing.T) {
	p := pool(t, nil)
	r, text := look(t, p, "one FOUND\ntwo FOUND\n!print noise\n")
	if r.Status != inspect.OK || len(r.Content.Evidence) != 2 || r.Content.Evidence[0].Fingerprint != "the key" {
		t.Errorf("got %+v", r)
	}
	if want := "one FOUND\ntwo FOUND\nprint: succeeded\n"; text != want {
		t.Errorf("text %q, want %q", text, want)
	}
	if r.Extractor != "attacker" || r.MediaType != "text/plain" || r.Bytes == 0 || r.Chars == 0 {
		t.Errorf("incomplete result: %+v", r)
	}
}

// TestWalls proves every protection by an attack on it. Where the kernel has
// none, Protections must have said so.
func TestWalls(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("SKIPPED: only Linux shuts its children in")
	}
	t.Setenv("MOLNVAKT_SECRET", "hunter2")
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	folder := t.TempDir()
	socket, err := net.Listen("unix", filepath.Join(folder, "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	stray := strayDescriptor(t)
	defer stray()

	for _, programs := range []bool{false, true} {
		t.Run(fmt.Sprintf("programs=%v", programs), func(t *testing.T) {
			p := pool(t, func(c *sandbox.Config) { c.Programs, c.Memory, c.Deadline = programs, 512<<20, time.Minute })
			protections, err := p.Protections(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			holds := map[string]bool{}
			for _, w := range protections {
				holds[w.Name] = w.Holds
				switch {
				case w.Holds:
				case w.Name == "privileges" && os.Getuid() == 0 && !holds["namespaces"]:
					t.Logf("root without namespaces keeps its privileges: %s", w.Detail)
				case slices.Contains(mustHold(), w.Name):
					t.Errorf("this machine could have %s, but: %s", w.Name, w.Detail)
				default:
					t.Logf("this machine lacks %s: %s", w.Name, w.Detail)
				}
			}
			for _, a := range []struct{ wall, order string }{
				{"network", "!dial " + listener.Addr().String()},
				{"network", "!dial 192.0.2.1:443"},
				{"network", "!send 192.0.2.1:53"},
				{"network", "!unix " + filepath.Join(folder, "s")},
				{"files", "!read /etc/passwd"},
				{"files", "!read /proc/self/environ"},
				{"files", "!read " + executable(t)},
				{"files", "!list /"},
				{"files", "!list " + folder},
				{"files", "!write " + filepath.Join(folder, "leak")},
				{"system-calls", "!kill"},
				{"environment", "!descriptor"},
				{"system-calls", "!exec " + executable(t)},
			} {
				if !holds[a.wall] {
					t.Logf("SKIPPED %q: no protection %q here", a.order, a.wall)
					continue
				}
				if _, text := look(t, p, a.order); strings.Contains(text, "succeeded") {
					t.Errorf("%s got through the wall %q: %s", a.order, a.wall, text)
				}
			}
			if _, text := look(t, p, "!environment"); strings.Contains(text, "hunter2") || !strings.Contains(text, "GOMEMLIMIT") {
				t.Errorf("environment: %s", text)
			}
			if r, _ := look(t, p, "FOUND\n!bloat\n"); r.Status != inspect.Limit || len(r.Gaps) != 1 || r.Gaps[0].Detail != "memory" {
				t.Errorf("bloated child: %+v", r)
			}
			if _, text := look(t, p, "!exec /bin/true"); strings.Contains(text, "succeeded") != programs {
				t.Errorf("with Programs %v: %s", programs, text)
			}
		})
	}
}

// TestEveryEnd is a child's every way to die: the document gets a gap and
// keeps what was found before, its neighbours notice nothing.
func TestEveryEnd(t *testing.T) {
	for _, end := range []struct {
		order    string
		deadline time.Duration
		status   inspect.Status
		reason   string
	}{
		{"!panic 19121212-1212", time.Minute, inspect.Crashed, "crashed"},
		{"!exit", time.Minute, inspect.Crashed, "crashed"},
		{"!overflow", time.Minute, inspect.Crashed, "crashed"},
		{"!sleep", 500 * time.Millisecond, inspect.Timeout, "timeout"},
	} {
		t.Run(end.order, func(t *testing.T) {
			p := pool(t, func(c *sandbox.Config) { c.Deadline = end.deadline })
			r, _ := look(t, p, "FOUND\nand FOUND\n"+end.order+"\nFOUND\n")
			if r.Status != end.status || len(r.Gaps) != 1 || r.Gaps[0].Reason != end.reason {
				t.Errorf("status %s, gaps %+v; want %s", r.Status, r.Gaps, end.status)
			}
			if len(r.Content.Evidence) != 2 {
				t.Errorf("kept %d of 2 found before the end", len(r.Content.Evidence))
			}
			if r, _ := look(t, p, "FOUND\n"); r.Status != inspect.OK || len(r.Content.Evidence) != 1 {
				t.Errorf("the next document: %+v", r)
			}
		})
	}
}

// TestStuckDetection: a child that cannot even stop by itself is killed.
func TestStuckDetection(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED in -short: waits for the hard deadline")
	}
	p := pool(t, func(c *sandbox.Config) { c.Deadline = 200 * time.Millisecond })
	started := time.Now()
	r, _ := look(t, p, "STUCK\n")
	if r.Status != inspect.Timeout || time.Since(started) > 10*time.Second {
		t.Errorf("after %v: %+v", time.Since(started), r)
	}
}

// TestLiar: the parent believes nothing that is not an answer.
func TestLiar(t *testing.T) {
	for lie := range lies {
		t.Run(lie, func(t *testing.T) {
			p := pool(t, func(c *sandbox.Config) {
				c.Command, c.Deadline = []string{executable(t), "sandbox-liar", lie}, time.Minute
			})
			started := time.Now()
			r, err := p.Inspect(t.Context(), inspect.Document{Content: strings.NewReader("x")})
			if err != nil || r.Status != inspect.Crashed || time.Since(started) > 30*time.Second {
				t.Errorf("%+v, %v after %v", r, err, time.Since(started))
			}
		})
	}
}

// TestParentKilled: children do not outlive their parent, and the next one
// wipes what they left.
func TestParentKilled(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("SKIPPED: children notice a dead parent at their next document only")
	}
	scratch := t.TempDir()
	cmd := exec.Command(executable(t), "sandbox-parent", scratch)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	pid := 0
	lines := bufio.NewScanner(out)
	for pid == 0 && lines.Scan() {
		_, _ = fmt.Sscanf(lines.Text(), "self: %d", &pid)
	}
	if pid == 0 || syscall.Kill(pid, 0) != nil {
		t.Fatalf("no child, process %d", pid)
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	for end := time.Now().Add(5 * time.Second); syscall.Kill(pid, 0) == nil && running(pid); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the child %d lives on", pid)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(scratch, "*", "*", "left-behind")); len(left) != 1 {
		t.Fatalf("expected the child's file to be left behind: %q", left)
	}
	c := sandbox.DefaultConfig()
	c.Scratch, c.Command = scratch, []string{executable(t)}
	p, err := sandbox.NewPool(c)
	if err != nil {
		t.Fatal(err)
	}
	if left, _ := filepath.Glob(filepath.Join(scratch, "*", "*", "left-behind")); len(left) != 0 {
		t.Errorf("left behind: %q", left)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}

// running tells whether a process is more than a zombie nobody has waited for.
func running(pid int) bool {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	return err == nil && !strings.Contains(string(status), "State:\tZ")
}

func TestScratchIsWiped(t *testing.T) {
	p := pool(t, nil)
	if _, text := look(t, p, "!scratch a\n!scratch b\n!left"); !strings.Contains(text, "left: 2 <nil>") {
		t.Errorf("scratch folder is not usable: %s", text)
	}
	if _, text := look(t, p, "!left"); !strings.Contains(text, "left: 0 <nil>") {
		t.Errorf("after the document: %s", text)
	}
}

func TestLargeDocument(t *testing.T) {
	p := pool(t, func(c *sandbox.Config) { c.Replay = 64 << 10; c.MaxSize = 8 << 20; c.Deadline = 20 * time.Second })
	text := strings.Repeat("0123456789abcde\n", 128<<10) // 2 MiB: over Replay and the child's memory
	for name, content := range map[string]io.Reader{
		"stream": io.MultiReader(strings.NewReader(text)), "file": strings.NewReader(text),
	} {
		r, err := p.Inspect(context.Background(), inspect.Document{Name: name, Size: -1, Content: content})
		if err != nil || r.Status != inspect.OK || r.Bytes != 2<<20 || r.Chars != 2<<20 {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
	for _, size := range []int64{-1, 9 << 20} {
		r, err := p.Inspect(context.Background(), inspect.Document{
			Name: "endless", Size: size, Content: io.LimitReader(zeros{}, 9<<20),
		})
		if err != nil || r.Status != inspect.Limit || r.Gaps[0].Detail != "size" {
			t.Errorf("9 MiB with a limit of 8, told %d: %+v, %v", size, r, err)
		}
	}
	// A crash of what cannot be sent again is a gap all the same.
	r, err := p.Inspect(context.Background(), inspect.Document{
		Name: "crash", Content: io.MultiReader(strings.NewReader("!exit\n"), strings.NewReader(text)),
	})
	if err != nil || r.Status != inspect.Crashed {
		t.Errorf("crash: %+v, %v", r, err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestContentFails(t *testing.T) {
	p := pool(t, func(c *sandbox.Config) { c.Replay = 1 << 10 })
	broken := errors.New("connection lost")
	for _, good := range []int{0, 100, 300 << 10} {
		content := io.MultiReader(bytes.NewReader(make([]byte, good)), iotest.ErrReader(broken))
		if _, err := p.Inspect(context.Background(), inspect.Document{Content: content}); !errors.Is(err, broken) {
			t.Errorf("after %d bytes: %v", good, err)
		}
		if r, _ := look(t, p, "FOUND"); r.Status != inspect.OK {
			t.Errorf("the next document: %+v", r)
		}
	}
}

func TestCancel(t *testing.T) {
	p := pool(t, func(c *sandbox.Config) { c.Deadline = time.Minute })
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	started := time.Now()
	_, err := p.Inspect(ctx, inspect.Document{Content: strings.NewReader("!sleep")})
	if !errors.Is(err, context.DeadlineExceeded) || time.Since(started) > 5*time.Second {
		t.Errorf("after %v: %v", time.Since(started), err)
	}
}

func TestBuildRefuses(t *testing.T) {
	p := pool(t, func(c *sandbox.Config) { c.Settings = []byte(`"refuse"`) })
	if _, err := p.Protections(context.Background()); err == nil || !strings.Contains(err.Error(), "no dictionary") {
		t.Errorf("got %v", err)
	}
	p = pool(t, func(c *sandbox.Config) { c.Command = []string{"/does/not/exist"} })
	if _, err := p.Inspect(context.Background(), inspect.Document{Content: strings.NewReader("x")}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func TestConcurrent(t *testing.T) {
	p := pool(t, func(c *sandbox.Config) { c.Size = 2 })
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 25 {
				want := (i + j) % 5
				r, err := p.Inspect(context.Background(), inspect.Document{
					Content: strings.NewReader(strings.Repeat("FOUND\n", want)),
				})
				if err != nil || len(r.Content.Evidence) != want {
					t.Errorf("got %d of %d, %v", len(r.Content.Evidence), want, err)
				}
			}
		})
	}
	wg.Wait()
}

// TestRealDocuments: the PDF engine runs behind the walls, from compiled code
// it can read and not write, and tesseract does where programs are allowed.
func TestRealDocuments(t *testing.T) {
	behind := func(programs bool) *sandbox.Pool {
		return pool(t, func(c *sandbox.Config) {
			c.Settings, c.Cache = []byte(`"real"`), pdfCache(t)
			c.Programs, c.Deadline = programs, 30*time.Second
		})
	}
	read := func(p *sandbox.Pool, name string, ocr inspect.OCR) (inspect.Result, string) {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		var text strings.Builder
		r, err := p.Inspect(t.Context(), inspect.Document{
			Name: filepath.Base(name), Size: -1, Content: f, OCR: ocr,
			Text: func(part inspect.TextPart) error { text.WriteString(part.Text); return nil },
		})
		if err != nil {
			t.Fatal(err)
		}
		return r, text.String()
	}
	plain := behind(false)
	r, text := read(plain, "../extract/pdf/testdata/letter/input.pdf", inspect.OCRDefer)
	if r.Status != inspect.OK || !strings.Contains(text, "19850709-2388") {
		t.Errorf("a letter: %+v\n%s", r, text)
	}
	// The second document must not pay for the compiler again.
	started := time.Now()
	if r, _ := read(plain, "../extract/pdf/testdata/letter/input.pdf", inspect.OCRDefer); r.Status != inspect.OK || time.Since(started) > time.Second {
		t.Errorf("the second letter: %v after %v", r.Status, time.Since(started))
	}
	if r, _ := read(plain, "../extract/pdf/testdata/scan/input.pdf", inspect.OCRDefer); r.PendingOCR != 2 || r.Status != inspect.Partial {
		t.Errorf("a scan waits for recognition: %+v", r)
	}
	if r, _ := read(plain, "../extract/pdf/testdata/scan/input.pdf", inspect.OCRScans); r.Status != inspect.Partial || r.Gaps[0].Reason != "no-ocr" {
		t.Errorf("a scan where no program may start: %+v", r)
	}
	if _, _, err := picture.Installed(t.Context(), picture.DefaultConfig()); err != nil {
		t.Skipf("SKIPPED: %v: apt-get install tesseract-ocr tesseract-ocr-swe", err)
	}
	r, text = read(behind(true), "testdata/scanned.pdf", inspect.OCRScans)
	if r.Status != inspect.OK || !strings.Contains(text, "19850709-2388") {
		t.Errorf("a scan: %+v\n%s", r, text)
	}
}

// BenchmarkPool is the cost of a document over that of its inspection: it
// must stay below a millisecond.
func BenchmarkPool(b *testing.B) {
	for _, size := range []int{1 << 10, 64 << 10, 1 << 20} {
		b.Run(fmt.Sprintf("%dKiB", size>>10), func(b *testing.B) {
			p := pool(b, func(c *sandbox.Config) { c.Size = 2 })
			text := strings.Repeat("x", size)
			if _, err := p.Protections(context.Background()); err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(size))
			b.SetParallelism(2)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					_, err := p.Inspect(context.Background(), inspect.Document{Size: int64(size), Content: strings.NewReader(text)})
					if err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}
