package demodata

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"fmt"
	"strings"
)

// part is a file of a package or archive.
type part struct {
	name    string
	content []byte
}

func archive(parts []part) ([]byte, error) {
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, p := range parts {
		header := &zip.FileHeader{Name: p.name, Method: zip.Deflate}
		if p.name == "mimetype" {
			header.Method = zip.Store // OpenDocument: first and not compressed
		}
		w, err := z.CreateHeader(header)
		if err != nil {
			return nil, err
		}
		if _, err := w.Write(p.content); err != nil {
			return nil, err
		}
	}
	err := z.Close()
	return out.Bytes(), err
}

func esc(text string) string {
	var b strings.Builder
	if err := xml.EscapeText(&b, []byte(text)); err != nil {
		return "" // a strings.Builder does not fail
	}
	return b.String()
}

const xmlHead = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n"

// packed writes an office document.
func packed(format string, s sheet) ([]byte, error) {
	switch format {
	case "docx":
		return archive(word(s))
	case "xlsx":
		return archive(workbook(s))
	case "pptx":
		return archive(slides(s))
	case "odt":
		return archive(open("text", openText(s)))
	case "ods":
		return archive(open("spreadsheet", openSheet(s)))
	}
	return nil, fmt.Errorf("unknown package %q", format)
}

func relations(of ...string) []byte {
	const office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
	var b strings.Builder
	b.WriteString(xmlHead + `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">`)
	for i := 0; i+1 < len(of); i += 2 {
		kind := office + of[i]
		if of[i] == "core-properties" {
			kind = "http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties"
		}
		fmt.Fprintf(&b, `<Relationship Id="rId%d" Type="%s" Target="%s"/>`, i/2+1, kind, of[i+1])
	}
	return []byte(b.String() + `</Relationships>`)
}

func contentTypes(of ...string) []byte {
	var b strings.Builder
	b.WriteString(xmlHead + `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/docProps/core.xml" ContentType="application/vnd.openxmlformats-package.core-properties+xml"/>`)
	for i := 0; i+1 < len(of); i += 2 {
		fmt.Fprintf(&b, `<Override PartName="/%s" ContentType="application/vnd.openxmlformats-officedocument.%s+xml"/>`, of[i], of[i+1])
	}
	return []byte(b.String() + `</Types>`)
}

func core(s sheet) part {
	return part{"docProps/core.xml", []byte(xmlHead + `<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>` + esc(s.Title) + `</dc:title></cp:coreProperties>`)}
}

func word(s sheet) []part {
	var b strings.Builder
	b.WriteString(xmlHead + `<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>`)
	for _, block := range s.Blocks {
		switch {
		case block.Rows != nil:
			b.WriteString(`<w:tbl><w:tblPr/><w:tblGrid/>`)
			for _, row := range block.Rows {
				b.WriteString(`<w:tr>`)
				for _, cell := range row {
					b.WriteString(`<w:tc>` + wordParagraph("", cell) + `</w:tc>`)
				}
				b.WriteString(`</w:tr>`)
			}
			b.WriteString(`</w:tbl>`)
		case block.Heading:
			b.WriteString(wordParagraph(`<w:pPr><w:pStyle w:val="Heading1"/></w:pPr>`, block.Text))
		default:
			b.WriteString(wordParagraph("", block.Text))
		}
	}
	b.WriteString(`</w:body></w:document>`)
	return []part{
		{"[Content_Types].xml", contentTypes("word/document.xml", "wordprocessingml.document.main")},
		{"_rels/.rels", relations("officeDocument", "word/document.xml", "core-properties", "docProps/core.xml")},
		core(s),
		{"word/document.xml", []byte(b.String())},
	}
}

// wordParagraph splits the text over two runs, as word processors do.
func wordParagraph(style, text string) string {
	runes := []rune(text)
	half := len(runes) / 2
	return `<w:p>` + style + `<w:r><w:t xml:space="preserve">` + esc(string(runes[:half])) + `</w:t></w:r><w:r><w:t xml:space="preserve">` + esc(string(runes[half:])) + `</w:t></w:r></w:p>`
}

func workbook(s sheet) []part {
	var rows, shared strings.Builder
	count, number := 0, 0
	for _, row := range grid(s) {
		number++
		fmt.Fprintf(&rows, `<row r="%d">`, number)
		for i, cell := range row {
			fmt.Fprintf(&rows, `<c r="%c%d" t="s"><v>%d</v></c>`, 'A'+rune(i%26), number, count)
			shared.WriteString(`<si><t xml:space="preserve">` + esc(cell) + `</t></si>`)
			count++
		}
		rows.WriteString(`</row>`)
	}
	const ns = `xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"`
	return []part{
		{"[Content_Types].xml", contentTypes("xl/workbook.xml", "spreadsheetml.sheet.main", "xl/worksheets/sheet1.xml", "spreadsheetml.worksheet", "xl/sharedStrings.xml", "spreadsheetml.sharedStrings")},
		{"_rels/.rels", relations("officeDocument", "xl/workbook.xml", "core-properties", "docProps/core.xml")},
		core(s),
		{"xl/workbook.xml", []byte(xmlHead + `<workbook ` + ns + ` xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="Blad1" sheetId="1" r:id="rId1"/></sheets></workbook>`)},
		{"xl/_rels/workbook.xml.rels", relations("worksheet", "worksheets/sheet1.xml", "sharedStrings", "sharedStrings.xml")},
		{"xl/worksheets/sheet1.xml", []byte(xmlHead + `<worksheet ` + ns + `><sheetData>` + rows.String() + `</sheetData></worksheet>`)},
		{"xl/sharedStrings.xml", []byte(xmlHead + fmt.Sprintf(`<sst %s count="%d" uniqueCount="%d">`, ns, count, count) + shared.String() + `</sst>`)},
	}
}

// grid is the sheet as rows of cells.
func grid(s sheet) [][]string {
	var all [][]string
	for _, block := range s.Blocks {
		if block.Rows == nil {
			all = append(all, []string{block.Text})
		}
		all = append(all, block.Rows...)
	}
	return all
}

// slides puts each heading with what follows it on a slide.
func slides(s sheet) []part {
	var pages [][]string
	for _, block := range s.Blocks {
		lines := []string{block.Text}
		for _, row := range block.Rows {
			lines = append(lines, strings.Join(row, "  "))
		}
		if block.Heading || len(pages) == 0 || len(pages[len(pages)-1]) > 12 {
			pages = append(pages, nil)
		}
		pages[len(pages)-1] = append(pages[len(pages)-1], lines...)
	}
	types := []string{"ppt/presentation.xml", "presentationml.presentation.main"}
	var links []string
	var list strings.Builder
	var parts []part
	for i, lines := range pages {
		name := fmt.Sprintf("slides/slide%d.xml", i+1)
		types = append(types, "ppt/"+name, "presentationml.slide")
		links = append(links, "slide", name)
		fmt.Fprintf(&list, `<p:sldId id="%d" r:id="rId%d"/>`, 256+i, i+1)
		parts = append(parts, part{"ppt/" + name, []byte(slide(lines))})
	}
	return append([]part{
		{"[Content_Types].xml", contentTypes(types...)},
		{"_rels/.rels", relations("officeDocument", "ppt/presentation.xml", "core-properties", "docProps/core.xml")},
		core(s),
		{"ppt/presentation.xml", []byte(xmlHead + `<p:presentation xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><p:sldIdLst>` + list.String() + `</p:sldIdLst><p:sldSz cx="9144000" cy="6858000"/><p:notesSz cx="6858000" cy="9144000"/></p:presentation>`)},
		{"ppt/_rels/presentation.xml.rels", relations(links...)},
	}, parts...)
}

func slide(lines []string) string {
	var b strings.Builder
	b.WriteString(xmlHead + `<p:sld xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main" xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"><p:cSld><p:spTree><p:nvGrpSpPr><p:cNvPr id="1" name=""/><p:cNvGrpSpPr/><p:nvPr/></p:nvGrpSpPr><p:grpSpPr/><p:sp><p:nvSpPr><p:cNvPr id="2" name="Text"/><p:cNvSpPr/><p:nvPr/></p:nvSpPr><p:spPr/><p:txBody><a:bodyPr/>`)
	for _, line := range lines {
		b.WriteString(`<a:p><a:r><a:t>` + esc(line) + `</a:t></a:r></a:p>`)
	}
	return b.String() + `</p:txBody></p:sp></p:spTree></p:cSld></p:sld>`
}

const openNames = `xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"`

// open is an OpenDocument package around a body.
func open(kind, body string) []part {
	media := "application/vnd.oasis.opendocument." + kind
	return []part{
		{"mimetype", []byte(media)},
		{"content.xml", []byte(xmlHead + `<office:document-content ` + openNames + ` office:version="1.3"><office:body><office:` + kind + `>` + body + `</office:` + kind + `></office:body></office:document-content>`)},
		{"META-INF/manifest.xml", []byte(xmlHead + `<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0" manifest:version="1.3"><manifest:file-entry manifest:full-path="/" manifest:media-type="` + media + `"/><manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/></manifest:manifest>`)},
	}
}

func openText(s sheet) string {
	var b strings.Builder
	for i, block := range s.Blocks {
		switch {
		case block.Rows != nil:
			fmt.Fprintf(&b, `<table:table table:name="Tabell%d">%s</table:table>`, i+1, openRows(block.Rows))
		case block.Heading:
			b.WriteString(`<text:h text:outline-level="1">` + esc(block.Text) + `</text:h>`)
		default:
			b.WriteString(`<text:p>` + esc(block.Text) + `</text:p>`)
		}
	}
	return b.String()
}

func openSheet(s sheet) string {
	return `<table:table table:name="Blad1">` + openRows(grid(s)) + `</table:table>`
}

func openRows(rows [][]string) string {
	var b strings.Builder
	for _, row := range rows {
		b.WriteString(`<table:table-row>`)
		for _, cell := range row {
			b.WriteString(`<table:table-cell office:value-type="string"><text:p>` + esc(cell) + `</text:p></table:table-cell>`)
		}
		b.WriteString(`</table:table-row>`)
	}
	return b.String()
}
