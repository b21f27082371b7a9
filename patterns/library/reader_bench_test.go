package library

import (
	"fmt"
	"strings"
	"testing"

	"github.com/molnvakt/molnvakt/patterns"
)

// BenchmarkReader measures judging whole documents: prose without and with
// individuals, and a register of rows.
func BenchmarkReader(b *testing.B) {
	plain := strings.Repeat("Kommunens budget för nästa år omfattar vägar, parker och skolor. Nämnden beslutar att anta planen enligt förslaget från förvaltningen.\n", 4000)
	dense := strings.Repeat("Karin Lindberg, född 1974-03-02, har varit sjukskriven sedan i mars för utmattning. Hon sover dåligt och har kontakt med psykiatrin.\n", 4000)
	for name, text := range map[string]string{"plain": plain, "dense": dense} {
		b.Run(name, func(b *testing.B) { benchReader(b, len(text), func(r patterns.Reader) { r.Text("body", "", text) }) })
	}
	rows := make([][]string, 20000)
	size := 0
	for i := range rows {
		rows[i] = []string{fmt.Sprint(i), "Ahl", "Noel", "Storgatan 4", "070-174 06 05", "6C"}
		size += len(strings.Join(rows[i], "\t"))
	}
	b.Run("rows", func(b *testing.B) {
		benchReader(b, size, func(r patterns.Reader) {
			for i, c := range rows {
				r.Row("body", "Blad1", i+1, false, c)
			}
		})
	})
}

func benchReader(b *testing.B, size int, read func(patterns.Reader)) {
	set, err := Load(Options{})
	if err != nil {
		b.Fatal(err)
	}
	masker, err := patterns.NewMasker([]byte("a key for tests only"))
	if err != nil {
		b.Fatal(err)
	}
	r := set.NewReader(masker)
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		r.Begin(patterns.Subject{Name: "bench.txt", Path: "bench.txt"}, patterns.Options{})
		read(r)
		r.Finish()
	}
}

// BenchmarkLoadSaved is the start of a child process.
func BenchmarkLoadSaved(b *testing.B) {
	o := Options{TablesDir: b.TempDir()}
	for b.Loop() {
		if _, err := Load(o); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		if _, err := Load(Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
