package extract

import (
	"context"
	"errors"
	"strings"
	"unicode/utf8"
)

// Flow carries what a reader finds to its Sink: it joins runs into lines and
// lines into pieces, keeps what stands beside the text (a deletion, a text
// box) from tearing it apart, and remembers the first error, so that readers
// ask once, by Err, instead of after each word.
type Flow struct {
	// Chars counts the bytes of text handed over so far.
	Chars int64

	ctx   context.Context
	out   Sink
	err   error
	limit error // given to Gap: ends the flow, but what was gathered still goes out
	part  Part
	main  []byte
	sides []*side
}

type side struct {
	part Part
	text []byte
}

// pieceSize is how much text is gathered before it is handed over, in bytes.
const pieceSize = 32 << 10

// lineSize is where a line is too long to be waited for, in bytes.
const lineSize = 1 << 20

// NewFlow begins a flow into out. It ends with Close.
func NewFlow(ctx context.Context, out Sink) *Flow { return &Flow{ctx: ctx, out: out} }

// Err is what ended the flow: the Sink's error, the context's, or an ErrLimit
// given to Gap. It is returned from Extract unchanged.
func (f *Flow) Err() error {
	if f.err == nil {
		f.err = f.ctx.Err()
	}
	if f.err == nil {
		return f.limit
	}
	return f.err
}

// In says that what is written from now on belongs to p.
func (f *Flow) In(p Part) {
	if p != f.part {
		f.flushMain()
		f.part = p
	}
}

// Write adds whole runes to the present line.
func (f *Flow) Write(s string) {
	f.main = append(f.main, s...)
	f.endTooLong()
}

// WriteBytes adds whole runes to the present line.
func (f *Flow) WriteBytes(b []byte) {
	f.main = append(f.main, b...)
	f.endTooLong()
}

func (f *Flow) endTooLong() {
	if len(f.main) >= lineSize {
		f.flushMain()
	}
}

// Line ends the present line, unless it is empty.
func (f *Flow) Line() {
	if n := len(f.main); n > 0 && f.main[n-1] != '\n' {
		f.main = append(f.main, '\n')
	}
	if len(f.main) >= pieceSize {
		f.flushMain()
	}
}

// Aside adds text that stands beside the flow. Texts of the same part are
// joined, and handed over when there are many or the flow ends.
func (f *Flow) Aside(p Part, s string) {
	if s == "" {
		return
	}
	var to *side
	for _, s := range f.sides {
		if s.part == p {
			to = s
		}
	}
	if to == nil {
		if len(f.sides) >= 100 {
			f.Flush()
		}
		to = &side{part: p}
		f.sides = append(f.sides, to)
	}
	to.text = append(to.text, s...)
	if n := len(to.text); n >= lineSize || n >= pieceSize && to.text[n-1] == '\n' {
		f.hand(to.part, to.text)
		to.text = to.text[:0]
	}
}

// Alone hands over one text of its own part, and a line's end after it.
func (f *Flow) Alone(p Part, s string) {
	if s = strings.TrimSpace(s); s == "" {
		return
	}
	f.In(p)
	f.Write(s)
	f.Line()
}

// Row hands over a row, after the text before it.
func (f *Flow) Row(p Part, r Row) {
	f.flushMain()
	if f.Err() != nil {
		return
	}
	for i, cell := range r.Cells {
		if r.Cells[i] = printable(cell); cell != "" {
			f.Chars += int64(len(cell))
		}
	}
	p.Place = printable(p.Place)
	f.err = f.out.Row(p, r)
}

// File hands over a document inside the document, after the text before it.
func (f *Flow) File(file File) {
	f.flushMain()
	if f.Err() == nil {
		file.Name, file.Place = printable(file.Name), printable(file.Place)
		f.err = f.out.File(file)
	}
}

// Gap notes that a part could not be read, unless the reason ends everything.
func (f *Flow) Gap(place string, reason error) {
	switch {
	case reason == nil || f.Err() != nil:
	case errors.Is(reason, ErrLimit):
		f.flushMain()
		f.limit = reason
	default:
		f.flushMain()
		if f.Err() == nil {
			f.err = f.out.Gap(printable(place), reason)
		}
	}
}

// Flush hands over all that was gathered.
func (f *Flow) Flush() {
	f.flushMain()
	for _, s := range f.sides {
		f.hand(s.part, s.text)
	}
	f.sides = f.sides[:0]
}

// Close ends the flow and tells what ended it, if not the document's end. What
// was gathered before an ErrLimit is handed over too.
func (f *Flow) Close() error {
	limit := f.limit
	f.limit = nil
	f.Flush()
	f.limit = limit
	return f.Err()
}

func (f *Flow) flushMain() {
	f.hand(f.part, f.main)
	f.main = f.main[:0]
}

func (f *Flow) hand(p Part, text []byte) {
	if len(text) == 0 || f.Err() != nil {
		return
	}
	s := printable(string(text))
	if s == "" {
		return
	}
	f.Chars += int64(len(s))
	p.Place = printable(p.Place)
	f.err = f.out.Text(p, s)
}

// printable makes s what a Sink takes: UTF-8 without NUL.
func printable(s string) string {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	if strings.IndexByte(s, 0) >= 0 {
		s = strings.ReplaceAll(s, "\x00", "")
	}
	return s
}
