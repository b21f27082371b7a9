package ole

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/molnvakt/molnvakt/scanner/extract"
)

// excelReader reads a workbook of Excel 2 to 2003 ([MS-XLS]) record by record.
type excelReader struct {
	d        *document
	r        *biffReader
	unicode  bool // BIFF8: Excel 97 and later
	codepage int
	date1904 bool

	strings  []string
	size     int64 // bytes of strings
	custom   map[int]*extract.NumberFormat
	builtin  map[int]*extract.NumberFormat
	styles   []*extract.NumberFormat
	sheets   map[int64]excelSheet // by where they begin
	pictures []byte

	part       extract.Part
	depth      int // of substreams: charts lie in sheets
	row        int
	cells      []string
	hiddenRows map[int]bool
	comments   []excelComment
	object     int // the last one's number, whose text may follow
	isComment  bool
	texts      map[int]string // of comments, by object
	pending    []byte         // a formula whose text follows
	begun      bool           // something that begins was met
	lost       bool           // some cells cannot be read
}

type excelSheet struct {
	name   string
	hidden bool
}

type excelComment struct {
	place  string
	author string
	object int
}

// excel reads a workbook stream.
func (d *document) excel(r io.Reader, path string) error {
	x := &excelReader{
		d: d, r: newBiffReader(r), codepage: 1252, unicode: true,
		custom: map[int]*extract.NumberFormat{}, builtin: map[int]*extract.NumberFormat{},
		sheets: map[int64]excelSheet{}, part: extract.Part{Kind: extract.Body},
	}
	x.begin("", false)
	err := x.read()
	x.endSheet()
	d.flow.Flush()
	d.pictures(x.pictures, path)
	if (x.lost || !x.begun || len(x.sheets) > 0) && err == nil { // sheets that were not met
		d.flow.Gap("", fmt.Errorf("excel: broken records: %w", extract.ErrDamaged))
	}
	return err
}

// noRecord is above the kinds of records that there are.
const noRecord = 0x1100

func (x *excelReader) read() error {
	for {
		at := x.r.offset
		kind, b, ok := x.r.next()
		if x.depth > 0 && (!ok || x.r.cut) {
			x.lost = true
		}
		if !ok {
			return x.d.flow.Err()
		}
		if kind == 0 && x.unicode || kind >= noRecord && len(b) > 0 { // LibreOffice writes empty ones
			goesOn := x.r.resync()
			x.lost = x.lost || goesOn || x.depth > 0
			if !goesOn {
				return x.d.flow.Err()
			}
			x.depth = 0
			continue
		}
		if err := x.record(kind, b, at); err != nil {
			return err
		}
		if err := x.d.flow.Err(); err != nil {
			return err
		}
	}
}

// record acts on one record: first those of structure, then of cells, then
// the others.
func (x *excelReader) record(kind uint16, b []byte, at int64) error {
	switch kind {
	case 0x809, 0x409, 0x209, 0x009:
		x.beginning(kind, b, at)
	case 0x0A:
		if x.depth--; x.depth == 0 {
			x.endSheet()
		}
	case recordFilePass:
		cipher, err := x.d.excelCipher(b)
		x.r.cipher = cipher
		return err
	case recordBoundSheet:
		x.boundSheet(b)
	case 0xFC:
		return x.sharedStrings(b)
	default:
		if !x.cellRecord(kind, b) {
			x.otherRecord(kind, b)
		}
	}
	return nil
}

// beginning is the head of the workbook, a sheet, or a chart in a sheet.
func (x *excelReader) beginning(kind uint16, b []byte, at int64) {
	x.unicode = kind == 0x809 && len(b) >= 2 && le.Uint16(b) >= 0x600
	x.begun = true
	if x.depth = max(x.depth, 0) + 1; x.depth > 1 {
		return
	}
	if s, ok := x.sheets[at]; ok {
		x.begin(s.name, s.hidden)
		delete(x.sheets, at)
	}
}

func (x *excelReader) begin(name string, hidden bool) {
	x.endSheet()
	x.part = extract.Part{Kind: extract.Body, Place: name}
	heading := extract.Part{Kind: extract.Heading, Place: name}
	if hidden {
		x.part.Kind, heading.Kind = extract.Hidden, extract.Hidden
	}
	x.d.flow.Alone(heading, name)
	x.hiddenRows, x.texts, x.comments = map[int]bool{}, map[int]string{}, nil
}

// endSheet hands over what waited for the sheet's end.
func (x *excelReader) endSheet() {
	x.endRow()
	for _, c := range x.comments {
		text := x.texts[c.object]
		c.author = strings.Trim(c.author, "\x00 ")
		if c.author != "" && !strings.HasPrefix(text, c.author) {
			text = c.author + ": " + text
		}
		x.d.flow.Alone(extract.Part{Kind: extract.Comment, Place: c.place}, text)
	}
	x.comments = nil
	x.d.flow.Flush()
}

func (x *excelReader) boundSheet(b []byte) {
	if len(b) < 8 || len(x.sheets) >= x.d.in.Limits.Entries {
		return
	}
	x.sheets[int64(le.Uint32(b))] = excelSheet{shortText(b[6:], x.unicode, x.codepage), b[4]&3 != 0}
}

func (x *excelReader) sharedStrings(b []byte) error {
	s := x.r.continued(b, math.MaxInt)
	s.skip(8) // counts that are not believed
	for {
		text, ok := s.text()
		if !ok {
			return nil
		}
		x.strings = append(x.strings, text)
		if x.size += int64(len(text)) + 16; x.size > 4*x.d.in.Limits.Text {
			return fmt.Errorf("excel: shared strings: %w", extract.ErrLimit)
		}
	}
}

// cellRecord acts on a record that holds cells.
func (x *excelReader) cellRecord(kind uint16, b []byte) bool {
	if kind == 0x207 || kind == 0x007 { // STRING: the text of the formula before
		x.formulaText(b)
		return true
	}
	if len(b) < 6 {
		return false
	}
	switch kind {
	case 0x0FD: // LABELSST
		if len(b) >= 10 {
			if i := le.Uint32(b[6:]); i < uint32(len(x.strings)) {
				x.put(b, x.strings[i])
			} else {
				x.lost = true
			}
		}
	case 0x204, 0x0D6: // LABEL, RSTRING
		x.put(b, x.longText(b[6:]))
	case 0x004: // LABEL of Excel 2
		if len(b) >= 8 {
			x.put(b, decode(b[8:min(len(b), 8+int(b[7]))], x.codepage))
		}
	case 0x203, 0x003: // NUMBER
		at := len(b) - 8
		if at >= 6 {
			x.number(b, math.Float64frombits(le.Uint64(b[at:])))
		}
	case 0x27E, 0x07E:
		if len(b) >= 10 {
			x.number(b, rk(le.Uint32(b[6:])))
		}
	case 0x0BD: // MULRK
		for i := 0; 4+6*i+6 <= len(b)-2; i++ {
			one := []byte{b[0], b[1], 0, 0, b[4+6*i], b[5+6*i]}
			le.PutUint16(one[2:], le.Uint16(b[2:])+uint16(i))
			x.number(one, rk(le.Uint32(b[6+6*i:])))
		}
	case 0x002: // INTEGER of Excel 2
		if len(b) >= 9 {
			x.put(b, strconv.Itoa(int(le.Uint16(b[7:]))))
		}
	case 0x006, 0x206, 0x406:
		x.formula(b)
	case 0x205: // BOOLERR
		if len(b) >= 8 && b[7] == 0 {
			x.put(b, map[bool]string{true: "TRUE", false: "FALSE"}[b[6] != 0])
		}
	default:
		return false
	}
	return true
}

// longText reads a text with a length of two bytes, and in BIFF8 flags.
func (x *excelReader) longText(b []byte) string {
	if len(b) < 3 {
		return ""
	}
	if !x.unicode {
		return decode(b[2:min(len(b), 2+int(le.Uint16(b)))], x.codepage)
	}
	s := segments{list: [][]byte{b}}
	text, _ := s.text()
	return text
}

func (x *excelReader) number(b []byte, v float64) {
	var format *extract.NumberFormat
	if i := int(le.Uint16(b[4:])); i < len(x.styles) {
		format = x.styles[i]
	}
	x.put(b, format.Format(v, x.date1904))
}

// rk is a number in four bytes ([MS-XLS] 2.5.217).
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

// formula takes the value that was computed last.
func (x *excelReader) formula(b []byte) {
	if len(b) < 14 {
		return
	}
	if b[12] != 0xFF || b[13] != 0xFF {
		x.number(b, math.Float64frombits(le.Uint64(b[6:])))
		return
	}
	switch b[6] {
	case 0:
		x.pending = append(x.pending[:0], b[:6]...)
	case 1:
		x.put(b, map[bool]string{true: "TRUE", false: "FALSE"}[b[8] != 0])
	}
}

func (x *excelReader) formulaText(b []byte) {
	if len(x.pending) < 6 {
		return
	}
	if x.unicode {
		text, _ := x.r.continued(b, 1<<20).text()
		x.put(x.pending, text)
	} else {
		x.put(x.pending, x.longText(b))
	}
	x.pending = x.pending[:0]
}

// put sets the cell that b begins by naming: row, column, style.
func (x *excelReader) put(b []byte, text string) {
	if text == "" {
		return
	}
	row, column := int(le.Uint16(b))+1, int(le.Uint16(b[2:]))
	if row != x.row {
		x.endRow()
		x.row = row
	}
	if column >= 1000 { // a workbook of this age has 256
		return
	}
	for len(x.cells) <= column {
		x.cells = append(x.cells, "")
	}
	x.cells[column] = text
}

func (x *excelReader) endRow() {
	if len(x.cells) == 0 {
		return
	}
	part := x.part
	if x.hiddenRows[x.row] {
		part.Kind = extract.Hidden
	}
	x.d.flow.Row(part, extract.Row{Number: max(1, x.row), Cells: x.cells})
	clear(x.cells)
	x.cells = x.cells[:0]
}

// otherRecord acts on what is no cell: formats, names, comments, text boxes,
// headers, links, pictures.
func (x *excelReader) otherRecord(kind uint16, b []byte) {
	switch kind {
	case 0x42: // CODEPAGE
		if len(b) >= 2 && le.Uint16(b) != 1200 {
			x.codepage = int(le.Uint16(b))
		}
	case 0x22: // DATEMODE
		x.date1904 = len(b) >= 2 && b[0] == 1
	case 0x41E, 0xE0:
		x.format(kind, b)
	case 0x208: // ROW
		if len(b) >= 14 && le.Uint16(b[12:])&0x20 != 0 {
			x.hiddenRows[int(le.Uint16(b))+1] = true
		}
	case 0x14, 0x15:
		x.headerOrFooter(kind, b)
	case 0x5D: // OBJ
		x.object = 0
		if len(b) >= 8 {
			x.object, x.isComment = int(le.Uint16(b[6:])), le.Uint16(b[4:]) == 0x19
		}
	case 0x1B6:
		x.textBox(b)
	case 0x100D: // SERIESTEXT: titles in charts
		if len(b) > 3 {
			x.d.flow.Aside(extract.Part{Kind: extract.TextBox, Place: x.part.Place}, shortText(b[2:], x.unicode, x.codepage)+"\n")
		}
	case 0x1C:
		x.note(b)
	case 0x18, 0x218:
		x.name(b)
	case 0x1B8:
		x.link(b)
	case 0xEB, 0xEC: // drawings
		x.drawing(b)
	}
}

func (x *excelReader) format(kind uint16, b []byte) {
	if len(b) < 4 {
		return
	}
	id := int(le.Uint16(b))
	if kind == 0x41E {
		code := ""
		if x.unicode {
			code = x.longText(b[2:])
		} else {
			code = shortText(b[2:], false, x.codepage)
		}
		x.custom[id] = extract.ParseNumberFormat(code)
		return
	}
	id = int(le.Uint16(b[2:]))
	format, ok := x.custom[id]
	if !ok || id >= 14 && id <= 17 { // the system's short dates are ISO 8601
		if format, ok = x.builtin[id]; !ok {
			format = extract.BuiltinNumberFormat(id)
			x.builtin[id] = format
		}
	}
	x.styles = append(x.styles, format)
}

func (x *excelReader) headerOrFooter(kind uint16, b []byte) {
	if len(b) == 0 {
		return
	}
	text := ""
	if x.unicode {
		text = x.longText(b)
	} else {
		text = shortText(b, false, x.codepage)
	}
	part := extract.Part{Kind: extract.Header, Place: x.part.Place}
	if kind == 0x15 {
		part.Kind = extract.Footer
	}
	x.d.flow.Alone(part, extract.SheetHeader(text))
}

// textBox reads the text of the object before: a box, or a comment.
func (x *excelReader) textBox(b []byte) {
	if !x.unicode || len(b) < 12 || x.r.peek() != recordContinue {
		return
	}
	n := int(le.Uint16(b[10:]))
	if n == 0 {
		return
	}
	_, first, _ := x.r.next()
	s := x.r.continued(first, 1<<20)
	flags, _ := s.byte()
	text := s.characters(n, flags&1 != 0)
	if x.isComment && len(x.texts) < 100_000 {
		x.texts[x.object] = text
		return
	}
	x.d.flow.Aside(extract.Part{Kind: extract.TextBox, Place: x.part.Place}, text+"\n")
}

func (x *excelReader) note(b []byte) {
	if len(b) < 6 {
		return
	}
	place := fmt.Sprintf("%s!%s%d", x.part.Place, columnName(int(le.Uint16(b[2:]))), int(le.Uint16(b))+1)
	if !x.unicode {
		x.d.flow.Alone(extract.Part{Kind: extract.Comment, Place: place}, decode(b[6:], x.codepage))
		return
	}
	if len(b) > 11 && len(x.comments) < 100_000 {
		x.comments = append(x.comments, excelComment{place, x.longText(b[8:]), int(le.Uint16(b[6:]))})
	}
}

// name writes a defined name; what it stands for only where that is a text.
func (x *excelReader) name(b []byte) {
	if len(b) < 16 || b[0]&0x20 != 0 { // built in
		return
	}
	count, formula := int(b[3]), int(le.Uint16(b[4:]))
	text, after := "", 14+count
	if x.unicode {
		s := segments{list: [][]byte{b[15:]}}
		text = s.characters(count, b[14]&1 != 0)
		after = 15 + count<<(b[14]&1)
	} else {
		text = decode(b[14:min(len(b), after)], x.codepage)
	}
	if formula > 2 && after+formula <= len(b) && b[after] == 0x17 {
		text += ": " + shortText(b[after+1:after+formula], x.unicode, x.codepage)
	}
	if !strings.HasPrefix(text, "_xlnm.") {
		x.d.flow.Alone(extract.Part{Kind: extract.Property}, text)
	}
}

// link writes where a cell leads ([MS-OSHARED] 2.3.7.1).
func (x *excelReader) link(b []byte) {
	urlMoniker := []byte("\xE0\xC9\xEA\x79\xF9\xBA\xCE\x11\x8C\x82\x00\xAA\x00\x4B\xA9\x0B")
	_, after, found := bytes.Cut(b, urlMoniker)
	if !found || len(after) < 4 {
		return
	}
	n := min(int64(le.Uint32(after)), int64(len(after)-4))
	target, _, _ := strings.Cut(utf16String(after[4:4+n]), "\x00")
	x.d.flow.Aside(extract.Part{Kind: extract.Hidden, Place: x.part.Place}, target+"\n")
}

// drawing keeps the pictures of the workbook, which one long record holds.
func (x *excelReader) drawing(b []byte) {
	for _, segment := range x.r.continued(b, 256<<20).list {
		if len(x.pictures) < 256<<20 {
			x.pictures = append(x.pictures, segment...)
		}
	}
}

// columnName is the letters of a column counted from 0.
func columnName(column int) string {
	name := ""
	for column++; column > 0; column = (column - 1) / 26 {
		name = string(rune('A'+(column-1)%26)) + name
	}
	return name
}
