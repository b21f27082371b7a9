package sandbox_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"

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
		picture.New(picture.Config{}), plaintext.New(),
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

// corpusText reads a document of the corpus in a child.
func corpusText(t *testing.T, p *sandbox.Pool, name string) (inspect.Result, string) {
	t.Helper()
	f, err := os.Open(filepath.Join(extracttest.Corpus(t), name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var text strings.Builder
	r, err := p.Inspect(t.Context(), inspect.Document{
		Name: filepath.Base(name), Size: -1, Content: f, OCR: inspect.OCRDefer,
		Text: func(part inspect.TextPart) error { text.WriteString(part.Text + " "); return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	return r, strings.Join(strings.Fields(text.String()), " ")
}

// TestCorpusExpected: each of the telling documents yields what it must.
func TestCorpusExpected(t *testing.T) {
	list, err := os.ReadFile(filepath.Join(extracttest.Corpus(t), "documents", "EXPECTED.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	p := pool(t, func(c *sandbox.Config) { c.Deadline, c.Settings, c.Cache = time.Minute, []byte(`"real"`), pdfCache(t) })
	tried := 0
	for line := range strings.Lines(string(list)) {
		name, rest, _ := strings.Cut(line, "\t")
		must, _, _ := strings.Cut(rest, "\t")
		if name == "file" {
			continue
		}
		tried++
		r, text := corpusText(t, p, filepath.Join("documents", name))
		if r.Status == "" || r.Status != inspect.OK && len(r.Gaps) == 0 {
			t.Errorf("%s: status %q without a reason", name, r.Status)
		}
		for want := range strings.SplitSeq(must, "|") {
			if !strings.Contains(text, want) {
				t.Errorf("%s (%s) lacks %q", name, r.Status, want)
			}
		}
	}
	if tried != 25 {
		t.Errorf("%d documents were tried, not 25", tried)
	}
}

// Words that only some formats keep: of their own fields and properties, and
// what is not printed: comments, deletions, hidden text, speakers' notes.
var (
	ownToFormat = map[string]bool{"keyword": true, "Page": true, "31237": true}
	unprinted   = map[string]bool{
		"Talarmanus": true, "ÅÄÖ": true, "640823": true, "3234": true, "DOLDTEXT": true, "hemlig": true, "Fotnotstext": true,
		"Kommentarstext": true, "kolla": true, "RADERADTEXT": true, "Före": true, "här": true,
	}
)

// TestCorpusSwedish: every format of a document says every word that the
// packed OpenDocument form of it says.
func TestCorpusSwedish(t *testing.T) {
	p := pool(t, func(c *sandbox.Config) { c.Deadline, c.Settings, c.Cache = time.Minute, []byte(`"real"`), pdfCache(t) })
	paths, err := filepath.Glob(filepath.Join(extracttest.Corpus(t), "swedish", "*.*"))
	if err != nil || len(paths) < 27 {
		t.Fatalf("%d documents: %v", len(paths), err)
	}
	first := map[string]string{"brev": "brev.odt", "elever": "elever.ods", "bild": "bild.odp", "text": "text.utf-8.txt"}
	for _, path := range paths {
		name := filepath.Base(path)
		family, _, _ := strings.Cut(name, ".")
		_, reference := corpusText(t, p, filepath.Join("swedish", first[family]))
		r, text := corpusText(t, p, filepath.Join("swedish", name))
		if r.Status != inspect.OK {
			t.Errorf("%s ends as %s: %+v", name, r.Status, r.Gaps)
		}
		if name == "elever.pdf" {
			continue // Excel's print cuts cells off
		}
		printed := strings.HasSuffix(name, ".pdf") || strings.HasSuffix(name, ".html")
		said := wordsOf(text)
		for word := range wordsOf(reference) {
			if said[word] == 0 && !ownToFormat[word] && !(printed && unprinted[word]) {
				t.Errorf("%s lacks %q", name, word)
			}
		}
	}
}

// wordsOf counts the runs of letters and digits.
func wordsOf(text string) map[string]int {
	count := map[string]int{}
	for w := range strings.FieldsFuncSeq(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		count[w]++
	}
	return count
}

// pdfCache is the folder of compiled code that tests share.
func pdfCache(t testing.TB) string {
	base, err := os.UserCacheDir()
	if err != nil {
		return t.TempDir()
	}
	return filepath.Join(base, "molnvakt-test-pdfium")
}
