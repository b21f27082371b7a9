package sqlite_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/molnvakt/molnvakt/findings"
	"github.com/molnvakt/molnvakt/findings/sqlite"
)

// BenchmarkScan tells how many documents a second the register itself lets
// through: crawled, given out, recorded each with a finding, met again
// unchanged. MOLNVAKT_BENCH_DOCUMENTS sets how many there are.
func BenchmarkScan(b *testing.B) {
	n := 20_000
	if text := os.Getenv("MOLNVAKT_BENCH_DOCUMENTS"); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		scanOnce(b, n)
	}
	b.ReportMetric(0, "ns/op")
}

func scanOnce(b *testing.B, n int) {
	path := filepath.Join(b.TempDir(), "register.db")
	key := findings.NewKey()
	db, err := sqlite.Open(b.Context(), path, key, sqlite.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	rate := func(what string, do func() error) {
		began := time.Now()
		if err := do(); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(n)/time.Since(began).Seconds(), what+"/s")
	}
	rate("crawled", func() error { return crawlAll(b.Context(), db, 0, n, 1000) })
	rate("recorded", func() error { return workAll(b.Context(), db, key.Subkey("ids"), 4, nil) })
	rate("judged", func() error {
		var done []findings.Record
		for d, err := range db.Documents(b.Context(), findings.Filter{OtherPolicy: "p2"}) {
			if err != nil {
				return err
			}
			r := answer(findings.Task{Document: d.ID, Source: d.Source, Item: d.Item}, key.Subkey("ids"))
			r.Ruleset.Policy = "p2"
			if done = append(done, r); len(done) == 500 {
				if err := db.Rejudge(b.Context(), done); err != nil {
					return err
				}
				done = done[:0]
			}
		}
		return db.Rejudge(b.Context(), done)
	})
	rate("unchanged", func() error {
		_, err := db.Waiting(b.Context())
		if err != nil {
			return err
		}
		return recrawl(b, db, n)
	})
	took := func(what string, do func() error) {
		began := time.Now()
		if err := do(); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(time.Since(began).Microseconds())/1000, what+"-ms")
	}
	took("coverage", func() error { _, err := db.Coverage(b.Context(), findings.Filter{}); return err })
	took("first-finding", func() error {
		for _, err := range db.Findings(b.Context(), findings.Filter{}) {
			return err
		}
		return nil
	})
	took("document", func() error {
		_, err := db.Document(b.Context(), "src", fmt.Sprintf("Drive/mapp %d/%06d.docx", 7, 107))
		return err
	})
	if info, err := os.Stat(path); err == nil {
		b.ReportMetric(float64(info.Size())/float64(n), "B/document")
	}
}

func recrawl(b *testing.B, db *sqlite.DB, n int) error {
	scan, err := db.BeginScan(b.Context(), "src", "m365", rules)
	if err != nil {
		return err
	}
	if err := db.EndScan(b.Context(), scan, ""); err != nil {
		return err
	}
	return crawlFresh(b.Context(), db, n, 1000)
}
