package inspect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/molnvakt/molnvakt/patterns"
	"github.com/molnvakt/molnvakt/scanner/extract"
)

// inspection is the work on one document, everything inside it included.
type inspection struct {
	*Config
	local *Local
	doc   Document
	clock *clock

	memory   int64 // bytes this document may still hold
	inflated int64 // bytes of files inside it read so far

	mu      sync.Mutex // held during every call of a sink, so that a stalled extractor can be left behind
	stopped error      // why nothing more is taken: a limit of the whole document, the context
	reader  patterns.Reader
	result  Result
	tally   tally
}

// stop makes every later call of a sink fail.
func (in *inspection) stop(why error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.stopped == nil {
		in.stopped = why
	}
}

// read finds out what the outermost document is and extracts it.
func (in *inspection) read(ctx context.Context, name string, body spooled) error {
	media := in.Sniff(name, body, body.size)
	in.mu.Lock()
	in.result.MediaType = media
	in.result.NameMismatch = extract.Mismatch(name, media)
	in.mu.Unlock()
	s := &sink{inspection: in, ctx: ctx, pictureIs: extract.Scan}
	_, err := s.extract(name, media, body)
	return err
}

// sink takes what one extractor reads of one document, which may lie inside
// others. It holds a context because the Sink contract passes none; it lives
// as long as one call of Extract.
type sink struct {
	*inspection
	ctx   context.Context
	place string // of this document in the outermost one
	depth int
	chars int64 // bytes of text of this document alone
	// pictureIs is what this document is to its parent, if it is a picture.
	pictureIs extract.Role
}

// extract runs the first extractor that knows the document and returns its name.
func (s *sink) extract(name, media string, body spooled) (string, error) {
	if body.size == 0 {
		return "", nil
	}
	if strings.HasPrefix(media, "image/") && s.recognises(s.pictureIs) {
		s.clock.add(s.OCRPage)
	}
	input := extract.Input{
		Name: name, MediaType: media, Size: body.size, ReaderAt: body,
		Passwords: s.Passwords, Scratch: s.Scratch, Limits: s.Limits,
		OCR: s.recognises(s.pictureIs),
	}
	for _, e := range s.Extractors {
		if !e.Accepts(name, media) {
			continue
		}
		s.chose(e.Name())
		err := e.Extract(s.ctx, input, s)
		if errors.Is(err, extract.ErrUnsupported) && s.chars == 0 {
			continue
		}
		return e.Name(), err
	}
	s.chose("")
	if why := extract.Sealed(media); why != nil {
		return "", fmt.Errorf("%s: %w", media, why)
	}
	return "", fmt.Errorf("%s: %w", media, extract.ErrUnsupported)
}

// chose records which extractor reads the outermost document.
func (s *sink) chose(name string) {
	if s.depth > 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.result.Extractor = name
}

// recognises tells whether a picture in this role is to be read by OCR.
func (in *inspection) recognises(role extract.Role) bool {
	switch in.doc.OCR {
	case OCRAll:
		return true
	case OCRScans:
		return role != extract.Picture
	}
	return false
}

// Text implements extract.Sink.
func (s *sink) Text(p extract.Part, text string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped != nil {
		return s.stopped
	}
	if text == "" {
		return nil
	}
	text = s.take(valid(text))
	kind, place := string(p.Kind), s.at(p.Place)
	started := time.Now()
	s.reader.Text(kind, place, text)
	s.result.Times.Detect += time.Since(started)
	return s.tell(TextPart{Kind: kind, Place: place, Text: text})
}

// Row implements extract.Sink.
func (s *sink) Row(p extract.Part, r extract.Row) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped != nil {
		return s.stopped
	}
	for i, c := range r.Cells {
		if !utf8.ValidString(c) {
			r.Cells[i] = valid(c)
		}
		if c != "" {
			r.Cells[i] = s.take(r.Cells[i])
		}
	}
	kind, place := string(p.Kind), s.at(p.Place)
	started := time.Now()
	s.reader.Row(kind, place, r.Number, r.Header, r.Cells)
	s.result.Times.Detect += time.Since(started)
	part := TextPart{Kind: kind, Place: place, Row: r.Number}
	if s.doc.Text != nil {
		part.Text = strings.Join(r.Cells, "\t")
	}
	return s.tell(part)
}

// tell lets who asked for it follow the extraction.
func (s *sink) tell(part TextPart) error {
	var err error
	if s.doc.Text != nil {
		err = s.doc.Text(part)
	}
	if s.doc.Progress != nil && err == nil {
		err = s.doc.Progress(s.result.Chars)
	}
	if err != nil && s.stopped == nil {
		s.stopped = err
	}
	return s.stopped
}

// take counts text and cuts it where the document has had its share.
func (s *sink) take(text string) string {
	if room := s.Limits.Text - s.result.Chars; int64(len(text)) > room {
		text = strings.ToValidUTF8(text[:room], "")
		s.stopped = &limitError{"text"}
	}
	s.result.Chars += int64(len(text))
	s.chars += int64(len(text))
	return text
}

// Gap implements extract.Sink.
func (s *sink) Gap(place string, reason error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped != nil {
		return s.stopped
	}
	s.note(s.at(place), reason, "")
	return nil
}

// File implements extract.Sink. Only a limit of the whole document comes back
// as an error: what is wrong with this file alone is a gap.
func (s *sink) File(f extract.File) error {
	inner, err := s.enter(f)
	if inner == nil || err != nil {
		return err
	}
	if f.Role == extract.Entry || f.Role == extract.Attachment || f.Role == extract.Embedded {
		if err := inner.named(f.Name); err != nil {
			return err
		}
	}
	content := f.Content
	if f.Role != extract.Scan { // a page rendered for its text is no bomb
		content = &inflating{s.inspection, f.Content}
	}
	body, err := s.spool(content, -1, s.Limits.Inflate)
	if err != nil {
		return inner.close(err, "")
	}
	defer body.release()
	media := s.Sniff(f.Name, body, body.size)
	if extract.Mismatch(f.Name, media) {
		s.mu.Lock()
		s.gap(Gap{Place: inner.place, Reason: "mismatch", Detail: media})
		s.mu.Unlock()
	}
	technical, err := inner.extract(f.Name, media, body)
	if technical == "" {
		technical = media
	}
	return inner.close(err, technical)
}

// named reads the name of a file inside a document: names tell, too.
func (s *sink) named(name string) error {
	err := s.Text(extract.Part{Kind: extract.Title}, name+"\n")
	s.chars = 0
	return err
}

// enter counts a file and decides whether to look into it: nil means no.
func (s *sink) enter(f extract.File) (*sink, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped != nil {
		return nil, s.stopped
	}
	if s.result.Files++; s.result.Files > s.Limits.Entries {
		s.stopped = &limitError{"entries"}
		return nil, s.stopped
	}
	inner := &sink{inspection: s.inspection, ctx: s.ctx, depth: s.depth + 1, pictureIs: extract.Scan}
	name := printable(f.Name)
	switch f.Role {
	case extract.Scan:
		inner.place = s.at(f.Place)
	default:
		inner.place = join(s.at(f.Place), name)
	}
	if f.Role == extract.Picture && s.chars >= illustrated {
		inner.pictureIs = extract.Picture
	}
	if (f.Role == extract.Scan || f.Role == extract.Picture) && !s.recognises(inner.pictureIs) {
		s.leaveOut(inner.pictureIs)
		return nil, nil
	}
	if inner.depth > s.Limits.Depth {
		s.note(inner.place, &limitError{"depth"}, "")
		return nil, nil
	}
	return inner, nil
}

// illustrated is how many bytes of text make a document's pictures
// illustrations: one with less is likely a scan put into a document.
const illustrated = 200

// leaveOut counts a picture that this inspection does not recognise.
func (s *sink) leaveOut(role extract.Role) {
	switch {
	case s.doc.OCR == OCRDefer && role == extract.Picture:
		s.result.PendingPictures++
	case s.doc.OCR == OCRDefer:
		s.result.PendingOCR++
	case role != extract.Picture:
		s.tally.add("ocr-off")
	}
}

// close turns what ended a file inside a document into a gap.
func (s *sink) close(err error, technical string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped != nil {
		return s.stopped
	}
	if err == nil {
		return nil
	}
	if ctxErr := s.ctx.Err(); ctxErr != nil {
		s.stopped = ctxErr
		return ctxErr
	}
	if errors.Is(err, extract.ErrOCRDeferred) {
		s.leaveOut(s.pictureIs)
		return nil
	}
	s.note(s.place, err, technical)
	return nil
}

// at makes a place of this document one of the outermost.
func (s *sink) at(place string) string { return join(s.place, place) }

func join(outer, inner string) string {
	switch {
	case outer == "":
		return inner
	case inner == "":
		return outer
	}
	return outer + " › " + inner
}

// inflating counts what comes out of a document against its share.
type inflating struct {
	in *inspection
	r  io.Reader
}

func (c *inflating) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.in.inflated += int64(n)
	if c.in.inflated > c.in.Limits.Inflate {
		limit := &limitError{"inflate"}
		c.in.stop(limit)
		return n, limit
	}
	return n, err
}

func valid(text string) string { return strings.ToValidUTF8(text, "\uFFFD") }

// printable makes a file's name fit to be shown as a place.
func printable(name string) string {
	name = strings.Map(func(r rune) rune {
		if r < ' ' || r == utf8.RuneError || 0x7f <= r && r < 0xa0 || 0x202a <= r && r <= 0x202e {
			return -1
		}
		return r
	}, name)
	if r := []rune(name); len(r) > 120 {
		name = string(r[:100]) + "…" + string(r[len(r)-19:])
	}
	return name
}
