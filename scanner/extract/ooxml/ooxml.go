// Package ooxml reads Word, Excel, PowerPoint and Visio documents of the
// Office Open XML family (ECMA-376), binary workbooks (XLSB) and printed
// documents (XPS) among them: text, tables, headers, footers, notes, comments,
// deletions, text boxes, hidden parts, properties, and what is embedded.
package ooxml

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/molnvakt/molnvakt/scanner/extract"
)

// Extractor reads OOXML documents. The zero value is ready.
type Extractor struct{}

// Name implements extract.Extractor.
func (Extractor) Name() string { return "ooxml" }

// Version implements extract.Extractor.
func (Extractor) Version() int { return 2 }

// Accepts implements extract.Extractor.
func (Extractor) Accepts(_, mediaType string) bool {
	t := strings.ToLower(mediaType)
	switch {
	case strings.HasPrefix(t, "application/vnd.openxmlformats-officedocument."),
		strings.HasPrefix(t, "application/vnd.ms-visio."), isFixed(t):
		return true
	case strings.HasPrefix(t, "application/vnd.ms-word."),
		strings.HasPrefix(t, "application/vnd.ms-excel."),
		strings.HasPrefix(t, "application/vnd.ms-powerpoint."):
		return strings.HasSuffix(t, ".12") // macro-enabled kinds, binary workbooks
	}
	return false
}

// Extract implements extract.Extractor.
func (Extractor) Extract(ctx context.Context, in extract.Input, out extract.Sink) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	z, err := extract.OpenZip(ctx, in)
	if err != nil {
		return err
	}
	d := &document{in: in, zip: z, flow: extract.NewFlow(ctx, out), done: map[string]bool{}}
	d.properties()
	if isFixed(strings.ToLower(in.MediaType)) {
		d.fixedPages()
	} else {
		d.mainPart()
	}
	d.remaining()
	if d.book != nil {
		d.book.strings.close()
	}
	if z.Salvaged {
		d.flow.Gap("", fmt.Errorf("ooxml: cut off: %w", extract.ErrDamaged))
	}
	return d.flow.Close()
}

// document is one package on its way through.
type document struct {
	in   extract.Input
	zip  *extract.Zip
	flow *extract.Flow
	done map[string]bool // parts dealt with, in lower case

	word word
	book *workbook
}

// properties reads docProps, whose title tells what the rest is about.
func (d *document) properties() {
	for _, name := range []string{"docProps/core.xml", "docProps/app.xml", "docProps/custom.xml"} {
		if p := d.zip.Part(name); p != nil {
			d.read(p, "")
		}
	}
}

// mainPart reads the document itself and all it refers to.
func (d *document) mainPart() {
	for _, r := range d.relationships("") {
		if strings.HasSuffix(r.kind, "/officeDocument") {
			if p := d.zip.Part(r.target); p != nil {
				d.walk(p, "")
				return
			}
		}
	}
	for _, name := range []string{"word/document.xml", "xl/workbook.xml", "xl/workbook.bin", "ppt/presentation.xml", "visio/document.xml"} {
		if p := d.zip.Part(name); p != nil {
			d.walk(p, "")
			return
		}
	}
	d.missing("")
}

// missing notes a part that the package names and does not have. Of one that
// is cut off this is known.
func (d *document) missing(place string) {
	if !d.zip.Salvaged {
		d.flow.Gap(place, fmt.Errorf("ooxml: a part is missing: %w", extract.ErrDamaged))
	}
}

// wanted are the relationships behind which text lies.
var wanted = map[string]bool{
	"header": true, "footer": true, "footnotes": true, "endnotes": true, "comments": true, "notesSlide": true,
	"glossaryDocument": true, "diagramData": true, "pivotCacheDefinition": true, "package": true,
}

// walk reads a part, and then the parts it refers to, in their order. All of
// them stand at place.
func (d *document) walk(p *extract.ZipPart, place string) {
	if d.done[strings.ToLower(p.Name)] || d.flow.Err() != nil {
		return
	}
	before := d.flow.Chars
	d.read(p, place)
	d.flow.Flush()
	pictures := d.pictureRole(before)
	for _, r := range d.relationships(p.Name) {
		d.follow(r, place, pictures)
	}
	d.flow.Flush()
}

// pictureRole tells what the pictures of a part are, by the text that came
// since before: a page without any was scanned.
func (d *document) pictureRole(before int64) extract.Role {
	if d.flow.Chars-before < 20 {
		return extract.Scan
	}
	return extract.Picture
}

// follow deals with what a relationship points to.
func (d *document) follow(r relationship, place string, pictures extract.Role) {
	kind := path.Base(r.kind)
	if r.external {
		if kind == "hyperlink" {
			d.flow.Aside(extract.Part{Kind: extract.Hidden, Place: place}, r.target+"\n")
		}
		return
	}
	p := d.zip.Part(r.target)
	switch kind {
	case "slideMaster", "slideLayout", "notesMaster", "handoutMaster", "slide", "thumbnail":
		return // by their own order, or at the end
	}
	switch {
	case p != nil:
		d.deal(p, place, pictures)
	case wanted[kind]:
		d.missing(place)
	}
}

// deal reads one part in the way its name asks for.
func (d *document) deal(p *extract.ZipPart, place string, pictures extract.Role) {
	low := strings.ToLower(p.Name)
	if d.done[low] {
		return
	}
	switch ext := path.Ext(low); ext {
	case ".rels", "", ".odttf", ".fntdata", ".ttf", ".psmdcp", ".sigs", ".icc", ".icm":
		d.done[low] = true
	case ".xml", ".vml":
		if boring(low) {
			d.done[low] = true
			return
		}
		d.walk(p, place)
	case ".bin":
		if isBinarySheetPart(low) {
			d.walk(p, place)
			return
		}
		if strings.Contains(low, "printersettings") || strings.Contains(low, "/activex/") {
			d.done[low] = true
			return
		}
		d.hand(p, place, extract.Embedded)
	case ".png", ".jpg", ".jpeg", ".jfif", ".gif", ".tif", ".tiff", ".bmp", ".webp", ".wdp", ".heic", ".pict", ".pct":
		d.hand(p, place, pictures)
	default:
		d.hand(p, place, extract.Embedded)
	}
}

// boring parts hold no text of the author's.
func boring(low string) bool {
	for _, s := range []string{
		"_xmlsignatures/", "customxml/itemprops", "docprops/thumbnail", "[content_types]",
		"/diagrams/colors", "/diagrams/quickstyle", "/diagrams/layout", "/diagrams/drawing", "[trash]/",
	} {
		if strings.Contains(low, s) {
			return true
		}
	}
	return false
}

// remaining deals with the parts nothing refers to: leftovers, and the parts
// of a package whose beginning is all that is left.
func (d *document) remaining() {
	for _, p := range d.zip.Parts {
		if d.flow.Err() != nil {
			return
		}
		if strings.HasSuffix(p.Name, "/") || boring(strings.ToLower(p.Name)) {
			continue
		}
		d.deal(p, "", extract.Picture)
	}
}

// hand gives an embedded document to the sink.
func (d *document) hand(p *extract.ZipPart, place string, role extract.Role) {
	d.done[strings.ToLower(p.Name)] = true
	if d.flow.Err() != nil {
		return
	}
	r, err := p.Open()
	if err != nil {
		d.flow.Gap(p.Name, err)
		return
	}
	defer r.Close() //nolint:errcheck // only read
	d.flow.File(extract.File{Name: path.Base(p.Name), Place: place, Role: role, Content: r})
}

// read reads one XML part, told by its root element what it is: programs put
// parts where they like, and a salvaged package has lost its list.
func (d *document) read(p *extract.ZipPart, place string) {
	d.done[strings.ToLower(p.Name)] = true
	if isBinarySheetPart(strings.ToLower(p.Name)) {
		d.flow.Gap(p.Name, d.readBinary(p, place))
		return
	}
	r, err := p.Open()
	if err != nil {
		d.flow.Gap(p.Name, err)
		return
	}
	defer r.Close() //nolint:errcheck // only read
	x := extract.NewXML(r, d.in.Limits)
	for {
		kind, err := x.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			d.partFailed(p, err)
			return
		}
		if kind != extract.XMLStart {
			continue
		}
		if err := d.root(x, p, place); err != nil && !errors.Is(err, io.EOF) {
			d.partFailed(p, err)
		}
		return
	}
}

// partFailed notes why a part was not read to its end. VML is HTML of old,
// often not well-formed.
func (d *document) partFailed(p *extract.ZipPart, err error) {
	if strings.HasSuffix(strings.ToLower(p.Name), ".vml") {
		err = ignoreDamage(err)
	}
	d.flow.Gap(p.Name, err)
}

// root reads a part by its root element.
func (d *document) root(x *extract.XML, p *extract.ZipPart, place string) error {
	spreadsheet := strings.HasPrefix(strings.ToLower(p.Name), "xl/")
	switch x.Name {
	case "coreProperties", "Properties":
		return d.readProperties(x)
	case "document", "hdr", "ftr", "footnotes", "endnotes", "glossaryDocument":
		return d.readStory(x, place)
	case "comments":
		if spreadsheet {
			return d.readCellComments(x, place)
		}
		return d.readStory(x, place)
	case "workbook":
		return d.readWorkbook(x, p)
	case "worksheet", "dialogsheet", "macrosheet", "chartsheet":
		return d.readLooseSheet(x, p)
	case "pivotCacheDefinition":
		return d.readPivotCache(x, p)
	case "presentation":
		return d.readPresentation(x, p)
	case "sld", "sldMaster", "sldLayout", "notes", "notesMaster", "handoutMaster", "cmLst":
		return d.readSlide(x, place)
	case "PageContents", "MasterContents":
		return d.readDiagramPage(x, place)
	}
	return d.readOther(x, p, place)
}
