package pdf_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/molnvakt/molnvakt/scanner/extract/extracttest"
	"github.com/molnvakt/molnvakt/scanner/extract/pdf"
)

// BenchmarkAgainstPdftotext reads every PDF of the corpus and compares words
// and time with pdftotext, started once a document as anybody would.
func BenchmarkAgainstPdftotext(b *testing.B) {
	corpus := extracttest.Corpus(b)
	program, err := exec.LookPath("pdftotext")
	if err != nil {
		b.Skip("SKIPPED: pdftotext is not installed: apt-get install poppler-utils")
	}
	var paths []string
	for _, folder := range []string{"documents", "more/pdf", "swedish"} {
		found, err := filepath.Glob(filepath.Join(corpus, folder, "*.pdf"))
		if err != nil {
			b.Fatal(err)
		}
		paths = append(paths, found...)
	}
	r := reader(b, pdf.PDFium)
	for b.Loop() {
		var ours, theirs time.Duration
		var words, kept, oursRead, theirsRead int
		for _, path := range paths {
			content, err := os.ReadFile(path)
			if err != nil {
				b.Fatal(err)
			}
			in := extracttest.Input(filepath.Base(path), content)
			started := time.Now()
			rec, _ := extracttest.Read(b.Context(), r, in)
			ours += time.Since(started)
			got := tokens(rec.PlainText())

			started = time.Now()
			out, _ := exec.Command(program, "-enc", "UTF-8", path, "-").Output()
			theirs += time.Since(started)
			reference := tokens(string(bytes.ReplaceAll(out, []byte("-\n"), nil)))

			n, k := 0, 0
			for word, times := range reference {
				n += times
				k += min(times, got[word])
			}
			words, kept = words+n, kept+k
			if len(got) > 0 {
				oursRead++
			}
			if len(reference) > 0 {
				theirsRead++
			}
			if n > 10 && k < n*9/10 {
				b.Logf("%s: %d of %d words", filepath.Base(path), k, n)
			}
		}
		b.ReportMetric(float64(kept)/float64(words), "of-pdftotext's-words")
		b.ReportMetric(float64(oursRead), "documents-read")
		b.ReportMetric(float64(theirsRead), "pdftotext-read")
		b.ReportMetric(ours.Seconds()*1000/float64(len(paths)), "ms/document")
		b.ReportMetric(theirs.Seconds()*1000/float64(len(paths)), "pdftotext-ms/document")
	}
}

// tokens counts the runs of letters and digits.
func tokens(text string) map[string]int {
	count := map[string]int{}
	for w := range strings.FieldsFuncSeq(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		count[w]++
	}
	return count
}
