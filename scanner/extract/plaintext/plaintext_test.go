package plaintext_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/molnvakt/molnvakt/scanner/extract/extracttest"
	"github.com/molnvakt/molnvakt/scanner/extract/plaintext"
)

func TestExtractor(t *testing.T) { extracttest.Run(t, plaintext.New()) }

func FuzzExtractor(f *testing.F) { extracttest.Fuzz(f, plaintext.New()) }

// The corpus holds one Swedish text in every charset; all must read alike but
// for the dash that some charsets do not have.
func TestEveryCharsetReadsAlike(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join(extracttest.Corpus(t), "swedish", "text.*.txt"))
	if len(files) < 10 {
		t.Fatalf("%d charsets found", len(files))
	}
	want := ""
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		r, err := extracttest.Read(t.Context(), plaintext.New(), extracttest.Input(filepath.Base(file), content))
		if err != nil {
			t.Errorf("%s: %v", file, err)
		}
		got := strings.ReplaceAll(r.PlainText(), "–", "-")
		if want == "" {
			want = got
		}
		if got != want || !strings.Contains(got, "Göran Öberg") {
			t.Errorf("%s reads:\n%s", file, got)
		}
	}
}

// A line of many megabytes comes in pieces that put together are the line.
func TestGiantLine(t *testing.T) {
	line := strings.Repeat("Åsa Öberg 19850709-2388; ", 40<<20/27)
	content := []byte("först\n" + line + "\nsist\n")
	r, err := extracttest.Read(t.Context(), plaintext.New(), extracttest.Input("dump.txt", content))
	if err != nil {
		t.Fatal(err)
	}
	if r.PlainText() != string(content) {
		t.Error("text was lost or changed")
	}
	if last := r.Parts[len(r.Parts)-1]; last.Place != "line 3" || last.Text != "sist\n" {
		t.Errorf("the last piece stands at %q: %q", last.Place, last.Text)
	}
	if p := r.Parts[1].Place; p != "line 2" {
		t.Errorf("the long line stands at %q", p)
	}
}

func BenchmarkExtractor(b *testing.B) {
	content := bytes.Repeat([]byte("Handläggare: Åsa Sjöström, telefon 0532-17 00 00, e-post asa@example.se\n"), 100_000)
	in := extracttest.Input("brev.txt", content)
	extracttest.Bench(b, plaintext.New(), in)
}
