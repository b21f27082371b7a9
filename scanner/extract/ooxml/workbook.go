package ooxml

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"

	"github.com/molnvakt/molnvakt/scanner/extract"
)

// workbook is what the sheets of an Excel document share.
type workbook struct {
	strings  *stringTable
	formats  []*extract.NumberFormat // by cell style
	date1904 bool
}

// sheetEntry is a sheet as the workbook lists it.
type sheetEntry struct {
	name, id string
	hidden   bool
}

// readWorkbook reads the list of sheets and names, and then the sheets in
// the order of their tabs.
func (d *document) readWorkbook(x *extract.XML, p *extract.ZipPart) error {
	book := d.workbook(p.Name)
	var sheets []sheetEntry
	damage := d.eachStart(x, func() error {
		switch x.Name {
		case "workbookPr":
			book.date1904 = x.Attr("date1904") == "1" || x.Attr("date1904") == "true"
		case "sheet":
			state := x.Attr("state")
			sheets = append(sheets, sheetEntry{x.Attr("name"), x.Attr("id"), state == "hidden" || state == "veryHidden"})
		case "definedName":
			return d.definedName(x)
		}
		return nil
	})
	d.readSheets(p, sheets)
	return damage
}

// readSheets reads the sheets of the workbook p, in the order of their tabs.
func (d *document) readSheets(p *extract.ZipPart, sheets []sheetEntry) {
	targets := map[string]string{}
	for _, r := range d.relationships(p.Name) {
		targets[r.id] = r.target
	}
	for _, s := range sheets {
		part := d.zip.Part(targets[s.id])
		if part == nil {
			d.missing(s.name)
		} else if d.flow.Err() == nil {
			d.readSheetPart(part, s.name, s.hidden)
		}
	}
}

// eachStart calls visit at every start tag until the part's end.
func (d *document) eachStart(x *extract.XML, visit func() error) error {
	for {
		kind, err := x.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if kind == extract.XMLStart {
			if err := visit(); err != nil {
				return err
			}
		}
	}
}

// definedName writes a name and what it stands for: people keep constants
// there.
func (d *document) definedName(x *extract.XML) error {
	name, comment := x.Attr("name"), x.Attr("comment")
	value, err := elementText(x)
	if err != nil {
		return err
	}
	if strings.Contains(value, "!") && !strings.Contains(value, `"`) {
		value = "" // only a place
	}
	if !strings.HasPrefix(name, "_xlnm.") {
		d.flow.Alone(extract.Part{Kind: extract.Property}, strings.Trim(name+": "+value+" "+comment, ": "))
	}
	return d.flow.Err()
}

// elementText returns the text of the element at hand, and consumes its end.
func elementText(x *extract.XML) (string, error) {
	var text strings.Builder
	for open := 1; open > 0; {
		kind, err := x.Next()
		if err != nil {
			return text.String(), err
		}
		switch kind {
		case extract.XMLStart:
			open++
		case extract.XMLEnd:
			open--
		case extract.XMLText:
			if text.Len() < 1<<20 {
				text.Write(x.Text())
			}
		}
	}
	return text.String(), nil
}

// workbook reads what the sheets of the workbook with this name share, once.
func (d *document) workbook(name string) *workbook {
	if d.book == nil {
		d.book = &workbook{}
		d.book.strings = d.sharedStrings(d.shared(name, "sharedStrings"))
		d.book.formats = d.cellFormats(d.shared(name, "styles"))
	}
	return d.book
}

// shared finds a part of the workbook by the relationship to it, or where such
// parts usually are.
func (d *document) shared(name, kind string) *extract.ZipPart {
	for _, r := range d.relationships(name) {
		if p := d.zip.Part(r.target); p != nil && !r.external && strings.HasSuffix(r.kind, "/"+kind) {
			return p
		}
	}
	return d.zip.Part(path.Join(path.Dir(name), kind+".xml"))
}

// sharedStrings reads the table of strings that cells point into. The counts
// it declares are not believed.
func (d *document) sharedStrings(p *extract.ZipPart) *stringTable {
	if p == nil {
		return nil
	}
	d.done[strings.ToLower(p.Name)] = true
	r, err := p.Open()
	if err != nil {
		d.flow.Gap(p.Name, err)
		return nil
	}
	defer r.Close() //nolint:errcheck // only read
	table := newStringTable(d.in)
	var text []byte
	inText, phonetic := false, false
	err = extract.EachXML(r, d.in.Limits, func(x *extract.XML, kind extract.XMLKind) error {
		switch {
		case kind == extract.XMLText:
			if inText && !phonetic {
				text = append(text, x.Text()...)
			}
			if int64(len(text)) > d.in.Limits.Text {
				return fmt.Errorf("ooxml: a shared string: %w", extract.ErrLimit)
			}
		case x.Name == "t":
			inText = kind == extract.XMLStart
		case x.Name == "rPh":
			phonetic = kind == extract.XMLStart
		case x.Name == "si" && kind == extract.XMLEnd:
			err := table.add(unescape(text))
			text = text[:0]
			return err
		}
		return nil
	})
	if len(text) > 0 { // the last one has no end
		err = cmp.Or(err, table.add(unescape(text)))
	}
	d.flow.Gap(p.Name, err)
	return table
}

// cellFormats reads the number format of each cell style.
func (d *document) cellFormats(p *extract.ZipPart) []*extract.NumberFormat {
	if p == nil {
		return nil
	}
	d.done[strings.ToLower(p.Name)] = true
	r, err := p.Open()
	if err != nil {
		d.flow.Gap(p.Name, err)
		return nil
	}
	defer r.Close() //nolint:errcheck // only read
	custom, known := map[int]*extract.NumberFormat{}, map[int]*extract.NumberFormat{}
	var formats []*extract.NumberFormat
	inCells := false
	err = extract.EachXML(r, d.in.Limits, func(x *extract.XML, kind extract.XMLKind) error {
		switch {
		case x.Name == "cellXfs":
			inCells = kind == extract.XMLStart
		case kind != extract.XMLStart:
		case x.Name == "numFmt" && len(custom) < 10_000:
			if id, err := strconv.Atoi(x.Attr("numFmtId")); err == nil {
				custom[id] = extract.ParseNumberFormat(x.Attr("formatCode"))
			}
		case x.Name == "xf" && inCells && len(formats) < 100_000:
			id, _ := strconv.Atoi(x.Attr("numFmtId"))
			format, ok := custom[id]
			if !ok {
				if format, ok = known[id]; !ok {
					format = extract.BuiltinNumberFormat(id)
					known[id] = format
				}
			}
			formats = append(formats, format)
		}
		return nil
	})
	d.flow.Gap(p.Name, err)
	return formats
}

// readLooseSheet reads a sheet that no workbook lists: of a salvaged package,
// or left behind.
func (d *document) readLooseSheet(x *extract.XML, p *extract.ZipPart) error {
	d.workbook(path.Join(path.Dir(path.Dir(p.Name)), "workbook.xml"))
	name := strings.TrimSuffix(path.Base(p.Name), path.Ext(p.Name))
	return d.newSheet(x, name, !d.zip.Salvaged, nil).read()
}

// readSheetPart reads a sheet and what belongs to it.
func (d *document) readSheetPart(p *extract.ZipPart, name string, hidden bool) {
	d.done[strings.ToLower(p.Name)] = true
	relations := d.relationships(p.Name)
	heading := extract.Part{Kind: extract.Heading, Place: name}
	if hidden {
		heading.Kind = extract.Hidden
	}
	d.flow.Alone(heading, name)
	d.flow.Flush()
	before := d.flow.Chars
	d.flow.Gap(name, d.sheetCells(p, name, hidden, relations))
	d.flow.Flush()
	pictures := d.pictureRole(before)
	for _, r := range relations {
		d.follow(r, name, pictures)
	}
	d.flow.Flush()
}

// sheetCells reads the part that holds the cells.
func (d *document) sheetCells(p *extract.ZipPart, name string, hidden bool, relations []relationship) error {
	if isBinarySheetPart(strings.ToLower(p.Name)) {
		return d.newSheet(nil, name, hidden, nil).readBinary(p)
	}
	r, err := p.Open()
	if err != nil {
		return err
	}
	defer r.Close() //nolint:errcheck // only read
	return d.newSheet(extract.NewXML(r, d.in.Limits), name, hidden, d.tableHeaders(relations)).read()
}

// tableHeaders returns the rows which the sheet's tables say name columns.
func (d *document) tableHeaders(relations []relationship) map[int]bool {
	rows := map[int]bool{}
	for _, r := range relations {
		p := d.zip.Part(r.target)
		if r.external || p == nil || !strings.HasSuffix(r.kind, "/table") {
			continue
		}
		rc, err := p.Open()
		if err != nil {
			continue
		}
		x := extract.NewXML(rc, d.in.Limits)
		for {
			kind, err := x.Next()
			if err != nil {
				break
			}
			if kind == extract.XMLStart {
				if x.Name == "table" && x.Attr("headerRowCount") != "0" {
					first, _, _ := strings.Cut(x.Attr("ref"), ":")
					_, row := cellName([]byte(first))
					rows[row] = true
				}
				break
			}
		}
		rc.Close() //nolint:errcheck // only read
	}
	return rows
}

// readPivotCache reads the copy of its source that a pivot table keeps, also
// where the source itself is gone.
func (d *document) readPivotCache(x *extract.XML, p *extract.ZipPart) error {
	cache := &pivotCache{part: extract.Part{Kind: extract.Hidden, Place: strings.TrimSuffix(path.Base(p.Name), path.Ext(p.Name))}}
	inItems := false
	for {
		kind, err := x.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		switch {
		case x.Name == "sharedItems":
			inItems = kind == extract.XMLStart
		case kind != extract.XMLStart:
		case x.Name == "cacheField":
			cache.names = append(cache.names, x.Attr("name"))
			cache.items = append(cache.items, nil)
		case inItems && len(cache.items) > 0:
			last := len(cache.items) - 1
			if cache.size += len(x.AttrBytes("v")) + 16; int64(cache.size) > d.in.Limits.Text {
				return fmt.Errorf("ooxml: pivot cache: %w", extract.ErrLimit)
			}
			cache.items[last] = append(cache.items[last], x.Attr("v"))
		}
	}
	d.flow.Row(cache.part, extract.Row{Number: 1, Cells: cache.names, Header: true})
	for _, r := range d.relationships(p.Name) {
		if records := d.zip.Part(r.target); records != nil && strings.HasSuffix(r.kind, "/pivotCacheRecords") {
			d.done[strings.ToLower(records.Name)] = true
			d.flow.Gap(records.Name, d.readPivotRecords(cache, records))
			return d.flow.Err()
		}
	}
	cache.writeItems(d.flow)
	return d.flow.Err()
}

type pivotCache struct {
	part  extract.Part
	names []string
	items [][]string // by field
	size  int
}

// writeItems writes what each field holds where the records are not kept.
func (c *pivotCache) writeItems(flow *extract.Flow) {
	flow.In(c.part)
	for i, items := range c.items {
		for _, item := range items {
			if item != "" {
				flow.Write(c.names[i] + ": " + item)
				flow.Line()
			}
		}
	}
}

func (d *document) readPivotRecords(c *pivotCache, p *extract.ZipPart) error {
	r, err := p.Open()
	if err != nil {
		return err
	}
	defer r.Close() //nolint:errcheck // only read
	number := 1
	var cells []string
	return extract.EachXML(r, d.in.Limits, func(x *extract.XML, kind extract.XMLKind) error {
		switch {
		case kind == extract.XMLStart && x.Name == "r":
			cells = cells[:0]
		case kind == extract.XMLStart && x.Name != "pivotCacheRecords" && len(cells) < len(c.names):
			cells = append(cells, c.value(len(cells), x))
		case kind == extract.XMLEnd && x.Name == "r":
			number++
			d.flow.Row(c.part, extract.Row{Number: number, Cells: cells})
			return d.flow.Err()
		}
		return nil
	})
}

// value is one field of a record: its own, or one of the shared items.
func (c *pivotCache) value(field int, x *extract.XML) string {
	v := x.Attr("v")
	if x.Name != "x" {
		return v
	}
	if i, err := strconv.Atoi(v); err == nil && i >= 0 && i < len(c.items[field]) {
		return c.items[field][i]
	}
	return ""
}
