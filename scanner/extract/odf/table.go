package odf

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/molnvakt/molnvakt/scanner/extract"
)

// How often a repeated row or cell is handed over: what repeats more tells
// nothing new, and a file of 500 bytes can claim a million.
const (
	rowRepeats = 100
	wideRow    = 1000
)

// tableElement reads tables; what else has the prefix is read through.
func (r *reader) tableElement(s scope) error {
	switch r.x.Name {
	case "table":
		return r.table(s)
	case "named-range", "named-expression", "database-range", "content-validation":
		if message := r.x.Attr("title"); message != "" {
			r.d.flow.Aside(s.as(extract.Hidden).part, message+"\n")
		}
	case "tracked-changes":
		return r.children(s.as(extract.Deleted))
	}
	return r.children(s)
}

// table is a table or sheet on its way through.
type table struct {
	part   extract.Part
	number int // of the row
	sheet  bool
	hidden bool
}

func isSpreadsheet(mediaType string) bool {
	return strings.Contains(mediaType, "spreadsheet") || strings.HasPrefix(mediaType, "application/vnd.sun.xml.calc")
}

// table reads a sheet of a spreadsheet, or a table in a text.
func (r *reader) table(s scope) error {
	t := &table{part: s.part, hidden: r.d.styles[r.x.Attr("style-name")].hidden}
	name := r.x.Attr("name")
	if s.cell == nil {
		t.sheet = isSpreadsheet(r.d.in.MediaType) && s.part.Kind == extract.Body && s.part.Place == ""
		if t.sheet {
			t.part.Place = name
		} else {
			r.d.tables++
			t.part.Place = strings.TrimSpace(fmt.Sprintf("%s table %d", s.part.Place, r.d.tables))
		}
	}
	if t.hidden {
		t.part.Kind = extract.Hidden
	}
	if t.sheet {
		heading := extract.Part{Kind: extract.Heading, Place: name}
		if t.hidden {
			heading.Kind = extract.Hidden
		}
		r.d.flow.Alone(heading, name)
	}
	inner := s
	inner.part = t.part
	err := r.rows(t, inner)
	if t.sheet {
		r.d.flow.Flush()
	}
	return err
}

// rows reads the rows of a table, through groups of them.
func (r *reader) rows(t *table, s scope) error {
	for {
		kind, err := r.next()
		if errors.Is(err, io.EOF) {
			return fmt.Errorf("odf: table without end: %w", extract.ErrDamaged)
		}
		if err != nil {
			return err
		}
		if kind == extract.XMLEnd {
			return r.d.flow.Err()
		}
		if kind != extract.XMLStart {
			continue
		}
		switch r.x.Prefix + ":" + r.x.Name {
		case "table:table-row":
			err = r.row(t, s)
		case "table:table-header-rows":
			headers := s
			headers.headers = true
			err = r.rows(t, headers)
		case "table:table-rows", "table:table-row-group":
			err = r.rows(t, s)
		default:
			err = r.element(s)
		}
		if err != nil {
			return err
		}
	}
}

func (r *reader) row(t *table, s scope) error {
	repeat := repeated(r.x.Attr("number-rows-repeated"))
	part := t.part
	if v := r.x.Attr("visibility"); v == "collapse" || v == "filter" {
		part.Kind = extract.Hidden
	}
	if t.sheet {
		s.row = t.number + 1
	}
	cells, err := r.cells(s)
	for len(cells) > 0 && cells[len(cells)-1] == "" {
		cells = cells[:len(cells)-1]
	}
	switch {
	case len(cells) == 0:
	case s.cell != nil, s.aside:
		r.write(s, strings.Join(cells, "\t"))
	default:
		for i := range min(repeat, rowRepeats) {
			row := extract.Row{Number: t.number + i + 1, Cells: append([]string(nil), cells...), Header: s.headers}
			r.d.flow.Row(part, row)
		}
	}
	if t.number += repeat; t.number > 1<<30 {
		t.number = 1 << 30
	}
	if err != nil {
		return err
	}
	return r.d.flow.Err()
}

func repeated(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		return 1
	}
	return min(n, 1<<24)
}

// cells reads the cells of a row, and its end.
func (r *reader) cells(s scope) ([]string, error) {
	var cells []string
	size, empty := 0, 0
	for {
		kind, err := r.next()
		if err != nil || kind == extract.XMLEnd {
			return cells, err
		}
		if kind != extract.XMLStart {
			continue
		}
		repeat := repeated(r.x.Attr("number-columns-repeated"))
		text, err := r.cell(s, len(cells)+empty)
		size += len(text)
		if text == "" {
			empty = min(empty+repeat, wideRow)
		}
		for range min(repeat, wideRow) {
			if text == "" || len(cells)+empty >= wideRow {
				break
			}
			cells = append(cells, make([]string, empty)...)
			empty = 0
			cells = append(cells, text)
		}
		if err == nil && int64(size) > r.d.in.Limits.Text {
			err = fmt.Errorf("odf: text of one table row: %w", extract.ErrLimit)
		}
		if err != nil {
			return cells, err
		}
	}
}

// cell reads one cell, its end included. Numbers are as the sheet shows them,
// unless that hides digits; dates are ISO 8601.
func (r *reader) cell(s scope, column int) (string, error) {
	kind, value, date := r.x.Attr("value-type"), r.x.Attr("value"), r.x.Attr("date-value")
	var text strings.Builder
	inner := scope{part: s.part, cell: &text}
	if s.row > 0 {
		inner.part.Place += "!" + columnName(column) + strconv.Itoa(s.row)
	}
	err := r.children(inner)
	shown := text.String()
	switch {
	case kind == "date" && len(date) >= 10:
		return strings.TrimSuffix(strings.Replace(date, "T", " ", 1), " 00:00:00"), err
	case kind == "float" && hidesDigits(shown, value):
		return strings.TrimSpace(shown + " " + value), err
	}
	return shown, err
}

// hidesDigits: 196709199530 shown as 1,97E+11 is still there to be read.
func hidesDigits(shown, value string) bool {
	v, err := strconv.ParseFloat(value, 64)
	if err != nil || v < 1e7 || v > 1e15 {
		return false
	}
	digits := func(s string) string {
		return strings.TrimLeft(strings.Map(func(c rune) rune {
			if c >= '0' && c <= '9' {
				return c
			}
			return -1
		}, s), "0")
	}
	return !strings.HasPrefix(digits(shown), digits(extract.PlainNumber(float64(int64(v)))))
}

// columnName is the letters of a column counted from 0.
func columnName(column int) string {
	name := ""
	for column++; column > 0; column = (column - 1) / 26 {
		name = string(rune('A'+(column-1)%26)) + name
	}
	return name
}
