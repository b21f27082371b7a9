package ole_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/molnvakt/molnvakt/scanner/extract"
	"github.com/molnvakt/molnvakt/scanner/extract/extracttest"
	"github.com/molnvakt/molnvakt/scanner/extract/ole"
)

// TestCorpusPasswords: documents that Office itself encrypted open with their
// passwords, and with no other.
func TestCorpusPasswords(t *testing.T) {
	corpus := extracttest.Corpus(t)
	for name, want := range map[string][2]string{
		"Password_Protected-56-hello.ppt": {"hello", "Just for the hell of it, we have some notes"},
		"password.xls":                    {"password", "A ZIP bomb is a variant of mail-bombing"},
	} {
		content, err := os.ReadFile(filepath.Join(corpus, "more", "office", name)) //nolint:gosec // the corpus
		if err != nil {
			t.Fatal(err)
		}
		in := extracttest.Input(name, content)
		in.Passwords = []string{"wrong"}
		rec, err := extracttest.Read(t.Context(), ole.Extractor{}, in)
		if !errors.Is(err, extract.ErrEncrypted) || strings.Contains(rec.PlainText(), want[1]) {
			t.Errorf("%s with a wrong password: %v\n%s", name, err, rec.PlainText())
		}
		in.Passwords = append(in.Passwords, want[0])
		rec, err = extracttest.Read(t.Context(), ole.Extractor{}, in)
		if err != nil || !strings.Contains(rec.PlainText(), want[1]) {
			t.Errorf("%s: %v\n%s", name, err, rec.PlainText())
		}
	}
}
