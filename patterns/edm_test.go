package patterns

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

func testMasker(t testing.TB) *Masker {
	t.Helper()
	m, err := NewMasker(bytes.Repeat([]byte("k"), 32))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

var testColumns = []ExactColumn{{"pnr", true}, {"kundnr", true}, {"namn", false}, {"ort", false}}

func testIndex(t testing.TB, rows int) (*ExactIndex, []byte) {
	t.Helper()
	e := testEngine(t)
	b, err := e.NewExactBuilder("kunder", testColumns, testMasker(t))
	if err != nil {
		t.Fatal(err)
	}
	for i := range rows {
		if err := b.Add([]string{withCheckDigit(e.tests[i*7]), fmt.Sprintf("K-%06d", i), fmt.Sprintf("Åsa Ek%d", i), "Storstad"}); err != nil {
			t.Fatal(err)
		}
	}
	var file bytes.Buffer
	if _, err := b.WriteTo(&file); err != nil {
		t.Fatal(err)
	}
	x, err := e.OpenExact(bytes.NewReader(file.Bytes()), int64(file.Len()), testMasker(t))
	if err != nil {
		t.Fatal(err)
	}
	return x, file.Bytes()
}

func TestExact(t *testing.T) {
	x, _ := testIndex(t, 1000)
	e := testEngine(t)
	twelve := withCheckDigit(e.tests[70*7])
	ten := twelve[2:8] + "-" + twelve[8:]
	if twelve[:4] < "1927" {
		ten = twelve[:8] + "-" + twelve[8:]
	}
	for _, c := range []struct {
		text       string
		row        uint32
		columns    int
		confidence Confidence
	}{
		{twelve, 70, 1, Medium},
		{"Ärende om " + ten + ".", 70, 1, Medium},
		{"kund K-000321, övrigt", 321, 1, Low},
		{"kund k000321", 321, 1, Low},
		{"ÅSA EK321 i Storstad, kund K-000321", 321, 3, High},
		{"Åsa Ek999 ringde om K-000321", 321, 1, Low},
		{twelve[:8] + " " + twelve[8:], 70, 1, Medium},
	} {
		found, err := x.Find([]byte(c.text))
		if err != nil {
			t.Fatal(err)
		}
		if len(found) != 1 || found[0].Row != c.row || found[0].Columns != c.columns || found[0].Confidence != c.confidence {
			t.Errorf("%s: %+v", c.text, found)
		}
	}
	for _, text := range []string{"", "K-999999", "19800102-2387", "Åsa Ek321", "Storstad"} {
		if found, err := x.Find([]byte(text)); err != nil || len(found) > 0 {
			t.Errorf("%q: %v %+v", text, err, found)
		}
	}
}

// TestExactFile: the file holds no value, and refuses a wrong key and damage.
func TestExactFile(t *testing.T) {
	x, file := testIndex(t, 300)
	if bytes.Contains(file, []byte("Storstad")) || bytes.Contains(bytes.ToLower(file), []byte("k-000001")) {
		t.Error("a value stands in the file")
	}
	e := testEngine(t)
	other, _ := NewMasker(bytes.Repeat([]byte("x"), 32))
	if _, err := e.OpenExact(bytes.NewReader(file), int64(len(file)), other); !errors.Is(err, ErrExact) {
		t.Errorf("wrong key: %v", err)
	}
	for _, cut := range []int{0, 3, 50, len(file) / 2, len(file) - 1} {
		if _, err := e.OpenExact(bytes.NewReader(file[:cut]), int64(cut), testMasker(t)); !errors.Is(err, ErrExact) {
			t.Errorf("cut at %d: %v", cut, err)
		}
	}
	if x.Name() != "kunder" || len(x.Columns()) != 4 {
		t.Error("head")
	}
	if _, err := e.NewExactBuilder("x", []ExactColumn{{"namn", false}}, testMasker(t)); !errors.Is(err, ErrExact) {
		t.Errorf("no primary column: %v", err)
	}
}

// BenchmarkEDM measures an index of MOLNVAKT_EDM values (10 million for the
// product's figure; 200,000 otherwise).
func BenchmarkEDM(b *testing.B) {
	values := 200_000
	if s := os.Getenv("MOLNVAKT_EDM"); s != "" {
		if _, err := fmt.Sscan(s, &values); err != nil {
			b.Fatal(err)
		}
	}
	x := benchmarkIndex(b, values)
	b.Run("miss", func(b *testing.B) {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		var value [12]byte
		n := uint64(0)
		start := cpuTime()
		for b.Loop() {
			n++
			binary.LittleEndian.PutUint64(value[:], n|1<<63)
			if x.maybe(value[:]) {
				continue
			}
		}
		b.ReportMetric(float64((cpuTime()-start).Nanoseconds())/float64(b.N), "cpu-ns/op")
		b.ReportMetric(float64(x.Memory())/1e6, "MB")
	})
	b.Run("hit", func(b *testing.B) {
		n := 0
		for b.Loop() {
			n++
			if places, err := x.lookup(fmt.Appendf(nil, "%012d", n%values)); err != nil || len(places) == 0 {
				b.Fatal(err, places)
			}
		}
	})
}

func benchmarkIndex(b *testing.B, values int) *ExactIndex {
	e := testEngine(b)
	builder, err := e.NewExactBuilder("bench", []ExactColumn{{"id", true}}, testMasker(b))
	if err != nil {
		b.Fatal(err)
	}
	for i := range values {
		if err := builder.Add([]string{fmt.Sprintf("%012d", i)}); err != nil {
			b.Fatal(err)
		}
	}
	file, err := os.Create(filepath.Join(b.TempDir(), "index"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = file.Close() })
	if _, err := builder.WriteTo(file); err != nil {
		b.Fatal(err)
	}
	size, err := file.Seek(0, io.SeekCurrent)
	if err != nil {
		b.Fatal(err)
	}
	x, err := e.OpenExact(file, size, testMasker(b))
	if err != nil {
		b.Fatal(err)
	}
	return x
}
