package ooxml

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/molnvakt/molnvakt/scanner/extract"
)

// wideRow is how many columns a row is handed over with. Cells further out
// are rare; they go one by one, so that a row with one cell in column XFD is
// not sixteen thousand cells.
const wideRow = 1000

// sheet is one sheet on its way through.
type sheet struct {
	d       *document
	x       *extract.XML
	name    string
	hidden  bool
	headers map[int]bool // rows that name columns

	row       int
	rowHidden bool
	cells     []string
	text      []byte // of the row's cells
	spans     []span // where in text the cells lie
	far       []string
	value     []byte // of the present cell
	formula   []byte // its beginning
	lost      bool   // cells point to strings or formats that are not there
}

// span says that cell number column is text[from:to].
type span struct{ column, from, to int }

func (d *document) newSheet(x *extract.XML, name string, hidden bool, headers map[int]bool) *sheet {
	return &sheet{d: d, x: x, name: name, hidden: hidden, headers: headers}
}

// read reads the sheet until its part ends.
func (s *sheet) read() error {
	for {
		kind, err := s.x.Next()
		if errors.Is(err, io.EOF) {
			return s.ended()
		}
		if err == nil && kind == extract.XMLStart {
			err = s.element()
		}
		if err != nil {
			s.endRow()
			return err
		}
		if kind == extract.XMLEnd && s.x.Name == "row" {
			s.endRow()
			if err := s.d.flow.Err(); err != nil {
				return err
			}
		}
	}
}

func (s *sheet) element() error {
	x := s.x
	switch x.Name {
	case "row":
		s.row++
		if n, err := strconv.Atoi(string(x.AttrBytes("r"))); err == nil && n > 0 {
			s.row = n
		}
		hidden := x.AttrBytes("hidden")
		s.rowHidden = len(hidden) > 0 && (hidden[0] == '1' || hidden[0] == 't')
	case "c":
		return s.cell()
	case "oddHeader", "evenHeader", "firstHeader":
		return s.headerOrFooter(extract.Header)
	case "oddFooter", "evenFooter", "firstFooter":
		return s.headerOrFooter(extract.Footer)
	case "hyperlink":
		for _, name := range []string{"tooltip"} {
			if v := x.Attr(name); v != "" {
				s.d.flow.Aside(extract.Part{Kind: extract.Hidden, Place: s.name}, v+"\n")
			}
		}
	case "dataValidation":
		for _, name := range []string{"promptTitle", "prompt", "error"} {
			if v := x.Attr(name); v != "" {
				s.d.flow.Aside(extract.Part{Kind: extract.Hidden, Place: s.name}, v+"\n")
			}
		}
	case "formula1":
		text, err := elementText(x)
		if strings.HasPrefix(text, `"`) {
			s.d.flow.Aside(extract.Part{Kind: extract.Hidden, Place: s.name}, strings.Trim(text, `"`)+"\n")
		}
		return err
	}
	return nil
}

// cell reads one cell, its end included.
func (s *sheet) cell() error {
	x := s.x
	column := len(s.cells)
	if c, _ := cellName(x.AttrBytes("r")); c >= 0 {
		column = c
	}
	kind := cellKind(x.AttrBytes("t"))
	style, _ := strconv.Atoi(string(x.AttrBytes("s")))
	s.value, s.formula = s.value[:0], s.formula[:0]
	err := s.cellValue()
	if len(s.value) == 0 && len(s.formula) > 0 {
		s.value, kind = constants(s.value, s.formula), 'i'
	}
	return cmp.Or(err, s.put(column, kind, style))
}

// cellKind tells apart the types of cells by the first letters of their names:
// s(hared) strings, i(nlineStr) and str(ing), b(ool), e(rror), d(ate), n(umber).
func cellKind(t []byte) byte {
	switch {
	case len(t) == 0:
		return 'n'
	case string(t) == "s":
		return 's'
	case t[0] == 's':
		return 'i'
	}
	return t[0]
}

// constants adds the texts that a formula holds, for one whose value nobody has
// computed yet: programs write ="0507091234" to keep the zero.
func constants(to, formula []byte) []byte {
	for joined := true; ; {
		from := bytes.IndexByte(formula, '"')
		if from < 0 {
			return to
		}
		joined = joined || string(formula[:from]) == "&"
		formula = formula[from+1:]
		end := bytes.IndexByte(formula, '"')
		if end < 0 {
			return to
		}
		if !joined && end > 0 && len(to) > 0 {
			to = append(to, ' ')
		}
		to = append(to, formula[:end]...)
		formula, joined = formula[end+1:], false
	}
}

// maxFormula is how much of a formula is kept, in bytes; Excel allows as much.
const maxFormula = 8 << 10

// cellValue gathers v and t of the cell until its end.
func (s *sheet) cellValue() error {
	inside, inFormula := false, false
	for open := 1; open > 0; {
		kind, err := s.x.Next()
		if errors.Is(err, io.EOF) {
			return fmt.Errorf("ooxml: cell without end: %w", extract.ErrDamaged)
		}
		if err != nil {
			return err
		}
		switch kind {
		case extract.XMLStart:
			open++
			if s.x.Name == "rPh" {
				if err := s.x.Skip(); err != nil {
					return err
				}
				open--
				continue
			}
			inside, inFormula = s.x.Name == "v" || s.x.Name == "t", s.x.Name == "f"
		case extract.XMLEnd:
			open--
			inside, inFormula = false, false
		case extract.XMLText:
			if inFormula && len(s.formula) < maxFormula {
				s.formula = append(s.formula, s.x.Text()...)
			}
			if inside {
				s.value = append(s.value, s.x.Text()...)
				if int64(len(s.value)) > s.d.in.Limits.Text {
					return fmt.Errorf("ooxml: text of one cell: %w", extract.ErrLimit)
				}
			}
		}
	}
	return nil
}

// put sets a cell of the row.
func (s *sheet) put(column int, kind byte, style int) error {
	if len(s.value) == 0 {
		return nil
	}
	from := len(s.text)
	if err := s.show(kind, style); err != nil {
		return err
	}
	return s.set(column, from)
}

// set makes a cell of what was added to the row's text, from there on.
func (s *sheet) set(column, from int) error {
	switch {
	case column >= wideRow:
		s.far = append(s.far, columnName(column)+strconv.Itoa(max(1, s.row)), string(s.text[from:]))
		s.text = s.text[:from]
		return nil
	case int64(len(s.text)) > s.d.in.Limits.Text:
		return fmt.Errorf("ooxml: text of one row: %w", extract.ErrLimit)
	}
	for len(s.cells) <= column {
		s.cells = append(s.cells, "")
	}
	s.spans = append(s.spans, span{column, from, len(s.text)})
	return nil
}

// show adds the value to the row's text as the sheet's reader sees it.
func (s *sheet) show(kind byte, style int) error {
	switch kind {
	case 's':
		i, err := strconv.Atoi(string(bytes.TrimSpace(s.value)))
		if err != nil {
			return nil
		}
		return s.shared(i)
	case 'b':
		if string(s.value) == "1" {
			s.text = append(s.text, "TRUE"...)
		} else {
			s.text = append(s.text, "FALSE"...)
		}
		return nil
	case 'i':
		s.value = unescape(s.value)
	case 'n':
		if s.plainDigits(style) {
			break
		}
		if v, err := strconv.ParseFloat(string(bytes.TrimSpace(s.value)), 64); err == nil {
			s.text = append(s.text, s.format(style).Format(v, s.d.book.date1904)...)
			return nil
		}
	}
	s.text = append(s.text, s.value...)
	return nil
}

// shared adds string number i to the row's text.
func (s *sheet) shared(i int) (err error) {
	s.lost = s.lost || !s.d.book.strings.has(i)
	s.text, err = s.d.book.strings.appendTo(s.text, i)
	return err
}

// ended tells that the sheet was read, if it all was there.
func (s *sheet) ended() error {
	if s.lost {
		return fmt.Errorf("ooxml: strings or formats of the sheet: %w", extract.ErrDamaged)
	}
	return nil
}

// plainDigits: most numbers are shown as they are stored.
func (s *sheet) plainDigits(style int) bool {
	return s.format(style) == nil && len(s.value) <= 15 && len(bytes.TrimLeft(s.value, "0123456789")) == 0
}

func (s *sheet) format(style int) *extract.NumberFormat {
	if style >= 0 && style < len(s.d.book.formats) {
		return s.d.book.formats[style]
	}
	s.lost = s.lost || style > 0 // zeros in front of numbers, maybe
	return nil
}

func (s *sheet) endRow() {
	if len(s.spans) > 0 {
		text := string(s.text)
		for _, sp := range s.spans {
			s.cells[sp.column] = text[sp.from:sp.to]
		}
	}
	part := extract.Part{Kind: extract.Body, Place: s.name}
	if s.hidden || s.rowHidden {
		part.Kind = extract.Hidden
	}
	if len(s.cells) > 0 {
		s.d.flow.Row(part, extract.Row{Number: max(1, s.row), Cells: s.cells, Header: s.headers[s.row]})
	}
	for i := 0; i+1 < len(s.far); i += 2 {
		s.d.flow.Alone(extract.Part{Kind: part.Kind, Place: s.name + "!" + s.far[i]}, s.far[i+1])
	}
	clear(s.cells)
	s.cells, s.text, s.spans, s.far = s.cells[:0], s.text[:0], s.spans[:0], s.far[:0]
}

func (s *sheet) headerOrFooter(kind extract.Kind) error {
	text, err := elementText(s.x)
	s.d.flow.Alone(extract.Part{Kind: kind, Place: s.name}, extract.SheetHeader(text))
	return err
}

// cellName reads "AB12" into its column, counted from 0, and row, counted from
// 1. The column is -1 where there is none.
func cellName(name []byte) (column, row int) {
	i := 0
	for ; i < len(name) && name[i]|0x20 >= 'a' && name[i]|0x20 <= 'z' && i < 4; i++ {
		column = column*26 + int(name[i]|0x20-'a') + 1
	}
	row, _ = strconv.Atoi(string(name[i:]))
	return column - 1, row
}

// columnName is the letters of a column counted from 0.
func columnName(column int) string {
	name := ""
	for column++; column > 0; column = (column - 1) / 26 {
		name = string(rune('A'+(column-1)%26)) + name
	}
	return name
}
