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
	document := onePage("", "BT /F1 12 Tf 20 200 Td (Ring 19850709-2388) Tj ET")
	r, err := extracttest.Read(t.Context(), reader(t, pdf.Ledongthuc), extracttest.Input("a.pdf", document))
	if err != nil || !strings.Contains(r.PlainText(), extracttest.Canary) {
		t.Errorf("error %v, got:\n%s", err, r)
	}
}
