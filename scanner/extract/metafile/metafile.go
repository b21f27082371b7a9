// Package metafile reads the text in Windows metafiles (EMF and WMF), which
// office documents hold as drawings and as pictures of embedded objects
// ([MS-EMF], [MS-WMF], [MS-EMFPLUS]).
package metafile

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"path"
	"strings"
	"unicode/utf16"

	"github.com/molnvakt/molnvakt/scanner/extract"
)

// Extractor reads metafiles. The zero value is ready.
type Extractor struct{}

// Name implements extract.Extractor.
func (Extractor) Name() string { return "metafile" }

// Version implements extract.Extractor.
func (Extractor) Version() int { return 1 }

// Accepts implements extract.Extractor. Metafiles begin so plainly that their
// content alone does not tell them.
func (Extractor) Accepts(name, mediaType string) bool {
	switch mediaType {
	case "image/emf", "image/x-emf", "image/wmf", "image/x-wmf":
		return true
	case "application/octet-stream", "":
		ext := strings.ToLower(path.Ext(name))
		return ext == ".emf" || ext == ".wmf"
	}
	return false
}

// Extract implements extract.Extractor.
func (Extractor) Extract(ctx context.Context, in extract.Input, out extract.Sink) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if in.Size > largest {
		return fmt.Errorf("metafile: size: %w", extract.ErrLimit)
	}
	b := make([]byte, in.Size)
	n, _ := in.ReadAt(b, 0)
	b = b[:n]
	m := &metafile{flow: extract.NewFlow(ctx, out)}
	m.flow.In(extract.Part{Kind: extract.TextBox})
	whole := false
	switch {
	case len(b) >= 44 && le.Uint32(b) == 1 && string(b[40:44]) == " EMF":
		whole = m.enhanced(b)
	case len(b) >= 22 && le.Uint32(b) == 0x9AC6CDD7:
		whole = m.plain(b[22:])
	case len(b) >= 18 && (le.Uint16(b) == 1 || le.Uint16(b) == 2) && le.Uint16(b[2:]) == 9:
		whole = m.plain(b)
	default:
		return fmt.Errorf("metafile: unknown head: %w", extract.ErrUnsupported)
	}
	m.flow.Line()
	if !whole {
		m.flow.Gap("", fmt.Errorf("metafile: cut off: %w", extract.ErrDamaged))
	}
	return m.flow.Close()
}

var le = binary.LittleEndian

// largest is the size above which a metafile is no drawing, in bytes.
const largest = 256 << 20

// metafile is one picture on its way through.
type metafile struct {
	flow *extract.Flow
	// Where the last text stood, and where it ended: the next one is joined to
	// it, or set apart.
	y, end int32
	any    bool
}

// show writes a text that is drawn at (x,y), so wide. Width 0 is unknown.
func (m *metafile) show(text string, x, y, width int32) {
	text = strings.Map(func(r rune) rune {
		if r < ' ' {
			return -1
		}
		return r
	}, text)
	if text == "" {
		return
	}
	letter := width / int32(max(1, len([]rune(text))))
	switch {
	case !m.any:
	case y != m.y:
		m.flow.Line()
	case width == 0 || x-m.end > letter/3:
		m.flow.Write(" ")
	}
	m.flow.Write(text)
	m.any, m.y, m.end = true, y, x+width
}

// enhanced reads the records of an EMF. It returns false where they end early.
func (m *metafile) enhanced(b []byte) bool {
	for len(b) >= 8 && m.flow.Err() == nil {
		kind, size := le.Uint32(b), int64(le.Uint32(b[4:]))
		if size < 8 || size > int64(len(b)) {
			return false
		}
		record := b[:size]
		b = b[size:]
		switch kind {
		case 14: // EMR_EOF
			return true
		case 83, 84: // EMR_EXTTEXTOUTA, EMR_EXTTEXTOUTW
			m.textOut(record, kind == 84)
		case 108: // EMR_SMALLTEXTOUT
			m.smallText(record)
		case 70: // EMR_COMMENT
			if len(record) > 16 && string(record[12:16]) == "EMF+" {
				m.plus(record[16:])
			}
		}
	}
	return m.flow.Err() != nil
}

// glyphs says that a text is numbers of a font's drawings, not letters.
const glyphs = 0x10

func (m *metafile) textOut(b []byte, wide bool) {
	if len(b) < 76 {
		return
	}
	x, y := int32(le.Uint32(b[36:])), int32(le.Uint32(b[40:]))
	n, at, options := int64(le.Uint32(b[44:])), int64(le.Uint32(b[48:])), le.Uint32(b[52:])
	if options&glyphs != 0 {
		return
	}
	text, ok := letters(b, at, n, wide)
	if !ok {
		return
	}
	width := int32(0)
	if dx := int64(le.Uint32(b[72:])); dx > 0 && dx+4*n <= int64(len(b)) {
		for i := range n {
			width += int32(le.Uint32(b[dx+4*i:]))
		}
	}
	m.show(text, x, y, width)
}

func (m *metafile) smallText(b []byte) {
	if len(b) < 36 {
		return
	}
	x, y := int32(le.Uint32(b[8:])), int32(le.Uint32(b[12:]))
	n, options := int64(le.Uint32(b[16:])), le.Uint32(b[20:])
	at := int64(36)
	if options&0x100 == 0 {
		at += 16
	}
	if text, ok := letters(b, at, n, options&0x200 == 0); ok && options&glyphs == 0 {
		m.show(text, x, y, 0)
	}
}

// letters returns n letters at a place of a record.
func letters(b []byte, at, n int64, wide bool) (string, bool) {
	width := int64(1)
	if wide {
		width = 2
	}
	if at < 0 || n <= 0 || n > int64(len(b)) || at+width*n > int64(len(b)) {
		return "", false
	}
	b = b[at : at+width*n]
	if !wide {
		return narrow(b), true
	}
	units := make([]uint16, n)
	for i := range units {
		units[i] = le.Uint16(b[2*i:])
	}
	return string(utf16.Decode(units)), true
}

func narrow(b []byte) string {
	b, _, _ = bytes.Cut(b, []byte{0})
	s, err := extract.Codepage(1252).NewDecoder().Bytes(b)
	if err != nil {
		return ""
	}
	return string(s)
}

// plus reads the records of EMF+ that a comment holds. Its texts are often
// drawn once more by plain records; what is said twice does no harm.
func (m *metafile) plus(b []byte) {
	for len(b) >= 12 {
		size := int64(le.Uint32(b[4:]))
		if size < 12 || size > int64(len(b)) {
			return
		}
		if record := b[:size]; le.Uint16(record) == 0x401C && size >= 40 { // DrawString
			if text, ok := letters(record, 40, int64(le.Uint32(record[20:])), true); ok {
				m.flow.Line()
				m.flow.Write(text)
				m.flow.Line()
				m.any = false
			}
		}
		b = b[size:]
	}
}

// plain reads the records of a WMF, sizes of which are in words. It returns
// false where they end early.
func (m *metafile) plain(b []byte) bool {
	if len(b) < 18 {
		return false
	}
	for b = b[18:]; len(b) >= 6 && m.flow.Err() == nil; {
		size, kind := 2*int64(le.Uint32(b)), le.Uint16(b[4:])
		if kind == 0 {
			return true
		}
		if size < 6 || size > int64(len(b)) {
			return false
		}
		record := b[6:size]
		b = b[size:]
		switch kind {
		case 0x0521: // META_TEXTOUT
			m.plainText(record)
		case 0x0A32: // META_EXTTEXTOUT
			m.plainExtended(record)
		}
	}
	return m.flow.Err() != nil
}

func (m *metafile) plainText(b []byte) {
	if len(b) < 6 {
		return
	}
	n := int64(le.Uint16(b))
	padded := n + n&1
	text, ok := letters(b, 2, n, false)
	if !ok || 2+padded+4 > int64(len(b)) {
		return
	}
	y, x := int16(le.Uint16(b[2+padded:])), int16(le.Uint16(b[4+padded:]))
	m.show(text, int32(x), int32(y), 0)
}

func (m *metafile) plainExtended(b []byte) {
	if len(b) < 8 {
		return
	}
	y, x := int32(int16(le.Uint16(b))), int32(int16(le.Uint16(b[2:])))
	n, options := int64(le.Uint16(b[4:])), le.Uint16(b[6:])
	at := int64(8)
	if options&6 != 0 { // a rectangle goes before
		at += 8
	}
	text, ok := letters(b, at, n, false)
	if !ok || options&glyphs != 0 {
		return
	}
	width := int32(0)
	if dx := at + n + n&1; dx+2*n <= int64(len(b)) {
		for i := range n {
			width += int32(int16(le.Uint16(b[dx+2*i:])))
		}
	}
	m.show(text, x, y, width)
}
