package markup

import (
	"slices"
	"strings"

	"github.com/molnvakt/molnvakt/scanner/extract"
)

// records makes tables of what repeats: records of one kind that follow each
// other and have names for their values. A record that stands alone becomes
// lines of "name: value".
type records struct {
	flow  *extract.Flow
	place string
	names []string // the columns of the present table
	rows  int      // of the present table, the header included
	held  *record  // one that may be the first of a table
}

// record is named values: an element of simple elements, an object.
type record struct {
	kind   string // "elev": the same for records that belong together
	place  string // where it stands, if it is not of a table
	names  []string
	values []string
}

// maxRecord is where a record is too large for a row, in values.
const maxRecord = 1000

func (r *record) add(name, value string) {
	r.names = append(r.names, name)
	r.values = append(r.values, strings.TrimSpace(value))
}

// put takes the next record.
func (t *records) put(next *record) {
	if len(next.names) == 0 {
		return
	}
	if t.rows > 0 && t.place == next.kind && t.fits(next) {
		t.row(next)
		return
	}
	t.rows = 0
	if t.held != nil && t.held.kind == next.kind && len(next.names) > 1 && len(next.names) <= maxRecord && alike(t.held.names, next.names) {
		t.begin(next)
		return
	}
	t.flush()
	t.held = next
}

// fits says whether the table has a column for every value, or can have: new
// names are added at its end.
func (t *records) fits(next *record) bool {
	known := 0
	for _, name := range next.names {
		if slices.Contains(t.names, name) {
			known++
		}
	}
	return known*2 >= len(next.names) && len(t.names) <= maxRecord && distinct(next.names)
}

// alike says that two records have most of their names in common.
func alike(a, b []string) bool {
	common := 0
	for _, name := range a {
		if slices.Contains(b, name) {
			common++
		}
	}
	return common*2 >= max(len(a), len(b)) && distinct(a) && distinct(b)
}

func distinct(names []string) bool {
	if len(names) > maxRecord {
		return false
	}
	seen := make(map[string]bool, len(names))
	for _, name := range names {
		if seen[name] {
			return false
		}
		seen[name] = true
	}
	return true
}

func (t *records) begin(second *record) {
	first := t.held
	t.held = nil
	t.place, t.rows = first.kind, 0
	t.names = slices.Clone(first.names)
	for _, name := range second.names {
		if !slices.Contains(t.names, name) {
			t.names = append(t.names, name)
		}
	}
	t.header()
	t.row(first)
	t.row(second)
}

func (t *records) header() {
	t.rows++
	t.flow.Row(extract.Part{Kind: extract.Body, Place: t.place}, extract.Row{Number: t.rows, Cells: slices.Clone(t.names), Header: true})
}

func (t *records) row(r *record) {
	before := len(t.names)
	for _, name := range r.names {
		if !slices.Contains(t.names, name) {
			t.names = append(t.names, name)
		}
	}
	if len(t.names) > before && t.rows > 1 {
		t.header() // the columns are named again, with the new ones
	}
	cells := make([]string, len(t.names))
	for i, name := range r.names {
		cells[slices.Index(t.names, name)] = r.values[i]
	}
	t.rows++
	t.flow.Row(extract.Part{Kind: extract.Body, Place: t.place}, extract.Row{Number: t.rows, Cells: cells})
}

// flush writes the record that is held, as lines.
func (t *records) flush() {
	r := t.held
	t.held = nil
	if r == nil {
		return
	}
	t.flow.In(extract.Part{Kind: extract.Body, Place: r.place})
	for i, value := range r.values {
		t.line(r.names[i], value)
	}
}

func (t *records) line(name, value string) {
	if value == "" {
		return
	}
	if name != "" {
		t.flow.Write(name + ": ")
	}
	t.flow.Write(value)
	t.flow.Line()
}
