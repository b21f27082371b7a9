package ooxml

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"path"
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/molnvakt/molnvakt/scanner/extract"
)

// An XLSB workbook is an OOXML package whose sheets, strings and styles are
// binary records ([MS-XLSB]) instead of XML.

// Records that are read ([MS-XLSB] 2.3.1).
const (
	brtRow            = 0
	brtCellRk         = 2
	brtCellBool       = 4
	brtCellReal       = 5
	brtCellText       = 6
	brtCellShared     = 7
	brtFormulaText    = 8
	brtFormulaNumber  = 9
	brtFormulaBool    = 10
	brtSharedString   = 19
	brtPivotText      = 24
	brtName           = 39
	brtFormat         = 44
	brtStyle          = 47
	brtCellRich       = 62
	brtWorkbook       = 153
	brtSheet          = 156
	brtHeaderFooter   = 479
	brtBeginStyles    = 617
	brtEndStyles      = 618
	brtCommentAuthor  = 632
	brtBeginComment   = 635
	brtCommentText    = 637
	largestBinary     = 64 << 20
	hiddenRowFlag     = 0x10
	dateFrom1904Flag  = 1
	binaryRecordStart = 8 // bytes of a cell before its value: column, style
)

// isBinarySheetPart says whether a part of a package holds such records.
func isBinarySheetPart(low string) bool {
	return strings.HasPrefix(low, "xl/") && strings.HasSuffix(low, ".bin") && !strings.Contains(low, "printersettings") &&
		!strings.Contains(low, "activex") && !strings.Contains(low, "vbaproject") && !strings.Contains(low, "/embeddings/")
}

// readBinary reads one part of records, told by its name what it is.
func (d *document) readBinary(p *extract.ZipPart, place string) error {
	switch name := strings.ToLower(path.Base(p.Name)); {
	case strings.HasPrefix(name, "workbook"):
		return d.readBinaryWorkbook(p)
	case strings.HasPrefix(name, "comments"):
		return d.readBinaryComments(p, place)
	case strings.HasPrefix(name, "pivotcachedefinition"):
		return d.readBinaryPivot(p)
	case strings.Contains(strings.ToLower(p.Name), "sheets/") && strings.HasPrefix(name, "sheet"):
		d.binaryShared(path.Dir(path.Dir(p.Name)))
		return d.newSheet(nil, strings.TrimSuffix(path.Base(p.Name), ".bin"), !d.zip.Salvaged, nil).readBinary(p)
	}
	return nil
}

// eachRecord calls visit for every record of a part. A record that is cut off
// is left out, and named.
func (d *document) eachRecord(p *extract.ZipPart, visit func(kind int, b []byte) error) error {
	rc, err := p.Open()
	if err != nil {
		return err
	}
	defer rc.Close() //nolint:errcheck // only read
	r := bufio.NewReaderSize(rc, 32<<10)
	var content []byte
	for {
		kind, err := variable(r, 2)
		if errors.Is(err, io.EOF) {
			return nil
		}
		var size int
		if err == nil {
			size, err = variable(r, 4)
		}
		if err == nil && size > largestBinary {
			return fmt.Errorf("xlsb: record: %w", extract.ErrDamaged)
		}
		if err == nil {
			if cap(content) < size {
				content = make([]byte, size)
			}
			content = content[:size]
			_, err = io.ReadFull(r, content)
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return fmt.Errorf("xlsb: cut off: %w", extract.ErrDamaged)
		}
		if err != nil {
			return err
		}
		if err := visit(kind, content); err != nil {
			return err
		}
	}
}

// variable reads a number of seven bits a byte, in at most so many bytes.
func variable(r io.ByteReader, most int) (int, error) {
	n := 0
	for i := range most {
		c, err := r.ReadByte()
		if err != nil {
			return 0, err
		}
		n |= int(c&0x7F) << (7 * i)
		if c&0x80 == 0 {
			break
		}
	}
	return n, nil
}

// wideString reads a text with its length, and returns what follows.
func wideString(b []byte) (text string, rest []byte) {
	if len(b) < 4 {
		return "", nil
	}
	n := int64(binary.LittleEndian.Uint32(b))
	if n == math.MaxUint32 {
		return "", b[4:]
	}
	if 4+2*n > int64(len(b)) {
		return "", nil
	}
	units := make([]uint16, n)
	for i := range units {
		units[i] = binary.LittleEndian.Uint16(b[4+2*i:])
	}
	return string(utf16.Decode(units)), b[4+2*n:]
}

// richString is a text with a byte of flags before it.
func richString(b []byte) string {
	if len(b) < 5 {
		return ""
	}
	text, _ := wideString(b[1:])
	return text
}

func (d *document) readBinaryWorkbook(p *extract.ZipPart) error {
	book := d.binaryShared(path.Dir(p.Name))
	var sheets []sheetEntry
	damage := d.eachRecord(p, func(kind int, b []byte) error {
		switch {
		case kind == brtWorkbook && len(b) >= 4:
			book.date1904 = b[0]&dateFrom1904Flag != 0
		case kind == brtSheet && len(b) > 8 && len(sheets) < d.in.Limits.Entries:
			id, rest := wideString(b[8:])
			name, _ := wideString(rest)
			sheets = append(sheets, sheetEntry{name, id, binary.LittleEndian.Uint32(b) != 0})
		case kind == brtName && len(b) > 9:
			if name, _ := wideString(b[9:]); !strings.HasPrefix(name, "_xlnm.") {
				d.flow.Alone(extract.Part{Kind: extract.Property}, name)
			}
		}
		return d.flow.Err()
	})
	d.readSheets(p, sheets)
	return damage
}

// binaryShared reads what the sheets share, once.
func (d *document) binaryShared(folder string) *workbook {
	if d.book != nil {
		return d.book
	}
	d.book = &workbook{}
	if p := d.zip.Part(path.Join(folder, "sharedStrings.bin")); p != nil {
		d.done[strings.ToLower(p.Name)] = true
		d.book.strings = newStringTable(d.in)
		d.flow.Gap(p.Name, d.eachRecord(p, func(kind int, b []byte) error {
			if kind != brtSharedString {
				return nil
			}
			return d.book.strings.add([]byte(richString(b)))
		}))
	}
	if p := d.zip.Part(path.Join(folder, "styles.bin")); p != nil {
		d.done[strings.ToLower(p.Name)] = true
		d.binaryStyles(p)
	}
	return d.book
}

func (d *document) binaryStyles(p *extract.ZipPart) {
	custom := map[int]*extract.NumberFormat{}
	inCells := false
	d.flow.Gap(p.Name, d.eachRecord(p, func(kind int, b []byte) error {
		switch {
		case kind == brtBeginStyles || kind == brtEndStyles:
			inCells = kind == brtBeginStyles
		case kind == brtFormat && len(b) > 2 && len(custom) < 10_000:
			code, _ := wideString(b[2:])
			custom[int(binary.LittleEndian.Uint16(b))] = extract.ParseNumberFormat(code)
		case kind == brtStyle && inCells && len(b) >= 4 && len(d.book.formats) < 100_000:
			id := int(binary.LittleEndian.Uint16(b[2:]))
			format, ok := custom[id]
			if !ok {
				format = extract.BuiltinNumberFormat(id)
				custom[id] = format
			}
			d.book.formats = append(d.book.formats, format)
		}
		return nil
	}))
}

// readBinary reads the sheet from records.
func (s *sheet) readBinary(p *extract.ZipPart) error {
	err := s.d.eachRecord(p, func(kind int, b []byte) error {
		switch {
		case kind == brtRow && len(b) >= 12:
			s.endRow()
			s.row = int(binary.LittleEndian.Uint32(b)&0xFFFFFF) + 1
			s.rowHidden = b[11]&hiddenRowFlag != 0
		case kind == brtHeaderFooter && len(b) > 2:
			s.binaryHeaders(b[2:])
		case len(b) > binaryRecordStart:
			return cmp.Or(s.binaryCell(kind, b), s.d.flow.Err())
		}
		return s.d.flow.Err()
	})
	s.endRow()
	return cmp.Or(err, s.ended())
}

func (s *sheet) binaryCell(kind int, b []byte) error {
	column, style := int(binary.LittleEndian.Uint32(b)&0xFFFF), int(binary.LittleEndian.Uint32(b[4:])&0xFFFFFF)
	value, text, from := b[binaryRecordStart:], "", len(s.text)
	switch kind {
	case brtCellText, brtFormulaText:
		text, _ = wideString(value)
	case brtCellRich:
		text = richString(value)
	case brtCellShared:
		if len(value) >= 4 {
			if err := s.shared(int(binary.LittleEndian.Uint32(value))); err != nil {
				return err
			}
		}
	case brtCellRk:
		if len(value) >= 4 {
			text = s.format(style).Format(rk(binary.LittleEndian.Uint32(value)), s.d.book.date1904)
		}
	case brtCellReal, brtFormulaNumber:
		if len(value) >= 8 {
			text = s.format(style).Format(math.Float64frombits(binary.LittleEndian.Uint64(value)), s.d.book.date1904)
		}
	case brtCellBool, brtFormulaBool:
		text = map[bool]string{true: "TRUE", false: "FALSE"}[value[0] != 0]
	}
	s.text = append(s.text, text...)
	if len(s.text) == from {
		return nil
	}
	return s.set(column, from)
}

// rk is a number in four bytes ([MS-XLSB] 2.5.122).
func rk(v uint32) float64 {
	f := math.Float64frombits(uint64(v&^3) << 32)
	if v&2 != 0 {
		f = float64(int32(v) >> 2)
	}
	if v&1 != 0 {
		f /= 100
	}
	return f
}

// binaryHeaders reads header and footer of odd, even and first pages.
func (s *sheet) binaryHeaders(b []byte) {
	for i := 0; i < 6 && len(b) >= 4; i++ {
		var text string
		text, b = wideString(b)
		part := extract.Part{Kind: extract.Header, Place: s.name}
		if i%2 == 1 {
			part.Kind = extract.Footer
		}
		s.d.flow.Alone(part, extract.SheetHeader(text))
	}
}

func (d *document) readBinaryComments(p *extract.ZipPart, sheet string) error {
	var authors []string
	ref, author := "", ""
	return d.eachRecord(p, func(kind int, b []byte) error {
		switch {
		case kind == brtCommentAuthor && len(authors) < d.in.Limits.Entries:
			name, _ := wideString(b)
			authors = append(authors, name)
		case kind == brtBeginComment && len(b) >= 20:
			row, column := binary.LittleEndian.Uint32(b[4:]), binary.LittleEndian.Uint32(b[12:])
			ref = columnName(int(column&0xFFFF)) + strconv.Itoa(int(row&0xFFFFFF)+1)
			author = pick(authors, strconv.Itoa(int(binary.LittleEndian.Uint32(b))))
		case kind == brtCommentText:
			d.cellComment(sheet, ref, author, richString(b))
		}
		return d.flow.Err()
	})
}

// readBinaryPivot writes the texts that a pivot table keeps of its source.
func (d *document) readBinaryPivot(p *extract.ZipPart) error {
	d.flow.In(extract.Part{Kind: extract.Hidden, Place: strings.TrimSuffix(path.Base(p.Name), path.Ext(p.Name))})
	return d.eachRecord(p, func(kind int, b []byte) error {
		if kind == brtPivotText {
			text, _ := wideString(b)
			d.flow.Write(text)
			d.flow.Line()
		}
		return d.flow.Err()
	})
}
