package sqlite_test

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/molnvakt/molnvakt/findings"
	"github.com/molnvakt/molnvakt/findings/sqlite"
	"github.com/molnvakt/molnvakt/patterns"
	"github.com/molnvakt/molnvakt/policy"
	"github.com/molnvakt/molnvakt/sources"
)

func TestMain(m *testing.M) {
	if folder := os.Getenv("REGISTER_TEST_CHILD"); folder != "" {
		child(folder)
		return
	}
	goleak.VerifyTestMain(m)
}

func open(t *testing.T, path string, key findings.Key, o sqlite.Options) *sqlite.DB {
	t.Helper()
	db, err := sqlite.Open(t.Context(), path, key, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// plain opens the file as any SQLite program would.
func plain(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite3", "file:"+(&url.URL{Path: path}).EscapedPath())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

var rules = findings.Ruleset{Reading: "r1", Policy: "p1"}

func crawl(t testing.TB, db *sqlite.DB, n int) {
	t.Helper()
	if err := crawlAll(t.Context(), db, 0, n, 1000); err != nil {
		t.Fatal(err)
	}
}

// crawlAll crawls n items in pages; the cursor counts them.
func crawlAll(ctx context.Context, db *sqlite.DB, from, n, page int) error {
	return crawlFrom(ctx, db, false, from, n, page)
}

// crawlFresh crawls n items again from the beginning.
func crawlFresh(ctx context.Context, db *sqlite.DB, n, page int) error {
	return crawlFrom(ctx, db, true, 0, n, page)
}

func crawlFrom(ctx context.Context, db *sqlite.DB, fresh bool, from, n, page int) error {
	scan, err := db.BeginScan(ctx, "src", "m365", rules)
	if err != nil {
		return err
	}
	c, err := db.BeginCrawl(ctx, scan, sources.Scope{ID: "drive", Path: "Drive"}, fresh)
	if err != nil {
		return err
	}
	if c.Since != "" {
		if from, err = strconv.Atoi(string(c.Since)); err != nil {
			return err
		}
	}
	for ; from < n; from += page {
		var changes []sources.Change
		for i := from; i < min(n, from+page); i++ {
			changes = append(changes, sources.Change{Item: sources.Item{
				ID: sources.ItemID(fmt.Sprint("id", i)), Path: fmt.Sprintf("Drive/mapp %d/%06d.docx", i%100, i), Version: "1", Size: 30_000,
				ContentHash: fmt.Sprint("quickxor:", i), Modified: time.Unix(1_700_000_000, 0),
			}})
		}
		if err := db.SavePage(ctx, c, sources.Page{Changes: changes, Next: sources.Cursor(fmt.Sprint(min(n, from+page)))}); err != nil {
			return err
		}
	}
	return db.EndCrawl(ctx, c)
}

const canary = "19••••••-••12 kanariefågel"

// answer is a reading with a finding.
func answer(t findings.Task, ids []byte) findings.Record {
	evidence := []patterns.Evidence{{Pattern: "personnummer", Masked: canary, Place: "page 3", Fingerprint: strings.Repeat("ab", 16)}}
	return findings.Record{
		Task: t, Ruleset: rules,
		Reading: findings.Reading{Status: "ok", MediaType: "application/pdf", Extractor: "pdf", Bytes: t.Item.Size, Content: patterns.Content{People: 3, Evidence: evidence}},
		Judgment: findings.Judgment{
			Document: findings.Document{Class: policy.K3, Outcome: policy.Forbidden}, Conclusive: true,
			Findings: []findings.Finding{{
				ID: findings.NewID(ids, t.Source, t.Item.ID, "kansligt"), People: 3,
				Verdict: policy.Verdict{Rule: "kansligt", Outcome: policy.Forbidden, Severity: policy.High, Class: policy.K3, Categories: []patterns.Category{patterns.Health}, Evidence: evidence},
			}},
		},
		Exposure: &sources.Exposure{Grants: []sources.Grant{{To: sources.Guest, Name: "kanariefågel@exempel.se"}}},
	}
}

func workAll(ctx context.Context, db *sqlite.DB, ids []byte, workers int, one func(findings.Task)) error {
	done := make(chan struct{})
	close(done)
	return db.Work(ctx, findings.Workers{Documents: workers, Until: done}, func(ctx context.Context, tasks []findings.Task) error {
		var records []findings.Record
		for _, t := range tasks {
			if one != nil {
				one(t)
			}
			records = append(records, answer(t, ids))
		}
		return db.Record(ctx, records)
	})
}

func TestNothingStandsInClear(t *testing.T) {
	folder := t.TempDir()
	key := findings.NewKey()
	db := open(t, filepath.Join(folder, "register.db"), key, sqlite.Options{})
	crawl(t, db, 20)
	if err := workAll(t.Context(), db, key.Subkey("ids"), 2, nil); err != nil {
		t.Fatal(err)
	}
	look := func() {
		t.Helper()
		files, err := os.ReadDir(folder)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			path := filepath.Join(folder, f.Name())
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for _, secret := range []string{"kanariefågel", "••", strings.Repeat("ab", 16)} {
				if bytes.Contains(text, []byte(secret)) {
					t.Errorf("%q stands in %s", secret, f.Name())
				}
			}
			if info, _ := f.Info(); runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
				t.Errorf("%s has mode %v", f.Name(), info.Mode())
			}
		}
	}
	look()
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	look()
}

// TestASealIsBoundToItsRow moves sealed evidence to another finding.
func TestASealIsBoundToItsRow(t *testing.T) {
	path := filepath.Join(t.TempDir(), "register.db")
	key := findings.NewKey()
	db := open(t, path, key, sqlite.Options{})
	crawl(t, db, 2)
	if err := workAll(t.Context(), db, key.Subkey("ids"), 1, nil); err != nil {
		t.Fatal(err)
	}
	db.Close()
	if _, err := plain(t, path).Exec("UPDATE finding SET sealed_evidence = (SELECT max(sealed_evidence) FROM finding)"); err != nil {
		t.Fatal(err)
	}
	db = open(t, path, key, sqlite.Options{})
	var errs []error
	for _, err := range db.Findings(t.Context(), findings.Filter{}) {
		errs = append(errs, err)
	}
	if !errors.Is(errors.Join(errs...), findings.ErrDamaged) {
		t.Errorf("errors %v", errs)
	}
}

func TestTheAuditTrailIsOnlyAddedTo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "register.db")
	crawl(t, open(t, path, findings.NewKey(), sqlite.Options{}), 1)
	for _, change := range []string{"UPDATE event SET by = 'x'", "DELETE FROM event"} {
		if _, err := plain(t, path).Exec(change); err == nil {
			t.Errorf("%s went through", change)
		}
	}
}

func TestTrouble(t *testing.T) {
	key := findings.NewKey()
	made := func(t *testing.T) string {
		path := filepath.Join(t.TempDir(), "register.db")
		db := open(t, path, key, sqlite.Options{})
		crawl(t, db, 3)
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, test := range []struct {
		name     string
		prepare  func(t *testing.T) string
		key      findings.Key
		readOnly bool
		want     error
	}{
		{"another key", made, findings.NewKey(), false, findings.ErrWrongKey},
		{"another key for reading", made, findings.NewKey(), true, findings.ErrWrongKey},
		{"no key", made, findings.Key{}, false, findings.ErrWrongKey},
		{"a newer schema", func(t *testing.T) string {
			path := made(t)
			if _, err := plain(t, path).Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)"); err != nil {
				t.Fatal(err)
			}
			return path
		}, key, false, findings.ErrNewer},
		{"a newer schema for reading", func(t *testing.T) string {
			path := made(t)
			if _, err := plain(t, path).Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)"); err != nil {
				t.Fatal(err)
			}
			return path
		}, key, true, findings.ErrNewer},
		{"not a database", func(t *testing.T) string {
			path := filepath.Join(t.TempDir(), "register.db")
			if err := os.WriteFile(path, bytes.Repeat([]byte("hej "), 5000), 0o600); err != nil {
				t.Fatal(err)
			}
			return path
		}, key, false, findings.ErrDamaged},
		{"damaged", func(t *testing.T) string {
			path := made(t)
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for i := 4096; i < len(text); i++ {
				text[i] = 0xa5
			}
			if err := os.WriteFile(path, text, 0o600); err != nil {
				t.Fatal(err)
			}
			return path
		}, key, false, findings.ErrDamaged},
		{"a folder that does not exist", func(t *testing.T) string { return filepath.Join(t.TempDir(), "no", "register.db") }, key, false, findings.ErrUnwritable},
		{"the path is a folder", func(t *testing.T) string { return t.TempDir() }, key, false, findings.ErrUnwritable},
		{"nothing to read", func(t *testing.T) string { return filepath.Join(t.TempDir(), "register.db") }, key, true, findings.ErrNotFound},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := test.prepare(t)
			db, err := sqlite.Open(t.Context(), path, test.key, sqlite.Options{ReadOnly: test.readOnly})
			if err == nil {
				db.Close()
			}
			if !errors.Is(err, test.want) {
				t.Fatalf("error %v, want %v", err, test.want)
			}
			if !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%v: want one line with the path", err)
			}
		})
	}
}

// TestFrequentQueriesUseIndexes: a partial index whose condition a query does
// not repeat is silently left out, and every document costs a pass over all.
func TestFrequentQueriesUseIndexes(t *testing.T) {
	db := open(t, filepath.Join(t.TempDir(), "register.db"), findings.NewKey(), sqlite.Options{})
	plans, err := db.Plans(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(plans) == 0 {
		t.Error("no queries")
	}
	for query, plan := range plans {
		pass := strings.Contains(query, "WHERE") && (strings.Contains(plan, "SCAN document") || strings.Contains(plan, "SCAN finding") || strings.Contains(plan, "SCAN d\n"))
		if pass || !strings.Contains(plan, "USING") || strings.Contains(plan, "TEMP B-TREE") {
			t.Errorf("%s\n%s", query, plan)
		}
	}
}

func TestAReadOnlyFolder(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("SKIPPED: root may write everywhere")
	}
	folder := t.TempDir()
	if err := os.Chmod(folder, 0o500); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.Open(t.Context(), filepath.Join(folder, "register.db"), findings.NewKey(), sqlite.Options{}); !errors.Is(err, findings.ErrUnwritable) {
		t.Errorf("error %v", err)
	}
}

func TestAFullDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "register.db")
	key := findings.NewKey()
	db := open(t, path, key, sqlite.Options{})
	crawl(t, db, 50)
	if err := db.Limit(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	err := crawlAll(t.Context(), db, 0, 100_000, 5000)
	if !errors.Is(err, findings.ErrFull) {
		t.Fatalf("error %v, want ErrFull", err)
	}
	err = db.Work(t.Context(), findings.Workers{Documents: 2}, func(ctx context.Context, tasks []findings.Task) error {
		return errors.New("worked although nothing can be noted")
	})
	if err == nil {
		t.Error("Work ended well on a full disk")
	}
	db.Close()
	db = open(t, path, key, sqlite.Options{})
	if w, err := db.Waiting(t.Context()); err != nil || w.Documents != 50 {
		t.Errorf("%+v wait, error %v: what was recorded must still be there", w, err)
	}
	if err := workAll(t.Context(), db, key.Subkey("ids"), 2, nil); err != nil {
		t.Errorf("after there is room again: %v", err)
	}
}

// TestADiskThatFillsMeanwhile: the work ends soon, with the reason, and goes
// on when there is room.
func TestADiskThatFillsMeanwhile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "register.db")
	key := findings.NewKey()
	db := open(t, path, key, sqlite.Options{})
	crawl(t, db, 2000)
	var full sync.Once
	recorded := 0
	began := time.Now()
	done := make(chan struct{})
	close(done)
	err := db.Work(t.Context(), findings.Workers{Documents: 1, Until: done}, func(ctx context.Context, tasks []findings.Task) error {
		full.Do(func() {
			if err := db.Limit(ctx, 20); err != nil {
				t.Error(err)
			}
		})
		var records []findings.Record
		for _, task := range tasks {
			records = append(records, answer(task, key.Subkey("ids")))
		}
		if err := db.Record(ctx, records); err != nil {
			return err
		}
		recorded += len(records)
		return nil
	})
	if !errors.Is(err, findings.ErrFull) {
		t.Errorf("error %v, want ErrFull", err)
	}
	if took := time.Since(began); took > 15*time.Second {
		t.Errorf("it took %v to end", took)
	}
	db.Close()
	db = open(t, path, key, sqlite.Options{})
	rest := 0
	if err := workAll(t.Context(), db, key.Subkey("ids"), 2, func(findings.Task) { rest++ }); err != nil {
		t.Fatal(err)
	}
	if recorded+rest != 2000 || recorded == 0 {
		t.Errorf("%d recorded before, %d after, want 2000 in all", recorded, rest)
	}
}

func TestOneWriterManyReaders(t *testing.T) {
	path := filepath.Join(t.TempDir(), "å ä?%&#.db")
	key := findings.NewKey()
	db := open(t, path, key, sqlite.Options{})
	if _, err := sqlite.Open(t.Context(), path, key, sqlite.Options{}); !errors.Is(err, findings.ErrLocked) {
		t.Errorf("a second writer: %v", err)
	}
	crawl(t, db, 300)
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for range 3 {
		r := open(t, path, key, sqlite.Options{ReadOnly: true})
		wg.Go(func() {
			for {
				for _, err := range r.Findings(t.Context(), findings.Filter{}) {
					if err != nil {
						t.Error(err)
					}
				}
				if _, err := r.Coverage(t.Context(), findings.Filter{}); err != nil {
					t.Error(err)
				}
				select {
				case <-stop:
					return
				default:
				}
			}
		})
	}
	err := workAll(t.Context(), db, key.Subkey("ids"), 4, nil)
	close(stop)
	wg.Wait()
	if err != nil {
		t.Error(err)
	}
	r := open(t, path, key, sqlite.Options{ReadOnly: true})
	n := 0
	for range r.Findings(t.Context(), findings.Filter{}) {
		n++
	}
	if n != 300 {
		t.Errorf("a reader sees %d findings, want 300", n)
	}
	_, err = r.BeginScan(t.Context(), "src", "m365", rules)
	if !errors.Is(err, findings.ErrUnwritable) {
		t.Errorf("a reader wrote: %v", err)
	}
	if err := r.Work(t.Context(), findings.Workers{}, nil); !errors.Is(err, findings.ErrUnwritable) {
		t.Errorf("a reader worked: %v", err)
	}
}

const childDocuments = 1500

// child crawls and works until it is killed, telling what it recorded.
func child(folder string) {
	ctx := context.Background()
	key, err := findings.LoadKey(filepath.Join(folder, "key"))
	if err != nil {
		panic(err)
	}
	db, err := sqlite.Open(ctx, filepath.Join(folder, "register.db"), key, sqlite.Options{})
	if err != nil {
		panic(err)
	}
	crawled := make(chan struct{})
	go func() {
		defer close(crawled)
		if err := crawlAll(ctx, db, 0, childDocuments, 10); err != nil {
			panic(err)
		}
	}()
	out := bufio.NewWriter(os.Stdout)
	var mu sync.Mutex
	err = db.Work(ctx, findings.Workers{Documents: 4, Until: crawled}, func(ctx context.Context, tasks []findings.Task) error {
		for _, t := range tasks {
			if err := db.Record(ctx, []findings.Record{answer(t, key.Subkey("ids"))}); err != nil {
				return err
			}
			mu.Lock()
			fmt.Fprintln(out, t.Item.ID)
			out.Flush()
			mu.Unlock()
		}
		return nil
	})
	if err != nil {
		panic(err)
	}
	fmt.Println("end")
}

// TestKilled kills a process in the middle of crawl and work, again and again,
// until one comes through: nothing it said was recorded is read again, and
// nothing is lost.
func TestKilled(t *testing.T) {
	folder := t.TempDir()
	if _, err := findings.CreateKey(filepath.Join(folder, "key")); err != nil {
		t.Fatal(err)
	}
	told := map[string]int{}
	kills := 0
	for round := range 50 {
		if runChild(t, folder, told, 40+round*80) {
			break
		}
		kills++
		report(t, folder) // the register is read before anybody tidies up
	}
	if kills < 3 {
		t.Errorf("killed %d times only: the test proves little", kills)
	}
	for id, n := range told {
		if n > 1 {
			t.Errorf("%s was read again although it was recorded", id)
		}
	}
	key, err := findings.LoadKey(filepath.Join(folder, "key"))
	if err != nil {
		t.Fatal(err)
	}
	db := open(t, filepath.Join(folder, "register.db"), key, sqlite.Options{})
	c, err := db.Coverage(t.Context(), findings.Filter{})
	if err != nil || c.Documents != childDocuments || c.Read != childDocuments {
		t.Errorf("coverage %+v, error %v", c, err)
	}
	n := 0
	for _, err := range db.Findings(t.Context(), findings.Filter{Statuses: []findings.Status{findings.Open}}) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if n != childDocuments {
		t.Errorf("%d findings, want %d", n, childDocuments)
	}
	t.Logf("killed %d times", kills)
}

func report(t *testing.T, folder string) {
	t.Helper()
	key, err := findings.LoadKey(filepath.Join(folder, "key"))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, "register.db")
	if err := os.Remove(path + "-shm"); err != nil { // as a copy or a backup would be
		t.Fatal(err)
	}
	r := open(t, path, key, sqlite.Options{ReadOnly: true})
	defer r.Close()
	if c, err := r.Coverage(t.Context(), findings.Filter{}); err != nil || c.Read == 0 {
		t.Errorf("after a kill a reader sees %+v, error %v", c, err)
	}
}

// runChild runs a process and kills it after it has told lines; true when it
// came to its end before.
func runChild(t *testing.T, folder string, told map[string]int, lines int) bool {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), "REGISTER_TEST_CHILD="+folder)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := false
	n := 0
	for s := bufio.NewScanner(out); s.Scan(); {
		if s.Text() == "end" {
			ended = true
			break
		}
		told[s.Text()]++
		if n++; n == lines {
			cmd.Process.Kill() // SIGKILL; what stands in the pipe is still read
		}
	}
	err = cmd.Wait()
	if ended != (err == nil) {
		t.Fatalf("ended %v, error %v", ended, err)
	}
	return ended
}
