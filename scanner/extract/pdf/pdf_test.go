package pdf_test

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"
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
