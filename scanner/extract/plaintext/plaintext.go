// Package plaintext reads documents that already are text: letters, notes,
// Markdown, logs, source code, captions of meetings, in any charset that
// Swedish offices have written in.
package plaintext

import (
	"context"
	"fmt"
	"path"

	"github.com/molnvakt/molnvakt/scanner/extract"
)

// Extractor reads plain text. Its places are "line N", where a block of lines
// begins.
type Extractor struct{}

var _ extract.Extractor = Extractor{}

// New returns the reader of plain text.
func New() Extractor { return Extractor{} }

// Name implements extract.Extractor.
func (Extractor) Name() string { return "plaintext" }

// Version implements extract.Extractor.
func (Extractor) Version() int { return 2 }

// Accepts implements extract.Extractor. SQL is text to it; package database
// knows it better. So is PostScript, of which the rest is a gap: only a
// printer knows what it draws.
func (Extractor) Accepts(_, mediaType string) bool {
	switch mediaType {
	case "text/plain", "text/markdown", "application/sql", postScript, webVTT, subRip:
		return true
	}
	return false
}

// Extract implements extract.Extractor.
func (Extractor) Extract(ctx context.Context, in extract.Input, out extract.Sink) error {
	text, err := extract.TextReader(in, in.Size, "")
	if err != nil {
		return extract.Damaged(err)
	}
	if in.MediaType == webVTT || in.MediaType == subRip {
		return captions(ctx, in, text, out)
	}
	if err := extract.Lines(ctx, text, kindOf(in), out); err != nil || in.MediaType != postScript {
		return err
	}
	return out.Gap("", fmt.Errorf("plaintext: drawn text: %w", extract.ErrUnsupported))
}

const (
	postScript = "application/postscript"
	webVTT     = "text/vtt"
	subRip     = "application/x-subrip"
)

func kindOf(in extract.Input) extract.Kind {
	if in.MediaType == "application/sql" || in.MediaType == postScript || extract.IsCode(path.Ext(in.Name)) {
		return extract.Code
	}
	return extract.Body
}
