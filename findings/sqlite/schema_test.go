package sqlite_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/molnvakt/molnvakt/findings"
	"github.com/molnvakt/molnvakt/findings/sqlite"
)

// For each version of the schema testdata holds a register that was written
// with it, sealed with testdata/register.key, a key for nothing else.
// MOLNVAKT_WRITE_SCHEMA=1 writes the one of the newest version.
func TestEveryOldRegisterOpens(t *testing.T) {
	key := testKey(t)
	files, err := filepath.Glob("schema/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatalf("no schema, error %v", err)
	}
	for n := range files {
		old := fmt.Sprintf("testdata/register-%04d.db.gz", n+1)
		t.Run(filepath.Base(old), func(t *testing.T) {
			if n == len(files)-1 && os.Getenv("MOLNVAKT_WRITE_SCHEMA") != "" {
				writeRegister(t, old, key)
			}
			path := filepath.Join(t.TempDir(), "register.db")
			unzip(t, old, path)
			goesOn(t, path, key)
		})
	}
}

func testKey(t *testing.T) findings.Key {
	t.Helper()
	text, err := os.ReadFile("testdata/register.key")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	key, err := findings.LoadKey(path)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func unzip(t *testing.T, from, to string) {
	t.Helper()
	f, err := os.Open(from)
	if err != nil {
		t.Fatalf("%v: write it with MOLNVAKT_WRITE_SCHEMA=1 before the next version is begun", err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// writeRegister makes a register with something of everything: five documents
// with findings, one of them decided, one crawled and not read.
func writeRegister(t *testing.T, to string, key findings.Key) {
	t.Helper()
	folder := t.TempDir()
	path, packed := filepath.Join(folder, "register.db"), filepath.Join(folder, "packed.db")
	db := open(t, path, key, sqlite.Options{})
	crawl(t, db, 5)
	ids := key.Subkey("ids")
	if err := workAll(t.Context(), db, ids, 1, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Decide(t.Context(), findings.Decision{
		Finding: findings.NewID(ids, "src", "id0", "kansligt"), From: findings.Open, To: findings.FalsePositive, Role: findings.Officer, By: "officer",
	}); err != nil {
		t.Fatal(err)
	}
	crawl(t, db, 6)
	db.Close()
	if _, err := plain(t, path).Exec("VACUUM INTO ?", packed); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(packed)
	if err != nil {
		t.Fatal(err)
	}
	var zipped bytes.Buffer
	z, _ := gzip.NewWriterLevel(&zipped, gzip.BestCompression)
	if _, err := z.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, zipped.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// goesOn checks that an old register can be read, and then scanned on.
func goesOn(t *testing.T, path string, key findings.Key) {
	t.Helper()
	r := open(t, path, key, sqlite.Options{ReadOnly: true}) // brings it up to date
	byStatus := map[findings.Status]int{}
	for f, err := range r.Findings(t.Context(), findings.Filter{}) {
		if err != nil {
			t.Fatal(err)
		}
		byStatus[f.Status]++
		if len(f.Verdict.Evidence) != 1 || f.Verdict.Evidence[0].Masked != canary || f.Exposure == nil {
			t.Errorf("evidence %+v", f.Verdict.Evidence)
		}
	}
	if byStatus[findings.Open] != 4 || byStatus[findings.FalsePositive] != 1 {
		t.Errorf("findings %v", byStatus)
	}
	db := open(t, path, key, sqlite.Options{})
	ids := key.Subkey("ids")
	read := 0
	if err := workAll(t.Context(), db, ids, 2, func(findings.Task) { read++ }); err != nil {
		t.Fatal(err)
	}
	if read != 1 {
		t.Errorf("%d documents were waiting, want 1", read)
	}
	c, err := db.Coverage(t.Context(), findings.Filter{})
	if err != nil || c.Read != 6 {
		t.Errorf("coverage %+v, error %v", c, err)
	}
	events := 0
	for _, err := range db.Events(t.Context(), findings.Filter{}) {
		if err != nil {
			t.Fatal(err)
		}
		events++
	}
	if events < 8 {
		t.Errorf("%d events", events)
	}
}
