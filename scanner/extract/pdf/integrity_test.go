package pdf_test

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/molnvakt/molnvakt/scanner/extract"
	"github.com/molnvakt/molnvakt/scanner/extract/extracttest"
	"github.com/molnvakt/molnvakt/scanner/extract/pdf"
)

// onePage makes a document whose one page has this content stream.
func onePage(dictionary, content string) []byte {
	return onePageIn("/Encoding/WinAnsiEncoding", dictionary, content)
}

// onePageIn is onePage with a font of one's own.
func onePageIn(font, dictionary, content string) []byte {
	return written([]string{
		"<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[3 0 R]/Count 1>>",
		"<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 300]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
		fmt.Sprintf("<<%s/Length %d>>\nstream\n%s\nendstream", dictionary, len(content), content),
		"<</Type/Font/Subtype/Type1/BaseFont/Helvetica" + font + ">>",
	})
}

// written makes a document of its objects; the first is the catalogue.
func written(objects []string) []byte {
	var b bytes.Buffer
	b.WriteString("%PDF-1.4\n")
	var at []int
	for _, object := range objects {
		at = append(at, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", len(at), object)
	}
	table := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(at)+1)
	for _, offset := range at {
		fmt.Fprintf(&b, "%010d 00000 n \n", offset)
	}
	fmt.Fprintf(&b, "trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n", len(at)+1, table)
	return b.Bytes()
}

// Engines pass over what they cannot unpack; here it is told.
func TestLostTextIsNoticed(t *testing.T) {
	r := reader(t, pdf.PDFium)
	text := strings.Repeat("BT /F1 12 Tf 20 200 Td (Ring 19850709-2388) Tj ET ", 20)
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	squeezed := b.String()
	const flate = "/Filter/FlateDecode"
	for name, c := range map[string]struct {
		dictionary, content string
		lost                bool
	}{
		"plain":            {"", text, false},
		"packed":           {flate, squeezed, false},
		"empty":            {"", "q Q", false},
		"packed, broken":   {flate, squeezed[:10] + "\xff\xff\xff\xff" + squeezed[14:], true},
		"never ends":       {"", "(" + text[:40] + " Tj", false}, // nothing shows text
		"an open bracket":  {"", "q (" + text, true},
		"spaces, no words": {"", "BT /F1 12 Tf ( ) Tj ET", false},
	} {
		got, err := extracttest.Read(t.Context(), r, extracttest.Input("a.pdf", onePage(c.dictionary, c.content)))
		lost := errors.Is(err, extract.ErrDamaged) || len(got.Gaps) > 0
		if lost != c.lost {
			t.Errorf("%s: error %v, gaps %q, text %q", name, err, got.Gaps, got.PlainText())
		}
	}
}

// A page whose fonts do not tell what they draw is read as a picture.
func TestUnmappedFont(t *testing.T) {
	r := reader(t, pdf.PDFium)
	names := "/Encoding<</Differences[32"
	for c := 32; c < 127; c++ {
		names += fmt.Sprintf("/g%d", c)
	}
	const text = "BT /F1 12 Tf 20 200 Td (Ring Anna Ek om det) Tj ET"
	for font, scans := range map[string]int{names + "]>>": 1, "/Encoding/WinAnsiEncoding": 0} {
		got, err := extracttest.Read(t.Context(), r, extracttest.Input("a.pdf", onePageIn(font, "", text)))
		if err != nil || len(got.Files) != scans {
			t.Errorf("error %v, %d scans, want %d; text %q", err, len(got.Files), scans, got.PlainText())
		}
	}
}
