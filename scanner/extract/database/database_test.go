package database_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/molnvakt/molnvakt/scanner/extract/database"
	"github.com/molnvakt/molnvakt/scanner/extract/extracttest"
)

func TestSQLite(t *testing.T) { extracttest.Run(t, database.NewSQLite(), "testdata/sqlite") }

func FuzzSQLite(f *testing.F) { extracttest.Fuzz(f, database.NewSQLite(), "testdata/sqlite") }

func TestDump(t *testing.T) { extracttest.Run(t, database.NewDump(), "testdata/dump") }

func FuzzDump(f *testing.F) { extracttest.Fuzz(f, database.NewDump(), "testdata/dump") }

func TestDBase(t *testing.T) { extracttest.Run(t, database.NewDBase(), "testdata/dbase") }

func FuzzDBase(f *testing.F) { extracttest.Fuzz(f, database.NewDBase(), "testdata/dbase") }

// One INSERT of many megabytes on one line, as mysqldump writes it.
func TestGiantInsert(t *testing.T) {
	var sql strings.Builder
	sql.WriteString("INSERT INTO `elev` (`namn`, `pnr`) VALUES ")
	for i := range 50_000 {
		fmt.Fprintf(&sql, "('Åsa Öberg %d','19850709-2388'),", i)
	}
	sql.WriteString("('sist','x');\n")
	r, err := extracttest.Read(t.Context(), database.NewDump(), extracttest.Input("a.sql", []byte(sql.String())))
	if err != nil {
		t.Fatal(err)
	}
	if last := r.Parts[len(r.Parts)-1]; len(r.Parts) != 50_002 || last.Text != "sist\tx" || last.Place != "elev" {
		t.Errorf("%d rows, the last at %q is %q", len(r.Parts), last.Place, last.Text)
	}
}

func BenchmarkDump(b *testing.B) {
	content := strings.Repeat("INSERT INTO elev VALUES (1,'Åsa Öberg','19850709-2388','Skolgatan 12');\n", 20_000)
	extracttest.Bench(b, database.NewDump(), extracttest.Input("a.sql", []byte(content)))
}

func BenchmarkSQLite(b *testing.B) {
	content, err := os.ReadFile("testdata/sqlite/utf8/input.db")
	if err != nil {
		b.Fatal(err)
	}
	extracttest.Bench(b, database.NewSQLite(), extracttest.Input("a.db", content))
}
