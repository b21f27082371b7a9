// Package pdf reads PDF documents: the text of pages, what was filled into
// forms, annotations, attachments and document information. Pages that are
// pictures are handed on to be recognised.
//
// PDFium, compiled to WebAssembly, is the engine: no native code of it runs,
// a broken document breaks only its memory. ledongthuc/pdf is the second
// reader, for what PDFium refuses or, by choice, beside it.
package pdf

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"

	"github.com/molnvakt/molnvakt/scanner/extract"
)

// Engine says which reader is used.
type Engine string

// The engines. PDFium is the default: it loses no text that the other finds,
// measured on 1,788 documents, but two readers see more than one.
const (
	PDFium     Engine = "pdfium"
	Ledongthuc Engine = "ledongthuc"
	Both       Engine = "both"
)

// Config says how PDF documents are read.
type Config struct {
	Engine Engine // "" means PDFium
	// Cache is a private folder (0700) for PDFium's compiled code, which
	// otherwise takes seconds to compile in each process. It holds native
	// code: whoever can write there can run programs. "" means none.
	Cache string
}

// Reader is the Extractor for PDF. It makes engines when the first document
// comes and keeps them; Close ends them.
type Reader struct {
	config Config
	mu     sync.Mutex
	module *module
	idle   []*engine
	memory extract.LinearMemory
}

var _ extract.Extractor = (*Reader)(nil)

// New returns a Reader. It starts nothing yet.
func New(c Config) *Reader {
	if c.Engine == "" {
		c.Engine = PDFium
	}
	return &Reader{config: c}
}

// Name implements extract.Extractor.
func (*Reader) Name() string { return "pdf" }

// Version implements extract.Extractor.
func (*Reader) Version() int { return 3 }

// Accepts implements extract.Extractor.
func (*Reader) Accepts(_, mediaType string) bool { return mediaType == "application/pdf" }

// Extract implements extract.Extractor.
func (r *Reader) Extract(ctx context.Context, in extract.Input, out extract.Sink) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if r.config.Engine == Ledongthuc {
		return readSecond(ctx, in, out, nil)
	}
	seen := words(nil)
	if r.config.Engine == Both {
		seen = words{}
	}
	counting := &counter{Sink: out}
	err := r.withPDFium(ctx, in, counting, seen)
	if errors.Is(err, errRefused) {
		return r.afterRefusal(ctx, in, out)
	}
	if err == nil && (seen != nil || counting.pieces == 0) {
		err = addSecond(ctx, in, counting, seen)
	}
	if err == nil && counting.gaps == 0 && unread(in, counting.pieces == 0) {
		return out.Gap("", fmt.Errorf("a stream cannot be read: %w", extract.ErrDamaged))
	}
	return err
}

// addSecond reads once more with the second reader. What that cannot read, the
// first one has read.
func addSecond(ctx context.Context, in extract.Input, out extract.Sink, seen words) error {
	err := readSecond(ctx, in, out, seen)
	if errors.Is(err, extract.ErrDamaged) || errors.Is(err, extract.ErrEncrypted) {
		return nil
	}
	return err
}

// errRefused means that PDFium sees no document.
var errRefused = errors.New("PDFium refuses the document")

// afterRefusal tries to mend the document, and then the second reader.
func (r *Reader) afterRefusal(ctx context.Context, in extract.Input, out extract.Sink) error {
	counting := &counter{Sink: out}
	if salvaged, ok := salvage(in); ok {
		if err := r.withPDFium(ctx, salvaged, counting, nil); err != nil && !errors.Is(err, errRefused) {
			return err
		}
		if counting.pieces > 0 {
			return fmt.Errorf("the end of the document is missing: %w", extract.ErrDamaged)
		}
	}
	err := readSecond(ctx, in, counting, nil)
	if err == nil && counting.pieces == 0 {
		return fmt.Errorf("no page can be read: %w", extract.ErrDamaged)
	}
	return err
}

// counter notices whether anything was read of the pages.
type counter struct {
	extract.Sink
	pieces, gaps int
}

// File implements extract.Sink.
func (c *counter) File(f extract.File) error {
	if f.Role == extract.Scan || f.Role == extract.Picture {
		c.pieces++
	}
	return c.Sink.File(f)
}

// Text implements extract.Sink.
func (c *counter) Text(p extract.Part, text string) error {
	if p.Kind != extract.Title && p.Kind != extract.Property {
		c.pieces++
	}
	return c.Sink.Text(p, text)
}

// Gap implements extract.Sink.
func (c *counter) Gap(place string, reason error) error {
	c.gaps++
	return c.Sink.Gap(place, reason)
}

// protection says how a document that asks for more than a password is
// protected, by the security handler that its encryption dictionary names.
func protection(in extract.Input) error {
	if has(in, regexp.MustCompile(`/Filter\s*/(MicrosoftIRMServices|FOPN_|EBX_HANDLER|Adobe\.APS)`)) {
		return fmt.Errorf("rights management: %w", extract.ErrRights)
	}
	if has(in, regexp.MustCompile(`/Filter\s*/Adobe\.PubSec`)) {
		return fmt.Errorf("public-key encryption: %w", extract.ErrCertificate)
	}
	return fmt.Errorf("encrypted: %w", extract.ErrEncrypted)
}

// has looks for a pattern in the whole document, in pieces that overlap.
func has(in extract.Input, pattern *regexp.Regexp) bool {
	const piece, overlap = 1 << 20, 256
	buf := make([]byte, 0, piece)
	for at := int64(0); at < in.Size; at += piece - overlap {
		n, err := in.ReadAt(buf[:piece], at)
		if pattern.Match(buf[:n]) {
			return true
		}
		if err != nil {
			return false
		}
	}
	return false
}

// words are the words that were read, to see what a second reading adds.
type words map[string]struct{}

func (w words) add(text string) {
	if w == nil {
		return
	}
	for word := range strings.FieldsSeq(text) {
		w[word] = struct{}{}
	}
}

// adds tells whether a line has a word that was not read before.
func (w words) adds(line string) bool {
	for word := range strings.FieldsSeq(line) {
		if _, ok := w[word]; !ok && len(word) > 3 {
			return true
		}
	}
	return false
}

func page(n int) string { return fmt.Sprintf("page %d", n) }
