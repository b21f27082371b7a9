package rtf_test

import (
	"strings"
	"testing"

	"github.com/molnvakt/molnvakt/scanner/extract/extracttest"
	"github.com/molnvakt/molnvakt/scanner/extract/rtf"
)

// A brace too many does not end the document; what is no RTF behind it does.
func TestGoesOnBehindTheLastBrace(t *testing.T) {
	for content, want := range map[string]string{
		`{\rtf1 Anna}\par Bo\par }`:            "Anna\nBo\n",
		`{\rtf1 Anna\par}{\rtf1 Bo\par}`:       "Anna\nBo\n",
		"{\\rtf1 Anna\\par}\x00\x00\x00":       "Anna\n",
		"{\\rtf1 Anna\\par} skräp och \\ mera": "Anna\n",
	} {
		r, err := extracttest.Read(t.Context(), rtf.Extractor{}, extracttest.Input("a.rtf", []byte(content)))
		if got := r.PlainText(); err != nil || strings.ReplaceAll(got, " ", "") != want {
			t.Errorf("%s: error %v, got %q", content, err, got)
		}
	}
}
