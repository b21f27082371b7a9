package main

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/molnvakt/molnvakt/sources/graph/graphtest"
)

// molnvakt returns the program: the test binary under the name by which it
// knows that it is not to run tests.
func molnvakt(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "molnvakt")
	if os.Link(os.Args[0], name) == nil {
		return name
	}
	from, err := os.Open(os.Args[0])
	check(t, err)
	defer from.Close()
	to, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY, 0o755)
	check(t, err)
	_, err = io.Copy(to, from)
	check(t, err)
	check(t, to.Close())
	return name
}

// share makes a folder of n documents, every seventh of them misplaced. The
// numbers are Skatteverket's test numbers.
func share(t testing.TB, n int) string {
	t.Helper()
	dir := t.TempDir()
	for i := range n {
		text := fmt.Sprintf("Protokoll %d. Mötet öppnades och dagordningen godkändes.", i)
		if i%7 == 0 {
			text = "Läkarintyg för Alva Lind, personnummer 20120901-2390. Patienten är sjukskriven för utmattningssyndrom."
		}
		file := filepath.Join(dir, fmt.Sprint("avdelning ", i%10), fmt.Sprintf("%04d.txt", i))
		check(t, os.MkdirAll(filepath.Dir(file), 0o755))
		check(t, os.WriteFile(file, []byte(text), 0o644))
	}
	return dir
}

// outcome is what a scan leaves, without what differs from run to run and from
// key to key.
func outcome(t *testing.T, program, data, dir string) map[string]string {
	t.Helper()
	all := endState(t, program, "scan", dir, "--data", data, "--count-test-numbers")
	maps.DeleteFunc(all, func(key, _ string) bool { return strings.HasPrefix(key, "finding ") })
	return all
}

// endState is what a scan that is not disturbed leaves: every document, every
// finding by its id, every gap.
func endState(t *testing.T, program string, args ...string) map[string]string {
	t.Helper()
	cmd := exec.Command(program, append(args, "--format", "json")...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() != exitFindings {
		t.Fatalf("scan: %v\n%s", err, out)
	}
	var report struct {
		Documents []struct{ Path, Status, Verdict, Class string }
		Findings  []struct{ ID, Path, Status string }
		Gaps      []struct{ Path, Reason string }
		Coverage  struct{ Documents, Read, Waiting int }
	}
	check(t, json.Unmarshal(out, &report))
	if report.Coverage.Waiting != 0 {
		t.Errorf("%d documents still wait", report.Coverage.Waiting)
	}
	all := map[string]string{}
	for _, d := range report.Documents {
		all[d.Path] = d.Status + d.Verdict + d.Class
	}
	for _, f := range report.Findings {
		all[f.Path] += " " + f.Status
		all["finding "+f.ID] += f.Path + f.Status
	}
	for _, g := range report.Gaps {
		all[g.Path] += " gap " + g.Reason
	}
	return all
}

// kills is how often TestKilledAnywhere kills, in all; MOLNVAKT_KILLS=50 for
// the whole of it.
func kills(t *testing.T) int {
	t.Helper()
	text := os.Getenv("MOLNVAKT_KILLS")
	if text == "" {
		return 10
	}
	n, err := strconv.Atoi(text)
	check(t, err)
	return n
}

// TestKilledAnywhere kills scans of a folder and of a simulated tenant with
// SIGKILL at random moments and compares what is known in the end with what an
// undisturbed scan knows. Every fifth kill a new database is begun, so that
// first scans are killed as well as those that go on.
func TestKilledAnywhere(t *testing.T) {
	program, n := molnvakt(t), kills(t)
	t.Run("folder", func(t *testing.T) {
		dir := share(t, 300)
		check(t, os.WriteFile(filepath.Join(dir, "trasig.zip"), []byte("PK\x03\x04 no archive"), 0o644))
		check(t, syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o644))
		killedAnywhere(t, program, n/2, 302, "scan", dir, "--count-test-numbers")
	})
	t.Run("tenant", func(t *testing.T) {
		tenant, err := graphtest.New(graphtest.Options{PageSize: 20, Latency: 3 * time.Millisecond})
		check(t, err)
		defer tenant.Close()
		for d := range 3 {
			drive := tenant.AddSite(graphtest.SiteSpec{Title: fmt.Sprint("Förvaltning ", d)}).AddDrive(graphtest.DriveSpec{Name: "Dokument"})
			for i := range 60 {
				text := fmt.Sprintf("Protokoll %d. Mötet öppnades och dagordningen godkändes.", i)
				if i%5 == 0 {
					text = fmt.Sprintf("Läkarintyg %d för Alva Lind, personnummer 20120901-2390. Patienten är sjukskriven för utmattningssyndrom.", i)
				}
				drive.Put(fmt.Sprintf("Mapp %d/%02d.txt", i%4, i), []byte(text))
			}
			drive.PutFile("Virus.txt", graphtest.File{Content: []byte("x"), Malware: true, Refuse: "403 html"})
		}
		killedAnywhere(t, program, n-n/2, 183, "scan", "--config", tenantConfig(t, tenant, nil))
	})
}

func killedAnywhere(t *testing.T, program string, kills, documents int, args ...string) {
	undisturbed := t.TempDir()
	began := time.Now()
	want := endState(t, program, append(args, "--data", undisturbed)...)
	took := time.Since(began)
	met := 0
	for key := range want {
		if !strings.HasPrefix(key, "finding ") {
			met++
		}
	}
	if met != documents || met == len(want) {
		t.Fatalf("the undisturbed scan knows %d documents and gaps and %d findings, want %d and some", met, len(want)-met, documents)
	}
	key, err := os.ReadFile(filepath.Join(undisturbed, "molnvakt.key"))
	check(t, err)
	random := rand.New(rand.NewPCG(1, 2))
	var data string
	for i := range kills {
		if i%5 == 0 {
			data = t.TempDir()
			check(t, os.WriteFile(filepath.Join(data, "molnvakt.key"), key, 0o600)) // the same ids
		}
		cmd := exec.Command(program, append(args, "--data", data)...)
		check(t, cmd.Start())
		time.Sleep(time.Duration(random.Int64N(int64(took))))
		_ = cmd.Process.Kill() // it may have ended
		_ = cmd.Wait()
		if i%5 == 4 || i == kills-1 {
			compare(t, endState(t, program, append(args, "--data", data)...), want)
		}
	}
}

// TestAMountThatVanishes: a folder that is suddenly empty resolves nothing, and
// the program says what to do.
func TestAMountThatVanishes(t *testing.T) {
	program, parent, data := molnvakt(t), t.TempDir(), t.TempDir()
	mount, away := filepath.Join(parent, "mnt"), filepath.Join(parent, "away")
	check(t, os.Rename(share(t, 7), mount))
	say := demand{t, program}
	scan := []string{"scan", mount, "--data", data, "--count-test-numbers"}
	say.exits(exitFindings, []string{"1 dokument ligger fel"}, scan...)
	check(t, os.Rename(mount, away))
	check(t, os.Mkdir(mount, 0o755))
	say.exits(exitError, []string{"helt tom", "Inget räknas som åtgärdat", "monterad", "1 dokument ligger fel"}, scan...)
	check(t, os.Remove(mount))
	check(t, os.Rename(away, mount))
	say.exits(exitFindings, []string{"1 dokument ligger fel"}, scan...)
}

// TestInterruptedOnce ends a scan with Ctrl-C: it says so, and the next scan
// goes on.
func TestInterruptedOnce(t *testing.T) {
	program, dir, data := molnvakt(t), share(t, 400), t.TempDir()
	var stderr strings.Builder
	cmd := exec.Command(program, "scan", dir, "--data", data, "--count-test-numbers")
	cmd.Stderr = &stderr
	check(t, cmd.Start())
	time.Sleep(700 * time.Millisecond)
	check(t, cmd.Process.Signal(os.Interrupt))
	err := cmd.Wait()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != exitError && exit.ExitCode() != exitFindings {
		t.Fatalf("after Ctrl-C: %v\n%s", err, stderr.String())
	}
	if exit.ExitCode() == exitError && !strings.Contains(stderr.String(), "fortsätter där den här slutade") {
		t.Errorf("after Ctrl-C it says %q", stderr.String())
	}
	compare(t, outcome(t, program, data, dir), outcome(t, program, t.TempDir(), dir))
}

// TestInterruptedTwice ends the program at once.
func TestInterruptedTwice(t *testing.T) {
	program, dir, data := molnvakt(t), share(t, 2000), t.TempDir()
	cmd := exec.Command(program, "scan", dir, "--data", data, "--count-test-numbers")
	check(t, cmd.Start())
	time.Sleep(600 * time.Millisecond)
	_ = cmd.Process.Signal(os.Interrupt)
	time.Sleep(10 * time.Millisecond)
	_ = cmd.Process.Signal(os.Interrupt)
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	select {
	case <-done:
	case <-time.After(5 * time.Second):
		_ = cmd.Process.Kill()
		t.Fatal("still running 5 s after the second Ctrl-C")
	}
	if got := outcome(t, program, data, dir); len(got) != 2000 {
		t.Errorf("the next scan knows %d documents, want 2000", len(got))
	}
}

// TestOneScanAtATime: a second scan of the same database says why it ends; a
// report does not have to wait.
func TestOneScanAtATime(t *testing.T) {
	program, dir, data := molnvakt(t), share(t, 3000), t.TempDir()
	first := exec.Command(program, "scan", dir, "--data", data, "--count-test-numbers")
	check(t, first.Start())
	defer func() { _ = first.Process.Kill(); _ = first.Wait() }()
	waitFor(t, func() bool { _, err := os.Stat(filepath.Join(data, "molnvakt.db-wal")); return err == nil })
	out, err := exec.Command(program, "scan", dir, "--data", data).CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != exitError || !strings.Contains(string(out), "används av en annan körning") {
		t.Errorf("the second scan: %v\n%s", err, out)
	}
	out, err = exec.Command(program, "report", "--data", data, "--format", "json").CombinedOutput()
	if errors.As(err, &exit) && exit.ExitCode() == exitError {
		t.Errorf("a report beside a scan: %v\n%s", err, out)
	}
}

// TestFullDisk fills the disk under the database.
func TestFullDisk(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("SKIPPED: only root can make the small disk that this test fills")
	}
	data := t.TempDir()
	if err := syscall.Mount("tmpfs", data, "tmpfs", 0, "size=24m"); err != nil {
		t.Skipf("SKIPPED: no small disk can be mounted here: %v", err)
	}
	defer func() { check(t, syscall.Unmount(data, 0)) }()
	program, dir := molnvakt(t), share(t, 3000)
	filler := filepath.Join(data, "filler")
	first := exec.Command(program, "scan", dir, "--data", data, "--count-test-numbers")
	if _, err := first.CombinedOutput(); err == nil {
		t.Error("the first scan found nothing misplaced")
	}
	full(t, filler)
	more := share(t, 3000)
	out, err := exec.Command(program, "scan", more, "--data", data, "--count-test-numbers").CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != exitError || !strings.Contains(string(out), "full") {
		t.Errorf("on a full disk: %v\n%s", err, out)
	}
	check(t, os.Remove(filler))
	check(t, syscall.Mount("tmpfs", data, "tmpfs", syscall.MS_REMOUNT, "size=256m"))
	if got := outcome(t, program, data, more); len(got) != 3000 {
		t.Errorf("with space again: %d documents, want 3000", len(got))
	}
}

// full writes a file until the disk is full.
func full(t *testing.T, name string) {
	f, err := os.Create(name)
	check(t, err)
	defer f.Close()
	block := make([]byte, 1<<16)
	for size := len(block); size > 0; {
		if _, err := f.Write(block[:size]); err != nil {
			size /= 2
		}
	}
}

func compare(t *testing.T, got, want map[string]string) {
	t.Helper()
	for path, w := range want {
		if got[path] != w {
			t.Errorf("%s: %q, want %q", path, got[path], w)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d documents, want %d", len(got), len(want))
	}
}

func waitFor(t *testing.T, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("waited too long")
		}
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestADatabaseOfANewerVersion is refused, and left as it is.
func TestADatabaseOfANewerVersion(t *testing.T) {
	say, dir, data := demand{t, molnvakt(t)}, share(t, 3), t.TempDir()
	say.exits(exitFindings, nil, "scan", dir, "--data", data)
	file := filepath.Join(data, "molnvakt.db")
	db, err := sql.Open("sqlite3", file)
	check(t, err)
	_, err = db.Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)")
	check(t, err)
	check(t, db.Close())
	say.exits(exitError, []string{"nyare version", "--data"}, "scan", dir, "--data", data)
	say.exits(exitError, []string{"nyare version"}, "report", "--data", data)
}
