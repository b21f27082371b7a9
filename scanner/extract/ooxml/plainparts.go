package ooxml

import (
	"errors"
	"io"
	"strings"

	"github.com/molnvakt/molnvakt/scanner/extract"
)

// readOther reads a part of which only its text matters: charts, diagrams,
// drawings, data bound to content controls.
func (d *document) readOther(x *extract.XML, p *extract.ZipPart, place string) error {
	low := strings.ToLower(p.Name)
	switch x.Name {
	case "styles", "styleSheet", "theme", "fonts", "numbering", "webSettings", "calcChain", "Types", "Relationships", "sst",
		"presentationPr", "viewPr", "tblStyleLst", "chartStyle", "colorStyle", "datastoreItem", "metadata", "volTypes",
		"clrMapOvr", "pivotTableDefinition", "table", "colorsDef", "styleDef", "layoutDef", "singleXmlCells", "slicerStyles", "cmAuthorLst", "authorLst":
		return nil
	case "settings":
		return d.attributes(x, extract.Part{Kind: extract.Hidden}, "docVar", "connectString", "query")
	case "connections":
		return d.attributes(x, extract.Part{Kind: extract.Hidden}, "connection", "dbPr", "webPr", "textPr")
	case "ocx":
		return d.attributes(x, extract.Part{Kind: extract.FormField, Place: place}, "ocxPr")
	case "personList", "people":
		return d.attributes(x, extract.Part{Kind: extract.Property}, "person")
	case "ThreadedComments":
		return d.readThreadedComments(x, place)
	case "pivotCacheRecords":
		return nil // read with its definition
	}
	part := extract.Part{Kind: extract.TextBox, Place: place}
	everything := strings.HasPrefix(low, "customxml/")
	if everything {
		part = extract.Part{Kind: extract.Hidden}
	}
	return d.plainText(x, part, everything)
}

// plainText writes the text of an unknown part, a line for each paragraph.
func (d *document) plainText(x *extract.XML, part extract.Part, everything bool) error {
	d.flow.In(part)
	inside := 0
	if everything {
		d.dataAttributes(x)
	}
	var alternatives choices
	for {
		kind, err := alternatives.next(x)
		if errors.Is(err, io.EOF) {
			d.flow.Line()
			return nil
		}
		if err != nil {
			return err
		}
		switch kind {
		case extract.XMLStart:
			switch {
			case isText(x.Name):
				inside++
			case everything:
				d.dataAttributes(x)
			default:
				d.altText(x, part)
			}
		case extract.XMLEnd:
			switch {
			case isText(x.Name):
				inside--
				if x.Name == "v" || x.Name == "text" {
					d.flow.Line()
				}
			case x.Name == "p" || x.Name == "tr" || x.Name == "div" || everything:
				d.flow.Line()
			}
			if err := d.flow.Err(); err != nil {
				return err
			}
		case extract.XMLText:
			if inside > 0 || everything {
				d.flow.WriteBytes(x.Text())
			}
		}
	}
}

func isText(name string) bool {
	switch name {
	case "t", "v", "text", "Text", "delText", "font", "div":
		return true
	}
	return false
}

// dataAttributes writes the attributes of an element of unknown data, save
// those that speak about the data's form.
func (d *document) dataAttributes(x *extract.XML) {
	if x.Prefix == "ds" || x.Prefix == "xs" || x.Prefix == "xsd" || x.Name == "schema" {
		return
	}
	x.Attrs(func(name, value string) {
		if value != "" && !strings.Contains(value, "://") && name != "nil" && name != "type" {
			d.flow.Write(value + "\n")
		}
	})
}

// altText writes what stands for a picture or shape to those who do not see
// it.
func (d *document) altText(x *extract.XML, part extract.Part) {
	switch x.Name {
	case "docPr", "cNvPr":
		for _, name := range []string{"title", "descr"} {
			if s := x.Attr(name); s != "" {
				d.flow.Aside(extract.Part{Kind: extract.TextBox, Place: part.Place}, s+"\n")
			}
		}
	case "hlinkClick":
		if s := x.Attr("tooltip"); s != "" {
			d.flow.Aside(extract.Part{Kind: extract.Hidden, Place: part.Place}, s+"\n")
		}
	}
}

// attributes writes the attributes of the named elements.
func (d *document) attributes(x *extract.XML, part extract.Part, names ...string) error {
	d.flow.In(part)
	for {
		kind, err := x.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if kind != extract.XMLStart {
			continue
		}
		for _, name := range names {
			if x.Name != name {
				continue
			}
			x.Attrs(func(attr, value string) {
				if attr != "id" && attr != "providerId" && value != "" {
					d.flow.Write(value + " ")
				}
			})
			d.flow.Line()
		}
	}
}
