// Package database reads databases that lie about as files: SQLite, dBASE and SQL
// dumps. Each table's rows stay rows, under its own name.
package database

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/molnvakt/molnvakt/scanner/extract"
)

// SQLite reads a database file (https://www.sqlite.org/fileformat2.html) page
// by page, without SQL: nothing in it can run. Rows that only the write-ahead
// log holds are not seen.
type SQLite struct{}

var _ extract.Extractor = SQLite{}

// NewSQLite returns the reader of SQLite files.
func NewSQLite() SQLite { return SQLite{} }

// Name implements extract.Extractor.
func (SQLite) Name() string { return "sqlite" }

// Version implements extract.Extractor.
func (SQLite) Version() int { return 1 }

// Accepts implements extract.Extractor.
func (SQLite) Accepts(_, mediaType string) bool { return mediaType == "application/vnd.sqlite3" }

// Extract implements extract.Extractor.
func (SQLite) Extract(ctx context.Context, in extract.Input, out extract.Sink) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	d, err := openFile(ctx, in)
	if err != nil {
		return err
	}
	tables, damage := d.tables()
	for _, t := range tables {
		if err := d.table(t, out); err != nil {
			return err
		}
	}
	return damage
}

const (
	maxPayload = 64 << 20 // bytes of one row
	maxLevels  = 20       // of a tree; four billion rows have about ten
	blobHead   = 32       // bytes from which a blob may be a document
)

// file is a database being read.
type file struct {
	ctx      context.Context
	in       extract.Input
	page     int64 // its size in bytes
	usable   int64 // of which hold content
	encoding uint32
	seen     map[uint32]bool // pages of the present tree
}

func openFile(ctx context.Context, in extract.Input) (*file, error) {
	var head [100]byte
	if _, err := in.ReadAt(head[:], 0); err != nil || string(head[:16]) != "SQLite format 3\x00" {
		return nil, fmt.Errorf("sqlite: header: %w", extract.ErrDamaged)
	}
	d := &file{ctx: ctx, in: in, page: int64(binary.BigEndian.Uint16(head[16:])), encoding: binary.BigEndian.Uint32(head[56:])}
	if d.page == 1 {
		d.page = 64 << 10
	}
	d.usable = d.page - int64(head[20])
	if d.page < 512 || d.page&(d.page-1) != 0 || d.usable < 480 {
		return nil, fmt.Errorf("sqlite: page size: %w", extract.ErrDamaged)
	}
	return d, nil
}

// schema is a table as the database's first table describes it.
type schema struct {
	name    string
	root    uint32
	columns []string
	rowid   int // the column that is the row's number, or -1
}

// tables reads the list of tables. What was read before an error is good.
func (d *file) tables() (list []schema, err error) {
	err = d.rows(1, func(_ int64, values []any) error {
		if len(values) < 5 || values[0] != "table" {
			return nil
		}
		name, _ := values[1].(string)
		root, _ := values[3].(int64)
		sql, _ := values[4].(string)
		if root <= 0 || root > math.MaxUint32 || strings.HasPrefix(name, "sqlite_") {
			return nil // a virtual table has no root
		}
		if len(list) >= d.in.Limits.Entries {
			return fmt.Errorf("sqlite: tables: %w", extract.ErrLimit)
		}
		columns, rowid := columnsOf(sql)
		list = append(list, schema{name: name, root: uint32(root), columns: columns, rowid: rowid})
		return nil
	})
	return list, err
}

// table hands on the rows of a table. A damaged table is a gap.
func (d *file) table(t schema, out extract.Sink) error {
	part := extract.Part{Kind: extract.Body, Place: t.name}
	number := 0
	var sinkErr error
	err := d.rows(t.root, func(rowid int64, values []any) error {
		if number == 0 && len(t.columns) > 0 {
			number++
			if sinkErr = out.Row(part, extract.Row{Number: number, Cells: slices.Clone(t.columns), Header: true}); sinkErr != nil {
				return sinkErr
			}
		}
		number++
		sinkErr = d.row(part, t, number, rowid, values, out)
		return sinkErr
	})
	switch {
	case sinkErr != nil:
		return sinkErr
	case err == nil, d.ctx.Err() != nil:
		return d.ctx.Err()
	}
	return out.Gap(t.name, err)
}

func (d *file) row(part extract.Part, t schema, number int, rowid int64, values []any, out extract.Sink) error {
	cells := make([]string, len(values))
	for i, v := range values {
		if v == nil && i == t.rowid {
			v = rowid
		}
		blob, isBlob := v.([]byte)
		if !isBlob {
			cells[i] = clean(fmt.Sprint(orEmpty(v)))
			continue
		}
		content := strings.NewReader(string(blob))
		switch mediaType := extract.Sniff("", content, content.Size()); {
		case strings.HasPrefix(mediaType, "text/"):
			cells[i] = clean(extract.DecodeText(blob, ""))
		case mediaType != extract.Unknown && len(blob) >= blobHead:
			name := t.name + " " + strconv.Itoa(number)
			if i < len(t.columns) {
				name = t.name + " " + t.columns[i] + " " + strconv.Itoa(number)
			}
			if err := out.File(extract.File{Name: name, Place: part.Place, Role: extract.Embedded, MediaType: mediaType, Content: content}); err != nil {
				return err
			}
		}
	}
	return out.Row(part, extract.Row{Number: number, Cells: cells})
}

func orEmpty(v any) any {
	if v == nil {
		return ""
	}
	return v
}

func clean(s string) string {
	return strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", ""), "\ufffd")
}

// rows walks the tree whose root is a page and visits its rows.
func (d *file) rows(root uint32, visit func(rowid int64, values []any) error) error {
	d.seen = map[uint32]bool{}
	return d.walk(root, 0, visit)
}

// The kinds of page.
const (
	indexInterior = 0x02
	tableInterior = 0x05
	indexLeaf     = 0x0A
	tableLeaf     = 0x0D
)

func (d *file) walk(number uint32, level int, visit func(int64, []any) error) error {
	if err := d.ctx.Err(); err != nil {
		return err
	}
	if level > maxLevels || d.seen[number] {
		return fmt.Errorf("sqlite: pages in a circle: %w", extract.ErrDamaged)
	}
	d.seen[number] = true
	page, err := d.read(number)
	if err != nil {
		return err
	}
	head := page
	if number == 1 {
		head = page[100:]
	}
	kind, count := head[0], int(binary.BigEndian.Uint16(head[3:]))
	pointers := head[8:]
	if kind == indexInterior || kind == tableInterior {
		pointers = head[12:]
	} else if kind != indexLeaf && kind != tableLeaf {
		return fmt.Errorf("sqlite: kind of page: %w", extract.ErrDamaged)
	}
	for i := range count {
		if 2*i+2 > len(pointers) {
			return fmt.Errorf("sqlite: cells of a page: %w", extract.ErrDamaged)
		}
		at := int(binary.BigEndian.Uint16(pointers[2*i:]))
		if at+4 > len(page) {
			return fmt.Errorf("sqlite: cell: %w", extract.ErrDamaged)
		}
		if err := d.cell(kind, page[at:], level, visit); err != nil {
			return err
		}
	}
	if kind == indexInterior || kind == tableInterior {
		return d.walk(binary.BigEndian.Uint32(head[8:]), level+1, visit)
	}
	return nil
}

// cell reads a cell: a child page, a row, or both.
func (d *file) cell(kind byte, cell []byte, level int, visit func(int64, []any) error) error {
	if kind == indexInterior || kind == tableInterior {
		if err := d.walk(binary.BigEndian.Uint32(cell), level+1, visit); err != nil {
			return err
		}
		if kind == tableInterior {
			return nil
		}
		cell = cell[4:]
	}
	size, cell := varint(cell)
	var rowid int64
	if kind == tableLeaf {
		rowid, cell = varint(cell)
	}
	payload, err := d.payload(kind, size, cell)
	if err != nil {
		return err
	}
	values, err := d.record(payload)
	if err != nil {
		return err
	}
	return visit(rowid, values)
}

func (d *file) read(number uint32) ([]byte, error) {
	page := make([]byte, d.page)
	if number == 0 || int64(number)*d.page > d.in.Size {
		return nil, fmt.Errorf("sqlite: page beyond the end: %w", extract.ErrDamaged)
	}
	if _, err := d.in.ReadAt(page, int64(number-1)*d.page); err != nil {
		return nil, fmt.Errorf("sqlite: page: %w", extract.ErrDamaged)
	}
	return page[:d.usable], nil
}

// payload joins what stands in the cell with what stands on overflow pages.
func (d *file) payload(kind byte, size int64, cell []byte) ([]byte, error) {
	if size < 0 || size > d.in.Size {
		return nil, fmt.Errorf("sqlite: size of a row: %w", extract.ErrDamaged)
	}
	if size > maxPayload {
		return nil, fmt.Errorf("sqlite: size of a row: %w", extract.ErrLimit)
	}
	most, least := d.usable-35, (d.usable-12)*32/255-23
	if kind != tableLeaf {
		most = (d.usable-12)*64/255 - 23
	}
	local := size
	if size > most {
		if local = least + (size-least)%(d.usable-4); local > most {
			local = least
		}
	}
	if local > int64(len(cell)) {
		return nil, fmt.Errorf("sqlite: row: %w", extract.ErrDamaged)
	}
	if local == size {
		return cell[:size], nil
	}
	if local+4 > int64(len(cell)) {
		return nil, fmt.Errorf("sqlite: row: %w", extract.ErrDamaged)
	}
	all := append(make([]byte, 0, size), cell[:local]...)
	for next := binary.BigEndian.Uint32(cell[local:]); int64(len(all)) < size; {
		page, err := d.read(next)
		if err != nil {
			return nil, err
		}
		next = binary.BigEndian.Uint32(page)
		all = append(all, page[4:min(int64(len(page)), 4+size-int64(len(all)))]...)
	}
	return all, nil
}

// record reads the values of a row: nil, int64, float64, string or []byte.
func (d *file) record(payload []byte) ([]any, error) {
	headSize, rest := varint(payload)
	if headSize < 1 || headSize > int64(len(payload)) {
		return nil, fmt.Errorf("sqlite: head of a row: %w", extract.ErrDamaged)
	}
	head := payload[len(payload)-len(rest) : headSize]
	body := payload[headSize:]
	var values []any
	for len(head) > 0 {
		var kind int64
		kind, head = varint(head)
		size := sizeOf(kind)
		if size < 0 || size > int64(len(body)) {
			return nil, fmt.Errorf("sqlite: value: %w", extract.ErrDamaged)
		}
		values = append(values, d.value(kind, body[:size]))
		body = body[size:]
	}
	return values, nil
}

func sizeOf(kind int64) int64 {
	switch {
	case kind >= 12:
		return (kind - 12) / 2
	case kind < 0 || kind == 10 || kind == 11:
		return -1
	}
	return []int64{0, 1, 2, 3, 4, 6, 8, 8, 0, 0}[kind]
}

func (d *file) value(kind int64, raw []byte) any {
	switch {
	case kind == 0:
		return nil
	case kind <= 6:
		var n int64
		for i, b := range raw {
			if i == 0 {
				n = int64(int8(b))
				continue
			}
			n = n<<8 | int64(b)
		}
		return n
	case kind == 7:
		return math.Float64frombits(binary.BigEndian.Uint64(raw))
	case kind == 8, kind == 9:
		return kind - 8
	case kind%2 == 0:
		return raw
	}
	return d.text(raw)
}

func (d *file) text(raw []byte) string {
	var order binary.ByteOrder
	switch d.encoding {
	case 2:
		order = binary.LittleEndian
	case 3:
		order = binary.BigEndian
	default:
		return extract.DecodeText(raw, "")
	}
	units := make([]uint16, len(raw)/2)
	for i := range units {
		units[i] = order.Uint16(raw[2*i:])
	}
	return string(utf16.Decode(units))
}

// varint reads a number of one to nine bytes.
func varint(b []byte) (n int64, rest []byte) {
	for i, c := range b {
		if i == 8 {
			return n<<8 | int64(c), b[9:]
		}
		n = n<<7 | int64(c&0x7F)
		if c < 0x80 {
			return n, b[i+1:]
		}
	}
	return 0, nil
}
