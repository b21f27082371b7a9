package sandbox_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/molnvakt/molnvakt/scanner/extract"
	"github.com/molnvakt/molnvakt/scanner/extract/archive"
	"github.com/molnvakt/molnvakt/scanner/extract/extracttest"
	"github.com/molnvakt/molnvakt/scanner/extract/mail"
	"github.com/molnvakt/molnvakt/scanner/extract/markup"
	"github.com/molnvakt/molnvakt/scanner/extract/odf"
	"github.com/molnvakt/molnvakt/scanner/extract/ole"
	"github.com/molnvakt/molnvakt/scanner/extract/ooxml"
	"github.com/molnvakt/molnvakt/scanner/extract/pdf"
	"github.com/molnvakt/molnvakt/scanner/extract/picture"
	"github.com/molnvakt/molnvakt/scanner/extract/plaintext"
	"github.com/molnvakt/molnvakt/scanner/extract/rtf"
	"github.com/molnvakt/molnvakt/scanner/extract/table"
	"github.com/molnvakt/molnvakt/scanner/inspect"
	"github.com/molnvakt/molnvakt/scanner/sandbox"
)

// readers are those that hostile documents are aimed at.
func readers(cache string) []extract.Extractor {
	return []extract.Extractor{
		pdf.New(pdf.Config{Cache: cache}), ooxml.Extractor{}, odf.Extractor{}, ole.Extractor{}, rtf.Extractor{},
		mail.NewEML(), mail.NewMSG(), archive.New(), table.New(), markup.NewHTML(), markup.NewXML(),
		picture.New(picture.Config{Cache: cache}), plaintext.New(),
	}
}

// TestCorpusContained puts bombs and broken documents into children of half a
// gigabyte: each ends with a status, a reason if it is not whole, in time, and
// the child after it is as good as new.
func TestCorpusContained(t *testing.T) {
	corpus := extracttest.Corpus(t)
	const deadline = 20 * time.Second
	p := pool(t, func(c *sandbox.Config) {
		c.Size, c.Memory, c.Deadline = 2, 512<<20, deadline
		c.Settings, c.Cache = []byte(`"real"`), pdfCache(t)
	})
	for _, folder := range []string{"hostile", "more/pdf", "more/office", "documents"} {
		paths, err := filepath.Glob(filepath.Join(corpus, folder, "*"))
		if err != nil || len(paths) == 0 {
			t.Fatalf("no documents in %s: %v", folder, err)
		}
		ends := map[inspect.Status]int{}
		for _, path := range paths {
			f, err := os.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			started := time.Now()
			r, err := p.Inspect(t.Context(), inspect.Document{Name: filepath.Base(path), Size: -1, Content: f, OCR: inspect.OCRDefer})
			f.Close()
			name := filepath.Join(folder, filepath.Base(path))
			switch {
			case err != nil:
				t.Errorf("%s: %v", name, err)
			case r.Status == "" || r.Status != inspect.OK && len(r.Gaps) == 0:
				t.Errorf("%s: status %q without a reason", name, r.Status)
			case r.Status == inspect.Crashed:
				t.Errorf("%s crashed its child", name)
			case time.Since(started) > deadline+10*time.Second:
				t.Errorf("%s took %v", name, time.Since(started))
			}
			ends[r.Status]++
		}
		t.Logf("%s: %v", folder, ends)
	}
	if r, _ := look(t, p, ""); r.Status != inspect.OK {
		t.Errorf("afterwards: %+v", r)
	}
}

// pdfCache is the folder of compiled code that tests share.
func pdfCache(t testing.TB) string {
	base, err := os.UserCacheDir()
	if err != nil {
		return t.TempDir()
	}
	return filepath.Join(base, "molnvakt-test-pdfium")
}
