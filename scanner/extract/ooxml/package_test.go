package ooxml

import (
	"archive/zip"
	"bytes"
	"maps"
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
	parts := maps.Clone(sheetPackage)
	delete(parts, missing)
	return pack(t, parts)
}

func pack(t *testing.T, parts map[string]string) extract.Input {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for name, content := range parts {
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
	return extracttest.Input("input", b.Bytes())
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

// What stands only in a Fallback is read; what repeats a Choice is not.
func TestFallbacks(t *testing.T) {
	const head = `<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>`
	parts := map[string]string{
		"[Content_Types].xml": `<Types/>`,
		"word/document.xml": head + `<w:p><mc:AlternateContent><mc:Fallback><w:r><w:t>Åsa Öberg</w:t></w:r></mc:Fallback></mc:AlternateContent></w:p>` +
			`<w:p><mc:AlternateContent><mc:Choice><w:r><w:t>en gång</w:t></w:r></mc:Choice><mc:Fallback><w:r><w:t>en gång</w:t></w:r></mc:Fallback></mc:AlternateContent></w:p></w:body></w:document>`,
	}
	r, err := extracttest.Read(t.Context(), Extractor{}, pack(t, parts))
	if got := r.PlainText(); err != nil || !strings.Contains(got, "Åsa Öberg") || strings.Count(got, "en gång") != 1 {
		t.Errorf("error %v, got %q", err, got)
	}
}

// Runs of letters become words and lines again by where they stand.
func TestPrintedDocument(t *testing.T) {
	page := func(glyphs string) string {
		return `<FixedPage xmlns="http://schemas.microsoft.com/xps/2005/06">` + glyphs + `</FixedPage>`
	}
	r, err := extracttest.Read(t.Context(), Extractor{}, pack(t, map[string]string{
		"[Content_Types].xml": `<Types/>`, "FixedDocSeq.fdseq": `<x/>`,
		"Documents/1/FixedDoc.fdoc": `<FixedDocument><PageContent Source="/Documents/1/Pages/2.fpage"/><PageContent Source="Pages/1.fpage"/><PageContent Source="Pages/3.fpage"/></FixedDocument>`,
		"Documents/1/Pages/1.fpage": page(`<Glyphs OriginX="10" OriginY="20" FontRenderingEmSize="10" UnicodeString="Sidan två"/>`),
		"Documents/1/Pages/2.fpage": page(`<Glyphs OriginX="10" OriginY="20" FontRenderingEmSize="10" Indices="1,50;2,50;3,50;4,50" UnicodeString="1985"/>` +
			`<Glyphs OriginX="30" OriginY="20" FontRenderingEmSize="10" UnicodeString="0709-2388"/><Glyphs OriginX="120" OriginY="20" FontRenderingEmSize="10" UnicodeString="{}Åsa"/>` +
			`<Glyphs OriginX="10" OriginY="40" FontRenderingEmSize="10" UnicodeString="Öberg"/>`),
	}))
	const want = "19850709-2388 Åsa\nÖberg\nSidan två\n"
	if err != nil || !strings.Contains(r.PlainText(), want) {
		t.Errorf("error %v, got:\n%s", err, r)
	}
	if len(r.Gaps) != 1 || !strings.HasPrefix(r.Gaps[0], "page 3") {
		t.Errorf("gaps %q", r.Gaps)
	}
}

// A formula that was never computed gives the texts in it; one that was, its
// value alone.
func TestFormulaWithoutValue(t *testing.T) {
	parts := maps.Clone(sheetPackage)
	parts["xl/worksheets/sheet1.xml"] = `<worksheet><sheetData><row r="1"><c r="A1"><f>"050709-"&amp;"1234"</f></c>` +
		`<c r="B1"><f>HYPERLINK("https://example.se","Åsa")</f><v></v></c><c r="C1" t="str"><f>"nej"</f><v>ja</v></c><c r="D1"><f>A1*2</f></c></row></sheetData></worksheet>`
	r, err := extracttest.Read(t.Context(), Extractor{}, pack(t, parts))
	if err != nil || !strings.Contains(r.PlainText(), "050709-1234\thttps://example.se Åsa\tja\n") {
		t.Errorf("error %v, got:\n%s", err, r)
	}
}
