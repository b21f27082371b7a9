// Package rtf reads Rich Text Format 1.9: text in any charset, tables,
// headers, footers, notes, comments, deletions, hidden text, text boxes, form
// fields, properties, pictures and embedded objects.
package rtf

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/molnvakt/molnvakt/scanner/extract"
)

// Extractor reads RTF. The zero value is ready.
type Extractor struct{}

// Name implements extract.Extractor.
func (Extractor) Name() string { return "rtf" }

// Version implements extract.Extractor.
func (Extractor) Version() int { return 2 }

// Accepts implements extract.Extractor.
func (Extractor) Accepts(_, mediaType string) bool {
	return mediaType == "application/rtf" || mediaType == "text/rtf"
}

// Extract implements extract.Extractor.
func (Extractor) Extract(ctx context.Context, in extract.Input, out extract.Sink) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	p := &parser{
		ctx: ctx, in: in, flow: extract.NewFlow(ctx, out), r: bufio.NewReaderSize(in.Reader(), 64<<10),
		fonts: map[int]int{}, headings: map[int]extract.Kind{}, codepage: 1252,
	}
	p.main = &target{part: extract.Part{Kind: extract.Body}}
	p.now = group{to: p.main, unicodeSkip: 1, codepage: 1252}
	err := p.parse()
	p.finish()
	if closing := p.flow.Close(); closing != nil {
		return closing
	}
	return err
}

// target is where text is gathered: the document's own, a note's, a header's.
type target struct {
	part extract.Part
	text strings.Builder
}

// group is what { saves and } restores.
type group struct {
	to          *target
	dest        destination
	unicodeSkip int // bytes that stand for a \u for old readers
	codepage    int
	deleted     bool
	hidden      bool
	inTable     bool
	name        string // of the property being read
	paragraph   extract.Kind
}

// destination is what the text of a group is for.
type destination int

const (
	toText destination = iota
	toNowhere
	toFonts
	toStyles
	toProperty
	toInstruction
	toPicture
	toObject
)

// parser reads one document.
type parser struct {
	ctx  context.Context
	in   extract.Input
	flow *extract.Flow
	r    *bufio.Reader

	main     *target
	now      group
	stack    []group
	starred  bool // \* was met: the next word may be passed over
	skip     int  // bytes still to be passed over after \u
	high     rune // the first half of a surrogate pair
	codepage int  // of the document
	fonts    map[int]int
	font     int // being defined
	style    int // being defined
	styleDef strings.Builder
	headings map[int]extract.Kind

	bytes               []byte // 8-bit text, still to be decoded
	deleted, hidden     strings.Builder
	instruction         strings.Builder
	property            strings.Builder
	cells               []string
	row, tables, images int
	held                int
	inRow               bool
	binary              *hexBuffer
	ending              string
	author              string
	shape               string // the name of a shape's property, whose value follows
}

// parse reads until the document's last } that nothing follows.
func (p *parser) parse() error {
	for n := 0; ; n++ {
		if n%1024 == 0 && p.flow.Err() != nil {
			return nil
		}
		c, err := p.r.ReadByte()
		if errors.Is(err, io.EOF) {
			if len(p.stack) > 0 {
				return fmt.Errorf("rtf: cut off: %w", extract.ErrDamaged)
			}
			return nil
		}
		if err != nil {
			return err
		}
		switch c {
		case '{':
			if err := p.open(); err != nil {
				return err
			}
		case '}':
			p.close()
			if len(p.stack) == 0 && !p.goesOn() {
				return nil
			}
		case '\\':
			if err := p.control(); err != nil {
				return err
			}
		case '\r', '\n', 0:
		default:
			p.char(c)
		}
	}
}

// goesOn tells whether more of the document stands behind its last }: programs
// write one too many, and put documents behind each other.
func (p *parser) goesOn() bool {
	rest, _ := p.r.Peek(4 << 10)
	return controlWords.Match(rest)
}

var controlWords = regexp.MustCompile(`\\(par|pard|plain|rtf1|cell|row|fs\d+|f\d+|lang\d+|'[0-9a-f]{2})\b`)

func (p *parser) open() error {
	p.decode()
	if len(p.stack) >= p.in.Limits.XML {
		return fmt.Errorf("rtf: groups nested too deep: %w", extract.ErrLimit)
	}
	p.stack = append(p.stack, p.now)
	p.starred, p.skip = false, 0
	return nil
}

// close ends a group, and with it what its text was for.
func (p *parser) close() {
	p.decode()
	p.starred, p.skip = false, 0
	if len(p.stack) == 0 {
		return
	}
	ended := p.now
	p.now = p.stack[len(p.stack)-1]
	p.stack = p.stack[:len(p.stack)-1]
	if ended.to != p.now.to {
		p.endTarget(ended.to)
	}
	if ended.dest == p.now.dest && ended.name == p.now.name {
		return
	}
	switch ended.dest {
	case toProperty:
		p.endProperty(ended.name)
	case toInstruction:
		if link := linkTarget(p.instruction.String()); link != "" {
			p.flow.Aside(extract.Part{Kind: extract.Hidden}, link+"\n")
		}
		p.instruction.Reset()
	case toPicture, toObject:
		p.endBinary(ended.dest)
	}
}

func (p *parser) endTarget(t *target) {
	text := strings.TrimSpace(t.text.String())
	if text == "" {
		return
	}
	if t.part.Kind == extract.Comment && p.author != "" {
		text = p.author + ": " + text
		p.author = ""
	}
	p.flow.Aside(t.part, text+"\n")
	t.text.Reset()
}

func (p *parser) endProperty(name string) {
	value := strings.TrimSpace(p.property.String())
	p.property.Reset()
	switch {
	case value == "":
	case name == "title":
		p.flow.Alone(extract.Part{Kind: extract.Title}, value)
	case name == "sn":
		p.shape = value
	case name == "sv":
		if p.shape == "gtextUNICODE" || p.shape == "wzDescription" || p.shape == "wzTooltip" {
			p.flow.Aside(extract.Part{Kind: extract.TextBox}, value+"\n")
		}
	case name == "atnauthor":
		p.author = value
	case name == "ffdeftext" || name == "ffl":
		p.flow.Aside(extract.Part{Kind: extract.FormField}, value+"\n")
	default:
		p.flow.Alone(extract.Part{Kind: extract.Property}, name+": "+value)
	}
}

// char takes a byte of text.
func (p *parser) char(c byte) {
	if p.skip > 0 {
		p.skip--
		return
	}
	switch p.now.dest {
	case toNowhere:
	case toPicture, toObject:
		p.binary.add(c)
	case toFonts:
	default:
		p.bytes = append(p.bytes, c)
		if len(p.bytes) >= 1<<16 {
			p.decode()
		}
	}
}

// decode writes the 8-bit text gathered, before the charset or the place may
// change.
func (p *parser) decode() {
	if len(p.bytes) == 0 {
		return
	}
	text := string(p.bytes)
	if !ascii(p.bytes) {
		if b, err := extract.Codepage(p.now.codepage).NewDecoder().Bytes(p.bytes); err == nil {
			text = string(b)
		}
	}
	p.bytes = p.bytes[:0]
	p.write(text)
}

func ascii(b []byte) bool {
	for _, c := range b {
		if c >= 0x80 {
			return false
		}
	}
	return true
}

// write takes decoded text.
func (p *parser) write(s string) {
	switch p.now.dest {
	case toStyles:
		p.styleName(s)
	case toProperty:
		if p.property.Len() < 1<<20 {
			p.property.WriteString(s)
		}
	case toInstruction:
		if p.instruction.Len() < 1<<20 {
			p.instruction.WriteString(s)
		}
	case toText:
		switch {
		case p.now.deleted:
			p.deleted.WriteString(s)
			p.relieve(extract.Deleted, &p.deleted)
		case p.now.hidden:
			p.hidden.WriteString(s)
			p.relieve(extract.Hidden, &p.hidden)
		default:
			p.now.to.text.WriteString(s)
			p.relieveText()
		}
	}
}

func (p *parser) relieve(kind extract.Kind, b *strings.Builder) {
	if b.Len() > 1<<20 {
		p.flow.Aside(extract.Part{Kind: kind}, b.String())
		b.Reset()
	}
}

// relieveText hands on a paragraph that is too long to be held.
func (p *parser) relieveText() {
	t := p.now.to
	if t.text.Len() < 1<<20 {
		return
	}
	if t == p.main {
		p.flow.In(t.part)
		p.flow.Write(t.text.String())
	} else {
		p.flow.Aside(t.part, t.text.String())
	}
	t.text.Reset()
}

// styleName gathers "heading 1;" of the style being defined.
func (p *parser) styleName(s string) {
	p.styleDef.WriteString(s)
	name, _, ended := strings.Cut(p.styleDef.String(), ";")
	if !ended {
		return
	}
	switch name = strings.ToLower(strings.TrimSpace(name)); {
	case strings.HasPrefix(name, "heading "), strings.HasPrefix(name, "rubrik "):
		p.headings[p.style] = extract.Heading
	case name == "title":
		p.headings[p.style] = extract.Title
	}
	p.styleDef.Reset()
	p.style = 0
}

// paragraph ends the present paragraph, or line of a cell or note.
func (p *parser) paragraph() {
	p.decode()
	t := p.now.to
	if t != p.main || p.now.inTable {
		t.text.WriteByte('\n')
		return
	}
	if !p.now.inTable {
		p.endTable()
	}
	part := t.part
	if p.now.paragraph != "" {
		part.Kind = p.now.paragraph
	}
	if strings.TrimSpace(t.text.String()) != "" {
		p.flow.In(part)
		p.flow.Write(t.text.String())
		p.flow.Line()
	}
	t.text.Reset()
	p.besides()
}

// besides hands on what was deleted or hidden in the paragraph.
func (p *parser) besides() {
	for _, b := range []struct {
		kind extract.Kind
		text *strings.Builder
	}{{extract.Deleted, &p.deleted}, {extract.Hidden, &p.hidden}} {
		if strings.TrimSpace(b.text.String()) != "" {
			p.flow.Aside(extract.Part{Kind: b.kind}, b.text.String()+"\n")
		}
		b.text.Reset()
	}
}

func (p *parser) cell() {
	p.decode()
	if p.now.to != p.main {
		p.now.to.text.WriteByte('\t')
		return
	}
	text := strings.Trim(p.main.text.String(), "\n")
	p.main.text.Reset()
	p.held += len(text)
	if len(p.cells) < 1000 && int64(p.held) <= p.in.Limits.Text {
		p.cells = append(p.cells, text)
		return
	}
	p.flow.Alone(p.main.part, text)
}

func (p *parser) endRow() {
	p.decode()
	if p.now.to != p.main {
		p.now.to.text.WriteByte('\n')
		return
	}
	if !p.inRow {
		p.tables++
		p.row = 0
		p.inRow = true
	}
	p.row++
	if strings.Join(p.cells, "") != "" {
		p.flow.Row(extract.Part{Kind: extract.Body, Place: fmt.Sprintf("table %d", p.tables)}, extract.Row{Number: p.row, Cells: p.cells})
	}
	p.cells, p.held = nil, 0
	p.besides()
}

// endTable notes that a paragraph outside of tables came.
func (p *parser) endTable() {
	if len(p.cells) > 0 {
		p.endRow()
	}
	p.inRow = false
}

// finish hands on what the document's end found open.
func (p *parser) finish() {
	p.decode()
	for i := len(p.stack); i > 0; i-- {
		if t := p.stack[i-1].to; p.now.to != t {
			p.endTarget(p.now.to)
			p.now.to = t
		}
	}
	p.now.to, p.now.inTable, p.now.dest = p.main, false, toText
	p.paragraph()
}

// linkTarget returns where a HYPERLINK field leads.
func linkTarget(instruction string) string {
	_, after, found := strings.Cut(instruction, "HYPERLINK")
	if !found {
		return ""
	}
	if _, quoted, found := strings.Cut(after, `"`); found {
		link, _, _ := strings.Cut(quoted, `"`)
		return link
	}
	return strings.TrimSpace(after)
}

// hexBuffer gathers a picture or object.
type hexBuffer struct {
	content []byte
	half    byte
	odd     bool
	full    bool
	most    int64
}

// add takes a hexadecimal digit. What follows an object that lay inside a
// picture belongs to neither: there is no buffer for it.
func (h *hexBuffer) add(c byte) {
	if h == nil {
		return
	}
	v := byte(0)
	switch {
	case c >= '0' && c <= '9':
		v = c - '0'
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		v = c | 0x20 - 'a' + 10
	default:
		return
	}
	if !h.odd {
		h.half, h.odd = v<<4, true
		return
	}
	h.odd = false
	h.raw(h.half | v)
}

func (h *hexBuffer) raw(c byte) {
	if h == nil {
		return
	}
	if int64(len(h.content)) >= h.most {
		h.full = true
		return
	}
	h.content = append(h.content, c)
}

// endBinary hands over a picture or object.
func (p *parser) endBinary(kind destination) {
	b := p.binary
	p.binary = nil
	if b == nil || len(b.content) == 0 {
		return
	}
	p.images++
	file := extract.File{Name: fmt.Sprintf("image%d%s", p.images, p.ending), Role: extract.Picture}
	content := b.content
	if p.ending == ".emf" || p.ending == ".wmf" { // drawings, with their text in them
		file.Role = extract.Embedded
	}
	if kind == toObject {
		file.Name, file.Role = fmt.Sprintf("object%d", p.images), extract.Embedded
		content = objectContent(content)
	}
	file.Content = bytes.NewReader(content)
	p.flow.File(file)
	if b.full {
		p.flow.Gap(file.Name, fmt.Errorf("rtf: embedded: %w", extract.ErrLimit))
	}
}

// objectContent takes the head off an embedded object ([MS-OLEDS] 2.2.5):
// version, kind, three names with their lengths, and the content's length.
// What a packager wrapped has names before it once more.
func objectContent(b []byte) []byte {
	at := int64(8)
	class := ""
	for i := range 3 {
		if at+4 > int64(len(b)) {
			return b
		}
		n := int64(uint32(b[at]) | uint32(b[at+1])<<8 | uint32(b[at+2])<<16 | uint32(b[at+3])<<24)
		if at+4+n > int64(len(b)) {
			return b
		}
		if i == 0 {
			class = strings.Trim(string(b[at+4:at+4+n]), "\x00")
		}
		at += 4 + n
	}
	if at+4 > int64(len(b)) {
		return b
	}
	content := b[at+4:]
	if class == "Package" {
		return packaged(content)
	}
	return content
}

// packaged finds the file in what the shell's packager wrote: label, path, two
// numbers, a path with its length, and the file with its length.
func packaged(b []byte) []byte {
	whole := b
	if len(b) < 2 {
		return whole
	}
	b = b[2:]
	for range 2 {
		i := bytes.IndexByte(b, 0)
		if i < 0 {
			return whole
		}
		b = b[i+1:]
	}
	if len(b) < 8 {
		return whole
	}
	n := int64(uint32(b[4]) | uint32(b[5])<<8 | uint32(b[6])<<16 | uint32(b[7])<<24)
	if 12+n > int64(len(b)) {
		return whole
	}
	b = b[8+n:]
	size := int64(uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24)
	return b[4:min(4+size, int64(len(b)))]
}
