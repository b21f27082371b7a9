package database

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"strings"

	"github.com/molnvakt/molnvakt/scanner/extract"
	"golang.org/x/text/encoding"
)

// DBase reads tables of dBASE, FoxPro and the programs that write their
// format (DBF): old registers, attributes of maps. Memos lie in files of their
// own and are not seen.
type DBase struct{}

var _ extract.Extractor = DBase{}

// NewDBase returns the reader of dBASE tables.
func NewDBase() DBase { return DBase{} }

// Name implements extract.Extractor.
func (DBase) Name() string { return "dbase" }

// Version implements extract.Extractor.
func (DBase) Version() int { return 1 }

// Accepts implements extract.Extractor.
func (DBase) Accepts(_, mediaType string) bool { return mediaType == "application/vnd.dbf" }

// Extract implements extract.Extractor. Rows that are marked as deleted are
// read too, as hidden: they are still there.
func (DBase) Extract(ctx context.Context, in extract.Input, out extract.Sink) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	t, err := openDBase(in)
	if err != nil {
		return err
	}
	header := make([]string, len(t.fields))
	for i, f := range t.fields {
		header[i] = f.name
	}
	if err := out.Row(extract.Part{Kind: extract.Body}, extract.Row{Number: 1, Cells: header, Header: true}); err != nil {
		return err
	}
	row := make([]byte, t.width)
	rows := io.NewSectionReader(in, t.from, in.Size-t.from)
	for number := 2; number < t.rows+2; number++ {
		if number%256 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if _, err := io.ReadFull(rows, row); err != nil {
			return fmt.Errorf("dbase: rows: %w", extract.ErrDamaged)
		}
		part := extract.Part{Kind: extract.Body}
		if row[0] == '*' {
			part.Kind = extract.Hidden
		}
		if err := out.Row(part, extract.Row{Number: number, Cells: t.cells(row)}); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// dbase is a table's description.
type dbase struct {
	rows   int
	from   int64 // where the rows begin
	width  int   // bytes of a row
	fields []dbaseField
	text   encoding.Encoding // nil: found out value by value
}

type dbaseField struct {
	name       string
	kind       byte
	start, end int // in the row
}

func openDBase(in extract.Input) (*dbase, error) {
	var head [32]byte
	if _, err := in.ReadAt(head[:], 0); err != nil {
		return nil, fmt.Errorf("dbase: header: %w", extract.ErrDamaged)
	}
	t := &dbase{
		rows:  int(binary.LittleEndian.Uint32(head[4:])),
		from:  int64(binary.LittleEndian.Uint16(head[8:])),
		width: int(binary.LittleEndian.Uint16(head[10:])),
		text:  dbaseCharset(head[29]),
	}
	at := 1 // after the mark of deletion
	for position := int64(32); position+32 <= t.from; position += 32 {
		var raw [32]byte
		if _, err := in.ReadAt(raw[:], position); err != nil || raw[0] == '\r' {
			break
		}
		name, _, _ := bytes.Cut(raw[:11], []byte{0})
		f := dbaseField{name: t.decode(name), kind: raw[11], start: at, end: at + int(raw[16])}
		if f.kind == 'C' { // long texts have their length's upper half where others have decimals
			f.end += int(raw[17]) << 8
		}
		if at = f.end; at > t.width {
			break
		}
		t.fields = append(t.fields, f)
	}
	if len(t.fields) == 0 || t.width < 2 {
		return nil, fmt.Errorf("dbase: fields: %w", extract.ErrDamaged)
	}
	return t, nil
}

// dbaseCharset returns the code page of a language driver, or nil.
func dbaseCharset(driver byte) encoding.Encoding {
	number, ok := map[byte]int{
		0x01: 437, 0x02: 850, 0x03: 1252, 0x04: 10000, 0x08: 865, 0x09: 437, 0x0A: 850, 0x0B: 437, 0x17: 865, 0x66: 865,
		0x57: 1252, 0x58: 1252, 0x59: 1252, 0x64: 852, 0x65: 866, 0xC8: 1250, 0xC9: 1251,
	}[driver]
	if !ok {
		return nil
	}
	return extract.Codepage(number)
}

func (t *dbase) decode(raw []byte) string {
	raw = bytes.Trim(raw, " \x00")
	if t.text == nil {
		return clean(extract.DecodeText(raw, ""))
	}
	text, _ := t.text.NewDecoder().Bytes(raw) // these decoders replace, they do not fail
	return clean(string(text))
}

func (t *dbase) cells(row []byte) []string {
	cells := make([]string, len(t.fields))
	for i, f := range t.fields {
		raw := row[f.start:f.end]
		switch f.kind {
		case 'M', 'B', 'G', 'P', '0': // numbers of memos, pictures, null flags
		case 'I', '+':
			if len(raw) == 4 {
				cells[i] = fmt.Sprint(int32(binary.LittleEndian.Uint32(raw)))
			}
		case 'T', '@', 'Y', 'O':
		case 'D':
			if s := strings.TrimSpace(string(raw)); len(s) == 8 {
				cells[i] = clean(s[:4] + "-" + s[4:6] + "-" + s[6:])
			}
		default:
			cells[i] = t.decode(raw)
		}
	}
	return cells
}
