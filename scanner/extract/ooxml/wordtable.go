package ooxml

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/molnvakt/molnvakt/scanner/extract"
)

// nestedRow is a row of a table that stands in another table's cell. It waits
// for the end of the outermost one, whose rows must not be torn apart.
type nestedRow struct {
	part extract.Part
	row  tableRow
}

// table reads a table of Word into rows.
func (w *wordReader) table(t target) error {
	w.d.word.tables++
	part := t.part
	part.Place = strings.TrimSpace(fmt.Sprintf("%s table %d", t.part.Place, w.d.word.tables))
	w.inTables++
	err := w.rows(t, part)
	if w.inTables--; w.inTables == 0 {
		for _, n := range w.nested {
			w.d.flow.Row(n.part, n.row.Row)
		}
		w.nested, w.nestedSize = nil, 0
	}
	return err
}

// rows reads the rows of a table, and its end.
func (w *wordReader) rows(t target, part extract.Part) error {
	number := 0
	for open := 1; open > 0; {
		kind, err := w.next()
		if err != nil {
			return err
		}
		switch {
		case kind == extract.XMLEnd:
			open--
		case kind == extract.XMLStart && w.x.Name == "tr":
			number++
			row, err := w.row(t)
			row.Number = number
			w.writeRow(row, part, t)
			if err != nil {
				return err
			}
		case kind == extract.XMLStart:
			open++
		}
	}
	return w.d.flow.Err()
}

// tableRow is a row being read.
type tableRow struct {
	extract.Row
	deleted bool
	size    int
}

func (w *wordReader) row(t target) (tableRow, error) {
	var row tableRow
	inProperties := false
	for open := 1; open > 0; {
		kind, err := w.next()
		if err != nil {
			return row, err
		}
		if kind == extract.XMLEnd {
			open--
			if w.x.Name == "trPr" {
				inProperties = false
			}
		}
		if kind != extract.XMLStart {
			continue
		}
		switch {
		case w.x.Name == "tc":
			if err := w.cell(&row, t); err != nil {
				return row, err
			}
			continue
		case w.x.Name == "trPr":
			inProperties = true
		case w.x.Name == "tblHeader":
			row.Header = on(w.x.Attr("val"))
		case w.x.Name == "del" && inProperties:
			row.deleted = true
		case w.x.Name == "gridBefore":
			row.skip(w.x.Attr("val"))
		}
		open++
	}
	return row, nil
}

// skip leaves grid columns empty.
func (r *tableRow) skip(columns string) {
	n, err := strconv.Atoi(columns)
	for range min(n, 100) {
		if err == nil && len(r.Cells) < 1000 {
			r.Cells = append(r.Cells, "")
		}
	}
}

func (w *wordReader) cell(row *tableRow, t target) error {
	text, span := &cellText{}, ""
	inner := target{part: t.part, cell: text}
	var err error
	for open := 1; open > 0 && err == nil; {
		var kind extract.XMLKind
		if kind, err = w.next(); err != nil {
			break
		}
		switch {
		case kind == extract.XMLEnd:
			open--
		case kind == extract.XMLStart && w.x.Name == "gridSpan":
			span = w.x.Attr("val")
			open++
		case kind == extract.XMLStart:
			var consumed bool
			if consumed, err = w.block(inner); !consumed {
				open++
			}
		}
		if int64(row.size+text.Len()) > w.d.in.Limits.Text {
			return fmt.Errorf("ooxml: text of one table row: %w", extract.ErrLimit)
		}
	}
	row.size += text.Len()
	row.Cells = append(row.Cells, text.String())
	if n, err := strconv.Atoi(span); err == nil && n > 1 {
		row.skip(strconv.Itoa(n - 1))
	}
	return err
}

func (w *wordReader) writeRow(row tableRow, part extract.Part, t target) {
	for len(row.Cells) > 0 && row.Cells[len(row.Cells)-1] == "" {
		row.Cells = row.Cells[:len(row.Cells)-1]
	}
	if row.deleted {
		part.Kind = extract.Deleted
	}
	switch {
	case len(row.Cells) == 0:
	case t.cell != nil && w.nestedSize+row.size > 4<<20: // too much to wait
		t.cell.line(strings.Join(row.Cells, "\t"))
	case t.cell != nil:
		w.nestedSize += row.size + 100
		w.nested = append(w.nested, nestedRow{part, row})
	case t.aside:
		w.d.flow.Aside(t.part, strings.Join(row.Cells, "\t")+"\n")
	default:
		w.d.flow.Row(part, row.Row)
	}
}
