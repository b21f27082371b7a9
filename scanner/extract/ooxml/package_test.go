package ooxml

import (
	"archive/zip"
	"bytes"
	"strings"
	"testing"

	"github.com/molnvakt/molnvakt/scanner/extract"
	"github.com/molnvakt/molnvakt/scanner/extract/extracttest"
)

// sheetPackage holds the parts of a small workbook.
var sheetPackage = map[string]string{
	"[Content_Types].xml": `<Types/>`,
	"_rels/.rels":         `<Relationships><Relationship Id="a" Type="http://x/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
	"xl/workbook.xml":     `<workbook><sheets><sheet name="Elever" r:id="r1"/></sheets></workbook>`,
	"xl/_rels/workbook.xml.rels": `<Relationships><Relationship Id="r1" Type="http://x/worksheet" Target="worksheets/sheet1.xml"/>` +
		`<Relationship Id="r2" Type="http://x/sharedStrings" Target="/xl/texter.xml"/>` +
		`<Relationship Id="r3" Type="http://x/styles" Target="stil.xml"/></Relationships>`,
	"xl/stil.xml":              `<styleSheet><numFmts><numFmt numFmtId="170" formatCode="000000-0000"/></numFmts><cellXfs><xf numFmtId="0"/><xf numFmtId="170"/></cellXfs></styleSheet>`,
	"xl/texter.xml":            `<sst><si><t>Åsa Öberg</t></si></sst>`,
	"xl/worksheets/sheet1.xml": `<worksheet><sheetData><row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" s="1"><v>507091234</v></c></row></sheetData></worksheet>`,
}

// without packs the workbook but for one part.
func without(t *testing.T, missing string) extract.Input {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for name, content := range sheetPackage {
		if name == missing {
			continue
		}
		p, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return extracttest.Input("elever.xlsx", b.Bytes())
}

// Parts lie where the relationships say, whatever they are called.
func TestPartsOfOtherNames(t *testing.T) {
	r, err := extracttest.Read(t.Context(), Extractor{}, without(t, ""))
	if err != nil || len(r.Gaps) > 0 || !strings.Contains(r.PlainText(), "Åsa Öberg\t050709-1234") {
		t.Errorf("error %v, got:\n%s", err, r)
	}
}

// A part that others name and that is not there is text that is lost.
func TestMissingPartIsNoticed(t *testing.T) {
	for _, part := range []string{"xl/texter.xml", "xl/stil.xml", "xl/worksheets/sheet1.xml", "xl/workbook.xml"} {
		r, _ := extracttest.Read(t.Context(), Extractor{}, without(t, part))
		if len(r.Gaps) == 0 || !strings.Contains(r.Gaps[0], extract.ErrDamaged.Error()) {
			t.Errorf("%s is missing, and nobody is told: gaps %q", part, r.Gaps)
		}
	}
}
