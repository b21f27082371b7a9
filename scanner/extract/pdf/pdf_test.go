package pdf_test

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/molnvakt/molnvakt/scanner/extract"
	"github.com/molnvakt/molnvakt/scanner/extract/extracttest"
	"github.com/molnvakt/molnvakt/scanner/extract/pdf"
)

// cache keeps PDFium's compiled code from one run of the tests to the next.
func cache(t testing.TB) string {
	t.Helper()
	base, err := os.UserCacheDir()
	if err != nil {
		return t.TempDir()
	}
	return filepath.Join(base, "molnvakt-test-pdfium")
}

func reader(t testing.TB, engine pdf.Engine) *pdf.Reader {
	t.Helper()
	r := pdf.New(pdf.Config{Engine: engine, Cache: cache(t)})
	if err := r.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// TestCorpus reads real documents that once made readers fail.
func TestCorpus(t *testing.T) {
	corpus := extracttest.Corpus(t)
	r := reader(t, pdf.PDFium)
	f, err := os.Open(filepath.Join(corpus, "documents", "EXPECTED.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		name, rest, _ := strings.Cut(lines.Text(), "\t")
		must, _, _ := strings.Cut(rest, "\t")
		if filepath.Ext(name) != ".pdf" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			text, err := read(t, r, filepath.Join(corpus, "documents", name))
			if err != nil {
				t.Logf("ends with: %v", err)
			}
			flat := strings.Join(strings.Fields(text), " ")
			for want := range strings.SplitSeq(must, "|") {
				if !strings.Contains(flat, want) {
					t.Errorf("lacks %q", want)
				}
			}
		})
	}
}

// TestCorpusMore: every document ends with text or a named reason.
func TestCorpusMore(t *testing.T) {
	corpus := extracttest.Corpus(t)
	r := reader(t, pdf.PDFium)
	paths, err := filepath.Glob(filepath.Join(corpus, "more", "pdf", "*"))
	if err != nil || len(paths) == 0 {
		t.Fatal("no documents", err)
	}
	empty := 0
	for _, path := range paths {
		started := time.Now()
		text, err := read(t, r, path)
		if took := time.Since(started); took > 5*time.Second {
			t.Logf("%s took %v", filepath.Base(path), took)
		}
		if strings.TrimSpace(text) == "" {
			empty++
			t.Logf("%s: no text, %v", filepath.Base(path), err)
		}
	}
	t.Logf("%d documents, %d without text", len(paths), empty)
}

func read(t testing.TB, r *pdf.Reader, path string) (string, error) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	in := extracttest.Input(filepath.Base(path), content)
	in.MediaType = "application/pdf"
	rec, err := extracttest.Read(t.Context(), r, in)
	return fmt.Sprint(rec), err
}

var _ extract.Extractor = (*pdf.Reader)(nil)

func TestReader(t *testing.T) { extracttest.Run(t, reader(t, pdf.PDFium)) }

func FuzzReader(f *testing.F) { extracttest.Fuzz(f, reader(f, pdf.PDFium)) }

// TestEngines: each engine reads a letter; together they say nothing twice.
func TestEngines(t *testing.T) {
	for _, engine := range []pdf.Engine{pdf.PDFium, pdf.Ledongthuc, pdf.Both} {
		t.Run(string(engine), func(t *testing.T) {
			text, err := read(t, reader(t, engine), "testdata/letter/input.pdf")
			if err != nil || strings.Count(text, "Personnummer: 19850709-2388") != 1 {
				t.Errorf("%v\n%s", err, text)
			}
		})
	}
}

// TestPrepare: a cache that was filled once is only read from then on, by
// whoever may not write it.
func TestPrepare(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED in -short: compiles PDFium")
	}
	folder := filepath.Join(t.TempDir(), "cache")
	r := pdf.New(pdf.Config{Cache: folder})
	if err := r.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(folder); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the cache holds native code and is %v, %v", info.Mode(), err)
	}
	before := tree(t, folder)
	started := time.Now()
	if err := pdf.New(pdf.Config{Cache: folder}).Prepare(t.Context()); err != nil || time.Since(started) > 100*time.Millisecond {
		t.Errorf("the second time: %v after %v", err, time.Since(started))
	}
	if _, err := read(t, pdf.New(pdf.Config{Cache: folder}), "testdata/letter/input.pdf"); err != nil {
		t.Error(err)
	}
	if after := tree(t, folder); after != before {
		t.Errorf("reading changed the cache:\n%s\n%s", before, after)
	}
}

func tree(t *testing.T, folder string) string {
	t.Helper()
	var all strings.Builder
	err := filepath.WalkDir(folder, func(path string, d os.DirEntry, err error) error {
		info, _ := d.Info()
		fmt.Fprintln(&all, path, info.Size(), info.ModTime())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}

// TestSpread reads from many goroutines at once.
func TestSpread(t *testing.T) {
	r := reader(t, pdf.PDFium)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 3 {
				if text, err := read(t, r, "testdata/form/input.pdf"); err != nil || !strings.Contains(text, "Diagnos: F41.1 ångest") {
					t.Errorf("%v\n%s", err, text)
				}
			}
		})
	}
	wg.Wait()
}

// TestPicturesOnPagesOfText: they are looked for only when somebody asks for
// the text in pictures.
func TestPicturesOnPagesOfText(t *testing.T) {
	content, err := os.ReadFile("testdata/pictures/input.pdf")
	if err != nil {
		t.Fatal(err)
	}
	for asked, want := range map[bool]int{false: 0, true: 1} {
		in := extracttest.Input("input.pdf", content)
		in.OCR = asked
		rec, err := extracttest.Read(t.Context(), reader(t, pdf.PDFium), in)
		if err != nil {
			t.Fatal(err)
		}
		if len(rec.Files) != want || want == 1 && rec.Files[0].Role != extract.Picture {
			t.Errorf("asked %t: %d pictures, want %d: %+v", asked, len(rec.Files), want, rec.Files)
		}
	}
}
