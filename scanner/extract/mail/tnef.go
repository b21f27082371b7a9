package mail

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/molnvakt/molnvakt/scanner/extract"
)

// TNEF reads winmail.dat, in which Outlook wraps what other programs cannot
// say ([MS-OXTNEF]).
type TNEF struct{}

var _ extract.Extractor = TNEF{}

// NewTNEF returns the reader of winmail.dat.
func NewTNEF() TNEF { return TNEF{} }

// Name implements extract.Extractor.
func (TNEF) Name() string { return "tnef" }

// Version implements extract.Extractor.
func (TNEF) Version() int { return 1 }

// Accepts implements extract.Extractor.
func (TNEF) Accepts(_, mediaType string) bool { return mediaType == "application/ms-tnef" }

// The attributes that are read ([MS-OXTNEF], 2.1.3.3).
const (
	attSubject       = 0x00018004
	attBody          = 0x0002800C
	attFrom          = 0x00008000
	attCodepage      = 0x00069007
	attMessageProps  = 0x00069003
	attAttachStart   = 0x00069002
	attAttachTitle   = 0x00018010
	attAttachData    = 0x0006800F
	attAttachment    = 0x00069005
	tnefHeader       = 6
	tnefAttribute    = 9 // level, identifier, length
	tnefChecksum     = 2
	tnefMaxAttribute = 512 << 20
)

// Extract implements extract.Extractor.
func (TNEF) Extract(ctx context.Context, in extract.Input, out extract.Sink) error {
	w := winmail{m: &message{ctx: ctx, in: in, out: out, flow: extract.NewFlow(ctx, out)}, codepage: 1252}
	damaged := w.attributes()
	w.endAttachment()
	if w.m.failed != nil {
		return w.m.failed
	}
	if err := w.m.flow.Close(); err != nil {
		return err
	}
	return damaged
}

// winmail is where reading a winmail.dat stands.
type winmail struct {
	m        *message
	codepage int
	attached tnefAttachment
	count    int
}

// tnefAttachment is the attachment whose attributes are being read.
type tnefAttachment struct {
	name     string
	at, size int64 // where its content lies; size 0: nowhere
	inner    bool  // the content is a winmail.dat itself
}

func (w *winmail) attributes() error {
	in := w.m.in
	for at := int64(tnefHeader); at < in.Size; {
		if err := w.m.flow.Err(); err != nil {
			return nil // Close tells
		}
		var head [tnefAttribute]byte
		if _, err := in.ReadAt(head[:], at); err != nil {
			return fmt.Errorf("tnef: ends too early: %w", extract.ErrDamaged)
		}
		id, size := binary.LittleEndian.Uint32(head[1:]), int64(binary.LittleEndian.Uint32(head[5:]))
		at += tnefAttribute
		if head[0] != 1 && head[0] != 2 || size > in.Size-at {
			return fmt.Errorf("tnef: attribute: %w", extract.ErrDamaged)
		}
		w.attribute(id, at, size)
		at += size + tnefChecksum
	}
	return nil
}

func (w *winmail) read(at, size int64) []byte {
	if size > min(tnefMaxAttribute, w.m.in.Limits.Inflate) {
		return nil
	}
	raw := make([]byte, size)
	n, _ := w.m.in.ReadAt(raw, at) // what can be read is enough
	return raw[:n]
}

func (w *winmail) attribute(id uint32, at, size int64) {
	switch id {
	case attCodepage:
		if raw := w.read(at, size); len(raw) >= 4 {
			w.codepage = int(binary.LittleEndian.Uint32(raw))
		}
	case attSubject:
		w.m.flow.Alone(w.m.at(extract.Title), w.text(w.read(at, size)))
	case attBody:
		w.m.plain(w.text(w.read(at, size)))
	case attFrom:
		w.from(w.read(at, size))
	case attMessageProps:
		w.properties(mapiProperties(w.read(at, size)))
	case attAttachStart:
		w.endAttachment()
		w.attached = tnefAttachment{}
	case attAttachTitle:
		w.attached.name = w.text(w.read(at, size))
	case attAttachData:
		w.attached.at, w.attached.size = at, size
	case attAttachment:
		w.attachmentProperties(at, mapiProperties(w.read(at, size)))
	}
}

func (w *winmail) text(raw []byte) string {
	text, _ := extract.Codepage(w.codepage).NewDecoder().Bytes(raw) // these decoders replace, they do not fail
	return strings.TrimRight(string(text), "\x00")
}

// from reads a triple of lengths, name and address ([MS-OXTNEF], 2.1.3.3.2).
func (w *winmail) from(raw []byte) {
	if len(raw) < 8 {
		return
	}
	name, _, _ := bytes.Cut(raw[8:], []byte{0})
	w.m.flow.Alone(w.m.at(extract.Address), "From: "+w.text(name))
}

func (w *winmail) properties(list []mapiProperty) {
	for _, p := range list {
		switch {
		case p.id == bodyID:
			w.m.plain(w.string(p))
		case p.id == htmlID:
			w.m.html(extract.DecodeText(p.value, extract.HTMLCharset(p.value)))
		case p.id == rtfID && !w.m.hasBody():
			w.rich(p.value)
		case p.kind == 0x1F || p.kind == 0x1E:
			if text := strings.TrimSpace(w.string(p)); text != "" && !technical[p.id] && !w.m.said.holds(text) {
				w.m.said.add(text)
				w.m.flow.Alone(w.m.at(extract.Property), text)
			}
		}
	}
}

// hasBody says whether a text of the message was written.
func (m *message) hasBody() bool { return len(m.said) > 0 }

func (w *winmail) rich(packed []byte) {
	rtf, err := unpackRTF(packed, w.m.in.Limits.Text)
	if err != nil {
		w.m.flow.Gap("", err)
	}
	if len(rtf) > 0 {
		w.m.flow.File(extract.File{Name: "body.rtf", Role: extract.Embedded, MediaType: "application/rtf", Content: bytes.NewReader(rtf)})
	}
}

func (w *winmail) string(p mapiProperty) string {
	if p.kind == 0x1F {
		return strings.TrimRight(decodeUTF16(p.value), "\x00")
	}
	return w.text(p.value)
}

func (w *winmail) attachmentProperties(at int64, list []mapiProperty) {
	for _, p := range list {
		switch {
		case p.id == attachLongNameID, p.id == attachNameID && w.attached.name == "":
			w.attached.name = w.string(p)
		case p.id == attachDataID && p.kind == 0x0D && len(p.value) > 16:
			// An embedded message: an interface's identifier and a TNEF stream.
			w.attached.at, w.attached.size, w.attached.inner = at+p.at+16, int64(len(p.value)-16), true
		}
	}
}

// endAttachment hands on the attachment that has been read.
func (w *winmail) endAttachment() {
	a := w.attached
	if a.size <= 0 || w.m.flow.Err() != nil || w.m.failed != nil {
		return
	}
	w.attached = tnefAttachment{}
	w.count++
	switch {
	case a.name == "":
		a.name = "attachment " + strconv.Itoa(w.count)
	case a.inner:
		a.name += ".dat"
	}
	w.m.flow.File(extract.File{Name: a.name, Role: extract.Attachment, Content: io.NewSectionReader(w.m.in, a.at, a.size)})
}

// mapiProperty is one value of a property list.
type mapiProperty struct {
	id, kind uint16
	value    []byte
	at       int64 // of the value in the list
}

// mapiProperties reads a list of properties ([MS-OXTNEF], 2.1.3.4) as far as
// it is sound.
func mapiProperties(raw []byte) (list []mapiProperty) {
	r := mapiReader{raw: raw}
	for range min(r.uint32(), 10_000) {
		tag := r.uint32()
		p := mapiProperty{id: uint16(tag >> 16), kind: uint16(tag)}
		if p.id >= 0x8000 {
			r.name()
		}
		values := uint32(1)
		variable := p.kind&0xFFF >= 0x1E && p.kind&0xFFF <= 0x1F || p.kind&0xFFF == 0x0D || p.kind&0xFFF == 0x102
		if p.kind&0x1000 != 0 || variable {
			values = r.uint32()
		}
		p.kind &^= 0x1000
		for range min(values, 10_000) {
			if r.failed {
				return list
			}
			size := fixedMAPI[p.kind]
			if variable {
				size = int(r.uint32())
			}
			p.at = int64(r.at)
			if p.value = r.take(size); !r.failed {
				list = append(list, p)
			}
		}
		if r.failed {
			return list
		}
	}
	return list
}

// fixedMAPI is the size of the values that have one, padded to four bytes.
var fixedMAPI = map[uint16]int{0x02: 4, 0x03: 4, 0x04: 4, 0x05: 8, 0x06: 8, 0x07: 8, 0x0A: 4, 0x0B: 4, 0x14: 8, 0x40: 8, 0x48: 16}

// mapiReader reads values that are padded to four bytes.
type mapiReader struct {
	raw    []byte
	at     int
	failed bool
}

func (r *mapiReader) take(n int) []byte {
	if n < 0 || n > len(r.raw)-r.at {
		r.failed = true
		return nil
	}
	value := r.raw[r.at : r.at+n]
	r.at = min(len(r.raw), r.at+(n+3)&^3)
	return value
}

func (r *mapiReader) uint32() uint32 {
	if b := r.take(4); len(b) == 4 {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

// name passes over the name of a named property.
func (r *mapiReader) name() {
	r.take(16)
	if r.uint32() == 0 {
		r.take(4)
		return
	}
	r.take(int(r.uint32()))
}
