package pdf_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/molnvakt/molnvakt/scanner/extract"
	"github.com/molnvakt/molnvakt/scanner/extract/extracttest"
	"github.com/molnvakt/molnvakt/scanner/extract/pdf"
)

// A document that claims billions of objects must not get room for them: the
// process would end, and no recover could help.
func TestClaimedObjectsGetNoRoom(t *testing.T) {
	r := reader(t, pdf.Ledongthuc)
	head := "%PDF-1.5\n1 0 obj\n<</Type/Catalog/Pages 1 0 R>>\nendobj\n"
	for name, table := range map[string]string{
		"table":  "xref\n68719476736 1\n0000000009 00000 n \ntrailer\n<</Size 2/Root 1 0 R>>\n",
		"stream": "2 0 obj\n<</Type/XRef/Size 68719476736/W[1 2 1]/Root 1 0 R/Length 4>>\nstream\n\x01\x00\x09\x00\nendstream\nendobj\n",
		"index":  "2 0 obj\n<</Type/XRef/Size 3/Index[68719476736 1]/W[1 2 1]/Root 1 0 R/Length 4>>\nstream\n\x01\x00\x09\x00\nendstream\nendobj\n",
	} {
		document := fmt.Sprintf("%s%sstartxref\n%d\n%%%%EOF\n", head, table, len(head))
		if _, err := extracttest.Read(t.Context(), r, extracttest.Input("a.pdf", []byte(document))); !errors.Is(err, extract.ErrDamaged) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

// A table of ordinary numbers is not mistaken for such a claim.
func TestOrdinaryTableIsRead(t *testing.T) {
	var b strings.Builder
	b.WriteString("%PDF-1.4\n")
	var at []int
	for _, object := range []string{
		"<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[3 0 R]/Count 1>>",
		"<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 300]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
		"<</Length 47>>\nstream\nBT /F1 12 Tf 20 200 Td (Ring 19850709-2388) Tj ET\nendstream", "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
	} {
		at = append(at, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", len(at), object)
	}
	table := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(at)+1)
	for _, offset := range at {
		fmt.Fprintf(&b, "%010d 00000 n \n", offset)
	}
	fmt.Fprintf(&b, "trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n", len(at)+1, table)
	r, err := extracttest.Read(t.Context(), reader(t, pdf.Ledongthuc), extracttest.Input("a.pdf", []byte(b.String())))
	if err != nil || !strings.Contains(r.PlainText(), extracttest.Canary) {
		t.Errorf("error %v, got:\n%s", err, r)
	}
}
