package table_test

import (
	"strings"
	"testing"

	"github.com/molnvakt/molnvakt/scanner/extract/extracttest"
	"github.com/molnvakt/molnvakt/scanner/extract/table"
)

func TestExtractor(t *testing.T) { extracttest.Run(t, table.New()) }

func FuzzExtractor(f *testing.F) { extracttest.Fuzz(f, table.New()) }

// A quote that never ends costs no memory and no row's text.
func TestQuoteWithoutEnd(t *testing.T) {
	content := "a;b\n1;\"två\n" + strings.Repeat("3;fyra\n", 1<<16)
	r, err := extracttest.Read(t.Context(), table.New(), extracttest.Input("a.csv", []byte(content)))
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(strings.ReplaceAll(r.PlainText(), "\t", ""), "fyra"); got != 1<<16 {
		t.Errorf("%d of %d rows were kept", got, 1<<16)
	}
}

func BenchmarkExtractor(b *testing.B) {
	content := "Namn;Personnummer;Adress;Postnr;Ort\n" + strings.Repeat("Åsa Sjöström;19850709-2388;Skolgatan 12;662 31;Åmål\n", 50_000)
	in := extracttest.Input("a.csv", []byte(content))
	extracttest.Bench(b, table.New(), in)
}
