package ooxml

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/molnvakt/molnvakt/scanner/extract"
)

// table reads a table of Word into rows. A table inside a cell becomes lines
// of that cell.
func (w *wordReader) table(t target) error {
	part := t.part
	if t.cell == nil {
		w.d.word.tables++
		part.Place = strings.TrimSpace(fmt.Sprintf("%s table %d", t.part.Place, w.d.word.tables))
	}
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
	switch {
	case len(row.Cells) == 0:
	case t.cell != nil:
		t.cell.line(strings.Join(row.Cells, "\t"))
	case t.aside:
		w.d.flow.Aside(t.part, strings.Join(row.Cells, "\t")+"\n")
	default:
		if row.deleted {
			part.Kind = extract.Deleted
		}
		w.d.flow.Row(part, row.Row)
	}
}
