package extract

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	blockLines = 50       // lines after which a block ends at the next empty line …
	blockMax   = 100      // … or at the latest
	pieceBytes = 32 << 10 // of text at once
)

// Lines writes UTF-8 text to out in blocks of lines that stand at "line N".
// Every kind of line end becomes "\n"; NUL is dropped. A line of any length
// takes little memory.
func Lines(ctx context.Context, text io.Reader, kind Kind, out Sink) error {
	b := block{ctx: ctx, kind: kind, out: out, number: 1, first: 1}
	lines := bufio.NewReaderSize(&lineEnds{r: text}, pieceBytes)
	for {
		line, err := lines.ReadSlice('\n')
		if addErr := b.add(line, err == nil); addErr != nil {
			return addErr
		}
		switch {
		case err == nil, errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF):
			return b.flush(true)
		default:
			return Damaged(err)
		}
	}
}

// Pieces writes one Part's text to out, as much at once as Text allows.
func Pieces(ctx context.Context, p Part, text string, out Sink) error {
	text = clean(text)
	for text != "" {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := cut(text, pieceBytes)
		if err := out.Text(p, text[:n]); err != nil {
			return err
		}
		text = text[n:]
	}
	return ctx.Err()
}

// Damaged wraps an error met in reading content as ErrDamaged, unless it says
// more already (a limit, a cancel).
func Damaged(err error) error {
	for _, known := range []error{ErrUnsupported, ErrEncrypted, ErrRights, ErrCertificate, ErrDamaged, ErrLimit, context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, known) {
			return err
		}
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("ends too early: %w", ErrDamaged)
	}
	// Foreign errors may quote what they could not read.
	return ErrDamaged
}

// DamagedReader reads r and gives its errors the name that Damaged gives them.
func DamagedReader(r io.Reader) io.Reader { return damagedReader{r} }

type damagedReader struct{ r io.Reader }

// Read implements io.Reader.
func (d damagedReader) Read(p []byte) (int, error) {
	n, err := d.r.Read(p)
	if err != nil && (!errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)) {
		err = Damaged(err)
	}
	return n, err
}

// clean drops NUL and what is not UTF-8.
func clean(s string) string {
	if strings.IndexByte(s, 0) >= 0 {
		s = strings.ReplaceAll(s, "\x00", "")
	}
	return strings.ToValidUTF8(s, "\ufffd")
}

// cut returns where to cut s so that at most n bytes come first: after a line
// if there is one, never in a rune.
func cut(s string, n int) int {
	if len(s) <= n {
		return len(s)
	}
	if i := strings.LastIndexByte(s[:n], '\n'); i > 0 {
		return i + 1
	}
	for n > 1 && !utf8.RuneStart(s[n]) {
		n--
	}
	return n
}

// block gathers lines that share a place.
type block struct {
	ctx    context.Context
	kind   Kind
	out    Sink
	text   []byte
	first  int  // number of the first line
	number int  // of the line being read
	long   bool // in the middle of a line that is too long for one piece
}

// add takes a line or, if whole is false, a part of a long one or the last.
func (b *block) add(line []byte, whole bool) error {
	if !whole && !b.long && len(line) == pieceBytes {
		if err := b.flush(true); err != nil {
			return err
		}
		b.long = true
	}
	b.text = append(b.text, line...)
	if !whole {
		if len(b.text) >= pieceBytes {
			return b.flush(false)
		}
		return nil
	}
	b.number++
	n := b.number - b.first
	empty := len(line) <= 1
	if b.long || n >= blockMax || n >= blockLines && empty || len(b.text) >= pieceBytes/2 {
		b.long = false
		return b.flush(true)
	}
	return nil
}

// flush writes what was gathered. If the line goes on, it keeps its place and
// what may be a part of a rune.
func (b *block) flush(ended bool) error {
	keep := 0
	if !ended {
		keep = len(b.text) - wholeRunes(b.text)
	}
	err := b.ctx.Err()
	if n := len(b.text) - keep; n > 0 && err == nil {
		err = b.out.Text(Part{Kind: b.kind, Place: "line " + strconv.Itoa(b.first)}, validUTF8(b.text[:n]))
	}
	b.text = append(b.text[:0], b.text[len(b.text)-keep:]...)
	if ended {
		b.first = b.number
	}
	return err
}

func validUTF8(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	return strings.ToValidUTF8(string(b), "\ufffd")
}

// lineEnds makes "\n" of "\r\n" and "\r", and drops NUL.
type lineEnds struct {
	r  io.Reader
	cr bool // the last byte was '\r'
}

// Read implements io.Reader.
func (l *lineEnds) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	if !l.cr && bytes.IndexByte(p[:n], '\r') < 0 && bytes.IndexByte(p[:n], 0) < 0 {
		return n, err
	}
	kept := 0
	for _, c := range p[:n] {
		if c == 0 || c == '\n' && l.cr {
			l.cr = false
			continue
		}
		l.cr = c == '\r'
		if l.cr {
			c = '\n'
		}
		p[kept] = c
		kept++
	}
	return kept, err
}
