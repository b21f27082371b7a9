package sdk

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/molnvakt/molnvakt/sources"
	"github.com/molnvakt/molnvakt/sources/graph"
	"github.com/molnvakt/molnvakt/sources/graph/graphtest"
)

// benchmarks skips unless MOLNVAKT_BENCH is set, as `make bench` does.
func benchmarks(t *testing.T) {
	t.Helper()
	if os.Getenv("MOLNVAKT_BENCH") == "" {
		t.Skip("SKIPPED: a measurement; MOLNVAKT_BENCH=1 runs it")
	}
}

// served is a tenant in a process of its own, so that what the client uses is
// the client's alone.
type served struct {
	Config graph.Config
	Drive  string
	ask    func(command string) string
}

// serveApart starts this test binary again as a tenant with n items, a tenth
// of them folders' worth of ten.
func serveApart(t *testing.T, n int, latency time.Duration) served {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestServe$", "-test.v")
	cmd.Env = append(os.Environ(), "MOLNVAKT_SERVE="+strconv.Itoa(n), "MOLNVAKT_LATENCY="+latency.String(), "MOLNVAKT_DIR="+t.TempDir())
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); cmd.Wait() })
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	next := func() string {
		for lines.Scan() {
			if text, ok := strings.CutPrefix(lines.Text(), "SERVED "); ok {
				return text
			}
		}
		t.Fatal("the tenant's process ended")
		return ""
	}
	var s served
	if err := json.Unmarshal([]byte(next()), &s); err != nil {
		t.Fatal(err)
	}
	s.ask = func(command string) string {
		fmt.Fprintln(in, command)
		return next()
	}
	return s
}

// TestServe is the tenant's process.
func TestServe(t *testing.T) {
	n, err := strconv.Atoi(os.Getenv("MOLNVAKT_SERVE"))
	if err != nil {
		t.Skip("SKIPPED: only a process of another test")
	}
	latency, _ := time.ParseDuration(os.Getenv("MOLNVAKT_LATENCY"))
	tenant, drive := oneDrive(t, graphtest.Options{PageSize: 1000, Latency: latency})
	for i := range n {
		drive.PutFile(fmt.Sprintf("avdelning %d/ärende %05d/handling %07d.docx", i/1000, i/20, i), graphtest.File{Size: 1000, Hash: "AAAAAAAAAAAAAAAAAAAAAAAAAAA=", Owner: "anna.andersson@kommun.example"})
	}
	config, err := tenant.Config(os.Getenv("MOLNVAKT_DIR"))
	if err != nil {
		t.Fatal(err)
	}
	text, _ := json.Marshal(served{Config: config, Drive: drive.ID})
	fmt.Println("SERVED " + string(text))
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		if name, ok := strings.CutPrefix(lines.Text(), "fault "); ok {
			tenant.Heal()
			f := listingFaults()[name]
			f.Match, f.Skip, f.Times = graphtest.Path("token="), 5, 1
			tenant.Inject(f)
			fmt.Println("SERVED done")
			continue
		}
		switch lines.Text() {
		case "change": // 1,000 edits
			for i := range 1000 {
				drive.PutFile(fmt.Sprintf("avdelning %d/ärende %05d/handling %07d.docx", i*(n/1000)/1000, i*(n/1000)/20, i*(n/1000)), graphtest.File{Size: 1001, Hash: "BAAAAAAAAAAAAAAAAAAAAAAAAAA="})
			}
			fmt.Println("SERVED done")
		case "rename": // a folder with 1,000 files
			drive.Rename("avdelning 1", "avdelning ett")
			fmt.Println("SERVED done")
		case "requests":
			all := tenant.Requests()
			graphs := 0
			for _, q := range all {
				if strings.HasPrefix(q.Path, "/v1.0") {
					graphs++
				}
			}
			fmt.Printf("SERVED %d\n", graphs)
			tenant.ForgetRequests()
		}
	}
}

// MarshalJSON keeps served free of its function.
func (s served) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]any{"Config": s.Config, "Drive": s.Drive})
}

func cpu() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// peak is the most memory this process has held, in MB.
func peak() int {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return int(u.Maxrss >> 10)
}

// TestMeasureMillion enumerates a drive of a million items, then rounds of it.
func TestMeasureMillion(t *testing.T) {
	benchmarks(t)
	const n = 1_000_000
	s := serveApart(t, n, 0)
	src, err := Open(s.Config, "1")
	if err != nil {
		t.Fatal(err)
	}
	scope := scopes(t, src)[0]
	s.ask("requests")
	var cursor sources.Cursor
	met := 0
	round := func(what string) {
		t.Helper()
		runtime.GC()
		met = 0
		start, used := time.Now(), cpu()
		err := src.Changes(t.Context(), scope, cursor, func(p sources.Page) error {
			met += len(p.Changes)
			cursor = p.Next
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %d changes, %v, CPU %v, peak RSS %d MB, %s requests, cursor %d kB", what, met,
			time.Since(start).Round(time.Millisecond), (cpu() - used).Round(time.Millisecond), peak(), s.ask("requests"), len(cursor)>>10)
	}
	round("1,000,000 items")
	if met != n {
		t.Errorf("%d items, want %d", met, n)
	}
	round("a round without changes")
	s.ask("change")
	round("a round with 1,000 edits")
	s.ask("rename")
	round("a folder of 1,000 files renamed")
	if met != 1000 {
		t.Errorf("%d items after the rename, want 1000", met)
	}
}

// TestMeasureRclone lists the same drive with this client and with rclone, if
// MOLNVAKT_RCLONE names one that knows --onedrive-delta.
func TestMeasureRclone(t *testing.T) {
	benchmarks(t)
	const n = 20_000
	s := serveApart(t, n, 30*time.Millisecond)
	src, err := Open(s.Config, "1")
	if err != nil {
		t.Fatal(err)
	}
	scope := sources.Scope{ID: sources.ScopeID(s.Drive), Path: "x"}
	for range 3 {
		met := 0
		start := time.Now()
		if err := src.Changes(t.Context(), scope, "", func(p sources.Page) error { met += len(p.Changes); return nil }); err != nil {
			t.Fatal(err)
		}
		t.Logf("molnvakt: %d items, %v, %s requests", met, time.Since(start).Round(time.Millisecond), s.ask("requests"))
		if met != n {
			t.Errorf("%d items, want %d", met, n)
		}
	}
	rclone := os.Getenv("MOLNVAKT_RCLONE")
	if rclone == "" {
		t.Skip("SKIPPED: MOLNVAKT_RCLONE names no rclone to compare with")
	}
	for range 3 {
		start := time.Now()
		met := listWithRclone(t, rclone, s)
		t.Logf("rclone: %d items, %v, %s requests", met, time.Since(start).Round(time.Millisecond), s.ask("requests"))
	}
}

// listingFaults are what can happen to one page of a listing.
func listingFaults() map[string]graphtest.Fault {
	return map[string]graphtest.Fault{
		"a reset":            {Before: graphtest.Reset},
		"truncated JSON":     {After: graphtest.Truncate},
		"an empty page":      {Before: graphtest.Status(200, `{"value":[]}`)},
		"an empty object":    {Before: graphtest.Status(200, `{}`)},
		"an error in a 200":  {Before: graphtest.Status(200, `{"error":{"code":"generalException","message":"x"}}`)},
		"an expired link":    {Before: graphtest.Status(410, `{"error":{"code":"resyncRequired","message":"Resync required."}}`)},
		"429 for a second":   {Before: graphtest.Status(429, `{"error":{"code":"activityLimitReached","message":"x"}}`, "Retry-After", "1")},
		"503 without a word": {Before: graphtest.Status(503, "")},
	}
}

// TestMeasureFaults has one page of the listing fail, in each of several ways,
// and says how many of the items this client and rclone then list.
func TestMeasureFaults(t *testing.T) {
	benchmarks(t)
	const n = 20_000
	s := serveApart(t, n, 0)
	src, err := Open(s.Config, "1")
	if err != nil {
		t.Fatal(err)
	}
	rclone := os.Getenv("MOLNVAKT_RCLONE")
	for _, name := range slices.Sorted(maps.Keys(listingFaults())) {
		s.ask("fault " + name)
		r := newRegister()
		r.crawl(t, src)
		theirs := "not measured: MOLNVAKT_RCLONE is not set"
		if rclone != "" {
			s.ask("fault " + name)
			met, err := tryRclone(t, rclone, s)
			theirs = fmt.Sprintf("%d, says it failed: %v", met, err != nil)
		}
		t.Logf("%s: molnvakt %d of %d; rclone %s", name, len(r.items), n, theirs)
		if len(r.items) != n {
			t.Errorf("%s: %d items of %d", name, len(r.items), n)
		}
	}
}

// listWithRclone points rclone at the tenant through a proxy, since its
// addresses are fixed.
func listWithRclone(t *testing.T, rclone string, s served) int {
	t.Helper()
	met, err := tryRclone(t, rclone, s)
	if err != nil {
		t.Fatalf("rclone: %v", err)
	}
	return met
}

func tryRclone(t *testing.T, rclone string, s served) (int, error) {
	t.Helper()
	tokens, err := signIn(s.Config.Defaults(), mustBase(t, s.Config))
	if err != nil {
		t.Fatal(err)
	}
	token, err := tokens.token(t.Context(), "", false)
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(t.TempDir(), "rclone.conf")
	text, _ := json.Marshal(map[string]string{"access_token": token, "token_type": "Bearer", "expiry": "2099-01-01T00:00:00Z"})
	conf := fmt.Sprintf("[od]\ntype = onedrive\ntoken = %s\ndrive_id = %s\ndrive_type = documentLibrary\ndelta = true\n", text, s.Drive)
	if err := os.WriteFile(config, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), rclone, "--config", config, "--ca-cert", s.Config.CAFile, "lsf", "-R", "--fast-list", "--files-only", "od:")
	cmd.Env = append(os.Environ(), "HTTPS_PROXY="+proxyTo(t, strings.TrimSuffix(strings.TrimPrefix(s.Config.BaseURL, "https://"), "/v1.0")))
	out, err := cmd.Output()
	return strings.Count(string(out), "\n"), err
}
