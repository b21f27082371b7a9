package ooxml_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"runtime"
	"testing"

	"github.com/molnvakt/molnvakt/scanner/extract/extracttest"
	"github.com/molnvakt/molnvakt/scanner/extract/ooxml"
)

// largeWorkbook is a register of so many rows and ten columns: numbers in the
// format of a personnummer, dates, shared and inline strings.
func largeWorkbook(t testing.TB, rows int) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	part := func(name string, write func(p *bytes.Buffer)) {
		p, err := w.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		var content bytes.Buffer
		write(&content)
		if _, err := p.Write(content.Bytes()); err != nil {
			t.Fatal(err)
		}
	}
	part("xl/workbook.xml", func(p *bytes.Buffer) {
		p.WriteString(`<workbook><sheets><sheet name="Register" id="rId1"/></sheets></workbook>`)
	})
	part("xl/_rels/workbook.xml.rels", func(p *bytes.Buffer) {
		p.WriteString(`<Relationships><Relationship Id="rId1" Type="x/worksheet" Target="worksheets/sheet1.xml"/></Relationships>`)
	})
	part("xl/styles.xml", func(p *bytes.Buffer) {
		p.WriteString(`<styleSheet><numFmts><numFmt numFmtId="164" formatCode="000000-0000"/></numFmts><cellXfs><xf numFmtId="0"/><xf numFmtId="164"/><xf numFmtId="14"/></cellXfs></styleSheet>`)
	})
	part("xl/sharedStrings.xml", func(p *bytes.Buffer) {
		p.WriteString("<sst>")
		for i := range rows {
			fmt.Fprintf(p, "<si><t>Namn %d</t></si>", i)
		}
		p.WriteString("</sst>")
	})
	part("xl/worksheets/sheet1.xml", func(p *bytes.Buffer) {
		p.WriteString("<worksheet><sheetData>")
		for i := range rows {
			fmt.Fprintf(p, `<row r="%d"><c r="A%[1]d" s="1"><v>%d</v></c><c r="B%[1]d" s="2"><v>%d</v></c><c r="C%[1]d" t="s"><v>%d</v></c>`, i+1, 5070000000+i, 20000+i%10000, i)
			fmt.Fprintf(p, `<c r="D%[1]d" t="inlineStr"><is><t>Ekskolan</t></is></c><c r="E%[1]d"><v>%[1]d</v></c><c r="F%[1]d"><v>%[2]f</v></c><c r="G%[1]d" t="s"><v>3</v></c><c r="H%[1]d" t="b"><v>1</v></c><c r="I%[1]d" t="s"><v>5</v></c><c r="J%[1]d"><v>%[3]d</v></c></row>`, i+1, float64(i)/7, i*31)
		}
		p.WriteString("</sheetData></worksheet>")
	})
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestLargeSheetNeedsLittleMemory(t *testing.T) {
	in := extracttest.Input("register.xlsx", largeWorkbook(t, 20_000))
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	c := &counter{limit: in.Limits.Text}
	if err := (ooxml.Extractor{}).Extract(t.Context(), in, c); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if c.text < 1<<20 {
		t.Errorf("only %d bytes of text", c.text)
	}
	if grown := int64(after.HeapSys) - int64(before.HeapSys); grown > 40<<20 {
		t.Errorf("heap grew by %d MB for 20,000 rows", grown>>20)
	}
}

// BenchmarkLargeSheet reads 200,000 rows of ten formatted columns.
func BenchmarkLargeSheet(b *testing.B) {
	in := extracttest.Input("register.xlsx", largeWorkbook(b, 200_000))
	b.ReportAllocs()
	for b.Loop() {
		if err := (ooxml.Extractor{}).Extract(b.Context(), in, &counter{limit: 1 << 30}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(200_000*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
