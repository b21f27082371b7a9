package extracttest

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/molnvakt/molnvakt/scanner/extract"
)

// Recording is an extract.Sink that keeps everything, for tests.
type Recording struct {
	Parts []Piece
	Files []Inner
	Gaps  []string // "place: reason"

	ctx       context.Context
	limits    extract.Limits
	fail      error // returned by every call after the first failAfter
	failAfter int

	calls    int
	text     int64
	inflated int64
	log      strings.Builder
	last     extract.Part
	gaps     []error
	problems []string
}

// Piece is a run of text or a row of a table.
type Piece struct {
	extract.Part
	Text string // of a row: its cells, separated by tabs
	Row  int
}

// Inner is a document inside the document.
type Inner struct {
	extract.File
	Bytes []byte
	Err   error // why Bytes is not all
}

var _ extract.Sink = (*Recording)(nil)

// String shows everything that came out, in its order.
func (r *Recording) String() string { return r.log.String() }

// PlainText returns all text, rows included, without kinds and places.
func (r *Recording) PlainText() string {
	var all strings.Builder
	for _, p := range r.Parts {
		all.WriteString(p.Text)
		if p.Row > 0 {
			all.WriteByte('\n')
		}
	}
	return all.String()
}

// Text implements extract.Sink.
func (r *Recording) Text(p extract.Part, text string) error {
	if err := r.called(); err != nil {
		return err
	}
	r.check(p, text)
	r.head(p)
	r.log.WriteString(text)
	r.Parts = append(r.Parts, Piece{Part: p, Text: text})
	return r.count(text)
}

// Row implements extract.Sink.
func (r *Recording) Row(p extract.Part, row extract.Row) error {
	if err := r.called(); err != nil {
		return err
	}
	r.head(p)
	header := ""
	if row.Header {
		header = " (header)"
	}
	for _, cell := range row.Cells {
		r.check(p, cell)
	}
	if row.Number < 1 {
		r.problems = append(r.problems, fmt.Sprintf("row number %d", row.Number))
	}
	fmt.Fprintf(&r.log, "%d%s: %s\n", row.Number, header, strings.Join(row.Cells, " | "))
	text := strings.Join(row.Cells, "\t")
	r.Parts = append(r.Parts, Piece{Part: p, Text: text, Row: row.Number})
	return r.count(text)
}

// File implements extract.Sink.
func (r *Recording) File(f extract.File) error {
	if err := r.called(); err != nil {
		return err
	}
	left := r.limits.Inflate - r.inflated
	content, err := io.ReadAll(io.LimitReader(f.Content, left+1))
	r.inflated += int64(len(content))
	r.Files = append(r.Files, Inner{File: f, Bytes: content, Err: err})
	r.line()
	fmt.Fprintf(&r.log, "== %s %q", f.Role, f.Name)
	if f.Place != "" {
		fmt.Fprintf(&r.log, " at %s", f.Place)
	}
	if f.MediaType != "" {
		fmt.Fprintf(&r.log, " said to be %s", f.MediaType)
	}
	fmt.Fprintf(&r.log, ": %d bytes, sha256 %.4x", len(content), sha256.Sum256(content))
	if err != nil {
		r.log.WriteString(", not whole")
		r.gaps = append(r.gaps, err)
	}
	r.log.WriteByte('\n')
	r.last = extract.Part{}
	if int64(len(content)) > left || len(r.Files) > r.limits.Entries {
		return fmt.Errorf("files in the document: %w", extract.ErrLimit)
	}
	return r.ctx.Err()
}

// Gap implements extract.Sink.
func (r *Recording) Gap(place string, reason error) error {
	if err := r.called(); err != nil {
		return err
	}
	r.gaps = append(r.gaps, reason)
	r.Gaps = append(r.Gaps, fmt.Sprintf("%s: %v", place, reason))
	r.line()
	fmt.Fprintf(&r.log, "== gap %s: %v\n", place, reason)
	r.last = extract.Part{}
	return r.ctx.Err()
}

func (r *Recording) called() error {
	r.calls++
	if r.fail != nil && r.calls > r.failAfter {
		return r.fail
	}
	return nil
}

func (r *Recording) count(text string) error {
	r.text += int64(len(text))
	if r.text > r.limits.Text {
		return fmt.Errorf("text: %w", extract.ErrLimit)
	}
	return r.ctx.Err()
}

func (r *Recording) check(p extract.Part, text string) {
	if p.Kind == "" {
		r.problems = append(r.problems, fmt.Sprintf("text at %q has no kind", p.Place))
	}
	if !utf8.ValidString(text) || !utf8.ValidString(p.Place) {
		r.problems = append(r.problems, fmt.Sprintf("text or place at %q is not UTF-8", p.Place))
	}
	if strings.Contains(text, "\x00") {
		r.problems = append(r.problems, fmt.Sprintf("text at %q holds NUL", p.Place))
	}
}

// head begins a new part of the log unless p goes on.
func (r *Recording) head(p extract.Part) {
	if p == r.last {
		return
	}
	r.last = p
	r.line()
	fmt.Fprintf(&r.log, "== %s", p.Kind)
	if p.Place != "" {
		fmt.Fprintf(&r.log, " %s", p.Place)
	}
	r.log.WriteByte('\n')
}

// line ends a line that is not ended.
func (r *Recording) line() {
	if s := r.log.String(); s != "" && !strings.HasSuffix(s, "\n") {
		r.log.WriteByte('\n')
	}
}
