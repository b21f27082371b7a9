package ooxml

import (
	"archive/zip"
	"bytes"
	"testing"
	"time"

	"github.com/molnvakt/molnvakt/scanner/extract/extracttest"
)

// FuzzPart damages one part instead of the package around it, which would
// seldom let damage through.
func FuzzPart(f *testing.F) {
	for _, seed := range []string{
		`<w:document xmlns:w="w"><w:body><w:p><w:pPr><w:pStyle w:val="a"/></w:pPr><w:r><w:t>text</w:t></w:r><w:del><w:r><w:delText>x</w:delText></w:r></w:del></w:p><w:tbl><w:tr><w:tc><w:tcPr><w:gridSpan w:val="2"/></w:tcPr><w:p><w:r><w:t>cell</w:t></w:r></w:p></w:tc></w:tr></w:tbl></w:body></w:document>`,
		`<worksheet><sheetData><row r="2" hidden="1"><c r="B2" s="1" t="s"><v>0</v></c><c t="inlineStr"><is><t>x_x000D_</t></is></c><c r="XFD2"><v>1.5</v></c></row></sheetData><headerFooter><oddHeader>&amp;Lx</oddHeader></headerFooter></worksheet>`,
		`<p:sld show="0"><p:sp><p:ph type="title"/><a:p><a:t>x</a:t></a:p></p:sp><a:tbl><a:tr><a:tc><a:p><a:t>y</a:t></a:p></a:tc></a:tr></a:tbl></p:sld>`,
		`<comments><authors><author>a</author></authors><commentList><comment ref="B3" authorId="0"><t>x</t></comment></commentList></comments>`,
		`<pivotCacheDefinition><cacheFields><cacheField name="a"><sharedItems><s v="b"/></sharedItems></cacheField></cacheFields></pivotCacheDefinition>`,
		`<cp:coreProperties><dc:title>t</dc:title></cp:coreProperties>`,
		`<PageContents><Shape><Section N="Property"><Cell N="Value" V="x" U="STR"/></Section><Text>y</Text></Shape></PageContents>`,
	} {
		f.Add([]byte(seed), false)
	}
	f.Add([]byte("\x00\x10\x01\x00\x00\x00\x00\x00\x00\x00\x2c\x01\x00\x00\x00\x00\x00\x00\x06\x0e\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00x\x00"), true)
	f.Fuzz(func(t *testing.T, part []byte, binary bool) {
		name := "xl/worksheets/sheet1.xml"
		if binary {
			name = "xl/worksheets/sheet1.bin"
		}
		var b bytes.Buffer
		w := zip.NewWriter(&b)
		p, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Write(part); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		in := extracttest.Input("input.xlsx", b.Bytes())
		in.Limits.Text = 4 << 20
		start := time.Now()
		if _, err := extracttest.Read(t.Context(), Extractor{}, in); err != nil && !extracttest.Named(err) {
			t.Errorf("unnamed error %v", err)
		}
		if took := time.Since(start); took > extracttest.Patience {
			t.Errorf("took %v", took)
		}
	})
}
