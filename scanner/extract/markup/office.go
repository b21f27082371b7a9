package markup

import (
	"strconv"
	"strings"

	"github.com/molnvakt/molnvakt/scanner/extract"
)

// Before OOXML, Office had an XML of its own (2003), which many systems still
// write when they say "export to Excel". Flat OPC is Word's later way to keep a
// document in one XML file.

// officeReader returns the reader for a document with this root, if it is one
// of Office, or nil.
func officeReader(root *extract.XML, flow *extract.Flow) func(x *extract.XML, kind extract.XMLKind) {
	switch spreadsheet := false; root.Name {
	case "Workbook":
		root.Attrs(func(_, value string) {
			spreadsheet = spreadsheet || value == "urn:schemas-microsoft-com:office:spreadsheet"
		})
		if spreadsheet {
			return (&workbook{flow: flow, sheet: extract.Part{Kind: extract.Body}}).token
		}
	case "wordDocument":
		return (&wordText{flow: flow}).token
	case "package":
		if root.Prefix == "pkg" { // not the package of an e-book
			return (&wordText{flow: flow}).token
		}
	}
	return nil
}

// workbook reads SpreadsheetML 2003.
type workbook struct {
	flow   *extract.Flow
	sheet  extract.Part
	row    int
	cells  []string
	column int // of the next cell
	value  strings.Builder
	in     string // the element whose text is read: Data, Comment, or a property
}

const maxColumns = 16_384 // as Excel has

func (w *workbook) token(x *extract.XML, kind extract.XMLKind) {
	switch kind {
	case extract.XMLStart:
		w.start(x)
	case extract.XMLText:
		if w.in != "" {
			w.value.Write(x.Text())
		}
	case extract.XMLEnd:
		w.end(x)
	}
}

func (w *workbook) start(x *extract.XML) {
	switch x.Name {
	case "Worksheet":
		w.sheet = extract.Part{Kind: extract.Body, Place: x.Attr("Name")}
		w.row = 0
	case "WorksheetOptions":
		w.in = ""
	case "Row":
		w.row = index(x, w.row+1)
		w.cells, w.column = nil, 0
	case "Cell":
		w.column = index(x, w.column+1) - 1
	case "Data", "Comment", "Author", "Title", "Subject", "Keywords", "Company", "Manager", "Description":
		if w.in == "" {
			w.in = x.Name
			w.value.Reset()
		}
	}
}

// index is the place that ss:Index gives to a row or cell, or else the next.
func index(x *extract.XML, next int) int {
	if n, err := strconv.Atoi(x.Attr("Index")); err == nil && n > 0 && n < 1<<21 {
		return n
	}
	return next
}

func (w *workbook) end(x *extract.XML) {
	switch {
	case x.Name == "Cell":
		w.column++
	case x.Name == "Row":
		if len(w.cells) > 0 {
			w.flow.Row(w.sheet, extract.Row{Number: max(1, w.row), Cells: w.cells})
		}
		w.cells = nil
	case x.Name != w.in || w.in == "":
		return
	case w.in == "Data":
		w.cell(strings.TrimSpace(w.value.String()))
	case w.in == "Comment":
		w.flow.Aside(extract.Part{Kind: extract.Comment, Place: w.sheet.Place}, strings.TrimSpace(w.value.String())+"\n")
	default:
		w.flow.Aside(extract.Part{Kind: extract.Property}, w.in+": "+strings.TrimSpace(w.value.String())+"\n")
	}
	if x.Name == w.in {
		w.in = ""
	}
}

func (w *workbook) cell(value string) {
	if value == "" || w.column >= maxColumns || w.column < 0 {
		return
	}
	for len(w.cells) <= w.column {
		w.cells = append(w.cells, "")
	}
	w.cells[w.column] = value
}

// wordText reads WordprocessingML in one file: paragraphs are lines.
type wordText struct {
	flow     *extract.Flow
	inText   bool
	property string // the property whose value is read
	depth    int    // in a list of properties
}

// properties reads the lists of properties and tells whether x was in one.
func (w *wordText) properties(x *extract.XML, kind extract.XMLKind) bool {
	list := x.Name == "DocumentProperties" || x.Name == "CustomDocumentProperties"
	switch {
	case kind == extract.XMLStart && (list || w.depth > 0):
		w.depth++
		w.property = x.Name
	case w.depth == 0:
		return false
	case kind == extract.XMLEnd:
		w.depth--
		w.property = ""
	case kind == extract.XMLText && w.property != "":
		if text := strings.TrimSpace(string(x.Text())); text != "" && w.depth == 2 {
			w.flow.Aside(extract.Part{Kind: extract.Property}, w.property+": "+text+"\n")
		}
	}
	return true
}

func (w *wordText) token(x *extract.XML, kind extract.XMLKind) {
	if w.properties(x, kind) {
		return
	}
	switch kind {
	case extract.XMLStart:
		switch x.Name {
		case "t", "delText", "instrText":
			w.inText = true
		case "tab", "tc":
			w.flow.Write("\t")
		case "br", "cr":
			w.flow.Line()
		}
	case extract.XMLText:
		if w.inText {
			w.flow.WriteBytes(x.Text())
		}
	case extract.XMLEnd:
		switch x.Name {
		case "t", "delText", "instrText":
			w.inText = false
		case "p":
			w.flow.Line()
		}
	}
}
