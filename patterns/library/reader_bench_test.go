package library

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
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

// BenchmarkRegister reads a register of 20,000 people with their diagnoses, and
// the same people in running text.
func BenchmarkRegister(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	numbers, first, last := testNumbers(b), nameList(b, "first.txt"), nameList(b, "last.txt")
	diagnoses := strings.Split("depression,adhd,diabetes typ 1,utmattning,ingen känd,kol,autism,missbruk av alkohol,astma,epilepsi", ",")
	rows := [][]string{{"Personnummer", "Förnamn", "Efternamn", "Adress", "Telefon", "Diagnos", "Datum"}}
	var prose strings.Builder
	size := 0
	for i := range 20000 {
		row := []string{
			numbers[i%len(numbers)], first[r.IntN(len(first))], last[r.IntN(len(last))], fmt.Sprintf("Storgatan %d", 1+r.IntN(90)),
			fmt.Sprintf("070-174 06 %02d", r.IntN(100)), diagnoses[r.IntN(len(diagnoses))], fmt.Sprintf("2025-%02d-%02d", 1+r.IntN(12), 1+r.IntN(28)),
		}
		rows = append(rows, row)
		size += len(strings.Join(row, "\t")) + 1
		if i%10 == 0 {
			fmt.Fprintf(&prose, "%s %s, %s-%s, har varit sjukskriven sedan den %d mars för %s. Hon sover dåligt och har kontakt med psykiatrin i kommunen. Handläggaren %s %s ringde henne på %s och de talade om vad som hänt i hemmet.\n",
				row[1], row[2], row[0][2:8], row[0][8:], 1+r.IntN(28), row[5], first[r.IntN(len(first))], last[r.IntN(len(last))], row[4])
		}
	}
	b.Run("rows", func(b *testing.B) {
		benchReader(b, size, func(r patterns.Reader) {
			for i, c := range rows {
				r.Row("body", "Blad1", i+1, i == 0, c)
			}
		})
	})
	b.Run("prose", func(b *testing.B) {
		benchReader(b, prose.Len(), func(r patterns.Reader) { r.Text("body", "", prose.String()) })
	})
}

// testNumbers unpacks Skatteverket's test numbers.
func testNumbers(b *testing.B) []string {
	packed, err := os.ReadFile("../embedded/testnumbers.bin")
	if err != nil {
		b.Fatal(err)
	}
	var all []string
	v := uint64(0)
	for len(packed) > 0 {
		d, n := binary.Uvarint(packed)
		v, packed = v+d, packed[n:]
		number := fmt.Sprintf("%011d", v)
		sum := 0
		for i, c := range number[2:] {
			twice := int(c-'0') * (2 - i%2)
			sum += twice/10 + twice%10
		}
		all = append(all, fmt.Sprintf("%s%d", number, (10-sum%10)%10))
	}
	return all
}

func nameList(b *testing.B, file string) []string {
	text, err := os.ReadFile(filepath.Join("names", file))
	if err != nil {
		b.Fatal(err)
	}
	var names []string
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "#") {
			names = append(names, strings.TrimSpace(line))
		}
	}
	return names
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
		r.Begin(patterns.Subject{Name: "bench.txt", Path: "bench.txt"}, patterns.Options{CountTestNumbers: true})
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
