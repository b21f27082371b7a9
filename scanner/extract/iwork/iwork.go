// Package iwork reads the parts (.iwa) of documents of Apple's Pages, Numbers
// and Keynote since 2013: the text of bodies, tables, slides, notes and
// comments. The documents themselves are zip archives of such parts, or of
// XML before 2013.
//
// Apple publishes no specification. A part is a run of blocks packed with
// Snappy; in them stand messages in Protocol Buffers, each behind a head that
// says what it is. The numbers of the messages are those that the programs
// themselves carry.
package iwork

import (
	"context"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/klauspost/compress/snappy"

	"github.com/molnvakt/molnvakt/scanner/extract"
)

// Extractor reads parts of iWork documents. The zero value is ready.
type Extractor struct{}

// Name implements extract.Extractor.
func (Extractor) Name() string { return "iwork" }

// Version implements extract.Extractor.
func (Extractor) Version() int { return 1 }

// Accepts implements extract.Extractor.
func (Extractor) Accepts(_, mediaType string) bool { return mediaType == "application/x-iwork-part" }

// Extract implements extract.Extractor.
func (Extractor) Extract(ctx context.Context, in extract.Input, out extract.Sink) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	content, broken := unpack(in)
	flow := extract.NewFlow(ctx, out)
	p := part{flow: flow}
	if err := p.messages(content); broken == nil {
		broken = err
	}
	if p.numbers {
		flow.Gap("", fmt.Errorf("iwork: numbers and dates in tables: %w", extract.ErrUnsupported))
	}
	flow.Gap("", broken)
	return flow.Close()
}

// unpack joins the blocks: a zero, three bytes of length, Snappy. What could
// be read before an error is returned with it.
func unpack(in extract.Input) (content []byte, err error) {
	r := in.Reader()
	limit := min(in.Limits.Inflate, in.Limits.Text)
	for {
		var head [4]byte
		if _, err := io.ReadFull(r, head[:]); err != nil {
			if len(content) > 0 && err == io.EOF { //nolint:errorlint // io.ReadFull returns it as it is
				return content, nil
			}
			return content, fmt.Errorf("iwork: block: %w", extract.ErrDamaged)
		}
		size := int64(head[1]) | int64(head[2])<<8 | int64(head[3])<<16
		left, _ := r.Seek(0, io.SeekCurrent)
		if head[0] != 0 || size > in.Size-left {
			return content, fmt.Errorf("iwork: block: %w", extract.ErrDamaged)
		}
		packed := make([]byte, size)
		if _, err := io.ReadFull(r, packed); err != nil {
			return content, fmt.Errorf("iwork: block: %w", extract.ErrDamaged)
		}
		n, err := snappy.DecodedLen(packed)
		if err != nil {
			return content, fmt.Errorf("iwork: snappy: %w", extract.ErrDamaged)
		}
		if int64(len(content)+n) > limit {
			return content, fmt.Errorf("iwork: inflated size: %w", extract.ErrLimit)
		}
		block, err := snappy.Decode(nil, packed)
		if err != nil {
			return content, fmt.Errorf("iwork: snappy: %w", extract.ErrDamaged)
		}
		content = append(content, block...)
	}
}

// part is one part on its way through.
type part struct {
	flow    *extract.Flow
	numbers bool // holds cells that are not texts
}

// The kinds of message that hold text.
const (
	textStorage    = 2001 // also 2005
	textStorageToo = 2005
	comment        = 3056
	tableCells     = 6002
	tableTexts     = 6005
)

// messages reads archives: the length of a head, the head, its messages.
func (p *part) messages(b []byte) error {
	for len(b) > 0 && p.flow.Err() == nil {
		size, n := varint(b)
		if n == 0 || size > uint64(len(b)-n) {
			return fmt.Errorf("iwork: head of messages: %w", extract.ErrDamaged)
		}
		head := b[n : n+int(size)]
		b = b[n+int(size):]
		for f := range fields(head) {
			if f.number != 2 || f.value == nil {
				continue
			}
			kind, length := about(f.value)
			if length > uint64(len(b)) {
				p.message(kind, b)
				return fmt.Errorf("iwork: message: %w", extract.ErrDamaged)
			}
			p.message(kind, b[:length])
			b = b[length:]
		}
	}
	return nil
}

// about reads what a head says of one message: its kind and length.
func about(head []byte) (kind, length uint64) {
	for f := range fields(head) {
		switch f.number {
		case 1:
			kind = f.integer
		case 3:
			length = f.integer
		}
	}
	return kind, length
}

func (p *part) message(kind uint64, b []byte) {
	switch kind {
	case textStorage, textStorageToo:
		p.texts(extract.Body, b, 3)
	case comment:
		p.texts(extract.Comment, b, 1)
	case tableTexts:
		for f := range fields(b) {
			if f.number == 3 && f.value != nil {
				p.texts(extract.Body, f.value, 3)
			}
		}
	case tableCells:
		p.numbers = true
	}
}

// texts writes the strings of one field.
func (p *part) texts(kind extract.Kind, b []byte, number uint64) {
	p.flow.In(extract.Part{Kind: kind})
	for f := range fields(b) {
		if f.number == number && utf8.Valid(f.value) && len(f.value) > 0 {
			p.flow.Write(plain.Replace(string(f.value)))
			p.flow.Line()
		}
	}
}

// plain takes out what stands in a text for something else: objects, breaks.
var plain = strings.NewReplacer("\uFFFC", "", "\u2028", "\n", "\u2029", "\n", "\x04", "\n", "\x05", "\n", "\x0E", "")
