package patterns

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
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
	b, err := e.NewExactBuilder("kunder", testColumns, testMasker(t), t.TempDir())
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
	if err := CheckExact(bytes.NewReader(file), int64(len(file)), testMasker(t)); err != nil {
		t.Error(err)
	}
	if x.Name() != "kunder" || len(x.Columns()) != 4 {
		t.Error("head")
	}
	if _, err := e.NewExactBuilder("x", []ExactColumn{{"namn", false}}, testMasker(t), ""); !errors.Is(err, ErrExact) {
		t.Errorf("no primary column: %v", err)
	}
}

// TestExactScratch: what waits in a scratch file is found as what is sorted in
// memory, and the file goes.
func TestExactScratch(t *testing.T) {
	e := testEngine(t)
	dir := t.TempDir()
	write := func(spills int) []byte {
		b, err := e.NewExactBuilder("kunder", []ExactColumn{{"nr", true}, {"namn", false}}, testMasker(t), dir)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 3000 {
			if err := b.Add([]string{fmt.Sprintf("K-%05d", i%2900), fmt.Sprintf("Ek%d", i%7)}); err != nil {
				t.Fatal(err)
			}
			if spills > 0 && i%(3000/spills) == 0 {
				if err := b.spill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		var file bytes.Buffer
		if n, err := b.WriteTo(&file); err != nil || n != int64(file.Len()) {
			t.Fatal(n, file.Len(), err)
		}
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
		return file.Bytes()
	}
	inMemory, spilled := write(0), write(9)
	entries := 6000 * exactRecord // all differ by row or column
	if !bytes.Equal(inMemory[:entries], spilled[:entries]) {
		t.Error("the entries differ")
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
	x, err := e.OpenExact(bytes.NewReader(spilled), int64(len(spilled)), testMasker(t))
	if err != nil {
		t.Fatal(err)
	}
	found, err := x.Find([]byte("K-00050 hör till Ek1"))
	if err != nil || len(found) != 2 || found[0].Row != 50 || found[0].Columns != 2 || found[1].Row != 2950 || found[1].Columns != 1 {
		t.Errorf("%v %+v", err, found)
	}
}

// TestExactEveryRow: a value that nearly every record holds costs no more to
// look up than others.
func TestExactEveryRow(t *testing.T) {
	e := testEngine(t)
	b, err := e.NewExactBuilder("kunder", []ExactColumn{{"kommun", true}, {"nr", true}, {"ort", false}}, testMasker(t), "")
	if err != nil {
		t.Fatal(err)
	}
	for i := range 1000 {
		if err := b.Add([]string{"1486", fmt.Sprintf("K-%05d", i), "Storstad"}); err != nil {
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
	if places, err := x.lookup(anywhere, []byte("1486"), new([]byte)); err != nil || len(places) != maxExactPlaces {
		t.Errorf("%d places, %v", len(places), err)
	}
	found, err := x.Find([]byte("K-00777 i Storstad"))
	if err != nil || len(found) != 1 || found[0].Row != 777 || found[0].Columns != 2 {
		t.Errorf("%v %+v", err, found)
	}
}

// TestExactVersion: an index of the first version says what to do.
func TestExactVersion(t *testing.T) {
	old := append([]byte{12, 1, 0, 0}, `{"version":1,"name":"kunder"}`+strings.Repeat("x", 400)...)
	_, err := testEngine(t).OpenExact(bytes.NewReader(old), int64(len(old)), testMasker(t))
	if !errors.Is(err, ErrExact) || !strings.Contains(err.Error(), "make it again") {
		t.Error(err)
	}
	if again := CheckExact(bytes.NewReader(old), int64(len(old)), testMasker(t)); again == nil || again.Error() != err.Error() {
		t.Error(again)
	}
}

// TestFilter: what was added passes, of the rest less than one in 200.
func TestFilter(t *testing.T) {
	key := newFilterKey(bytes.Repeat([]byte("abcdefg"), 5))
	const values = 50_000
	f := newExactFilter(key, filterLines(values))
	hash := func(i int) uint64 { return key.hash(anywhere, fmt.Appendf(nil, "%d", i)) }
	for i := range values {
		f.add(hash(i))
	}
	var hashes []uint64
	for i := range 4 * values {
		hashes = append(hashes, hash(i))
	}
	passed := f.probe(hashes, nil)
	for i := range values {
		if passed[i] != i {
			t.Fatalf("value %d does not pass", i)
		}
	}
	if wrong := len(passed) - values; wrong > 3*values/200 {
		t.Errorf("%d of %d others pass", wrong, 3*values)
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
	b.Run("miss", func(b *testing.B) { benchmarkMisses(b, x, false) })
	b.Run("confirmed", func(b *testing.B) { benchmarkMisses(b, x, true) })
	b.Run("hit", func(b *testing.B) {
		n, bucket := 0, []byte(nil)
		for b.Loop() {
			n++
			if places, err := x.lookup(anywhere, fmt.Appendf(nil, "%012d", n%values), &bucket); err != nil || len(places) == 0 {
				b.Fatal(err, places)
			}
		}
	})
	b.Run("text", func(b *testing.B) {
		text := []byte(syntheticTable(rand.New(rand.NewPCG(1, 1)), 1<<20))
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			if _, err := x.Find(text); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// benchmarkMisses measures values that are not in the index, as they are
// looked up: many together. What passes the filter is confirmed, or not.
func benchmarkMisses(b *testing.B, x *ExactIndex, confirm bool) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	const size, values = 12, 1 << 20
	others := make([]byte, 0, size*values)
	for i := range values {
		others = fmt.Appendf(others, "9%011d", i)
	}
	s := exactSearch{index: x}
	passed, n := 0, 0
	start := cpuTime()
	for b.Loop() {
		from := n % values * size
		for at := from; at < from+exactProbes*size; at += size {
			s.value = others[at : at+size]
			s.add(exactSpan{at, at + size, anywhere})
		}
		n += exactProbes
		err := s.settle(func(at exactSpan) error {
			passed++
			if !confirm {
				return nil
			}
			_, err := x.lookup(anywhere, others[at.from:at.to], &s.bucket)
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64((cpuTime()-start).Nanoseconds())/float64(n), "cpu-ns/value")
	b.ReportMetric(float64(passed)/float64(n)*100, "%passed")
	b.ReportMetric(float64(x.Memory())/1e6, "MB")
}

func benchmarkIndex(b *testing.B, values int) *ExactIndex {
	e := testEngine(b)
	builder, err := e.NewExactBuilder("bench", []ExactColumn{{"id", true}}, testMasker(b), b.TempDir())
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
	if err := builder.Close(); err != nil {
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
